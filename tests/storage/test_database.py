"""Connections, transactions, the instance lock: what the rest of the program relies on."""

import asyncio
import os
import sqlite3
import threading
import zlib
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import state
from storage.database import Database, parse_url
from storage.errors import AlreadyRunning, StorageError, Unavailable
from storage.tables.people import Client
from storage.tables.queues import State

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)

KILL_HOLDER = """
SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock
"""


async def ask(tx: AsyncSession, question: str, **values: object) -> object:
    """The one value that a statement gives."""
    return (await (await tx.connection()).execute(text(question), values)).scalar()


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-40_000:-20_000] = b"\xa5" * 20_000
    path.write_bytes(content)


@pytest.fixture
async def other(db: Database, db_url: str) -> AsyncIterator[Database]:
    """Another process with the same database, as far as the database can tell."""
    opened = await Database.open(db_url)
    yield opened
    await opened.close()


@pytest.fixture
def file(db: Database) -> Path:
    if not db.is_sqlite:
        pytest.skip("only SQLite is a file")
    return Path(db.url.database or "")


@pytest.fixture
def postgres(db: Database) -> Database:
    if db.is_sqlite:
        pytest.skip("only on PostgreSQL")
    return db


class TestTransactions:
    async def test_what_is_written_is_read(self, db: Database) -> None:
        async with db.transaction() as tx:
            await state.remember(tx, "k", {"v": "é\U0001f600"})
        async with db.reading() as tx:
            assert await state.recall(tx, "k") == {"v": "é\U0001f600"}

    @pytest.mark.parametrize(
        "name", ["", "\U0001f600\u200d", "a\0b", "'; DROP TABLE clients; --", "x" * 100_000]
    )
    async def test_every_text_can_be_kept(self, db: Database, name: str) -> None:
        async with db.transaction() as tx:
            tx.add(Client(key="a", name=name, created_at=NOON))
            await state.remember(tx, "k", {"v": name})
        async with db.reading() as tx:
            kept = (await tx.exec(select(Client.name).where(col(Client.key) == "a"))).one()
            assert kept.replace("\ufffd", "\0") == name  # PostgreSQL has no NUL
            assert await state.recall(tx, "k") == {"v": name}

    async def test_a_failed_transaction_leaves_nothing(self, db: Database) -> None:
        async def fail() -> None:
            async with db.transaction() as tx:
                await state.remember(tx, "k", {})
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with db.reading() as tx:
            assert await state.recall(tx, "k") is None

    async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(self, db: Database) -> None:
        inside = asyncio.Event()

        async def hang() -> None:
            async with db.transaction() as tx:
                await state.remember(tx, "k", {})
                inside.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(hang())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with db.transaction() as tx:
            assert await state.recall(tx, "k") is None

    async def test_one_cancelled_within_a_statement_blocks_nobody(self, db: Database) -> None:
        async def write() -> None:
            async with db.transaction() as tx:
                for number in range(100):
                    await state.remember(tx, f"k{number}", {})

        for delay in (0.0, 0.001, 0.005, 0.02):
            task = asyncio.create_task(write())
            await asyncio.sleep(delay)
            task.cancel()
            await asyncio.wait({task})
        async with db.transaction() as tx:
            await state.remember(tx, "k", {})

    async def test_one_inside_another_is_a_mistake_that_is_told_at_once(self, db: Database) -> None:
        with pytest.raises(RuntimeError, match="inside a transaction"):
            async with db.transaction(), db.transaction():
                pass
        async with db.transaction() as tx:
            await state.remember(tx, "k", {})

    async def test_tasks_take_turns(self, db: Database) -> None:
        async def write(number: int) -> None:
            async with db.transaction() as tx:
                await state.remember(tx, f"k{number}", {})

        await asyncio.gather(*(write(number) for number in range(20)))
        async with db.reading() as tx:
            assert len((await tx.exec(select(State))).all()) == 20

    async def test_read_then_write_loses_no_update_on_sqlite(
        self, file: Path, db: Database, other: Database
    ) -> None:
        async def count_up(database: Database) -> None:
            for _ in range(10):
                async with database.transaction() as tx:
                    now = (await state.recall(tx, "count") or {"n": 0})["n"]
                    await asyncio.sleep(0)
                    await state.remember(tx, "count", {"n": now + 1})

        await asyncio.gather(*(count_up(database) for database in (db, other, db, other)))
        async with db.reading() as tx:
            assert await state.recall(tx, "count") == {"n": 40}


