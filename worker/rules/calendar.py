"""Business days, working hours and the send window, in the time zone of the company."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from worker.rules.duration import WEEK, Duration, Hours, parse_days, parse_duration, parse_hours
from worker.rules.localtime import aware, minute_of, moment_at
from worker.rules.periods import Period, current_quarter, parse_period, so_far

__all__ = [  # What a caller needs to talk about time comes from here.
    "WEEK",
    "Calendar",
    "Duration",
    "Hours",
    "Period",
    "SendWindow",
    "current_quarter",
    "parse_days",
    "parse_duration",
    "parse_hours",
    "parse_period",
    "quiet_until",
    "so_far",
]

# A search for a permitted day ends here: nothing that waits for one waits this long.
_HORIZON_DAYS = 3_660

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When the company works. Raises ValueError for a country without known holidays ("" has none)."""

    zone: ZoneInfo
    work_days: frozenset[int]
    work_hours: Hours
    country: str = ""
    extra_holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        _refuse_never(self.work_days, self.work_hours)
        if self.country:
            _holidays_of(self.country, 2026)

    def is_holiday(self, day: date) -> bool:
        if day in self.extra_holidays:
            return True
        return bool(self.country) and day in _holidays_of(self.country, day.year)

    def is_business_day(self, day: date) -> bool:
        return day.weekday() in self.work_days and not self.is_holiday(day)

    def add(self, moment: datetime, duration: Duration, window: "SendWindow | None" = None) -> datetime:
        """A span is plain time. Business days keep the local time of day.

        If that time lies outside the window's hours, it is their opening. Whether the window is open on that
        day is asked by `SendWindow.next_open`.
        """
        local = aware(moment).astimezone(self.zone)
        if duration.business_days:
            day = self._business_day_after(local.date(), duration.business_days)
            if window and minute_of(local) not in window.hours:
                local = moment_at(day, window.hours.opens, self.zone)
            else:
                local = moment_at(day, local.time(), self.zone)
        return _plus(local, duration.span)

    def add_work_time(self, moment: datetime, span: timedelta) -> datetime:
        """The moment by which `span` of working time has passed, at most ten years later.

        >>> calendar = Calendar(zone=ZoneInfo("Asia/Vladivostok"), work_days=parse_days("mon-fri"),
        ...                     work_hours=parse_hours("09:00-18:00"))
        >>> friday = datetime(2026, 3, 13, 17, tzinfo=calendar.zone)
        >>> calendar.add_work_time(friday, timedelta(hours=2)).isoformat()
        '2026-03-16T10:00:00+10:00'
        """
        left = max(span, timedelta(0))
        last = start = aware(moment).astimezone(UTC)
        for opens, closes in self._shifts(start):
            begins = max(start, opens)
            if begins > closes:
                continue
            if left <= closes - begins:
                return (begins + left).astimezone(self.zone)
            left -= closes - begins
            last = closes
        return last.astimezone(self.zone)

    def deadline(self, moment: datetime, duration: Duration) -> datetime:
        """When something asked for at `moment` has to be done.

        Spans count in working time. "1bd" is the same local time on the next business day, within its working
        hours. What comes outside working time counts from the next opening.
        """
        start = self._next_work_time(moment)
        if duration.business_days:
            day = self._business_day_after(start.date(), duration.business_days)
            opens, closes = self._shift(day)
            start = min(max(moment_at(day, start.time(), self.zone), opens), closes)
        return self.add_work_time(start, duration.span) if duration.span else start

    def work_seconds(self, start: datetime, end: datetime) -> float:
        """Working time between two moments; 0.0 if there is none, or `end` comes first."""
        total, first, last = timedelta(0), aware(start).astimezone(UTC), aware(end).astimezone(UTC)
        for opens, closes in self._shifts(first):
            if opens >= last:
                break
            total += max(min(closes, last) - max(opens, first), timedelta(0))
        return total.total_seconds()

    def _next_work_time(self, moment: datetime) -> datetime:
        start = aware(moment).astimezone(UTC)
        for opens, closes in self._shifts(start):
            if start < closes:
                return max(start, opens).astimezone(self.zone)
        raise ValueError("no working time within ten years")

    def _business_day_after(self, day: date, count: int) -> date:
        following = (later for later in _days_from(day + _ONE_DAY) if self.is_business_day(later))
        found = next(islice(following, count - 1, None), None)
        if found is None:
            raise ValueError(f"no {count} business days within ten years")
        return found

    def _shifts(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Opening and closing of each business day from that of `start` on, in UTC."""
        for day in _days_from(start.astimezone(self.zone).date()):
            if self.is_business_day(day):
                opens, closes = self._shift(day)
                yield opens.astimezone(UTC), closes.astimezone(UTC)

    def _shift(self, day: date) -> tuple[datetime, datetime]:
        return (
            moment_at(day, self.work_hours.opens, self.zone),
            moment_at(day, self.work_hours.closes, self.zone),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SendWindow:
    """When clients may be written to unasked: the hours of the permitted days that are no public holidays."""

    calendar: Calendar
    hours: Hours
    days: frozenset[int]

    def __post_init__(self) -> None:
        _refuse_never(self.days, self.hours)

    def is_open(self, moment: datetime) -> bool:
        local = aware(moment).astimezone(self.calendar.zone)
        return self._permits(local.date()) and minute_of(local) in self.hours

    def next_open(self, moment: datetime) -> datetime:
        """The moment itself while the window is open, else its next opening."""
        if self.is_open(moment):
            return moment
        zone, now = self.calendar.zone, moment.astimezone(UTC)
        for day in _days_from(moment.astimezone(zone).date()):
            if not self._permits(day):
                continue
            opening = moment_at(day, self.hours.opens, zone)
            # The clock may leap over a short window: then there is none on that day.
            if opening.astimezone(UTC) > now and self.is_open(opening):
                return opening
        raise ValueError("the send window does not open within ten years")

    def _permits(self, day: date) -> bool:
        return day.weekday() in self.days and not self.calendar.is_holiday(day)


def quiet_until(moment: datetime, hours: Hours | None, zone: ZoneInfo) -> datetime:
    """When the quiet hours around `moment` end; the moment itself where it is not quiet.

    >>> zone = ZoneInfo("Asia/Vladivostok")
    >>> late = datetime(2026, 3, 13, 23, 15, tzinfo=zone)
    >>> quiet_until(late, parse_hours("21:00-08:00", wraps=True), zone).isoformat()
    '2026-03-14T08:00:00+10:00'
    """
    local = aware(moment).astimezone(zone)
    minute = minute_of(local)
    if hours is None or minute not in hours:
        return moment
    last_day = local.date() + _ONE_DAY if hours.wraps and minute >= hours.opens else local.date()
    end = moment_at(last_day, hours.closes, zone)
    # In the night that has an hour twice, the end may come a second time.
    return end if end.astimezone(UTC) > moment.astimezone(UTC) else end.replace(fold=1)


def _plus(local: datetime, span: timedelta) -> datetime:
    """Python adds to the wall clock; the time that passes is what is meant here."""
    return (local.astimezone(UTC) + span).astimezone(local.tzinfo)


def _days_from(first: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range(_HORIZON_DAYS))


def _refuse_never(days: frozenset[int], hours: Hours) -> None:
    if not days or not days <= frozenset(range(7)):
        raise ValueError("days of the week are needed, Monday is 0")
    if not 0 <= hours.opens < hours.closes <= 24 * 60:
        raise ValueError("hours that open and close on one day are needed")


@lru_cache(maxsize=256)
def _holidays_of(country: str, year: int) -> frozenset[date]:
    # Imported where it works: it brings the calendars of the whole world.
    import holidays as public_holidays

    try:
        return frozenset(public_holidays.country_holidays(country.upper(), years=year))
    except NotImplementedError:
        raise ValueError(
            f'no holidays are known for "{country}"; expected a country code such as "RU"'
        ) from None
