"""Copies of the storage: `backup`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.common import Config, fail, read_settings, say


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
        fail(error)
    size = file.stat().st_size
    typer.echo(say(settings, f"Скопировано: {file}, {size} байт.", f"Copied: {file}, {size} bytes."))