class TestReading:
    async def test_a_reader_cannot_write(self, db: Database) -> None:
        with pytest.raises((Unavailable, StatementError), match=r"read-?only"):
            async with db.reading() as tx:
                await state.remember(tx, "k", {})

    async def test_a_connection_that_read_can_write_the_next_time(self, db: Database) -> None:
        for _ in range(12):
            async with db.reading() as tx:
                await state.recall(tx, "k")
            async with db.transaction() as tx:
                await state.remember(tx, "k", {})

    async def test_a_reader_sees_one_moment(self, db: Database) -> None:
        async with db.reading() as reader:
            before = await state.recall(reader, "k")
            async with db.transaction() as tx:
                await state.remember(tx, "k", {})
            assert await state.recall(reader, "k") == before

    async def test_readers_do_not_wait_for_the_writer(self, db: Database) -> None:
        async with db.transaction() as tx:
            await state.remember(tx, "k", {})
            async with db.reading() as reader:
                assert await state.recall(reader, "k") is None


class TestTimes:
    @pytest.mark.parametrize(
        "zone", [UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-3, minutes=-30))]
    )
    async def test_utc_comes_back(self, db: Database, zone: timezone) -> None:
        moment = datetime(2026, 10, 5, 23, 59, 59, 123456, tzinfo=zone)
        async with db.transaction() as tx:
            tx.add(Client(key="a", created_at=moment))
        async with db.reading() as tx:
            found = (await tx.exec(select(Client.created_at).where(col(Client.created_at) == moment))).one()
        assert found == moment
        assert found.tzinfo is UTC

    async def test_times_without_a_zone_are_refused(self, db: Database) -> None:
        with pytest.raises((StatementError, ValueError), match="timezone"):
            async with db.transaction() as tx:
                tx.add(Client(key="a", created_at=NOON.replace(tzinfo=None)))

    async def test_times_are_compared_as_times(self, db: Database) -> None:
        late = (NOON + timedelta(hours=1)).astimezone(timezone(timedelta(hours=-9)))  # a smaller clock face
        async with db.transaction() as tx:
            tx.add(Client(key="early", created_at=NOON))
            tx.add(Client(key="late", created_at=late))
        async with db.reading() as tx:
            keys = (await tx.exec(select(Client.key).order_by(col(Client.created_at)))).all()
        assert keys == ["early", "late"]


