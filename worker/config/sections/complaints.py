"""What becomes of a bad answer: the complaint, and whom it wakes."""

# ruff: noqa: RUF009 — the calls in defaults give values that cannot change

from dataclasses import dataclass
from datetime import timedelta

from worker.config.values import FORBID, Count, Deadline, Int, Named, Quiet, SomeNamed
from worker.rules.calendar import Duration, Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints:
    """`[complaints]`"""

    __pydantic_config__ = FORBID

    pipeline: SomeNamed = "Рекламации"
    status: Named = ""
    responsible: SomeNamed = "head"
    take_within: Deadline = Duration(span=timedelta(hours=1))
    escalate_after: Deadline = Duration(span=timedelta(hours=2))
    task_deadline: Deadline = Duration(business_days=1)
    topic_field: Named = "Причина рекламации"
    escalate_to: str = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """`[alerts]`"""

    __pydantic_config__ = FORBID

    quiet_hours: Quiet = Hours(21 * 60, 8 * 60)
    burst: Count = 5
    groups: tuple[Int, ...] = ()
