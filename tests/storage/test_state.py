"""Small things are remembered until they are forgotten."""

import asyncio

from sqlmodel import col, select

from storage import state
from storage.database import Database
from storage.tables.queues import State


async def test_what_was_never_remembered_is_none(db: Database) -> None:
    async with db.reading() as tx:
        assert await state.recall(tx, "watermark") is None


async def test_the_last_value_counts_and_changes_are_numbered(db: Database) -> None:
    for value in ("a", "b", "c"):
        async with db.transaction() as tx:
            await state.remember(tx, "k", {"v": value, "deep": [1, None, {"é": 2.5}]})
    async with db.reading() as tx:
        assert await state.recall(tx, "k") == {"v": "c", "deep": [1, None, {"é": 2.5}]}
        assert (await tx.exec(select(State.version).where(col(State.key) == "k"))).one() == 2


async def test_what_is_recalled_can_be_changed_without_changing_what_is_kept(db: Database) -> None:
    async with db.transaction() as tx:
        await state.remember(tx, "k", {"v": 1})
        recalled = await state.recall(tx, "k")
        assert recalled is not None
        recalled["v"] = 2
        assert await state.recall(tx, "k") == {"v": 1}


async def test_the_forgotten_is_gone(db: Database) -> None:
    async with db.transaction() as tx:
        await state.remember(tx, "k", {})
        await state.forget(tx, "k")
        await state.forget(tx, "k")
        assert await state.recall(tx, "k") is None


async def test_offsets_belong_to_their_channel(db: Database) -> None:
    async with db.transaction() as tx:
        await state.keep_offset(tx, "telegram", "812")
        assert await state.offset(tx, "telegram") == "812"
        assert await state.offset(tx, "whatsapp") == ""


async def test_a_secret_is_made_once_whoever_asks_first(db: Database, db_url: str) -> None:
    other = await Database.open(db_url)
    made = await asyncio.gather(
        *(state.secret(database, "erased") for database in (db, other) for _ in range(4))
    )
    await other.close()
    assert len(set(made)) == 1
    assert len(made[0]) == state.SECRET_BYTES
    assert await state.secret(db, "dashboard") != made[0]
