"""Staff in Telegram: the alert about a low score, kept up to date, and clients' words passed on."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from integrations.channels.base import Button, Outgoing
from integrations.errors import Permanent
from storage import asked, complaints, deals, people, surveys
from storage.tables.complaints import Alert, Complaint, Repeat
from storage.tables.deals import Deal
from storage.tables.queues import Outbox
from worker.account.people import Place, Staff
from worker.actions.alert_words import alert_text, staff_values
from worker.actions.base import Hands, Later
from worker.actions.hearing import about_whom, above, but, may_hear, place_of, recipients
from worker.actions.joined import Case, burst_head, burst_line, joined
from worker.actions.keeping import keep_alerts
from worker.actions.reaching import Postponed, has_staff_channel, reach
from worker.actions.telling import begin, in_group, tell
from worker.rules.calendar import quiet_until
from worker.rules.formats import cut_words
from worker.rules.scale import Band

log = logging.getLogger(__name__)

CALL_LATER = timedelta(hours=1)


def wait_for_morning(hands: Hands) -> None:
    ends = quiet_until(hands.now(), hands.alerts.quiet_hours, hands.calendar.zone)
    if ends > hands.now():
        raise Later(ends, "quiet hours")


async def alert_staff(item: Outbox, hands: Hands) -> None:
    """To everybody who follows this deal. At least once; each chat has its row, so it gets it once."""
    case = await case_of(hands, int(item.payload["complaint_id"]))
    if case is None:
        return
    complaint, survey, deal, client = case
    wait_for_morning(hands)
    if complaint.closed_at is not None or complaint.left_at is not None:
        return
    if not has_staff_channel(hands):
        return  # The complaint deal and its task are the alert.
    text = await alert_text(hands, complaint, survey, deal, client, sent_at=hands.now())
    message = Outgoing(text=text, buttons=alert_buttons(hands, complaint))
    is_again = bool(item.payload.get("is_again"))
    if is_again and (complaint.call_later_at is None or complaint.call_later_at > hands.now()):
        return  # Called, or passed to somebody else since, who has to call; or put off once more.
    about = await about_whom(hands, complaint, survey)
    ranks = recipients(hands, complaint, survey, deal, about)
    if is_again:
        ranks = _with_holder(hands, complaint, about, ranks)
    reached, later = False, Postponed()
    for rank in ranks:
        for person in rank:
            with later:
                reached |= await alert_one(hands, person.places, complaint, message, is_again=is_again)
        if reached or later.is_needed:
            break
    for group in hands.groups:
        with later:
            masked = in_group(hands, message, client)
            reached |= await alert_one(hands, [group], complaint, masked, is_again=is_again)
    later.settle()
    if not reached:
        log.warning(
            "complaint %s: nobody could be alerted; its deal and task in amoCRM are the alert", complaint.id
        )


def _with_holder(
    hands: Hands, complaint: Complaint, about: Collection[int], ranks: Sequence[Sequence[Staff]]
) -> Sequence[Sequence[Staff]]:
    """Before all others whoever has it, or was given it, a manager too."""
    names = {complaint.taken_by, complaint.passed_to}
    holders = [one for one in but(hands.known.staff, about) if one.name in names]
    first = [one for one in (ranks[0] if ranks else ()) if one not in holders]
    return [[*holders, *first], *ranks[1:]]


async def alert_one(
    hands: Hands, places: Sequence[Place], complaint: Complaint, message: Outgoing, *, is_again: bool
) -> bool:
    """`is_again`: an alert from before «Позвонить позже» does not count."""
    since = complaint.call_later_at if is_again else None
    async with hands.db.reading() as tx:
        sent = await complaints.alerts(tx, complaint.id or 0)
    known = {place_of(alert) for alert in sent if since is None or alert.sent_at >= since}
    if known.intersection(places):
        return True
    told = await reach(hands, places, message)
    if told is not None:
        await keep_alerts(hands, [complaint], *told)
    return told is not None


def alert_buttons(hands: Hands, complaint: Complaint) -> tuple[tuple[Button, ...], ...]:
    """What can still be done: nothing of it once the complaint is closed but to open the deal."""
    rows: list[tuple[Button, ...]] = []
    if complaint.closed_at is None and complaint.left_at is None:
        done = {"take": bool(complaint.taken_by), "talked": complaint.is_contacted, "solved": False}
        # A third long label in the second row a phone would not show whole.
        for names in ([name for name, is_done in done.items() if not is_done], ("later", "pass")):
            rows.append(tuple(_button(hands, name, complaint) for name in names))
    if complaint.lead_id is not None:
        rows.append(
            (Button(hands.texts.fill("button.open_deal"), url=hands.amocrm.lead_url(complaint.lead_id)),)
        )
    return tuple(rows)


def _button(hands: Hands, what: str, complaint: Complaint) -> Button:
    return Button(hands.texts.fill(f"button.{what}"), data=f"c:{complaint.id}:{what}")


async def alert_again(item: Outbox, hands: Hands) -> None:
    """The client is unhappy with how it was solved: no second complaint, but those above hear of it too."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        complaint = await complaints.by_lead(tx, survey.deal_id) if survey is not None else None
        if complaint is None and survey is not None:
            complaint = await complaints.by_survey(tx, survey.id or 0)
        client = (
            await people.client(tx, survey.client_id) if survey is not None and survey.client_id else None
        )
        words = await asked.words_of(tx, survey.id or 0) if survey is not None else []
        deal = await deals.deal(tx, survey.root_deal_id) if survey is not None else None
    if survey is None or complaint is None or survey.band != Band.LOW:
        return
    wait_for_morning(hands)
    values = staff_values(
        hands, client=client, deal=deal, survey=survey, complaint=complaint, now=hands.now(), words=words
    )
    values["who"] = complaint.closed_by or values["who"]
    text = hands.texts.fill("alert.again", **values)
    buttons = alert_buttons(hands, complaint)
    message = Outgoing(text=text, buttons=buttons)
    about = await about_whom(hands, complaint, survey)
    ranks = recipients(hands, complaint, survey, deal, about)
    higher = but(above(hands), about)
    await tell(item, hands, message, client, ranks=ranks, also=higher, about=complaint)


