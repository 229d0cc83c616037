"""Brings the tables up to date: which revision a database has, and the way from there to ours.

Alembic is imported only when there is something to do: every start would pay half a second for it.
"""

from pathlib import Path

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.errors import StorageError

REVISIONS = ("0001",)  # oldest first; each is a file in migrations/versions
HEAD = REVISIONS[-1]

SCRIPTS = Path(__file__).parent / "migrations"


async def revision(connection: AsyncConnection) -> str:
    """The revision of the tables, "" for a database without any."""
    return await connection.run_sync(_revision)


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found or "")


def refuse_newer(found: str, url: URL) -> None:
    if found and found not in REVISIONS:
        raise StorageError(
            f"The database {url.render_as_string(hide_password=True)} was made by a newer sarafan "
            f"(its tables are of revision {found}, this program knows {HEAD}). "
            "Start the newer program, or restore the copy that was made before the upgrade.",
            f"База {url.render_as_string(hide_password=True)} сделана более новым sarafan (её таблицы "
            f"— {found}, эта программа знает {HEAD}). Запустите новую версию или верните копию, сделанную "
            "перед обновлением.",
        )


async def upgrade(connection: AsyncConnection) -> None:
    """Go to HEAD inside the transaction of `connection`: killed in the middle, nothing has happened."""
    if connection.dialect.name == "postgresql":
        # Of several workers that start together one migrates and the others find it done.
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('sarafan migrations'))"))
    if await revision(connection) != HEAD:
        await connection.run_sync(_run_alembic)


def _run_alembic(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
