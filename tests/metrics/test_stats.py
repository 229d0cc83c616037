"""Intervals, quantiles and survival, against numbers that others have printed."""

import math
from itertools import pairwise
from statistics import pstdev, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.metrics.stats import (
    Lifetime,
    mean,
    mean_interval,
    median,
    median_lifetime,
    nearest_rank,
    nps,
    nps_difference,
    nps_error,
    nps_interval,
    percent,
    quantile,
    rounded,
    survival,
    t_quantile,
)
from worker.rules.shares import Interval, Z, share_difference, wilson

COUNTS = st.integers(0, 400)
BANDS = st.tuples(COUNTS, COUNTS, COUNTS).filter(any)


@st.composite
def parts(draw: st.DrawFn) -> tuple[int, int]:
    whole = draw(st.integers(1, 500))
    return draw(st.integers(0, whole)), whole


def ends(interval: Interval | None, digits: int) -> list[float]:
    assert interval is not None
    return [rounded(end, digits) for end in interval]


def test_z_is_that_of_95_percent() -> None:
    assert pytest.approx(1.959963984540054, abs=1e-15) == Z


# Section 0: conventions


def test_parts_are_not_rounded_before_they_are_subtracted() -> None:
    score = nps(4, 1, 2)
    assert score is not None
    assert score == pytest.approx(28.571, abs=0.001)
    assert rounded(score, 0) == 29  # 57 % − 29 % would give 28


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (2.675, 2, 2.68),  # its float lies below the half
        (1.005, 2, 1.01),
        (-2.675, 2, -2.68),  # away from zero, not upwards
        (0.125, 2, 0.13),  # not to the even neighbour
        (-0.001, 2, 0.0),
        (28.5, 0, 29),
        (-28.5, 0, -29),
        (2.5, 0, 3),
        (1e15, 2, 1e15),
        (172800, 2, 172800),
    ],
)
def test_halves_go_away_from_zero(value: float, digits: int, written: float) -> None:
    assert rounded(value, digits) == written
    assert math.copysign(1, rounded(value, digits)) == math.copysign(1, written)


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_share_is_rounded_as_on_paper(part: int, whole: int) -> None:
    on_paper = (2 * part * 10_000 + whole) // (2 * whole)  # hundredths of a percent, halves up
    share = percent(part, whole)
    assert share is not None
    assert rounded(share) == on_paper / 100


def test_nothing_has_no_figure() -> None:
    assert nps(0, 0, 0) is None
    assert percent(0, 0) is None
    assert mean([]) is None
    assert median([]) is None
    assert nearest_rank([], 0.9) is None
    assert quantile([], 0.9) is None
    assert median_lifetime([]) is None
    assert mean_interval([4]) is None  # one answer has no spread


def test_an_nps_of_nought_is_a_figure() -> None:
    assert nps(5, 0, 5) == 0


# Section 1: the funnel


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (37, 100, 37.0),  # response rate
        (92, 100, 92.0),  # delivered
        (37, 92, 40.2),  # of delivered
        (37, 71, 52.1),  # of read
        (37, 120, 30.8),  # coverage
        (22, 37, 59.5),  # with a comment
    ],
)
def test_the_worked_funnel(part: int, whole: int, shown: float) -> None:
    share = percent(part, whole)
    assert share is not None
    assert rounded(share, 1) == shown


def test_the_response_of_the_delivered_has_an_interval() -> None:
    assert ends(wilson(37, 92).times(100), 1) == [30.8, 50.4]


def test_who_is_silent_may_turn_the_score() -> None:
    assert nps(60, 30, 10) == 50
    assert nps(60 + 9 * 10, 30 + 9 * 40, 10 + 9 * 50) == -31  # with the silent nine tenths: 15 % and 46 %
    assert percent(60 + 90, 1000) == 15
    assert percent(10 + 450, 1000) == 46


# Section 2.3: the interval of an NPS


@pytest.mark.parametrize(
    ("bands", "score", "error", "wald", "adjusted", "digits"),
    [
        ((60, 30, 10), 50, 6.71, 13.15, [35.5, 61.6], 1),
        ((162, 108, 54), 33.3, 4.14, 8.12, [24.9, 41.1], 1),
        ((31, 20, 10), 34.43, 9.53, 18.67, [14.54, 51.09], 2),
        ((12, 5, 3), 45, 16.55, 32.43, [8.4, 69.8], 1),
        ((10, 0, 0), 100, 0, 0, [47.5, 100], 1),  # Wald has no width there; ours is cut at 100
        ((0, 5, 0), 0, 0, 0, [-30.0, 30.0], 1),
        ((1, 0, 0), 100, 0, 0, [-48.5, 98.5], 1),
    ],
)
def test_the_published_table_of_intervals(
    bands: tuple[int, int, int], score: float, error: float, wald: float, adjusted: list[float], digits: int
) -> None:
    exact = nps(*bands)
    assert exact is not None
    assert rounded(exact, 2 if score == 34.43 else 1) == score
    assert rounded(nps_error(*bands)) == error
    assert rounded(Z * nps_error(*bands)) == wald
    assert ends(nps_interval(*bands), digits) == adjusted


