"""Forgetting a person: names, numbers, words and chats go; scores and counts stay, belonging to nobody."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import calls
from storage.erase_queues import erase_inbox, erase_outbox, nameless
from storage.erased_numbers import keep_hash
from storage.tables.columns import Json
from storage.tables.complaints import Complaint, Repeat, Request
from storage.tables.deals import Contact, Deal, Referral
from storage.tables.people import Chat, Client, PromoCode
from storage.tables.queues import Outbox, OutboxState, State
from storage.tables.surveys import Message, Reply, Survey, SurveyState, Trial

BROKEN_DEAL = "broken.lead."  # in the state: how the keys of deals that could not be read begin
ASKED = {"answer_staff": "words", "tell_forget": "phone"}  # by kind: for whom staff look, and where it stands
FORGOTTEN = "…"  # in a friend's deal, in place of what named the person
# The report tells how many wrote something; that stays.
HAD_WORDS = or_(col(Reply.had_words), col(Reply.text) != "")
SHORTEST_NAME = 3  # letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was found and erased."""

    clients: int = 0
    contacts: int = 0
    chats: int = 0
    replies: int = 0
    messages: int = 0  # as they came in, word for word

    def __bool__(self) -> bool:
        return bool(self.clients or self.contacts or self.chats or self.messages)


async def erase_person(tx: AsyncSession, phone: str, now: datetime) -> Erasure:
    """Erase whoever has this E.164 number, and keep a keyed hash of it, also of a number that nobody has."""
    await keep_hash(tx, phone, now)
    digits = phone.removeprefix("+")
    # Also where the number is the chat's name and nobody has been linked to it.
    # Held, so that whoever writes down just now what was said there ends first, or finds no chat.
    chats = list((await tx.exec(select(Chat).where(_named(Chat.chat_id, phone)).with_for_update())).all())
    clients = await _clients(tx, phone, {chat.client_id for chat in chats if chat.client_id})
    clients += await _merged(tx, clients)
    ids = [client.client_id for client in clients if client.client_id is not None]
    others = col(Chat.client_id).in_(ids), col(Chat.id).not_in([chat.id for chat in chats])
    chats += (await tx.exec(select(Chat).where(*others).with_for_update())).all()
    places = {(chat.channel, chat.chat_id) for chat in chats}
    for table in (Trial, Message):  # Whoever tried it there need be no client.
        tried = select(table.channel, table.chat_id).where(_named(table.chat_id, phone)).distinct()
        places.update((await tx.exec(tried)).all())
    names = [name for chat in chats for name in (chat.chat_id, chat.alias)]
    needles = {digits, *(re.sub(r"\D", "", name) for name in names)} - {""}
    messages = await erase_inbox(tx, ids, places, needles, now)
    await erase_outbox(tx, ids, places)
    await _erase_typed(tx, phone, {client.name for client in clients})
    await _erase_put_aside(tx, ids, phone, clients)
    await _erase_from_friends(tx, ids, phone, clients)
    replies = await _erase_words(tx, ids, places)
    await _erase_calls(tx, ids, phone)
    contacts = await _erase_contacts(tx, ids, phone)
    await tx.exec(delete(Chat).where(col(Chat.id).in_([chat.id for chat in chats])))
    for client in clients:
        client.key = f"erased:{client.client_id}"
        client.phone, client.name, client.erased_at = None, "", now
    await tx.flush()
    return Erasure(
        clients=len(clients), contacts=contacts, chats=len(chats), replies=replies, messages=messages
    )


def _named(chat_id: Any, phone: str) -> ColumnElement[bool]:
    """Is this the number, as messengers name its chat?"""
    digits = phone.removeprefix("+")
    return or_(col(chat_id).startswith(f"{digits}@"), col(chat_id).in_((digits, phone)))


async def _clients(tx: AsyncSession, phone: str, also: Collection[int]) -> list[Client]:
    of_contacts = select(Contact.client_id).where(Contact.phone == phone)
    found = await tx.exec(
        select(Client)
        .where(
            or_(
                col(Client.phone) == phone,
                col(Client.key) == f"phone:{phone}",
                col(Client.client_id).in_(of_contacts),
                col(Client.client_id).in_(also),
            ),
            col(Client.erased_at).is_(None),
        )
        # Whoever is just writing down what went to the person ends first, or finds nobody.
        .with_for_update()
    )
    return list(found.all())


