"""A worker that is told to stop waits for no long question to the database."""

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from storage import state
from storage.database import Database

# Takes a minute.
LONG = text(
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200000000) "
    "SELECT count(*) FROM n"
)
BEGUN = 0.1  # seconds
AT_ONCE = 5.0  # seconds, on a busy machine


async def ask(db: Database) -> None:
    async with db.reading() as tx:
        await (await tx.connection()).execute(LONG)


async def test_who_no_longer_wants_the_answer_waits_for_none(db: Database) -> None:
    asking = asyncio.create_task(ask(db))
    await asyncio.sleep(BEGUN)
    asking.cancel()
    _, waiting = await asyncio.wait({asking}, timeout=AT_ONCE)
    assert not waiting
    async with db.transaction() as tx:
        await state.remember(tx, "k", {})
    async with db.reading() as tx:
        assert await state.recall(tx, "k") == {}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # its loop is closed
@pytest.mark.parametrize("again", [0.0, 0.001, 0.02])
def test_told_twice_it_ends_too(tmp_path: Path, again: float) -> None:
    async def stop() -> None:
        db = await Database.open(f"sqlite:///{tmp_path}/x.db")
        asking = asyncio.create_task(ask(db))
        await asyncio.sleep(BEGUN)
        asking.cancel()
        await asyncio.sleep(again)
        await db.close()  # What still hangs is cancelled once more when the loop ends.

    worker = threading.Thread(target=asyncio.run, args=(stop(),), daemon=True)
    worker.start()
    worker.join(AT_ONCE)
    assert not worker.is_alive()
