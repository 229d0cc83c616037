"""Buttons of the bot as staff see it, and who may press them."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Incoming, IncomingKind
from storage import complaints, outbox
from storage.tables.complaints import Complaint
from storage.tables.queues import Inbox
from worker.account.people import Staff
from worker.actions import answer_staff, forgetting, keys, replying, rollout_presses, scorecards
from worker.actions.alert_staff import in_an_hour
from worker.actions.alert_words import press_time
from worker.actions.base import Hands
from worker.actions.bulk import BULK
from worker.actions.forwarding import MARK
from worker.actions.handing_over import ask_for_buttons, colleagues, tag_of
from worker.actions.hearing import but, works_on
from worker.actions.plan_staff import SWITCH
from worker.actions.results import ask_for_result, take_result
from worker.actions.words import clock_time
from worker.staff.commands import BUTTON

log = logging.getLogger(__name__)

COMPLAINT = "c"  # begins the data of the buttons under an alert
STAFFS_OWN = (COMPLAINT, scorecards.CARD, BUTTON, MARK, SWITCH, BULK, forgetting.NO.partition(":")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button under an alert. `detail`: the page of colleagues, or who of them was chosen."""

    complaint: Complaint
    what: str
    detail: str
    staff: Staff
    row: Inbox
    message: Incoming
    now: datetime

    @property
    def user(self) -> int:
        """Of the presser in amoCRM; 0: unknown."""
        return self.staff.amocrm_user or 0


def is_staffs(message: Incoming) -> bool:
    """A button that only staff are given: who presses it and is none has left, or made it up."""
    return message.kind is IncomingKind.TAP and message.data.partition(":")[0] in STAFFS_OWN


async def ignore(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming) -> None:
    """The button stops spinning, and that is all."""
    await _toast(tx, hands, row, message, "")
    hands.wake.act.set()


async def take(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff, now: datetime
) -> None:
    """Something that a person of the company did in the bot. Words of staff are never a client's answer."""
    said = await replying.take(tx, hands, row, message, staff)
    if said is None:
        said = await forgetting.take(tx, hands, row, message, staff)
    is_taken = said is not None or await take_result(tx, hands, row, message, staff, now)
    is_taken = is_taken or await scorecards.take_comment(tx, hands, row, message, staff)
    is_taken = is_taken or await answer_staff.take(tx, hands, row, message, staff)
    if not is_taken:
        await replying.tell_of_nothing(tx, hands, row, message)
    if message.kind is IncomingKind.TAP:
        text = (said or "") if is_taken else await _said(tx, hands, row, message, staff, now)
        await _toast(tx, hands, row, message, text)
    hands.wake.act.set()


async def _toast(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, text: str) -> None:
    payload = {"channel": row.channel, "callback_id": message.callback_id, "text": text}
    key = keys.toast(message.callback_id)
    await outbox.add_once(tx, "toast", key, payload, hands.now(), hands.now())


async def _said(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff, now: datetime
) -> str:
    """Do what the button says, whichever it is; the words for the presser."""
    if message.data.startswith(rollout_presses.OURS):
        return await rollout_presses.press(tx, hands, row, message, staff)
    if message.data.startswith(scorecards.OURS):
        return await scorecards.press(tx, hands, row, message, staff)
    return await _press(tx, hands, row, message, staff, now)


async def _press(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff, now: datetime
) -> str:
    """Do what the button says; the words for the presser."""
    parts = [*message.data.split(":"), ""]
    if parts[0] != COMPLAINT or len(parts) < 4 or not parts[1].isdecimal():
        return ""
    # One after the other, so that none overwrites the other's line.
    complaint = await complaints.complaint(tx, int(parts[1]), lock=True)
    if complaint is None:
        return ""
    if not works_on(hands, staff, complaint):
        return hands.texts.fill("alert.leaders_only")
    if not but([staff], await complaints.rated_low(tx, complaint)):
        return hands.texts.fill("alert.not_yours")  # A score that joined it may be about the presser.
    if complaint.left_at is not None and parts[2] != "back":
        return _how_it_ended(complaint)  # Its deal is no complaint any more, and not ours to move.
    press = Press(
        complaint=complaint, what=parts[2], detail=parts[3], staff=staff, row=row, message=message, now=now
    )
    match press.what:
        case "take":
            return await _take(tx, hands, press)
        case "talked":
            return await _talked(tx, hands, press)
        case "solved":
            return await _solve(tx, hands, press)
        case "later":
            return await _call_later(tx, hands, press)
        case "pass":
            return await _offer(tx, hands, press)
        case "to":
            return await _give(tx, hands, press)
        case "back":
            await ask_for_buttons(tx, hands, row, message, complaint, None)
            return ""
        case _:
            return ""  # Of another version.


async def _take(tx: AsyncSession, hands: Hands, press: Press) -> str:
    complaint = press.complaint
    if not await complaints.take(tx, complaint.id or 0, press.staff.name, press.now):
        await tx.refresh(complaint)
        taken = complaint.taken_at or press.now
        if complaint.closed_at is not None:
            return _how_it_ended(press.complaint)
        return hands.texts.fill("alert.already", staff=complaint.taken_by, when=clock_time(hands, taken))
    await tx.refresh(complaint)
    if press.user:
        complaint.responsible_id = press.user
    return await _record(tx, hands, press, "alert.state.taken")


