"""A survey: after what it is asked, what it asks, and what an answer does."""

# ruff: noqa: RUF009 — the calls in defaults give values that cannot change

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from worker.config.values import (
    FORBID,
    Base,
    DurationOrNone,
    DurationText,
    Int,
    KeyText,
    Named,
    ScaleText,
    Some,
    Subject,
    field_of,
)
from worker.rules.calendar import Duration
from worker.rules.kinds.registry import KINDS
from worker.rules.scale import Option, Scale, parse_range

Metric = Literal["nps", "csat", "ces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledOption:
    """One of a survey's `options`."""

    __pydantic_config__ = FORBID

    label: Some
    value: Int


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveySettings:
    """`[[survey]]`. Before it is built, what the file leaves out follows the metric and the scale."""

    __pydantic_config__ = FORBID

    key: KeyText
    metric: Metric
    trigger: Literal["deal_won", "deal_lost", "deal_status", "complaint_closed"] = "deal_won"
    pipelines: tuple[Named, ...] = ()
    statuses: tuple[Named, ...] = ()
    base: Base = Field(default="closed", alias="from")
    delay: DurationText = Duration(business_days=1)
    scale: ScaleText = "1-10"
    options: tuple[LabelledOption, ...] = ()
    low: Int | None = None
    high: Int | None = None
    on_low: Literal["complaint", "task", "tell", "nothing"] = "complaint"
    confirm_low: DurationOrNone = Duration(span=timedelta(minutes=15))
    field: Named = ""
    subject: Subject = ""
    question: str = ""
    thanks_high: str = ""
    thanks_neutral: str = ""
    thanks_low: str = ""
    follow_up: str = ""
    follow_up_low: str = ""
    follow_up_neutral: str = ""
    follow_up_high: str = ""
    promo_in: Literal["question", "thanks_high", "on_request", "nowhere"] = "question"

    @property
    def answers(self) -> Scale:
        """The scale with its bands and labelled options."""
        options = tuple(Option(option.label, option.value) for option in self.options)
        if options:
            values = [option.value for option in options]
            first, last = min(values), max(values)
        else:
            first, last = parse_range(self.scale)
        low = first - 1 if self.low is None else self.low
        high = last + 1 if self.high is None else self.high
        return Scale(first=first, last=last, low=low, high=high, options=options)

    @property
    def base_field(self) -> str:
        return field_of(self.base)

    @property
    def subject_field(self) -> str:
        return field_of(self.subject)


def with_usual(table: Any) -> Any:
    """The table of the file with what it leaves out, which follows the metric."""
    kind = KINDS.get(str(table.get("metric"))) if isinstance(table, dict) else None
    if kind is None:
        return table
    # Who is asked to recommend gets something to recommend with; nobody is who lost or complained.
    is_about_friends = kind.key == "nps" and table.get("trigger") not in ("deal_lost", "complaint_closed")
    promo_in = "question" if is_about_friends else "nowhere"
    return {"scale": kind.default_scale, "delay": kind.default_delay, "promo_in": promo_in, **table}
