"""What a client wrote or tapped: to its survey, with all that it calls for, in one transaction."""

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import IncomingKind
from storage import outbox, surveys
from storage.rows import insert_once
from storage.tables.surveys import Reply, Survey
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.linking import note_written
from worker.actions.obeying import obey, take_opt_out
from worker.actions.passing import (
    as_words,
    carry_on,
    deal_of,
    is_in_dialogue,
    pass_on,
    pass_on_uncalled,
    say,
    toast,
)
from worker.actions.received import Meant, Received, is_over
from worker.actions.scoring import join_words, take_score
from worker.actions.tagging import come_back
from worker.actions.understanding import amended, meant_by, read_message
from worker.rules.answer_readings import Ask, Command, Comment, OptIn, OptOut, Score
from worker.rules.compose import AFTER_COMPLAINT
from worker.rules.scale import Band, Scale

GESTURES = ("sticker", "animation", "dice")  # in place of a word, and ask for nothing


async def take(tx: AsyncSession, hands: Hands, received: Received) -> None:
    """A message of a client: read, recorded, and what it calls for put into the outbox."""
    message, chat = received.message, received.chat
    note_written(chat, message.sent_at or received.row.said_after)
    if message.callback_id:
        await toast(tx, received, "")
    meant = await meant_by(tx, hands, received)
    if meant is not None and message.data == f"s:{meant.survey.id}:change":
        await _show_keyboard(tx, received, meant.survey)
        return
    reading = read_message(hands, received, meant)
    if corrected := await amended(tx, hands, received, meant, reading):
        meant, reading = corrected
    reply = await _keep(tx, received, meant)
    if reply is None or message.media == surveys.REACTION:
        return  # A thumb under our message is kept, and asks for nothing.
    reply.rule = reading.rule
    match reading:
        case Score() if meant is not None:
            await take_score(tx, hands, received, meant, reading, reply)
        case Comment() | Ask():
            await _take_words(tx, hands, received, meant, reading, reply)
        case OptOut():
            await take_opt_out(tx, hands, received, meant, reading, reply)
        case OptIn():
            await come_back(tx, hands, received, reply.text)
        case Command():
            await obey(tx, hands, received, meant, reading)
        case Score():
            return  # There is none: without a question no scale is open.
    hands.wake.act.set()


async def _show_keyboard(tx: AsyncSession, received: Received, survey: Survey) -> None:
    """«Изменить оценку»: the scale is shown again; nothing has been said yet."""
    payload = {"survey_id": survey.id, "is_open": True}
    key = f"{keys.edit_question(survey.id or 0, survey.revision)}:open:{received.about}"
    await outbox.add_once(tx, "edit_question", key, payload, received.now, received.now)


async def _keep(tx: AsyncSession, received: Received, meant: Meant | None) -> Reply | None:
    """Nothing that a client writes is dropped. None: it was taken before."""
    message = received.message
    reply = Reply(
        channel=received.row.channel,
        external_id=received.row.external_id,
        received_at=received.row.received_at,
        client_id=received.client.client_id,
        chat_id=received.chat.chat_id,
        survey_id=meant.survey.id if meant else None,
        kind=message.media or message.kind,
        text=message.text or ("" if message.data.startswith("s:") else message.data),
    )
    if not await insert_once(tx, reply):
        return None
    stored = await tx.get(Reply, reply.id)
    return stored


async def _take_words(
    tx: AsyncSession,
    hands: Hands,
    received: Received,
    meant: Meant | None,
    reading: Comment | Ask,
    reply: Reply,
) -> None:
    """Words without a score: they join the answer, are asked about once, or go to a person as they are."""
    if meant is not None and isinstance(reading, Comment) and _is_uncalled(meant, received, reading):
        await pass_on_uncalled(tx, hands, received, meant.survey, reply.text)
    elif received.message.kind is IncomingKind.TAP:
        # The keyboard of a survey that is not this person's, or a button that is no more.
        reply.text = ""
        await toast(tx, received, hands.texts.fill("survey.over"))
    elif _answers_a_person(received):
        reply.survey_id = None
        await carry_on(tx, hands, received, as_words(hands, received))
    elif meant is None or is_over(meant.survey, received):
        reply.survey_id = None
        await _stray(tx, hands, received, reading)
    elif meant.survey.answered_at is not None:
        is_carried = meant.survey.band == Band.LOW and meant.rule.on_low in ("complaint", "task")
        is_for_person = (reading.wants_reply or _shows_something(received)) and not is_carried
        if is_for_person:
            await pass_on(tx, hands, received, meant.survey, as_words(hands, received))
        is_quiet = is_for_person or received.message.media in GESTURES
        await join_words(tx, hands, received, meant, reply, is_quiet=is_quiet)
    else:
        await _unclear(tx, hands, received, meant, reading)


