"""The tables of complaints: what became of them, how long they wait, why they came, and whose they are."""

from collections.abc import Iterator

from worker.metrics.complaint_care import Promise
from worker.metrics.complaints import ComplaintResult
from worker.reports.document import Bar, Bars, Cell, Column, Kind, Table
from worker.reports.sections.base import columns
from worker.reports.words import Words

IN_WORDS = "…"  # a reason that is no choice from a list
WEEK = 7 * 86_400  # seconds


def tables(result: ComplaintResult, key: str, title: str, words: Words, note: str) -> Iterator[Table]:
    yield _summary(result, key, title, words, note)
    if result.take is not None and result.contact is not None:
        kept = (("promise.take", result.take), ("promise.contact", result.contact))
        yield Table(
            key=f"{key}.promises",
            title=words.table("promises", survey=title),
            columns=columns(
                words,
                promise=Kind.TEXT,
                due=Kind.COUNT,
                within=Kind.COUNT,
                kept_share=Kind.PERCENT,
                share_low=Kind.PERCENT,
                share_high=Kind.PERCENT,
                business_median=Kind.WORKING,
                business_p90=Kind.WORKING,
            ),
            rows=tuple((words.say(name), *_promise(of)) for name, of in kept),
        )
    if result.open_now:
        yield Table(
            key=f"{key}.by_age",
            title=words.table("by_age", survey=title),
            columns=columns(words, waiting=Kind.TEXT, number=Kind.COUNT),
            rows=tuple(zip(_ages(words), result.ages.counts.values(), strict=True)),
        )
    if result.topic_filled.is_enough and result.by_topic:
        yield Table(
            key=f"{key}.by_topic",
            title=words.table("by_topic", survey=title),
            columns=columns(words, topic=Kind.TEXT, opened=Kind.COUNT),
            rows=tuple((topic_name(topic, words), number) for topic, number in result.by_topic.items()),
        )
    yield from _people(result, key, title, words)


def _people(result: ComplaintResult, key: str, title: str, words: Words) -> Iterator[Table]:
    if result.by_manager:
        yield Table(
            key=f"{key}.by_manager",
            title=words.table("by_manager", survey=title),
            columns=columns(
                words,
                manager=Kind.TEXT,
                opened=Kind.COUNT,
                closed=Kind.COUNT,
                open_now=Kind.COUNT,
                reopened=Kind.COUNT,
                closed_by_own=Kind.COUNT,
            ),
            rows=tuple(
                (name, of.opened, of.closed, of.open_now, of.reopened, of.closed_by_own)
                for name, of in result.by_manager.items()
            ),
        )
    if result.ages.open:
        yield Table(
            key=f"{key}.open",
            title=words.table("open", survey=title),
            columns=columns(
                words, complaint=Kind.COUNT, age=Kind.SECONDS, topic=Kind.TEXT, manager=Kind.TEXT
            ),
            rows=tuple(
                (
                    one.number,
                    one.age,
                    topic_name(one.topic, words) if one.topic else None,
                    one.manager or None,
                )
                for one in result.ages.open
            ),
        )


def ages_chart(result: ComplaintResult, key: str, words: Words) -> Iterator[Bars]:
    """How long the open ones have waited."""
    if not result.open_now:
        return
    old = sum(one.age > WEEK for one in result.ages.open)
    counts = zip(_ages(words), result.ages.counts.values(), strict=True)
    yield Bars(
        key=f"{key}.by_age",
        title=words.finding("ages.old", n=words.count(old), m=words.count(result.open_now))
        if old
        else words.finding("ages.fresh", n=words.count(result.open_now)),
        kind=Kind.COUNT,
        bars=tuple(Bar(label=label, value=number) for label, number in counts),
    )


def topic_name(topic: str, words: Words) -> str:
    if topic == IN_WORDS:
        return words.say("topic.words")
    return topic or words.say("topic.none")


def _ages(words: Words) -> list[str]:
    return words.say("ages").split("/")


def _promise(of: Promise) -> tuple[Cell, ...]:
    low, high = of.kept.interval or (None, None)
    return (of.kept.whole, of.kept.part, of.kept.value, low, high, of.median, of.p90)


def _summary(result: ComplaintResult, key: str, title: str, words: Words, note: str) -> Table:
    figures = {column.key: (column, cell) for column, cell in _figures(result, words)}
    return Table(
        key=f"{key}.summary",
        title=words.table("summary", survey=title),
        is_summary=True,
        columns=tuple(column for column, _ in figures.values()),
        rows=(tuple(cell for _, cell in figures.values()),),
        note=note,
    )


def _figures(result: ComplaintResult, words: Words) -> Iterator[tuple[Column, Cell]]:
    def figure(key: str, of: Kind, cell: Cell) -> tuple[Column, Cell]:
        return Column(key=key, title=words.column(key), kind=of), cell

    yield figure("opened", Kind.COUNT, result.opened)
    yield figure("closed", Kind.COUNT, result.closed)
    yield figure("open_now", Kind.COUNT, result.open_now)
    yield figure("opened_before", Kind.COUNT, result.opened_before)
    yield figure("closed_before", Kind.COUNT, result.closed_before)
    yield figure("per_100_won", Kind.SCORE, result.per_won.value)
    yield figure("by_score", Kind.COUNT, result.by_score)
    yield figure("by_hand", Kind.COUNT, result.by_hand)
    yield figure("resolved", Kind.COUNT, result.resolved)
    yield figure("rejected", Kind.COUNT, result.rejected)
    yield figure("reopened", Kind.COUNT, result.reopened.part)
    yield figure("reopened_share", Kind.PERCENT, result.reopened.value)
    yield figure("resolution_mean", Kind.SECONDS, result.resolution_mean)
    yield figure("resolution_median", Kind.SECONDS, result.resolution_median)
    yield figure("resolution_p90", Kind.SECONDS, result.resolution_p90)
    yield figure("resolution_median_with_open", Kind.SECONDS, result.typical)
    yield figure("resolution_business_median", Kind.WORKING, result.resolution_business_median)
    yield figure("oldest_open", Kind.SECONDS, result.oldest_open)
    yield figure("open_median", Kind.SECONDS, result.ages.median)
    yield figure("topic_filled", Kind.COUNT, result.topic_filled.part)
    yield figure("topic_filled_share", Kind.PERCENT, result.topic_filled.value)
    yield figure("closed_by_own", Kind.COUNT, result.closed_by_own.part)
    yield figure("rerated", Kind.COUNT, result.recovered.whole)
    yield figure("recovered", Kind.COUNT, result.recovered.part)
    yield figure("recovered_share", Kind.PERCENT, result.recovered.value)
