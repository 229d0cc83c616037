"""A fresh database for each test that asks for `db`: SQLite, and PostgreSQL when an address is given.

`SARAFAN_TEST_POSTGRES_URL=postgresql+psycopg://user@host/database` adds PostgreSQL: a schema for each
test process, made up to date once, emptied before each test and dropped at the end.
"""

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from zlib import crc32

import hypothesis
import psycopg
import pytest

from storage.database import Database
from tests.postgres import POSTGRES_URL, make_tables, new_schema

# How long an example takes says how busy the machine is, and nothing of the code.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

DATABASES = ["sqlite", "postgresql"] if POSTGRES_URL else ["sqlite"]

# Where a test takes a second or more, and on two databases twice that.
SLOW = tuple(Path(__file__).parent / name for name in ("flows", "stories", "cli"))
FLOWS = SLOW[0]
BOTH_BY_DAY = ("test_two_workers",)
# Flows that are all tried by day; of the others one test in four, by its name.
MAIN_LOOP = ("test_pull", "test_asking", "test_complaints", "test_write_back")

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


@pytest.hookimpl(tryfirst=True)  # before the long ones are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By day a slow test sees one database: one in sixteen, by its name, PostgreSQL, the others SQLite.

    On both, and all flows, they are among the long ones: by day that would take more than ten minutes.
    """
    for item in items:
        database = item.callspec.params.get("db_url") if hasattr(item, "callspec") else None
        if database is None or not isinstance(item, pytest.Function) or item.path.stem in BOTH_BY_DAY:
            continue
        if any(folder in item.path.parents for folder in SLOW):
            lot = crc32(item.originalname.encode()) % 16
            is_other_database = len(DATABASES) > 1 and (lot == 0) != (database == "postgresql")
            is_for_the_night = FLOWS in item.path.parents and item.path.stem not in MAIN_LOOP and lot >= 4
            if is_other_database or is_for_the_night:
                item.add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """Thousands of collected tests are no garbage, and statements make much that looks like it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


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
