"""The mirror of amoCRM's deals, and how far it has been read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, exists, func
from sqlmodel import and_, col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from storage.sql import inline_number, table_of
from storage.state import recall, remember
from storage.tables.complaints import Complaint
from storage.tables.deals import Contact, Deal, Referral
from storage.tables.people import Client
from storage.tables.surveys import Survey

WATERMARK = "pull.watermark"
SURVEYS_SINCE = "pull.surveys_since"

# What stays ours when a deal is read again.
_OURS = {"client_id", "link_token", "is_reply", "is_past", "entered_at", "seen_at", "decided_at"}


@dataclass(frozen=True, slots=True)
class Saved:
    """A deal as it is now, and the status in which it was seen before (None: a new one)."""

    deal: Deal
    was: tuple[int, int] | None  # (pipeline, status)
    is_changed: bool


async def save_page(tx: AsyncSession, deals: Sequence[Deal], now: datetime) -> list[Saved]:
    """Keep a page of deals as last read; what is ours stays."""
    ids = [deal.deal_id for deal in deals]
    known = {
        deal.deal_id: deal for deal in (await tx.exec(select(Deal).where(col(Deal.deal_id).in_(ids)))).all()
    }
    contact_ids = [deal.contact_id for deal in deals if deal.contact_id]
    people = await _clients(tx, contact_ids)
    forgotten = await _forgotten(tx, contact_ids)
    saved = []
    for deal in deals:
        if deal.contact_id in forgotten:
            # People write names and numbers there, and amoCRM tells them again.
            deal.name, deal.fields = "", _choices(deal)
        old = known.get(deal.deal_id)
        if old is None:
            deal.seen_at = now
            deal.entered_at = deal.closed_at or deal.updated_at
            deal.client_id = people.get(deal.contact_id or 0)
            tx.add(deal)
            known[deal.deal_id] = deal
            saved.append(Saved(deal, None, True))
            continue
        was = (old.pipeline_id, old.status_id)
        changes = _changes(old, deal)
        if was != (deal.pipeline_id, deal.status_id):
            old.entered_at = deal.closed_at or deal.updated_at
        for name, value in changes.items():
            setattr(old, name, value)
        if "contact_id" in changes or old.client_id is None:
            old.client_id = people.get(old.contact_id or 0)
        saved.append(Saved(old, was, bool(changes)))
    await tx.flush()
    return saved


def _changes(old: Deal, new: Deal) -> dict[str, Any]:
    fresh = new.model_dump(exclude=_OURS)
    stored = old.model_dump(exclude=_OURS)
    return {name: value for name, value in fresh.items() if stored[name] != value}


async def _clients(tx: AsyncSession, contact_ids: Sequence[int]) -> dict[int, int]:
    rows = await tx.exec(
        select(Contact.contact_id, Contact.client_id).where(col(Contact.contact_id).in_(contact_ids))
    )
    return {contact_id: client_id for contact_id, client_id in rows.all() if client_id is not None}


async def _forgotten(tx: AsyncSession, contact_ids: Sequence[int]) -> set[int]:
    """Contacts of people who asked to be forgotten: read, and with nobody or somebody erased behind them."""
    rows = await tx.exec(
        select(Contact.contact_id)
        .outerjoin(Client, col(Client.client_id) == col(Contact.client_id))
        .where(
            col(Contact.contact_id).in_(contact_ids),
            col(Contact.is_deleted).is_(False),
            or_(col(Client.client_id).is_(None), col(Client.erased_at).is_not(None)),
        )
    )
    return set(rows.all())


async def empty(tx: AsyncSession, contact_id: int) -> None:
    """The deals of a contact who turned out to be forgotten, when they were known already."""
    for deal in (await tx.exec(select(Deal).where(Deal.contact_id == contact_id))).all():
        deal.name, deal.fields = "", _choices(deal)


def _choices(deal: Deal) -> dict[str, Any]:
    """Of its fields those whose values come from a list: they tell of nobody."""
    return {
        field_id: values
        for field_id, values in deal.fields.items()
        if all(value.get("enum_id") or isinstance(value.get("value"), bool) for value in values)
    }


DEAL = select(Deal).where(Deal.deal_id == bindparam("deal_id"))


async def deal(tx: AsyncSession, deal_id: int) -> Deal | None:
    return (await tx.exec(DEAL, params={"deal_id": deal_id})).first()


async def deals(tx: AsyncSession, deal_ids: Sequence[int]) -> dict[int, Deal]:
    rows = await tx.exec(select(Deal).where(col(Deal.deal_id).in_(list(deal_ids))))
    return {deal.deal_id: deal for deal in rows.all()}


async def by_token(tx: AsyncSession, token: str) -> Deal | None:
    return (await tx.exec(select(Deal).where(Deal.link_token == token))).first()


async def give_tokens(tx: AsyncSession, tokens: Mapping[int, str]) -> None:
    """Deal → token, for deals that have none."""
    rows = [{"of_deal": deal_id, "token": token} for deal_id, token in tokens.items()]
    await (await tx.connection()).execute(GIVE_TOKEN, rows)


GIVE_TOKEN = (
    update(table_of(Deal))
    .where(col(Deal.deal_id) == bindparam("of_deal"), col(Deal.link_token).is_(None))
    .values(link_token=bindparam("token"))
)


async def newest_of_client(
    tx: AsyncSession, client_id: int, *, but_pipeline: int | None = None
) -> Deal | None:
    """The client's latest deal, complaints left out: where a stray message belongs."""
    wanted = select(Deal).where(Deal.client_id == client_id, col(Deal.is_deleted).is_(False))
    if but_pipeline is not None:
        wanted = wanted.where(Deal.pipeline_id != but_pipeline)
    return (await tx.exec(wanted.order_by(col(Deal.created_at).desc(), col(Deal.deal_id).desc()))).first()