async def _merged(tx: AsyncSession, clients: list[Client]) -> list[Client]:
    """Whom we knew apart before, and who kept the code for friends: questions of theirs carried it."""
    ids = [client.client_id for client in clients]
    found = await tx.exec(
        select(Client)
        .join(PromoCode, col(PromoCode.client_id) == col(Client.client_id))
        .join(Survey, col(Survey.promo_code) == col(PromoCode.code))
        .where(col(Survey.client_id).in_(ids), col(Client.client_id).not_in(ids))
        .where(col(Client.erased_at).is_(None))
    )
    return list({client.client_id: client for client in found}.values())


async def _erase_calls(tx: AsyncSession, ids: list[int], phone: str) -> None:
    """Recordings, and what was said of them; the marks are about the company's own people."""
    deals = (await tx.exec(select(Deal.deal_id).where(col(Deal.client_id).in_(ids)))).all()
    contacts = (await tx.exec(select(Contact.contact_id).where(col(Contact.client_id).in_(ids)))).all()
    await calls.empty(tx, deals, contacts, phone[-10:])


async def _erase_contacts(tx: AsyncSession, ids: list[int], phone: str) -> int:
    """The mirror of what amoCRM says about the person; amoCRM itself is not ours to erase."""
    await tx.exec(update(Deal).where(col(Deal.client_id).in_(ids)).values(name="", fields={}, tags=[]))
    await tx.exec(update(Complaint).where(col(Complaint.client_id).in_(ids)).values(name=""))
    await empty_repeats(tx, col(Complaint.client_id).in_(ids))
    deals = select(Deal.deal_id).where(col(Deal.client_id).in_(ids))
    await tx.exec(
        update(Referral)
        .where(or_(col(Referral.deal_id).in_(deals), col(Referral.referrer_id).in_(ids)))
        .values(typed="")
    )
    erased = await tx.exec(
        update(Contact)
        .where(or_(col(Contact.client_id).in_(ids), col(Contact.phone) == phone))
        .values(name="", phone=None, tags=[], fields={})
    )
    return erased.rowcount


