"""Messages in the chats of amoCRM: as its events told of them, and how far they have been read."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.flat import rows_of, within
from storage.rows import insert_all_once
from storage.state import remember
from storage.tables.chat_events import ChatEvent
from storage.tables.deals import Contact, Deal
from storage.tables.people import Chat
from storage.tables.queues import State
from storage.tables.surveys import Message, Reply

Id = TypeVar("Id", int, str)

MARK = "observe.chats"
MOST_IDS = 500  # in one question to the database


@dataclass(frozen=True, slots=True)
class Read:
    """Between these moments everything has been read."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ChatRow:
    at: datetime
    kind: str
    talk: str
    user_id: int
    manager_id: int
    pipeline_id: int
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """A message that may be ours, by the client in whose chat it stands."""

    event_id: str
    at: datetime
    is_incoming: bool
    user_id: int
    client_id: int


@dataclass(frozen=True, slots=True)
class Own:
    """A message of which we know ourselves: sent by us, or a reply to one of these."""

    at: datetime
    is_incoming: bool
    client_id: int


async def read_so_far(tx: AsyncSession) -> Read | None:
    kept = await rows_of(tx, columns(col(State.value)).where(col(State.key) == MARK))
    return next(
        (Read(*map(datetime.fromisoformat, (row[0]["since"], row[0]["until"]))) for row in kept), None
    )


async def add(tx: AsyncSession, events: Sequence[ChatEvent], read: Read) -> None:
    """Keep what is new, and how far it has been read, together. Who is responsible is written down now."""
    await remember(tx, MARK, {"since": read.since.isoformat(), "until": read.until.isoformat()})
    known: set[str] = set()
    for ids in _parts([event.event_id for event in events]):
        known.update(
            (await tx.exec(select(ChatEvent.event_id).where(col(ChatEvent.event_id).in_(ids)))).all()
        )
    news = [event for event in events if event.event_id not in known]
    await _place(tx, news)
    await insert_all_once(tx, news, returning=col(ChatEvent.event_id))


async def _place(tx: AsyncSession, events: Sequence[ChatEvent]) -> None:
    """The deal of each, and whose it is: of a chat with a contact the newest deal that is known."""
    by_contact = await _newest_deals(tx, {e.contact_id for e in events if e.contact_id and not e.deal_id})
    by_id = await _deals(tx, {event.deal_id for event in events if event.deal_id})
    for event in events:
        deal = by_id.get(event.deal_id or 0) or by_contact.get(event.contact_id or 0)
        if deal is not None:
            event.deal_id, event.contact_id = deal.deal_id, event.contact_id or deal.contact_id
            event.manager_id, event.pipeline_id = deal.manager_id, deal.pipeline_id


async def _deals(tx: AsyncSession, ids: Collection[int]) -> Mapping[int, Deal]:
    found: dict[int, Deal] = {}
    for part in _parts(sorted(ids)):
        rows = await tx.exec(select(Deal).where(col(Deal.deal_id).in_(part)))
        found |= {deal.deal_id: deal for deal in rows.all()}
    return found


async def _newest_deals(tx: AsyncSession, contact_ids: Collection[int]) -> Mapping[int, Deal]:
    found: dict[int, Deal] = {}
    for part in _parts(sorted(contact_ids)):
        wanted = select(Deal).where(col(Deal.contact_id).in_(part), col(Deal.is_deleted).is_(False))
        for deal in (await tx.exec(wanted.order_by(col(Deal.created_at), col(Deal.deal_id)))).all():
            found[deal.contact_id or 0] = deal
    return found


async def unclaimed(tx: AsyncSession, since: datetime) -> list[Unclaimed]:
    """Messages since then with clients that we know, not known to be ours."""
    client = func.coalesce(col(Deal.client_id), col(Contact.client_id))
    wanted = (
        columns(
            col(ChatEvent.event_id),
            col(ChatEvent.at),
            col(ChatEvent.kind) == "in",
            col(ChatEvent.user_id),
            client,
        )
        .outerjoin(Deal, col(Deal.deal_id) == col(ChatEvent.deal_id))
        .outerjoin(Contact, col(Contact.contact_id) == col(ChatEvent.contact_id))
        .where(
            col(ChatEvent.at) >= since,
            col(ChatEvent.kind).in_(("in", "out")),
            col(ChatEvent.is_ours).is_(False),
            client.is_not(None),
        )
    )
    rows = await rows_of(tx, wanted)
    return [Unclaimed(event, at, bool(is_in), user, who) for event, at, is_in, user, who in rows]


async def own(tx: AsyncSession, since: datetime, channels: Collection[str]) -> list[Own]:
    """What we wrote by these channels, and what clients answered to a question of ours."""
    sent = (
        columns(col(Message.sent_at), col(Chat.client_id))
        .join(Chat, (col(Chat.channel) == col(Message.channel)) & (col(Chat.chat_id) == col(Message.chat_id)))
        .where(
            col(Message.sent_at) >= since,
            col(Message.channel).in_(channels),
            col(Chat.client_id).is_not(None),
        )
    )
    answered = columns(col(Reply.received_at), col(Reply.client_id)).where(
        col(Reply.received_at) >= since,
        col(Reply.channel).in_(channels),
        col(Reply.survey_id).is_not(None),
        col(Reply.client_id).is_not(None),
    )
    return [
        *(Own(at, False, client) for at, client in await rows_of(tx, sent)),
        *(Own(at, True, client) for at, client in await rows_of(tx, answered)),
    ]


async def claim(tx: AsyncSession, event_ids: Iterable[str]) -> None:
    """These are ours."""
    for ids in _parts(sorted(event_ids)):
        await tx.exec(update(ChatEvent).where(col(ChatEvent.event_id).in_(ids)).values(is_ours=True))


async def chat_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[ChatRow]:
    wanted = (
        columns(
            col(ChatEvent.at),
            col(ChatEvent.kind),
            col(ChatEvent.talk),
            col(ChatEvent.user_id),
            col(ChatEvent.manager_id),
            col(ChatEvent.pipeline_id),
            col(ChatEvent.is_ours),
        )
        .where(within(col(ChatEvent.at), begins, ends))
        .order_by(col(ChatEvent.at), col(ChatEvent.event_id))
    )
    return [ChatRow(*row) for row in await rows_of(tx, wanted)]


async def seen_by_us(tx: AsyncSession, begins: datetime, ends: datetime, channels: Collection[str]) -> int:
    """How many messages of clients came in by these channels."""
    wanted = (
        columns(col(Reply.channel), func.count())
        .where(within(col(Reply.received_at), begins, ends), col(Reply.channel).in_(channels))
        .group_by(col(Reply.channel))
    )
    return sum(number for _, number in await rows_of(tx, wanted))


def _parts(ids: Sequence[Id]) -> list[Sequence[Id]]:
    return [ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS)]
