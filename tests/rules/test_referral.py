"""A deal came from a friend if its field says so or a valid code stands in it."""

import pytest

from worker.rules.promo import make_code
from worker.rules.referral import ReferralDecision, ReferralFacts, referral_of

IVAN, ANNA = 1, 2
IVANS = make_code("ДРУГ", 382157)
ANNAS = make_code("ДРУГ", 17)
CODES = {IVANS.digits: IVAN, ANNAS.digits: ANNA}
PHONES = {"+79145551234": IVAN}
VALUE = "Скидка от друга 5%"


def decide(client: int | None = ANNA, discounts: tuple[str, ...] = (), friend: str = "") -> ReferralDecision:
    facts = ReferralFacts(
        client_id=client, discounts=discounts, friend=(friend,), wanted=VALUE, wanted_enum=77, prefix="ДРУГ"
    )
    return referral_of(facts, owner_of_code=CODES.get, owner_of_phone=PHONES.get)


@pytest.mark.parametrize(
    "value", [VALUE, "скидка от друга 5%", " Скидка от друга 5 % ", "СКИДКА ОТ ДРУГА 5\u00a0%"]
)
def test_the_value_of_the_field_makes_a_referral(value: str) -> None:
    assert decide(discounts=(value,)) == ReferralDecision(is_referral=True, by_field=True)


def test_a_renamed_enum_is_known_by_its_id() -> None:
    facts = ReferralFacts(
        client_id=ANNA, discounts=("От друга",), discount_enums=(77,), wanted=VALUE, wanted_enum=77
    )
    assert referral_of(facts, owner_of_code=CODES.get, owner_of_phone=PHONES.get).is_referral


@pytest.mark.parametrize("value", ["", "Скидка от друга", "Скидка от друга 50%", "Первый заказ"])
def test_another_value_makes_none(value: str) -> None:
    assert decide(discounts=(value,)) == ReferralDecision()


def test_a_friends_code_names_the_referrer() -> None:
    typed = IVANS.code.lower().replace("-", " ")
    assert decide(friend=typed) == ReferralDecision(
        is_referral=True, code=IVANS.code, referrer_id=IVAN, typed=typed
    )


def test_field_and_code_together_are_one_referral_by_both() -> None:
    decision = decide(discounts=(VALUE,), friend=IVANS.code)
    assert decision.is_referral
    assert decision.by_field
    assert decision.referrer_id == IVAN


def test_a_slip_that_fits_one_code_is_that_code() -> None:
    decision = decide(friend=IVANS.code[:-1] + "8")
    assert (decision.is_referral, decision.code, decision.referrer_id) == (True, IVANS.code, IVAN)


def test_the_referrers_phone_is_as_good_as_a_code() -> None:
    decision = decide(friend="Иван 8 914 555-12-34")
    assert (decision.is_referral, decision.code, decision.referrer_id) == (True, "", IVAN)


@pytest.mark.parametrize("friend", [ANNAS.code, f"мой {ANNAS.digits}"])
def test_ones_own_code_is_no_referral_and_is_flagged(friend: str) -> None:
    for discounts in ((), (VALUE,)):
        decision = decide(discounts=discounts, friend=friend)
        assert not decision.is_referral
        assert (decision.problem, decision.code) == ("self", ANNAS.code)


def test_ones_own_phone_is_flagged_too() -> None:
    assert decide(client=IVAN, friend="89145551234").problem == "self"


@pytest.mark.parametrize("friend", ["мне Иван посоветовал", "ДРУГ-1111111", "8 914 999 99 99"])
def test_what_nobody_owns_is_reported_and_not_dropped(friend: str) -> None:
    assert decide(friend=friend) == ReferralDecision(problem="unknown", typed=friend)
    # The field still counts.
    assert decide(discounts=(VALUE,), friend=friend).is_referral


def test_an_unknown_client_may_still_use_a_code() -> None:
    assert decide(client=None, friend=IVANS.code).referrer_id == IVAN
