"""What a person has to put right before the program starts."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to put right: where it stands, which key, and a sentence. As text it is one line."""

    where: str
    key: str
    text: str

    def __str__(self) -> str:
        line = ": ".join(part for part in (self.where, self.key, self.text) if part)
        return "".join(letter if letter.isprintable() else "?" for letter in line)


class ConfigProblems(Exception):
    """Why the program does not start: all of it at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
