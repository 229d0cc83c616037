"""Do customers come back: who stayed, who left, who bought again, and what a customer brought so far."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from worker.metrics.base import Facts, Metric, amount, share
from worker.metrics.complaint_care import Share, written
from worker.metrics.customers import ACTIVE_DAYS, Customers
from worker.metrics.stats import percent
from worker.rules.calendar import Period

MANY = 8  # days of buying, from which on they are counted together


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """Who was active at both ends. Counted by who they are: who left and came back in between has stayed."""

    start: int
    end: int
    kept: int  # active at the start and at the end

    @property
    def gained(self) -> int:
        return self.end - self.kept

    @property
    def retention(self) -> float | None:
        """CRR, (end - gained) / start, in percent; None where there was nobody to lose."""
        return percent(self.kept, self.start)

    @property
    def churn(self) -> float | None:
        """Customers that were lost, in percent of those at the start."""
        return percent(self.start - self.kept, self.start)

    @property
    def net_churn(self) -> float | None:
        """(start - end) / start, in percent: new customers hide the lost ones, so it may be negative."""
        return percent(self.start - self.end, self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionResult:
    turnover: Turnover
    customers: int  # everybody who bought so far
    repeat: Share  # of them, who bought on more than one day
    by_days: Mapping[int, int]  # days of buying -> customers; the last: so many or more
    purchase_days: int
    money: float
    without_client: int  # won deals of which nobody knows whose they are
    known_since: date | None  # the first purchase that is known
    is_short: bool  # what is known begins too late to tell who was active at the start
    min_customers: int

    @property
    def kept(self) -> Share:
        """With its interval."""
        of = self.turnover
        return Share(part=of.kept, whole=of.start, is_enough=of.start >= self.min_customers)

    @property
    def churn(self) -> float | None:
        return self.turnover.churn if self.kept.is_enough else None

    @property
    def net_churn(self) -> float | None:
        return self.turnover.net_churn if self.kept.is_enough else None

    @property
    def value(self) -> float | None:
        """Historic LTV: what a customer brought so far."""
        return self.money / self.customers if self.customers else None

    @property
    def per_day(self) -> float | None:
        """What a customer brought on a day of buying."""
        return self.money / self.purchase_days if self.purchase_days else None

    def as_json(self) -> dict[str, Any]:
        return {
            "active_days": ACTIVE_DAYS,
            "active_at_start": self.turnover.start,
            "active_at_end": self.turnover.end,
            "gained": self.turnover.gained,
            "kept": self.turnover.kept,
            "retention_rate": share(self.kept.value),
            "retention_ci95": written(self.kept.interval),
            "churn_rate": share(self.churn),
            "net_churn_rate": share(self.net_churn),
            "customers": self.customers,
            "repeat_customers": self.repeat.part,
            "repeat_rate": share(self.repeat.value),
            "repeat_ci95": written(self.repeat.interval),
            "purchase_days": self.purchase_days,
            "amount": amount(self.money),
            "ltv": amount(self.value),
            "per_purchase_day": amount(self.per_day),
            "deals_without_client": self.without_client,
            "known_since": None if self.known_since is None else self.known_since.isoformat(),
            "too_short": self.is_short,
            "by_purchase_days": {str(days): number for days, number in self.by_days.items()},
        }


def compute(facts: Facts, period: Period) -> RetentionResult:
    customers = facts.customers or Customers(period, facts.now)
    since = customers.known_since
    minimum = max(1, facts.min_answers)
    return RetentionResult(
        turnover=turnover(customers),
        customers=len(customers),
        repeat=repeat(customers, minimum),
        by_days=by_days(customers),
        purchase_days=sum(customers.often),
        money=sum(customers.money),
        without_client=facts.deals_without_client,
        known_since=since,
        is_short=since is not None and since > period.start - timedelta(days=ACTIVE_DAYS),
        min_customers=minimum,
    )


def turnover(customers: Customers) -> Turnover:
    return Turnover(start=customers.active_at_start, end=customers.active_at_end, kept=customers.kept)


def repeat(customers: Customers, minimum: int = 1) -> Share:
    """RPR: who bought on more than one day, of all who bought."""
    again = sum(days > 1 for days in customers.often)
    return Share(part=again, whole=len(customers), is_enough=len(customers) >= minimum)


def by_days(customers: Customers, many: int = MANY) -> dict[int, int]:
    """How many customers bought on one day, on two and so on; the last line is open."""
    counts = Counter(min(many, days) for days in customers.often)
    return {days: counts[days] for days in range(1, many + 1)} if customers else {}


METRIC = Metric(
    key="retention",
    title={"ru": "Повторные покупки", "en": "Customers who come back"},
    unit={
        "ru": f"покупатели; активный — с выигранной сделкой за последние {ACTIVE_DAYS} дней; "
        "сделки одного дня — одна покупка; повторные покупки и выручка — за всё время",
        "en": f"customers; an active one has a won deal of the last {ACTIVE_DAYS} days; "
        "deals of one day are one purchase; repeat purchases and revenue since the beginning",
    },
    source="CRR = (E - N) / S from sets of customers; net churn = (S - E) / S; RPR; historic LTV "
    "(P. Fader, B. Hardie, K. Lee 2005, for the data of the checks); R. Newcombe 1998",
    compute=compute,
    reading={
        "ru": "Отток — это ушедшие. Чистый отток (по формуле источника) считает и новых покупателей, "
        "поэтому бывает отрицательным, пока старые уходят. Выручку на покупателя сравнивайте только "
        "у покупателей одного возраста: по когортам.",
        "en": "Churn is who left. Net churn (by the source's formula) counts new customers too, so it may "
        "be negative while old ones leave. Compare what a customer brought only between customers of "
        "one age: by cohorts.",
    },
    minimum=None,
)
