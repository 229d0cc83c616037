"""`backup` and `copy-to`: copies that can be used in place of the database."""

import asyncio
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url
from sqlmodel import SQLModel, col, select
from typer.testing import CliRunner, Result

from storage import copy as copying
from storage.database import Database
from storage.tables.deals import Contact, Deal
from storage.tables.people import Chat, Client, Erased, PromoCode
from storage.tables.queues import Inbox, Outbox, State
from storage.tables.surveys import Survey
from tests.cli.conftest import CONFIG, Sarafan
from tests.cli.test_data import AUGUST, keep
from tests.postgres import POSTGRES_URL
from worker.cli.main import app


def test_a_backup_is_a_whole_database(sarafan: Sarafan, db_url: str, tmp_path: Path) -> None:
    if not db_url.startswith("sqlite"):
        told = sarafan("backup", str(tmp_path / "copy.db"))
        assert (told.exit_code, "pg_dump" in told.stderr) == (1, True)
        return
    keep(db_url, Client(client_id=1, key="phone:+79140000001", name="Мария", created_at=AUGUST))
    copy = tmp_path / "copies" / "copy.db"
    told = sarafan("backup", str(copy))
    assert told.exit_code == 0
    assert told.stdout.startswith(f"Скопировано: {copy}, ")

    async def names() -> list[str]:
        db = await Database.open(f"sqlite:///{copy}", must_exist=True)
        async with db.reading() as tx:
            found = list((await tx.exec(select(Client.name))).all())
        await db.close()
        return found

    assert asyncio.run(names()) == ["Мария"]


# copy-to

ROWS = 60


@pytest.fixture
def file(tmp_path: Path, sqlite_template: Path) -> str:
    """A storage that has seen some years."""
    path = tmp_path / "old.db"
    shutil.copy(sqlite_template, path)
    url = f"sqlite:///{path}"
    keep(url, *made())
    return url


