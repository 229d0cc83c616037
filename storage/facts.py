"""What reports are made of: flat rows, read only, of a half-open stretch of time."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, exists, false, func, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.flat import grouped_by, place_in, rows_as, rows_of, within
from storage.narrowed import AFTER_COMPLAINT
from storage.surveys import MACHINE, REACTION, WISHES
from storage.tables import Complaint, Contact, Deal, Reply, Request, Survey, SurveyState

SETTLED = (
    SurveyState.SENT,
    SurveyState.UNCERTAIN,
    SurveyState.ANSWERED,
    SurveyState.EXPIRED,
    SurveyState.SKIPPED,
    SurveyState.FAILED,
)


@dataclass(frozen=True, slots=True)
class SurveyRow:
    survey_key: str
    metric: str
    state: str
    reason: str
    settled_at: datetime | None
    channel: str
    tried: list[str]  # channels that failed for good
    delivered_at: datetime | None
    read_at: datetime | None
    uncertain: bool
    answered_at: datetime | None
    score: int | None
    band: str
    manager_id: int
    manager: str
    subject: str
    scale: str = ""
    trigger: str = "deal_won"
    root_deal_id: int = 0
    pipeline_id: int = 0
    first_score: int | None = None  # before it was corrected
    manager_now: int = 0
    has_words: bool = False
    has_own_tag: bool = False  # the stop tag of the contact is ours
    is_declined: bool = False  # a call was asked for in place of a score
    count: int = 1  # so many are alike


@dataclass(frozen=True, slots=True)
class ComplaintRow:
    opened_at: datetime
    closed_at: datetime | None
    left_at: datetime | None
    is_solved: bool | None = None
    reopened: int = 0
    by_hand: bool = False
    topic: str = ""
    manager_id: int = 0
    manager: str = ""
    taken_at: datetime | None = None  # for the first time
    contacted_at: datetime | None = None
    closed_by_user: int = 0
    solution: str | None = None  # the band of the client's latest score for it
    number: int = field(default=0, compare=False)
    deal_id: int = 0  # the sales deal that it is about


@dataclass(frozen=True, slots=True)
class RequestRow:
    asked_at: datetime
    is_answered: bool


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One reply of a client, in the columns and the order of `sarafan export`."""

    received_at: datetime
    channel: str
    external_id: str
    survey: str | None
    metric: str | None
    deal_id: int | None
    contact_id: int | None
    manager: str | None
    subject: str | None
    score: int | None
    band: str | None
    late: bool
    counts: bool
    text: str


async def survey_rows(
    tx: AsyncSession, begins: datetime, ends: datetime, *, middle: datetime | None = None
) -> list[SurveyRow]:
    """First sent, ended unsent or answered in this time; not what still waits, nor deals that are replies.

    `middle`: rows that differ in nothing but the deal, and in when it was before the middle or after it, are
    one with the latest of their times, and counted. What is told by deals stays by itself: several questions
    about one, and answers about a deal that another manager leads by now.
    """
    moments = (col(Survey.settled_at), col(Survey.delivered_at), col(Survey.read_at), col(Survey.answered_at))
    deal_id: Any = col(Survey.root_deal_id)
    first_score = case((col(Survey.revision) > 1, _first_score()), else_=col(Survey.score))
    has_words = case((col(Survey.score).is_not(None), _has_words()), else_=false())
    tried = cast(col(Survey.tried), Text)  # PostgreSQL does not compare JSON
    apart = [
        col(Survey.survey_key),
        col(Survey.metric),
        col(Survey.state),
        col(Survey.reason),
        col(Survey.channel),
        tried.label("failed_on"),
        col(Survey.uncertain),
        col(Survey.score),
        col(Survey.band),
        col(Survey.manager_id),
        col(Survey.manager),
        col(Survey.subject),
        col(Survey.scale),
        col(Survey.trigger),
        col(Survey.pipeline_id),
        first_score.label("first_score"),
        func.coalesce(col(Deal.manager_id), 0).label("manager_now"),
        has_words.label("has_words"),
        (func.coalesce(col(Contact.own_tag), "") != "").label("has_own_tag"),
        col(Survey.call_asked_at).is_not(None).label("is_declined"),
    ]
    if middle is not None:
        deal_id = case((or_(_is_reassigned(), _has_other_questions()), deal_id), else_=0)
    wanted = (
        select(*apart, deal_id.label("of_deal"), *moments, literal(1))
        if middle is None
        else select(*apart, deal_id.label("of_deal"), *map(func.max, moments), func.count())
    )
    wanted = (
        wanted.outerjoin(Deal, col(Deal.deal_id) == col(Survey.deal_id))
        .outerjoin(Contact, col(Contact.contact_id) == col(Survey.contact_id))
        .where(
            or_(within(col(Survey.settled_at), begins, ends), within(col(Survey.answered_at), begins, ends)),
            or_(col(Survey.state).in_(SETTLED), col(Survey.answered_at).is_not(None)),
            func.coalesce(col(Deal.is_reply), false()).is_(false()),
        )
    )
    if middle is None:
        wanted = wanted.order_by(col(Survey.id))
    else:
        settled_at, delivered_at, read_at, answered_at = moments
        wanted = wanted.group_by(
            *grouped_by(apart),
            "of_deal",
            *(place_in(moment, (begins, middle, ends)) for moment in (settled_at, answered_at)),
            *(moment.is_(None) for moment in (settled_at, delivered_at, read_at, answered_at)),
        ).order_by(func.min(Survey.id))
    return await rows_as(tx, wanted, _survey_row)


