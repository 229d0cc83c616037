"""A code survives dictation, a slip of the finger and a foreign keyboard."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.rules.promo import (
    CAPACITY,
    DIGITS,
    Found,
    Mistyped,
    PromoText,
    Unknown,
    candidates,
    find_code,
    is_valid,
    make_code,
    read_code,
)

numbers = st.integers(min_value=0, max_value=CAPACITY - 1)
CODE = make_code("ДРУГ", 382157)


def test_a_code_is_a_prefix_and_digits() -> None:
    assert PromoText("ДРУГ-4821571", "4821571") == CODE
    assert make_code("", 0).code == make_code("", 0).digits


@pytest.mark.parametrize("number", [-1, CAPACITY])
def test_a_number_without_a_code_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        make_code("ДРУГ", number)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("ДРУГ-4821571", "4821571"),
        ("друг4821571", "4821571"),
        ("Друг 482 15 71", "4821571"),
        ("ДРУГ — 4821571", "4821571"),
        ("ДРУГ№4821571", "4821571"),
        ("ДPУГ-4821571", "4821571"),  # Latin P
        ("DRUG-4821571", "4821571"),
        ("4821571", "4821571"),
        ("482-15-71", "4821571"),
        ("промокод 4821571", "4821571"),
        ("код-4821571", "4821571"),
        ("Иван, ДРУГ-4821571, 5%", "4821571"),
        ("ДРУГ-4821571 5%", "4821571"),
        ("４８２１５７１", "4821571"),
        ("ДРУГ-48О15З1", "4801531"),  # letters for zero and three
        ("ДРУГ-4821572", "4821572"),  # wrong, but a code by its looks
        ("ЛЕТО-4821571", None),  # another campaign's
        ("ДРУГ-482157", None),  # a digit is missing
        ("ДРУГ-48215711", None),
        ("8 914 482 15 71", None),  # a phone
        ("+79144821571", None),
        ("Иван посоветовал", None),
        ("4821571 или 1234567", None),
        ("", None),
    ],
)
def test_a_code_is_read_from_a_free_text(text: str, digits: str | None) -> None:
    assert read_code(text, "ДРУГ") == digits


@pytest.mark.parametrize("text", ["VIP5-4821571", "vip5 4821571", "VIP54821571"])
def test_a_prefix_may_end_with_a_digit(text: str) -> None:
    assert read_code(text, "VIP5") == "4821571"


def test_a_field_names_a_code_a_slip_or_nothing_known() -> None:
    known = {CODE.digits}.__contains__
    assert find_code("  ", "ДРУГ", known) is None
    assert find_code("друг 4821571", "ДРУГ", known) == Found("4821571")
    assert find_code("друг 4821517", "ДРУГ", known) == Mistyped("4821571")  # the last two swapped
    assert find_code("друг 4821578", "ДРУГ", known) == Mistyped("4821571")
    assert find_code("друг 1234567", "ДРУГ", known) == Unknown("друг 1234567")
    assert find_code("мне Иван посоветовал", "ДРУГ", known) == Unknown("мне Иван посоветовал")
    assert find_code(make_code("ДРУГ", 5).code, "ДРУГ", known) == Unknown(make_code("ДРУГ", 5).code)


def test_a_slip_between_two_codes_is_not_guessed() -> None:
    wrong = "4821578"
    known = set(candidates(wrong))
    assert len(known) > 1
    assert find_code(wrong, "ДРУГ", known.__contains__) == Unknown(wrong, is_ambiguous=True)


@given(numbers, st.integers(0, DIGITS - 1), st.integers(1, 9))
@settings(max_examples=200)
def test_one_wrong_digit_never_makes_another_code(number: int, at: int, step: int) -> None:
    digits = make_code("", number).digits
    wrong = digits[:at] + str((int(digits[at]) + step) % 10) + digits[at + 1 :]
    assert is_valid(digits)
    assert not is_valid(wrong)
    assert digits in candidates(wrong)


@given(numbers, st.integers(0, DIGITS - 2))
@settings(max_examples=200)
def test_a_swap_of_neighbours_never_makes_another_code(number: int, at: int) -> None:
    digits = make_code("", number).digits
    swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    assert swapped == digits or not is_valid(swapped)
    assert swapped == digits or digits in candidates(swapped)


@given(numbers, numbers)
@settings(max_examples=100)
def test_different_numbers_have_different_codes(one: int, other: int) -> None:
    assert (one == other) == (make_code("А", one) == make_code("А", other))


@given(st.text(max_size=40))
@settings(max_examples=100)
def test_any_text_is_read(text: str) -> None:
    digits = read_code(text, "ДРУГ")
    assert digits is None or len(digits) == DIGITS
