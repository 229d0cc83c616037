"""Complaints: how many came and of what kind, how long they took, and how long the open ones have waited."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.metrics.base import ComplaintFact, Facts, Metric, amount, number_of, same_days_before, share
from worker.metrics.complaint_care import (
    Contentment,
    Promise,
    Share,
    contacted_in_time,
    contentment,
    recovery,
    taken_in_time,
    written,
)
from worker.metrics.people import Person, told_apart
from worker.metrics.stats import Lifetime, mean, median, median_lifetime, nearest_rank
from worker.rules.calendar import Period

DAY = 86_400  # seconds
AGES = (0, 1, 3, 7, 30)  # days from which each bucket of ages begins


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOne:
    """A complaint that waits; no client is named."""

    number: int
    age: float  # seconds
    topic: str
    manager: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """The complaints that are open at the moment of the report, whenever they came."""

    open: tuple[OpenOne, ...]  # the oldest first
    counts: Mapping[str, int]  # "0-1", "1-3" … "30+" days -> complaints; all buckets are there
    median: float | None
    oldest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfManager:
    """As of the survey: deals are reassigned after a bad score."""

    opened: int
    closed: int
    open_now: int
    reopened: int
    closed_by_own: int  # by the person whom they are about

    def as_json(self) -> dict[str, Any]:
        return {
            "opened": self.opened,
            "closed": self.closed,
            "open_now": self.open_now,
            "reopened": self.reopened,
            "closed_by_own": self.closed_by_own,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintResult:
    """Durations in calendar seconds, unless working time is named."""

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
    resolved: int  # of those closed
    rejected: int
    resolution_business_median: float | None  # working time; None: the calendar is not known
    per_won: Share  # opened, to the deals that were won in the period
    ages: Ages
    reopened: Share  # of those opened in the period that were ever closed
    by_topic: Mapping[str, int]  # of those opened, most first; "" has no topic
    by_manager: Mapping[str, OfManager]  # most opened first
    by_score: int  # of those opened: for a low score, and by a person
    by_hand: int
    topic_filled: Share  # of those closed; no figure where there is no field for it
    closed_by_own: Share  # of those closed of which it is known who did it, and whom they are about
    take: Promise | None  # of low scores of the period; None: nothing is promised
    contact: Promise | None
    solved: Contentment
    recovered: Share  # of those closed for a low score, whose client rated that

    def as_json(self) -> dict[str, Any]:
        return {
            "opened": self.opened,
            "closed": self.closed,
            "open_now": self.open_now,
            "resolution_mean": amount(self.resolution_mean),
            "resolution_median": amount(self.resolution_median),
            "resolution_p90": amount(self.resolution_p90),
            "oldest_open": amount(self.oldest_open),
            "resolved": self.resolved,
            "rejected": self.rejected,
            "resolution_median_with_open": amount(self.typical),
            "resolution_business_median": amount(self.resolution_business_median),
            "per_100_won": share(self.per_won.value),
            "per_100_won_ci95": written(self.per_won.interval),
            "open_by_age": dict(self.ages.counts),
            "open_median": amount(self.ages.median),
            "reopened": self.reopened.part,
            "reopened_share": share(self.reopened.value),
            "by_score": self.by_score,
            "by_hand": self.by_hand,
            "by_topic": dict(self.by_topic),
            "by_manager": {name: of.as_json() for name, of in self.by_manager.items()},
            "topic_filled": self.topic_filled.part,
            "topic_filled_share": share(self.topic_filled.value),
            "closed_by_own": self.closed_by_own.part,
            "closed_by_known": self.closed_by_own.whole,
            "take": None if self.take is None else self.take.as_json(),
            "contact": None if self.contact is None else self.contact.as_json(),
            "solved_csat": self.solved.as_json(),
            "rerated": self.recovered.whole,
            "recovered": self.recovered.part,
            "recovered_share": share(self.recovered.value),
        }


def compute(facts: Facts, period: Period) -> ComplaintResult:
    before, promises = same_days_before(period, facts.now), facts.promises
    opened = [row for row in facts.complaints if period.contains(row.opened_at)]
    closed = _closed(facts.complaints, period)
    took = [_lasted(row, facts) for row in closed]
    known = [row for row in closed if row.closed_by and row.manager_id]
    ages = _ages(facts)
    return ComplaintResult(
        opened=len(opened),
        closed=len(closed),
        open_now=len(ages.open),
        resolution_mean=mean(took),
        resolution_median=median(took),
        resolution_p90=nearest_rank(took, 0.9),
        oldest_open=ages.oldest,
        typical=median_lifetime(
            Lifetime(_lasted(row, facts), row.closed_at is not None)
            for row in opened
            if row.closed_at or row.is_open
        ),
        opened_before=sum(before.contains(row.opened_at) for row in facts.complaints),
        closed_before=len(_closed(facts.complaints, before)),
        resolved=sum(row.is_solved is True for row in closed),
        rejected=sum(row.is_solved is False for row in closed),
        resolution_business_median=_working_median(closed, facts),
        per_won=Share(
            part=len(opened),
            whole=number_of(sale for sale in facts.sales if period.contains(sale.closed_at)),
        ),
        ages=ages,
        reopened=Share(
            part=sum(row.reopened > 0 for row in opened),
            whole=sum(row.reopened > 0 or row.closed_at is not None for row in opened),
        ),
        by_topic=dict(_most_first(Counter(row.topic for row in opened))),
        by_manager=_by_manager(opened, closed, facts.complaints),
        by_score=sum(not row.by_hand for row in opened),
        by_hand=sum(row.by_hand for row in opened),
        topic_filled=Share(
            part=sum(bool(row.topic) for row in closed), whole=len(closed), is_enough=facts.has_topics
        ),
        closed_by_own=Share(part=sum(map(_is_own, known)), whole=len(known)),
        take=None if promises is None else taken_in_time(opened, promises, facts.now),
        contact=None if promises is None else contacted_in_time(opened, promises, facts.now),
        solved=contentment(facts.surveys, facts, period),
        recovered=recovery(closed, facts.min_answers),
    )


def _closed(complaints: Iterable[ComplaintFact], period: Period) -> list[ComplaintFact]:
    return [row for row in complaints if row.closed_at is not None and period.contains(row.closed_at)]


def _lasted(row: ComplaintFact, facts: Facts) -> float:
    """From the first opening to the last closing, however often it was opened again; to now if it is open.

    People may write any day of closing into a deal: nothing ends before it began.
    """
    return max(0.0, ((row.closed_at or facts.now) - row.opened_at).total_seconds())


def _working_median(closed: Iterable[ComplaintFact], facts: Facts) -> float | None:
    if facts.promises is None:
        return None
    calendar = facts.promises.calendar
    return median(
        calendar.work_seconds(row.opened_at, row.closed_at) for row in closed if row.closed_at is not None
    )


def _ages(facts: Facts) -> Ages:
    names = _names(facts.complaints)
    waiting = [
        OpenOne(
            number=row.number, age=_lasted(row, facts), topic=row.topic, manager=names.get(_whose(row), "")
        )
        for row in facts.complaints
        if row.is_open
    ]
    ages = [one.age for one in waiting]
    return Ages(
        open=tuple(sorted(waiting, key=lambda one: -one.age)),
        counts=_buckets(ages),
        median=median(ages),
        oldest=max(ages, default=None),
    )


def _buckets(ages: Sequence[float]) -> dict[str, int]:
    """By `>=` and `<`, so that each age is in one: what is a day old to the second is in "1-3".

    >>> _buckets([0, DAY - 1, DAY, 40 * DAY])
    {'0-1': 2, '1-3': 1, '3-7': 0, '7-30': 0, '30+': 1}
    """
    ends: list[float] = [*AGES[1:], float("inf")]
    return {
        f"{first}-{end:g}" if end < float("inf") else f"{first}+": sum(
            first * DAY <= age < end * DAY for age in ages
        )
        for first, end in zip(AGES, ends, strict=True)
    }


def _by_manager(
    opened: Sequence[ComplaintFact], closed: Sequence[ComplaintFact], all_: Sequence[ComplaintFact]
) -> Mapping[str, OfManager]:
    """What was opened by hand may be about nobody."""
    counts: dict[Person, Counter[str]] = {}

    def count(rows: Iterable[ComplaintFact], what: str) -> None:
        for row in rows:
            if person := _whose(row):
                counts.setdefault(person, Counter())[what] += 1

    count((row for row in all_ if row.is_open), "open_now")
    count(closed, "closed")
    count((row for row in closed if _is_own(row)), "own")
    count((row for row in opened if row.reopened), "reopened")
    count(opened, "opened")
    names = _names(all_)
    ordered = sorted(counts, key=lambda person: (-counts[person]["opened"], names[person]))
    return {
        names[person]: OfManager(
            opened=counts[person]["opened"],
            closed=counts[person]["closed"],
            open_now=counts[person]["open_now"],
            reopened=counts[person]["reopened"],
            closed_by_own=counts[person]["own"],
        )
        for person in ordered
    }


def _names(rows: Iterable[ComplaintFact]) -> Mapping[Person, str]:
    """The latest of each, by id, told apart where two people share one."""
    latest: dict[Person, str] = {}
    for row in sorted(rows, key=lambda row: row.opened_at):
        if person := _whose(row):
            latest[person] = row.manager or latest.get(person, str(person))
    return told_apart(latest)


def _whose(row: ComplaintFact) -> Person:
    return row.manager_id or row.manager


def _is_own(row: ComplaintFact) -> bool:
    return row.closed_by != 0 and row.closed_by == row.manager_id


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda topic: (-topic[1], topic[0]))


METRIC = Metric(
    key="complaints",
    title={"ru": "Рекламации", "en": "Complaints"},
    unit={
        "ru": "сделки, по дню поступления и по дню закрытия; открытые — на сейчас",
        "en": "deals, by the day of opening and of closing; open ones as of now",
    },
    source="E. Kaplan and P. Meier, JASA 1958, for the median with open ones; the rest are plain counts",
    compute=compute,
    reading={
        "ru": "Среднее по закрытым молчит о тех, что ещё ждут: смотрите и на открытые. "
        "Время решения — от первого поступления до последнего закрытия, сколько бы раз её ни открывали. "
        "Сроки считаются в рабочем времени и только по низким оценкам.",
        "en": "The mean of what is closed says nothing of what still waits: look at the open ones too. "
        "Time runs from the first opening to the last closing, however often it was opened again. "
        "What was promised is counted in working time, and of low scores only.",
    },
)
