"""A complaint that nobody takes, or whose client nobody has called: who is told next, each once.

`look_for_untaken` asks for a step when its time has come; the act looks again, since it may have to wait.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.answers import Gone
from integrations.channels.base import Channel, Outgoing
from integrations.errors import OutsideError
from storage import complaints, outbox, state
from storage.tables.complaints import Alert, Complaint
from storage.tables.deals import Deal
from storage.tables.people import Client
from storage.tables.queues import Outbox
from storage.tables.surveys import Survey
from worker.account.people import Place, Staff
from worker.actions.alert_staff import (
    alert_buttons,
    case_of,
    wait_for_morning,
)
from worker.actions.alert_words import LATE, alert_text, staff_values
from worker.actions.base import Hands, Later
from worker.actions.hearing import about_whom, above, but, may_hear, place_of, recipients
from worker.actions.joined import in_messages, joined
from worker.actions.keeping import keep_alerts, keep_repeats
from worker.actions.reaching import has_staff_channel, in_first_place
from worker.rules.escalation import Step, Terms, Waiting, due_at
from worker.rules.moments import age_text

log = logging.getLogger(__name__)

KIND = "escalate"

Ranks = Sequence[Sequence[Staff]]


def _key(step: Step, complaint: Complaint) -> str:
    """Opened again or passed on it has to be taken again; a new promise is kept or broken by itself."""
    about = f"{complaint.reopened}"
    if step is Step.OVERDUE and complaint.deadline is not None:
        about = f"{int(complaint.deadline.timestamp())}"
    elif complaint.passed_at is not None:
        about = f"{about}:{int(complaint.passed_at.timestamp())}"
    return f"{KIND}:{complaint.id}:{step}:{about}"


async def look_for_untaken(hands: Hands) -> int:
    """Gives the number of steps that are to be taken now."""
    now = hands.now()
    async with hands.db.reading() as tx:
        steps: dict[str, tuple[Step, Complaint]] = {}
        for complaint in await complaints.unattended(tx, now):
            waiting = await _waiting(tx, complaint)
            for step in Step:
                at = due_at(step, waiting, _terms(hands), hands.calendar)
                if at is not None and at <= now:
                    steps[_key(step, complaint)] = step, complaint
        known = await outbox.known_among(tx, list(steps))  # most of the time all of them
        due = {
            key: {"complaint_id": complaint.id, "step": step.value}
            for key, (step, complaint) in steps.items()
            if key not in known and await complaints.is_still_low(tx, complaint)
        }
    if due:
        async with hands.db.transaction() as tx:
            for key, about in due.items():
                await outbox.add_once(tx, KIND, key, about, now, now)
        hands.wake.act.set()
    return len(due)


def _terms(hands: Hands) -> Terms:
    return Terms(take_within=hands.complaints.take_within, escalate_after=hands.complaints.escalate_after)


async def _waiting(tx: AsyncSession, complaint: Complaint) -> Waiting:
    return Waiting(
        heard_at=await complaints.heard_at(tx, complaint.id or 0),
        is_taken=bool(complaint.taken_by),
        deadline=complaint.deadline,
        call_later_at=complaint.call_later_at,
        opened_again_at=await complaints.opened_again_at(tx, complaint),
        passed_at=complaint.passed_at,
        is_contacted=complaint.is_contacted,
    )


@dataclass(slots=True)
class Crm:
    """Does amoCRM answer? Once it did not, nobody waits for it again: it may take a minute each time."""

    answers: bool = True


@dataclass(slots=True, kw_only=True)
class Call:
    """One step of one complaint: what is said, and to whom; behind them who is told if nobody is reached."""

    item: Outbox
    step: Step
    complaint: Complaint
    survey: Survey | None
    deal: Deal | None
    client: Client | None
    line: str
    alerts: Mapping[Place, Alert]
    ranks: Ranks
    told: set[Place]  # that a try before has reached

    @property
    def row(self) -> int:
        return self.item.id or 0


async def escalate(items: Sequence[Outbox], hands: Hands) -> Mapping[int, Exception]:
    """All that is due together, so that a burst of it is one message for each person."""
    failures: dict[int, Exception] = {}
    calls: list[Call] = []
    crm = Crm()
    for item in items:
        try:
            call = await _call(item, hands, crm)
        except Later as later:
            failures[item.id or 0] = later
        else:
            calls += [call] if call is not None else []
    if not has_staff_channel(hands):
        return failures  # The complaint deal and its task are the alert.
    left = calls
    while left:
        reached = await _tell(hands, left, failures)
        for call in left:
            if call.row not in reached:
                call.ranks = call.ranks[1:]
                if not call.ranks:
                    log.warning("complaint %s: nobody could be told that it waits", call.complaint.id)
        left = [call for call in left if call.row not in reached and call.ranks]
    async with hands.db.transaction() as tx:
        for call in calls:
            if call.row not in failures:
                await state.forget(tx, _told_key(call.item))
    return failures


async def _call(item: Outbox, hands: Hands, crm: Crm) -> Call | None:
    """None: it has been taken, closed or corrected meanwhile."""
    case = await case_of(hands, int(item.payload["complaint_id"]))
    if case is None:
        return None
    complaint, survey, deal, client = case
    step = Step(item.payload["step"])
    if complaint.closed_at is not None or complaint.left_at is not None:
        return None
    async with hands.db.reading() as tx:
        waiting = await _waiting(tx, complaint)
        is_low = await complaints.is_still_low(tx, complaint)
        alerts = {place_of(alert): alert for alert in await complaints.alerts(tx, complaint.id or 0)}
        told = await state.recall(tx, _told_key(item)) or {}
    at = due_at(step, waiting, _terms(hands), hands.calendar)
    if at is None or not is_low:
        return None
    if at > hands.now():
        raise Later(at, "somebody asked to be reminded later")
    wait_for_morning(hands)
    if await _is_seen_to(hands, step, complaint, crm):
        return None
    about = await about_whom(hands, complaint, survey)
    return Call(
        item=item,
        step=step,
        complaint=complaint,
        survey=survey,
        deal=deal,
        client=client,
        line=_line(hands, step, waiting, complaint, survey, deal, client),
        alerts=alerts,
        ranks=_ranks(hands, step, complaint, survey, deal, frozenset(alerts), about),
        told={Place(*place) for place in told.get("places", ())},
    )


async def _is_seen_to(hands: Hands, step: Step, complaint: Complaint, crm: Crm) -> bool:
    """What only amoCRM tells: the deal was deleted, or the task to call the client is done."""
    if complaint.lead_id is None or not crm.answers:
        return False
    try:
        if await hands.amocrm.lead(complaint.lead_id) is None:
            return True
        if step is not Step.OVERDUE:
            return False
        tasks = await hands.amocrm.lead_tasks(complaint.lead_id)
    except Gone:
        return True
    except OutsideError as error:
        crm.answers = False
        log.info("whether complaint %s was seen to cannot be asked now: %s", complaint.id, error)
        return False
    if complaint.call_again:  # The task of the first call was done before.
        return bool(tasks) and all(task.is_completed for task in tasks)
    return any(task.id == complaint.task_id and task.is_completed for task in tasks)


def _ranks(
    hands: Hands,
    step: Step,
    complaint: Complaint,
    survey: Survey | None,
    deal: Deal | None,
    alerted: frozenset[Place],
    about: frozenset[int],
) -> Ranks:
    """Nobody whom one of the scores is about, though there may be an alert from before it came."""
    hearing = {place for place in alerted if may_hear(hands, place, about, complaint)}
    heard = [one for one in hands.known.staff if hearing.intersection(one.places)]
    higher = but(above(hands), about)
    others = recipients(hands, complaint, survey, deal, about)
    match step:
        case Step.UNTAKEN:
            pipeline = deal.pipeline_id if deal is not None else (survey.pipeline_id if survey else 0)
            following = [
                one
                for one in but(hands.known.staff, about)
                if one.role == "head"
                and (not one.pipelines or pipeline in one.pipelines)
                and one not in heard
            ]
            return ([*heard, *following[:1]], *others)
        case Step.ESCALATED:
            return (higher, *others)
        case Step.OVERDUE:
            return ([*heard, *(one for one in higher if one not in heard)], *others)


def _line(
    hands: Hands,
    step: Step,
    waiting: Waiting,
    complaint: Complaint,
    survey: Survey | None,
    deal: Deal | None,
    client: Client | None,
) -> str:
    """Who waits, for whom, and how long."""
    now = hands.now()
    values = staff_values(hands, client=client, deal=deal, survey=survey, complaint=complaint, now=now)
    if step is not Step.OVERDUE:
        again = waiting.opened_again_at
        # One opened by hand waits for us since the low score that came to it.
        moments = (complaint.opened_at, survey.answered_at if survey is not None else None, again)
        since = max(moment for moment in moments if moment is not None)
        return hands.texts.fill("alert.untaken", **values, age=age_text(hands.texts, now - since))
    said = hands.texts.fill("alert.overdue", **values)
    if complaint.deadline is not None and now - complaint.deadline > LATE:
        age = age_text(hands.texts, now - complaint.deadline)
        said = f"{said} {hands.texts.fill('alert.overdue_by', age=age)}"
    return said


async def _tell(hands: Hands, calls: Sequence[Call], failures: dict[int, Exception]) -> set[int]:
    """To the first rank of each. Gives those that need no other: somebody heard, or it is tried again."""
    by_person: dict[tuple[Place, ...], list[Call]] = {}
    for call in calls:
        for person in call.ranks[0]:
            by_person.setdefault(person.places, []).append(call)
    reached: set[int] = set()
    for places, theirs in by_person.items():
        reached |= {call.row for call in theirs if call.told.intersection(places)}
        fresh = [call for call in theirs if not call.told.intersection(places)]
        try:
            for some in _portions(_latest(fresh), hands.alerts.burst):
                said = [call for call in fresh if any(call.complaint.id == one.complaint.id for one in some)]
                place = await _say(hands, places, some)
                if place is None:
                    break
                await _keep_told(hands, place, said)
                reached |= {call.row for call in said}
        except OutsideError as error:
            failures.update({call.row: error for call in fresh if not call.told.intersection(places)})
            reached |= {call.row for call in fresh}
    return reached


def _latest(calls: Sequence[Call]) -> Sequence[Call]:
    """After a standstill several steps of one complaint are due at once: the last of them says it all."""
    steps = list(Step)
    in_order = sorted(calls, key=lambda call: (call.complaint.id or 0, steps.index(call.step)))
    return list({call.complaint.id: call for call in in_order}.values())


def _portions(calls: Sequence[Call], burst: int) -> Sequence[Sequence[Call]]:
    """Each by itself, or all of them in one message."""
    return [calls] if len(calls) > burst else [[call] for call in calls]


async def _say(hands: Hands, places: Sequence[Place], calls: Sequence[Call]) -> Place | None:
    """Where it was read; None: nowhere."""

    async def send(channel: Channel, place: Place) -> Place:
        if len(calls) > 1:
            lines = [(call.complaint, call.line) for call in calls]
            for some in in_messages(lines):
                message_id = await channel.send(place.chat_id, joined(hands, "", some))
                await keep_repeats(hands, some, place, message_id)
        else:
            await _say_one(hands, channel, place, calls[0])
        return place

    # Where the alert stands, there it can be replied to.
    alerted = {place for call in calls for place in call.alerts}
    return await in_first_place(hands, sorted(places, key=lambda place: place not in alerted), send)


async def _keep_told(hands: Hands, place: Place, calls: Sequence[Call]) -> None:
    async with hands.db.transaction() as tx:
        for call in calls:
            call.told.add(place)
            await state.remember(tx, _told_key(call.item), {"places": sorted(map(list, call.told))})


async def _say_one(hands: Hands, channel: Channel, place: Place, call: Call) -> None:
    """Who has the alert gets the word as a reply to it; who has not gets the alert itself under the word."""
    complaint, buttons, chat_id = call.complaint, alert_buttons(hands, call.complaint), place.chat_id
    if (alert := call.alerts.get(place)) is not None:
        message = Outgoing(text=call.line, buttons=buttons, quote=alert.message_id)
        await keep_repeats(hands, [(complaint, call.line)], place, await channel.send(chat_id, message))
        return
    alert_itself = await alert_text(
        hands, complaint, call.survey, call.deal, call.client, sent_at=complaint.opened_at
    )
    text = f"{call.line}\n\n{alert_itself}"
    message_id = await channel.send(chat_id, Outgoing(text=text, buttons=buttons))
    await keep_alerts(hands, [complaint], place, message_id)


def _told_key(item: Outbox) -> str:
    return f"told:{item.key}"
