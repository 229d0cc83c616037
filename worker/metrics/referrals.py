"""Word of mouth: won deals that a friend brought, their money, and the codes that were used."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.metrics.base import Facts, Metric, SaleFact, amount, same_days_before, share
from worker.metrics.stats import percent
from worker.rules.calendar import Period
from worker.rules.shares import Interval, share_difference, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """Won deals and their money."""

    deals: int
    money: float

    @property
    def average_check(self) -> float | None:
        return self.money / self.deals if self.deals else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralResult:
    won: Sales
    referral: Sales
    other: Sales
    won_before: int  # in as many days of the period before
    referral_before: int
    codes_issued: int  # first sent in the period
    codes_redeemed: int  # of these, named by a friend's closed deal so far

    @property
    def share(self) -> float | None:
        return percent(self.referral.deals, self.won.deals)

    @property
    def interval(self) -> Interval | None:
        """Of the share, in percent."""
        return wilson(self.referral.deals, self.won.deals).times(100) if self.won.deals else None

    @property
    def share_amount(self) -> float | None:
        return percent(self.referral.money, self.won.money)

    @property
    def redemption_rate(self) -> float | None:
        return percent(self.codes_redeemed, self.codes_issued)

    @property
    def difference(self) -> Interval | None:
        """Of the share from the one before, in points."""
        if not (self.won.deals and self.won_before):
            return None
        before, now = (self.referral_before, self.won_before), (self.referral.deals, self.won.deals)
        return share_difference(before, now).times(100)

    def as_json(self) -> dict[str, Any]:
        return {
            "won_deals": self.won.deals,
            "referral_deals": self.referral.deals,
            "share": share(self.share),
            "won_amount": amount(self.won.money),
            "referral_amount": amount(self.referral.money),
            "share_amount": share(self.share_amount),
            "average_check": amount(self.won.average_check),
            "referral_average_check": amount(self.referral.average_check),
            "other_average_check": amount(self.other.average_check),
            "codes_issued": self.codes_issued,
            "codes_redeemed": self.codes_redeemed,
            "redemption_rate": share(self.redemption_rate),
        }


def compute(facts: Facts, period: Period) -> ReferralResult:
    before = same_days_before(period, facts.now)
    won = [row for row in facts.sales if period.contains(row.closed_at)]
    won_before = [row for row in facts.sales if before.contains(row.closed_at)]
    issued = [row for row in facts.codes if period.contains(row.first_sent_at)]
    return ReferralResult(
        won=_sales(won),
        referral=_sales([row for row in won if row.is_referral]),
        other=_sales([row for row in won if not row.is_referral]),
        won_before=len(won_before),
        referral_before=sum(row.is_referral for row in won_before),
        codes_issued=len(issued),
        codes_redeemed=sum(row.is_redeemed for row in issued),
    )


def _sales(rows: Sequence[SaleFact]) -> Sales:
    return Sales(deals=len(rows), money=sum(row.amount for row in rows))


METRIC = Metric(
    key="referrals",
    title={"ru": "Рекомендации", "en": "Referrals"},
    unit={
        "ru": "выигранные сделки, по дню закрытия; коды — по дню первой отправки",
        "en": "won deals, by the day of closing; codes by the day when they were first sent",
    },
    source="Share of won deals that a friend brought (ReferralCandy's referral rate); R. Newcombe 1998",
    compute=compute,
)