@pytest.mark.parametrize(
    ("bands", "centre"),
    [((60, 30, 10), 48.5), ((162, 108, 54), 33.0), ((31, 20, 10), 32.81), ((12, 5, 3), 39.1)],
)
def test_the_adjusted_interval_lies_around_its_own_centre(bands: tuple[int, int, int], centre: float) -> None:
    low, high = nps_interval(*bands)
    assert rounded((low + high) / 2, 2 if centre == 32.81 else 1) == centre


def test_the_wald_interval_of_the_example() -> None:
    """The reference prints 15.76, the rounded score minus the rounded margin; the exact end is 15.7544."""
    score, margin = 100 * 21 / 61, Z * nps_error(31, 20, 10)
    assert rounded(rounded(score) - rounded(margin)) == 15.76
    assert [rounded(score - margin), rounded(score + margin)] == [15.75, 53.10]


def test_the_variance_of_halves_thirds_and_sixths() -> None:
    """Published: Cross Validated, "How can I calculate margin of error in a NPS result"."""
    assert nps(3, 2, 1) == pytest.approx(100 / 3)
    assert nps_error(3, 2, 1) ** 2 * 6 / 100**2 == pytest.approx(5 / 9)


def test_the_width_of_equal_thirds() -> None:
    """Published: cybaea, "NPS confidence intervals": about 320/√n, 10.0 at 1024 answers."""
    third = 1024 / 3
    assert 2 * Z * nps_error(third, third, third) == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize(
    ("shares", "needed"),
    [
        ((0.5, 0, 0.5), {15: 171, 10: 385, 5: 1537}),
        ((0.6, 0.3, 0.1), {15: 77, 10: 173, 5: 692}),
    ],
)
def test_how_many_answers_a_margin_needs(shares: tuple[float, float, float], needed: dict[int, int]) -> None:
    of_one_answer = nps_error(*shares)  # the standard error of a single answer
    assert {margin: math.ceil((Z * of_one_answer / margin) ** 2) for margin in needed} == needed


# Section 2.4: the difference of two periods


def test_plus_twenty_may_be_chance() -> None:
    difference = nps_difference((50, 30, 20), (60, 30, 10))
    assert ends(difference, 1) == [-0.2, 40.2]
    assert not difference.excludes_zero
    error = (difference.high - difference.low) / 2 / Z
    assert rounded(error) == 10.30
    assert rounded(20 / error) == 1.94


# Section 3: shares and means of CSAT


CSAT = [5, 5, 5, 4, 4, 3, 2, 5, 4, 1]


def test_four_honest_numbers_from_ten_answers() -> None:
    assert ends(wilson(7, 10).times(100), 1) == [39.7, 89.2]
    assert mean(CSAT) == pytest.approx(3.80)
    assert rounded(stdev(CSAT), 3) == 1.398
    assert ends(mean_interval(CSAT), 2) == [2.80, 4.80]


def test_three_of_three_is_less_sure_than_forty_five_of_fifty() -> None:
    assert rounded(wilson(3, 3).low * 100, 1) == 43.9
    assert rounded(wilson(45, 50).low * 100, 1) == 78.6


# Section 6: lifetimes


def test_the_worked_complaints() -> None:
    closed, still_open = [1, 2, 2, 3, 4, 5, 30], [10, 20, 40]
    average = mean(closed)
    assert average is not None
    assert rounded(average) == 6.71
    assert median(closed) == 3
    assert nearest_rank(closed, 0.9) == 30
    assert quantile(closed, 0.9) == pytest.approx(15)
    lives = [Lifetime(days, True) for days in closed] + [Lifetime(days, False) for days in still_open]
    assert [(time, rounded(lasting, 3)) for time, lasting in survival(lives)] == [
        (1, 0.9),
        (2, 0.7),
        (3, 0.6),
        (4, 0.5),
        (5, 0.4),
        (30, 0.2),
    ]
    assert median_lifetime(lives) == 4


def test_a_median_that_is_not_reached_is_not_the_largest_time() -> None:
    lives = [Lifetime(1, True), *(Lifetime(days, False) for days in (2, 3, 40))]
    assert median_lifetime(lives) is None


