"""`inbox`: what could not be read is listed without words, and read again when somebody says so."""

import asyncio
import json
from typing import Any

import pytest

from storage.database import Database
from storage.inbox import unread
from storage.tables.queues import Inbox, InboxState
from tests.cli.conftest import Sarafan
from tests.cli.test_data import AUGUST, keep

WORDS = "монтаж три недели"


def row(number: int, state: InboxState = InboxState.QUARANTINED, channel: str = "whatsapp") -> Inbox:
    return Inbox(
        id=number,
        channel=channel,
        external_id=f"in{number}",
        kind="message",
        raw=f'{{"text": "{WORDS}", "phone": "79140000001"}}'.encode() + b"\xff",
        received_at=AUGUST,
        state=state,
        attempts=3,
        error="no chat [in] the body",
        read_at=AUGUST,
    )


@pytest.fixture
def put_aside(db_url: str) -> None:
    keep(db_url, row(1), row(2, InboxState.READ), row(3, channel="telegram"))


def waiting(db_url: str) -> list[tuple[int | None, int, str]]:
    async def read() -> list[tuple[int | None, int, str]]:
        db = await Database.open(db_url)
        found = [(each.id, each.attempts, each.error) for each in await unread(db)]
        await db.close()
        return found

    return asyncio.run(read())


def test_nothing_was_put_aside(sarafan: Sarafan) -> None:
    told = sarafan("inbox")
    assert (told.exit_code, told.stdout) == (0, "Всё прочитано: ничего не отложено.\n")
    assert json.loads(sarafan("inbox", "--json").stdout) == []


@pytest.mark.usefixtures("put_aside")
def test_the_list_tells_which_and_why_but_no_words(sarafan: Sarafan) -> None:
    told = sarafan("inbox")
    assert told.exit_code == 0
    for part in ("1 ", "3 ", "whatsapp", "telegram", "no chat [in] the body", "--replay"):
        assert part in told.stdout
    for secret in (WORDS, "79140000001", "in2"):
        assert secret not in told.stdout


@pytest.mark.usefixtures("put_aside")
@pytest.mark.parametrize("options", [(), ("--raw",)], ids=["plain", "raw"])
def test_as_json(sarafan: Sarafan, options: tuple[str, ...]) -> None:
    rows: list[dict[str, Any]] = json.loads(sarafan("inbox", "--json", *options).stdout)
    assert [each["id"] for each in rows] == [1, 3]
    assert rows[0]["received_at"].endswith("+10:00")
    assert {"channel", "external_id", "kind", "error"} < rows[0].keys()
    if options:
        assert WORDS in rows[0]["raw"]
        assert rows[0]["raw"].endswith(r"\xff")
    else:
        assert "raw" not in rows[0]


@pytest.mark.usefixtures("put_aside")
def test_raw_shows_what_came(sarafan: Sarafan) -> None:
    assert WORDS in sarafan("inbox", "--raw").stdout


@pytest.mark.usefixtures("put_aside")
def test_everything_is_taken_in_again(sarafan: Sarafan, db_url: str) -> None:
    told = sarafan("inbox", "--replay")
    assert (told.exit_code, told.stdout.partition(".")[0]) == (0, "Принято заново: 2")
    assert waiting(db_url) == [(1, 0, ""), (3, 0, "")]
    assert json.loads(sarafan("inbox", "--replay", "--json").stdout) == {"replayed": []}


@pytest.mark.usefixtures("put_aside")
def test_one_is_taken_in_again(sarafan: Sarafan, db_url: str) -> None:
    assert json.loads(sarafan("inbox", "--json", "--replay", "3").stdout) == {"replayed": [3]}
    assert [number for number, _, _ in waiting(db_url)] == [3]


@pytest.mark.usefixtures("put_aside")
@pytest.mark.parametrize("number", ["2", "99"], ids=["read long ago", "unknown"])
def test_what_was_not_put_aside_is_refused_and_nothing_changes(
    sarafan: Sarafan, db_url: str, number: str
) -> None:
    told = sarafan("inbox", "--replay", "1", number)
    assert (told.exit_code, told.stderr.partition(".")[0]) == (1, f"Не отложено: {number}")
    assert waiting(db_url) == []


@pytest.mark.parametrize(
    "words", [("1",), ("--raw", "--replay"), ("--replay", "one")], ids=["no replay", "both", "no number"]
)
def test_wrong_use(sarafan: Sarafan, words: tuple[str, ...]) -> None:
    assert sarafan("inbox", *words).exit_code == 2


async def test_it_replays_beside_a_running_worker(sarafan: Sarafan, db_url: str) -> None:
    await asyncio.to_thread(keep, db_url, row(1), row(3))
    worker = await Database.open(db_url)
    await worker.claim_instance()
    try:
        told = await asyncio.to_thread(sarafan, "inbox", "--replay")
        assert told.exit_code == 0
        assert [each.id for each in await unread(worker)] == [1, 3]
    finally:
        await worker.close()


def test_where_nothing_is_put_aside_nothing_is_promised(sarafan: Sarafan) -> None:
    told = sarafan("inbox", "--replay")
    assert (told.exit_code, told.stdout) == (0, "Всё прочитано: ничего не отложено.\n")
    assert json.loads(sarafan("inbox", "--replay", "--json").stdout) == {"replayed": []}
