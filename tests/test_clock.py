"""The time, as the worker and its tests see it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from worker.clock import Clock, ManualClock, RealClock

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
