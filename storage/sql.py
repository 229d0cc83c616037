"""What statements for both databases need beside SQLAlchemy."""

from typing import Any

from sqlalchemy import ColumnElement, String, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


def insert(tx: AsyncSession, table: type[SQLModel]) -> postgresql.Insert:
    """An INSERT with `on_conflict_do_nothing`, `on_conflict_do_update` and `excluded` for this database."""
    statement: Any = postgresql.insert if tx.get_bind().dialect.name == "postgresql" else sqlite.insert
    made: postgresql.Insert = statement(table)  # sqlite.Insert has the same methods
    return made


def inline(state: str) -> ColumnElement[str]:
    """A state written into the statement itself, so that its partial index is used.

    A plan that PostgreSQL prepared for any value cannot know that a bound one fits.
    """
    return literal(str(state), String(), literal_execute=True)