async def contacts_to_read(
    tx: AsyncSession, *, complaints_pipeline: int | None, limit: int = 10_000
) -> list[int]:
    """Main contacts, not read yet, of deals for which it matters who the client is."""
    wanted = _contacts_to_read(complaints_pipeline, limit)
    return [contact_id for contact_id in (await tx.exec(wanted)).all() if contact_id is not None]


@lru_cache  # as the next ones, asked after each pull
def _contacts_to_read(
    complaints_pipeline: int | None, limit: int
) -> SelectOfScalar[int] | SelectOfScalar[None]:
    surveyed = exists().where(col(Survey.deal_id) == col(Deal.deal_id))
    is_open_complaint = and_(Deal.pipeline_id == complaints_pipeline, col(Deal.status_id).not_in((142, 143)))
    return (
        select(Deal.contact_id)
        .where(
            col(Deal.contact_id).is_not(None),
            col(Deal.client_id).is_(None),
            ~exists().where(col(Contact.contact_id) == col(Deal.contact_id)),
            # The past waits: it is read slowly, and a person who comes back is known by the new deal.
            or_(col(Deal.is_past).is_(False), is_open_complaint),
            or_(Deal.status_id == 142, Deal.pipeline_id == complaints_pipeline, surveyed),
        )
        .distinct()
        .limit(limit)
    )


async def referrals_to_decide(
    tx: AsyncSession, *, limit: int = 500
) -> Sequence[tuple[Deal, Referral | None]]:
    """Won deals that have not been looked at since they last changed, and what was decided before.

    Of who was forgotten the fields are no longer kept, so what was decided before stands.
    """
    return [(deal, referral) for deal, referral in await tx.exec(_referrals_to_decide(limit))]


@lru_cache
def _referrals_to_decide(limit: int) -> Select[Deal, Referral]:
    is_forgotten = exists().where(col(Client.client_id) == Deal.client_id, col(Client.erased_at).is_not(None))
    is_new = col(Deal.decided_at).is_(None)
    return (
        select(Deal, Referral)
        .outerjoin(Referral, col(Referral.deal_id) == col(Deal.deal_id))
        .where(
            col(Deal.status_id) == inline_number(142),
            # In the words of the partial index, so that few deals are looked at.
            or_(is_new, col(Deal.decided_at) < col(Deal.updated_at)),
            col(Deal.is_deleted).is_(False),
            or_(is_new, ~is_forgotten),
        )
        .order_by(col(Deal.closed_at))
        .limit(limit)
    )


async def lead_ids_without_token(
    tx: AsyncSession, *, but_pipeline: int | None, limit: int = 1000
) -> Sequence[int]:
    """Deals whose link to the bots has not been made."""
    return (await tx.exec(_lead_ids_without_token(but_pipeline, limit))).all()


@lru_cache
def _lead_ids_without_token(but_pipeline: int | None, limit: int) -> SelectOfScalar[int]:
    wanted = select(Deal.deal_id).where(
        col(Deal.link_token).is_(None), col(Deal.is_deleted).is_(False), col(Deal.is_past).is_(False)
    )
    if but_pipeline is not None:
        wanted = wanted.where(Deal.pipeline_id != but_pipeline)
    return wanted.limit(limit)


async def watermark(tx: AsyncSession) -> datetime | None:
    """The newest change that was received and committed."""
    kept = await recall(tx, WATERMARK)
    return datetime.fromisoformat(kept["at"]) if kept else None


async def move_watermark(tx: AsyncSession, newest: datetime) -> None:
    """Never backwards."""
    at = await watermark(tx)
    if at is None or newest > at:
        await remember(tx, WATERMARK, {"at": newest.isoformat()})


async def surveys_since(tx: AsyncSession) -> datetime | None:
    kept = await recall(tx, SURVEYS_SINCE)
    return datetime.fromisoformat(kept["at"]) if kept else None


async def remember_surveys_since(tx: AsyncSession, since: datetime) -> None:
    await remember(tx, SURVEYS_SINCE, {"at": since.isoformat()})


async def complaint_by_lead(tx: AsyncSession, lead_id: int) -> Complaint | None:
    return (await tx.exec(select(Complaint).where(Complaint.lead_id == lead_id))).first()


async def count(tx: AsyncSession) -> int:
    return (await tx.exec(select(func.count()).select_from(Deal))).one()


async def stale_contacts(tx: AsyncSession, contact_ids: Sequence[int], before: datetime) -> list[int]:
    """Those that were last read before this moment, or never."""
    fresh = await tx.exec(
        select(Contact.contact_id).where(
            col(Contact.contact_id).in_(list(contact_ids)), col(Contact.read_at) >= before
        )
    )
    known = set(fresh.all())
    return [contact_id for contact_id in contact_ids if contact_id not in known]


OVERLAP = timedelta(seconds=300)  # each pull starts this long before the watermark
