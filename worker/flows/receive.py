"""Polled channels into the inbox: a batch and its offset in one transaction, then the far side may forget."""

from datetime import timedelta

from integrations.channels.base import Channel, Polled
from integrations.channels.hooks import is_hooked
from integrations.errors import OutsideError
from storage import state
from storage.inbox import InboxWriter
from worker.actions.base import Hands
from worker.actions.emptying import empty_queue
from worker.actions.looking import look_for_lost

LONG_POLL = timedelta(seconds=50)


async def receive(hands: Hands, channel: Channel, inbox: InboxWriter, wait: timedelta) -> int:
    """One poll of one channel; gives the number of updates that are now on disk.

    Raises what `poll` raises.
    """
    if not isinstance(channel, Polled) or is_hooked(channel):
        return 0
    async with hands.db.reading() as tx:
        offset = await state.offset(tx, channel.name)
    try:
        batch = await channel.poll(offset, wait)
    except OutsideError as error:
        hands.health.set_error(channel.name, str(error))
        raise
    now = hands.now()
    if batch.updates:
        await inbox.put(
            channel.name,
            batch.updates,
            now,
            offset=(channel.name, batch.offset),
            said_after=hands.silent_at.get(channel.name),
        )
    await channel.confirm(batch)
    hands.health.mark(f"poll_{channel.name}", now)
    if not batch.updates:
        hands.silent_at[channel.name] = now
        # All that it had to tell is here: the moment to judge by what it did not tell.
        await look_for_lost(hands, channel)
        await empty_queue(hands, channel)
    return len(batch.updates)
