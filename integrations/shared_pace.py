"""The pace of one service for several workers: each keeps its own order, the moments come from one place."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from integrations.pace import LONG_PAUSE, PATIENCE, Pace, Passage, Paused

MARGIN = 0.15  # seconds by which the network may bunch requests of different workers
TIMES_LATE = 3  # moments that may pass unused before a request leaves anyway


class Moment(Protocol):
    """`wait` seconds until the moment that was taken, or until it makes sense to ask again."""

    @property
    def wait(self) -> float: ...
    @property
    def is_taken(self) -> bool: ...
    @property
    def is_probe(self) -> bool: ...


class Moments(Protocol):
    """What all workers know about one service. It never raises."""

    async def take(self, gap: float) -> Moment: ...
    async def park(self, pause: float) -> None: ...
    async def release(self) -> None: ...


class SharedPace(Pace):
    """Takes turns as a `Pace` does, and for each the next moment that no other worker has.

    Answers that others get are unknown here, so the promise about any one second is kept by distance alone:
    `rate` moments take MARGIN longer than a second.
    """

    def __init__(
        self,
        rate: float,
        moments: Moments,
        *,
        of_all: float | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`of_all` workers together, where this one has a smaller `rate` of its own."""
        super().__init__(rate, now=now, sleep=sleep)
        self._moments = moments
        self._clock = now
        self._distance = (1 + MARGIN) / (of_all or rate)
        self._is_probe = False
        self._to_tell = timedelta(0)  # a pause of which the others do not know yet

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Passage]:
        async with super().turn() as passage:
            is_probe, self._is_probe = self._is_probe, False
            try:
                yield passage
            finally:
                pause, self._to_tell = self._to_tell, timedelta(0)
                if pause:
                    await self._moments.park(pause.total_seconds())
                elif is_probe:
                    await self._moments.release()

    def park(self, pause: timedelta) -> None:
        super().park(pause)
        self._to_tell = max(self._to_tell, pause)

    async def _wait(self) -> None:
        await super()._wait()
        patience, late = PATIENCE.total_seconds(), 0
        while True:
            slower = 2 if self._clock() < self._slow_until else 1
            asked_at = self._clock()
            moment = await self._moments.take(self._distance * slower)
            due = self._clock() + moment.wait
            if not moment.is_taken and moment.wait > patience:
                self._parked_until = max(self._parked_until, due)
                self._is_open |= moment.wait >= LONG_PAUSE.total_seconds()
                raise Paused(timedelta(seconds=moment.wait))
            while (left := due - self._clock()) > 0:  # A sleep may end a little early.
                await self.sleep(left)
            if not moment.is_taken:
                patience -= moment.wait
                continue
            # Told or woken too late, it would bunch with whoever has the next moment.
            if self._clock() - asked_at - moment.wait < MARGIN or moment.is_probe or late >= TIMES_LATE:
                self._is_probe = moment.is_probe
                return
            late += 1
