"""What friends brought."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import QUARTER, SPRING, SUMMER, codes, of_sales, sales
from worker.metrics.base import CodeCount, CodeFact, History, Programme, SaleCount, SaleFact
from worker.metrics.codes import Codes
from worker.metrics.referrals import discount_cost
from worker.metrics.stats import rounded
from worker.metrics.trends import codes_over, stretches_over

RUBLES = 180_000


def test_the_example_of_the_contract() -> None:
    won = sales(12, 200_000, is_referral=True) + sales(68, 12_000_000 / 68)
    written = of_sales(won, codes(9, is_redeemed=True) + codes(111)).as_json()
    of_contract = {
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
    assert {key: written[key] for key in of_contract} == of_contract
    assert isinstance(written["won_amount"], int)


def test_the_worked_quarter() -> None:
    cost = discount_cost(sales(1, 171_000, is_referral=True), 5)
    assert cost == 9_000  # of 180 000
    result = of_sales(sales(12, RUBLES - cost, is_referral=True) + sales(48, RUBLES))
    assert result.share == 20.0
    assert result.interval is not None
    assert [rounded(end, 1) for end in result.interval] == [11.8, 31.8]
    assert result.share_amount is not None
    assert rounded(result.share_amount, 1) == 19.2


def test_the_worked_codes() -> None:
    """200 codes, 18 of them used, in 25 deals, by 21 friends who bought."""
    used = CodeFact(first_sent_at=SUMMER, is_redeemed=True, uses=1, won_clients=1)
    twice = CodeFact(first_sent_at=SUMMER, is_redeemed=True, uses=2, won_clients=2)
    in_vain = CodeFact(first_sent_at=SUMMER, is_redeemed=True, uses=2, won_clients=1)
    result = of_sales(
        issued=(used,) * 11 + (twice,) * 3 + (in_vain,) * 4 + codes(182),
        programme=Programme(friends_won=21, friends_lost=4),
    )
    of = result.codes
    assert (of.issued, of.redeemed, of.uses, of.won_clients) == (200, 18, 25, 21)
    assert of.redemption_rate == 9.0
    assert of.interval is not None
    assert [rounded(end, 1) for end in of.interval] == [5.8, 13.8]
    assert rounded(of.uses_per_code or 0) == 1.39
    assert result.conversion == 84
    assert of.per_code == 0.105


def test_the_published_k_factor() -> None:
    """2 000 customers sent 5 000 invites, 500 were accepted: 2.5 invites, a tenth of them accepted."""
    codes = Codes(issued=2_000, redeemed=500, uses=500, won_clients=500)
    assert 5_000 / 2_000 * 500 / 5_000 == codes.per_code == 0.25


def test_k_is_told_of_codes_that_are_old_enough() -> None:
    old = CodeCount(place=0, issued=200, redeemed=18, uses=25, won_clients=21)
    written = of_sales(history=History(old_codes=old)).as_json()["k_proxy"]
    assert written == {
        "issued": 200, "redeemed": 18, "redemption_rate": 9.0, "ci95": [5.77, 13.78], "uses": 25,
        "uses_per_code": 1.39, "won_clients": 21, "per_code": 0.11,
    }  # fmt: skip


def test_redemption_is_told_by_the_month_of_the_code() -> None:
    months = codes_over(QUARTER)
    assert [months[0].label, months[-1].label] == ["2025-10", "2026-09"]
    history = History(
        months=months,
        codes=(
            CodeCount(place=11, issued=10, redeemed=0, uses=0, won_clients=0),
            CodeCount(place=3, issued=20, redeemed=5, uses=6, won_clients=4),
        ),
    )
    told = of_sales(history=history).as_json()["codes_by_month"]
    assert [(of["period"], of["issued"], of["redemption_rate"]) for of in told] == [
        ("2026-01", 20, 25.0),
        ("2026-09", 10, 0.0),
    ]


def test_a_deal_whose_price_nobody_wrote_counts_in_number_and_in_no_average() -> None:
    won = [sale(1, amount=100_000.0), sale(2, amount=0.0), sale(3, amount=300_000.0, is_referral=True)]
    written = of_sales(won).as_json()
    assert (written["won_deals"], written["referral_deals"], written["share"]) == (3, 1, 33.33)
    assert (written["average_check"], written["other_average_check"]) == (200_000, 100_000)
    assert of_sales([sale(1, amount=0.0)]).as_json()["average_check"] is None


def test_the_last_eight_quarters_are_told_with_the_friends_part() -> None:
    quarters = stretches_over(QUARTER, "quarter")
    assert [quarters[0].label, quarters[-1].label] == ["2024Q4", "2026Q3"]
    counts = SaleCount(place=7, deals=60, money=10_692_000, referral_deals=12, referral_money=2_052_000)
    told = of_sales(history=History(stretches=quarters, sales=(counts,))).as_json()["over_time"]
    assert len(told) == 8
    assert (told[0]["won_deals"], told[0]["share"], told[0]["share_amount"]) == (0, None, None)
    assert (told[7]["share"], told[7]["share_amount"], told[7]["running"]) == (20.0, 19.19, False)


def test_friends_who_had_bought_before_are_counted_apart_and_problems_are_listed() -> None:
    won = [
        sale(1, is_referral=True, has_code=True, referrer_id=5),
        sale(2, is_referral=True, has_code=True, referrer_id=5, is_first=False),
        sale(3, is_referral=True),
        sale(4, problem="self", is_unmarked=True),
        sale(5, problem="unknown"),
    ]
    written = of_sales(won, discount=5.0).as_json()
    assert (written["referral_deals"], written["first_clients"], written["repeat_clients"]) == (3, 2, 1)
    assert written["problems"] == {"self": [4], "unknown": [5], "ambiguous": []}
    assert written["unmarked"] == 1
    assert written["top_referrers"] == [{"client_id": 5, "deals": 2, "amount": 342_000}]
    assert written["discount_cost"] == 27_000
    assert of_sales(won).as_json()["discount_cost"] is None  # «1000 ₽» says nothing of percent


def test_who_brought_most_stands_first_and_ten_are_named() -> None:
    won = [sale(number, is_referral=True, referrer_id=1 + number % 12) for number in range(30)]
    top = of_sales(won).top
    assert len(top) == 10
    assert [one.client_id for one in top[:7]] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.deals for one in top] == [3] * 6 + [2] * 4


def test_participation_is_of_those_who_were_asked() -> None:
    assert of_sales(programme=Programme(invited=40, interested=10)).participation == 25
    assert of_sales().participation is None


def sale(deal_id: int, **known: Any) -> SaleFact:
    given: dict[str, Any] = {"amount": 171_000, "is_referral": False, "is_unmarked": False}
    return SaleFact(closed_at=SUMMER, deal_id=deal_id, **{**given, **known})


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
        "share_ci95",
        "significant",
        "discount_cost",
        "unmarked",
        "participation",
        "conversion",
        "k_proxy",
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
    assert (written["share"], written["share_amount"], written["average_check"]) == (100.0, None, None)


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
