"""A complaint deal for a low score: one for one bad experience, made once, with a task and a note."""

import logging
import secrets
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.answers import Gone
from integrations.amocrm.changes import LeadChange, NewLead, NewNote, NewTask
from integrations.errors import OutsideError, Permanent, Uncertain
from storage import asked, complaints, deals, outbox, people, surveys
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from storage.tables.queues import Outbox
from storage.tables.surveys import Reply, Survey
from worker.actions import keys
from worker.actions.alert_words import joined_text, staff_values
from worker.actions.base import Hands, Later
from worker.actions.deal_card import sync_deal
from worker.actions.following import drop_gone
from worker.actions.promising import contact_until
from worker.rules.formats import join_words
from worker.rules.scale import Band

log = logging.getLogger(__name__)

COMPLAINT_TAG = "рекламация"
ALERT_WITHOUT_LINK = timedelta(minutes=2)


async def open_complaint(item: Outbox, hands: Hands) -> None:
    """Open the complaint, or join the one that is open for this client.

    Each step is on disk before the next; a step whose answer was lost is looked for before it is repeated.
    """
    await _drop_what_is_gone(item, hands)
    complaint, is_joined = await _intend(item, hands)
    if complaint is None:
        return
    if is_joined:
        # First of all it is heard, whatever amoCRM says.
        await _join(item, hands, complaint)
    if is_joined or complaint.marker is None:
        await _take_away(item, hands, complaint)
    if is_joined:
        return
    # A lead that a lost answer may have made is looked for by its marker.
    await _create(hands, complaint, may_exist=item.uncertain or item.attempt > 1)
    async with hands.db.transaction() as tx:
        # Its link is all that the alert needs: task and note are written while people read it.
        now, about = hands.now(), {"complaint_id": complaint.id, "survey_id": complaint.survey_id}
        await outbox.ask_again(tx, "alert_staff", keys.alert(complaint.id or 0, "new"), about, now, now)
    hands.wake.act.set()
    await _add_task(hands, complaint, may_exist=item.uncertain or item.attempt > 1)
    await _add_note(hands, complaint, may_exist=item.uncertain or item.attempt > 1)
    async with hands.db.transaction() as tx:
        now, about = hands.now(), {"complaint_id": complaint.id}
        # An alert that could not wait gets its link now.
        await outbox.ask_again(tx, "edit_alert", keys.edit_alert(complaint.id), about, now, now)
        if complaint.source_deal_id is not None:
            await sync_deal(tx, complaint.source_deal_id, now)
    hands.wake.act.set()


async def tell_of_refusal(item: Outbox, hands: Hands) -> None:
    """amoCRM will never have this complaint: its alert says so, and is all that there is of it."""
    async with hands.db.transaction() as tx:
        complaint = await complaints.by_survey(tx, int(item.payload["survey_id"]))
        line = hands.texts.fill("alert.state.refused")
        if complaint is None or complaint.lead_id is not None or line in complaint.lines:
            return
        complaint.lines = [*complaint.lines, line]
        now, about = hands.now(), {"complaint_id": complaint.id, "survey_id": complaint.survey_id}
        await outbox.ask_again(tx, "alert_staff", keys.alert(complaint.id or 0, "new"), about, now, now)
        await outbox.ask_again(tx, "edit_alert", keys.edit_alert(complaint.id), about, now, now)
    hands.wake.act.set()


async def deal_of_complaint(hands: Hands, complaint: Complaint) -> int:
    """Its deal in amoCRM. Later while it is being opened; Permanent if nothing will open it any more."""
    if complaint.lead_id is not None:
        return complaint.lead_id
    async with hands.db.reading() as tx:
        is_being_opened = await outbox.is_open(tx, keys.opening_of(complaint.survey_id))
    if is_being_opened:
        raise Later(None, "the complaint deal is not open yet")
    raise Permanent("amocrm", "the complaint has no deal there")


