"""Whose chat is this? A known one, a phone number, a deep link, a shared card; else a stranger."""

import logging
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Channel, Incoming, IncomingKind
from storage import deals, outbox, people, turns
from storage.tables.deals import Deal
from storage.tables.people import Chat, Client
from storage.tables.queues import Inbox
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.words import greeting_values
from worker.rules.eligibility import Reason
from worker.rules.phone import normalise

log = logging.getLogger(__name__)

# Who could not be reached is asked after all, once a messenger is linked in time.
REVIVED_BY_LINK = (Reason.UNREACHABLE, Reason.NO_PHONE, Reason.NO_CONTACT)

GREETED_WITHIN = timedelta(minutes=1)  # a question that could go out waits this long for the greeting


async def whose(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, now: datetime
) -> tuple[Chat, Client]:
    """The chat and the person behind it; a stranger becomes a person that is only this chat."""
    known = await people.chat(tx, row.channel, message.chat_id)
    if known is not None and known.client_id is not None:
        client = await people.client(tx, known.client_id)
        if client is not None:
            if message.sender_name:
                known.name = message.sender_name
            return known, client
    phone = normalise(f"+{message.phone.lstrip('+')}", hands.region) if message.phone else None
    client = await people.client_for(
        tx, phone=phone, otherwise=f"chat:{row.channel}:{message.chat_id}", name=message.sender_name, now=now
    )
    chat = await people.chat_for(
        tx, row.channel, message.chat_id, client_id=client.client_id, name=message.sender_name, now=now
    )
    return chat, client


def note_written(chat: Chat, at: datetime | None) -> None:
    """The client wrote then, by what is known; None: at some time while nobody listened."""
    if at is not None and (chat.client_wrote_at is None or at > chat.client_wrote_at):
        chat.client_wrote_at = at


async def link(
    tx: AsyncSession, hands: Hands, channel: Channel, row: Inbox, message: Incoming, now: datetime
) -> None:
    """The bot was opened, or a number was shared."""
    if message.kind is IncomingKind.CONTACT:
        await _by_card(tx, hands, row, message, now)
    elif message.token:
        await _by_token(tx, hands, row, message, now)
    else:
        await _plain_start(tx, hands, row, message, now)
    if (chat := await people.chat(tx, row.channel, message.chat_id)) is not None:
        note_written(chat, message.sent_at or row.said_after)
    hands.wake.act.set()


async def _plain_start(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, now: datetime) -> None:
    chat = await people.chat(tx, row.channel, message.chat_id)
    if chat is not None and chat.client_id is not None:
        client = await people.client(tx, chat.client_id)
        if client is not None and not client.key.startswith("chat:"):
            chat.dead_at, chat.dead_reason = None, ""
            await _ask_after_all(tx, hands, client, now)
            await _greet(tx, hands, row, message, "start.linked", client, now)
            return
    await whose(tx, hands, row, message, now)
    await _greet(tx, hands, row, message, "start.unknown", None, now, share_phone=True)


async def _by_token(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, now: datetime) -> None:
    deal = await deals.by_token(tx, message.token)
    if deal is None:
        await _plain_start(tx, hands, row, message, now)
        return
    client = await _client_of(tx, deal, now)
    others = [
        chat
        for chat in await people.chats_of(tx, client.client_id or 0)
        if chat.channel == row.channel and chat.chat_id != message.chat_id and chat.dead_at is None
    ]
    if others:
        # Links get forwarded to friends: the first account keeps it, the second has to show its number.
        await whose(tx, hands, row, message, now)
        await _greet(tx, hands, row, message, "start.used", None, now, share_phone=True)
        return
    await _bind(tx, hands, row, message, client, now)
    await _greet(tx, hands, row, message, "start.linked", client, now)


async def _client_of(tx: AsyncSession, deal: Deal, now: datetime) -> Client:
    client = await people.client(tx, deal.client_id) if deal.client_id is not None else None
    if client is None:
        # Its contact has not been read yet (or it has none): the person gets a name and a number soon.
        otherwise = f"contact:{deal.contact_id}" if deal.contact_id is not None else f"deal:{deal.deal_id}"
        client = await people.client_for(tx, phone=None, otherwise=otherwise, name="", now=now)
        deal.client_id = client.client_id
        if deal.contact_id is not None:
            payload = {"contact_id": deal.contact_id}
            await outbox.add_once(tx, "know_client", f"know_client:{deal.contact_id}", payload, now, now)
    return client


async def _by_card(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, now: datetime) -> None:
    if not message.is_own_phone:
        await whose(tx, hands, row, message, now)
        await _greet(tx, hands, row, message, "start.foreign_card", None, now, share_phone=True)
        return
    phone = normalise(f"+{message.phone.lstrip('+')}", hands.region) or normalise(message.phone, hands.region)
    known = await people.client_by_key(tx, f"phone:{phone}") if phone else None
    stranger = f"chat:{row.channel}:{message.chat_id}"
    client = await people.client_for(tx, phone=phone, otherwise=stranger, name=message.sender_name, now=now)
    await _bind(tx, hands, row, message, client, now)
    if known is None:
        # amoCRM may know a number that we have not met: asked outside this transaction.
        payload = {
            "channel": row.channel,
            "chat_id": message.chat_id,
            "client_id": client.client_id,
            "phone": phone,
        }
        await outbox.add_once(tx, "find_client", f"find_client:{row.channel}:{row.id}", payload, now, now)
    else:
        await _greet(tx, hands, row, message, "start.linked", client, now, remove_keyboard=True)


async def _bind(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, client: Client, now: datetime
) -> None:
    chat = await people.chat_for(
        tx, row.channel, message.chat_id, client_id=client.client_id, name=message.sender_name, now=now
    )
    if chat.client_id != client.client_id:
        previous = await people.client(tx, chat.client_id) if chat.client_id is not None else None
        chat.client_id = client.client_id
        # What a stranger wrote in this chat before belongs to the person that it now is.
        if previous is not None and previous.key.startswith("chat:"):
            await people.merge(tx, previous, into=client)
    chat.linked_at, chat.dead_at, chat.dead_reason = now, None, ""
    await _ask_after_all(tx, hands, client, now)


async def _ask_after_all(tx: AsyncSession, hands: Hands, client: Client, now: datetime) -> None:
    """Whoever could not be reached can be now."""
    until = now + GREETED_WITHIN
    await turns.look_again(tx, client.client_id or 0, now, greeting_until=until)
    revived = await turns.revive(
        tx, client.client_id or 0, REVIVED_BY_LINK, now, hands.policy.expires_after, greeting_until=until
    )
    if revived:
        log.info("%d surveys go out after all: a messenger was linked", revived)


async def _greet(
    tx: AsyncSession,
    hands: Hands,
    row: Inbox,
    message: Incoming,
    key: str,
    client: Client | None,
    now: datetime,
    *,
    share_phone: bool = False,
    remove_keyboard: bool = False,
) -> None:
    payload = {
        "channel": row.channel,
        "chat_id": message.chat_id,
        "text": hands.texts.fill(key, **greeting_values(hands, client)),
        "variant": key,
        "share_phone": share_phone,
        "remove_keyboard": remove_keyboard,
    }
    await outbox.add_once(tx, "say", keys.say(f"{row.channel}:{row.id}"), payload, now, now)
