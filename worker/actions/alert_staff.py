"""Staff in Telegram: the alert about a low score, kept up to date, and clients' words passed on."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from integrations.channels.base import Button, Channel, Outgoing
from integrations.errors import Permanent, Unreachable
from storage import asked, complaints, deals, outbox, people, surveys
from storage.rows import insert_once
from storage.tables import Alert, Client, Complaint, Deal, Outbox, Reply, Survey
from worker.account import Staff
from worker.actions import keys
from worker.actions.base import Hands, Later
from worker.actions.joined import burst
from worker.actions.words import alert_text, joined_text, staff_values, told
from worker.rules.calendar import quiet_until
from worker.rules.formats import cut_words
from worker.rules.scale import Band

log = logging.getLogger(__name__)

CHANNEL = "telegram"
CALL_LATER = timedelta(hours=1)


def staff_channel(hands: Hands) -> Channel | None:
    return hands.channels.get(CHANNEL)


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
    channel = staff_channel(hands)
    if channel is None:
        return  # The complaint deal and its task are the alert.
    text = await alert_text(hands, complaint, survey, deal, client, sent_at=hands.now())
    message = Outgoing(text=text, buttons=alert_buttons(hands, complaint))
    is_again = bool(item.payload.get("is_again"))
    for rank in recipients(hands, complaint, survey, deal):
        reached = [
            await _alert_one(hands, channel, person, complaint, message, is_again=is_again) for person in rank
        ]
        if any(reached):
            return
    log.warning(
        "complaint %s: nobody could be alerted; its deal and task in amoCRM are the alert", complaint.id
    )


def recipients(
    hands: Hands, complaint: Complaint | None, survey: Survey | None, deal: Deal | None
) -> Sequence[Sequence[Staff]]:
    """Heads of the deal's pipeline; behind them who is told when none of these can be reached."""
    about = survey.manager_id if survey is not None and survey.subject_is_manager else 0
    pipeline = deal.pipeline_id if deal is not None else (survey.pipeline_id if survey is not None else 0)
    manager = complaint.manager_id if complaint is not None else (deal.manager_id if deal is not None else 0)
    return hands.known.alerted(pipeline=pipeline, manager=manager, but=about)


async def _alert_one(
    hands: Hands, channel: Channel, person: Staff, complaint: Complaint, message: Outgoing, *, is_again: bool
) -> bool:
    chat_id = str(person.telegram_id)
    async with hands.db.reading() as tx:
        known = {alert.chat_id for alert in await complaints.alerts(tx, complaint.id or 0)}
    if chat_id in known and not is_again:
        return True
    try:
        message_id = await channel.send(chat_id, message)
    except Unreachable as error:
        log.warning("%s cannot be reached in Telegram: %s", person.role, error)
        return False
    hands.health.count_message(channel.name, "out", "staff")
    await keep_alerts(hands, [complaint], chat_id, message_id)
    return True


async def keep_alerts(hands: Hands, about: Sequence[Complaint], chat_id: str, message_id: str) -> None:
    """The message that tells of these complaints in this chat, from now on."""
    async with hands.db.transaction() as tx:
        for complaint in about:
            row = Alert(
                complaint_id=complaint.id or 0, chat_id=chat_id, message_id=message_id, sent_at=hands.now()
            )
            if not await insert_once(tx, row):
                for old in await complaints.alerts(tx, complaint.id or 0):
                    if old.chat_id == chat_id:
                        old.message_id, old.sent_at = message_id, hands.now()


def alert_buttons(hands: Hands, complaint: Complaint) -> tuple[tuple[Button, ...], ...]:
    """What can still be done: nothing of it once the complaint is closed but to open the deal."""
    rows: list[tuple[Button, ...]] = []
    if complaint.closed_at is None and complaint.left_at is None:
        first = [] if complaint.taken_by else [_button(hands, "take", complaint)]
        rows.append((*first, _button(hands, "solved", complaint)))
        rows.append((_button(hands, "later", complaint),))
    if complaint.lead_id is not None:
        rows.append(
            (Button(hands.texts.fill("button.open_deal"), url=hands.amocrm.lead_url(complaint.lead_id)),)
        )
    return tuple(rows)


