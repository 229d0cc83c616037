"""Complaint deals, ours and those opened by hand, and the alerts about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement
from sqlmodel import and_, case, col, delete, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.sql import inline
from storage.tables.complaints import Alert, Complaint, Repeat
from storage.tables.deals import Deal
from storage.tables.queues import Outbox, OutboxState
from storage.tables.surveys import Reply, Survey


async def complaint(tx: AsyncSession, complaint_id: int, *, lock: bool = False) -> Complaint | None:
    """`lock`: nobody else changes it until this transaction ends."""
    wanted = select(Complaint).where(Complaint.id == complaint_id)
    return (await tx.exec(wanted.with_for_update() if lock else wanted)).first()


async def by_lead(tx: AsyncSession, lead_id: int) -> Complaint | None:
    return (await tx.exec(select(Complaint).where(Complaint.lead_id == lead_id))).first()


async def by_leads(tx: AsyncSession, lead_ids: Sequence[int]) -> dict[int, Complaint]:
    rows = await tx.exec(select(Complaint).where(col(Complaint.lead_id).in_(lead_ids)))
    return {row.lead_id: row for row in rows if row.lead_id is not None}


async def by_markers(tx: AsyncSession, markers: Sequence[str]) -> Complaint | None:
    return (await tx.exec(select(Complaint).where(col(Complaint.marker).in_(list(markers))))).first()


async def by_survey(tx: AsyncSession, survey_id: int) -> Complaint | None:
    return (await tx.exec(select(Complaint).where(Complaint.survey_id == survey_id))).first()


async def open_of_client(tx: AsyncSession, client_id: int) -> Complaint | None:
    """The complaint of this person that nobody has closed, whoever opened it."""
    wanted = select(Complaint).where(
        Complaint.client_id == client_id, col(Complaint.closed_at).is_(None), col(Complaint.left_at).is_(None)
    )
    return (await tx.exec(wanted.order_by(col(Complaint.opened_at)))).first()


async def of_score(tx: AsyncSession, survey: Survey) -> Complaint | None:
    """The complaint that this survey's low score opened or joined."""
    own = await by_survey(tx, survey.id or 0)
    if own is not None or survey.client_id is None:
        return own
    return await open_of_client(tx, survey.client_id) or await _ended_since(tx, survey)


async def _ended_since(tx: AsyncSession, survey: Survey) -> Complaint | None:
    """The client's complaint that was open when the score came, and is no more."""
    ended_at = func.coalesce(Complaint.closed_at, Complaint.left_at)
    wanted = select(Complaint).where(Complaint.client_id == survey.client_id, ended_at > survey.answered_at)
    return (await tx.exec(wanted.order_by(ended_at.desc()))).first()


async def of_deal(tx: AsyncSession, source_deal_id: int) -> Complaint | None:
    """The latest complaint about this deal."""
    wanted = select(Complaint).where(Complaint.source_deal_id == source_deal_id)
    return (await tx.exec(wanted.order_by(col(Complaint.opened_at).desc()))).first()


async def take(tx: AsyncSession, complaint_id: int, staff: str, now: datetime) -> bool:
    """One owner: False if somebody else was faster."""
    changed = await tx.exec(
        update(Complaint)
        .where(
            col(Complaint.id) == complaint_id,
            col(Complaint.taken_by) == "",
            col(Complaint.closed_at).is_(None),
        )
        .values(taken_by=staff, taken_at=now)
    )
    return changed.rowcount == 1


async def note_talk(tx: AsyncSession, complaint_id: int, staff: str, now: datetime) -> bool:
    """Somebody talked with the client; who did so without taking it has it now. False: it was told before."""
    is_untaken = col(Complaint.taken_by) == ""
    changed = await tx.exec(
        update(Complaint)
        .where(
            col(Complaint.id) == complaint_id,
            or_(col(Complaint.contacted_at).is_(None), col(Complaint.call_again).is_(True)),
            col(Complaint.closed_at).is_(None),
        )
        .values(
            contacted_by=staff,
            contacted_at=func.coalesce(Complaint.contacted_at, now),
            call_again=False,
            taken_at=case((is_untaken, now), else_=col(Complaint.taken_at)),
            taken_by=case((is_untaken, staff), else_=col(Complaint.taken_by)),
        )
    )
    return changed.rowcount == 1


async def pass_on(tx: AsyncSession, complaint_id: int, staff: str, user: int, now: datetime) -> bool:
    """It is this person's, who has yet to take it. `user`: in amoCRM; 0: not known. False: it is over."""
    changed = await tx.exec(
        update(Complaint)
        .where(
            col(Complaint.id) == complaint_id,
            col(Complaint.closed_at).is_(None),
            col(Complaint.left_at).is_(None),
        )
        .values(
            passed_to=staff,
            responsible_id=user or col(Complaint.responsible_id),
            call_later_at=None,
            **_untaken(now),
        )
    )
    return changed.rowcount == 1


