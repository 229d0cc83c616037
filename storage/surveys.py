"""Surveys on their way: claimed before they are sent, settled once, answered in revisions."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, UpdateBase, bindparam, case, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import and_, col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.people import mark_code_sent
from storage.rows import insert_all_once, insert_once
from storage.sql import inline
from storage.tables import Chat, Complaint, Deal, Message, Reply, Survey, SurveyState

LEASE = timedelta(minutes=5)  # how long a claimed survey may be checked before another may take it
WISHES = ("optout", "optin", "command")  # `rule` of replies that want something of us
MACHINE = "machine"  # … of those that no person wrote
REACTION = "reaction"  # `kind` of a thumb under our message
CHECKING = "checking"  # `waits_for` of a survey that somebody is just looking at
GREETING = "greeting"  # … and of one that goes out as soon as the client has been greeted
REFERENCE = re.compile(r"survey-(?P<id>\d{1,18})-\d{1,9}")  # our name for one try at a question
LOOKING = "looking"  # … and of one that may have gone out, where that can be found out
SETTLES = timedelta(minutes=2)  # until the gateway tells what became of a message
TOLD_FOR = timedelta(hours=12)  # it keeps what it has to tell for a day; then nothing told means nothing
OPEN = (SurveyState.SENDING, SurveyState.SENT, SurveyState.UNCERTAIN)
# In the words of the partial index, so that it is used.
_IS_ASKED = or_(
    col(Survey.state) == inline(SurveyState.SENT), col(Survey.state) == inline(SurveyState.UNCERTAIN)
)


async def plan(tx: AsyncSession, planned: Sequence[Survey]) -> set[int]:
    """Keep what was planned for a page of deals. The deals for which that is news.

    A survey of a deal exists once and for ever, whatever became of it. While nothing was sent it moves with
    the date that it counts from.
    """
    columns = Survey.survey_key, Survey.deal_id, Survey.due_at
    deal_ids = {survey.deal_id for survey in planned}
    rows = await tx.exec(select(*columns).where(col(Survey.deal_id).in_(deal_ids)))
    due = {(key, deal_id): due_at for key, deal_id, due_at in rows}
    new = [survey for survey in planned if (survey.survey_key, survey.deal_id) not in due]
    news = set(await insert_all_once(tx, new, returning=col(Survey.deal_id)))
    for survey in planned:
        was_due = due.get((survey.survey_key, survey.deal_id), survey.due_at)
        if survey.state == SurveyState.PLANNED and survey.due_at != was_due and await _move_due(tx, survey):
            news.add(survey.deal_id)
    return news


SURVEY = select(Survey).where(Survey.id == bindparam("survey_id"))


async def survey(tx: AsyncSession, survey_id: int) -> Survey | None:
    return (await tx.exec(SURVEY, params={"survey_id": survey_id})).first()


async def _move_due(tx: AsyncSession, planned: Survey) -> bool:
    """The date it counts from was changed. False if its question is out, or its turn had come."""
    due_at = planned.due_at
    moved = await tx.exec(
        update(Survey)
        .where(
            col(Survey.survey_key) == planned.survey_key,
            col(Survey.deal_id) == planned.deal_id,
            col(Survey.state) == SurveyState.PLANNED,
            col(Survey.turn_at).is_(None),
        )
        .values(triggered_at=planned.triggered_at, due_at=due_at, next_at=due_at, waits_for="")
    )
    return moved.rowcount == 1


async def claim_due(db: Database, now: datetime) -> Survey | None:
    """The longest due survey, held for this process until it is sent, put off or closed."""
    return await _claim(db, CLAIM_DUE, {"now": now})


async def claim(db: Database, survey_id: int, now: datetime) -> Survey | None:
    """This very survey, unless somebody else holds it."""
    return await _claim(db, CLAIM, {"survey_id": survey_id, "now": now})


async def _claim(db: Database, claiming: UpdateBase, values: dict[str, Any]) -> Survey | None:
    mine = {**values, "claimed_by": db.owner, "free_again": values["now"] + LEASE}
    async with db.transaction() as tx:
        return (await tx.exec(claiming, params=mine)).scalar()


def _claiming(which: Any) -> UpdateBase:
    now: BindParameter[datetime] = bindparam("now")
    owner: BindParameter[str] = bindparam("claimed_by")
    return (
        update(Survey)
        # The state is asked for again: another worker may have been faster.
        .where(
            col(Survey.id) == which,
            col(Survey.state) == SurveyState.PLANNED,
            or_(col(Survey.waits_for) != CHECKING, col(Survey.next_at) <= now, col(Survey.owner) == owner),
        )
        .values(owner=owner, attempt=Survey.attempt + 1, next_at=bindparam("free_again"), waits_for=CHECKING)
        .returning(Survey)
        .execution_options(synchronize_session=False)
    )


CLAIM = _claiming(bindparam("survey_id"))
CLAIM_DUE = _claiming(
    select(Survey.id)
    .where(Survey.state == SurveyState.PLANNED, col(Survey.next_at) <= bindparam("now"))
    .order_by(col(Survey.next_at), col(Survey.id))
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)


def _held(survey: Survey, *states: str) -> tuple[Any, ...]:
    """Whoever lost the claim changes nothing."""
    return (
        col(Survey.id) == survey.id,
        col(Survey.owner) == survey.owner,
        col(Survey.attempt) == survey.attempt,
        col(Survey.state).in_(states or (SurveyState.PLANNED,)),
    )


async def postpone(db: Database, survey: Survey, until: datetime, reason: str) -> bool:
    async with db.transaction() as tx:
        changed = await tx.exec(update(Survey).where(*_held(survey)).values(next_at=until, waits_for=reason))
        return changed.rowcount == 1


async def close(tx: AsyncSession, survey: Survey, reason: str, now: datetime) -> bool:
    """It will not be sent, for this reason."""
    changed = await tx.exec(
        update(Survey)
        .where(*_held(survey))
        .values(state=SurveyState.SKIPPED, reason=reason, waits_for="", settled_at=now)
    )
    return changed.rowcount == 1


async def fail(tx: AsyncSession, survey: Survey) -> bool:
    """It was accepted, but every channel reported failure afterwards."""
    changed = await tx.exec(
        update(Survey).where(*_held(survey)).values(state=SurveyState.FAILED, reason="failed", waits_for="")
    )
    return changed.rowcount == 1


async def begin_sending(
    db: Database,
    survey: Survey,
    *,
    channel: str,
    chat_id: str,
    text_variant: str,
    promo_code: str,
    conversation: int,
) -> bool:
    """The intent, committed before the request. False: the claim was lost, so send nothing."""
    async with db.transaction() as tx:
        changed = await tx.exec(
            update(Survey)
            .where(*_held(survey))
            .values(
                state=SurveyState.SENDING,
                waits_for="",
                channel=channel,
                chat_id=chat_id,
                text_variant=text_variant,
                promo_code=promo_code,
                conversation=conversation,
            )
        )
        return changed.rowcount == 1


async def mark_asked(
    tx: AsyncSession,
    survey: Survey,
    *,
    message_id: str,
    now: datetime,
    expires_at: datetime,
    uncertain: bool,
    is_looked_for: bool = False,
) -> bool:
    """It went out, or may have. A survey that was asked before on another channel keeps its first date.

    With a `message_id` it did, also where somebody meanwhile took the sender for dead.
    """
    states = (SurveyState.SENDING,) if uncertain else (SurveyState.SENDING, SurveyState.UNCERTAIN)
    changed = await tx.exec(
        update(Survey)
        .where(*_held(survey, *states))
        .values(
            state=SurveyState.UNCERTAIN if uncertain else SurveyState.SENT,
            uncertain=uncertain,
            message_id=message_id,
            next_at=now + SETTLES if is_looked_for else now,
            waits_for=LOOKING if is_looked_for else "",
            sent_at=func.coalesce(Survey.sent_at, now),
            settled_at=func.coalesce(Survey.settled_at, now),
            expires_at=func.coalesce(Survey.expires_at, expires_at),
        )
    )
    return changed.rowcount == 1


async def take_back(
    db: Database, survey: Survey, *, next_at: datetime, reason: str, failed_channel: str | None = None
) -> bool:
    """Certainly not sent: planned again, on another channel if this one failed for good."""
    tried = [*survey.tried, failed_channel] if failed_channel else survey.tried
    async with db.transaction() as tx:
        changed = await tx.exec(
            update(Survey)
            .where(*_held(survey, SurveyState.SENDING))
            .values(state=SurveyState.PLANNED, next_at=next_at, waits_for=reason, tried=tried)
        )
        return changed.rowcount == 1


async def rescue(
    db: Database,
    now: datetime,
    expires_at: datetime,
    *,
    gone_for: timedelta = timedelta(0),
    searchable: Sequence[str] = (),
) -> Sequence[Survey]:
    """What a dead process was just sending may have arrived: it counts as asked, or is looked for.

    The latter on a `searchable` channel. What it was only checking is free again. Gives the former. A sending
    of our own that outlived its claim is treated alike: its end could not be recorded, or the answer to the
    claim's COMMIT was lost.
    """
    sending = select(Survey.owner).where(
        col(Survey.state) == inline(SurveyState.SENDING),
        or_(col(Survey.owner) != db.owner, col(Survey.next_at) <= now),
    )
    checked = select(Survey.owner).where(
        col(Survey.state) == inline(SurveyState.PLANNED),
        col(Survey.waits_for) == CHECKING,
        col(Survey.owner) != db.owner,
    )
    async with db.reading() as tx:
        # Two questions, since each has an index of its own.
        owners = {*(await tx.exec(sending.distinct())), *(await tx.exec(checked.distinct()))}
    # `next_at` still is the end of the claim.
    can_be_found = and_(col(Survey.channel).in_(searchable), col(Survey.next_at) > now - TOLD_FOR)
    dead = await db.orphans(owners, gone_for=gone_for)
    if not dead and db.owner not in owners:
        return ()
    is_lost = or_(
        col(Survey.owner).in_(dead), and_(col(Survey.owner) == db.owner, col(Survey.next_at) <= now)
    )
    async with db.transaction() as tx:
        asked = await tx.exec(
            update(Survey)
            .where(col(Survey.state) == SurveyState.SENDING, is_lost)
            .values(
                state=SurveyState.UNCERTAIN,
                uncertain=True,
                next_at=case((can_be_found, now + SETTLES), else_=now),
                waits_for=case((can_be_found, LOOKING), else_=""),
                sent_at=func.coalesce(Survey.sent_at, now),
                settled_at=func.coalesce(Survey.settled_at, now),
                expires_at=func.coalesce(Survey.expires_at, expires_at),
            )
            .returning(Survey)
        )
        rows = [row[0] for row in asked.all()]
        for orphan in rows:
            await _note_asked(tx, orphan, now)
            if orphan.promo_code:
                await mark_code_sent(tx, orphan.promo_code, now)
        await tx.exec(
            update(Survey)
            .where(
                col(Survey.state) == SurveyState.PLANNED,
                col(Survey.waits_for) == CHECKING,
                col(Survey.owner).in_(dead),
            )
            .values(attempt=Survey.attempt + 1, next_at=now, waits_for="")
        )
        return rows


async def let_go(db: Database, now: datetime) -> None:
    """After trouble in the middle: what we were only checking may be looked at again at once."""
    async with db.transaction() as tx:
        await tx.exec(
            update(Survey)
            .where(
                col(Survey.state) == SurveyState.PLANNED,
                col(Survey.waits_for) == CHECKING,
                col(Survey.owner) == db.owner,
            )
            .values(next_at=now, waits_for="")
        )


async def _note_asked(tx: AsyncSession, survey: Survey, now: datetime) -> None:
    await tx.exec(
        update(Chat)
        .where(col(Chat.channel) == survey.channel, col(Chat.chat_id) == survey.chat_id)
        .values(asked_at=now)
    )


async def open_of_client(tx: AsyncSession, client_id: int) -> Sequence[Survey]:
    """Questions that wait for this person's answer, the latest first."""
    wanted = (
        select(Survey)
        .where(Survey.client_id == client_id, col(Survey.state).in_(OPEN))
        .order_by(col(Survey.sent_at).desc(), col(Survey.id).desc())
    )
    return (await tx.exec(wanted)).all()


