"""SQLite without room, or held by a stranger: nothing goes out that is not on disk; it recovers by itself."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import timedelta

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.errors import Unavailable
from tests.world import World

pytestmark = pytest.mark.own_database

Trouble = Callable[[Database], AbstractAsyncContextManager[None]]


async def limit(db: Database, pages: int) -> None:
    async with db.transaction() as tx:
        await (await tx.connection()).execute(text(f"PRAGMA max_page_count={pages}"))


@asynccontextmanager
async def full(db: Database) -> AsyncIterator[None]:
    """No page is left, nor half a page: what is written now needs another one."""
    async with db.transaction() as tx:
        connection = await tx.connection()
        await connection.execute(text("CREATE TABLE IF NOT EXISTS filler (x)"))
        # Every change of a survey needs room that there is not.
        await connection.execute(
            text(
                "CREATE TRIGGER fills AFTER UPDATE ON surveys BEGIN "
                "INSERT INTO filler VALUES (zeroblob(100000)); END"
            )
        )
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar()
    await limit(db, int(pages or 0))
    yield
    await limit(db, 1_000_000)
    async with db.transaction() as tx:
        await (await tx.connection()).execute(text("DROP TRIGGER fills"))


@asynccontextmanager
async def locked(db: Database) -> AsyncIterator[None]:
    """Somebody else writes, and does not end."""
    async with db.transaction() as tx:
        await (await tx.connection()).execute(text("PRAGMA busy_timeout=50"))
    with closing(sqlite3.connect(db.url.database or "", isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        yield
        stranger.execute("ROLLBACK")


@pytest.mark.parametrize("trouble", [full, locked])
async def test_no_question_goes_out_without_a_claim_on_disk(town: World, trouble: Trouble) -> None:
    if not town.db.is_sqlite:
        pytest.skip("only SQLite is a file")
    await town.closed_deal()
    town.clock.advance(timedelta(days=1))
    async with trouble(town.db):
        for _ in range(3):
            with pytest.raises(Unavailable):
                await town.step()
        assert town.to_ivan() == []
    await town.step()
    assert len(town.to_ivan()) == 1
    await town.later(hours=1)
    assert len(town.to_ivan()) == 1


@pytest.mark.parametrize("trouble", [locked])
async def test_a_reply_that_could_not_be_kept_is_read_again(town: World, trouble: Trouble) -> None:
    if not town.db.is_sqlite:
        pytest.skip("only SQLite is a file")
    deal = await town.asked()
    town.whatsapp.says("+79140000001", "9")
    async with trouble(town.db):
        with pytest.raises(Unavailable):
            await town.step()
    await town.step()
    assert (await town.survey(deal)).score == 9


async def test_a_reply_is_not_put_aside_for_trouble_of_the_database(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = await town.asked()
    town.whatsapp.says("+79140000001", "9")

    async def full(*_: object) -> None:
        raise Unavailable("The database cannot be used now: database or disk is full")

    # What takes a reply in needs more room than what notes that it failed.
    with monkeypatch.context() as trouble:
        trouble.setattr("worker.flows.listen.take", full)
        for _ in range(6):
            with pytest.raises(Unavailable):
                await town.step()
    await town.step()
    assert (await town.survey(deal)).score == 9
