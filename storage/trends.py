"""What reports draw over time: counts that the database makes, never a row for each answer or deal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, false, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.flat import rows_of, within
from storage.sales import is_sale, named_codes
from storage.tables.deals import Deal, Referral
from storage.tables.people import PromoCode
from storage.tables.surveys import Survey


@dataclass(frozen=True, slots=True)
class ScoreCountRow:
    survey_key: str
    metric: str
    place: int  # of the stretch of time, from 0
    scale: str
    score: int
    band: str
    answers: int


@dataclass(frozen=True, slots=True)
class SaleCountRow:
    place: int
    deals: int
    money: float
    referral_deals: int
    referral_money: float


@dataclass(frozen=True, slots=True)
class CodeCountRow:
    place: int
    issued: int
    redeemed: int  # named by a friend's closed deal so far
    uses: int  # such deals
    won_clients: int


async def score_counts(tx: AsyncSession, boundaries: Sequence[datetime]) -> list[ScoreCountRow]:
    """Answers between each two neighbouring boundaries, by what they are told apart by."""
    place = _place(col(Survey.answered_at), boundaries)
    apart = (
        col(Survey.survey_key),
        col(Survey.metric),
        place.label("place"),
        col(Survey.scale),
        col(Survey.score),
        col(Survey.band),
    )
    wanted = (
        select(*apart, func.count())
        .outerjoin(Deal, col(Deal.deal_id) == col(Survey.deal_id))
        .where(
            within(col(Survey.answered_at), boundaries[0], boundaries[-1]),
            col(Survey.score).is_not(None),
            func.coalesce(col(Deal.is_reply), false()).is_(false()),
        )
        .group_by(*apart[:2], "place", *apart[3:])
    )
    return [ScoreCountRow(*row) for row in await rows_of(tx, wanted)]


async def sale_counts(
    tx: AsyncSession,
    boundaries: Sequence[datetime],
    *,
    pipelines: frozenset[int] = frozenset(),
    complaints_pipeline: int | None = None,
) -> list[SaleCountRow]:
    """Won deals between each two neighbouring boundaries, and those of them that friends brought."""
    is_referral = func.coalesce(col(Referral.is_referral), false())
    wanted = (
        select(
            func.min(col(Deal.deal_id)),  # whose rows these are
            _place(col(Deal.closed_at), boundaries).label("place"),
            func.count(),
            func.sum(col(Deal.price)),
            func.sum(case((is_referral, 1), else_=0)),
            func.sum(case((is_referral, col(Deal.price)), else_=0.0)),
        )
        .outerjoin(Referral, col(Referral.deal_id) == col(Deal.deal_id))
        .where(is_sale(boundaries[0], boundaries[-1], pipelines, complaints_pipeline))
        .group_by("place")
    )
    return [SaleCountRow(*row[1:]) for row in await rows_of(tx, wanted)]


async def code_counts(tx: AsyncSession, boundaries: Sequence[datetime]) -> list[CodeCountRow]:
    """Codes first sent between each two neighbouring boundaries, and what friends have done with them."""
    named = named_codes()
    wanted = (
        select(
            func.min(col(PromoCode.code)),
            _place(col(PromoCode.first_sent_at), boundaries).label("place"),
            func.count(),
            func.count(named.c.client_id),
            func.coalesce(func.sum(named.c.uses), 0),
            func.coalesce(func.sum(named.c.won_clients), 0),
        )
        .outerjoin(named, named.c.client_id == col(PromoCode.client_id))
        .where(within(col(PromoCode.first_sent_at), boundaries[0], boundaries[-1]))
        .group_by("place")
    )
    return [
        CodeCountRow(place, issued, redeemed, int(uses), int(won))
        for _, place, issued, redeemed, uses, won in await rows_of(tx, wanted)
    ]


def _place(moment: Any, boundaries: Sequence[datetime]) -> Any:
    """Which stretch a moment is in that lies within all of them."""
    ends = boundaries[1:-1]
    ladder = [(moment < end, number) for number, end in enumerate(ends)]
    # One stretch needs no question, and no `case` is made of none.
    return case(*ladder, else_=len(ends)) if ladder else func.coalesce(0, 0)
