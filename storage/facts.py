"""What reports are made of: flat rows, read only, of a half-open stretch of time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, or_, select, true
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.tables import Complaint, Deal, PromoCode, Referral, Reply, Survey, SurveyState

# The last stage of every pipeline: https://www.amocrm.ru/developers/content/crm_platform/leads_pipelines
WON, LOST = 142, 143

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


@dataclass(frozen=True, slots=True)
class ComplaintRow:
    opened_at: datetime
    closed_at: datetime | None
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class SaleRow:
    """A won deal."""

    closed_at: datetime
    price: float
    is_referral: bool


@dataclass(frozen=True, slots=True)
class CodeRow:
    first_sent_at: datetime
    is_redeemed: bool  # a friend's closed deal names it


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


async def survey_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[SurveyRow]:
    """First sent, ended unsent or answered in this time; not what still waits, nor deals that are replies."""
    wanted = (
        select(
            col(Survey.survey_key),
            col(Survey.metric),
            col(Survey.state),
            col(Survey.reason),
            col(Survey.settled_at),
            col(Survey.channel),
            col(Survey.tried),
            col(Survey.delivered_at),
            col(Survey.read_at),
            col(Survey.uncertain),
            col(Survey.answered_at),
            col(Survey.score),
            col(Survey.band),
            col(Survey.manager_id),
            col(Survey.manager),
            col(Survey.subject),
        )
        .outerjoin(Deal, col(Deal.deal_id) == col(Survey.deal_id))
        .where(
            or_(
                _within(col(Survey.settled_at), begins, ends), _within(col(Survey.answered_at), begins, ends)
            ),
            or_(col(Survey.state).in_(SETTLED), col(Survey.answered_at).is_not(None)),
            func.coalesce(col(Deal.is_reply), false()).is_(false()),
        )
        .order_by(col(Survey.id))
    )
    return [SurveyRow(*row) for row in await _rows(tx, wanted)]


async def complaint_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[ComplaintRow]:
    """Opened or closed in this time, and all that are open."""
    wanted = (
        select(col(Complaint.opened_at), col(Complaint.closed_at), col(Complaint.left_at))
        # A complaint that has not reached amoCRM yet has no deal.
        .outerjoin(Deal, col(Deal.deal_id) == col(Complaint.lead_id))
        .where(
            or_(
                _within(col(Complaint.opened_at), begins, ends),
                _within(col(Complaint.closed_at), begins, ends),
                and_(col(Complaint.closed_at).is_(None), col(Complaint.left_at).is_(None)),
            ),
            func.coalesce(col(Deal.is_deleted), false()).is_(false()),
            func.coalesce(col(Deal.is_reply), false()).is_(false()),
        )
        .order_by(col(Complaint.id))
    )
    return [ComplaintRow(*row) for row in await _rows(tx, wanted)]


async def sale_rows(
    tx: AsyncSession,
    begins: datetime,
    ends: datetime,
    *,
    pipelines: frozenset[int] = frozenset(),
    complaints_pipeline: int | None = None,
) -> list[SaleRow]:
    """Won deals that were closed in this time, of these pipelines; none named = all but complaints."""
    wanted = (
        select(col(Deal.closed_at), col(Deal.price), func.coalesce(col(Referral.is_referral), false()))
        .outerjoin(Referral, col(Referral.deal_id) == col(Deal.deal_id))
        .where(
            _within(col(Deal.closed_at), begins, ends),
            col(Deal.status_id) == WON,
            col(Deal.is_deleted).is_(false()),
            col(Deal.is_reply).is_(false()),
            _is_sale(pipelines, complaints_pipeline),
        )
        .order_by(col(Deal.deal_id))
    )
    return [SaleRow(closed_at, price, bool(known)) for closed_at, price, known in await _rows(tx, wanted)]


async def code_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[CodeRow]:
    """Codes first sent in this time, and whether a friend's deal, won or lost, has named them since."""
    named = (
        exists()
        .where(
            or_(
                col(Referral.code) == col(PromoCode.code),
                # The prefix may have been changed since.
                and_(col(Referral.code) != "", col(Referral.referrer_id) == col(PromoCode.client_id)),
            ),
            col(Referral.problem) == "",
            col(Deal.deal_id) == col(Referral.deal_id),
            col(Deal.status_id).in_((WON, LOST)),
            col(Deal.is_deleted).is_(false()),
            col(Deal.is_reply).is_(false()),
            # One's own code is no recommendation.
            func.coalesce(col(Deal.client_id), 0) != col(PromoCode.client_id),
        )
        .correlate(PromoCode)
    )
    wanted = (
        select(col(PromoCode.first_sent_at), case((named, true()), else_=false()))
        .where(_within(col(PromoCode.first_sent_at), begins, ends))
        .order_by(col(PromoCode.code))
    )
    return [CodeRow(first_sent_at, bool(used)) for first_sent_at, used in await _rows(tx, wanted)]


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
        .where(_within(col(Reply.received_at), begins, ends))
        .order_by(col(Reply.received_at), col(Reply.id))
    )
    async with db.reading() as tx:
        return [ExportRow(*row) for row in await _rows(tx, wanted)]


def _within(moment: Any, begins: datetime, ends: datetime) -> ColumnElement[bool]:
    return and_(moment >= begins, moment < ends)


def _is_sale(pipelines: frozenset[int], complaints_pipeline: int | None) -> ColumnElement[bool]:
    if pipelines:
        return col(Deal.pipeline_id).in_(sorted(pipelines))
    return col(Deal.pipeline_id) != complaints_pipeline if complaints_pipeline is not None else true()


async def _rows(tx: AsyncSession, wanted: Select[*tuple[Any, ...]]) -> list[Any]:
    """Columns only, past the ORM: a report may read tens of thousands of rows."""
    return list((await (await tx.connection()).execute(wanted)).all())