async def low_answers(tx: AsyncSession, client_id: int) -> Sequence[Survey]:
    """The latest low scores of this person, as they stand."""
    wanted = select(Survey).where(Survey.client_id == client_id, Survey.band == "low")
    return (await tx.exec(wanted.order_by(col(Survey.answered_at).desc()).limit(5))).all()


async def latest_in_chat(tx: AsyncSession, channel: str, chat_id: str) -> Survey | None:
    """The survey that was last asked in this chat."""
    wanted = (
        select(Survey)
        .where(Survey.channel == channel, Survey.chat_id == chat_id, col(Survey.sent_at).is_not(None))
        .order_by(col(Survey.sent_at).desc(), col(Survey.id).desc())
    )
    return (await tx.exec(wanted)).first()


async def is_being_sent(tx: AsyncSession, channel: str, chat_id: str) -> bool:
    """Is a question on its way into this chat? Until that is settled, a reply to it belongs to nothing."""
    sending = select(Survey.id).where(
        Survey.channel == channel, Survey.chat_id == chat_id, Survey.state == SurveyState.SENDING
    )
    return (await tx.exec(sending.limit(1))).first() is not None


async def of_deal(tx: AsyncSession, deal_id: int) -> Sequence[Survey]:
    return (await tx.exec(select(Survey).where(Survey.deal_id == deal_id).order_by(col(Survey.id)))).all()