async def _drop_what_is_gone(item: Outbox, hands: Hands) -> None:
    """Nobody hears of a low score that joins a deal which was deleted."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        if survey is None or survey.client_id is None:
            return
        if await complaints.by_survey(tx, survey.id or 0) is not None:
            return
        known = await complaints.open_of_client(tx, survey.client_id)
    try:
        await drop_gone(hands, survey.client_id)
    except OutsideError as error:
        if known is None or known.survey_id is None:
            await _tell_meanwhile(item, hands)
            raise
        # Its alert was told of, and tells of this score as well, while amoCRM does not answer.
        log.info("whether complaint %s is still there cannot be seen now: %s", known.id, error)


async def _tell_meanwhile(item: Outbox, hands: Hands) -> None:
    """One that a person opened by hand has no alert: staff hear of the score without waiting for amoCRM."""
    about = {**item.payload, "unless_opened": True}
    key = keys.tell_head(f"score:{item.payload['survey_id']}:{item.payload['revision']}")
    async with hands.db.transaction() as tx:
        now = hands.now()
        await outbox.add_once(tx, "tell_low", key, about, now + ALERT_WITHOUT_LINK, now)


async def _intend(item: Outbox, hands: Hands) -> tuple[Complaint | None, bool]:
    """The complaint's row, made if there is none; True if the score joins another complaint."""
    async with hands.db.transaction() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        # Corrected upwards, or withdrawn, before anybody acted on it.
        if survey is None or survey.band != Band.LOW:
            return None, False
        own = await complaints.by_survey(tx, survey.id or 0)
        now = hands.now()
        if own is not None and own.closed_at is not None:
            reply = await tx.get(Reply, int(item.payload["reply_id"]))
            if reply is not None and reply.received_at > own.closed_at:
                # Worse after it was closed: no second complaint, but everybody hears of it.
                key = f"alert_again:{survey.id}:{survey.revision}"
                await outbox.add_once(tx, "alert_again", key, item.payload, now, now)
                await _ask_to_call_again(tx, hands, own, survey, item)
            return None, False
        if own is not None:
            return own, False
        if survey.client_id is not None:
            await people.client(tx, survey.client_id, lock=True)
            existing = await complaints.open_of_client(tx, survey.client_id)
            if existing is not None and existing.survey_id is None:
                _adopt(hands, existing, survey, item)
                return existing, False
            if existing is not None:
                return existing, True
            if await outbox.is_known(tx, _joined(survey)):
                return None, False  # It joined one at the try before, which was closed meanwhile.
        deal = await deals.deal(tx, survey.root_deal_id)
        complaint = Complaint(
            marker=f"c-{secrets.token_hex(5)}",
            client_id=survey.client_id,
            survey_id=survey.id,
            source_deal_id=survey.root_deal_id,
            manager_id=survey.manager_id,
            manager=survey.manager,
            responsible_id=_responsible(hands, survey, deal) or 0,
            opened_at=now,
            deadline=contact_until(hands, survey.confirm_until or item.created_at),
        )
        tx.add(complaint)
        await tx.flush()
        # If amoCRM keeps us waiting, the head hears of it without the link.
        about = {"complaint_id": complaint.id, "survey_id": survey.id}
        await outbox.ask_again(
            tx, "alert_staff", keys.alert(complaint.id or 0, "new"), about, now + ALERT_WITHOUT_LINK, now
        )
        return complaint, False


async def _ask_to_call_again(
    tx: AsyncSession, hands: Hands, complaint: Complaint, survey: Survey, item: Outbox
) -> None:
    """The client is promised a call, and the task of the complaint is done."""
    if complaint.lead_id is None:
        return
    task = {
        "deal_id": complaint.lead_id,
        "text_key": "deal.task_low",
        "survey_id": survey.id,
        "words": join_words(await asked.words_of(tx, survey.id or 0)),
        "deadline": contact_until(hands, survey.confirm_until or item.created_at).isoformat(),
    }
    key = keys.task(complaint.lead_id, f"again:{survey.id}:{survey.revision}")
    await outbox.add_once(tx, "deal_task", key, task, hands.now(), hands.now())


def _adopt(hands: Hands, complaint: Complaint, survey: Survey, item: Outbox) -> None:
    """One that a person opened by hand is about the same experience: task, note and alert come to it."""
    complaint.survey_id, complaint.source_deal_id = survey.id, survey.root_deal_id
    complaint.manager_id, complaint.manager = survey.manager_id, survey.manager
    complaint.deadline = contact_until(hands, survey.confirm_until or item.created_at)


