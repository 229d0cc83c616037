"""«Что сделали?»: asked after «Решено», and the answer written to the complaint deal and its task."""

import logging
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.answers import Gone
from integrations.amocrm.changes import NewNote
from integrations.amocrm.client import LONGEST_NOTE
from integrations.channels.base import Incoming, IncomingKind, Outgoing
from integrations.errors import Unreachable
from storage import complaints, inbox, outbox
from storage.tables.complaints import Complaint
from storage.tables.queues import Inbox, Outbox
from worker.account.people import Staff
from worker.actions import keys
from worker.actions.base import Hands, Later
from worker.actions.hearing import but, works_on
from worker.actions.open_complaint import deal_of_complaint
from worker.actions.words import moment_value
from worker.rules.formats import cut_words
from worker.staff.commands import typed

log = logging.getLogger(__name__)


async def ask_for_result(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, complaint: Complaint
) -> None:
    """Where «Решено» was pressed."""
    payload = {"complaint_id": complaint.id, "channel": row.channel, "chat_id": message.chat_id}
    key = f"ask_result:{complaint.id}:{complaint.reopened}"
    await outbox.add_once(tx, "ask_result", key, payload, hands.now(), hands.now())


async def ask_result(item: Outbox, hands: Hands) -> None:
    """At least once: an answer to the last one counts."""
    payload = item.payload
    channel = hands.channels.get(str(payload["channel"]))
    async with hands.db.reading() as tx:
        complaint = await complaints.complaint(tx, int(payload["complaint_id"]))
    if channel is None or complaint is None or complaint.closed_at is None:
        return
    chat_id = str(payload["chat_id"])
    try:
        message_id = await channel.send(
            chat_id, Outgoing(text=hands.texts.fill("alert.ask_result", no=complaint.id))
        )
    except Unreachable as error:
        log.info("nobody is asked what was done about complaint %s: %s", complaint.id, error)
        return
    hands.health.count_message(channel.name, "out", "staff")
    async with hands.db.transaction() as tx:
        if kept := await complaints.complaint(tx, complaint.id or 0, lock=True):
            kept.result_message = _name(channel.name, chat_id, message_id)


def _name(channel: str, chat_id: str, message_id: str) -> str:
    return f"{channel}:{chat_id}:{message_id}"


async def take_result(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff, now: datetime
) -> bool:
    """What was done, in words of which nothing is kept here; False: it is something else.

    In a group another head may know it, and whoever closed it may tell it when it is open once more.
    """
    kinds = (IncomingKind.TEXT, IncomingKind.EDITED, IncomingKind.MEDIA)
    is_answer = message.kind in kinds and typed(message.text) is None
    if not is_answer or not message.quoted:
        return False
    name = _name(row.channel, message.chat_id, message.quoted)
    complaint = await complaints.by_result_message(tx, name)
    if complaint is None or not works_on(hands, staff, complaint):
        return False
    if not but([staff], await complaints.rated_low(tx, complaint)):
        return False
    await inbox.empty(tx, row.id)
    key = keys.note_result(row.channel, row.id)
    if not message.text:
        await _tell(tx, hands, key, (row.channel, message.chat_id), complaint.id, "alert.result_text_only")
        return True
    payload = {
        "complaint_id": complaint.id,
        "channel": row.channel,
        "chat_id": message.chat_id,
        "staff": staff.name,
        "words": message.text,
        "when": now.isoformat(),
    }
    await outbox.add_once(tx, "note_result", key, payload, now, now)
    return True


async def note_result(item: Outbox, hands: Hands) -> None:
    """Safe to do twice: the note is looked for when a try may have happened."""
    payload = item.payload
    async with hands.db.reading() as tx:
        complaint = await complaints.complaint(tx, int(payload["complaint_id"]))
        if await outbox.is_open(tx, keys.press(int(payload["complaint_id"]), "solved", "")):
            raise Later(None, "«Решено» itself is not in amoCRM yet, and would stand over it")
    if complaint is None:
        return
    lead_id = await deal_of_complaint(hands, complaint)
    when = moment_value(hands, datetime.fromisoformat(payload["when"]))
    head = hands.texts.fill("complaint.note_result", staff=str(payload["staff"]), when=when)
    text = f"{head} {payload['words']}"[:LONGEST_NOTE]
    if complaint.task_id is not None:
        try:
            await hands.amocrm.update_task(complaint.task_id, result_text=cut_words(str(payload["words"])))
        except Gone as error:
            log.info("the task of complaint %s was deleted: %s", complaint.id, error)
    # Last: a refusal is no try, and after one that came behind the note it would be written anew.
    if item.attempt == 1 or text not in await hands.amocrm.note_texts(lead_id):
        await hands.amocrm.add_notes([NewNote(lead_id, text)])
    await _answer(item, hands, "alert.result_kept")


async def tell_of_loss(item: Outbox, hands: Hands) -> None:
    """There is no deal that it could be written to."""
    await _answer(item, hands, "alert.result_lost")


async def _answer(item: Outbox, hands: Hands, text: str) -> None:
    payload = item.payload
    place = str(payload["channel"]), str(payload["chat_id"])
    async with hands.db.transaction() as tx:
        await _tell(tx, hands, item.key, place, int(payload["complaint_id"]), text)
    hands.wake.act.set()


async def _tell(
    tx: AsyncSession, hands: Hands, about: str, place: tuple[str, str], no: int | None, text: str
) -> None:
    """Where it was written."""
    payload = {"places": [list(place)], "text": hands.texts.fill(text, no=no)}
    await outbox.add_once(tx, "tell_staff", f"{about}:told", payload, hands.now(), hands.now())
