"""Copies: of the file while the worker writes it, and of the rows of any database into a scratch file."""

import asyncio
from pathlib import Path

from sqlalchemy import select

from storage.database import Database, parse_url
from storage.errors import StorageError
from storage.files import copy_online, path_of
from storage.tables.registry import METADATA

ROWS_AT_ONCE = 1000

TABLES = METADATA.sorted_tables


async def backup(url: str, target: Path) -> None:
    """A consistent copy of an SQLite database, whole or not at all. Raises StorageError with a sentence."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise StorageError(
            "`backup` copies SQLite files. For PostgreSQL use pg_dump.",
            "backup копирует файлы SQLite. Для PostgreSQL возьмите pg_dump.",
        )
    await asyncio.to_thread(copy_online, path_of(parsed), target)


async def scratch_copy(db: Database, path: Path) -> Database:
    """All rows as of this moment in a new SQLite file, to be tried upon and thrown away."""
    copy = await Database.open(f"sqlite:///{path}")
    try:
        async with db.reading() as source, copy.transaction() as target:
            for table in TABLES:
                rows = await source.stream(select(table))
                async for part in rows.mappings().partitions(ROWS_AT_ONCE):
                    await (await target.connection()).execute(table.insert(), [dict(row) for row in part])
    except BaseException:
        await copy.close()
        raise
    return copy
