"""The stop tag of an opt-out: set, remembered as ours, and taken off again when the client comes back.

amoCRM shows what the client said last, whatever came in between. A tag that a person set stays.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.tags import was_taken_off
from storage import outbox, people
from storage.people import has_tag
from storage.tables.deals import Contact
from storage.tables.people import Chat, Client
from storage.tables.queues import Outbox
from worker.actions import keys
from worker.actions.base import Hands, Later
from worker.actions.passing import Speaker, pass_on, say
from worker.actions.people import read_contact

log = logging.getLogger(__name__)

STALE = timedelta(days=2)  # who is told so late that questions are on again is only surprised


@dataclass(frozen=True, slots=True, kw_only=True)
class _Again:
    """Whoever came back, after amoCRM was asked."""

    chat: Chat
    client: Client
    about: str
    now: datetime


async def ask_for_tags(tx: AsyncSession, client: Client, now: datetime) -> bool:
    """Have the tags of this person's contacts say what the client said last. False: there are none."""
    contacts = await people.contacts_of(tx, client.client_id or 0)
    payloads = {
        keys.stop_tag(contact.contact_id): {"contact_id": contact.contact_id}
        for contact in contacts
        if contact.contact_id > 0  # else a company
    }
    await outbox.ask_all_again(tx, "sync_stop_tag", payloads, now, now)
    return bool(payloads)


async def come_back(tx: AsyncSession, hands: Hands, speaker: Speaker, words: str) -> None:
    """«вернуться»: at once for us; the client is told when it is known that no person's tag forbids it."""
    await people.opt_in(tx, speaker.client.client_id or 0)
    if not await ask_for_tags(tx, speaker.client, speaker.now):
        await say(tx, hands, speaker, "optout.undone")
        return
    payload = {
        "channel": speaker.chat.channel,
        "chat_id": speaker.chat.chat_id,
        "client_id": speaker.client.client_id,
        "about": speaker.about,
        "words": words,
    }
    await outbox.add_once(
        tx, "welcome_back", keys.welcome_back(speaker.about), payload, speaker.now, speaker.now
    )


async def sync_stop_tag(item: Outbox, hands: Hands) -> None:
    """Set the tag on one contact, or take ours off: as the client's last word has it now."""
    contact_id = int(item.payload["contact_id"])
    await read_contact(hands, contact_id)
    async with hands.db.transaction() as tx:
        contact = await people.contact(tx, contact_id)
        if contact is None or contact.is_deleted:
            return
        client = await people.client(tx, contact.client_id) if contact.client_id is not None else None
        is_out = client is not None and client.opted_out_at is not None
        tag = contact.own_tag or next(iter(hands.stop_tags), "")
        is_there = has_tag(contact.tags, tag)
        if is_out and not is_there and tag:
            # Before the request: after a crash it is known whose tag this is.
            contact.own_tag, contact.own_tag_at = tag, None
        elif not is_there:
            contact.own_tag, contact.own_tag_at = "", None
        elif contact.own_tag:
            # None: the end of that try was not known, and it did set the tag.
            contact.own_tag_at = contact.own_tag_at or contact.updated_at
    if not contact.own_tag or is_out == is_there:
        return
    if is_out:
        await _set(hands, contact)
    else:
        await _take_off(hands, contact)


async def _set(hands: Hands, contact: Contact) -> None:
    tagged_at = await hands.amocrm.tag_contact(contact.contact_id, contact.own_tag)
    async with hands.db.transaction() as tx:
        row = await people.contact(tx, contact.contact_id)
        if row is not None:
            row.own_tag_at = tagged_at
            row.tags = [*row.tags, contact.own_tag]


async def _take_off(hands: Hands, contact: Contact) -> None:
    contact_id, tag, since = contact.contact_id, contact.own_tag, contact.own_tag_at
    is_ours = since is None or not await was_taken_off(hands.amocrm, contact_id, tag, since)
    if is_ours:
        await hands.amocrm.untag_contact(contact_id, tag)
    else:
        log.info("the stop tag of contact %s was set anew by a person and stays", contact_id)
    async with hands.db.transaction() as tx:
        row = await people.contact(tx, contact_id)
        if row is not None:
            row.own_tag, row.own_tag_at = "", None
            if is_ours:
                row.tags = [one for one in row.tags if not has_tag([one], tag)]


async def is_being_lifted(tx: AsyncSession, contact: Contact | None) -> bool:
    """Is the client back, and amoCRM not told yet? What stands there meanwhile refuses nothing."""
    return contact is not None and await outbox.any_open(tx, [keys.stop_tag(contact.contact_id)])


async def welcome_back(item: Outbox, hands: Hands) -> None:
    """Tell who came back how it stands: questions are on, or a person, whose tag it is, has to decide."""
    payload, now = item.payload, hands.now()
    if now > item.created_at + STALE:
        return
    async with hands.db.transaction() as tx:
        client = await people.client(tx, int(payload["client_id"]))
        chat = await people.chat(tx, str(payload["channel"]), str(payload["chat_id"]))
        if client is None or chat is None or client.opted_out_at is not None:
            return  # Forgotten, or «стоп» was said since.
        contacts = await people.contacts_of(tx, client.client_id or 0)
        if await outbox.any_open(tx, [keys.stop_tag(contact.contact_id) for contact in contacts]):
            raise Later(None, "amoCRM has not told yet whether a person's tag stands")
        speaker = _Again(chat=chat, client=client, about=str(payload["about"]), now=now)
        if _is_kept_out(contacts, hands.stop_tags):
            await pass_on(tx, hands, speaker, None, str(payload["words"]), task_key="deal.task_back")
        else:
            await say(tx, hands, speaker, "optout.undone")


def _is_kept_out(contacts: Sequence[Contact], stop_tags: Sequence[str]) -> bool:
    return any(has_tag(contact.tags, tag) for contact in contacts for tag in stop_tags)
