"""Expressions that are compiled late are right all the same."""

import subprocess
import sys

import pytest

from worker.rules import answer_amend, answer_numbers, answer_silence, answer_wishes
from worker.rules.pattern import Pattern

READERS = (answer_amend, answer_numbers, answer_silence, answer_wishes)


def test_it_finds_what_re_finds() -> None:
    number = Pattern(r"\d+")
    text = "от 7 до 10"
    assert [found[0] for found in number.finditer(text)] == ["7", "10"]
    assert [found[0] for found in number.finditer(text, 5)] == ["10"]
    assert number.search(text, 0, 3) is None
    assert number.match(text, 3) is not None
    assert number.match(text) is None
    assert number.fullmatch("10") is not None
    assert number.fullmatch("10 ") is None
    assert number.sub(lambda found: f"<{found[0]}>", text) == "от <7> до <10>"


@pytest.mark.parametrize("module", READERS)
def test_every_expression_can_be_compiled(module: object) -> None:
    values = [
        each
        for value in vars(module).values()
        for each in (value if isinstance(value, tuple) else [value])
        if isinstance(each, Pattern)
    ]
    assert values
    for pattern in values:
        pattern.search("")


def test_a_start_compiles_none_of_them() -> None:
    program = (
        "import re, sys\n"
        "makers, real = set(), re.compile\n"
        "def compile(*given):\n"
        "    makers.add(sys._getframe(1).f_globals['__name__'])\n"
        "    return real(*given)\n"
        "re.compile = compile\n"
        "import worker.rules.answer\n"
        "print(*makers)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    makers = told.stdout.split()
    assert "worker.rules.answer_text" in makers  # the short ones
    assert {Pattern.__module__, *(module.__name__ for module in READERS)}.isdisjoint(makers)
