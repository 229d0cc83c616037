"""The time: real, or moved by hand for the demo and the tests; and whether the real one can be believed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

JUMP = timedelta(seconds=120)  # a smaller step of the wall clock is an ordinary correction


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, in UTC."""


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """Stands still until it is moved. Back, too: clocks of servers do."""

    def __init__(self, start: datetime) -> None:
        self._now = _in_utc(start)

    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime) -> None:
        self._now = _in_utc(moment)

    def advance(self, span: timedelta) -> datetime:
        """Move by `span` and give the new time."""
        self._now += span
        return self._now


class ClockWatch:
    """Has the wall clock jumped? Then nobody knows what time it is until amoCRM's own clock agrees.

    `heard`: amoCRM's time in its latest answer, and what the stopwatch showed when that came. A computer
    that slept jumps too, and is believed with the first answer; one that was set wrong is not.
    """

    def __init__(
        self,
        heard: Callable[[], tuple[datetime, float] | None],
        *,
        wall: Callable[[], float] = time.time,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._heard = heard
        self._wall = wall
        self._stopwatch = stopwatch
        self._apart = wall() - stopwatch()
        self._doubted_at: float | None = None
        self.jumps = 0

    def is_right(self) -> bool:
        """Look at the clocks now. False while a jump has not been explained."""
        before, self._apart = self._apart, self._wall() - self._stopwatch()
        if abs(self._apart - before) > JUMP.total_seconds():
            self._doubted_at = self._stopwatch()
            self.jumps += 1
        if self._doubted_at is None:
            return True
        off = self.off_by
        if off is None or abs(off) > JUMP:
            return False
        self._doubted_at = None
        return True

    @property
    def off_by(self) -> timedelta | None:
        """How far this clock is ahead of amoCRM's. None: there was no jump, or no answer since."""
        heard = self._heard()
        if self._doubted_at is None or heard is None or heard[1] < self._doubted_at:
            return None
        return self._off_by(*heard)

    @property
    def ahead(self) -> timedelta:
        """How far this clock is ahead of amoCRM's, as far as is known; at least nothing. No jump needed."""
        heard = self._heard()
        return max(timedelta(0), self._off_by(*heard)) if heard is not None else timedelta(0)

    def _off_by(self, said: datetime, at: float) -> timedelta:
        now_there = said.timestamp() + self._stopwatch() - at
        return timedelta(seconds=self._wall() - now_there)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC)
