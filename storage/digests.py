"""What the monthly letter tells: who was praised in a client's words, and which complaints were solved."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.narrowed import AFTER_COMPLAINT
from storage.tables.complaints import Complaint
from storage.tables.surveys import Reply, Survey


async def praise(
    tx: AsyncSession, band: str, begins: datetime, ends: datetime, *, limit: int
) -> Sequence[tuple[str, str]]:
    """Manager and words under a score of this band, the newest first."""
    wanted = (
        select(Survey.manager, Reply.text)
        .join(Reply, col(Reply.survey_id) == col(Survey.id))
        .where(col(Survey.band) == band, col(Survey.trigger) != AFTER_COMPLAINT)
        .where(col(Survey.manager) != "", col(Reply.text) != "")
        .where(col(Reply.received_at) >= begins, col(Reply.received_at) < ends)
        .order_by(col(Reply.received_at).desc(), col(Reply.id).desc())
        .limit(limit)
    )
    return [(manager, text) for manager, text in (await tx.exec(wanted)).all()]


async def solved(tx: AsyncSession, begins: datetime, ends: datetime) -> Sequence[Complaint]:
    """Closed as solved in these days, the newest first."""
    wanted = (
        select(Complaint)
        .where(col(Complaint.is_solved).is_(True))
        .where(col(Complaint.closed_at) >= begins, col(Complaint.closed_at) < ends)
        .order_by(col(Complaint.closed_at).desc(), col(Complaint.id).desc())
    )
    return (await tx.exec(wanted)).all()
