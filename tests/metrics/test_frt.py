"""How soon clients are answered: whose waits count, for how long, and when nothing can be said."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.metrics.base import ChatFact, Correspondence, Facts
from worker.metrics.frt import FrtResult, Problem, compute
from worker.metrics.stats import mean, median, median_interval, nearest_rank, quantile
from worker.metrics.waits import Wait, waits
from worker.rules.calendar import Calendar, Period, parse_days, parse_hours, parse_period

ZONE = ZoneInfo("Asia/Vladivostok")
MARCH = parse_period("2024-03", ZONE)
LATER = datetime(2024, 4, 10, 12, tzinfo=ZONE)
OLEG, IRINA = 77, 88
MINUTE = 60.0


def calendar(zone: ZoneInfo = ZONE, country: str = "RU") -> Calendar:
    return Calendar(
        zone=zone, work_days=parse_days("mon-fri"), work_hours=parse_hours("09:00-18:00"), country=country
    )


def at(text: str, zone: ZoneInfo = ZONE) -> datetime:
    """«4 10:00»: in March 2024, whose 4th is a Monday."""
    day, time = text.split()
    return datetime.combine(date(2024, 3, int(day)), datetime.strptime(time, "%H:%M").time(), zone)  # noqa: DTZ007


def asks(text: str, talk: str = "talk:1", **known: Any) -> ChatFact:
    return ChatFact(**{"at": at(text), "kind": "in", "talk": talk, "manager_id": OLEG, **known})


def answers(text: str, talk: str = "talk:1", user_id: int = OLEG, **known: Any) -> ChatFact:
    return ChatFact(at=at(text), kind="out", talk=talk, user_id=user_id, **known)


def ends(text: str, talk: str = "talk:1") -> ChatFact:
    return ChatFact(at=at(text), kind="end", talk=talk)


def found(*messages: ChatFact, by: Calendar | None = None, now: datetime = LATER) -> list[Wait]:
    return list(waits(messages, by or calendar(), now))


def told(messages: Iterable[ChatFact], **known: Any) -> Correspondence:
    made = Correspondence(
        calendar=calendar(), target=timedelta(minutes=15), messages=tuple(messages),
        since=at("1 00:00") - timedelta(days=100), until=LATER,
    )  # fmt: skip
    return replace(made, **known)


def result(
    messages: Iterable[ChatFact],
    *,
    now: datetime = LATER,
    period: Period = MARCH,
    min_answers: int = 1,
    **known: Any,
) -> FrtResult:
    people = {OLEG: "Олег Смирнов", IRINA: "Ирина Ким"}
    facts = Facts(now=now, min_answers=min_answers, correspondence=told(messages, **known), people=people)
    return compute(facts, period)


def took(minutes: Iterable[float], user_id: int = OLEG, talk: str = "talk") -> list[ChatFact]:
    """Each asked on the first of March at nine in a chat of its own, and answered after so many minutes."""
    nine = at("1 09:00")
    rows = []
    for number, after in enumerate(minutes):
        name = f"{talk}:{user_id}:{number}"
        rows += [
            ChatFact(at=nine, kind="in", talk=name, manager_id=user_id),
            ChatFact(at=_working(nine, after), kind="out", talk=name, user_id=user_id),
        ]
    return rows


def _working(start: datetime, minutes: float) -> datetime:
    return calendar().add_work_time(start, timedelta(minutes=minutes))


# --- the worked numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "answered", "lasting", "working", "is_off_hours"),
    [
        ("4 10:00", "4 10:12", 12, 12, False),
        ("4 17:50", "5 09:20", 930, 30, False),
        ("4 08:00", "4 08:30", 30, 0, True),  # before opening
        ("7 17:30", "11 09:30", 5280, 60, False),  # 8 March is a holiday
        ("8 20:00", "11 09:05", 3665, 5, False),
        ("9 12:00", "10 13:00", 1500, 0, True),
        ("4 10:00", "4 10:00", 0, 0, False),  # within the same second of working hours
    ],
)
def test_a_wait_lasts_as_long_as_the_company_works(
    asked: str, answered: str, lasting: float, working: float, is_off_hours: bool
) -> None:
    (wait,) = found(asks(asked), answers(answered))
    assert (wait.lasting, wait.working) == (lasting * MINUTE, working * MINUTE)
    assert wait.is_off_hours is is_off_hours


def test_without_holidays_the_eighth_of_march_is_worked() -> None:
    (wait,) = found(asks("7 17:30"), answers("11 09:30"), by=calendar(country=""))
    assert wait.working == 600 * MINUTE


def test_the_night_that_loses_an_hour_takes_it_from_the_calendar_only() -> None:
    berlin = ZoneInfo("Europe/Berlin")  # on 31 March 2024 the clocks go forward
    (wait,) = found(
        ChatFact(at=at("29 17:50", berlin), kind="in", talk="talk:1"),
        ChatFact(at=datetime(2024, 4, 2, 9, 20, tzinfo=berlin), kind="out", talk="talk:1", user_id=OLEG),
        by=calendar(berlin, "DE"),  # Good Friday and Easter Monday are none of it either
    )
    assert wait.working == 20 * MINUTE
    (spring,) = found(
        ChatFact(at=at("29 17:50", berlin), kind="in", talk="talk:1"),
        ChatFact(at=datetime(2024, 4, 1, 9, 20, tzinfo=berlin), kind="out", talk="talk:1", user_id=OLEG),
        by=calendar(berlin, ""),
    )
    assert (spring.working, spring.lasting) == (30 * MINUTE, (62 * 60 + 30) * MINUTE)


TEN = (3, 4, 5, 8, 12, 15, 20, 45, 90, 600)


def test_one_forgotten_chat_moves_the_mean_sixfold_and_not_the_median() -> None:
    total = result(took(TEN)).total
    assert total is not None
    assert total.mean == pytest.approx(80.2 * MINUTE)
    assert total.median == 13.5 * MINUTE
    assert total.p90 == 90 * MINUTE
    assert (total.within.part, total.within.whole, total.within.value) == (6, 10, 60.0)
    assert total.interval == (4 * MINUTE, 90 * MINUTE)
    assert (mean(TEN), median(TEN), nearest_rank(TEN, 0.9)) == (80.2, 13.5, 90)
    assert quantile(TEN, 0.9) == pytest.approx(141)


@pytest.mark.parametrize(("number", "first", "last"), [(6, 1, 6), (10, 2, 9), (30, 10, 21), (100, 40, 61)])
def test_the_interval_of_a_median_lies_between_two_observed_values(
    number: int, first: int, last: int
) -> None:
    """The ranks of Campbell and Gardner."""
    assert median_interval(range(1, number + 1)) == (first, last)
    assert median_interval(range(5)) is None


# --- what begins a wait, and what ends it ------------------------------------------------------------------


def test_of_several_messages_in_a_row_the_first_one_counts() -> None:
    (wait,) = found(asks("4 10:00"), asks("4 10:05"), asks("4 10:20"), answers("4 10:30"))
    assert wait.working == 30 * MINUTE


def test_further_answers_answer_nothing_and_the_next_question_begins_anew() -> None:
    rows = found(asks("4 10:00"), answers("4 10:10"), answers("4 10:30"), asks("4 11:00"), answers("4 11:01"))
    assert [wait.working for wait in rows] == [10 * MINUTE, MINUTE]


def test_who_writes_first_has_answered_nobody() -> None:
    assert found(answers("4 10:00")) == []


def test_a_robot_answers_nobody_and_ours_neither_asks_nor_answers() -> None:
    rows = found(
        asks("4 10:00"),
        answers("4 10:01", user_id=0),  # a robot, or a phone
        answers("4 10:02", is_ours=True),  # our question, sent in a person's name
        answers("4 10:20"),
        asks("5 10:00", is_ours=True),  # the client's score
    )
    assert [(wait.working, wait.person) for wait in rows] == [(20 * MINUTE, OLEG)]


def test_of_one_second_the_question_came_before_the_answer() -> None:
    (wait,) = found(answers("4 10:00"), asks("4 10:00"))
    assert wait.answered_at is not None


def test_the_answer_is_whose_wrote_it_and_the_wait_without_one_whose_deal_it_is() -> None:
    rows = found(asks("4 10:00"), answers("4 10:10", user_id=IRINA), asks("5 10:00"))
    assert [(wait.person, wait.is_open) for wait in rows] == [(IRINA, False), (OLEG, True)]


def test_a_conversation_that_is_closed_waits_no_longer() -> None:
    (wait,) = found(asks("4 10:00"), ends("4 12:00"))
    assert (wait.is_open, wait.is_ended, wait.working) == (False, True, 120 * MINUTE)
    assert found(ends("4 12:00")) == []


# --- the figures -------------------------------------------------------------------------------------------


def test_answers_outside_working_hours_do_not_flatter() -> None:
    total = result([*took([30, 40]), asks("9 12:00"), answers("10 13:00")]).total
    assert total is not None
    assert (total.answered, total.off_hours, total.median) == (2, 1, 35 * MINUTE)


def test_who_never_answers_is_not_among_the_quick() -> None:
    never = [asks(f"{day} 10:00", f"talk:n{day}", manager_id=IRINA) for day in (4, 5, 6, 7)]
    quick_once = [asks("11 10:00", "talk:q", manager_id=IRINA), answers("11 10:01", "talk:q", IRINA)]
    board = result([*took([50] * 6), *never, *quick_once]).by_manager
    assert list(board) == ["Олег Смирнов", "Ирина Ким"]
    irina = board["Ирина Ким"]
    assert (irina.answered, irina.unanswered, irina.overdue) == (1, 4, 4)
    assert irina.longest == (LATER - at("4 10:00")).total_seconds()  # by the calendar


def test_the_surest_quick_one_comes_first() -> None:
    board = result([*took([1, 60, 120, 60, 60, 90]), *took([10] * 6, IRINA)]).by_manager
    assert list(board) == ["Ирина Ким", "Олег Смирнов"]


def test_a_question_belongs_to_its_day_and_may_be_answered_later() -> None:
    late = ChatFact(at=datetime(2024, 4, 1, 9, 10, tzinfo=ZONE), kind="out", talk="talk:1", user_id=OLEG)
    total = result([asks("29 17:55"), late]).total
    assert total is not None
    assert (total.answered, total.unanswered, total.median) == (1, 0, 15 * MINUTE)
    april = parse_period("2024-04", ZONE)
    next_month = result(
        [asks("29 17:55"), late, replace(asks("29 17:55"), at=late.at, talk="t")], period=april
    )
    assert next_month.total is not None
    assert (next_month.total.answered, next_month.total.unanswered) == (0, 1)


def test_what_has_not_been_read_yet_may_hold_the_answer() -> None:
    read_until = at("4 10:20")
    total = result([*took([5]), asks("4 10:00")], now=at("5 12:00"), until=read_until).total
    assert total is not None
    assert (total.unanswered, total.overdue, total.longest) == (1, 1, 20 * MINUTE)


def test_with_few_answers_there_are_counts_and_no_speed() -> None:
    written = result(took([5, 6]), min_answers=5).as_json()
    assert (written["answered"], written["within"]) == (2, 2)
    assert [written[key] for key in ("business_median", "business_p90", "within_share", "ci95")] == [None] * 4


def test_the_period_before_is_compared_by_the_share_in_time() -> None:
    before = [replace(one, at=one.at - timedelta(days=28), talk=f"b{one.talk}") for one in took([60] * 20)]
    rows = result([*before, *took([5] * 20)])
    assert rows.significant is True
    assert rows.as_json()["previous"] == {"answered": 20, "business_median": 3600, "within_share": 0.0}
    assert result([*before, *took([5] * 20)], since=at("1 00:00")).before is None  # it was not read


def test_a_manager_is_shown_own_waits_only() -> None:
    rows = result(
        [*took([5] * 6), *took([9] * 6, IRINA), asks("4 10:00"), asks("4 10:00", "talk:2", manager_id=IRINA)],
        managers=frozenset({IRINA}),
    )
    assert list(rows.by_manager) == ["Ирина Ким"]
    assert rows.total is not None
    assert (rows.total.answered, rows.total.unanswered) == (6, 1)
    assert (rows.incoming, rows.outgoing) == (7, 6)


def test_who_follows_a_pipeline_is_shown_its_waits() -> None:
    here, there = asks("4 10:00", pipeline_id=1), asks("4 11:00", "talk:2", pipeline_id=2)
    total = result([here, there, answers("4 11:30", "talk:2")], pipelines=frozenset({1})).total
    assert total is not None
    assert (total.answered, total.unanswered) == (0, 1)


def test_a_wait_of_nobody_is_told_apart() -> None:
    rows = result([*took([5]), asks("4 10:00", manager_id=0)])
    assert rows.of_nobody == 1
    assert list(rows.by_manager) == ["Олег Смирнов"]


# --- can it be told at all? --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("incoming", "by_people", "by_nobody", "problem"),
    [
        (0, 0, 0, Problem.NOTHING),
        (0, 40, 0, Problem.NO_INCOMING),
        (1, 40, 0, Problem.NO_INCOMING),
        (1, 0, 40, Problem.NO_INCOMING),
        (3, 9, 0, None),
        (30, 0, 40, Problem.NO_ANSWERS),
        (30, 0, 0, Problem.NO_ANSWERS),
        (5, 0, 0, None),  # few, and nobody has answered
        (40, 30, 10, None),
    ],
)
def test_an_account_that_tells_of_one_side_only_gets_no_number(
    incoming: int, by_people: int, by_nobody: int, problem: Problem | None
) -> None:
    rows = [
        *(asks("4 10:00", f"talk:{number}") for number in range(incoming)),
        *(answers("4 10:05", f"talk:{number}") for number in range(by_people)),
        *(answers("4 10:05", f"talk:{number}", 0) for number in range(by_nobody)),
    ]
    made = result(rows)
    assert made.problem is problem
    assert (made.incoming, made.outgoing, made.without_author) == (incoming, by_people, by_nobody)
    written = made.as_json()
    assert (written["answered"] is None) is (problem is not None)
    assert bool(written["by_manager"]) is (problem is None)


def test_nothing_known_is_nothing_told() -> None:
    assert compute(Facts(now=LATER), MARCH).as_json()["problem"] == "nothing"


MOMENTS = st.integers(0, 60 * 24 * 20).map(lambda minutes: at("1 00:00") + timedelta(minutes=minutes))
MESSAGES = st.lists(
    st.builds(
        ChatFact,
        at=MOMENTS,
        kind=st.sampled_from(["in", "out", "end"]),
        talk=st.sampled_from(["a", "b"]),
        user_id=st.sampled_from([0, OLEG]),
        is_ours=st.booleans(),
    ),
    max_size=12,
)


@given(MESSAGES, st.randoms())
def test_waits_do_not_depend_on_the_order_of_reading_and_last_no_less_than_nothing(
    messages: list[ChatFact], random: Any
) -> None:
    # Of two messages of one second and one kind nobody knows the order.
    unique = list({(one.at, one.kind, one.talk): one for one in messages}.values())
    shuffled = random.sample(unique, len(unique))
    assert found(*shuffled) == found(*unique)
    assert all(0 <= wait.working <= wait.lasting for wait in found(*unique))
