"""The average check: what a won deal brings, and whether that grows."""

from collections.abc import Iterator

from worker.metrics.average_check import AverageCheck, growth
from worker.metrics.base import Metric, same_days_before
from worker.reports.build import Report
from worker.reports.document import Kind, Section, Table, Tile
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, AverageCheck)
    title = metric.title[words.language]
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(*_lines(result, report, words),),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(_summary(result, metric, title, words),),
        tile=_tile(result, words),
    )


def _tile(result: AverageCheck, words: Words) -> Tile | None:
    now = result.current
    if now.average is None:
        return None
    return Tile(
        figure=words.money(now.average), about=words.tile("average_check", mean=words.money(now.median))
    )


def _lines(result: AverageCheck, report: Report, words: Words) -> Iterator[str]:
    now, before = result.current, result.previous
    if now.average is None:
        return
    yield words.say(
        "check",
        value=words.money(now.average),
        mean=words.money(now.median),
        n=now.deals - now.priced or "",
    )
    if before.average is None or result.growth is None:
        return
    direction = "check.up" if result.growth >= 0 else "check.down"
    yield words.say(
        "check.before",
        period=words.period(same_days_before(report.period, report.now)),
        value=words.money(before.average),
        share=words.say(direction, value=words.share(abs(result.growth), 1)),
        verdict=_verdict(result, words) or "",
    ).rstrip()


def _verdict(result: AverageCheck, words: Words) -> str | None:
    if result.growth is None or result.significant is None:
        return None
    return words.verdict(result.growth, is_significant=result.significant)


def _summary(result: AverageCheck, metric: Metric, title: str, words: Words) -> Table:
    now, before = result.current, result.previous
    low, high = now.interval or (None, None)
    return Table(
        key=f"{metric.key}.summary",
        title=words.table("summary", survey=title),
        is_summary=True,
        note=metric.reading[words.language],
        columns=columns(
            words,
            won_deals=Kind.COUNT,
            priced_deals=Kind.COUNT,
            won_amount=Kind.MONEY,
            average=Kind.MONEY,
            average_low=Kind.MONEY,
            average_high=Kind.MONEY,
            median=Kind.MONEY,
            won_before=Kind.COUNT,
            won_amount_before=Kind.MONEY,
            average_before=Kind.MONEY,
            median_before=Kind.MONEY,
            growth=Kind.PERCENT,
            median_growth=Kind.PERCENT,
            won_deals_growth=Kind.PERCENT,
            won_amount_growth=Kind.PERCENT,
            significant=Kind.TEXT,
        ),
        rows=(
            (
                now.deals,
                now.priced,
                now.money,
                now.average,
                low,
                high,
                now.median,
                before.deals,
                before.money,
                before.average,
                before.median,
                result.growth,
                growth(before.median, now.median),
                growth(before.deals, now.deals),
                growth(before.money, now.money),
                _verdict(result, words),
            ),
        ),
    )
