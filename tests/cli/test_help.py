"""`--help` speaks the language of the installation, and fits the screen."""

import re
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from worker.cli import helping
from worker.cli.helping_ru import METAVARS, RUSSIAN
from worker.cli.main import app

OF_THE_PAGE = {"Usage", "Commands", "Options", "Required.", helping.HELP}


def every_command(
    command: object, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperCommand | TyperGroup]]:
    assert isinstance(command, TyperCommand | TyperGroup)
    yield words, command
    if isinstance(command, TyperGroup):
        for name, one in command.commands.items():
            yield from every_command(one, (*words, name))


COMMANDS = dict(every_command(get_command(app)))


def help_of(words: tuple[str, ...], language: str) -> str:
    environ = {"SARAFAN_COMPANY__LANGUAGE": language, "COLUMNS": "80"}
    told = CliRunner().invoke(app, [*words, "--help"], prog_name="sarafan", env=environ)
    assert told.exit_code == 0
    return told.output


def sentences(command: TyperCommand | TyperGroup) -> set[str]:
    of_words = {str(getattr(one, "help", None) or "") for one in command.params}
    return {*helping.paragraphs(command.help), *helping.paragraphs(command.epilog), *of_words} - {""}


def test_every_sentence_of_the_help_has_its_russian_and_none_is_left_over() -> None:
    said = set().union(*map(sentences, COMMANDS.values()))
    assert said - RUSSIAN.keys() == set()
    assert RUSSIAN.keys() - said == OF_THE_PAGE


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_is_russian_in_a_russian_installation(words: tuple[str, ...]) -> None:
    told = help_of(words, "ru")
    assert told.startswith(f"Использование: {' '.join(('sarafan', *words))} ")
    assert [word for word in METAVARS if re.search(rf"\b{word}\b", told) and word != "ID"] == []
    joined = " ".join(told.split())
    for sentence in sentences(COMMANDS[words]):
        assert RUSSIAN[sentence] in joined


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_is_english_in_an_english_installation(words: tuple[str, ...]) -> None:
    told = help_of(words, "en")
    assert told.startswith(f"Usage: {' '.join(('sarafan', *words))} ")
    assert not re.search("[а-яё]", told, re.IGNORECASE)


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_fits_eighty_columns_and_names_no_type_of_python(
    words: tuple[str, ...], language: str
) -> None:
    told = help_of(words, language)
    assert max(map(len, told.splitlines())) <= 80
    assert not re.search(r"<|\{|list\[", told)


def test_a_choice_is_told_by_its_values_and_what_must_be_given_is_said_so() -> None:
    assert "--format text|json|xlsx|html|png" in help_of(("report",), "ru")
    assert "--role owner|head|controller|manager|admin" in help_of(("staff", "invite"), "en")
    assert "Обязательно." in help_of(("staff", "invite"), "ru")
    assert "sarafan try [ОПРОС] [КЛЮЧИ]" in help_of(("try",), "ru")
    assert "sarafan inbox [ID…] [OPTIONS]" in help_of(("inbox",), "en")


def test_the_version_is_that_of_the_package() -> None:
    told = CliRunner().invoke(app, ["--version"], prog_name="sarafan")
    assert (told.exit_code, told.output) == (0, f"{version('sarafan')}\n")
