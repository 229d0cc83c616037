"""The one place where amoCRM's lead becomes our deal, and our deal the facts that rules decide upon."""

import logging
from collections.abc import Iterable

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.models import BrokenRow, Lead
from storage import erase, erased_numbers, state
from storage.tables.columns import Json
from storage.tables.deals import Deal
from worker.actions.base import Hands
from worker.rules.phone import normalise
from worker.rules.planning import DealFacts

log = logging.getLogger(__name__)


def deal_from(lead: Lead) -> Deal:
    return Deal(
        deal_id=lead.id,
        name=lead.name,
        price=lead.price,
        pipeline_id=lead.pipeline_id,
        status_id=lead.status_id,
        manager_id=lead.responsible_user_id,
        # A company stands in for a missing contact: its phone is all there is.
        contact_id=lead.main_contact_id or (-lead.company_id if lead.company_id else None),
        company_id=lead.company_id,
        tags=list(lead.tags),
        fields=lead.fields,
        created_at=lead.created_at,
        updated_at=lead.updated_at,
        closed_at=lead.closed_at,
        is_deleted=lead.is_deleted,
        seen_at=lead.updated_at,
    )


async def deals_from(tx: AsyncSession, hands: Hands, leads: Iterable[Lead]) -> list[Deal]:
    """As `deal_from`, without the number of a friend who asked to be forgotten."""
    found = [deal_from(lead) for lead in leads]
    field = str(hands.known.fields.referral_code)
    named = {deal.deal_id: [_number(hands, value) for value in deal.fields.get(field, ())] for deal in found}
    numbers = {number for some in named.values() for number in some if number}
    gone = await erased_numbers.erased_among(tx, numbers) if numbers else set()
    for deal in found:
        theirs = named[deal.deal_id]
        if gone.intersection(theirs):
            values = zip(deal.fields[field], theirs, strict=True)
            deal.fields = {
                **deal.fields,
                field: [{**v, "value": erase.FORGOTTEN} if number in gone else v for v, number in values],
            }
    return found


def _number(hands: Hands, value: Json) -> str | None:
    return normalise(str(value.get("value") or ""), hands.region)


def facts_of(deal: Deal, hands: Hands) -> DealFacts:
    return DealFacts(
        deal_id=deal.deal_id,
        pipeline_id=deal.pipeline_id,
        status_id=deal.status_id,
        manager_id=deal.manager_id,
        manager=hands.known.user_name(deal.manager_id),
        created_at=deal.created_at,
        closed_at=deal.closed_at,
        entered_at=deal.entered_at,
        updated_at=deal.updated_at,
        fields=deal.fields,
        is_deleted=deal.is_deleted,
        is_reply=deal.is_reply,
    )


async def put_aside(tx: AsyncSession, broken: Iterable[BrokenRow]) -> None:
    """Deals that cannot be understood are kept as they came; their page goes on."""
    for row in broken:
        await state.remember(tx, f"{erase.BROKEN_DEAL}{row.id}", {"raw": row.raw, "error": row.error})
        log.error("deal %s could not be read and was put aside: %s", row.id, row.error)
