"""Which customers are which: RFM segments, and ABC by what they brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from worker.metrics.base import Customer, Facts, Metric, amount, share
from worker.metrics.customers import day_after, sold_by_customer
from worker.metrics.rfm import Grid, Rfm, Scores, Segment, grid_of, rfm_of, segment_of
from worker.metrics.stats import percent
from worker.rules.calendar import Period

A_UP_TO, B_UP_TO = 80, 95  # percent of the money, counted from the biggest customer
CLASSES = ("A", "B", "C")
TO_CALL = 20  # customers that are named
SLIPPING = frozenset({Segment.CANT_LOSE, Segment.AT_RISK})


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
    until = day_after(period, facts.now)
    customers = facts.customers or ()
    if len(customers) < max(1, facts.min_answers):
        return SegmentResult(
            customers=len(customers), grid=None, segments={}, classes={}, top_fifth=None, to_call=()
        )
    rows = {one.client_id: rfm_of(one, until - timedelta(days=1)) for one in customers}
    grid = grid_of([*rows.values()])
    scored = [_scored(client_id, row, grid) for client_id, row in rows.items()]
    money = sold_by_customer(customers)
    classes = abc(money)
    return SegmentResult(
        customers=len(customers),
        grid=grid,
        segments={
            segment: group
            for segment in Segment
            for group in (_group([one.client_id for one in scored if one.segment is segment], money),)
            if group.customers
        },
        classes={
            name: _group([client for client, of in classes.items() if of == name], money) for name in CLASSES
        },
        top_fifth=top_share(customers, fifths=1),
        to_call=_slipping(scored),
    )


def abc(money: Mapping[int, float]) -> dict[int, str]:
    """A, B or C of each customer: by the share that they and all bigger ones brought together.

    The biggest is A even alone; who brought nothing is C. Equals keep the order of their ids.
    """
    cents = {client: round(100 * paid) for client, paid in money.items()}  # whole, so that 80 % is 80 %
    total, so_far = sum(cents.values()), 0
    classes = {}
    for client in sorted(cents, key=lambda client: (-cents[client], client)):
        so_far += cents[client]
        if cents[client] <= 0 or total <= 0:
            classes[client] = "C"
        elif not classes or 100 * so_far <= A_UP_TO * total:
            classes[client] = "A"
        else:
            classes[client] = "B" if 100 * so_far <= B_UP_TO * total else "C"
    return classes


def top_share(customers: Sequence[Customer], *, fifths: int) -> float | None:
    """Percent of the money that the biggest so many fifths of the customers brought; rounded down."""
    amounts = sorted((one.money for one in customers), reverse=True)
    return percent(sum(amounts[: fifths * len(amounts) // 5]), sum(amounts))


def _scored(client_id: int, row: Rfm, grid: Grid) -> Scored:
    scores = grid.scores(row)
    return Scored(client_id=client_id, rfm=row, scores=scores, segment=segment_of(scores))


def _slipping(scored: Sequence[Scored]) -> list[Scored]:
    """The biggest first."""
    late = [one for one in scored if one.segment in SLIPPING]
    return sorted(late, key=lambda one: (-one.rfm.money, one.client_id))[:TO_CALL]


def _group(clients: Sequence[int], money: Mapping[int, float]) -> Group:
    brought = sum(money[client] for client in clients)
    return Group(
        customers=len(clients),
        money=brought,
        share=percent(len(clients), len(money)),
        share_amount=percent(brought, sum(money.values())),
    )


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
