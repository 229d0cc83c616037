"""How the past is walked: back in time, every closed deal met, whatever the crowd."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.rules.past import PastWalk

UNTIL = datetime(2026, 9, 7, 1, tzinfo=UTC)
PAGE = 5


def walk(days: int = 400, *, is_filtered: bool = True) -> PastWalk:
    return PastWalk(since=UNTIL - timedelta(days=days), until=UNTIL, upto=UNTIL, is_filtered=is_filtered)


def walked(going: PastWalk, closed: list[datetime]) -> tuple[PastWalk, set[int]]:
    """To its end, over these deals, by pages of five; and the places of the deals that were met."""
    met: set[int] = set()
    while not going.is_over:
        begins, ends = going.stretch
        if going.is_filtered:
            found = [place for place, at in enumerate(closed) if begins <= at <= ends]
        else:
            found = sorted(range(len(closed)), key=lambda place: closed[place], reverse=True)
        rows = found[(going.page - 1) * PAGE : going.page * PAGE]
        met.update(rows)
        oldest = min((closed[place] for place in rows), default=None)
        going = PastWalk.of(going.as_json())  # as after a restart at every step
        going = going.after(oldest=oldest, rows=len(rows), is_full=len(rows) == PAGE, kept=len(rows))
    return going, met


@given(
    st.lists(st.integers(0, 399 * 86_400), max_size=30),
    st.integers(0, 12),
    st.booleans(),
)
def test_every_closed_deal_is_met_and_the_walk_ends(ages: list[int], crowd: int, is_filtered: bool) -> None:
    """Also where more deals were closed in one second than an answer holds."""
    closed = [UNTIL - timedelta(seconds=age) for age in [*ages, *[86_400] * crowd]]
    done, met = walked(walk(is_filtered=is_filtered), closed)
    assert met == set(range(len(closed)))
    assert done.requests_left == 0


def test_a_quiet_year_takes_few_requests() -> None:
    done, _ = walked(walk(365 * 5), [])
    assert done.requests <= 12


def test_what_is_left_is_told_by_the_time_that_was_walked() -> None:
    assert walk().requests_left is None
    going = walk(28)
    for _ in range(2):  # seven days, and once more: the first was nearly full
        going = going.after(oldest=UNTIL, rows=200, is_full=False, kept=200)
    assert (going.requests_left, going.kept) == (2, 400)


def test_an_earlier_day_is_read_from_where_the_walk_ended() -> None:
    done, _ = walked(walk(30), [])
    more = done.reaching(done.since - timedelta(days=30))
    assert not more.is_over
    assert more.stretch[1] == done.since
    assert done.reaching(done.since + timedelta(days=5)).is_over


def test_a_list_that_is_older_than_the_day_ends_the_walk_without_filters() -> None:
    going = walk(30, is_filtered=False).after(
        oldest=UNTIL - timedelta(days=31), rows=250, is_full=True, kept=9
    )
    assert going.is_over
