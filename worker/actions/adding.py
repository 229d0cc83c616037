"""What came to a complaint after its alert: words of the client, one more low score."""

import logging
from collections.abc import Sequence

from integrations.channels.base import Outgoing
from integrations.errors import Permanent
from storage import asked, complaints, deals, outbox, surveys
from storage.tables.complaints import Alert
from storage.tables.people import Client
from storage.tables.queues import Outbox
from storage.tables.surveys import Reply
from worker.account.people import Place, Staff
from worker.actions import keys
from worker.actions.alert_staff import (
    alert_buttons,
    alert_one,
    case_of,
    wait_for_morning,
)
from worker.actions.alert_words import alert_text, joined_text
from worker.actions.base import Hands, Later
from worker.actions.hearing import about_whom, may_hear, place_of, recipients
from worker.actions.joined import Case
from worker.actions.reaching import Postponed, has_staff_channel
from worker.actions.telling import Telling, begin, in_group
from worker.actions.words import told
from worker.rules.formats import cut_words

log = logging.getLogger(__name__)


async def alert_words(item: Outbox, hands: Hands) -> None:
    """What the client added stands in the alert at once, and one reply to it says so."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        reply = await tx.get(Reply, int(item.payload["reply_id"]))
        complaint = await complaints.of_score(tx, survey) if survey is not None else None
    if survey is None or reply is None or complaint is None or not has_staff_channel(hands):
        return
    async with hands.db.transaction() as tx:
        now, this = hands.now(), {"complaint_id": complaint.id}
        await outbox.ask_again(tx, "edit_alert", keys.edit_alert(complaint.id), this, now, now)
        sent = await complaints.alerts(tx, complaint.id or 0)
    wait_for_morning(hands)
    case = await case_of(hands, complaint.id or 0)
    if case is None:
        return
    about = await about_whom(hands, complaint, survey)
    text = hands.texts.fill("alert.words", words=cut_words(told(hands, reply.text, reply.kind)))
    listening = [alert for alert in sent if may_hear(hands, place_of(alert), about, case[0])]
    fresh = [alert for alert in listening if alert.sent_at <= reply.received_at]
    came_with_it = {place_of(alert) for alert in listening if alert not in fresh}
    telling, later = await begin(item, hands), Postponed()
    heard = came_with_it | await _reply_to(telling, later, fresh, text, case[3])
    later.settle()
    if sent and not heard.difference(hands.groups):
        # Whoever was alerted has left, leads no more or cannot be reached.
        ranks = recipients(hands, *case[:3], about)
        await _alert_others(telling, case, text, ranks, sent, heard)
    await telling.end()


async def alert_joined(item: Outbox, hands: Hands) -> None:
    """A second low score joined a complaint: its alert is edited, and one reply to it says so.

    Those whom it concerns and who have no alert get one, since those who have may not hear of this.
    """
    case = await case_of(hands, int(item.payload["complaint_id"]))
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        words = await asked.words_of(tx, int(item.payload["survey_id"]))
        sent = await complaints.alerts(tx, int(item.payload["complaint_id"]))
        deal = await deals.deal(tx, survey.root_deal_id) if survey is not None else None
        is_coming = await outbox.is_open(tx, keys.alert(int(item.payload["complaint_id"]), "new"))
    if survey is None or case is None or not has_staff_channel(hands):
        return
    wait_for_morning(hands)
    if is_coming and not sent:
        raise Later(None, "the alert itself is on its way")
    about = await about_whom(hands, case[0], survey)
    text = joined_text(hands, survey, words)
    listening = [alert for alert in sent if may_hear(hands, place_of(alert), about, case[0])]
    # What was sent since came with this line, unless the try before got no further than that.
    fresh = [alert for alert in listening if alert.sent_at <= item.created_at or item.attempt > 1]
    came_with_it = {place_of(alert) for alert in listening if alert not in fresh}
    telling, later = await begin(item, hands), Postponed()
    heard = came_with_it | await _reply_to(telling, later, fresh, text, case[3])
    later.settle()
    ranks = recipients(hands, None, survey, deal, about)
    await _alert_others(telling, case, text, ranks, sent, heard)
    await telling.end()


async def _reply_to(
    telling: Telling, later: Postponed, alerts: Sequence[Alert], text: str, client: Client | None
) -> set[Place]:
    """The chats that got it, each once however often it is tried; none waits for another."""
    hands, heard = telling.hands, set[Place]()
    for alert in alerts:
        place = place_of(alert)
        message = Outgoing(text=await _about(hands, alert, text), quote=alert.message_id)
        if place in hands.groups:
            message = in_group(hands, message, client)
        with later:
            try:
                if await telling.to([place], message):
                    heard.add(place)
            except Permanent as error:
                log.info("no word on complaint %s: %s", alert.complaint_id, error)
    return heard


async def _alert_others(
    telling: Telling,
    case: Case,
    text: str,
    ranks: Sequence[Sequence[Staff]],
    sent: Sequence[Alert],
    heard: set[Place],
) -> None:
    """The alert and the word under it, to those who have none: of the first rank where anybody hears it."""
    hands, later = telling.hands, Postponed()
    complaint, survey, deal, client = case
    known = {place_of(alert) for alert in sent}
    shown = await alert_text(hands, complaint, survey, deal, client, sent_at=hands.now())
    message = Outgoing(text=shown, buttons=alert_buttons(hands, complaint))
    for rank in ranks:
        fresh = [person for person in rank if not known.intersection(person.places)]
        for person in fresh:
            await alert_one(hands, person.places, complaint, message, is_again=False)
        places = {place for person in fresh for place in person.places}
        async with hands.db.reading() as tx:
            alerts = [
                one for one in await complaints.alerts(tx, complaint.id or 0) if place_of(one) in places
            ]
        told_now = await _reply_to(telling, later, alerts, text, client)
        later.settle()
        if told_now or any(heard.intersection(one.places) for one in rank):
            return


async def _about(hands: Hands, alert: Alert, text: str) -> str:
    """A word under a message that tells of several complaints says which of them it is about."""
    async with hands.db.reading() as tx:
        together = await complaints.in_message(tx, alert.channel, alert.chat_id, alert.message_id)
    if len(together) < 2:
        return text
    return f"{hands.texts.fill('alert.line.about', no=alert.complaint_id)} {text}"
