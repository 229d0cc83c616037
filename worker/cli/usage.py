"""Wrong use of the command line, told in the language of the installation and with exit code 2."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from worker.cli import helping
from worker.cli.language import language_here

LANGUAGE = ContextVar("language", default="ru")  # of the command that is being read

FAILED, WRONG = 1, 2  # the work failed; wrong use or configuration


class WrongUse(typer.BadParameter):
    """`option` is what the person typed wrongly, as `--help` calls it."""

    def __init__(self, option: str, ru: str, en: str) -> None:
        super().__init__(en, param_hint=option)
        self.ru = ru

    def say(self, language: str) -> str:
        if language == "en":
            return f"{self.param_hint}: {self.message}."
        return f"{helping.placeholder_ru(str(self.param_hint))}: {self.ru}."


def _choices(found: re.Match[str]) -> str:
    return ", ".join(re.findall(r"[\w-]+", found["choices"]))


# What typer says of a mistake, and how we say it: (its sentence, Russian, English).
Say = Callable[[re.Match[str]], str]
PHRASES: tuple[tuple[str, Say, Say], ...] = (
    (
        r"No such option: (?P<it>--config|-c|--json)(?: .*)?",
        lambda found: (
            f"Ключ {found['it']} пишется после команды, которая его знает: sarafan report {found['it']} …"
        ),
        lambda found: f"{found['it']} stands behind a command that knows it: sarafan report {found['it']} …",
    ),
    (
        r"No such command '(?P<it>.*?)'\.(?: Did you mean (?P<like>.*?)\?)?",
        lambda found: f"Команды {found['it']} нет{_like(found, ', похоже на')}.",
        lambda found: f"There is no command {found['it']}{_like(found, ', the nearest is')}.",
    ),
    (
        r"No such option: (?P<it>\S+)(?: \(Possible options: (?P<like>.*)\))?",
        lambda found: f"Ключа {found['it']} у этой команды нет{_like(found, ', похоже на')}.",
        lambda found: f"There is no option {found['it']}{_like(found, ', the nearest is')}.",
    ),
    (
        r"Option '(?P<it>.+)' requires an argument\.",
        lambda found: f"{found['it']}: дальше нужно значение.",
        lambda found: f"{found['it']}: a value has to follow.",
    ),
    (
        r"Option '(?P<it>.+)' does not take a value\.",
        lambda found: f"{found['it']}: этот ключ пишется без значения.",
        lambda found: f"{found['it']}: this option takes no value.",
    ),
    (
        r"Missing (?:argument|option|parameter) '(?P<it>.+?)'\.\s*Choose from:(?P<choices>.*)",
        lambda found: f"Не хватает {_ru(found)}: {_choices(found)}.",
        lambda found: f"{found['it']} is missing: {_choices(found)}.",
    ),
    (
        r"Missing (?:argument|option|parameter) '(?P<it>.+?)'\.",
        lambda found: f"Не хватает: {_ru(found)}.",
        lambda found: f"{found['it']} is missing.",
    ),
    (
        r"Got unexpected extra arguments?(?:\(s\))? \((?P<it>.*)\)",
        lambda found: f"Лишнее в команде: {found['it']}.",
        lambda found: f"More than the command takes: {found['it']}.",
    ),
    (
        r"Invalid value for '(?P<it>.+?)': (?:Value error, )?'(?P<given>.*)' is not one of (?P<choices>.+)\.",
        lambda found: f"{found['it']}: указано {found['given']}, а бывает: {_choices(found)}.",
        lambda found: f"{found['it']}: found {found['given']}, expected one of: {_choices(found)}.",
    ),
    (
        r"Invalid value for '(?P<it>.+?)': Input should be a valid integer.*",
        lambda found: f"{_ru(found)}: нужно целое число.",
        lambda found: f"{found['it']}: a whole number is needed.",
    ),
    (
        r"Invalid value for '(?P<it>.+?)': Input should be less than or equal to (?P<most>\S+)",
        lambda found: f"{found['it']}: не больше {found['most']}.",
        lambda found: f"{found['it']}: {found['most']} at most.",
    ),
    (
        r"Invalid value for '(?P<it>.+?)': Input should be greater than or equal to (?P<least>\S+)",
        lambda found: f"{found['it']}: не меньше {found['least']}.",
        lambda found: f"{found['it']}: {found['least']} at least.",
    ),
)


def _ru(found: re.Match[str]) -> str:
    return helping.placeholder_ru(found["it"])


def _like(found: re.Match[str], words: str) -> str:
    return f"{words} {found['like'].replace(chr(39), '')}" if found["like"] else ""


def told(error: TyperException, language: str) -> str:
    """One sentence. What typer may say one day and we do not know stays as it is."""
    if isinstance(error, WrongUse):
        return error.say(language)
    said = error.format_message()
    for pattern, ru, en in PHRASES:
        if found := re.fullmatch(pattern, said, re.DOTALL):
            return (en if language == "en" else ru)(found)
    return said


class Command(TyperCommand):
    """A command that explains itself in the language of the installation."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """A mistake says at which command it was made, which typer forgets of a missing value."""
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            if getattr(error, "ctx", ctx) is None:
                vars(error)["ctx"] = ctx
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:
        helping.write(self, ctx, formatter, LANGUAGE.get())


class Commands(TyperGroup):
    """A group whose mistakes are told in a sentence, like every other trouble of ours."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        helping.write(self, ctx, formatter, LANGUAGE.get())

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Ends the process, whatever `standalone_mode` says: with 0, 1 or 2."""
        words = list(sys.argv[1:] if args is None else args)
        LANGUAGE.set(language_here(words, os.environ))
        try:
            code = super().main(words, prog_name, complete_var, False, windows_expand_args, **extra)
        except TyperException as error:
            self._tell(error, LANGUAGE.get(), prog_name or self.name or "")
            sys.exit(error.exit_code)
        except typer.Abort:
            sys.exit(FAILED)
        sys.exit(code or 0)

    def _tell(self, error: TyperException, language: str, program: str) -> None:
        sentence = told(error, language)
        if not sentence.strip():
            return  # Nothing was typed: typer has shown the help.
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else program
        help_ = "Help" if language == "en" else "Справка"
        typer.echo(sentence, err=True)
        typer.echo(f"{help_}: {command} --help", err=True)
