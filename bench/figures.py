"""A figure with the goal that it is held against, and how a run is shown and written down."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that a figure must keep."""

    bound: float
    is_floor: bool

    def is_met(self, value: float) -> bool:
        """
        >>> at_most(95).is_met(95), at_least(1000).is_met(999)
        (True, False)
        """
        return value >= self.bound if self.is_floor else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_floor else '≤'} {shown(self.bound)}"


def at_most(bound: float) -> Goal:
    return Goal(bound, is_floor=False)


def at_least(bound: float) -> Goal:
    return Goal(bound, is_floor=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured; `value` is None where it could not be, and `note` says why."""

    what: str
    value: float | None
    unit: str
    goal: Goal | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.goal is None or self.value is None:
            return ""
        return "met" if self.goal.is_met(self.value) else "MISSED"


def ratio(what: str, of: Figure, to: Figure) -> Figure:
    """How many times the one is the other: it holds on faster and slower machines alike."""
    value = of.value / to.value if of.value is not None and to.value else None
    return Figure(what=what, value=value, unit="times")


def shown(value: float) -> str:
    """Three digits that matter.

    >>> shown(1234.5), shown(87.65), shown(0.01234), shown(0.0)
    ('1,234', '87.7', '0.0123', '0')
    """
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(figures: Sequence[Figure]) -> Table:
    made = Table("what", "measured", "goal", "", "note", title="Figures of this run")
    for row in _rows(figures):
        made.add_row(*row)
    return made


def markdown(figures: Sequence[Figure], about: Sequence[str]) -> str:
    """The run as a page to read: sentences about it, then a table."""
    lines = [
        "# What was measured",
        "",
        *about,
        "",
        "| what | measured | goal | | note |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(row)} |" for row in _rows(figures)]
    return "\n".join(lines) + "\n"


def _rows(figures: Sequence[Figure]) -> Iterator[tuple[str, ...]]:
    for figure in figures:
        measured = "not measured" if figure.value is None else f"{shown(figure.value)} {figure.unit}"
        yield figure.what, measured, str(figure.goal or ""), figure.verdict, figure.note
