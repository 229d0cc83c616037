"""What waits now, and when something falls due next: for who moves the clock by hand."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import and_, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import Inbox, InboxState, Outbox, OutboxState, Survey, SurveyState

ASKED = (SurveyState.SENT, SurveyState.UNCERTAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """`acts`: the kinds of outbox rows. `has_silence`: a question has expired or may need its reminder."""

    has_replies: bool
    has_questions: bool
    has_silence: bool
    acts: frozenset[str]


async def due_now(tx: AsyncSession, now: datetime, *, asked_before: datetime | None) -> Due:
    """`asked_before`: a question that was asked earlier may need its reminder; None without reminders."""
    silent: list[ColumnElement[bool]] = [col(Survey.expires_at) <= now]
    if asked_before is not None:
        unreminded = col(Survey.reminded_at).is_(None), col(Survey.sent_at) <= asked_before
        silent.append(and_(*unreminded, col(Survey.next_at) <= now))
    planned = col(Survey.state) == SurveyState.PLANNED
    replies, questions, silence = (
        await tx.exec(
            select(
                select(Inbox.id).where(Inbox.state == InboxState.NEW).exists(),
                select(Survey.id).where(planned, col(Survey.next_at) <= now).exists(),
                select(Survey.id).where(col(Survey.state).in_(ASKED), or_(*silent)).exists(),
            )
        )
    ).one()
    waiting = select(Outbox.kind).where(Outbox.state == OutboxState.WAITING, col(Outbox.due_at) <= now)
    return Due(
        has_replies=bool(replies),
        has_questions=bool(questions),
        has_silence=bool(silence),
        acts=frozenset((await tx.exec(waiting.distinct())).all()),
    )


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
    planned = and_(
        col(Survey.state) == SurveyState.PLANNED,
        col(Survey.next_at) > now,
        col(Survey.waits_for) != but_waiting_for if but_waiting_for else col(Survey.id).is_not(None),
    )
    asked = col(Survey.state).in_(ASKED)
    waiting = and_(col(Outbox.state) == OutboxState.WAITING, col(Outbox.due_at) > now)
    moments = (
        await tx.exec(
            select(
                select(func.min(Survey.next_at)).where(planned).scalar_subquery(),
                select(func.min(Survey.expires_at))
                .where(asked, col(Survey.expires_at) > now)
                .scalar_subquery(),
                select(func.min(Outbox.due_at)).where(waiting).scalar_subquery(),
            )
        )
    ).one()
    unreminded = select(Survey.sent_at, Survey.next_at).where(
        asked, col(Survey.reminded_at).is_(None), col(Survey.sent_at).is_not(None)
    )
    return Upcoming(
        soonest=min((moment for moment in moments if moment is not None), default=None),
        unreminded=tuple(
            (sent_at, next_at)
            for sent_at, next_at in (await tx.exec(unreminded)).all()
            if sent_at is not None
        ),
    )
