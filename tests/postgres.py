"""Schemas of a test process in the PostgreSQL of `SARAFAN_TEST_POSTGRES_URL`."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from storage.database import Database

POSTGRES_URL = os.environ.get("SARAFAN_TEST_POSTGRES_URL", "")


async def make_tables(url: str) -> None:
    await (await Database.open(url)).close()


@contextmanager
def new_schema(purpose: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """An up-to-date schema: a connection to it, and the address that a Database takes."""
    base = make_url(POSTGRES_URL)
    # Several test processes, even of several people, may share the database.
    name = f"sarafan_{purpose}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    schema = sql.Identifier(name)
    url = base.update_query_dict({"options": f"-c search_path={name}"})
    with psycopg.connect(
        base.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        connection.execute(sql.SQL("SET search_path TO {}").format(schema))
        address = url.render_as_string(hide_password=False)
        try:
            asyncio.run(make_tables(address))
            yield connection, address
        finally:
            connection.execute("SET client_min_messages TO warning")
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))
