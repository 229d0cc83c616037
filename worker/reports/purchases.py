"""What customers bought, by the day where the company is: for reports that tell of sales health."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from storage.purchases import deals_without_client, purchases
from worker.metrics.customers import Customers
from worker.rules.calendar import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    customers: Customers
    deals_without_client: int


async def read_purchases(
    tx: AsyncSession,
    period: Period,
    now: datetime,
    *,
    pipelines: frozenset[int],
    complaints_pipeline: int | None,
) -> Bought:
    """Up to the end of the period, or of today: of each customer, for there may be a million deals."""
    customers = Customers(period, now)
    async for client_id, bought in purchases(
        tx, period.ends, pipelines=pipelines, complaints_pipeline=complaints_pipeline
    ):
        customers.add(client_id, [(at.astimezone(period.zone).date(), price) for at, price in bought])
    strangers = await deals_without_client(
        tx, period.ends, pipelines=pipelines, complaints_pipeline=complaints_pipeline
    )
    return Bought(customers=customers, deals_without_client=strangers)
