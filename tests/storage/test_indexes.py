"""What is asked every second looks at open rows only, however many settled ones there are."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import asked, deals, inbox, outbox, reminders, rollout, sales, sending
from storage.database import Database
from storage.purchases import purchases
from storage.survey_rows import survey_rows
from storage.tables.deals import Deal

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)


async def plan_of(db: Database, asked: Callable[[Database], Awaitable[object]]) -> str:
    """How the database goes about the last statement of `asked`."""
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, _context: object, _many: bool) -> None:
        statements.append((statement, values))

    engines = {db._writer.sync_engine, db._reader.sync_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    await asked(db)
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    statement, values = next(given for given in reversed(statements) if "FROM" in given[0])
    async with db.transaction() as tx:
        connection = await tx.connection()
        if not db.is_sqlite:
            await connection.exec_driver_sql(
                "SET LOCAL enable_seqscan = off"
            )  # an empty table is read as it is
        explain = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
        return str((await connection.exec_driver_sql(f"{explain} {statement}", values)).all())


async def _read(db: Database, question: Callable[..., Awaitable[object]], *given: object) -> None:
    async with db.reading() as tx:
        await question(tx, *given)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (lambda db: outbox.claim(db, NOON, limit=10), "outbox_open"),
        (lambda db: outbox.claim(db, NOON, kinds=["thank_client", "sync_deal"], limit=10), "outbox_open"),
        (lambda db: outbox.kinds_due(db, NOON), "outbox_open"),
        (lambda db: inbox.unread(db), "inbox_new"),
        # Every two seconds, where there are several workers.
        (lambda db: outbox.rescue(db, NOON), "outbox_doing"),
        (lambda db: sending.rescue(db, NOON, NOON), "surveys_open"),
        # Every half a minute.
        (lambda db: _read(db, reminders.expired, NOON), "surveys_asked"),
        (lambda db: _read(db, reminders.to_remind, NOON, NOON), "surveys_asked"),
        (lambda db: _read(db, outbox.is_open, "press:17:solved:"), "outbox_doing"),
        # With every page of deals.
        (lambda db: _read(db, rollout.closings, NOON, NOON), "ix_surveys_triggered_at"),
        (lambda db: _read(db, rollout.size, 17), "surveys_bulk"),
        # After every pull.
        (lambda db: _read(db, deals.referrals_to_decide), "deals_to_decide"),
        (
            lambda db: _read(db, partial(deals.lead_ids_without_token, but_pipeline=9100)),
            "deals_without_link",
        ),
    ],
)
async def test_the_partial_index_is_used(
    db: Database, asked: Callable[[Database], Awaitable[object]], index: str
) -> None:
    assert index in await plan_of(db, asked)


async def test_of_all_deals_those_with_a_friends_code_are_read(db: Database) -> None:
    """A report asks for them several times, and most name none. PostgreSQL reads an empty table anyhow."""
    if db.is_sqlite:
        assert "referrals_coded" in await plan_of(db, lambda db: _read(db, sales.code_rows, NOON, NOON))


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (lambda db: _read(db, sales.seller_rows, NOON, NOON), "surveys_deal"),
        (lambda db: _read(db, sales.seller_rows, NOON, NOON), "deals_closed"),
        (lambda db: _read(db, partial(survey_rows, cuts=[NOON]), NOON, NOON), "surveys_answered"),
    ],
)
async def test_a_report_reads_of_a_long_row_what_stands_in_the_index(
    db: Database, asked: Callable[[Database], Awaitable[object]], index: str
) -> None:
    assert index in await plan_of(db, asked)


async def test_what_clients_bought_is_read_without_sorting_all_deals_for_every_page(db: Database) -> None:
    """Among enough of them that the database has a choice."""

    async def bought(tx: AsyncSession) -> None:
        assert len([of async for of in purchases(tx, NOON, page=100)]) == 500

    async with db.transaction() as tx:
        for number in range(1, 1001):
            at = NOON - timedelta(hours=number)
            tx.add(
                Deal(
                    deal_id=number, client_id=1 + number % 500, pipeline_id=1, status_id=142,
                    created_at=at, updated_at=at, closed_at=at, seen_at=at,
                )
            )  # fmt: skip
    async with db.transaction() as tx:
        await tx.exec(text("ANALYZE"))  # type: ignore[call-overload]  # SQLModel knows no plain text
    plan = await plan_of(db, lambda db: _read(db, bought))
    assert "ix_deals_client_id" in plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan  # only for the deals of each client


async def test_of_all_chats_only_the_one_asked_last_is_read(db: Database) -> None:
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(db._reader.sync_engine, "before_cursor_execute", note)
    async with db.reading() as tx:
        assert await asked.last_question_at(tx, "whatsapp") is None
    event.remove(db._reader.sync_engine, "before_cursor_execute", note)
    assert "LIMIT" in next(statement for statement in statements if "FROM chats" in statement)


async def test_an_act_is_found_by_its_whole_key(db: Database) -> None:
    async def look(db: Database) -> None:
        async with db.reading() as tx:
            assert not await outbox.any_open(tx, ["open_complaint:survey:1:1", "open_complaint:survey:2:1"])

    assert "key" in await plan_of(db, look)
