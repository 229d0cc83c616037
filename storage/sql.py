"""What statements for both databases need beside SQLAlchemy."""

from typing import Any

from sqlalchemy import ColumnElement, String, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


def is_postgres(tx: AsyncSession) -> bool:
    return tx.get_bind().dialect.name == "postgresql"


def insert(tx: AsyncSession, table: type[SQLModel]) -> postgresql.Insert:
    """An INSERT with `on_conflict_do_nothing`, `on_conflict_do_update` and `excluded` for this database."""
    return insert_into(table, is_postgres(tx))


def insert_into(table: type[SQLModel], for_postgres: bool) -> postgresql.Insert:
    """The same, for a statement that is built once and kept."""
    statement: Any = postgresql.insert if for_postgres else sqlite.insert
    made: postgresql.Insert = statement(table)  # sqlite.Insert has the same methods
    return made


def inline(state: str) -> ColumnElement[str]:
    """A state written into the statement itself, so that its partial index is used.

    A plan that PostgreSQL prepared for any value cannot know that a bound one fits.
    """
    return literal(str(state), String(), literal_execute=True)
