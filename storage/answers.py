"""What clients answered, looked for by the moment."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables.complaints import Request
from storage.tables.surveys import Reply, Survey


async def score_between(
    tx: AsyncSession, client_id: int, begins: datetime, ends: datetime, *, channels: Collection[str]
) -> tuple[Reply, Survey] | None:
    """The client's last score from then to then, unless words of theirs were shown to staff as well."""
    asked = select(Request.id).where(
        Request.client_id == client_id, col(Request.asked_at) >= begins, col(Request.asked_at) <= ends
    )
    wanted = (
        select(Reply, Survey)
        .join(Survey, col(Survey.id) == col(Reply.survey_id))
        .where(
            Reply.client_id == client_id,
            col(Reply.received_at) >= begins,
            col(Reply.received_at) <= ends,
            col(Reply.score).is_not(None),
            col(Reply.channel).in_(channels),
            ~asked.exists(),
        )
        .order_by(col(Reply.received_at).desc(), col(Reply.id).desc())
        .limit(1)
    )
    return (await tx.exec(wanted)).first()
