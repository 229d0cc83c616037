"""aiosqlite with one crossing of threads for a statement where the library takes four, or with none at all.

A connection works in a thread of its own. The library goes there and back for making a cursor, executing,
fetching and closing; SQLAlchemy fetches all rows at once anyway, so all four fit into one visit.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Self

import aiosqlite

BETWEEN = 0.02  # seconds


class _Job:
    """What a thread is asked to do, unless it is no longer wanted when its turn comes."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self.is_wanted, self.is_over = True, False

    def __call__(self) -> None:
        try:
            if self.is_wanted:
                self._work()
        finally:
            self.is_over = True


class Connection(aiosqlite.Connection):
    """Made for SQLAlchemy's adapter, which enters a cursor, executes and takes all rows."""

    def cursor(self) -> "Cursor":  # type: ignore[override]
        return Cursor(self)

    async def visit(self, work: Callable[[], None]) -> None:
        job = _Job(work)
        try:
            await self._execute(job)  # type: ignore[no-untyped-call]  # the library's own has no types
        except asyncio.CancelledError:
            job.is_wanted = False
            self._break_off(job)  # Else whoever closes the connection waits until the answer is there.
            raise

    def _break_off(self, job: "_Job") -> None:
        """Again and again: SQLite does not hear it before the statement runs."""
        if job.is_over or self._connection is None:
            return
        with suppress(sqlite3.ProgrammingError):  # it was closed just now
            self._connection.interrupt()
        asyncio.get_running_loop().call_later(BETWEEN, self._break_off, job)

    def stop(self) -> "asyncio.Future[Any] | None":
        """Once: told again, the library waits for ever for its thread, which has ended."""
        return super().stop() if self._running else None


class PrivateConnection(Connection):
    """Works in the caller's thread: for a database that nobody else waits for."""

    def __await__(self) -> Generator[Any, None, Self]:
        self._connection = self._connector()
        return self
        yield  # a generator that never stops on its way

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    def stop(self) -> None:
        self._running = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Cursor:
    """What the adapter asks of a cursor; the rows are here when `execute` returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Self:
        await self._connection.visit(partial(self._work, sqlite3.Connection.execute, sql, parameters))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        await self._connection.visit(partial(self._work, sqlite3.Connection.executemany, sql, parameters))
        return self

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        size = size or self.arraysize
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    async def fetchone(self) -> Any | None:
        return next(iter(await self.fetchmany(1)), None)

    async def close(self) -> None:
        self._rows = []

    def _work(self, act: Callable[..., sqlite3.Cursor], sql: str, parameters: Any) -> None:
        cursor = act(self._connection._conn, sql, parameters)
        try:
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


def connect(database: str, *, is_private: bool = False, **options: Any) -> Connection:
    """In place of `aiosqlite.connect`."""
    kind = PrivateConnection if is_private else Connection
    connection = kind(partial(sqlite3.connect, database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # As SQLAlchemy does it: a lost connection must not keep the process.
    return connection
