"""Regular expressions that are compiled when they are first asked.

Those that read replies take a fifth of a second together, and a start need not wait for them.
"""

import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property

Found = re.Match[str]


class Pattern:
    """What `re.compile` makes, only later. A wrong expression is told by the first question too."""

    def __init__(self, expression: str) -> None:
        self.expression = expression

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.expression)

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> Found | None:
        return self._compiled.search(text, start, end)

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> Found | None:
        return self._compiled.match(text, start, end)

    def fullmatch(self, text: str) -> Found | None:
        return self._compiled.fullmatch(text)

    def finditer(self, text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[Found]:
        return self._compiled.finditer(text, start, end)

    def sub(self, instead: str | Callable[[Found], str], text: str) -> str:
        return self._compiled.sub(instead, text)
