"""The morning message: on which days, when, and what it tells of."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from worker.rules.calendar import Calendar
from worker.rules.localtime import moment_at

LATEST = timedelta(hours=2)  # a morning message that comes later than this is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """Of one business day. Answers are told from `since` to `until`, so that no day is left out."""

    day: date
    at: datetime
    since: datetime
    until: datetime

    @property
    def is_about_yesterday(self) -> bool:
        """Else about a weekend or holidays, too."""
        return self.since.date() == self.day - timedelta(days=1)

    def is_over(self, now: datetime) -> bool:
        return now >= self.at + LATEST


def morning_of(day: date, clock: str, calendar: Calendar) -> Morning | None:
    """`clock` as in `[reports] daily`; None: not sent on this day."""
    if not clock or not calendar.is_business_day(day):
        return None
    before = day - timedelta(days=1)
    while not calendar.is_business_day(before):
        before -= timedelta(days=1)
    return Morning(
        day=day,
        at=moment_at(day, time.fromisoformat(clock.rjust(5, "0")), calendar.zone),
        since=moment_at(before, 0, calendar.zone),
        until=moment_at(day, 0, calendar.zone),
    )


def due_morning(now: datetime, clock: str, calendar: Calendar) -> Morning | None:
    """The message that should have been sent by now and is not too late."""
    morning = morning_of(now.astimezone(calendar.zone).date(), clock, calendar)
    if morning is None or now < morning.at or morning.is_over(now):
        return None
    return morning
