"""Won deals whose friend's code says nothing that can be counted: for a person to look at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables.deals import Deal, Referral


@dataclass(frozen=True, slots=True)
class Doubtful:
    deal_id: int
    deal: str
    problem: str  # self, unknown, ambiguous
    typed: str  # what stands in the field


async def doubtful(tx: AsyncSession, deal_ids: Collection[int], *, limit: int) -> Sequence[Doubtful]:
    """Of these deals, the newest first."""
    wanted = (
        select(Deal.deal_id, Deal.name, Referral.problem, Referral.typed)
        .join(Referral, col(Referral.deal_id) == col(Deal.deal_id))
        .where(col(Deal.deal_id).in_(deal_ids))
        .order_by(col(Deal.closed_at).desc(), col(Deal.deal_id))
        .limit(limit)
    )
    return [Doubtful(*row) for row in (await tx.exec(wanted)).all()]