def _button(hands: Hands, what: str, complaint: Complaint) -> Button:
    return Button(hands.texts.fill(f"button.{what}"), data=f"c:{complaint.id}:{what}")


async def alert_again(item: Outbox, hands: Hands) -> None:
    """The client is unhappy with how it was solved: no second complaint, but everybody hears of it."""
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
    text = hands.texts.fill("alert.again", **values)
    await _tell(hands, text, complaint, survey, deal, buttons=alert_buttons(hands, complaint))


async def tell_uncalled(item: Outbox, hands: Hands) -> None:
    """The complaint was closed, and the client says that nobody had called."""
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
    said = [hands.texts.fill("alert.uncalled", **values)]
    if words := cut_words(str(item.payload.get("words") or "")):
        said.append(hands.texts.fill("alert.quote", words=words))
    await _tell(hands, "\n".join(said), complaint, survey, deal, buttons=alert_buttons(hands, complaint))


async def edit_alert(item: Outbox, hands: Hands) -> None:
    """The alert shows what has happened since, for everybody who got it."""
    case = await case_of(hands, int(item.payload["complaint_id"]))
    channel = staff_channel(hands)
    if case is None or channel is None:
        return
    complaint, survey, deal, client = case
    async with hands.db.reading() as tx:
        sent = await complaints.alerts(tx, complaint.id or 0)
    if not sent:
        return
    # Who heard of it last, because nobody had taken it, has no late alert.
    sent_at = min(alert.sent_at for alert in sent)
    text = await alert_text(hands, complaint, survey, deal, client, sent_at=sent_at)
    message = Outgoing(text=text, buttons=alert_buttons(hands, complaint))
    for alert in sent:
        shown = await _as_joined(hands, alert) or message
        try:
            await channel.edit(alert.chat_id, alert.message_id, shown)
        except Permanent as error:
            log.info("an alert of complaint %s stays as it is: %s", complaint.id, error)


async def _as_joined(hands: Hands, alert: Alert) -> Outgoing | None:
    """The message as it has to look now, if it tells of other complaints too."""
    async with hands.db.reading() as tx:
        together = await complaints.in_message(tx, alert.chat_id, alert.message_id)
    if len(together) < 2:
        return None
    cases = [case for number in together if (case := await case_of(hands, number)) is not None]
    return burst(hands, cases, sent_at=alert.sent_at)


async def _about(hands: Hands, alert: Alert, text: str) -> str:
    """A word under a message that tells of several complaints says which of them it is about."""
    async with hands.db.reading() as tx:
        together = await complaints.in_message(tx, alert.chat_id, alert.message_id)
    if len(together) < 2:
        return text
    return f"{hands.texts.fill('alert.line.about', no=alert.complaint_id)} {text}"


