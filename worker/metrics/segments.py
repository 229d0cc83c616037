"""Which customers are which: RFM segments, and ABC by what they brought."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from heapq import nsmallest
from typing import Any, TypeVar

from worker.metrics.base import Facts, Metric, amount, share
from worker.metrics.customers import Customers
from worker.metrics.rfm import Grid, Rfm, Scores, Segment, grid_of, rfm_of, segment_of
from worker.metrics.stats import percent
from worker.rules.calendar import Period

A_UP_TO, B_UP_TO = 80, 95  # percent of the money, counted from the biggest customer
CLASSES = ("A", "B", "C")
TO_CALL = 20  # customers that are named
SLIPPING = frozenset({Segment.CANT_LOSE, Segment.AT_RISK})

Name = TypeVar("Name", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some of the customers, and what they brought."""

    customers: int
    money: float
    share: float | None  # of the customers, in percent
    share_amount: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "customers": self.customers,
            "customers_share": share(self.share),
            "amount": amount(self.money),
            "share_amount": share(self.share_amount),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A customer; by the id, for a name is not everybody's to see."""

    client_id: int
    rfm: Rfm
    scores: Scores
    segment: Segment

    def as_json(self) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "recency": self.rfm.recency,
            "frequency": self.rfm.frequency,
            "amount": amount(self.rfm.money),
            "rfm": self.scores.code,
            "segment": self.segment,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentResult:
    customers: int
    grid: Grid | None  # None: too few customers
    segments: Mapping[Segment, Group]  # in the order of the table; those that are not empty
    classes: Mapping[str, Group]  # A, B and C
    top_fifth: float | None  # percent of the money that the biggest 20 % brought
    to_call: Sequence[Scored]  # big ones that have not bought for long

    def as_json(self) -> dict[str, Any]:
        grid = self.grid
        return {
            "customers": self.customers,
            "cutoffs": None
            if grid is None
            else {
                "fixed": grid.is_fixed,
                "recency": [share(cut) for cut in grid.recency],
                "frequency": [share(cut) for cut in grid.frequency],
                "amount": [amount(cut) for cut in grid.money],
            },
            "rfm": {segment.value: group.as_json() for segment, group in self.segments.items()},
            "abc": {name: group.as_json() for name, group in self.classes.items()},
            "top_fifth_share": share(self.top_fifth),
            "to_call": [one.as_json() for one in self.to_call],
        }


def compute(facts: Facts, period: Period) -> SegmentResult:
    customers = facts.customers or Customers(period, facts.now)
    if len(customers) < max(1, facts.min_answers):
        return SegmentResult(
            customers=len(customers), grid=None, segments={}, classes={}, top_fifth=None, to_call=()
        )
    today = customers.until - timedelta(days=1)
    grid = grid_of(customers, today)
    segments = [segment_of(grid.scores(rfm_of(one, today))) for one in customers]
    groups = _groups(segments, customers.money, Segment)
    late = (one for one, segment in zip(customers, segments, strict=True) if segment in SLIPPING)
    to_call = nsmallest(TO_CALL, late, key=lambda one: (-one.money, one.client_id))  # the biggest first
    return SegmentResult(
        customers=len(customers),
        grid=grid,
        segments={segment: group for segment, group in groups.items() if group.customers},
        classes=_groups(abc(customers.money), customers.money, CLASSES),
        top_fifth=top_share(customers.money, fifths=1),
        to_call=[_scored(one.client_id, rfm_of(one, today), grid) for one in to_call],
    )


def abc(money: Sequence[float]) -> list[str]:
    """A, B or C of each customer: by the share that they and all bigger ones brought together.

    The biggest is A even alone; who brought nothing is C. Equals keep their order.
    """
    cents = [round(100 * paid) for paid in money]  # whole, so that 80 % is 80 %
    total, so_far = sum(cents), 0
    classes = ["C"] * len(cents)
    # Stable also in reverse.
    for rank, place in enumerate(sorted(range(len(cents)), key=cents.__getitem__, reverse=True)):
        so_far += cents[place]
        if cents[place] <= 0 or total <= 0:
            break
        if rank == 0 or 100 * so_far <= A_UP_TO * total:
            classes[place] = "A"
        elif 100 * so_far <= B_UP_TO * total:
            classes[place] = "B"
    return classes


def top_share(money: Iterable[float], *, fifths: int) -> float | None:
    """Percent of the money that the biggest so many fifths of the customers brought; rounded down."""
    amounts = sorted(money, reverse=True)
    return percent(sum(amounts[: fifths * len(amounts) // 5]), sum(amounts))


def _scored(client_id: int, row: Rfm, grid: Grid) -> Scored:
    scores = grid.scores(row)
    return Scored(client_id=client_id, rfm=row, scores=scores, segment=segment_of(scores))


def _groups(of: Sequence[Name], money: Sequence[float], names: Iterable[Name]) -> dict[Name, Group]:
    """By the name of the group that each customer is in."""
    customers, whole = Counter(of), sum(money)
    brought = dict.fromkeys(names, 0.0)
    for name, paid in zip(of, money, strict=True):
        brought[name] += paid
    return {
        name: Group(
            customers=customers[name],
            money=paid,
            share=percent(customers[name], len(money)),
            share_amount=percent(paid, whole),
        )
        for name, paid in brought.items()
    }


METRIC = Metric(
    key="segments",
    title={"ru": "Сегменты покупателей", "en": "Segments of customers"},
    unit={
        "ru": "покупатели, по всем покупкам до конца периода; R — дней с последней покупки, "
        "F — дней с покупками, M — вся выручка",
        "en": "customers, by all their purchases up to the end of the period; R: days since the last, "
        "F: days of buying, M: all revenue",
    },
    source="RFM by fifths (quantiles of type 7), segments of the R package rfm; "
    "ABC: 80 and 95 % of the revenue, counted from the biggest customer",
    compute=compute,
    reading={
        "ru": "RFM говорит, кого пора вернуть, ABC — кто приносит деньги; о причинах не говорит ни то, "
        "ни другое. Если покупателей меньше 100 или больше 40 % купили одинаковое число раз, границы "
        "постоянные: давность 30, 90, 180, 365 дней; 1–4 дня с покупками; 0,5, 1, 2 и 4 средних покупки.",
        "en": "RFM tells who should be won back, ABC who brings the money; neither tells why. With fewer "
        "than 100 customers, or if more than 40 % bought equally often, the cut-offs are fixed: 30, 90, "
        "180, 365 days since the last; 1–4 days of buying; 0.5, 1, 2 and 4 average purchases.",
    },
    minimum=None,
)
