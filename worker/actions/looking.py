"""A question whose answer was lost, looked for where the gateway can be looked into."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Channel, Searchable, Unsent
from integrations.channels.hooks import is_searched
from integrations.errors import OutsideError
from storage import asked, inbox, people, sending, unsettled
from storage.tables.surveys import Message, Survey
from worker.actions.base import Hands
from worker.actions.deal_card import tell_deal

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(minutes=1)


def searchable(channels: Iterable[Channel]) -> list[str]:
    """The names of those that can be looked into."""
    return [channel.name for channel in channels if is_searched(channel)]


async def look_for_lost(hands: Hands, channel: Channel) -> None:
    """Settle what may have gone out. To be called when the channel has just had nothing new to tell.

    For then it would have told of a message that went out. What it told nothing of, and does not hold in its
    queue either, did not go out: it is planned again.
    """
    if not isinstance(channel, Searchable):
        return
    now = hands.now()
    async with hands.db.reading() as tx:
        lost = await unsettled.to_look_for(tx, channel.name, now, keys=list(hands.surveys))
        if not lost or await inbox.has_unread(tx, channel.name, channel.echo_kind):
            return
    try:
        queue = await channel.unsent()
    except OutsideError as error:
        log.info("what may have gone out is looked for later: %s", error)
        queue = None
    for survey in lost:
        await _settle(hands, channel, survey, queue, now)


async def _settle(
    hands: Hands, channel: Channel, survey: Survey, queue: Sequence[Unsent] | None, now: datetime
) -> None:
    async with hands.db.transaction() as tx:
        for waiting in [one for one in queue or () if one.chat_id == survey.chat_id]:
            if await asked.message(tx, channel.name, waiting.message_id, waiting.chat_id) is None:
                await found_again(tx, hands, channel.name, waiting.chat_id, waiting.message_id, now)
                return
        if survey.sent_at is None or now > survey.sent_at + sending.TOLD_FOR:
            await unsettled.stop_looking(tx, survey, now)
            await tell_deal(tx, hands, survey.deal_id, now)
        elif queue is None or queue:
            # It stands still, and its head is not always shown: https://github.com/green-api/issues/issues/714
            await unsettled.look_later(tx, survey, now + LOOK_AGAIN)
        elif await unsettled.plan_again(tx, survey, now):
            log.warning("survey %s did not go out after all and is planned again", survey.id)
            if survey.promo_code:
                await people.take_code_back(tx, survey.promo_code, survey.id or 0)
            hands.health.count_message(channel.name, "out", "absent")
            await tell_deal(tx, hands, survey.deal_id, now)
            hands.wake.send.set()


async def found_again(
    tx: AsyncSession,
    hands: Hands,
    channel: str,
    chat_id: str,
    message_id: str,
    at: datetime,
    *,
    reference: str = "",
) -> Message | None:
    """A message of ours that we know nothing of: the question in this chat whose answer was lost, if any.

    `reference`: our own name for it, where the service gives it back.
    """
    if reference:
        survey = await unsettled.settle_by_reference(tx, channel, reference, message_id)
    else:
        survey = await unsettled.settle_uncertain(tx, channel, chat_id, message_id)
    if survey is None:
        return None
    chat_id = survey.chat_id
    await asked.record_message(
        tx,
        channel=channel,
        chat_id=chat_id,
        message_id=message_id,
        survey_id=survey.id,
        kind="question",
        text_variant=survey.text_variant,
        now=at,
    )
    await tell_deal(tx, hands, survey.deal_id, hands.now())
    return await asked.message(tx, channel, message_id, chat_id)
