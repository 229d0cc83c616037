"""Surveys as reports read them: one by one, or what is alike as one row with its number; read only."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.flat import bits_of, grouped_by, place_in, rows_as, rows_of, within
from storage.surveys import MACHINE, REACTION, WISHES
from storage.tables.complaints import Complaint
from storage.tables.deals import Contact, Deal
from storage.tables.surveys import Reply, Survey, SurveyState

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
    is_delivered: bool
    is_read: bool
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


# SQLite sorts what it groups: of some weeks that fits into memory, of years it is written to disk and merged.
STRETCH = timedelta(days=28)
AHEAD = 3  # cuts after a stretch by which its answers are told apart; who answers later stays alone

MOMENTS = (col(Survey.settled_at), col(Survey.answered_at))


async def survey_rows(
    tx: AsyncSession,
    begins: datetime,
    ends: datetime,
    *,
    cuts: Sequence[datetime] = (),
    with_complaints: bool = False,
) -> list[SurveyRow]:
    """First sent, ended unsent or answered in this time; not what still waits, nor deals that are replies.

    `cuts`: rows that differ in nothing but the deal, and in when they were between two of these moments, are
    one with the latest of their times, and counted. What is told by deals stays by itself: several questions
    about one, answers about a deal that another manager leads by now, and `with_complaints` also a deal that
    somebody complained of.
    """
    settled = within(col(Survey.settled_at), begins, ends)
    answered = within(col(Survey.answered_at), begins, ends)
    if not cuts:
        return await rows_as(tx, _one_by_one(or_(settled, answered)), _survey_row)
    alike: dict[tuple[Any, ...], _Alike] = {}
    edges = sorted({begins, ends, *(cut for cut in cuts if begins < cut < ends)})
    for edge, after in pairwise(edges):
        ahead = edges[edges.index(after) :][:AHEAD]
        # Made once: to make such a statement takes as long as to ask for what a small company has.
        grouped = _grouped(edge, ahead, is_last=ahead[-1] == ends, of=with_complaints)
        for since, until in _stretches(edge, after):
            wanted = grouped.where(within(col(Survey.settled_at), since, until))
            for *key, settled_at, answered_at, count in await rows_of(tx, wanted):
                found = alike.setdefault((edge, *key), _Alike())
                found.add((settled_at, answered_at), count)
    asked_elsewhen = and_(answered, or_(col(Survey.settled_at).is_(None), ~settled))
    others = await rows_as(tx, _one_by_one(asked_elsewhen), _survey_row)
    rows: list[tuple[Any, ...]] = [(*key, *found.moments, found.count) for (_, *key), found in alike.items()]
    return [*(_survey_row(*row) for row in rows), *others]


@dataclass(slots=True)
class _Alike:
    """What several stretches have of one kind."""

    moments: tuple[datetime | None, ...] = (None,) * len(MOMENTS)
    count: int = 0

    def add(self, moments: tuple[datetime | None, ...], count: int) -> None:
        # Of rows that are alike, none has a time that another lacks.
        self.moments = tuple(
            new if old is None or new is None else max(old, new)
            for old, new in zip(self.moments, moments, strict=True)
        )
        self.count += count


def _stretches(begins: datetime, ends: datetime) -> Iterator[tuple[datetime, datetime]]:
    while begins < ends:
        yield begins, min(begins + STRETCH, ends)
        begins += STRETCH


def _one_by_one(which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    told = select(*_apart(), _flags().label("flags"), col(Survey.root_deal_id), *MOMENTS, literal(1))
    return _joined(told).where(which).order_by(col(Survey.id))


def _grouped(
    edge: datetime, ahead: Sequence[datetime], *, is_last: bool, of: bool
) -> Select[*tuple[Any, ...]]:
    """Settled from this edge on. Without an order: the rows of the stretches are put together anyway."""
    _, answered_at = MOMENTS
    is_far = [answered_at < edge, *([] if is_last else [answered_at >= ahead[-1]])]
    is_told = [_is_reassigned(), _has_other_questions(), *([_has_complaint()] if of else [])]
    deal_id = case((or_(*is_far, *is_told), col(Survey.root_deal_id)), else_=0).label("of_deal")
    place = case((answered_at.is_(None), 0), else_=place_in(answered_at, ahead))
    flags = (_flags(answered_at.is_(None)) + FLAGS * place).label("flags")
    apart = _apart()
    wanted = select(*apart, flags, deal_id, *map(func.max, MOMENTS), func.count())
    return _joined(wanted).group_by(*grouped_by([*apart, flags, deal_id]))


def _joined(wanted: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return wanted.outerjoin(Deal, col(Deal.deal_id) == col(Survey.deal_id)).where(
        or_(col(Survey.state).in_(SETTLED), col(Survey.answered_at).is_not(None)),
        func.coalesce(col(Deal.is_reply), false()).is_(false()),
    )


def _apart() -> list[Any]:
    """What tells the rows apart; numbers first, for they are soonest told apart."""
    first_score = case((col(Survey.revision) > 1, _first_score()), else_=col(Survey.score))
    return [
        col(Survey.manager_id),
        col(Survey.score),
        first_score.label("first_score"),
        func.coalesce(col(Deal.manager_id), 0).label("manager_now"),
        col(Survey.pipeline_id),
        col(Survey.state),
        col(Survey.channel),
        col(Survey.reason),
        col(Survey.band),
        col(Survey.survey_key),
        col(Survey.metric),
        col(Survey.manager),
        col(Survey.subject),
        col(Survey.scale),
        col(Survey.trigger),
        cast(col(Survey.tried), Text).label("failed_on"),  # PostgreSQL does not compare JSON
    ]


def _flags(*more: ColumnElement[bool]) -> ColumnElement[int]:
    """Of `more` only that they differ is of use."""
    return bits_of(
        col(Survey.uncertain).is_(True),
        and_(col(Survey.score).is_not(None), _has_words()),
        and_(col(Survey.reason) != "", _has_own_tag()),
        col(Survey.call_asked_at).is_not(None),
        col(Survey.delivered_at).is_not(None),
        col(Survey.read_at).is_not(None),
        *more,
    )


FLAGS = 1 << 7  # more than all of them together


def _survey_row(
    manager_id: int, score: int | None, first_score: int | None, manager_now: int, pipeline_id: int,
    state: str, channel: str, reason: str, band: str, key: str, metric: str, manager: str, subject: str,
    scale: str, trigger: str, tried: str, flags: int, deal_id: int, settled_at: datetime | None,
    answered_at: datetime | None, count: int,
) -> SurveyRow:  # fmt: skip
    return SurveyRow(
        survey_key=key,
        metric=metric,
        state=state,
        reason=reason,
        settled_at=settled_at,
        channel=channel,
        tried=[] if tried == "[]" else json.loads(tried),
        is_delivered=bool(flags & 16),
        is_read=bool(flags & 32),
        uncertain=bool(flags & 1),
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
        has_words=bool(flags & 2),
        has_own_tag=bool(flags & 4),
        is_declined=bool(flags & 8),
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


def _has_own_tag() -> ColumnElement[bool]:
    """Where somebody was not asked, it matters who says so: looked up for nobody else."""
    its = and_(col(Contact.contact_id) == col(Survey.contact_id), col(Contact.own_tag) != "")
    return exists().where(its).correlate(Survey)


def _has_complaint() -> ColumnElement[bool]:
    # A list made once: where most complaints name no deal, SQLite would look through all for each survey.
    about = select(col(Complaint.source_deal_id)).where(col(Complaint.source_deal_id).is_not(None))
    return col(Survey.root_deal_id).in_(about)


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