class TestTrouble:
    async def test_errors_do_not_show_what_was_written(self, db: Database) -> None:
        row = insert(State).values(key="k", value={"v": "secret-value"}, version=0, updated_at=NOON)
        async with db.transaction() as tx:
            await tx.exec(row)
        with pytest.raises(IntegrityError) as error:
            async with db.transaction() as tx:
                await tx.exec(row)
        assert "secret-value" not in str(error.value)

    async def test_a_locked_file_is_unavailable_until_it_is_free(self, file: Path, db: Database) -> None:
        async with db.transaction() as tx:
            await (await tx.connection()).execute(text("PRAGMA busy_timeout=20"))
        with closing(sqlite3.connect(file, isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            for _ in range(3):
                with pytest.raises(Unavailable, match="locked"):
                    async with db.transaction() as tx:
                        await state.remember(tx, "k", {})
            stranger.execute("ROLLBACK")
        async with db.transaction() as tx:
            await state.remember(tx, "k", {})

    async def test_a_full_disk_is_unavailable_until_there_is_room(self, file: Path, db: Database) -> None:
        async with db.transaction() as tx:
            pages = await ask(tx, "PRAGMA page_count")
            await ask(tx, f"PRAGMA max_page_count={pages}")
        with pytest.raises(Unavailable, match="full"):
            async with db.transaction() as tx:
                await state.remember(tx, "k", {"long": "x" * 100_000})
        async with db.transaction() as tx:
            await ask(tx, "PRAGMA max_page_count=100000")
            await state.remember(tx, "k", {"long": "x" * 100_000})

    async def test_a_lost_connection_is_replaced(self, postgres: Database, other: Database) -> None:
        async def lose_it() -> None:
            async with postgres.transaction() as tx:
                pid = await ask(tx, "SELECT pg_backend_pid()")
                await state.remember(tx, "k", {})
                async with other.reading() as killer:
                    await ask(killer, f"SELECT pg_terminate_backend({pid})")
                await state.recall(tx, "k")

        await postgres.claim_instance()
        with pytest.raises(Unavailable):
            await lose_it()
        async with postgres.transaction() as tx:
            assert await state.recall(tx, "k") is None


class TestSettings:
    @pytest.mark.parametrize(
        ("setting", "writer", "reader"),
        [
            ("journal_mode", "wal", "wal"),
            ("synchronous", 2, None),  # FULL; a reader syncs nothing
            ("busy_timeout", 5000, 5000),
            ("foreign_keys", 1, 1),
            ("query_only", 0, 1),
            ("wal_autocheckpoint", 0, None),  # beside a worker, as long as it is none itself
        ],
    )
    async def test_of_sqlite(
        self, file: Path, db: Database, setting: str, writer: object, reader: object
    ) -> None:
        async with db.transaction() as tx:
            assert await ask(tx, f"PRAGMA {setting}") == writer
        if reader is not None:
            async with db.reading() as tx:
                assert await ask(tx, f"PRAGMA {setting}") == reader

    async def test_the_worker_makes_checkpoints(self, file: Path, db: Database) -> None:
        await db.claim_instance()
        async with db.transaction() as tx:
            assert await ask(tx, "PRAGMA wal_autocheckpoint") == 1000

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("timezone", "UTC"),
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "1min"),
            ("transaction_isolation", "read committed"),
        ],
    )
    async def test_of_postgres(self, postgres: Database, setting: str, value: str) -> None:
        async with postgres.transaction() as tx:
            assert await ask(tx, f"SHOW {setting}") == value


class TestOneWorker:
    async def test_a_second_one_on_the_file_is_refused_with_a_sentence(
        self, file: Path, db: Database, other: Database
    ) -> None:
        await db.claim_instance()
        await db.claim_instance()  # again changes nothing
        with pytest.raises(AlreadyRunning, match="Another sarafan works with this database already"):
            await other.claim_instance()
        await db.close()
        await other.claim_instance()

    async def test_a_command_beside_the_worker_writes(
        self, file: Path, db: Database, other: Database
    ) -> None:
        await db.claim_instance()
        async with other.transaction() as tx:
            await state.remember(tx, "k", {})

    async def test_several_on_postgres_know_who_lives(self, postgres: Database, other: Database) -> None:
        await postgres.claim_instance()
        await other.claim_instance()
        gone = await Database.open(str(other.url.render_as_string(hide_password=False)))
        await gone.claim_instance()
        await gone.close()
        owners = [postgres.owner, other.owner, gone.owner]
        assert await postgres.orphans(owners) == [gone.owner]
        assert await postgres.orphans(["", "of another form"]) == ["", "of another form"]
        await other.close()
        assert await postgres.orphans(owners) == sorted([gone.owner, other.owner])

    async def test_a_worker_that_lost_its_connection_shows_its_life_again(
        self, postgres: Database, other: Database
    ) -> None:
        await postgres.claim_instance()
        await other.claim_instance()
        lock = zlib.crc32(postgres.owner.encode())
        async with other.reading() as tx:
            await ask(tx, KILL_HOLDER, lock=lock)
        assert await other.orphans([postgres.owner]) == [postgres.owner]
        await postgres.orphans([other.owner])  # looks after its own lock first
        assert await other.orphans([postgres.owner]) == []

    async def test_on_a_file_everybody_else_is_gone(self, file: Path, db: Database) -> None:
        assert await db.orphans([db.owner, "b", "a"]) == ["a", "b"]

    async def test_each_start_has_an_owner_of_its_own(self, db: Database, other: Database) -> None:
        assert db.owner != other.owner