async def of_root(tx: AsyncSession, root_deal_id: int) -> Sequence[Survey]:
    wanted = select(Survey).where(Survey.root_deal_id == root_deal_id)
    return (await tx.exec(wanted.order_by(col(Survey.due_at), col(Survey.id)))).all()


async def in_line(
    tx: AsyncSession, client_id: int, now: datetime, *, behind: int | None = None
) -> Sequence[Survey]:
    """Due questions of this person that wait for their turn, in the order in which they are asked."""
    wanted = (
        select(Survey)
        .where(Survey.client_id == client_id, Survey.state == SurveyState.PLANNED, col(Survey.due_at) <= now)
        .order_by(col(Survey.due_at), col(Survey.id))
    )
    return [survey for survey in (await tx.exec(wanted)).all() if survey.id != behind]


async def give_turn(tx: AsyncSession, client_id: int, now: datetime, next_at: datetime) -> None:
    """The question before them was answered: those in line may be asked.

    The thanks take the next one along at once; `next_at` is when it goes by itself if they could not.
    """
    await tx.exec(
        update(Survey)
        .where(
            col(Survey.client_id) == client_id,
            col(Survey.state) == SurveyState.PLANNED,
            col(Survey.due_at) <= now,
            col(Survey.waits_for) != CHECKING,
        )
        .values(turn_at=now, next_at=next_at, waits_for="")
    )