def test_the_leukemia_of_1963() -> None:
    """Published: Freireich et al., Blood 1963, the 6-MP arm; `+` went on."""
    published = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
    lives = [Lifetime(int(week.rstrip("+")), not week.endswith("+")) for week in published.split()]
    assert len(lives) == 21
    assert [(time, rounded(lasting, 3)) for time, lasting in survival(lives)] == [
        (6, 0.857),
        (7, 0.807),
        (10, 0.753),
        (13, 0.690),
        (16, 0.627),
        (22, 0.538),
        (23, 0.448),
    ]
    assert median_lifetime(lives) == 23


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=40))
def test_fewer_and_fewer_last(lives: list[tuple[int, bool]]) -> None:
    steps = survival(Lifetime(length, has_ended) for length, has_ended in lives)
    assert all(later[1] < earlier[1] and later[0] > earlier[0] for earlier, later in pairwise(steps))
    assert all(0 <= lasting < 1 for _, lasting in steps)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=60))
def test_if_all_have_ended_half_have_by_the_lower_median(lengths: list[int]) -> None:
    lives = [Lifetime(length, True) for length in lengths]
    assert median_lifetime(lives) == sorted(lengths)[(len(lengths) - 1) // 2]


# Section 6 and 8: shares


@pytest.mark.parametrize(
    ("part", "whole", "share", "interval"),
    [
        (9, 60, 15.0, [8.1, 26.1]),  # complaints per 100 won deals
        (8, 10, 80.0, [49.0, 94.3]),  # low scores that were contacted in time
        (12, 60, 20.0, [11.8, 31.8]),  # deals by recommendation
        (18, 200, 9.0, [5.8, 13.8]),  # codes that were used
    ],
)
def test_worked_shares(part: int, whole: int, share: float, interval: list[float]) -> None:
    assert percent(part, whole) == share
    assert ends(wilson(part, whole).times(100), 1) == interval


def test_worked_codes() -> None:
    assert rounded(25 / 18) == 1.39  # uses per used code
    assert percent(21, 25) == 84  # of those decided, won
    assert 21 / 200 == 0.105  # K proxy
    assert 5_000 / 2_000 * 500 / 5_000 == 0.25  # published: Lean Analytics, table 17-1


def test_twelve_of_sixty_after_nine_of_seventy_five_may_be_chance() -> None:
    difference = share_difference((9, 75), (12, 60)).times(100)
    assert ends(difference, 1) == [-4.3, 21.0]
    assert rounded(100 * (12 / 60 - 9 / 75), 1) == 8.0
    assert not difference.excludes_zero


# Section 15


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (23, 60, 0.2709, 0.5098),
        (20, 20, 0.8389, 1),
    ],
)
def test_wilson_as_newcombe_printed_it(part: int, whole: int, low: float, high: float) -> None:
    assert ends(wilson(part, whole), 4) == [low, high]


def test_the_difference_as_newcombe_printed_it() -> None:
    difference = share_difference((48, 80), (56, 70))
    assert ends(difference, 4) == [0.0524, 0.3339]
    assert difference.excludes_zero


@pytest.mark.parametrize(("margin", "needed"), [(10, 97), (5, 385)])
def test_how_many_answers_a_share_needs(margin: int, needed: int) -> None:
    assert math.ceil((Z * 50 / margin) ** 2) == needed


@pytest.mark.parametrize(
    ("freedom", "published"),
    [
        (1, 12.7062),
        (2, 4.3027),
        (3, 3.1824),
        (4, 2.7764),
        (5, 2.5706),
        (9, 2.2622),
        (10, 2.2281),
        (29, 2.0452),
        (30, 2.0423),
        (60, 2.0003),
        (120, 1.9799),
        (1000, 1.9623),
        (10**9, 1.9600),
    ],
)
def test_t_as_in_every_table(freedom: int, published: float) -> None:
    assert rounded(t_quantile(freedom), 4) == published


@pytest.mark.parametrize(
    ("freedom", "probability", "published"),
    [(1, 0.75, 1.0), (2, 0.95, 2.9200), (7, 0.995, 3.4995), (12, 0.9, 1.3562), (40, 0.9995, 3.5510)],
)
def test_t_at_other_levels(freedom: int, probability: float, published: float) -> None:
    assert rounded(t_quantile(freedom, probability), 4) == published


def test_t_falls_smoothly_where_one_formula_hands_over_to_the_other() -> None:
    values = [t_quantile(freedom) for freedom in range(295, 307)]
    steps = [before - after for before, after in pairwise(values)]
    assert all(0 < later < earlier for earlier, later in pairwise(steps))


# Section 16


