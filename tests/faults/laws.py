"""The six laws, checked from outside: what the services received, what `sarafan` tells, what its log says.

At most one question for each survey, deal and subject. Every reply that was taken in is exported once. Each
client with a low score has one complaint deal, and at least one alert tells of it. The deal's field holds the
last score. No second holds more requests than the service allows. No secret stands in the log.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.stories.company import PATIENCE, Call, Company, Place, until

# What a question says and nothing else does; a reminder is told by its opening.
QUESTIONS = re.compile(
    r"порекоменд\w+ нас друзьям|работу (?:менеджера|наших мастеров|монтажной бригады)"
    r"|Как вы оцените нашу работу|Насколько просто вам было|Удалось ли решить вопрос"
)
REMINDER = "Напоминаем о вопросе"
LOW = range(1, 6)  # of ten; six is neutral as long as the config says nothing else
LETTERS = "абвгдеклмн"
RATES = {"amocrm": 7, "telegram": 30, "whatsapp": 10}  # requests a second
LONG_POLLS = re.compile(r"/receiveNotification/|/deleteNotification/|/getUpdates")  # at no pace, on purpose


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who is told from everybody else by name, by number and by what they write."""

    number: int
    phone: str
    name: str
    words: str


def client_number(number: int) -> Client:
    """
    >>> client_number(12).phone, client_number(12).name
    ('+79147000012', 'Ярополк Зимородбв')
    """
    letters = "".join(LETTERS[int(digit)] for digit in str(number))
    return Client(
        number, f"+7914{7_000_000 + number}", f"Ярополк Зимород{letters}", f"скрипит калитка {letters}ая"
    )


