"""What a press under an alert means in amoCRM: the responsible, the closed deal, a task, always a note."""

import logging
from datetime import datetime
from typing import Any

from integrations.amocrm.answers import Gone
from integrations.amocrm.changes import LeadChange, NewNote, NewTask
from storage import complaints, outbox
from storage.tables.complaints import Complaint
from storage.tables.queues import Outbox
from worker.actions import keys
from worker.actions.alert_staff import in_an_hour
from worker.actions.base import Hands
from worker.actions.open_complaint import deal_of_complaint
from worker.actions.promising import contact_until
from worker.rules.moments import deadline_text
from worker.rules.planning import WON

log = logging.getLogger(__name__)


async def follow_press(item: Outbox, hands: Hands) -> None:
    """Safe to do twice: values are set; note and task are looked for when a try may have happened."""
    async with hands.db.reading() as tx:
        complaint = await complaints.complaint(tx, int(item.payload["complaint_id"]))
    if complaint is None:
        return
    if item.payload["what"] == "later":
        await _alert_again(item, hands, complaint)  # with or without a deal in amoCRM
    lead_id, text = await deal_of_complaint(hands, complaint), str(item.payload["line"])
    match item.payload["what"]:
        case "take":
            await _hand_over(item, hands, complaint)
        case "to":
            await _hand_over(item, hands, complaint)
            await _give_task(item, hands, complaint)
        case "talked":
            await _hand_over(item, hands, complaint)
            await _change_task(hands, complaint, is_completed=True, result_text=text)
        case "solved":
            await _close(hands, complaint)
        case _:
            await _call_later(item, hands, complaint)
    # The try before may have got as far as the note.
    if item.attempt == 1 or text not in await hands.amocrm.note_texts(lead_id):
        await hands.amocrm.add_notes([NewNote(lead_id, text)])


async def _hand_over(item: Outbox, hands: Hands, complaint: Complaint) -> None:
    """The presser, or whom it was given to, becomes responsible, where it is known who that is in amoCRM."""
    user = int(item.payload["user"] or 0)
    if complaint.passed_at is not None and complaint.passed_at > datetime.fromisoformat(item.payload["when"]):
        return  # amoCRM was down, and it is somebody else's since.
    if not user or complaint.lead_id is None or not hands.known.is_active(user):
        return
    async with hands.db.reading() as tx:
        if user in await complaints.rated_low(tx, complaint):
            return  # A score about the presser has joined it since.
    await hands.amocrm.update_leads([LeadChange(lead_id=complaint.lead_id, responsible_user_id=user)])
    await _change_task(hands, complaint, responsible_user_id=user)


async def _give_task(item: Outbox, hands: Hands, complaint: Complaint) -> None:
    """Once somebody has talked with the client that task is done: whoever goes on with it gets another."""
    if complaint.lead_id is None or not complaint.is_contacted:
        return
    until = contact_until(hands, datetime.fromisoformat(item.payload["when"]))
    tasks = [task for task in await hands.amocrm.lead_tasks(complaint.lead_id) if not task.is_completed]
    if tasks:
        # One with this very term was made by the try before, which did not live to write it down.
        ours = next((task.id for task in tasks if task.complete_till == until.replace(microsecond=0)), None)
        await _keep_task(hands, complaint, ours)
        return
    deadline = deadline_text(hands.texts, until, hands.calendar.zone, hands.now())
    task_id = await hands.amocrm.add_task(
        NewTask(
            text=hands.texts.fill("complaint.task_passed", deadline=deadline),
            complete_till=until,
            lead_id=complaint.lead_id,
            responsible_user_id=complaint.responsible_id or None,
        )
    )
    await _keep_task(hands, complaint, task_id)


async def _keep_task(hands: Hands, complaint: Complaint, task_id: int | None) -> None:
    """The one that the next press is about."""
    if task_id is None:
        return
    async with hands.db.transaction() as tx:
        if kept := await complaints.complaint(tx, complaint.id or 0, lock=True):
            kept.task_id = task_id


async def _close(hands: Hands, complaint: Complaint) -> None:
    pipeline = hands.known.complaints_pipeline
    if complaint.lead_id is None or pipeline is None or complaint.left_at is not None:
        return  # Moved away since, it is no complaint any more, and not ours to close.
    await hands.amocrm.update_leads(
        [LeadChange(lead_id=complaint.lead_id, pipeline_id=pipeline, status_id=WON)]
    )
    await _change_task(hands, complaint, is_completed=True, result_text=hands.texts.fill("button.solved"))
    hands.wake.pull.set()


def _later(item: Outbox) -> datetime:
    return in_an_hour(datetime.fromisoformat(item.payload["when"]))


async def _alert_again(item: Outbox, hands: Hands, complaint: Complaint) -> None:
    at = _later(item)
    async with hands.db.transaction() as tx:
        about = {"complaint_id": complaint.id, "is_again": True}
        key = keys.alert(complaint.id or 0, f"later:{int(at.timestamp())}")
        await outbox.add_once(tx, "alert_staff", key, about, at, hands.now())


async def _call_later(item: Outbox, hands: Hands, complaint: Complaint) -> None:
    """The task returns in an hour. There is one for a complaint, so it is not made anew.

    Not if somebody has called, closed it or was given it while amoCRM was down.
    """
    if complaint.call_later_at is None or complaint.closed_at is not None:
        return
    await _change_task(hands, complaint, complete_till=_later(item), is_completed=False)


async def _change_task(hands: Hands, complaint: Complaint, **change: Any) -> None:
    """What a person has deleted is not made anew, and keeps back no note of the press."""
    if complaint.task_id is None:
        return
    try:
        await hands.amocrm.update_task(complaint.task_id, **change)
    except Gone as error:
        log.info("the task of complaint %s was deleted: %s", complaint.id, error)