def _survey_row(
    key: str, metric: str, state: str, reason: str, channel: str, tried: str, uncertain: bool,
    score: int | None, band: str, manager_id: int, manager: str, subject: str, scale: str, trigger: str,
    pipeline_id: int, first_score: int | None, manager_now: int, has_words: bool, has_own_tag: bool,
    is_declined: bool, deal_id: int, settled_at: datetime | None, delivered_at: datetime | None,
    read_at: datetime | None, answered_at: datetime | None, count: int,
) -> SurveyRow:  # fmt: skip
    return SurveyRow(
        survey_key=key,
        metric=metric,
        state=state,
        reason=reason,
        settled_at=settled_at,
        channel=channel,
        tried=[] if tried == "[]" else json.loads(tried),
        delivered_at=delivered_at,
        read_at=read_at,
        uncertain=uncertain,
        answered_at=answered_at,
        score=score,
        band=band,
        manager_id=manager_id,
        manager=manager,
        subject=subject,
        scale=scale,
        trigger=trigger,
        root_deal_id=deal_id,
        pipeline_id=pipeline_id,
        first_score=first_score,
        manager_now=manager_now,
        has_words=bool(has_words),
        has_own_tag=bool(has_own_tag),
        is_declined=bool(is_declined),
        count=count,
    )


def _is_reassigned() -> ColumnElement[bool]:
    """Of what was answered. Without a deal nobody leads it."""
    now = func.coalesce(col(Deal.manager_id), 0)
    return and_(col(Survey.score).is_not(None), now != 0, now != col(Survey.manager_id))


def _has_other_questions() -> ColumnElement[bool]:
    other = aliased(Survey)
    return exists().where(
        col(other.root_deal_id) == col(Survey.root_deal_id), col(other.id) != col(Survey.id)
    )


def _first_score() -> Any:
    return (
        select(col(Reply.score))
        .where(col(Reply.survey_id) == col(Survey.id), col(Reply.score).is_not(None))
        .order_by(col(Reply.received_at), col(Reply.id))
        .limit(1)
        .correlate(Survey)
        .scalar_subquery()
    )


def _has_words() -> ColumnElement[bool]:
    """The client wrote about it: «стоп» beside no score and what a machine or a thumb says are no words."""
    is_about_it = or_(
        and_(col(Reply.rule).not_in((*WISHES, MACHINE)), col(Reply.kind) != REACTION),
        col(Reply.score).is_not(None),
    )
    return (
        exists()
        .where(
            col(Reply.survey_id) == col(Survey.id),
            or_(col(Reply.text) != "", col(Reply.had_words).is_(True)),
            is_about_it,
        )
        .correlate(Survey)
    )


async def complaint_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[ComplaintRow]:
    """Opened or closed in this time, and all that are open."""
    wanted = (
        select(
            col(Complaint.opened_at),
            col(Complaint.closed_at),
            col(Complaint.left_at),
            col(Complaint.is_solved),
            col(Complaint.reopened),
            col(Complaint.by_hand),
            col(Complaint.topic),
            col(Complaint.manager_id),
            col(Complaint.manager),
            func.coalesce(col(Complaint.first_taken_at), col(Complaint.taken_at)),
            col(Complaint.contacted_at),
            col(Complaint.closed_by_user),
            _solution(),
            col(Complaint.id),
            func.coalesce(col(Complaint.source_deal_id), 0),
        )
        # A complaint that has not reached amoCRM yet has no deal.
        .outerjoin(Deal, col(Deal.deal_id) == col(Complaint.lead_id))
        .where(
            or_(
                within(col(Complaint.opened_at), begins, ends),
                within(col(Complaint.closed_at), begins, ends),
                and_(col(Complaint.closed_at).is_(None), col(Complaint.left_at).is_(None)),
            ),
            func.coalesce(col(Deal.is_deleted), false()).is_(false()),
            func.coalesce(col(Deal.is_reply), false()).is_(false()),
        )
        .order_by(col(Complaint.id))
    )
    return [ComplaintRow(*row) for row in await rows_of(tx, wanted)]


def _solution() -> Any:
    """How the client rated the last time that it was solved."""
    return (
        select(col(Survey.band))
        .where(
            col(Survey.deal_id) == col(Complaint.lead_id),
            col(Survey.trigger) == AFTER_COMPLAINT,
            col(Survey.score).is_not(None),
        )
        .order_by(col(Survey.answered_at).desc())
        .limit(1)
        .correlate(Complaint)
        .scalar_subquery()
    )


async def request_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[RequestRow]:
    """Words of clients in this time that a person had to answer."""
    wanted = (
        select(col(Request.asked_at), col(Request.answered_at).is_not(None))
        .where(within(col(Request.asked_at), begins, ends), col(Request.wants_answer).is_(True))
        .order_by(col(Request.id))
    )
    return [RequestRow(asked_at, bool(is_answered)) for asked_at, is_answered in await rows_of(tx, wanted)]


async def export_rows(db: Database, begins: datetime, ends: datetime) -> list[ExportRow]:
    """Every reply that came in this time, in order, also those that are no score."""
    wanted = (
        select(
            col(Reply.received_at),
            col(Reply.channel),
            col(Reply.external_id),
            col(Survey.survey_key),
            col(Survey.metric),
            col(Survey.deal_id),
            col(Survey.contact_id),
            func.nullif(col(Survey.manager), ""),
            func.nullif(col(Survey.subject), ""),
            col(Reply.score),
            func.nullif(col(Reply.band), ""),
            col(Reply.late),
            col(Reply.counts),
            col(Reply.text),
        )
        .outerjoin(Survey, col(Survey.id) == col(Reply.survey_id))
        .where(within(col(Reply.received_at), begins, ends))
        .order_by(col(Reply.received_at), col(Reply.id))
    )
    async with db.reading() as tx:
        return [ExportRow(*row) for row in await rows_of(tx, wanted)]