async def running_conversation(tx: AsyncSession, survey: Survey) -> int | None:
    """The conversation that this survey goes on with: its turn came when somebody answered there."""
    if survey.turn_at is None or survey.client_id is None:
        return None
    wanted = (
        select(Survey.conversation)
        .where(
            Survey.client_id == survey.client_id,
            col(Survey.conversation).is_not(None),
            col(Survey.answered_at) == survey.turn_at,
        )
        .limit(1)
    )
    return (await tx.exec(wanted)).first()


async def carried_code(tx: AsyncSession, survey: Survey) -> bool:
    """Did another question about this deal already bring the code for friends?"""
    wanted = select(Survey.id).where(
        Survey.root_deal_id == survey.root_deal_id,
        Survey.id != survey.id,
        Survey.promo_code != "",
        col(Survey.sent_at).is_not(None),
    )
    return (await tx.exec(wanted.limit(1))).first() is not None


def reference_of(survey: Survey) -> str:
    """Our own name for this try at this question, for services that give it back."""
    return f"survey-{survey.id}-{survey.attempt}"


async def settle_by_reference(
    tx: AsyncSession, channel: str, reference: str, message_id: str
) -> Survey | None:
    """The service tells of a question of ours whose answer was lost: it did arrive."""
    name = REFERENCE.fullmatch(reference)
    if name is None:
        return None
    found = (
        await tx.exec(
            select(Survey).where(
                Survey.id == int(name["id"]),
                Survey.channel == channel,
                Survey.state == SurveyState.UNCERTAIN,
                Survey.message_id == "",
            )
        )
    ).first()
    if found is not None:
        found.state, found.uncertain, found.message_id = SurveyState.SENT, False, message_id
        found.waits_for = ""
    return found


