"""Codes for friends: a prefix, digits that are easy to dictate, and a check digit that catches slips."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

# How many different codes there are. Six random digits, so that with a thousand clients in the book
# a guess hits one time in ten thousand, counting the check digit.
CAPACITY = 900_000
DIGITS = 7

# A quasigroup without fixed patterns: every single wrong digit and every swap of neighbours is noticed.
# H. M. Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004: https://doi.org/10.17192/z2004.0516
DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)

# Letters that look alike in both alphabets, then letters that people type for others they have no key for.
LOOKALIKES = str.maketrans("ABCEHKMOPTXYЁ", "АВСЕНКМОРТХУЕ")
TRANSLITERATED = str.maketrans("DRUGFILNSVZ", "ДРУГФИЛНСВЗ")
DIGIT_LOOKALIKES = str.maketrans("ОOЗIL|", "003111")

_GAP = r"[\s\-‐-―−._:#]*"
_SUFFIX = r"[\dОOЗ](?:[\s\-‐-―−.]?[\dОOЗ])"


@dataclass(frozen=True, slots=True)
class PromoText:
    """A code as it is shown («ДРУГ-4821573») and the digits that alone identify it."""

    code: str
    digits: str


@dataclass(frozen=True, slots=True)
class Found:
    digits: str


@dataclass(frozen=True, slots=True)
class Mistyped:
    """One slip away from exactly one code that was handed out: `digits` are that code's."""

    digits: str


@dataclass(frozen=True, slots=True)
class Unknown:
    text: str
    is_ambiguous: bool = False  # one slip away from several codes


Find = Found | Mistyped | Unknown


def make_code(prefix: str, number: int) -> PromoText:
    """The code of a random number from 0 to CAPACITY - 1.

    It never begins with zero, because a numeric field of the CRM would swallow it.

    >>> make_code("ДРУГ", 382157)
    PromoText(code='ДРУГ-4821571', digits='4821571')
    """
    if not 0 <= number < CAPACITY:
        raise ValueError(f"expected a number from 0 to {CAPACITY - 1}, not {number}")
    body = str(100_000 + number)
    digits = f"{body}{_remainder(body)}"
    return PromoText(code=shown(prefix, digits), digits=digits)


def shown(prefix: str, digits: str) -> str:
    return f"{prefix}-{digits}" if prefix else digits


def is_valid(digits: str) -> bool:
    """Does the check digit fit?"""
    return len(digits) == DIGITS and digits.isdecimal() and _remainder(digits) == 0


def read_code(text: str, prefix: str) -> str | None:
    """The digits of a code in a free text as they were typed, right or not; None if nothing looks like one.

    >>> read_code("друг 482 15 71", "ДРУГ")
    '4821571'
    """
    plain = unicodedata.normalize("NFKC", text.replace("№", " ")).upper()
    before = _prefix_pattern(prefix)
    # After the prefix seven digits are the code, whatever follows; without it they must stand alone,
    # else a part of a phone number would do.
    named = before and re.search(rf"(?<![^\W\d_]){before}{_GAP}({_SUFFIX}{{{DIGITS - 1}}})(?!\d)", plain)
    if named:
        return _digits(named[1])
    bare = re.findall(r"(?<![\w+])\d(?:[\s\-‐-―−.()]*\d)*(?!\w)", plain)
    alone = [digits for digits in map(_digits, bare) if len(digits) == DIGITS]
    return alone[0] if len(alone) == 1 and not _foreign_prefix(plain) else None


def candidates(typed: str) -> tuple[str, ...]:
    """Every valid code that one wrong digit or one swap of neighbours could have turned into `typed`."""
    near = {typed[:at] + digit + typed[at + 1 :] for at in range(len(typed)) for digit in "0123456789"}
    near |= {typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :] for at in range(len(typed) - 1)}
    return tuple(sorted(digits for digits in near - {typed} if is_valid(digits)))


def find_code(text: str, prefix: str, known: Callable[[str], bool]) -> Find | None:
    """Which code a field names, `known` telling the digits that were handed out; None for an empty field.

    A code with the right check digit that nobody has is not corrected: a single slip cannot make one.
    """
    if not text.strip():
        return None
    typed = read_code(text, prefix)
    if typed is None:
        return Unknown(text.strip())
    if is_valid(typed):
        return Found(typed) if known(typed) else Unknown(text.strip())
    near = [digits for digits in candidates(typed) if known(digits)]
    if len(near) == 1:
        return Mistyped(near[0])
    return Unknown(text.strip(), is_ambiguous=len(near) > 1)


def _remainder(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = DAMM[interim][int(digit)]
    return interim


def _digits(text: str) -> str:
    return "".join(char for char in text.translate(DIGIT_LOOKALIKES) if char.isdecimal())


def _fold(letter: str) -> str:
    return letter.translate(LOOKALIKES).translate(TRANSLITERATED)


def _prefix_pattern(prefix: str) -> str:
    """A pattern for the prefix in which each letter also stands for those that look like it."""
    alphabet = "ABCDEFGHIKLMNOPRSTUVXYZАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁ"
    letters = []
    for char in unicodedata.normalize("NFKC", prefix).upper():
        alike = {other for other in alphabet if _fold(other) == _fold(char)} | {char}
        letters.append(f"[{re.escape(''.join(sorted(alike)))}]")
    return r"[\s\-]?".join(letters)


def _foreign_prefix(text: str) -> bool:
    """Do letters stand right before the digits, as in the code of another campaign?"""
    glued = re.search(r"([^\W\d_]+)[\-‐-―−_]\s?\d", text)
    return glued is not None and glued[1] not in {"КОД", "ПРОМОКОД", "КУПОН", "CODE"}
