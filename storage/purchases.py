"""What every client has bought so far: read only, in pages, for there may be a million deals."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from sqlalchemy import func, select, tuple_
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.flat import rows_of
from storage.sales import is_sale, is_won
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
) -> AsyncIterator[tuple[int, list[tuple[datetime, float]]]]:
    """Every client by the id, with time and price of each deal won before `ends`, as they were closed.

    By the client, not the contact: one person may have several contacts.
    """
    client, closed, deal = col(Deal.client_id), col(Deal.closed_at), col(Deal.deal_id)
    place = (client, closed, deal)
    wanted = (
        select(*place, col(Deal.price))
        # Hidden from the index by time: in its order every page would sort all deals anew.
        .where(is_won(pipelines, complaints_pipeline), func.coalesce(closed, ends) < ends)
        .order_by(*place)
        .limit(page)
    )
    last: tuple[int, datetime, int] = (0, LONG_AGO, 0)
    whose = 0
    bought: list[tuple[datetime, float]] = []
    while True:
        rows = await rows_of(tx, wanted.where(tuple_(*place) > last))
        for client_id, closed_at, _, price in rows:
            if client_id != whose:
                if bought:
                    yield whose, bought
                whose, bought = client_id, []
            bought.append((closed_at, price or 0.0))
        if len(rows) < page:
            break
        last = rows[-1][:3]
    if bought:
        yield whose, bought


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