@dataclass(slots=True)
class Laws:
    """What a scenario does with a company's clients, and then: did the laws hold?"""

    shop: Company
    clients: dict[int, Client] = field(default_factory=dict)  # by deal
    said: dict[str, tuple[int, int]] = field(default_factory=dict)  # id of a reply → its deal and score
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # What happens

    def deal(self, client: Client | None = None, **more: Any) -> int:
        """An open deal, of a client of its own unless told whose."""
        client = client or client_number(next(self._numbers))
        deal = self.shop.deal(f"Ворота № {client.number}", phone=client.phone, client=client.name, **more)
        self.clients[deal] = client
        self.shop.private |= {client.words, client.words.rpartition(" ")[2]}
        return deal

    def won_deal(self, client: Client | None = None, **more: Any) -> int:
        deal = self.deal(client, **more)
        self.shop.amocrm.do("close_lead", lead_id=deal)
        return deal

    def wait_for_question(self, deal: int) -> str:
        return until(lambda: self.questions_to(deal), f"a question about {deal}")[-1]

    def asked(self, client: Client | None = None, **more: Any) -> int:
        """A deal whose client has just been asked."""
        deal = self.won_deal(client, **more)
        self.wait_for_question(deal)
        return deal

    def replies(self, deal: int, score: int, **how: Any) -> str:
        """The client types a score, and words with a low one; gives the reply's id."""
        client = self.clients[deal]
        text = f"{score}, {client.words}" if score in LOW else str(score)
        reply = str(self.shop.whatsapp.do("says", who=client.phone, text=text, **how))
        self.said[reply] = (deal, score)
        return reply

    def taps(self, deal: int, score: int) -> str:
        """The client, who was asked in Telegram, taps a score; gives the reply's id."""
        telegram = self.shop.telegram
        telegram.do("tap", who=self.clients[deal].name, button=str(score))
        reply = str(telegram.do("newest_update"))
        self.said[reply] = (deal, score)
        return reply

    # What can be seen

    def to_client(self, deal: int) -> list[str]:
        """Everything that the client got in WhatsApp."""
        phone = self.clients[deal].phone
        return [str(message["text"]) for message in self.shop.whatsapp.do("messages", who=phone)]

    def questions_to(self, deal: int) -> list[str]:
        return [text for text in self.to_client(deal) if is_question(text)]

    def complaints_of(self, client: Client) -> list[int]:
        contact = self.shop.contacts[client.phone]
        return [int(lead["id"]) for lead in self.shop.complaints() if contact in lead["contact_ids"]]

    def report(self, survey: str = "nps") -> dict[str, Any]:
        """This survey in `sarafan report --json`."""
        done = self.shop.sarafan("report", "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)["surveys"][survey]
        return found

    # The laws

    def settle(self, within: float = PATIENCE) -> None:
        """Until all that was said has been taken in, and all that it calls for is done."""
        self.shop.wait_until_heard()
        # A row of the inbox that stays new is no sign: the status of a message that we forgot waits there.
        until(
            lambda: {message_id(row) for row in self.shop.exported()} >= set(self.said), "every reply", within
        )
        until(lambda: self.shop.outbox_rows("waiting|doing") == 0, "an empty outbox", within)

    def hold(self, *, kills: int = 0, uncertain: int | None = None, within: float = PATIENCE) -> None:
        """All six. `kills`: each may repeat one alert and leave one question uncertain."""
        self.settle(within)
        self.nobody_was_asked_twice()
        self.no_reply_is_lost_or_doubled()
        self.low_scores_are_heard(repeats=kills)
        self.fields_are_right()
        self.the_pace_was_kept()
        self.nothing_private_was_told()
        assert self.report()["uncertain"] <= (kills if uncertain is None else uncertain)

    def nobody_was_asked_twice(self) -> None:
        # Deals of one client that close together are one question: the pause sees to that.
        asked = Counter(
            (message["chat_id"], what_is_asked(message["text"]))
            for messenger in (self.shop.whatsapp, self.shop.telegram)
            for message in messenger.do("messages")
            if is_question(message["text"])
        )
        assert not [who for who, times in asked.items() if times > 1], "asked twice"

    def no_reply_is_lost_or_doubled(self) -> None:
        rows = self.shop.exported()
        times = Counter(message_id(row) for row in rows)
        assert {reply: times[reply] for reply in self.said} == dict.fromkeys(self.said, 1), "once each"
        scores = {message_id(row): (row["deal_id"], row["score"]) for row in rows}
        assert {reply: scores[reply] for reply in self.said} == self.said

    def low_scores_are_heard(self, *, repeats: int = 0) -> None:
        unhappy = {self.clients[deal] for deal, score in self.said.values() if score in LOW}
        contacts = {self.shop.contacts[client.phone]: client for client in self.clients.values()}
        opened = Counter(
            contacts[contact].number
            for lead in self.shop.complaints()
            for contact in lead["contact_ids"]
            if contact in contacts
        )
        # Of each client with a low score, and of no other.
        assert dict(opened) == {client.number: 1 for client in unhappy}, "one complaint each"
        alerts = [str(alert["text"]) for alert in self.shop.alerts()]
        for client in unhappy:
            assert any(client.name in alert for alert in alerts), "somebody hears of it"
        assert len(alerts) <= len(unhappy) + repeats

    def fields_are_right(self) -> None:
        wanted = dict(self.said.values())  # the last one counts
        assert {deal: self.shop.score(deal) for deal in wanted} == wanted

    def the_pace_was_kept(self) -> None:
        for name, rate in RATES.items():
            place: Place = getattr(self.shop, name)
            calls = [call for call in place.calls("") if not LONG_POLLS.search(call.path)]
            assert most_in_a_second(calls) <= rate, f"too many requests to {name}"

    def nothing_private_was_told(self) -> None:
        log = self.shop.log
        told = [word for word in self.shop.private if word in log]
        assert not told, "the log tells what it must not"


def is_question(text: str) -> bool:
    return bool(QUESTIONS.search(text)) and REMINDER not in text


def what_is_asked(text: str) -> str:
    found = QUESTIONS.search(text)
    return found[0] if found else ""


def message_id(row: dict[str, Any]) -> str:
    """Of a reply in the export, as the messenger gave it."""
    return str(row["external_id"]).partition(":")[0]


def most_in_a_second(calls: list[Call]) -> int:
    """
    >>> most_in_a_second([Call("GET", "/", "", 200, moment) for moment in (0.0, 0.5, 0.9, 1.2, 3.0)])
    3
    """
    moments = sorted(call.seconds for call in calls)
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most
