"""A fresh database for each test that asks for `db`: SQLite, and PostgreSQL when an address is given.

`SARAFAN_TEST_POSTGRES_URL=postgresql+psycopg://user@host/database` adds PostgreSQL: a schema for each
test process, made up to date once, emptied before each test and dropped at the end.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from storage.database import Database
from tests.postgres import POSTGRES_URL, make_tables, new_schema

DATABASES = ["sqlite", "postgresql"] if POSTGRES_URL else ["sqlite"]

# Ten times as fast as TRUNCATE, which makes new files.
EMPTY = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables
                WHERE schemaname = current_schema AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    PERFORM setval(format('%I', sequencename), 1, false) FROM pg_sequences WHERE schemaname = current_schema;
END $$
"""


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An up-to-date file without rows, to be copied."""
    path = tmp_path_factory.mktemp("database") / "template.db"
    asyncio.run(make_tables(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[tuple[psycopg.Connection, str]]:
    with new_schema("test") as schema:
        yield schema


@pytest.fixture(params=DATABASES)
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an up-to-date database without rows, for tests that open it themselves."""
    if request.param == "sqlite":
        path = tmp_path / "sarafan.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    connection, address = request.getfixturevalue("postgres_schema")
    connection.execute(EMPTY)
    return str(address)


@pytest.fixture
async def db(db_url: str) -> AsyncIterator[Database]:
    """A database without rows."""
    database = await Database.open(db_url)
    yield database
    await database.close()
