"""Sending to clients stopped by a person: who did it, and until when."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from storage import state
from storage.database import Database

KEY = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    by: str  # the name of the person
    since: datetime
    until: datetime | None  # None: until somebody says so


async def pause(tx: AsyncSession, by: str, now: datetime, until: datetime | None) -> None:
    """In place of an earlier pause, if there is one."""
    ends = until.isoformat() if until is not None else None
    await state.remember(tx, KEY, {"by": by, "since": now.isoformat(), "until": ends})


async def resume(tx: AsyncSession) -> None:
    await state.forget(tx, KEY)


async def current(tx: AsyncSession, now: datetime) -> Pause | None:
    """None while sending goes on, also when the time of a pause is over."""
    kept = await state.recall(tx, KEY)
    if kept is None:
        return None
    until = datetime.fromisoformat(kept["until"]) if kept["until"] else None
    if until is not None and until <= now:
        return None
    return Pause(by=str(kept["by"]), since=datetime.fromisoformat(kept["since"]), until=until)


async def is_paused(db: Database, now: datetime) -> bool:
    async with db.reading() as tx:
        return await current(tx, now) is not None
