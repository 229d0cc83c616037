"""What a client wrote or tapped: to its survey, with all that it calls for, in one transaction."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Channel, Incoming, IncomingKind
from storage import deals, outbox, people, surveys
from storage.rows import insert_once
from storage.tables import Chat, Client, Deal, Inbox, Reply, Survey, SurveyState
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.words import stop_label, values_for
from worker.rules.answer import Ask, Command, Comment, OptIn, OptOut, Reading, Score, read_answer
from worker.rules.planning import SurveyRule
from worker.rules.reaction import Do, react
from worker.rules.scale import Band, Scale

log = logging.getLogger(__name__)

EDIT_WINDOW = timedelta(days=3)  # a score may be corrected this long after the first answer
BARE_EDIT_WINDOW = timedelta(hours=1)  # by a number alone
WORDS_WINDOW = timedelta(days=7)  # words join the answer this long after it
LATE_WINDOW = timedelta(days=7)  # a typed number counts this long after expiry, and only with a marker
FORWARDED_ONCE_IN = timedelta(hours=12)
ANSWER_WITHIN = timedelta(hours=4)  # of working time: words that want an answer
ERASE_WITHIN_DAYS = 10  # business days


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message of a client, with whom it is from."""

    channel: Channel
    row: Inbox
    message: Incoming
    chat: Chat
    client: Client
    now: datetime

    @property
    def is_exact(self) -> bool:
        """A tap or a quote says itself what it answers."""
        return self.message.kind is IncomingKind.TAP or bool(self.message.quoted)

    @property
    def about(self) -> str:
        return f"{self.row.channel}:{self.row.id}"


@dataclass(frozen=True, slots=True)
class Meant:
    """The survey that a message is about, and its rule."""

    survey: Survey
    rule: SurveyRule


async def take(tx: AsyncSession, hands: Hands, received: Received) -> None:
    """A message of a client: read, recorded, and what it calls for put into the outbox."""
    message, chat = received.message, received.chat
    chat.client_wrote_at = received.now
    if message.callback_id:
        await outbox.add_once(
            tx, "toast", keys.toast(message.callback_id),
            {"channel": chat.channel, "callback_id": message.callback_id, "text": ""}, received.now, received.now,
        )  # fmt: skip
    meant = await _meant(tx, hands, received)
    reading = _read(hands, received, meant)
    reply = await _keep(tx, received, meant)
    if reply is None:
        return
    reply.rule = (
        type(reading).__name__.lower() if not isinstance(reading, Score) else (reading.rule or "score")
    )
    match reading:
        case Score() if meant is not None and await _counts(tx, hands, received, meant.survey, reading):
            await _take_score(tx, hands, received, meant, reading, reply)
        case Score() | Comment() | Ask():
            await _take_words(tx, hands, received, meant, reading, reply)
        case OptOut():
            if reading.value is not None and meant is not None:
                await _take_score(tx, hands, received, meant, Score(reading.value), reply, is_quiet=True)
            await _opt_out(
                tx, hands, received, meant, was_scored=reading.value is not None and meant is not None
            )
        case OptIn():
            await people.opt_in(tx, received.client.client_id or 0)
            await say(tx, hands, received, "optout.undone")
        case Command():
            await _obey(tx, hands, received, meant, reading)
    hands.wake.act.set()


# --- which survey, and what was said ---------------------------------------------------------------------


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
        quoted = await surveys.message(tx, chat.channel, message.quoted, chat.chat_id)
        survey = await surveys.survey(tx, quoted.survey_id) if quoted and quoted.survey_id else None
    if survey is None and message.kind is not IncomingKind.TAP:
        survey = await surveys.latest_in_chat(tx, chat.channel, chat.chat_id)
    rule = hands.known.rule(survey.survey_key) if survey is not None else None
    return Meant(survey, rule) if survey is not None and rule is not None else None


