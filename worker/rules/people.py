"""What a client is called, and what clients read in place of an employee's name: only what is certain."""

import re
import unicodedata
from collections.abc import Mapping

from worker.rules.given_names import FEMALE, MALE

_WORD = re.compile(r"[а-яё]{2,}")
_MALE_PATRONYMIC = re.compile(r"[а-яё]{2,}(ович|евич)|ильич|кузьмич|лукич|фомич|никитич|саввич|силыч")
_FEMALE_PATRONYMIC = re.compile(
    r"[а-яё]{2,}(овна|евна)|(иль|кузьм|лук|фом|никит)инична|никитична|саввична|ильинишна"
)
_MALE_SURNAME = re.compile(r"[а-яё]{2,}(ов|ев|ин|ын|ский|цкий|енко|чук|щук|юк|ян|швили|дзе)")
_FEMALE_SURNAME = re.compile(r"[а-яё]{2,}(ова|ева|ина|ына|ская|цкая|енко|чук|щук|юк|ян|швили|дзе)")
# Places and goods that look like surnames.
_NO_SURNAMES = frozenset({
    "саратов", "ростов", "псков", "киров", "азов", "чехов", "королев", "тамбов", "хабаров", "серпухов",
    "калинин", "пушкин", "львов", "берлин", "пекин", "магазин", "бензин", "камин", "рулонин", "заказов",
})  # fmt: skip


def client_name(raw: str) -> str:
    """First name, or first name and patronymic, of a contact in the CRM; empty unless it is certain.

    >>> client_name("иван петрович"), client_name("Анна Смирнова"), client_name("Иван гараж")
    ('Иван Петрович', 'Анна', '')
    """
    words = _words(raw)
    if not 1 <= len(words) <= 2:
        return ""
    first = words[0].lower()
    is_male, is_female = _fold(first) in MALE, _fold(first) in FEMALE
    if not (is_male or is_female):
        return ""
    if len(words) == 1:
        return first.capitalize()
    second = words[1].lower()
    if (is_male and _MALE_PATRONYMIC.fullmatch(second)) or (
        is_female and _FEMALE_PATRONYMIC.fullmatch(second)
    ):
        return f"{first.capitalize()} {second.capitalize()}"
    surname = (is_male and _MALE_SURNAME.fullmatch(second)) or (
        is_female and _FEMALE_SURNAME.fullmatch(second)
    )
    is_other = _fold(second) in _NO_SURNAMES or _fold(second) in MALE | FEMALE
    return first.capitalize() if surname and not is_other else ""


def public_name(name: str, names: Mapping[str, str], *, is_person: bool = True) -> str:
    """What clients may read: the name from `[names]`, else a person's given name if that is certain.

    A crew that is not mapped has none: what it is called in the CRM is for the company alone.
    """
    wanted = _plain(name)
    for known, public in names.items():
        if _plain(known) == wanted:
            return public
    return given_name(name) if is_person else ""


def given_name(name: str) -> str:
    """The one given name in a full name, in whatever order it stands: «Смирнов Олег» is Олег."""
    words = _words(name)
    found = [word for word in words if _fold(word.lower()) in MALE | FEMALE]
    if len(found) != 1 or len(words) > 3:
        return ""
    return found[0].lower().capitalize()


def _words(raw: str) -> list[str]:
    """The words of a name; none at all if something else than Cyrillic words stands there."""
    words = unicodedata.normalize("NFC", raw).split()
    return words if all(_WORD.fullmatch(word.lower()) for word in words) else []


def _fold(word: str) -> str:
    return word.replace("ё", "е")


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
