"""Quality of calls: whose are good, what to teach, and whether those who score agree."""

from collections.abc import Iterator

from worker.metrics.base import Metric
from worker.metrics.iqs import IqsResult, Quality
from worker.reports.build import Report
from worker.reports.document import Cell, Chart, Column, Dots, Kind, Point, Section, Table, Tile
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words

COMMENTS = 5  # the newest, as many as a phone shows


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, IqsResult)
    if not result.calls:
        return  # Most companies have nobody who scores calls.
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
        tile=_tile(result.total, words),
    )


def _tile(of: Quality, words: Words) -> Tile | None:
    if of.score is None or of.interval is None:
        return None
    low, high = words.bare(of.interval.low), words.bare(of.interval.high)
    about = words.tile("iqs", low=low, high=high, n=words.count(of.reviews))
    return Tile(figure=words.bare(of.score), about=about)


def _lines(result: IqsResult, report: Report, words: Words) -> Iterator[str]:
    total = result.total
    yield _said(total, words, "iqs.score", "iqs.few")
    if result.before.score is not None and total.score is not None:
        yield words.say(
            "iqs.before",
            period=words.period(report.period.previous()),
            value=words.bare(result.before.score),
            verdict=_verdict(result, words) or "",
        ).rstrip()
    known = [of for of in result.by_criterion.values() if of.value is not None]
    if len(known) > 1:
        weakest = min(known, key=lambda of: of.value or 0)
        yield words.say("iqs.weakest", name=weakest.name, share=words.share(weakest.value))
    if total.zeroed:
        yield words.say("iqs.critical", n=words.count(total.zeroed))
    if result.doubled:
        interval = result.agreement.interval
        yield words.say(
            "iqs.agreement",
            n=result.doubled,
            share=words.share(result.agreement.value),
            low=words.bare(interval.low) if interval else "",
            high=words.share(interval.high) if interval else "",
        )
    yield words.say("managers")
    for name, of in result.by_manager.items():
        yield _said(of, words, "iqs.person", "iqs.person.few", name=name)


def comments(result: IqsResult, words: Words) -> str:
    """What was written of calls, for whoever may read words."""
    if not result.comments:
        return ""
    said = [words.say("iqs.comment", name=name, words=text) for name, text in result.comments[:COMMENTS]]
    return "\n".join([words.say("iqs.comments"), *said])


def _said(of: Quality, words: Words, key: str, few: str, **values: str) -> str:
    if of.score is None or of.interval is None:
        return words.say(few, n=words.count(of.reviews), **values)
    return words.say(
        key,
        value=words.bare(of.score),
        low=words.bare(of.interval.low),
        high=words.bare(of.interval.high),
        n=words.count(of.reviews),
        **values,
    )


def _verdict(result: IqsResult, words: Words) -> str | None:
    if result.significant is None or result.total.score is None or result.before.score is None:
        return None
    return words.verdict(result.total.score - result.before.score, is_significant=result.significant)


def _tables(result: IqsResult, metric: Metric, title: str, words: Words) -> Iterator[Table]:
    note = metric.reading[words.language]
    yield Table(
        key=f"{metric.key}.summary",
        title=words.table("summary", survey=title),
        is_summary=True,
        columns=(
            *_columns(words),
            *columns(
                words,
                calls=Kind.COUNT,
                double_scored=Kind.COUNT,
                equal_share=Kind.PERCENT,
                significant=Kind.TEXT,
            ),
        ),
        rows=(
            (
                *_cells(result.total),
                result.calls,
                result.doubled,
                result.agreement.value,
                _verdict(result, words),
            ),
        ),
        note=note,
    )
    yield Table(
        key=f"{metric.key}.by_manager",
        title=words.table("by_manager", survey=title),
        columns=(*columns(words, manager=Kind.TEXT), *_columns(words)),
        rows=tuple((name, *_cells(of)) for name, of in result.by_manager.items()),
        note=note,
    )
    yield Table(
        key=f"{metric.key}.by_criterion",
        title=words.table("by_criterion", survey=title),
        columns=columns(
            words,
            criterion=Kind.TEXT,
            reviews=Kind.COUNT,
            kept_part=Kind.PERCENT,
            not_applicable=Kind.COUNT,
        ),
        rows=tuple((of.name, of.reviews, of.value, of.not_applicable) for of in result.by_criterion.values()),
    )


def _columns(words: Words) -> tuple[Column, ...]:
    return columns(
        words,
        reviews=Kind.COUNT,
        iqs=Kind.SCORE,
        iqs_low=Kind.SCORE,
        iqs_high=Kind.SCORE,
        critical=Kind.COUNT,
    )


def _cells(of: Quality) -> tuple[Cell, ...]:
    low, high = of.interval or (None, None)
    return (of.reviews, of.score, low, high, of.zeroed)


def _charts(result: IqsResult, key: str, words: Words) -> Iterator[Chart]:
    known = {name: of for name, of in result.by_manager.items() if of.interval is not None}
    # One person is compared with nobody.
    if len(known) < 2:
        return
    yield Dots(
        key=f"{key}.by_manager",
        title=_finding(result, words),
        kind=Kind.SCORE,
        points=tuple(_point(name, of) for name, of in known.items()),
        average=result.total.score,
        counted="reviews",
    )


def _finding(result: IqsResult, words: Words) -> str:
    """Only whose whole interval lies on one side of the mean of all is named."""
    middle = result.total.score
    known = {name: of.interval for name, of in result.by_manager.items() if of.interval is not None}
    good = [name for name, of in known.items() if middle is not None and of.low > middle]
    poor = [name for name, of in known.items() if middle is not None and of.high < middle]
    key = {(True, True): "both", (True, False): "high", (False, True): "low"}.get(
        (bool(good), bool(poor)), "same"
    )
    return words.finding(f"iqs.{key}", high=", ".join(good), low=", ".join(poor))


def _point(name: str, of: Quality) -> Point:
    low, high = of.interval or (None, None)
    return Point(label=name, value=of.score, low=low, high=high, answers=of.reviews)
