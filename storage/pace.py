"""One row that several workers on PostgreSQL share about a service: its next free moment, and its pauses.

    open ──park──▶ parked ──time──▶ one request is the probe ──release──▶ open
                      ▲                        └──park──┘

The time is the server's: the clocks of the workers need not agree.
"""

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

LOOK_AGAIN = 0.5  # seconds until a probe of somebody else is asked about again
PROBE = 70.0  # seconds after which a probe that nobody reports is given to the next
FURTHEST = 60.0  # seconds; a free moment further ahead was written before the server's clock was set back
AWAY = 6.0  # seconds to leave a service alone while the database cannot be asked

NOW = "extract(epoch FROM clock_timestamp())::float8"
FREE_AT = "(value->>'free_at')::float8"
IS_PARKED = f"({NOW} < (value->>'parked_until')::float8 AND {NOW} >= (value->>'parked_at')::float8 - 1)"
IS_PROBED = f"coalesce((value->>'probe_until')::float8, 0) BETWEEN {NOW} AND {NOW} + :probe"
BEGINS = f"CASE WHEN {FREE_AT} BETWEEN {NOW} AND {NOW} + :furthest THEN {FREE_AT} ELSE {NOW} END"

MAKE = """
INSERT INTO state (key, value, version, updated_at) VALUES (:key, '{"free_at": 0}', 0, now())
ON CONFLICT DO NOTHING
"""
TAKE = f"""
UPDATE state SET value = jsonb_set(value::jsonb, '{{free_at}}', to_jsonb({BEGINS} + :gap))::json
WHERE key = :key AND value->>'parked_until' IS NULL
RETURNING greatest(0, {FREE_AT} - :gap - {NOW})
"""  # noqa: S608  # only pieces from above
BECOME_PROBE = f"""
UPDATE state
SET value = (value::jsonb || jsonb_build_object('probe_until', {NOW} + :probe, 'free_at', {NOW} + :gap))::json
WHERE key = :key AND value->>'parked_until' IS NOT NULL AND NOT {IS_PARKED} AND NOT {IS_PROBED}
RETURNING 0
"""  # noqa: S608  # only pieces from above
LEFT = f"""
SELECT CASE WHEN {IS_PARKED} THEN (value->>'parked_until')::float8 - {NOW} ELSE :look_again END
FROM state WHERE key = :key
"""  # noqa: S608  # only pieces from above
PARK = f"""
UPDATE state
SET value = json_build_object(
    'free_at', {NOW},
    'parked_at', {NOW},
    'parked_until',
    greatest({NOW} + :pause, CASE WHEN {IS_PARKED} THEN (value->>'parked_until')::float8 END)
)
WHERE key = :key
"""  # noqa: S608  # only pieces from above
RELEASE = """
UPDATE state SET value = (value::jsonb - 'parked_at' - 'parked_until' - 'probe_until')::json
WHERE key = :key AND value->>'probe_until' IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """`wait` seconds until the moment that was taken, or until it makes sense to ask again."""

    wait: float
    is_taken: bool
    is_probe: bool = False  # the first after a pause; all others wait for what becomes of it


class PaceRow:
    """The shared pace of one service. While the database is away, so is the service: nothing is raised."""

    def __init__(self, db: Database, service: str) -> None:
        self._db = db
        self._service = service

    async def take(self, gap: float) -> Moment:
        """The next free moment; nobody else gets one within `gap` seconds after it."""
        try:
            async with self._db.transaction() as tx:
                # Not worth waiting for the disk: a server that loses its memory loses its clients too.
                await tx.exec(text("SET LOCAL synchronous_commit = off"))  # type: ignore[call-overload]
                return await self._take(tx, gap)
        except StorageError as error:
            log.warning("%s is left alone: %s", self._service, error)
            return Moment(AWAY, is_taken=False)

    async def park(self, pause: float) -> None:
        """Nobody gets a moment for so long, and then one request goes ahead of all others."""
        await self._tell(PARK, pause=pause)

    async def release(self) -> None:
        """The probe went through: the service is open to all."""
        await self._tell(RELEASE)

    async def _take(self, tx: AsyncSession, gap: float) -> Moment:
        for _ in range(2):
            wait = await self._ask(tx, TAKE, gap=gap, furthest=FURTHEST)
            if wait is not None:
                return Moment(wait, is_taken=True)
            if await self._ask(tx, BECOME_PROBE, gap=gap, probe=PROBE) is not None:
                return Moment(0, is_taken=True, is_probe=True)
            left = await self._ask(tx, LEFT, look_again=LOOK_AGAIN)
            if left is not None:
                return Moment(left, is_taken=False)
            await self._execute(tx, MAKE)  # the very first request to this service
        return Moment(LOOK_AGAIN, is_taken=False)

    async def _tell(self, statement: str, **values: float) -> None:
        """What the answer was is for the caller to know, so trouble of ours must not come in its place."""
        try:
            async with self._db.transaction() as tx:
                await self._execute(tx, MAKE)
                await self._execute(tx, statement, **values)
        except StorageError as error:
            log.warning("the others are not told of the pause of %s: %s", self._service, error)

    async def _ask(self, tx: AsyncSession, statement: str, **values: float) -> float | None:
        found = (await self._execute(tx, statement, **values)).scalar()
        return None if found is None else float(found)

    async def _execute(self, tx: AsyncSession, statement: str, **values: float) -> Any:
        return await tx.exec(text(statement), params={"key": f"pace:{self._service}", **values})  # type: ignore[call-overload]
