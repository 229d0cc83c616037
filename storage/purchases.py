"""What every client has bought so far, deal by deal: read only, in pages, for there may be a million."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from sqlalchemy import and_, func, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.flat import rows_of
from storage.sales import is_sale
from storage.tables import Deal

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
PAGE = 20_000  # deals


async def purchases(
    tx: AsyncSession,
    ends: datetime,
    *,
    pipelines: frozenset[int] = frozenset(),
    complaints_pipeline: int | None = None,
    page: int = PAGE,
) -> AsyncIterator[tuple[int, datetime, float]]:
    """Client, time and price of every deal won before `ends`, client by client.

    By the client, not the contact: one person may have several contacts.
    """
    client, deal = col(Deal.client_id), col(Deal.deal_id)
    wanted = (
        select(client, deal, col(Deal.closed_at), col(Deal.price))
        .where(is_sale(LONG_AGO, ends, pipelines, complaints_pipeline), client.is_not(None))
        .order_by(client, deal)
        .limit(page)
    )
    rows = await rows_of(tx, wanted)
    while rows:
        for client_id, _, closed_at, price in rows:
            yield client_id, closed_at, price or 0.0
        last_client, last_deal = rows[-1][:2]
        rest = or_(client > last_client, and_(client == last_client, deal > last_deal))
        rows = await rows_of(tx, wanted.where(rest)) if len(rows) == page else []


async def deals_without_client(
    tx: AsyncSession,
    ends: datetime,
    *,
    pipelines: frozenset[int] = frozenset(),
    complaints_pipeline: int | None = None,
) -> int:
    """Deals won before `ends` of which nobody knows whose they are."""
    wanted = select(func.count(col(Deal.deal_id))).where(
        is_sale(LONG_AGO, ends, pipelines, complaints_pipeline), col(Deal.client_id).is_(None)
    )
    ((number,),) = await rows_of(tx, wanted)
    return int(number)