async def settle_uncertain(tx: AsyncSession, channel: str, chat_id: str, message_id: str) -> Survey | None:
    """The gateway shows a message of ours in this chat whose answer was lost: the question did arrive."""
    wanted = (
        select(Survey)
        .where(
            Survey.channel == channel,
            Survey.chat_id == chat_id,
            Survey.state == SurveyState.UNCERTAIN,
            Survey.message_id == "",
        )
        .order_by(col(Survey.sent_at).desc())
    )
    survey = (await tx.exec(wanted)).first()
    if survey is not None:
        survey.message_id, survey.state, survey.uncertain = message_id, SurveyState.SENT, False
        survey.waits_for = ""
    return survey


async def to_look_for(
    tx: AsyncSession, channel: str, now: datetime, *, keys: Collection[str], limit: int = 100
) -> Sequence[Survey]:
    """Questions of this channel that may have gone out, and have had time to settle.

    `keys`: of all surveys.
    """
    wanted = (
        select(Survey)
        # With the keys the index on key and state helps; without, every survey would be read.
        .where(col(Survey.survey_key).in_(keys), *_looked_for(), col(Survey.channel) == channel)
        .where(col(Survey.next_at) <= now)
        .order_by(col(Survey.next_at))
        .limit(limit)
    )
    return (await tx.exec(wanted)).all()


def _looked_for() -> tuple[Any, ...]:
    return (
        col(Survey.state) == SurveyState.UNCERTAIN,
        col(Survey.message_id) == "",
        col(Survey.waits_for) == LOOKING,
    )


async def look_later(tx: AsyncSession, survey: Survey, at: datetime) -> None:
    await tx.exec(update(Survey).where(col(Survey.id) == survey.id, *_looked_for()).values(next_at=at))


async def stop_looking(tx: AsyncSession, survey: Survey, now: datetime) -> None:
    """Nobody will ever know: it counts as asked."""
    changed = update(Survey).where(col(Survey.id) == survey.id, *_looked_for())
    await tx.exec(changed.values(waits_for="", next_at=now))


async def plan_again(tx: AsyncSession, survey: Survey, now: datetime) -> bool:
    """It was looked for, and did not go out. A date from another channel, tried before, remains."""
    dates = {} if survey.tried else {"sent_at": None, "settled_at": None, "expires_at": None}
    changed = await tx.exec(
        update(Survey)
        .where(col(Survey.id) == survey.id, *_looked_for())
        .values(state=SurveyState.PLANNED, uncertain=False, waits_for="", next_at=now, promo_code="", **dates)
    )
    return changed.rowcount == 1


async def end_line(tx: AsyncSession, client_id: int, now: datetime, reason: str) -> Sequence[int]:
    """Silence ends the conversation and the questions behind it; gives their deals."""
    ended = await tx.exec(
        update(Survey)
        .where(
            col(Survey.client_id) == client_id,
            col(Survey.state) == SurveyState.PLANNED,
            col(Survey.due_at) <= now,
        )
        .values(state=SurveyState.SKIPPED, reason=reason, waits_for="", settled_at=now)
        .returning(col(Survey.deal_id))
    )
    return [deal_id for (deal_id,) in ended.all()]


