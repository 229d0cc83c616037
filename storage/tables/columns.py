"""Kinds of columns and indexes that tables are made of."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, Text, text
from sqlmodel import Field

Json = dict[str, Any]

# SQLite counts up only a column that is INTEGER, PostgreSQL's INTEGER is too small for years of rows.
SerialId = BigInteger().with_variant(Integer, "sqlite")


def serial() -> Any:
    return Field(default=None, primary_key=True, sa_type=SerialId)


def amocrm_id() -> Any:
    """On SQLite it is the row's own number then, and found at once, without an index beside the table."""
    return Field(primary_key=True, sa_type=SerialId)


def big(**options: Any) -> Any:
    return Field(sa_type=BigInteger, **options)


def long_text(default: str | None = "") -> Any:
    return Field(default=default, sa_type=Text)


def json_column(default_factory: Any = dict) -> Any:
    return Field(default_factory=default_factory, sa_type=JSON)


def partial_index(name: str, *columns: str, where: str) -> Index:
    """The migration makes it on both databases; to name `postgresql_where` here would import its drivers."""
    return Index(name, *columns, sqlite_where=text(where))
