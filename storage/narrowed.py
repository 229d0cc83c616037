"""The rows of reports as somebody sees them who follows some pipelines or some managers only."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Result, Select, and_, false, func, or_, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.chat_events import MARK as CHATS_READ
from storage.database import Database
from storage.tables.calls import Scorecard
from storage.tables.chat_events import ChatEvent
from storage.tables.complaints import Complaint, Request
from storage.tables.deals import Deal
from storage.tables.people import PromoCode
from storage.tables.queues import State
from storage.tables.surveys import Reply, Survey

AFTER_COMPLAINT = "complaint_closed"  # the trigger of surveys whose own deal is a complaint


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """Empty = all."""

    pipelines: frozenset[int] = frozenset()
    managers: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.pipelines or self.managers)


def of_surveys(only: Only) -> ColumnElement[bool]:
    """By what was written down at planning; a survey about a complaint by the deal behind it."""
    sales = aliased(Deal)
    behind = (
        select(sales.deal_id)
        .where(col(sales.deal_id) == col(Survey.root_deal_id), _among(sales.pipeline_id, only.pipelines))
        .exists()
    )
    here = and_(col(Survey.trigger) != AFTER_COMPLAINT, _among(Survey.pipeline_id, only.pipelines))
    there = and_(col(Survey.trigger) == AFTER_COMPLAINT, behind)
    return and_(_among(Survey.manager_id, only.managers), or_(here, there))


def of_complaints(only: Only) -> ColumnElement[bool]:
    """By the deal that it is about; what was opened by hand, without such a deal, by those of the client."""
    sales = aliased(Deal)
    is_behind = or_(
        col(sales.deal_id) == col(Complaint.source_deal_id),
        and_(col(Complaint.source_deal_id).is_(None), col(sales.client_id) == col(Complaint.client_id)),
    )
    behind = select(sales.deal_id).where(is_behind, _among(sales.pipeline_id, only.pipelines)).exists()
    return and_(_among(Complaint.manager_id, only.managers), *([behind] if only.pipelines else []))


def of_deals(only: Only) -> ColumnElement[bool]:
    return and_(_among(Deal.pipeline_id, only.pipelines), _among(Deal.manager_id, only.managers))


def of_sales(only: Only) -> ColumnElement[bool]:
    """As reports tell whose a deal is: passed on since, it would show the name of whom it is counted for."""
    sold = seller().in_(sorted(only.managers)) if only.managers else true()
    return and_(_among(Deal.pipeline_id, only.pipelines), sold)


def seller() -> ColumnElement[int]:
    """Who led a deal when its client was asked; who leads it now where nobody was."""
    asked_of = (
        select(func.max(col(Survey.manager_id)))
        .where(col(Survey.deal_id) == col(Deal.deal_id))
        .correlate(Deal)
        .scalar_subquery()
    )
    return func.coalesce(func.nullif(asked_of, 0), col(Deal.manager_id))


def of_codes(only: Only) -> ColumnElement[bool]:
    """By the survey that carried it."""
    carried = select(Survey.id).where(col(Survey.promo_code) == col(PromoCode.code), of_surveys(only))
    return carried.exists()


def of_requests(only: Only) -> ColumnElement[bool]:
    """By the deal that they were about, as it was then."""
    return and_(_among(Request.pipeline_id, only.pipelines), _among(Request.manager_id, only.managers))


def of_replies(only: Only) -> ColumnElement[bool]:
    """By the survey that they were about."""
    answered = select(Survey.id).where(col(Survey.id) == col(Reply.survey_id), of_surveys(only))
    return answered.exists()


def of_scorecards(only: Only) -> ColumnElement[bool]:
    """By who talked, and by the deal of the call; one that stands on a contact is of no pipeline."""
    here = or_(_among(Scorecard.pipeline_id, only.pipelines), col(Scorecard.pipeline_id) == 0)
    return and_(_among(Scorecard.manager_id, only.managers), here)


def narrowed(db: Database, only: Only) -> Database:
    """The same database for a report to read from: `reading` shows no other rows than these.

    Only what `storage.facts` reads: anything else is refused, so that nothing is shown by oversight.
    """
    return cast(Database, _Narrowed(db, only)) if only else db


def only_of(db: Database) -> Only:
    """What this database shows."""
    shown: object = db
    return shown.only if isinstance(shown, _Narrowed) else Only()


def _among(column: Any, ids: frozenset[int]) -> ColumnElement[bool]:
    return col(column).in_(sorted(ids)) if ids else ~false()


class _Narrowed:
    def __init__(self, db: Database, only: Only) -> None:
        self._db = db
        self.only = only
        self._conditions: Mapping[Any, ColumnElement[bool]] = {
            Survey: of_surveys(only),
            Complaint: of_complaints(only),
            Deal: of_sales(only),
            PromoCode: of_codes(only),
            Request: of_requests(only),
            Reply: of_replies(only),
            # Whose a reaction is shows only beside the messages of others: the metric leaves theirs out.
            ChatEvent: true(),
            Scorecard: of_scorecards(only),
            State: col(State.key) == CHATS_READ,
        }

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["_Session"]:
        async with self._db.reading() as tx:
            yield _Session(tx, self._conditions)


@dataclass(frozen=True, slots=True)
class _Session:
    tx: AsyncSession
    conditions: Mapping[Any, ColumnElement[bool]]

    async def connection(self) -> "_Connection":
        return _Connection(await self.tx.connection(), self.conditions)


@dataclass(frozen=True, slots=True)
class _Connection:
    connection: AsyncConnection
    conditions: Mapping[Any, ColumnElement[bool]]

    async def execute(self, wanted: Select[*tuple[Any, ...]]) -> Result[*tuple[Any, ...]]:
        """By the table whose columns come first."""
        entity = wanted.column_descriptions[0]["entity"]
        return await self.connection.execute(wanted.where(self.conditions[entity]))
