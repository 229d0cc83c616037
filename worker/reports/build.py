"""One report: rows of the storage become facts, and every metric says what they come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from storage.calls import ReviewRow, review_rows
from storage.chat_events import chat_rows, read_so_far, seen_by_us
from storage.database import Database
from storage.facts import ComplaintRow, complaint_rows, request_rows
from storage.narrowed import AFTER_COMPLAINT, Only, only_of
from storage.sales import SaleRow, code_rows, programme_row, sale_rows, seller_rows
from storage.survey_rows import SurveyRow, survey_rows
from storage.tables.surveys import SurveyState
from worker.metrics.base import (
    Asked,
    ChatFact,
    CodeFact,
    ComplaintFact,
    Correspondence,
    Facts,
    Programme,
    Promises,
    RequestFact,
    Result,
    ReviewFact,
    SaleFact,
    SellerFact,
    SurveyFact,
    same_days_before,
)
from worker.metrics.registry import METRICS, SALES_HEALTH
from worker.reports.aside import aside
from worker.reports.history import read_history
from worker.reports.purchases import read_purchases
from worker.rules.calendar import Calendar, Period
from worker.rules.eligibility import Reason
from worker.rules.formats import percent_of
from worker.rules.periods import last_periods, month_of
from worker.rules.scale import Band
from worker.rules.scorecards import read_criteria

# Gateways to the accounts of people tell what arrived and what was read; bots tell neither.
TELLING_CHANNELS = frozenset({"whatsapp", "max_account", "telegram_account"})
# A question before the period may be answered in it, and one of the period after it.
AROUND = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ReactionTerms:
    """By which clock clients wait for an answer, and how long they should at most."""

    calendar: Calendar
    target: timedelta  # of working time


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportScope:
    """What a report is about, beside its period: handed in, so that it needs no network."""

    surveys: tuple[Asked, ...]  # every configured one, in the order of the report
    min_answers: int = 5
    sales_pipelines: frozenset[int] = frozenset()  # empty = all but complaints
    complaints_pipeline: int | None = None
    currency: str = "RUB"
    company: str = ""
    referral_field: int | None = None  # which says what discount the client came with
    referral_period: str = "quarter"  # in which recommendations are told over time: week, month, year
    discount: str = ""  # as in the settings, such as «5%»
    sales_health: bool = False  # repeat purchases, segments, cohorts, links between metrics
    users: Mapping[int, str] = field(default_factory=dict)  # names, as amoCRM has them now
    pipelines: Mapping[int, str] = field(default_factory=dict)
    promises: Promises | None = None
    reactions: ReactionTerms | None = None
    has_topics: bool = False  # a deal field for the reason of a complaint
    delivery_told_by: frozenset[str] = TELLING_CHANNELS
    reading_told_by: frozenset[str] = TELLING_CHANNELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The numbers of a period at full precision, by the key of their metric."""

    period: Period
    now: datetime
    scope: ReportScope
    results: Mapping[str, Result]


async def build_report(db: Database, period: Period, scope: ReportScope, now: datetime) -> Report:
    facts = await read_facts(db, period, scope, now)
    metrics = (*METRICS, *SALES_HEALTH) if scope.sales_health else METRICS
    results = await aside(lambda: {metric.key: metric.compute(facts, period) for metric in metrics})
    return Report(period=period, now=now, scope=scope, results=results)


def as_json(report: Report) -> dict[str, Any]:
    """The structure of `sarafan report --json`."""
    period = report.period
    days = {"from": period.start.isoformat(), "to": period.end.isoformat(), "timezone": period.zone.key}
    return {"period": days, **{key: result.as_json() for key, result in report.results.items()}}


async def read_facts(db: Database, period: Period, scope: ReportScope, now: datetime) -> Facts:
    """Of the period and the one before it, as of one moment of the database."""
    begins, ends = period.previous().begins, period.ends
    pipelines, complaints_pipeline = scope.sales_pipelines, scope.complaints_pipeline
    async with db.reading() as tx:
        so_far = same_days_before(period, now)
        cuts = (so_far.begins, so_far.ends, period.begins)
        surveys = await survey_rows(
            tx, begins, ends, cuts=_told_apart(period, scope), with_complaints=scope.sales_health
        )
        complaints = await complaint_rows(tx, begins, ends)
        requests = await request_rows(tx, begins, ends)
        codes = await code_rows(tx, begins, ends, cuts=(period.begins,))
        sales = await sale_rows(
            tx,
            begins,
            ends,
            cuts=cuts,
            pipelines=pipelines,
            complaints_pipeline=complaints_pipeline,
            referral_field=scope.referral_field,
        )
        sellers = await seller_rows(
            tx, begins, ends, cuts=cuts, pipelines=pipelines, complaints_pipeline=complaints_pipeline
        )
        programme = await programme_row(
            tx, period.begins, ends, pipelines=pipelines, complaints_pipeline=complaints_pipeline
        )
        correspondence = await _correspondence(tx, period, scope, only_of(db))
        reviews = await review_rows(tx, period.previous().begins, period.ends)
        history = await read_history(
            tx,
            period,
            now,
            pipelines=pipelines,
            complaints_pipeline=complaints_pipeline,
            stretch=scope.referral_period,
        )
        bought = (
            await read_purchases(
                tx, period, now, pipelines=pipelines, complaints_pipeline=complaints_pipeline
            )
            if scope.sales_health
            else None
        )

    def facts() -> Facts:
        return Facts(
            now=now,
            asked=scope.surveys,
            min_answers=scope.min_answers,
            surveys=tuple(survey_fact(row, scope) for row in surveys),
            complaints=tuple(_complaint(row) for row in complaints),
            requests=tuple(
                RequestFact(asked_at=row.asked_at, is_answered=row.is_answered) for row in requests
            ),
            promises=scope.promises,
            correspondence=correspondence,
            reviews=tuple(map(_review, reviews)),
            has_topics=scope.has_topics,
            sales=tuple(map(_sale, sales)),
            sellers=tuple(
                SellerFact(closed_at=row.closed_at, manager_id=row.manager_id, count=row.count)
                for row in sellers
            ),
            codes=tuple(
                CodeFact(
                    first_sent_at=row.first_sent_at,
                    is_redeemed=row.is_redeemed,
                    uses=row.uses,
                    won_clients=row.won_clients,
                    count=row.count,
                )
                for row in codes
            ),
            customers=None if bought is None else bought.customers,
            deals_without_client=0 if bought is None else bought.deals_without_client,
            history=history,
            programme=Programme(
                invited=programme.invited,
                interested=programme.interested,
                friends_won=programme.friends_won,
                friends_lost=programme.friends_lost,
            ),
            discount=percent_of(scope.discount),
            people=scope.users,
            pipelines=scope.pipelines,
            delivery_told_by=scope.delivery_told_by,
            reading_told_by=scope.reading_told_by,
        )

    return await aside(facts)  # Of years there are hundreds of thousands of rows.