async def look_again(
    tx: AsyncSession, client_id: int, now: datetime, *, greeting_until: datetime | None = None
) -> None:
    """Whoever is just checking a question to this person loses it: what they saw is out of date.

    `greeting_until`: it is looked at anew when the person has been greeted, or else then.
    """
    await tx.exec(
        update(Survey)
        .where(
            _of_client(client_id),
            col(Survey.state) == SurveyState.PLANNED,
            col(Survey.waits_for) == CHECKING,
        )
        .values(
            attempt=Survey.attempt + 1,
            next_at=greeting_until or now,
            waits_for=GREETING if greeting_until else "",
        )
    )


async def greeted(tx: AsyncSession, client_id: int, now: datetime) -> bool:
    """What has waited for the greeting goes out; False when nothing has."""
    waits = update(Survey).where(
        _of_client(client_id),
        col(Survey.state) == SurveyState.PLANNED,
        col(Survey.waits_for) == GREETING,
    )
    return bool((await tx.exec(waits.values(next_at=now, waits_for=""))).rowcount)


def _of_client(client_id: int) -> Any:
    """Also those that were planned before it was known whose deal it is."""
    deals = select(Deal.deal_id).where(Deal.client_id == client_id)
    return or_(
        col(Survey.client_id) == client_id,
        and_(col(Survey.client_id).is_(None), col(Survey.deal_id).in_(deals)),
    )


async def revive(
    tx: AsyncSession,
    client_id: int,
    reasons: Collection[str],
    now: datetime,
    limit: timedelta,
    *,
    greeting_until: datetime,
) -> int:
    """Somebody who could not be reached has linked a messenger in time: asked after all.

    That is when the person has been greeted, or else at this moment.
    """
    revived = await tx.exec(
        update(Survey)
        .where(
            _of_client(client_id),
            col(Survey.state) == SurveyState.SKIPPED,
            col(Survey.reason).in_(list(reasons)),
            col(Survey.due_at) > now - limit,
            col(Survey.sent_at).is_(None),
        )
        .values(
            state=SurveyState.PLANNED,
            reason="",
            settled_at=None,
            tried=[],  # What refused the question before may be what was linked now.
            next_at=greeting_until,
            waits_for=GREETING,
        )
    )
    return revived.rowcount


async def to_remind(
    tx: AsyncSession, sent_before: datetime, now: datetime, *, limit: int = 100
) -> Sequence[Survey]:
    """Unanswered questions, asked before this moment, of conversations that were not reminded yet."""
    other = aliased(Survey)
    is_reminded = exists().where(
        col(other.conversation) == col(Survey.conversation), col(other.reminded_at).is_not(None)
    )
    wanted = (
        select(Survey)
        .where(
            _IS_ASKED,
            col(Survey.waits_for) != LOOKING,  # It may not have been asked, and be asked yet.
            col(Survey.reminded_at).is_(None),
            col(Survey.call_asked_at).is_(None),
            col(Survey.sent_at) <= sent_before,
            col(Survey.expires_at) > now,
            col(Survey.next_at) <= now,
            ~is_reminded,
        )
        # The order in which they were asked; by that itself the index of all that was ever sent is preferred.
        .order_by(col(Survey.expires_at))
        .limit(limit)
    )
    return (await tx.exec(wanted)).all()


async def claim_reminder(db: Database, survey: Survey, now: datetime) -> bool:
    """At most one reminder: it is written down before it is sent."""
    async with db.transaction() as tx:
        changed = await tx.exec(
            update(Survey)
            .where(
                col(Survey.id) == survey.id,
                col(Survey.reminded_at).is_(None),
                col(Survey.state).in_((SurveyState.SENT, SurveyState.UNCERTAIN)),
            )
            .values(reminded_at=now)
        )
        return changed.rowcount == 1


async def let_be(tx: AsyncSession, client_id: int, now: datetime) -> None:
    """The client wants no more of it: a reminder that is just being checked is not sent either."""
    await tx.exec(
        update(Survey)
        .where(col(Survey.client_id) == client_id, _IS_ASKED, col(Survey.reminded_at).is_(None))
        .values(reminded_at=now)
    )


