"""What a client's message is about and how it reads: its survey, and a score, words or a wish."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Incoming, IncomingKind
from storage import asked, surveys, trials
from storage.tables.surveys import Survey
from worker.actions.base import Hands
from worker.actions.question_words import stop_label
from worker.actions.received import Meant, Received, is_late, said_at
from worker.rules.answer_amend import AMENDED
from worker.rules.answer_place import ASKED, BARE_EDIT_WINDOW, Place, read_reply, settled
from worker.rules.answer_readings import Ask, Command, Comment, OptOut, Reading, Score
from worker.rules.scale import Scale

# A messenger's clock may be this much further behind ours than amoCRM's is. Without this every quick answer
# would be none, for as long as the clocks differ. With it a number counts wrongly only if it was written in
# the last minutes before the question and read after it, while a worker that is there reads within seconds.
CLOCKS_DIFFER = timedelta(minutes=2)


async def meant_by(tx: AsyncSession, hands: Hands, received: Received) -> Meant | None:
    message, chat = received.message, received.chat
    survey: Survey | None = None
    is_of_trial = False
    if message.data.startswith("s:"):
        number = message.data.split(":")[1]
        survey = await surveys.survey(tx, int(number)) if number.isdecimal() else None
        # Old keyboards live for ever, and messages are forwarded: only this person's survey counts.
        if survey is not None and (survey.channel, survey.chat_id) != (chat.channel, chat.chat_id):
            survey = survey if survey.client_id == received.client.client_id else None
    elif message.quoted:
        quoted = await asked.message(tx, chat.channel, message.quoted, chat.chat_id)
        survey = await surveys.survey(tx, quoted.survey_id) if quoted and quoted.survey_id else None
        is_of_trial = quoted is not None and quoted.kind == trials.KIND  # which is over
    if survey is None and not is_of_trial and message.kind is not IncomingKind.TAP:
        # It may have waited for us, and what was written before a question went out is no answer to it.
        known_at = said_at(received) + CLOCKS_DIFFER + hands.ahead
        survey = await surveys.latest_in_chat(tx, chat.channel, chat.chat_id, known_at)
    rule = hands.known.rule(survey.survey_key) if survey is not None else None
    return Meant(survey, rule) if survey is not None and rule is not None else None


async def amended(
    tx: AsyncSession, hands: Hands, received: Received, meant: Meant | None, reading: Reading
) -> tuple[Meant, Reading] | None:
    """«Я ошибся, 10» while the next question is open already: it corrects the answer before."""
    if meant is None or meant.survey.answered_at is not None or received.is_exact:
        return None
    if not (isinstance(reading, Ask) or (isinstance(reading, Score) and reading.rule == AMENDED)):
        return None
    since = received.now - BARE_EDIT_WINDOW
    answered = [
        (survey.answered_at, survey, rule)
        for survey in await surveys.of_root(tx, meant.survey.root_deal_id)
        if survey.chat_id == received.chat.chat_id
        and survey.answered_at is not None
        and survey.answered_at >= since
        and (rule := hands.known.rule(survey.survey_key)) is not None
    ]
    if not answered:
        return None
    _, survey, rule = max(answered, key=lambda found: found[0])
    before = Meant(survey, rule)
    reading = read_message(hands, received, before)
    is_amended = isinstance(reading, Score) and reading.rule == AMENDED and reading.has_marker
    return (before, reading) if is_amended else None


def read_message(hands: Hands, received: Received, meant: Meant | None) -> Reading:
    message, scale = received.message, meant.rule.scale if meant else None
    if message.kind is IncomingKind.TAP:
        return _read_tap(message, scale, stop_label(hands))
    place = _place(meant.survey, received) if meant is not None else ASKED
    if message.kind is IncomingKind.MEDIA and not message.text:
        return settled(Ask(why="voice"), "", place)
    return read_reply(message.text, scale, place)


def _place(survey: Survey, received: Received) -> Place:
    """What was said last in that chat, and how long ago."""
    now, human_wrote_at = said_at(received), received.chat.human_wrote_at
    asked_at = survey.answered_at or survey.reminded_at or survey.begun_at
    return Place(
        is_exact=received.is_exact,
        is_ours_last=human_wrote_at is None or asked_at is None or human_wrote_at <= asked_at,
        answered=now - survey.answered_at if survey.answered_at is not None else None,
        expired=now - (survey.expires_at or now) if is_late(survey, received) else None,
    )


def _read_tap(message: Incoming, scale: Scale | None, stop: str) -> Reading:
    """A button carries the survey and the value; a vote in a poll is the text of its option."""
    said = (
        message.data.split(":")[2] if message.data.startswith("s:") and message.data.count(":") >= 2 else ""
    )
    said = said or message.data or message.text
    if said in ("stop", stop):
        return OptOut()
    if said in ("code", "call"):
        return Command(said)
    if said == "uncalled":
        return Comment(message.text, wants_reply=True, is_uncalled=True)
    if scale is None:
        return Comment(message.text, wants_reply=False)
    by_label = {option.label: option.value for option in scale.options}
    value = by_label.get(said, int(said) if said.isdecimal() else None)
    if value is None or value not in scale:
        return Comment(message.text, wants_reply=False)
    return Score(value, rule="tap")
