"""Won deals and the codes for friends, as reports read them; read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.flat import LOST, WON, grouped_by, place_in, rows_as, rows_of, within
from storage.narrowed import seller
from storage.tables import Chat, Client, Deal, Message, PromoCode, Referral, Survey

ON_REQUEST = "code"  # `kind` of the message to a client who asked for the code
ASKED = ("sent", "uncertain", "answered", "expired")


@dataclass(frozen=True, slots=True)
class SaleRow:
    """A won deal."""

    closed_at: datetime
    price: float | None
    is_referral: bool
    deal_id: int = 0
    client_id: int | None = None
    manager_id: int = 0  # as when its client was asked, else who leads it now
    referrer_id: int | None = None
    has_code: bool = False
    is_first: bool = True  # the client had won deals with us before; told of referrals only
    problem: str = ""
    is_unmarked: bool | None = None  # nothing stands in the referral field; None: there is no such field
    count: int = 1  # so many are alike


@dataclass(frozen=True, slots=True)
class CodeRow:
    first_sent_at: datetime
    is_redeemed: bool  # a friend's closed deal names it
    uses: int = 0  # so many do
    won_clients: int = 0


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    invited: int  # people who were asked something
    interested: int  # … of whom asked for the code
    friends_won: int  # closed deals that name a friend's code
    friends_lost: int


async def sale_rows(
    tx: AsyncSession,
    begins: datetime,
    ends: datetime,
    *,
    cuts: Sequence[datetime] = (),
    pipelines: frozenset[int] = frozenset(),
    complaints_pipeline: int | None = None,
    referral_field: int | None = None,
) -> list[SaleRow]:
    """Won deals that were closed in this time, of these pipelines; none named = all but complaints.

    `cuts`: deals that differ in nothing but the client, and in when they were closed between two of these
    moments, are one with the latest of their times, and counted.
    """
    is_referral = func.coalesce(col(Referral.is_referral), false())
    problem = func.coalesce(col(Referral.problem), "")
    apart = [
        col(Deal.price),
        is_referral.label("is_known"),
        seller().label("manager"),
        col(Referral.referrer_id),
        (func.coalesce(col(Referral.code), "") != "").label("has_code"),
        case(
            (and_(is_referral, _bought_before(pipelines, complaints_pipeline)), false()), else_=true()
        ).label("is_first"),
        problem.label("why_not"),
        (null() if referral_field is None else _is_unmarked(referral_field)).label("is_unmarked"),
    ]
    closed_at, deal_id = col(Deal.closed_at), col(Deal.deal_id)
    if cuts:  # Problems are told deal by deal.
        of_deal = case((problem != "", deal_id), else_=0).label("of_deal")
        wanted = select(func.max(closed_at), null(), *apart, of_deal, func.count())
    else:
        wanted = select(closed_at, col(Deal.client_id), *apart, deal_id.label("of_deal"), literal(1))
    wanted = wanted.outerjoin(Referral, col(Referral.deal_id) == deal_id).where(
        is_sale(begins, ends, pipelines, complaints_pipeline)
    )
    if cuts:
        wanted = wanted.group_by(*grouped_by(apart), "of_deal", place_in(closed_at, cuts)).order_by(
            func.min(deal_id)
        )
    else:
        wanted = wanted.order_by(deal_id)
    return await rows_as(tx, wanted, _sale_row)


def _sale_row(
    closed_at: datetime, client_id: int | None, price: float | None, known: bool, manager_id: int | None,
    referrer_id: int | None, has_code: bool, is_first: bool, problem: str, is_unmarked: bool | None,
    deal_id: int, count: int,
) -> SaleRow:  # fmt: skip
    return SaleRow(
        closed_at=closed_at,
        price=price,
        is_referral=bool(known),
        deal_id=deal_id,
        client_id=client_id,
        manager_id=manager_id or 0,
        referrer_id=referrer_id,
        has_code=bool(has_code),
        is_first=bool(is_first),
        problem=problem,
        is_unmarked=None if is_unmarked is None else bool(is_unmarked),
        count=count,
    )


async def code_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[CodeRow]:
    """Codes first sent in this time, and whether a friend's deal, won or lost, has named them since."""
    named = named_codes()
    wanted = (
        select(
            col(PromoCode.first_sent_at),
            func.coalesce(named.c.uses, 0),
            func.coalesce(named.c.won_clients, 0),
        )
        .outerjoin(named, named.c.client_id == col(PromoCode.client_id))
        .where(within(col(PromoCode.first_sent_at), begins, ends))
        .order_by(col(PromoCode.code))
    )
    return [
        CodeRow(first_sent_at, uses > 0, uses, won) for first_sent_at, uses, won in await rows_of(tx, wanted)
    ]


