"""A complaint does not sleep: when the next head is told that nobody took it, and when who is above them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from worker.rules.calendar import Calendar, Duration


class Step(StrEnum):
    """Each is taken once."""

    UNTAKEN = "untaken"  # nobody pressed «Беру»: the alert is repeated, and the next head is told
    ESCALATED = "escalated"  # still nobody: `escalate_to`
    OVERDUE = "overdue"  # the client was promised a call by now


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Of `[complaints]`, in business time."""

    take_within: Duration
    escalate_after: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A complaint that is open, as far as its escalation goes.

    `heard_at`: the first alert arrived; None: nobody could have taken it. `opened_again_at`: a person opened
    it again in amoCRM, so what was asked for before is over. `passed_at`: given to somebody, who has yet
    to take it. `is_contacted`: somebody talked with the client.
    """

    heard_at: datetime | None
    is_taken: bool
    deadline: datetime | None
    call_later_at: datetime | None = None
    opened_again_at: datetime | None = None
    passed_at: datetime | None = None
    is_contacted: bool = False


def due_at(step: Step, waiting: Waiting, terms: Terms, calendar: Calendar) -> datetime | None:
    """When this step is taken, which may be past. None: never, as things stand."""
    if step is Step.OVERDUE:
        again = waiting.opened_again_at
        is_over = waiting.deadline is None or (again is not None and waiting.deadline <= again)
        return None if is_over or waiting.is_contacted else waiting.deadline
    if waiting.is_taken or waiting.heard_at is None:
        return None
    since = max(filter(None, (waiting.heard_at, waiting.opened_again_at, waiting.passed_at)))
    within = terms.take_within if step is Step.UNTAKEN else terms.escalate_after
    at = calendar.deadline(since, within)
    # «Позвонить позже» is a word that somebody knows of it: the alert itself returns then.
    return max(at, waiting.call_later_at or at)
