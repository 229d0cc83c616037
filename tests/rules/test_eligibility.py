"""May this question go out now, and if not, which reason is named?"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.made import at, company, local, moments, window_of, windows
from worker.rules.duration import Duration
from worker.rules.eligibility import (
    Circumstances,
    Decision,
    DeliveryPolicy,
    Reason,
    Send,
    Skip,
    Wait,
    limit_of,
    may_remind,
    may_send,
    put_off,
)

POLICY = DeliveryPolicy(
    window=window_of(company()),
    pause=timedelta(days=30),
    reminder_after=Duration(timedelta(days=2)),
    expires_after=timedelta(days=7),
    human_pause=timedelta(hours=4),
    max_per_hour=0,
)
DUE = at("2026-03-16 12:00")  # a Monday
NOW = at("2026-03-16 12:05")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

WELL = Circumstances(
    due_at=DUE,
    turn_at=None,
    trigger="deal_won",
    broken=None,
    has_contact=True,
    has_phone=True,
    reachable=True,
    is_staff=False,
    opted_out=False,
    consents=True,
    stop_tag=False,
    asked_before=False,
    complaint_open=False,
    silent_conversations=0,
    other_deal_asked_at=None,
    open_question=False,
    client_waits_since=None,
    human_wrote_at=None,
    sent_last_hour=0,
    oldest_of_hour=None,
    pace_until=None,
)

# In the order in which they are named.
REFUSALS: list[tuple[dict[str, Any], Reason]] = [
    ({"broken": Reason.DELETED}, Reason.DELETED),
    ({"broken": Reason.REOPENED}, Reason.REOPENED),
    ({"is_staff": True}, Reason.STAFF),
    ({"opted_out": True}, Reason.OPTED_OUT),
    ({"stop_tag": True}, Reason.STOP_TAG),
    ({"consents": False}, Reason.NO_CONSENT),
    ({"asked_before": True}, Reason.ASKED_BEFORE),
    ({"complaint_open": True}, Reason.COMPLAINT_OPEN),
    ({"has_contact": False}, Reason.NO_CONTACT),
    ({"has_phone": False, "reachable": False}, Reason.NO_PHONE),
    ({"reachable": False}, Reason.UNREACHABLE),
    ({"silent_conversations": 3}, Reason.SILENT),
]
DELAYS: list[dict[str, Any]] = [
    {"other_deal_asked_at": NOW - 29 * DAY},
    {"open_question": True},
    {"human_wrote_at": NOW},
    {"client_waits_since": NOW},
    {"pace_until": NOW + HOUR},
    {"is_held": True},
]


def decide(now: datetime = NOW, policy: DeliveryPolicy = POLICY, **changes: Any) -> Decision:
    return may_send(replace(WELL, **changes), now, policy)


def test_where_nothing_speaks_against_it_the_question_goes_out() -> None:
    assert decide() == Send()


# What is final


@pytest.mark.parametrize(("changes", "reason"), REFUSALS)
def test_a_refusal_ends_the_survey(changes: dict[str, Any], reason: Reason) -> None:
    assert decide(**changes) == Skip(reason)


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize(("changes", "reason"), REFUSALS)
def test_a_refusal_comes_before_any_delay(
    changes: dict[str, Any], reason: Reason, delay: dict[str, Any]
) -> None:
    assert decide(at("2026-03-15 03:00"), **{**delay, **changes}) == Skip(reason)


def test_of_several_refusals_the_most_telling_is_named() -> None:
    together: dict[str, Any] = {}
    for changes, reason in reversed(REFUSALS):
        together |= changes
        if changes != {"broken": Reason.REOPENED}:  # a deal is broken in one way only
            assert decide(**together) == Skip(reason)


def test_a_live_chat_makes_up_for_a_missing_number() -> None:
    assert decide(has_phone=False) == Send()


@pytest.mark.parametrize(("silent", "trigger", "decision"), [
    (2, "deal_won", Send()),
    (4, "deal_won", Skip(Reason.SILENT)),
    (4, "complaint_closed", Send()),  # who complained is asked how it was solved
])  # fmt: skip
def test_three_silences_in_a_row_are_an_answer(silent: int, trigger: str, decision: Decision) -> None:
    assert decide(silent_conversations=silent, trigger=trigger) == decision


# What delays


def test_another_deal_s_question_keeps_its_distance() -> None:
    asked = NOW - 30 * DAY
    assert decide(other_deal_asked_at=asked) == Send()
    assert decide(other_deal_asked_at=asked + DAY) == Wait(NOW + DAY, Reason.ASKED_RECENTLY)


def test_a_pause_that_outlasts_the_survey_ends_it_at_once() -> None:
    assert decide(other_deal_asked_at=NOW - DAY) == Skip(Reason.ASKED_RECENTLY)


def test_one_question_at_a_time_however_long_the_other_one_takes() -> None:
    assert decide(open_question=True) == Wait(NOW + HOUR, Reason.TURN)
    much_later = DUE + 21 * DAY
    assert decide(much_later, open_question=True) == Wait(much_later + HOUR, Reason.TURN)
    assert decide(much_later, turn_at=much_later) == Send()


def test_nobody_is_asked_while_a_person_writes_in_the_chat() -> None:
    assert decide(human_wrote_at=NOW - HOUR) == Wait(NOW + 3 * HOUR, Reason.HUMAN)
    assert decide(human_wrote_at=NOW - 4 * HOUR) == Send()


def test_nobody_is_asked_while_waiting_for_an_answer_of_ours() -> None:
    assert decide(client_waits_since=NOW - HOUR) == Wait(NOW + HOUR, Reason.HUMAN)
    assert decide(client_waits_since=NOW - 5 * HOUR) == Wait(NOW + HOUR, Reason.HUMAN)


def test_words_that_nobody_answered_for_a_week_were_answered_elsewhere() -> None:
    assert decide(client_waits_since=NOW - 7 * DAY) == Send()


def test_waiting_for_our_answer_is_given_up_at_the_limit() -> None:
    limit = DUE + 7 * DAY
    waiting: dict[str, Any] = {"client_waits_since": DUE + DAY}
    assert decide(limit - timedelta(minutes=10), **waiting) == Wait(limit, Reason.HUMAN)
    assert decide(limit, **waiting) == Skip(Reason.TOO_LATE)


def test_a_closed_complaint_has_answered_the_words_before_it() -> None:
    before, after = DUE - HOUR, DUE + timedelta(minutes=1)
    assert decide(trigger="complaint_closed", client_waits_since=before) == Send()
    assert decide(trigger="complaint_closed", client_waits_since=after) == Wait(NOW + HOUR, Reason.HUMAN)


def test_a_heads_word_is_waited_for_until_the_limit_and_then_is_the_reason() -> None:
    assert decide(is_held=True) == Wait(NOW + HOUR, Reason.HELD)
    assert decide(DUE + 7 * DAY - HOUR / 2, is_held=True) == Wait(DUE + 7 * DAY, Reason.HELD)
    assert decide(DUE + 7 * DAY, is_held=True) == Skip(Reason.HELD)


def test_no_question_joins_the_thanks_while_a_heads_word_is_waited_for() -> None:
    assert decide(is_held=True, is_joined=True, turn_at=NOW) == Wait(NOW + HOUR, Reason.HELD)


def test_without_a_human_pause_people_in_the_chat_do_not_matter() -> None:
    policy = replace(POLICY, human_pause=timedelta(0))
    assert decide(NOW, policy, human_wrote_at=NOW, client_waits_since=NOW) == Send()


def test_no_more_than_so_many_an_hour() -> None:
    policy = replace(POLICY, max_per_hour=5)
    oldest = NOW - timedelta(minutes=50)
    assert decide(NOW, policy, sent_last_hour=4, oldest_of_hour=oldest) == Send()
    wait = Wait(oldest + HOUR, Reason.PACE)
    assert decide(NOW, policy, sent_last_hour=5, oldest_of_hour=oldest) == wait
    assert decide(NOW, policy, sent_last_hour=5) == Wait(NOW + HOUR, Reason.PACE)
    assert decide(NOW, POLICY, sent_last_hour=500, oldest_of_hour=oldest) == Send()


def test_messages_to_strangers_keep_their_gap() -> None:
    assert decide(pace_until=NOW + timedelta(seconds=45)) == Wait(NOW + timedelta(seconds=45), Reason.PACE)
    assert decide(pace_until=NOW) == Send()


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-16 20:00", "2026-03-17 10:00"),
        ("2026-03-21 21:00", "2026-03-23 10:00"),  # over the Sunday, and just before the limit
    ],
)
def test_the_window_is_waited_for(now: str, opens: str) -> None:
    decision = decide(at(now))
    assert isinstance(decision, Wait)
    assert (local(decision.until), decision.reason) == (opens, Reason.WINDOW)


def test_a_window_that_opens_too_late_ends_the_survey_at_once() -> None:
    policy = replace(POLICY, window=window_of(company(), days="sun"))
    assert decide(NOW, policy) == Wait(at("2026-03-22 10:00"), Reason.WINDOW)
    assert decide(at("2026-03-22 20:00"), policy) == Skip(Reason.TOO_LATE)


def test_what_was_only_delayed_ends_as_too_late() -> None:
    limit = DUE + 7 * DAY
    assert decide(limit) == Send()
    assert decide(limit + timedelta(seconds=1)) == Skip(Reason.TOO_LATE)
    assert decide(limit - HOUR, human_wrote_at=limit - HOUR) == Skip(Reason.TOO_LATE)


def test_the_limit_counts_from_the_moment_that_the_turn_had_come() -> None:
    assert limit_of(WELL, POLICY) == DUE + 7 * DAY
    assert limit_of(replace(WELL, turn_at=DUE + DAY), POLICY) == DUE + 8 * DAY
    assert limit_of(replace(WELL, turn_at=DUE - DAY), POLICY) == DUE + 7 * DAY


@pytest.mark.parametrize(
    ("reason", "ends_as"),
    [
        (Reason.CHANNEL, Reason.TOO_LATE),
        (Reason.SERVICE, Reason.TOO_LATE),
        (Reason.WINDOW, Reason.TOO_LATE),
        (Reason.ASKED_RECENTLY, Reason.ASKED_RECENTLY),
        (Reason.HELD, Reason.HELD),
    ],
)
def test_whatever_puts_a_question_off_does_so_until_the_limit(reason: Reason, ends_as: Reason) -> None:
    assert put_off(NOW, reason, NOW) == Wait(NOW, reason)
    assert put_off(NOW + DAY, reason, NOW) == Skip(ends_as)


# The next question of a running conversation


def test_the_next_question_joins_the_thanks_at_any_hour() -> None:
    night = at("2026-03-17 02:00")
    policy = replace(POLICY, max_per_hour=1)
    busy: dict[str, Any] = {
        "open_question": True,
        "client_waits_since": night,
        "human_wrote_at": night,
        "sent_last_hour": 9,
        "pace_until": night + HOUR,
    }
    assert decide(night, policy, is_joined=True, turn_at=night, **busy) == Send()
    assert decide(night, policy, is_joined=True, turn_at=night - timedelta(minutes=10), **busy) == Send()
    assert decide(night, policy, is_joined=True, **busy) == Send()


def test_ten_minutes_later_it_waits_like_any_other() -> None:
    night = at("2026-03-17 02:00")
    late: dict[str, Any] = {"is_joined": True, "turn_at": night - timedelta(minutes=11)}
    assert decide(night, **late) == Wait(at("2026-03-17 10:00"), Reason.WINDOW)
    assert decide(night, **late, open_question=True) == Wait(night + HOUR, Reason.TURN)


def test_joining_overrules_no_refusal() -> None:
    assert decide(is_joined=True, turn_at=NOW, opted_out=True) == Skip(Reason.OPTED_OUT)
    assert decide(is_joined=True, turn_at=NOW, complaint_open=True) == Skip(Reason.COMPLAINT_OPEN)
    recently = decide(is_joined=True, turn_at=NOW, other_deal_asked_at=NOW)
    assert recently == Skip(Reason.ASKED_RECENTLY)


# Reminders


def remind(now: datetime = NOW, **changes: Any) -> Decision:
    return may_remind(replace(WELL, **changes), now, POLICY, expires_at=NOW + 5 * DAY)


@pytest.mark.parametrize(("changes", "reason"), REFUSALS[:-1])
def test_what_forbids_a_question_forbids_its_reminder(changes: dict[str, Any], reason: Reason) -> None:
    assert remind(**changes) == Skip(reason)


def test_a_reminder_minds_neither_its_own_question_nor_earlier_silence() -> None:
    assert remind(open_question=True, silent_conversations=3, other_deal_asked_at=NOW - DAY) == Send()


def test_a_reminder_waits_for_people_and_for_the_window_but_not_beyond_the_end() -> None:
    assert remind(human_wrote_at=NOW - HOUR) == Wait(NOW + 3 * HOUR, Reason.HUMAN)
    assert remind(at("2026-03-16 21:00")) == Wait(at("2026-03-17 10:00"), Reason.WINDOW)
    assert remind(NOW + 5 * DAY, human_wrote_at=NOW + 5 * DAY) == Skip(Reason.TOO_LATE)
    assert remind(NOW + 6 * DAY) == Skip(Reason.TOO_LATE)


# Reasons


def test_the_codes_of_reports_are_those_of_the_texts() -> None:
    told = (
        "opted_out no_consent no_contact no_phone unreachable complaint_open asked_recently silent "
        "conversation_silent reopened deleted no_subject stop_tag asked_before failed held too_old too_late "
        "old_deal staff"
    )
    assert {str(reason) for reason in Reason if not reason.only_delays} == set(told.split())
    assert {str(reason) for reason in Reason if reason.only_delays} == {
        "window", "turn", "human", "pace", "channel", "service",
    }  # fmt: skip


# Laws


# Built once: made anew for every example, they would take most of the time.
SPANS = st.timedeltas(timedelta(0), timedelta(days=40))
NEAR = st.timedeltas(timedelta(days=-2), timedelta(days=2))
TRUE, FALSE = (st.sampled_from([value] * 9 + [not value]) for value in (True, False))  # mostly
FACTS = st.fixed_dictionaries(
    {
        "trigger": st.sampled_from(["deal_won", "deal_lost", "deal_status", "complaint_closed"]),
        "broken": st.sampled_from([None] * 9 + [Reason.DELETED]),
        "has_contact": TRUE,
        "has_phone": TRUE,
        "reachable": TRUE,
        "is_staff": FALSE,
        "opted_out": FALSE,
        "consents": TRUE,
        "stop_tag": FALSE,
        "asked_before": FALSE,
        "complaint_open": FALSE,
        "silent_conversations": st.integers(0, 3),
        "open_question": st.booleans(),
        "sent_last_hour": st.integers(0, 9),
        "is_joined": st.booleans(),
        "is_held": FALSE,
    }
)
AGO = st.fixed_dictionaries(
    {
        "due_at": SPANS,
        "turn_at": st.none() | SPANS,
        "other_deal_asked_at": st.none() | SPANS,
        "client_waits_since": st.none() | SPANS,
        "human_wrote_at": st.none() | SPANS,
        "oldest_of_hour": st.none() | SPANS,
        "pace_until": st.none() | NEAR,
    }
)
POLICIES = st.builds(
    DeliveryPolicy,
    window=windows(),
    pause=SPANS,
    reminder_after=st.none(),
    expires_after=st.timedeltas(timedelta(minutes=1), timedelta(days=20)),
    human_pause=st.timedeltas(timedelta(0), timedelta(days=1)),
    max_per_hour=st.integers(0, 9),
)


def _case(
    now: datetime, facts: dict[str, Any], ago: dict[str, timedelta | None], policy: DeliveryPolicy
) -> tuple[Circumstances, datetime, DeliveryPolicy]:
    moments_of: dict[str, Any] = {name: None if span is None else now - span for name, span in ago.items()}
    return Circumstances(**facts, **moments_of), now, policy


CIRCUMSTANCES = st.builds(_case, moments(), FACTS, AGO, POLICIES)


@given(CIRCUMSTANCES)
@settings(max_examples=200)
def test_every_survey_gets_a_decision_and_waits_only_for_the_future_and_within_its_limit(
    case: tuple[Circumstances, datetime, DeliveryPolicy],
) -> None:
    facts, now, policy = case
    match may_send(facts, now, policy):
        case Wait(until, reason):
            assert until > now
            assert reason is Reason.TURN or until <= limit_of(facts, policy)
            assert reason.only_delays or reason in (Reason.ASKED_RECENTLY, Reason.HELD)
        case Skip(reason):
            assert not reason.only_delays
        case Send():
            assert facts.is_joined or policy.window.is_open(now)
            assert not facts.is_held
            assert now <= limit_of(facts, policy)


@given(CIRCUMSTANCES)
@settings(max_examples=100)
def test_every_reminder_gets_a_decision_within_the_life_of_its_question(
    case: tuple[Circumstances, datetime, DeliveryPolicy],
) -> None:
    facts, now, policy = case
    expires_at = facts.due_at + policy.expires_after
    match may_remind(facts, now, policy, expires_at=expires_at):
        case Wait(until, _):
            assert now < until <= expires_at
        case Skip(reason):
            assert not reason.only_delays
        case Send():
            assert policy.window.is_open(now)
            assert now <= expires_at
