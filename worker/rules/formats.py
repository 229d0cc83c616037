"""Numbers and words as people read them: decimal comma, no-break spaces, true minus, cut quotations."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

NBSP = "\u00a0"
MINUS = "\u2212"
WORDS_LIMIT = 300  # characters of a client's words in a note or an alert

SIGNS = {"RUB": "₽", "RUR": "₽", "USD": "$", "EUR": "€", "KZT": "₸", "UAH": "₴", "UZS": "сум", "BYN": "Br"}


def number(value: float, language: str = "ru", *, places: int | None = None) -> str:
    """A number for people; `places` after the comma, by default as many as it has, up to 2.

    >>> number(-1234.5)
    '−1\\xa0234,5'
    """
    exact = Decimal(str(value))
    rounded = exact.quantize(Decimal(1).scaleb(-(2 if places is None else places)), ROUND_HALF_UP)
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    if places is None:
        fraction = fraction.rstrip("0")
    grouped = f"{int(whole):,}"
    sign = MINUS if rounded < 0 else ""
    if language == "ru":
        return f"{sign}{grouped.replace(',', NBSP)}{f',{fraction}' if fraction else ''}"
    return f"{sign}{grouped}{f'.{fraction}' if fraction else ''}"


def plural(count: int, forms: tuple[str, ...]) -> str:
    """The form that goes with a count: three forms as in Russian (1, 2–4, 5–20), two as in English.

    >>> [plural(n, ("ответ", "ответа", "ответов")) for n in (1, 3, 11, 21)]
    ['ответ', 'ответа', 'ответов', 'ответ']
    """
    if len(forms) == 2:
        return forms[abs(count) != 1]
    tens, ones = abs(count) % 100, abs(count) % 10
    if 10 < tens < 20 or ones == 0 or ones > 4:
        return forms[2]
    return forms[0] if ones == 1 else forms[1]


def amount(value: float, currency: str = "RUB", language: str = "ru") -> str:
    """Money without kopecks; nothing for nothing.

    >>> amount(184000)
    '184\\xa0000\\xa0₽'
    """
    if not value:
        return ""
    return f"{number(value, language, places=0)}{NBSP}{SIGNS.get(currency.upper(), currency)}"


def discount(text: str, language: str = "ru") -> str:
    """«5%» as it is printed in the language.

    >>> discount("5%")
    '5\\xa0%'
    """
    return re.sub(r"(?<=\d)\s*%", f"{NBSP}%" if language == "ru" else "%", text.strip())


def percent_of(text: str) -> float | None:
    """How many percent a discount is; None where it is told otherwise, such as «1000 ₽».

    >>> percent_of("5%"), percent_of("2,5 %"), percent_of("1000 ₽")
    (5.0, 2.5, None)
    """
    found = re.fullmatch(r"(\d{1,2}(?:[.,]\d+)?)\s*%", text.strip())
    return float(found[1].replace(",", ".")) if found else None


def join_words(messages: Iterable[str]) -> str:
    """What a client wrote in several messages, as one quotation.

    >>> join_words(["так себе", "накричали"])
    'так себе / накричали'
    """
    return " / ".join(filter(None, messages))


def cut_words(words: str, limit: int = WORDS_LIMIT) -> str:
    """A client's words on one line, cut at a word if they are long.

    >>> cut_words("ждали   три\\nнедели и ещё день", 17)
    'ждали три недели…'
    """
    line = " ".join(words.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    if " " in cut and line[limit - 1] != " ":
        head = cut.rsplit(" ", 1)[0]
        # A link or a line without spaces is cut where it is: half of the words say more than one of them.
        cut = head if len(head) > limit // 2 else cut
    return cut.rstrip(" ,.;:-–—") + "…"
