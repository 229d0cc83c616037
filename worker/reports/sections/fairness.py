"""Who is asked, and how: what tells by manager when somebody games it."""

from collections.abc import Iterator

from worker.metrics.base import Metric
from worker.metrics.fairness import Fairness, FairnessResult
from worker.reports.build import Report
from worker.reports.document import Chart, Dots, Kind, Point, Section, Table
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, FairnessResult)
    if not result.by_manager:
        return
    title = metric.title[words.language]
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(*_lines(result, words),),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(*_tables(result, metric, title, words),),
        charts=(*_charts(result, metric.key, words),),
    )


def _lines(result: FairnessResult, words: Words) -> Iterator[str]:
    """Only whose deals are worth a look."""
    for name, of in result.by_manager.items():
        if of.is_behind or of.stopped_by_hand or of.reassigned:
            yield words.say(
                "fairness.person",
                name=name,
                value=words.count(of.asked),
                n=of.settled,
                mark=words.say("fairness.less") if of.is_behind else "",
                open=words.count(of.stopped_by_hand) if of.stopped_by_hand else "",
                closed=words.count(of.reassigned) if of.reassigned else "",
            )


def _tables(result: FairnessResult, metric: Metric, title: str, words: Words) -> Iterator[Table]:
    yield Table(
        key=f"{metric.key}.by_manager",
        title=words.table("by_manager", survey=title),
        columns=columns(
            words,
            manager=Kind.TEXT,
            settled=Kind.COUNT,
            asked_share=Kind.PERCENT,
            share_low=Kind.PERCENT,
            share_high=Kind.PERCENT,
            apart=Kind.TEXT,
            won=Kind.COUNT,
            asked=Kind.COUNT,
            stopped_by_hand=Kind.COUNT,
            answered=Kind.COUNT,
            low=Kind.COUNT,
            reassigned=Kind.COUNT,
            raised=Kind.COUNT,
            closed_by_own=Kind.COUNT,
        ),
        rows=tuple(
            (
                name,
                of.settled,
                of.asked_share,
                of.interval.low if of.interval else None,
                of.interval.high if of.interval else None,
                words.yes(of.is_apart),
                of.won,
                of.asked,
                of.stopped_by_hand,
                of.answered,
                of.low,
                of.reassigned,
                of.raised,
                of.closed_by_own,
            )
            for name, of in result.by_manager.items()
        ),
        note=metric.reading.get(words.language, ""),
    )
    if any(of.not_asked for of in result.by_manager.values()):
        yield Table(
            key=f"{metric.key}.not_asked",
            title=words.table("not_sent", survey=title),
            columns=columns(words, manager=Kind.TEXT, reason=Kind.TEXT, number=Kind.COUNT, code=Kind.TEXT),
            rows=tuple(
                (name, words.reason(code), number, code)
                for name, of in result.by_manager.items()
                for code, number in of.not_asked.items()
            ),
        )


def _charts(result: FairnessResult, key: str, words: Words) -> Iterator[Chart]:
    known = {name: of for name, of in result.by_manager.items() if of.interval is not None}
    # One person is compared with nobody.
    if len(known) < 2:
        return
    behind = [name for name, of in known.items() if of.is_behind]
    title = words.finding("asked.apart", low=", ".join(behind)) if behind else words.finding("asked.same")
    yield Dots(
        key=f"{key}.by_manager",
        title=title,
        kind=Kind.PERCENT,
        points=tuple(_point(name, of) for name, of in known.items()),
    )


def _point(name: str, of: Fairness) -> Point:
    low, high = of.interval or (None, None)
    return Point(label=name, value=of.asked_share, low=low, high=high)  # of deals, which are no answers