def _told_apart(period: Period, scope: ReportScope) -> list[datetime]:
    """When figures of surveys begin anew: links between metrics also have those of each month."""
    if not scope.sales_health or scope.reactions is None:
        return [period.begins]
    first, last = period.previous().start, period.end
    number = 12 * (last.year - first.year) + last.month - first.month + 1
    months = last_periods(month_of(last, period.zone), number)
    return [period.begins, *(month.begins for month in months)]


async def _correspondence(
    tx: AsyncSession, period: Period, scope: ReportScope, only: Only
) -> Correspondence | None:
    if scope.reactions is None:
        return None
    read = await read_so_far(tx)
    rows = await chat_rows(tx, period.previous().begins - AROUND, period.ends + AROUND)
    return Correspondence(
        calendar=scope.reactions.calendar,
        target=scope.reactions.target,
        messages=tuple(
            ChatFact(
                at=row.at,
                kind=row.kind,
                talk=row.talk,
                user_id=row.user_id,
                manager_id=row.manager_id,
                pipeline_id=row.pipeline_id,
                is_ours=row.is_ours,
            )
            for row in rows
        ),
        since=read.since if read is not None else None,
        until=read.until if read is not None else None,
        seen=await seen_by_us(tx, period.begins, period.ends, TELLING_CHANNELS),
        managers=only.managers,
        pipelines=only.pipelines,
    )


def _review(row: ReviewRow) -> ReviewFact:
    return ReviewFact(
        call_id=row.call_id,
        scored_at=row.scored_at,
        manager_id=row.manager_id,
        criteria=read_criteria(row.criteria),
        marks=row.marks,
        comment=row.comment,
    )


def survey_fact(row: SurveyRow, scope: ReportScope) -> SurveyFact:
    is_confirmed = row.is_delivered or row.is_read or row.answered_at is not None
    return SurveyFact(
        survey=row.survey_key,
        metric=row.metric,
        # A client may answer a question while it is still being sent.
        settled_at=row.settled_at or row.answered_at,
        refusal=_refusal(row),
        is_open=row.state in (SurveyState.SENT, SurveyState.UNCERTAIN),
        is_uncertain=(row.uncertain or row.state == SurveyState.UNCERTAIN) and not is_confirmed,
        channel=row.channel,
        failed_on=tuple(row.tried),
        # Who has read or answered it has got it, whatever became of the receipt.
        was_delivered=is_confirmed if row.channel in scope.delivery_told_by else None,
        was_read=row.is_read if row.channel in scope.reading_told_by else None,
        answered_at=row.answered_at,
        score=row.score,
        band=row.band,
        deal_id=row.root_deal_id,
        is_of_complaint=row.trigger == AFTER_COMPLAINT,
        scale=row.scale,
        first_score=row.first_score,
        has_comment=row.has_words,
        is_declined=row.is_declined,
        pipeline_id=row.pipeline_id,
        manager_id=row.manager_id,
        manager=row.manager,
        manager_now=row.manager_now,
        subject=row.subject,
        is_stopped_by_hand=row.reason == Reason.STOP_TAG and not row.has_own_tag,
        count=row.count,
    )


def _complaint(row: ComplaintRow) -> ComplaintFact:
    return ComplaintFact(
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        is_open=row.closed_at is None and row.left_at is None,
        number=row.number,
        is_solved=row.is_solved,
        reopened=row.reopened,
        by_hand=row.by_hand,
        topic=row.topic,
        manager_id=row.manager_id,
        manager=row.manager,
        taken_at=row.taken_at,
        contacted_at=row.contacted_at,
        closed_by=row.closed_by_user,
        is_content=None if row.solution is None else row.solution != Band.LOW,
        deal_id=row.deal_id,
    )


def _sale(row: SaleRow) -> SaleFact:
    return SaleFact(
        closed_at=row.closed_at,
        amount=row.price or 0,
        is_referral=row.is_referral,
        deal_id=row.deal_id,
        referrer_id=row.referrer_id,
        has_code=row.has_code,
        is_first=row.is_first,
        problem=row.problem,
        is_unmarked=row.is_unmarked,
        count=row.count,
    )


def _refusal(row: SurveyRow) -> str:
    match row.state:
        case SurveyState.FAILED:
            return "failed"
        case SurveyState.SKIPPED:
            return row.reason or "skipped"
        case _:
            return ""
