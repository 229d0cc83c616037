"""What customers bought, by the day where the company is: for reports that tell of sales health."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from storage.purchases import deals_without_client, purchases
from worker.metrics.base import Purchase
from worker.rules.calendar import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    purchases: tuple[Purchase, ...]
    deals_without_client: int


async def read_purchases(
    tx: AsyncSession, period: Period, *, pipelines: frozenset[int], complaints_pipeline: int | None
) -> Bought:
    """Up to the end of the period. A client's deals come together, so few are held at a time."""
    found: list[Purchase] = []
    of_client: dict[date, float] = {}
    before: int | None = None
    async for client_id, closed_at, price in purchases(
        tx, period.ends, pipelines=pipelines, complaints_pipeline=complaints_pipeline
    ):
        if client_id != before and before is not None:
            found += _of_one(before, of_client)
            of_client = {}
        day = _day(closed_at, period)
        of_client[day] = of_client.get(day, 0.0) + price
        before = client_id
    if before is not None:
        found += _of_one(before, of_client)
    strangers = await deals_without_client(
        tx, period.ends, pipelines=pipelines, complaints_pipeline=complaints_pipeline
    )
    return Bought(purchases=tuple(found), deals_without_client=strangers)


def _of_one(client_id: int, days: dict[date, float]) -> list[Purchase]:
    return [Purchase(client_id, day, money) for day, money in sorted(days.items())]


def _day(moment: datetime, period: Period) -> date:
    return moment.astimezone(period.zone).date()
