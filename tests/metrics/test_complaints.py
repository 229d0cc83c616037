"""How many complaints came, and how long they took."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import NOW, QUARTER, SPRING, SUMMER, ZONE, complaint, of_complaints
from worker.metrics.stats import rounded
from worker.rules.calendar import parse_period

DAY = 86_400


def test_the_worked_complaints() -> None:
    closed = [complaint(days) for days in (1, 2, 2, 3, 4, 5, 30)]
    waiting = [complaint(opened=NOW - timedelta(days=days)) for days in (10, 20, 40)]
    result = of_complaints(*closed, *waiting)
    assert (result.closed, result.open_now) == (7, 3)
    assert rounded((result.resolution_mean or 0) / DAY) == 6.71
    assert result.resolution_median == 3 * DAY
    assert result.resolution_p90 == 30 * DAY
    assert result.oldest_open == 40 * DAY
    assert result.typical == 4 * DAY  # Kaplan–Meier, with those that are open


def test_a_complaint_is_opened_and_closed_on_its_own_days() -> None:
    result = of_complaints(complaint(90, opened=SPRING), complaint(90, opened=SUMMER))
    assert (result.opened, result.closed) == (1, 1)  # one came before, one was closed after
    assert result.resolution_mean == 90 * DAY


def test_half_past_midnight_is_the_next_day_where_the_company_is() -> None:
    row = complaint(1, opened=datetime(2026, 6, 30, 14, 30, tzinfo=UTC))
    assert of_complaints(row).opened == 1


def test_open_ones_are_of_now_whenever_they_came() -> None:
    old = complaint(opened=NOW - timedelta(days=200))
    result = of_complaints(old)
    assert (result.opened, result.open_now, result.oldest_open) == (0, 1, 200 * DAY)


def test_one_that_was_moved_away_came_and_is_not_open() -> None:
    result = of_complaints(complaint(is_open=False))
    assert (result.opened, result.closed, result.open_now, result.oldest_open) == (1, 0, 0, None)
    assert result.typical is None


def test_nothing_is_undefined_and_not_nought() -> None:
    assert of_complaints().as_json() == {
        "opened": 0,
        "closed": 0,
        "open_now": 0,
        "resolution_mean": None,
        "resolution_median": None,
        "resolution_p90": None,
        "oldest_open": None,
    }


def test_seconds_are_whole_where_they_are() -> None:
    written = of_complaints(complaint(1), complaint(3)).as_json()
    assert written["resolution_mean"] == 172800
    assert isinstance(written["resolution_mean"], int)
    third = of_complaints(complaint(1), complaint(1), complaint(1 + 1 / DAY)).as_json()
    assert third["resolution_mean"] == 86400.33


def test_counts_of_a_running_period_are_compared_with_as_many_days() -> None:
    """On 10 July ten days have begun: April 1 to 10 are what they are compared with, not the whole spring."""
    now = datetime(2026, 7, 10, 3, tzinfo=UTC)
    april = [datetime(2026, 4, day, 3, tzinfo=UTC) for day in (2, 10, 11, 30)]
    result = of_complaints(*(complaint(0.1, opened=day) for day in april), now=now)
    assert (result.opened_before, result.closed_before) == (2, 2)
    assert of_complaints(*(complaint(0.1, opened=day) for day in april)).opened_before == 4


def test_a_period_to_come_has_nothing_before_it() -> None:
    result = of_complaints(complaint(1, opened=SPRING), now=SPRING, period=parse_period("2027", ZONE))
    assert result.opened_before == 0


@given(st.lists(st.floats(0.01, 60), min_size=1, max_size=30))
def test_a_resolution_time_lies_between_the_shortest_and_the_longest(days: list[float]) -> None:
    begins = QUARTER.begins
    result = of_complaints(*(complaint(length, opened=begins) for length in days))
    shortest, longest = min(days) * DAY - 1, max(days) * DAY + 1
    for figure in (result.resolution_mean, result.resolution_median, result.resolution_p90, result.typical):
        assert figure is not None
        assert shortest <= figure <= longest
