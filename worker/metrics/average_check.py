"""The average check: what a won deal brings, and whether that grows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.metrics.base import Facts, Metric, SaleFact, amount, number_of, same_days_before, share
from worker.metrics.stats import (
    counted_mean,
    counted_mean_difference,
    counted_mean_interval,
    counted_median,
)
from worker.rules.calendar import Period
from worker.rules.shares import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Won deals; a price of 0 counts among them, but in no average."""

    deals: int
    priced: int
    money: float
    average: float | None
    median: float | None
    interval: Interval | None  # of the average


@dataclass(frozen=True, slots=True, kw_only=True)
class AverageCheck:
    current: Checks
    previous: Checks  # of as many days of the period before
    difference: Interval | None  # of the average from the previous one; None: too few deals to say

    @property
    def growth(self) -> float | None:
        return growth(self.previous.average, self.current.average)

    @property
    def significant(self) -> bool | None:
        return None if self.difference is None else self.difference.excludes_zero

    def as_json(self) -> dict[str, Any]:
        now, before = self.current, self.previous
        return {
            "won_deals": now.deals,
            "priced_deals": now.priced,
            "won_amount": amount(now.money),
            "average": amount(now.average),
            "ci95": None if now.interval is None else [amount(end) for end in now.interval],
            "median": amount(now.median),
            "previous": {
                "won_deals": before.deals,
                "won_amount": amount(before.money),
                "average": amount(before.average),
                "median": amount(before.median),
            },
            "growth": share(self.growth),
            "median_growth": share(growth(before.median, now.median)),
            "won_deals_growth": share(growth(before.deals, now.deals)),
            "won_amount_growth": share(growth(before.money, now.money)),
            "significant": self.significant,
        }


def compute(facts: Facts, period: Period) -> AverageCheck:
    before = same_days_before(period, facts.now)
    now_prices, prices_before = _prices(facts.sales, period), _prices(facts.sales, before)
    is_enough = min(now_prices.total(), prices_before.total()) >= facts.min_answers
    return AverageCheck(
        current=_checks(facts.sales, period, now_prices),
        previous=_checks(facts.sales, before, prices_before),
        difference=counted_mean_difference(prices_before, now_prices) if is_enough else None,
    )


def growth(before: float | None, now: float | None) -> float | None:
    """In percent; from nothing, or from what is not known, nothing grows.

    >>> growth(160_000, 180_000), growth(0, 180_000), growth(None, 180_000)
    (12.5, None, None)
    """
    return None if not before or now is None else 100 * (now - before) / before


def _checks(sales: Sequence[SaleFact], period: Period, prices: Counter[float]) -> Checks:
    ends = counted_mean_interval(prices)
    return Checks(
        deals=number_of(sale for sale in sales if period.contains(sale.closed_at)),
        priced=prices.total(),
        money=sum(price * deals for price, deals in prices.items()),
        average=counted_mean(prices),
        median=counted_median(prices),
        # Of a few deals that differ much it would reach below nought, where no price is.
        interval=ends and Interval(max(0.0, ends.low), ends.high),
    )


def _prices(sales: Sequence[SaleFact], period: Period) -> Counter[float]:
    """Each with its number of deals."""
    prices: Counter[float] = Counter()
    for sale in sales:
        if sale.amount and period.contains(sale.closed_at):
            prices[sale.amount] += sale.count
    return prices


METRIC = Metric(
    key="average_check",
    title={"ru": "Средний чек", "en": "Average check"},
    unit={
        "ru": "выигранные сделки, по дню закрытия; сделки без суммы — только в числе сделок",
        "en": "won deals, by the day of closing; deals without a price only in their number",
    },
    source="Mean and median of the prices of won deals; difference of two means: B. Welch 1947",
    compute=compute,
    reading={
        "ru": "Одна крупная сделка тянет средний чек вверх, медиану — нет: смотрите на обе. "
        "Рост сравнивается с таким же числом дней прошлого периода.",
        "en": "One big deal pulls the average up, but not the median: look at both. "
        "Growth is against as many days of the period before.",
    },
    minimum=1,
)
