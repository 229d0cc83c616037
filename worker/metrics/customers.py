"""Customers by what they bought so far: what retention, segments and cohorts are counted from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from worker.metrics.base import Purchase
from worker.rules.calendar import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    client_id: int
    days: tuple[date, ...]  # when they bought, in order, each once
    money: float

    @property
    def is_repeat(self) -> bool:
        """Bought on more than one day: several deals of a day may be one purchase in parts."""
        return len(self.days) > 1


def customers_of(purchases: Iterable[Purchase], until: date) -> list[Customer]:
    """Who bought before the day `until`, by their ids."""
    days: dict[int, set[date]] = {}
    money: dict[int, float] = {}
    for client_id, day, paid in purchases:
        if day < until:
            days.setdefault(client_id, set()).add(day)
            money[client_id] = money.get(client_id, 0) + paid
    return [
        Customer(client_id=client_id, days=tuple(sorted(days[client_id])), money=money[client_id])
        for client_id in sorted(days)
    ]


def active(customers: Iterable[Customer], begins: date, ends: date) -> frozenset[int]:
    """Who bought on one of these days, the last not among them."""
    return frozenset(one.client_id for one in customers if any(begins <= day < ends for day in one.days))


def day_after(period: Period, now: datetime) -> date:
    """The first day that does not count: of a period that still runs, tomorrow."""
    tomorrow = now.astimezone(period.zone).date() + timedelta(days=1)
    return min(period.end, max(period.start, tomorrow))


def sold_by_customer(customers: Iterable[Customer]) -> Mapping[int, float]:
    return {one.client_id: one.money for one in customers}
