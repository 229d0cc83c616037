"""What a won deal brings, and whether that grows."""

from datetime import UTC, datetime

import pytest

from tests.metrics.made import NOW, QUARTER, SPRING, SUMMER
from worker.metrics import average_check
from worker.metrics.average_check import AverageCheck
from worker.metrics.base import Facts, SaleFact
from worker.metrics.stats import mean_difference, rounded


def of(
    *prices: float, before: tuple[float, ...] = (), now: datetime = NOW, at: datetime = SPRING
) -> AverageCheck:
    sales = [SaleFact(closed_at=SUMMER, amount=price, is_referral=False) for price in prices]
    sales += [SaleFact(closed_at=at, amount=price, is_referral=False) for price in before]
    return average_check.compute(Facts(now=now, sales=tuple(sales)), QUARTER)


def test_a_price_of_nought_counts_in_the_number_and_not_in_the_average() -> None:
    written = of(100_000, 200_000, 0).as_json()
    assert (written["won_deals"], written["priced_deals"], written["won_amount"]) == (3, 2, 300_000)
    assert (written["average"], written["median"]) == (150_000, 150_000)


def test_one_big_deal_moves_the_average_and_not_the_median() -> None:
    written = of(100, 100, 100, 100, 5_000).as_json()
    assert (written["average"], written["median"]) == (1_080, 100)


def test_growth_is_in_percent_of_the_period_before() -> None:
    written = of(180_000, 180_000, before=(160_000,)).as_json()
    assert (written["growth"], written["median_growth"]) == (12.5, 12.5)
    assert (written["won_deals_growth"], written["won_amount_growth"]) == (100.0, 125.0)


@pytest.mark.parametrize("before", [(), (0, 0)])
def test_from_nothing_nothing_grows(before: tuple[float, ...]) -> None:
    written = of(180_000, before=before).as_json()
    assert (written["growth"], written["median_growth"], written["won_amount_growth"]) == (None, None, None)
    assert written["previous"]["average"] is None
    assert written["significant"] is None


def test_nothing_sold_is_undefined_and_not_nought() -> None:
    written = of(before=(100.0,)).as_json()
    assert (written["won_deals"], written["average"], written["median"], written["ci95"]) == (
        0,
        None,
        None,
        None,
    )
    assert (written["growth"], written["won_deals_growth"]) == (None, -100.0)


def test_one_deal_has_no_interval() -> None:
    assert of(100).as_json()["ci95"] is None


def test_no_average_lies_below_nought_however_few_deals_there_are() -> None:
    low, _ = of(10_000, 1_000_000).as_json()["ci95"]
    assert low == 0


def test_a_growth_within_chance_is_not_called_one() -> None:
    noisy = of(100, 300, 90, 250, 180, before=(90, 280, 110, 200, 150))
    assert noisy.significant is False
    assert noisy.growth is not None
    clear = of(200, 210, 190, 205, 195, before=(100, 110, 90, 105, 95))
    assert clear.significant is True
    assert of(200, 210, 190, 205, before=(100, 110, 90, 105)).significant is None  # too few to say


def test_a_running_period_is_compared_with_as_many_days() -> None:
    now = datetime(2026, 7, 20, tzinfo=UTC)
    early, late = datetime(2026, 4, 10, tzinfo=UTC), datetime(2026, 6, 10, tzinfo=UTC)
    assert of(100, before=(50,), at=early, now=now).growth == 100
    assert of(100, before=(50,), at=late, now=now).growth is None


def test_means_are_compared_as_welch_does() -> None:
    """By hand: 2.5 more, standard error √(25/12) = 1.443, 4.41 degrees of freedom, so t(4) = 2.776."""
    interval = mean_difference([1, 2, 3, 4], [2, 4, 6, 8])
    assert interval is not None
    assert [rounded(end) for end in interval] == [-1.51, 6.51]
    assert mean_difference([5, 5], [7, 7]) == (2, 2)
    assert mean_difference([5], [7, 7]) is None
