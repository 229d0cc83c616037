"""Due surveys checked, then out."""

import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from integrations.errors import OutsideError, Temporary
from storage import paused, sending
from storage.tables.surveys import Survey
from worker.actions.asking import close, settle
from worker.actions.base import Hands
from worker.actions.considering import Case, consider, reread
from worker.actions.staffing import know_staff
from worker.rules.eligibility import Reason, Wait

log = logging.getLogger(__name__)

SERVICE_PAUSE = timedelta(minutes=1)  # before amoCRM is asked about this survey again


async def send(hands: Hands) -> int:
    """Everything that is due; gives the number of surveys that were looked at."""
    await know_staff(hands)
    looked_at = 0
    in_line: Counter[str] = Counter()
    while await _may_ask(hands) and (survey := await sending.claim_due(hands.db, hands.now())):
        looked_at += 1
        try:
            await _one(hands, survey, in_line)
        except OutsideError as error:
            # Without a fresh look at the deal nobody is asked.
            log.warning("survey %s waits: %s", survey.id, error)
            pause = error.retry_after if isinstance(error, Temporary) and error.retry_after else SERVICE_PAUSE
            await sending.postpone(hands.db, survey, hands.now() + pause, Reason.SERVICE)
        # A long queue is no standstill: whoever works through it is ready.
        hands.health.mark("send", hands.now())
    hands.health.mark("send", hands.now())
    return looked_at


async def _may_ask(hands: Hands) -> bool:
    return hands.may_speak and not await paused.is_paused(hands.db, hands.now())


async def _one(hands: Hands, survey: Survey, in_line: Counter[str]) -> None:
    """`in_line`: by channel, how many were just told to wait, for its gap or for the next hour."""
    if hands.now() > max(survey.due_at, survey.turn_at or survey.due_at) + hands.policy.expires_after * 2:
        # Long past every limit: no call is spent on it.
        await close(hands, survey, Reason.TOO_LATE, hands.now())
        return
    case = await consider(hands, survey, hands.now())
    # What only waits needs no call to amoCRM; whatever is final is decided upon the deal as it is now.
    if case is not None and not isinstance(case.decision, Wait):
        await reread(hands, survey)
        case = await consider(hands, survey, hands.now())
    if case is None:
        # Its `[[survey]]` was taken out of the settings: it may come back before it is too late.
        await sending.postpone(hands.db, survey, hands.now() + timedelta(hours=6), Reason.SERVICE)
    else:
        await settle(hands, _lined_up(hands, case, in_line), hands.now())


def _lined_up(hands: Hands, case: Case, in_line: Counter[str]) -> Case:
    """One after the other: were they all to wait for the same moment, each gap would cost a look at all."""
    match case.decision:
        case Wait(until, Reason.PACE) if case.route is not None:
            channel, most = case.route.channel, hands.policy.max_per_hour
            hours = in_line.total() // most if most else 0
            until += max(channel.gap * in_line[channel.name], timedelta(hours=hours))
            in_line[channel.name] += 1
            return replace(case, decision=Wait(until, Reason.PACE))
        case _:
            return case
