"""Segments of customers: RFM, ABC, and the big ones who have not come back."""

from collections.abc import Iterator, Mapping

from worker.metrics.base import Metric
from worker.metrics.rfm import Grid
from worker.metrics.segments import SLIPPING, Group, SegmentResult
from worker.reports.build import Report
from worker.reports.document import Cell, Kind, Section, Table, Tile
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words

TOLD = 3  # segments


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, SegmentResult)
    if not result.customers:
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
        tile=Tile(figure=words.count(_late(result)), about=words.tile("segments")) if result.grid else None,
    )


def _late(result: SegmentResult) -> int:
    """Who bought much and has not come back."""
    return sum(of.customers for segment, of in result.segments.items() if segment in SLIPPING)


def _lines(result: SegmentResult, words: Words) -> Iterator[str]:
    if result.grid is None:
        yield words.say("segments.few", n=words.count(result.customers))
        return
    biggest = sorted(result.segments.items(), key=lambda one: -one[1].customers)[:TOLD]
    told = [f"{words.say(f'segment.{segment}')} — {words.count(of.customers)}" for segment, of in biggest]
    yield words.say("segments.most", reason=", ".join(told))
    if result.grid.is_fixed:
        yield words.say("segments.fixed")
    if (best := result.classes["A"]).customers:
        yield words.say(
            "segments.a",
            n=best.customers,
            share=words.share(best.share),
            value=words.share(best.share_amount),
        )
    if result.top_fifth is not None:
        yield words.say("segments.fifth", share=words.share(result.top_fifth))
    if late := _late(result):
        yield words.say("segments.call", n=words.count(late))


def _tables(result: SegmentResult, metric: Metric, title: str, words: Words) -> Iterator[Table]:
    yield Table(
        key=f"{metric.key}.summary",
        title=words.table("summary", survey=title),
        is_summary=True,
        note=metric.reading[words.language],
        columns=columns(words, customers=Kind.COUNT, top_fifth_share=Kind.PERCENT, fixed=Kind.TEXT),
        rows=(
            (
                result.customers,
                result.top_fifth,
                None if result.grid is None else words.yes(result.grid.is_fixed),
            ),
        ),
    )
    if result.grid is None:
        return
    named = {words.say(f"segment.{segment}"): of for segment, of in result.segments.items()}
    yield _groups(f"{metric.key}.rfm", words.table("rfm", survey=title), "segment", named, words)
    yield _groups(f"{metric.key}.abc", words.table("abc", survey=title), "class", result.classes, words)
    yield _cutoffs(result.grid, f"{metric.key}.cutoffs", words.table("cutoffs", survey=title), words)
    if result.to_call:
        yield Table(
            key=f"{metric.key}.to_call",
            title=words.table("to_call", survey=title),
            columns=columns(
                words,
                client_id=Kind.COUNT,
                recency=Kind.COUNT,
                frequency=Kind.COUNT,
                amount=Kind.MONEY,
                rfm=Kind.COUNT,
                segment=Kind.TEXT,
            ),
            rows=tuple(
                (one.client_id, *one.rfm, one.scores.code, words.say(f"segment.{one.segment}"))
                for one in result.to_call
            ),
        )


def _groups(key: str, title: str, by: str, groups: Mapping[str, Group], words: Words) -> Table:
    return Table(
        key=key,
        title=title,
        columns=columns(
            words,
            **{by: Kind.TEXT},
            customers=Kind.COUNT,
            customers_share=Kind.PERCENT,
            amount=Kind.MONEY,
            share_amount=Kind.PERCENT,
        ),
        rows=tuple((name, of.customers, of.share, of.money, of.share_amount) for name, of in groups.items()),
    )


def _cutoffs(grid: Grid, key: str, title: str, words: Words) -> Table:
    cuts = {"recency": grid.recency, "frequency": grid.frequency, "amount": grid.money}
    rows: list[tuple[Cell, ...]] = [(words.say(f"cut.{name}"), *of) for name, of in cuts.items()]
    return Table(
        key=key,
        title=title,
        columns=columns(
            words,
            scored=Kind.TEXT,
            cut_1=Kind.SCORE,
            cut_2=Kind.SCORE,
            cut_3=Kind.SCORE,
            cut_4=Kind.SCORE,
        ),
        rows=tuple(rows),
    )
