"""`sarafan try` and `/try`: the whole conversation in one's own chat, in the words that clients get.

Nothing of it is a survey: no field, no note, no complaint, no alert, no code, and no row of any report.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Button, Channel, Incoming, IncomingKind, Outgoing
from integrations.errors import Permanent
from storage import asked, inbox, outbox, surveys, trials
from storage.tables.columns import Json
from storage.tables.people import Chat
from storage.tables.queues import Inbox, Outbox
from storage.tables.surveys import Reply, Survey, Trial
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.promising import answer_by, promise
from worker.actions.question_words import answered_for
from worker.actions.received import Meant, Received
from worker.actions.scoring import confirm_until
from worker.actions.taking import GESTURES, ask_again_key
from worker.actions.thanks_words import code_card, thanks_of
from worker.actions.trial_cast import (
    OURS,
    Cast,
    ask_next,
    cast_of,
    example_code,
    may_carry,
    step_of,
)
from worker.actions.understanding import CLOCKS_DIFFER, read_message
from worker.actions.words import values_for
from worker.rules.answer_readings import Ask, Command, Comment, OptIn, OptOut, Score
from worker.rules.compose import AFTER_COMPLAINT
from worker.rules.planning import SurveyRule
from worker.rules.scale import Band
from worker.rules.wording import Value
from worker.staff.commands import typed

log = logging.getLogger(__name__)

LASTS = timedelta(hours=1)
ANSWERS = (IncomingKind.TEXT, IncomingKind.TAP, IncomingKind.MEDIA, IncomingKind.EDITED)


# --- its beginning and its end ---------------------------------------------------------------------------


async def begin(
    tx: AsyncSession, channel: str, chat_id: str, surveys: tuple[str, ...], now: datetime
) -> Trial:
    row = Trial(channel=channel, chat_id=chat_id, surveys=list(surveys), started_at=now, ends_at=now + LASTS)
    await trials.begin(tx, row)
    about = {"trial": row.id}
    await outbox.add_once(tx, "end_trial", f"end_trial:{row.id}", about, row.ends_at, now)
    return row


async def start(
    tx: AsyncSession, hands: Hands, channel: str, chat_id: str, surveys: tuple[str, ...], about: str
) -> None:
    """`/try`: the first question goes out with the other messages."""
    now = hands.now()
    row = await begin(tx, channel, chat_id, surveys, now)
    cast = cast_of(hands, row, now)
    if cast is not None:
        await _put(tx, hands, row, ask_next(hands, cast, hands.channels[channel], now, wrote_at=now), about)


async def end_trial(item: Outbox, hands: Hands) -> None:
    """Its hour is over."""
    async with hands.db.transaction() as tx:
        row = await trials.trial(tx, int(item.payload["trial"]))
        if row is None or not await trials.end(tx, row.id or 0, hands.now()):
            return
        over = Outgoing(text=hands.texts.fill("test.over"))
        await _put(tx, hands, row, over, f"trial:{row.id}:over", is_marked=False)
    hands.wake.act.set()


# --- what is said in it ----------------------------------------------------------------------------------


def marked(hands: Hands, channel: Channel, message: Outgoing) -> tuple[Outgoing, ...]:
    """With the line that says what it is. A poll has no room for it, so there it comes before."""
    mark = hands.texts.fill("test.mark")
    text = f"{mark}\n\n{message.text}"
    if message.poll and len(text) > channel.poll_limit:
        return Outgoing(text=mark, client_wrote_at=message.client_wrote_at), message
    return (replace(message, text=text),)


async def _put(
    tx: AsyncSession, hands: Hands, trial: Trial, message: Outgoing, about: str, *, is_marked: bool = True
) -> None:
    """Into the outbox: one message for one act of the person."""
    await tx.flush()
    payload: Json = {
        "trial": trial.id,
        "step": len(trial.steps) - 1 if message.topic else None,
        "is_marked": is_marked,
        "text": message.text,
        "buttons": [[[button.text, button.data] for button in row] for row in message.buttons],
        "poll": list(message.poll),
        "topic": message.topic,
        "values": dict(message.values),
    }
    now = hands.now()
    await outbox.add_once(tx, "say_trial", keys.say(about), payload, now, now)
    hands.wake.act.set()


async def say_trial(item: Outbox, hands: Hands) -> None:
    """At most once, as everything that a client reads."""
    payload = item.payload
    async with hands.db.reading() as tx:
        row = await trials.trial(tx, int(payload["trial"]))
    if row is None or item.uncertain or (channel := hands.channels.get(row.channel)) is None:
        return
    message = Outgoing(
        text=str(payload["text"]),
        buttons=tuple(tuple(Button(text, data=data) for text, data in line) for line in payload["buttons"]),
        poll=tuple(payload["poll"]),
        topic=str(payload["topic"]),
        values=payload["values"],
        client_wrote_at=hands.now(),
    )
    said = marked(hands, channel, message) if payload["is_marked"] else (message,)
    await utter(hands, channel, row, said, payload["step"])


async def utter(
    hands: Hands, channel: Channel, trial: Trial, said: tuple[Outgoing, ...], step: int | None
) -> None:
    """Send, and remember as whose: an echo or a status of it is nobody's."""
    for message in said:
        message_id = await channel.send(trial.chat_id, message)
        hands.health.count_message(channel.name, "out", "staff")
        async with hands.db.transaction() as tx:
            await asked.record_message(
                tx, channel=channel.name, chat_id=trial.chat_id, message_id=message_id, survey_id=None,
                kind=trials.KIND, text_variant="", now=hands.now(),
            )  # fmt: skip
            if step is not None:
                await trials.note_step(tx, trial.id or 0, step, {"message_id": message_id})


