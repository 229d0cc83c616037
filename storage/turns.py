"""Whose turn it is: questions of one person wait for each other, for a greeting, for a messenger."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import and_, col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.surveys import CHECKING, GREETING
from storage.tables.deals import Deal
from storage.tables.surveys import Survey, SurveyState


async def in_line(
    tx: AsyncSession, client_id: int, now: datetime, *, behind: int | None = None
) -> Sequence[Survey]:
    """Due questions of this person that wait for their turn, in the order in which they are asked."""
    wanted = (
        select(Survey)
        .where(Survey.client_id == client_id, Survey.state == SurveyState.PLANNED, col(Survey.due_at) <= now)
        .order_by(col(Survey.due_at), col(Survey.id))
    )
    return [survey for survey in (await tx.exec(wanted)).all() if survey.id != behind]


async def give_turn(tx: AsyncSession, client_id: int, now: datetime, next_at: datetime) -> None:
    """The question before them was answered: those in line may be asked.

    The thanks take the next one along at once; `next_at` is when it goes by itself if they could not.
    """
    await tx.exec(
        update(Survey)
        .where(
            col(Survey.client_id) == client_id,
            col(Survey.state) == SurveyState.PLANNED,
            col(Survey.due_at) <= now,
            col(Survey.waits_for) != CHECKING,
        )
        .values(turn_at=now, next_at=next_at, waits_for="")
    )


async def end_line(tx: AsyncSession, client_id: int, now: datetime, reason: str) -> Sequence[int]:
    """Silence ends the conversation and the questions behind it; gives their deals."""
    ended = await tx.exec(
        update(Survey)
        .where(
            col(Survey.client_id) == client_id,
            col(Survey.state) == SurveyState.PLANNED,
            col(Survey.due_at) <= now,
        )
        .values(state=SurveyState.SKIPPED, reason=reason, waits_for="", settled_at=now)
        .returning(col(Survey.deal_id))
    )
    return [deal_id for (deal_id,) in ended.all()]


async def look_again(
    tx: AsyncSession, client_id: int, now: datetime, *, greeting_until: datetime | None = None
) -> None:
    """Whoever is just checking a question to this person loses it: what they saw is out of date.

    `greeting_until`: it is looked at anew when the person has been greeted, or else then.
    """
    await tx.exec(
        update(Survey)
        .where(
            _of_client(client_id),
            col(Survey.state) == SurveyState.PLANNED,
            col(Survey.waits_for) == CHECKING,
        )
        .values(
            attempt=Survey.attempt + 1,
            next_at=greeting_until or now,
            waits_for=GREETING if greeting_until else "",
        )
    )


async def greeted(tx: AsyncSession, client_id: int, now: datetime) -> bool:
    """What has waited for the greeting goes out; False when nothing has."""
    waits = update(Survey).where(
        _of_client(client_id),
        col(Survey.state) == SurveyState.PLANNED,
        col(Survey.waits_for) == GREETING,
    )
    return bool((await tx.exec(waits.values(next_at=now, waits_for=""))).rowcount)


def _of_client(client_id: int) -> Any:
    """Also those that were planned before it was known whose deal it is."""
    deals = select(Deal.deal_id).where(Deal.client_id == client_id)
    return or_(
        col(Survey.client_id) == client_id,
        and_(col(Survey.client_id).is_(None), col(Survey.deal_id).in_(deals)),
    )


async def revive(
    tx: AsyncSession,
    client_id: int,
    reasons: Collection[str],
    now: datetime,
    limit: timedelta,
    *,
    greeting_until: datetime,
) -> int:
    """Somebody who could not be reached has linked a messenger in time: asked after all.

    That is when the person has been greeted, or else at this moment.
    """
    revived = await tx.exec(
        update(Survey)
        .where(
            _of_client(client_id),
            col(Survey.state) == SurveyState.SKIPPED,
            col(Survey.reason).in_(list(reasons)),
            col(Survey.due_at) > now - limit,
            col(Survey.sent_at).is_(None),
        )
        .values(
            state=SurveyState.PLANNED,
            reason="",
            settled_at=None,
            tried=[],  # What refused the question before may be what was linked now.
            next_at=greeting_until,
            waits_for=GREETING,
        )
    )
    return revived.rowcount
