"""A question sent as it was decided: written down before and after, its channel's refusals answered."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Aliased, Sought, Templated
from integrations.channels.hooks import is_searched
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from storage import asked, complaints, people, sending, surveys, unsettled
from storage.tables.people import PromoCode
from storage.tables.surveys import Survey
from worker.actions.base import Hands
from worker.actions.considering import Case, Route
from worker.actions.deal_card import tell_deal
from worker.actions.friend_codes import may_carry_code, own_code
from worker.actions.question_words import question_for
from worker.rules.backoff import next_try
from worker.rules.eligibility import Reason, Send, Skip, Wait

log = logging.getLogger(__name__)


TEMPLATE = "template"  # `text_variant` of a question that went out in the words the service approved


async def settle(hands: Hands, case: Case, now: datetime) -> bool:
    """Carry out the decision; True if the question went out (or may have)."""
    match case.decision:
        case Skip(reason):
            await close(hands, case.survey, reason, now)
        case Wait(until, reason):
            await sending.postpone(hands.db, case.survey, until, reason)
        case Send() if case.route is not None and case.route.is_sought:
            await look_up(hands, case, case.route, now)
        case Send():
            return await send_question(hands, case, now)
    return False


async def look_up(hands: Hands, case: Case, route: Route, now: datetime) -> None:
    """Find the chat of this person's number and write it down; the question is considered anew, with it.

    Who is not found is written down as well: numbers looked up again and again make the messenger suspicious.
    """
    channel, survey = route.channel, case.survey
    if not isinstance(channel, Sought) or case.client is None:
        return
    chat_id, dead_reason = route.chat_id, ""
    try:
        chat_id = await channel.find(route.chat_id)
    except Unreachable as error:
        log.info("survey %s: %s", survey.id, error)
        dead_reason = error.detail
        hands.health.count_message(channel.name, "out", "unreachable")
    except OutsideError as error:
        log.warning("survey %s is put off: %s", survey.id, error)
        if isinstance(error, Permanent) and not isinstance(error, AccessDenied):
            await sending.pass_over(hands.db, survey, channel.name)
            return
        wait = error.retry_after if isinstance(error, Temporary) else timedelta(minutes=5)
        await sending.postpone(hands.db, survey, next_try(min(survey.attempt, 5), now, wait), Reason.CHANNEL)
        return
    async with hands.db.transaction() as tx:
        chat = await people.chat_for(
            tx, channel.name, chat_id, client_id=case.client.client_id, name="", now=now
        )
        if chat.client_id != case.client.client_id:
            # Somebody else's chat by now: nobody is asked there about this person's deal.
            await people.chat_for(
                tx, channel.name, route.chat_id, client_id=case.client.client_id, name="", now=now
            )
            chat_id, dead_reason = route.chat_id, "the chat belongs to another client"
        if dead_reason:
            await people.mark_dead(tx, channel.name, chat_id, dead_reason, now)
    # At once, and still before what fell due later: questions are asked in their order.
    await sending.postpone(hands.db, survey, survey.due_at, Reason.CHANNEL)


async def close(hands: Hands, survey: Survey, reason: Reason, now: datetime) -> None:
    async with hands.db.transaction() as tx:
        # A survey that did go out, on channels that all reported failure afterwards, is no refusal of ours.
        if survey.sent_at is not None:
            await sending.fail(tx, survey)
        else:
            await sending.close(tx, survey, reason, now)
        await tell_deal(tx, hands, survey.deal_id, now)


async def send_question(
    hands: Hands,
    case: Case,
    now: datetime,
    *,
    thanks: str = "",
    thanks_variant: str = "",
    conversation: int | None = None,
    is_last: bool = True,
) -> bool:
    """Send one question; `thanks` stands before it when it joins the answer to the one before.

    `thanks_variant` names its texts.
    """
    survey, route, client = case.survey, case.route, case.client
    if route is None or client is None:
        return False
    channel = route.channel
    async with hands.db.reading() as tx:
        if conversation is None:
            conversation = await surveys.running_conversation(tx, survey)
        has_been_told = await asked.carried_code(tx, survey)
        chat = await people.chat(tx, channel.name, route.chat_id) if isinstance(channel, Templated) else None
    wrote_at = chat.client_wrote_at if chat is not None else None
    is_template = isinstance(channel, Templated) and channel.needs_template(wrote_at, now)
    code = await own_code(hands, client, now)
    may_carry = (
        case.rule.promo_in == "question"
        and may_carry_code(hands, case.contact, channel.name)
        # The code goes with the first question about a deal; said again in each, it is only noise.
        and not has_been_told
        and not is_template  # it would make advertising of it, which is dearer and seldom arrives
    )
    question = question_for(
        hands, survey, case.rule, case.deal, client, channel,
        code=code.code if may_carry else "", thanks=thanks, is_first=conversation is None, is_last=is_last,
    )  # fmt: skip
    variant = TEMPLATE if is_template else "+".join(filter(None, [thanks_variant, question.variant]))
    message = replace(question.message, client_wrote_at=wrote_at, reference=unsettled.reference_of(survey))
    begun = await sending.begin_sending(
        hands.db, survey, channel=channel.name, chat_id=route.chat_id, text_variant=variant,
        promo_code=code.code if may_carry else "", conversation=conversation or survey.id or 0,
        now=now, scale=case.rule.scale.id,
    )  # fmt: skip
    if not begun:
        return False
    try:
        message_id = await channel.send(route.chat_id, message)
    except Unreachable as error:
        log.info("survey %s: %s", survey.id, error)
        async with hands.db.transaction() as tx:
            await people.chat_for(
                tx, channel.name, route.chat_id, client_id=client.client_id, name="", now=now
            )
            await people.mark_dead(tx, channel.name, route.chat_id, error.detail, now)
        await sending.take_back(
            hands.db, survey, next_at=survey.due_at, reason=Reason.CHANNEL, failed_channel=channel.name
        )
        hands.health.count_message(channel.name, "out", "unreachable")
        return False
    except (Temporary, AccessDenied) as error:
        wait = error.retry_after if isinstance(error, Temporary) else timedelta(minutes=5)
        log.warning("survey %s is put off: %s", survey.id, error)
        await sending.take_back(
            hands.db, survey, next_at=next_try(min(survey.attempt, 5), now, wait), reason=Reason.CHANNEL
        )
        hands.health.count_message(channel.name, "out", "postponed")
        hands.health.set_error(channel.name, str(error))
        return False
    except Permanent as error:
        log.error("survey %s was refused: %s", survey.id, error)
        await sending.take_back(
            hands.db, survey, next_at=survey.due_at, reason=Reason.CHANNEL, failed_channel=channel.name
        )
        hands.health.count_message(channel.name, "out", "refused")
        return False
    except Uncertain as error:
        log.warning("survey %s may have arrived and counts as asked: %s", survey.id, error)
        message_id = ""  # Nobody is asked twice: where it can be looked for, it is, and else it stays so.
    if message_id and isinstance(channel, Templated) and channel.went_as_template(message_id):
        variant, may_carry = TEMPLATE, False  # We thought that the client had written lately enough.
        await sending.note_words(hands.db, survey, text_variant=variant, promo_code="")
    await _record(hands, case, route, message_id, variant, now, code=code if may_carry else None)
    hands.wake.listen.set()  # A reply that was faster than this has waited.
    hands.health.count_message(channel.name, "out", "sent" if message_id else "uncertain")
    return True


async def _record(
    hands: Hands,
    case: Case,
    route: Route,
    message_id: str,
    variant: str,
    now: datetime,
    *,
    code: PromoCode | None,
) -> None:
    survey, client = case.survey, case.client
    async with hands.db.transaction() as tx:
        fresh = await people.client(tx, client.client_id or 0, lock=True) if client is not None else None
        is_forgotten = fresh is None or fresh.erased_at is not None
        await sending.mark_asked(
            tx, survey, message_id="" if is_forgotten else message_id, now=now,
            expires_at=now + hands.policy.expires_after, uncertain=not message_id,
            is_looked_for=not message_id and not is_forgotten and is_searched(route.channel),
        )  # fmt: skip
        await _tell_deals_of(tx, hands, survey, now)
        if is_forgotten:
            return  # While it was on its way: that it went out is all that is kept.
        await asked.record_message(
            tx, channel=route.channel.name, chat_id=route.chat_id, message_id=message_id, survey_id=survey.id,
            kind="question", text_variant=variant, now=now,
        )  # fmt: skip
        chat = await people.chat_for(
            tx, route.channel.name, route.chat_id,
            client_id=client.client_id if client else None, name="", now=now,
        )  # fmt: skip
        chat.asked_at = now
        if isinstance(route.channel, Aliased) and (alias := route.channel.alias_of(route.chat_id)):
            chat.alias = alias
        if code is not None:
            await people.mark_code_sent(tx, code.code, now)


async def _tell_deals_of(tx: AsyncSession, hands: Hands, survey: Survey, now: datetime) -> None:
    await tell_deal(tx, hands, survey.deal_id, now)
    complaint = await complaints.by_lead(tx, survey.deal_id)
    if complaint is None and survey.root_deal_id != survey.deal_id:
        await tell_deal(tx, hands, survey.root_deal_id, now)
