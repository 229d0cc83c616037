"""The demo's chats and calls in amoCRM: what clients asked before they bought, and who answered how soon.

Chats stand in amoCRM's list of events, calls among the notes of a deal; the worker reads both.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.standins.amocrm_model import LEADS, Lead
from integrations.standins.town import Town
from worker.cli.demo_town import ALINA, BEGINS, KHVAN, LISINA, MARIA, OLEG, PAVEL, Order, local, minutes

# Minutes until each answers, one question after the other; None: never.
ANSWERS: dict[str, tuple[int | None, ...]] = {
    OLEG: (4, 9, 6, 12, 3, 14),
    MARIA: (2, 5, 3, 8, 4),
    PAVEL: (35, 80, 14, 55, None, 120),
    LISINA: (11, 7, 18, 13, 9),
    KHVAN: (16, 10, 22, 8, 13),
    ALINA: (6, 12, 20, 5, 9),
}
BEFORE = timedelta(days=2)  # the deal is won then
FIRST_TALK = 5000  # numbers of conversations

# Of these weeks calls were recorded; the head hears some of them on the Monday after.
HEARD_FROM, HEARD_TO = local("07.09 00:00"), local("20.09 23:59")
LASTED = 150  # seconds
# Of each criterion, in their order, what the head finds; the next card has the next ones.
MARKS = (("1", "1", "1", "1"), ("1", "½", "1", "1"), ("1", "1", "0", "1"), ("½", "1", "1", "Не применимо"))
WORTH = {"1": 1.0, "½": 0.5, "0": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A client's question in working hours; its answer on the same day."""

    manager: str
    asked_at: datetime
    after: int | None  # minutes


class Correspondence:
    def __init__(self, town: Town) -> None:
        self._town = town
        self._users = {user.name: user.id for user in town.amocrm.users.values()}
        self.chats: list[Chat] = []

    def before(self, order: Order, lead: Lead) -> None:
        """What was written before the deal was won, of which amoCRM's events tell."""
        day = order.won_at - BEFORE
        day -= timedelta(days=max(0, day.weekday() - 4))  # a working day
        if day < BEGINS or not order.client:
            return
        number = len(self.chats)
        theirs = ANSWERS[order.manager]
        after = theirs[sum(chat.manager == order.manager for chat in self.chats) % len(theirs)]
        asked_at = day.replace(hour=10 + number % 5, minute=7 * number % 60)
        amocrm, talk = self._town.amocrm, FIRST_TALK + number
        amocrm.chat_message(lead, talk_id=talk, at=asked_at)
        if after is not None:
            by = self._users[order.manager]
            amocrm.chat_message(lead, talk_id=talk, by=by, at=asked_at + minutes(after))
        self.chats.append(Chat(manager=order.manager, asked_at=asked_at, after=after))

    def called(self, order: Order, lead: Lead) -> None:
        """The manager calls when the deal is won, and the call is recorded."""
        if not HEARD_FROM <= order.won_at <= HEARD_TO:
            return
        params = {
            "uniq": f"call-{lead.id}",
            "duration": LASTED,
            "link": f"https://telephony.example/{lead.id}.mp3",
            "source": "telephony",
        }
        self._town.amocrm.add_note(LEADS, lead.id, "call_out", params, by=self._users[order.manager])
