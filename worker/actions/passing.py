"""Words that a person has to answer: to the responsible, to the head, and a sentence to the client."""

from datetime import datetime, timedelta
from typing import Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from storage import deals, outbox
from storage.rows import insert_once
from storage.tables.complaints import Request
from storage.tables.deals import Deal
from storage.tables.people import Chat, Client
from storage.tables.surveys import Survey
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.promising import answer_by
from worker.actions.received import Received
from worker.actions.words import told, values_for
from worker.rules.planning import SurveyRule

FORWARDED_ONCE_IN = timedelta(hours=12)
DIALOGUE = timedelta(hours=12)  # after an answer through us, whatever the client writes goes to staff


class Speaker(Protocol):
    """Who said something to us, where, and when we took it up. `about` names the occasion in keys."""

    @property
    def chat(self) -> Chat: ...
    @property
    def client(self) -> Client: ...
    @property
    def about(self) -> str: ...
    @property
    def now(self) -> datetime: ...


async def pass_on(
    tx: AsyncSession,
    hands: Hands,
    received: Speaker,
    survey: Survey | None,
    words: str,
    *,
    is_quiet: bool = False,
    task_key: str = "deal.task_words",
) -> bool:
    """To the responsible as a task, to the head at once; the client is told when somebody answers.

    False: there is no deal for a task, and so nothing to promise.
    """
    chat, now = received.chat, received.now
    chat.waiting_since = chat.waiting_since or now
    deal = await deal_of(tx, hands, received.client, survey)
    if deal is not None:
        await add_task(tx, hands, deal.deal_id, received, words, about=received.about, text_key=task_key)
    await tell_head(tx, hands, received, survey, words, wants_answer=True)
    told_lately = chat.forwarded_at is not None and now < chat.forwarded_at + FORWARDED_ONCE_IN
    if deal is not None and not told_lately and not is_quiet:
        chat.forwarded_at = now
        await say(tx, hands, received, "forwarded", survey=survey, deadline=answer_by(hands, now))
    return deal is not None


async def pass_on_uncalled(
    tx: AsyncSession, hands: Hands, received: Speaker, survey: Survey, words: str
) -> None:
    """A complaint was closed and nobody had called: a task on it, a word to the head, a promise. `words`: ""
    for a tap, which counts once."""
    chat, now = received.chat, received.now
    about = received.about if words else f"uncalled:{survey.id}"
    payload = {"survey_id": survey.id, "words": words}
    if not await outbox.add_once(tx, "tell_uncalled", keys.tell_head(about), payload, now, now):
        return
    chat.waiting_since = chat.waiting_since or now
    said = words or hands.texts.fill("button.uncalled")
    await add_task(tx, hands, survey.deal_id, received, said, about=about)
    await say(tx, hands, received, "complaint.thanks_low", survey=survey, deadline=answer_by(hands, now))


def is_in_dialogue(chat: Chat, now: datetime) -> bool:
    """A person of the company has just answered here through us, and so reads the chat nowhere else."""
    if chat.answered_at is None or now >= chat.answered_at + DIALOGUE:
        return False
    return chat.human_wrote_at is None or chat.human_wrote_at <= chat.answered_at


async def carry_on(tx: AsyncSession, hands: Hands, received: Speaker, words: str) -> None:
    """What the client says to that person: shown as it is, without another task or promise."""
    received.chat.waiting_since = received.chat.waiting_since or received.now
    await tell_head(tx, hands, received, None, words)


async def deal_of(tx: AsyncSession, hands: Hands, client: Client, survey: Survey | None) -> Deal | None:
    if survey is not None and (deal := await deals.deal(tx, survey.root_deal_id)) is not None:
        return deal
    return await deals.newest_of_client(
        tx, client.client_id or 0, but_pipeline=hands.known.complaints_pipeline
    )


async def add_task(
    tx: AsyncSession,
    hands: Hands,
    deal_id: int,
    received: Speaker,
    words: str,
    *,
    about: str,
    text_key: str = "deal.task_words",
    survey: Survey | None = None,
    at: datetime | None = None,
) -> None:
    """A task on the deal. `survey`: because of its low score, with words or without; `at`: not before."""
    now = received.now
    payload = {
        "deal_id": deal_id,
        "text_key": text_key if survey is None else "deal.task_low",
        "survey_id": survey.id if survey is not None else None,
        "words": words,
        "deadline": answer_by(hands, now).isoformat(),
    }
    await outbox.add_once(tx, "deal_task", keys.task(deal_id, about), payload, at or now, now)


async def tell_head(
    tx: AsyncSession,
    hands: Hands,
    received: Speaker,
    survey: Survey | None,
    words: str,
    *,
    wants_answer: bool = False,
) -> None:
    """As they are, to whoever leads; a reply to that message finds its way back by what is kept here."""
    deal = await deal_of(tx, hands, received.client, survey)
    request = Request(
        about=received.about,
        channel=received.chat.channel,
        chat_id=received.chat.chat_id,
        client_id=received.client.client_id,
        survey_id=survey.id if survey is not None else None,
        deal_id=deal.deal_id if deal is not None else None,
        pipeline_id=deal.pipeline_id if deal is not None else 0,
        manager_id=deal.manager_id if deal is not None else 0,
        asked_at=received.now,
        wants_answer=wants_answer,
    )
    await insert_once(tx, request)
    payload = {
        "about": received.about,
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


async def say(
    tx: AsyncSession,
    hands: Hands,
    received: Speaker,
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


async def toast(tx: AsyncSession, received: Received, text: str) -> None:
    """The tapped button stops spinning, with a word or without."""
    callback = received.message.callback_id
    if callback:
        payload = {"channel": received.chat.channel, "callback_id": callback, "text": text}
        await outbox.ask_again(tx, "toast", keys.toast(callback), payload, received.now, received.now)


def as_words(hands: Hands, received: Received) -> str:
    message = received.message
    return told(hands, message.text, message.media or message.kind)
