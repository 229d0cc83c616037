"""The statements that SQLite and PostgreSQL spell alike but SQLAlchemy keeps apart."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


def insert(tx: AsyncSession, table: type[SQLModel]) -> postgresql.Insert:
    """An INSERT with `on_conflict_do_nothing`, `on_conflict_do_update` and `excluded` for this database."""
    statement: Any = postgresql.insert if tx.get_bind().dialect.name == "postgresql" else sqlite.insert
    made: postgresql.Insert = statement(table)  # sqlite.Insert has the same methods
    return made
