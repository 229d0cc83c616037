"""Surveys, a section each: the score, how it was before, who was asked, and people side by side."""

from collections import Counter
from collections.abc import Iterator, Mapping

from worker.metrics.base import Metric
from worker.metrics.headlines import Figures
from worker.metrics.surveys import Funnel, SurveyResult, SurveyResults
from worker.reports.build import Report
from worker.reports.document import Section, Tile
from worker.reports.sections.base import result_of
from worker.reports.sections.survey_charts import charts
from worker.reports.sections.survey_tables import tables
from worker.reports.words import NOTHING, Words
from worker.rules.shares import Interval

ENOUGH = 30  # answers, from which a score needs no warning: a judgement, as vendors make it


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    by_key = result_of(report, metric, SurveyResults).by_key
    titles = Counter(of.asked.title for of in by_key.values())
    for survey, of in by_key.items():
        key, title = f"{metric.key}.{survey}", _told_apart(of, titles)
        yield Section(
            key=key,
            title=title,
            group=metric.title[words.language],
            lines=(*_lines(of, title, report, words),),
            is_headed=True,
            unit=metric.unit[words.language],
            source=metric.source,
            tables=(*tables(of, key, title, words, metric.reading[words.language]),),
            charts=(*charts(of, key, title, words),),
            tile=_tile(of, words),
        )


def _told_apart(result: SurveyResult, titles: Mapping[str, int]) -> str:
    """Two surveys may share a title; their keys differ."""
    asked = result.asked
    return f"{asked.title} ({asked.key})" if titles[asked.title] > 1 else asked.title


def _tile(result: SurveyResult, words: Words) -> Tile | None:
    now, metric = result.current, result.asked.metric
    if now.value is None or now.interval is None:
        return None
    told = _headline(now.value, now.interval, metric, words)
    mark = words.say("mark.small") if now.answered < ENOUGH else ""
    return Tile(figure=told["value"], about=words.tile(metric, low=told["low"], high=told["high"], mark=mark))


def _lines(result: SurveyResult, title: str, report: Report, words: Words) -> Iterator[str]:
    yield from _scores(result, title, words)
    yield from _before(result, report, words)
    for of in result.other_scales.values():
        yield words.say(
            "other_scale", value=_score(of, result.asked.metric, words), n=words.count(of.answered)
        )
    yield from _funnel(result.funnel, words)
    for key, people in (("managers", result.by_manager), ("subjects", result.by_subject)):
        if len(people) > 1:
            yield words.say(key)
            yield from _people(people, result.asked.metric, words)


def _scores(result: SurveyResult, title: str, words: Words) -> Iterator[str]:
    metric, now = result.asked.metric, result.current
    high, neutral, low = now.bands
    if not now.answered:
        yield words.say("none", survey=title)
    elif now.value is None or now.interval is None or now.mean is None:
        yield words.say("few", survey=title, n=words.count(now.answered))
        yield words.say("few.bands", high=high, neutral=neutral, low=low)
    else:
        yield words.say(
            metric,
            survey=title,
            **_headline(now.value, now.interval, metric, words),
            mark=words.say("mark.small") if now.answered < ENOUGH else "",
        )
        yield words.say(
            f"bands.{metric}",
            high=words.share(100 * high / now.answered),
            neutral=words.share(100 * neutral / now.answered),
            low=words.share(100 * low / now.answered),
            n=words.count(now.answered),
        )
        scale = result.asked.scale
        ends = now.mean_interval
        yield words.say(
            f"mean.{metric}",
            mean=words.decimal(now.mean),
            last=scale.last,
            # A few answers near an end of the scale would reach beyond it.
            low=words.decimal(max(ends.low, scale.first)) if ends else "",
            high=words.decimal(min(ends.high, scale.last)) if ends else "",
        )


def _headline(value: float, interval: Interval, metric: str, words: Words) -> dict[str, str]:
    """The score with its interval, in points or percent."""
    if metric == "nps":
        return {
            "value": words.points(value),
            "low": words.points(interval.low),
            "high": words.points(interval.high),
        }
    return {
        "value": words.share(value),
        "low": words.bare(interval.low),
        "high": words.share(interval.high),
    }


def _score(of: Figures, metric: str, words: Words) -> str:
    if of.value is None:
        return NOTHING
    return words.points(of.value) if metric == "nps" else words.share(of.value)


def _before(result: SurveyResult, report: Report, words: Words) -> Iterator[str]:
    before, metric = result.previous, result.asked.metric
    period = words.period(report.period.previous())
    if not before.answered or result.current.value is None:
        return
    if before.value is None:
        yield words.say("before.few", period=period, n=words.count(before.answered))
        return
    change = result.current.value - before.value
    yield words.say(
        "before",
        period=period,
        value=words.points(before.value) if metric == "nps" else words.share(before.value),
        n=words.count(before.answered),
        verdict=words.verdict(change, is_significant=result.significant is True),
    )


def _funnel(funnel: Funnel, words: Words) -> Iterator[str]:
    if not funnel.eligible:
        yield words.say("nobody")
    if funnel.sent:
        yield words.say(
            "asked",
            n=words.count(funnel.sent),
            m=words.count(funnel.eligible) if funnel.not_sent else "",
            value=words.count(funnel.answered),
            share=words.share(funnel.response_rate),
            mark=words.say("mark.collecting") if funnel.is_collecting else "",
        )
        if funnel.delivered < funnel.sent or funnel.read is not None:
            yield words.say(
                "arrived",
                n=words.count(funnel.delivered),
                m=_read(funnel, words),
                share=words.share(funnel.response_of_delivered) if funnel.delivered < funnel.sent else "",
            )
        if funnel.declined:
            yield words.say("declined", n=words.count(funnel.declined))
        if funnel.uncertain:
            yield words.say("uncertain", n=words.count(funnel.uncertain))
    if funnel.not_sent:
        reasons = (f"{words.reason(code)} — {words.count(n)}" for code, n in funnel.not_sent.items())
        yield words.say("not_sent", n=words.count(sum(funnel.not_sent.values())), reason=", ".join(reasons))


def _read(funnel: Funnel, words: Words) -> str:
    """Of how many that is, where some channels do not tell: else it would be taken for that of all."""
    if funnel.read is None:
        return ""
    read = words.count(funnel.read)
    return (
        read
        if funnel.read_known == funnel.sent
        else words.say("read.known", n=read, m=words.count(funnel.read_known))
    )


def _people(people: Mapping[str, Figures], metric: str, words: Words) -> Iterator[str]:
    """Nobody is shown without the interval, or ranked by a handful of answers."""
    few: list[str] = []
    for name, of in people.items():
        if of.value is None or of.interval is None:
            few.append(f"{name} ({words.count(of.answered)})")
        else:
            headline = _headline(of.value, of.interval, metric, words)
            yield words.say("person", name=name, **headline, n=words.count(of.answered))
    if few:
        yield words.say("person.few", name=", ".join(few))
