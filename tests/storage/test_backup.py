"""A copy made while the worker writes is whole, and can be started from."""

import asyncio
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

from storage import outbox, state
from storage.backup import ROWS_AT_ONCE, TABLES, backup, scratch_copy
from storage.database import Database
from storage.errors import StorageError
from storage.inbox import InboxWriter
from storage.tables.deals import Deal
from storage.tables.people import Client
from storage.tables.queues import Inbox, Outbox

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)


class Update:
    external_id = "1"
    kind = "message"
    body = b"\x00\xff"


@pytest.fixture
def file(db: Database) -> Path:
    if not db.is_sqlite:
        pytest.skip("only SQLite is a file")
    return Path(db.url.database or "")


def address(path: Path) -> str:
    return f"sqlite:///{path}"


async def fill(db: Database) -> None:
    """Rows with every kind of column."""
    async with db.transaction() as tx:
        tx.add(Client(key="phone:+79140000001", name="Мария \U0001f600", created_at=NOON))
        tx.add(
            Deal(
                deal_id=2**40,
                price=184_000.5,
                tags=["vip"],
                fields={"77": [{"value": "x", "enum_id": None}]},
                created_at=NOON,
                updated_at=NOON,
                seen_at=NOON,
                is_reply=True,
            )
        )
        tx.add_all(
            Outbox(kind="thank_client", key=str(number), payload={"n": number}, due_at=NOON, created_at=NOON)
            for number in range(ROWS_AT_ONCE + 1)
        )
        await state.remember(tx, "k", {"v": 1})
    await InboxWriter(db).put("telegram", [Update()], NOON)


async def everything(db: Database) -> dict[str, list[dict[str, object]]]:
    async with db.reading() as tx:
        connection = await tx.connection()
        return {
            table.name: [
                dict(row)
                for row in (await connection.execute(table.select().order_by(*table.primary_key))).mappings()
            ]
            for table in TABLES
        }


class TestBackup:
    async def test_it_is_restored_and_read(self, file: Path, db: Database, tmp_path: Path) -> None:
        await fill(db)
        await backup(address(file), tmp_path / "new/folder/copy.db")
        restored = await Database.open(address(tmp_path / "new/folder/copy.db"))
        await restored.claim_instance()
        assert await everything(restored) == await everything(db)
        assert len(await outbox.claim(restored, NOON, limit=9999)) == ROWS_AT_ONCE + 1
        await restored.close()

    async def test_while_the_worker_writes_it_holds_whole_transactions(
        self, file: Path, db: Database, tmp_path: Path
    ) -> None:
        await db.claim_instance()
        is_over, one_more = asyncio.Event(), asyncio.Event()
        written = 0

        async def write() -> None:
            nonlocal written
            while not is_over.is_set():
                async with db.transaction() as tx:
                    for half in ("left", "right"):
                        await state.remember(tx, f"{half}:{written}", {"x": "y" * 500})
                written += 1
                one_more.set()

        writing = asyncio.create_task(write())
        copies = [tmp_path / f"copy{number}.db" for number in range(5)]
        for copy in copies:
            await backup(address(file), copy)
            one_more.clear()
            await one_more.wait()
        is_over.set()
        await writing
        sizes = []
        for copy in copies:
            with closing(sqlite3.connect(copy)) as reader:
                assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                count = "SELECT count(*) FROM state WHERE key LIKE ?"
                (left,) = reader.execute(count, ("left:%",)).fetchone()
                (right,) = reader.execute(count, ("right:%",)).fetchone()
            assert left == right
            sizes.append(left)
        assert sizes == sorted(sizes)
        assert sizes[-1] > 0

    async def test_it_is_one_file_and_takes_the_place_of_an_older_one(
        self, file: Path, db: Database, tmp_path: Path
    ) -> None:
        folder = tmp_path / "copies"
        await backup(address(file), folder / "copy.db")
        await fill(db)
        await backup(address(file), folder / "copy.db")
        assert os.listdir(folder) == ["copy.db"]
        copy = await Database.open(address(folder / "copy.db"))
        async with copy.reading() as tx:
            assert await state.recall(tx, "k") == {"v": 1}
        await copy.close()

    async def test_over_the_database_itself_is_refused(self, file: Path, db: Database) -> None:
        await fill(db)
        with pytest.raises(StorageError, match="is the database itself"):
            await backup(address(file), file.parent / "." / file.name)
        async with db.reading() as tx:
            assert await state.recall(tx, "k") == {"v": 1}

    async def test_of_nothing_is_refused_and_makes_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(StorageError, match="There is no database"):
            await backup(address(tmp_path / "none.db"), tmp_path / "copy.db")
        assert os.listdir(tmp_path) == []

    async def test_a_place_that_cannot_hold_it_is_named(self, file: Path, tmp_path: Path) -> None:
        (tmp_path / "plain").touch()
        with pytest.raises(StorageError, match=r"copy\.db cannot be written"):
            await backup(address(file), tmp_path / "plain/copy.db")

    async def test_a_damaged_database_leaves_the_older_copy(self, tmp_path: Path) -> None:
        (tmp_path / "sarafan.db").write_bytes(b"This is no database at all.\n" * 100)
        (tmp_path / "copy.db").write_bytes(b"the last good one")
        with pytest.raises(StorageError, match="could not be copied"):
            await backup(address(tmp_path / "sarafan.db"), tmp_path / "copy.db")
        assert (tmp_path / "copy.db").read_bytes() == b"the last good one"
        assert not (tmp_path / "copy.db.part").exists()

    async def test_postgres_has_a_tool_of_its_own(self, tmp_path: Path) -> None:
        with pytest.raises(StorageError, match="pg_dump"):
            await backup("postgresql://user@host/db", tmp_path / "copy")


class TestScratchCopy:
    async def test_it_holds_every_row_of_either_database(self, db: Database, tmp_path: Path) -> None:
        await fill(db)
        copy = await scratch_copy(db, tmp_path / "scratch.db")
        assert copy.is_sqlite
        assert await everything(copy) == await everything(db)
        await copy.close()

    async def test_what_is_tried_on_it_leaves_the_original(self, db: Database, tmp_path: Path) -> None:
        await fill(db)
        before = await everything(db)
        copy = await scratch_copy(db, tmp_path / "scratch.db")
        async with copy.transaction() as tx:
            tx.add(Client(key="new", created_at=NOON))  # ids go on after the copied ones
            await state.remember(tx, "k", {"v": 2})
        await outbox.claim(copy, NOON, limit=10)
        await copy.close()
        assert await everything(db) == before

    async def test_rows_come_back_as_objects(self, db: Database, tmp_path: Path) -> None:
        await fill(db)
        copy = await scratch_copy(db, tmp_path / "scratch.db")
        tables: list[type[SQLModel]] = [Deal, Inbox, Outbox]
        for table in tables:
            async with copy.reading() as theirs, db.reading() as ours:
                assert (await theirs.exec(select(table))).all() == (await ours.exec(select(table))).all()
        await copy.close()


@pytest.mark.parametrize("place", [".", "/"])
async def test_a_folder_is_no_place_for_a_copy(file: Path, place: str) -> None:
    with pytest.raises(StorageError, match="is a directory") as error:
        await backup(address(file), Path(place))
    assert error.value.say("ru") == f"{place} не записать: это папка."
