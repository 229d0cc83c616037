"""What is reported and when, with its goals, and what managers are measured by."""

from dataclasses import dataclass
from datetime import timedelta

from worker.config.values import (
    FORBID,
    AtLeastOne,
    Bool,
    Clock,
    Count,
    Date,
    KeyText,
    Number,
    Some,
    Span,
    Weight,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """`[reports]`"""

    __pydantic_config__ = FORBID

    daily: Clock = "09:00"
    weekly: Clock = "mon 09:00"
    monthly: Clock = "1 09:00"
    quarterly: Bool = True
    window: Span = timedelta(days=90)
    min_answers: AtLeastOne = 5
    sales_health: Bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One line of `[goals]`."""

    __pydantic_config__ = FORBID

    target: Number
    by: Date


@dataclass(frozen=True, slots=True, kw_only=True)
class Frt:
    """`[frt]`"""

    __pydantic_config__ = FORBID

    target: Span = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One of `iqs.criteria`."""

    __pydantic_config__ = FORBID

    key: KeyText
    name: Some
    weight: Weight = 1
    critical: Bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Iqs:
    """`[iqs]`"""

    __pydantic_config__ = FORBID

    calls_per_week: Count = 0
    criteria: tuple[Criterion, ...] = ()
