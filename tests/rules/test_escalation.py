"""Nobody has taken the complaint. When is who told?"""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from worker.rules.calendar import Calendar, Duration, parse_days, parse_duration, parse_hours
from worker.rules.escalation import Step, Terms, Waiting, due_at

ZONE = ZoneInfo("Asia/Vladivostok")
CALENDAR = Calendar(
    zone=ZONE, work_days=parse_days("mon-fri"), work_hours=parse_hours("09:00-18:00"), country="RU"
)
TERMS = Terms(take_within=parse_duration("1h"), escalate_after=parse_duration("2h"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def waiting(heard: str, **more: datetime | bool | None) -> Waiting:
    values = {"is_taken": False, "deadline": None, **more}
    return Waiting(heard_at=at(heard), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("heard", "untaken", "escalated"),
    [
        ("2026-09-08 12:00", "2026-09-08 13:00", "2026-09-08 14:00"),
        ("2026-09-08 17:30", "2026-09-09 09:30", "2026-09-09 10:30"),  # the evening does not count
        ("2026-09-08 22:00", "2026-09-09 10:00", "2026-09-09 11:00"),
        ("2026-09-11 17:15", "2026-09-14 09:15", "2026-09-14 10:15"),  # over a weekend
        ("2026-11-03 17:30", "2026-11-05 09:30", "2026-11-05 10:30"),  # over the public holiday of 4 November
    ],
)
def test_only_business_hours_count(heard: str, untaken: str, escalated: str) -> None:
    assert due_at(Step.UNTAKEN, waiting(heard), TERMS, CALENDAR) == at(untaken)
    assert due_at(Step.ESCALATED, waiting(heard), TERMS, CALENDAR) == at(escalated)


def test_a_term_in_business_days_ends_at_the_same_time_of_day() -> None:
    terms = Terms(take_within=Duration(business_days=1), escalate_after=Duration(business_days=2))
    assert due_at(Step.UNTAKEN, waiting("2026-09-11 12:00"), terms, CALENDAR) == at("2026-09-14 12:00")


@pytest.mark.parametrize("step", [Step.UNTAKEN, Step.ESCALATED])
def test_who_took_it_is_left_in_peace(step: Step) -> None:
    assert due_at(step, waiting("2026-09-08 12:00", is_taken=True), TERMS, CALENDAR) is None


@pytest.mark.parametrize("step", [Step.UNTAKEN, Step.ESCALATED])
def test_nobody_is_late_who_could_not_hear_of_it(step: Step) -> None:
    unheard = Waiting(heard_at=None, is_taken=False, deadline=at("2026-09-09 12:00"))
    assert due_at(step, unheard, TERMS, CALENDAR) is None


def test_the_promise_to_the_client_binds_whoever_took_it() -> None:
    deadline = at("2026-09-09 12:00")
    for is_taken in (False, True):
        case = waiting("2026-09-08 12:00", is_taken=is_taken, deadline=deadline)
        assert due_at(Step.OVERDUE, case, TERMS, CALENDAR) == deadline


def test_without_a_promise_nothing_is_overdue() -> None:
    assert due_at(Step.OVERDUE, waiting("2026-09-08 12:00"), TERMS, CALENDAR) is None


def test_call_later_puts_it_off_no_more_than_that() -> None:
    later = waiting("2026-09-08 12:00", call_later_at=at("2026-09-08 13:45"))
    assert due_at(Step.UNTAKEN, later, TERMS, CALENDAR) == at("2026-09-08 13:45")
    assert due_at(Step.ESCALATED, later, TERMS, CALENDAR) == at("2026-09-08 14:00")


def test_opened_again_it_waits_anew_and_the_old_promise_is_over() -> None:
    again = waiting(
        "2026-09-08 12:00", deadline=at("2026-09-09 12:00"), opened_again_at=at("2026-09-14 10:00")
    )
    assert due_at(Step.UNTAKEN, again, TERMS, CALENDAR) == at("2026-09-14 11:00")
    assert due_at(Step.OVERDUE, again, TERMS, CALENDAR) is None


def test_passed_on_it_waits_anew_for_whom_it_was_given_to() -> None:
    passed = waiting("2026-09-08 12:00", passed_at=at("2026-09-08 15:00"))
    assert due_at(Step.UNTAKEN, passed, TERMS, CALENDAR) == at("2026-09-08 16:00")
    assert due_at(Step.ESCALATED, passed, TERMS, CALENDAR) == at("2026-09-08 17:00")


def test_who_has_talked_with_the_client_kept_the_promise() -> None:
    talked = waiting("2026-09-08 12:00", deadline=at("2026-09-09 12:00"), is_taken=True, is_contacted=True)
    assert due_at(Step.OVERDUE, talked, TERMS, CALENDAR) is None
