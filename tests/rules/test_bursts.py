"""Many low scores at once: one message, or one for each?"""

from datetime import UTC, datetime, timedelta

import pytest

from worker.rules.bursts import Alone, Gather, Together, gather

NOON = datetime(2026, 9, 8, 12, tzinfo=UTC)


def ago(*minutes: int) -> list[datetime]:
    return [NOON - timedelta(minutes=one) for one in minutes]


@pytest.mark.parametrize(
    ("recent", "ready", "coming", "asked", "expected"),
    [
        ([], 1, 0, 0, Alone()),
        ([], 5, 0, 0, Alone()),  # as many as are allowed
        ([], 6, 0, 0, Together()),
        ([9, 8, 7, 6], 1, 0, 0, Alone()),
        ([9, 8, 7, 6, 5], 1, 0, 0, Gather(NOON + timedelta(minutes=1))),  # the sixth within ten minutes
        ([9, 8, 7, 6, 5], 7, 0, 0, Together()),  # a backlog does not wait
        ([10, 9, 8, 7, 6], 3, 0, 4, Together()),  # the ten minutes of the first are over
        ([10, 9, 8, 7, 6], 1, 0, 4, Alone()),  # and nobody came to join it
        ([], 1, 7, 0, Gather(NOON + timedelta(seconds=15))),  # eight replies came together
        ([], 2, 6, 2, Together()),  # the others take too long
        ([], 12, 0, 180, Together()),  # Telegram was down
    ],
)
def test_what_becomes_of_alerts(
    recent: list[int], ready: int, coming: int, asked: int, expected: Alone | Together | Gather
) -> None:
    (asked_at,) = ago(asked)
    decided = gather(recent=ago(*recent), ready=ready, coming=coming, asked_at=asked_at, now=NOON, burst=5)
    assert decided == expected


@pytest.mark.parametrize("ready", [1, 2, 5])
def test_with_a_burst_of_none_all_that_is_ready_is_joined(ready: int) -> None:
    decided = gather(recent=[], ready=ready, coming=0, asked_at=NOON, now=NOON, burst=0)
    assert decided == (Together() if ready > 1 else Alone())