def _read(hands: Hands, received: Received, meant: Meant | None) -> Reading:
    message, scale = received.message, meant.rule.scale if meant else None
    if message.kind is IncomingKind.TAP:
        return _read_tap(message, scale, stop_label(hands))
    if message.kind is IncomingKind.MEDIA and not message.text:
        return Ask(why="voice", comment="")
    is_open = meant is not None and _is_open_to_scores(meant.survey, received)
    return read_answer(message.text, scale if is_open else None)


def _is_open_to_scores(survey: Survey, received: Received) -> bool:
    """Whether a typed number may be an answer to this survey at all."""
    if received.is_exact:
        return True
    if survey.answered_at is not None:
        return received.now <= survey.answered_at + EDIT_WINDOW
    return survey.expires_at is None or received.now <= survey.expires_at + LATE_WINDOW


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
    if scale is None:
        return Comment(message.text, wants_reply=False)
    by_label = {option.label: option.value for option in scale.options}
    value = by_label.get(said, int(said) if said.isdecimal() else None)
    if value is None or value not in scale:
        return Comment(message.text, wants_reply=False)
    return Score(value, rule="tap")


async def _counts(tx: AsyncSession, hands: Hands, received: Received, survey: Survey, score: Score) -> bool:
    """Is this number an answer to that survey? A tap or a quote is; a typed one only after our question."""
    if received.is_exact:
        return True
    chat = received.chat
    asked_at = survey.answered_at or survey.reminded_at or survey.sent_at
    if chat.human_wrote_at is not None and asked_at is not None and chat.human_wrote_at > asked_at:
        return False  # «Сколько створок?» — «3» answers the manager.
    if survey.answered_at is not None:
        return received.now <= survey.answered_at + BARE_EDIT_WINDOW or score.has_marker
    is_late = survey.expires_at is not None and received.now > survey.expires_at
    return score.has_marker if is_late or survey.state == SurveyState.EXPIRED else True


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
        text=message.text if message.kind is not IncomingKind.TAP else (message.text or message.data),
    )
    if not await insert_once(tx, reply):
        return None
    stored = await tx.get(Reply, reply.id)
    return stored


# --- scores ----------------------------------------------------------------------------------------------


async def _take_score(
    tx: AsyncSession,
    hands: Hands,
    received: Received,
    meant: Meant,
    score: Score,
    reply: Reply,
    *,
    is_quiet: bool = False,
) -> None:
    survey, rule, now = meant.survey, meant.rule, received.now
    band = rule.scale.band(score.value)
    if survey.answered_at is not None and now > survey.answered_at + EDIT_WINDOW:
        await say(tx, hands, received, "score.locked", survey=survey, rule=rule)
        await pass_on(tx, hands, received, survey, reply.text)
        return
    reply.score, reply.band, reply.survey_id = score.value, band, survey.id
    words = score.comment
    reply.text = words if received.message.kind is not IncomingKind.TAP else ""
    before, was_band = survey.score, survey.band
    is_first = survey.answered_at is None
    reply.late = survey.late if not is_first else _is_late(survey, now)
    if before == score.value:
        await surveys.uncount_replies(tx, survey.id or 0)
        reply.counts = True
        if words:
            await _join_words(tx, hands, received, meant, reply)
        return
    await surveys.uncount_replies(tx, survey.id or 0)
    reply.counts = True
    survey.score, survey.band = score.value, band
    survey.revision += 1
    survey.uncertain = False
    if is_first:
        survey.answered_at, survey.late = now, reply.late
        survey.state = SurveyState.ANSWERED
        await surveys.give_turn(tx, received.client.client_id or 0, now)
    survey.confirm_until = _confirm_until(rule, score, band, received)
    await tx.flush()
    await _react(tx, hands, received, meant, reply, was_band=was_band, before=before,
        wants_reply=score.wants_reply, is_quiet=is_quiet)  # fmt: skip


def _is_late(survey: Survey, now: datetime) -> bool:
    return survey.state == SurveyState.EXPIRED or (survey.expires_at is not None and now > survey.expires_at)


