"""First reaction time: who answers soon and who does not, or why that cannot be told."""

from collections.abc import Iterator

from worker.metrics.base import Metric, same_days_before
from worker.metrics.frt import FrtResult, Problem, Reaction
from worker.reports.build import Report
from worker.reports.document import Cell, Chart, Column, Dots, Kind, Point, Section, Table, Tile
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words
from worker.rules.moments import moment_text


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, FrtResult)
    if result.problem is Problem.NOTHING:
        return  # Most likely nobody writes to clients from amoCRM.
    title = metric.title[words.language]
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(*_lines(result, report, words),),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(*_tables(result, metric, title, words),),
        charts=(*_charts(result, metric.key, words),),
        tile=_tile(result, words),
    )


def _tile(result: FrtResult, words: Words) -> Tile | None:
    total = result.total
    if total is None or total.median is None:
        return None
    about = words.tile("frt", share=words.share(total.within.value))
    return Tile(figure=words.working(total.median), about=about)


def missing(result: FrtResult, words: Words) -> str:
    """Why there is no number."""
    match result.problem:
        case Problem.NOTHING if result.seen:
            return words.say("frt.nothing.seen", n=result.seen)
        case Problem.NOTHING:
            return words.say("frt.nothing")
        case Problem.NO_INCOMING:
            sent = result.outgoing + result.without_author
            return words.say("frt.no_incoming", n=words.count(sent), m=words.count(result.incoming))
        case Problem.NO_ANSWERS:
            return words.say("frt.no_answers", n=words.count(result.incoming))
        case None:
            return ""


def _lines(result: FrtResult, report: Report, words: Words) -> Iterator[str]:
    total = result.total
    if total is None:
        yield missing(result, words)
        return
    yield from _speed(result, total, words)
    if result.before is not None and (was := result.before.within.value) is not None:
        yield words.say(
            "frt.before",
            period=words.period(same_days_before(report.period, report.now)),
            value=words.share(was),
            verdict=_verdict(result, words) or "",
        ).rstrip()
    if total.longest is not None:
        yield words.say(
            "frt.open",
            n=words.count(total.unanswered),
            age=words.lasting(total.longest),
            m=words.count(result.of_nobody) if result.of_nobody else "",
        )
    if total.off_hours:
        yield words.say("frt.off_hours", n=words.count(total.off_hours))
    if total.ended:
        yield words.say("frt.ended", n=words.count(total.ended))
    if result.without_author:
        sent = result.outgoing + result.without_author
        yield words.say("frt.without_author", n=words.count(result.without_author), m=words.count(sent))
    if result.since is not None:
        yield words.say("frt.since", when=moment_text(words.texts, result.since, report.period.zone))
    if result.by_manager:
        yield words.say("managers")
    for name, of in result.by_manager.items():
        yield _person(name, of, words)


def _speed(result: FrtResult, total: Reaction, words: Words) -> Iterator[str]:
    if total.median is None or total.p90 is None or total.within.interval is None:
        yield words.say("frt.few", n=words.count(total.answered)) if total.answered else words.say("frt.none")
        return
    yield words.say("frt.speed", mean=words.working(total.median), high=words.working(total.p90))
    yield words.say(
        "frt.within",
        age=words.working(result.target or 0),
        share=words.share(total.within.value),
        low=words.bare(total.within.interval.low),
        high=words.share(total.within.interval.high),
        n=words.count(total.answered),
    )


def _person(name: str, of: Reaction, words: Words) -> str:
    unanswered = words.count(of.unanswered) if of.unanswered else ""
    if of.median is None:
        return words.say("frt.person.few", name=name, n=words.count(of.answered), m=unanswered)
    return words.say(
        "frt.person",
        name=name,
        age=words.working(of.median),
        share=words.share(of.within.value),
        n=words.count(of.answered),
        m=unanswered,
    )


def _verdict(result: FrtResult, words: Words) -> str | None:
    if result.significant is None or result.total is None or result.before is None:
        return None
    change = (result.total.within.value or 0) - (result.before.within.value or 0)
    return words.verdict(change, is_significant=result.significant)


def _tables(result: FrtResult, metric: Metric, title: str, words: Words) -> Iterator[Table]:
    if result.total is None:
        return
    yield Table(
        key=f"{metric.key}.summary",
        title=words.table("summary", survey=title),
        is_summary=True,
        columns=(
            *_columns(words),
            *columns(
                words,
                incoming=Kind.COUNT,
                outgoing=Kind.COUNT,
                without_author=Kind.COUNT,
                of_nobody=Kind.COUNT,
                significant=Kind.TEXT,
            ),
        ),
        rows=(
            (
                *_cells(result.total),
                result.incoming,
                result.outgoing,
                result.without_author,
                result.of_nobody,
                _verdict(result, words),
            ),
        ),
        note=metric.reading[words.language],
    )
    if result.by_manager:
        yield Table(
            key=f"{metric.key}.by_manager",
            title=words.table("by_manager", survey=title),
            columns=(*columns(words, manager=Kind.TEXT), *_columns(words)),
            rows=tuple((name, *_cells(of)) for name, of in result.by_manager.items()),
            note=metric.reading[words.language],
        )


def _columns(words: Words) -> tuple[Column, ...]:
    return columns(
        words,
        answered=Kind.COUNT,
        business_median=Kind.WORKING,
        median_low=Kind.WORKING,
        median_high=Kind.WORKING,
        business_p90=Kind.WORKING,
        business_mean=Kind.WORKING,
        within=Kind.COUNT,
        kept_share=Kind.PERCENT,
        share_low=Kind.PERCENT,
        share_high=Kind.PERCENT,
        unanswered=Kind.COUNT,
        overdue=Kind.COUNT,
        longest_waiting=Kind.SECONDS,
        off_hours=Kind.COUNT,
        ended=Kind.COUNT,
    )


def _cells(of: Reaction) -> tuple[Cell, ...]:
    low, high = of.interval or (None, None)
    share_low, share_high = of.within.interval or (None, None)
    return (
        of.answered,
        of.median,
        low,
        high,
        of.p90,
        of.mean,
        of.within.part,
        of.within.value,
        share_low,
        share_high,
        of.unanswered,
        of.overdue,
        of.longest,
        of.off_hours,
        of.ended,
    )


def _charts(result: FrtResult, key: str, words: Words) -> Iterator[Chart]:
    known = {name: of for name, of in result.by_manager.items() if of.interval is not None}
    # One person is compared with nobody.
    if len(known) < 2:
        return
    yield Dots(
        key=f"{key}.by_manager",
        title=_finding(result, words),
        kind=Kind.WORKING,
        points=tuple(_point(name, of) for name, of in known.items()),
    )


def _finding(result: FrtResult, words: Words) -> str:
    """Only whose whole interval lies on one side of the middle of all is named."""
    middle = result.total.median if result.total is not None else None
    known = {name: of.interval for name, of in result.by_manager.items() if of.interval is not None}
    quick = [name for name, of in known.items() if middle is not None and of.high < middle]
    slow = [name for name, of in known.items() if middle is not None and of.low > middle]
    key = {(True, True): "both", (True, False): "quick", (False, True): "slow"}.get(
        (bool(quick), bool(slow)), "same"
    )
    return words.finding(f"frt.{key}", high=", ".join(quick), low=", ".join(slow))


def _point(name: str, of: Reaction) -> Point:
    low, high = of.interval or (None, None)
    return Point(label=name, value=of.median, low=low, high=high, answers=of.answered)
