"""Looking somebody up for staff, and what happened with that person; the lists behind other answers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_
from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.narrowed import Only, of_complaints, of_deals, of_surveys
from storage.tables.complaints import Complaint
from storage.tables.deals import Contact, Deal
from storage.tables.people import Client
from storage.tables.surveys import Reply, Survey, SurveyState

MOST = 300  # rows of one kind in a story: what is older than these is not told


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenComplaint:
    number: int
    client: str
    phone: str | None
    deal: str
    survey_key: str  # "" = opened by hand
    score: int | None
    opened_at: datetime
    responsible_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    survey_key: str
    score: int | None
    words: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything about one client, each kind newest first."""

    client: Client
    deals: Sequence[Deal]
    surveys: Sequence[Survey]
    replies: Sequence[Reply]
    complaints: Sequence[Complaint]


async def clients(
    tx: AsyncSession,
    only: Only,
    *,
    phone: str | None,
    last_digits: str,
    deal_id: int,
    words: Sequence[str],
    limit: int,
) -> Sequence[Client]:
    """Those whom one of these fits, the newest first: a whole number, its end, a deal, words of a name."""
    fits: list[ColumnElement[bool]] = []
    if phone:
        fits.append(col(Client.phone) == phone)
    elif last_digits:
        fits.append(col(Client.phone).like(f"%{last_digits}"))
    if deal_id:
        fits.append(_has_deal(col(Deal.deal_id) == deal_id))
        complaint = col(Complaint.client_id) == col(Client.client_id), col(Complaint.lead_id) == deal_id
        fits.append(select(Complaint.id).where(*complaint).exists())
    if words:
        fits.append(_named(Client.name, words))
        of_contact = col(Contact.client_id) == col(Client.client_id), _named(Contact.name, words)
        fits.append(select(Contact.contact_id).where(*of_contact).exists())
        fits.append(_has_deal(_named(Deal.name, words)))
    wanted = (
        select(Client)
        .where(or_(false(), *fits), col(Client.erased_at).is_(None), _seen_by(only))
        .order_by(col(Client.client_id).desc())
        .limit(limit)
    )
    return (await tx.exec(wanted)).all()


async def story(tx: AsyncSession, only: Only, client_id: int) -> Story | None:
    """None: there is no such client, or not for who asks."""
    known = select(Client).where(col(Client.client_id) == client_id, _seen_by(only))
    client = (await tx.exec(known.where(col(Client.erased_at).is_(None)))).first()
    if client is None:
        return None
    deals = select(Deal).where(Deal.client_id == client_id, of_deals(only), ~col(Deal.is_deleted))
    surveys = select(Survey).where(Survey.client_id == client_id, of_surveys(only))
    complaints = select(Complaint).where(Complaint.client_id == client_id, of_complaints(only))
    replies = select(Reply).where(Reply.client_id == client_id)
    if only:  # What was written about deals of others is theirs to read.
        replies = replies.where(col(Reply.survey_id).in_(surveys.with_only_columns(col(Survey.id))))
    return Story(
        client=client,
        deals=(await tx.exec(deals.order_by(col(Deal.created_at).desc()).limit(MOST))).all(),
        surveys=(await tx.exec(surveys.order_by(col(Survey.id).desc()).limit(MOST))).all(),
        replies=(await tx.exec(replies.order_by(col(Reply.id).desc()).limit(MOST))).all(),
        complaints=(await tx.exec(complaints.order_by(col(Complaint.id).desc()).limit(MOST))).all(),
    )


async def open_complaints(tx: AsyncSession, only: Only) -> Sequence[OpenComplaint]:
    """Neither closed nor moved away, the oldest first; as many as the report counts."""
    wanted = (
        columns(
            col(Complaint.id),
            col(Client.name),
            col(Client.phone),
            func.coalesce(col(Deal.name), col(Complaint.name)),
            col(Survey.survey_key),
            col(Survey.score),
            col(Complaint.opened_at),
            col(Complaint.responsible_id),
        )
        .outerjoin(Client, col(Client.client_id) == col(Complaint.client_id))
        .outerjoin(Deal, col(Deal.deal_id) == col(Complaint.source_deal_id))
        .outerjoin(Survey, col(Survey.id) == col(Complaint.survey_id))
        .where(col(Complaint.closed_at).is_(None), col(Complaint.left_at).is_(None))
        .where(of_complaints(only), ~_counts_nowhere())
        .order_by(col(Complaint.opened_at), col(Complaint.id))
    )
    rows = (await (await tx.connection()).execute(wanted)).all()
    return [
        OpenComplaint(
            number=number or 0, client=client or "", phone=phone, deal=deal or "", survey_key=key or "",
            score=score, opened_at=opened_at, responsible_id=responsible_id,
        )
        for number, client, phone, deal, key, score, opened_at, responsible_id in rows
    ]  # fmt: skip


async def words(
    tx: AsyncSession, only: Only, keys: Collection[str], begins: datetime, ends: datetime, *, limit: int
) -> Sequence[Words]:
    """What clients wrote with or after a score of these surveys, the newest first."""
    wanted = (
        columns(col(Survey.survey_key), col(Survey.score), col(Reply.text), col(Reply.received_at))
        .join(Survey, col(Survey.id) == col(Reply.survey_id))
        .where(col(Survey.survey_key).in_(keys), of_surveys(only), col(Reply.text) != "")
        .where(col(Reply.received_at) >= begins, col(Reply.received_at) < ends)
        .order_by(col(Reply.received_at).desc(), col(Reply.id).desc())
        .limit(limit)
    )
    rows = (await (await tx.connection()).execute(wanted)).all()
    return [Words(survey_key=key, score=score, words=text, at=at) for key, score, text, at in rows]


async def planned(
    tx: AsyncSession, only: Only, *, offset: int, limit: int, until: datetime | None = None
) -> tuple[Sequence[Survey], int]:
    """The next questions by when they are due, and how many there are in all, or due before `until`."""
    waiting = [col(Survey.state) == SurveyState.PLANNED, of_surveys(only)]
    if until is not None:
        waiting.append(col(Survey.due_at) < until)
    wanted = select(Survey).where(*waiting).order_by(col(Survey.due_at), col(Survey.id))
    count = (await tx.exec(select(func.count()).select_from(Survey).where(*waiting))).one()
    return (await tx.exec(wanted.offset(offset).limit(limit))).all(), count


def _seen_by(only: Only) -> ColumnElement[bool]:
    """A client of theirs has a deal of theirs."""
    return _has_deal(of_deals(only)) if only else ~false()


def _has_deal(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(Deal.deal_id).where(col(Deal.client_id) == col(Client.client_id), which).exists()


def _counts_nowhere() -> ColumnElement[bool]:
    own = aliased(Deal)
    gone = or_(col(own.is_deleted), col(own.is_reply))
    return select(own.deal_id).where(col(own.deal_id) == col(Complaint.lead_id), gone).exists()


def _named(column: Any, words: Sequence[str]) -> ColumnElement[bool]:
    """Every word stands in it, however it is written: SQLite folds the case of Latin letters only."""
    return and_(*(or_(*(col(column).like(one, escape="\\") for one in _spellings(word))) for word in words))


def _spellings(word: str) -> list[str]:
    """As patterns: «петр» finds Пётр and ПЕТР."""
    plain = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    cases = dict.fromkeys((plain, plain.lower(), plain.upper(), plain.capitalize()))
    return [f"%{case.translate(ANY_YO)}%" for case in cases]


ANY_YO = str.maketrans(dict.fromkeys("еёЕЁ", "_"))
