"""Which messages in amoCRM's list are ours: by the client and the moment."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from worker.rules.claiming import ours

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    event_id: str
    after: int = 0  # seconds
    is_incoming: bool = False
    user_id: int = 0
    client_id: int = 1

    @property
    def at(self) -> datetime:
        return NOON + timedelta(seconds=self.after)


QUESTION = Told("", 0)
SCORE = Told("", 0, is_incoming=True)


def test_a_question_of_ours_is_found_by_its_client_and_moment() -> None:
    told = [Told("late", 600), Told("other", 1, client_id=2), Told("in", 1, is_incoming=True), Told("it", 5)]
    assert ours(told, [QUESTION]) == {"it"}


def test_the_answer_to_it_is_found_too() -> None:
    assert ours([Told("in", 3, is_incoming=True), Told("out", 3)], [SCORE]) == {"in"}


def test_what_a_person_wrote_a_moment_later_stays_the_persons() -> None:
    assert ours([Told("person", 1, user_id=77), Told("robot", 40)], [QUESTION]) == {"robot"}


def test_a_gateway_that_signs_with_a_persons_name_is_ours_all_the_same() -> None:
    assert ours([Told("signed", 2, user_id=77)], [QUESTION]) == {"signed"}


def test_each_of_ours_claims_one_message_and_no_more() -> None:
    told = [Told("first", 1), Told("second", 2), Told("third", 3)]
    assert ours(told, [QUESTION, Told("", 2)]) == {"first", "second"}
