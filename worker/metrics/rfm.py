"""RFM: how lately, how often and for how much a customer bought, as scores from 1 to 5 and as a segment."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from worker.metrics.customers import Customer, Customers
from worker.metrics.stats import mean

ENOUGH = 100  # customers, below which fifths are chance
FIFTHS = (1, 2, 3, 4)

# Where fifths tell nothing apart: most customers of a company of one-time buyers have bought once.
RECENCY_CUTS = (30.0, 90.0, 180.0, 365.0)  # days since the last purchase
FREQUENCY_CUTS = (1.0, 2.0, 3.0, 4.0)  # days of buying
MONEY_CUTS = (0.5, 1.0, 2.0, 4.0)  # times the average purchase

Cuts = tuple[float, ...]


class Rfm(NamedTuple):
    recency: int  # days since the last purchase
    frequency: int  # days of buying
    money: float  # all of it


class Scores(NamedTuple):
    """Each from 1 to 5, 5 is best."""

    r: int
    f: int
    m: int

    @property
    def code(self) -> int:
        return 100 * self.r + 10 * self.f + self.m


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The four cut-offs of each."""

    recency: Cuts
    frequency: Cuts
    money: Cuts
    is_fixed: bool

    def scores(self, of: Rfm) -> Scores:
        return Scores(
            r=6 - score(of.recency, self.recency),
            f=score(of.frequency, self.frequency),
            m=score(of.money, self.money),
        )


class Segment(StrEnum):
    CHAMPIONS = "champions"
    POTENTIAL_LOYALIST = "potential_loyalist"
    LOYAL = "loyal"
    PROMISING = "promising"
    NEW = "new"
    CANT_LOSE = "cant_lose"
    AT_RISK = "at_risk"
    NEED_ATTENTION = "need_attention"
    ABOUT_TO_SLEEP = "about_to_sleep"
    LOST = "lost"
    OTHERS = "others"


# Scores from … to …, of R, F and M; the first that fits.
# The segments of the R package rfm: https://github.com/rsquaredacademy/rfm
SEGMENTS: tuple[tuple[Segment, tuple[int, int], tuple[int, int], tuple[int, int]], ...] = (
    (Segment.CHAMPIONS, (5, 5), (5, 5), (5, 5)),
    (Segment.POTENTIAL_LOYALIST, (3, 5), (3, 5), (2, 5)),
    (Segment.LOYAL, (2, 4), (2, 4), (2, 4)),
    (Segment.PROMISING, (3, 4), (1, 3), (3, 5)),
    (Segment.NEW, (4, 5), (1, 3), (1, 5)),
    (Segment.CANT_LOSE, (1, 2), (3, 4), (4, 5)),
    (Segment.AT_RISK, (1, 2), (2, 5), (4, 5)),
    (Segment.NEED_ATTENTION, (1, 3), (3, 5), (3, 5)),
    (Segment.ABOUT_TO_SLEEP, (2, 3), (1, 3), (1, 4)),
    (Segment.LOST, (1, 1), (1, 5), (1, 5)),
)


def rfm_of(customer: Customer, today: date) -> Rfm:
    return Rfm((today - customer.last).days, customer.often, customer.money)


def fifths(values: Iterable[float]) -> Cuts:
    """The 20, 40, 60 and 80 % quantiles (type 7, linear) of at least one value.

    The place is counted in whole numbers, so that a value which is a cut-off equals it.

    >>> fifths([1, 1, 1, 1, 2, 2, 2, 3, 4, 5])
    (1.0, 1.6, 2.0, 3.2)
    """
    ordered = sorted(values)
    cuts = []
    for number in FIFTHS:
        below, rest = divmod(number * (len(ordered) - 1), 5)
        above = min(below + 1, len(ordered) - 1)
        cuts.append(ordered[below] + (ordered[above] - ordered[below]) * rest / 5)
    return tuple(cuts)


def score(value: float, cuts: Cuts) -> int:
    """One more than the cut-offs strictly below it: equal values have equal scores.

    >>> [score(value, (1, 1.6, 2, 3.2)) for value in (1, 2, 3, 4)]
    [1, 3, 4, 5]
    """
    return 1 + bisect_left(cuts, value)


def grid_of(customers: Customers, today: date) -> Grid:
    """Fifths, or fixed cut-offs where there are few customers or most have bought equally often."""
    is_lumped = 5 * max(Counter(customers.often).values(), default=0) > 2 * len(customers)
    return fixed(customers) if len(customers) < ENOUGH or is_lumped else by_fifths(customers, today)


def by_fifths(customers: Customers, today: date) -> Grid:
    return Grid(
        recency=fifths(today.toordinal() - day for day in customers.last),
        frequency=fifths(customers.often),
        money=fifths(customers.money),
        is_fixed=False,
    )


def fixed(customers: Customers) -> Grid:
    """Money is told by the average purchase of those who paid something."""
    purchase = mean([one.money / one.often for one in customers if one.money > 0]) or 0.0
    return Grid(
        recency=RECENCY_CUTS,
        frequency=FREQUENCY_CUTS,
        money=tuple(purchase * times for times in MONEY_CUTS),
        is_fixed=True,
    )


@cache  # of 125 different ones
def segment_of(scores: Scores) -> Segment:
    """
    >>> segment_of(Scores(5, 5, 5)), segment_of(Scores(1, 1, 1))
    (<Segment.CHAMPIONS: 'champions'>, <Segment.LOST: 'lost'>)
    """
    for segment, *ranges in SEGMENTS:
        if all(low <= of <= high for of, (low, high) in zip(scores, ranges, strict=True)):
            return segment
    return Segment.OTHERS
