"""How many rows wait or stand, and for how long: what an administrator watches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables.queues import Inbox, InboxState, Outbox, OutboxState
from storage.tables.surveys import Survey, SurveyState


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """Numbers by what they are told apart by."""

    surveys: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (survey, state)
    inbox: Mapping[tuple[str], int] = field(default_factory=dict)  # (state,)
    outbox: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (kind, state)
    oldest: Mapping[tuple[str], float] = field(default_factory=dict)  # (queue,): seconds that it waits


async def count_rows(tx: AsyncSession, now: datetime) -> RowCounts:
    surveys = await tx.exec(
        select(Survey.survey_key, Survey.state, func.count()).group_by(Survey.survey_key, Survey.state)
    )
    inbox = await tx.exec(select(Inbox.state, func.count()).group_by(Inbox.state))
    outbox = await tx.exec(
        select(Outbox.kind, Outbox.state, func.count()).group_by(Outbox.kind, Outbox.state)
    )
    due = select(func.min(Survey.next_at)).where(
        Survey.state == SurveyState.PLANNED, col(Survey.next_at) <= now
    )
    unread = select(func.min(Inbox.received_at)).where(Inbox.state == InboxState.NEW)
    # A failed try moves `due_at` on, but the row has waited all the same.
    undone = select(func.min(Outbox.created_at)).where(
        Outbox.state == OutboxState.WAITING, or_(col(Outbox.due_at) <= now, col(Outbox.attempt) > 0)
    )
    oldest = {}
    for queue, statement in (("surveys", due), ("inbox", unread), ("outbox", undone)):
        since: datetime | None = (await tx.exec(statement)).one()
        oldest[(queue,)] = max((now - since).total_seconds(), 0.0) if since else 0.0
    return RowCounts(
        surveys={(survey, state): number for survey, state, number in surveys},
        inbox={(state,): number for state, number in inbox},
        outbox={(kind, state): number for kind, state, number in outbox},
        oldest=oldest,
    )
