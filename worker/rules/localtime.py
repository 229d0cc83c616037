"""Between the wall clock of a place and moments: some days lack an hour, some have one twice.

Python compares and subtracts two moments of one ZoneInfo by their wall clocks, so sums are done in UTC.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

MINUTES_A_DAY = 24 * 60


def moment_at(day: date, at: int | time, zone: tzinfo) -> datetime:
    """The moment when the wall clock shows `at`, a time or minutes of the day (1440 is the midnight after).

    A time that the clock leaps over moves forward by the leap; of a time that comes twice it is the first.

    >>> from zoneinfo import ZoneInfo
    >>> moment_at(date(2026, 3, 29), 150, ZoneInfo("Europe/Berlin")).isoformat()
    '2026-03-29T03:30:00+02:00'
    """
    if isinstance(at, int):
        day, at = day + timedelta(days=at // MINUTES_A_DAY), time(at % MINUTES_A_DAY // 60, at % 60)
    wall = datetime.combine(day, at.replace(fold=0, tzinfo=None), zone)
    # There and back again: the wall clock of a moment is always one that exists.
    return wall.astimezone(UTC).astimezone(zone)


def minute_of(moment: datetime) -> int:
    """The minute of its day that the moment's own wall clock shows."""
    return moment.hour * 60 + moment.minute


def aware(moment: datetime) -> datetime:
    """The moment itself; refused if it does not say its zone, as such a one means nothing here."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("a moment needs its time zone")
    return moment