async def take_from(tx: AsyncSession, complaint_id: int, staff: str, now: datetime) -> bool:
    """It has become about this person, who had taken it or was given it. False: neither was so."""
    changed = await tx.exec(
        update(Complaint)
        .where(
            col(Complaint.id) == complaint_id,
            or_(col(Complaint.taken_by) == staff, col(Complaint.passed_to) == staff),
        )
        .values(passed_to="", **_untaken(now))
    )
    return changed.rowcount == 1


def _untaken(now: datetime) -> dict[str, Any]:
    first = func.coalesce(Complaint.first_taken_at, Complaint.taken_at)
    return {"passed_at": now, "taken_by": "", "taken_at": None, "first_taken_at": first}


async def close(tx: AsyncSession, complaint_id: int, staff: str, user: int, now: datetime) -> bool:
    """Solved, as this person says. `user`: in amoCRM; 0: not known. False: it is closed already."""
    changed = await tx.exec(
        update(Complaint)
        .where(col(Complaint.id) == complaint_id, col(Complaint.closed_at).is_(None))
        .values(closed_at=now, is_solved=True, closed_by=staff, closed_by_user=user)
    )
    return changed.rowcount == 1


async def by_result_message(tx: AsyncSession, name: str) -> Complaint | None:
    """That whose result is told in answer to this message."""
    return (await tx.exec(select(Complaint).where(Complaint.result_message == name))).first()


async def alerts(tx: AsyncSession, complaint_id: int) -> Sequence[Alert]:
    return (
        await tx.exec(select(Alert).where(Alert.complaint_id == complaint_id).order_by(col(Alert.id)))
    ).all()


async def repeats(tx: AsyncSession, complaint_id: int) -> Sequence[Repeat]:
    """What else tells of it, the newest first."""
    found = select(Repeat).where(Repeat.complaint_id == complaint_id)
    return (await tx.exec(found.order_by(col(Repeat.id).desc()))).all()


async def unattended(tx: AsyncSession, now: datetime) -> Sequence[Complaint]:
    """Open complaints of a low score that nobody has taken, or whose client was promised a call by now."""
    wanted = select(Complaint).where(
        col(Complaint.survey_id).is_not(None),
        col(Complaint.closed_at).is_(None),
        col(Complaint.left_at).is_(None),
        waits_for_somebody(now),
    )
    return (await tx.exec(wanted.order_by(col(Complaint.id)))).all()


