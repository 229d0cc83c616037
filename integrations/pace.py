"""Taking turns: how fast a service is asked, and when it is left alone."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import SystemRandom
from typing import Any

READ_TIMEOUT = 20.0  # seconds that a request may hang
PATIENCE = timedelta(seconds=5)  # a longer pause is the caller's to wait for, not ours
LONGEST_BACKOFF = 60.0  # seconds
BUSY_BEFORE_CIRCUIT = 3  # answers «too fast» in a row
CIRCUIT = timedelta(minutes=5)
LONG_PAUSE = timedelta(minutes=1)  # that long, and the circuit counts as open
SPARE = 4  # places of a pace that requests take one by one, spread over the time that a request may hang
SLOWER_FOR = 180.0  # seconds at half the rate after a «too fast»


@dataclass(slots=True, eq=False)
class Passage:
    """One request that left. `arrived_at` is when we knew that it had arrived, None while we do not."""

    over: asyncio.Event = field(default_factory=asyncio.Event)
    arrived_at: float | None = None


class Paused(Exception):
    """The service is left alone for longer than a request cares to wait."""

    def __init__(self, left: timedelta) -> None:
        super().__init__(f"paused for {left.total_seconds():.0f} s")
        self.left = left


class Pace:
    """Takes turns to one service: first come, first served, evenly spaced, no credit for idle time.

    Spacing alone does not keep a promise about any one second at the far side, since the network bunches
    requests. So a request leaves only while fewer than `rate` others are out that may still arrive within a
    second before it or later: those that nobody has answered, and those answered less than a second ago.
    Proof that no second holds more than `rate` arrivals: take the last of them to leave. It left before that
    second ended, so every other one of them arrived less than a second before it left, or later, and was
    answered later still or not at all: all of them were out, and there were fewer than `rate`.

    One that hangs keeps its place until it is given up, which may last READ_TIMEOUT. So the last places are
    taken one by one, spread over that time: whatever hangs, the next request leaves within five seconds (at
    five a second and more). A long poll hangs on purpose: it belongs to a pace of its own with `rate=None`.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.sleep = sleep
        self.now = now
        self._gap = 1 / rate if rate else 0.0
        self._places = max(1, int(rate)) if rate else 0
        self._at_once = max(1, self._places - SPARE)  # may be unanswered without holding others back
        self._spread = (READ_TIMEOUT + 1) / (max(self._places, 1) - self._at_once + 1)
        self._out: list[Passage] = []  # may still arrive in the same second as the next
        self._news = asyncio.Event()  # one of them arrived
        self._line = asyncio.Lock()  # wakes its waiters in the order in which they came
        self._left_at = float("-inf")
        self._free_at = float("-inf")
        self._parked_until = float("-inf")
        self._slow_until = float("-inf")
        self._needs_probe = False
        self._probe: Passage | None = None
        self._busy_in_a_row = 0
        self._is_open = False

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Passage]:
        """Wait for the turn; leaving the block means that the answer is here (or will not come).

        Raises Paused when the pause is longer than PATIENCE.
        """
        async with self._line:
            await self._wait()
            passage = Passage()
            if self._places:
                self._out.append(passage)
            self._left_at = self.now()
            slower = 2 if self._left_at < self._slow_until else 1
            self._free_at = self._left_at + self._gap * slower
            if self._needs_probe:  # After a pause one request tries the ground, the others wait for it.
                self._needs_probe, self._probe = False, passage
        try:
            yield passage
        finally:
            self.arrived(passage)
            passage.over.set()

    def arrived(self, passage: Passage) -> None:
        """The far side has begun to answer, or we have given up and closed the connection."""
        if passage.arrived_at is None:
            passage.arrived_at = self.now()
            self._news.set()

    def park(self, pause: timedelta) -> None:
        """Let nothing through for this long; then one request goes ahead of all others."""
        self._parked_until = max(self._parked_until, self.now() + pause.total_seconds())
        self._needs_probe = True
        self._is_open |= pause >= LONG_PAUSE

    @property
    def parked_for(self) -> timedelta:
        """How long the pause still lasts, zero without one."""
        return timedelta(seconds=max(0.0, self._parked_until - self.now()))

    @property
    def is_open(self) -> bool:
        """Is the circuit open: a pause of a minute or more, until a request after it was let through."""
        return self._is_open

    def too_fast(self, retry_after: timedelta | None) -> timedelta:
        """Note an answer «too many requests»: park and give the pause. They say how long, or 1, 2, 4 … s.

        The third in a row opens the circuit for five minutes; the rate is halved for a while. Requests that
        were out together are refused together: that counts as once.
        """
        if not self.parked_for:
            self._busy_in_a_row += 1
        backoff = min(LONGEST_BACKOFF, 2.0 ** (self._busy_in_a_row - 1)) * SystemRandom().uniform(1, 1.25)
        pause = timedelta(seconds=backoff) if retry_after is None else retry_after
        if self._busy_in_a_row >= BUSY_BEFORE_CIRCUIT:
            pause = max(pause, CIRCUIT)
        self.park(pause)
        self._slow_until = self.now() + pause.total_seconds() + SLOWER_FOR
        return pause

    def went_through(self) -> None:
        """Note an answer other than «too many requests»."""
        if not self.parked_for:  # What left before the pause says nothing about its end.
            self._busy_in_a_row = 0
            self._is_open = False

    async def _wait(self) -> None:
        if self._probe is not None:
            await self._probe.over.wait()
            self._probe = None
        # A pause may begin while we sleep, and a sleep may end a little early.
        while (left := self._still_to_wait()) > 0:
            if self.parked_for > PATIENCE:
                raise Paused(self.parked_for)
            await self._sleep(left)

    def _still_to_wait(self) -> float:
        """Seconds until the next may leave, as far as can be said before another answer comes."""
        now = self.now()
        not_before = max(self._free_at, self._parked_until)
        self._out = [one for one in self._out if one.arrived_at is None or one.arrived_at + 1 > now]
        if self._places and len(self._out) >= self._places:
            ends = [one.arrived_at + 1 for one in self._out if one.arrived_at is not None]
            not_before = max(not_before, min(ends, default=float("inf")))
        if sum(one.arrived_at is None for one in self._out) >= self._at_once:
            not_before = max(not_before, self._left_at + self._spread)
        return not_before - now

    async def _sleep(self, seconds: float) -> None:
        """For this long, or until one of those that are out has arrived."""
        if all(one.arrived_at is not None for one in self._out):
            await self.sleep(seconds)
            return
        self._news.clear()
        waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._news.wait())]
        if seconds < float("inf"):
            waiting.append(asyncio.ensure_future(self.sleep(seconds)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