async def _talked(tx: AsyncSession, hands: Hands, press: Press) -> str:
    """Whoever talked with the client without taking it has it now."""
    complaint, was_taken = press.complaint, bool(press.complaint.taken_by)
    if not await complaints.note_talk(tx, complaint.id or 0, press.staff.name, press.now):
        await tx.refresh(complaint)
        if complaint.closed_at is not None:
            return _how_it_ended(press.complaint)
        when = clock_time(hands, complaint.contacted_at or press.now)
        return hands.texts.fill("alert.state.talked", staff=complaint.contacted_by, when=when)
    await tx.refresh(complaint)
    complaint.call_later_at = None  # Whoever wanted to be reminded has called.
    if not was_taken and press.user:
        complaint.responsible_id = press.user
    return await _record(tx, hands, press, "alert.state.talked", user=0 if was_taken else press.user)


async def _solve(tx: AsyncSession, hands: Hands, press: Press) -> str:
    complaint = press.complaint
    if not await complaints.close(tx, complaint.id or 0, press.staff.name, press.user, press.now):
        await tx.refresh(complaint)
        return _how_it_ended(press.complaint)
    await tx.refresh(complaint)
    await ask_for_result(tx, hands, press.row, press.message, complaint)
    return await _record(tx, hands, press, "alert.state.solved")


async def _call_later(tx: AsyncSession, hands: Hands, press: Press) -> str:
    if press.complaint.closed_at is not None:
        return _how_it_ended(press.complaint)
    press.complaint.call_later_at = in_an_hour(press.now)
    return await _record(tx, hands, press, "alert.state.later")


async def _offer(tx: AsyncSession, hands: Hands, press: Press) -> str:
    """The presser chooses among colleagues."""
    if press.complaint.closed_at is not None:
        return _how_it_ended(press.complaint)
    if not colleagues(hands, press.staff, await complaints.rated_low(tx, press.complaint)):
        return hands.texts.fill("alert.nobody_to_pass")
    page = int(press.detail) if press.detail.isdecimal() else 0
    await ask_for_buttons(tx, hands, press.row, press.message, press.complaint, page)
    return ""


async def _give(tx: AsyncSession, hands: Hands, press: Press) -> str:
    """It is the other one's, who has yet to take it."""
    complaint, now = press.complaint, press.now
    about = await complaints.rated_low(tx, complaint)
    chosen = [one for one in colleagues(hands, press.staff, about) if tag_of(one) == press.detail]
    if not chosen:
        # Taken out of the settings, or a score came that is about them: the choice is shown as it is now.
        return await _offer(tx, hands, press)
    (receiver,) = chosen[:1]
    await ask_for_buttons(tx, hands, press.row, press.message, complaint, None)
    user = receiver.amocrm_user if hands.known.is_active(receiver.amocrm_user) else None
    if not await complaints.pass_on(tx, complaint.id or 0, receiver.name, user or 0, now):
        await tx.refresh(complaint)
        return _how_it_ended(press.complaint)
    await tx.refresh(complaint)
    about_it = {"complaint_id": complaint.id, "to": receiver.name, "staff": press.staff.name}
    key = f"tell_receiver:{complaint.id}:{press.detail}:{int(now.timestamp())}"
    await outbox.add_once(tx, "tell_receiver", key, about_it, now, now)
    values = {"who": receiver.name, "staff": press.staff.name, "when": clock_time(hands, now)}
    note = hands.texts.fill("complaint.note_passed", **values)
    return await _record(tx, hands, press, "alert.state.passed", who=receiver.name, user=user or 0, note=note)


def _how_it_ended(complaint: Complaint) -> str:
    """«Решено: Анна, 14:05», or that it was closed in amoCRM."""
    return complaint.lines[-1] if complaint.lines else ""


async def _record(
    tx: AsyncSession,
    hands: Hands,
    press: Press,
    key: str,
    *,
    who: str = "",
    user: int | None = None,
    note: str = "",
) -> str:
    """Everybody sees it in the alert; amoCRM gets what it means. `user`: who is responsible there now."""
    complaint, now = press.complaint, press.now
    line = hands.texts.fill(key, staff=press.staff.name, who=who, when=press_time(hands, complaint, now))
    complaint.lines = [*complaint.lines, line]
    payload = {
        "complaint_id": complaint.id,
        "what": press.what,
        "user": press.user if user is None else user,
        "line": note or line,
        "when": now.isoformat(),
    }
    what = ":".join(filter(None, (press.what, press.detail)))
    key = keys.press(complaint.id or 0, what, f"{press.staff.key}:{int(now.timestamp())}")
    await outbox.add_once(tx, "follow_press", key, payload, now, now)
    about = {"complaint_id": complaint.id}
    await outbox.ask_again(tx, "edit_alert", keys.edit_alert(complaint.id), about, now, now)
    return line