def _responsible(hands: Hands, survey: Survey, deal: Deal | None) -> int | None:
    """By `[complaints] responsible`; never the person whom the score is about. None: the token's own user."""
    account = hands.known
    about = survey.manager_id if survey.subject_is_manager else None
    pipeline = deal.pipeline_id if deal is not None else survey.pipeline_id
    manager = survey.manager_id or (deal.manager_id if deal is not None else 0)
    heads = account.heads_of(pipeline, manager)
    wanted: list[int | None] = []
    match hands.known.complaint_responsible:
        case int() as user_id:
            wanted = [user_id, *heads, manager]
        case "deal":
            wanted = [manager, *heads]
        case _:
            wanted = [*heads, manager]
    if about:
        # amoCRM would give it to the token's owner, who may be that very person.
        wanted += account.anybody()
    return next((who for who in wanted if who and who != about and account.is_active(who)), None)


async def _create(hands: Hands, complaint: Complaint, *, may_exist: bool) -> None:
    if complaint.lead_id is not None:
        return
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, complaint.survey_id or 0)
        deal = await deals.deal(tx, complaint.source_deal_id or 0)
        client = await people.client(tx, complaint.client_id) if complaint.client_id else None
    if survey is None:
        return
    account = hands.known
    if account.complaints_pipeline is None or account.complaints_status is None:
        return
    contact_id = (
        deal.contact_id if deal is not None and deal.contact_id and deal.contact_id > 0 else survey.contact_id
    )
    contact_id = contact_id if contact_id and contact_id > 0 else None
    company_id = deal.company_id if deal is not None else None
    lead_id = await _find(hands, complaint, contact_id, company_id) if may_exist else None
    if lead_id is None:
        values = staff_values(hands, client=client, deal=deal, survey=survey, now=hands.now())
        name = hands.texts.fill("complaint.name", **values)
        try:
            lead_id = await hands.amocrm.create_lead(
                NewLead(
                    name=name,
                    pipeline_id=account.complaints_pipeline,
                    status_id=account.complaints_status,
                    request_id=complaint.marker or "",
                    responsible_user_id=complaint.responsible_id or None,
                    contact_id=contact_id,
                    company_id=company_id,
                    tags=(COMPLAINT_TAG, complaint.marker or ""),
                )
            )
        except Uncertain:
            # It may be there: one look now saves the client's complaint a wait.
            lead_id = await _find(hands, complaint, contact_id, company_id)
            if lead_id is None:
                raise
    await _keep(hands, complaint, lead_id=lead_id)


async def _find(
    hands: Hands, complaint: Complaint, contact_id: int | None, company_id: int | None
) -> int | None:
    """The complaint deal by its marker, among the deals of the client."""
    candidates: list[int] = []
    if contact_id is not None and (contact := await hands.amocrm.contact(contact_id)) is not None:
        candidates += contact.lead_ids
    if not candidates and company_id is not None:
        company = await hands.amocrm.company(company_id)
        candidates += company.lead_ids if company is not None else ()
    newest_first = sorted(set(candidates), reverse=True)[:50]
    for lead in await hands.amocrm.leads(newest_first, filtered=hands.known.is_filter_enabled):
        if complaint.marker in lead.tags:
            return lead.id
    return None


async def _text_of_task(hands: Hands, complaint: Complaint) -> str:
    """What the responsible reads in the task."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, complaint.survey_id or 0)
        deal = await deals.deal(tx, complaint.source_deal_id or 0)
        client = await people.client(tx, complaint.client_id) if complaint.client_id else None
        words = await asked.words_of(tx, complaint.survey_id or 0)
    values = staff_values(
        hands, client=client, deal=deal, survey=survey, complaint=complaint, now=hands.now(), words=words
    )
    return hands.texts.fill("complaint.task", **values)


async def _add_task(hands: Hands, complaint: Complaint, *, may_exist: bool) -> None:
    if complaint.task_id is not None or complaint.lead_id is None:
        return
    task_id: int | None = None
    text = await _text_of_task(hands, complaint)
    if may_exist:
        tasks = await hands.amocrm.lead_tasks(complaint.lead_id)
        # A deal that we have just made has no other tasks, and the words may have grown since the try before.
        is_ours = complaint.marker is not None
        task_id = next((task.id for task in tasks if is_ours or task.text == text), None)
    if task_id is None:
        task_id = await hands.amocrm.add_task(
            NewTask(
                text=text,
                complete_till=complaint.deadline or hands.now(),
                lead_id=complaint.lead_id,
                responsible_user_id=complaint.responsible_id or None,
            )
        )
    await _keep(hands, complaint, task_id=task_id)


async def _add_note(hands: Hands, complaint: Complaint, *, may_exist: bool) -> None:
    if complaint.noted or complaint.lead_id is None:
        return
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, complaint.survey_id or 0)
        deal = await deals.deal(tx, complaint.source_deal_id or 0)
        client = await people.client(tx, complaint.client_id) if complaint.client_id else None
        words = await asked.words_of(tx, complaint.survey_id or 0)
    if survey is None:
        return
    values = staff_values(hands, client=client, deal=deal, survey=survey, now=hands.now(), words=words)
    text = hands.texts.fill("complaint.note", **values)
    if not may_exist or text not in await hands.amocrm.note_texts(complaint.lead_id):
        await hands.amocrm.add_notes([NewNote(complaint.lead_id, text)])
    await _keep(hands, complaint, noted=True)


async def _keep(hands: Hands, complaint: Complaint, **found: object) -> None:
    """Each step's result is on disk before the next step."""
    async with hands.db.transaction() as tx:
        row = await complaints.complaint(tx, complaint.id or 0)
        for name, value in found.items():
            setattr(complaint, name, value)
            if row is not None:
                setattr(row, name, value)