async def tell_uncalled(item: Outbox, hands: Hands) -> None:
    """The complaint was closed, and the client says that nobody had called: those above hear of it too."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        complaint = await complaints.by_lead(tx, survey.deal_id) if survey is not None else None
        client = (
            await people.client(tx, survey.client_id) if survey is not None and survey.client_id else None
        )
        deal = await deals.deal(tx, survey.root_deal_id) if survey is not None else None
    if survey is None or complaint is None:
        return
    wait_for_morning(hands)
    values = staff_values(
        hands, client=client, deal=deal, survey=survey, complaint=complaint, now=hands.now()
    )
    values["who"] = complaint.closed_by or values["who"]
    said = [hands.texts.fill("alert.uncalled", **values)]
    if words := cut_words(str(item.payload.get("words") or "")):
        said.append(hands.texts.fill("alert.quote", words=words))
    buttons = alert_buttons(hands, complaint)
    message = Outgoing(text="\n".join(said), buttons=buttons)
    about = await about_whom(hands, complaint, survey)
    ranks = recipients(hands, complaint, survey, deal, about)
    higher = but(above(hands), about)
    await tell(item, hands, message, client, ranks=ranks, also=higher, about=complaint)


async def edit_alert(item: Outbox, hands: Hands) -> None:
    """All messages about it show what has happened since, where somebody may hear of it still."""
    case = await case_of(hands, int(item.payload["complaint_id"]))
    if case is None:
        return
    complaint, survey, deal, client = case
    async with hands.db.reading() as tx:
        sent = await complaints.alerts(tx, complaint.id or 0)
        repeats = await complaints.repeats(tx, complaint.id or 0)
    # Who heard of it last, because nobody had taken it, has no late alert.
    sent_at = min((alert.sent_at for alert in sent), default=complaint.opened_at)
    text = await alert_text(hands, complaint, survey, deal, client, sent_at=sent_at)
    message = Outgoing(text=text, buttons=alert_buttons(hands, complaint))
    about = await about_whom(hands, complaint, survey)
    later = Postponed()
    messages: list[Alert | Repeat] = [*sent, *repeats]
    for row in messages:
        place = place_of(row)
        channel = hands.channels.get(place.channel)
        if channel is None or not may_hear(hands, place, about, complaint):
            continue
        shown = await as_joined(hands, place, row.message_id)
        if shown is None:
            shown = replace(message, text="\n".join(_repeated(row, complaint)) or text)
            shown = in_group(hands, shown, client) if place in hands.groups else shown
        with later:
            try:
                await channel.edit(place.chat_id, row.message_id, shown)
            except Permanent as error:
                log.info("a message about complaint %s stays as it is: %s", complaint.id, error)
    later.settle()


def _repeated(row: Alert | Repeat, complaint: Complaint) -> Sequence[str]:
    """What was said beside the alert, and what has happened since; nothing where it is the alert."""
    if isinstance(row, Alert) or not row.text:
        return ()
    return (row.text, *complaint.lines[row.lines :])


async def as_joined(hands: Hands, place: Place, message_id: str) -> Outgoing | None:
    """The message as it has to look now, if it tells of other complaints too."""
    async with hands.db.reading() as tx:
        together = await complaints.in_message(tx, *place, message_id)
    if len(together) < 2:
        return None
    cases: list[Case] = []
    lines: list[tuple[Complaint, str]] = []
    is_burst = True
    for row in together:
        case = await case_of(hands, row.complaint_id)
        # What has become this person's own matter since stands in it no more.
        if case is not None and may_hear(hands, place, await about_whom(hands, case[0], case[1]), case[0]):
            cases.append(case)
            said = _repeated(row, case[0])
            line = " ".join((said[0], *said[1:][-1:])) if said else burst_line(hands, case)
            lines.append((case[0], line))
            is_burst &= not said
    about = [complaint for complaint, _ in lines]
    head = ""
    if is_burst and about:
        # Of alerts that were all sent anew nobody knows any more how late this one was.
        alerts = [row.sent_at for row in together if isinstance(row, Alert)]
        head = burst_head(hands, about, sent_at=min(alerts, default=about[0].opened_at))
    shown = joined(hands, head, lines)
    return in_group(hands, shown, *(case[3] for case in cases)) if place in hands.groups else shown


async def tell_low(item: Outbox, hands: Hands) -> None:
    """A low score that opens no complaint, or none yet: who, score, words, whose deal."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        if survey is None or survey.band != Band.LOW or survey.revision != int(item.payload["revision"]):
            return
        if item.payload.get("unless_opened") and await complaints.by_survey(tx, survey.id or 0) is not None:
            return  # Its alert says it.
        deal = await deals.deal(tx, survey.root_deal_id)
        client = await people.client(tx, survey.client_id) if survey.client_id else None
    wait_for_morning(hands)
    text = await alert_text(hands, None, survey, deal, client, sent_at=hands.now())
    message = Outgoing(text=text, buttons=_open_deal(hands, deal))
    about = await about_whom(hands, None, survey)
    await tell(item, hands, message, client, ranks=recipients(hands, None, survey, deal, about))


