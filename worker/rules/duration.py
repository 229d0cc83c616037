"""The short texts of the config that mean time: "14d", "1bd", "mon-fri", "10:00-20:00"."""

import re
from dataclasses import dataclass
from datetime import timedelta

from worker.rules.localtime import MINUTES_A_DAY

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DURATION = re.compile(r"(\d{1,9})\s*(bd|[smhd])", re.ASCII)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
# Longer than anybody waits, short enough that adding it to a date always works.
_LONGEST = timedelta(days=36_500)
_MOST_BUSINESS_DAYS = 365
_DURATION_EXPECTED = 'expected a duration such as "30s", "5m", "2h", "14d" or "1bd" (business days)'

_HOURS = re.compile(r"(\d{1,2}):(\d\d)\s*[-–—]\s*(\d{1,2}):(\d\d)", re.ASCII)
_HOURS_EXPECTED = 'expected hours such as "10:00-20:00"'
_DAYS_EXPECTED = 'expected days such as "mon-fri" or "mon,wed"'


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time, or a number of business days, whose length only a calendar knows."""

    span: timedelta = timedelta(0)
    business_days: int = 0


@dataclass(frozen=True, slots=True)
class Hours:
    """From `opens` up to, not including, `closes`: minutes of the day, 0 to 1440.

    `opens` after `closes` goes over midnight; only quiet hours do.
    """

    opens: int
    closes: int

    @property
    def wraps(self) -> bool:
        return self.closes <= self.opens

    def __contains__(self, minute: object) -> bool:
        if not isinstance(minute, int):
            return False
        if self.wraps:
            return minute >= self.opens or minute < self.closes
        return self.opens <= minute < self.closes


def parse_duration(text: str) -> Duration:
    """
    >>> parse_duration("1bd")
    Duration(span=datetime.timedelta(0), business_days=1)
    """
    if not (found := _DURATION.fullmatch(text.strip().lower())):
        raise ValueError(_DURATION_EXPECTED)
    count, unit = int(found[1]), found[2]
    if unit == "bd":
        if count > _MOST_BUSINESS_DAYS:
            raise ValueError(f'expected at most "{_MOST_BUSINESS_DAYS}bd"')
        return Duration(business_days=count)
    span = count * _UNITS[unit]
    if span > _LONGEST:
        raise ValueError(f'expected at most "{_LONGEST.days}d"')
    return Duration(span)


def parse_days(text: str) -> frozenset[int]:
    """Days of the week, Monday is 0. A range may go over Sunday.

    >>> sorted(parse_days("mon-wed, sat"))
    [0, 1, 2, 5]
    """
    days: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = (end.strip() for end in part.partition("-"))
        ends = (first, last) if dash else (first, first)
        if not all(end in WEEK for end in ends):
            raise ValueError(_DAYS_EXPECTED)
        start, stop = (WEEK.index(end) for end in ends)
        days.update((start + step) % 7 for step in range((stop - start) % 7 + 1))
    return frozenset(days)


def parse_hours(text: str, *, wraps: bool = False) -> Hours:
    """
    >>> parse_hours("00:00-24:00")
    Hours(opens=0, closes=1440)
    >>> parse_hours("21:00-08:00", wraps=True).wraps
    True
    """
    if not (found := _HOURS.fullmatch(text.strip())):
        raise ValueError(_HOURS_EXPECTED)
    opens, closes = (_minute(hour, minute) for hour, minute in ((found[1], found[2]), (found[3], found[4])))
    if wraps:
        if opens == closes or closes - opens == MINUTES_A_DAY:
            raise ValueError('expected hours that end, such as "21:00-08:00"')
        return Hours(opens % MINUTES_A_DAY, closes)
    if closes == 0 < opens:
        raise ValueError('expected hours within one day, such as "10:00-20:00"; the end of the day is 24:00')
    if opens >= closes:
        raise ValueError('expected hours that open before they close, such as "10:00-20:00"')
    return Hours(opens, closes)


def _minute(hour: str, minute: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > MINUTES_A_DAY:
        raise ValueError(_HOURS_EXPECTED)
    return total
