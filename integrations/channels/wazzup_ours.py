"""Which messages are our own: Wazzup reports what goes out through it, and does not say by whom."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

ECHO_WITHIN = 600.0  # seconds after sending in which the same words in the same chat are ours
REMEMBERED = 2000  # messages
# Begins the id of a message that was taken, but whose own id did not reach us.
UNNAMED = "crm:"
TEMPLATE = "\0template"  # in place of words that only Wazzup knows


@dataclass(slots=True)
class Sent:
    """A message of ours. `name`: the id under which our caller knows it, "" as long as it knows none."""

    chat_id: str
    words: str
    reference: str
    at: float
    message_id: str = ""  # as Wazzup calls it, "" as long as it has not told
    name: str = ""


class Ours:
    """What this process has sent lately.

    Neither another worker's messages nor those before a restart are here: who reads an echo that is not
    recognised looks into the books as well.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._sent: deque[Sent] = deque(maxlen=REMEMBERED)
        self._by_id: OrderedDict[str, Sent] = OrderedDict()

    def begin(self, chat_id: str, words: str, reference: str) -> Sent:
        """To be called before the request: its echo may be faster than its answer."""
        sent = Sent(chat_id, _plain(words), reference, self._now())
        self._sent.append(sent)
        return sent

    def forget(self, sent: Sent) -> None:
        """It was refused: the same words by a person are that person's."""
        sent.words = ""

    def accepted(self, sent: Sent, message_id: str) -> str:
        """The id under which it is known from now on; `message_id` is empty when it was not told."""
        if message_id:
            self._bind(sent, message_id)
        sent.name = sent.message_id or UNNAMED + sent.reference
        return sent.name

    def find(self, message_id: str, chat_id: str = "", words: str = "") -> Sent | None:
        """By the id, else by chat and words of what has no id yet."""
        if known := self._by_id.get(message_id):
            return known
        since, words = self._now() - ECHO_WITHIN, _plain(words)
        for sent in self._sent:
            is_same = bool(words) and (sent.chat_id, sent.words) == (chat_id, words)
            if is_same and not sent.message_id and sent.at >= since:
                self._bind(sent, message_id)
                return sent
        return None

    def name_of(self, message_id: str) -> str:
        """What our caller calls it."""
        sent = self._by_id.get(message_id)
        return (sent.name if sent else "") or message_id

    def _bind(self, sent: Sent, message_id: str) -> None:
        sent.message_id = message_id
        self._by_id[message_id] = sent
        if len(self._by_id) > REMEMBERED:
            self._by_id.popitem(last=False)


def _plain(words: str) -> str:
    return words if words == TEMPLATE else " ".join(words.split())
