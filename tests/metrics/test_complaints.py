"""How many complaints came, and how long they took."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import (
    CSAT,
    NOW,
    QUARTER,
    SPRING,
    SUMMER,
    ZONE,
    complaint,
    of_complaints,
    sales,
    survey,
)
from worker.metrics.base import ComplaintFact, Promises, SurveyFact
from worker.metrics.stats import rounded
from worker.rules.calendar import Calendar, parse_days, parse_duration, parse_hours, parse_period

DAY = 86_400
PROMISES = Promises(
    calendar=Calendar(zone=ZONE, work_days=parse_days("mon-fri"), work_hours=parse_hours("09:00-18:00")),
    taken=parse_duration("1h"),
    contacted=parse_duration("1bd"),
)


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
    assert result.ages.median == 20 * DAY
    assert result.ages.counts == {"0-1": 0, "1-3": 0, "3-7": 0, "7-30": 2, "30+": 1}


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
    nothing = of_complaints(promises=PROMISES).as_json()
    durations = ("resolution_mean", "resolution_median", "resolution_p90", "oldest_open", "open_median")
    shares = ("per_100_won", "reopened_share", "topic_filled_share", "recovered_share")
    assert {nothing[key] for key in (*durations, *shares)} == {None}
    assert [nothing[key] for key in ("opened", "closed", "open_now", "resolved", "rejected")] == [0] * 5
    assert nothing["open_by_age"] == {"0-1": 0, "1-3": 0, "3-7": 0, "7-30": 0, "30+": 0}
    assert nothing["take"]["share"] is nothing["contact"]["business_median"] is None
    assert nothing["solved_csat"] == {"answered": 0, "mean": None, "satisfied_share": None, "ci95": None}
    assert of_complaints().as_json()["take"] is None  # nothing is known of what was promised


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


# What kind they were


def test_nine_complaints_to_sixty_won_deals() -> None:
    written = of_complaints(*[complaint(1)] * 9, won=sales(60, 1)).as_json()
    assert (written["per_100_won"], written["per_100_won_ci95"]) == (15.0, [8.1, 26.11])


def test_more_complaints_than_won_deals_are_a_rate_and_no_share() -> None:
    written = of_complaints(*[complaint(1)] * 3, won=sales(2, 1)).as_json()
    assert (written["per_100_won"], written["per_100_won_ci95"]) == (150.0, None)


def test_rejected_ones_are_apart_from_resolved_ones() -> None:
    ends = [complaint(1, is_solved=True)] * 3 + [complaint(1, is_solved=False)]
    result = of_complaints(*ends)
    assert (result.closed, result.resolved, result.rejected) == (4, 3, 1)


def test_every_age_is_in_one_bucket() -> None:
    ages = [0, 0.99, 1, 2.99, 3, 7, 29.99, 30, 400, -0.1]  # the last one by a clock that is fast
    result = of_complaints(*(complaint(opened=NOW - timedelta(days=age)) for age in ages))
    assert result.ages.counts == {"0-1": 3, "1-3": 2, "3-7": 1, "7-30": 2, "30+": 2}
    assert result.ages.oldest == 400 * DAY
    assert [one.age for one in result.ages.open] == sorted(
        (one.age for one in result.ages.open), reverse=True
    )


def test_one_that_was_opened_again_is_counted_by_when_it_came() -> None:
    """Of four that were ever closed two were opened again, one of them is open still."""
    rows = [complaint(3), complaint(9, reopened=2), complaint(4), complaint(reopened=1), complaint()]
    result = of_complaints(*rows)
    assert (result.reopened.part, result.reopened.value) == (2, 50.0)
    assert result.as_json()["reopened_share"] == 50.0


def test_by_topic_the_commonest_first_and_those_without_one() -> None:
    topics = ["Монтаж", "", "Сроки", "Монтаж", "", "Монтаж"]
    result = of_complaints(*(complaint(1, topic=topic) for topic in topics))
    assert list(result.by_topic.items()) == [("Монтаж", 3), ("", 2), ("Сроки", 1)]
    assert (result.topic_filled.part, result.topic_filled.whole) == (4, 6)
    assert sum(result.by_topic.values()) == result.opened


def test_by_what_opened_them() -> None:
    result = of_complaints(complaint(1), complaint(by_hand=True), complaint(by_hand=True))
    assert (result.by_score, result.by_hand) == (1, 2)


def test_by_manager_as_of_the_survey_and_two_of_one_name_apart() -> None:
    rows = [
        complaint(1, manager_id=7, manager="Олег"),
        complaint(manager_id=7, manager="Олег С.", opened=SUMMER + timedelta(days=1)),
        complaint(1, manager_id=8, manager="Мария", closed_by=8),
        complaint(manager_id=9, manager="Мария", reopened=1, opened=SPRING),
        complaint(by_hand=True),
    ]
    result = of_complaints(*rows)
    assert list(result.by_manager) == ["Олег С.", "Мария (8)", "Мария (9)"]
    oleg, maria, other = result.by_manager.values()
    assert (oleg.opened, oleg.closed, oleg.open_now, oleg.closed_by_own) == (2, 1, 1, 0)
    assert (maria.opened, maria.closed, maria.closed_by_own) == (1, 1, 1)
    assert (other.opened, other.open_now, other.reopened) == (0, 1, 0)


def test_who_closed_their_own_is_counted_where_both_are_known() -> None:
    rows = [
        complaint(1, manager_id=7, closed_by=7),
        complaint(1, manager_id=7, closed_by=8),
        complaint(1, manager_id=7),
        complaint(1, closed_by=7),
    ]
    written = of_complaints(*rows).as_json()
    assert (written["closed_by_own"], written["closed_by_known"]) == (1, 2)


def test_what_was_closed_on_a_day_before_it_came_took_no_time() -> None:
    assert of_complaints(complaint(-3)).resolution_mean == 0


# In time


def at(day: int, hour: float) -> datetime:
    """A moment of July 2026 by the company's clock; the 1st is a Wednesday."""
    return datetime(2026, 7, day, tzinfo=ZONE) + timedelta(hours=hour)


