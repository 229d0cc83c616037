"""The gateway's own queue, emptied outside the send window: after an outage it would be sent at any hour."""

import logging
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Channel, Outgoing, Searchable
from integrations.errors import OutsideError
from storage import outbox, people, queued, requests
from storage.tables.surveys import Message
from worker.account.people import Place
from worker.actions import keys
from worker.actions.alert_words import staff_values
from worker.actions.base import Hands
from worker.actions.deal_card import tell_deal
from worker.actions.replying import HUMAN
from worker.actions.telling import in_group

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=5)


async def empty_queue(hands: Hands, channel: Channel) -> None:
    """To be called when the channel has just had nothing to tell: what it never told of is in its queue.

    Questions found there are asked anew once it has been silent about them for a while more. Of an answer
    of theirs staff are told. Reminders and thanks are not said again: in the morning they would only puzzle.
    """
    if not isinstance(channel, Searchable):
        return
    now = hands.now()
    await _ask_anew(hands, channel, channel.echo_kind)
    if hands.policy.window.is_open(now) or now < hands.emptied_at.get(channel.name, now):
        return
    hands.emptied_at[channel.name] = now + LOOK_EVERY
    async with hands.db.reading() as tx:
        waiting = await queued.untold(tx, channel.name, channel.echo_kind, now)
    if not waiting:
        return
    try:
        is_emptied = await channel.clear()
    except OutsideError as error:
        log.warning("the queue of %s is not emptied: %s", channel.name, error)
        return
    if is_emptied:
        async with hands.db.transaction() as tx:
            ids = {message.message_id for message in waiting}
            number = await queued.mark_cleared(tx, channel.name, ids, now)
            for message in waiting:
                if message.kind == HUMAN:
                    await _tell_of_lost(tx, hands, message, now)
        if number:
            log.warning("the queue of %s was emptied for the night: %s questions", channel.name, number)


async def _tell_of_lost(tx: AsyncSession, hands: Hands, message: Message, now: datetime) -> None:
    """An answer of staff: they were told that it was sent, and the client still waits for one."""
    chat = await people.chat(tx, message.channel, message.chat_id)
    client = await people.client(tx, chat.client_id) if chat is not None and chat.client_id else None
    if chat is None or client is None:
        return  # Forgotten meanwhile.
    values = staff_values(hands, client=client, deal=None, survey=None, now=now)
    said = Outgoing(text=hands.texts.fill("client.reply_lost", **values))
    for number in await requests.unanswered(tx, message.channel, message.chat_id, message.sent_at):
        for shown in await requests.shown(tx, number):
            place = Place(shown.channel, shown.chat_id)
            text = in_group(hands, said, client).text if place in hands.groups else said.text
            payload = {"places": [list(place)], "text": text, "client_id": client.client_id}
            key = f"reply_lost:{message.id}:{':'.join(place)}"
            await outbox.add_once(tx, "tell_staff", key, payload, now, now)
        about = {"request_id": number}
        await outbox.ask_again(tx, "edit_request", keys.edit_request(number), about, now, now)
    chat.waiting_since = await requests.open_since(tx, message.channel, message.chat_id)
    hands.wake.act.set()


async def _ask_anew(hands: Hands, channel: Channel, echo_kind: str) -> None:
    now = hands.now()
    async with hands.db.reading() as tx:
        found = await queued.cleared(tx, channel.name, now, list(hands.surveys))
    for survey in found:
        async with hands.db.transaction() as tx:
            if await queued.plan_again(tx, survey, echo_kind, now):
                if survey.promo_code:
                    await people.take_code_back(tx, survey.promo_code, survey.id or 0)
                hands.health.count_message(channel.name, "out", "absent")
                await tell_deal(tx, hands, survey.deal_id, now)
                hands.wake.send.set()
