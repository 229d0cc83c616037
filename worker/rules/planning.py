"""Which surveys a deal calls for, about whom, and when they are due."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from worker.rules.calendar import Calendar, SendWindow
from worker.rules.duration import Duration
from worker.rules.eligibility import Reason
from worker.rules.scale import Scale

# In every pipeline: https://www.amocrm.ru/developers/content/crm_platform/leads_pipelines
WON = 142
LOST = 143
CLOSED = frozenset({WON, LOST})

_YEAR_2100 = 4_102_444_800  # in Unix seconds; what lies beyond is no date but milliseconds or a phone number


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRule:
    """One `[[survey]]` after its names were resolved against the account."""

    key: str
    metric: str
    trigger: str  # deal_won, deal_lost, deal_status, complaint_closed
    scale: Scale
    pipelines: frozenset[int]  # empty: every pipeline but complaints
    statuses: frozenset[tuple[int, int]]  # (pipeline, status), for deal_status
    base: str = "closed"  # closed, entered, field: what the delay counts from
    base_field: int | None = None
    delay: Duration
    subject: str = ""  # "", manager, field: whom the score is about
    subject_field: int | None = None
    score_field: int | None = None  # the deal field that takes the score
    on_low: str = "complaint"  # complaint, task, tell, nothing
    confirm_low: Duration | None = None
    promo_in: str = "question"  # question, thanks_high, on_request, nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class DealFacts:
    """What planning needs to know of a deal. Times are aware."""

    deal_id: int
    pipeline_id: int
    status_id: int
    manager_id: int
    manager: str
    created_at: datetime
    closed_at: datetime | None
    entered_at: datetime | None  # into its present status
    updated_at: datetime
    fields: Mapping[str, Sequence[Mapping[str, Any]]]  # field id as text → [{"value": …, "enum_id": …}]
    is_deleted: bool = False
    is_reply: bool = False  # the messenger integration opened it because of a reply


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningPolicy:
    """Which deals are asked about at all."""

    surveys_since: datetime
    max_deal_age: timedelta | None
    complaints_pipeline: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A survey that the deal calls for. With `skip` it is settled already, and never sent."""

    rule: SurveyRule
    triggered_at: datetime  # when the deal was closed, or entered the status
    due_at: datetime
    subject: str
    subject_is_manager: bool
    skip: Reason | None  # OLD_DEAL, TOO_OLD, NO_SUBJECT


def plan_surveys(
    deal: DealFacts,
    rules: Sequence[SurveyRule],
    policy: PlanningPolicy,
    calendar: Calendar,
    window: SendWindow,
) -> tuple[Planned, ...]:
    """The surveys whose trigger the deal satisfies, in the order of the rules.

    A due time lies in the send window and never before the trigger. A late start does not move it: what was
    due while the worker was down is due in the past, and expires as if it had been seen in time.
    """
    return tuple(
        _plan(rule, deal, policy, calendar, window) for rule in rules if triggers(rule, deal, policy)
    )


def triggers(rule: SurveyRule, deal: DealFacts, policy: PlanningPolicy) -> bool:
    """Does the deal satisfy the rule's trigger now?"""
    if deal.is_deleted or deal.is_reply:
        return False
    is_complaint = deal.pipeline_id == policy.complaints_pipeline
    if is_complaint or rule.trigger == "complaint_closed":
        return is_complaint and rule.trigger == "complaint_closed" and deal.status_id in CLOSED
    if rule.pipelines and deal.pipeline_id not in rule.pipelines:
        return False
    return _is_where_it_should_be(rule, deal)


def still_holds(rule: SurveyRule, deal: DealFacts) -> Reason | None:
    """Why the question may not be asked after all; None if the deal is as it was when it was planned.

    After `deal_status` a deal may have moved on, and one that stays won may have changed its pipeline.
    """
    if deal.is_deleted:
        return Reason.DELETED
    if rule.trigger == "deal_status":
        return None
    holds = (
        deal.status_id in CLOSED if rule.trigger == "complaint_closed" else _is_where_it_should_be(rule, deal)
    )
    return None if holds else Reason.REOPENED


def triggered_at(rule: SurveyRule, deal: DealFacts) -> datetime:
    """When the deal satisfied the trigger.

    amoCRM lets anybody write any closing date, so a future one is not believed: nothing closes after it was
    last changed. Without one it is the first sight of the status.
    """
    seen = deal.entered_at or deal.updated_at
    if rule.trigger == "deal_status" and deal.status_id not in CLOSED:
        return min(seen, deal.updated_at)
    return min(deal.closed_at or seen, deal.updated_at)


def _is_where_it_should_be(rule: SurveyRule, deal: DealFacts) -> bool:
    match rule.trigger:
        case "deal_won":
            return deal.status_id == WON
        case "deal_lost":
            return deal.status_id == LOST
        case _:
            return (deal.pipeline_id, deal.status_id) in rule.statuses


def _plan(
    rule: SurveyRule, deal: DealFacts, policy: PlanningPolicy, calendar: Calendar, window: SendWindow
) -> Planned:
    trigger = triggered_at(rule, deal)
    due = calendar.add(_base(rule, deal, trigger, calendar.zone), rule.delay, window)
    # A date in a field may lie long before the closing: the client is not asked in the past.
    due = max(due.astimezone(UTC), trigger.astimezone(UTC))
    subject = _subject(rule, deal)
    return Planned(
        rule=rule,
        triggered_at=trigger,
        due_at=window.next_open(due.astimezone(calendar.zone)),
        subject=subject,
        subject_is_manager=rule.subject == "manager",
        skip=_settled(deal, policy, trigger, needs_subject=bool(rule.subject) and not subject),
    )


def _settled(
    deal: DealFacts, policy: PlanningPolicy, trigger: datetime, *, needs_subject: bool
) -> Reason | None:
    if trigger < policy.surveys_since:
        return Reason.OLD_DEAL
    if policy.max_deal_age is not None and trigger - deal.created_at > policy.max_deal_age:
        return Reason.TOO_OLD
    return Reason.NO_SUBJECT if needs_subject else None


def _base(rule: SurveyRule, deal: DealFacts, trigger: datetime, zone: tzinfo) -> datetime:
    """What the delay counts from."""
    match rule.base:
        case "entered":
            return min(deal.entered_at, deal.updated_at) if deal.entered_at else trigger
        case "field":
            return _date_in(_values(deal, rule.base_field), zone) or trigger
        case _:
            return trigger


def _subject(rule: SurveyRule, deal: DealFacts) -> str:
    """Who is rated, by name; "" if nobody is, or nobody is named."""
    match rule.subject:
        case "manager":
            # A user who was removed from the account has lost the name, not the deals.
            return deal.manager.strip() or (str(deal.manager_id) if deal.manager_id else "")
        case "field":
            names = (str(value).strip() for value in _values(deal, rule.subject_field) if value is not None)
            return ", ".join(name for name in names if name)
        case _:
            return ""


def _values(deal: DealFacts, field_id: int | None) -> list[object]:
    return [row.get("value") for row in deal.fields.get(str(field_id)) or ()]


def _date_in(values: Sequence[object], zone: tzinfo) -> datetime | None:
    """The first value that is a date: Unix seconds or ISO text. A plain date is its local midnight."""
    found = (_read_date(value, zone) for value in values)
    return next((moment for moment in found if moment), None)


def _read_date(value: object, zone: tzinfo) -> datetime | None:
    if isinstance(value, str) and re.fullmatch(r"\d{9,10}", value.strip()):
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC) if 0 < value < _YEAR_2100 else None
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return moment if 1970 <= moment.year < 2100 else None
