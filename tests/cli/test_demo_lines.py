"""Does the story read well where it is told? On a terminal of any width, and in a pipe."""

import re
from io import StringIO

import pytest
from rich.console import Console
from rich.progress import Progress

from worker.cli.demo import _print, _Terminal
from worker.cli.demo_story import Line

SHORT = Line(when="8 июля, 16:30", who="amoCRM", text="закрыта, решено", style="amocrm")
LONG = Line(when="9 июля, 16:30", who="WhatsApp → Андрей", text="«Спасибо, что ответили.» " * 9, style="bot")
REPORT = "• Рекомендации: выиграно 58 сделок на 7\xa0816\xa0000\xa0₽, от друзей 8 на 1\xa0304\xa0000\xa0₽."
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def terminal(width: int) -> Console:
    return Console(file=StringIO(), force_terminal=True, width=width, highlight=False)


@pytest.mark.parametrize("width", [80, 120])
def test_every_event_of_the_story_begins_in_one_column(width: int) -> None:
    console = terminal(width)
    with Progress(console=console, auto_refresh=False, disable=True) as progress:
        page = _Terminal(console, progress)
        for line in (SHORT, LONG):
            page.line(line)
    assert isinstance(console.file, StringIO)
    lines = COLOURS.sub("", console.file.getvalue()).splitlines()
    events = [line for line in lines if "июля" in line]
    assert [line.index(who) for line, who in zip(events, ("amoCRM", "WhatsApp"), strict=True)] == [20, 20]
    assert all(line.startswith(" " * 20) for line in lines if line not in events)
    assert max(map(len, lines)) <= width


def test_a_line_of_the_report_breaks_between_words_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _print(terminal(44), REPORT)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "• Рекомендации: выиграно 58 сделок на"
    assert second == "  7\xa0816\xa0000\xa0₽, от друзей 8 на 1\xa0304\xa0000\xa0₽."


def test_a_line_of_the_report_stays_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    _print(Console(file=StringIO(), width=50), REPORT)
    assert capsys.readouterr().out == f"{REPORT}\n"
