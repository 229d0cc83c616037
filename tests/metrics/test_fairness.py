"""By manager what tells when somebody games it."""

from typing import Any

from tests.metrics.made import CSAT, NOW, NPS, QUARTER, SPRING, SUMMER, complaint, survey
from worker.metrics import fairness
from worker.metrics.base import Facts, SellerFact, SurveyFact
from worker.metrics.fairness import Fairness

OLEG: dict[str, Any] = {"manager_id": 1, "manager": "Олег"}
MARIA: dict[str, Any] = {"manager_id": 2, "manager": "Мария"}


def told(*rows: SurveyFact, sellers: tuple[SellerFact, ...] = (), **known: Any) -> dict[str, Fairness]:
    given: dict[str, Any] = {"asked": (NPS, CSAT), "min_answers": 5, **known}
    facts = Facts(now=NOW, surveys=rows, sellers=sellers, **given)
    return dict(fairness.compute(facts, QUARTER).by_manager)


def won(manager: int, number: int = 1) -> tuple[SellerFact, ...]:
    return (SellerFact(closed_at=SUMMER, manager_id=manager, count=number),)


def test_a_deal_is_asked_about_once_however_many_questions_it_had() -> None:
    rows = (
        survey(NPS, 9, deal_id=1, **OLEG),
        survey(CSAT, deal_id=1, refusal="conversation_silent", **OLEG),
        survey(NPS, deal_id=2, refusal="stop_tag", is_stopped_by_hand=True, **OLEG),
        survey(CSAT, deal_id=2, refusal="stop_tag", is_stopped_by_hand=True, **OLEG),
        survey(NPS, deal_id=3, refusal="opted_out", **OLEG),
        survey(NPS, deal_id=4, refusal="stop_tag", **OLEG),  # ours, for the client wrote «стоп»
        survey(NPS, deal_id=5, refusal="stop_tag", settled_at=SPRING, is_stopped_by_hand=True, **OLEG),
    )
    oleg = told(*rows, sellers=won(1, 6))["Олег"]
    assert (oleg.won, oleg.asked, oleg.settled) == (6, 1, 4)
    assert oleg.not_asked == {"stop_tag": 2, "opted_out": 1}
    assert oleg.stopped_by_hand == 1


def test_a_low_score_whose_deal_went_to_another_is_told() -> None:
    rows = (
        survey(NPS, 2, deal_id=1, manager_now=2, **OLEG),
        survey(CSAT, 1, deal_id=1, manager_now=2, **OLEG),  # the same deal
        survey(NPS, 3, deal_id=2, manager_now=1, **OLEG),
        survey(NPS, 9, deal_id=3, manager_now=2, **OLEG),  # it was praised
        survey(NPS, 2, deal_id=4, manager_now=0, **OLEG),  # not known
    )
    oleg = told(*rows)["Олег"]
    assert (oleg.answered, oleg.low, oleg.reassigned) == (5, 4, 1)


def test_a_score_that_was_raised_afterwards_stays_a_low_one_here() -> None:
    rows = (
        survey(NPS, 9, deal_id=1, first_score=2, manager_now=2, **OLEG),
        survey(NPS, 4, deal_id=2, first_score=9, **OLEG),  # lowered
        survey(NPS, 10, deal_id=3, first_score=9, **OLEG),
        survey(NPS, 10, deal_id=4, **OLEG),
    )
    oleg = told(*rows)["Олег"]
    assert (oleg.low, oleg.raised, oleg.reassigned) == (2, 2, 1)


def test_who_stands_apart_is_said_only_of_enough_deals() -> None:
    asked = tuple(survey(NPS, deal_id=number, **MARIA) for number in range(1, 41))
    kept_out = tuple(survey(NPS, deal_id=100 + n, refusal="stop_tag", **OLEG) for n in range(12))
    some = tuple(survey(NPS, deal_id=200 + n, **OLEG) for n in range(8))
    few = tuple(
        survey(NPS, deal_id=300 + n, refusal="stop_tag", manager_id=3, manager="Пётр") for n in range(4)
    )
    people = told(*asked, *kept_out, *some, *few)
    assert list(people) == ["Мария", "Олег", "Пётр"]
    assert (people["Олег"].asked_share, people["Олег"].is_behind) == (40, True)
    assert (people["Мария"].is_apart, people["Мария"].is_behind) == (True, False)
    assert (people["Пётр"].asked_share, people["Пётр"].interval, people["Пётр"].is_apart) == (None,) * 3
    assert people["Пётр"].not_asked == {"stop_tag": 4}
    alone = told(*kept_out)["Олег"]
    assert (alone.asked_share, alone.is_apart) == (0, None)  # there is nobody to compare with


def test_a_question_about_a_complaint_and_surveys_that_are_gone_are_left_out() -> None:
    rows = (
        survey(NPS, deal_id=1, is_of_complaint=True, **OLEG),
        survey(NPS, 3, deal_id=2, **OLEG),
    )
    assert told(*rows)["Олег"].settled == 1
    assert told(*rows, asked=()) == {}


def test_people_of_one_name_and_people_who_only_sold_have_names() -> None:
    rows = (
        survey(NPS, deal_id=1, manager_id=11, manager="Анна"),
        survey(NPS, deal_id=2, manager_id=12, manager="Анна"),
    )
    people = told(*rows, sellers=won(13) + won(14) + won(0), people={13: "Олег", 11: "Анна Старая"})
    assert set(people) == {"Анна (11)", "Анна (12)", "Олег", "14"}  # who was removed is a number
    assert people["Олег"].won == 1


def test_complaints_that_were_closed_by_whom_they_are_about_are_counted() -> None:
    about: dict[str, Any] = {"manager_id": 5, "manager": "Пётр"}
    complaints = (
        complaint(1, closed_by=5, **about),
        complaint(2, closed_by=6, **about),
        complaint(3, closed_by=0, **about),
        complaint(3, closed_by=0, manager_id=0),
        complaint(closed_by=5, **about),  # open again
        complaint(1, opened=SPRING, closed_by=5, **about),
    )
    assert {name: of.closed_by_own for name, of in told(complaints=complaints).items()} == {"Пётр": 1}


def test_nothing_makes_nobody() -> None:
    assert told() == {}


def test_it_is_written_with_its_counts_and_figures() -> None:
    rows = [survey(NPS, deal_id=n, **OLEG) for n in range(1, 5)]
    oleg = told(*rows, survey(NPS, deal_id=9, refusal="unreachable", **OLEG))["Олег"].as_json()
    assert oleg == {
        "won": 0, "asked": 4, "not_asked": {"unreachable": 1}, "asked_share": 80.0, "ci95": [37.55, 96.38],
        "apart": None, "stopped_by_hand": 0, "answered": 0, "low": 0, "reassigned": 0, "raised": 0,
        "closed_by_own": 0,
    }  # fmt: skip
