"""A question on its way: claimed before it is sent, settled once, rescued where its process died."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, UpdateBase, bindparam, case, func
from sqlmodel import and_, col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.people import mark_code_sent
from storage.sql import inline
from storage.surveys import CHECKING, LOOKING
from storage.tables.people import Chat
from storage.tables.surveys import Survey, SurveyState

LEASE = timedelta(minutes=5)  # how long a claimed survey may be checked before another may take it
SETTLES = timedelta(minutes=2)  # until the gateway tells what became of a message
TOLD_FOR = timedelta(hours=12)  # it keeps what it has to tell for a day; then nothing told means nothing


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
    now: datetime,
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
                begun_at=now,
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
