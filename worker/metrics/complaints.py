"""Complaints: how many came, how long they took, and how long the open ones have waited."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from worker.metrics.base import ComplaintFact, Facts, Metric, amount, same_days_before
from worker.metrics.stats import Lifetime, mean, median, median_lifetime, nearest_rank
from worker.rules.calendar import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintResult:
    """Durations in calendar seconds."""

    opened: int  # entered the pipeline in the period
    closed: int
    open_now: int  # of whatever period
    resolution_mean: float | None  # of those closed in the period: says nothing of those that are open
    resolution_median: float | None
    resolution_p90: float | None
    oldest_open: float | None
    typical: float | None  # median of those opened in the period, open ones counted too (Kaplan–Meier)
    opened_before: int  # in as many days of the period before
    closed_before: int

    def as_json(self) -> dict[str, Any]:
        return {
            "opened": self.opened,
            "closed": self.closed,
            "open_now": self.open_now,
            "resolution_mean": amount(self.resolution_mean),
            "resolution_median": amount(self.resolution_median),
            "resolution_p90": amount(self.resolution_p90),
            "oldest_open": amount(self.oldest_open),
        }


def compute(facts: Facts, period: Period) -> ComplaintResult:
    before = same_days_before(period, facts.now)
    opened = [row for row in facts.complaints if period.contains(row.opened_at)]
    took = _resolution_times(facts.complaints, period)
    ages = [(facts.now - row.opened_at).total_seconds() for row in facts.complaints if row.is_open]
    return ComplaintResult(
        opened=len(opened),
        closed=len(took),
        open_now=len(ages),
        resolution_mean=mean(took),
        resolution_median=median(took),
        resolution_p90=nearest_rank(took, 0.9),
        oldest_open=max(ages, default=None),
        typical=median_lifetime(
            Lifetime(
                ((row.closed_at or facts.now) - row.opened_at).total_seconds(), row.closed_at is not None
            )
            for row in opened
            if row.closed_at or row.is_open
        ),
        opened_before=sum(before.contains(row.opened_at) for row in facts.complaints),
        closed_before=len(_resolution_times(facts.complaints, before)),
    )


def _resolution_times(complaints: Iterable[ComplaintFact], period: Period) -> list[float]:
    """Of those closed in the period: from the first opening to the last closing, however often reopened."""
    return [
        (row.closed_at - row.opened_at).total_seconds()
        for row in complaints
        if row.closed_at is not None and period.contains(row.closed_at)
    ]


METRIC = Metric(
    key="complaints",
    title={"ru": "Рекламации", "en": "Complaints"},
    unit={
        "ru": "сделки, по дню поступления и по дню закрытия; открытые — на сейчас",
        "en": "deals, by the day of opening and of closing; open ones as of now",
    },
    source="E. Kaplan and P. Meier, JASA 1958, for the median with open ones; the rest are plain counts",
    compute=compute,
)
