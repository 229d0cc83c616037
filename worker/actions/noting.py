"""How something stands that an administrator has to hear of: kept by case, so that each is told once."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from storage import outbox, state
from storage.tables.columns import Json
from worker.actions.base import Hands
from worker.rules.wording import Value

KIND = "tell_trouble"


async def note(
    tx: AsyncSession,
    hands: Hands,
    case: str,
    text: str,
    *,
    n: int = 0,
    values: Mapping[str, Value] | None = None,
    beside: Json | None = None,
    after: timedelta = timedelta(0),
    forgotten_after: timedelta | None = None,
) -> bool:
    """Keep how it stands; an act tells it, if there is something to tell. True if that is news.

    `text`: the key of what tells it, "" when all is well. `values`: what the text names; with another `cause`
    the same case is told again. `beside`: what else the case has to remember. `after`: only what still stands
    so then is told, its end too: what comes and goes is not. `forgotten_after`: what was not noted for that
    long is told again, for its end may have been missed.
    """
    now, values = hands.now(), dict(values or {})
    kept = await state.recall(tx, key_of(case))
    known = kept if kept is not None and not kept["is_over"] else None
    is_again = bool(text) and known is not None and cause_of(known) == values.get("cause")
    if is_again and known is not None and not _is_forgotten(known, now, forgotten_after):
        if forgotten_after is not None:
            await state.remember(tx, key_of(case), {**known, "noted_at": now.isoformat()})
        return False  # as it was, or something else that is wrong with the same: told once
    not_before = (now + after).isoformat() if after else ""
    if text:
        told: Json = {key: kept[key] for key in ("is_told", "told_cause") if key in kept} if kept else {}
        if is_again:
            told["told_cause"] = ""
        fresh: Json = {"text": text, "n": n, "values": values, "not_before": not_before, **(beside or {})}
        fresh["noted_at"] = now.isoformat()
        await state.remember(tx, key_of(case), {"is_told": False, **told, **fresh, "is_over": False})
    elif known is not None:
        await state.remember(tx, key_of(case), {**known, "is_over": True, "not_before": not_before})
    else:
        return False
    await outbox.ask_again(tx, KIND, key_of(case), {"case": case}, now + after, now)
    return True


def _is_forgotten(kept: Json, now: datetime, after: timedelta | None) -> bool:
    return after is not None and now >= datetime.fromisoformat(kept["noted_at"]) + after


async def open_case(tx: AsyncSession, case: str) -> Json | None:
    """What was kept of a trouble that is not over yet."""
    kept = await state.recall(tx, key_of(case))
    return None if kept is None or kept["is_over"] else kept


def cause_of(kept: Json) -> Value:
    cause: Value = (kept.get("values") or {}).get("cause")
    return cause


def key_of(case: str) -> str:
    return f"trouble:{case}"
