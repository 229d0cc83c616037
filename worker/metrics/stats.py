"""Numbers with their doubt: scores, means, quantiles and survival, in plain Python.

Intervals are at 95 %, in points and percent (0–100) where a docstring says so; those of shares are in
`worker.rules.shares`.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import accumulate
from statistics import NormalDist, fmean
from typing import NamedTuple, TypeVar

from worker.rules.shares import CONFIDENCE, Interval, Z

Number = TypeVar("Number", int, float)

# Answers that the adjusted interval of an NPS adds: three, of which a quarter each to the two ends.
PSEUDO_ANSWERS = 3
PSEUDO_AT_AN_END = 0.75


def percent(part: float, whole: float) -> float | None:
    """None of nothing: an undefined share is no zero.

    >>> percent(12, 80), percent(0, 0)
    (15.0, None)
    """
    # Multiplied first: 100 * part is exact, so one rounding is left, and a half stays a half.
    return 100 * part / whole if whole else None


def rounded(value: float, digits: int = 2) -> float:
    """Halves go away from zero, and the half is that of the number as people would write it.

    >>> rounded(2.675), rounded(-14.545), rounded(34.42622950819672)
    (2.68, -14.55, 34.43)
    """
    exact = Decimal(repr(float(value)))
    # 0.0 is added because a minus before nothing is left of -0.001.
    return float(exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)) + 0.0


# NPS


def nps(promoters: int, passives: int, detractors: int) -> float | None:
    """Share of promoters minus share of detractors, in points from -100 to 100; None without answers.

    Source: F. Reichheld, "The One Number You Need to Grow", HBR, December 2003.

    >>> nps(31, 20, 10)
    34.42622950819672
    """
    return percent(promoters - detractors, promoters + passives + detractors)


def nps_error(promoters: float, passives: float, detractors: float) -> float:
    """Standard error of an NPS in points, of the trinomial distribution (Wald): 0 if all answers are alike.

    >>> round(nps_error(60, 30, 10), 2)
    6.71
    """
    answers = promoters + passives + detractors
    high, low = promoters / answers, detractors / answers
    # Where all answers lie at one end, the difference may fall a hair below zero.
    return 100 * math.sqrt(max(0.0, high + low - (high - low) ** 2) / answers)


def nps_interval(promoters: int, passives: int, detractors: int) -> Interval:
    """The adjusted-Wald interval of an NPS in points, cut to [-100, 100]; it has a width even at +100.

    Source: B. Rocks, "Interval Estimation for the Net Promoter Score", The American Statistician, 2016.

    >>> [round(end, 2) for end in nps_interval(31, 20, 10)]
    [14.54, 51.09]
    """
    high = promoters + PSEUDO_AT_AN_END
    low = detractors + PSEUDO_AT_AN_END
    middle = passives + PSEUDO_ANSWERS - 2 * PSEUDO_AT_AN_END
    centre = 100 * (high - low) / (high + middle + low)
    margin = Z * nps_error(high, middle, low)
    return Interval(max(-100.0, centre - margin), min(100.0, centre + margin))


def nps_difference(before: tuple[int, int, int], after: tuple[int, int, int]) -> Interval:
    """The interval of `after` minus `before` in points; each is (promoters, passives, detractors), not empty.

    >>> [round(end, 1) for end in nps_difference((50, 30, 20), (60, 30, 10))]
    [-0.2, 40.2]
    """
    difference = 100 * (after[0] - after[2]) / sum(after) - 100 * (before[0] - before[2]) / sum(before)
    margin = Z * math.hypot(nps_error(*before), nps_error(*after))
    return Interval(difference - margin, difference + margin)


# Means


def mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def mean_interval(values: Sequence[float]) -> Interval | None:
    """The t-interval of a mean; None below two values.

    >>> [round(end, 2) for end in mean_interval([5, 5, 5, 4, 4, 3, 2, 5, 4, 1])]
    [2.8, 4.8]
    """
    return counted_mean_interval(Counter(values))


def counted_mean(counts: Mapping[Number, int]) -> float | None:
    """Of values, each with how often it came."""
    number = sum(counts.values())
    return float(_total(counts) / number) if number else None


def counted_mean_interval(counts: Mapping[Number, int]) -> Interval | None:
    """The t-interval of such a mean; None below two values.

    >>> [round(end, 2) for end in counted_mean_interval({5: 4, 4: 3, 3: 1, 2: 1, 1: 1})]
    [2.8, 4.8]
    """
    number, centre = sum(counts.values()), counted_mean(counts)
    if number < 2 or centre is None:
        return None
    half = t_quantile(number - 1) * math.sqrt(_variance(counts) / number)
    return Interval(centre - half, centre + half)


def mean_difference(before: Sequence[float], after: Sequence[float]) -> Interval | None:
    """The interval of the mean of `after` minus that of `before` (Welch); None below two values in either.

    Source: B. Welch, "The Generalization of Student's Problem", Biometrika 34 (1947) 28–35.
    """
    return counted_mean_difference(Counter(before), Counter(after))


def counted_mean_difference(before: Mapping[Number, int], after: Mapping[Number, int]) -> Interval | None:
    """The same of values, each with how often it came."""
    numbers = [sum(counts.values()) for counts in (before, after)]
    if min(numbers) < 2:
        return None
    errors = [_variance(counts) / number for counts, number in zip((before, after), numbers, strict=True)]
    difference = (counted_mean(after) or 0.0) - (counted_mean(before) or 0.0)
    error = sum(errors)
    if not error:
        return Interval(difference, difference)
    freedom = error**2 / sum(own**2 / (number - 1) for own, number in zip(errors, numbers, strict=True))
    # Rounded down, so the interval is a hair too wide and never too narrow.
    half = t_quantile(max(1, math.floor(freedom))) * math.sqrt(error)
    return Interval(difference - half, difference + half)


def _variance(counts: Mapping[Number, int]) -> float:
    """Exact up to the division: nothing is lost where all values are alike. Of at least two values."""
    number, total = sum(counts.values()), _total(counts)
    squares = sum(_exact(value) ** 2 * times for value, times in counts.items())
    return float((number * squares - total * total) / (number * (number - 1)))


def _total(counts: Mapping[Number, int]) -> int | Fraction:
    return sum(_exact(value) * times for value, times in counts.items())


def _exact(value: float) -> int | Fraction:
    """Prices are whole as a rule, and whole numbers are soonest added up."""
    return int(value) if value == int(value) else Fraction(value)


def t_quantile(freedom: int, probability: float = 0.5 + CONFIDENCE / 2) -> float:
    """Student's t that is exceeded with 1 - `probability` (0.5–1), for whole degrees of freedom from 1.

    Up to a few hundred degrees the distribution is a finite sum, searched by halving; beyond, the
    expansion at the normal quantile is closer than 1e-7.
    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3, 26.7.4 and 26.7.5.

    >>> round(t_quantile(9), 4), round(t_quantile(1), 3)
    (2.2622, 12.706)
    """
    if freedom > 300:
        return _expanded_t(freedom, probability)
    wanted = 2 * probability - 1
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        if _within_t(middle, freedom) < wanted:
            low = middle
        else:
            high = middle
    return math.sqrt(freedom) * math.tan((low + high) / 2)


def _within_t(angle: float, freedom: int) -> float:
    """The probability that |t| stays below tan(angle) * sqrt(freedom)."""
    cosine = math.cos(angle)
    is_odd = freedom % 2 == 1
    term = cosine if is_odd else 1.0
    total = 0.0 if freedom == 1 else term
    for step in range(3 if is_odd else 2, freedom - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    if is_odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total


def _expanded_t(freedom: int, probability: float) -> float:
    x = NormalDist().inv_cdf(probability)
    return (
        x
        + (x**3 + x) / 4 / freedom
        + (5 * x**5 + 16 * x**3 + 3 * x) / 96 / freedom**2
        + (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384 / freedom**3
    )


# Quantiles


def median(values: Iterable[float]) -> float | None:
    """Of an even number, the mean of the middle two."""
    return quantile(values, 0.5)


def counted_median(counts: Mapping[Number, int]) -> float | None:
    """Of values, each with how often it came.

    >>> counted_median({5: 1, 1: 2, 3: 1}), counted_median({4: 2, 9: 1})
    (2.0, 4.0)
    """
    ordered = sorted(counts)
    ends = list(accumulate(counts[value] for value in ordered))
    if not ends:
        return None
    below, above = (ordered[bisect_right(ends, place)] for place in ((ends[-1] - 1) // 2, ends[-1] // 2))
    return below + (above - below) * 0.5


def nearest_rank(values: Iterable[float], share: float) -> float | None:
    """The smallest observed value that at least `share` of all do not exceed: a quantile for people.

    >>> nearest_rank([3, 4, 5, 8, 12, 15, 20, 45, 90, 600], 0.9)
    90
    """
    ordered = sorted(values)
    if not ordered:
        return None
    # 0.07 * 100 is 7.000000000000001, and its ceiling one too many: a share is counted in millionths.
    rank = -(-round(share * 1_000_000) * len(ordered) // 1_000_000)
    return ordered[max(rank, 1) - 1]


def quantile(values: Iterable[float], share: float) -> float | None:
    """Type 7, linear between the two neighbours: for cut-offs.

    Source: R. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", 1996.

    >>> round(quantile([3, 4, 5, 8, 12, 15, 20, 45, 90, 600], 0.9))
    141
    """
    ordered = sorted(values)
    if not ordered:
        return None
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def median_interval(values: Sequence[float]) -> Interval | None:
    """Two observed values with the median of all between them; None below six, where no two are enough.

    Source: M. Campbell and M. Gardner, "Calculating confidence intervals for some non-parametric analyses",
    BMJ 296 (1988) 1454–1456.

    >>> median_interval([3, 4, 5, 8, 12, 15, 20, 45, 90, 600])
    Interval(low=4, high=90)
    """
    number = len(values)
    half = Z * math.sqrt(number) / 2
    first, last = round(number / 2 - half), round(1 + number / 2 + half)
    if first < 1:
        return None
    ordered = sorted(values)
    return Interval(ordered[first - 1], ordered[last - 1])


# Time until something happens


class Lifetime(NamedTuple):
    """How long something has lasted, and whether it ended then or goes on."""

    length: float
    has_ended: bool


def survival(lifetimes: Iterable[Lifetime]) -> list[tuple[float, float]]:
    """Kaplan–Meier: (time, share that lasted longer) at each time when something ended.

    Source: E. Kaplan and P. Meier, "Nonparametric Estimation from Incomplete Observations", JASA, 1958.
    """
    ordered = sorted(lifetimes)
    steps: list[tuple[float, float]] = []
    lasting = 1.0
    for time in sorted({life.length for life in ordered if life.has_ended}):
        at_risk = sum(life.length >= time for life in ordered)
        ended = sum(life.length == time and life.has_ended for life in ordered)
        lasting *= (at_risk - ended) / at_risk
        steps.append((time, lasting))
    return steps


def median_lifetime(lifetimes: Iterable[Lifetime]) -> float | None:
    """When half have ended, those that go on counted too; None while more than half may go on.

    >>> median_lifetime([Lifetime(1, True), Lifetime(3, True), Lifetime(9, False)])
    3
    >>> median_lifetime([Lifetime(1, True), Lifetime(3, False), Lifetime(9, False)])
    """
    # The product of fractions may stop a hair above the half that it is.
    return next((time for time, lasting in survival(lifetimes) if lasting <= 0.5 + 1e-12), None)