def waits_for_somebody(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Nobody has taken it, or nobody has talked with the client by when that was promised."""
    is_uncalled = or_(col(Complaint.contacted_at).is_(None), col(Complaint.call_again).is_(True))
    return or_(col(Complaint.taken_by) == "", and_(col(Complaint.deadline) <= now, is_uncalled))


async def heard_at(tx: AsyncSession, complaint_id: int) -> datetime | None:
    """When the first of its alerts that still stand was sent; None: nobody heard of it."""
    return (await tx.exec(select(func.min(Alert.sent_at)).where(Alert.complaint_id == complaint_id))).one()


async def opened_again_at(tx: AsyncSession, complaint: Complaint) -> datetime | None:
    """Of one that was closed and is open once more: since when it stands where it stands in amoCRM."""
    if not complaint.reopened or complaint.lead_id is None:
        return None
    return (await tx.exec(select(Deal.entered_at).where(Deal.deal_id == complaint.lead_id))).first()


async def is_still_low(tx: AsyncSession, complaint: Complaint) -> bool:
    """Was the score that opened it, or one that joined it, not corrected since?"""
    opened_it = and_(col(Survey.id) == complaint.survey_id, col(Survey.band) == "low")
    low = select(Survey.id).where(or_(opened_it, _has_joined(complaint)))
    return (await tx.exec(low.limit(1))).first() is not None


async def rated_low(tx: AsyncSession, complaint: Complaint) -> frozenset[int]:
    """amoCRM users whom its low scores are about: that which opened it, and those that came to it since."""
    opened_it = col(Survey.id) == complaint.survey_id
    wanted = select(Survey.manager_id).where(
        col(Survey.subject_is_manager).is_(True), or_(opened_it, _has_joined(complaint))
    )
    return frozenset(user for user in (await tx.exec(wanted.distinct())).all() if user)


def _has_joined(complaint: Complaint) -> ColumnElement[bool]:
    """A low score of the client that was given, or corrected to it, since the complaint stands."""
    said_since = select(Reply.survey_id).where(Reply.received_at >= complaint.opened_at)
    first = select(Survey.answered_at).where(Survey.id == complaint.survey_id).scalar_subquery()
    return and_(
        col(Survey.client_id).is_not(None),
        Survey.client_id == complaint.client_id,
        Survey.band == "low",
        or_(
            col(Survey.id).in_(said_since),  # a score that was corrected keeps its first moment
            func.coalesce(Survey.confirm_until, Survey.answered_at) >= complaint.opened_at,
            col(Survey.answered_at) >= first,
        ),
    )


async def lacks_clients(tx: AsyncSession) -> bool:
    """Is there a complaint whose client could be known from its deal by now?"""
    wanted = (
        select(Complaint.id)
        .join(Deal, col(Deal.deal_id) == col(Complaint.lead_id))
        .where(col(Complaint.client_id).is_(None), col(Deal.client_id).is_not(None))
    )
    return (await tx.exec(wanted.limit(1))).first() is not None


async def fill_clients(tx: AsyncSession) -> None:
    """Complaints opened by hand learn their client once the contact has been read."""
    known = select(Deal.client_id).where(Deal.deal_id == Complaint.lead_id).scalar_subquery()
    await tx.exec(
        update(Complaint)
        .where(col(Complaint.client_id).is_(None), col(Complaint.lead_id).is_not(None))
        .values(client_id=known)
    )


async def to_follow(tx: AsyncSession, *, limit: int = 100, past: bool = False) -> dict[int, datetime]:
    """Complaint deals whose events are still to be read → when they last changed."""
    wanted = (
        select(Complaint.lead_id, Deal.updated_at)
        .join(Deal, col(Deal.deal_id) == col(Complaint.lead_id))
        .where(
            col(Complaint.followed_at).is_(None),
            col(Deal.is_deleted).is_(False),
            col(Deal.is_past).is_(past),
        )
        .order_by(col(Complaint.id))
    )
    rows = (await tx.exec(wanted.limit(limit))).all()
    return {lead_id: updated_at for lead_id, updated_at in rows if lead_id is not None}


async def only_manager(tx: AsyncSession, client_id: int, complaints_pipeline: int) -> int:
    """Who leads the client's deals, if that is one person; 0: nobody, or several do."""
    wanted = (
        select(Deal.manager_id)
        .where(
            Deal.client_id == client_id,
            Deal.pipeline_id != complaints_pipeline,
            col(Deal.is_deleted).is_(False),
            col(Deal.is_reply).is_(False),
        )
        .distinct()
        .limit(2)
    )
    managers = (await tx.exec(wanted)).all()
    return managers[0] if len(managers) == 1 else 0


async def open_leads(tx: AsyncSession) -> list[int]:
    """The deals of all complaints that are open."""
    wanted = select(Complaint.lead_id).where(
        col(Complaint.lead_id).is_not(None),
        col(Complaint.closed_at).is_(None),
        col(Complaint.left_at).is_(None),
    )
    return [lead_id for lead_id in (await tx.exec(wanted)).all() if lead_id is not None]


async def in_message(
    tx: AsyncSession, channel: str, chat_id: str, message_id: str
) -> Sequence[Alert | Repeat]:
    """What it is to each complaint that it tells of, in their order: several where it was joined."""
    alert = select(Alert).where(
        Alert.channel == channel, Alert.chat_id == chat_id, Alert.message_id == message_id
    )
    repeat = select(Repeat).where(
        Repeat.channel == channel, Repeat.chat_id == chat_id, Repeat.message_id == message_id
    )
    found: list[Alert | Repeat] = [*(await tx.exec(alert)).all(), *(await tx.exec(repeat)).all()]
    return sorted(found, key=lambda row: row.complaint_id)


async def messages_since(tx: AsyncSession, since: datetime) -> dict[tuple[str, str], list[datetime]]:
    """When alerts were sent to each chat of a channel; what was joined counts as one."""
    chat = (col(Alert.channel), col(Alert.chat_id))
    sent = select(*chat, func.min(Alert.sent_at)).where(col(Alert.sent_at) > since)
    found: dict[tuple[str, str], list[datetime]] = {}
    for channel, chat_id, at in (await tx.exec(sent.group_by(*chat, col(Alert.message_id)))).all():
        found.setdefault((channel, chat_id), []).append(at)
    return found


async def wanted_alerts(tx: AsyncSession) -> Sequence[Outbox]:
    """Alerts that are still to be sent, and complaints that are still to be opened."""
    is_open = or_(
        col(Outbox.state) == inline(OutboxState.WAITING), col(Outbox.state) == inline(OutboxState.DOING)
    )
    wanted = select(Outbox).where(is_open, (col(Outbox.kind) + "").in_(["alert_staff", "open_complaint"]))
    return (await tx.exec(wanted.order_by(col(Outbox.id)))).all()


async def move_alerts(tx: AsyncSession, channel: str, old: str, new: str) -> None:
    """A chat has another id from now on. Messages that were sent there cannot be found by their ids."""
    await tx.exec(
        update(Alert)
        .where(col(Alert.channel) == channel, col(Alert.chat_id) == old)
        .values(chat_id=new, message_id="")
    )
    await tx.exec(delete(Repeat).where(col(Repeat.channel) == channel, col(Repeat.chat_id) == old))


async def opened_by(tx: AsyncSession, survey_ids: Sequence[int]) -> set[int]:
    """Those of these surveys whose low score has its complaint."""
    if not survey_ids:
        return set()
    known = select(Complaint.survey_id).where(col(Complaint.survey_id).in_(survey_ids))
    return {survey_id for survey_id in (await tx.exec(known)).all() if survey_id is not None}
