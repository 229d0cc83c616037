"""One insert that a repeat does not disturb, on both databases."""

from typing import Any

from sqlalchemy import inspect
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.sql import insert


async def insert_once(tx: AsyncSession, row: SQLModel) -> bool:
    """Insert unless a unique index knows it. The row's own key is filled in; False: it was there."""
    table: Any = type(row)
    mapper = inspect(table)
    key = mapper.primary_key[0]
    values = {
        name: value for name, value in row.model_dump().items() if name != key.name or value is not None
    }
    statement = insert(tx, table).values(values).on_conflict_do_nothing().returning(key)
    inserted = (await tx.exec(statement)).first()
    if inserted is None:
        return False
    setattr(row, key.name, inserted[0])
    return True
