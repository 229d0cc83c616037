"""Questions that may have gone out: looked for, found, or planned again."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from storage.surveys import LOOKING
from storage.tables.surveys import Survey, SurveyState

REFERENCE = re.compile(r"survey-(?P<id>\d{1,18})-\d{1,9}")  # our name for one try at a question


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
    wanted = _to_look_for(channel, tuple(keys), limit)
    return (await tx.exec(wanted, params={"now": now})).all()


@lru_cache  # asked after each poll
def _to_look_for(channel: str, keys: tuple[str, ...], limit: int) -> SelectOfScalar[Survey]:
    return (
        select(Survey)
        # With the keys the index on key and state helps; without, every survey would be read.
        .where(col(Survey.survey_key).in_(keys), *_looked_for(), col(Survey.channel) == channel)
        .where(col(Survey.next_at) <= bindparam("now"))
        .order_by(col(Survey.next_at))
        .limit(limit)
    )


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
