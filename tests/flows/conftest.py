"""The made-up company for tests of flows, on one database of each kind for all tests of a process.

A new one for each test costs more than the test: its connections, and every statement compiled anew.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from integrations.standins.amocrm import AmoCrmStandIn
from storage.database import Database
from storage.tables.registry import METADATA
from tests.postgres import new_schema
from tests.world import World, nothing, world

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all tests here: connections belong to the loop that they were made in."""
    for item in items:
        if FOLDER not in item.path.parents or not isinstance(item, pytest.Function):
            continue
        if inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture
def config() -> dict[str, Any]:
    """What a test's config says beyond the ordinary: see `configured`."""
    return {}


@pytest.fixture
def before() -> Callable[[AmoCrmStandIn], None]:
    """What amoCRM has before the worker starts for the first time: see `configured`."""
    return nothing


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[tuple[psycopg.Connection, str]]:
    """One that no other tests of this process see: the kept database goes on holding every role in it."""
    with new_schema("flows") as schema:
        yield schema


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def kept_databases() -> AsyncIterator[dict[str, Database]]:
    """Those that all tests share, by kind."""
    databases: dict[str, Database] = {}
    yield databases
    for database in databases.values():
        await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def db(
    request: pytest.FixtureRequest, db_url: str, kept_databases: dict[str, Database]
) -> AsyncIterator[Database]:
    """A database without rows: the shared one, or one of its own for a test marked `own_database`."""
    kind = db_url.partition(":")[0]
    if request.node.get_closest_marker("own_database"):
        if shared := kept_databases.pop(kind, None):
            await shared.close()  # On PostgreSQL it still has the roles that only one worker may have.
        database = await Database.open(db_url)
        yield database
        await database.close()
        return
    if kind not in kept_databases:
        kept_databases[kind] = await Database.open(db_url, is_private=True)
    elif kept_databases[kind].is_sqlite:
        await _empty(kept_databases[kind])
    yield kept_databases[kind]


async def _empty(database: Database) -> None:
    """As it was made. On PostgreSQL `db_url` has done it: all tests of a process have one schema there."""
    async with database.transaction() as tx:
        connection = await tx.connection()
        for table in reversed(METADATA.sorted_tables):
            await connection.execute(table.delete())


@pytest_asyncio.fixture(loop_scope="session")
async def town(
    db: Database, tmp_path: Path, config: dict[str, Any], before: Callable[[AmoCrmStandIn], None]
) -> AsyncIterator[World]:
    async with world(db, tmp_path, before=before, **config) as made:
        yield made
