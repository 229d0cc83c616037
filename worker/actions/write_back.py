"""What the deal's card shows: scores, the code for friends, where the survey stands, notes and tasks."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.changes import LeadChange, NewNote, NewTask
from integrations.channels.base import Linked
from integrations.errors import AccessDenied, OutsideError, Permanent, Rejected
from storage import asked, complaints, deals, people, surveys
from storage.tables.deals import Deal
from storage.tables.queues import Outbox
from storage.tables.surveys import Reply, Survey, SurveyState
from worker.actions.alert_words import staff_values
from worker.actions.base import Hands, Later
from worker.actions.considering import ASKED_TAG, has_mark
from worker.actions.open_complaint import deal_of_complaint
from worker.actions.words import Values, moment_value, score_values, title_of, told
from worker.rules.formats import cut_words, join_words
from worker.rules.scale import Band

log = logging.getLogger(__name__)

LINK_PAUSE = timedelta(minutes=10)  # before a bot that is silent is asked for its name again
Bots = Mapping[int, Linked]  # by the deal field of its link
ASKED = (SurveyState.SENT, SurveyState.UNCERTAIN, SurveyState.ANSWERED, SurveyState.EXPIRED)


@dataclass(slots=True)
class _Wanted:
    """What a deal should show, of what is ours to write."""

    fields: dict[int, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


async def sync_deals(items: Sequence[Outbox], hands: Hands) -> Mapping[int, Exception]:
    """Set the deals' fields to what they should show; only what differs is sent, 50 deals a call."""
    changes: dict[int, LeadChange] = {}
    failures: dict[int, Exception] = {}
    bots, silence = await _bots(hands)
    for item in items:
        try:
            change = await _change(hands, int(item.payload["deal_id"]), bots)
        except Exception as error:  # noqa: BLE001 - one bad deal never stops the others; told apart by the caller
            failures[item.id or 0] = error
            continue
        if change is not None:
            changes[item.id or 0] = change
    await _send(hands, changes, failures)
    async with hands.db.transaction() as tx:
        for item_id, change in changes.items():
            if item_id not in failures:
                await _remember(tx, change)
    if silence is not None:
        # The scores are written; the link follows when the bot tells its name.
        later = Later(hands.now() + LINK_PAUSE, str(silence))
        failures = {item.id or 0: later for item in items} | failures
    return failures


async def _send(hands: Hands, changes: Mapping[int, LeadChange], failures: dict[int, Exception]) -> None:
    """One bad deal is taken out, its neighbours are sent again; a refused field is left out and named."""
    if not changes:
        return
    try:
        await hands.amocrm.update_leads(list(changes.values()))
    except Rejected as error:
        refused = {
            item_id: change for item_id, change in changes.items() if str(change.lead_id) in error.elements
        }
        if not refused:
            failures.update(dict.fromkeys(changes, error))
            return
        for item_id, change in refused.items():
            log.error("deal %s refused a change: %s", change.lead_id, error.elements[str(change.lead_id)])
            failures[item_id] = await _field_by_field(hands, change) or error
            if failures[item_id] is error and len(change.fields) > 1:
                del failures[item_id]  # What could be written was written, and the rest is in the log.
        await _send(hands, {key: change for key, change in changes.items() if key not in refused}, failures)
    except Exception as error:  # noqa: BLE001 - told apart by the caller, for each row
        failures.update(dict.fromkeys(changes, error))


async def _field_by_field(hands: Hands, change: LeadChange) -> Exception | None:
    if len(change.fields) <= 1:
        return None
    for field_id, value in change.fields.items():
        one = LeadChange(lead_id=change.lead_id, fields={field_id: value}, tags_to_add=change.tags_to_add)
        try:
            await hands.amocrm.update_leads([one])
        except AccessDenied as error:
            return error  # Not the field's fault: all of it is tried again.
        except Permanent as error:
            log.error("field %s of deal %s cannot be written: %s", field_id, change.lead_id, error)
        except Exception as error:  # noqa: BLE001 - told apart by the caller
            return error
    return None


async def _change(hands: Hands, deal_id: int, bots: Bots) -> LeadChange | None:
    async with hands.db.reading() as tx:
        deal = await deals.deal(tx, deal_id)
        if deal is None or deal.is_deleted:
            return None
        wanted = await _wanted(tx, hands, deal, bots)
    changed = {field_id: text for field_id, text in wanted.fields.items() if _shown(deal, field_id) != text}
    tags = tuple(tag for tag in wanted.tags if tag not in deal.tags)
    if not changed and not tags:
        return None
    return LeadChange(lead_id=deal_id, fields=changed, tags_to_add=tags)


def _shown(deal: Deal, field_id: int) -> str | None:
    values = deal.fields.get(str(field_id))
    return str(values[0].get("value")) if values else None


