"""Questions on a terminal that may be a dumb one, or a pipe: lines out, lines in, nothing else."""

import getpass
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TextIO

import typer

YES = {"да", "д", "yes", "y"}
NO = {"нет", "н", "no", "n"}


class NoMoreAnswers(Exception):
    """The input ended before the questions did."""


class NotThat(ValueError):
    """What was typed cannot be used; the message says what can."""


class Dialog:
    """Asks until an answer can be used. `language` may change on the way."""

    def __init__(self, language: str = "ru", *, stdin: TextIO | None = None) -> None:
        self.language = language
        self._stdin = stdin

    def say(self, ru: str, en: str) -> str:
        return en if self.language == "en" else ru

    def tell(self, ru: str, en: str) -> None:
        typer.echo(self.say(ru, en))

    def text(
        self,
        question: str,
        default: str = "",
        *,
        check: Callable[[str], str] | None = None,
        may_be_empty: bool = False,
    ) -> str:
        """A line; Enter takes the default. `check` gives it as it is kept, or raises NotThat."""
        return self._ask(question, default, check=check, may_be_empty=may_be_empty, read=self._line)

    def secret(self, question: str, *, check: Callable[[str], str] | None = None) -> str:
        """A line that the terminal does not show."""
        return self._ask(question, "", check=check, may_be_empty=False, read=self._hidden_line)

    def yes(self, question: str, *, default: bool) -> bool:
        shown = self.say("[Да/нет]" if default else "[да/Нет]", "[Yes/no]" if default else "[yes/No]")
        while True:
            typed = self._line(f"{question} {shown}: ").casefold()
            if not typed:
                return default
            if typed in YES | NO:
                return typed in YES
            self.tell("Ответьте «да» или «нет».", "Answer yes or no.")

    def choose(self, question: str, options: Sequence[str], default: int = 0) -> int:
        """The place of the option that was chosen by its number."""
        self._list(question, options)
        while True:
            typed = self._line(self.say("Номер", "Number") + f" [{default + 1}]: ")
            if not typed:
                return default
            if (place := self._place(typed, options)) is not None:
                return place

    def choose_some(self, question: str, options: Sequence[str], default: Sequence[int] = ()) -> list[int]:
        """The places of the options that were chosen, by numbers with commas or spaces between them."""
        self._list(question, options)
        shown = ",".join(str(place + 1) for place in default)
        hint = f"[{shown}]" if shown else self.say("[Enter — никого]", "[Enter: none]")
        while True:
            typed = self._line(self.say("Номера через запятую", "Numbers, commas between") + f" {hint}: ")
            if not typed:
                return list(default)
            places = [self._place(part, options) for part in typed.replace(",", " ").split()]
            if None not in places:
                return [place for place in dict.fromkeys(places) if place is not None]

    def _list(self, question: str, options: Sequence[str]) -> None:
        typer.echo(f"\n{question}")
        for number, option in enumerate(options, start=1):
            typer.echo(f"  {number}. {option}")

    def _place(self, typed: str, options: Sequence[str]) -> int | None:
        if typed.isascii() and typed.isdecimal() and 0 < int(typed) <= len(options):
            return int(typed) - 1
        self.tell(f"Нужен номер от 1 до {len(options)}.", f"A number from 1 to {len(options)}, please.")
        return None

    def _ask(
        self,
        question: str,
        default: str,
        *,
        check: Callable[[str], str] | None,
        may_be_empty: bool,
        read: Callable[[str], str],
    ) -> str:
        shown = f" [{default}]" if default else ""
        while True:
            typed = read(f"{question}{shown}: ") or default
            if not typed and not may_be_empty:
                self.tell("Это нужно указать.", "This is needed.")
                continue
            if not typed or check is None:
                return typed
            try:
                return check(typed)
            except NotThat as problem:
                typer.echo(str(problem))

    def _line(self, prompt: str) -> str:
        stdin = self._stdin or sys.stdin
        while True:
            typer.echo(prompt, nl=False)
            sys.stdout.flush()
            try:
                line = stdin.readline()
                break
            except UnicodeDecodeError:
                self.tell("\nЭто не UTF-8, не прочитать.", "\nThis is not UTF-8 and cannot be read.")
        if not line:
            self._end()
        if not stdin.isatty():
            typer.echo()  # Nobody pressed Enter there.
        return _clean(line)

    def _hidden_line(self, prompt: str) -> str:
        """Not by the terminal where there is none: getpass would look for one past the pipe."""
        if not (self._stdin or sys.stdin).isatty():
            return self._line(prompt)
        try:
            return _clean(getpass.getpass(prompt))
        except EOFError:
            self._end()

    def _end(self) -> NoReturn:
        typer.echo()
        raise NoMoreAnswers


def _clean(line: str) -> str:
    """Without what a paste brings along: outer spaces and signs that nobody sees."""
    return "".join(sign for sign in line if sign.isprintable()).strip()