async def edit_trial(item: Outbox, hands: Hands) -> None:
    """The tapped keyboard gives way to «Ваша оценка», or comes back."""
    payload = item.payload
    async with hands.db.reading() as tx:
        row = await trials.trial(tx, int(payload["trial"]))
    cast = cast_of(hands, row, hands.now()) if row is not None else None
    if row is None or cast is None or (channel := hands.channels.get(row.channel)) is None:
        return
    survey, rule = cast.surveys[int(payload["step"])], cast.rules[int(payload["step"])]
    if not channel.has_buttons or not survey.message_id:
        return
    try:
        await channel.edit(
            row.chat_id,
            survey.message_id,
            answered_for(hands, survey, rule, is_open=bool(payload["is_open"])),
        )
    except Permanent as error:
        log.info("a question of a trial stays as it is: %s", error)


# --- what the person does --------------------------------------------------------------------------------


async def take(tx: AsyncSession, hands: Hands, channel: Channel, row: Inbox, message: Incoming) -> bool:
    """Is it said in a trial? Then it is heard as a client would be, and nothing of it is kept."""
    is_ours = message.kind is IncomingKind.TAP and message.data.startswith(OURS)
    if message.is_group or message.kind not in ANSWERS:
        return False
    now = hands.now()
    trial = await trials.current(tx, row.channel, message.chat_id, now)
    if trial is not None and (message.sent_at or now) + CLOCKS_DIFFER + hands.ahead < trial.started_at:
        trial = None  # Written before it began, this is no part of it, and does not end it.
    if trial is not None and await surveys.came_after(tx, row.channel, message.chat_id, trial.started_at):
        # A real question: what a client answers is never lost to a trial.
        await trials.end(tx, trial.id or 0, now)
        trial = None
    cast = cast_of(hands, trial, now) if trial is not None else None
    if cast is None:
        if is_ours:
            await _toast(tx, row, message, hands.texts.fill("survey.over"), now)
            hands.wake.act.set()
        return is_ours
    if not is_ours and not await _belongs(tx, row, message):
        return False
    await inbox.empty(tx, row.id)
    await _toast(tx, row, message, "", now)
    step = _step(cast, message)
    if step is not None:
        talk = _Talk(tx, hands, cast, step, _received(channel, row, message, cast, now))
        await talk.hear()
    hands.wake.act.set()
    return True


