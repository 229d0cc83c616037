"""Scorecards of calls: what one comes to, which version of the criteria it has, and which calls are drawn."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from worker.rules.calendar import Calendar
from worker.rules.localtime import moment_at
from worker.rules.wording import Texts

T = TypeVar("T")

Marks = Mapping[str, float | None]  # by the key of the criterion; None: does not apply to this call

MARKS: Mapping[str, float | None] = {"1": 1.0, "h": 0.5, "0": 0.0, "n": None}  # as buttons name them
USUAL = ("speech", "objections", "next_step", "questions")  # the criteria of whoever names no others
EVERY = 5  # of so many calls one is scored by two people


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    key: str
    name: str
    weight: float = 1
    is_critical: bool = False  # 0 here makes the whole call 0


def usual(texts: Texts) -> tuple[Criterion, ...]:
    return tuple(Criterion(key=key, name=texts.fill(f"iqs.criterion.{key}")) for key in USUAL)


def written(criteria: Iterable[Criterion]) -> list[dict[str, Any]]:
    """To be kept with a card: what the settings say later changes nothing about it."""
    return [
        {"key": one.key, "name": one.name, "weight": one.weight, "critical": one.is_critical}
        for one in criteria
    ]


def read_criteria(kept: Iterable[Mapping[str, Any]]) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(
            key=str(one["key"]),
            name=str(one["name"]),
            weight=float(one["weight"]),
            is_critical=bool(one["critical"]),
        )
        for one in kept
    )


def score(criteria: Iterable[Criterion], marks: Marks) -> float | None:
    """0–100; None where nothing applies. What does not apply is left out of both sums.

    >>> four = [Criterion(key=key, name=key, weight=weight) for key, weight in zip("abcd", (1, 2, 2, 1))]
    >>> score(four, {"a": 1, "b": 0.5, "c": 0, "d": 1}), score(four, {"a": 1, "c": 0, "d": 1})
    (50.0, 50.0)
    """
    marked = [(one, mark) for one in criteria if (mark := marks.get(one.key)) is not None]
    if not marked:
        return None
    if any(one.is_critical and mark == 0 for one, mark in marked):
        return 0.0
    return 100 * sum(one.weight * mark for one, mark in marked) / sum(one.weight for one, _ in marked)


def version_of(criteria: Iterable[Criterion]) -> str:
    """The same for the same keys, weights and critical ones; a name may be worded anew."""
    said = "|".join(f"{one.key}:{one.weight:g}:{one.is_critical:d}" for one in criteria)
    return hashlib.sha256(said.encode()).hexdigest()[:8]


# --- the draw ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Week:
    """Whose calls are drawn, from Monday to Sunday by the company's clock."""

    begins: datetime
    ends: datetime

    @property
    def key(self) -> str:
        return self.begins.date().isoformat()


def due_week(now: datetime, calendar: Calendar) -> Week | None:
    """Last week, from the beginning of work on this week's first business day. None: not now.

    Only in working hours, so that whoever switches it on in the evening wakes nobody.
    """
    today = now.astimezone(calendar.zone).date()
    if not calendar.work_seconds(now - timedelta(minutes=1), now + timedelta(minutes=1)):
        return None
    monday = today - timedelta(days=today.weekday())
    return Week(_midnight(monday - timedelta(days=7), calendar), _midnight(monday, calendar))


def _midnight(day: date, calendar: Calendar) -> datetime:
    return moment_at(day, 0, calendar.zone).astimezone(calendar.zone)


def in_order(seed: str, calls: Iterable[T], key: Callable[[T], str]) -> list[T]:
    """By chance, and with the same seed always in the same order, whatever order they came in."""
    return sorted(calls, key=lambda call: hashlib.sha256(f"{seed}:{key(call)}".encode()).digest())


def reviewers(able: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Who scores each call, of those who are `able`: evenly, and every fifth, rounded up, by two people.

    >>> reviewers([("Вера", "Инна")] * 3)
    [('Вера', 'Инна'), ('Вера',), ('Инна',)]
    """
    doubled = -(-len(able) // EVERY)
    load: Counter[str] = Counter()
    found: list[tuple[str, ...]] = []
    for people in able:
        is_doubled = doubled > 0 and len(people) > 1
        doubled -= is_doubled
        chosen = sorted(people, key=lambda one: (load[one], people.index(one)))[: 2 if is_doubled else 1]
        load.update(chosen)
        found.append(tuple(chosen))
    return found
