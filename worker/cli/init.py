"""A newcomer's way to a `config.toml`: `init`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.common import Config
from worker.cli.language import language_of
from worker.cli.usage import FAILED

if TYPE_CHECKING:
    from worker.cli.config_text import Answers
    from worker.cli.dialog import Dialog
    from worker.cli.interview_channels import Transports

OutFile = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write there; else where --config says."),
]
SECRETS = "secrets"  # the folder that compose.yaml hands over


class NotWritten(Exception):
    """Nothing was written, and why; empty where that was said before."""


def init(config: Config = None, out: OutFile = None) -> None:
    """Ask a few questions, read the account and write config.toml."""
    from worker.cli.dialog import Dialog, NoMoreAnswers

    path = out or config or Path(os.environ.get("SARAFAN_CONFIG") or "config.toml")
    dialog = Dialog(language_of(os.environ))
    try:
        write_config(dialog, path, os.environ)
    except NotWritten as reason:
        if str(reason):
            typer.echo(str(reason), err=True)
    except NoMoreAnswers:
        sentence = dialog.say(
            "Ответов больше нет: ничего не записано.", "No more answers: nothing was written."
        )
        typer.echo(sentence, err=True)
    except KeyboardInterrupt:
        typer.echo("\n" + dialog.say("Ничего не записано.", "Nothing was written."), err=True)
    else:
        return
    raise typer.Exit(FAILED)


def write_config(
    dialog: "Dialog",
    path: Path,
    environ: Mapping[str, str],
    transports: "Transports | None" = None,
    *,
    requests_per_second: float = 5,
) -> None:
    """Ask, and write what the program itself accepts. Raises NotWritten and NoMoreAnswers."""
    from worker.cli.config_text import Answers, settings_of
    from worker.cli.interview import interview
    from worker.config.problems import ConfigProblems

    try:
        settings_of(Answers(language=dialog.language), environ)
    except ConfigProblems as problems:  # Of variables that would spoil whatever is written.
        raise NotWritten("\n".join(str(problem) for problem in problems.problems)) from None
    place = dialog.choose("Язык / Language", ["Русский", "English"], 1 if dialog.language == "en" else 0)
    dialog.language = ("ru", "en")[place]
    _make_sure(dialog, path)
    answers = interview(dialog, environ, transports, requests_per_second=requests_per_second)
    files = _files(dialog, answers, path, environ)
    _write(dialog, answers, path, environ, files)
    _tell_what_is_next(dialog, path, files)
    settings = settings_of(answers, environ)
    if settings.company.holidays == "RU":
        typer.echo(f"\n{settings.texts.fill('law.place')}")


def _make_sure(dialog: "Dialog", path: Path) -> None:
    """Before twenty questions, not after them."""
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise NotWritten(dialog.say(
            f"В папку {folder} нельзя писать. Укажите другое место: --out ФАЙЛ.",
            f"The folder {folder} cannot be written to. Name another place: --out FILE.",
        ))  # fmt: skip
    if path.is_dir():
        raise NotWritten(_folder_in_its_place(dialog, path))
    if path.exists() and path.stat().st_size:
        question = dialog.say(f"{path} уже есть. Заменить?", f"{path} is there already. Replace it?")
        if not dialog.yes(question, default=False):
            raise NotWritten(dialog.say(
                f"{path} остался как был. Записать рядом: --out ФАЙЛ.",
                f"{path} was left as it is. To write beside it: --out FILE.",
            ))  # fmt: skip


def _folder_in_its_place(dialog: "Dialog", path: Path) -> str:
    return dialog.say(
        f"{path} — папка, а нужен файл. Уберите её (её мог создать Docker) или укажите --out ФАЙЛ.",
        f"{path} is a folder. Remove it (Docker may have made it) or name a file: --out FILE.",
    )


def _cannot_write(dialog: "Dialog", path: Path, error: OSError) -> str:
    from storage.errors import reason

    return dialog.say(
        f"{error.filename or path} не записать: {reason(error, 'ru')}.",
        f"{error.filename or path} cannot be written: {reason(error)}.",
    )


def _files(dialog: "Dialog", answers: "Answers", path: Path, environ: Mapping[str, str]) -> dict[Path, str]:
    """Files of secrets that are to be written beside the config; {} where they stand in it."""
    from worker.cli.config_text import given, secrets_of

    asked = {key: secret for key, secret in secrets_of(answers).items() if not given(environ, key)}
    if not asked:
        return {}
    question = dialog.say("Куда записать токены?", "Where do the tokens go?")
    options = [
        dialog.say(
            f"в сам {path.name} (его сможете читать только вы)", f"into {path.name} (only you can read it)"
        ),
        dialog.say(
            f"в отдельные файлы в папке {SECRETS}/, как ждёт compose.yaml",
            f"into files of their own in {SECRETS}/, as compose.yaml wants them",
        ),
    ]
    if dialog.choose(question, options) == 0:
        return {}
    folder = path.absolute().parent / SECRETS
    files = {folder / key.replace(".", "_"): secret for key, secret in asked.items()}
    _make_sure_of_secrets(dialog, path, files)
    return files


def _make_sure_of_secrets(dialog: "Dialog", path: Path, files: Mapping[Path, str]) -> None:
    """A new config beside an old one shares its folder of secrets, which the running worker reads."""
    try:
        folder = next((file for file in files if file.is_dir()), None)
        there = [file for file in files if file.exists() and file.stat().st_size]
    except OSError as error:  # A folder that is closed to us does not tell what it holds.
        raise NotWritten(_cannot_write(dialog, path, error)) from None
    if folder is not None:
        raise NotWritten(_folder_in_its_place(dialog, folder))
    if not there:
        return
    dialog.tell("\nЭти файлы с токенами уже есть:", "\nThese files of tokens are there already:")
    for file in there:
        typer.echo(f"  {file}")
    if not dialog.yes(dialog.say("Заменить их?", "Replace them?"), default=False):
        raise NotWritten(dialog.say(
            f"Ничего не записано: файлы в {SECRETS}/ остались как были. Повторите init: токены можно "
            f"записать в сам {path.name} или взять другую папку: --out ПАПКА/config.toml.",
            f"Nothing was written: the files in {SECRETS}/ were left as they are. Call init again: the "
            f"tokens can go into {path.name} itself, or take another folder: --out FOLDER/config.toml.",
        ))  # fmt: skip


def _write(
    dialog: "Dialog", answers: "Answers", path: Path, environ: Mapping[str, str], files: Mapping[Path, str]
) -> None:
    """All or nothing: each file beside its place first, then the config checked, then all put in place."""
    from worker.cli.config_text import given, render, secrets_of, variable, without_twins, write_private
    from worker.config.load import load
    from worker.config.problems import ConfigProblems

    secrets = secrets_of(answers)
    asked = {key: secret for key, secret in secrets.items() if not given(environ, key)}
    written: dict[Path, Path] = {}
    try:
        for file, secret in files.items():
            file.parent.mkdir(mode=0o700, exist_ok=True)
            written[write_private(file, secret)] = file
        part = write_private(path, render(answers, {} if files else asked))
        written[part] = path
        handed = {variable(key): secret for key, secret in secrets.items()}
        load(part, without_twins(environ, handed))
        for beside, place in written.items():
            beside.replace(place)
    except ConfigProblems as problems:
        text = "\n".join(str(problem) for problem in problems.problems)
        raise NotWritten(dialog.say("Ничего не записано:", "Nothing was written:") + f"\n{text}") from None
    except OSError as error:
        raise NotWritten(_cannot_write(dialog, path, error)) from None
    finally:
        for beside in written:
            beside.unlink(missing_ok=True)


def _tell_what_is_next(dialog: "Dialog", path: Path, files: Mapping[Path, str]) -> None:
    option = "" if str(path) == "config.toml" else f" --config {path}"
    typer.echo("\n" + dialog.say(f"✓ Записано: {path}", f"✓ Written: {path}"))
    for file in files:
        typer.echo(f"✓ {file}")
    if files:
        dialog.tell(
            "  Без контейнера дайте программе пути к ним: SARAFAN_AMOCRM__TOKEN_FILE=… и так далее, "
            "имена стоят в файле.",
            "  Without a container hand their paths over: SARAFAN_AMOCRM__TOKEN_FILE=… and so on, "
            "the names stand in the file.",
        )
    dialog.tell("Дальше:", "Next:")
    for command, ru, en in (
        ("setup", "создаст в amoCRM недостающее", "creates what amoCRM lacks"),
        ("check", "проверит все подключения", "tries every connection"),
        (
            "plan",
            "покажет, кого и когда спросим; ничего не отправит",
            "shows who is asked when; sends nothing",
        ),
        ("run", "работа", "the work itself"),
    ):
        typer.echo(f"  sarafan {command}{option}".ljust(24) + f"  # {dialog.say(ru, en)}")
