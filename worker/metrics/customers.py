"""Customers by what they bought so far: what retention, segments and cohorts are counted from."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from worker.metrics.base import Customer, Purchase
from worker.rules.calendar import Period


class Ledger:
    """What each client has bought, purchase by purchase as they came: there may be a million."""

    def __init__(self) -> None:
        self._known: dict[int, Customer] = {}
        self._days: dict[date, date] = {}  # one of each, however many bought then

    def add(self, purchase: Purchase) -> None:
        client_id, day, money = purchase
        day = self._days.setdefault(day, day)
        before = self._known.get(client_id)
        if before is None:
            self._known[client_id] = Customer(client_id, (day,), money)
        else:
            days = before.days if day == before.days[-1] else (*before.days, day)
            self._known[client_id] = Customer(client_id, days, before.money + money)

    def customers(self) -> tuple[Customer, ...]:
        return tuple(self._known[client_id] for client_id in sorted(self._known))


def customers_of(purchases: Iterable[Purchase], until: date) -> tuple[Customer, ...]:
    """Who bought before the day `until`, by their ids."""
    ledger = Ledger()
    for purchase in sorted(purchases, key=lambda purchase: purchase.day):
        if purchase.day < until:
            ledger.add(purchase)
    return ledger.customers()


def active(customers: Iterable[Customer], begins: date, ends: date) -> frozenset[int]:
    """Who bought on one of these days, the last not among them."""
    return frozenset(one.client_id for one in customers if any(begins <= day < ends for day in one.days))


def day_after(period: Period, now: datetime) -> date:
    """The first day that does not count: of a period that still runs, tomorrow."""
    tomorrow = now.astimezone(period.zone).date() + timedelta(days=1)
    return min(period.end, max(period.start, tomorrow))


def sold_by_customer(customers: Iterable[Customer]) -> Mapping[int, float]:
    return {one.client_id: one.money for one in customers}
