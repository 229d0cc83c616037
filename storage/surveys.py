"""Surveys: planned once for each deal, and found by their deal, client and chat."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func
from sqlmodel import col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.rows import insert_all_once
from storage.sql import inline
from storage.tables.surveys import Message, Survey, SurveyState

WISHES = ("optout", "optin", "command")  # `rule` of replies that want something of us
MACHINE = "machine"  # … of those that no person wrote
REACTION = "reaction"  # `kind` of a thumb under our message
CHECKING = "checking"  # `waits_for` of a survey that somebody is just looking at
GREETING = "greeting"  # … and of one that goes out as soon as the client has been greeted
LOOKING = "looking"  # … and of one that may have gone out, where that can be found out
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


async def latest_in_chat(tx: AsyncSession, channel: str, chat_id: str, moment: datetime) -> Survey | None:
    """The survey that was last asked in this chat at this moment."""
    wanted = (
        select(Survey)
        .where(
            Survey.channel == channel,
            Survey.chat_id == chat_id,
            col(Survey.sent_at).is_not(None),
            col(Survey.begun_at) <= moment,
        )
        .order_by(col(Survey.sent_at).desc(), col(Survey.id).desc())
    )
    return (await tx.exec(wanted)).first()


async def is_being_sent(tx: AsyncSession, channel: str, chat_id: str) -> bool:
    """Is a question on its way into this chat? Until that is settled, a reply to it belongs to nothing."""
    sending = select(Survey.id).where(
        Survey.channel == channel, Survey.chat_id == chat_id, Survey.state == SurveyState.SENDING
    )
    return (await tx.exec(sending.limit(1))).first() is not None


async def came_after(tx: AsyncSession, channel: str, chat_id: str, since: datetime) -> bool:
    """Has a question that waits for its answer come into this chat since then, or is it on its way there?"""
    # A survey that was tried elsewhere before keeps the time of that.
    said = select(Message.id).where(
        Message.survey_id == Survey.id, Message.channel == channel, Message.chat_id == chat_id
    )
    came = or_(
        col(Survey.state) == SurveyState.SENDING,
        col(Survey.sent_at) > since,
        col(Survey.reminded_at) > since,
        said.where(col(Message.sent_at) > since).exists(),
    )
    wanted = select(Survey.id).where(Survey.channel == channel, Survey.chat_id == chat_id)
    return (await tx.exec(wanted.where(col(Survey.state).in_(OPEN), came).limit(1))).first() is not None


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
