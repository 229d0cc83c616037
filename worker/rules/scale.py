"""Scales and bands: which answers a question admits, and which of them are low or high."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

_ID = re.compile(r"([\d,-]+) low=(-?\d+) high=(\d+)", re.ASCII)
_RANGE = re.compile(r"\s*(\d{1,3})\s*[-–—]\s*(\d{1,3})\s*", re.ASCII)

# A client types the number or taps it: more than that nobody tells apart.
LARGEST = 100


class Band(StrEnum):
    """NPS calls them detractor, passive and promoter."""

    LOW = "low"
    NEUTRAL = "neutral"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Option:
    """An answer in words, and the score that it stands for."""

    label: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The scores from `first` to `last`; with `options` only their values exist.

    A score of `low` or less is low, one of `high` or more is high, whatever lies between is neutral.
    One below the first (above the last) stands for a scale where nothing is low (high).
    Raises ValueError, with a sentence for the administrator, for a scale that cannot work.

    >>> nps = Scale(first=1, last=10, low=5, high=9)
    >>> 11 in nps, nps.band(8)
    (False, <Band.NEUTRAL: 'neutral'>)
    """

    first: int
    last: int
    low: int
    high: int
    options: tuple[Option, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.last <= LARGEST:
            raise ValueError(
                f"a scale goes from a smaller to a larger number up to {LARGEST}, "
                f"not {self.first}-{self.last}"
            )
        if not self.first - 1 <= self.low < self.high <= self.last + 1:
            raise ValueError(
                f"low must be less than high and both on the scale {self.first}-{self.last}, "
                f"not low = {self.low}, high = {self.high}"
            )
        if self.options:
            _check_options(self.options, self.first, self.last)

    def __contains__(self, value: object) -> bool:
        """Only whole numbers are scores: neither True nor 9.0 is one."""
        return isinstance(value, int) and not isinstance(value, bool) and value in self.values

    @property
    def values(self) -> tuple[int, ...]:
        """Every score, ascending."""
        if self.options:
            return tuple(sorted(option.value for option in self.options))
        return tuple(range(self.first, self.last + 1))

    @property
    def id(self) -> str:
        """What is kept with every answer: scores of two scales, or of two cut-offs, are never one figure.

        >>> Scale(first=1, last=10, low=5, high=9).id
        '1-10 low=5 high=9'
        """
        ends = f"{self.first}-{self.last}"
        values = ",".join(str(value) for value in self.values) if self.options else ends
        return f"{values} low={self.low} high={self.high}"

    def band(self, score: int) -> Band:
        # By comparison, not by lists of numbers: every value falls into exactly one band.
        if score <= self.low:
            return Band.LOW
        return Band.HIGH if score >= self.high else Band.NEUTRAL

    def option(self, value: int) -> Option | None:
        return next((option for option in self.options if option.value == value), None)


class Cuts(NamedTuple):
    """A scale as its id tells it: `values` such as «1-10» or «2,3,5»."""

    values: str
    low: int
    high: int


def cuts_of(scale_id: str) -> Cuts | None:
    """None for an id that another version wrote.

    >>> cuts_of("1-10 low=5 high=9")
    Cuts(values='1-10', low=5, high=9)
    """
    found = _ID.fullmatch(scale_id)
    return Cuts(found[1], int(found[2]), int(found[3])) if found else None


def parse_range(text: str) -> tuple[int, int]:
    """The ends of a scale.

    >>> parse_range("0-10")
    (0, 10)
    """
    if not (found := _RANGE.fullmatch(text)):
        raise ValueError('expected two numbers and a dash, such as "1-10"')
    first, last = int(found[1]), int(found[2])
    if not first < last <= LARGEST:
        raise ValueError(f'expected a smaller number, then a larger one up to {LARGEST}, such as "1-10"')
    return first, last


def _check_options(options: tuple[Option, ...], first: int, last: int) -> None:
    values = [option.value for option in options]
    labels = [option.label.strip().casefold() for option in options]
    if not all(labels):
        raise ValueError('an option needs a label, such as "Отлично"')
    if len(set(labels)) < len(labels):
        raise ValueError("two options have one label")
    if len(set(values)) < len(values):
        raise ValueError("two options have one value")
    if (min(values), max(values)) != (first, last):
        raise ValueError(
            f"the values of the options go from {min(values)} to {max(values)}, not {first}-{last}"
        )
