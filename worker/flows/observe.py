"""Chats of amoCRM in: that clients and managers wrote, and when, read slowly for the first reaction time."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from integrations.amocrm.chats import ENDINGS, INCOMING, UNKNOWING, chat_events, kinds_of
from integrations.amocrm.chats import ChatEvent as AmoEvent
from integrations.errors import Permanent
from storage import chat_events as chats
from storage.chat_events import Read
from storage.tables.chat_events import ChatEvent
from worker.actions.base import Hands
from worker.reports.build import TELLING_CHANNELS
from worker.rules.claiming import ours

log = logging.getLogger(__name__)

FIRST_LOOK = timedelta(days=30)  # so that the first report has something to tell
STRETCH = timedelta(days=1)  # kept at once: what broke off goes on from here
OVERLAP = timedelta(minutes=5)  # events may come late, and clocks differ
LATE = timedelta(minutes=30)  # of our own messages: what was not known to be ours then may be by now
CARDS = ("lead", "contact")

Rest = Callable[[], Awaitable[None]]


async def observe(hands: Hands, rest: Rest) -> int:
    """Everything since the last look; gives how many messages were read. `rest` is taken before each request.

    Raises what amoCRM's client raises, losing nothing. An account, or a token, without events tells nothing.
    """
    async with hands.db.reading() as tx:
        read = await chats.read_so_far(tx)
    now = _now_there(hands)
    since = read.since if read else now - FIRST_LOOK
    start = read.until if read else since
    number = 0
    try:
        kinds = await kinds_of(hands.amocrm)
        while not hands.wake.is_stopping:
            is_last = start + STRETCH >= now
            end = max(start, now) if is_last else start + STRETCH
            found = await _read(hands, kinds, start - OVERLAP, None if is_last else end, rest)
            if found is None:
                return number
            await _keep(hands, found, Read(since, end), start - OVERLAP - LATE)
            number += len(found)
            start = end
            if is_last:
                break
    except Permanent as error:
        if error.status not in UNKNOWING:
            raise
        log.info("chats of amoCRM cannot be read: %s", error)
        return number
    hands.health.mark("observe", hands.now())
    return number


def _now_there(hands: Hands) -> datetime:
    """By the clock of amoCRM where it is behind ours: what is written there later must not be passed over."""
    now = hands.now()
    return min(now, hands.amocrm.heard[0]) if hands.amocrm.heard else now


async def _read(
    hands: Hands, kinds: tuple[str, ...], since: datetime, until: datetime | None, rest: Rest
) -> list[ChatEvent] | None:
    """None: we were told to stop in the middle, and it is read again."""
    found: dict[str, ChatEvent] = {}
    await rest()
    async for page in chat_events(hands.amocrm, kinds, since, until):
        found |= {event.event: row for event in page if (row := _row(event)) is not None}
        await rest()
        if hands.wake.is_stopping:
            return None
    return list(found.values())


def _row(event: AmoEvent) -> ChatEvent | None:
    """None: of no deal or contact, as a message to a customer or between colleagues."""
    is_end = event.type in ENDINGS
    if event.created_at is None or (event.entity_type not in CARDS and not is_end):
        return None
    card = f"{event.entity_type}:{event.entity_id}"  # of an ending it is `talk:117`
    return ChatEvent(
        event_id=event.event,
        at=event.created_at,
        kind="end" if is_end else "in" if event.type == INCOMING else "out",
        talk=f"talk:{event.talk_id}" if event.talk_id else card,
        user_id=0 if event.type == INCOMING else event.created_by,
        deal_id=event.entity_id if event.entity_type == "lead" else None,
        contact_id=event.contact_id or (event.entity_id if event.entity_type == "contact" else None),
    )


async def _keep(hands: Hands, found: list[ChatEvent], read: Read, since: datetime) -> None:
    async with hands.db.transaction() as tx:
        await chats.add(tx, found, read)
        told = await chats.unclaimed(tx, since)
        if told:
            await chats.claim(tx, ours(told, await chats.own(tx, since, TELLING_CHANNELS)))
