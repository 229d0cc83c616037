"""The tables come up to date at the start: whole, or not at all, and never backwards."""

import asyncio
import importlib
import os
import pkgutil
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, inspect, make_url, text
from sqlmodel import SQLModel

from storage import migrate, state, tables
from storage.database import Database
from storage.errors import AlreadyRunning, StorageError
from storage.tables.registry import METADATA, TABLES
from tests.conftest import DATABASES
from tests.postgres import POSTGRES_URL

ADD_COLUMN = "op.add_column('state', sa.Column('note', sa.Text(), nullable=False, server_default='none'))"


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    name = f"sarafan_test_empty_{os.getpid()}"
    base = make_url(POSTGRES_URL)
    dsn = base.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET client_min_messages TO warning")
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        url = base.update_query_dict({"options": f"-c search_path={name}"})
        yield url.render_as_string(hide_password=False)
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


class NextVersion:
    """A later program: one migration more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(migrate.SCRIPTS, folder)

    def does(self, *lines: str) -> None:
        """Write what its migration does."""
        body = textwrap.indent("\n".join(lines), "    ")
        (self.folder / "versions/0002_next.py").write_text(
            f"import os, signal\nimport sqlalchemy as sa\nfrom alembic import op\n"
            f"revision = '0002'\ndown_revision = '0001'\n\n\ndef upgrade():\n{body}\n",
            encoding="utf-8",
        )

    def start(self, url: str) -> subprocess.CompletedProcess[str]:
        """Start it as a process of its own."""
        program = f"""
            import asyncio
            from pathlib import Path
            from storage import migrate
            from storage.database import Database

            migrate.SCRIPTS = Path({str(self.folder)!r})
            migrate.REVISIONS, migrate.HEAD = ("0001", "0002"), "0002"

            async def start():
                await (await Database.open({url!r})).close()

            asyncio.run(start())
        """
        return subprocess.run(  # noqa: S603  # our own interpreter with our own lines
            [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NextVersion:
    version = NextVersion(tmp_path / "next")
    monkeypatch.setattr(migrate, "SCRIPTS", version.folder)
    monkeypatch.setattr(migrate, "REVISIONS", ("0001", "0002"))
    monkeypatch.setattr(migrate, "HEAD", "0002")
    return version


async def columns_of_state(db: Database) -> set[str]:
    async with db.reading() as tx:
        connection = await tx.connection()
        found = await connection.run_sync(lambda sync: inspect(sync).get_columns("state"))
    return {column["name"] for column in found}


async def revision_of(db: Database) -> str:
    async with db.reading() as tx:
        return await migrate.revision(await tx.connection())


async def remembered(url: str, *, migrated: bool = True) -> object:
    db = await Database.open(url, migrate=migrated)
    async with db.reading() as tx:
        kept = await state.recall(tx, "k")
    await db.close()
    return kept


async def remember(url: str) -> None:
    db = await Database.open(url, migrate=False)
    async with db.transaction() as tx:
        await state.remember(tx, "k", {"v": 1})
    await db.close()


async def undo(url: str) -> None:
    """Back to the tables that the other tests of this process expect."""
    db = await Database.open(url, migrate=False)
    async with db.transaction() as tx:
        connection = await tx.connection()
        await connection.execute(text("ALTER TABLE state DROP COLUMN note"))
        await connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    await db.close()


class TestTables:
    def test_each_stands_in_the_registry(self) -> None:
        declared = {
            table
            for module in pkgutil.iter_modules(tables.__path__)
            for table in vars(importlib.import_module(f"storage.tables.{module.name}")).values()
            if isinstance(table, type) and issubclass(table, SQLModel) and table is not SQLModel
        }
        assert declared == {*TABLES}

    async def test_they_are_what_the_registry_of_tables_names(self, db: Database) -> None:
        def differences(connection: Connection) -> list[object]:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            return list(compare_metadata(context, METADATA))

        async with db.reading() as tx:
            assert await (await tx.connection()).run_sync(differences) == []

    async def test_partial_indexes_hold_the_same_rows(self, db: Database) -> None:
        """Alembic does not compare conditions."""

        def plain(condition: object) -> str:
            """PostgreSQL writes its types and brackets into it."""
            return re.sub(r"::text|::character varying|[()]", "", str(condition))

        def found(connection: Connection) -> dict[str, str]:
            dialect = connection.dialect.name
            return {
                index["name"] or "": plain(index["dialect_options"][f"{dialect}_where"])
                for table in METADATA.tables
                for index in inspect(connection).get_indexes(table)
                if f"{dialect}_where" in index.get("dialect_options", {})
            }

        declared = {
            str(index.name): plain(index.dialect_options["sqlite"]["where"])
            for table in METADATA.tables.values()
            for index in table.indexes
            if index.dialect_options["sqlite"]["where"] is not None
        }
        async with db.reading() as tx:
            by_name = await (await tx.connection()).run_sync(found)
        assert by_name == declared

    def test_the_program_knows_its_own_revisions(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(migrate.SCRIPTS))
        scripts = ScriptDirectory.from_config(config)
        assert [script.revision for script in scripts.walk_revisions()][::-1] == list(migrate.REVISIONS)
        assert scripts.get_current_head() == migrate.HEAD

    async def test_an_up_to_date_start_does_not_import_alembic(self, db_url: str) -> None:
        program = (
            "import asyncio, sys\nfrom storage.database import Database\n"
            f"async def start():\n    await (await Database.open({db_url!r})).close()\n"
            "asyncio.run(start())\nassert 'alembic' not in sys.modules"
        )
        started = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)  # noqa: ASYNC221, S603
        assert started.returncode == 0


class TestFirstStart:
    async def test_makes_the_tables_and_no_copy(self, empty_url: str, tmp_path: Path) -> None:
        db = await Database.open(empty_url)
        assert await revision_of(db) == migrate.HEAD
        await db.close()
        assert not [name for name in os.listdir(tmp_path) if "before" in name]

    async def test_two_at_once_make_them_once(self, empty_url: str) -> None:
        for db in await asyncio.gather(*(Database.open(empty_url) for _ in range(2))):
            assert await revision_of(db) == migrate.HEAD
            await db.close()

    async def test_a_new_file_that_somebody_else_is_just_making_is_waited_for(self, tmp_path: Path) -> None:
        path = tmp_path / "new.db"
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.3, other.execute, ["COMMIT"]).start()
        db = await Database.open(f"sqlite:///{path}")
        assert await revision_of(db) == migrate.HEAD
        await db.close()
        other.close()

    async def test_opened_as_it_is_it_has_none(self, empty_url: str) -> None:
        db = await Database.open(empty_url, migrate=False)
        assert await revision_of(db) == ""
        await db.migrate()
        assert await revision_of(db) == migrate.HEAD
        await db.close()


class TestUpgrade:
    async def test_keeps_the_rows(self, db_url: str, next_version: NextVersion) -> None:
        next_version.does(ADD_COLUMN)
        await remember(db_url)
        db = await Database.open(db_url)
        assert "note" in await columns_of_state(db)
        await db.close()
        assert await remembered(db_url) == {"v": 1}
        await undo(db_url)

    async def test_a_file_is_copied_first(self, db_url: str, next_version: NextVersion) -> None:
        if not db_url.startswith("sqlite"):
            pytest.skip("only SQLite is a file")
        next_version.does(ADD_COLUMN)
        await remember(db_url)
        await (await Database.open(db_url)).close()
        copy = await Database.open(f"{db_url}.before-0002", migrate=False)
        assert await revision_of(copy) == "0001"
        assert "note" not in await columns_of_state(copy)
        async with copy.reading() as tx:
            assert await state.recall(tx, "k") == {"v": 1}
        await copy.close()

    async def test_waits_until_the_running_worker_has_stopped(
        self, db_url: str, next_version: NextVersion
    ) -> None:
        if not db_url.startswith("sqlite"):
            pytest.skip("only SQLite admits one worker")
        next_version.does(ADD_COLUMN)
        worker = await Database.open(db_url, migrate=False)
        await worker.claim_instance()
        with pytest.raises(AlreadyRunning, match=r"brought up to date first.* Stop that one"):
            await Database.open(db_url)
        await worker.migrate()  # it may do so itself
        assert await revision_of(worker) == "0002"
        second = await Database.open(db_url)
        with pytest.raises(AlreadyRunning):
            await second.claim_instance()
        await second.close()
        await worker.close()

    async def test_two_at_once_do_it_once(self, db_url: str, next_version: NextVersion) -> None:
        if db_url.startswith("sqlite"):
            pytest.skip("the lock lets one of them do it")
        next_version.does(ADD_COLUMN)
        for db in await asyncio.gather(*(Database.open(db_url) for _ in range(3))):
            assert await revision_of(db) == "0002"
            await db.close()
        await undo(db_url)


class TestInterrupted:
    async def test_a_migration_that_fails_has_changed_nothing(
        self, db_url: str, next_version: NextVersion
    ) -> None:
        await remember(db_url)
        next_version.does(ADD_COLUMN, 'op.execute("DELETE FROM state")', "raise ZeroDivisionError")
        with pytest.raises(ZeroDivisionError):
            await Database.open(db_url)
        db = await Database.open(db_url, migrate=False)
        assert await revision_of(db) == "0001"
        assert "note" not in await columns_of_state(db)
        await db.close()
        assert await remembered(db_url, migrated=False) == {"v": 1}

    async def test_killed_in_the_middle_the_next_start_finishes(
        self, db_url: str, next_version: NextVersion
    ) -> None:
        await remember(db_url)
        next_version.does(ADD_COLUMN, "os.kill(os.getpid(), signal.SIGKILL)")
        assert (await asyncio.to_thread(next_version.start, db_url)).returncode == -signal.SIGKILL
        assert await remembered(db_url, migrated=False) == {"v": 1}
        next_version.does(ADD_COLUMN)
        finished = await asyncio.to_thread(next_version.start, db_url)
        assert (finished.returncode, finished.stderr) == (0, "")
        assert await remembered(db_url) == {"v": 1}
        await undo(db_url)


async def test_a_newer_database_is_refused_with_a_sentence(db_url: str) -> None:
    db = await Database.open(db_url)

    async def stamp(revision: str) -> None:
        async with db.transaction() as tx:
            change = text("UPDATE alembic_version SET version_num = :revision")
            await (await tx.connection()).execute(change, {"revision": revision})

    await stamp("0999")
    try:
        with pytest.raises(StorageError, match=r"was made by a newer sarafan .*0999.*knows 0001"):
            await Database.open(db_url)
    finally:
        await stamp(migrate.HEAD)
        await db.close()
