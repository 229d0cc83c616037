"""Who of several workers on one PostgreSQL lives, and which of them has a role that only one may have.

All locks are advisory ones on one connection of their own: whoever loses the connection has lost them all.
"""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

# First halves of the locks' names; the second is made of the owner's or the role's name.
OWNERS = 0x5A7A
ROLES = 0x5A7B

LIVING = "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = :classid"
# Shared, so that a connection of ours that the server still believes in keeps nobody out, least of all us.
SHOW_LIFE = "SELECT pg_advisory_lock_shared(:classid, :number)"
# Two installations may share a database, each in a schema of its own.
TAKE_ROLE = "SELECT pg_try_advisory_lock(:classid, hashtext(coalesce(current_schema(), '') || ':' || :role))"

FROZEN = timedelta(seconds=60)  # a process that stands still this long has lost its locks
FAREWELL = 1.0  # seconds; the server notices a closed connection anyway, only later
MILLISECOND = timedelta(milliseconds=1)
HAS_IDLE_TIMEOUT = (14,)  # the version of PostgreSQL that can end an idle session


class Locks:
    """The locks of one worker. `connect` gives a connection that is ours alone."""

    def __init__(self, owner: str, connect: Callable[[], Awaitable[AsyncConnection]]) -> None:
        self._owner = owner
        self._connect = connect
        self._connection: AsyncConnection | None = None
        self._roles: set[str] = set()
        self._turn = asyncio.Lock()  # one connection, many flows
        self._missing_since: dict[str, float] = {}  # owner → when we first saw no lock of theirs

    async def show_life(self) -> None:
        """Others see from now on that what we claimed is no orphan. Raises drivers' errors."""
        async with self._turn:
            await self._living()

    async def hold(self, role: str) -> bool:
        """Take the role if it is free. True while it is ours. Raises drivers' errors: then it is not."""
        async with self._turn:
            connection = await self._living()
            if role not in self._roles:
                taken = await self._ask(connection, TAKE_ROLE, classid=ROLES, role=role)
                if not taken:
                    return False
                self._roles.add(role)
            return True

    async def gone(self, owners: Collection[str], *, for_: timedelta) -> list[str]:
        """Those owners of whom no lock has been seen for this long, by the looks taken here."""
        async with self._turn:
            connection = await self._living()
            rows = await connection.execute(text(LIVING), {"classid": OWNERS})
            living = {int(objid) for (objid,) in rows}
        missing = {owner for owner in owners if lock_number(owner) not in living}
        now = time.monotonic()
        for owner in owners:
            if owner in missing:
                self._missing_since.setdefault(owner, now)
            else:
                self._missing_since.pop(owner, None)
        patience = for_.total_seconds()
        return sorted(owner for owner in missing if now - self._missing_since[owner] >= patience)

    async def close(self) -> None:
        """Let go of everything: the others take over."""
        if self._connection:
            with suppress(DBAPIError, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
        await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._roles.clear()
        if connection:
            with suppress(DBAPIError):
                # Back in the pool it would go on holding the locks.
                await connection.invalidate()
            await connection.close()

    async def _living(self) -> AsyncConnection:
        """The connection, after a look whether it is still there; a new one has our life's lock only."""
        if self._connection:
            with suppress(DBAPIError):
                await self._ask(self._connection, "SELECT 1")
                return self._connection
            await self._drop()
        connection = await self._connect()
        try:
            # AUTOCOMMIT: it would be idle in a transaction.
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            if (connection.dialect.server_version_info or ()) >= HAS_IDLE_TIMEOUT:
                await connection.execute(text(f"SET idle_session_timeout = {FROZEN // MILLISECOND}"))
            await connection.execute(
                text(SHOW_LIFE), {"classid": OWNERS, "number": _signed(lock_number(self._owner))}
            )
        except BaseException:
            with suppress(DBAPIError):
                await connection.invalidate()
            await connection.close()
            raise
        self._connection = connection
        return connection

    async def _ask(self, connection: AsyncConnection, statement: str, **values: object) -> object:
        try:
            return (await connection.execute(text(statement), values)).scalar()
        except asyncio.CancelledError:
            # In the middle of an answer it is of no use, and nobody knows what it holds.
            await self._drop()
            raise


def lock_number(owner: str) -> int:
    """32 bits for an owner, as pg_locks shows them: unsigned."""
    return zlib.crc32(owner.encode())


def _signed(number: int) -> int:
    """pg_advisory_lock takes signed numbers."""
    return number - (1 << 32) if number >> 31 else number
