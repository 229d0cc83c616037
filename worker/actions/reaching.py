"""Where one of the staff is reached: in the first of their places that works."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import TypeVar

from integrations.channels.base import Channel, Moving, Outgoing
from integrations.errors import OutsideError, Permanent, Unreachable
from worker.account.people import Place
from worker.actions.base import Hands
from worker.actions.staffing import BOTS, find_out, move_group

log = logging.getLogger(__name__)

T = TypeVar("T")


def has_staff_channel(hands: Hands) -> bool:
    """Is there any messenger in which staff could be met? Without one, deals and tasks are the alert."""
    return any(name in hands.channels for name in BOTS)


async def reach(hands: Hands, places: Iterable[Place], message: Outgoing) -> tuple[Place, str] | None:
    """Where it was read, and the message's id; None: this person cannot be reached anywhere."""

    async def send(channel: Channel, place: Place) -> tuple[Place, str]:
        message_id = await channel.send(place.chat_id, message)
        if isinstance(channel, Moving) and (new := channel.moved_to(place.chat_id)):
            async with hands.db.transaction() as tx:
                await move_group(tx, hands, place.chat_id, new)
            place = Place(place.channel, new)
        return place, message_id

    return await in_first_place(hands, places, send)


async def in_first_place(
    hands: Hands, places: Iterable[Place], send: Callable[[Channel, Place], Awaitable[T]]
) -> T | None:
    """What the first place that works gives. Where one may work later, and no other does now, it raises."""
    later = Postponed()
    for place in places:
        channel = hands.channels.get(place.channel)
        if channel is None:
            continue
        with later:
            try:
                said = await send(channel, place)
            except Unreachable as error:
                log.warning("one of the staff cannot be reached: %s", error)
                if place in hands.groups:
                    await find_out(hands, place, is_lost=True)
            else:
                if place in hands.groups:
                    await find_out(hands, place, is_lost=False)
                hands.health.count_message(channel.name, "out", "staff")
                return said
    later.settle()
    return None


class Postponed:
    """Keeps what went wrong with one until the others had their turn. What may pass is told first."""

    def __init__(self) -> None:
        self._error: OutsideError | None = None

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, OutsideError):
            return False
        if self._error is None or (isinstance(self._error, Permanent) and not isinstance(error, Permanent)):
            self._error = error
        return True

    @property
    def is_needed(self) -> bool:
        return self._error is not None

    def settle(self) -> None:
        if self._error is not None:
            raise self._error
