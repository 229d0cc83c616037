"""What the sections share: how a result is taken from the report, and columns with their titles."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from worker.metrics.base import Metric, Result
from worker.reports.build import Report
from worker.reports.document import Column, Kind, Section
from worker.reports.words import Words

R = TypeVar("R", bound=Result)

Draw = Callable[[Metric, Report, Words], Iterator[Section]]


def result_of(report: Report, metric: Metric, kind: type[R]) -> R:
    """The metric's result. TypeError: it computes something else, and its section was forgotten."""
    result = report.results[metric.key]
    if not isinstance(result, kind):
        raise TypeError(f"the section of {metric.key} draws no {type(result).__name__}")
    return result


def columns(words: Words, **kinds: Kind) -> tuple[Column, ...]:
    """By their keys, with the titles of the language."""
    return tuple(Column(key=key, title=words.column(key), kind=kind) for key, kind in kinds.items())
