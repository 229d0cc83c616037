"""Several workers on one PostgreSQL: a role is one worker's, and goes on to another when that one is gone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from storage import locks
from storage.database import Database, parse_url
from storage.errors import Unavailable

KILL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
WHERE locktype = 'advisory' AND classid = :owners AND objid = :number
"""

HELD = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :owners AND objid = :number
"""


@pytest.fixture
async def other(db: Database, db_url: str) -> AsyncIterator[Database]:
    """Another process with the same database, as far as the database can tell."""
    opened = await Database.open(db_url)
    yield opened
    await opened.close()


@pytest.fixture
def postgres(db: Database) -> Database:
    if db.is_sqlite:
        pytest.skip("only PostgreSQL has several workers")
    return db


async def cut(owner: Database, by: Database) -> None:
    """The connection that holds an owner's locks is gone, though the process lives."""
    async with by.transaction() as tx:
        statement = text(KILL).bindparams(owners=locks.OWNERS, number=locks.lock_number(owner.owner))
        killed = (await (await tx.connection()).execute(statement)).scalar()
    assert killed == 1
    # The server ends a session in its own time: until then its locks stand.
    while await _locks_of(owner, by):  # noqa: ASYNC110 - there is nothing else to wait for
        await asyncio.sleep(0.01)


async def _locks_of(owner: Database, by: Database) -> int:
    async with by.transaction() as tx:
        statement = text(HELD).bindparams(owners=locks.OWNERS, number=locks.lock_number(owner.owner))
        return int((await (await tx.connection()).execute(statement)).scalar_one())


async def test_the_one_worker_of_a_file_has_every_role(db: Database) -> None:
    if not db.is_sqlite:
        pytest.skip("only SQLite admits one")
    assert await db.hold("pull")
    assert await db.hold("poll telegram")


async def test_a_role_is_one_workers(postgres: Database, other: Database) -> None:
    assert await postgres.hold("pull")
    assert not await other.hold("pull")
    assert await postgres.hold("pull"), "asked again it is still ours"


async def test_different_roles_may_be_with_different_workers(postgres: Database, other: Database) -> None:
    assert await postgres.hold("pull")
    assert await other.hold("poll telegram")
    assert not await postgres.hold("poll telegram")


async def test_of_many_at_once_one_gets_it(postgres: Database, db_url: str) -> None:
    workers = [await Database.open(db_url) for _ in range(4)]
    try:
        got = await asyncio.gather(*(worker.hold("pull") for worker in workers for _ in range(3)))
        assert sum(got) == 3, "one of them, three times"
    finally:
        for worker in workers:
            await worker.close()


async def test_who_ends_lets_go(postgres: Database, other: Database) -> None:
    assert await postgres.hold("pull")
    await postgres.close()
    assert await other.hold("pull")


async def test_who_lost_the_connection_has_lost_the_role(postgres: Database, other: Database) -> None:
    assert await postgres.hold("pull")
    await cut(postgres, by=other)
    assert await other.hold("pull")
    assert not await postgres.hold("pull"), "it must not go on believing"


async def test_a_cut_connection_is_replaced_when_nobody_was_faster(
    postgres: Database, other: Database
) -> None:
    assert await postgres.hold("pull")
    await cut(postgres, by=other)
    assert await postgres.hold("pull")
    assert not await other.hold("pull")


async def test_another_installation_in_the_same_database_has_roles_of_its_own(
    postgres: Database, db_url: str
) -> None:
    stranger = await Database.open(db_url.partition("?")[0], migrate=False)
    try:
        assert await stranger.hold("a role of this test")
        assert await postgres.hold("a role of this test")
    finally:
        await stranger.close()


async def test_a_cancelled_question_leaves_no_half_answer(postgres: Database, other: Database) -> None:
    assert await postgres.hold("pull")
    for wait in (0.0, 0.0002, 0.0005, 0.001):
        asking = asyncio.create_task(postgres.hold("poll telegram"))
        await asyncio.sleep(wait)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert await postgres.hold("pull")
    assert await postgres.hold("poll telegram")
    assert not await other.hold("poll telegram")


async def test_a_frozen_process_loses_its_locks(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    # After a minute without a word the server ends its session; here after a moment.
    monkeypatch.setattr(locks, "FROZEN", timedelta(milliseconds=100))
    frozen = await Database.open(postgres.url.render_as_string(hide_password=False))
    try:
        assert await frozen.hold("pull")
        assert not await postgres.hold("pull")
        await asyncio.sleep(0.4)
        assert await postgres.hold("pull")
        assert not await frozen.hold("pull")
    finally:
        await frozen.close()


async def test_without_a_server_nobody_has_a_role() -> None:
    db = Database(parse_url("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(Unavailable):
        await db.hold("pull")
    await db.close()


async def test_a_worker_without_its_lock_for_a_moment_is_not_gone(
    postgres: Database, other: Database
) -> None:
    await postgres.claim_instance()
    await cut(postgres, by=other)
    soon = timedelta(seconds=0.1)
    assert await other.orphans([postgres.owner], gone_for=soon) == []
    await postgres.hold("pull")
    await asyncio.sleep(0.15)
    assert await other.orphans([postgres.owner], gone_for=soon) == [], "it is back"
    await postgres.close()
    assert await other.orphans([postgres.owner], gone_for=soon) == []
    assert await other.orphans(["somebody else"], gone_for=soon) == [], "each has a time of its own"
    await asyncio.sleep(0.15)
    assert await other.orphans([postgres.owner], gone_for=soon) == [postgres.owner]