def _confirm_until(rule: SurveyRule, score: Score, band: Band, received: Received) -> datetime | None:
    """A bare typed 4 or 5 on a ten-point scale may be a school mark."""
    is_doubtful = (
        received.message.kind is not IncomingKind.TAP
        and score.is_bare
        and band is Band.LOW
        and rule.scale.last == 10
        and score.value in (4, 5)
        and rule.confirm_low is not None
    )
    return received.now + rule.confirm_low.span if is_doubtful and rule.confirm_low else None


async def _react(
    tx: AsyncSession,
    hands: Hands,
    received: Received,
    meant: Meant,
    reply: Reply,
    *,
    was_band: str,
    before: int | None,
    wants_reply: bool,
    is_quiet: bool,
) -> None:
    survey, rule, now = meant.survey, meant.rule, received.now
    calls_for = react(
        band=Band(survey.band),
        trigger=survey.trigger,
        on_low=rule.on_low,
        has_words=bool(reply.text),
        wants_reply=wants_reply,
    )
    at = survey.confirm_until or now
    about = {"survey_id": survey.id, "revision": survey.revision, "reply_id": reply.id}
    if was_band == Band.LOW and survey.band != Band.LOW:
        # The complaint stays open until somebody has talked with the client.
        await outbox.add_once(
            tx, "score_raised", f"score_raised:{survey.id}:{survey.revision}", about, now, now
        )
    for do in calls_for:
        match do:
            case Do.WRITE_BACK:
                await _sync(tx, survey.deal_id, now)
            case Do.NOTE_DEAL:
                note = keys.note_deal(survey.id or 0, survey.revision)
                await outbox.add_once(tx, "note_deal", note, {**about, "before": before}, now, now)
            case Do.OPEN_COMPLAINT:
                key = keys.open_complaint(survey.id or 0, survey.revision)
                await outbox.add_once(tx, "open_complaint", key, about, at, now)
            case Do.ALERT_STAFF if Do.OPEN_COMPLAINT not in calls_for:
                key = f"alert_again:{survey.id}:{survey.revision}"
                await outbox.add_once(tx, "alert_again", key, about, at, now)
            case Do.TASK:
                await add_task(
                    tx, hands, survey.root_deal_id, received, reply.text, about=f"score:{survey.id}"
                )
            case Do.TELL_HEAD:
                await _tell_head(tx, hands, received, survey, reply.text)
            case Do.THANK_CLIENT if not is_quiet:
                thanks = {**about, "wants_reply": wants_reply}
                await outbox.add_once(tx, "thank_client", keys.thank(reply.id or 0), thanks, now, now)
            case _:
                continue  # The alert comes with its complaint; a quiet score is thanked for with the opt-out.
    await outbox.add_once(
        tx, "edit_question", keys.edit_question(survey.id or 0, survey.revision), about, now, now
    )


# --- words -----------------------------------------------------------------------------------------------


async def _take_words(
    tx: AsyncSession,
    hands: Hands,
    received: Received,
    meant: Meant | None,
    reading: Score | Comment | Ask,
    reply: Reply,
) -> None:
    """Words without a score: they join the answer, are asked about once, or go to a person as they are."""
    wants_reply = reading.wants_reply if isinstance(reading, Comment | Score) else False
    if received.message.kind is IncomingKind.TAP:
        # A tap on the keyboard of a survey that is not this person's, or of a button that is no more.
        reply.text = ""
        return
    if meant is None or _is_over(meant.survey, received):
        reply.survey_id = None
        await pass_on(tx, hands, received, meant.survey if meant else None, _as_words(received))
        return
    if meant.survey.answered_at is not None:
        if wants_reply and meant.survey.band != Band.LOW:
            await pass_on(tx, hands, received, meant.survey, _as_words(received))
        await _join_words(tx, hands, received, meant, reply, is_quiet=wants_reply)
        return
    await _join_words(tx, hands, received, meant, reply, is_quiet=True)
    survey, scale = meant.survey, meant.rule.scale
    is_media = isinstance(reading, Ask) and reading.why == "voice"
    if wants_reply or survey.asked_again or isinstance(reading, Score) or is_media:
        await pass_on(tx, hands, received, survey, _as_words(received), is_quiet=not wants_reply)
    if wants_reply or survey.asked_again or isinstance(reading, Score):
        return
    survey.asked_again = True
    a, b = (reading.a, reading.b) if isinstance(reading, Ask) else (None, None)
    key = {"range": "ask_again.range", "outside": "ask_again.outside", "voice": "ask_again.voice"}.get(
        reading.why if isinstance(reading, Ask) else "", "ask_again"
    )
    if scale.options and key == "ask_again":
        key = "ask_again.options"
    await say(tx, hands, received, key, survey=survey, rule=meant.rule, a=a, b=b)