async def _belongs(tx: AsyncSession, row: Inbox, message: Incoming) -> bool:
    """A command is none, nor is what answers another message of ours."""
    if message.quoted:
        return await trials.is_of_trial(tx, row.channel, message.chat_id, message.quoted)
    return message.kind is not IncomingKind.TAP and typed(message.text) is None


def _step(cast: Cast, message: Incoming) -> int | None:
    if message.data.startswith(OURS):
        return step_of(cast.trial, message.data)
    quoted = [at for at, kept in enumerate(cast.trial.steps) if kept.get("message_id") == message.quoted]
    return quoted[0] if message.quoted and quoted else len(cast.trial.steps) - 1


def _received(channel: Channel, row: Inbox, message: Incoming, cast: Cast, now: datetime) -> Received:
    chat = Chat(channel=row.channel, chat_id=message.chat_id, linked_at=now)
    return Received(channel=channel, row=row, message=message, chat=chat, client=cast.client, now=now)


async def _toast(tx: AsyncSession, row: Inbox, message: Incoming, text: str, now: datetime) -> None:
    if message.callback_id:
        payload = {"channel": row.channel, "callback_id": message.callback_id, "text": text}
        await outbox.add_once(tx, "toast", keys.toast(message.callback_id), payload, now, now)


@dataclass(frozen=True, slots=True)
class _Talk:
    """One message of the person, and the question that it is about."""

    tx: AsyncSession
    hands: Hands
    cast: Cast
    step: int
    received: Received

    @property
    def survey(self) -> Survey:
        return self.cast.surveys[self.step]

    @property
    def rule(self) -> SurveyRule:
        return self.cast.rules[self.step]

    async def hear(self) -> None:
        if self.received.message.data.endswith(":change"):
            await self._edit(is_open=True)
            return
        reading = read_message(self.hands, self.received, Meant(self.survey, self.rule))
        match reading:
            case Score():
                await self._score(reading)
            case Comment(is_uncalled=True) if self.survey.trigger == AFTER_COMPLAINT:
                await self._say("complaint.thanks_low", deadline=self._answer_by())
            case Comment() | Ask() if self.survey.answered_at is not None:
                await self._words(reading)
            case Comment() | Ask():
                await self._unclear(reading)
            case OptOut(value=value):
                await self._over("optout.scored" if value is not None else "optout.done")
            case OptIn():
                await self._say("optout.undone")
            case Command(name="code"):
                await self._code()
            case Command(name="call"):
                await self._say("callback.done", deadline=self._answer_by())
            case Command():
                await self._say("erase.received")

    # What is understood

    async def _score(self, score: Score) -> None:
        survey, now = self.survey, self.received.now
        if survey.answered_at is not None and survey.score == score.value:
            if score.comment:
                await self._thank(score.comment, wants_reply=score.wants_reply, is_words=True)
            return
        is_first = survey.answered_at is None
        survey.score, survey.band = score.value, self.rule.scale.band(score.value)
        survey.confirm_until = confirm_until(self.rule, score, self.received) if is_first else None
        survey.answered_at, survey.revision = survey.answered_at or now, survey.revision + 1
        self._keep(
            score=survey.score,
            band=str(survey.band),
            revision=survey.revision,
            answered_at=survey.answered_at.isoformat(),
            confirm_until=survey.confirm_until.isoformat() if survey.confirm_until else "",
            has_words=self._has_words or bool(score.comment),
        )
        await self._edit(is_open=False)
        await self._thank(score.comment, wants_reply=score.wants_reply, is_words=False)

    async def _words(self, reading: Comment | Ask) -> None:
        message = self.received.message
        is_carried = self.survey.band == Band.LOW and self.rule.on_low in ("complaint", "task")
        shows = message.kind is IncomingKind.MEDIA and not message.text and message.media not in GESTURES
        had_words = self._has_words
        self.survey.confirm_until = None
        self._keep(confirm_until="", has_words=True)
        if (reading.wants_reply or shows) and not is_carried:
            await self._forwarded()
        elif not had_words and message.media not in GESTURES:
            await self._thank(message.text or message.media, wants_reply=False, is_words=True)

    async def _unclear(self, reading: Comment | Ask) -> None:
        """The question is open, and this is no answer to it."""
        match reading:
            case Comment():
                if reading.wants_reply:
                    await self._forwarded()
            case Ask() if not self.survey.asked_again:
                self._keep(asked_again=True)
                await self._say(ask_again_key(reading, self.rule.scale), a=reading.a, b=reading.b)
            case _:
                return  # A person would read it now.

    async def _forwarded(self) -> None:
        if not self.cast.trial.is_forwarded:
            self.cast.trial.is_forwarded = True
            await self._say("forwarded", deadline=self._answer_by())

    async def _code(self) -> None:
        if not may_carry(self.hands, self.received.chat.channel):
            await self._say("promo.not_here")
            return
        await self._put(Outgoing(text=code_card(self.hands, example_code(self.hands))))

    # What is said

    async def _thank(self, words: str, *, wants_reply: bool, is_words: bool) -> None:
        """The thanks, with the next question if its turn has come."""
        hands, cast, survey, now = self.hands, self.cast, self.survey, self.received.now
        is_checked = survey.confirm_until is not None and survey.confirm_until > now
        has_next = cast.has_next and self.step + 1 == len(cast.trial.steps) and not is_checked
        channel = self.received.channel
        thanks = thanks_of(
            hands,
            survey,
            self.rule,
            Reply(channel=channel.name, external_id="", received_at=now, text=words),
            code=example_code(hands),
            others=cast.surveys,
            is_words=is_words,
            wants_reply=wants_reply,
            has_next=has_next,
            deadline=promise(hands, survey, self.rule, now),
            may_carry_code=may_carry(hands, channel.name),
        )
        if thanks.is_review or thanks.promo_code:
            self._keep(reviewed=thanks.is_review, promo_code=thanks.promo_code)
        if has_next:
            await self._put(ask_next(hands, cast, channel, now, thanks=thanks.text, wrote_at=now))
        elif thanks.text:
            buttons = thanks.buttons if channel.has_buttons else ()
            await self._put(Outgoing(text=thanks.text, buttons=buttons))

    async def _over(self, key: str) -> None:
        """«стоп» ends the trial too."""
        await trials.end(self.tx, self.cast.trial.id or 0, self.received.now)
        said = [self.hands.texts.fill(key, **self._values()), self.hands.texts.fill("test.over")]
        await self._put(Outgoing(text="\n\n".join(said)))

    async def _say(
        self, key: str, *, a: int | None = None, b: int | None = None, deadline: datetime | None = None
    ) -> None:
        values = {**self._values(deadline), "a": a, "b": b}
        await self._put(Outgoing(text=self.hands.texts.fill(key, **values)))

    def _values(self, deadline: datetime | None = None) -> dict[str, Value]:
        return values_for(
            self.hands, client=self.cast.client, survey=self.survey, rule=self.rule,
            now=self.received.now, deadline=deadline,
        )  # fmt: skip

    async def _put(self, message: Outgoing) -> None:
        await _put(self.tx, self.hands, self.cast.trial, message, f"trial:{self.received.about}")

    async def _edit(self, *, is_open: bool) -> None:
        payload = {"trial": self.cast.trial.id, "step": self.step, "is_open": is_open}
        now, key = self.received.now, f"edit_trial:{self.received.about}"
        await outbox.add_once(self.tx, "edit_trial", key, payload, now, now)

    # What is remembered

    @property
    def _has_words(self) -> bool:
        return bool(self.cast.trial.steps[self.step].get("has_words"))

    def _keep(self, **changes: Any) -> None:
        trial = self.cast.trial
        trial.steps = [
            {**kept, **changes} if at == self.step else kept for at, kept in enumerate(trial.steps)
        ]

    def _answer_by(self) -> datetime:
        return answer_by(self.hands, self.received.now)
