"""Won deals and the codes for friends, as reports read them; read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.flat import LOST, WON, bits_of, grouped_by, place_in, rows_as, rows_of, within
from storage.narrowed import seller
from storage.sql import inline
from storage.tables.deals import Deal, Referral
from storage.tables.people import Chat, Client, PromoCode
from storage.tables.surveys import Message, Survey

ON_REQUEST = "code"  # `kind` of the message to a client who asked for the code
ASKED = ("sent", "uncertain", "answered", "expired")


@dataclass(frozen=True, slots=True)
class SaleRow:
    """A won deal."""

    closed_at: datetime
    price: float | None
    is_referral: bool
    deal_id: int = 0  # where something is to be told of it by itself
    referrer_id: int | None = None
    has_code: bool = False
    is_first: bool = True  # the client had won deals with us before; told of referrals only
    problem: str = ""
    is_unmarked: bool | None = None  # nothing stands in the referral field; None: there is no such field
    count: int = 1  # so many are alike


@dataclass(frozen=True, slots=True)
class SellerRow:
    closed_at: datetime
    manager_id: int  # as when its client was asked, else who leads it now
    count: int = 1


@dataclass(frozen=True, slots=True)
class CodeRow:
    first_sent_at: datetime
    is_redeemed: bool  # a friend's closed deal names it
    uses: int = 0  # so many do
    won_clients: int = 0
    count: int = 1  # so many are alike


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

    Deals that differ in nothing that is told here, and in when they were closed between two of the `cuts`,
    are one with the latest of their times, and counted. What a person has to look at is told deal by deal.
    """
    is_referral = func.coalesce(col(Referral.is_referral), false())
    problem = func.coalesce(col(Referral.problem), "")
    closed_at, deal_id = col(Deal.closed_at), col(Deal.deal_id)
    flags = bits_of(
        is_referral.is_(true()),
        func.coalesce(col(Referral.code), "") != "",
        and_(is_referral.is_(true()), _bought_before(pipelines, complaints_pipeline)),
        false() if referral_field is None else _is_unmarked(referral_field),
    )
    apart = [
        col(Deal.price),
        col(Referral.referrer_id),
        (flags + FLAGS * place_in(closed_at, cuts)).label("flags"),
        case((problem != "", deal_id), else_=0).label("of_deal"),
    ]
    wanted = (
        select(func.max(closed_at), *apart, func.max(problem), func.count())
        .outerjoin(Referral, col(Referral.deal_id) == deal_id)
        .where(is_sale(begins, ends, pipelines, complaints_pipeline))
        .group_by(*grouped_by(apart))
        .order_by(*grouped_by(apart[3:]), *grouped_by(apart[:3]))
    )
    return await rows_as(tx, wanted, partial(_sale_row, knows_marks=referral_field is not None))


FLAGS = 1 << 4  # more than all of them together


def _sale_row(
    closed_at: datetime, price: float | None, referrer_id: int | None, flags: int, deal_id: int, problem: str,
    count: int, *, knows_marks: bool,
) -> SaleRow:  # fmt: skip
    return SaleRow(
        closed_at=closed_at,
        price=price,
        is_referral=bool(flags & 1),
        deal_id=deal_id,
        referrer_id=referrer_id,
        has_code=bool(flags & 2),
        is_first=not flags & 4,
        problem=problem,
        is_unmarked=bool(flags & 8) if knows_marks else None,
        count=count,
    )


async def seller_rows(
    tx: AsyncSession,
    begins: datetime,
    ends: datetime,
    *,
    cuts: Sequence[datetime] = (),
    pipelines: frozenset[int] = frozenset(),
    complaints_pipeline: int | None = None,
) -> list[SellerRow]:
    """The same deals by who sold them: beside their prices, nearly every deal would be a row of its own."""
    closed_at = col(Deal.closed_at)
    apart = [seller().label("manager"), place_in(closed_at, cuts).label("place")]
    wanted = (
        select(func.max(closed_at), *apart, func.count())
        .where(is_sale(begins, ends, pipelines, complaints_pipeline))
        .group_by(*grouped_by(apart))
        .order_by(*grouped_by(apart))
    )
    return [
        SellerRow(closed_at, manager_id or 0, count)
        for closed_at, manager_id, _, count in await rows_of(tx, wanted)
    ]


async def code_rows(
    tx: AsyncSession, begins: datetime, ends: datetime, *, cuts: Sequence[datetime] = ()
) -> list[CodeRow]:
    """Codes first sent in this time, and whether a friend's deal, won or lost, has named them since.

    Those that friends used alike between two of the `cuts` are one with the latest of their times.
    """
    named = named_codes()
    first_sent_at = col(PromoCode.first_sent_at)
    apart = [
        func.coalesce(named.c.uses, 0).label("used"),
        func.coalesce(named.c.won_clients, 0).label("won"),
        place_in(first_sent_at, cuts).label("place"),
    ]
    wanted = (
        select(func.max(first_sent_at), *apart, func.count())
        .outerjoin(named, named.c.client_id == col(PromoCode.client_id))
        .where(within(first_sent_at, begins, ends))
        .group_by(*grouped_by(apart))
        .order_by(*grouped_by(apart))
    )
    return [CodeRow(at, uses > 0, uses, won, count) for at, uses, won, _, count in await rows_of(tx, wanted)]


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
            col(Referral.code) != inline(""),
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
            col(Referral.code) != inline(""),
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


def is_won(pipelines: frozenset[int], complaints_pipeline: int | None) -> ColumnElement[bool]:
    """A won deal, whenever it was closed."""
    return and_(col(Deal.status_id) == WON, _counts(pipelines, complaints_pipeline))


def is_closed(
    begins: datetime, ends: datetime, pipelines: frozenset[int], complaints_pipeline: int | None
) -> ColumnElement[bool]:
    return and_(
        within(col(Deal.closed_at), begins, ends),
        col(Deal.status_id).in_((WON, LOST)),
        _counts(pipelines, complaints_pipeline),
    )


def _counts(pipelines: frozenset[int], complaints_pipeline: int | None) -> ColumnElement[bool]:
    return and_(
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
