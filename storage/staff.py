"""People who became staff by a one-time link, and links that nobody has opened yet.

A link's token is kept as a hash: whoever reads the storage cannot become anybody with it.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, delete, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables.people import InvitedStaff


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def invite(tx: AsyncSession, row: InvitedStaff) -> None:
    """Links that ran out are no longer needed."""
    await tx.exec(
        delete(InvitedStaff).where(
            col(InvitedStaff.joined_at).is_(None), col(InvitedStaff.expires_at) <= row.created_at
        )
    )
    tx.add(row)
    await tx.flush()


async def join(
    tx: AsyncSession, token: str, channel: str, chat_id: str, now: datetime
) -> InvitedStaff | None:
    """The link is opened: it works once, and in time. None: nobody is invited by it."""
    taken = await tx.exec(
        update(InvitedStaff)
        .where(
            col(InvitedStaff.token_hash) == hashed(token),
            col(InvitedStaff.joined_at).is_(None),
            col(InvitedStaff.expires_at) > now,
        )
        .values(joined_at=now, channel=channel, chat_id=chat_id)
    )
    if taken.rowcount != 1:
        return None
    wanted = select(InvitedStaff).where(InvitedStaff.token_hash == hashed(token))
    return (await tx.exec(wanted.execution_options(populate_existing=True))).one()


async def joined(tx: AsyncSession) -> Sequence[InvitedStaff]:
    """Everybody who opened their link, the first one first."""
    return (await tx.exec(_JOINED)).all()


# Built once: it is asked before each thing that staff may be told of.
_JOINED = select(InvitedStaff).where(col(InvitedStaff.joined_at).is_not(None)).order_by(col(InvitedStaff.id))


async def current(tx: AsyncSession, now: datetime) -> Sequence[InvitedStaff]:
    """Those, and links that can be opened still."""
    is_open = or_(col(InvitedStaff.joined_at).is_not(None), col(InvitedStaff.expires_at) > now)
    return (await tx.exec(select(InvitedStaff).where(is_open).order_by(col(InvitedStaff.id)))).all()


async def remove(tx: AsyncSession, row_id: int) -> bool:
    """Nobody to us from now on, or a link that opens nothing."""
    return (await tx.exec(delete(InvitedStaff).where(col(InvitedStaff.id) == row_id))).rowcount == 1
