"""Copies of the storage: `backup` to a file, `copy-to` another database."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.common import AsJson, Config, fail, read_settings, say
from worker.cli.usage import FAILED, WRONG, WrongUse

if TYPE_CHECKING:
    from storage.copy import Copied
    from worker.config.settings import Settings


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the copy goes; an older one is replaced.")
    ],
    config: Config = None,
) -> None:
    """Copy the database while the worker runs (SQLite)."""
    from storage.backup import backup as copy
    from storage.errors import StorageError

    settings = read_settings(config, log_level="warning")
    try:
        asyncio.run(copy(settings.storage.url, file))
    except StorageError as error:
        fail(error.say(settings.company.language))
    size = file.stat().st_size
    typer.echo(say(settings, f"Скопировано: {file}, {size} байт.", f"Copied: {file}, {size} bytes."))


def copy_to(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="An empty database: postgresql+psycopg://user@host/db")
    ],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Copy the storage from SQLite to PostgreSQL; a copy broken off goes on.

    Beside a running worker it is a rehearsal: stop the worker and copy again to move.
    """
    from storage.database import parse_url
    from storage.errors import StorageError

    settings = read_settings(config, log_level="warning")
    if not _is_postgres(url):
        raise WrongUse(
            "URL", "нужно postgresql+psycopg://user@host/db", "expected is postgresql+psycopg://user@host/db"
        )
    if parse_url(settings.storage.url).get_backend_name() != "sqlite":
        typer.echo(
            say(
                settings,
                "storage.url — уже не файл SQLite: копировать нечего. Базу PostgreSQL переносит pg_dump.",
                "storage.url is no SQLite file: there is nothing to copy. A PostgreSQL is moved by pg_dump.",
            ),
            err=True,
        )
        raise typer.Exit(WRONG)
    try:
        copied = asyncio.run(_copy(settings, url))
    except StorageError as error:
        fail(error.say(settings.company.language))
    if as_json:
        tables = [asdict(count) for count in copied.counts]
        told = {"ok": copied.is_whole, "final": copied.is_final, "tables": tables}
        typer.echo(json.dumps(told, indent=2))
    else:
        _print_counts(settings, copied)
    if not copied.is_whole:
        raise typer.Exit(FAILED)


def _is_postgres(url: str) -> bool:
    from storage.database import parse_url
    from storage.errors import StorageError

    try:
        parsed = parse_url(url)
    except StorageError:  # It speaks of storage.url, and does not know that this is an argument.
        return False
    return parsed.get_backend_name() == "postgresql" and bool(parsed.database)


async def _copy(settings: "Settings", url: str) -> "Copied":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    from storage.copy import copy
    from storage.database import Database

    source = await Database.open(settings.storage.url, must_exist=True)
    try:
        target = await Database.open(url)
        try:
            columns = (
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            )  # fmt: skip
            with Progress(*columns, console=Console(stderr=True)) as progress:
                tasks: dict[str, TaskID] = {}

                def show(table: str, done: int, total: int) -> None:
                    if table not in tasks:
                        tasks[table] = progress.add_task(table, total=total)
                    progress.update(tasks[table], completed=done, total=total)

                return await copy(source, target, on_rows=show)
        finally:
            await target.close()
    finally:
        await source.close()


def _print_counts(settings: "Settings", copied: "Copied") -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column(say(settings, "Таблица", "Table"))
    table.add_column("SQLite", justify="right")
    table.add_column("PostgreSQL", justify="right")
    for count in copied.counts:
        mark = "" if count.source == count.target else " ≠"
        table.add_row(count.table, str(count.source), f"{count.target}{mark}")
    Console().print(table)
    if copied.is_whole and not copied.is_final:
        typer.echo(
            say(
                settings,
                "Скопировано, как было на эту минуту: рядом работает sarafan и пишет дальше в прежний файл. "
                "Чтобы переехать, остановите его и повторите эту команду. До тех пор на новой базе он "
                "не запустится.",
                "All is copied as it was at this moment: a running sarafan goes on with the old file. "
                "To move, stop it and give this command again. Until then it does not start on the new "
                "database.",
            )
        )
    elif copied.is_whole:
        typer.echo(
            say(
                settings,
                "Всё скопировано. Впишите новый адрес в storage.url и запускайте `sarafan run`; "
                "прежний файл уберите: два хранилища опросили бы клиентов дважды.",
                "All is copied. Put the new address into storage.url and start `sarafan run`; "
                "put the old file away: two storages would ask clients twice.",
            )
        )
    else:
        typer.echo(
            say(settings, "Строк не поровну: копия не годится.", "The counts differ: the copy is of no use."),
            err=True,
        )
