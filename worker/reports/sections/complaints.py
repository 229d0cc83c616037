"""Complaints: how many came and went, and how long they took."""

from collections.abc import Iterator

from worker.metrics.base import Metric, same_days_before
from worker.metrics.complaints import ComplaintResult
from worker.reports.build import Report
from worker.reports.document import Kind, Section, Table
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words


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
        tables=(_summary(result, metric.key, title, words),),
    )


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


def _summary(result: ComplaintResult, key: str, title: str, words: Words) -> Table:
    return Table(
        key=f"{key}.summary",
        title=words.table("summary", survey=title),
        is_summary=True,
        columns=columns(
            words,
            opened=Kind.COUNT,
            closed=Kind.COUNT,
            open_now=Kind.COUNT,
            resolution_mean=Kind.SECONDS,
            resolution_median=Kind.SECONDS,
            resolution_p90=Kind.SECONDS,
            oldest_open=Kind.SECONDS,
            typical=Kind.SECONDS,
            opened_before=Kind.COUNT,
            closed_before=Kind.COUNT,
        ),
        rows=(
            (
                result.opened,
                result.closed,
                result.open_now,
                result.resolution_mean,
                result.resolution_median,
                result.resolution_p90,
                result.oldest_open,
                result.typical,
                result.opened_before,
                result.closed_before,
            ),
        ),
    )
