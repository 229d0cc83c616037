"""Were these deals closed in a clean-up, or is it only a busy hour?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.rules.crowds import HOUR, crowds, spans

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def closed(*minutes: int) -> dict[int, datetime]:
    """Deals 0, 1, 2 … that closed so many minutes after noon."""
    return {deal: NOON + minute * MINUTE for deal, minute in enumerate(minutes)}


def test_as_many_as_are_allowed_are_no_crowd() -> None:
    assert crowds(closed(0, 0, 0), more_than=3) == ()
    assert crowds(closed(0, 0, 0, 0), more_than=3) == (frozenset({0, 1, 2, 3}),)


def test_the_hour_slides() -> None:
    assert crowds(closed(0, 30, 59, 61), more_than=3) == ()
    assert crowds(closed(40, 50, 59, 70, 200), more_than=3) == (frozenset({0, 1, 2, 3}),)


def test_two_crowds_far_apart_are_decided_apart() -> None:
    assert crowds(closed(0, 0, 300, 300), more_than=1) == (frozenset({0, 1}), frozenset({2, 3}))


def test_never_means_never() -> None:
    assert crowds(closed(*[0] * 100), more_than=0) == ()


@given(st.lists(st.integers(0, 600), max_size=40), st.integers(1, 6))
def test_whoever_closed_with_enough_others_is_in_a_crowd_and_nobody_else(
    minutes: list[int], more_than: int
) -> None:
    found = crowds(closed(*minutes), more_than)
    ordered = sorted(minutes)
    held = {
        minute
        for start in ordered
        if len(together := [one for one in ordered if start <= one <= start + 60]) > more_than
        for minute in together
    }
    inside = frozenset().union(*found) if found else frozenset()
    assert {minutes[deal] for deal in inside} == held
    assert sum(map(len, found)) == len(inside)


def test_what_is_near_to_several_is_looked_at_once() -> None:
    assert spans([NOON, NOON + 90 * MINUTE, NOON + 600 * MINUTE]) == (
        (NOON - HOUR, NOON + 150 * MINUTE),
        (NOON + 540 * MINUTE, NOON + 660 * MINUTE),
    )
