"""Business days, working time, the send window and quiet hours, where the company is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.made import (
    BERLIN,
    CAIRO,
    VLADIVOSTOK,
    ZONES,
    at,
    calendars,
    company,
    hours,
    local,
    moments,
    window_of,
    windows,
)
from worker.rules.calendar import Calendar, SendWindow, quiet_until
from worker.rules.duration import Hours, parse_days, parse_duration, parse_hours
from worker.rules.localtime import minute_of, moment_at

# Business days


@pytest.mark.parametrize(
    ("day", "is_business_day"),
    [
        (date(2026, 3, 13), True),  # a Friday
        (date(2026, 3, 14), False),
        (date(2026, 1, 1), False),
        (date(2026, 1, 8), False),  # the New Year holidays last
        (date(2026, 1, 9), False),  # given for one of their weekends
        (date(2026, 1, 12), True),
        (date(2026, 3, 8), False),
        (date(2026, 3, 9), False),  # 8 March is a Sunday in that year: the Monday is free
        (date(2026, 11, 4), False),
        (date(2026, 12, 30), True),
    ],
)
def test_business_days_of_russia(day: date, is_business_day: bool) -> None:
    assert company().is_business_day(day) is is_business_day


def test_without_a_country_there_are_no_holidays_but_the_company_s_own() -> None:
    calendar = company(country="", extra_holidays=(date(2026, 12, 30),))
    assert calendar.is_business_day(date(2026, 1, 1))
    assert calendar.is_holiday(date(2026, 12, 30))
    assert not calendar.is_business_day(date(2026, 12, 30))


def test_the_company_s_own_holidays_come_on_top_of_the_country_s() -> None:
    calendar = company(extra_holidays=(date(2026, 12, 30),))
    assert calendar.is_holiday(date(2026, 12, 30))
    assert calendar.is_holiday(date(2026, 1, 1))


def test_a_country_code_may_be_small_but_must_exist() -> None:
    assert company(country="ru").is_holiday(date(2026, 5, 9))
    with pytest.raises(ValueError, match='"RU"'):
        company(country="Atlantis")


@pytest.mark.parametrize(
    ("days", "work_hours"),
    [
        (frozenset[int](), Hours(540, 1080)),
        (frozenset({7}), Hours(540, 1080)),
        (frozenset({0}), Hours(1080, 540)),
    ],
)
def test_a_company_that_never_works_is_refused(days: frozenset[int], work_hours: Hours) -> None:
    with pytest.raises(ValueError, match="needed"):
        Calendar(zone=VLADIVOSTOK, work_days=days, work_hours=work_hours)


# When a delay is over


@pytest.mark.parametrize(
    ("closed", "delay", "due", "why"),
    [
        ("2026-03-12 15:30", "1bd", "2026-03-13 15:30", "the same time on the next business day"),
        ("2026-03-13 15:30", "1bd", "2026-03-16 15:30", "over the weekend"),
        ("2026-03-14 15:30", "1bd", "2026-03-16 15:30", "closed on a Saturday"),
        ("2026-03-06 15:30", "1bd", "2026-03-10 15:30", "over 8 March and the Monday after it"),
        ("2025-12-30 15:30", "1bd", "2026-01-12 15:30", "over the New Year holidays"),
        ("2026-03-12 22:10", "1bd", "2026-03-13 10:00", "late in the evening: at the opening"),
        ("2026-03-12 07:10", "1bd", "2026-03-13 10:00", "early in the morning: at the opening"),
        ("2026-03-12 20:00", "1bd", "2026-03-13 10:00", "closed is closed"),
        ("2026-03-12 15:30", "3bd", "2026-03-17 15:30", "Friday, Monday, Tuesday"),
        ("2026-03-12 22:10", "14d", "2026-03-26 22:10", "days are plain time"),
        ("2026-03-12 22:10", "0s", "2026-03-12 22:10", "at once"),
        ("2026-03-12 22:10", "2h", "2026-03-13 00:10", "over midnight"),
    ],
)
def test_a_delay_is_added(closed: str, delay: str, due: str, why: str) -> None:
    calendar = company()
    assert local(calendar.add(at(closed), parse_duration(delay), window_of(calendar))) == due, why


def test_without_a_window_business_days_keep_the_time_of_day() -> None:
    assert local(company().add(at("2026-03-12 22:10"), parse_duration("1bd"))) == "2026-03-13 22:10"


@pytest.mark.parametrize(
    ("closed", "delay", "due"),
    [
        ("2026-03-28 12:00", "1bd", "2026-03-30T12:00:00+02:00"),  # the wall clock counts, not 48 hours
        ("2026-03-28 12:00", "1d", "2026-03-29T13:00:00+02:00"),  # a day of a delay has 24 hours
        ("2026-10-24 12:00", "1d", "2026-10-25T11:00:00+01:00"),
        ("2026-03-27 02:30", "2bd", "2026-03-29T03:30:00+02:00"),  # 02:30 does not exist
        ("2026-10-23 02:30", "2bd", "2026-10-25T02:30:00+02:00"),  # 02:30 comes twice: the first
    ],
)
def test_the_clock_changes_in_between(closed: str, delay: str, due: str) -> None:
    calendar = company(BERLIN, country="", work_days="mon-sun" if delay == "2bd" else "mon-fri")
    assert calendar.add(at(closed, BERLIN), parse_duration(delay)).isoformat() == due


def test_a_moment_without_a_zone_means_nothing() -> None:
    naive = datetime(2026, 3, 13, 10)  # noqa: DTZ001 — that is the point
    calendar = company()
    with pytest.raises(ValueError, match="time zone"):
        calendar.add(naive, parse_duration("1bd"))
    with pytest.raises(ValueError, match="time zone"):
        window_of(calendar).next_open(naive)


# Working time


@pytest.mark.parametrize(
    ("inbound", "reply", "minutes", "note"),
    [
        ("2024-03-04 10:00", "2024-03-04 10:12", 12, "within the day"),
        ("2024-03-04 17:50", "2024-03-05 09:20", 30, "10 + 20"),
        ("2024-03-04 08:00", "2024-03-04 08:30", 0, "before opening"),
        ("2024-03-07 17:30", "2024-03-11 09:30", 60, "8 March is a holiday"),
        ("2024-03-08 20:00", "2024-03-11 09:05", 5, "over the weekend"),
        ("2024-03-09 12:00", "2024-03-10 13:00", 0, "at the weekend"),
    ],
)
def test_business_minutes_of_the_metrics_reference(inbound: str, reply: str, minutes: int, note: str) -> None:
    assert company().work_seconds(at(inbound), at(reply)) == minutes * 60, note


def test_without_holidays_8_march_is_worked_through() -> None:
    calendar = company(country="")
    assert calendar.work_seconds(at("2024-03-07 17:30"), at("2024-03-11 09:30")) == 600 * 60


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-03-13 10:00", "2026-03-13 10:00", 0),
        ("2026-03-13 12:00", "2026-03-13 10:00", 0),  # the end comes first
        ("2026-03-13 00:00", "2026-03-14 00:00", 9 * 3600),
        ("2026-01-01 00:00", "2026-01-12 00:00", 0),  # nobody works at New Year
    ],
)
def test_working_time_between(start: str, end: str, seconds: int) -> None:
    assert company().work_seconds(at(start), at(end)) == seconds


@pytest.mark.parametrize(
    ("day", "hours_of_the_day"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)]
)
def test_who_works_around_the_clock_works_through_its_changes(day: str, hours_of_the_day: int) -> None:
    calendar = company(BERLIN, country="", work_days="mon-sun", work_hours="00:00-24:00")
    begins = at(f"{day} 00:00", BERLIN)
    ends = moment_at(begins.date(), 1440, BERLIN)
    assert calendar.work_seconds(begins, ends) == hours_of_the_day * 3600


@given(calendars(), moments(), st.timedeltas(timedelta(0), timedelta(hours=40)))
@settings(max_examples=100)
def test_working_time_that_is_added_has_passed(calendar: Calendar, start: datetime, span: timedelta) -> None:
    busy = Calendar(zone=calendar.zone, work_days=calendar.work_days, work_hours=Hours(540, 1080))
    assert busy.work_seconds(start, busy.add_work_time(start, span)) == span.total_seconds()


@given(calendars(), st.lists(moments(), min_size=3, max_size=3).map(sorted))
@settings(max_examples=60)
def test_working_time_adds_up(calendar: Calendar, times: list[datetime]) -> None:
    first, middle, last = times[0], times[1], min(times[2], times[1] + timedelta(days=90))
    first = max(first, middle - timedelta(days=90))
    whole = calendar.work_seconds(first, last)
    assert whole == pytest.approx(calendar.work_seconds(first, middle) + calendar.work_seconds(middle, last))
    assert 0 <= whole <= (last - first).total_seconds()


def test_working_time_that_nobody_lives_to_see_still_has_an_end() -> None:
    calendar = company(work_hours="12:00-12:01", work_days="sun")
    end = calendar.add_work_time(at("2026-03-13 12:00"), timedelta(days=14))
    assert end - at("2026-03-13 12:00") > timedelta(days=3_600)


# Deadlines


@pytest.mark.parametrize(
    ("asked", "term", "deadline", "why"),
    [
        ("2026-03-12 15:30", "1bd", "2026-03-13 15:30", "the same time tomorrow"),
        ("2026-03-13 15:30", "1bd", "2026-03-16 15:30", "over the weekend"),
        ("2026-03-12 07:00", "1bd", "2026-03-13 09:00", "before opening counts from the opening"),
        ("2026-03-13 21:00", "1bd", "2026-03-17 09:00", "from Monday's opening, so until Tuesday's"),
        ("2026-03-13 18:00", "1bd", "2026-03-17 09:00", "closing time is over"),
        ("2026-03-12 15:30", "1h", "2026-03-12 16:30", "in an hour"),
        ("2026-03-13 17:30", "1h", "2026-03-16 09:30", "half today, half on Monday"),
        ("2026-03-13 17:00", "1h", "2026-03-13 18:00", "the last hour of the week"),
        ("2026-03-14 12:00", "2h", "2026-03-16 11:00", "asked on Saturday"),
        ("2026-03-06 17:30", "2h", "2026-03-10 10:30", "over the holiday"),
        ("2026-03-14 12:00", "0s", "2026-03-16 09:00", "as soon as somebody is there"),
        ("2026-03-12 12:00", "1d", "2026-03-16 18:00", "24 working hours: 6, 9 and 9"),
    ],
)
def test_deadlines_are_kept_in_working_time(asked: str, term: str, deadline: str, why: str) -> None:
    assert local(company().deadline(at(asked), parse_duration(term))) == deadline, why


@given(calendars(), moments(), st.sampled_from(["1bd", "2bd", "10bd", "0s"]))
@settings(max_examples=100)
def test_a_deadline_is_later_and_in_the_hours_of_a_business_day(
    calendar: Calendar, asked: datetime, term: str
) -> None:
    due = calendar.deadline(asked, parse_duration(term))
    assert due >= asked
    # At closing time, which may be midnight, the day that closes is meant.
    a_moment_before = (due.astimezone(UTC) - timedelta(microseconds=1)).astimezone(calendar.zone)
    assert calendar.is_business_day(due.date()) or calendar.is_business_day(a_moment_before.date())


# The send window


@pytest.mark.parametrize(
    ("moment", "opens", "why"),
    [
        ("2026-03-13 12:00", "2026-03-13 12:00", "open"),
        ("2026-03-13 10:00", "2026-03-13 10:00", "just opened"),
        ("2026-03-13 09:59", "2026-03-13 10:00", "before"),
        ("2026-03-13 20:00", "2026-03-14 10:00", "closed; Saturday is permitted"),
        ("2026-03-14 20:30", "2026-03-16 10:00", "Sunday is not"),
        ("2026-03-07 20:30", "2026-03-10 10:00", "nor are 8 March and the free Monday"),
        ("2026-01-01 12:00", "2026-01-10 10:00", "nor the New Year holidays; the Saturday after is"),
    ],
)
def test_the_window_opens(moment: str, opens: str, why: str) -> None:
    window = window_of(company())
    assert local(window.next_open(at(moment))) == opens, why
    assert window.is_open(at(moment)) is (moment == opens)


@pytest.mark.parametrize(
    ("window_hours", "days", "moment", "opens"),
    [
        ("00:00-24:00", "mon-sun", "2026-03-13 23:59", "2026-03-13 23:59"),
        ("00:00-24:00", "mon-fri", "2026-03-14 00:00", "2026-03-16 00:00"),
        ("12:00-12:01", "mon-sun", "2026-03-13 12:00", "2026-03-13 12:00"),
        ("12:00-12:01", "mon-sun", "2026-03-13 12:01", "2026-03-14 12:00"),
        ("23:59-24:00", "mon-sun", "2026-03-13 00:00", "2026-03-13 23:59"),
        ("10:00-20:00", "wed", "2026-03-11 20:00", "2026-03-18 10:00"),
        ("10:00-20:00", "sun", "2026-03-02 10:00", "2026-03-15 10:00"),  # Sunday the 8th is a holiday
        ("10:00-20:00", "thu", "2025-12-26 10:00", "2026-01-15 10:00"),  # two Thursdays of holidays
    ],
)
def test_unusual_windows(window_hours: str, days: str, moment: str, opens: str) -> None:
    assert local(window_of(company(), window_hours, days).next_open(at(moment))) == opens


def test_a_window_that_the_clock_leaps_over_opens_on_another_day() -> None:
    window = window_of(company(BERLIN, country=""), "02:00-02:30", "mon-sun")
    assert local(window.next_open(at("2026-03-28 12:00", BERLIN)), BERLIN) == "2026-03-30 02:00"


def test_the_opening_that_comes_twice_opens_once_and_stays_open() -> None:
    window = window_of(company(BERLIN, country=""), "02:00-02:30", "mon-sun")
    first = at("2026-10-25 02:00", BERLIN)
    assert window.next_open(at("2026-10-25 01:00", BERLIN)) == first
    assert window.is_open(first.replace(fold=1))


def test_a_window_that_never_opens_is_refused() -> None:
    with pytest.raises(ValueError, match="days of the week"):
        SendWindow(calendar=company(), hours=Hours(600, 1200), days=frozenset())
    with pytest.raises(ValueError, match="hours"):
        SendWindow(calendar=company(), hours=Hours(1200, 600), days=frozenset({0}))


def test_a_window_without_a_permitted_day_for_ten_years_says_so() -> None:
    everyday = tuple(date(2026, 3, 13) + timedelta(days=number) for number in range(3_700))
    window = window_of(company(extra_holidays=everyday))
    with pytest.raises(ValueError, match="ten years"):
        window.next_open(at("2026-03-13 12:00"))


@given(windows(), moments())
@settings(max_examples=200)
def test_the_window_opens_neither_before_now_nor_when_it_is_closed(window: SendWindow, now: datetime) -> None:
    opens = window.next_open(now)
    wall = opens.astimezone(window.calendar.zone)
    assert opens >= now
    assert window.is_open(opens)
    assert wall.weekday() in window.days
    assert not window.calendar.is_holiday(wall.date())
    assert window.hours.opens <= minute_of(wall) < window.hours.closes
    assert window.next_open(opens) == opens


@given(windows(), moments(), st.sampled_from(["0s", "2h", "14d", "1bd", "3bd"]))
@settings(max_examples=150)
def test_what_is_due_is_due_in_the_window_and_never_before_it_was_called_for(
    window: SendWindow, trigger: datetime, delay: str
) -> None:
    duration = parse_duration(delay)
    due = window.next_open(window.calendar.add(trigger, duration, window))
    assert window.is_open(due)
    assert due >= trigger + duration.span


# Quiet hours


@pytest.mark.parametrize(
    ("moment", "quiet", "ends"),
    [
        ("2026-03-13 23:15", "21:00-08:00", "2026-03-14 08:00"),
        ("2026-03-13 21:00", "21:00-08:00", "2026-03-14 08:00"),
        ("2026-03-14 03:00", "21:00-08:00", "2026-03-14 08:00"),
        ("2026-03-14 08:00", "21:00-08:00", "2026-03-14 08:00"),
        ("2026-03-13 12:00", "21:00-08:00", "2026-03-13 12:00"),
        ("2026-03-13 13:10", "13:00-14:00", "2026-03-13 14:00"),
        ("2026-03-13 23:00", "22:00-24:00", "2026-03-14 00:00"),
        ("2026-03-13 23:00", "22:00-00:00", "2026-03-14 00:00"),
        ("2026-03-14 00:00", "22:00-00:00", "2026-03-14 00:00"),
    ],
)
def test_alerts_wait_for_the_end_of_the_night(moment: str, quiet: str, ends: str) -> None:
    assert local(quiet_until(at(moment), parse_hours(quiet, wraps=True), VLADIVOSTOK)) == ends


def test_without_quiet_hours_nothing_waits() -> None:
    assert quiet_until(at("2026-03-13 03:00"), None, VLADIVOSTOK) == at("2026-03-13 03:00")


@given(
    moments(),
    st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda ends: ends[0] != ends[1]),
    st.sampled_from(ZONES),
)
@settings(max_examples=200)
def test_quiet_hours_end_within_a_day_and_never_in_the_past(
    now: datetime, ends: tuple[int, int], zone: ZoneInfo
) -> None:
    until = quiet_until(now, Hours(*ends), zone)
    assert now <= until <= now + timedelta(hours=25)


# The wall clock


@pytest.mark.parametrize(
    ("day", "minute", "zone", "moment"),
    [
        (date(2026, 3, 13), 600, VLADIVOSTOK, "2026-03-13T00:00:00+00:00"),
        (date(2026, 3, 13), 1440, VLADIVOSTOK, "2026-03-13T14:00:00+00:00"),
        (date(2026, 3, 29), 150, BERLIN, "2026-03-29T01:30:00+00:00"),
        (date(2026, 10, 25), 150, BERLIN, "2026-10-25T00:30:00+00:00"),
        (date(2026, 4, 24), 0, CAIRO, "2026-04-23T22:00:00+00:00"),  # that day begins at one
    ],
)
def test_a_wall_clock_s_time_is_a_moment(day: date, minute: int, zone: ZoneInfo, moment: str) -> None:
    assert moment_at(day, minute, zone).astimezone(UTC) == datetime.fromisoformat(moment)


@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), hours(), st.sampled_from(ZONES))
@settings(max_examples=100)
def test_later_on_the_wall_clock_is_never_earlier(day: date, span: Hours, zone: ZoneInfo) -> None:
    opens, closes = (moment_at(day, minute, zone).astimezone(UTC) for minute in (span.opens, span.closes))
    assert opens <= closes


def test_a_day_after_the_last_of_the_week_is_the_first() -> None:
    assert parse_days("sun-mon") == {6, 0}