class TestOpening:
    async def test_folders_are_made(self, tmp_path: Path) -> None:
        db = await Database.open(f"sqlite:///{tmp_path}/new/folders/sarafan.db")
        await db.close()
        assert (tmp_path / "new/folders/sarafan.db").is_file()

    async def test_a_command_that_needs_rows_makes_no_empty_database(self, tmp_path: Path) -> None:
        for _ in range(2):
            with pytest.raises(StorageError, match=r"There is no database at .*`sarafan run` makes it"):
                await Database.open(f"sqlite:///{tmp_path}/new/sarafan.db", must_exist=True)
        assert os.listdir(tmp_path) == []
        await (await Database.open(f"sqlite:///{tmp_path}/made.db", migrate=False)).close()
        with pytest.raises(StorageError, match="There is no database"):
            await Database.open(f"sqlite:///{tmp_path}/made.db", must_exist=True)

    async def test_a_command_that_needs_rows_opens_what_a_worker_made(self, db_url: str) -> None:
        await (await Database.open(db_url, must_exist=True)).close()

    async def test_no_thread_outlives_it(self, db: Database) -> None:
        before = set(threading.enumerate())
        second = await Database.open(db.url.render_as_string(hide_password=False))
        async with second.reading() as a, second.reading() as b, second.transaction() as c:
            await asyncio.gather(*(state.recall(tx, "k") for tx in (a, b, c)))
        await second.close()
        await second.close()  # again changes nothing
        for thread in set(threading.enumerate()) - before:
            thread.join(timeout=1)
            assert not thread.is_alive()

    @pytest.mark.parametrize(
        "content", [b"This is no database at all.\n" * 100, b"SQLite format 3\0" + b"\xff" * 9000]
    )
    async def test_a_damaged_file_stops_the_start(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "sarafan.db"
        path.write_bytes(content)
        with pytest.raises(StorageError, match=r"sarafan\.db is damaged .* last backup"):
            await Database.open(f"sqlite:///{path}")
        assert path.read_bytes() == content

    async def test_damage_in_the_middle_stops_the_worker(self, file: Path, db: Database) -> None:
        async with db.transaction() as tx:
            for number in range(200):
                await state.remember(tx, f"k{number}", {"long": "x" * 1000})
        await db.close()
        spoil(file)
        again = await Database.open(f"sqlite:///{file}")
        with pytest.raises(StorageError, match="is damaged"):
            await again.claim_instance()
        await again.close()

    @pytest.mark.parametrize("name", ["file/sarafan.db", "folder"])
    async def test_a_place_that_cannot_hold_it_is_named(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").touch()
        (tmp_path / "folder").mkdir()
        with pytest.raises(StorageError, match=rf"{name} cannot be opened: .*storage\.url"):
            await Database.open(f"sqlite:///{tmp_path / name}")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    async def test_a_folder_without_rights_is_named(self, tmp_path: Path) -> None:
        os.chmod(tmp_path, 0o500)
        with pytest.raises(StorageError, match="permission denied"):
            await Database.open(f"sqlite:///{tmp_path}/sarafan.db")

    async def test_a_server_that_does_not_answer_is_told_without_the_password(self) -> None:
        with pytest.raises(Unavailable, match="refused") as error:
            await Database.open("postgresql+psycopg://user:hunter2@127.0.0.1:1/sarafan")
        told = str(error.value)
        assert "hunter2" not in told
        assert told.startswith("postgresql+psycopg://user:***@127.0.0.1:1/sarafan: ")
        assert ("\n" in told, told.endswith("address, user and password are right.")) == (False, True)


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///data/sarafan.db", "sqlite+aiosqlite"),
        ("sqlite:////var/lib/sarafan.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///data/sarafan.db", "sqlite+aiosqlite"),
        ("postgresql+psycopg://user@host/db", "postgresql+psycopg"),
        ("postgresql://user:pass@host/db?sslmode=require", "postgresql+psycopg"),
        ("postgres://user@host/db", "postgresql+psycopg"),
    ],
)
def test_addresses(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize(
    "url", ["", "data/sarafan.db", "mysql://u:hunter2@host/db", "sqlite", "://u:hunter2@"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(StorageError, match=r"storage\.url") as error:
        parse_url(url)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
async def test_a_database_in_memory_would_forget(url: str) -> None:
    with pytest.raises(StorageError, match="names no file"):
        await Database.open(url)
