"""Which messages of somebody else's list are ours: by the client and the moment, for nothing else is told."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

BEFORE = timedelta(seconds=10)  # clocks differ
AFTER = timedelta(minutes=2)  # a gateway is slow


class Told(Protocol):
    """A message in the list; `user_id` 0: no person is named as its author."""

    @property
    def event_id(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def is_incoming(self) -> bool: ...
    @property
    def user_id(self) -> int: ...
    @property
    def client_id(self) -> int: ...


class Known(Protocol):
    """A message that we know of ourselves."""

    @property
    def at(self) -> datetime: ...
    @property
    def is_incoming(self) -> bool: ...
    @property
    def client_id(self) -> int: ...


def ours(told: Iterable[Told], known: Iterable[Known]) -> set[str]:
    """Each of ours claims one message of that client and direction, the nearest of those without an author.

    A person may write a moment after our question, so a named author's is taken only if there is no other.
    """
    by_client: defaultdict[tuple[int, bool], list[Told]] = defaultdict(list)
    for one in told:
        by_client[one.client_id, one.is_incoming].append(one)
    found: set[str] = set()
    for own in sorted(known, key=lambda one: one.at):
        free = [one for one in by_client[own.client_id, own.is_incoming] if one.event_id not in found]
        if (nearest := _nearest(free, own.at)) is not None:
            found.add(nearest.event_id)
    return found


def _nearest(free: Sequence[Told], at: datetime) -> Told | None:
    near = [one for one in free if at - BEFORE <= one.at <= at + AFTER]
    return min(near, key=lambda one: (one.user_id > 0, abs(one.at - at), one.event_id), default=None)
