"""How long it takes to take what is due next, among a million rows."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from bench.figures import Figure, at_most, ratio
from bench.measure import MS, Run, percentile
from storage import outbox, sending
from storage.database import Database
from storage.sql import table_of
from storage.tables.queues import Outbox, OutboxState
from storage.tables.surveys import Survey, SurveyState
from worker.flows.act import kinds_of

NOW = datetime(2026, 9, 7, 3, 0, tzinfo=UTC)
Claim = Callable[[Database], Awaitable[object]]


async def _claim_act(db: Database) -> object:
    return await outbox.claim(db, NOW, kinds=kinds_of("crm"), limit=1)


async def _claim_question(db: Database) -> object:
    return await sending.claim_due(db, NOW)


def measure(run: Run) -> list[Figure]:
    many, few = run.size(1_000_000, 10_000), run.size(10_000, 100)
    figures = []
    for what, claim in {"an act of the outbox": _claim_act, "a due survey": _claim_question}.items():
        times = {rows: asyncio.run(_claims(run, claim, rows)) for rows in (many, few)}
        among = [
            Figure(
                what=f"claim of {what} among {rows:,} rows, p50",
                value=percentile(taken, 50) * MS,
                unit="ms",
                goal=at_most(5) if rows == many else None,
                note=f"p95 {percentile(taken, 95) * MS:.1f} ms; SQLite, committed",
            )
            for rows, taken in times.items()
        ]
        figures += [*among, ratio(f"claim of {what}: among {many:,} against {few:,}", *among)]
    return figures


async def _claims(run: Run, claim: Claim, rows: int) -> list[float]:
    """Seconds that each claim took. Nine in ten rows are done, the others wait for later; a few are due."""
    file = run.folder / f"claims {claim.__name__} {rows}.db"
    make = _act if claim is _claim_act else _survey
    due = run.size(300, 20)
    async with _opened(file) as db:
        await _repeat(db, make(1, is_done=True, due_at=NOW - timedelta(days=30)), rows * 9 // 10)
        await _repeat(db, make(rows, is_done=False, due_at=NOW + timedelta(days=1)), rows // 10)
        async with db.transaction() as tx:
            tx.add_all(
                make(2 * rows + number, is_done=False, due_at=NOW - timedelta(seconds=number))
                for number in range(due)
            )
    async with _opened(file) as db:
        await db.claim_instance()
        await claim(db)  # The statement is compiled once.
        times = []
        for _ in run.track(range(due - 1), f"claims among {rows:,}"):
            began = time.perf_counter()
            claimed = await claim(db)
            times.append(time.perf_counter() - began)
            if not claimed:
                raise RuntimeError("nothing was due any more")
    file.unlink()
    return times


@asynccontextmanager
async def _opened(file: Path) -> AsyncIterator[Database]:
    db = await Database.open(f"sqlite:///{file}")
    try:
        yield db
    finally:
        await db.close()


def _act(number: int, *, is_done: bool, due_at: datetime) -> Outbox:
    state = OutboxState.DONE if is_done else OutboxState.WAITING
    return Outbox(
        kind="sync_deal",
        key=f"n:{number}",
        payload={"deal_id": 1},
        state=state,
        due_at=due_at,
        created_at=due_at,
    )


def _survey(number: int, *, is_done: bool, due_at: datetime) -> Survey:
    return Survey(
        survey_key="nps", metric="nps", trigger="won", deal_id=number, root_deal_id=number, client_id=number,
        triggered_at=due_at, planned_at=due_at, due_at=due_at, next_at=due_at,
        state=SurveyState.ANSWERED if is_done else SurveyState.PLANNED,
        settled_at=due_at if is_done else None,
    )  # fmt: skip


async def _repeat(db: Database, row: Outbox | Survey, count: int) -> None:
    """This row so many times, by the database itself: a million objects would take minutes."""
    table = table_of(type(row))
    columns = {column.name: column.name for column in table.columns if column.name != "id"}
    # What tells the rows apart.
    columns |= {name: sql for name, sql in OWN.items() if name in columns}
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :more)"
    # Made of the names of our own tables.
    repeated = (
        f"INSERT INTO {table.name} ({', '.join(columns)}) "  # noqa: S608
        f"SELECT {', '.join(columns.values())} FROM {table.name}, numbers WHERE id = :id"
    )
    async with db.transaction() as tx:
        tx.add(row)
        await tx.flush()
        connection = await tx.connection()
        await connection.execute(text(f"{numbers} {repeated}"), {"more": count - 1, "id": row.id})


OWN: Mapping[str, str] = {
    "key": "key || ':' || n",
    "deal_id": "deal_id + n",
    "root_deal_id": "root_deal_id + n",
    "client_id": "client_id + n",
}
