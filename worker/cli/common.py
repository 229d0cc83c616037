"""What every command shares: the options, the settings, the storage, and how it ends."""

import asyncio
import errno
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from worker.cli.usage import FAILED, WRONG, WrongUse

if TYPE_CHECKING:  # Only `--help` must not wait for libraries.
    from storage.database import Database
    from worker.config.settings import Settings
    from worker.rules.calendar import Period

T = TypeVar("T")

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="Else $SARAFAN_CONFIG, else ./config.toml."),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON, for programs.")]
From = Annotated[str, typer.Option("--from", metavar="DATE", help="First day, such as 2026-07-01.")]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="The day after the last.")]
PeriodText = Annotated[
    str, typer.Option("--period", metavar="PERIOD", help="2026Q3, 2026-10, 2026-W45 or 2026.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write there; - is the screen."),
]


def read_settings(config: Path | None, *, log_level: str = "") -> "Settings":
    """The settings, and the log as they want it; `log_level` for commands whose output is not the log."""
    from worker import log
    from worker.config.load import load
    from worker.config.problems import ConfigProblems

    try:
        settings = load(config, os.environ)
    except ConfigProblems as problems:
        for problem in problems.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(WRONG) from None
    log.set_up(log_level or settings.log.level, settings.log.format, secrets=settings.secrets())
    return settings


def unwritable(settings: "Settings", path: object, error: OSError) -> str:
    from storage.errors import reason

    return say(
        settings, f"{path} не записать: {reason(error, 'ru')}.", f"{path} cannot be written: {reason(error)}."
    )


def say(settings: "Settings", ru: str, en: str) -> str:
    return en if settings.company.language == "en" else ru


def fail(sentence: object) -> NoReturn:
    """The work could not be done."""
    typer.echo(str(sentence), err=True)
    raise typer.Exit(FAILED)


def with_storage(settings: "Settings", work: Callable[["Database"], Awaitable[T]]) -> T:
    """Do it with the storage open, beside a running worker; there has to be one already."""
    from storage.errors import StorageError

    async def run() -> T:
        from storage.database import Database

        db = await Database.open(settings.storage.url, must_exist=True)
        try:
            return await work(db)
        finally:
            await db.close()

    try:
        return asyncio.run(run())
    except StorageError as error:
        fail(error.say(settings.company.language))


def chosen_period(settings: "Settings", first: str, last: str, period: str) -> "Period":
    """`--period`, or `--from` and `--to` (the day after the last), or the current quarter so far."""
    from datetime import UTC, datetime, timedelta

    from worker.rules.calendar import current_quarter, parse_period, so_far
    from worker.rules.periods import days

    zone = settings.company.timezone
    now = datetime.now(UTC)
    if period and (first or last):
        raise WrongUse(
            "--period",
            "укажите или --period, или --from и --to",
            "give --period, or --from and --to, not both",
        )
    if last and not first:
        raise WrongUse("--to", "без --from не работает", "it needs --from")
    try:
        if period:
            return parse_period(period, zone)
        if not first:
            return so_far(current_quarter(now, zone), now)
    except ValueError as error:
        raise WrongUse(
            "--period",
            f"«{period}» — не период; нужен такой: 2026Q3, 2026-10, 2026-W45 или 2026",
            str(error),
        ) from None
    start = day(first, "--from")
    end = day(last, "--to") if last else now.astimezone(zone).date() + timedelta(days=1)
    if start >= end:
        raise WrongUse(
            "--to",
            f"{end} не позже, чем {start}: здесь нужен день после последнего",
            f"{end} is not after {start}: it is the day after the last",
        )
    return days(start, end, zone)


def day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUse(
            option,
            f"«{text}» — не дата; нужна такая: 2026-07-01",
            f"'{text}' is no date; expected one such as 2026-07-01",
        ) from None


def write(settings: "Settings", content: str | bytes, out: Path | None) -> None:
    """To the file, whole or not at all, or to the screen: without one, and for `-`. Its folder is made."""
    if out is None or str(out) == "-":
        if isinstance(content, bytes):
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        else:
            sys.stdout.write(content)
        return
    if out.is_dir():  # «.» has not even a name to put «.part» behind.
        fail(unwritable(settings, out, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))))
    part = out.with_name(f"{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
        part.replace(out)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        fail(unwritable(settings, out, error))
