"""The outbox, until it is done."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from integrations.amocrm.answers import Blocked, Unpaid
from integrations.errors import AccessDenied, Permanent, Temporary, Uncertain
from integrations.http import LeftAlone
from storage import outbox
from storage.tables.queues import Outbox
from worker.actions.base import Action, Hands, Later
from worker.actions.registry import ACTIONS
from worker.actions.staffing import know_staff
from worker.rules.backoff import gives_up, next_try

log = logging.getLogger(__name__)

LANES = tuple(dict.fromkeys(action.lane for action in ACTIONS.values()))
CLIENTS = "clients"  # the lane of what clients read
JOINING = ("staff", "escalation")  # lanes in which many rows become one message: each one worker's at a time
SOON = timedelta(seconds=30)
AFTER_REFUSAL = timedelta(minutes=10)  # a token or a right has to be mended by a person first


async def let_go(hands: Hands, lane: str) -> None:
    """After `act` ended in the middle of this lane: what it held is looked at again."""
    await outbox.let_go(hands.db, kinds_of(lane), hands.now())


def kinds_of(lane: str) -> list[str]:
    return [kind for kind, action in ACTIONS.items() if action.lane == lane]


async def act(hands: Hands, lane: str) -> int:
    """Do what is due in this lane; gives the number of rows that were taken up."""
    if lane not in JOINING:
        return await _act(hands, lane)
    # Two at it would each join what the other has just claimed, and staff would read it twice.
    async with hands.joining.setdefault(lane, asyncio.Lock()):
        if await hands.db.hold(f"act {lane}"):
            return await _act(hands, lane)
    hands.health.mark("act", hands.now())
    return 0


async def _act(hands: Hands, lane: str) -> int:
    kinds = kinds_of(lane)
    taken = 0
    while hands.may_speak if lane == CLIENTS else not hands.wake.is_stopping:
        items = await outbox.claim(hands.db, hands.now(), kinds=kinds, limit=1)
        if not items:
            break
        if not taken:
            await know_staff(hands)  # Nobody may be told of it who has left meanwhile.
        action = ACTIONS[items[0].kind]
        if action.batch > 1:
            items += await outbox.claim(hands.db, hands.now(), kinds=[items[0].kind], limit=action.batch - 1)
        taken += len(items)
        failures = await _run(action, items, hands)
        for item in items:
            await _settle(item, failures.get(item.id or 0), hands, hands.now())
    hands.health.mark("act", hands.now())
    return taken


async def _run(action: Action, items: Sequence[Outbox], hands: Hands) -> Mapping[int, Exception]:
    try:
        if action.run_many is not None:
            return await action.run_many(items, hands)
        if action.run is not None:
            await action.run(items[0], hands)
    except Exception as error:  # noqa: BLE001 - one bad row never stops the others; _settle tells it apart
        return {item.id or 0: error for item in items}
    return {}


async def _settle(item: Outbox, error: Exception | None, hands: Hands, now: datetime) -> None:
    db = hands.db
    match error:
        case None:
            await outbox.done(db, item, now)
        case Later():
            await outbox.postpone(
                db, item, error.until or now + SOON, str(error), uncertain=item.uncertain, counts=False
            )
        case LeftAlone() | Blocked():
            # An open circuit is no try, however long it stays open.
            due_at = next_try(1, now, error.retry_after, key=item.id or 0)
            await outbox.postpone(db, item, due_at, str(error), uncertain=item.uncertain, counts=False)
        case AccessDenied() | Unpaid():
            # Nothing that has to be written is lost because a token or the subscription ran out.
            log.warning("%s is put off: %s", item.key, error)
            await outbox.refuse(db, item, now + AFTER_REFUSAL, str(error))
        case Temporary() if not gives_up(item.attempt, item.created_at, now):
            log.info("%s is put off: %s", item.key, error)
            due_at = next_try(item.attempt, now, error.retry_after, key=item.id or 0)
            await outbox.postpone(db, item, due_at, str(error), uncertain=item.uncertain)
        case Uncertain() if not gives_up(item.attempt, item.created_at, now):
            log.warning("%s may have happened: %s", item.key, error)
            await outbox.postpone(
                db, item, next_try(item.attempt, now, key=item.id or 0), str(error), uncertain=True
            )
        case Temporary() | Uncertain() | Permanent():
            log.error("%s is given up: %s", item.key, error)
            await _give_up(item, str(error), hands, now)
        case _:
            log.error("%s failed", item.key, exc_info=error)
            if gives_up(item.attempt, item.created_at, now):
                await _give_up(item, type(error).__name__, hands, now)
            else:
                await outbox.postpone(
                    db,
                    item,
                    next_try(item.attempt, now, key=item.id or 0),
                    type(error).__name__,
                    uncertain=True,
                )


async def _give_up(item: Outbox, why: str, hands: Hands, now: datetime) -> None:
    """People learn of it before it is settled: a stop in between only tells them again."""
    if given_up := ACTIONS[item.kind].given_up:
        await given_up(item, hands)
    await outbox.give_up(hands.db, item, why, now)
