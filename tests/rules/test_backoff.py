"""Something failed. When is it tried again, and when no more?"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.rules.backoff import GIVE_UP_AFTER, STEPS, gives_up, next_try

NOW = datetime(2026, 3, 16, 10, tzinfo=UTC)
TENTH = 1.1  # the spread adds less than a tenth


@pytest.mark.parametrize(
    ("attempt", "step"),
    [
        (0, timedelta(seconds=10)),
        (1, timedelta(seconds=10)),
        (2, timedelta(seconds=30)),
        (3, timedelta(minutes=2)),
        (4, timedelta(minutes=10)),
        (5, timedelta(minutes=30)),
        (6, timedelta(hours=1)),
        (7, timedelta(hours=3)),
        (8, timedelta(hours=3)),
        (10_000, timedelta(hours=3)),
    ],
)
def test_the_pauses_grow(attempt: int, step: timedelta) -> None:
    assert step <= next_try(attempt, NOW) - NOW < step * TENTH


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        (timedelta(seconds=90), timedelta(seconds=90)),
        (timedelta(minutes=15), timedelta(minutes=15)),
        (timedelta(0), timedelta(seconds=10)),  # nobody is hammered
        (timedelta(seconds=-5), timedelta(seconds=10)),
        (timedelta(days=30), timedelta(days=1)),
    ],
)
def test_what_the_service_asks_for_counts_instead(asked: timedelta, pause: timedelta) -> None:
    for attempt in (1, 9):
        assert pause <= next_try(attempt, NOW, asked) - NOW < pause * TENTH


def test_those_that_failed_together_do_not_come_back_together() -> None:
    assert len({next_try(3, NOW, key=key) for key in range(100)}) == 100


@given(st.integers(-5, 10**6), st.integers(0, 2**63), st.none() | st.timedeltas())
@settings(max_examples=100)
def test_a_try_is_always_in_the_future_and_the_same_for_the_same_row(
    attempt: int, key: int, asked: timedelta | None
) -> None:
    again = next_try(attempt, NOW, asked, key=key)
    assert NOW + timedelta(seconds=10) <= again < NOW + timedelta(days=1.1)
    assert again == next_try(attempt, NOW, asked, key=key)


@pytest.mark.parametrize(
    ("attempt", "age", "does"),
    [
        (7, timedelta(days=3), True),
        (30, timedelta(days=4), True),
        (30, timedelta(days=2, hours=23), False),
        (1, timedelta(days=9), False),  # the worker was off, not the other side
    ],
)
def test_after_three_days_of_trying_it_is_given_up(attempt: int, age: timedelta, does: bool) -> None:
    assert gives_up(attempt, NOW, NOW + age) is does


def test_a_row_that_keeps_failing_is_given_up_soon_after_three_days() -> None:
    now, attempt = NOW, 1
    while not gives_up(attempt, NOW, now):
        now, attempt = next_try(attempt, now), attempt + 1
    assert GIVE_UP_AFTER <= now - NOW < GIVE_UP_AFTER + STEPS[-1] * TENTH
