"""What every client has bought so far, deal by deal: read only, in pages, for there may be a million."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from sqlalchemy import func, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.flat import rows_of
from storage.sales import is_sale
from storage.tables.deals import Deal

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
PAGE = 5_000  # deals: the event loop is busy with one for less than 0.1 s


async def purchases(
    tx: AsyncSession,
    ends: datetime,
    *,
    pipelines: frozenset[int] = frozenset(),
    complaints_pipeline: int | None = None,
    page: int = PAGE,
) -> AsyncIterator[tuple[int, datetime, float]]:
    """Client, time and price of every deal won before `ends`.

    By the client, not the contact: one person may have several contacts. As they were closed, for which there
    is an index: in any other order every page would sort all deals anew.
    """
    closed, deal = col(Deal.closed_at), col(Deal.deal_id)
    wanted = (
        select(deal, closed, col(Deal.client_id), col(Deal.price))
        .where(col(Deal.client_id).is_not(None))
        .order_by(closed, deal)
        .limit(page)
    )
    since, last = LONG_AGO, 0
    while True:
        rest = (is_sale(since, ends, pipelines, complaints_pipeline), or_(closed > since, deal > last))
        rows = await rows_of(tx, wanted.where(*rest))
        for _, closed_at, client_id, price in rows:
            yield client_id, closed_at, price or 0.0
        if len(rows) < page:
            return
        last, since = rows[-1][:2]


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
