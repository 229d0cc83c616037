"""What has to be done outside: asked for under a key that says what the act is, claimed, done or put off.

    waiting → doing → done | waiting (later) | given_up

Among what is due, that for which somebody waits goes before the many of `is_bulk`.
`attempt` counts the tries of this revision, `created_at` is when it was last asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Executable, UpdateBase, and_, bindparam, case, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.database import Database
from storage.sql import inline, insert_into, is_postgres, table_of
from storage.tables.columns import Json
from storage.tables.queues import Outbox, OutboxState

_IS_WAITING = col(Outbox.state) == inline(OutboxState.WAITING)
_IS_DOING = col(Outbox.state) == inline(OutboxState.DOING)
# By kind: what staff typed, often a client's name or number. Nobody needs it once it is answered.
TYPED = {"answer_staff": "words", "note_result": "words", "reply_client": "text", "tell_forget": "phone"}
REFUSED = "refused: "  # begins the error of what a service lets nobody do until a person has mended it


async def add_once(
    tx: AsyncSession, kind: str, key: str, payload: Json, due_at: datetime, now: datetime
) -> bool:
    """Ask for an act, unless it has been asked for before, whatever became of it. True if it is new."""
    connection = await tx.connection()
    new = await connection.execute(_adding(is_postgres(tx)), _row(kind, key, payload, due_at, now))
    return new.scalar() is not None


async def ask_again(
    tx: AsyncSession, kind: str, key: str, payload: Json, due_at: datetime, now: datetime
) -> None:
    """Ask for an act that may be done many times: the newest payload counts, and the earliest time.

    While it is being done it stays claimed; `done` finds that the revision moved and lets it wait again.
    """
    await ask_all_again(tx, kind, {key: payload}, due_at, now)


async def ask_all_again(
    tx: AsyncSession,
    kind: str,
    payloads: Mapping[str, Json],
    due_at: datetime,
    now: datetime,
    *,
    is_bulk: bool = False,
) -> None:
    """As `ask_again`, for many keys at once. `is_bulk`: there may be thousands, and nobody waits for them."""
    if payloads:
        rows = [
            _row(kind, key, payload, due_at, now) | {"is_bulk": is_bulk}
            # Each stays locked until the transaction ends: in an order of their own, two would wait for each
            # other.
            for key, payload in sorted(payloads.items(), key=lambda asked: asked[0])
        ]
        await (await tx.connection()).execute(_asking_again(is_postgres(tx)), rows)


@cache
def _adding(for_postgres: bool) -> Executable:
    new = insert_into(Outbox, for_postgres)
    return new.on_conflict_do_nothing().returning(col(Outbox.id))


@cache
def _asking_again(for_postgres: bool) -> Executable:
    new = insert_into(Outbox, for_postgres)
    waits = col(Outbox.state) == OutboxState.WAITING
    is_open = or_(waits, col(Outbox.state) == OutboxState.DOING)
    return new.on_conflict_do_update(
        index_elements=[col(Outbox.key)],
        set_={
            "payload": new.excluded.payload,
            "revision": Outbox.revision + 1,
            "due_at": case(
                (and_(waits, col(Outbox.due_at) < new.excluded.due_at), col(Outbox.due_at)),
                else_=new.excluded.due_at,
            ),
            "state": case((is_open, col(Outbox.state)), else_=OutboxState.WAITING.value),
            # What had ended starts afresh.
            "attempt": case((is_open, col(Outbox.attempt)), else_=0),
            "created_at": case((is_open, col(Outbox.created_at)), else_=new.excluded.created_at),
            "error": case((is_open, col(Outbox.error)), else_=""),
            "done_at": None,
            # Somebody waits for it, whoever asks for it after.
            "is_bulk": case(
                (is_open, and_(col(Outbox.is_bulk), new.excluded.is_bulk)), else_=new.excluded.is_bulk
            ),
        },
    )


async def hurry(tx: AsyncSession, key_begins: str, now: datetime) -> None:
    """What waits for later is due now: the rows whose keys begin so."""
    await tx.exec(
        update(Outbox)
        .where(
            col(Outbox.key).startswith(key_begins, autoescape=True),
            _IS_WAITING,
            col(Outbox.due_at) > now,
        )
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


async def is_open(tx: AsyncSession, key_begins: str) -> bool:
    """Is an act whose key begins so still to be done?"""
    begins = col(Outbox.key).startswith(key_begins, autoescape=True)
    # Each state by itself, since each has an index of its own; all that is done is many times more.
    for is_still in (_IS_WAITING, _IS_DOING):
        if (await tx.exec(select(Outbox.id).where(is_still, begins).limit(1))).first() is not None:
            return True
    return False


async def any_open(tx: AsyncSession, keys: Collection[str]) -> bool:
    """Is one of these acts still to be done? By whole keys, so that no other row is looked at."""
    open_states = [OutboxState.WAITING, OutboxState.DOING]
    wanted = select(Outbox.id).where(col(Outbox.key).in_(keys), col(Outbox.state).in_(open_states))
    return (await tx.exec(wanted.limit(1))).first() is not None


async def is_known(tx: AsyncSession, key: str) -> bool:
    """Was this act ever asked for, whatever became of it?"""
    return (await tx.exec(select(Outbox.id).where(Outbox.key == key))).first() is not None


async def for_change(tx: AsyncSession, key: str) -> Outbox | None:
    """This act, which nobody takes up before the transaction ends."""
    return (await tx.exec(select(Outbox).where(Outbox.key == key).with_for_update())).first()


async def known_among(tx: AsyncSession, keys: Collection[str]) -> set[str]:
    """Those of these acts that were ever asked for."""
    if not keys:
        return set()
    return set((await tx.exec(select(Outbox.key).where(col(Outbox.key).in_(keys)))).all())


async def kinds_due(db: Database, now: datetime) -> set[str]:
    """Of the acts that could be claimed now."""
    async with db.reading() as tx:
        return set((await tx.exec(_KINDS_DUE, params={"now": now})).all())


_IS_DUE = and_(_IS_WAITING, col(Outbox.due_at) <= bindparam("now"))
# Both are named, for the index begins with it.
_KINDS_DUE = select(Outbox.kind).where(_IS_DUE, col(Outbox.is_bulk).in_((False, True))).distinct()


async def claim(
    db: Database, now: datetime, *, kinds: Sequence[str] | None = None, limit: int = 1
) -> list[Outbox]:
    """Take what is due, earliest first; nobody else holds it until it is done, put off or given up.

    The many come when nothing else is due.
    """
    taken: Sequence[Outbox] = ()
    async with db.transaction() as tx:
        for is_bulk in (False, True):
            take = _claiming(None if kinds is None else tuple(kinds), limit, is_bulk)
            taken = (await tx.exec(take, params={"now": now, "claimed_by": db.owner})).scalars().all()
            if taken:
                break
    return sorted(taken, key=lambda item: (item.due_at, item.id or 0))


@lru_cache  # the kinds of each lane, with two limits
def _claiming(kinds: tuple[str, ...] | None, limit: int, is_bulk: bool) -> UpdateBase:
    due = select(Outbox.id).where(_IS_DUE, col(Outbox.is_bulk) == is_bulk)
    if kinds is not None:
        # An expression, else SQLite prefers the index of kinds and walks through all that is done.
        due = due.where((col(Outbox.kind) + "").in_(kinds))
    # A common table expression runs once; a plain subquery PostgreSQL may repeat, and so pass the limit.
    picked = (
        due.order_by(col(Outbox.due_at), col(Outbox.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(Outbox)
        # The state is asked for again: another worker may have been faster.
        .where(col(Outbox.id).in_(select(picked.c.id)), col(Outbox.state) == OutboxState.WAITING)
        .values(state=OutboxState.DOING.value, owner=bindparam("claimed_by"), attempt=Outbox.attempt + 1)
        .returning(Outbox)
        .execution_options(synchronize_session=False)
    )


async def done(db: Database, item: Outbox, now: datetime) -> bool:
    """It is done. False if somebody else had taken it over meanwhile."""
    async with db.transaction() as tx:
        return await done_in(tx, item, now)


async def done_in(tx: AsyncSession, item: Outbox, now: datetime) -> bool:
    """As `done`, together with what else the act has to record."""
    return await _settle(tx, item, OutboxState.DONE, "", now)


async def give_up(db: Database, item: Outbox, error: str, now: datetime) -> bool:
    """Trying again will not help; the row stays, with the reason. A newer revision still gets its try."""
    async with db.transaction() as tx:
        return await _settle(tx, item, OutboxState.GIVEN_UP, error, now)


async def postpone(
    db: Database, item: Outbox, due_at: datetime, error: str, *, uncertain: bool, counts: bool = True
) -> bool:
    """Not now. `uncertain`: the try may have happened; once it may have, it stays so until it is done.

    `counts=False` for what was no try, such as an open circuit.
    """
    values = {
        "state": OutboxState.WAITING.value,
        "owner": "",
        "due_at": due_at,
        "error": error,
        "uncertain": True if uncertain else col(Outbox.uncertain),
        "attempt": item.attempt if counts else item.attempt - 1,
    }
    async with db.transaction() as tx:
        return await _if_held(tx, item, _held(values), {})


async def refuse(db: Database, item: Outbox, due_at: datetime, error: str) -> bool:
    """The service lets us do nothing until a person has mended something; `error` begins with its name."""
    return await postpone(db, item, due_at, f"{REFUSED}{error}", uncertain=item.uncertain, counts=False)


async def try_refused(tx: AsyncSession, now: datetime, service: str = "") -> int:
    """Somebody may have mended it: what this service, or any, refused is due now. How many there were."""
    refused = update(Outbox).where(
        _IS_WAITING,
        col(Outbox.due_at) > now,
        col(Outbox.error).startswith(f"{REFUSED}{service}", autoescape=True),
    )
    return (await tx.exec(refused.values(due_at=now).execution_options(synchronize_session=False))).rowcount


async def rescue(db: Database, now: datetime, *, gone_for: timedelta = timedelta(0)) -> int:
    """Let what dead owners held wait again, due now: each may have died between the act and its record."""
    doing = select(Outbox.owner).where(_IS_DOING).distinct()
    async with db.reading() as tx:
        owners = (await tx.exec(doing)).all()
    dead = await db.orphans(owners, gone_for=gone_for)
    if not dead:
        return 0
    rescued = (
        update(Outbox)
        .where(col(Outbox.state) == OutboxState.DOING, col(Outbox.owner).in_(dead))
        .values(state=OutboxState.WAITING.value, owner="", uncertain=True, due_at=now)
        .returning(col(Outbox.id))
        .execution_options(synchronize_session=False)
    )
    async with db.transaction() as tx:
        return len((await tx.exec(rescued)).all())


async def let_go(db: Database, kinds: Sequence[str], now: datetime) -> int:
    """After trouble in the middle: what we hold of these kinds, and nobody is doing, waits again.

    Its end could not be recorded, or the answer to the claim's COMMIT was lost.
    """
    ours = (
        update(Outbox)
        .where(
            col(Outbox.state) == OutboxState.DOING, col(Outbox.owner) == db.owner, col(Outbox.kind).in_(kinds)
        )
        .values(state=OutboxState.WAITING.value, owner="", uncertain=True, due_at=now)
        .returning(col(Outbox.id))
        .execution_options(synchronize_session=False)
    )
    async with db.transaction() as tx:
        return len((await tx.exec(ours)).all())


def _row(kind: str, key: str, payload: Json, due_at: datetime, now: datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": key,
        "payload": payload,
        "revision": 0,
        "state": OutboxState.WAITING.value,
        "due_at": due_at,
        "created_at": now,
        "owner": "",
        "attempt": 0,
        "uncertain": False,
        "error": "",
        "is_bulk": False,
    }


async def _settle(tx: AsyncSession, item: Outbox, state: OutboxState, error: str, now: datetime) -> bool:
    settled: dict[str, Any] = {"now": now, "seen": item.revision, "because": error}
    if typed := TYPED.get(item.kind):
        settled["emptied"] = {**item.payload, typed: ""}
    return await _if_held(tx, item, _settling(state, typed is not None), settled)


@cache
def _settling(state: OutboxState, was_typed: bool) -> UpdateBase:
    was_asked_again, now = (
        col(Outbox.revision) != bindparam("seen"),
        bindparam("now", type_=table_of(Outbox).c.done_at.type),
    )
    values: dict[str, Any] = {
        "state": case((was_asked_again, OutboxState.WAITING.value), else_=state.value),
        "done_at": case((was_asked_again, None), else_=now),
        "created_at": case((was_asked_again, now), else_=col(Outbox.created_at)),
        "attempt": case((was_asked_again, 0), else_=col(Outbox.attempt)),
        "uncertain": False if state == OutboxState.DONE else col(Outbox.uncertain),
        "owner": "",
        "error": bindparam("because"),
    }
    if was_typed:
        values["payload"] = bindparam("emptied")
    return _held(values)


async def _if_held(tx: AsyncSession, item: Outbox, change: UpdateBase, params: Mapping[str, Any]) -> bool:
    """Change a claimed row; whoever lost the claim changes nothing."""
    claim = {"of_id": item.id, "claimed_by": item.owner, "at_attempt": item.attempt}
    return (await tx.exec(change, params={**claim, **params})).scalar() is not None


def _held(values: Mapping[str, Any]) -> UpdateBase:
    return (
        update(Outbox)
        .where(
            col(Outbox.id) == bindparam("of_id"),
            col(Outbox.state) == OutboxState.DOING,
            col(Outbox.owner) == bindparam("claimed_by"),
            col(Outbox.attempt) == bindparam("at_attempt"),
        )
        .values(values)
        .returning(col(Outbox.id))
        .execution_options(synchronize_session=False)
    )