def _open_deal(hands: Hands, deal: Deal | None) -> tuple[tuple[Button, ...], ...]:
    if deal is None:
        return ()
    return ((Button(hands.texts.fill("button.open_deal"), url=hands.amocrm.lead_url(deal.deal_id)),),)


async def tell_erase(item: Outbox, hands: Hands) -> None:
    """«удалите мои данные»: the owner has ten working days."""
    async with hands.db.reading() as tx:
        client = await people.client(tx, int(item.payload["client_id"]))
        deal = await deals.newest_of_client(
            tx, int(item.payload["client_id"]), but_pipeline=hands.known.complaints_pipeline
        )
    if client is None or client.erased_at is not None:
        return  # It is done already.
    values = staff_values(hands, client=client, deal=deal, survey=None, now=hands.now())
    wait_for_morning(hands)
    text = "\n".join(hands.texts.fill(key, **values) for key in ("erase.task", "erase.how"))
    telling, later = await begin(item, hands), Postponed()
    for person in hands.known.owners():
        with later:
            await telling.to(person.places, Outgoing(text=text))
    later.settle()
    await telling.end()


async def case_of(hands: Hands, complaint_id: int) -> Case | None:
    async with hands.db.reading() as tx:
        complaint = await complaints.complaint(tx, complaint_id)
        if complaint is None:
            return None
        survey = await surveys.survey(tx, complaint.survey_id) if complaint.survey_id else None
        deal = await deals.deal(tx, complaint.source_deal_id) if complaint.source_deal_id else None
        client = await people.client(tx, complaint.client_id) if complaint.client_id else None
    return complaint, survey, deal, client


def in_an_hour(now: datetime) -> datetime:
    return now + CALL_LATER