async def _wanted(tx: AsyncSession, hands: Hands, deal: Deal, bots: Bots) -> _Wanted:
    account, wanted = hands.known, _Wanted()
    own = await surveys.of_deal(tx, deal.deal_id)
    for field_id, bot in bots.items() if deal.link_token else ():
        wanted.fields[field_id] = await bot.deep_link(deal.link_token or "")
    for survey in own:
        rule = account.rule(survey.survey_key)
        if rule is not None and rule.score_field is not None and survey.score is not None:
            wanted.fields[rule.score_field] = str(survey.score)
    if any(_counts_as_asked(survey) for survey in own):
        code = await people.code_of(tx, deal.client_id) if deal.client_id is not None else None
        if account.fields.promo_code is not None and code is not None:
            if not has_mark(hands, account, deal):
                wanted.fields[account.fields.promo_code] = code.code
        else:
            wanted.tags = (ASKED_TAG,)
    if account.fields.survey_state is not None and own:
        wanted.fields[account.fields.survey_state] = _state_line(hands, _latest(own))
    return wanted


def _counts_as_asked(survey: Survey) -> bool:
    """Not while it is looked for: the mark would keep one that did not go out from ever going."""
    is_looked_for = survey.state == SurveyState.UNCERTAIN and survey.waits_for == surveys.LOOKING
    return survey.state in ASKED and not is_looked_for


async def _bots(hands: Hands) -> tuple[Bots, OutsideError | None]:
    """The bots whose links stand in the deals, and why one of them cannot tell its name just now."""
    bots: dict[int, Linked] = {}
    silence: OutsideError | None = None
    for channel, field_id in hands.link_fields.items():
        bot = hands.channels.get(channel)
        if not isinstance(bot, Linked):
            continue
        try:
            await bot.deep_link("")
        except OutsideError as error:
            log.warning("deals are written without the link to the bot: %s", error)
            silence = error
        else:
            bots[field_id] = bot
    return bots, silence


def _latest(own: Sequence[Survey]) -> Survey:
    """The survey that something happened to last; of those that only wait, the next one."""

    def happened(survey: Survey) -> datetime:
        return survey.answered_at or survey.settled_at or survey.planned_at

    started = [survey for survey in own if survey.state != SurveyState.PLANNED]
    return max(started, key=happened) if started else min(own, key=lambda survey: survey.due_at)


def _state_line(hands: Hands, survey: Survey) -> str:
    def fill(key: str, when: datetime | None = None, **values: str) -> str:
        said: Values = {**score_values(hands, survey), "when": moment_value(hands, when), **values}
        return hands.texts.fill(key, **said)

    if survey.score is not None:
        return fill("deal.state.answered", survey.answered_at)
    if survey.call_asked_at is not None:
        return fill("deal.state.call_asked", survey.call_asked_at)
    match survey.state:
        case SurveyState.PLANNED | SurveyState.SENDING:
            return fill("deal.state.planned", survey.due_at)
        case SurveyState.EXPIRED:
            return fill("deal.state.silent")
        case SurveyState.SKIPPED | SurveyState.FAILED:
            return fill("deal.state.skipped", reason=hands.texts.fill(f"reason.{survey.reason}"))
        case _:
            return fill("deal.state.asked", survey.sent_at, channel=title_of(hands, survey.channel))


async def _remember(tx: AsyncSession, change: LeadChange) -> None:
    """Our own writes come back with the next pull; until then the mirror already shows them."""
    deal = await deals.deal(tx, change.lead_id)
    if deal is not None:
        written = {str(field_id): [{"value": value}] for field_id, value in change.fields.items()}
        deal.fields = {**deal.fields, **written}
        deal.tags = [*deal.tags, *change.tags_to_add]


# --- notes and tasks ---------------------------------------------------------------------------------------


async def add_notes(items: Sequence[Outbox], hands: Hands) -> Mapping[int, Exception]:
    """Notes of any kind, up to 50 deals a call; one whose try may have happened is looked for first."""
    notes: dict[int, NewNote] = {}
    failures: dict[int, Exception] = {}
    for item in items:
        try:
            note = await _note(item, hands)
            is_there = (
                note is not None
                and item.uncertain
                and note.text in await hands.amocrm.note_texts(note.lead_id)
            )
        except Exception as error:  # noqa: BLE001 - one bad note never stops the others; told apart by the caller
            failures[item.id or 0] = error
            continue
        if note is not None and not is_there:
            notes[item.id or 0] = note
    await _send_notes(hands, notes, failures)
    return failures


async def _send_notes(hands: Hands, notes: Mapping[int, NewNote], failures: dict[int, Exception]) -> None:
    if not notes:
        return
    try:
        await hands.amocrm.add_notes(list(notes.values()))
    except Rejected as error:
        refused = {key for key, note in notes.items() if str(note.lead_id) in error.elements} or set(notes)
        failures.update(dict.fromkeys(refused, error))
        await _send_notes(hands, {key: note for key, note in notes.items() if key not in refused}, failures)
    except Exception as error:  # noqa: BLE001 - told apart by the caller, for each row
        failures.update(dict.fromkeys(notes, error))


