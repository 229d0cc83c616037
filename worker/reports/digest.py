"""What a digest says of a report: the score, who stands out, what clients complain of; and its picture."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from worker.metrics.complaints import ComplaintResult
from worker.metrics.headlines import Bands, Figures, Headline
from worker.metrics.referrals import ReferralResult
from worker.metrics.surveys import SurveyResult, SurveyResults
from worker.reports.build import Report
from worker.reports.document import Chart, Document, Dots, Trend
from worker.reports.words import Words
from worker.rules.digest import Person, Score, Topic

LEAST_OF_A_TOPIC = 2  # one complaint is no pattern


def main_survey(report: Report) -> SurveyResult | None:
    """NPS, or what stands first in the settings; None where nothing is asked."""
    results = report.results["surveys"]
    found = [*results.by_key.values()] if isinstance(results, SurveyResults) else []
    return next((one for one in found if one.asked.metric == "nps"), next(iter(found), None))


def has_enough(report: Report) -> bool:
    survey = main_survey(report)
    return survey is not None and survey.current.value is not None


def told(value: float, metric: str, words: Words) -> str:
    return words.points(value) if metric == "nps" else words.share(value)


def score(survey: SurveyResult, words: Words) -> Score | None:
    now, metric, before = survey.current, survey.asked.metric, survey.previous.value
    if now.value is None or now.interval is None:
        return None
    change = 0 if before is None or not survey.significant else (1 if now.value > before else -1)
    return Score(
        survey=survey.asked.title,
        value=told(now.value, metric, words),
        low=told(now.interval.low, metric, words),
        high=told(now.interval.high, metric, words),
        prev="" if before is None else told(before, metric, words),
        change=change,
    )


def outstanding(survey: SurveyResult, words: Words, *, but: str = "") -> tuple[Person | None, Person | None]:
    """The lowest and the highest manager who differ from all others by more than chance; never `but`."""
    apart = {name: _difference(survey.headline, survey.by_manager, name) for name in survey.by_manager}
    low = [name for name, way in apart.items() if way < 0 and name != but]
    high = [name for name, way in apart.items() if way > 0 and name != but]
    of, metric = survey.by_manager, survey.asked.metric

    def person(names: Sequence[str], *, lowest: bool) -> Person | None:
        if not names:
            return None
        name = sorted(names, key=lambda one: of[one].value or 0, reverse=not lowest)[0]
        return Person(
            manager=name, value=told(of[name].value or 0, metric, words), n=words.count(of[name].answered)
        )

    return person(low, lowest=True), person(high, lowest=False)


def praised(survey: SurveyResult) -> list[str]:
    """Managers who are above the others by more than chance."""
    return [name for name in survey.by_manager if _difference(survey.headline, survey.by_manager, name) > 0]


def _difference(headline: Headline, people: Mapping[str, Figures], name: str) -> int:
    """1 above the others, -1 below them, 0 as far as can be told."""
    others = [of.bands for other, of in people.items() if other != name]
    rest = Bands(*(sum(one) for one in zip(*others, strict=True))) if others else Bands(0, 0, 0)
    if people[name].value is None or not sum(rest):
        return 0
    apart = headline.difference(rest, people[name].bands)
    return (apart.low > 0) - (apart.high < 0)


def referral_share(report: Report) -> float | None:
    result = report.results["referrals"]
    return result.share if isinstance(result, ReferralResult) else None


def topic(report: Report, words: Words) -> Topic | None:
    """What clients complain of most, where it is more than one of them."""
    result = report.results["complaints"]
    if not isinstance(result, ComplaintResult):
        return None
    named = {name: number for name, number in result.by_topic.items() if name}
    name = max(named, key=lambda one: named[one], default="")
    if not name or named[name] < LEAST_OF_A_TOPIC:
        return None
    shown = words.say("topic.words") if name == "…" else name
    return Topic(topic=shown, n=named[name], m=sum(result.by_topic.values()))


def unmarked(report: Report) -> int:
    """Won deals whose referral field is empty; where hardly anybody fills it in, that is no news."""
    result = report.results["referrals"]
    if not isinstance(result, ReferralResult) or not result.unmarked:
        return 0
    return result.unmarked if 2 * result.unmarked <= result.won.deals else 0


def complaint_counts(report: Report) -> tuple[int, int]:
    """Opened, closed."""
    result = report.results["complaints"]
    return (result.opened, result.closed) if isinstance(result, ComplaintResult) else (0, 0)


def answer_counts(report: Report) -> tuple[int, int]:
    """Of all surveys: answers, low ones."""
    results = report.results["surveys"]
    found = [one.current for one in results.by_key.values()] if isinstance(results, SurveyResults) else []
    return sum(one.answered for one in found), sum(one.bands.low for one in found)


def picture_of(
    survey: SurveyResult | None,
    months: Document,
    window: Document,
    words: Words,
    *,
    people: bool,
    goal: float | None,
) -> list[Chart]:
    """The main score over the months, and under it people with their intervals.

    The months say no finding of their own: the words beneath tell that of the whole window, and two that
    differ would leave the reader with none.
    """
    if survey is None:
        return []
    key = f"surveys.{survey.asked.key}."
    over_time: list[Chart] = [
        replace(one, goal=goal, title=words.finding("trend.months", survey=survey.asked.title))
        for one in months.charts
        if isinstance(one, Trend) and one.key.startswith(key)
    ]
    beside: list[Chart] = [
        one for one in window.charts if isinstance(one, Dots) and one.key == f"{key}by_manager"
    ]
    return over_time + (beside if people else [])
