"""What a group of the staff may read of what is said in private: no phones, no surnames of clients."""

import re
from collections.abc import Iterable

from worker.rules.people import client_name
from worker.rules.phone import masked_words

SHORTEST = 3  # letters: «ИП» is no surname


def for_group(text: str, names: Iterable[str], region: str = "RU") -> str:
    """`names`: of the clients whom it is about, as in amoCRM.

    >>> for_group("Иван Петров, +79140000001. Сделка: Ворота Петрову, Петров", ["Иван Петров"])
    'Иван, +7***0001. Сделка: Ворота Петрову, П.'
    """
    for name in names:
        text = _without_surname(text, name.strip())
    return masked_words(text, region)


def _without_surname(text: str, name: str) -> str:
    if not name:
        return text
    first = client_name(name).partition(" ")[0]
    text = text.replace(name, first or "***")
    for word in name.split():
        if len(word) >= SHORTEST and word[0].isupper() and word.casefold() != first.casefold():
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", f"{word[0]}.", text)
    return text