async def remind_later(db: Database, survey: Survey, at: datetime) -> None:
    async with db.transaction() as tx:
        await tx.exec(update(Survey).where(col(Survey.id) == survey.id).values(next_at=at))


async def unclaim_reminder(db: Database, survey: Survey, at: datetime) -> None:
    """The reminder certainly did not go out; the next try is at this moment."""
    async with db.transaction() as tx:
        await tx.exec(update(Survey).where(col(Survey.id) == survey.id).values(reminded_at=None, next_at=at))


async def expired(tx: AsyncSession, now: datetime, *, limit: int = 200) -> Sequence[Survey]:
    wanted = (
        select(Survey)
        .where(_IS_ASKED, col(Survey.expires_at) <= now)
        .order_by(col(Survey.expires_at))
        .limit(limit)
    )
    return (await tx.exec(wanted)).all()


async def expire(tx: AsyncSession, survey: Survey) -> bool:
    changed = await tx.exec(
        update(Survey)
        .where(col(Survey.id) == survey.id, col(Survey.state).in_((SurveyState.SENT, SurveyState.UNCERTAIN)))
        .values(state=SurveyState.EXPIRED)
    )
    return changed.rowcount == 1


async def record_message(
    tx: AsyncSession,
    *,
    channel: str,
    chat_id: str,
    message_id: str,
    survey_id: int | None,
    kind: str,
    text_variant: str,
    now: datetime,
) -> None:
    if message_id:
        await insert_once(
            tx,
            Message(
                channel=channel,
                chat_id=chat_id,
                message_id=message_id,
                survey_id=survey_id,
                kind=kind,
                text_variant=text_variant,
                sent_at=now,
            ),
        )


async def message(
    tx: AsyncSession, channel: str, message_id: str, chat_id: str | None = None
) -> Message | None:
    wanted = select(Message).where(Message.channel == channel, Message.message_id == message_id)
    if chat_id is not None:
        wanted = wanted.where(Message.chat_id == chat_id)
    return (await tx.exec(wanted)).first()


async def was_asked(tx: AsyncSession, root_deal_id: int) -> bool:
    """Our own books know of a question about this deal, be it one that was taken out of a gateway's queue."""
    has_message = exists().where(col(Message.survey_id) == col(Survey.id))
    wanted = (
        select(Survey.id)
        .where(Survey.root_deal_id == root_deal_id, or_(col(Survey.sent_at).is_not(None), has_message))
        .limit(1)
    )
    return (await tx.exec(wanted)).first() is not None


@dataclass(frozen=True, slots=True)
class History:
    """What our books say about a person before another question."""

    other_deal_asked_at: datetime | None  # the last question about another deal
    is_open: bool  # another question waits for an answer
    complaint_open: bool
    silent_conversations: int  # the latest ones in a row that ended without an answer


async def history(tx: AsyncSession, survey: Survey) -> History:
    if survey.client_id is None:
        return History(None, False, False, 0)
    others = await tx.exec(
        select(func.max(Survey.sent_at)).where(
            Survey.client_id == survey.client_id, Survey.root_deal_id != survey.root_deal_id
        )
    )
    waiting = [row for row in await open_of_client(tx, survey.client_id) if row.id != survey.id]
    complaint = await tx.exec(
        select(Complaint.id)
        .where(
            Complaint.client_id == survey.client_id,
            col(Complaint.closed_at).is_(None),
            col(Complaint.left_at).is_(None),
        )
        .limit(1)
    )
    return History(
        other_deal_asked_at=others.one(),
        is_open=bool(waiting),
        complaint_open=complaint.first() is not None,
        silent_conversations=await _silent_conversations(tx, survey.client_id),
    )


async def answered_in(tx: AsyncSession, client_id: int) -> str:
    """The channel of this person's newest answer; "" when there is none."""
    wanted = (
        select(Survey.channel)
        .where(Survey.client_id == client_id, col(Survey.answered_at).is_not(None))
        .order_by(col(Survey.answered_at).desc(), col(Survey.id).desc())
        .limit(1)
    )
    return (await tx.exec(wanted)).first() or ""


