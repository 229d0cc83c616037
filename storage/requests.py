"""Words of clients that were shown to staff: who took them up, and who has answered."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.rows import insert_once
from storage.tables.complaints import Request, Shown


async def about(tx: AsyncSession, occasion: str) -> Request | None:
    return (await tx.exec(select(Request).where(Request.about == occasion))).first()


async def request(tx: AsyncSession, request_id: int) -> Request | None:
    return await tx.get(Request, request_id)


async def shown_as(tx: AsyncSession, channel: str, chat_id: str, message_id: str) -> Request | None:
    """What this message in a staff chat tells of."""
    wanted = (
        select(Request)
        .join(Shown, col(Shown.request_id) == col(Request.id))
        .where(Shown.channel == channel, Shown.chat_id == chat_id, Shown.message_id == message_id)
    )
    return (await tx.exec(wanted)).first()


async def shown(tx: AsyncSession, request_id: int) -> Sequence[Shown]:
    """All messages that tell of it, in the order in which they were sent."""
    return (await tx.exec(select(Shown).where(Shown.request_id == request_id).order_by(col(Shown.id)))).all()


async def keep_shown(
    tx: AsyncSession, request_id: int, *, channel: str, chat_id: str, message_id: str
) -> None:
    await insert_once(
        tx, Shown(request_id=request_id, channel=channel, chat_id=chat_id, message_id=message_id)
    )


async def take(tx: AsyncSession, request_id: int, staff: str, now: datetime) -> bool:
    """False: somebody was faster."""
    taken = (
        update(Request)
        .where(col(Request.id) == request_id, col(Request.taken_by) == "")
        .values(taken_by=staff, taken_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool((await tx.exec(taken)).rowcount)


async def answered(
    tx: AsyncSession,
    channel: str,
    chat_id: str,
    staff: str,
    at: datetime,
    *,
    written_at: datetime | None = None,
) -> list[int]:
    """A person wrote in this chat: all that was asked there before is answered. Which were still open.

    `written_at`: when they wrote it, where the messenger took it only later.
    """
    open_ones = (
        update(Request)
        .where(
            col(Request.channel) == channel,
            col(Request.chat_id) == chat_id,
            col(Request.answered_at).is_(None),
            col(Request.asked_at) <= (written_at or at),
        )
        .values(answered_at=at, answered_by=staff)
        .returning(col(Request.id))
        .execution_options(synchronize_session=False)
    )
    return [number for number in (await tx.exec(open_ones)).scalars().all() if number is not None]


async def unanswered(tx: AsyncSession, channel: str, chat_id: str, at: datetime) -> list[int]:
    """What a person wrote in this chat at that moment did not go out: which requests wait again."""
    answered_by_it = (
        update(Request)
        .where(
            col(Request.channel) == channel, col(Request.chat_id) == chat_id, col(Request.answered_at) == at
        )
        .values(answered_at=None, answered_by="")
        .returning(col(Request.id))
        .execution_options(synchronize_session=False)
    )
    return [number for number in (await tx.exec(answered_by_it)).scalars().all() if number is not None]


async def open_since(tx: AsyncSession, channel: str, chat_id: str) -> datetime | None:
    """When the oldest of what is not answered in this chat was asked."""
    wanted = select(func.min(Request.asked_at)).where(
        col(Request.channel) == channel, col(Request.chat_id) == chat_id, col(Request.answered_at).is_(None)
    )
    return (await tx.exec(wanted)).one()
