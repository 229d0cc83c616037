"""A client wants to be forgotten: who has to see to it, and «/forget» by which an owner does it."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Button, Incoming, IncomingKind, Outgoing
from integrations.errors import Unreachable
from storage import inbox, outbox, people
from storage.erase import Erasure, erase_person
from storage.tables.queues import Inbox, Outbox
from storage.tables.surveys import Survey
from worker.account.people import Staff
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.passing import Speaker, deal_of
from worker.rules.duration import Duration
from worker.rules.phone import mask, normalise
from worker.staff.commands import typed

COMMAND = "forget"
YES, NO = "e:yes:", "e:no"  # the data of the buttons; the first is followed by the number
TERM = Duration(business_days=10)  # 152-ФЗ, article 20


async def ask_to_erase(tx: AsyncSession, hands: Hands, received: Speaker, survey: Survey | None) -> None:
    """«удалите мои данные»: the owner hears of it, and has a task on the newest deal, one for a client."""
    client, now = received.client, received.now
    about = {"client_id": client.client_id}
    await outbox.add_once(tx, "tell_erase", f"tell_erase:{received.about}", about, now, now)
    deal = await deal_of(tx, hands, client, survey)
    if deal is None:
        return
    owners = (person.amocrm_user for person in hands.known.owners() if person.amocrm_user)
    payload = {
        **about,
        "deal_id": deal.deal_id,
        "text_key": "erase.task",
        "words": "",
        "responsible": next(owners, None),
        "deadline": hands.calendar.deadline(now, TERM).isoformat(),
    }
    key = keys.task(deal.deal_id, f"erase:{client.client_id}")
    await outbox.add_once(tx, "deal_task", key, payload, now, now)


# --- in the bot --------------------------------------------------------------------------------------------


async def take(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff) -> str | None:
    """`/forget PHONE`, or the answer to our question whether it is meant. None: it is neither, or no owner's.

    Always in private, and nothing of it stays: not in the inbox, nor in the outbox once it is answered.
    """
    if staff not in hands.known.owners():
        return None
    if message.kind is IncomingKind.TAP:
        return await _answered(tx, hands, row, message, staff)
    wish = typed(message.text) if message.kind is IncomingKind.TEXT else None
    if wish is None or wish.command != COMMAND:
        return None
    await inbox.empty(tx, row.id)
    phone = normalise(wish.words, hands.region)
    if phone is None:
        await _say(tx, hands, row, staff, text=hands.texts.fill("forget.how"))
    else:
        await _say(tx, hands, row, staff, phone=phone)
    return ""


async def _answered(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff
) -> str | None:
    number = message.data.removeprefix(YES) if message.data.startswith(YES) else ""
    if message.data != NO and not number.isdecimal():
        return None
    await inbox.empty(tx, row.id)
    text = hands.texts.fill("forget.kept")
    if number:
        now: datetime = hands.now()
        text = _told(hands, mask(number), await erase_person(tx, f"+{number}", now))
    await _say(tx, hands, row, staff, text=text, instead_of=message.quoted)
    return ""


def _told(hands: Hands, phone: str, erased: Erasure) -> str:
    if not erased:
        return hands.texts.fill("forget.nobody", client_phone=phone)
    return hands.texts.fill(
        "forget.done",
        client_phone=phone,
        n=erased.clients,
        m=erased.contacts,
        a=erased.chats,
        b=erased.replies,
        value=str(erased.messages),
    )


async def _say(
    tx: AsyncSession,
    hands: Hands,
    row: Inbox,
    staff: Staff,
    *,
    text: str = "",
    phone: str = "",
    instead_of: str = "",
) -> None:
    """`phone`: whom to ask about, in place of a text."""
    payload = {
        "channel": row.channel,
        "chat_id": staff.chat_in(row.channel),
        "message_id": instead_of,
        "text": text,
        "phone": phone,
    }
    key = f"forget:{row.channel}:{row.id}"
    await outbox.add_once(tx, "tell_forget", key, payload, hands.now(), hands.now())


async def tell_forget(item: Outbox, hands: Hands) -> None:
    """The question, with whom it is about, or what came of it in its place."""
    payload = item.payload
    channel = hands.channels.get(str(payload["channel"]))
    if channel is None:
        return
    chat_id, message_id = str(payload["chat_id"]), str(payload.get("message_id") or "")
    phone = str(payload.get("phone") or "")
    message = await _question(hands, phone) if phone else Outgoing(text=str(payload.get("text") or ""))
    if not message.text:
        return  # It was wiped meanwhile.
    try:
        if message_id:
            await channel.edit(chat_id, message_id, message)
        else:
            await channel.send(chat_id, message)
    except Unreachable:
        return  # The owner has left the bot.


async def _question(hands: Hands, phone: str) -> Outgoing:
    async with hands.db.reading() as tx:
        client = await people.client_by_key(tx, f"phone:{phone}")
    texts = hands.texts
    name = client.name if client is not None else ""
    yes = Button(texts.fill("button.forget"), data=f"{YES}{phone.removeprefix('+')}")
    no = Button(texts.fill("button.keep"), data=NO)
    return Outgoing(text=texts.fill("forget.sure", client=name, client_phone=phone), buttons=((yes, no),))
