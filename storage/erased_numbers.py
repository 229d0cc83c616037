"""The numbers that asked to be forgotten, as keyed hashes: the next pull must not bring the people back."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import UTC, datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import state
from storage.sql import insert
from storage.tables.columns import Json
from storage.tables.people import Erased
from storage.tables.queues import State

KEY = "erased_key"  # of the hashes; whoever has only the table cannot try numbers


async def erased_among(tx: AsyncSession, phones: Collection[str]) -> set[str]:
    """Those numbers that asked to be forgotten: a pull must not bring the people back."""
    key = await state.recall(tx, KEY)
    if key is None:
        return set()
    hashes = {_hash(key, phone): phone for phone in phones}
    found = await tx.exec(select(Erased.hash).where(col(Erased.hash).in_(hashes)))
    return {hashes[found_hash] for found_hash in found}


async def is_erased(tx: AsyncSession, phone: str) -> bool:
    return phone in await erased_among(tx, [phone])


def _hash(key: Json, phone: str) -> str:
    return hmac.new(bytes.fromhex(key["hex"]), phone.encode(), hashlib.sha256).hexdigest()


async def keep_hash(tx: AsyncSession, phone: str, now: datetime) -> None:
    made = insert(tx, State).values(
        key=KEY, value={"hex": secrets.token_hex(32)}, version=0, updated_at=datetime.now(UTC)
    )
    await tx.exec(made.on_conflict_do_nothing())
    key = await state.recall(tx, KEY) or {}
    await tx.exec(insert(tx, Erased).values(hash=_hash(key, phone), erased_at=now).on_conflict_do_nothing())
