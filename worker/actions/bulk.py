"""`delivery.hold_above`: of many deals closed at once nobody is asked until a head has said so."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Button, Outgoing
from integrations.errors import Permanent
from storage import outbox, rollout
from storage.rollout import ASK, SKIP, Closing
from storage.tables.queues import Outbox
from storage.tables.surveys import Bulk, Survey
from worker.account.people import Place, Staff
from worker.actions import keys
from worker.actions.alert_staff import wait_for_morning
from worker.actions.base import Hands
from worker.actions.reaching import Postponed, reach
from worker.actions.words import clock_time
from worker.rules.crowds import crowds, spans
from worker.rules.eligibility import Reason
from worker.staff.commands import HEAD
from worker.staff.desk import Rows

log = logging.getLogger(__name__)

KIND = "ask_about_bulk"
BULK = "b"  # begins the data of «Спросить всех» and «Не спрашивать»
DECIDED = {ASK: "rollout.asking", SKIP: "rollout.not_asking"}


async def hold_crowds(tx: AsyncSession, hands: Hands, closed: Collection[datetime], now: datetime) -> None:
    """After surveys were planned whose deals closed at these moments: were there too many at once?"""
    if not hands.hold_above:
        return
    for begins, ends in spans(closed):
        near = {closing.deal_id: closing for closing in await rollout.closings(tx, begins, ends)}
        found = crowds({deal_id: closing.at for deal_id, closing in near.items()}, hands.hold_above)
        for crowd in found:
            await _hold(tx, hands, [near[deal_id] for deal_id in crowd], now)


async def _hold(tx: AsyncSession, hands: Hands, crowd: Sequence[Closing], now: datetime) -> None:
    """One bulk for a crowd, also as it grows: a head is asked once, and reads how many there are."""
    known = min((closing.bulk for closing in crowd if closing.bulk is not None), default=None)
    row = await rollout.bulk(tx, known, is_held=True) if known is not None else None
    is_new = row is None or row.decision != ""  # Somebody may have decided just now.
    if row is None or is_new:
        row = Bulk(made_at=now)
        tx.add(row)
        await tx.flush()
    moments = [closing.at for closing in crowd]
    if not await rollout.hold(tx, row.id or 0, min(moments), max(moments)):
        if is_new:
            await tx.delete(row)  # All of them are settled: nobody is to be asked anyway.
        return
    row.deals = max(row.deals, len(crowd), await rollout.size(tx, row.id or 0))
    await tx.flush()
    log.warning("%d deals were closed at once: nobody is asked about them until a head says so", row.deals)
    await outbox.ask_again(tx, KIND, f"{KIND}:{row.id}", {"bulk": row.id}, now, now)
    hands.wake.act.set()


async def ask_about_bulk(item: Outbox, hands: Hands) -> None:
    """One message to every head, edited when more deals join or when it is decided. At least once."""
    async with hands.db.reading() as tx:
        row = await rollout.bulk(tx, int(item.payload["bulk"]))
        waiting = await rollout.waiting(tx, row.id or 0) if row is not None else []
    if row is None:
        return
    message, later = Outgoing(text=_text(hands, row), buttons=_buttons(hands, row)), Postponed()
    for name, chat_id, message_id in row.messages:
        if (channel := hands.channels.get(name)) is not None:
            with later:
                try:
                    await channel.edit(chat_id, message_id, message)
                except Permanent as error:
                    log.info("a question about many deals stays as it is: %s", error)
    if not row.decision and waiting:
        wait_for_morning(hands)
        await _ask(hands, row, waiting, message, later)
    later.settle()


async def _ask(
    hands: Hands, row: Bulk, waiting: Sequence[Survey], message: Outgoing, later: Postponed
) -> None:
    """Whoever has not been asked yet; while one messenger is down, those in another."""
    told = {Place(name, chat_id) for name, chat_id, _ in row.messages}
    if not (deciders := _deciders(hands, waiting)):
        log.error("deals closed at once wait for a head, and none of the staff can be met")
    for person in deciders:
        if told.intersection(person.places):
            continue
        with later:
            sent = await reach(hands, person.places, message)
            if sent is not None:
                place, message_id = sent
                async with hands.db.transaction() as tx:
                    kept = await rollout.bulk(tx, row.id or 0, is_held=True)
                    if kept is not None:
                        kept.messages = [*kept.messages, [*place, message_id]]


def _deciders(hands: Hands, waiting: Sequence[Survey]) -> Sequence[Staff]:
    """Heads of any of these deals, else the owners."""
    whose = {(survey.pipeline_id, survey.manager_id) for survey in waiting}
    heads = [
        person
        for person in hands.known.staff
        if person.role == HEAD and person.places and any(person.follows(*deal) for deal in whose)
    ]
    return heads or [person for person in hands.known.owners() if person.places]


def _text(hands: Hands, row: Bulk) -> str:
    said = [hands.texts.fill("rollout.bulk", n=row.deals)]
    if row.decision:
        said.append(_decided(hands, row))
    return "\n\n".join(said)


def _buttons(hands: Hands, row: Bulk) -> Rows:
    if row.decision:
        return ()
    return (
        (Button(hands.texts.fill("button.ask_all"), data=f"{BULK}:{row.id}:{ASK}"),),
        (Button(hands.texts.fill("button.ask_nobody"), data=f"{BULK}:{row.id}:{SKIP}"),),
    )


def _decided(hands: Hands, row: Bulk) -> str:
    when = clock_time(hands, row.decided_at) if row.decided_at is not None else ""
    return hands.texts.fill(DECIDED[row.decision], staff=row.decided_by, when=when)


async def decide(
    tx: AsyncSession, hands: Hands, bulk_id: int, decision: str, staff: Staff, message: Sequence[str]
) -> str:
    """«Спросить всех» or «Не спрашивать» was pressed in this message; the words for the presser."""
    now = hands.now()
    row = await rollout.bulk(tx, bulk_id, is_held=True)
    if row is None or decision not in DECIDED:
        return ""
    if await rollout.decide(tx, bulk_id, decision, staff.name, now):
        if decision == ASK:
            await rollout.let_ask(tx, bulk_id, now)
            hands.wake.send.set()
        else:
            let_be = await rollout.let_be(tx, bulk_id, Reason.HELD, now)
            about = {keys.sync_deal(deal_id): {"deal_id": deal_id} for deal_id in let_be}
            await outbox.ask_all_again(tx, "sync_deal", about, now, now, is_bulk=True)
        log.info("many deals closed at once: a head has decided, %s", decision)
    await tx.refresh(row)
    if message[-1] and list(message) not in row.messages:  # We ended before it was written down.
        row.messages = [*row.messages, list(message)]
    await outbox.ask_again(tx, KIND, f"{KIND}:{bulk_id}", {"bulk": bulk_id}, now, now)
    return _decided(hands, row)