def made() -> list[SQLModel]:
    rows: list[SQLModel] = []
    for number in range(1, ROWS + 1):
        phone = f"+7914{number:07}"
        rows += [
            Client(client_id=number, key=f"phone:{phone}", phone=phone, name="Мария\0 🙂", created_at=AUGUST),
            Contact(contact_id=number - 5, client_id=number, tags=["возврат"], read_at=AUGUST),
            Deal(
                deal_id=2**40 + number, created_at=AUGUST, updated_at=AUGUST, seen_at=AUGUST,
                fields={"17": [{"value": "Б\0", "enum_id": None}]},
            ),
            Survey(
                survey_key="nps", metric="nps", trigger="deal_won", deal_id=number, root_deal_id=number,
                triggered_at=AUGUST, planned_at=AUGUST, due_at=AUGUST, next_at=AUGUST, score=number % 10,
            ),
            Inbox(channel="telegram", external_id=str(number), kind="m", raw=b"\0\xff", received_at=AUGUST),
            PromoCode(code=f"ДРУГ-{number}", digits=f"{number}", client_id=number, created_at=AUGUST),
            Erased(hash=f"{number:x}" * 8, erased_at=AUGUST),
        ]  # fmt: skip
    rows += [
        Outbox(id=1000, kind="sync_deal", key="sync:1", payload={"я": [1]}, due_at=AUGUST, created_at=AUGUST),
        State(key="ключ", value={"a": 1}, updated_at=AUGUST),
        State(key="Key", value={"a": 2}, updated_at=AUGUST),
    ]
    return rows


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Iterator[str]:
    """A schema without tables."""
    if not POSTGRES_URL:
        pytest.skip("needs a PostgreSQL: SARAFAN_TEST_POSTGRES_URL")
    _, address = request.getfixturevalue("postgres_schema")
    name = make_url(address).query["options"].removeprefix("-c search_path=") + "_copy"  # type: ignore[union-attr]
    base = make_url(POSTGRES_URL)
    with psycopg.connect(
        base.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        connection.execute(f'CREATE SCHEMA "{name}"'.encode())
        try:
            yield base.update_query_dict({"options": f"-c search_path={name}"}).render_as_string(False)
        finally:
            connection.execute("SET client_min_messages TO warning")
            connection.execute(f'DROP SCHEMA "{name}" CASCADE'.encode())


def copy_to(file: str, target: str, *words: str) -> Result:
    config = Path(make_url(file).database or "").with_name("config.toml")
    config.write_text(CONFIG.format(url=file), encoding="utf-8")
    return CliRunner().invoke(app, ["copy-to", "--config", str(config), target, *words])


def everything(url: str) -> dict[str, list[Any]]:
    """All rows of all tables, NUL shown as PostgreSQL keeps it."""

    async def read() -> dict[str, list[Any]]:
        db = await Database.open(url, must_exist=True)
        rows = {}
        async with db.reading() as tx:
            for table in copying.all_tables():
                found = (await (await tx.connection()).execute(table.select())).all()
                rows[table.name] = sorted(repr(tuple(row)).replace(r"ия\x00", "ия\ufffd") for row in found)
        await db.close()
        return rows

    return asyncio.run(read())


def test_everything_is_copied(file: str, target: str) -> None:
    told = copy_to(file, target, "--json")
    assert told.exit_code == 0, told.stderr
    counts = {each["table"]: (each["source"], each["target"]) for each in json.loads(told.stdout)["tables"]}
    assert counts["surveys"] == counts["clients"] == counts["promo_codes"] == (ROWS, ROWS)
    assert everything(target) == everything(file)


def test_a_server_that_is_not_there_is_told_in_russian_with_its_own_words_in_quotes(file: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    told = copy_to(file, f"postgresql+psycopg://root@127.0.0.1:{port}/test")
    assert told.exit_code == 1
    assert f"База postgresql+psycopg://root@127.0.0.1:{port}/test не отвечает: «" in told.stderr
    assert "The database" not in told.stderr


def test_a_person_reads_the_counts_and_what_to_do_next(file: str, target: str) -> None:
    told = copy_to(file, target)
    assert told.exit_code == 0
    assert "surveys" in told.stdout
    assert "Впишите новый адрес в storage.url" in told.stdout
    assert "surveys" in told.stderr, "the progress"


def test_new_rows_get_numbers_of_their_own(file: str, target: str) -> None:
    assert copy_to(file, target).exit_code == 0
    keep(
        target,
        Chat(channel="telegram", chat_id="1", linked_at=AUGUST),
        Outbox(kind="k", key="new", due_at=AUGUST, created_at=AUGUST),
        Inbox(channel="telegram", external_id="new", kind="m", raw=b"", received_at=AUGUST),
    )

    async def ids() -> list[int | None]:
        db = await Database.open(target)
        async with db.reading() as tx:
            found = [
                (await tx.exec(select(Chat.id))).one(),
                (await tx.exec(select(Outbox.id).where(Outbox.key == "new"))).one(),
                (await tx.exec(select(Inbox.id).where(col(Inbox.external_id) == "new"))).one(),
            ]
        await db.close()
        return found

    assert asyncio.run(ids()) == [1, 1001, ROWS + 1]


@pytest.mark.parametrize(
    "batches", [pytest.param(n, marks=pytest.mark.long if n != 3 else ()) for n in (0, 1, 3, 9, 20)]
)
def test_a_copy_that_was_broken_off_goes_on(
    file: str, target: str, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    monkeypatch.setattr(copying, "BATCH", 17)
    seen = 0

    class Killed(BaseException):
        """The process ends."""

    def kill(table: str, done: int, total: int) -> None:
        nonlocal seen
        seen += 1
        if seen > batches:
            raise Killed

    async def begin() -> None:
        source, goal = await Database.open(file), await Database.open(target)
        try:
            with pytest.raises(Killed):
                await copying.copy(source, goal, on_rows=kill)
            assert await copying.is_unfinished(goal)
        finally:
            await source.close()
            await goal.close()

    asyncio.run(begin())
    assert copy_to(file, target).exit_code == 0
    assert everything(target) == everything(file)


def test_a_file_that_changed_meanwhile_is_not_continued(file: str, target: str) -> None:
    async def begin() -> None:
        goal = await Database.open(target)
        path = Path(make_url(file).database or "")
        await copying._begin(goal, copying._fingerprint(path), path)
        await goal.close()

    asyncio.run(begin())
    keep(file, Client(client_id=900, key="new", created_at=AUGUST))
    told = copy_to(file, target)
    assert (told.exit_code, "этот с тех пор изменился" in told.stderr) == (1, True)


def test_a_target_with_rows_of_others_is_refused_and_left_alone(file: str, target: str) -> None:
    asyncio.run(_make(target))
    keep(target, Client(client_id=5, key="theirs", created_at=AUGUST))
    before = everything(target)
    told = copy_to(file, target)
    assert (told.exit_code, "Там уже есть строки (таблица clients)" in told.stderr) == (1, True)
    assert everything(target) == before
    again = copy_to(file, target)
    assert again.exit_code == 1


def test_a_whole_copy_is_not_repeated(file: str, target: str) -> None:
    assert copy_to(file, target).exit_code == 0
    assert copy_to(file, target).exit_code == 1


async def test_beside_a_worker_a_snapshot_is_copied_and_no_worker_starts_on_it(
    file: str, target: str
) -> None:
    worker = await Database.open(file)
    await worker.claim_instance()
    before = await asyncio.to_thread(everything, file)
    told = await asyncio.to_thread(copy_to, file, target, "--json")
    assert (told.exit_code, json.loads(told.stdout)["final"]) == (0, False), told.stderr
    assert without_mark(await asyncio.to_thread(everything, target)) == before
    goal = await Database.open(target)
    assert await copying.is_unfinished(goal)
    await goal.close()
    assert [path.name for path in _folder(file).iterdir() if ".copy-" in path.name] == []

    # It goes on, is stopped, and the same command moves all of it.
    async with worker.transaction() as tx:
        tx.add(Client(client_id=900, key="new", created_at=AUGUST))
    await worker.close()
    told = await asyncio.to_thread(copy_to, file, target)
    assert (told.exit_code, "Впишите новый адрес" in told.stdout) == (0, True), told.stderr
    assert await asyncio.to_thread(everything, target) == await asyncio.to_thread(everything, file)


async def test_the_copy_of_a_snapshot_that_was_broken_off_goes_on(
    file: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process ends."""

    def kill(table: str, done: int, total: int) -> None:
        if table == "surveys" and done:
            raise Killed

    worker, source, goal = [await Database.open(url) for url in (file, file, target)]
    await worker.claim_instance()
    with pytest.raises(Killed):
        await copying.copy(source, goal, on_rows=kill)
    await source.close()
    await goal.close()
    async with worker.transaction() as tx:
        tx.add(Client(client_id=900, key="new", created_at=AUGUST))
    cleared: list[str] = []
    monkeypatch.setattr(copying, "_expect_empty", lambda _: cleared.append("begun anew"))
    told = await asyncio.to_thread(copy_to, file, target, "--json")
    await worker.close()
    assert told.exit_code == 0, told.stderr
    clients = [each for each in json.loads(told.stdout)["tables"] if each["table"] == "clients"]
    assert clients == [{"table": "clients", "source": ROWS, "target": ROWS}], "as it was when it was begun"
    assert cleared == []


def without_mark(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {**rows, "state": [row for row in rows["state"] if copying.MARK not in row]}


def _folder(file: str) -> Path:
    return Path(make_url(file).database or "").parent


async def test_two_copies_at_once_are_refused(file: str, target: str) -> None:
    goal = await Database.open(target)
    assert await goal.hold(copying.ROLE)
    told = await asyncio.to_thread(copy_to, file, target)
    await goal.close()
    assert (told.exit_code, "В эту базу сейчас копирует другая команда" in told.stderr) == (1, True)


@pytest.mark.parametrize(
    "url",
    ["sqlite:///other.db", "mysql://me:pass-word@host/db", "not an address", "postgresql+psycopg://host"],
)
def test_another_target_than_postgresql_is_wrong_use(
    file: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = copy_to(file, url)
    assert (told.exit_code, "нужно postgresql+psycopg://user@host/db" in told.stderr) == (2, True)
    assert "storage.url" not in told.stderr
    assert "pass-word" not in told.output
    assert not (tmp_path / "other.db").exists(), "nothing is made"


def test_from_postgresql_nothing_is_copied(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(url="postgresql+psycopg://me@127.0.0.1:1/db"), encoding="utf-8")
    told = CliRunner().invoke(app, ["copy-to", "--config", str(config), "postgresql+psycopg://me@other/db"])
    assert (told.exit_code, "storage.url" in told.stderr) == (2, True)


async def _make(url: str) -> None:
    await (await Database.open(url)).close()