def test_one_forgotten_chat_moves_the_mean_sixfold() -> None:
    minutes = [3, 4, 5, 8, 12, 15, 20, 45, 90, 600]
    assert mean(minutes) == pytest.approx(80.2)
    assert median(minutes) == 13.5
    assert nearest_rank(minutes, 0.9) == 90
    assert quantile(minutes, 0.9) == pytest.approx(141)


@pytest.mark.parametrize(
    ("values", "cuts"),
    [
        ([11, 30, 77, 152, 296, 3, 50, 184, 361, 113], [26.2, 66.2, 128.6, 206.4]),
        ([5, 2, 1, 3, 1, 1, 4, 2, 1, 2], [1, 1.6, 2, 3.2]),
        ([900, 300, 180, 640, 90, 200, 720, 210, 60, 400], [162, 206, 340, 656]),
    ],
)
def test_cut_offs_are_linear(values: list[int], cuts: list[float]) -> None:
    """The quintiles of the worked table of section 11."""
    assert [quantile(values, share) for share in (0.2, 0.4, 0.6, 0.8)] == pytest.approx(cuts)


def test_a_rank_is_not_moved_by_the_dust_of_floats() -> None:
    assert nearest_rank(range(1, 101), 0.07) == 7  # 0.07 * 100 is 7.000000000000001


@given(st.lists(st.integers(-99, 99), min_size=1, max_size=50), st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0]))
def test_a_nearest_rank_was_observed_and_covers_its_share(values: list[int], share: float) -> None:
    value = nearest_rank(values, share)
    assert value in values
    assert sum(other <= value for other in values) >= share * len(values) - 1e-9
    assert sum(other < value for other in values) < share * len(values) + 1e-9


# Laws


@given(BANDS)
def test_an_nps_and_its_interval_stay_within_a_hundred(bands: tuple[int, int, int]) -> None:
    score = nps(*bands)
    low, high = nps_interval(*bands)
    assert score is not None
    assert -100 <= score <= 100
    assert -100 <= low < high <= 100


@given(BANDS)
def test_turning_all_answers_over_turns_the_figures_over(bands: tuple[int, int, int]) -> None:
    turned = bands[::-1]
    score, other = nps(*bands), nps(*turned)
    assert score is not None
    assert other == -score
    low, high = nps_interval(*bands)
    assert nps_interval(*turned) == pytest.approx((-high, -low))


@given(BANDS)
def test_more_answers_make_an_nps_surer(bands: tuple[int, int, int]) -> None:
    few, many = nps_interval(*bands), nps_interval(*(10 * number for number in bands))
    if few.low > -100 and few.high < 100:
        assert many.high - many.low < few.high - few.low


@given(parts())
def test_a_wilson_interval_contains_its_share_and_stays_one(counted: tuple[int, int]) -> None:
    part, whole = counted
    low, high = wilson(part, whole)
    assert 0 <= low <= part / whole <= high <= 1
    assert low < high


@settings(max_examples=200)
@given(parts(), parts())
def test_a_difference_contains_itself_and_knows_its_direction(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    low, high = share_difference(before, after)
    difference = after[0] / after[1] - before[0] / before[1]
    assert -1 - 1e-9 <= low <= difference + 1e-9
    assert difference - 1e-9 <= high <= 1 + 1e-9
    assert share_difference(after, before) == pytest.approx((-high, -low))


@given(BANDS)
def test_a_period_does_not_differ_from_itself(bands: tuple[int, int, int]) -> None:
    assert not nps_difference(bands, bands).excludes_zero


@given(st.lists(st.integers(1, 10), min_size=2, max_size=60))
def test_a_mean_lies_in_its_interval(scores: list[int]) -> None:
    interval, average = mean_interval(scores), mean(scores)
    assert interval is not None
    assert average is not None
    assert interval.low - 1e-9 <= average <= interval.high + 1e-9


# Section 2.2


@pytest.mark.parametrize(
    ("answers", "bands", "spread", "of_a_sample"),
    [
        ({10: 5, 9: 9, 2: 5, 1: 4, 0: 5}, (14, 0, 14), 4.23, 4.31),  # a call centre
        ({9: 8, 8: 10, 7: 2, 6: 8}, (8, 12, 8), 1.17, 1.19),  # a shop
    ],
)
def test_one_score_may_hide_two_companies(
    answers: dict[int, int], bands: tuple[int, int, int], spread: float, of_a_sample: float
) -> None:
    """Published: codebeats, "NPS score: quality over quantity". So three shares stand beside the score."""
    scores = [score for score, number in answers.items() for _ in range(number)]
    counted = (sum(s >= 9 for s in scores), sum(7 <= s <= 8 for s in scores), sum(s <= 6 for s in scores))
    assert counted == bands
    assert nps(*bands) == 0
    assert rounded(pstdev(scores)) == spread
    assert rounded(stdev(scores)) == of_a_sample
