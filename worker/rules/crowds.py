"""Many deals closed at once: a clean-up rather than a busy hour."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)


def crowds(
    closings: Mapping[int, datetime], more_than: int, within: timedelta = HOUR
) -> tuple[frozenset[int], ...]:
    """Deals that closed in some span of this length together with more than so many, as they hang together.

    Two spans that share a deal are one crowd, so a clean-up that goes on for an afternoon is one as well.

    >>> noon = datetime(2026, 9, 7, 12)
    >>> crowds({n: noon + n * timedelta(minutes=20) for n in range(5)}, more_than=3)
    (frozenset({0, 1, 2, 3, 4}),)
    """
    if more_than <= 0:
        return ()
    ordered = sorted(closings.items(), key=lambda closing: closing[1])
    found: list[tuple[int, int]] = []  # first and last of each crowd, by place in the order
    first = 0
    for last, (_, closed_at) in enumerate(ordered):
        while closed_at - ordered[first][1] > within:
            first += 1
        if last - first + 1 <= more_than:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return tuple(frozenset(deal for deal, _ in ordered[start : end + 1]) for start, end in found)


def spans(moments: Iterable[datetime], around: timedelta = HOUR) -> tuple[tuple[datetime, datetime], ...]:
    """What lies this near to any of the moments, in as few stretches as possible."""
    found: list[tuple[datetime, datetime]] = []
    for moment in sorted(moments):
        begins, ends = moment - around, moment + around
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], ends)
        else:
            found.append((begins, ends))
    return tuple(found)
