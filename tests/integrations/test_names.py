"""People write names as they see them; what if there is no such name, or two?"""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.amocrm.names import NameProblem, nearest, resolve


@dataclass(frozen=True)
class Thing:
    id: int
    name: str


FIELDS = (
    Thing(3001, "NPS"),
    Thing(3002, "НДС"),
    Thing(3003, "Скидка"),
    Thing(3004, "скидка "),
    Thing(7, "3001"),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("NPS", 3001),
        ("  nps ", 3001),  # case and outer spaces do not count
        ("ндс", 3002),
        ("3002", 3002),  # an id as people see it in the address of a card
        ("3001", 7),  # somebody called a field so: the name wins
    ],
)
def test_a_name_or_an_id_is_found(wanted: str, found: int) -> None:
    assert resolve(wanted, FIELDS) == found


def test_letters_of_two_parts_are_the_letters_of_one() -> None:
    """«Й» typed on a Mac may be И with a breve."""
    assert resolve("Июнь Й", [Thing(1, "Июнь И\u0306")]) == 1


def test_a_name_that_does_not_exist_gets_the_nearest() -> None:
    with pytest.raises(NameProblem, match="nothing is called «NSP»; the nearest are «NPS»") as problem:
        resolve("NSP", FIELDS)
    assert problem.value.nearest == ("NPS",)
    assert problem.value.twins == ()


def test_nothing_is_near_to_nonsense() -> None:
    with pytest.raises(NameProblem, match=r"^nothing is called «zzzz»$"):
        resolve("zzzz", FIELDS)


def test_two_of_one_name_want_an_id() -> None:
    with pytest.raises(
        NameProblem, match=r"«Скидка» is the name of several: 3003, 3004; give the id"
    ) as problem:
        resolve("Скидка", FIELDS)
    assert problem.value.twins == (3003, 3004)


@pytest.mark.parametrize("wanted", ["", "  ", "99999", "-3001", "３００１", "1" * 5000])
def test_what_names_nothing_is_a_problem_and_never_a_crash(wanted: str) -> None:
    with pytest.raises(NameProblem):
        resolve(wanted, FIELDS)


def test_the_nearest_come_in_their_own_spelling() -> None:
    assert nearest("рекламаци", ["Продажи", "Рекламации", "Реклама"])[0] == "Рекламации"


@given(st.lists(st.text(min_size=1), unique=True, min_size=1, max_size=5))
def test_every_name_that_is_unique_is_found(names: list[str]) -> None:
    things = [Thing(number, name) for number, name in enumerate(names)]
    for thing in things:
        try:
            assert resolve(thing.name, things) == thing.id
        except NameProblem as problem:
            assert len(problem.twins) > 1  # noqa: PT017 - only names that look the same
