"""All rows from an SQLite file to PostgreSQL: table by table in the order of keys, so it can be resumed.

Beside a running worker a snapshot of the file is copied. What the worker writes from then on is not in it, so
the target stays marked: no worker starts on it, and the next `copy` into it begins anew.
"""

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Table, func, select, text, true
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.errors import AlreadyRunning, StorageError
from storage.files import copy_online
from storage.sql import insert_into
from storage.state import forget, recall, remember
from storage.tables.queues import State
from storage.tables.registry import METADATA

BATCH = 1000  # rows in one transaction
MARK = "copy_to.source"  # stands in the target's `state` until the copy is complete
ROLE = "copy-to"

OnRows = Callable[[str, int, int], None]  # table, rows that are there now, rows that there will be


@dataclass(frozen=True, slots=True)
class Count:
    """A table with the number of its rows on both sides."""

    table: str
    source: int
    target: int


def nothing(table: str, done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Copied:
    counts: Sequence[Count]
    is_final: bool  # False: a worker goes on writing the source

    @property
    def is_whole(self) -> bool:
        return all(count.source == count.target for count in self.counts)


async def copy(source: Database, target: Database, *, on_rows: OnRows = nothing) -> Copied:
    """Copy what is missing; gives the counts of both sides. Raises StorageError with a sentence.

    Where no worker runs the source is held, so that none changes it meanwhile. What was begun and broken off
    goes on.
    """
    if not source.is_sqlite or target.is_sqlite:
        raise StorageError(
            "The storage is copied from SQLite to PostgreSQL only.",
            "Хранилище копируется только из SQLite в PostgreSQL.",
        )
    if not await target.hold(ROLE):
        raise AlreadyRunning(
            "Another copy into this database is going on. Wait until it has ended.",
            "В эту базу сейчас копирует другая команда. Дождитесь её конца.",
        )
    file = _file_of(source)
    try:
        await source.claim_instance()
    except AlreadyRunning:
        return await _copy_snapshot(file, target, on_rows)
    await _begin(target, await asyncio.to_thread(_fingerprint, file), file)
    copied = Copied(await _copy_all(source, target, on_rows), is_final=True)
    if copied.is_whole:
        async with target.transaction() as tx:
            await forget(tx, MARK)
    return copied


async def _copy_snapshot(file: Path, target: Database, on_rows: OnRows) -> Copied:
    """Of a file that a worker writes. The snapshot lies beside it until its copy is complete."""
    name = hashlib.sha256(str(target.url).encode()).hexdigest()[:8]  # another target has its own
    path = file.with_name(f"{file.name}.copy-{name}")
    if not (path.is_file() and await _is_begun(target, await asyncio.to_thread(_fingerprint, path))):
        await asyncio.to_thread(copy_online, file, path)
    snapshot = await Database.open(f"sqlite:///{path}", migrate=False)
    try:
        await _begin(target, await asyncio.to_thread(_fingerprint, path), file, is_snapshot=True)
        copied = Copied(await _copy_all(snapshot, target, on_rows), is_final=False)
    finally:
        await snapshot.close()
    for leftover in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{leftover}").unlink(missing_ok=True)
    return copied


async def _copy_all(source: Database, target: Database, on_rows: OnRows) -> Sequence[Count]:
    for table in all_tables():
        await _copy_table(source, target, table, on_rows)
    await _set_sequences(target)
    return [Count(each.name, await _count(source, each), await _count(target, each)) for each in all_tables()]


async def is_unfinished(db: Database) -> bool:
    """Was a copy into this database broken off, or made beside a worker that went on?

    A worker that took it for whole would ask people again.
    """
    async with db.reading() as tx:
        return await recall(tx, MARK) is not None


def all_tables() -> Sequence[Table]:
    return METADATA.sorted_tables


def _file_of(db: Database) -> Path:
    return Path(db.url.database or "").absolute()


def _fingerprint(path: Path) -> str:
    """Changes with every change of the file's content."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all of it into the one file
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _begin(target: Database, fingerprint: str, file: Path, *, is_snapshot: bool = False) -> None:
    """The target is empty, or a copy of this very content was begun in it. A snapshot's copy is made anew."""
    async with target.transaction() as tx:
        mark = await recall(tx, MARK)
        if mark is not None and mark["fingerprint"] == fingerprint:
            return
        if mark is not None and mark.get("snapshot_of") == str(file):
            for table in reversed(all_tables()):  # No worker has been here, the mark keeps them away.
                await (await tx.connection()).execute(table.delete())
        elif mark is not None:
            raise StorageError(
                "A copy of another file was begun in the target, or this file has changed since. "
                "Nothing was changed: name an empty database.",
                "Туда начинали копировать другой файл, или этот с тех пор изменился. Ничего не изменено: "
                "укажите пустую базу.",
            )
        else:
            await _expect_empty(tx)
        await remember(
            tx, MARK, {"fingerprint": fingerprint, **({"snapshot_of": str(file)} if is_snapshot else {})}
        )


async def _expect_empty(tx: AsyncSession) -> None:
    for table in all_tables():
        if await _one(tx, select(1).select_from(table).limit(1)) is not None:
            raise StorageError(
                f"The target has rows already (table {table.name}). Nothing was changed: "
                "name an empty database.",
                f"Там уже есть строки (таблица {table.name}). Ничего не изменено: укажите пустую базу.",
            )


async def _is_begun(target: Database, fingerprint: str) -> bool:
    async with target.reading() as tx:
        mark = await recall(tx, MARK)
    return mark is not None and mark["fingerprint"] == fingerprint


async def _copy_table(source: Database, target: Database, table: Table, on_rows: OnRows) -> None:
    (key,) = table.primary_key.columns
    total, done = await _count(source, table), await _count(target, table)
    reached = None
    if isinstance(key.type, BigInteger):  # Of texts the two databases have different orders.
        async with target.reading() as tx:
            reached = await _one(tx, select(func.max(key)))
    on_rows(table.name, done, total)
    while True:
        next_rows = select(table).order_by(key).limit(BATCH)
        if reached is not None:
            next_rows = next_rows.where(key > reached)
        async with source.reading() as tx:
            rows = [dict(row) for row in (await (await tx.connection()).execute(next_rows)).mappings()]
        if not rows:
            return
        reached = rows[-1][key.name]
        async with target.transaction() as tx:
            # What a lost answer to COMMIT left there is there.
            missing = insert_into(table, for_postgres=True).on_conflict_do_nothing()
            await (await tx.connection()).execute(missing, rows)
        on_rows(table.name, await _count(target, table), total)


async def _count(db: Database, table: Table) -> int:
    async with db.reading() as tx:
        return int(await _one(tx, select(func.count()).select_from(table).where(_is_copied(table))) or 0)


def _is_copied(table: Table) -> ColumnElement[bool]:
    """Our mark is not."""
    return table.c.key != MARK if table.name == State.__tablename__ else true()


async def _set_sequences(target: Database) -> None:
    """The next row gets a number of its own."""
    async with target.transaction() as tx:
        for table in all_tables():
            (key,) = table.primary_key.columns
            names = {"table": table.name, "key": key.name}
            sequence = await _one(tx, text("SELECT pg_get_serial_sequence(:table, :key)").bindparams(**names))
            if sequence is None:
                continue
            last = await _one(tx, select(func.max(key)))
            if last is not None:
                await _one(tx, select(func.setval(sequence, last)))


async def _one(tx: AsyncSession, statement: Any) -> Any:
    return (await (await tx.connection()).execute(statement)).scalar()