async def _join(item: Outbox, hands: Hands, complaint: Complaint) -> None:
    """A second low score joins the open complaint: a note there, and the alert says so."""
    async with hands.db.transaction() as tx:
        now: datetime = hands.now()
        row = await complaints.complaint(tx, complaint.id or 0, lock=True)
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        if row is None or survey is None:
            return
        about = {**item.payload, "complaint_id": row.id}
        if not await outbox.add_once(tx, "complaint_joined", _joined(survey), about, now, now):
            return  # The try before got as far as this.
        await outbox.add_once(
            tx, "alert_joined", f"alert_joined:{survey.id}:{survey.revision}", about, now, now
        )
        is_over = row.deadline is not None and (row.deadline <= now or row.is_contacted)
        if is_over and row.lead_id is not None:
            # The client is promised a call again, so somebody is told to make it.
            row.deadline = contact_until(hands, survey.confirm_until or item.created_at)
            task = {
                "deal_id": row.lead_id,
                "text_key": "deal.task_low",
                "survey_id": survey.id,
                "words": join_words(await asked.words_of(tx, survey.id or 0)),
                "deadline": row.deadline.isoformat(),
                **({"complaint_id": row.id} if row.is_contacted else {}),
            }
            key = keys.task(row.lead_id, f"score:{survey.id}")
            await outbox.add_once(tx, "deal_task", key, task, now, now)
        row.call_again = row.contacted_at is not None
        row.lines = [*row.lines, joined_text(hands, survey)]
        await outbox.ask_again(tx, "edit_alert", keys.edit_alert(row.id), {"complaint_id": row.id}, now, now)
    hands.wake.act.set()


def _joined(survey: Survey) -> str:
    return f"complaint_joined:{survey.id}:{survey.revision}"


async def _take_away(item: Outbox, hands: Hands, complaint: Complaint) -> None:
    """A complaint that is now about who took it, or is responsible, goes to somebody else."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        deal = await deals.deal(tx, survey.root_deal_id) if survey is not None else None
    if survey is None or not survey.subject_is_manager or not survey.manager_id:
        return
    async with hands.db.transaction() as tx:
        now, this = hands.now(), {"complaint_id": complaint.id}
        for person in hands.known.staff:
            if person.amocrm_user != survey.manager_id:
                continue
            if await complaints.take_from(tx, complaint.id or 0, person.name, now):
                await outbox.ask_again(tx, "edit_alert", keys.edit_alert(complaint.id), this, now, now)
    if survey.manager_id != complaint.responsible_id:
        return
    user = _responsible(hands, survey, deal)
    if user is None:
        return
    if complaint.lead_id is not None:
        await hands.amocrm.update_leads([LeadChange(lead_id=complaint.lead_id, responsible_user_id=user)])
    if complaint.task_id is not None:
        try:
            await hands.amocrm.update_task(complaint.task_id, responsible_user_id=user)
        except Gone:
            # Whoever deleted the task must not keep the score from being heard of.
            log.info("the task of complaint %s is gone and is nobody's now", complaint.id)
    await _keep(hands, complaint, responsible_id=user)
