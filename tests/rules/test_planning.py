"""A deal is closed. Which surveys does it call for, about whom, and when?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.made import BERLIN, at, company, local, moments, window_of, windows
from worker.rules.calendar import SendWindow
from worker.rules.duration import parse_duration
from worker.rules.eligibility import Reason
from worker.rules.kinds.registry import KINDS
from worker.rules.planning import (
    LOST,
    WON,
    DealFacts,
    Planned,
    PlanningPolicy,
    SurveyRule,
    plan_surveys,
    still_holds,
    triggered_at,
    triggers,
)

SALES, SERVICE, COMPLAINTS = 10, 20, 30
NEGOTIATION, INSTALLED = 101, 102

CALENDAR = company()
WINDOW = window_of(CALENDAR)
POLICY = PlanningPolicy(
    surveys_since=at("2026-01-01 00:00"), max_deal_age=timedelta(days=365), complaints_pipeline=COMPLAINTS
)
CLOSED = at("2026-03-12 15:30")  # a Thursday

DEAL = DealFacts(
    deal_id=1,
    pipeline_id=SALES,
    status_id=WON,
    manager_id=7,
    manager="Олег Смирнов",
    created_at=at("2026-02-01 12:00"),
    closed_at=CLOSED,
    entered_at=CLOSED,
    updated_at=CLOSED,
    fields={},
)


def rule(metric: str = "nps", trigger: str = "deal_won", delay: str = "1bd", **changes: Any) -> SurveyRule:
    plain = SurveyRule(
        key=metric,
        metric=metric,
        trigger=trigger,
        scale=KINDS[metric].scale(),
        pipelines=frozenset(),
        statuses=frozenset(),
        delay=parse_duration(delay),
    )
    return replace(plain, **changes)


def plan(deal: DealFacts, *rules: SurveyRule, policy: PlanningPolicy = POLICY) -> tuple[Planned, ...]:
    return plan_surveys(deal, rules or (rule(),), policy, CALENDAR, WINDOW)


def due(deal: DealFacts, survey: SurveyRule) -> str:
    (planned,) = plan(deal, survey)
    return local(planned.due_at)


def field(*values: object) -> dict[str, list[dict[str, object]]]:
    return {"55": [{"value": value, "enum_id": None} for value in values]}


# Triggers


@pytest.mark.parametrize(
    ("trigger", "pipeline", "status", "does"),
    [
        ("deal_won", SALES, WON, True),
        ("deal_won", SERVICE, WON, True),  # empty pipelines: every one
        ("deal_won", SALES, LOST, False),
        ("deal_won", SALES, NEGOTIATION, False),
        ("deal_won", COMPLAINTS, WON, False),  # a solved complaint is no sale
        ("deal_lost", SALES, LOST, True),
        ("deal_lost", SALES, WON, False),
        ("deal_lost", COMPLAINTS, LOST, False),
        ("deal_status", SALES, INSTALLED, True),
        ("deal_status", SERVICE, INSTALLED, False),
        ("deal_status", SALES, WON, False),
        ("deal_status", COMPLAINTS, INSTALLED, False),
        ("complaint_closed", COMPLAINTS, WON, True),
        ("complaint_closed", COMPLAINTS, LOST, True),
        ("complaint_closed", COMPLAINTS, NEGOTIATION, False),
        ("complaint_closed", SALES, WON, False),
    ],
)
def test_what_triggers_a_survey(trigger: str, pipeline: int, status: int, does: bool) -> None:
    statuses = frozenset({(SALES, INSTALLED), (COMPLAINTS, INSTALLED)})
    survey = rule(trigger=trigger, statuses=statuses)
    assert triggers(survey, replace(DEAL, pipeline_id=pipeline, status_id=status), POLICY) is does


def test_a_survey_may_be_for_some_pipelines_only() -> None:
    survey = rule(pipelines=frozenset({SERVICE}))
    assert not triggers(survey, DEAL, POLICY)
    assert triggers(survey, replace(DEAL, pipeline_id=SERVICE), POLICY)


def test_nobody_is_asked_about_a_deleted_deal_or_one_that_a_reply_opened() -> None:
    assert plan(replace(DEAL, is_deleted=True)) == ()
    assert plan(replace(DEAL, is_reply=True)) == ()


def test_a_complaints_pipeline_that_does_not_exist_holds_no_deal() -> None:
    policy = replace(POLICY, complaints_pipeline=None)
    assert triggers(rule(), DEAL, policy)
    assert not triggers(rule(trigger="complaint_closed"), DEAL, policy)


def test_every_rule_plans_its_own_survey_in_the_order_of_the_config() -> None:
    surveys = [rule("nps"), rule("csat", delay="14d"), rule("ces", "deal_lost"), rule("ces", delay="14d")]
    assert [planned.rule for planned in plan(DEAL, *surveys)] == [surveys[0], surveys[1], surveys[3]]


# Still so, before sending?


@pytest.mark.parametrize(
    ("trigger", "changes", "reason"),
    [
        ("deal_won", {}, None),
        ("deal_won", {"pipeline_id": SERVICE}, None),  # won stays won
        ("deal_won", {"status_id": NEGOTIATION}, Reason.REOPENED),
        ("deal_won", {"status_id": LOST}, Reason.REOPENED),
        ("deal_won", {"is_deleted": True}, Reason.DELETED),
        ("deal_won", {"is_deleted": True, "status_id": NEGOTIATION}, Reason.DELETED),
        ("deal_lost", {"status_id": LOST}, None),
        ("deal_lost", {"status_id": WON}, Reason.REOPENED),
        ("deal_status", {"status_id": WON}, None),  # it has moved on
        ("deal_status", {"status_id": NEGOTIATION}, None),
        ("deal_status", {"is_deleted": True}, Reason.DELETED),
        ("complaint_closed", {"pipeline_id": COMPLAINTS}, None),
        ("complaint_closed", {"pipeline_id": COMPLAINTS, "status_id": LOST}, None),
        ("complaint_closed", {"pipeline_id": COMPLAINTS, "status_id": NEGOTIATION}, Reason.REOPENED),
    ],
)
def test_what_became_of_the_deal(trigger: str, changes: dict[str, Any], reason: Reason | None) -> None:
    survey = rule(trigger=trigger, statuses=frozenset({(SALES, INSTALLED)}))
    assert still_holds(survey, replace(DEAL, **changes)) == reason


# When


@pytest.mark.parametrize(
    ("closed", "delay", "expected"),
    [
        ("2026-03-12 15:30", "1bd", "2026-03-13 15:30"),
        ("2026-03-13 15:30", "1bd", "2026-03-16 15:30"),
        ("2026-03-12 23:30", "1bd", "2026-03-13 10:00"),
        ("2026-03-06 15:30", "1bd", "2026-03-10 15:30"),  # over 8 March and its Monday
        ("2026-03-01 15:30", "14d", "2026-03-16 10:00"),  # the 15th is a Sunday
        ("2026-03-12 21:00", "14d", "2026-03-27 10:00"),
        ("2026-03-12 15:30", "0s", "2026-03-12 15:30"),
        ("2026-03-14 23:00", "0s", "2026-03-16 10:00"),  # at once, but not on Sunday
    ],
)
def test_a_survey_is_due_after_its_delay_in_the_send_window(closed: str, delay: str, expected: str) -> None:
    deal = replace(DEAL, closed_at=at(closed), updated_at=at(closed) + timedelta(days=9))
    assert due(deal, rule(delay=delay)) == expected


def test_a_deal_without_a_closing_date_was_closed_when_it_was_first_seen_so() -> None:
    deal = replace(DEAL, closed_at=None, updated_at=CLOSED + timedelta(days=3))
    assert triggered_at(rule(), deal) == CLOSED
    assert triggered_at(rule(), replace(deal, entered_at=None)) == deal.updated_at


def test_a_closing_date_in_the_future_is_not_believed() -> None:
    deal = replace(DEAL, closed_at=CLOSED + timedelta(days=900))
    assert due(deal, rule()) == "2026-03-13 15:30"


ENTERED = at("2026-03-10 11:00")
INSTALLED_DEAL = replace(DEAL, status_id=INSTALLED, closed_at=None, entered_at=ENTERED)
ON_INSTALLED = rule(trigger="deal_status", statuses=frozenset({(SALES, INSTALLED), (SALES, WON)}))


def test_a_status_counts_from_its_entering() -> None:
    assert due(INSTALLED_DEAL, ON_INSTALLED) == "2026-03-11 11:00"
    assert due(INSTALLED_DEAL, replace(ON_INSTALLED, base="entered")) == "2026-03-11 11:00"


def test_a_date_left_from_an_earlier_closing_does_not_count_for_an_open_deal() -> None:
    reopened = replace(INSTALLED_DEAL, closed_at=at("2026-01-20 12:00"))
    assert due(reopened, ON_INSTALLED) == "2026-03-11 11:00"


def test_a_final_status_counts_from_the_closing_or_from_the_entering_as_configured() -> None:
    moved = replace(DEAL, entered_at=at("2026-03-12 18:00"), updated_at=at("2026-03-12 19:00"))
    assert due(moved, ON_INSTALLED) == "2026-03-13 15:30"
    assert due(moved, replace(ON_INSTALLED, base="entered")) == "2026-03-13 18:00"
    assert due(replace(moved, entered_at=None), replace(ON_INSTALLED, base="entered")) == "2026-03-13 15:30"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (int(at("2026-04-20 14:00").timestamp()), "2026-04-21 14:00"),
        (float(at("2026-04-20 14:00").timestamp()), "2026-04-21 14:00"),
        (str(int(at("2026-04-20 14:00").timestamp())), "2026-04-21 14:00"),
        (int(at("2026-04-20 00:00").timestamp()), "2026-04-21 10:00"),  # a date without a time
        ("2026-04-20", "2026-04-21 10:00"),
        ("2026-04-20T14:00:00+10:00", "2026-04-21 14:00"),
        ("2026-04-20T04:00:00Z", "2026-04-21 14:00"),
        ("2026-04-20 14:00", "2026-04-21 14:00"),
        ("2026-03-01", "2026-03-12 15:30"),  # long before the payment: not asked in the past
        # What is no date counts as an empty field: from the closing.
        ("", "2026-03-13 15:30"),
        (None, "2026-03-13 15:30"),
        ("после праздников", "2026-03-13 15:30"),
        (True, "2026-03-13 15:30"),
        (0, "2026-03-13 15:30"),
        (-5, "2026-03-13 15:30"),
        (int(CLOSED.timestamp() * 1000), "2026-03-13 15:30"),
        (float("nan"), "2026-03-13 15:30"),
        (float("inf"), "2026-03-13 15:30"),
        ("9999-12-31", "2026-03-13 15:30"),
        ("0001-01-01", "2026-03-13 15:30"),
        ({"name": "x"}, "2026-03-13 15:30"),
    ],
)
def test_a_delay_may_count_from_a_date_in_the_deal(value: object, expected: str) -> None:
    assert due(replace(DEAL, fields=field(value)), rule(base="field", base_field=55)) == expected


def test_a_date_field_that_the_deal_does_not_have_is_empty() -> None:
    missing: list[dict[str, Any]] = [{}, {"55": []}, {"55": [{}]}, {"56": [{"value": 1_776_600_000}]}]
    for fields in missing:
        assert due(replace(DEAL, fields=fields), rule(base="field", base_field=55)) == "2026-03-13 15:30"


def test_the_first_of_several_dates_counts() -> None:
    deal = replace(DEAL, fields=field("", "2026-04-20", "2026-05-20"))
    assert due(deal, rule(base="field", base_field=55)) == "2026-04-21 10:00"


def test_the_moment_of_the_trigger_is_kept_apart_from_the_date_that_the_delay_counts_from() -> None:
    (planned,) = plan(replace(DEAL, fields=field("2026-04-20")), rule(base="field", base_field=55))
    assert planned.triggered_at == CLOSED


# About whom


@pytest.mark.parametrize(
    ("changes", "fields", "subject", "skip"),
    [
        ({}, field("Бригада 2"), "", None),
        ({"subject": "manager"}, {}, "Олег Смирнов", None),
        ({"subject": "field", "subject_field": 55}, field(" Бригада 2 "), "Бригада 2", None),
        ({"subject": "field", "subject_field": 55}, field("Иван", None, "Пётр"), "Иван, Пётр", None),
        ({"subject": "field", "subject_field": 55}, field(2), "2", None),
        ({"subject": "field", "subject_field": 55}, {}, "", Reason.NO_SUBJECT),
        ({"subject": "field", "subject_field": 55}, field(""), "", Reason.NO_SUBJECT),
        ({"subject": "field", "subject_field": 55}, field(None), "", Reason.NO_SUBJECT),
    ],
)
def test_who_is_rated(
    changes: dict[str, Any],
    fields: dict[str, list[dict[str, object]]],
    subject: str,
    skip: Reason | None,
) -> None:
    (planned,) = plan(replace(DEAL, fields=fields), rule("csat", **changes))
    assert (planned.subject, planned.skip) == (subject, skip)
    assert planned.subject_is_manager is (changes.get("subject") == "manager")


@pytest.mark.parametrize(
    ("manager", "manager_id", "subject", "skip"), [("", 7, "7", None), ("", 0, "", Reason.NO_SUBJECT)]
)
def test_a_manager_who_was_removed_from_the_account(
    manager: str, manager_id: int, subject: str, skip: Reason | None
) -> None:
    deal = replace(DEAL, manager=manager, manager_id=manager_id)
    (planned,) = plan(deal, rule("csat", subject="manager"))
    assert (planned.subject, planned.skip) == (subject, skip)


# Whom it is too late to ask


@pytest.mark.parametrize(
    ("created", "closed", "skip"),
    [
        ("2026-02-01 12:00", "2026-01-01 00:00", None),  # on the first day itself
        ("2025-12-01 12:00", "2025-12-31 23:59", Reason.OLD_DEAL),
        ("2025-03-12 15:30", "2026-03-12 15:30", None),  # a year old to the minute
        ("2025-03-12 15:29", "2026-03-12 15:30", Reason.TOO_OLD),
        ("2023-03-12 15:30", "2026-03-12 15:30", Reason.TOO_OLD),  # a clean-up
        ("2023-03-12 15:30", "2025-03-12 15:30", Reason.OLD_DEAL),  # both: it was never ours to ask
    ],
)
def test_old_deals_are_left_alone(created: str, closed: str, skip: Reason | None) -> None:
    (planned,) = plan(replace(DEAL, created_at=at(created), closed_at=at(closed)))
    assert planned.skip == skip


def test_without_a_limit_a_deal_may_be_of_any_age() -> None:
    (planned,) = plan(
        replace(DEAL, created_at=at("2019-01-01 12:00")), policy=replace(POLICY, max_deal_age=None)
    )
    assert planned.skip is None


def test_a_deal_that_was_in_the_status_before_the_first_start_is_old() -> None:
    (planned,) = plan(replace(INSTALLED_DEAL, entered_at=at("2025-12-20 12:00")), ON_INSTALLED)
    assert planned.skip is Reason.OLD_DEAL


def test_too_old_is_said_before_nobody_named() -> None:
    old = replace(DEAL, created_at=at("2020-01-01 12:00"))
    (planned,) = plan(old, rule("csat", subject="field", subject_field=55))
    assert planned.skip is Reason.TOO_OLD


def test_a_complaint_is_asked_about_by_its_own_closing() -> None:
    complaint = replace(DEAL, pipeline_id=COMPLAINTS)
    surveys = [rule("nps"), rule("csat", "complaint_closed", key="solved")]
    assert [planned.rule.key for planned in plan(complaint, *surveys)] == ["solved"]


# Elsewhere


def test_in_berlin_the_same_time_stays_the_same_when_the_clocks_change() -> None:
    calendar = company(BERLIN, country="DE")
    closed = at("2026-03-27 15:30", BERLIN)  # the Friday before
    deal = replace(DEAL, closed_at=closed, updated_at=closed)
    (planned,) = plan_surveys(deal, [rule()], POLICY, calendar, window_of(calendar))
    assert planned.due_at.isoformat() == "2026-03-30T15:30:00+02:00"


@given(
    windows(),
    moments(),
    st.sampled_from(["0s", "5m", "1bd", "2bd", "14d"]),
    st.sampled_from(["closed", "entered", "field"]),
    st.one_of(
        st.none(), st.integers(-(10**12), 10**12), st.text(max_size=12), moments().map(datetime.isoformat)
    ),
)
@settings(max_examples=200)
def test_a_survey_is_due_in_the_window_and_never_before_its_trigger(
    window: SendWindow, closed: datetime, delay: str, base: str, value: object
) -> None:
    deal = replace(DEAL, closed_at=closed, entered_at=closed, updated_at=closed, fields=field(value))
    survey = rule(delay=delay, base=base, base_field=55)
    (planned,) = plan_surveys(deal, [survey], POLICY, window.calendar, window)
    assert window.is_open(planned.due_at)
    assert planned.due_at.astimezone(UTC) >= planned.triggered_at.astimezone(UTC)
