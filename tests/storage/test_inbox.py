"""A reply is kept once and for good, before anybody is told that it arrived."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text

from storage import inbox, state
from storage.database import Database
from storage.errors import Unavailable
from storage.inbox import InboxWriter
from storage.tables.queues import Inbox, InboxState

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Update:
    external_id: str
    kind: str = "message"
    body: bytes = b"{}"


def updates(*ids: int) -> list[Update]:
    return [Update(str(number)) for number in ids]


@pytest.fixture
def writer(db: Database) -> InboxWriter:
    return InboxWriter(db)


async def ids(db: Database) -> list[str]:
    return [row.external_id for row in await inbox.unread(db)]


async def only(db: Database) -> Inbox:
    (row,) = await inbox.unread(db)
    return row


async def aside(db: Database, error: str = "no JSON") -> Inbox:
    row = await only(db)
    async with db.transaction() as tx:
        assert await inbox.quarantine(tx, row.id, error, NOON)
    return row


class TestPutting:
    async def test_it_is_kept_as_it_came(self, db: Database, writer: InboxWriter) -> None:
        body = '{"text": "\U0001f600 9"}'.encode() + b"\x00\xff not even text"
        assert await writer.put("telegram", [Update("17", body=body)], NOON) == 1
        row = await only(db)
        assert (row.channel, row.external_id, row.kind, row.raw) == ("telegram", "17", "message", body)
        assert (row.received_at, row.state) == (NOON, InboxState.NEW)

    async def test_a_repeat_changes_nothing(self, db: Database, writer: InboxWriter) -> None:
        assert await writer.put("telegram", updates(1, 2, 1), NOON) == 2
        assert await writer.put("telegram", updates(2, 3), NOON) == 1
        assert await ids(db) == ["1", "2", "3"]

    async def test_channel_and_kind_belong_to_the_key(self, db: Database, writer: InboxWriter) -> None:
        await writer.put("telegram", [Update("1"), Update("1", kind="status")], NOON)
        await writer.put("whatsapp", updates(1), NOON)
        assert await ids(db) == ["1", "1", "1"]

    async def test_one_webhook_ten_times_at_once_is_one(self, db: Database, writer: InboxWriter) -> None:
        new = await asyncio.gather(*(writer.put("whatsapp", updates(1), NOON) for _ in range(10)))
        assert sum(new) == 1
        assert await ids(db) == ["1"]

    async def test_two_processes_keep_it_once(self, db: Database, db_url: str) -> None:
        other = await Database.open(db_url)
        writers = [InboxWriter(db), InboxWriter(other)]
        new = await asyncio.gather(
            *(writer.put("whatsapp", updates(number), NOON) for number in range(10) for writer in writers)
        )
        await other.close()
        assert sum(new) == 10

    async def test_the_order_is_kept(self, db: Database, writer: InboxWriter) -> None:
        await asyncio.gather(*(writer.put("telegram", updates(n, n + 100), NOON) for n in range(30)))
        assert [int(key) for key in await ids(db)] == [key for n in range(30) for key in (n, n + 100)]

    async def test_more_than_one_statement_holds(self, db: Database, writer: InboxWriter) -> None:
        assert await writer.put("telegram", updates(*range(1201)), NOON) == 1201

    async def test_nothing_is_nothing(self, db: Database, writer: InboxWriter) -> None:
        assert await writer.put("telegram", [], NOON) == 0

    async def test_times_without_a_zone_are_refused(self, db: Database, writer: InboxWriter) -> None:
        with pytest.raises(Exception, match="timezone"):
            await writer.put("telegram", updates(1), NOON.replace(tzinfo=None))


class TestGroupCommit:
    async def test_what_gathers_is_committed_together(self, db: Database, writer: InboxWriter) -> None:
        commits: list[object] = []
        statements: list[str] = []
        event.listen(db._writer.sync_engine, "commit", commits.append)

        @event.listens_for(db._writer.sync_engine, "before_cursor_execute")
        def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
            statements.append(statement)

        await asyncio.gather(*(writer.put("whatsapp", updates(number), NOON) for number in range(100)))
        assert len(commits) <= 2
        assert len([text for text in statements if text.startswith("INSERT INTO inbox")]) <= 2
        assert len(await ids(db)) == 100

    async def test_who_brought_it_first_is_told_that_it_was_new(self, writer: InboxWriter) -> None:
        twice = updates(1, 2), updates(2, 3, 3)
        assert await asyncio.gather(*(writer.put("whatsapp", batch, NOON) for batch in twice)) == [2, 1]

    async def test_one_that_cannot_be_stored_does_not_take_others_along(
        self, db: Database, writer: InboxWriter
    ) -> None:
        broken = Update("\ud800")  # half of a surrogate pair has no place in UTF-8
        results = await asyncio.gather(
            writer.put("whatsapp", updates(1), NOON),
            writer.put("whatsapp", [broken], NOON),
            writer.put("whatsapp", updates(2), NOON),
            return_exceptions=True,
        )
        assert [results[0], results[2]] == [1, 1]
        assert isinstance(results[1], Exception)
        assert await ids(db) == ["1", "2"]

    async def test_who_is_cancelled_takes_nobody_along(self, db: Database, writer: InboxWriter) -> None:
        tasks = [asyncio.create_task(writer.put("whatsapp", updates(n), NOON)) for n in range(5)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[3].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [results[n] for n in (1, 2, 4)] == [1, 1, 1]
        await writer.close()
        assert await writer.put("whatsapp", updates(9), NOON) == 1

    async def test_closing_waits_for_what_is_under_way(self, db: Database, writer: InboxWriter) -> None:
        task = asyncio.create_task(writer.put("whatsapp", updates(1), NOON))
        await asyncio.sleep(0)
        await writer.close()
        assert await task == 1
        await writer.close()

    async def test_a_busy_database_is_told_to_everybody_and_forgotten(
        self, db: Database, writer: InboxWriter
    ) -> None:
        if not db.is_sqlite:
            pytest.skip("only SQLite locks the whole database")
        async with db.transaction() as tx:
            await (await tx.connection()).execute(text("PRAGMA busy_timeout=20"))
        with closing(sqlite3.connect(db.url.database or "", isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            results = await asyncio.gather(
                *(writer.put("whatsapp", updates(n), NOON) for n in range(3)), return_exceptions=True
            )
            stranger.execute("ROLLBACK")
        assert [type(result) for result in results] == [Unavailable] * 3
        assert await writer.put("whatsapp", updates(1), NOON) == 1

    async def test_the_reader_is_woken_by_what_is_new(self, db: Database) -> None:
        woken: list[int] = []
        writer = InboxWriter(db, on_new=lambda: woken.append(1))
        await writer.put("telegram", updates(1), NOON)
        await writer.put("telegram", updates(1), NOON)
        await writer.put("telegram", [], NOON, offset=("telegram", "2"))
        assert woken == [1]


class TestOffsets:
    async def test_they_are_kept_with_their_batch(self, db: Database, writer: InboxWriter) -> None:
        await writer.put("telegram", updates(1, 2), NOON, offset=("telegram", "3"))
        await writer.put("telegram", [], NOON, offset=("telegram", "4"))
        async with db.reading() as tx:
            assert await state.offset(tx, "telegram") == "4"

    async def test_a_batch_that_is_not_kept_moves_none(self, db: Database, writer: InboxWriter) -> None:
        with pytest.raises(Exception, match="surrogate"):
            await writer.put("telegram", [Update("1"), Update("\ud800")], NOON, offset=("telegram", "3"))
        async with db.reading() as tx:
            assert await state.offset(tx, "telegram") == ""
        assert await ids(db) == []


class TestReading:
    async def test_what_was_read_is_not_read_again(self, db: Database, writer: InboxWriter) -> None:
        await writer.put("telegram", updates(1, 2), NOON)
        first, _ = await inbox.unread(db)
        async with db.transaction() as tx:
            assert await inbox.mark_read(tx, first.id, NOON)
        assert await ids(db) == ["2"]

    async def test_two_readers_of_one_row_know_who_was_first(self, db: Database, db_url: str) -> None:
        other = await Database.open(db_url)
        await InboxWriter(db).put("telegram", updates(1), NOON)
        row = await only(db)

        async def read(database: Database) -> bool:
            async with database.transaction() as tx:
                return await inbox.mark_read(tx, row.id, NOON)

        assert sorted(await asyncio.gather(read(db), read(other))) == [False, True]
        await other.close()

    async def test_no_more_than_asked_for(self, db: Database, writer: InboxWriter) -> None:
        await writer.put("telegram", updates(1, 2, 3), NOON)
        assert len(await inbox.unread(db, limit=2)) == 2
        rest = await inbox.unread(db, after=2)
        assert [row.external_id for row in rest] == ["3"]

    async def test_failures_are_counted(self, db: Database, writer: InboxWriter) -> None:
        await writer.put("telegram", updates(1), NOON)
        row = await only(db)
        for expected in (1, 2, 3):
            async with db.transaction() as tx:
                assert await inbox.note_failure(tx, row.id, "KeyError") == expected
        assert (await only(db)).error == "KeyError"


class TestQuarantine:
    async def test_it_keeps_the_body_and_the_reason(self, db: Database, writer: InboxWriter) -> None:
        await writer.put("telegram", [Update("1", body=b"\x00<html>")], NOON)
        await aside(db)
        assert await inbox.unread(db) == []
        (row,) = await inbox.quarantined(db)
        assert (row.raw, row.error, row.read_at) == (b"\x00<html>", "no JSON", NOON)

    async def test_a_repeat_does_not_bring_it_back(self, db: Database, writer: InboxWriter) -> None:
        await writer.put("telegram", updates(1), NOON)
        await aside(db)
        assert await writer.put("telegram", updates(1), NOON + timedelta(hours=1)) == 0
        assert await inbox.unread(db) == []

    async def test_it_is_taken_in_again_on_request(self, db: Database, writer: InboxWriter) -> None:
        put_aside = []
        for number in (1, 2):
            await writer.put("telegram", updates(number), NOON)
            put_aside.append((await aside(db)).id or 0)
        async with db.transaction() as tx:
            assert await inbox.requeue(tx, [put_aside[1], 999]) == [put_aside[1]]
        assert await ids(db) == ["2"]
        async with db.transaction() as tx:
            assert await inbox.requeue(tx) == [put_aside[0]]
        for row in await inbox.unread(db):
            assert (row.error, row.attempts, row.read_at) == ("", 0, None)
        assert await ids(db) == ["1", "2"]
