"""Complaints: how many came and went, and how long they took."""

from collections.abc import Iterator

from worker.metrics.base import Metric, same_days_before
from worker.metrics.complaints import ComplaintResult
from worker.reports.build import Report
from worker.reports.document import Section, Tile
from worker.reports.sections.base import result_of
from worker.reports.sections.complaint_tables import ages_chart, tables, topic_name
from worker.reports.words import Words

ENOUGH = 30  # won deals, below which their number per 100 is chance
A_FEW = 5  # complaints, below which nobody needs percent


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, ComplaintResult)
    title = metric.title[words.language]
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(*_lines(result, report, words),),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(*tables(result, metric.key, title, words, metric.reading[words.language]),),
        charts=(*ages_chart(result, metric.key, words),),
        tile=_tile(result, words),
    )


def _tile(result: ComplaintResult, words: Words) -> Tile | None:
    if not (result.opened or result.closed or result.open_now):
        return None
    closed, left = words.count(result.closed), words.count(result.open_now)
    return Tile(figure=words.count(result.opened), about=words.tile("complaints", m=closed, open=left))


def _lines(result: ComplaintResult, report: Report, words: Words) -> Iterator[str]:
    before = words.period(same_days_before(report.period, report.now))
    if not (result.opened or result.closed or result.open_now):
        yield words.say("complaints.none")
    else:
        yield words.say(
            "complaints.flow",
            n=words.count(result.opened),
            m=words.count(result.closed),
            open=words.count(result.open_now),
        )
    if result.opened_before or result.closed_before:
        yield words.say(
            "complaints.before",
            period=before,
            n=words.count(result.opened_before),
            m=words.count(result.closed_before),
        )
    yield from _resolution(result, words)
    if result.oldest_open is not None:
        yield words.say("complaints.oldest", age=words.lasting(result.oldest_open))
    yield from _kinds(result, words)
    yield from _care(result, words)


def _resolution(result: ComplaintResult, words: Words) -> Iterator[str]:
    mean, median, p90 = result.resolution_mean, result.resolution_median, result.resolution_p90
    if mean is None or median is None or p90 is None:
        return
    if result.closed == 1:
        yield words.say("complaints.one", mean=words.lasting(mean))
    else:
        yield words.say(
            "complaints.time",
            mean=words.lasting(mean),
            low=words.lasting(median),
            high=words.lasting(p90),
        )
    # The mean of what is closed hides what is not: said only where that makes a difference.
    if result.open_now and result.typical is not None and result.typical != median:
        yield words.say("complaints.typical", age=words.lasting(result.typical))


def _kinds(result: ComplaintResult, words: Words) -> Iterator[str]:
    """What is worth a sentence: all of it stands in the tables."""
    if result.rejected or result.reopened.part:
        yield words.say(
            "complaints.ends",
            high=words.count(result.resolved),
            low=words.count(result.rejected),
            n=words.count(result.reopened.part) if result.reopened.part else "",
        )
    if result.opened and result.per_won.whole >= ENOUGH:
        ends = result.per_won.interval
        yield words.say(
            "complaints.per_won",
            value=words.bare(result.per_won.value or 0, 1),
            low=words.bare(ends.low) if ends else "",
            high=words.bare(ends.high) if ends else "",
        )
    topic, number = next(((topic, n) for topic, n in result.by_topic.items() if topic), ("", 0))
    if number > 1:
        yield words.say(
            "complaints.topic", topic=topic_name(topic, words), n=words.count(number), m=result.opened
        )
    without = result.topic_filled.whole - result.topic_filled.part
    if result.topic_filled.is_enough and without:
        yield words.say("complaints.no_topic", n=words.count(without), m=result.topic_filled.whole)


def _care(result: ComplaintResult, words: Words) -> Iterator[str]:
    for key, promise in (("complaints.taken", result.take), ("complaints.contacted", result.contact)):
        if promise is not None and promise.kept.whole:
            yield words.say(
                key,
                n=words.count(promise.kept.part),
                m=promise.kept.whole,
                share=words.share(promise.kept.value) if promise.kept.whole >= A_FEW else "",
            )
    for key, of in (("complaints.recovered", result.recovered), ("complaints.own", result.closed_by_own)):
        # Nobody closing their own is as it should be.
        if of.part or (of.whole and key == "complaints.recovered"):
            yield words.say(key, n=words.count(of.part), m=of.whole)
