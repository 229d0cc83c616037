"""What a client wrote or tapped: to its survey, with all that it calls for, in one transaction."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Incoming, IncomingKind
from storage import asked, outbox, people, reminders, surveys, turns
from storage.rows import insert_once
from storage.tables import Reply, Survey
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.deal_card import sync_deal
from worker.actions.forgetting import ask_to_erase
from worker.actions.friend_codes import may_carry_code
from worker.actions.linking import note_written
from worker.actions.passing import carry_on, deal_of, is_in_dialogue, pass_on, pass_on_uncalled, say
from worker.actions.promising import answer_by
from worker.actions.question_words import stop_label
from worker.actions.received import Meant, Received
from worker.actions.scoring import is_late, join_words, said_at, take_score
from worker.actions.tagging import ask_for_tags, come_back
from worker.actions.words import told
from worker.rules.answer import read_answer
from worker.rules.answer_amend import AMENDED
from worker.rules.answer_place import ASKED, BARE_EDIT_WINDOW, Place, read_reply, settled
from worker.rules.answer_readings import Ask, Command, Comment, OptIn, OptOut, Reading, Score
from worker.rules.compose import AFTER_COMPLAINT
from worker.rules.scale import Band, Scale

GESTURES = ("sticker", "animation", "dice")  # in place of a word, and ask for nothing
WORDS_WINDOW = timedelta(days=7)  # words join the answer this long after it


async def take(tx: AsyncSession, hands: Hands, received: Received) -> None:
    """A message of a client: read, recorded, and what it calls for put into the outbox."""
    message, chat = received.message, received.chat
    note_written(chat, message.sent_at or received.row.said_after)
    if message.callback_id:
        await _toast(tx, received, "")
    meant = await _meant(tx, hands, received)
    if meant is not None and message.data == f"s:{meant.survey.id}:change":
        await _show_keyboard(tx, received, meant.survey)
        return
    reading = read_message(hands, received, meant)
    if amended := await _amended(tx, hands, received, meant, reading):
        meant, reading = amended
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
            await _take_opt_out(tx, hands, received, meant, reading, reply)
        case OptIn():
            await come_back(tx, hands, received, reply.text)
        case Command():
            await _obey(tx, hands, received, meant, reading)
        case Score():
            return  # There is none: without a question no scale is open.
    hands.wake.act.set()


async def _toast(tx: AsyncSession, received: Received, text: str) -> None:
    """The tapped button stops spinning, with a word or without."""
    callback = received.message.callback_id
    if callback:
        payload = {"channel": received.chat.channel, "callback_id": callback, "text": text}
        await outbox.ask_again(tx, "toast", keys.toast(callback), payload, received.now, received.now)


async def _show_keyboard(tx: AsyncSession, received: Received, survey: Survey) -> None:
    """«Изменить оценку»: the scale is shown again; nothing has been said yet."""
    payload = {"survey_id": survey.id, "is_open": True}
    key = f"{keys.edit_question(survey.id or 0, survey.revision)}:open:{received.about}"
    await outbox.add_once(tx, "edit_question", key, payload, received.now, received.now)


async def _meant(tx: AsyncSession, hands: Hands, received: Received) -> Meant | None:
    message, chat = received.message, received.chat
    survey: Survey | None = None
    if message.data.startswith("s:"):
        number = message.data.split(":")[1]
        survey = await surveys.survey(tx, int(number)) if number.isdecimal() else None
        # Old keyboards live for ever, and messages are forwarded: only this person's survey counts.
        if survey is not None and (survey.channel, survey.chat_id) != (chat.channel, chat.chat_id):
            survey = survey if survey.client_id == received.client.client_id else None
    elif message.quoted:
        quoted = await asked.message(tx, chat.channel, message.quoted, chat.chat_id)
        survey = await surveys.survey(tx, quoted.survey_id) if quoted and quoted.survey_id else None
    if survey is None and message.kind is not IncomingKind.TAP:
        survey = await surveys.latest_in_chat(tx, chat.channel, chat.chat_id)
    rule = hands.known.rule(survey.survey_key) if survey is not None else None
    return Meant(survey, rule) if survey is not None and rule is not None else None


async def _amended(
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
    asked_at = survey.answered_at or survey.reminded_at or survey.sent_at
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
        await _toast(tx, received, hands.texts.fill("survey.over"))
    elif _answers_a_person(received):
        reply.survey_id = None
        await carry_on(tx, hands, received, _as_words(hands, received))
    elif meant is None or _is_over(meant.survey, received):
        reply.survey_id = None
        await _stray(tx, hands, received, reading)
    elif meant.survey.answered_at is not None:
        is_carried = meant.survey.band == Band.LOW and meant.rule.on_low in ("complaint", "task")
        is_for_person = (reading.wants_reply or _shows_something(received)) and not is_carried
        if is_for_person:
            await pass_on(tx, hands, received, meant.survey, _as_words(hands, received))
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
    return is_tap or (survey.answered_at is None and not _is_over(survey, received))


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
    now, words = received.now, _as_words(hands, received)
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
                await pass_on(tx, hands, received, survey, _as_words(hands, received), is_quiet=True)
        case Comment():
            await pass_on(tx, hands, received, survey, _as_words(hands, received))
        case Ask() if survey.asked_again:
            await pass_on(tx, hands, received, survey, _as_words(hands, received), is_quiet=True)
        case Ask():
            if reading.why == "voice" or reading.wants_reply:
                await pass_on(tx, hands, received, survey, _as_words(hands, received), is_quiet=True)
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


def _is_over(survey: Survey, received: Received) -> bool:
    """Words this long after the question belong to it no more, unless they quote it."""
    if received.message.quoted:
        return False
    if survey.answered_at is not None:
        return received.now > survey.answered_at + WORDS_WINDOW
    return is_late(survey, received)


def _as_words(hands: Hands, received: Received) -> str:
    message = received.message
    return told(hands, message.text, message.media or message.kind)


async def _take_opt_out(
    tx: AsyncSession, hands: Hands, received: Received, meant: Meant | None, reading: OptOut, reply: Reply
) -> None:
    """«10, но больше не пишите», «Не пишите, мастер так и не приехал»: score and words are heard as well."""
    words = read_answer(reading.comment, None)
    is_for_person = isinstance(words, Comment) and words.wants_reply
    was_scored = reading.value is not None and meant is not None
    if reading.value is not None and meant is not None:
        score = Score(reading.value, reading.comment, wants_reply=is_for_person)
        await take_score(tx, hands, received, meant, score, reply, is_quiet=True)
    await _opt_out(tx, hands, received, meant, was_scored=was_scored)
    if is_for_person and not was_scored:
        survey = meant.survey if meant is not None else None
        await pass_on(tx, hands, received, survey, reading.comment, is_quiet=True)


async def _opt_out(
    tx: AsyncSession, hands: Hands, received: Received, meant: Meant | None, *, was_scored: bool
) -> None:
    """In every channel, at once, with one confirmation."""
    client, now = received.client, received.now
    if not await _silence(tx, received):
        return
    await say(
        tx,
        hands,
        received,
        "optout.scored" if was_scored else "optout.done",
        survey=meant.survey if meant else None,
    )
    deal = await deal_of(tx, hands, client, meant.survey if meant else None)
    if deal is not None:
        payload = {
            "deal_id": deal.deal_id,
            "text_key": "deal.note_optout",
            "channel": received.chat.channel,
            "when": now.isoformat(),
        }
        await outbox.add_once(tx, "note", keys.note(deal.deal_id, f"optout:{now.date()}"), payload, now, now)
    await ask_for_tags(tx, client, now)


async def _silence(tx: AsyncSession, received: Received) -> bool:
    """Nothing more is asked, not even what is just being checked. True if that is news."""
    client_id, now = received.client.client_id or 0, received.now
    is_news = await people.opt_out(tx, client_id, received.chat.channel, now)
    await turns.look_again(tx, client_id, now)
    await reminders.let_be(tx, client_id, now)
    return is_news


async def _obey(
    tx: AsyncSession, hands: Hands, received: Received, meant: Meant | None, command: Command
) -> None:
    survey, now = meant.survey if meant else None, received.now
    match command.name:
        case "code":
            chat, client_id = received.chat, received.client.client_id
            # With a box for consent it is looked up first: it may not follow after all.
            if hands.known.advertising_consent_field is None and await _may_have_code(tx, hands, received):
                await _toast(tx, received, hands.texts.fill("promo.toast"))
            payload = {"channel": chat.channel, "chat_id": chat.chat_id, "client_id": client_id}
            await outbox.add_once(tx, "hand_over_code", f"hand_over_code:{received.about}", payload, now, now)
        case "call":
            if received.message.kind is IncomingKind.TAP and survey is not None and survey.call_asked_at:
                return  # Tapped again: somebody has it already.
            words = _as_words(hands, received) or hands.texts.fill("button.call_me")
            has_task = await pass_on(tx, hands, received, survey, words, is_quiet=True)
            deadline = answer_by(hands, now) if has_task else None
            await say(tx, hands, received, "callback.done", survey=survey, deadline=deadline)
            if survey is not None and survey.answered_at is None and not _is_over(survey, received):
                survey.call_asked_at = survey.call_asked_at or now
                await sync_deal(tx, survey.deal_id, now)
        case _:  # erase
            await _silence(tx, received)
            await ask_to_erase(tx, hands, received, survey)
            await say(tx, hands, received, "erase.received", survey=survey)


async def _may_have_code(tx: AsyncSession, hands: Hands, received: Received) -> bool:
    deal = await deal_of(tx, hands, received.client, None)
    contact = await people.contact(tx, deal.contact_id) if deal is not None and deal.contact_id else None
    return deal is not None and may_carry_code(hands, contact, received.chat.channel)
