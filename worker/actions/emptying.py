"""The gateway's own queue, emptied outside the send window: after an outage it would be sent at any hour."""

import logging
from datetime import timedelta

from integrations.channels.base import Channel, Searchable
from integrations.errors import OutsideError
from storage import people, queued
from worker.actions.asking import tell_deal
from worker.actions.base import Hands

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=5)


async def empty_queue(hands: Hands, channel: Channel) -> None:
    """To be called when the channel has just had nothing to tell: what it never told of is in its queue.

    Questions found there are asked anew once it has been silent about them for a while more. Reminders and
    thanks are not said again: in the morning they would only puzzle.
    """
    if not isinstance(channel, Searchable):
        return
    now = hands.now()
    await _ask_anew(hands, channel, channel.echo_kind)
    if hands.policy.window.is_open(now) or now < hands.emptied_at.get(channel.name, now):
        return
    hands.emptied_at[channel.name] = now + LOOK_EVERY
    async with hands.db.reading() as tx:
        waiting = await queued.untold(tx, channel.name, channel.echo_kind, now)
    if not waiting:
        return
    try:
        is_emptied = await channel.clear()
    except OutsideError as error:
        log.warning("the queue of %s is not emptied: %s", channel.name, error)
        return
    if is_emptied:
        async with hands.db.transaction() as tx:
            ids = {message.message_id for message in waiting}
            number = await queued.mark_cleared(tx, channel.name, ids, now)
        if number:
            log.warning("the queue of %s was emptied for the night: %s questions", channel.name, number)


async def _ask_anew(hands: Hands, channel: Channel, echo_kind: str) -> None:
    now = hands.now()
    async with hands.db.reading() as tx:
        found = await queued.cleared(tx, channel.name, now, list(hands.surveys))
    for survey in found:
        async with hands.db.transaction() as tx:
            if await queued.plan_again(tx, survey, echo_kind, now):
                if survey.promo_code:
                    await people.take_code_back(tx, survey.promo_code, survey.id or 0)
                hands.health.count_message(channel.name, "out", "absent")
                await tell_deal(tx, hands, survey.deal_id, now)
                hands.wake.send.set()
