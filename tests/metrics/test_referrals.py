"""What friends brought."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import SPRING, codes, of_sales, sales
from worker.metrics.stats import rounded

RUBLES = 180_000


def test_the_example_of_the_contract() -> None:
    won = sales(12, 200_000, is_referral=True) + sales(68, 12_000_000 / 68)
    written = of_sales(won, codes(9, is_redeemed=True) + codes(111)).as_json()
    assert written == {
        "won_deals": 80,
        "referral_deals": 12,
        "share": 15.0,
        "won_amount": 14400000,
        "referral_amount": 2400000,
        "share_amount": 16.67,
        "average_check": 180000,
        "referral_average_check": 200000,
        "other_average_check": 176470.59,
        "codes_issued": 120,
        "codes_redeemed": 9,
        "redemption_rate": 7.5,
    }
    assert isinstance(written["won_amount"], int)


def test_the_worked_quarter() -> None:
    discount = 0.05 * RUBLES
    assert discount == 9_000
    result = of_sales(sales(12, RUBLES - discount, is_referral=True) + sales(48, RUBLES))
    assert result.share == 20.0
    assert result.interval is not None
    assert [rounded(end, 1) for end in result.interval] == [11.8, 31.8]
    assert result.share_amount is not None
    assert rounded(result.share_amount, 1) == 19.2


def test_the_worked_codes() -> None:
    assert of_sales(issued=codes(18, is_redeemed=True) + codes(182)).redemption_rate == 9.0


def test_twelve_of_sixty_after_nine_of_seventy_five() -> None:
    before = sales(9, RUBLES, is_referral=True, at=SPRING) + sales(66, RUBLES, at=SPRING)
    result = of_sales(before + sales(12, RUBLES, is_referral=True) + sales(48, RUBLES))
    assert (result.referral_before, result.won_before) == (9, 75)
    assert result.difference is not None
    assert [rounded(end, 1) for end in result.difference] == [-4.3, 21.0]
    assert not result.difference.excludes_zero


def test_nothing_is_undefined_and_not_nought() -> None:
    written = of_sales().as_json()
    assert {key for key, value in written.items() if value is None} == {
        "share",
        "share_amount",
        "average_check",
        "referral_average_check",
        "other_average_check",
        "redemption_rate",
    }
    assert (written["won_deals"], written["won_amount"], written["codes_issued"]) == (0, 0, 0)


def test_no_recommendation_is_a_share_of_nought() -> None:
    written = of_sales(sales(5, RUBLES)).as_json()
    assert (written["share"], written["share_amount"], written["referral_average_check"]) == (0.0, 0.0, None)


def test_deals_without_a_sum_have_no_share_of_money() -> None:
    written = of_sales(sales(2, 0, is_referral=True)).as_json()
    assert (written["share"], written["share_amount"], written["average_check"]) == (100.0, None, 0)


def test_kopecks_are_kept() -> None:
    assert of_sales(sales(3, 0.1)).as_json()["won_amount"] == 0.3


def test_deals_and_codes_belong_to_their_own_days() -> None:
    last_evening = datetime(2026, 6, 30, 13, 59, tzinfo=UTC)  # 23:59 in Vladivostok
    midnight = datetime(2026, 6, 30, 14, tzinfo=UTC)
    result = of_sales(sales(1, 1, at=last_evening) + sales(2, 1, at=midnight), codes(1, at=last_evening))
    assert (result.won.deals, result.won_before, result.codes_issued) == (2, 1, 0)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.booleans()), max_size=40))
def test_referrals_and_others_are_all_won_deals(deals: list[tuple[int, bool]]) -> None:
    result = of_sales([sales(1, amount, is_referral=came)[0] for amount, came in deals])
    assert result.referral.deals + result.other.deals == result.won.deals == len(deals)
    assert result.referral.money + result.other.money == result.won.money
    assert result.share is None or 0 <= result.share <= 100
