"""Cohorts: customers by the month of their first purchase, and in which months after it they bought."""

from collections.abc import Callable, Iterator

from worker.metrics.base import Metric
from worker.metrics.cohorts import Cohort, CohortResult
from worker.metrics.customers import MONTHS
from worker.reports.build import Report
from worker.reports.document import Cell, Column, Kind, Section, Table, Tile
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, CohortResult)
    if not any(one.customers for one in result.cohorts):
        return
    title = metric.title[words.language]
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(*_lines(result, words),),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(
            _table(result, "shares", Kind.PERCENT, Cohort.share, metric, words),
            _table(result, "counts", Kind.COUNT, lambda one, later: one.bought[later], metric, words),
        ),
        tile=_tile(result, words),
    )


def _tile(result: CohortResult, words: Words) -> Tile | None:
    back = result.back_after(1)
    return None if back is None else Tile(figure=words.share(back, 1), about=words.tile("cohorts"))


def _lines(result: CohortResult, words: Words) -> Iterator[str]:
    if result.back_after(1) is not None:
        yield words.say(
            "cohorts.back",
            low=words.share(result.back_after(1), 1),
            mean=words.share(result.back_after(6), 1),
            high=words.share(result.back_after(12), 1),
        )


def _table(
    result: CohortResult,
    of: str,
    kind: Kind,
    cell: Callable[[Cohort, int], Cell],
    metric: Metric,
    words: Words,
) -> Table:
    months = tuple(
        Column(key=f"month_{later}", title=words.say("cohorts.month", n=str(later)), kind=kind)
        for later in range(MONTHS)
    )
    return Table(
        key=f"{metric.key}.{of}",
        title=words.table(f"cohort_{of}", survey=metric.title[words.language]),
        columns=(
            *columns(words, cohort=Kind.TEXT, customers=Kind.COUNT, amount=Kind.MONEY, ltv=Kind.MONEY),
            *months,
        ),
        rows=tuple(
            (
                words.period(one.month),
                one.customers,
                one.money,
                one.value,
                *(cell(one, later) if later < len(one.bought) else None for later in range(MONTHS)),
            )
            for one in result.cohorts
        ),
        note=metric.reading[words.language],
    )
