"""When to try again what failed for minutes and hours."""

from datetime import datetime, timedelta

STEPS = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),  # and so on every three hours
)
GIVE_UP_AFTER = timedelta(days=3)
_LONGEST = timedelta(days=1)  # whatever a service asks for


def next_try(attempt: int, now: datetime, retry_after: timedelta | None = None, *, key: int = 0) -> datetime:
    """The moment of the next try after `attempt` tries, the first of which is 1.

    What the service asked for counts instead of our own steps. Up to a tenth is added by `key`, the row's id
    for instance, so that those that failed together do not come back together.

    >>> from datetime import UTC
    >>> next_try(2, datetime(2026, 3, 16, 10, tzinfo=UTC)).time().isoformat()[:7]
    '10:00:3'
    """
    pause = STEPS[min(max(attempt, 1), len(STEPS)) - 1]
    if retry_after is not None:
        pause = min(max(retry_after, STEPS[0]), _LONGEST)
    return now + pause + pause * _spread(attempt, key) / 10


def gives_up(attempt: int, first_at: datetime, now: datetime) -> bool:
    """After three days; but never without having tried all steps: a worker that was off has not tried."""
    return attempt >= len(STEPS) and now - first_at >= GIVE_UP_AFTER


def _spread(attempt: int, key: int) -> float:
    """A number from 0 up to 1 that looks like chance and is none.

    Multiplying by 2^32 over the golden ratio scatters neighbours: D. Knuth, TAOCP 3, section 6.4.
    """
    return (key * 31 + attempt) * 2_654_435_761 % 2**32 / 2**32
