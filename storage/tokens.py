"""Tokens that change: one row for each service, replaced only by whoever has read its newest version."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from storage.database import Database
from storage.sql import insert
from storage.tables.columns import Json
from storage.tables.queues import State


class Tokens:
    """What is kept for one service, as JSON. Version 0: nothing yet."""

    def __init__(self, db: Database, service: str) -> None:
        self._db = db
        self._key = f"tokens:{service}"

    async def load(self) -> tuple[Json | None, int]:
        """What is kept, and its version."""
        wanted = select(State.value, State.version).where(col(State.key) == self._key)
        async with self._db.reading() as tx:
            row = (await tx.exec(wanted)).first()
        return (None, 0) if row is None else (dict(row[0]), row[1])

    async def swap(self, value: Mapping[str, Any], version: int) -> bool:
        """Keep it as the next version, if what is kept is still `version`. On disk when it returns."""
        row = {"value": dict(value), "version": version + 1, "updated_at": datetime.now(UTC)}
        async with self._db.transaction() as tx:
            if version == 0:
                new = insert(tx, State).values(key=self._key, **row).on_conflict_do_nothing()
                return (await tx.exec(new.returning(col(State.key)))).scalar() is not None
            changed = (
                update(State)
                # The version is asked for again: another worker may have been faster.
                .where(col(State.key) == self._key, col(State.version) == version)
                .values(row)
                .returning(col(State.key))
                .execution_options(synchronize_session=False)
            )
            return (await tx.exec(changed)).scalar() is not None


class NoTokens:
    """Where there is no storage yet, nothing is kept and nothing can be."""

    async def load(self) -> tuple[Json | None, int]:
        return None, 0

    async def swap(self, value: Mapping[str, Any], version: int) -> bool:
        return False
