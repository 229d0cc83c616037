"""NPS, CSAT and CES: what clients scored, how sure that is, and how many of those asked have answered."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.metrics.base import Asked, Facts, Metric, SurveyFact, number_of, share
from worker.metrics.headlines import HEADLINES, Figures, Headline, figures_of
from worker.metrics.people import manager_names, person_of, told_apart
from worker.metrics.stats import percent
from worker.metrics.trends import Trend, trend_of
from worker.rules.calendar import Period
from worker.rules.shares import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The surveys that were first sent, or ended unsent, in the period."""

    sent: int
    not_sent: Mapping[str, int]  # reason -> surveys, most first
    uncertain: int
    delivered: int
    read: int | None  # None: no channel tells
    read_known: int  # of those sent: whose channel tells of reading
    answered: int  # so far, of those sent
    commented: int  # of those answered: with words beside the score
    declined: int  # of those sent and not answered: a call was asked for instead
    is_collecting: bool  # some may still be answered

    @property
    def eligible(self) -> int:
        return self.sent + sum(self.not_sent.values())

    @property
    def response_rate(self) -> float | None:
        return percent(self.answered, self.sent)

    @property
    def response_of_delivered(self) -> float | None:
        """Beside the rate of the sent: a blocked messenger shows in the gap between the two."""
        return percent(self.answered, self.delivered)

    @property
    def response_of_read(self) -> float | None:
        """Not where some channels do not tell: their answers are of no reading that is known."""
        if self.read is None or self.read_known < self.sent:
            return None
        return percent(self.answered, self.read)

    @property
    def coverage(self) -> float | None:
        """For how many of all who could have been asked the score speaks."""
        return percent(self.answered, self.eligible)

    @property
    def comment_rate(self) -> float | None:
        return percent(self.commented, self.answered)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyResult:
    asked: Asked
    headline: Headline
    current: Figures
    previous: Figures
    difference: Interval | None  # of the headline from the previous one; None if either is unknown
    distribution: Mapping[int, int]
    funnel: Funnel
    by_manager: Mapping[str, Figures]  # the surest good first
    by_subject: Mapping[str, Figures]
    by_pipeline: Mapping[str, Figures]
    by_channel: Mapping[str, Figures]
    # Scores of two scales are never one figure: all above is of the scale that the settings have.
    other_scales: Mapping[str, Figures]
    trend: Trend

    @property
    def significant(self) -> bool | None:
        return None if self.difference is None else self.difference.excludes_zero

    def as_json(self) -> dict[str, Any]:
        key, now, funnel = self.headline.key, self.current, self.funnel
        own = (
            dict(zip(("promoters", "passives", "detractors"), now.bands, strict=True))
            if key == "score"
            else {}
        )
        written: dict[str, Any] = {
            "metric": self.asked.metric,
            "sent": funnel.sent,
            "answered": now.answered,
            "response_rate": share(funnel.response_rate),
            **own,
            key: share(now.value),
            "mean": share(now.mean),
            "ci95": None if now.interval is None else [share(end) for end in now.interval],
            "previous": {key: share(self.previous.value), "answered": self.previous.answered},
            "significant": self.significant,
            "distribution": {str(value): number for value, number in self.distribution.items()},
            "eligible": funnel.eligible,
            "not_sent": dict(funnel.not_sent),
            "uncertain": funnel.uncertain,
            "delivered": funnel.delivered,
            "read": funnel.read,
            "by_manager": self._apart(self.by_manager),
        }
        if self.asked.subject == "field":
            written["by_subject"] = self._apart(self.by_subject)
        return written | {
            "net": share(now.net),
            "response_of_delivered": share(funnel.response_of_delivered),
            "coverage": share(funnel.coverage),
            "declined": funnel.declined,
            "commented": funnel.commented,
            "comment_rate": share(funnel.comment_rate),
            "collecting": funnel.is_collecting,
            "by_pipeline": self._apart(self.by_pipeline),
            "by_channel": self._apart(self.by_channel),
            "scale": self.asked.scale.id,
            "other_scales": self._apart(self.other_scales),
            "trend": [point.as_json(key) for point in self.trend.points],
        }

    def _apart(self, of_each: Mapping[str, Figures]) -> dict[str, Any]:
        key = self.headline.key
        return {
            name: {
                "answered": of.answered,
                key: share(of.value),
                "mean": share(of.mean),
                "ci95": None if of.interval is None else [share(end) for end in of.interval],
            }
            for name, of in of_each.items()
        }


@dataclass(frozen=True, slots=True)
class SurveyResults:
    by_key: Mapping[str, SurveyResult]

    def as_json(self) -> dict[str, Any]:
        return {key: result.as_json() for key, result in self.by_key.items()}


def compute(facts: Facts, period: Period) -> SurveyResults:
    return SurveyResults({asked.key: _result(asked, facts, period) for asked in facts.asked})


