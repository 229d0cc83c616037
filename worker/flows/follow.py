"""What time brings: reminders, expiry with the questions that waited behind, a look at the messengers."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from integrations.errors import OutsideError
from storage import asked, paused, reminders, turns
from storage.tables.surveys import Survey
from worker.actions.ageing import look_for_old_words
from worker.actions.base import Hands
from worker.actions.channel_watch import look_at_channels
from worker.actions.considering import Case, consider_reminder, reread
from worker.actions.deal_card import sync_deal
from worker.actions.escalate import look_for_untaken
from worker.actions.first_list import is_closed, look_for_first_list
from worker.actions.question_words import reminder_for
from worker.actions.send_daily import look_for_morning
from worker.actions.send_digest import look_for_digest
from worker.actions.staffing import know_staff
from worker.actions.talking import remind
from worker.rules.eligibility import Reason, Send, Skip, Wait

log = logging.getLogger(__name__)

SERVICE_PAUSE = timedelta(minutes=5)


async def follow(hands: Hands) -> int:
    """Gives the number of surveys that were reminded or ended."""
    if not hands.may_speak:
        return 0  # Nor does a question expire by a clock that may be wrong.
    await know_staff(hands)
    now, reminder_after = hands.now(), hands.policy.reminder_after
    async with hands.db.reading() as tx:
        over = await reminders.expired(tx, now)
        waiting = (
            await reminders.to_remind(tx, now - reminder_after.span, now)
            if reminder_after is not None
            else ()
        )
    done = await _expire(hands, over) + await _remind(hands, waiting, now)
    done += await look_for_untaken(hands) + await look_for_morning(hands)
    done += await look_for_digest(hands) + await look_for_first_list(hands)
    await look_for_old_words(hands)
    await look_at_channels(hands)
    hands.health.mark("follow", hands.now())
    return done


async def _expire(hands: Hands, over: Sequence[Survey]) -> int:
    """Silence ends the conversation and the questions that waited behind it."""
    for survey in over:
        async with hands.db.transaction() as tx:
            now = hands.now()
            if not await reminders.expire(tx, survey):
                continue
            ended = [survey.deal_id]
            if survey.client_id is not None:
                ended += await turns.end_line(tx, survey.client_id, now, Reason.CONVERSATION_SILENT)
            for deal_id in dict.fromkeys(ended):
                await sync_deal(tx, deal_id, now)
    if over:
        hands.wake.act.set()
    return len(over)


async def _remind(hands: Hands, waiting: Sequence[Survey], now: datetime) -> int:
    """One reminder per conversation, under the same conditions as the question."""
    reminded = 0
    for survey in waiting:
        if survey.sent_at is None or _due(hands, survey.sent_at) > now:
            continue
        if (due := _due(hands, await _asked_at(hands, survey))) > now:
            await reminders.remind_later(hands.db, survey, due)
            continue
        if await paused.is_paused(hands.db, hands.now()) or await is_closed(hands):
            break  # Silence still ends a question; only nobody is written to.
        try:
            reminded += await _remind_one(hands, survey, now)
        except OutsideError as error:
            log.info("reminder of survey %s waits: %s", survey.id, error)
            await reminders.remind_later(hands.db, survey, now + SERVICE_PAUSE)
    return reminded


def _due(hands: Hands, asked_at: datetime) -> datetime:
    after = hands.policy.reminder_after
    return hands.now() if after is None else hands.calendar.add(asked_at, after, hands.window)


async def _asked_at(hands: Hands, survey: Survey) -> datetime:
    """When the question went out that the client has: the first one may have failed, on another channel."""
    async with hands.db.reading() as tx:
        sent = await asked.message(tx, survey.channel, survey.message_id, survey.chat_id)
    return max(filter(None, (survey.sent_at, sent.sent_at if sent is not None else None)))


async def _remind_one(hands: Hands, survey: Survey, now: datetime) -> bool:
    case = await consider_reminder(hands, survey, now)
    if case is not None and not isinstance(case.decision, Wait):
        await reread(hands, survey)
        case = await consider_reminder(hands, survey, now)
    if case is None:
        await reminders.claim_reminder(hands.db, survey, now)
        return False
    match case.decision:
        case Wait(until, _):
            await reminders.remind_later(hands.db, survey, until)
            return False
        case Skip(reason):
            log.info("survey %s is not reminded: %s", survey.id, reason)
            await reminders.claim_reminder(hands.db, survey, now)
            return False
        case Send():
            return await _send_reminder(hands, case, now)


async def _send_reminder(hands: Hands, case: Case, now: datetime) -> bool:
    if case.client is None or case.route is None:
        return False
    question = await reminder_for(hands, case.survey, case.rule, case.deal, case.client, case.route.channel)
    await remind(hands, case.survey, question.message, question.variant, now)
    return True
