"""What waits now, and when something falls due next: for who moves the clock by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, bindparam, literal, union_all
from sqlmodel import and_, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.complaints import waits_for_somebody
from storage.tables.complaints import Complaint
from storage.tables.queues import Inbox, InboxState, Outbox, OutboxState
from storage.tables.surveys import Survey, SurveyState

ASKED = (SurveyState.SENT, SurveyState.UNCERTAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """`acts`: the kinds of outbox rows.

    `has_silence`: a question has expired or may need its reminder, a complaint may wait to be taken.
    """

    has_replies: bool
    has_questions: bool
    has_silence: bool
    acts: frozenset[str]


async def due_now(tx: AsyncSession, now: datetime, *, asked_before: datetime | None) -> Due:
    """`asked_before`: a question that was asked earlier may need its reminder; None without reminders."""
    # Nobody was asked before the year 1, so without reminders nothing is found.
    moments = {"now": now, "asked_before": asked_before or datetime.min.replace(tzinfo=UTC)}
    found = {tuple(row) for row in await (await tx.connection()).execute(LOOK, moments)}
    return Due(
        has_replies=("reply", "") in found,
        has_questions=("question", "") in found,
        has_silence=("silence", "") in found or ("complaint", "") in found,
        acts=frozenset(kind for what, kind in found if what == "act"),
    )


def _look() -> CompoundSelect[Any]:
    """All of it in one statement, since it is asked for after every step."""
    now: BindParameter[datetime] = bindparam("now")
    unreminded = col(Survey.reminded_at).is_(None), col(Survey.sent_at) <= bindparam("asked_before")
    is_silent = or_(col(Survey.expires_at) <= now, and_(*unreminded, col(Survey.next_at) <= now))
    sights = {
        "reply": select(Inbox.id).where(Inbox.state == InboxState.NEW),
        "question": select(Survey.id).where(Survey.state == SurveyState.PLANNED, col(Survey.next_at) <= now),
        "silence": select(Survey.id).where(col(Survey.state).in_(ASKED), is_silent),
        "complaint": select(Complaint.id).where(
            col(Complaint.survey_id).is_not(None),
            col(Complaint.closed_at).is_(None),
            col(Complaint.left_at).is_(None),
            waits_for_somebody(now),
        ),
    }
    acts = select(literal("act"), col(Outbox.kind)).where(
        col(Outbox.state) == OutboxState.WAITING, col(Outbox.due_at) <= now
    )
    return union_all(
        *(select(literal(what), literal("")).where(sight.exists()) for what, sight in sights.items()),
        acts.distinct(),
    )


LOOK = _look()


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
