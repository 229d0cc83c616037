"""`[privacy] keep_words`: once a day, a little at a time, what is older than it may be kept goes."""

import logging
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from storage import ageing, state
from worker.actions.base import Hands

log = logging.getLogger(__name__)

KEY = "ageing"  # in the state: how far today's walk has come
ROLE = "ageing"  # one worker walks
CLIENTS = 100  # looked at in one transaction
ROWS = 500


async def look_for_old_words(hands: Hands) -> int:
    """The next step of today's walk; gives the number of people of whom nothing is left now."""
    if hands.keep_words is None:
        return 0
    today = hands.now().astimezone(hands.calendar.zone).date().isoformat()
    async with hands.db.reading() as tx:
        walk = await state.recall(tx, KEY) or {}
    if walk.get("done_on") == today or not await hands.db.hold(ROLE):
        return 0
    async with hands.db.transaction() as tx:
        gone, walk = await _step(tx, hands, walk)
        await state.remember(tx, KEY, walk if walk.get("at") else {"done_on": today})
    if gone:
        log.info("words, names and numbers of %d people were older than they are kept", gone)
    return gone


async def _step(tx: AsyncSession, hands: Hands, walk: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """What was done, and where to go on; without `at` the walk is over."""
    now, after = hands.now(), int(walk.get("after") or 0)
    cutoff = now - (hands.keep_words or now - now)
    match walk.get("at") or "clients":
        case "clients":
            ids = await ageing.known_clients(tx, after=after, limit=CLIENTS)
            old = await ageing.inactive(tx, ids, cutoff)
            await ageing.age_clients(tx, old, now)
            is_end = len(ids) < CLIENTS
            return len(old), {"at": "inbox"} if is_end else {"at": "clients", "after": ids[-1]}
        case "inbox":
            further = await ageing.age_inbox(tx, cutoff, after=after, limit=ROWS)
            return 0, {"at": "outbox"} if further is None else {"at": "inbox", "after": further}
        case "outbox":
            further = await ageing.age_outbox(tx, cutoff, after=after, limit=ROWS)
            return 0, {"at": "rest"} if further is None else {"at": "outbox", "after": further}
        case _:
            return 0, {} if await ageing.age_the_rest(tx, cutoff, limit=ROWS) else {"at": "rest"}
