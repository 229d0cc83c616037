"""Buttons of the bot as staff see it, and who may press them."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Incoming, IncomingKind
from storage import complaints, outbox
from storage.tables import Complaint, Inbox
from worker.account import Staff
from worker.actions import answer_staff, forgetting, keys, replying, rollout_presses
from worker.actions.alert_staff import in_an_hour
from worker.actions.base import Hands
from worker.actions.hearing import but, leads
from worker.actions.words import clock_time

log = logging.getLogger(__name__)

PRESSES = ("take", "solved", "later")


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """«Беру», «Решено» or «Позвонить позже» under an alert."""

    complaint: Complaint
    what: str
    staff: Staff
    now: datetime


async def take(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff, now: datetime
) -> None:
    """Something that a person of the company did in the bot. Words of staff are never a client's answer."""
    said = await replying.take(tx, hands, row, message, staff)
    if said is None:
        said = await forgetting.take(tx, hands, row, message, staff)
    is_taken = said is not None or await answer_staff.take(tx, hands, row, message, staff)
    if message.kind is IncomingKind.TAP:
        text = (said or "") if is_taken else await _said(tx, hands, row, message, staff, now)
        payload = {"channel": row.channel, "callback_id": message.callback_id, "text": text}
        await outbox.add_once(tx, "toast", keys.toast(message.callback_id), payload, now, now)
    hands.wake.act.set()


async def _said(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff, now: datetime
) -> str:
    """Do what the button says, whichever it is; the words for the presser."""
    if message.data.startswith(rollout_presses.OURS):
        return await rollout_presses.press(tx, hands, row, message, staff)
    return await _press(tx, hands, message, staff, now)


async def _press(tx: AsyncSession, hands: Hands, message: Incoming, staff: Staff, now: datetime) -> str:
    """Do what the button says; the words for the presser."""
    parts = message.data.split(":")
    if len(parts) != 3 or parts[0] != "c" or not parts[1].isdecimal() or parts[2] not in PRESSES:
        return ""
    complaint = await complaints.complaint(tx, int(parts[1]))
    if complaint is None:
        return ""
    if not leads(hands, staff):
        return hands.texts.fill("alert.leaders_only")
    if not but([staff], await complaints.rated_low(tx, complaint)):
        return hands.texts.fill("alert.not_yours")  # A score that joined it may be about the presser.
    press = Press(complaint=complaint, what=parts[2], staff=staff, now=now)
    match press.what:
        case "take":
            return await _take(tx, hands, press)
        case "solved":
            return await _solve(tx, hands, press)
        case _:
            return await _call_later(tx, hands, press)


async def _take(tx: AsyncSession, hands: Hands, press: Press) -> str:
    complaint = press.complaint
    if not await complaints.take(tx, complaint.id or 0, press.staff.name, press.now):
        await tx.refresh(complaint)
        taken = complaint.taken_at or press.now
        if complaint.closed_at is not None:
            return _how_it_ended(press)
        return hands.texts.fill("alert.already", staff=complaint.taken_by, when=clock_time(hands, taken))
    await tx.refresh(complaint)
    if press.staff.amocrm_user:
        complaint.responsible_id = press.staff.amocrm_user
    return await _record(tx, hands, press, "alert.state.taken")


async def _solve(tx: AsyncSession, hands: Hands, press: Press) -> str:
    if not await complaints.close(tx, press.complaint.id or 0, press.now, is_solved=True):
        await tx.refresh(press.complaint)
        return _how_it_ended(press)
    await tx.refresh(press.complaint)
    return await _record(tx, hands, press, "alert.state.solved")


async def _call_later(tx: AsyncSession, hands: Hands, press: Press) -> str:
    if press.complaint.closed_at is not None:
        return _how_it_ended(press)
    press.complaint.call_later_at = in_an_hour(press.now)
    return await _record(tx, hands, press, "alert.state.later")


def _how_it_ended(press: Press) -> str:
    """«Решено: Анна, 14:05», or that it was closed in amoCRM."""
    return press.complaint.lines[-1] if press.complaint.lines else ""


async def _record(tx: AsyncSession, hands: Hands, press: Press, key: str) -> str:
    """Everybody sees it in the alert; amoCRM gets what it means."""
    complaint, now = press.complaint, press.now
    line = hands.texts.fill(key, staff=press.staff.name, when=clock_time(hands, now))
    complaint.lines = [*complaint.lines, line]
    payload = {
        "complaint_id": complaint.id,
        "what": press.what,
        "user": press.staff.amocrm_user,
        "line": line,
        "when": now.isoformat(),
    }
    key = keys.press(complaint.id or 0, press.what, f"{press.staff.key}:{int(now.timestamp())}")
    await outbox.add_once(tx, "follow_press", key, payload, now, now)
    about = {"complaint_id": complaint.id}
    await outbox.ask_again(tx, "edit_alert", keys.edit_alert(complaint.id), about, now, now)
    return line