def _answers_a_person(received: Received) -> bool:
    """To what somebody of the company has just written here through us, and to no question of ours."""
    is_said = not received.message.quoted and received.message.media not in GESTURES
    return is_said and is_in_dialogue(received.chat, received.now)


def _is_uncalled(meant: Meant, received: Received, reading: Comment) -> bool:
    """«Со мной никто не связался», said or tapped, in answer to how a complaint was solved."""
    survey = meant.survey
    if not reading.is_uncalled or survey.trigger != AFTER_COMPLAINT:
        return False
    is_tap = received.message.kind is IncomingKind.TAP
    return is_tap or (survey.answered_at is None and not is_over(survey, received))


def _shows_something(received: Received) -> bool:
    """A photo or a voice note under an answer: nobody but a person knows what is in it."""
    message = received.message
    return message.kind is IncomingKind.MEDIA and not message.text and message.media not in GESTURES


def _is_human_there(hands: Hands, received: Received) -> bool:
    """In the chat itself: who answers through us reads it with us."""
    wrote_at, answered_at = received.chat.human_wrote_at, received.chat.answered_at
    if wrote_at is not None and answered_at is not None and wrote_at <= answered_at:
        return False
    return wrote_at is not None and received.now < wrote_at + hands.policy.human_pause


async def _stray(tx: AsyncSession, hands: Hands, received: Received, reading: Comment | Ask) -> None:
    """Words that belong to no survey: whoever asks is answered; «спасибо» only goes to the card."""
    now, words = received.now, as_words(hands, received)
    if _is_human_there(hands, received):
        return  # A person is talking with the client in this very chat, and reads it there.
    deal = await deal_of(tx, hands, received.client, None)
    if deal is None or reading.wants_reply or received.message.kind is IncomingKind.MEDIA:
        await pass_on(tx, hands, received, None, words)
        return
    payload = {
        "deal_id": deal.deal_id,
        "text_key": "complaint.note_words",
        "when": now.isoformat(),
        "values": {"words": words},
    }
    await outbox.add_once(tx, "note", keys.note(deal.deal_id, received.about), payload, now, now)


async def _unclear(
    tx: AsyncSession, hands: Hands, received: Received, meant: Meant, reading: Comment | Ask
) -> None:
    """The question is open, and this is no answer to it: asked once more, then it is a person's."""
    survey = meant.survey
    match reading:
        case Comment(wants_reply=False):
            # An answering machine, or what answers a person of the company who wrote after us: what is shown
            # to that person is seen in the chat.
            if _shows_something(received) and not _is_human_there(hands, received):
                await pass_on(tx, hands, received, survey, as_words(hands, received), is_quiet=True)
        case Comment():
            await pass_on(tx, hands, received, survey, as_words(hands, received))
        case Ask() if survey.asked_again:
            await pass_on(tx, hands, received, survey, as_words(hands, received), is_quiet=True)
        case Ask():
            if reading.why == "voice" or reading.wants_reply:
                await pass_on(tx, hands, received, survey, as_words(hands, received), is_quiet=True)
            survey.asked_again = True
            key = ask_again_key(reading, meant.rule.scale)
            await say(tx, hands, received, key, survey=survey, rule=meant.rule, a=reading.a, b=reading.b)


def ask_again_key(ask: Ask, scale: Scale) -> str:
    """The sentence that asks for a score once more."""
    is_choice = ask.a is not None and ask.b is not None
    why = ask.why if is_choice or ask.why not in ("range", "two") else "none"
    if scale.options:
        return "ask_again.voice.options" if why == "voice" else "ask_again.options"
    return {
        "range": "ask_again.range",
        "two": "ask_again.range",
        "outside": "ask_again.outside",
        "voice": "ask_again.voice",
    }.get(why, "ask_again")
