"""Do customers come back? Counted from who they are, never from how many there were."""

from collections import Counter
from collections.abc import Set
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import NOW, QUARTER, ZONE, Purchase, customers_of
from tests.metrics.outside import cdnow
from worker.metrics import retention
from worker.metrics.base import Facts
from worker.metrics.retention import RetentionResult, Turnover, by_days, repeat, turnover
from worker.metrics.stats import rounded
from worker.rules.periods import days, parse_period

BEFORE, WITHIN = date(2026, 5, 15), date(2026, 7, 15)
LONG_AGO = date(2025, 8, 1)  # within a year before the quarter, but no more at its end


def of(
    *rows: tuple[int, date, float], now: datetime = NOW, least: int = 1, strangers: int = 0
) -> RetentionResult:
    facts = Facts(
        now=now,
        min_answers=least,
        customers=customers_of((Purchase(*row) for row in rows), now=now),
        deals_without_client=strangers,
    )
    return retention.compute(facts, QUARTER)


def of_sets(start: Set[int], end: Set[int]) -> Turnover:
    """Who was active at the start and who at the end."""
    return of(*((one, LONG_AGO, 1) for one in start), *((one, WITHIN, 1) for one in end)).turnover


@pytest.mark.parametrize(
    ("start", "end", "gained", "crr", "net_churn", "churn"),
    [
        (200, 210, 40, 85, -5, 15),  # the new ones hide the lost ones
        (200, 180, 0, 90, 10, 10),  # only where nobody came do the two agree
        (0, 3, 3, None, None, None),  # there was nobody to lose
        (3, 0, 0, 0, 100, 100),
    ],
)
def test_who_stayed_and_who_left(
    start: int, end: int, gained: int, crr: float | None, net_churn: float | None, churn: float | None
) -> None:
    kept = end - gained
    found = of_sets(set(range(start)), {*range(kept), *range(1000, 1000 + gained)})
    assert (found.start, found.end, found.gained) == (start, end, gained)
    assert (found.retention, found.net_churn, found.churn) == (crr, net_churn, churn)


@given(st.sets(st.integers(0, 9), min_size=1), st.sets(st.integers(0, 9)))
def test_no_share_leaves_its_bounds_and_the_two_make_the_whole(start: set[int], end: set[int]) -> None:
    found = of_sets(start, end)
    assert (found.start, found.end, found.kept) == (len(start), len(end), len(start & end))
    assert found.retention is not None
    assert found.churn is not None
    assert 0 <= found.retention <= 100
    assert found.retention + found.churn == pytest.approx(100)


def test_who_left_and_came_back_in_between_has_stayed() -> None:
    found = of((1, LONG_AGO, 5), (1, date(2026, 9, 30), 5), (2, LONG_AGO, 5), (3, BEFORE, 5), (4, WITHIN, 5))
    written = found.as_json()
    assert (written["active_at_start"], written["active_at_end"]) == (3, 3)
    assert (written["kept"], written["gained"]) == (2, 1)
    assert (written["retention_rate"], written["churn_rate"], written["net_churn_rate"]) == (66.67, 33.33, 0)


def test_deals_of_one_day_are_one_purchase_and_free_ones_count_as_bought() -> None:
    found = of((1, BEFORE, 100), (1, BEFORE, 50), (2, BEFORE, 0), (2, WITHIN, 0))
    assert (found.repeat.part, found.repeat.whole, found.purchase_days) == (1, 2, 3)
    assert (found.money, found.value) == (150, 75)


def test_what_came_after_the_period_does_not_count() -> None:
    found = of((1, WITHIN, 10), (1, QUARTER.end, 10), (2, QUARTER.end, 10))
    assert (found.customers, found.repeat.part, found.money) == (1, 0, 10)


def test_of_a_period_that_runs_the_end_is_now() -> None:
    """It is 1 August there already: who bought a year and a day ago is lost."""
    now = datetime(2026, 7, 31, 15, tzinfo=UTC)
    found = of((1, date(2025, 8, 1), 1), (2, date(2025, 8, 2), 1), (3, date(2026, 8, 1), 1), now=now)
    assert (found.turnover.start, found.turnover.end, found.turnover.kept) == (2, 2, 1)


def test_few_customers_are_counted_and_not_judged() -> None:
    written = of(*((number, BEFORE, 10.0) for number in range(4)), least=5, strangers=2).as_json()
    assert (written["customers"], written["active_at_start"], written["deals_without_client"]) == (4, 4, 2)
    names = ("retention_rate", "churn_rate", "net_churn_rate", "repeat_rate", "repeat_ci95", "retention_ci95")
    assert [written[name] for name in names] == [None] * 6


def test_nobody_makes_no_figure() -> None:
    written = of().as_json()
    assert (written["customers"], written["ltv"], written["known_since"]) == (0, None, None)
    assert (written["repeat_rate"], written["retention_rate"], written["by_purchase_days"]) == (
        None,
        None,
        {},
    )
    assert not written["too_short"]


def test_a_past_that_begins_too_late_is_told() -> None:
    assert of((1, BEFORE, 10)).is_short
    assert not of((1, date(2025, 7, 1), 10)).is_short


# The 1/10 sample of CDNOW: P. Fader and B. Hardie


def test_cdnow_repeat_purchases_and_value() -> None:
    orders = cdnow()
    after_39_weeks = customers_of(orders, parse_period("1997Q3", ZONE))
    assert [*by_days(after_39_weeks).values()] == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert (repeat(after_39_weeks).part, rounded(repeat(after_39_weeks).value or 0)) == (946, 40.14)
    customers = customers_of(orders, parse_period("1998Q2", ZONE))
    assert (repeat(customers).part, rounded(repeat(customers).value or 0)) == (1139, 48.32)
    again = sum(number > 1 for number in Counter(order.client_id for order in orders).values())
    assert (again, rounded(100 * again / len(customers))) == (1152, 48.88)  # by orders, not by days
    money, often = sum(one.money for one in customers), sum(one.often for one in customers)
    assert (len(orders), len(customers), often, rounded(money)) == (6919, 2357, 6696, 244_091.94)
    assert (rounded(money / len(customers)), rounded(money / often)) == (103.56, 36.45)


def test_cdnow_retention_from_one_half_of_the_year_to_the_next() -> None:
    second_half = days(date(1997, 7, 1), date(1998, 1, 1), ZONE)  # of 184 days; before 1997 nobody bought
    found = turnover(customers_of(cdnow(), second_half, active_days=184))
    assert (found.start, found.kept, found.gained) == (2357, 619, 0)
    assert rounded(found.retention or 0) == 26.26