async def alert_words(item: Outbox, hands: Hands) -> None:
    """What the client added stands in the alert at once, and one reply to it says so."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        reply = await tx.get(Reply, int(item.payload["reply_id"]))
        complaint = await complaints.of_score(tx, survey) if survey is not None else None
    channel = staff_channel(hands)
    if survey is None or reply is None or complaint is None or channel is None:
        return
    about = {"complaint_id": complaint.id}
    async with hands.db.transaction() as tx:
        now = hands.now()
        await outbox.ask_again(tx, "edit_alert", keys.edit_alert(complaint.id), about, now, now)
        sent = await complaints.alerts(tx, complaint.id or 0)
    wait_for_morning(hands)
    text = hands.texts.fill("alert.words", words=cut_words(told(hands, reply.text, reply.kind)))
    for alert in sent:
        if alert.sent_at > reply.received_at:
            continue  # It came with these words.
        try:
            said = await _about(hands, alert, text)
            await channel.send(alert.chat_id, Outgoing(text=said, quote=alert.message_id))
        except Permanent as error:
            log.info("no word on complaint %s: %s", complaint.id, error)


async def alert_joined(item: Outbox, hands: Hands) -> None:
    """A second low score joined a complaint: its alert is edited, and one reply to it says so."""
    channel = staff_channel(hands)
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        words = await asked.words_of(tx, int(item.payload["survey_id"]))
        sent = await complaints.alerts(tx, int(item.payload["complaint_id"]))
    if survey is None or channel is None:
        return
    wait_for_morning(hands)
    for alert in sent:
        if alert.sent_at > item.created_at:
            continue  # It came with this line.
        text = joined_text(hands, survey, words)
        try:
            said = await _about(hands, alert, text)
            await channel.send(alert.chat_id, Outgoing(text=said, quote=alert.message_id))
        except Permanent as error:
            log.info("no word on complaint %s: %s", alert.complaint_id, error)


async def tell_low(item: Outbox, hands: Hands) -> None:
    """A low score that opens no complaint: who, score, words, whose deal."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        if survey is None or survey.band != Band.LOW or survey.revision != int(item.payload["revision"]):
            return
        deal = await deals.deal(tx, survey.root_deal_id)
        client = await people.client(tx, survey.client_id) if survey.client_id else None
    wait_for_morning(hands)
    text = await alert_text(hands, None, survey, deal, client, sent_at=hands.now())
    await _tell(hands, text, None, survey, deal, buttons=_open_deal(hands, deal))


def _open_deal(hands: Hands, deal: Deal | None) -> tuple[tuple[Button, ...], ...]:
    if deal is None:
        return ()
    return ((Button(hands.texts.fill("button.open_deal"), url=hands.amocrm.lead_url(deal.deal_id)),),)


async def tell_head(item: Outbox, hands: Hands) -> None:
    """A client's words that a person has to answer, as they are."""
    wait_for_morning(hands)
    payload = item.payload
    async with hands.db.reading() as tx:
        client = await people.client(tx, int(payload["client_id"])) if payload.get("client_id") else None
        survey = await surveys.survey(tx, int(payload["survey_id"])) if payload.get("survey_id") else None
        deal = await deals.deal(tx, survey.root_deal_id) if survey is not None else None
        if deal is None and client is not None:
            deal = await deals.newest_of_client(
                tx, client.client_id or 0, but_pipeline=hands.known.complaints_pipeline
            )
    values = {
        **staff_values(hands, client=client, deal=deal, survey=survey, now=hands.now()),
        "channel": hands.texts.fill(f"channel.{payload['channel']}"),
        "words": cut_words(str(payload.get("words") or "")),
    }
    key = "client.wrote.call" if deal is not None else "client.stranger"
    text = hands.texts.fill(key, **values)
    await _tell(hands, text, None, survey, deal, buttons=_open_deal(hands, deal))


async def tell_erase(item: Outbox, hands: Hands) -> None:
    """«удалите мои данные»: the owner has ten working days."""
    async with hands.db.reading() as tx:
        client = await people.client(tx, int(item.payload["client_id"]))
    values = staff_values(hands, client=client, deal=None, survey=None, now=hands.now())
    channel = staff_channel(hands)
    if channel is None:
        return
    for person in hands.known.owners():
        try:
            await channel.send(
                str(person.telegram_id), Outgoing(text=hands.texts.fill("erase.task", **values))
            )
        except Unreachable as error:
            log.warning("%s cannot be reached in Telegram: %s", person.role, error)


async def _tell(
    hands: Hands,
    text: str,
    complaint: Complaint | None,
    survey: Survey | None,
    deal: Deal | None,
    *,
    buttons: tuple[tuple[Button, ...], ...],
) -> None:
    channel = staff_channel(hands)
    if channel is None:
        return
    for rank in recipients(hands, complaint, survey, deal):
        is_told = False
        for person in rank:
            try:
                await channel.send(str(person.telegram_id), Outgoing(text=text, buttons=buttons))
                is_told = True
            except Unreachable as error:
                log.warning("%s cannot be reached in Telegram: %s", person.role, error)
        if is_told:
            return


async def case_of(
    hands: Hands, complaint_id: int
) -> tuple[Complaint, Survey | None, Deal | None, Client | None] | None:
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
