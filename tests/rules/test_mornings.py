"""When is the morning message sent, and which days does it tell of?"""

from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from worker.rules.calendar import Calendar, parse_days, parse_hours
from worker.rules.mornings import due_morning, morning_of

ZONE = ZoneInfo("Asia/Vladivostok")
CALENDAR = Calendar(
    zone=ZONE, work_days=parse_days("mon-fri"), work_hours=parse_hours("09:00-18:00"), country="RU"
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "clock", "is_due"),
    [
        ("2026-09-08 08:59", "09:00", False),
        ("2026-09-08 09:00", "09:00", True),
        ("2026-09-08 10:59", "09:00", True),  # the worker was down for a while
        ("2026-09-08 11:00", "09:00", False),  # no morning any more
        ("2026-09-08 20:00", "09:00", False),
        ("2026-09-09 00:30", "09:00", False),
        ("2026-09-08 09:00", "", False),
        ("2026-09-08 09:00", "9:00", True),
        ("2026-09-12 09:00", "09:00", False),  # a Saturday
        ("2026-11-04 09:00", "09:00", False),  # a public holiday
    ],
)
def test_when_it_is_sent(now: str, clock: str, is_due: bool) -> None:
    assert (due_morning(at(now), clock, CALENDAR) is not None) == is_due


@pytest.mark.parametrize(
    ("day", "since", "is_about_yesterday"),
    [
        (date(2026, 9, 8), "2026-09-07 00:00", True),
        (date(2026, 9, 14), "2026-09-11 00:00", False),  # Monday: Friday, Saturday and Sunday
        (date(2026, 11, 5), "2026-11-03 00:00", False),  # after the holiday
    ],
)
def test_no_day_is_left_out(day: date, since: str, is_about_yesterday: bool) -> None:
    morning = morning_of(day, "09:00", CALENDAR)
    assert morning is not None
    assert (morning.since, morning.until) == (at(since), at(f"{day} 00:00"))
    assert morning.is_about_yesterday == is_about_yesterday


def test_the_days_that_are_told_of_follow_one_another() -> None:
    days = [
        date.fromordinal(number)
        for number in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())
    ]
    told = [morning for day in days if (morning := morning_of(day, "09:00", CALENDAR)) is not None]
    assert len(told) > 200
    assert all(one.until == at(f"{one.day} 00:00") for one in told)
    assert all(later.since == at(f"{one.day} 00:00") for one, later in pairwise(told))
