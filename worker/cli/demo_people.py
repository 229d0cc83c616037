"""The demo's people at work: managers close deals, clients answer, the head takes complaints.

They act on the stand-ins as people act on their phones, and see only what the stand-ins show.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from integrations.standins.amocrm_model import Lead
from integrations.standins.town import HEAD_ID, Town
from worker.cli.demo_chats import MARKS, WORTH, Correspondence
from worker.cli.demo_deals import BY_HAND, PRESSES, SOLVED, orders
from worker.cli.demo_town import (
    CREW_FIELD,
    CREWS,
    FRIEND_DISCOUNT,
    HEAD,
    HEAD_IN_AMOCRM,
    MANAGERS,
    OWN_FIELDS,
    QUESTIONS,
    REMINDER,
    TITLES,
    VOICE,
    ZONE,
    Order,
    Press,
    Reply,
    T,
    W,
    local,
    minutes,
)
from worker.clock import ManualClock
from worker.rules.promo import candidates

CODE = re.compile(r"ДРУГ-(\d+)")
COMPLAINTS = "Рекламации"
DELAYS = (12, 40, 95)  # minutes until a client answers; few different ones, so that events share a moment
MOVES = ("lead_added", "lead_status_changed")  # what matters of the worker's own changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A message as its reader sees it."""

    at: datetime
    to: str  # a client's name, or the head's
    channel: str
    text: str
    labels: tuple[str, ...]  # buttons or options of a poll
    quote: str  # the id by which it can be quoted

    @property
    def question(self) -> str:
        """Which question it asks; "" if none."""
        return next((key for key, words in QUESTIONS.items() if words in self.text), "")

    @property
    def is_reminder(self) -> bool:
        return REMINDER in self.text


class Agenda:
    """What people are going to do, by the moment; at one moment in the order in which it was planned."""

    def __init__(self) -> None:
        self._plans: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()

    def add(self, moment: datetime, act: Callable[[], None]) -> None:
        heappush(self._plans, (moment, next(self._numbers), act))

    @property
    def next(self) -> datetime | None:
        return self._plans[0][0] if self._plans else None

    def take(self, now: datetime) -> Iterator[Callable[[], None]]:
        while self._plans and self._plans[0][0] <= now:
            yield heappop(self._plans)[2]


class Audience(Protocol):
    """Who hears what people do."""

    def closed(self, order: Order, lead: Lead, *, friend: str) -> None: ...
    def linked(self, order: Order) -> None: ...
    def said(
        self, name: str, channel: str, text: str, *, key: str, is_tap: bool, is_special: bool
    ) -> None: ...
    def answered(self, key: str, name: str, score: int) -> None: ...
    def did(self, who: str, what: str) -> None: ...
    def marked(self, marks: Sequence[str]) -> None: ...


@dataclass(slots=True)
class Client:
    name: str
    phone: str
    contact_id: int = 0
    delay: timedelta = timedelta(minutes=20)
    code: str = ""  # for friends, as it stood in a message
    minded: set[str] = field(default_factory=set)  # questions of the present deal that are being answered


