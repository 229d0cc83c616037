"""More alerts than a person can read one by one become one message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=10)  # `[alerts] burst` is the number for this long
OPENING = timedelta(minutes=2)  # as long the alerts wait for complaints that are being opened with them
LOOK_AGAIN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Alone:
    """Each alert is a message."""


@dataclass(frozen=True, slots=True)
class Together:
    """All that are ready are one message."""


@dataclass(frozen=True, slots=True)
class Gather:
    """Others are coming: look again then."""

    until: datetime


def gather(
    *, recent: Sequence[datetime], ready: int, coming: int, asked_at: datetime, now: datetime, burst: int
) -> Alone | Together | Gather:
    """What becomes of the alerts that are ready, the oldest of which is wanted since `asked_at`.

    `recent` are the messages of the `WINDOW` before `asked_at` and since. Those beyond `burst` wait until the
    window of the first has passed; a backlog, as after an outage or a night, need not wait for anything.
    """
    if len(recent) + ready + coming <= burst:
        return Alone()
    if coming and now < asked_at + OPENING:
        return Gather(min(now + LOOK_AGAIN, asked_at + OPENING))
    if ready <= burst and recent and now < min(recent) + WINDOW:
        return Gather(min(recent) + WINDOW)
    return Together() if ready > 1 else Alone()
