"""How each messenger does: what arrived of what was sent through it, and when it was last heard of.

Counted from the surveys of the time in question, by the index on when they were sent, and from their messages
alone: never from all messages that there ever were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.sql import inline
from storage.tables.surveys import Message, Reply, Survey

# Reminders and thanks go out for that long after the question, and reports come.
ABOUT_A_SURVEY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Questions of one channel."""

    delivered: int
    sent: int


@dataclass(frozen=True, slots=True)
class Sending:
    """Messages of one channel."""

    sent: int
    first_sent_at: datetime | None
    last_heard_at: datetime | None  # a reply of anybody, or a report on a message


async def deliveries(tx: AsyncSession, begins: datetime, ends: datetime) -> Mapping[str, Deliveries]:
    """Of the surveys first sent in this time: the questions that each channel took, and those that arrived.

    A question that one channel took twice (in its template, after free words came too late) counts once. Who
    answered it has got it, whatever became of the report.
    """
    was_answered = and_(
        col(Survey.answered_at).is_not(None), col(Survey.message_id) == col(Message.message_id)
    )
    arrived = or_(col(Message.status).in_(("delivered", "read")), was_answered)
    questions = (
        select(col(Message.channel).label("channel"), func.max(case((arrived, 1), else_=0)).label("arrived"))
        .join(Survey, col(Survey.id) == col(Message.survey_id))
        .where(col(Survey.sent_at) >= begins, col(Survey.sent_at) < ends, Message.kind == "question")
        .group_by(col(Message.channel), col(Message.survey_id))
        .subquery()
    )
    counted = select(questions.c.channel, func.sum(questions.c.arrived), func.count()).group_by(
        questions.c.channel
    )
    rows = await (await tx.connection()).execute(counted)
    return {channel: Deliveries(int(delivered), sent) for channel, delivered, sent in rows}


async def sendings(tx: AsyncSession, begins: datetime, ends: datetime) -> Mapping[str, Sending]:
    """Messages about surveys that went out in this time, and when each channel was last heard of at all."""
    is_counted = and_(col(Message.sent_at) >= begins, col(Message.sent_at) < ends)
    counted = (
        select(
            _by_itself(Message.channel),
            func.sum(case((is_counted, 1), else_=0)),
            func.min(case((is_counted, col(Message.sent_at)))),
            func.max(col(Message.status_at)),
        )
        .join(Survey, col(Survey.id) == col(Message.survey_id))
        .where(col(Survey.sent_at) >= begins - ABOUT_A_SURVEY)
        .group_by(_by_itself(Message.channel))
    )
    connection = await tx.connection()
    replies = await last_replies(tx, begins)
    found = {}
    for channel, sent, first_sent_at, reported_at in await connection.execute(counted):
        heard = [at for at in (reported_at, replies.get(channel)) if at is not None]
        found[channel] = Sending(int(sent), first_sent_at, max(heard, default=None))
    return found


async def last_replies(tx: AsyncSession, since: datetime) -> Mapping[str, datetime]:
    """When the last of the replies that came since then came, by channel."""
    replied = (
        select(_by_itself(Reply.channel), func.max(col(Reply.received_at)))
        .where(col(Reply.received_at) >= since)
        .group_by(_by_itself(Reply.channel))
    )
    rows = await (await tx.connection()).execute(replied)
    return {row[0]: row[1] for row in rows}


def _by_itself(channel: str) -> ColumnElement[str]:
    """To group by: by the bare column SQLite would rather read all rows, in the order of its index."""
    return func.coalesce(col(channel), inline(""))
