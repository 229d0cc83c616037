"""The worker is killed between any two steps and started again: nobody is asked twice, no answer is lost."""

from collections import Counter
from dataclasses import dataclass

import pytest

from tests.stories.company import HELD, Company, Place, until

pytestmark = pytest.mark.timeout(300)  # many starts, perhaps on a busy machine
WORDS = "монтаж три недели"
PROCESSED = pytest.mark.parametrize("processed", [False, True], ids=["not processed", "processed"])


@dataclass(frozen=True, slots=True)
class Point:
    """A request that the worker is at when it is killed."""

    name: str
    place: str
    method: str
    path: str

    def hold(self, shop: Company, *, processed: bool) -> None:
        """From now on such a request is never answered, though it may have been processed."""
        self._where(shop).breaks(
            f"{self.path}$", method=self.method, times=0, delay=HELD, drop=True, after=processed
        )

    def held(self, shop: Company) -> int:
        """How many such requests never got an answer."""
        return sum(call.status == 0 for call in self._where(shop).calls(f"{self.path}$", self.method))

    def _where(self, shop: Company) -> Place:
        place: Place = getattr(shop, self.place)
        return place


QUESTION = Point("the question", "whatsapp", "POST", r"/sendPoll/\w+")
THANKS = Point("the thanks", "whatsapp", "POST", r"/sendMessage/\w+")
NOTE = Point("a note", "amocrm", "POST", "/leads/notes")
ALERT = Point("the alert", "telegram", "POST", "/sendMessage")
AFTER_THE_ANSWER = (
    Point("the answer that leaves the queue", "whatsapp", "DELETE", r"/deleteNotification/\w+/\d+"),
    Point("the score into the deal's field", "amocrm", "PATCH", "/leads"),
    Point("the complaint deal", "amocrm", "POST", "/leads"),
    Point("its task", "amocrm", "POST", "/tasks"),
    NOTE,  # of the deal or of the complaint, …
    NOTE,  # … and the other one
    ALERT,
)


def asked(shop: Company) -> int:
    """A deal whose client has been asked, with nothing else to do or to hear."""
    shop.start()
    deal = shop.won_deal()
    shop.wait_for_question()
    until(lambda: shop.value(deal, "Промокод для друзей"), "the mark that the client was asked")
    shop.wait_until_idle()
    shop.wait_until_heard()
    return deal


def the_laws_hold(shop: Company, deal: int, *, questions: int = 1, alerts: int = 1) -> None:
    until(lambda: shop.score(deal) == 3, "the score in the field")
    until(lambda: [note for note in shop.notes(deal) if WORDS in note], "the note")
    [complaint] = until(shop.complaints, "the complaint")
    until(lambda: shop.tasks(complaint["id"]), "its task")
    until(lambda: shop.notes(complaint["id"]), "its note")
    until(shop.alerts, "the alert")
    shop.wait_until_idle()

    assert len(shop.questions()) == questions, "asked once, or not at all"
    [reply] = shop.exported()
    assert (reply["score"], reply["text"], reply["counts"]) == (3, WORDS, True)
    assert [one["id"] for one in shop.complaints()] == [complaint["id"]]
    assert len(shop.tasks(complaint["id"])) == 1
    assert len([note for note in shop.notes(complaint["id"]) if WORDS in note]) == 1
    assert len([note for note in shop.notes(deal) if WORDS in note]) == 1
    assert 1 <= len(shop.alerts()) <= alerts
    assert len(shop.to_ivan()) <= questions + 1, "thanked once, or not at all"
    assert shop.value(deal, "Промокод для друзей"), "the mark that keeps a restored backup from asking again"


@PROCESSED
def test_killed_while_it_asks_it_asks_nobody_twice(shop: Company, processed: bool) -> None:
    shop.start()
    shop.wait_until_ready()
    QUESTION.hold(shop, processed=processed)
    deal = shop.won_deal()
    until(lambda: QUESTION.held(shop), "the worker at the question")
    shop.restart()
    # It may have arrived, so nothing is sent until that is known; and whoever answers is heard.
    shop.wait_until_ready()
    shop.ivan_writes(f"3, {WORDS}")
    the_laws_hold(shop, deal, questions=int(processed))


@PROCESSED
def test_killed_at_every_request_after_an_answer_it_goes_on(shop: Company, processed: bool) -> None:
    deal = asked(shop)
    left = Counter(AFTER_THE_ANSWER)
    for point in left:
        point.hold(shop, processed=processed)
    shop.ivan_writes(f"3, {WORDS}")
    while left:
        before = {point: point.held(shop) for point in left} if left != Counter(AFTER_THE_ANSWER) else {}
        reached = until(
            lambda: [point for point in left if point.held(shop) > before.get(point, 0)],  # noqa: B023
            f"one of {[point.name for point in left]}",
        )
        shop.kill()
        left -= Counter(reached)
        shop.mended()
        for point in left:
            point.hold(shop, processed=processed)
        shop.start()
    # Beside the one that was held, a kill may catch an alert that has gone out and is not noted yet.
    the_laws_hold(shop, deal, alerts=3)


def test_killed_while_it_thanks_it_thanks_nobody_twice(shop: Company) -> None:
    deal = asked(shop)
    THANKS.hold(shop, processed=True)
    shop.ivan_writes(f"3, {WORDS}")
    until(lambda: THANKS.held(shop), "the worker at the thanks")
    shop.restart()
    the_laws_hold(shop, deal, alerts=2)
    assert len(shop.to_ivan()) == 2
