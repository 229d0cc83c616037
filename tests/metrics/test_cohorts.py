"""Customers of one month, and in how many of the months after it they bought again."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.metrics.made import NOW, QUARTER, Purchase, customers_of
from tests.metrics.outside import cdnow
from worker.metrics import cohorts
from worker.metrics.base import Facts
from worker.metrics.cohorts import Cohort, CohortResult
from worker.metrics.stats import rounded
from worker.rules.calendar import Period, parse_period

ZONE = ZoneInfo("Asia/Vladivostok")


def of(*rows: tuple[int, str], period: Period = QUARTER, now: datetime = NOW, least: int = 1) -> CohortResult:
    purchases = tuple(Purchase(client, date.fromisoformat(day), 10) for client, day in rows)
    customers = customers_of(purchases, period, now)
    return cohorts.compute(Facts(now=now, min_answers=least, customers=customers), period)


def month(result: CohortResult, label: str) -> Cohort:
    return next(one for one in result.cohorts if one.month.label == label)


def test_a_customer_counts_once_a_month_and_belongs_to_the_first() -> None:
    found = of((1, "2026-05-30"), (1, "2026-06-01"), (1, "2026-06-20"), (1, "2026-08-01"), (2, "2026-05-01"))
    may = month(found, "2026-05")
    assert (may.customers, may.bought, may.value) == (2, (2, 1, 0, 1, 0), 25)
    assert [may.share(later) for later in range(3)] == [100, 50, 0]
    assert month(found, "2026-06").customers == 0


def test_december_is_followed_by_january() -> None:
    found = of((1, "2025-12-31"), (1, "2026-01-01"), (2, "2025-12-01"))
    assert month(found, "2025-12").bought[:3] == (2, 1, 0)


def test_what_has_not_wholly_happened_is_blank_and_no_zero() -> None:
    found = of((1, "2026-07-01"), (1, "2026-08-20"), now=datetime(2026, 8, 31, 13, tzinfo=UTC))
    assert month(found, "2026-07").bought == (1, None, None)  # the last evening of August
    assert month(found, "2026-08").bought == (None, None)
    later = of((1, "2026-07-01"), (1, "2026-08-20"), now=datetime(2026, 8, 31, 14, tzinfo=UTC))
    assert month(later, "2026-07").bought == (1, 1, None)  # 1 September there
    assert later.cohorts[-1].share(0) is None


def test_the_last_thirteen_months_are_shown_and_older_customers_are_in_none() -> None:
    found = of((1, "2024-01-01"), (1, "2026-07-01"), (2, "2025-09-30"))
    assert [one.month.label for one in found.cohorts][:: len(found.cohorts) - 1] == ["2025-09", "2026-09"]
    assert sum(one.customers for one in found.cohorts) == 1
    assert len(found.cohorts[0].bought) == 13


def test_a_cohort_of_a_few_is_counted_and_has_no_share() -> None:
    found = of(
        *((number, "2026-05-01") for number in range(4)), (0, "2026-06-01"), (8, "2026-06-01"), least=5
    )
    may = month(found, "2026-05")
    assert (may.bought[1], may.share(1)) == (1, None)
    assert found.back_after(1) == 20  # of all five together
    assert of(least=5).back_after(1) is None


@pytest.mark.parametrize(
    ("label", "size", "bought", "shares"),
    [
        ("1997-01", 781, (124, 95, 70), (15.88, 12.16, 8.96, 8.32, 5.76)),
        ("1997-02", 857, (134, 110, 75), (15.64, 12.84, 8.75, 7.12, 6.88)),
        ("1997-03", 719, (87, 84, 78), (12.10, 11.68, 10.85, 7.65, 10.85)),
    ],
)
def test_cdnow(label: str, size: int, bought: tuple[int, ...], shares: tuple[float, ...]) -> None:
    year_later = parse_period(f"1998-{label[-2:]}", ZONE)
    first = cohorts.cohorts(customers_of(cdnow(), year_later), year_later.end)[0]
    assert (first.month.label, first.customers, first.bought[1:4]) == (label, size, bought)
    assert [rounded(first.share(later) or 0) for later in (1, 2, 3, 6, 12)] == [*shares]
