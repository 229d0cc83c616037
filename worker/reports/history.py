"""What a report draws over time: which stretches, and what the database counts in each."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from storage.trends import CodeCountRow, code_counts, sale_counts, score_counts
from worker.metrics.base import CodeCount, History, SaleCount, ScoreCount
from worker.metrics.trends import MATURE_AFTER, codes_over, scores_over, stretches_over
from worker.rules.calendar import Period

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def read_history(
    tx: AsyncSession,
    period: Period,
    now: datetime,
    *,
    pipelines: frozenset[int],
    complaints_pipeline: int | None,
    stretch: str,
) -> History:
    periods, months = scores_over(period, now), codes_over(period)
    stretches = stretches_over(period, stretch)
    scores = await score_counts(tx, _boundaries(periods)) if periods else []
    sales = await sale_counts(
        tx, _boundaries(stretches), pipelines=pipelines, complaints_pipeline=complaints_pipeline
    )
    codes = await code_counts(tx, _boundaries(months))
    old = await code_counts(tx, (LONG_AGO, min(now, period.ends) - MATURE_AFTER))
    return History(
        periods=periods,
        scores=tuple(
            ScoreCount(
                survey=row.survey_key,
                metric=row.metric,
                place=row.place,
                scale=row.scale,
                score=row.score,
                band=row.band,
                answers=row.answers,
            )
            for row in scores
        ),
        stretches=stretches,
        sales=tuple(
            SaleCount(
                place=row.place,
                deals=row.deals,
                money=row.money,
                referral_deals=row.referral_deals,
                referral_money=row.referral_money,
            )
            for row in sales
        ),
        months=months,
        codes=tuple(_codes(row) for row in codes),
        old_codes=next((_codes(row) for row in old), None),
    )


def _boundaries(periods: Sequence[Period]) -> list[datetime]:
    return [*(period.begins for period in periods), periods[-1].ends]


def _codes(row: CodeCountRow) -> CodeCount:
    return CodeCount(
        place=row.place,
        issued=row.issued,
        redeemed=row.redeemed,
        uses=row.uses,
        won_clients=row.won_clients,
    )
