"""What a client asks of us: no more questions, the code, a call, to be forgotten."""

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import IncomingKind
from storage import outbox, people, reminders, turns
from storage.tables.surveys import Reply
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.deal_card import sync_deal
from worker.actions.forgetting import ask_to_erase
from worker.actions.friend_codes import may_carry_code
from worker.actions.passing import as_words, deal_of, pass_on, say, toast
from worker.actions.promising import answer_by
from worker.actions.received import Meant, Received, is_over
from worker.actions.scoring import take_score
from worker.actions.tagging import ask_for_tags
from worker.rules.answer import read_answer
from worker.rules.answer_readings import Command, Comment, OptOut, Score


async def take_opt_out(
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


async def obey(
    tx: AsyncSession, hands: Hands, received: Received, meant: Meant | None, command: Command
) -> None:
    survey, now = meant.survey if meant else None, received.now
    match command.name:
        case "code":
            chat, client_id = received.chat, received.client.client_id
            # With a box for consent it is looked up first: it may not follow after all.
            if hands.known.advertising_consent_field is None and await _may_have_code(tx, hands, received):
                await toast(tx, received, hands.texts.fill("promo.toast"))
            payload = {"channel": chat.channel, "chat_id": chat.chat_id, "client_id": client_id}
            await outbox.add_once(tx, "hand_over_code", f"hand_over_code:{received.about}", payload, now, now)
        case "call":
            if received.message.kind is IncomingKind.TAP and survey is not None and survey.call_asked_at:
                return  # Tapped again: somebody has it already.
            words = as_words(hands, received) or hands.texts.fill("button.call_me")
            has_task = await pass_on(tx, hands, received, survey, words, is_quiet=True)
            deadline = answer_by(hands, now) if has_task else None
            await say(tx, hands, received, "callback.done", survey=survey, deadline=deadline)
            if survey is not None and survey.answered_at is None and not is_over(survey, received):
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
