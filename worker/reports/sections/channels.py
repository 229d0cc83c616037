"""Channels: what each messenger did with the questions."""

from collections.abc import Iterator, Mapping

from worker.metrics.base import Metric
from worker.metrics.channels import ChannelResult, ChannelResults
from worker.reports.build import Report
from worker.reports.document import Cell, Kind, Section, Table, Tile
from worker.reports.sections.base import columns, result_of
from worker.reports.words import Words
from worker.rules.channels import channel_titles


def sections(metric: Metric, report: Report, words: Words) -> Iterator[Section]:
    result = result_of(report, metric, ChannelResults)
    if not result.by_name:
        return
    title = metric.title[words.language]
    names = channel_titles(words.texts, result.by_name)
    yield Section(
        key=metric.key,
        title=title,
        group=title,
        lines=(*_lines(result, names, words),) if result.is_worth_telling else (),
        unit=metric.unit[words.language],
        source=metric.source,
        tables=(_table(result, names, metric.key, title, words, metric.reading[words.language]),),
        tile=Tile(about=", ".join(names[name] for name in result.by_name)),
    )


def _lines(result: ChannelResults, names: Mapping[str, str], words: Words) -> Iterator[str]:
    for name, of in result.by_name.items():
        yield words.say(
            "channel",
            name=names[name],
            n=words.count(of.sent),
            m=None if of.delivered is None or not of.sent else words.count(of.delivered),
            value=words.count(of.answered) if of.sent else None,
            closed=words.count(of.failed) if of.failed else None,
        )


def _table(
    result: ChannelResults, names: Mapping[str, str], key: str, title: str, words: Words, note: str
) -> Table:
    return Table(
        key=f"{key}.by_name",
        title=title,
        columns=columns(
            words,
            channel=Kind.TEXT,
            sent=Kind.COUNT,
            delivered=Kind.COUNT,
            read=Kind.COUNT,
            answered=Kind.COUNT,
            failed=Kind.COUNT,
            uncertain=Kind.COUNT,
            code=Kind.TEXT,
        ),
        rows=tuple((names[name], *_cells(of), name) for name, of in result.by_name.items()),
        note=note,
    )


def _cells(of: ChannelResult) -> tuple[Cell, ...]:
    return (of.sent, of.delivered, of.read, of.answered, of.failed, of.uncertain)
