"""Cohorts: of the customers who first bought in a month, how many bought again in each month after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from worker.metrics.base import Facts, Metric, amount, share
from worker.metrics.customers import Customers, month_number
from worker.metrics.stats import percent
from worker.rules.calendar import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Customers whose first purchase was in this month."""

    month: Period
    customers: int
    money: float  # what they brought so far
    bought: tuple[int | None, ...]  # customers who bought so many months later; None: not over yet
    min_customers: int = 1

    def share(self, later: int) -> float | None:
        """Percent of the cohort; None also of so few that a share tells nothing."""
        bought = self.bought[later]
        return None if bought is None or self.is_small else percent(bought, self.customers)

    @property
    def is_small(self) -> bool:
        return self.customers < self.min_customers

    @property
    def value(self) -> float | None:
        """What one of them brought so far."""
        return self.money / self.customers if self.customers else None

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month.label,
            "customers": self.customers,
            "amount": amount(self.money),
            "ltv": amount(self.value),
            "bought": list(self.bought),
            "shares": [share(self.share(later)) for later in range(len(self.bought))],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortResult:
    cohorts: Sequence[Cohort]  # the last months, the oldest first
    min_customers: int

    def back_after(self, later: int) -> float | None:
        """Of all that have had the time, percent who bought so many months after their first purchase."""
        known = [
            (bought, one.customers)
            for one in self.cohorts
            for bought in one.bought[later : later + 1]
            if bought is not None
        ]
        whole = sum(customers for _, customers in known)
        return percent(sum(bought for bought, _ in known), whole) if whole >= self.min_customers else None

    def as_json(self) -> dict[str, Any]:
        return {"months": [one.as_json() for one in self.cohorts]}


def compute(facts: Facts, period: Period) -> CohortResult:
    # Today is not over, so neither is its month.
    today = facts.now.astimezone(period.zone).date()
    minimum = max(1, facts.min_answers)
    customers = facts.customers or Customers(period, facts.now)
    over = min(customers.until, today)
    return CohortResult(cohorts=cohorts(customers, over, min_customers=minimum), min_customers=minimum)


def cohorts(customers: Customers, over: date, *, min_customers: int = 1) -> list[Cohort]:
    """Of the last months of the period and before it. A month counts once all its days lie before `over`."""
    months = customers.months
    return [
        Cohort(
            month=month,
            customers=of.customers,
            money=of.money,
            bought=tuple(
                of.bought[month_number(later.start)] if later.end <= over else None
                for later in months[place:]
            ),
            min_customers=min_customers,
        )
        for place, month in enumerate(months)
        for of in (customers.cohorts[month_number(month.start)],)
    ]


METRIC = Metric(
    key="cohorts",
    title={"ru": "Когорты", "en": "Cohorts"},
    unit={
        "ru": "покупатели, по месяцу первой покупки; месяц, который ещё идёт, не заполнен",
        "en": "customers, by the month of their first purchase; a month that is not over is blank",
    },
    source="Customers of a cohort with a won deal so many months after their first one, of all in it",
    compute=compute,
    reading={
        "ru": "Строка — покупатели одного возраста: сравнивайте столбец со столбцом того же месяца жизни. "
        "Пусто — ещё не наступило, и это не ноль.",
        "en": "A line is of customers of one age: compare within a column. "
        "Blank has not happened yet, which is no zero.",
    },
    minimum=None,
)
