"""What is said of a value, in both languages of the program."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple


class Words(NamedTuple):
    """One sentence in both languages of the program."""

    ru: str
    en: str

    def say(self, language: str) -> str:
        return self.en if language == "en" else self.ru


class Expected(NamedTuple):
    """What a value should look like, and an example as it stands in the file."""

    ru: str
    en: str
    example: str = ""


class Wrong(ValueError):
    """A value that cannot be used, and what is expected in its place."""

    def __init__(self, expected: Expected) -> None:
        super().__init__(expected.en)
        self.expected = expected


def nearest(word: str, words: Iterable[str]) -> str:
    """The likest of `words`, ready to be appended to a sentence; empty when nothing is like it."""
    spelled = {other.lower(): other for other in words}
    found = difflib.get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return spelled[found[0]] if found else ""
