"""What customers bought, by the day where the company is: for reports that tell of sales health."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from storage.purchases import deals_without_client, purchases
from worker.metrics.base import Customer, Purchase
from worker.metrics.customers import Ledger, day_after
from worker.reports.aside import aside
from worker.rules.calendar import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    customers: tuple[Customer, ...]
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
    ledger, until = Ledger(), day_after(period, now)
    async for client_id, closed_at, price in purchases(
        tx, period.ends, pipelines=pipelines, complaints_pipeline=complaints_pipeline
    ):
        if (day := closed_at.astimezone(period.zone).date()) < until:
            ledger.add(Purchase(client_id, day, price))
    strangers = await deals_without_client(
        tx, period.ends, pipelines=pipelines, complaints_pipeline=complaints_pipeline
    )
    return Bought(customers=await aside(ledger.customers), deals_without_client=strangers)
