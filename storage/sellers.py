"""Who of the company led deals or was asked about: for a choice among people."""

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.narrowed import Only, of_deals, of_surveys
from storage.tables.deals import Deal
from storage.tables.surveys import Survey


async def sellers(
    tx: AsyncSession, only: Only, begins: datetime, ends: datetime, *, but_pipeline: int | None = None
) -> frozenset[int]:
    """amoCRM's ids: of the deals closed, and of the questions that fell due, in this time.

    `but_pipeline`: that of the complaints, which are led by those who mend and not by those who sell.
    """
    led = select(Deal.manager_id).where(
        col(Deal.closed_at) >= begins, col(Deal.closed_at) < ends, of_deals(only), ~col(Deal.is_deleted)
    )
    if but_pipeline is not None:
        led = led.where(col(Deal.pipeline_id) != but_pipeline)
    asked = select(Survey.manager_id).where(
        col(Survey.due_at) >= begins, col(Survey.due_at) < ends, of_surveys(only)
    )
    found = [*(await tx.exec(led.distinct())).all(), *(await tx.exec(asked.distinct())).all()]
    return frozenset(manager_id for manager_id in found if manager_id)
