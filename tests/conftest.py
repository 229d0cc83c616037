"""A fresh database for each test that asks for `db`: SQLite, and PostgreSQL when an address is given.

`SARAFAN_TEST_POSTGRES_URL=postgresql+psycopg://user@host/database` adds PostgreSQL: a schema for each
test process, made up to date once, emptied before each test and dropped at the end.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from storage.database import Database

POSTGRES_URL = os.environ.get("SARAFAN_TEST_POSTGRES_URL", "")
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


async def _make_tables(url: str) -> None:
    await (await Database.open(url)).close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An up-to-date file without rows, to be copied."""
    path = tmp_path_factory.mktemp("database") / "template.db"
    asyncio.run(_make_tables(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[tuple[psycopg.Connection, str]]:
    """An up-to-date schema: a connection to it, and the address that a Database takes."""
    base = make_url(POSTGRES_URL)
    # Several test processes, even of several people, may share the database.
    name = f"sarafan_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    schema = sql.Identifier(name)
    url = base.update_query_dict({"options": f"-c search_path={name}"})
    with psycopg.connect(
        base.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        connection.execute(sql.SQL("SET search_path TO {}").format(schema))
        address = url.render_as_string(hide_password=False)
        try:
            asyncio.run(_make_tables(address))
            yield connection, address
        finally:
            connection.execute("SET client_min_messages TO warning")
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))


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
