"""Words that asked for an answer, apart from complaints."""

from collections.abc import Iterator

from worker.metrics.base import Metric
from worker.metrics.requests import RequestResult
from worker.reports.build import Report
from worker.reports.document import Kind, Section, Table, Tile
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, RequestResult)
    if not result.asked:
        return
    title = metric.title[words.language]
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(words.say("requests", n=words.count(result.asked), m=words.count(result.answered)),),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(
            Table(
                key=f"{metric.key}.summary",
                title=words.table("summary", survey=title),
                is_summary=True,
                columns=columns(words, requests=Kind.COUNT, requests_answered=Kind.COUNT),
                rows=((result.asked, result.answered),),
                note=metric.reading[words.language],
            ),
        ),
        tile=Tile(
            figure=words.count(result.asked),
            about=words.tile("requests", m=words.count(result.answered)),
        ),
    )
