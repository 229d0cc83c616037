"""What a metric is: facts and a period in, a result out that report and JSON can draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from worker.metrics.stats import rounded
from worker.rules.periods import Period, days
from worker.rules.scale import Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A configured survey: it is in the report even if nobody was asked."""

    key: str
    metric: str  # nps, csat, ces
    title: str  # for people, such as «Оценка менеджера»
    scale: Scale
    subject: str = ""  # "" (the company), "manager" or "field"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFact:
    """A survey that was sent or ended unsent, and what came of it."""

    survey: str
    metric: str
    settled_at: datetime | None  # first sent, or ended unsent
    refusal: str = ""  # why it was not sent; "" = it was
    is_open: bool = False  # sent, and an answer is still waited for
    is_uncertain: bool = False  # nothing has confirmed that it arrived
    channel: str = ""  # that took it last
    failed_on: tuple[str, ...] = ()  # channels that reported failure, or could not reach the person
    was_delivered: bool | None = None  # None where the channel does not tell
    was_read: bool | None = None
    answered_at: datetime | None = None  # when the client first scored
    score: int | None = None
    band: str = ""  # as it was when the client scored: thresholds may have changed since
    manager_id: int = 0
    manager: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintFact:
    opened_at: datetime
    closed_at: datetime | None = None
    is_open: bool = False  # neither closed nor moved out of the pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleFact:
    """A won deal."""

    closed_at: datetime
    amount: float
    is_referral: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFact:
    """A code for friends that was handed out."""

    first_sent_at: datetime
    is_redeemed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that metrics are made of, of the period and of the one before it."""

    now: datetime
    asked: tuple[Asked, ...] = ()
    min_answers: int = 5  # with fewer, no figure is made of scores
    surveys: tuple[SurveyFact, ...] = ()
    complaints: tuple[ComplaintFact, ...] = ()
    sales: tuple[SaleFact, ...] = ()
    codes: tuple[CodeFact, ...] = ()
    delivery_told_by: frozenset[str] = frozenset()  # channels
    reading_told_by: frozenset[str] = frozenset()


class Result(Protocol):
    """What a metric came to, at full precision."""

    def as_json(self) -> dict[str, Any]:
        """As in `report --json`: rounded once, here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    key: str  # the key in `report --json`
    title: Mapping[str, str]  # language -> words on the report
    unit: Mapping[str, str]  # language -> what is counted, and by which day
    source: str  # where the formulas come from
    compute: Callable[[Facts, Period], Result]


def is_running(period: Period, now: datetime) -> bool:
    return now < period.ends


def same_days_before(period: Period, now: datetime) -> Period:
    """The period before, cut to as many days as this one has had: what counts may be compared with."""
    before = period.previous()
    if not is_running(period, now):
        return before
    so_far = (now.astimezone(period.zone).date() - period.start).days + 1
    end = before.start + timedelta(days=max(1, so_far))
    return before if end >= before.end else days(before.start, end, period.zone)


def share(value: float | None) -> float | None:
    """A score, share or rate for JSON."""
    return None if value is None else rounded(value)


def amount(value: float | None) -> float | int | None:
    """Money or seconds for JSON: whole where nothing is behind the point."""
    if value is None:
        return None
    figure = rounded(value)
    return int(figure) if figure.is_integer() else figure
