"""Surveys on their way: claimed before they are sent, settled once, answered in revisions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, UpdateBase, bindparam, case, func
from sqlmodel import and_, col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.people import mark_code_sent
from storage.rows import insert_all_once
from storage.sql import inline
from storage.tables import Chat, Survey, SurveyState

LEASE = timedelta(minutes=5)  # how long a claimed survey may be checked before another may take it
WISHES = ("optout", "optin", "command")  # `rule` of replies that want something of us
MACHINE = "machine"  # … of those that no person wrote
REACTION = "reaction"  # `kind` of a thumb under our message
CHECKING = "checking"  # `waits_for` of a survey that somebody is just looking at
GREETING = "greeting"  # … and of one that goes out as soon as the client has been greeted
LOOKING = "looking"  # … and of one that may have gone out, where that can be found out
SETTLES = timedelta(minutes=2)  # until the gateway tells what became of a message
TOLD_FOR = timedelta(hours=12)  # it keeps what it has to tell for a day; then nothing told means nothing
OPEN = (SurveyState.SENDING, SurveyState.SENT, SurveyState.UNCERTAIN)
# In the words of the partial index, so that it is used.
IS_ASKED = or_(
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


async def pass_over(db: Database, survey: Survey, channel: str) -> bool:
    """This channel can ask nobody for now: the next one is tried at once, before what fell due later."""
    async with db.transaction() as tx:
        values = {"tried": [*survey.tried, channel], "next_at": survey.due_at, "waits_for": "channel"}
        changed = await tx.exec(update(Survey).where(*_held(survey)).values(**values))
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
    scale: str = "",
) -> bool:
    """The intent, committed before the request. False: the claim was lost, so send nothing.

    A question that goes out once more, on another channel, is asked on the scale of now.
    """
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
                scale=scale,
            )
        )
        return changed.rowcount == 1


async def note_words(db: Database, survey: Survey, *, text_variant: str, promo_code: str) -> None:
    """It went out in other words than were meant."""
    async with db.transaction() as tx:
        await tx.exec(
            update(Survey)
            .where(*_held(survey, SurveyState.SENDING))
            .values(text_variant=text_variant, promo_code=promo_code)
        )


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


async def counts(tx: AsyncSession) -> Sequence[tuple[str, str, int]]:
    """(survey key, state, rows) for `/metrics`."""
    rows = await tx.exec(
        select(Survey.survey_key, Survey.state, func.count()).group_by(Survey.survey_key, Survey.state)
    )
    return [(key, state, number) for key, state, number in rows.all()]
