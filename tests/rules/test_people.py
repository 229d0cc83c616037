"""Nobody is greeted by a nickname, a firm or a place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.rules.given_names import FEMALE, MALE
from worker.rules.people import client_name, given_name, public_name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Иван", "Иван"),
        ("иван", "Иван"),
        ("  ИВАН   ПЕТРОВИЧ ", "Иван Петрович"),
        ("Анна Ильинична", "Анна Ильинична"),
        ("Пётр Ильич", "Пётр Ильич"),
        ("Артем", "Артем"),
        ("Артём", "Артём"),
        ("Семе\u0301н", ""),  # a stress mark is not a letter: rather no name than a strange one
        ("Иван Петров", "Иван"),
        ("Анна Смирнова", "Анна"),
        ("Наталья Шевченко", "Наталья"),
        ("Иван Смирнова", ""),  # whose name is it?
        ("Иван Петровна", ""),
        ("Петров Иван", ""),
        ("Петров Иван Сергеевич", ""),
        ("Саша", ""),
        ("Иваныч", ""),
        ("Сергей Ворота", ""),
        ("Анна Владивосток", ""),
        ("Сергей Саратов", ""),
        ("Сергей Магазин", ""),
        ("Иван Кирпич", ""),
        ("Сергей Анна", ""),
        ("Мама Олега", ""),
        ("ИП Иванов", ""),
        ("ООО Надежда", ""),
        ("Иван 2", ""),
        ("Иван2", ""),
        ("Иван (дача)", ""),
        ("Иван, сосед", ""),
        ("Иван!", ""),
        ("Ivan", ""),
        ("Иvan", ""),
        ("Ивaн", ""),  # a Latin «a»
        ("+7 914 555-12-34", ""),
        ("Заказ 55 ворота", ""),
        ("", ""),
        ("   ", ""),
        ("😀", ""),
    ],
)
def test_a_client_is_called_by_name_only_if_it_is_certain(raw: str, name: str) -> None:
    assert client_name(raw) == name


NAMES = {"Олег Смирнов": "Олег", "Бригада 2 (Вася)": "Василий", "Hidden": ""}


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("Олег Смирнов", "Олег"),
        (" олег  смирнов ", "Олег"),
        ("Hidden", ""),  # the company wants no name there
        ("Смирнова Анна", "Анна"),
        ("Анна", "Анна"),
        ("Смирнов Олег Павлович", "Олег"),
        ("Роман Лев", ""),
        ("Менеджер 3", ""),
        ("Oleg", ""),
        ("", ""),
    ],
)
def test_a_manager_has_a_public_name(name: str, public: str) -> None:
    assert public_name(name, NAMES) == public


def test_a_crew_is_named_only_if_the_company_says_how() -> None:
    assert public_name("Бригада 2 (Вася)", NAMES, is_person=False) == "Василий"
    assert public_name("Олег", NAMES, is_person=False) == ""


def test_the_list_holds_folded_names_and_each_once() -> None:
    assert not MALE & FEMALE
    assert all(name == name.lower().replace("ё", "е") for name in MALE | FEMALE)


@given(st.text(max_size=40))
@settings(max_examples=150)
def test_whatever_the_card_holds_a_name_is_cyrillic_words(raw: str) -> None:
    for name in (client_name(raw), given_name(raw)):
        assert all(part.isalpha() and part[0].isupper() for part in name.split())