async def _silent_conversations(tx: AsyncSession, client_id: int) -> int:
    """The latest ones in a row in which the client neither scored nor wrote a word."""
    spoke = exists().where(
        or_(
            col(Reply.survey_id) == col(Survey.id),
            # In another messenger, or in answer to a person of the company.
            and_(
                col(Reply.client_id) == client_id,
                col(Reply.received_at).between(col(Survey.sent_at), col(Survey.expires_at)),
            ),
        ),
        col(Reply.rule) != MACHINE,
        col(Reply.kind) != REACTION,
    )
    rows = await tx.exec(
        select(Survey.conversation, Survey.state, or_(col(Survey.answered_at).is_not(None), spoke))
        .where(Survey.client_id == client_id, col(Survey.sent_at).is_not(None))
        .order_by(col(Survey.sent_at).desc(), col(Survey.id).desc())
        .limit(30)
    )
    conversations: dict[int, list[tuple[str, bool]]] = {}
    for conversation, state, has_spoken in rows.all():
        conversations.setdefault(conversation or 0, []).append((state, has_spoken))
    silent = 0
    for surveys in conversations.values():
        if any(has_spoken for _, has_spoken in surveys) or surveys[-1][0] != SurveyState.EXPIRED:
            break
        silent += 1
    return silent


async def sent_since(tx: AsyncSession, moment: datetime) -> tuple[int, datetime | None]:
    """How many questions went out since then, and when the first of them did."""
    row = await tx.exec(select(func.count(), func.min(Survey.sent_at)).where(col(Survey.sent_at) >= moment))
    number, first = row.one()
    return number, first


async def last_question_at(tx: AsyncSession, channel: str) -> tuple[datetime, str] | None:
    """When the channel last opened a conversation, and with which chat."""
    wanted = (
        select(Chat.asked_at, Chat.chat_id)
        .where(Chat.channel == channel, col(Chat.asked_at).is_not(None))
        .order_by(col(Chat.asked_at).desc())
        .limit(1)  # Without it every chat that there is would be read, for each question.
    )
    row = (await tx.exec(wanted)).first()
    return (row[0], row[1]) if row is not None and row[0] is not None else None


async def words_of(tx: AsyncSession, survey_id: int) -> list[str]:
    """What the client wrote about it, in order; «стоп» and «код» beside no score are no words about it."""
    is_about_it = or_(col(Reply.rule).not_in(WISHES), col(Reply.score).is_not(None))
    wanted = (
        select(Reply.text)
        .where(Reply.survey_id == survey_id, Reply.text != "", is_about_it)
        .order_by(col(Reply.received_at), col(Reply.id))
    )
    return list((await tx.exec(wanted)).all())


async def uncount_replies(tx: AsyncSession, survey_id: int) -> None:
    """Another reply now carries the survey's score."""
    await tx.exec(
        update(Reply)
        .where(col(Reply.survey_id) == survey_id, col(Reply.counts).is_(True))
        .values(counts=False)
    )


async def counts(tx: AsyncSession) -> Sequence[tuple[str, str, int]]:
    """(survey key, state, rows) for `/metrics`."""
    rows = await tx.exec(
        select(Survey.survey_key, Survey.state, func.count()).group_by(Survey.survey_key, Survey.state)
    )
    return [(key, state, number) for key, state, number in rows.all()]


async def first_deal_with_code(tx: AsyncSession, client_id: int) -> int | None:
    """The deal after which the client got the code for friends, else any of the client's deals."""
    asked = await tx.exec(
        select(Survey.root_deal_id)
        .where(Survey.client_id == client_id, col(Survey.sent_at).is_not(None))
        .order_by(col(Survey.sent_at))
    )
    found = asked.first()
    if found is None:
        found = (
            await tx.exec(
                select(Deal.deal_id).where(Deal.client_id == client_id).order_by(col(Deal.created_at))
            )
        ).first()
    return found