async def _note(item: Outbox, hands: Hands) -> NewNote | None:
    """The note that this row asks for; None if there is nothing to say any more."""
    payload = item.payload
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(payload["survey_id"])) if payload.get("survey_id") else None
        reply = await tx.get(Reply, int(payload["reply_id"])) if payload.get("reply_id") else None
        complaint = None
        if payload.get("complaint_id"):
            complaint = await complaints.complaint(tx, int(payload["complaint_id"]))
        elif survey is not None and item.kind in ("complaint_words", "score_raised"):
            complaint = await complaints.of_score(tx, survey)
    if item.kind == "note":
        values: Values = {
            "channel": title_of(hands, str(payload.get("channel", ""))),
            "when": moment_value(
                hands, datetime.fromisoformat(payload["when"]) if payload.get("when") else None
            ),
            **{key: str(value) for key, value in payload.get("values", {}).items()},
        }
        return NewNote(int(payload["deal_id"]), hands.texts.fill(str(payload["text_key"]), **values))
    if survey is None:
        return None
    values = {
        **staff_values(hands, client=None, deal=None, survey=survey, now=hands.now()),
        "words": cut_words(told(hands, reply.text, reply.kind)) if reply is not None else "",
        "when": moment_value(hands, reply.received_at if reply is not None else survey.answered_at),
    }
    if item.kind == "note_deal":
        if survey.trigger == "complaint_closed":
            return NewNote(survey.deal_id, hands.texts.fill("complaint.note_after", **values))
        if payload.get("before") is not None:
            values["prev"] = str(payload["before"])
            return NewNote(survey.deal_id, hands.texts.fill("deal.note_changed", **values))
        values["words"] = cut_words(await _words(hands, survey))
        return NewNote(survey.deal_id, hands.texts.fill("deal.note", **values))
    if item.kind == "note_words":
        return NewNote(survey.deal_id, hands.texts.fill("complaint.note_words", **values))
    if complaint is None:
        if item.kind == "score_raised" or survey.band != Band.LOW:
            return None  # It was corrected before a complaint was opened.
        raise Later(None, "the complaint deal is not open yet")
    lead_id = await deal_of_complaint(hands, complaint)
    key = {"complaint_words": "complaint.note_words", "score_raised": "complaint.note_raised"}.get(
        item.kind, "complaint.note_joined"
    )
    return NewNote(lead_id, hands.texts.fill(key, **values))


async def _words(hands: Hands, survey: Survey) -> str:
    async with hands.db.reading() as tx:
        return join_words(await asked.words_of(tx, survey.id or 0))


async def add_task(item: Outbox, hands: Hands) -> None:
    """A task on the deal for its responsible."""
    deal_id = int(item.payload["deal_id"])
    until = datetime.fromisoformat(item.payload["deadline"])
    async with hands.db.reading() as tx:
        deal = await deals.deal(tx, deal_id)
        survey = (
            await surveys.survey(tx, int(item.payload["survey_id"]))
            if item.payload.get("survey_id")
            else None
        )
        named = item.payload.get("client_id")
        client = await people.client(tx, int(named)) if named else None
    if survey is not None and survey.band != Band.LOW:
        return  # Corrected upwards before anybody acted on it.
    # By its words it is looked for, and they tell the day of the deadline but on that day.
    asked_at = item.created_at
    values = staff_values(hands, client=client, deal=deal, survey=survey, now=asked_at, deadline=until)
    values["words"] = cut_words(str(item.payload.get("words") or ""))
    text = hands.texts.fill(str(item.payload["text_key"]), **values)
    tasks = await hands.amocrm.lead_tasks(deal_id) if item.uncertain else ()
    task_id = next((task.id for task in tasks if task.text == text), None)
    if task_id is None:
        wanted = item.payload.get("responsible")
        responsible = wanted if hands.known.is_active(wanted) else _task_owner(hands, deal, survey)
        task_id = await hands.amocrm.add_task(
            NewTask(text=text, complete_till=until, lead_id=deal_id, responsible_user_id=responsible)
        )
    if item.payload.get("complaint_id"):
        async with hands.db.transaction() as tx:
            # The one before is done: from now on presses are about this one.
            if complaint := await complaints.complaint(tx, int(item.payload["complaint_id"]), lock=True):
                complaint.task_id = task_id


def _task_owner(hands: Hands, deal: Deal | None, survey: Survey | None) -> int | None:
    """The deal's responsible, unless the score is about that person. None: the token's own user."""
    if deal is None:
        return None
    about = survey.manager_id if survey is not None and survey.subject_is_manager else None
    wanted = (deal.manager_id, *hands.known.heads_of(deal.pipeline_id, deal.manager_id))
    return next((user for user in wanted if user != about and hands.known.is_active(user)), None)
