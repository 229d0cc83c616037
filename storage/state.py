"""Small things to remember: watermarks, polling offsets, keys made at the first start."""

import secrets
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Executable, bindparam
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.sql import insert, insert_into, is_postgres
from storage.tables.columns import Json
from storage.tables.queues import State

SECRET_BYTES = 32


RECALL = select(State.value).where(col(State.key) == bindparam("key"))


async def recall(tx: AsyncSession, key: str) -> Json | None:
    """What was remembered under this key."""
    kept = (await tx.exec(RECALL, params={"key": key})).first()
    return None if kept is None else dict(kept)


async def is_as_new_as(tx: AsyncSession, key: str, since: datetime) -> bool:
    """Was it remembered at this moment or later?"""
    found = select(State.key).where(col(State.key) == key, col(State.updated_at) >= since)
    return (await tx.exec(found)).first() is not None


async def remember(tx: AsyncSession, key: str, value: Json) -> None:
    """Keep it in place of what was there; `version` counts the changes."""
    row = {"key": key, "value": value, "version": 0, "updated_at": datetime.now(UTC)}
    await (await tx.connection()).execute(_remembering(is_postgres(tx)), row)


@cache
def _remembering(for_postgres: bool) -> Executable:
    new = insert_into(State, for_postgres)
    return new.on_conflict_do_update(
        index_elements=[col(State.key)],
        set_={
            "value": new.excluded.value,
            "version": State.version + 1,
            "updated_at": new.excluded.updated_at,
        },
    )


async def remember_first(tx: AsyncSession, key: str, value: Json) -> bool:
    """Keep it for ever. False: something is kept there already."""
    row = insert(tx, State).values(key=key, value=value, version=0, updated_at=datetime.now(UTC))
    kept = row.on_conflict_do_nothing().returning(col(State.key))
    return (await (await tx.connection()).execute(kept)).first() is not None


async def forget(tx: AsyncSession, key: str) -> None:
    """As if it had never been remembered."""
    await tx.exec(delete(State).where(col(State.key) == key))


async def offset(tx: AsyncSession, channel: str) -> str:
    """Where to go on polling; "" before the first batch."""
    kept = await recall(tx, _offset_key(channel))
    return str(kept["offset"]) if kept else ""


async def keep_offset(tx: AsyncSession, channel: str, offset: str) -> None:
    """In the transaction that keeps what came before this offset."""
    await remember(tx, _offset_key(channel), {"offset": offset})


async def secret(db: Database, name: str) -> bytes:
    """A random key, made when it is first asked for and the same ever after."""
    key = f"secret:{name}"
    async with db.reading() as tx:
        kept = await recall(tx, key)
    if kept is None:
        async with db.transaction() as tx:
            made = {"hex": secrets.token_hex(SECRET_BYTES)}
            row = insert(tx, State).values(key=key, value=made, version=0, updated_at=datetime.now(UTC))
            await tx.exec(row.on_conflict_do_nothing())
            kept = await recall(tx, key)  # Another process may have been first.
    assert kept is not None  # noqa: S101  # just inserted, by us or by another
    return bytes.fromhex(kept["hex"])


def _offset_key(channel: str) -> str:
    return f"offset:{channel}"
