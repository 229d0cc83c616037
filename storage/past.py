"""Deals that were closed before the first start: kept once, and only what figures are made of."""

from collections.abc import Collection, Sequence

from sqlalchemy import exists, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.rows import insert_all_once
from storage.state import recall, remember
from storage.tables.columns import Json
from storage.tables.complaints import Complaint
from storage.tables.deals import Contact, Deal

PAST = "history"  # in the state: how far it has been read


async def unknown(tx: AsyncSession, deal_ids: Collection[int]) -> set[int]:
    """Those that no pull has brought."""
    known = await tx.exec(select(Deal.deal_id).where(col(Deal.deal_id).in_(list(deal_ids))))
    return set(deal_ids).difference(known.all())


async def keep(tx: AsyncSession, deals: Sequence[Deal], complaints: Sequence[Complaint]) -> int:
    """Gives how many are new: what a pull has brought meanwhile is the pull's."""
    new = await insert_all_once(tx, deals, returning=col(Deal.deal_id))
    wanted = [complaint for complaint in complaints if complaint.lead_id in set(new)]
    await insert_all_once(tx, wanted, returning=col(Complaint.id))
    return len(new)


async def clients_of(tx: AsyncSession, contact_ids: Collection[int]) -> dict[int, int]:
    """The clients behind those contacts that have been read."""
    rows = await tx.exec(
        select(Contact.contact_id, Contact.client_id).where(col(Contact.contact_id).in_(list(contact_ids)))
    )
    return {contact_id: client_id for contact_id, client_id in rows.all() if client_id is not None}


async def contacts_to_read(tx: AsyncSession, limit: int) -> list[int]:
    """Main contacts of won deals of the past, not read yet; negative: companies."""
    rows = (await tx.exec(select(Deal.contact_id).where(*_UNREAD).distinct().limit(limit))).all()
    return [contact_id for contact_id in rows if contact_id is not None]


async def contacts_left(tx: AsyncSession) -> int:
    return (await tx.exec(select(func.count(func.distinct(Deal.contact_id))).where(*_UNREAD))).one()


_UNREAD = (
    col(Deal.is_past).is_(True),
    col(Deal.status_id) == 142,
    col(Deal.contact_id).is_not(None),
    col(Deal.client_id).is_(None),
    ~exists().where(col(Contact.contact_id) == col(Deal.contact_id)),
)


async def progress(tx: AsyncSession) -> Json | None:
    return await recall(tx, PAST)


async def keep_progress(tx: AsyncSession, walk: Json) -> None:
    """In the transaction that keeps the deals it tells of."""
    await remember(tx, PAST, walk)
