"""Made-up companies, days and circumstances that the tests of the rules share."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from worker.rules.calendar import Calendar, SendWindow
from worker.rules.duration import Hours, parse_days, parse_hours

VLADIVOSTOK = ZoneInfo("Asia/Vladivostok")
BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")  # its clocks change at midnight
CAIRO = ZoneInfo("Africa/Cairo")  # some of its days begin at one o'clock

ZONES = (VLADIVOSTOK, BERLIN, HAVANA, CAIRO, ZoneInfo("UTC"))


def company(
    zone: ZoneInfo = VLADIVOSTOK,
    *,
    work_days: str = "mon-fri",
    work_hours: str = "09:00-18:00",
    country: str = "RU",
    extra_holidays: tuple[date, ...] = (),
) -> Calendar:
    return Calendar(
        zone=zone,
        work_days=parse_days(work_days),
        work_hours=parse_hours(work_hours),
        country=country,
        extra_holidays=frozenset(extra_holidays),
    )


def window_of(calendar: Calendar, hours: str = "10:00-20:00", days: str = "mon-sat") -> SendWindow:
    return SendWindow(calendar=calendar, hours=parse_hours(hours), days=parse_days(days))


def at(text: str, zone: ZoneInfo = VLADIVOSTOK) -> datetime:
    """A local moment, written as «2026-03-13 17:00»."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def local(moment: datetime, zone: ZoneInfo = VLADIVOSTOK) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def calendars() -> st.SearchStrategy[Calendar]:
    return st.builds(
        Calendar,
        zone=st.sampled_from(ZONES),
        work_days=st.frozensets(st.integers(0, 6), min_size=1),
        work_hours=hours(),
        country=st.sampled_from(["", "RU", "DE"]),
        extra_holidays=st.frozensets(st.dates(date(2024, 1, 1), date(2027, 12, 31)), max_size=5),
    )


def windows() -> st.SearchStrategy[SendWindow]:
    return st.builds(
        SendWindow, calendar=calendars(), hours=hours(), days=st.frozensets(st.integers(0, 6), min_size=1)
    )


def hours() -> st.SearchStrategy[Hours]:
    """Any hours of a day, from one minute to all of it."""
    return (
        st.tuples(st.integers(0, 1440), st.integers(0, 1440))
        .filter(lambda ends: ends[0] != ends[1])
        .map(lambda ends: Hours(min(ends), max(ends)))
    )


def moments() -> st.SearchStrategy[datetime]:
    """Aware, in UTC, and often within the hours in which clocks change."""
    any_time = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31))  # noqa: DTZ001 — made aware below
    changes = st.sampled_from(
        [
            datetime(2026, 3, 29, 1),  # noqa: DTZ001 — Berlin, forward
            datetime(2026, 10, 25, 1),  # noqa: DTZ001 — Berlin, back
            datetime(2026, 3, 8, 5),  # noqa: DTZ001 — Havana, forward
            datetime(2026, 11, 1, 5),  # noqa: DTZ001 — Havana, back
            datetime(2026, 4, 23, 22),  # noqa: DTZ001 — Cairo, forward
        ]
    )
    around = st.builds(
        lambda moment, minutes: moment + timedelta(minutes=minutes), changes, st.integers(-180, 180)
    )
    return st.one_of(any_time, around).map(lambda moment: moment.replace(tzinfo=UTC))
