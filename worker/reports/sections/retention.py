"""Who comes back: repeat purchases, who stayed and who left, and what a customer brought so far."""

from collections.abc import Iterator

from worker.metrics.base import Metric
from worker.metrics.customers import ACTIVE_DAYS
from worker.metrics.retention import MANY, RetentionResult
from worker.reports.build import Report
from worker.reports.document import Kind, Section, Table, Tile
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, RetentionResult)
    title = metric.title[words.language]
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(*_lines(result, words),),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(*_tables(result, metric, title, words),),
        tile=_tile(result, words),
    )


def _tile(result: RetentionResult, words: Words) -> Tile | None:
    of = result.repeat
    if of.value is None:
        return None
    about = words.tile("retention", n=words.count(of.part), m=words.count(of.whole))
    return Tile(figure=words.share(of.value, 1), about=about)


def _lines(result: RetentionResult, words: Words) -> Iterator[str]:
    if not result.customers:
        yield words.say("health.nobody")
    else:
        again = result.repeat.interval
        yield words.say(
            "health.bought",
            n=words.count(result.customers),
            m=words.count(result.repeat.part),
            share=words.share(result.repeat.value, 1),
            low=words.bare(again.low) if again else "",
            high=words.share(again.high) if again else "",
        )
        yield words.say("health.ltv", value=words.money(result.value))
        yield from _turnover(result, words)
    if result.without_client:
        yield words.say("health.strangers", n=result.without_client)


def _turnover(result: RetentionResult, words: Words) -> Iterator[str]:
    of, kept = result.turnover, result.kept.interval
    yield words.say(
        "health.active",
        n=ACTIVE_DAYS,
        low=words.count(of.start),
        high=words.count(of.end),
        open=words.count(of.gained),
    )
    if kept is not None:
        yield words.say(
            "health.kept",
            share=words.share(result.kept.value, 1),
            low=words.bare(kept.low),
            high=words.share(kept.high),
            value=words.share(result.churn, 1),
            closed=words.share(result.net_churn, 1),
        )
    if result.is_short:
        yield words.say("health.short", when=words.cell(result.known_since, Kind.DAY))


def _tables(result: RetentionResult, metric: Metric, title: str, words: Words) -> Iterator[Table]:
    of = result.turnover
    kept, again = result.kept.interval, result.repeat.interval
    yield Table(
        key=f"{metric.key}.summary",
        title=words.table("summary", survey=title),
        is_summary=True,
        note=metric.reading[words.language],
        columns=columns(
            words,
            customers=Kind.COUNT,
            repeat_customers=Kind.COUNT,
            repeat_rate=Kind.PERCENT,
            repeat_low=Kind.PERCENT,
            repeat_high=Kind.PERCENT,
            active_at_start=Kind.COUNT,
            active_at_end=Kind.COUNT,
            gained=Kind.COUNT,
            kept=Kind.COUNT,
            retention_rate=Kind.PERCENT,
            retention_low=Kind.PERCENT,
            retention_high=Kind.PERCENT,
            churn_rate=Kind.PERCENT,
            net_churn_rate=Kind.PERCENT,
            ltv=Kind.MONEY,
            amount=Kind.MONEY,
            purchase_days=Kind.COUNT,
            per_purchase_day=Kind.MONEY,
            deals_without_client=Kind.COUNT,
            known_since=Kind.DAY,
            too_short=Kind.TEXT,
        ),
        rows=(
            (
                result.customers,
                result.repeat.part,
                result.repeat.value,
                again.low if again else None,
                again.high if again else None,
                of.start,
                of.end,
                of.gained,
                of.kept,
                result.kept.value,
                kept.low if kept else None,
                kept.high if kept else None,
                result.churn,
                result.net_churn,
                result.value,
                result.money,
                result.purchase_days,
                result.per_day,
                result.without_client,
                result.known_since,
                words.yes(result.is_short),
            ),
        ),
    )
    if result.by_days:
        yield Table(
            key=f"{metric.key}.by_purchase_days",
            title=words.table("by_purchase_days", survey=title),
            columns=columns(words, days_bought=Kind.TEXT, customers=Kind.COUNT),
            rows=tuple((_days(days), number) for days, number in result.by_days.items()),
        )


def _days(number: int) -> str:
    return f"{number}+" if number == MANY else str(number)
