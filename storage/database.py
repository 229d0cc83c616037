"""The memory: one writing connection and readers on SQLite, a pool on PostgreSQL; transactions on both."""

import asyncio
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import migrate, sqlite_driver
from storage.errors import AlreadyRunning, NoDatabase, StorageError, Unavailable
from storage.files import (
    WAIT_FOR_LOCK,
    InstanceLock,
    copy_online,
    damaged,
    look_for_damage,
    make_room_for,
    path_of,
)
from storage.locks import Locks

READERS = 4  # connections, each with a thread of its own
WAIT_FOR_TURN = 30  # seconds until a transaction gives up waiting for a connection
NOT_NOW = "База сейчас не отвечает: "


class Database:
    """Opened by `Database.open`, ended by `close`; `owner` is this start's name on all that it claims."""

    def __init__(self, url: URL, *, is_private: bool = False) -> None:
        self.url = url
        self._is_private = is_private
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.owner = str(uuid.uuid4())
        self._path = path_of(url) if self.is_sqlite else None
        self._lock = InstanceLock(self._path) if self._path else None
        self._is_worker = False
        self._tasks: set[asyncio.Task[Any]] = set()  # that are inside a transaction
        self._writer = self._sqlite_engine(reads=False) if self.is_sqlite else self._postgres_engine()
        self._reader = (
            self._sqlite_engine(reads=True)
            if self.is_sqlite
            # A report sees one moment, as it does on SQLite.
            else self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        )
        self._locks = None if self.is_sqlite else Locks(self.owner, self._writer.connect)

    @classmethod
    async def open(
        cls, url: str, *, migrate: bool = True, must_exist: bool = False, is_private: bool = False
    ) -> Self:
        """Connect, and bring the tables up to date. Raises StorageError with a sentence for a person.

        `must_exist` is for commands that only make sense where a worker has been. `is_private`: nobody else
        uses it and nobody will miss it, so nothing waits for the disk, and SQLite needs no threads.
        """
        db = cls(parse_url(url), is_private=is_private)
        try:
            if must_exist:
                await db._expect_tables()
            elif db._path:
                make_room_for(db._path)
            async with db._translated(), db._writer.connect():
                pass
            if migrate:
                await db.migrate()
        except Unavailable as error:
            await db.close()
            if db.is_sqlite:
                raise
            said = " ".join(str(error).split()).rstrip(".?")  # libpq speaks in several lines
            its_own = " ".join(error.ru.removeprefix(NOT_NOW).split()).rstrip(".?")
            raise Unavailable(
                f"{shown(db.url)}: {said}. Check that it runs and that address, user and password are right.",
                f"База {shown(db.url)} не отвечает: «{its_own}». Проверьте, запущена ли она, и верны ли "
                "адрес, пользователь и пароль.",
            ) from error
        except BaseException:
            await db.close()
            raise
        return db

    async def close(self) -> None:
        """End every connection; else a thread of aiosqlite may keep the process alive."""
        if self._locks:
            await self._locks.close()
        await self._reader.dispose()
        await self._writer.dispose()
        if self._lock:
            self._lock.release()

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Write: all of it or nothing. Committed when the block ends, rolled back when it raises.

        Never call the network inside: on SQLite there is one writer, and everybody waits for it.
        """
        return self._session(self._writer)

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Read only, and one moment of the database for the whole block."""
        return self._session(self._reader)

    async def claim_instance(self) -> None:
        """Become a worker. Raises AlreadyRunning where only one is allowed, StorageError for a damaged file.

        On PostgreSQL several may work; a lock tells the others that what we claimed is no orphan.
        """
        if self._lock and self._path:
            self._lock.take()
            if not self._is_worker:
                await asyncio.to_thread(look_for_damage, self._path)
                self._is_worker = True
                await self._writer.dispose()  # The next connection is the worker's: with checkpoints.
        elif self._locks:
            self._is_worker = True
            async with self._translated():
                await self._locks.show_life()

    async def hold(self, role: str) -> bool:
        """Have, or take if it is free, what only one worker may do at a time. Ask before each time.

        On SQLite there is one worker. On PostgreSQL the role is lost with the connection that holds it.
        """
        if not self._locks:
            return True
        async with self._translated():
            return await self._locks.hold(role)

    async def orphans(self, owners: Iterable[str], *, gone_for: timedelta = timedelta(0)) -> list[str]:
        """Those owners whose process is gone, so that what they had claimed may be taken over.

        On SQLite the instance lock admits one worker, so these are all but ourselves. On PostgreSQL a living
        worker may be without its lock for seconds, when a connection was cut: `gone_for` is how long we have
        seen none.
        """
        others = {owner for owner in owners if owner != self.owner}
        if not self._locks or not others:
            return sorted(others)
        async with self._translated():
            return await self._locks.gone(others, for_=gone_for)

    async def _expect_tables(self) -> None:
        if not self._path or self._path.is_file():
            async with self._translated(), self._reader.connect() as connection:
                if await migrate.revision(connection):
                    return
        raise NoDatabase(shown(self.url))

    async def migrate(self) -> None:
        """Bring the tables up to date; an SQLite file that has rows is copied first, beside itself."""
        async with self._translated():
            async with self._reader.connect() as connection:
                before = await migrate.revision(connection)
            if before == migrate.HEAD:
                return
            migrate.refuse_newer(before, self.url)
            if before and self._lock and self._path:
                await self._upgrade_file(self._path, self._lock, before)
            else:
                await self._upgrade()

    async def _upgrade_file(self, path: Path, lock: InstanceLock, before: str) -> None:
        was_held = lock.is_held
        try:
            lock.take()
        except AlreadyRunning as error:
            raise AlreadyRunning(
                f"The database {path} has to be brought up to date first, and another sarafan is using it. "
                "Stop that one and start again.",
                f"Базу {path} сперва надо обновить, а с ней работает другой sarafan. Остановите его и "
                "запустите ещё раз.",
            ) from error
        try:
            copy = path.with_name(f"{path.name}.before-{migrate.HEAD}")
            await asyncio.to_thread(copy_online, path, copy)
            await self._upgrade()
        finally:
            if not was_held:
                lock.release()

    async def _upgrade(self) -> None:
        async with self._writer.begin() as connection:
            await migrate.upgrade(connection)

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
        writes = engine is self._writer
        task = asyncio.current_task()
        if writes and task in self._tasks:
            # On SQLite it would wait for itself.
            raise RuntimeError("a transaction inside a transaction: hand `tx` on instead")
        async with self._translated():
            tx = AsyncSession(engine, expire_on_commit=False)
            if writes and task:
                self._tasks.add(task)
            try:
                yield tx
                await tx.commit()
            except BaseException:
                # In a task of its own: whoever is cancelled once more must not keep the connection.
                closing = asyncio.create_task(tx.close())
                await asyncio.shield(closing)
                raise
            finally:
                if writes and task:
                    self._tasks.discard(task)
            # The connection went back with the commit, so nothing is left to wait for.
            tx.sync_session.close()

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        """Drivers' errors that say nothing about the statement become ours, with a sentence."""
        try:
            yield
        except PoolTimeout as error:
            raise Unavailable(
                f"The database was busy for {WAIT_FOR_TURN} seconds.",
                f"База была занята {WAIT_FOR_TURN} секунд. Повторите.",
            ) from error
        except (OperationalError, InterfaceError) as error:
            raise Unavailable(
                f"The database cannot be used now: {error.orig}", f"{NOT_NOW}{error.orig}"
            ) from error
        except DBAPIError as error:
            # sqlite3 raises the base class itself for a file that is no database or is malformed.
            if self._path and type(error.orig) is sqlite3.DatabaseError:
                raise damaged(self._path, error.orig) from error
            raise

    def _sqlite_engine(self, *, reads: bool) -> AsyncEngine:
        engine = create_async_engine(
            self.url,
            hide_parameters=True,
            pool_size=READERS if reads else 1,
            max_overflow=0,
            pool_timeout=WAIT_FOR_TURN,
            connect_args={
                "isolation_level": None,  # The driver begins nothing by itself; the event below does.
                "timeout": WAIT_FOR_LOCK,
                "async_creator_fn": partial(sqlite_driver.connect, is_private=self._is_private),
            },
        )

        @event.listens_for(engine.sync_engine, "connect")
        def set_up(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            if not reads:
                _turn_on_wal(cursor)
            for setting in self._pragmas(reads=reads):
                cursor.execute(f"PRAGMA {setting}")
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: Any) -> None:
            # A plain BEGIN that reads first and writes later fails "locked" at once beside another writer.
            connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

        return engine

    def _postgres_engine(self) -> AsyncEngine:
        # Imported where it works: psycopg and SQLAlchemy's dialect take a quarter of a second.
        from storage import postgres_driver

        return postgres_driver.engine(self.url, wait_for_turn=WAIT_FOR_TURN, is_private=self._is_private)

    def _pragmas(self, *, reads: bool) -> Iterable[str]:
        yield f"busy_timeout={int(WAIT_FOR_LOCK * 1000)}"
        yield "foreign_keys=ON"
        if reads:
            yield "query_only=ON"
            return
        # With NORMAL a power cut eats acknowledged answers.
        yield f"synchronous={'OFF' if self._is_private else 'FULL'}"
        # SQLite before 3.51.3 can corrupt a WAL when two connections write and checkpoint at once:
        # a command beside the worker leaves checkpoints to it. https://sqlite.org/wal.html#walresetbug
        yield f"wal_autocheckpoint={1000 if self._is_worker else 0}"


def shown(url: URL) -> str:
    """As a person writes it: without our driver for SQLite, and without a password."""
    plain = url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url
    return plain.render_as_string(hide_password=True)


def _turn_on_wal(cursor: Any) -> None:
    """For the file, for ever. SQLite does not wait for its lock here, whatever `busy_timeout` says."""
    until = time.monotonic() + WAIT_FOR_LOCK
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)  # Another process is just making the same new file.


def parse_url(url: str) -> URL:
    """`storage.url` with the driver that we use. Raises StorageError without showing a password."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StorageError(
            "storage.url cannot be read. Expected is sqlite:///data/sarafan.db or "
            "postgresql+psycopg://user@host/db.",
            "storage.url не прочитать. Нужно sqlite:///data/sarafan.db или postgresql+psycopg://user@host/db.",
        ) from error
    match parsed.drivername:
        case "sqlite" | "sqlite+aiosqlite":
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres" | "postgresql+psycopg" | "postgresql+psycopg_async":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise StorageError(
                f"storage.url: «{other}» is not supported, only sqlite and postgresql+psycopg are.",
                f"storage.url: «{other}» не годится, только sqlite и postgresql+psycopg.",
            )
