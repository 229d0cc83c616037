"""What a head has to agree to before clients are written to: the first list, many deals closed at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import case
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import state
from storage.sql import inline
from storage.tables.surveys import Bulk, Survey, SurveyState

AGREED = "rollout.agreed"
DECLINED = "rollout.declined"
SHOWN = "rollout.shown"
HELD = "held"  # `waits_for` of what waits for somebody's word
ASK, SKIP = "ask", "skip"  # `decision` of a bulk

_IS_PLANNED = col(Survey.state) == inline(SurveyState.PLANNED)


# --- the first list --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody said about the first list, and when."""

    by: str
    at: datetime


async def agreed(tx: AsyncSession) -> Word | None:
    """Who switched sending on; None: nobody has yet."""
    return _word(await state.recall(tx, AGREED))


async def declined(tx: AsyncSession) -> Word | None:
    return _word(await state.recall(tx, DECLINED))


def _word(kept: Mapping[str, Any] | None) -> Word | None:
    return Word(by=str(kept["by"]), at=datetime.fromisoformat(kept["at"])) if kept is not None else None


async def agree(tx: AsyncSession, by: str, now: datetime) -> bool:
    """For ever. False: somebody was faster."""
    if not await state.remember_first(tx, AGREED, {"by": by, "at": now.isoformat()}):
        return False
    await tx.exec(
        update(Survey)
        .where(_IS_PLANNED, col(Survey.waits_for) == HELD, col(Survey.due_at) <= now)
        .values(next_at=now, waits_for="")
    )
    return True


async def decline(tx: AsyncSession, by: str, now: datetime) -> None:
    """Not yet: the list is not shown again by itself."""
    await state.remember(tx, DECLINED, {"by": by, "at": now.isoformat()})


async def last_shown(tx: AsyncSession) -> date | None:
    """The day on which the list was last shown to whoever could be reached."""
    kept = await state.recall(tx, SHOWN)
    return date.fromisoformat(kept["day"]) if kept is not None else None


async def shown_in(tx: AsyncSession, day: date | None = None) -> list[list[str]]:
    """Channel, chat and id of every message that shows the list, or showed it on this day."""
    kept = await state.recall(tx, SHOWN)
    messages = kept["messages"] if kept is not None else []
    return [message[:3] for message in messages if day is None or message[3] == day.isoformat()]


async def note_shown(tx: AsyncSession, day: date, message: Sequence[str] = ()) -> None:
    """On this day, in this message; without one, to nobody yet."""
    kept = await state.recall(tx, SHOWN)
    messages = list(kept["messages"]) if kept is not None else []
    if message:
        messages.append([*message, day.isoformat()])
    await state.remember(tx, SHOWN, {"day": day.isoformat(), "messages": messages})


async def has_due(tx: AsyncSession, until: datetime) -> bool:
    due = select(Survey.id).where(_IS_PLANNED, col(Survey.due_at) < until)
    return (await tx.exec(due.limit(1))).first() is not None


# --- many deals at once ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A deal that called for a survey. `bulk`: the undecided one that it belongs to."""

    deal_id: int
    at: datetime
    bulk: int | None


async def closings(tx: AsyncSession, begins: datetime, ends: datetime) -> Sequence[Closing]:
    """Those of this time, without deals about which somebody has said «Спросить всех»."""
    wanted = (
        select(Survey.deal_id, func.min(Survey.triggered_at), func.max(Bulk.id), func.max(Bulk.decision))
        .outerjoin(Bulk, col(Bulk.id) == col(Survey.bulk_id))
        .where(col(Survey.triggered_at) >= begins, col(Survey.triggered_at) <= ends)
        .group_by(col(Survey.deal_id))
    )
    rows = await (await tx.connection()).execute(wanted)
    return [
        Closing(deal_id=deal_id, at=at, bulk=bulk if not decision else None)
        for deal_id, at, bulk, decision in rows
        if decision != ASK
    ]


async def bulk(tx: AsyncSession, bulk_id: int, *, is_held: bool = False) -> Bulk | None:
    """`is_held`: nobody decides about it before this transaction has ended."""
    wanted = select(Bulk).where(Bulk.id == bulk_id)
    return (await tx.exec(wanted.with_for_update() if is_held else wanted)).first()


async def hold(tx: AsyncSession, bulk_id: int, begins: datetime, ends: datetime) -> int:
    """What was closed in this time and is still to be asked waits for a word; gives how many are new to it.

    Whoever is just checking one of them loses it.
    """
    held = await tx.exec(
        update(Survey)
        .where(
            col(Survey.triggered_at) >= begins,
            col(Survey.triggered_at) <= ends,
            _IS_PLANNED,
            col(Survey.bulk_id).is_(None),
            col(Survey.sent_at).is_(None),
        )
        .values(bulk_id=bulk_id, attempt=Survey.attempt + 1, next_at=Survey.due_at, waits_for=HELD)
    )
    return held.rowcount


async def size(tx: AsyncSession, bulk_id: int) -> int:
    """How many deals belong to it."""
    deals = select(func.count(func.distinct(Survey.deal_id))).where(col(Survey.bulk_id) == bulk_id)
    return (await tx.exec(deals)).one()


async def decide(tx: AsyncSession, bulk_id: int, decision: str, by: str, now: datetime) -> bool:
    """False: somebody was faster."""
    changed = await tx.exec(
        update(Bulk)
        .where(col(Bulk.id) == bulk_id, col(Bulk.decision) == "")
        .values(decision=decision, decided_by=by, decided_at=now)
    )
    return changed.rowcount == 1


async def let_ask(tx: AsyncSession, bulk_id: int, now: datetime) -> None:
    when = case((col(Survey.due_at) > now, col(Survey.due_at)), else_=now)
    await tx.exec(
        update(Survey)
        .where(_IS_PLANNED, col(Survey.bulk_id) == bulk_id)
        .values(next_at=when, waits_for="", attempt=Survey.attempt + 1)
    )


async def let_be(tx: AsyncSession, bulk_id: int, reason: str, now: datetime) -> Sequence[int]:
    """None of them is asked; gives their deals."""
    ended = await tx.exec(
        update(Survey)
        .where(_IS_PLANNED, col(Survey.bulk_id) == bulk_id)
        .values(state=SurveyState.SKIPPED, reason=reason, waits_for="", settled_at=now)
        .returning(col(Survey.deal_id))
    )
    return [deal_id for (deal_id,) in ended.all()]


async def waiting(tx: AsyncSession, bulk_id: int) -> Sequence[Survey]:
    wanted = select(Survey).where(_IS_PLANNED, col(Survey.bulk_id) == bulk_id)
    return (await tx.exec(wanted)).all()


async def is_undecided(tx: AsyncSession, bulk_id: int) -> bool:
    wanted = select(Bulk.id).where(Bulk.id == bulk_id, Bulk.decision == "")
    return (await tx.exec(wanted)).first() is not None
