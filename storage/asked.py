"""What was asked and said before: messages of ours, and what they tell about a person and a deal."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func
from sqlmodel import and_, col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.rows import insert_once
from storage.surveys import MACHINE, REACTION, WISHES, open_of_client
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from storage.tables.people import Chat
from storage.tables.surveys import Message, Reply, Survey, SurveyState

FIRST = ("question", "trial")  # kinds of what may go where nothing was said before


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
    if not message_id or (kind not in FIRST and not await _is_known(tx, channel, chat_id)):
        return
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


async def _is_known(tx: AsyncSession, channel: str, chat_id: str) -> bool:
    """False: the person was forgotten while it was on its way, and nothing of it is kept."""
    here = select(Chat.id).where(Chat.channel == channel, Chat.chat_id == chat_id)
    return (await tx.exec(here.with_for_update(read=True))).first() is not None


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


async def carried_code(tx: AsyncSession, survey: Survey) -> bool:
    """Did another question about this deal already bring the code for friends?"""
    wanted = select(Survey.id).where(
        Survey.root_deal_id == survey.root_deal_id,
        Survey.id != survey.id,
        Survey.promo_code != "",
        col(Survey.sent_at).is_not(None),
    )
    return (await tx.exec(wanted.limit(1))).first() is not None


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
