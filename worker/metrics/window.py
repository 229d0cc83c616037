"""How long people and digests look back: as the settings say, or until there is enough to judge by."""

from collections.abc import Iterable
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


def window_for(
    answered_at: Iterable[datetime], *, wanted: timedelta, enough: int, now: datetime, zone: ZoneInfo
) -> Window:
    """The wanted length, else the first longer one that has enough answers; the longest if none has."""
    moments = list(answered_at)
    shortest = max(1, wanted.days)
    lengths = (shortest, *(length for length in LENGTHS if length > shortest))
    tried = [_window(moments, length, shortest, enough, now, zone) for length in lengths]
    return next((window for window in tried if window.is_enough), tried[-1])


def longest(wanted: timedelta) -> timedelta:
    """Answers of so many days have to be read to choose."""
    return max(wanted, timedelta(days=LENGTHS[-1]))


def _window(
    moments: list[datetime], length: int, shortest: int, enough: int, now: datetime, zone: ZoneInfo
) -> Window:
    period = last_days(length, now, zone)
    answers = sum(period.contains(moment) for moment in moments)
    return Window(
        period=period,
        days=length,
        answers=answers,
        is_enough=answers >= enough,
        is_longer=length > shortest,
    )
