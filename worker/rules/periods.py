"""Periods of a report: half-open, from midnight to midnight where the company is."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from worker.rules.localtime import moment_at

PeriodKind = Literal["quarter", "month", "week", "year", "days"]

_EXPECTED = 'expected a period such as "2026Q3", "2026-10", "2026-W45" or "2026"'


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to, not including, `end`."""

    start: date
    end: date
    zone: ZoneInfo
    kind: PeriodKind
    label: str

    @property
    def begins(self) -> datetime:
        return _midnight(self.start, self.zone)

    @property
    def ends(self) -> datetime:
        return _midnight(self.end, self.zone)

    def contains(self, moment: datetime) -> bool:
        begins, ends = _ends(self.start, self.end, self.zone)
        return begins <= moment < ends

    def previous(self) -> "Period":
        """The period just before: of the same kind, or of as many days."""
        yesterday = self.start - timedelta(days=1)
        match self.kind:
            case "quarter":
                return quarter_of(yesterday, self.zone)
            case "month":
                return month_of(yesterday, self.zone)
            case "week":
                return week_of(yesterday, self.zone)
            case "year":
                return year_of(yesterday, self.zone)
            case "days":
                return days(self.start - (self.end - self.start), self.start, self.zone)


@lru_cache(maxsize=256)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return moment_at(day, 0, zone)


@lru_cache(maxsize=256)  # A report asks of every answer and every deal.
def _ends(start: date, end: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """In UTC, as moments of the storage are: two moments of one zone are compared fastest."""
    return _midnight(start, zone).astimezone(UTC), _midnight(end, zone).astimezone(UTC)


def days(start: date, end: date, zone: ZoneInfo) -> Period:
    """Any days; ValueError if there is none."""
    if start >= end:
        raise ValueError(f"a period ends after it begins: {start} … {end} (the last day is not part of it)")
    return Period(start, end, zone, "days", f"{start}/{end}")


def quarter_of(day: date, zone: ZoneInfo) -> Period:
    quarter = (day.month - 1) // 3 + 1
    start = date(day.year, 3 * quarter - 2, 1)
    return Period(start, _first_of_month(start, 3), zone, "quarter", f"{day.year}Q{quarter}")


def month_of(day: date, zone: ZoneInfo) -> Period:
    start = day.replace(day=1)
    return Period(start, _first_of_month(start, 1), zone, "month", f"{start:%Y-%m}")


def week_of(day: date, zone: ZoneInfo) -> Period:
    """The ISO week: it begins on Monday, and its year is the one that has its Thursday."""
    year, week, weekday = day.isocalendar()
    start = day - timedelta(days=weekday - 1)
    return Period(start, start + timedelta(days=7), zone, "week", f"{year}-W{week:02}")


def year_of(day: date, zone: ZoneInfo) -> Period:
    return Period(date(day.year, 1, 1), date(day.year + 1, 1, 1), zone, "year", str(day.year))


def parse_period(text: str, zone: ZoneInfo) -> Period:
    """
    >>> period = parse_period("2026Q3", ZoneInfo("Asia/Vladivostok"))
    >>> period.start.isoformat(), period.end.isoformat(), period.previous().label
    ('2026-07-01', '2026-10-01', '2026Q2')
    """
    for pattern, read in _NOTATIONS:
        if found := re.fullmatch(pattern, text.strip(), re.ASCII | re.IGNORECASE):
            try:
                return read(*(int(number) for number in found.groups()), zone)
            except ValueError as error:
                raise ValueError(f"{_EXPECTED}: {error}") from None
    raise ValueError(_EXPECTED)


def current_quarter(now: datetime, zone: ZoneInfo) -> Period:
    return quarter_of(now.astimezone(zone).date(), zone)


def so_far(period: Period, now: datetime) -> Period:
    """What has passed of the period, today included; the period itself once it is over.

    Only a part is compared with as many days before, not with a whole quarter.
    """
    tomorrow = now.astimezone(period.zone).date() + timedelta(days=1)
    return period if tomorrow >= period.end else days(period.start, tomorrow, period.zone)


def whole(period: Period, now: datetime) -> Period:
    """The quarter, month, week or year of which these days are what has passed so far; else the days."""
    if period.kind == "days":
        for of in (quarter_of, month_of, week_of, year_of):
            if so_far(of(period.start, period.zone), now) == period:
                return of(period.start, period.zone)
    return period


def last_periods(period: Period, number: int) -> tuple[Period, ...]:
    """The period and those of its kind before it, the oldest first.

    >>> [one.label for one in last_periods(parse_period("2026Q1", ZoneInfo("Asia/Vladivostok")), 3)]
    ['2025Q3', '2025Q4', '2026Q1']
    """
    periods = [period]
    while len(periods) < number:
        periods.append(periods[-1].previous())
    return tuple(reversed(periods))


def last_days(number: int, now: datetime, zone: ZoneInfo) -> Period:
    """So many days, today included."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return days(tomorrow - timedelta(days=number), tomorrow, zone)


def _first_of_month(day: date, months_later: int) -> date:
    month = day.month - 1 + months_later
    return date(day.year + month // 12, month % 12 + 1, 1)


# Four digits, but neither the year 0000 nor one whose end no date can hold.
_YEAR = r"(1[89]\d\d|2\d\d\d)"
_NOTATIONS: tuple[tuple[str, Callable[..., Period]], ...] = (
    (rf"{_YEAR}-?Q([1-4])", lambda year, quarter, zone: quarter_of(date(year, 3 * quarter, 1), zone)),
    (rf"{_YEAR}-(\d\d)", lambda year, month, zone: month_of(date(year, month, 1), zone)),
    (rf"{_YEAR}-?W(\d\d)", lambda year, week, zone: week_of(date.fromisocalendar(year, week, 1), zone)),
    (_YEAR, lambda year, zone: year_of(date(year, 1, 1), zone)),
)
