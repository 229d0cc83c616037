"""What the events of a complaint deal come to: one clock from the first opening to the last closing."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.complaint_turns import Course, Place, Turn, course, together, turns_of

NOON = datetime(2026, 9, 8, 12, tzinfo=UTC)
SALES, HERE = 1, 9
NEW, WORK, WON, LOST = 10, 11, 142, 143


def at(hour: float) -> datetime:
    return NOON + timedelta(hours=hour)


def told(*path: Place, by: int = 7) -> list[Turn]:
    """The deal stands at the first of these places, and goes to the next one every hour."""
    moves = pairwise(path)
    return [
        turn
        for hour, (before, after) in enumerate(moves, 1)
        for turn in turns_of(f"e{hour}", at(hour), by, before, after, HERE)
    ]


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ([(HERE, NEW), (HERE, WORK)], Course()),
        ([(SALES, NEW), (HERE, NEW)], Course(entered_at=at(1))),
        ([(SALES, WON), (HERE, NEW), (HERE, WON)], Course(entered_at=at(1), closed_at=at(2), closed_by=7)),
        ([(SALES, NEW), (HERE, LOST)], Course(entered_at=at(1), closed_at=at(1), closed_by=7)),
        ([(HERE, NEW), (HERE, WON), (HERE, WORK)], Course(reopened=1)),
        # Closed, opened again, closed: one complaint whose clock runs to the last closing.
        (
            [(HERE, NEW), (HERE, WON), (HERE, WORK), (HERE, LOST)],
            Course(closed_at=at(3), closed_by=7, reopened=1),
        ),
        # From one final stage to the other is no new closing.
        ([(HERE, NEW), (HERE, LOST), (HERE, WON)], Course(closed_at=at(1), closed_by=7)),
        # Away and back while it is open: neither closed nor opened again.
        ([(HERE, NEW), (SALES, NEW), (HERE, WORK), (HERE, WON)], Course(closed_at=at(3), closed_by=7)),
        # Closed, then moved away: solved all the same.
        ([(HERE, NEW), (HERE, WON), (SALES, NEW)], Course(closed_at=at(1), closed_by=7)),
        ([(HERE, NEW), (HERE, WON), (SALES, NEW), (HERE, WORK)], Course(reopened=1)),
        # Its closing is forgotten by amoCRM already.
        ([(HERE, WON), (HERE, WORK)], Course(reopened=1)),
        # What happens elsewhere does not matter.
        ([(SALES, NEW), (SALES, WON), (SALES, NEW)], Course()),
    ],
)
def test_a_path_through_the_pipelines(path: list[Place], known: Course) -> None:
    assert course(told(*path)) == known


def test_what_was_told_before_is_told_again_once() -> None:
    turns = told((SALES, NEW), (HERE, LOST), (HERE, WORK), (HERE, WON))
    kept = [Turn.of(turn.as_json()) for turn in turns]
    assert together(kept, reversed(turns)) == turns
    assert together(kept[:2], turns[2:]) == turns  # The first ones are forgotten there by now.


places = st.tuples(st.sampled_from([SALES, HERE]), st.sampled_from([NEW, WORK, WON, LOST]))


@given(st.lists(places, min_size=2, max_size=12))
def test_the_clock_ends_with_the_last_closing_if_it_stands_closed(path: list[Place]) -> None:
    moves = [path[0], *(after for before, after in pairwise(path) if after != before)]
    known = course(told(*moves))
    stands = moves[-1]
    if len(moves) > 1 and stands[0] == HERE:
        assert (known.closed_at is not None) == (stands[1] in (WON, LOST))
    assert known.reopened <= len(moves) - 1
