"""Which messages in staff chats tell of a complaint: all of them are kept up to date."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from storage import complaints, outbox, people
from storage.rows import insert_once
from storage.tables.complaints import Alert, Complaint, Repeat
from worker.account.people import Place
from worker.actions import keys
from worker.actions.base import Hands


async def keep_alerts(hands: Hands, about: Sequence[Complaint], place: Place, message_id: str) -> None:
    """The alert of these complaints in this chat, from now on; one before it is followed where it stands."""
    async with hands.db.transaction() as tx:
        for complaint in about:
            row = Alert(
                complaint_id=complaint.id or 0,
                channel=place.channel,
                chat_id=place.chat_id,
                message_id=message_id,
                sent_at=hands.now(),
            )
            if await insert_once(tx, row):
                continue
            for old in await complaints.alerts(tx, complaint.id or 0):
                if (old.channel, old.chat_id) == place:
                    if old.message_id not in ("", message_id):
                        await _keep(tx, complaint, place, old.message_id)
                    old.message_id, old.sent_at = message_id, hands.now()
    await _catch_up(hands, about)


async def keep_repeats(
    hands: Hands, said: Sequence[tuple[Complaint, str]], place: Place, message_id: str
) -> None:
    """One more message of these complaints in this chat, beside the alert: what it says of each."""
    async with hands.db.transaction() as tx:
        forgotten = await _forgotten(tx, [complaint for complaint, _ in said])
        for complaint, text in said:
            is_nobodys = complaint.client_id in forgotten
            await _keep(tx, complaint, place, message_id, "" if is_nobodys else text)
    await _catch_up(hands, [complaint for complaint, _ in said])


async def _keep(
    tx: AsyncSession, complaint: Complaint, place: Place, message_id: str, text: str = ""
) -> None:
    row = Repeat(
        complaint_id=complaint.id or 0,
        channel=place.channel,
        chat_id=place.chat_id,
        message_id=message_id,
        text=text,
        lines=len(complaint.lines),
    )
    await insert_once(tx, row)


async def _forgotten(tx: AsyncSession, about: Sequence[Complaint]) -> set[int]:
    """Clients who were erased while the message was on its way; who is being erased now ends first."""
    ids = sorted({complaint.client_id for complaint in about if complaint.client_id is not None})
    found = [await people.client(tx, client_id, lock=True) for client_id in ids]
    return {one.client_id or 0 for one in found if one is not None and one.erased_at is not None}


async def _catch_up(hands: Hands, about: Sequence[Complaint]) -> None:
    """A message on its way shows a complaint as it was: what was done meanwhile, no edit could show there.

    To be looked for once the message is known, so that what is done from now on finds it.
    """
    async with hands.db.transaction() as tx:
        for complaint in about:
            now, kept = hands.now(), await complaints.complaint(tx, complaint.id or 0)
            if kept is not None and (kept.lines, kept.lead_id) != (complaint.lines, complaint.lead_id):
                this = {"complaint_id": complaint.id}
                await outbox.ask_again(tx, "edit_alert", keys.edit_alert(complaint.id), this, now, now)
                hands.wake.act.set()