def _result(asked: Asked, facts: Facts, period: Period) -> SurveyResult:
    # A key that once stood for another question keeps its old answers out of this one's figures.
    rows = [row for row in facts.surveys if row.survey == asked.key and row.metric == asked.metric]
    own_scale = asked.scale.id

    def answers_in(of: Period) -> dict[str, list[SurveyFact]]:
        by_scale: dict[str, list[SurveyFact]] = {}
        for row in _answers(rows, of):
            by_scale.setdefault(row.scale or own_scale, []).append(row)
        return by_scale

    by_scale = answers_in(period)
    answers = by_scale.pop(own_scale, [])
    headline = HEADLINES[asked.metric]

    def figures(of: Sequence[SurveyFact]) -> Figures:
        return figures_of(of, asked, facts.min_answers)

    current = figures(answers)
    previous = figures(answers_in(period.previous()).get(own_scale, []))
    is_comparable = current.value is not None and previous.value is not None
    names, pipelines = manager_names(facts.surveys), told_apart(facts.pipelines)
    return SurveyResult(
        asked=asked,
        headline=headline,
        current=current,
        previous=previous,
        difference=headline.difference(previous.bands, current.bands) if is_comparable else None,
        distribution=_distribution(asked, answers),
        funnel=_funnel([row for row in rows if _is_in(row.settled_at, period)]),
        by_manager=_apart(answers, lambda row: names.get(person_of(row), ""), figures),
        by_subject=_apart(answers, lambda row: row.subject, figures) if asked.subject == "field" else {},
        by_pipeline=_apart(answers, lambda row: _pipeline(row, pipelines), figures),
        by_channel=_apart(answers, lambda row: row.channel, figures),
        other_scales={scale: figures(of) for scale, of in sorted(by_scale.items())},
        trend=trend_of(asked, facts),
    )


def _is_in(moment: datetime | None, period: Period) -> bool:
    return moment is not None and period.contains(moment)


def _answers(rows: Iterable[SurveyFact], period: Period) -> list[SurveyFact]:
    return [row for row in rows if row.score is not None and _is_in(row.answered_at, period)]


def _distribution(asked: Asked, answers: Iterable[SurveyFact]) -> Mapping[int, int]:
    """Every value of the scale; what is outside it has its own, so that the sum is `answered`."""
    counts: Counter[int] = Counter()
    for row in answers:
        if row.score is not None:
            counts[row.score] += row.count
    return {value: counts[value] for value in sorted({*asked.scale.values, *counts})}


def _funnel(rows: Sequence[SurveyFact]) -> Funnel:
    sent = [row for row in rows if not row.refusal]
    answered = [row for row in sent if _is_answered(row)]
    told_read = [row for row in sent if row.was_read is not None]
    refusals: Counter[str] = Counter()
    for row in rows:
        if row.refusal:
            refusals[row.refusal] += row.count
    return Funnel(
        sent=number_of(sent),
        not_sent=dict(sorted(refusals.items(), key=lambda refusal: (-refusal[1], refusal[0]))),
        uncertain=number_of(row for row in sent if row.is_uncertain),
        # Where the channel does not tell, sent counts as delivered.
        delivered=number_of(row for row in sent if row.was_delivered is not False),
        read=number_of(row for row in told_read if row.was_read) if told_read else None,
        read_known=number_of(told_read),
        answered=number_of(answered),
        commented=number_of(row for row in answered if row.has_comment),
        declined=number_of(row for row in sent if row.is_declined and not _is_answered(row)),
        is_collecting=any(row.is_open for row in sent),
    )


def _is_answered(row: SurveyFact) -> bool:
    return row.answered_at is not None and row.score is not None


def _pipeline(row: SurveyFact, names: Mapping[int, str]) -> str:
    return names.get(row.pipeline_id, str(row.pipeline_id)) if row.pipeline_id else ""


def _apart(
    answers: Iterable[SurveyFact],
    name_of: Callable[[SurveyFact], str],
    figures: Callable[[Sequence[SurveyFact]], Figures],
) -> Mapping[str, Figures]:
    """By the lower end of the interval: three tens never stand above fifty nines, and too few come last."""
    rows: dict[str, list[SurveyFact]] = {}
    for row in answers:
        if name := name_of(row):
            rows.setdefault(name, []).append(row)
    people = {name: figures(of) for name, of in rows.items()}

    def place(name: str) -> tuple[bool, float, int, str]:
        of = people[name]
        return (of.interval is None, -of.interval.low if of.interval else 0, -of.answered, name)

    return {name: people[name] for name in sorted(people, key=place)}


METRIC = Metric(
    key="surveys",
    title={"ru": "Оценки", "en": "Scores"},
    unit={
        "ru": "ответы, по дню первой оценки; отправка — по дню вопроса",
        "en": "answers, by the day of the first score; sending by the day of the question",
    },
    source="NPS: F. Reichheld, HBR, December 2003; intervals: B. Rocks 2016, R. Newcombe 1998",
    compute=compute,
    reading={
        "ru": "В скобках — где оценка лежит с вероятностью 95 %: чем меньше ответов, тем шире. "
        "Людей сравнивайте по нижней границе. Ответы на разных шкалах никогда не складываются.",
        "en": "In brackets is where the score lies with 95 % confidence: the fewer answers, the wider. "
        "Compare people by the lower end. Answers on different scales are never put together.",
    },
)
