"""Customers by what they bought so far: what retention, segments and cohorts are counted from.

There may be a million. Four numbers of each are kept; the rest is counted while they pass by.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from worker.rules.calendar import Period
from worker.rules.periods import last_periods, month_of

ACTIVE_DAYS = 365  # who bought within them is a customer; no value fits every company
MONTHS = 13  # of cohorts: the oldest has had a year


class Customer(NamedTuple):
    client_id: int
    last: date  # when they bought last
    often: int  # days of buying: several deals of a day may be one purchase in parts
    money: float


@dataclass(slots=True)
class FirstBought:
    """Customers whose first purchase was in one month."""

    customers: int = 0
    money: float = 0
    bought: Counter[int] = field(default_factory=Counter)  # month, as `month_number` counts -> who bought


class Customers:
    """Who bought before the end of a period, or by now while it runs; in the order in which they came."""

    def __init__(self, period: Period, now: datetime, *, active_days: int = ACTIVE_DAYS) -> None:
        self.until = day_after(period, now)
        self.months = last_periods(month_of(period.end - timedelta(days=1), period.zone), MONTHS)
        self.cohorts = {month_number(month.start): FirstBought() for month in self.months}
        self.client_ids, self.money = array("q"), array("d")
        self.last, self.often = array("i"), array("i")  # the day as `date.toordinal` counts
        self.known_since: date | None = None  # the first purchase of all
        self.active_at_start = self.active_at_end = self.kept = 0
        active = timedelta(days=active_days)
        self._begins, self._since = period.start, period.start - active
        self._active_since = self.until - active

    def add(self, client_id: int, bought: Iterable[tuple[date, float]]) -> None:
        """A client, with the day and the price of every deal; who bought nothing in time is no customer."""
        counted = [(day, price) for day, price in bought if day < self.until]
        if not counted:
            return
        days = {day for day, _ in counted}
        first, last = min(days), max(days)
        money = sum(price for _, price in counted)
        self.client_ids.append(client_id)
        self.last.append(last.toordinal())
        self.often.append(len(days))
        self.money.append(money)
        if self.known_since is None or first < self.known_since:
            self.known_since = first
        was_active = any(self._since <= day < self._begins for day in days)
        is_active = last >= self._active_since
        self.active_at_start += was_active
        self.active_at_end += is_active
        self.kept += was_active and is_active
        if cohort := self.cohorts.get(month_number(first)):
            cohort.customers += 1
            cohort.money += money
            cohort.bought.update({month_number(day) for day in days})

    def __len__(self) -> int:
        return len(self.client_ids)

    def __iter__(self) -> Iterator[Customer]:
        days = map(date.fromordinal, self.last)
        return map(Customer, self.client_ids, days, self.often, self.money)


def day_after(period: Period, now: datetime) -> date:
    """The first day that does not count: of a period that still runs, tomorrow."""
    tomorrow = now.astimezone(period.zone).date() + timedelta(days=1)
    return min(period.end, max(period.start, tomorrow))


def month_number(day: date) -> int:
    """Months since the year 0, so that December is followed by January."""
    return 12 * day.year + day.month
