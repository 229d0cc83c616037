"""How well the company's people talk on the phone: scorecards of calls that were drawn by chance."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from worker.metrics.base import Facts, Metric, ReviewFact, share
from worker.metrics.complaint_care import Share, written
from worker.metrics.people import told_apart
from worker.metrics.stats import mean, mean_difference, mean_interval
from worker.rules.calendar import Period
from worker.rules.scorecards import score
from worker.rules.shares import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Of some scorecards: 0–100. Below the minimum there is no figure, only the count."""

    reviews: int
    score: float | None
    interval: Interval | None
    zeroed: int = 0  # made 0 by a critical criterion

    def as_json(self) -> dict[str, Any]:
        return {
            "reviews": self.reviews,
            "score": share(self.score),
            "ci95": written(self.interval),
            "critical": self.zeroed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How far one criterion is kept: the mean of its marks in percent, where it applied."""

    name: str
    reviews: int
    not_applicable: int
    value: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "reviews": self.reviews,
            "not_applicable": self.not_applicable,
            "share": share(self.value),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IqsResult:
    total: Quality
    before: Quality
    calls: int
    doubled: int  # calls that two people scored
    agreement: Share  # of the criteria of these, those with equal marks
    significant: bool | None
    by_criterion: Mapping[str, Kept]  # by its key, in the order of the newest scorecard
    by_manager: Mapping[str, Quality]  # the surest good one first
    comments: tuple[tuple[str, str], ...] = ()  # of whom, and what was written; the newest first

    def as_json(self) -> dict[str, Any]:
        return {
            **self.total.as_json(),
            "calls": self.calls,
            "previous": {"score": share(self.before.score), "reviews": self.before.reviews},
            "significant": self.significant,
            "by_criterion": {key: of.as_json() for key, of in self.by_criterion.items()},
            "by_manager": {name: of.as_json() for name, of in self.by_manager.items()},
            "agreement": {
                "calls": self.doubled,
                "criteria": self.agreement.whole,
                "equal": self.agreement.part,
                "share": share(self.agreement.value),
                "ci95": written(self.agreement.interval),
            },
        }


def compute(facts: Facts, period: Period) -> IqsResult:
    rows = [row for row in facts.reviews if period.contains(row.scored_at)]
    earlier = period.previous()
    before = [row for row in facts.reviews if earlier.contains(row.scored_at)]
    enough = max(1, facts.min_answers)
    doubled, agreement = _agreement(rows, enough)
    of: defaultdict[int, list[ReviewFact]] = defaultdict(list)
    for row in rows:
        of[row.manager_id].append(row)
    names = told_apart({one: facts.people.get(one) or str(one) for one in of})
    people = {names[one]: _quality(theirs, enough) for one, theirs in of.items()}
    return IqsResult(
        total=_quality(rows, enough),
        before=_quality(before, enough),
        calls=len({row.call_id for row in rows}),
        doubled=doubled,
        agreement=agreement,
        significant=_is_significant(_scores(before), _scores(rows), enough),
        by_criterion=_by_criterion(rows, enough),
        by_manager={
            name: people[name] for name in sorted(people, key=lambda name: _rank(name, people[name]))
        },
        comments=tuple(
            (names[row.manager_id], row.comment)
            for row in sorted(rows, key=lambda row: row.scored_at, reverse=True)
            if row.comment
        ),
    )


def _scores(rows: Iterable[ReviewFact]) -> list[float]:
    return [found for row in rows if (found := score(row.criteria, row.marks)) is not None]


def _quality(rows: Sequence[ReviewFact], enough: int) -> Quality:
    found = _scores(rows)
    is_enough = len(found) >= enough
    interval = mean_interval(found) if is_enough else None
    return Quality(
        reviews=len(found),
        score=mean(found) if is_enough else None,
        interval=interval and Interval(max(0.0, interval.low), min(100.0, interval.high)),
        zeroed=sum(
            any(one.is_critical and row.marks.get(one.key) == 0 for one in row.criteria) for row in rows
        ),
    )


def _is_significant(before: Sequence[float], now: Sequence[float], enough: int) -> bool | None:
    if min(len(before), len(now)) < enough:
        return None
    difference = mean_difference(before, now)
    return None if difference is None else difference.excludes_zero


def _by_criterion(rows: Sequence[ReviewFact], enough: int) -> Mapping[str, Kept]:
    newest = sorted(rows, key=lambda row: row.scored_at, reverse=True)
    names: dict[str, str] = {}
    for row in newest:
        for one in row.criteria:
            names.setdefault(one.key, one.name)
    found = {}
    for key, name in names.items():
        marks = [row.marks[key] for row in rows if key in row.marks]
        applied = [mark for mark in marks if mark is not None]
        kept = mean(applied) if len(applied) >= enough else None
        found[key] = Kept(
            name=name,
            reviews=len(applied),
            not_applicable=len(marks) - len(applied),
            value=None if kept is None else 100 * kept,
        )
    return found


def _agreement(rows: Iterable[ReviewFact], enough: int) -> tuple[int, Share]:
    """Of calls that two people scored. That both found it not to apply is agreement too."""
    by_call: defaultdict[int, list[ReviewFact]] = defaultdict(list)
    for row in rows:
        by_call[row.call_id].append(row)
    pairs = [pair for of_call in by_call.values() for pair in combinations(of_call, 2)]
    both = [
        (first.marks[key], second.marks[key])
        for first, second in pairs
        for key in first.marks.keys() & second.marks.keys()
    ]
    equal = sum(first == second for first, second in both)
    doubled = sum(len(of_call) > 1 for of_call in by_call.values())
    return doubled, Share(part=equal, whole=len(both), is_enough=len(both) >= enough)


def _rank(name: str, of: Quality) -> tuple[bool, float, int, str]:
    surely = of.interval.low if of.interval else of.score
    return (surely is None, -(surely or 0), -of.reviews, name)


METRIC = Metric(
    key="iqs",
    title={"ru": "Качество звонков (IQS)", "en": "Quality of calls (IQS)"},
    unit={
        "ru": "от 0 до 100, среднее по чек-листам звонков, выбранных случайно; по дню проверки",
        "en": "0 to 100, the mean of scorecards of calls drawn by chance; by the day of the scoring",
    },
    source="100 · Σw·v / Σw of what applies, 0 by a critical criterion; mean: t-interval; agreement: Wilson",
    compute=compute,
    reading={
        "ru": "Звонков проверяют немного, поэтому смотрите на интервал: разница внутри него ничего "
        "не значит. Если двое ставят за один звонок разное, договоритесь, что значит каждый критерий.",
        "en": "Few calls are scored, so look at the interval: a difference within it means nothing. Where "
        "two people mark one call differently, agree first on what each criterion means.",
    },
)
