"""`delivery.preview`: nothing goes to clients until somebody who leads has seen the first list and agreed."""

import logging
from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Outgoing
from integrations.errors import Permanent
from storage import finding, outbox, rollout
from storage.tables.queues import Outbox
from worker.account.people import Place, Staff
from worker.actions.alert_staff import wait_for_morning
from worker.actions.base import Hands
from worker.actions.desks import desk_for
from worker.actions.plan_staff import midnight, plan_for
from worker.actions.reaching import Postponed, reach
from worker.actions.words import clock_time
from worker.rules.mornings import due_morning
from worker.staff.commands import FIRST_LIST, HEAD, Wish

log = logging.getLogger(__name__)

KIND = "show_first_list"
MORNING = "09:00"  # where `[reports] daily` names none
FIRST_LOOK = "first"


async def is_closed(hands: Hands) -> bool:
    """Does sending wait for somebody to switch it on?"""
    if not hands.preview:
        return False
    async with hands.db.reading() as tx:
        return await rollout.agreed(tx) is None


async def look_for_first_list(hands: Hands) -> int:
    """Ask for the list once something is due by tomorrow; then each morning while nobody has said a word."""
    if not hands.preview:
        return 0
    now = hands.now()
    async with hands.db.reading() as tx:
        if await rollout.agreed(tx) or await rollout.declined(tx):
            return 0
        about = _occasion(hands, await rollout.last_shown(tx), now)
        key = f"{KIND}:{about}"
        if not about or await outbox.is_known(tx, key) or not await rollout.has_due(tx, midnight(hands, 2)):
            return 0
    async with hands.db.transaction() as tx:
        await outbox.add_once(tx, KIND, key, {}, now, now)
    hands.wake.act.set()
    return 1


def _occasion(hands: Hands, last_shown: date | None, now: datetime) -> str:
    """The first look, or this morning; "" if it is neither."""
    if last_shown is None:
        return FIRST_LOOK
    morning = due_morning(now, hands.reports.daily or MORNING, hands.calendar)
    return morning.day.isoformat() if morning is not None and morning.day > last_shown else ""


async def show_first_list(item: Outbox, hands: Hands) -> None:
    """To every head who follows some of it, else to the owners. At least once; each gets it once a day."""
    wait_for_morning(hands)
    today = hands.now().astimezone(hands.calendar.zone).date()
    async with hands.db.transaction() as tx:
        if await rollout.agreed(tx) or await rollout.declined(tx):
            return
        await rollout.note_shown(tx, today)
        if not await rollout.has_due(tx, midnight(hands, 2)):
            return  # Settled while it was night.
        shown = {Place(channel, chat_id) for channel, chat_id, _ in await rollout.shown_in(tx, today)}
    later = Postponed()
    for person in await _readers(hands):
        if shown.intersection(person.places):
            continue
        answer = await plan_for(desk_for(hands, person), hands, Wish(command=FIRST_LIST))
        with later:  # One messenger may be down, and another not.
            sent = await reach(hands, person.places, Outgoing(text=answer.text, buttons=answer.buttons))
            if sent is not None:
                place, message_id = sent
                async with hands.db.transaction() as tx:
                    await rollout.note_shown(tx, today, [*place, message_id])
    later.settle()


async def _readers(hands: Hands) -> Sequence[Staff]:
    heads = []
    async with hands.db.reading() as tx:
        for person in hands.known.staff:
            only = desk_for(hands, person).only
            if person.role == HEAD and person.places:
                _, count = await finding.planned(tx, only, offset=0, limit=0, until=midnight(hands, 2))
                heads += [person] if count else []
    readers = heads or hands.known.owners()
    if not any(person.places for person in readers):
        log.error("delivery.preview waits for a head, and none of the staff can be met: nothing is sent")
    return readers


async def say_word(
    tx: AsyncSession, hands: Hands, what: str, staff: Staff, message: Sequence[str]
) -> tuple[str, bool]:
    """«Включить отправку» or «Пока не надо» was pressed; the words for the presser, and whether all have to
    hear of it. `message`: the one whose button it was."""
    now, texts = hands.now(), hands.texts
    if what == "off":
        if (word := await rollout.agreed(tx)) is not None:
            return _already(hands, word), False
        await rollout.decline(tx, staff.name, now)
        log.info("sending to clients stays switched off")
        return texts.fill("rollout.not_yet"), False
    if not await rollout.agree(tx, staff.name, now):
        word = await rollout.agreed(tx)
        return (_already(hands, word) if word is not None else ""), False
    log.info("sending to clients is switched on")
    payload = {"messages": [list(message)]}
    await outbox.add_once(tx, "close_first_list", "close_first_list", payload, now, now)
    hands.wake.send.set()
    hands.wake.follow.set()
    return texts.fill("rollout.on", staff=staff.name), True


def _already(hands: Hands, word: rollout.Word) -> str:
    return hands.texts.fill("rollout.already_on", staff=word.by, when=clock_time(hands, word.at))


async def close_first_list(item: Outbox, hands: Hands) -> None:
    """The lists lose their buttons: there is nothing to decide any more."""
    async with hands.db.reading() as tx:
        shown = await rollout.shown_in(tx)
    later = Postponed()
    for name, chat_id, message_id in dict.fromkeys(map(tuple, [*shown, *item.payload["messages"]])):
        channel = hands.channels.get(name)
        if channel is None or not message_id:
            continue
        with later:
            try:
                await channel.edit(chat_id, message_id, Outgoing(text=""))
            except Permanent as error:
                log.info("a list keeps its buttons: %s", error)
    later.settle()
