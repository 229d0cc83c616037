"""When something falls due next: for who moves the clock by hand."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import Outbox, OutboxState, Survey, SurveyState

ASKED = (SurveyState.SENT, SurveyState.UNCERTAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """`soonest`: of questions, their expiry and actions, the first that lies ahead.

    `unreminded`: when each open question was asked and when it is looked at again; the reminder's time is the
    caller's to reckon.
    """

    soonest: datetime | None
    unreminded: tuple[tuple[datetime, datetime], ...]


async def upcoming(tx: AsyncSession, now: datetime, *, but_waiting_for: str = "") -> Upcoming:
    """`but_waiting_for`: a reason to wait whose end something else brings about."""
    firsts = (
        select(func.min(Survey.next_at)).where(
            Survey.state == SurveyState.PLANNED,
            col(Survey.next_at) > now,
            col(Survey.waits_for) != but_waiting_for if but_waiting_for else col(Survey.id).is_not(None),
        ),
        select(func.min(Survey.expires_at)).where(col(Survey.state).in_(ASKED), col(Survey.expires_at) > now),
        select(func.min(Outbox.due_at)).where(Outbox.state == OutboxState.WAITING, col(Outbox.due_at) > now),
    )
    moments = [(await tx.exec(first)).one() for first in firsts]
    asked = select(Survey.sent_at, Survey.next_at).where(
        col(Survey.state).in_(ASKED), col(Survey.reminded_at).is_(None), col(Survey.sent_at).is_not(None)
    )
    return Upcoming(
        soonest=min((moment for moment in moments if moment is not None), default=None),
        unreminded=tuple(
            (sent_at, next_at) for sent_at, next_at in (await tx.exec(asked)).all() if sent_at is not None
        ),
    )
