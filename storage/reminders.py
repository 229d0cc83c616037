"""Open questions that nobody answers: reminded of once, then over."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists
from sqlalchemy.orm import aliased
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.surveys import IS_ASKED, LOOKING
from storage.tables.surveys import Survey, SurveyState


async def to_remind(
    tx: AsyncSession, sent_before: datetime, now: datetime, *, limit: int = 100
) -> Sequence[Survey]:
    """Unanswered questions, asked before this moment, of conversations that were not reminded yet."""
    other = aliased(Survey)
    is_reminded = exists().where(
        col(other.conversation) == col(Survey.conversation), col(other.reminded_at).is_not(None)
    )
    wanted = (
        select(Survey)
        .where(
            IS_ASKED,
            col(Survey.waits_for) != LOOKING,  # It may not have been asked, and be asked yet.
            col(Survey.reminded_at).is_(None),
            col(Survey.call_asked_at).is_(None),
            col(Survey.sent_at) <= sent_before,
            col(Survey.expires_at) > now,
            col(Survey.next_at) <= now,
            ~is_reminded,
        )
        # The order in which they were asked; by that itself the index of all that was ever sent is preferred.
        .order_by(col(Survey.expires_at))
        .limit(limit)
    )
    return (await tx.exec(wanted)).all()


async def claim_reminder(db: Database, survey: Survey, now: datetime) -> bool:
    """At most one reminder: it is written down before it is sent."""
    async with db.transaction() as tx:
        changed = await tx.exec(
            update(Survey)
            .where(
                col(Survey.id) == survey.id,
                col(Survey.reminded_at).is_(None),
                col(Survey.state).in_((SurveyState.SENT, SurveyState.UNCERTAIN)),
            )
            .values(reminded_at=now)
        )
        return changed.rowcount == 1


async def let_be(tx: AsyncSession, client_id: int, now: datetime) -> None:
    """The client wants no more of it: a reminder that is just being checked is not sent either."""
    await tx.exec(
        update(Survey)
        .where(col(Survey.client_id) == client_id, IS_ASKED, col(Survey.reminded_at).is_(None))
        .values(reminded_at=now)
    )


async def remind_later(db: Database, survey: Survey, at: datetime) -> None:
    async with db.transaction() as tx:
        await tx.exec(update(Survey).where(col(Survey.id) == survey.id).values(next_at=at))


async def unclaim_reminder(db: Database, survey: Survey, at: datetime) -> None:
    """The reminder certainly did not go out; the next try is at this moment."""
    async with db.transaction() as tx:
        await tx.exec(update(Survey).where(col(Survey.id) == survey.id).values(reminded_at=None, next_at=at))


async def expired(tx: AsyncSession, now: datetime, *, limit: int = 200) -> Sequence[Survey]:
    wanted = (
        select(Survey)
        .where(IS_ASKED, col(Survey.expires_at) <= now)
        .order_by(col(Survey.expires_at))
        .limit(limit)
    )
    return (await tx.exec(wanted)).all()


async def expire(tx: AsyncSession, survey: Survey) -> bool:
    changed = await tx.exec(
        update(Survey)
        .where(col(Survey.id) == survey.id, col(Survey.state).in_((SurveyState.SENT, SurveyState.UNCERTAIN)))
        .values(state=SurveyState.EXPIRED)
    )
    return changed.rowcount == 1
