"""What statements for both databases need beside SQLAlchemy."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Integer, String, Table, literal
from sqlalchemy.dialects import sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert


def is_postgres(tx: AsyncSession) -> bool:
    return tx.get_bind().dialect.name == "postgresql"


def insert(tx: AsyncSession, table: type[SQLModel]) -> "Insert":
    """An INSERT with `on_conflict_do_nothing`, `on_conflict_do_update` and `excluded` for this database."""
    return insert_into(table, is_postgres(tx))


def insert_into(table: type[SQLModel] | Table, for_postgres: bool) -> "Insert":
    """The same, for a statement that is built once and kept."""
    if for_postgres:
        # Imported where it works: the dialect's drivers take a seventh of a second.
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    made: Any = sqlite.insert(table)
    return made  # type: ignore[no-any-return]  # it has the same methods


def table_of(kind: type[SQLModel]) -> Table:
    """For statements that many rows are handed to at once, past the session."""
    table: Table = kind.__table__  # type: ignore[attr-defined]  # only SQLAlchemy's plugin knows it
    return table


def inline(state: str) -> ColumnElement[str]:
    """A state written into the statement itself, so that its partial index is used.

    A plan that PostgreSQL prepared for any value cannot know that a bound one fits.
    """
    return literal(str(state), String(), literal_execute=True)


def inline_number(number: int) -> ColumnElement[int]:
    """The same of a number."""
    return literal(number, Integer(), literal_execute=True)
