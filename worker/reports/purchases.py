"""What customers bought, by the day where the company is: for reports that tell of sales health."""

from dataclasses import dataclass
from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from storage.purchases import deals_without_client, purchases
from worker.metrics.base import Purchase
from worker.reports.aside import aside
from worker.rules.calendar import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    purchases: tuple[Purchase, ...]
    deals_without_client: int


async def read_purchases(
    tx: AsyncSession, period: Period, *, pipelines: frozenset[int], complaints_pipeline: int | None
) -> Bought:
    """Up to the end of the period; deals of one day are put together."""
    of_days: dict[tuple[int, date], float] = {}
    async for client_id, closed_at, price in purchases(
        tx, period.ends, pipelines=pipelines, complaints_pipeline=complaints_pipeline
    ):
        key = client_id, closed_at.astimezone(period.zone).date()
        of_days[key] = of_days.get(key, 0.0) + price
    strangers = await deals_without_client(
        tx, period.ends, pipelines=pipelines, complaints_pipeline=complaints_pipeline
    )
    found = await aside(lambda: tuple(Purchase(*key, of_days[key]) for key in sorted(of_days)))
    return Bought(purchases=found, deals_without_client=strangers)
