"""Where the worker is killed: at a request, when it arrives, when it is processed, when its answer is out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pytest

from tests.stories.company import PATIENCE, Company, Place

When = Literal["arrived", "processed", "answered"]
Moment = tuple[When, float]  # and so many seconds later
KILLED = -9

ARRIVED: Moment = ("arrived", 0)
PROCESSED: Moment = ("processed", 0)
ANSWERED: Moment = ("answered", 0)
TAKEN: Moment = ("answered", 0.05)  # about when the result is committed
MOMENTS = pytest.mark.parametrize(
    "moment",
    [
        pytest.param(ARRIVED, id="arrived", marks=pytest.mark.long),
        pytest.param(PROCESSED, id="processed"),
        pytest.param(ANSWERED, id="answered", marks=pytest.mark.long),
        pytest.param(TAKEN, id="taken", marks=pytest.mark.long),
    ],
)


@dataclass(frozen=True, slots=True)
class Point:
    """A kind of request that the worker makes."""

    name: str
    place: str
    method: str
    path: str

    def at(self, shop: Company) -> Place:
        place: Place = getattr(shop, self.place)
        return place

    def kills(
        self,
        shop: Company,
        when: When,
        *,
        others: Sequence[Company] = (),
        nth: int = 1,
        delay: float = 0,
        signal: str = "SIGKILL",
    ) -> None:
        """From now on the worker dies at the n-th such request; with others beside it, whoever makes it."""
        workers = [each.worker.pid for each in (shop, *others) if each.worker is not None]
        self.at(shop).breaks(
            self.path,
            method=self.method,
            nth=nth,
            kill=workers,
            when=when,
            delay=delay,
            signal=signal,
        )

    def times(self, shop: Company) -> int:
        return len(self.at(shop).calls(self.path, self.method))


def has_died(shop: Company, within: float = PATIENCE) -> None:
    """It has been killed, and not ended by itself."""
    assert shop.exit_code(within) == KILLED
    shop.mended()


DEAL = Point("the last look at the deal", "amocrm", "GET", r"/leads/\d+$")
QUESTION = Point("the question", "whatsapp", "POST", r"/sendPoll/")
MARK = Point("what the deal's card shows", "amocrm", "PATCH", r"/leads$")
POLL = Point("a poll that brings an answer", "whatsapp", "GET", r"/receiveNotification/")
CONFIRM = Point("the answer that leaves the queue", "whatsapp", "DELETE", r"/deleteNotification/")
SCORE = Point("the score into the deal's field", "amocrm", "PATCH", r"/leads$")
COMPLAINT = Point("the complaint deal", "amocrm", "POST", r"/leads$")
TASK = Point("its task", "amocrm", "POST", r"/tasks$")
NOTE = Point("a note", "amocrm", "POST", r"/leads/notes$")
ALERT = Point("the alert", "telegram", "POST", r"/sendMessage$")
THANKS = Point("the thanks", "whatsapp", "POST", r"/sendMessage/")
REMINDER = Point("the reminder", "whatsapp", "POST", r"/send(Poll|Message)/")
WORDS = Point("a sentence to the client", "whatsapp", "POST", r"/sendMessage/")
COMPLAINT_CHANGED = Point("who is responsible, or that it is closed", "amocrm", "PATCH", r"/leads$")
TASK_CHANGED = Point("whose its task is, or that it is done", "amocrm", "PATCH", r"/tasks/\d+$")
ALERT_CHANGED = Point("the alert as it is now", "telegram", "POST", r"/editMessageText$")
BUTTONS = Point("other buttons under a message", "telegram", "POST", r"/editMessageReplyMarkup$")
DIGEST = Point(
    "a digest, in words, as a picture or as a file", "telegram", "POST", r"/send(Message|Photo|Document)$"
)
EVENTS = Point("what happened to complaints", "amocrm", "GET", r"/events$")
CALLS = Point("a page of calls", "amocrm", "GET", r"/(leads|contacts|companies)/notes$")
TAP = Point("a poll that brings a tap", "telegram", "POST", r"/getUpdates$")
TAP_ANSWER = Point("the answer to a tap", "telegram", "POST", r"/answerCallbackQuery$")
PAGE = Point("a page of deals", "amocrm", "GET", r"/leads$")
TOKENS = Point("a new pair of tokens", "amocrm", "POST", r"/oauth2/access_token$")
