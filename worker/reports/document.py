"""What every face of a report shows: sections of sentences, tables and pictures, with the figures as numbers.

Text, page, sheet and picture draw the same document, so a figure is worked out and named once. Figures are
at full precision here; each face rounds once, when it writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from worker.metrics.base import amount

Cell = str | int | float | date | None  # None: undefined, which is no zero


def exact(figure: float) -> float:
    """As in the JSON: rounded once, for programs."""
    return amount(figure) or 0


class Kind(StrEnum):
    """What a figure is, so that each face writes it in its own way."""

    TEXT = "text"
    COUNT = "count"
    POINTS = "points"  # an NPS, from -100 to 100, with its sign
    PERCENT = "percent"  # 0–100
    SCORE = "score"  # a mean on a scale, or a ratio
    MONEY = "money"  # in the account's currency
    SECONDS = "seconds"  # a duration
    WORKING = "working"  # seconds of working time, whose days have no twenty-four hours
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    key: str  # stable, as in JSON; the title is for people
    title: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    key: str  # unique in the document, such as `surveys.nps.by_manager`
    title: str  # says of what, so that it can stand alone as the name of a sheet
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""  # how to read it
    is_summary: bool = False  # one row of many figures: written upright where there is little room

    def column(self, key: str) -> tuple[Cell, ...]:
        """What stands under it, from above. KeyError: there is no such column."""
        keys = [column.key for column in self.columns]
        if key not in keys:
            raise KeyError(key)
        return tuple(row[keys.index(key)] for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value with its 95 % interval; None where it is not known."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    answers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture; `title` says what it shows as a finding, not as a heading."""

    key: str
    title: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend(Chart):
    """A value over time with its interval."""

    points: tuple[Point, ...]
    breaks: tuple[int, ...] = ()  # before the points of these indexes the scale was another one
    goal: float | None = None
    baseline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots(Chart):
    """People or things side by side, the surest good first."""

    points: tuple[Point, ...]
    average: float | None = None
    counted: str = "answers"  # what each point's are, as `Words.cover` names it


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    label: str
    value: float
    tone: str = ""  # low, neutral or high; "" = plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Chart):
    """Counts side by side: a distribution, ages."""

    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack(Chart):
    """A whole over time with a part of it, and the part's share."""

    labels: tuple[str, ...]
    whole: tuple[float, ...]
    part: tuple[float, ...]
    whole_title: str
    part_title: str
    goal: float | None = None  # of the share, in percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Spots(Chart):
    """Two figures of each of many things: `kind` is that of the one drawn upwards."""

    spots: Mapping[tuple[float, float], int]  # (across, up) -> how many are there
    across_title: str
    across_kind: Kind
    up_title: str
    note: str  # of how many, how sure, and that it is no cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A section at a glance: its main figure in words, large, and what that is."""

    figure: str = ""  # such as «+38»; without it there is but what it is
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One metric, or one survey of it."""

    key: str  # as in JSON: `complaints`, `surveys.nps`
    title: str
    group: str = ""  # the metric's title
    lines: tuple[str, ...] = ()  # plain sentences, as the text report has them; none: it is left out there
    is_headed: bool = False  # the first line is its heading, in place of the title
    unit: str = ""  # what is counted, and by which day
    source: str = ""  # where the formulas come from
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    tile: Tile | None = None  # None: there is no one figure

    @property
    def heading(self) -> str:
        return self.lines[0] if self.is_headed and self.lines else self.title

    @property
    def body(self) -> tuple[str, ...]:
        """The lines under the heading."""
        return self.lines[1:] if self.is_headed else self.lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    title: str
    subtitle: str = ""  # such as that the period still runs
    first: date | None = None  # day
    last: date | None = None
    currency: str = "RUB"
    sections: Sequence[Section] = field(default=())
    notes: tuple[str, ...] = ()

    @property
    def charts(self) -> tuple[Chart, ...]:
        return tuple(chart for section in self.sections for chart in section.charts)

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(table for section in self.sections for table in section.tables)
