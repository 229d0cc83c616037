"""How long people and digests look back: as the settings say, or until there is enough to judge by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from worker.rules.calendar import Period
from worker.rules.periods import last_days

LENGTHS = (7, 30, 90, 365)  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    period: Period  # today is its last day; `period.previous()` is as long
    days: int
    answers: int  # that lie in it
    is_enough: bool
    is_longer: bool  # than the settings say, for there were too few


def windows(wanted: timedelta, now: datetime, zone: ZoneInfo) -> Mapping[int, Period]:
    """What may be looked at, by its length in days, the shortest first: as wanted, then what is longer."""
    shortest = max(1, wanted.days)
    lengths = (shortest, *(length for length in LENGTHS if length > shortest))
    return {length: last_days(length, now, zone) for length in lengths}


def choose(of: Mapping[int, Period], answers: Mapping[int, int], enough: int) -> Window:
    """The first of the windows that has enough answers; the longest if none has."""
    shortest = min(of)
    length = next((days for days in sorted(of) if answers[days] >= enough), max(of))
    return Window(
        period=of[length],
        days=length,
        answers=answers[length],
        is_enough=answers[length] >= enough,
        is_longer=length > shortest,
    )
