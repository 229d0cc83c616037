"""What came in, on disk before anybody is told that it arrived: the one writer, and the rows for the reader.

new → read | quarantined → new (requeued)
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Executable, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import state
from storage.database import Database
from storage.errors import Unavailable
from storage.sql import inline, insert_into, is_postgres
from storage.tables.queues import Inbox, InboxState


class Raw(Protocol):
    """An update as it came, with the key under which it is kept once."""

    @property
    def external_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Put:
    channel: str
    updates: Sequence[Raw]
    received_at: datetime
    said_after: datetime | None
    offset: tuple[str, str] | None
    stored: asyncio.Future[int]


class InboxWriter:
    """Commits what has gathered while the last commit was on its way to disk: many replies, one fsync."""

    def __init__(self, db: Database, *, on_new: Callable[[], None] = lambda: None) -> None:
        """`on_new` is called after a commit that brought rows, to wake the reader."""
        self._db = db
        self._on_new = on_new
        self._waiting: list[_Put] = []
        self._task: asyncio.Task[None] | None = None

    async def put(
        self,
        channel: str,
        updates: Sequence[Raw],
        received_at: datetime,
        *,
        offset: tuple[str, str] | None = None,
        said_after: datetime | None = None,
    ) -> int:
        """Keep the updates, and (name, value) of a polling offset with them. Returns when they are on disk.

        `said_after`: see `Inbox`.

        How many were new; repeats change nothing. After Unavailable the sender has to repeat it.
        """
        stored: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Put(channel, updates, received_at, said_after, offset, stored))
        if self._task is None:
            # A task of its own: whoever put something may be cancelled, the others still wait.
            self._task = asyncio.create_task(self._write())
        return await stored

    async def close(self) -> None:
        """Return when everything that was put is settled."""
        if self._task:
            await asyncio.wait({self._task})

    async def _write(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                if not await self._settle(group):
                    # One bad row must not take its neighbours along.
                    for put in group:
                        await self._settle([put])
        finally:
            self._task = None
            for put in self._waiting:  # Only when we were cancelled: nobody else would answer them.
                put.stored.cancel()

    async def _settle(self, group: list[_Put]) -> bool:
        """Commit together and tell everybody. False if the group has to be tried one by one."""
        storing = asyncio.create_task(self._store(group))
        await asyncio.wait({storing})
        error = storing.exception()
        if error and len(group) > 1 and not isinstance(error, Unavailable):
            return False
        counts = [0] * len(group) if error else storing.result()
        for put, count in zip(group, counts, strict=True):
            if put.stored.done():
                continue  # cancelled: nobody waits any more
            if error:
                put.stored.set_exception(error)
            else:
                put.stored.set_result(count)
        if any(counts):
            self._on_new()
        return True

    async def _store(self, group: list[_Put]) -> list[int]:
        async with self._db.transaction() as tx:
            counts = await _insert(tx, group)
            for put in group:
                if put.offset:
                    await state.keep_offset(tx, *put.offset)
        return counts


async def _insert(tx: AsyncSession, group: Sequence[_Put]) -> list[int]:
    """How many updates of each were new."""
    rows: list[dict[str, Any]] = []
    first: dict[tuple[str, str, str], int] = {}  # key → who brought it, were it new
    for place, put in enumerate(group):
        for raw in put.updates:
            first.setdefault((put.channel, raw.external_id, raw.kind), place)
            rows.append(
                {
                    "channel": put.channel,
                    "external_id": raw.external_id,
                    "kind": raw.kind,
                    "raw": raw.body,
                    "received_at": put.received_at,
                    "said_after": put.said_after,
                    "state": InboxState.NEW.value,
                    "attempts": 0,
                    "error": "",
                }
            )
    counts = [0] * len(group)
    if rows:
        # All in one go: a statement for each would cost more than the disk.
        new = await (await tx.connection()).execute(_adding(is_postgres(tx)), rows)
        for channel, external_id, kind in new:
            counts[first[channel, external_id, kind]] += 1
    return counts


@cache
def _adding(for_postgres: bool) -> Executable:
    key = col(Inbox.channel), col(Inbox.external_id), col(Inbox.kind)
    return insert_into(Inbox, for_postgres).on_conflict_do_nothing().returning(*key)


async def unread(db: Database, *, after: int = 0, limit: int = 100) -> list[Inbox]:
    """What nobody has read, in the order in which it came; `after` is the id to go on from."""
    new = select(Inbox).where(col(Inbox.state) == inline(InboxState.NEW), col(Inbox.id) > after)
    async with db.reading() as tx:
        return list((await tx.exec(new.order_by(col(Inbox.id)).limit(limit))).all())


async def has_unread(tx: AsyncSession, channel: str, kind: str) -> bool:
    """Is there anything of this kind that nobody has read yet?"""
    new = select(Inbox.id).where(
        col(Inbox.state) == inline(InboxState.NEW), Inbox.channel == channel, Inbox.kind == kind
    )
    return (await tx.exec(new.limit(1))).first() is not None


async def mark_read(tx: AsyncSession, id: int | None, now: datetime) -> bool:
    """In the transaction of all that follows from the row. False: another worker has read it, so undo."""
    return await _move(tx, id, InboxState.READ, read_at=now, error="")


async def empty(tx: AsyncSession, id: int | None) -> None:
    """Keep no more of what came than that it did; the key still keeps it from being taken twice."""
    await tx.exec(
        update(Inbox).where(col(Inbox.id) == id).values(raw=b"").execution_options(synchronize_session=False)
    )


async def quarantine(tx: AsyncSession, id: int | None, error: str, now: datetime) -> bool:
    """Put aside what cannot be read; it is kept as it came."""
    return await _move(tx, id, InboxState.QUARANTINED, read_at=now, error=error)


async def note_failure(tx: AsyncSession, id: int | None, error: str) -> int:
    """It could not be read this time, though it may be later. How often that has happened."""
    failed = (
        update(Inbox)
        .where(col(Inbox.id) == id, col(Inbox.state) == InboxState.NEW)
        .values(attempts=Inbox.attempts + 1, error=error)
        .returning(col(Inbox.attempts))
        .execution_options(synchronize_session=False)
    )
    return (await tx.exec(failed)).scalar() or 0


async def quarantined(db: Database) -> list[Inbox]:
    """What could not be read, oldest first."""
    aside = select(Inbox).where(col(Inbox.state) == InboxState.QUARANTINED).order_by(col(Inbox.id))
    async with db.reading() as tx:
        return list((await tx.exec(aside)).all())


async def requeue(tx: AsyncSession, ids: Sequence[int] | None = None) -> list[int]:
    """Take what was put aside in again: these, or all. Which it were."""
    again = (
        update(Inbox)
        .where(col(Inbox.state) == InboxState.QUARANTINED)
        .values(state=InboxState.NEW.value, attempts=0, error="", read_at=None)
        .returning(col(Inbox.id))
        .execution_options(synchronize_session=False)
    )
    if ids is not None:
        again = again.where(col(Inbox.id).in_(ids))
    return sorted((await tx.exec(again)).scalars())


async def _move(tx: AsyncSession, id: int | None, to: InboxState, *, read_at: datetime, error: str) -> bool:
    moved = (
        update(Inbox)
        .where(col(Inbox.id) == id, col(Inbox.state) == InboxState.NEW)
        .values(state=to.value, read_at=read_at, error=error)
        .returning(col(Inbox.id))
        .execution_options(synchronize_session=False)
    )
    return (await tx.exec(moved)).scalar() is not None
