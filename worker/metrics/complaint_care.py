"""How soon complaints are taken and clients spoken to, and what clients say once it is over."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.metrics.base import ComplaintFact, Facts, Promises, SurveyFact, amount, number_of, share
from worker.metrics.stats import counted_mean, median, nearest_rank, percent
from worker.rules.calendar import Calendar, Duration, Period
from worker.rules.scale import Band
from worker.rules.shares import Interval, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many. Below the minimum there is no figure, only the counts."""

    part: int
    whole: int
    is_enough: bool = True

    @property
    def value(self) -> float | None:
        """Percent."""
        return percent(self.part, self.whole) if self.is_enough else None

    @property
    def interval(self) -> Interval | None:
        """None also where there are more parts than wholes: a rate is no share."""
        if not self.is_enough or not self.whole or self.part > self.whole:
            return None
        return wilson(self.part, self.whole).times(100)


def written(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [share(end) for end in interval]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Something that was to be done within a time. Durations are working seconds."""

    kept: Share  # of the complaints that are old enough to have had the time
    median: float | None  # of those where it was done
    p90: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "due": self.kept.whole,
            "within": self.kept.part,
            "share": share(self.kept.value),
            "ci95": written(self.kept.interval),
            "business_median": amount(self.median),
            "business_p90": amount(self.p90),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Contentment:
    """Scores of how a complaint was solved, by the day of the score."""

    answers: int
    mean: float | None
    satisfied: Share

    def as_json(self) -> dict[str, Any]:
        return {
            "answered": self.answers,
            "mean": share(self.mean),
            "satisfied_share": share(self.satisfied.value),
            "ci95": written(self.satisfied.interval),
        }


Done = Callable[[ComplaintFact], datetime | None]


def taken_in_time(rows: Iterable[ComplaintFact], promises: Promises, now: datetime) -> Promise:
    return _promise(rows, _taken_at, promises.taken, promises.calendar, now)


def contacted_in_time(rows: Iterable[ComplaintFact], promises: Promises, now: datetime) -> Promise:
    return _promise(rows, _contacted_at, promises.contacted, promises.calendar, now)


def _taken_at(row: ComplaintFact) -> datetime | None:
    """Who closes a complaint that nobody has taken has taken it."""
    return row.taken_at or row.closed_at


def _contacted_at(row: ComplaintFact) -> datetime | None:
    """What is solved was talked about, at the latest then; of what was rejected that is not known."""
    return row.contacted_at or (row.closed_at if row.is_solved else None)


def _promise(
    rows: Iterable[ComplaintFact], done: Done, within: Duration, calendar: Calendar, now: datetime
) -> Promise:
    """Of low scores: what people open by hand alarms nobody, and is promised to nobody.

    Not yet due ones are left out, and so is what was moved away before anything was done.
    """
    due, kept = 0, 0
    took: list[float] = []
    for row in rows:
        at = done(row)
        if row.by_hand or (at is None and not row.is_open and row.closed_at is None):
            continue
        if at is not None:
            took.append(calendar.work_seconds(row.opened_at, at))
        if (deadline := calendar.deadline(row.opened_at, within)) <= now:
            due += 1
            kept += at is not None and at <= deadline
    return Promise(kept=Share(part=kept, whole=due), median=median(took), p90=nearest_rank(took, 0.9))


def contentment(surveys: Iterable[SurveyFact], facts: Facts, period: Period) -> Contentment:
    rows = [
        row
        for row in surveys
        if row.is_of_complaint
        and row.metric == "csat"
        and row.score is not None
        and row.answered_at is not None
        and period.contains(row.answered_at)
    ]
    answers = number_of(rows)
    is_enough = answers >= max(facts.min_answers, 1)
    scores: Counter[int] = Counter()
    # Marks of two scales have no mean together.
    for row in rows if len({row.scale for row in rows}) < 2 else ():
        scores[row.score or 0] += row.count
    return Contentment(
        answers=answers,
        mean=counted_mean(scores) if is_enough else None,
        satisfied=Share(
            part=number_of(row for row in rows if row.band != Band.LOW), whole=answers, is_enough=is_enough
        ),
    )


def recovery(closed: Sequence[ComplaintFact], min_answers: int) -> Share:
    """Of clients with a low score whose complaint was closed and who rated that: above the threshold now."""
    rated = [row.is_content for row in closed if not row.by_hand and row.is_content is not None]
    return Share(part=sum(rated), whole=len(rated), is_enough=len(rated) >= max(min_answers, 1))
