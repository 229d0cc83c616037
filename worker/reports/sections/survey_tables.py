"""The tables of a survey: its figures, the distribution, who was not asked, and people."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from worker.metrics.headlines import Figures
from worker.metrics.surveys import SurveyResult
from worker.reports.document import Cell, Column, Kind, Table
from worker.reports.sections.base import columns
from worker.reports.words import Words
from worker.rules.channels import channel_titles


def headline_kind(metric: str) -> Kind:
    return Kind.POINTS if metric == "nps" else Kind.PERCENT


def tables(result: SurveyResult, key: str, title: str, words: Words, reading: str) -> Iterator[Table]:
    yield replace(_summary(result, key, title, words), note=reading)
    yield _distribution(result, key, title, words)
    if result.funnel.not_sent:
        yield _not_sent(result, key, title, words)
    if result.by_manager:
        yield _people(result, result.by_manager, "manager", key, title, words)
    if result.by_subject:
        yield _people(result, result.by_subject, "subject", key, title, words)
    if result.by_pipeline:
        yield _people(result, result.by_pipeline, "pipeline", key, title, words)
    if result.by_channel:
        channels = _channels(result.by_channel, words)
        yield _people(result, channels, "channel", key, title, words)
    if result.other_scales:
        scales = {words.scale(scale): of for scale, of in result.other_scales.items()}
        yield _people(result, scales, "scale", key, title, words, table="other_scales")
    if any(point.figures.answered for point in result.trend.points):
        yield _trend(result, key, title, words)


def _summary(result: SurveyResult, key: str, title: str, words: Words) -> Table:
    figures = {column.key: (column, cell) for column, cell in _figures(result, words)}
    return Table(
        key=f"{key}.summary",
        title=words.table("summary", survey=title),
        is_summary=True,
        columns=tuple(column for column, _ in figures.values()),
        rows=(tuple(cell for _, cell in figures.values()),),
    )


def _figures(result: SurveyResult, words: Words) -> Iterator[tuple[Column, Cell]]:
    now, before, funnel = result.current, result.previous, result.funnel
    headline, kind = result.headline.key, headline_kind(result.asked.metric)

    def figure(key: str, of: Kind, cell: Cell) -> tuple[Column, Cell]:
        return Column(key=key, title=words.column(key), kind=of), cell

    yield figure("answered", Kind.COUNT, now.answered)
    yield figure(headline, kind, now.value)
    yield figure("ci95_low", kind, now.interval.low if now.interval else None)
    yield figure("ci95_high", kind, now.interval.high if now.interval else None)
    yield figure("mean", Kind.SCORE, now.mean)
    names = ("promoters", "passives", "detractors") if headline == "score" else now.bands._fields
    for name, number in zip(names, now.bands, strict=True):
        yield figure(name, Kind.COUNT, number)
    yield figure("previous", kind, before.value)
    yield figure("previous_answered", Kind.COUNT, before.answered)
    yield figure("significant", Kind.TEXT, _verdict(result, words))
    yield figure("eligible", Kind.COUNT, funnel.eligible)
    yield figure("sent", Kind.COUNT, funnel.sent)
    yield figure("delivered", Kind.COUNT, funnel.delivered)
    yield figure("read", Kind.COUNT, funnel.read)
    yield figure("response_rate", Kind.PERCENT, funnel.response_rate)
    yield figure("uncertain", Kind.COUNT, funnel.uncertain)
    yield figure("response_of_delivered", Kind.PERCENT, funnel.response_of_delivered)
    yield figure("coverage", Kind.PERCENT, funnel.coverage)
    yield figure("declined", Kind.COUNT, funnel.declined)
    yield figure("commented", Kind.COUNT, funnel.commented)
    yield figure("comment_rate", Kind.PERCENT, funnel.comment_rate)
    yield figure("collecting", Kind.TEXT, words.yes(funnel.is_collecting))
    yield figure("net", Kind.POINTS, now.net)
    yield figure("scale", Kind.TEXT, words.scale(result.asked.scale.id))


def _verdict(result: SurveyResult, words: Words) -> str | None:
    now, before = result.current.value, result.previous.value
    if now is None or before is None:
        return None
    return words.verdict(now - before, is_significant=result.significant is True)


def _distribution(result: SurveyResult, key: str, title: str, words: Words) -> Table:
    labels = {option.value: option.label for option in result.asked.scale.options}
    kinds = {"label": Kind.TEXT} if labels else {}
    return Table(
        key=f"{key}.distribution",
        title=words.table("distribution", survey=title),
        columns=columns(words, value=Kind.COUNT, **kinds, number=Kind.COUNT),
        rows=tuple(
            (value, labels.get(value), number) if labels else (value, number)
            for value, number in result.distribution.items()
        ),
    )


def _not_sent(result: SurveyResult, key: str, title: str, words: Words) -> Table:
    return Table(
        key=f"{key}.not_sent",
        title=words.table("not_sent", survey=title),
        columns=columns(words, reason=Kind.TEXT, number=Kind.COUNT, code=Kind.TEXT),
        rows=tuple((words.reason(code), number, code) for code, number in result.funnel.not_sent.items()),
    )


def _people(
    result: SurveyResult,
    people: Mapping[str, Figures],
    who: str,
    key: str,
    title: str,
    words: Words,
    *,
    table: str = "",
) -> Table:
    headline, kind = result.headline.key, headline_kind(result.asked.metric)
    kinds = {who: Kind.TEXT, "answered": Kind.COUNT, headline: kind, "ci95_low": kind, "ci95_high": kind}
    name = table or f"by_{who}"
    return Table(
        key=f"{key}.{name}",
        title=words.table(name, survey=title),
        columns=columns(words, **kinds, mean=Kind.SCORE),
        rows=tuple((who, *_person(of)) for who, of in people.items()),
    )


def _channels(by_channel: Mapping[str, Figures], words: Words) -> Mapping[str, Figures]:
    names = channel_titles(words.texts, by_channel)
    return {names[name]: of for name, of in by_channel.items()}


def _trend(result: SurveyResult, key: str, title: str, words: Words) -> Table:
    """A period has a line for each scale that was asked on in it."""
    headline, kind = result.headline.key, headline_kind(result.asked.metric)
    kinds = {"answered": Kind.COUNT, headline: kind, "ci95_low": kind, "ci95_high": kind}
    return Table(
        key=f"{key}.trend",
        title=words.table("trend", survey=title),
        columns=columns(
            words, period=Kind.TEXT, **kinds, mean=Kind.SCORE, scale=Kind.TEXT, running=Kind.TEXT
        ),
        rows=tuple(
            (
                words.period(point.period),
                *_person(point.figures),
                words.scale(point.scale),
                words.yes(point.is_running),
            )
            for point in result.trend.points
        ),
    )


def _person(of: Figures) -> tuple[Cell, ...]:
    low, high = of.interval or (None, None)
    return (of.answered, of.value, low, high, of.mean)
