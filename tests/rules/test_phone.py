"""One phone is one person, however it was typed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.rules.phone import best_phone, mask, matches, normalise


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+79145551234", "+79145551234"),
        ("8 914 555-12-34", "+79145551234"),
        ("8(914)5551234", "+79145551234"),
        ("+7 (914) 555 12 34", "+79145551234"),
        ("79145551234", "+79145551234"),
        ("9145551234", "+79145551234"),
        ("+8 914 555 12 34", "+79145551234"),  # the trunk prefix with a plus
        ("8-914-555-12-34 доб. 12", "+79145551234"),
        ("тел:89145551234", "+79145551234"),
        ("89145551234 Иван, жена 89145551235", "+79145551234"),
        ("89145551234, 89145551235", "+79145551234"),
        ("89145551234/89145551235", "+79145551234"),
        ("８９１４５５５１２３４", "+79145551234"),  # full-width
        ("+7\u00a0914\u00a0555\u201112\u201134", "+79145551234"),  # no-break space and hyphen
        ("8 (423) 222-33-44", "+74232223344"),
        ("+998 90 123 45 67", "+998901234567"),
        ("+7 701 234 56 78", "+77012345678"),
        ("", None),
        ("нет телефона", None),
        ("12345", None),
        ("+70000000000", None),
        ("112", None),
        ("Заказ 4821573 от 12.03.2026", None),
        ("2026-03-12 14:05", None),
    ],
)
def test_the_first_valid_number_of_a_text_is_found(text: str, phone: str | None) -> None:
    assert normalise(text) == phone


@pytest.mark.parametrize(
    ("values", "phone"),
    [
        ([], None),
        ([("", "MOB"), ("нет", "WORK")], None),
        (
            [("84232223344", "WORK"), ("89145551234", "WORK")],
            "+79145551234",
        ),  # who answers a landline by chat?
        ([("89145551234", "WORK"), ("89145551235", "MOB")], "+79145551235"),
        ([("84232223344", "MOB"), ("89145551234", "WORK")], "+79145551234"),
        ([("84232223344", "WORK")], "+74232223344"),
        ([("84232223344, 89145551234", "WORK")], "+79145551234"),  # two numbers in one value
        ([("мусор", "MOB"), ("89145551234", "OTHER"), ("89145551235", "OTHER")], "+79145551234"),
    ],
)
def test_a_mobile_number_is_preferred(values: list[tuple[str, str]], phone: str | None) -> None:
    assert best_phone(values) == phone


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+79145551234", "+7***1234"),
        ("+998901234567", "+998***4567"),
        ("", ""),
        (None, ""),
        ("12345", "***"),
        ("79140000001@c.us", "+7***0001"),
    ],
)
def test_a_masked_number_shows_the_country_and_four_digits(phone: str | None, masked: str) -> None:
    assert mask(phone) == masked


def test_two_spellings_of_one_number_match() -> None:
    assert matches("8 914 555-12-34", "+79145551234")
    assert not matches("8 914 555-12-34", "+79145551235")
    assert not matches("нет", "нет")


@given(st.integers(min_value=0, max_value=999_999_999))
@settings(max_examples=60)
def test_every_spelling_of_a_mobile_number_gives_the_same_client(tail: int) -> None:
    national = f"9{tail:09}"
    spellings = [
        f"+7{national}",
        f"8{national}",
        f"7{national}",
        f"8 ({national[:3]}) {national[3:6]}-{national[6:8]}-{national[8:]}",
    ]
    assert len({normalise(spelling) for spelling in spellings}) == 1


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_any_text_is_read_and_what_comes_out_stays_as_it_is(text: str) -> None:
    phone = normalise(text)
    assert phone is None or normalise(phone) == phone
