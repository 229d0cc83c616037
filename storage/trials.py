"""Trials: made-up conversations in real chats, one at a time in each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables.surveys import Message, Trial

KIND = "trial"  # of its messages


async def begin(tx: AsyncSession, row: Trial) -> Trial:
    """In place of an earlier one in that chat."""
    await tx.exec(
        update(Trial)
        .where(col(Trial.channel) == row.channel, col(Trial.chat_id) == row.chat_id)
        .where(col(Trial.ended_at).is_(None))
        .values(ended_at=row.started_at)
    )
    tx.add(row)
    await tx.flush()
    return row


async def trial(tx: AsyncSession, trial_id: int, *, lock: bool = False) -> Trial | None:
    """`lock`: nobody else changes it until this transaction ends."""
    wanted = select(Trial).where(Trial.id == trial_id)
    return (await tx.exec(wanted.with_for_update() if lock else wanted)).first()


async def current(tx: AsyncSession, channel: str, chat_id: str, now: datetime) -> Trial | None:
    """The one that goes on in this chat, for whoever is about to change it."""
    wanted = select(Trial).where(
        Trial.channel == channel,
        Trial.chat_id == chat_id,
        col(Trial.ended_at).is_(None),
        col(Trial.ends_at) > now,
    )
    return (await tx.exec(wanted.with_for_update())).first()


async def end(tx: AsyncSession, trial_id: int, now: datetime) -> bool:
    """False: it has ended before."""
    ended = await tx.exec(
        update(Trial).where(col(Trial.id) == trial_id, col(Trial.ended_at).is_(None)).values(ended_at=now)
    )
    return ended.rowcount == 1


async def note_step(tx: AsyncSession, trial_id: int, step: int, changes: Mapping[str, Any]) -> None:
    row = await trial(tx, trial_id, lock=True)
    if row is not None and step < len(row.steps):
        row.steps = [{**kept, **changes} if number == step else kept for number, kept in enumerate(row.steps)]


async def is_of_trial(tx: AsyncSession, channel: str, chat_id: str, message_id: str) -> bool:
    """Is this message of ours one of a trial's?"""
    wanted = select(Message.kind).where(
        Message.channel == channel, Message.chat_id == chat_id, Message.message_id == message_id
    )
    return (await tx.exec(wanted)).first() == KIND
