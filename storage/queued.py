"""Messages that a gateway accepted and never told of: they stand in its queue, or stood there."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, exists
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from storage.sending import SETTLES
from storage.tables.queues import Inbox
from storage.tables.surveys import Message, Survey, SurveyState

CLEARED = "cleared"  # `waits_for` of a question that was taken out of the gateway's queue, or has just left
KEPT = timedelta(hours=24)  # how long a gateway keeps what it could not send


async def untold(tx: AsyncSession, channel: str, echo_kind: str, now: datetime) -> Sequence[Message]:
    """What was handed over in the last day, has had time to go out, and was not told of."""
    wanted = select(Message).where(
        Message.channel == channel,
        col(Message.sent_at) > now - KEPT,
        col(Message.sent_at) <= now - SETTLES,
        Message.status == "sent",
        ~_was_told(echo_kind),
    )
    return (await tx.exec(wanted)).all()


async def mark_cleared(tx: AsyncSession, channel: str, message_ids: Collection[str], now: datetime) -> int:
    """Questions among these may not have gone out: looked at again when the gateway has had time to tell."""
    changed = await tx.exec(
        update(Survey)
        .where(
            col(Survey.channel) == channel,
            col(Survey.state) == SurveyState.SENT,
            col(Survey.message_id).in_(message_ids),
            col(Survey.waits_for) != CLEARED,
        )
        .values(waits_for=CLEARED, next_at=now + SETTLES)
    )
    return changed.rowcount


async def cleared(tx: AsyncSession, channel: str, now: datetime, keys: Collection[str]) -> Sequence[Survey]:
    """The questions whose time to be told of is over. `keys`: of all surveys, for the index."""
    return (await tx.exec(_cleared(channel, tuple(keys)), params={"now": now})).all()


@lru_cache  # asked after each poll
def _cleared(channel: str, keys: tuple[str, ...]) -> SelectOfScalar[Survey]:
    wanted = select(Survey).where(col(Survey.survey_key).in_(keys), *_is_cleared(channel))
    return wanted.where(col(Survey.next_at) <= bindparam("now"))


async def plan_again(tx: AsyncSession, survey: Survey, echo_kind: str, now: datetime) -> bool:
    """It was taken out of the queue, nothing told of it and nobody answered: it is asked anew.

    False: it went out after all, and stays as it is.
    """
    is_this = col(Message.channel) == survey.channel, col(Message.message_id) == survey.message_id
    went_out = exists().where(*is_this, (col(Message.status) != "sent") | _was_told(echo_kind))
    dates = {} if survey.tried else {"sent_at": None, "settled_at": None, "expires_at": None}
    changed = await tx.exec(
        update(Survey)
        .where(col(Survey.id) == survey.id, *_is_cleared(survey.channel), ~went_out)
        .values(
            state=SurveyState.PLANNED, uncertain=False, waits_for="", next_at=now, promo_code="",
            message_id="", reminded_at=None, **dates,
        )
    )  # fmt: skip
    if changed.rowcount == 1:
        return True
    stays = update(Survey).where(col(Survey.id) == survey.id, *_is_cleared(survey.channel))
    await tx.exec(stays.values(waits_for=""))
    return False


def _is_cleared(channel: str) -> tuple[Any, ...]:
    return (
        col(Survey.channel) == channel,
        col(Survey.state) == SurveyState.SENT,
        col(Survey.waits_for) == CLEARED,
    )


def _was_told(echo_kind: str) -> Any:
    return exists().where(
        col(Inbox.channel) == col(Message.channel),
        col(Inbox.external_id) == col(Message.message_id) + f":{echo_kind}",
        col(Inbox.kind) == echo_kind,
    )