def _is_over(survey: Survey, received: Received) -> bool:
    """Words this long after the question belong to it no more, unless they quote it."""
    if received.message.quoted:
        return False
    if survey.answered_at is not None:
        return received.now > survey.answered_at + WORDS_WINDOW
    return survey.expires_at is not None and received.now > survey.expires_at


def _as_words(received: Received) -> str:
    return received.message.text or f"[{received.message.media or received.message.kind}]"


async def _join_words(
    tx: AsyncSession, hands: Hands, received: Received, meant: Meant, reply: Reply, *, is_quiet: bool = False
) -> None:
    """A comment joins the response: the deal's note, or the complaint and its alert."""
    survey, now = meant.survey, received.now
    about = {"survey_id": survey.id, "reply_id": reply.id, "revision": survey.revision}
    if survey.answered_at is None:
        return  # The words wait with the survey; the note of its score will quote them.
    earlier = [words for words in await surveys.words_of(tx, survey.id or 0) if words != reply.text]
    if survey.band == Band.LOW:
        if survey.confirm_until is not None and survey.confirm_until > now:
            survey.confirm_until = now  # Words under it: no school mark, a real complaint.
            await outbox.hurry(tx, f"open_complaint:survey:{survey.id}:", now)
        await outbox.add_once(tx, "complaint_words", f"complaint_words:reply:{reply.id}", about, now, now)
    else:
        await outbox.add_once(tx, "note_words", f"note_words:reply:{reply.id}", about, now, now)
    if not is_quiet and not earlier:
        await outbox.add_once(
            tx, "thank_client", keys.thank(reply.id or 0), {**about, "is_words": True}, now, now
        )


async def pass_on(
    tx: AsyncSession,
    hands: Hands,
    received: Received,
    survey: Survey | None,
    words: str,
    *,
    is_quiet: bool = False,
) -> None:
    """To the deal's responsible as a task, to the head at once, and the client is told when somebody answers."""
    chat, now = received.chat, received.now
    chat.waiting_since = chat.waiting_since or now
    deal = await _deal_of(tx, hands, received.client, survey)
    if deal is not None:
        await add_task(tx, hands, deal.deal_id, received, words, about=received.about)
    await _tell_head(tx, hands, received, survey, words)
    told_lately = chat.forwarded_at is not None and now < chat.forwarded_at + FORWARDED_ONCE_IN
    if deal is not None and not told_lately and not is_quiet:
        chat.forwarded_at = now
        await say(tx, hands, received, "forwarded", survey=survey, deadline=deadline(hands, now))


async def _deal_of(tx: AsyncSession, hands: Hands, client: Client, survey: Survey | None) -> Deal | None:
    if survey is not None and (deal := await deals.deal(tx, survey.root_deal_id)) is not None:
        return deal
    return await deals.newest_of_client(
        tx, client.client_id or 0, but_pipeline=hands.known.complaints_pipeline
    )


def deadline(hands: Hands, now: datetime) -> datetime:
    return hands.calendar.add_work_time(now, ANSWER_WITHIN)


async def add_task(
    tx: AsyncSession, hands: Hands, deal_id: int, received: Received, words: str, *, about: str
) -> None:
    now = received.now
    payload = {
        "deal_id": deal_id,
        "text_key": "deal.task_words",
        "words": words,
        "deadline": deadline(hands, now).isoformat(),
    }
    await outbox.add_once(tx, "deal_task", keys.task(deal_id, about), payload, now, now)


