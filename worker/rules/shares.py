"""How sure a share is, and whether two of them differ by more than chance.

Intervals are at 95 %, shares are 0–1.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)  # 1.959963984540054


class Interval(NamedTuple):
    """From `low` to `high`, both within."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """A difference with this interval is more than chance.

        >>> Interval(-0.2, 40.2).excludes_zero, Interval(5.2, 33.4).excludes_zero
        (False, True)
        """
        return self.low > 0 or self.high < 0

    def times(self, factor: float) -> "Interval":
        return Interval(self.low * factor, self.high * factor)


def wilson(part: int, whole: int) -> Interval:
    """The score interval of a share, 0–1. `whole` is at least 1.

    Source: R. Newcombe, Statistics in Medicine 17 (1998) 857–872, method 3 (Wilson).

    >>> [round(end, 4) for end in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    share = part / whole
    weight = Z * Z / whole
    centre = (share + weight / 2) / (1 + weight)
    half = Z * math.sqrt(share * (1 - share) / whole + weight / (4 * whole)) / (1 + weight)
    # The ends are exact where nothing, or everything, was counted.
    low = 0.0 if part == 0 else max(0.0, centre - half)
    high = 1.0 if part == whole else min(1.0, centre + half)
    return Interval(low, high)


def share_difference(before: tuple[int, int], after: tuple[int, int]) -> Interval:
    """The interval of `after` minus `before`, -1 to 1; each is (part, whole).

    Source: R. Newcombe, Statistics in Medicine 17 (1998) 873–890, method 10 (hybrid score).

    >>> [round(end, 4) for end in share_difference((48, 80), (56, 70))]
    [0.0524, 0.3339]
    """
    was, now = before[0] / before[1], after[0] / after[1]
    was_within, now_within = wilson(*before), wilson(*after)
    difference = now - was
    return Interval(
        difference - math.hypot(now - now_within.low, was_within.high - was),
        difference + math.hypot(now_within.high - now, was - was_within.low),
    )