class Life:
    """The company's quarter. `watch` shows people what came; `next` and `act` let them do what they do."""

    def __init__(self, town: Town, clock: ManualClock, audience: Audience) -> None:
        self.town = town
        self.clock = clock
        self.audience = audience
        self.agenda = Agenda()
        self.clients: dict[str, Client] = {}
        self.leads: dict[Order, int] = {}
        self._complained: set[str] = set()
        self._cards = 0
        self._seen_events = 0
        self._seen_telegram = 0
        self._seen_whatsapp = 0
        self._set_up_amocrm()
        self.correspondence = Correspondence(town)
        for order in orders():
            self._plan(order)
        self._plan_by_hand()

    # The company

    def _set_up_amocrm(self) -> None:
        amocrm = self.town.amocrm
        have = {user.name for user in amocrm.users.values()}
        for name in (*MANAGERS, HEAD_IN_AMOCRM):
            if name not in have:
                amocrm.add_user(name)
        amocrm.add_field(CREW_FIELD, "select", enums=CREWS)
        for name in OWN_FIELDS:
            amocrm.add_field(name, "numeric")

    def _plan(self, order: Order) -> None:
        self.agenda.add(order.won_at, lambda: self._close(order))
        next_morning = (order.won_at + timedelta(days=1)).replace(hour=9, minute=30)
        if order.then == "reopened":
            self.agenda.add(next_morning, lambda: self._reopen(order))
        elif order.then == "deleted":
            self.agenda.add(next_morning, lambda: self._delete(order))
        if order.by == T:
            linked_at = order.won_at + order.links_after
            self.agenda.add(linked_at, lambda: self._link(order))
            if order.blocks_bot:
                self.agenda.add(linked_at + minutes(10), lambda: self._block(order))

    def _client(self, order: Order) -> Client | None:
        if not order.client:
            return None
        if order.client not in self.clients:
            number = len(self.clients)
            client = Client(
                order.client,
                f"+7914{2_340_000 + 1_357 * number:07}",
                delay=minutes(DELAYS[number % len(DELAYS)]),
            )
            phones = [client.phone] if order.has_phone else []
            client.contact_id = self.town.amocrm.add_contact(client.name, phones)
            if not order.has_whatsapp:
                self.town.whatsapp.has_no_account(client.phone)
            self.clients[client.name] = client
        return self.clients[order.client]

    def _make(self, order: Order) -> int:
        client = self._client(order)
        return self.town.amocrm.add_lead(
            order.what,
            [client.contact_id] if client else [],
            responsible=order.manager,
            price=order.price,
            tags=order.tags,
            fields={CREW_FIELD: order.crew},
            created_at=order.won_at - order.created_before,
        )

    def _close(self, order: Order) -> None:
        amocrm = self.town.amocrm
        lead_id = self.leads[order] = self._make(order)
        friend = self._friend_of(order)
        if friend:
            amocrm.edit_lead(lead_id, fields=friend)
        self.correspondence.before(order, amocrm.leads[lead_id])
        amocrm.close_lead(lead_id, won=not order.is_lost)
        self.correspondence.called(order, amocrm.leads[lead_id])
        if order.client:
            self.clients[order.client].minded.clear()
        words = "; ".join(f"«{name}»: {value}" for name, value in friend.items())
        self.audience.closed(order, amocrm.leads[lead_id], friend=words)

    def _friend_of(self, order: Order) -> dict[str, str]:
        """What the manager writes down about who recommended the company."""
        if order.friend is None:
            return {}
        friend = self.clients.get(order.friend.of)
        match order.friend.by:
            case "code" if friend:
                return {"Промокод друга": friend.code.lower()}
            case "slip" if friend:
                return {"Промокод друга": self._mistyped(friend.code)}
            case "phone" if friend:
                digits = friend.phone.removeprefix("+7")
                return {"Промокод друга": f"8 {digits[:3]} {digits[3:6]}-{digits[6:8]}-{digits[8:]}"}
            case _:
                return {"Скидка": FRIEND_DISCOUNT}

    def _mistyped(self, code: str) -> str:
        """One wrong digit, and by chance no other client's code one slip away."""
        prefix, _, digits = code.partition("-")
        others = {client.code.partition("-")[2] for client in self.clients.values()} - {digits}
        for place, digit in enumerate(digits):
            wrong = f"{digits[:place]}{(int(digit) + 1) % 10}{digits[place + 1 :]}"
            if not others & set(candidates(wrong)):
                return f"{prefix}-{wrong}"
        raise ValueError(f"every slip in {code} leads to somebody else's code")

    def _reopen(self, order: Order) -> None:
        self.town.amocrm.move_lead(self.leads[order], "Монтаж")
        self.audience.did(order.manager, f"возвращает сделку «{order.what}» ({order.client}) в работу")

    def _delete(self, order: Order) -> None:
        self.town.amocrm.delete_lead(self.leads[order])
        self.audience.did(order.manager, f"удаляет сделку-дубль «{order.what}» ({order.client})")

    def _plan_by_hand(self) -> None:
        def opens() -> None:
            contact = self.clients[BY_HAND.client].contact_id
            made = self.town.amocrm.add_lead(
                BY_HAND.what, [contact], pipeline=COMPLAINTS, responsible=MANAGERS[3]
            )
            self.audience.did(MANAGERS[3], f"заводит рекламацию вручную: «{BY_HAND.what}», {BY_HAND.client}")
            self.agenda.add(local(BY_HAND.closed), lambda: closes(made))

        def closes(lead_id: int) -> None:
            self.town.amocrm.close_lead(lead_id)
            self.audience.did(MANAGERS[3], f"закрывает рекламацию «{BY_HAND.what}»: решено")

        self.agenda.add(local(BY_HAND.opened), opens)

    # Clients

    def _link(self, order: Order) -> None:
        """The client opens the link of the deal: from the act, by its QR code."""
        link = str(self.town.amocrm.field_value(self.leads[order], "Ссылка на Telegram-бота") or "")
        self.town.telegram.start(order.client, link.partition("start=")[2])
        self.audience.linked(order)

    def _block(self, order: Order) -> None:
        self.town.telegram.block(order.client)
        self.audience.did(order.client, "блокирует бота")

    def has_changed_amocrm(self) -> bool:
        """Have deals come, gone or moved since the last look? amoCRM's webhook would tell it."""
        events, self._seen_events = self.town.amocrm.events[self._seen_events :], len(self.town.amocrm.events)
        return any(event.created_by or event.type in MOVES for event in events)

    def watch(self) -> list[Seen]:
        """Everything that has come since the last look; its readers make up their minds."""
        news = [*self._from_telegram(), *self._from_whatsapp()]
        for seen in news:
            if seen.to == HEAD:
                self._head_reads(seen)
            else:
                self._client_reads(seen)
        return news

    def _from_telegram(self) -> Iterator[Seen]:
        telegram = self.town.telegram
        posted, self._seen_telegram = telegram.posted[self._seen_telegram :], len(telegram.posted)
        for post in posted:
            if post.by_bot:
                to = HEAD if post.chat_id == HEAD_ID else telegram.people[post.chat_id].name
                yield Seen(
                    at=post.at,
                    to=to,
                    channel=T,
                    text=post.text,
                    labels=tuple(post.labels),
                    quote=str(post.message_id),
                )

    def _from_whatsapp(self) -> Iterator[Seen]:
        whatsapp = self.town.whatsapp
        names = {client.phone: client.name for client in self.clients.values()}
        posted, self._seen_whatsapp = whatsapp.posted[self._seen_whatsapp :], len(whatsapp.posted)
        for post in posted:
            if "noAccount" not in post.statuses:
                yield Seen(
                    at=post.accepted_at, to=names[post.phone], channel=W, text=post.text, labels=post.options,
                    quote=post.id_message,
                )  # fmt: skip

    def _client_reads(self, seen: Seen) -> None:
        client = self.clients[seen.to]
        if found := CODE.search(seen.text):
            client.code = found[0]
        if not seen.question:
            return
        reply = self._reply_of(client, seen.question)
        if reply is None or seen.question in client.minded or seen.is_reminder != reply.to_reminder:
            return
        client.minded.add(seen.question)
        after = reply.after or (client.delay if seen.text.startswith("Здравствуйте") else minutes(2))
        is_special = seen.question in self._order_of(client).replies or seen.question == "solved"
        score = str(reply.score)
        said = reply.says or (score,)
        scoring = next((place for place, text in enumerate(said) if text.startswith(score)), None)
        for place, text in enumerate(said):

            def act(place: int = place, text: str = text) -> None:
                is_tap = place == 0 and text in seen.labels and not reply.types
                self._says(client, seen, text, is_tap=is_tap, quotes=reply.quotes)
                if place == scoring and reply.score is not None:
                    self.audience.answered(seen.question, client.name, reply.score)
                self.audience.said(
                    client.name, seen.channel, text, key=seen.question, is_tap=is_tap, is_special=is_special
                )

            self.agenda.add(seen.at + after + reply.gap * place, act)

    def _order_of(self, client: Client) -> Order:
        """The deal that the client thinks of: the last one that was closed."""
        now = self.clock.now()
        return max(
            (order for order in self.leads if order.client == client.name and order.won_at <= now),
            key=lambda order: order.won_at,
        )

    def _reply_of(self, client: Client, question: str) -> Reply | None:
        order = self._order_of(client)
        if question == "solved":
            by_hand = BY_HAND.reply if client.name == BY_HAND.client else None
            return order.replies.get(question) or SOLVED.get(client.name) or by_hand
        if question in order.replies:
            return order.replies[question]
        scores = dict(zip(TITLES, order.scores.split(), strict=False))
        score = scores.get(question, "-")
        return Reply(score=int(score)) if score != "-" else None

    def _says(self, client: Client, seen: Seen, text: str, *, is_tap: bool, quotes: bool) -> None:
        town = self.town
        if seen.channel == W and seen.text.startswith("Здравствуйте"):
            town.whatsapp.reads(client.phone)
        if seen.channel == T:
            if text == VOICE:
                town.telegram.sends(client.name, "voice")
            elif is_tap:
                town.telegram.tap(client.name, text)
            else:
                town.telegram.says(client.name, text, reply_to=int(seen.quote) if quotes else None)
        elif text == VOICE:
            town.whatsapp.sends(client.phone, "audio")
        elif is_tap:
            town.whatsapp.votes(client.phone, text)
        else:
            town.whatsapp.says(client.phone, text, quote=seen.quote if quotes else "")

    # The head

    def _head_reads(self, seen: Seen) -> None:
        if set(WORTH) < {*seen.labels}:
            self._hear(seen)
            return
        client = next((name for name in self.clients if name in seen.text), "")
        if "Беру" in seen.labels and client not in self._complained:
            self._complained.add(client)
            for press in PRESSES.get(client, ()):
                self.agenda.add(_moment(press, seen.at), partial(self._press, client, press))
        if client and " пишет (" in seen.text:
            says = self._order_of(self.clients[client]).manager_says
            if says:
                self.agenda.add(
                    seen.at + minutes(60), lambda: self._manager_writes(self.clients[client], says)
                )

    def _hear(self, seen: Seen) -> None:
        """The recording of a call, and then the marks on its card, a minute for each."""
        marks = MARKS[self._cards % len(MARKS)]
        self._cards += 1

        def tap(mark: str) -> None:
            self.town.telegram.tap(HEAD_ID, mark, message_id=int(seen.quote))

        for number, mark in enumerate(marks):
            self.agenda.add(seen.at + minutes(3 + number), partial(tap, mark))
        self.agenda.add(seen.at + minutes(3), lambda: self.audience.marked(marks))

    def _press(self, client: str, press: Press) -> None:
        amocrm = self.town.amocrm
        lead = amocrm.leads_in(COMPLAINTS)
        own = [row for row in lead if self.clients[client].contact_id in row.contact_ids][-1]
        match press.do:
            case "close" | "reject":
                is_solved = press.do == "close"
                amocrm.close_lead(own.id, won=is_solved)
                end = "решено" if is_solved else "закрыто и не реализовано"
                self.audience.did(HEAD, f"закрывает сделку рекламации в amoCRM ({client}): {end}")
            case "reopen":
                amocrm.move_lead(own.id, "В работе")
                self.audience.did(HEAD, f"возвращает рекламацию в работу ({client}): починили не до конца")
            case button:
                self.audience.did(HEAD, f"нажимает «{button}» под оповещением ({client})")
                self.town.telegram.tap(HEAD_ID, button, message_id=self._alert_about(client, button))

    def _alert_about(self, client: str, button: str) -> int:
        posts = self.town.telegram.messages(HEAD_ID)
        return [post for post in posts if client in post.text and button in post.labels][-1].message_id

    def _manager_writes(self, client: Client, text: str) -> None:
        self.town.whatsapp.manager_writes(client.phone, text)
        self.audience.did(self._order_of(client).manager, f"пишет в WhatsApp ({client.name}): «{text}»")


def _moment(press: Press, alerted_at: datetime) -> datetime:
    if not press.at:
        return alerted_at + minutes(press.minutes)
    hour, _, minute = press.at.partition(":")
    day = alerted_at.astimezone(ZONE) + timedelta(days=press.days)
    return day.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