async def _tell_head(
    tx: AsyncSession, hands: Hands, received: Received, survey: Survey | None, words: str
) -> None:
    payload = {
        "channel": received.chat.channel,
        "chat_id": received.chat.chat_id,
        "client_id": received.client.client_id,
        "survey_id": survey.id if survey else None,
        "words": words,
        "when": received.now.isoformat(),
    }
    await outbox.add_once(
        tx, "tell_head", keys.tell_head(received.about), payload, received.now, received.now
    )


# --- opt-out, commands, single sentences ------------------------------------------------------------------


async def _opt_out(
    tx: AsyncSession, hands: Hands, received: Received, meant: Meant | None, *, was_scored: bool
) -> None:
    """In every channel, at once, with one confirmation."""
    client, now = received.client, received.now
    is_news = await people.opt_out(tx, client.client_id or 0, received.chat.channel, now)
    if not is_news:
        return
    await say(
        tx,
        hands,
        received,
        "optout.scored" if was_scored else "optout.done",
        survey=meant.survey if meant else None,
    )
    deal = await _deal_of(tx, hands, client, meant.survey if meant else None)
    if deal is not None:
        payload = {
            "deal_id": deal.deal_id,
            "text_key": "deal.note_optout",
            "channel": received.chat.channel,
            "when": now.isoformat(),
        }
        await outbox.add_once(tx, "note", keys.note(deal.deal_id, f"optout:{now.date()}"), payload, now, now)
    for contact in await people.contacts_of(tx, client.client_id or 0):
        if contact.contact_id > 0 and hands.stop_tags:
            payload = {"contact_id": contact.contact_id, "tag": hands.stop_tags[0]}
            await outbox.ask_again(
                tx, "tag_contact", keys.tag_contact(contact.contact_id, "stop"), payload, now, now
            )


async def _obey(
    tx: AsyncSession, hands: Hands, received: Received, meant: Meant | None, command: Command
) -> None:
    survey, now = meant.survey if meant else None, received.now
    match command.name:
        case "code":
            await outbox.add_once(
                tx, "hand_over_code", f"hand_over_code:{received.about}",
                {"channel": received.chat.channel, "chat_id": received.chat.chat_id, "client_id": received.client.client_id}, now, now,
            )  # fmt: skip
        case "call":
            await pass_on(tx, hands, received, survey, _as_words(received), is_quiet=True)
            await say(tx, hands, received, "callback.done", survey=survey, deadline=deadline(hands, now))
        case _:  # erase
            await people.opt_out(tx, received.client.client_id or 0, received.chat.channel, now)
            await outbox.add_once(
                tx,
                "tell_erase",
                f"tell_erase:{received.about}",
                {"client_id": received.client.client_id},
                now,
                now,
            )
            await say(tx, hands, received, "erase.received", survey=survey)


async def say(
    tx: AsyncSession,
    hands: Hands,
    received: Received,
    key: str,
    *,
    survey: Survey | None = None,
    rule: SurveyRule | None = None,
    a: int | None = None,
    b: int | None = None,
    deadline: datetime | None = None,
    share_phone: bool = False,
) -> None:
    """One sentence back: one act of the client gets at most one message."""
    values = values_for(
        hands, client=received.client, survey=survey, rule=rule, now=received.now, deadline=deadline
    )
    values |= {"a": a, "b": b}
    payload = {
        "channel": received.chat.channel,
        "chat_id": received.chat.chat_id,
        "survey_id": survey.id if survey else None,
        "text": hands.texts.fill(key, **values),
        "variant": key,
        "share_phone": share_phone,
    }
    await outbox.add_once(tx, "say", keys.say(received.about), payload, received.now, received.now)
    hands.wake.act.set()


async def _sync(tx: AsyncSession, deal_id: int, now: datetime) -> None:
    await outbox.ask_again(tx, "sync_deal", keys.sync_deal(deal_id), {"deal_id": deal_id}, now, now)