async def empty_repeats(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """Of these complaints: what staff were told beside the alert names the client, and quotes them."""
    told = select(Complaint.id).where(which)
    await tx.exec(update(Repeat).where(col(Repeat.complaint_id).in_(told)).values(text=""))


async def _erase_words(tx: AsyncSession, ids: list[int], places: Iterable[tuple[str, str]]) -> int:
    """Of replies the score, its time and its survey stay."""
    erased = 0
    for number, (channel, chat_id) in enumerate(sorted(places)):
        nobody = f"erased:{min(ids, default=0)}:{number}"
        await tx.exec(
            update(Message)
            .where(col(Message.channel) == channel, col(Message.chat_id) == chat_id)
            .values(chat_id=nobody, message_id=nameless(Message.message_id, Message.id))
        )
        await tx.exec(delete(Trial).where(col(Trial.channel) == channel, col(Trial.chat_id) == chat_id))
        await tx.exec(
            update(Survey)
            .where(col(Survey.channel) == channel, col(Survey.chat_id) == chat_id)
            .values(chat_id="")
        )
        await tx.exec(
            update(Request)
            .where(col(Request.channel) == channel, col(Request.chat_id) == chat_id)
            .values(chat_id="")
        )
        found = await tx.exec(
            update(Reply)
            .where(col(Reply.channel) == channel, col(Reply.chat_id) == chat_id)
            .values(
                text="",
                had_words=HAD_WORDS,
                chat_id=nobody,
                external_id=nameless(Reply.external_id, Reply.id),
            )
        )
        erased += found.rowcount
    rest = await tx.exec(
        update(Reply)
        .where(col(Reply.client_id).in_(ids), col(Reply.text) != "")
        .values(text="", had_words=True)
    )
    # A chat may be somebody else's by now, and still hold what this person said and was asked.
    for table in (Survey, Request, Reply):
        is_left = ~col(table.chat_id).startswith("erased:")
        await tx.exec(update(table).where(col(table.client_id).in_(ids), is_left).values(chat_id=""))
    theirs = col(Survey.client_id).in_(ids)
    name = nameless(Survey.message_id, Survey.id)
    await tx.exec(update(Survey).where(theirs).values(message_id=name))
    # Whoever is just checking a question of theirs loses it.
    is_planned = col(Survey.state) == SurveyState.PLANNED
    await tx.exec(update(Survey).where(theirs, is_planned).values(attempt=Survey.attempt + 1))
    return erased + rest.rowcount


async def _erase_put_aside(tx: AsyncSession, ids: list[int], phone: str, clients: list[Client]) -> None:
    """Deals that could not be read, as amoCRM sent them: the person's own, or with number or name in them."""
    deals = (await tx.exec(select(Deal.deal_id).where(col(Deal.client_id).in_(ids)))).all()
    contacts = (await tx.exec(select(Contact).where(col(Contact.client_id).in_(ids)))).all()
    keys = {f"{BROKEN_DEAL}{deal_id}" for deal_id in deals}
    names = {client.name for client in clients} | {contact.name for contact in contacts}
    trace = _trace(phone, names, *(rf'"id": {contact.contact_id}(?!\d)' for contact in contacts))
    for row in (await tx.exec(select(State).where(col(State.key).startswith(BROKEN_DEAL)))).all():
        # Read once more, since letters stand there escaped.
        raw = json.dumps(json.loads(row.value.get("raw") or "{}"), ensure_ascii=False)
        if row.key in keys or trace.search(raw):
            row.value = {"raw": "", "error": ""}


async def _erase_from_friends(tx: AsyncSession, ids: list[int], phone: str, clients: list[Client]) -> None:
    """Deals of others that name the person as who recommended the company; that somebody did so stays."""
    trace = _trace(phone, {client.name for client in clients})
    typed = select(Referral).where(col(Referral.typed) != "")
    for referral in (await tx.exec(typed)).all():
        by_number = referral.referrer_id in ids and not referral.code
        if not by_number and not trace.search(referral.typed):
            continue
        said, referral.typed = referral.typed.split("; "), ""
        deal = await tx.get(Deal, referral.deal_id)
        if deal is not None:
            deal.fields = {
                field_id: [_without(value, said) for value in values]
                for field_id, values in deal.fields.items()
            }


def _without(value: Json, said: Collection[str]) -> Json:
    return {**value, "value": FORGOTTEN} if str(value.get("value")).strip() in said else value


def _trace(phone: str, names: Collection[str], *others: str) -> re.Pattern[str]:
    """The number, or the whole name: a first name alone is many people's."""
    whole = [rf"(?<!\w){re.escape(name)}(?!\w)" for name in names if len(name.split()) > 1]
    return re.compile("|".join([*whole, *others, _written(phone)]), re.IGNORECASE)


def _written(phone: str) -> str:
    """A number as people write it: after +7, 8 or nothing, with spaces, brackets, dots and dashes."""
    return r"[\s().\u2010-\u2015-]*".join(phone.removeprefix("+")[-10:]) + r"(?!\d)"


async def _erase_typed(tx: AsyncSession, phone: str, names: Collection[str]) -> None:
    """Whom staff look for and nobody has answered yet: it is not answered any more."""
    words = {word for name in names for word in name.casefold().split() if len(word) >= SHORTEST_NAME}
    number = re.compile(_written(phone))
    waiting = select(Outbox).where(
        col(Outbox.kind).in_(ASKED), col(Outbox.state).in_((OutboxState.WAITING, OutboxState.DOING))
    )
    for item in (await tx.exec(waiting)).all():
        key = ASKED[item.kind]
        typed = str(item.payload.get(key) or "")
        if number.search(typed) or words & set(re.findall(r"\w+", typed.casefold())):
            item.payload, item.state = {**item.payload, key: ""}, OutboxState.DONE
