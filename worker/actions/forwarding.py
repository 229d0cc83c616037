"""A client's words in the chats of staff: shown, with who takes them up and who has answered."""

import logging
from collections.abc import Sequence

from integrations.channels.base import Button, Outgoing
from integrations.errors import Permanent
from storage import complaints, deals, people, requests, surveys
from storage.tables.complaints import Request
from storage.tables.deals import Deal
from storage.tables.queues import Outbox
from worker.account.people import Place
from worker.actions.alert_staff import wait_for_morning
from worker.actions.alert_words import staff_values
from worker.actions.base import Hands
from worker.actions.hearing import about_whom, recipients
from worker.actions.reaching import Postponed, reach
from worker.actions.telling import in_group
from worker.actions.words import Values, clock_time
from worker.rules.formats import cut_words

log = logging.getLogger(__name__)

MARK = "w"  # begins the data of the buttons here


async def tell_head(item: Outbox, hands: Hands) -> None:
    """A client's words that a person has to answer, as they are: each chat gets them once."""
    wait_for_morning(hands)
    payload = item.payload
    async with hands.db.reading() as tx:
        client = await people.client(tx, int(payload["client_id"])) if payload.get("client_id") else None
        survey = await surveys.survey(tx, int(payload["survey_id"])) if payload.get("survey_id") else None
        request = await requests.about(tx, str(payload.get("about") or ""))
        deal = await deals.deal(tx, request.deal_id) if request is not None and request.deal_id else None
        # Words are most likely about what the client complains of.
        beside = await complaints.open_of_client(tx, client.client_id or 0) if client is not None else None
        seen = {Place(one.channel, one.chat_id) for one in await requests.shown(tx, _id(request))}
    values: Values = {
        **staff_values(hands, client=client, deal=deal, survey=survey, now=hands.now()),
        "channel": hands.texts.fill(f"channel.{payload['channel']}"),
        "words": cut_words(str(payload.get("words") or "")),
    }
    text = hands.texts.fill("client.wrote" if deal is not None else "client.stranger", **values)
    message = Outgoing(text=text, buttons=_buttons(hands, request, deal))
    about = await about_whom(hands, beside, survey)
    reached, later = False, Postponed()
    for rank in recipients(hands, None, survey, deal, about):
        for person in rank:
            with later:
                reached |= await _show(hands, person.places, message, request, seen)
        if reached or later.is_needed:
            break
    for group in hands.groups:
        with later:
            await _show(hands, [group], in_group(hands, message, client), request, seen)
    later.settle()


async def _show(
    hands: Hands, places: Sequence[Place], message: Outgoing, request: Request | None, seen: set[Place]
) -> bool:
    if seen.intersection(places):
        return True
    found = await reach(hands, places, message)
    if found is None:
        return False
    place, message_id = found
    seen.add(place)
    if request is not None:
        async with hands.db.transaction() as tx:
            await requests.keep_shown(
                tx, _id(request), channel=place.channel, chat_id=place.chat_id, message_id=message_id
            )
    return True


async def edit_request(item: Outbox, hands: Hands) -> None:
    """Everybody to whom it was shown sees who has it, or who has answered."""
    async with hands.db.reading() as tx:
        request = await requests.request(tx, int(item.payload["request_id"]))
        if request is None:
            return
        deal = await deals.deal(tx, request.deal_id) if request.deal_id else None
        shown = await requests.shown(tx, _id(request))
    message, later = Outgoing(text="", buttons=_buttons(hands, request, deal)), Postponed()
    for one in shown:
        channel = hands.channels.get(one.channel)
        is_ours = Place(one.channel, one.chat_id) in hands.groups
        if channel is None or not (is_ours or hands.known.staff_member(one.channel, one.chat_id)):
            continue  # Who has left the company sees nothing new.
        with later:
            try:
                await channel.edit(one.chat_id, one.message_id, message)
            except Permanent as error:
                log.info("a message about a client's words stays as it is: %s", error)
    later.settle()


def state_of(hands: Hands, request: Request) -> str:
    """«Взято: Анна, 14:05», «Ответили: Анна, 14:20»; empty while it is nobody's."""
    if request.answered_at is not None and request.answered_by:
        when = clock_time(hands, request.answered_at)
        return hands.texts.fill("client.answered", staff=request.answered_by, when=when)
    if request.taken_at is not None:
        when = clock_time(hands, request.taken_at)
        return hands.texts.fill("alert.state.taken", staff=request.taken_by, when=when)
    return ""


def _buttons(hands: Hands, request: Request | None, deal: Deal | None) -> tuple[tuple[Button, ...], ...]:
    row: list[Button] = []
    if request is not None:
        label = state_of(hands, request) or hands.texts.fill("button.take")
        row.append(Button(label, data=f"{MARK}:{request.id}:take"))
    if deal is not None:
        row.append(Button(hands.texts.fill("button.open_deal"), url=hands.amocrm.lead_url(deal.deal_id)))
    return (tuple(row),) if row else ()


def _id(request: Request | None) -> int:
    return (request.id or 0) if request is not None else 0