def test_taken_within_the_working_hour_that_was_promised() -> None:
    rows = [
        complaint(opened=at(1, 10), taken_at=at(1, 10.5)),
        complaint(opened=at(1, 17.5), taken_at=at(2, 9.5)),  # 30 minutes before the night, 30 after
        complaint(opened=at(4, 12), taken_at=at(6, 9.25)),  # on Saturday; working time begins on Monday
        complaint(opened=at(1, 10), taken_at=at(1, 12)),
        complaint(opened=at(1, 10)),  # nobody has
        complaint(opened=at(1, 10), closed_at=at(1, 10.75), is_open=False),  # who closes it has taken it
        complaint(opened=at(1, 10), by_hand=True),  # nobody was told of it
        complaint(opened=at(1, 10), is_open=False),  # moved away
        complaint(opened=at(10, 9), taken_at=at(10, 9.5)),  # its hour is not over
    ]
    result = of_complaints(*rows, now=at(10, 9.75), promises=PROMISES)
    assert result.take is not None
    assert (result.take.kept.part, result.take.kept.whole) == (4, 6)
    minutes = 60
    assert (result.take.median, result.take.p90) == (37.5 * minutes, 120 * minutes)


def test_eight_of_ten_clients_were_spoken_to_in_time() -> None:
    day = at(1, 10)
    spoken = [complaint(opened=day, contacted_at=day + timedelta(hours=20))] * 7
    solved = [complaint(opened=day, closed_at=at(1, 15), is_open=False, is_solved=True)]
    late = [complaint(opened=day, contacted_at=at(3, 10))]
    rejected = [complaint(opened=day, closed_at=at(1, 15), is_open=False, is_solved=False)]
    young = [complaint(opened=at(8, 10))] * 5
    result = of_complaints(*spoken, *solved, *late, *rejected, *young, now=at(9, 9), promises=PROMISES)
    assert result.contact is not None
    written = result.contact.as_json()
    assert (written["within"], written["due"], written["share"]) == (8, 10, 80.0)
    assert written["ci95"] == [49.02, 94.33]


# What clients say afterwards


def solved(score: int, **known: Any) -> SurveyFact:
    return survey(CSAT, score, is_of_complaint=True, **known)


def test_how_clients_liked_the_solution() -> None:
    said = [solved(score) for score in (5, 5, 5, 4, 4, 3, 2, 5, 4, 1)]
    others = [survey(CSAT, 1), survey(CSAT, None, is_of_complaint=True), solved(1, settled_at=SPRING)]
    written = of_complaints(asked=[*said, *others]).as_json()["solved_csat"]
    assert written == {"answered": 10, "mean": 3.8, "satisfied_share": 70.0, "ci95": [39.68, 89.22]}


def test_too_few_answers_and_marks_of_two_scales_have_no_mean() -> None:
    few = of_complaints(asked=[solved(5)] * 4).as_json()["solved_csat"]
    assert (few["answered"], few["mean"], few["satisfied_share"]) == (4, None, None)
    both = [solved(5, scale="seed5")] * 5 + [solved(5, scale="csat532")] * 5
    assert of_complaints(asked=both).as_json()["solved_csat"]["mean"] is None


def test_recovered_are_those_who_rate_the_solution_above_the_threshold() -> None:
    rated = [complaint(1, is_content=content) for content in (True, True, True, False, None)]
    by_hand = complaint(1, is_content=True, by_hand=True)  # there was no low score before
    written = of_complaints(*rated, by_hand, min_answers=1).as_json()
    assert (written["recovered"], written["rerated"], written["recovered_share"]) == (3, 4, 75.0)
    assert of_complaints(*rated).as_json()["recovered_share"] is None


counted = st.builds(
    lambda days, back, **known: complaint(days, opened=NOW - timedelta(days=back), **known),
    st.none() | st.floats(0, 60),
    st.floats(0, 150),
    is_solved=st.sampled_from([None, True, False]),
    reopened=st.integers(0, 3),
    by_hand=st.booleans(),
    topic=st.sampled_from(["", "Монтаж", "Сроки"]),
    manager_id=st.integers(0, 3),
)


@given(st.lists(counted, max_size=20))
def test_the_parts_make_up_the_whole(rows: list[ComplaintFact]) -> None:
    result = of_complaints(*rows, promises=PROMISES)
    assert sum(result.ages.counts.values()) == len(result.ages.open) == result.open_now
    assert sum(result.by_topic.values()) == result.by_score + result.by_hand == result.opened
    assert result.reopened.part <= result.reopened.whole <= result.opened
    known = [row for row in rows if row.manager_id and QUARTER.contains(row.opened_at)]
    assert sum(of.opened for of in result.by_manager.values()) == len(known)
    assert result.take is not None
    assert result.take.kept.part <= result.take.kept.whole <= result.by_score


def test_two_of_one_name_are_told_apart_among_the_open_ones_too() -> None:
    of_two = [complaint(manager_id=number, manager="Олег", number=number) for number in (7, 8)]
    result = of_complaints(*of_two)
    assert {one.number: one.manager for one in result.ages.open} == {7: "Олег (7)", 8: "Олег (8)"}
    assert [*result.by_manager] == ["Олег (7)", "Олег (8)"]