async def programme_row(
    tx: AsyncSession,
    begins: datetime,
    ends: datetime,
    *,
    pipelines: frozenset[int] = frozenset(),
    complaints_pipeline: int | None = None,
) -> ProgrammeRow:
    """Who was asked and wanted the code, and how the deals with a code ended in this time."""
    person = col(Survey.client_id)
    has_asked = exists().where(
        col(Chat.client_id) == person,
        col(Message.channel) == col(Chat.channel),
        col(Message.chat_id) == col(Chat.chat_id),
        col(Message.kind) == ON_REQUEST,
        within(col(Message.sent_at), begins, ends),
    )
    people = select(
        func.count(func.distinct(person)), func.count(func.distinct(case((has_asked, person))))
    ).where(within(col(Survey.settled_at), begins, ends), col(Survey.state).in_(ASKED))
    is_won = col(Deal.status_id) == WON
    friends = (
        select(func.count(case((is_won, col(Deal.deal_id)))), func.count(case((~is_won, col(Deal.deal_id)))))
        .join(Referral, col(Referral.deal_id) == col(Deal.deal_id))
        .where(
            is_closed(begins, ends, pipelines, complaints_pipeline),
            col(Referral.code) != "",
            col(Referral.problem) == "",
        )
    )
    ((invited, interested),) = await rows_of(tx, people)
    ((won, lost),) = await rows_of(tx, friends)
    return ProgrammeRow(invited=invited, interested=interested, friends_won=won, friends_lost=lost)


def named_codes() -> Subquery:
    """Codes that friends' closed deals name, by whose they are: how often, and by how many who bought."""
    friend = func.coalesce(col(Deal.client_id), -col(Deal.deal_id))
    return (
        select(
            col(PromoCode.client_id),
            func.count().label("uses"),
            func.count(func.distinct(case((col(Deal.status_id) == WON, friend)))).label("won_clients"),
        )
        .select_from(Referral)
        .join(Deal, col(Deal.deal_id) == col(Referral.deal_id))
        .join(
            PromoCode,
            or_(
                col(Referral.code) == col(PromoCode.code),
                # The prefix may have been changed since.
                col(Referral.referrer_id) == col(PromoCode.client_id),
            ),
        )
        .where(
            col(Referral.code) != "",
            col(Referral.problem) == "",
            col(Deal.status_id).in_((WON, LOST)),
            col(Deal.is_deleted).is_(false()),
            col(Deal.is_reply).is_(false()),
            # One's own code is no recommendation.
            func.coalesce(col(Deal.client_id), 0) != col(PromoCode.client_id),
        )
        .group_by(col(PromoCode.client_id))
        .subquery("named")
    )


def is_sale(
    begins: datetime, ends: datetime, pipelines: frozenset[int], complaints_pipeline: int | None
) -> ColumnElement[bool]:
    """A won deal that was closed in this time."""
    return and_(is_closed(begins, ends, pipelines, complaints_pipeline), col(Deal.status_id) == WON)


def is_closed(
    begins: datetime, ends: datetime, pipelines: frozenset[int], complaints_pipeline: int | None
) -> ColumnElement[bool]:
    return and_(
        within(col(Deal.closed_at), begins, ends),
        col(Deal.status_id).in_((WON, LOST)),
        col(Deal.is_deleted).is_(false()),
        col(Deal.is_reply).is_(false()),
        _is_in(col(Deal.pipeline_id), pipelines, complaints_pipeline),
    )


def _is_in(pipeline: Any, pipelines: frozenset[int], complaints_pipeline: int | None) -> ColumnElement[bool]:
    if pipelines:
        among: ColumnElement[bool] = pipeline.in_(sorted(pipelines))
        return among
    return pipeline != complaints_pipeline if complaints_pipeline is not None else true()


def _bought_before(pipelines: frozenset[int], complaints_pipeline: int | None) -> ColumnElement[bool]:
    earlier = aliased(Deal)
    return (
        exists()
        .where(
            col(earlier.client_id) == col(Deal.client_id),
            col(earlier.status_id) == WON,
            col(earlier.closed_at) < col(Deal.closed_at),
            col(earlier.is_deleted).is_(false()),
            col(earlier.is_reply).is_(false()),
            _is_in(col(earlier.pipeline_id), pipelines, complaints_pipeline),
        )
        .correlate(Deal)
    )


def _is_unmarked(field_id: int) -> ColumnElement[bool]:
    """Nothing stands in the field. Of who was forgotten nothing stands anywhere: that says nothing."""
    value: Any = col(Deal.fields)[str(field_id)].as_string()
    forgotten = exists().where(
        col(Client.client_id) == col(Deal.client_id), col(Client.erased_at).is_not(None)
    )
    return and_(or_(value.is_(None), value == "[]"), ~forgotten.correlate(Deal))
