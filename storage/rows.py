"""Inserts that a repeat does not disturb, on both databases."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import inspect
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.sql import insert


async def insert_once(tx: AsyncSession, row: SQLModel) -> bool:
    """Insert unless a unique index knows it. The row's own key is filled in; False: it was there."""
    key = inspect(type(row)).primary_key[0]
    statement = insert(tx, type(row)).on_conflict_do_nothing().returning(key)
    inserted = (await (await tx.connection()).execute(statement, _values(row, key.name))).first()
    if inserted is None:
        return False
    setattr(row, key.name, inserted[0])
    return True


async def insert_all_once(tx: AsyncSession, rows: Sequence[SQLModel], *, returning: Any) -> list[Any]:
    """The same for many rows of one table at once; gives this column of those that are new."""
    if not rows:
        return []
    key = inspect(type(rows[0])).primary_key[0]
    statement = insert(tx, type(rows[0])).on_conflict_do_nothing().returning(returning)
    values = [_values(row, key.name) for row in rows]
    return list((await (await tx.connection()).execute(statement, values)).scalars())


def _values(row: SQLModel, key: str) -> dict[str, Any]:
    """Without a key that the database counts up."""
    return {name: value for name, value in row.model_dump().items() if name != key or value is not None}
