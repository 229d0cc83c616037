"""A client has answered. What is to be done?"""

from itertools import product

import pytest

from worker.rules.reaction import Do, react
from worker.rules.scale import Band

WRITTEN = ["sync_deal", "note_deal", "thank_client"]


@pytest.mark.parametrize(
    ("on_low", "first"),
    [
        ("complaint", ["open_complaint", "alert_staff"]),
        ("task", ["deal_task", "tell_head"]),
        ("tell", ["tell_head"]),
        ("nothing", []),
    ],
)
def test_a_low_score_gets_what_the_survey_asks_for(on_low: str, first: list[str]) -> None:
    assert list(react(band=Band.LOW, on_low=on_low)) == [*first, *WRITTEN]


@pytest.mark.parametrize("band", [Band.NEUTRAL, Band.HIGH])
@pytest.mark.parametrize("has_words", [False, True])
def test_any_other_score_is_written_down_and_thanked_for(band: Band, has_words: bool) -> None:
    assert list(react(band=band, has_words=has_words)) == WRITTEN


@pytest.mark.parametrize("band", [Band.NEUTRAL, Band.HIGH])
def test_a_problem_in_the_words_of_a_good_score_gets_a_task(band: Band) -> None:
    """«9, но пульт не работает»"""
    assert list(react(band=band, has_words=True, wants_reply=True)) == ["deal_task", "tell_head", *WRITTEN]


def test_a_complaint_carries_the_words_already() -> None:
    assert react(band=Band.LOW, has_words=True, wants_reply=True) == react(band=Band.LOW)


@pytest.mark.parametrize("on_low", ["task", "tell", "nothing"])
def test_who_asks_for_an_answer_gets_a_task_whatever_a_low_score_calls_for(on_low: str) -> None:
    done = react(band=Band.LOW, on_low=on_low, has_words=True, wants_reply=True)
    assert list(done) == ["deal_task", "tell_head", *WRITTEN]


def test_words_without_a_score_are_noted_and_a_question_in_them_is_answered() -> None:
    assert list(react(band=None, has_words=True)) == ["note_deal", "thank_client"]
    asked = react(band=None, has_words=True, wants_reply=True)
    assert list(asked) == ["deal_task", "tell_head", "note_deal", "thank_client"]
    assert react(band=None) == ()


def test_a_low_answer_about_a_complaint_alerts_again_and_opens_no_second_one() -> None:
    done = react(band=Band.LOW, trigger="complaint_closed")
    assert list(done) == ["alert_staff", "deal_task", *WRITTEN]


def test_nothing_opens_a_complaint_about_a_complaint_and_nothing_is_done_twice() -> None:
    cases = product(
        [None, *Band],
        ["deal_won", "deal_lost", "deal_status", "complaint_closed"],
        ["complaint", "task", "tell", "nothing"],
        [False, True],
        [False, True],
    )
    for band, trigger, on_low, has_words, wants_reply in cases:
        done = react(band=band, trigger=trigger, on_low=on_low, has_words=has_words, wants_reply=wants_reply)
        assert len(set(done)) == len(done)
        assert trigger != "complaint_closed" or Do.OPEN_COMPLAINT not in done
        # Whoever is promised a call has somebody who owes it.
        assert not wants_reply or {Do.TASK, Do.OPEN_COMPLAINT} & set(done)
