"""The time, as the worker and its tests see it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from worker.clock import Clock, ClockWatch, ManualClock, RealClock

START = datetime(2026, 3, 16, 10, tzinfo=UTC)


def test_the_real_time_is_aware_and_in_utc() -> None:
    clock: Clock = RealClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.now() >= START or clock.now().year >= 2024


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(START)
    assert clock.now() == clock.now() == START
    assert clock.advance(timedelta(hours=1)) == START + timedelta(hours=1) == clock.now()
    clock.advance(timedelta(hours=-2))
    assert clock.now() == START - timedelta(hours=1)


def test_a_manual_clock_is_set_in_any_zone_and_shows_utc() -> None:
    clock = ManualClock(START)
    clock.set(datetime(2026, 3, 17, 10, tzinfo=timezone(timedelta(hours=10))))
    assert clock.now().isoformat() == "2026-03-17T00:00:00+00:00"


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 16, 10)  # noqa: DTZ001 — that is the point
    with pytest.raises(ValueError, match="time zone"):
        ManualClock(naive)
    with pytest.raises(ValueError, match="time zone"):
        ManualClock(START).set(naive)


class Clocks:
    """Those of a machine, and what amoCRM said last."""

    def __init__(self) -> None:
        self.wall, self.stopwatch = START.timestamp(), 1000.0
        self.heard: tuple[datetime, float] | None = None
        self.watch = ClockWatch(lambda: self.heard, wall=lambda: self.wall, stopwatch=lambda: self.stopwatch)

    def goes_on(self, seconds: float, *, jump: float = 0) -> None:
        self.wall += seconds + jump
        self.stopwatch += seconds

    def hears(self, *, off: float) -> None:
        """An answer of amoCRM, by whose clock ours is so many seconds ahead."""
        self.heard = (datetime.fromtimestamp(self.wall - off, UTC), self.stopwatch)


def test_a_clock_that_only_goes_on_is_right_whatever_amocrm_says() -> None:
    clocks = Clocks()
    assert clocks.watch.is_right()
    clocks.hears(off=3600)
    for _ in range(5):
        clocks.goes_on(86_400, jump=60)
        assert clocks.watch.is_right()


@pytest.mark.parametrize("jump", [3600, -3600, 121])
def test_after_a_jump_nothing_is_believed_until_amocrm_agrees(jump: float) -> None:
    clocks = Clocks()
    clocks.hears(off=0)
    clocks.goes_on(5, jump=jump)
    assert not clocks.watch.is_right()
    assert clocks.watch.off_by is None, "what was heard before the jump says nothing about it"
    clocks.goes_on(60)
    clocks.hears(off=jump)
    clocks.goes_on(60)
    assert not clocks.watch.is_right()
    assert clocks.watch.off_by == timedelta(seconds=jump)
    clocks.goes_on(5, jump=-jump)
    assert not clocks.watch.is_right(), "that was a jump too"
    clocks.hears(off=0)
    assert clocks.watch.is_right()
    clocks.goes_on(86_400)
    assert clocks.watch.is_right()


@pytest.mark.parametrize(("off", "ahead"), [(600, 600), (-600, 0), (0, 0)])
def test_how_far_it_is_ahead_is_known_without_a_jump(off: float, ahead: float) -> None:
    clocks = Clocks()
    assert clocks.watch.ahead == timedelta(0), "nothing was heard yet"
    clocks.hears(off=off)
    clocks.goes_on(3600)
    assert clocks.watch.is_right()
    assert clocks.watch.ahead == timedelta(seconds=ahead)


def test_a_machine_that_slept_is_believed_with_the_first_answer() -> None:
    clocks = Clocks()
    clocks.goes_on(5, jump=8 * 3600)
    assert not clocks.watch.is_right()
    clocks.hears(off=1)
    assert clocks.watch.is_right()
