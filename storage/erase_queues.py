"""Forgetting a person in the two queues: what came in, word for word, and what still waits to go out."""

import json
import re
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, String, Text, case, cast, func, literal, or_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from storage.tables.queues import Inbox, InboxState, Outbox, OutboxState
from storage.tables.surveys import Reply, Survey

# In what the outbox carries.
PERSONAL = frozenset({"words", "text", "values", "name", "phone", "chat_id"})
TOLD = "reply_client"  # whoever wrote to the person is told that it was not sent
SHORTEST = 7  # digits: a shorter id stands in too many bodies to tell whose they are


def nameless(external_id: Any, row_id: Any) -> ColumnElement[str]:
    """The id of a message, or another in its place: WhatsApp's hold the number, in base64."""
    instead = literal("erased:") + cast(col(row_id), String)
    return case((col(external_id).startswith("wamid."), instead), else_=col(external_id))


async def erase_inbox(
    tx: AsyncSession, ids: list[int], places: set[tuple[str, str]], needles: set[str], now: datetime
) -> int:
    """Bodies as they came: those of known replies, and those in which the number or the chat stands.

    What somebody else wrote about the number is an answer still to be read: it loses the number only.
    """
    replies = (await tx.exec(select(Reply).where(col(Reply.client_id).in_(ids)))).all()
    wanted: set[int] = set()
    for reply in replies:
        found = select(Inbox.id).where(Inbox.channel == reply.channel, Inbox.external_id == reply.external_id)
        wanted.update(row for row in (await tx.exec(found)).all() if row is not None)
    for needle in sorted(needles):
        if len(needle) < SHORTEST:
            continue
        # As a whole number: a longer one that only contains it is somebody else's.
        whole = re.compile(rb"(?<!\d)" + needle.encode() + rb"(?!\d)")
        rows = (await tx.exec(select(Inbox).where(_contains(tx, needle.encode())))).all()
        for row in rows:
            if not whole.search(row.raw) or row.id is None:
                continue
            if row.state == InboxState.NEW and not _is_from(row.raw, needle):
                row.raw = whole.sub(b"*" * len(needle), row.raw)
            else:
                wanted.add(row.id)
    await tx.flush()
    await tx.exec(
        update(Inbox)
        .where(col(Inbox.id).in_(wanted))
        .values(
            raw=b"",
            error="",
            external_id=nameless(Inbox.external_id, Inbox.id),
            state=InboxState.READ,
            read_at=func.coalesce(col(Inbox.read_at), now),
        )
    )
    return len(wanted)


def _is_from(raw: bytes, number: str) -> bool:
    """Is it from the chat or the account of this number, and does not only name it in its words?"""
    try:
        parts = [json.loads(raw)]
    except ValueError:
        return True  # Nobody can tell.
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            parts += part.values()
        elif isinstance(part, list):
            parts += part
        elif str(part).removeprefix("+").partition("@")[0] == number:
            return True
    return False


async def leave_nothing(tx: AsyncSession, inbox_id: int | None) -> None:
    """Of what came in: it is about nobody any more."""
    row = update(Inbox).where(col(Inbox.id) == inbox_id)
    await tx.exec(row.values(raw=b"", external_id=nameless(Inbox.external_id, Inbox.id)))


def _said(key: str) -> Any:
    """What the act's payload says there, as text on both databases."""
    return cast(col(Outbox.payload)[key].as_string(), Text)


def _contains(tx: AsyncSession, needle: bytes) -> Any:
    if tx.get_bind().dialect.name == "sqlite":
        return func.instr(col(Inbox.raw), literal(needle, LargeBinary)) > 0
    return col(Inbox.raw).op("LIKE")(literal(b"%" + needle + b"%", LargeBinary))


async def erase_outbox(tx: AsyncSession, ids: list[int], places: set[tuple[str, str]]) -> None:
    """What still waits to be said to the person, or about them in their words, is not said any more."""
    surveys = set((await tx.exec(select(Survey.id).where(col(Survey.client_id).in_(ids)))).all())
    deals = set((await tx.exec(select(Deal.deal_id).where(col(Deal.client_id).in_(ids)))).all())
    complaints = set((await tx.exec(select(Complaint.id).where(col(Complaint.client_id).in_(ids)))).all())
    known = {"client_id": ids, "survey_id": surveys, "deal_id": deals, "complaint_id": complaints}
    theirs = [
        *(_said(key).in_([str(one) for one in found]) for key, found in known.items()),
        _said("chat_id").in_([chat_id for _, chat_id in places]),
    ]
    # Picked by the database: a year's acts would take half a minute to load, and nobody else may write.
    for item in (await tx.exec(select(Outbox).where(or_(*theirs)))).all():
        about = item.payload
        is_theirs = (
            about.get("client_id") in ids
            or about.get("survey_id") in surveys
            or about.get("deal_id") in deals
            or about.get("complaint_id") in complaints
            or (about.get("channel"), about.get("chat_id")) in places
        )
        if not is_theirs:
            continue
        item.error = ""  # A messenger may have said there whom it did not find.
        if PERSONAL & about.keys():
            item.payload = {key: value for key, value in about.items() if key not in PERSONAL}
            if item.state in (OutboxState.WAITING, OutboxState.DOING) and item.kind != TOLD:
                item.state = OutboxState.DONE
