"""What reports are made of: flat rows, read only, of a half-open stretch of time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, false, func, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.flat import rows_of, within
from storage.narrowed import AFTER_COMPLAINT
from storage.tables.complaints import Complaint, Request
from storage.tables.deals import Deal
from storage.tables.surveys import Reply, Survey


@dataclass(frozen=True, slots=True)
class ComplaintRow:
    opened_at: datetime
    closed_at: datetime | None
    left_at: datetime | None
    is_solved: bool | None = None
    reopened: int = 0
    by_hand: bool = False
    topic: str = ""
    manager_id: int = 0
    manager: str = ""
    taken_at: datetime | None = None  # for the first time
    contacted_at: datetime | None = None
    closed_by_user: int = 0
    solution: str | None = None  # the band of the client's latest score for it
    number: int = field(default=0, compare=False)
    deal_id: int = 0  # the sales deal that it is about


@dataclass(frozen=True, slots=True)
class RequestRow:
    asked_at: datetime
    is_answered: bool


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One reply of a client, in the columns and the order of `sarafan export`."""

    received_at: datetime
    channel: str
    external_id: str
    survey: str | None
    metric: str | None
    deal_id: int | None
    contact_id: int | None
    manager: str | None
    subject: str | None
    score: int | None
    band: str | None
    late: bool
    counts: bool
    text: str


async def complaint_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[ComplaintRow]:
    """Opened or closed in this time, and all that are open."""
    wanted = (
        select(
            col(Complaint.opened_at),
            col(Complaint.closed_at),
            col(Complaint.left_at),
            col(Complaint.is_solved),
            col(Complaint.reopened),
            col(Complaint.by_hand),
            col(Complaint.topic),
            col(Complaint.manager_id),
            col(Complaint.manager),
            func.coalesce(col(Complaint.first_taken_at), col(Complaint.taken_at)),
            col(Complaint.contacted_at),
            col(Complaint.closed_by_user),
            _solution(),
            col(Complaint.id),
            func.coalesce(col(Complaint.source_deal_id), 0),
        )
        # A complaint that has not reached amoCRM yet has no deal.
        .outerjoin(Deal, col(Deal.deal_id) == col(Complaint.lead_id))
        .where(
            or_(
                within(col(Complaint.opened_at), begins, ends),
                within(col(Complaint.closed_at), begins, ends),
                and_(col(Complaint.closed_at).is_(None), col(Complaint.left_at).is_(None)),
            ),
            func.coalesce(col(Deal.is_deleted), false()).is_(false()),
            func.coalesce(col(Deal.is_reply), false()).is_(false()),
        )
        .order_by(col(Complaint.id))
    )
    return [ComplaintRow(*row) for row in await rows_of(tx, wanted)]


def _solution() -> Any:
    """How the client rated the last time that it was solved."""
    return (
        select(col(Survey.band))
        .where(
            col(Survey.deal_id) == col(Complaint.lead_id),
            col(Survey.trigger) == AFTER_COMPLAINT,
            col(Survey.score).is_not(None),
        )
        .order_by(col(Survey.answered_at).desc())
        .limit(1)
        .correlate(Complaint)
        .scalar_subquery()
    )


async def request_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[RequestRow]:
    """Words of clients in this time that a person had to answer."""
    wanted = (
        select(col(Request.asked_at), col(Request.answered_at).is_not(None))
        .where(within(col(Request.asked_at), begins, ends), col(Request.wants_answer).is_(True))
        .order_by(col(Request.id))
    )
    return [RequestRow(asked_at, bool(is_answered)) for asked_at, is_answered in await rows_of(tx, wanted)]


async def export_rows(db: Database, begins: datetime, ends: datetime) -> list[ExportRow]:
    """Every reply that came in this time, in order, also those that are no score."""
    wanted = (
        select(
            col(Reply.received_at),
            col(Reply.channel),
            col(Reply.external_id),
            col(Survey.survey_key),
            col(Survey.metric),
            col(Survey.deal_id),
            col(Survey.contact_id),
            func.nullif(col(Survey.manager), ""),
            func.nullif(col(Survey.subject), ""),
            col(Reply.score),
            func.nullif(col(Reply.band), ""),
            col(Reply.late),
            col(Reply.counts),
            col(Reply.text),
        )
        .outerjoin(Survey, col(Survey.id) == col(Reply.survey_id))
        .where(within(col(Reply.received_at), begins, ends))
        .order_by(col(Reply.received_at), col(Reply.id))
    )
    async with db.reading() as tx:
        return [ExportRow(*row) for row in await rows_of(tx, wanted)]
