"""Two workers on one PostgreSQL: nothing twice, and what a dead one held goes on to the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import make_url
from sqlmodel import select

from storage import outbox, sending, state
from storage.database import Database
from storage.errors import Unavailable
from storage.inbox import InboxWriter, unread
from storage.tables.queues import Outbox, OutboxState
from storage.tables.surveys import Survey, SurveyState
from tests.flows import test_burst as burst
from tests.world import IVAN, World, start
from worker.actions.escalate import look_for_untaken
from worker.app import App
from worker.flows.act import act

pytestmark = pytest.mark.own_database

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def postgres(db: Database) -> None:
    if db.is_sqlite:
        pytest.skip("SQLite admits one worker")


@pytest_asyncio.fixture(loop_scope="session")
async def other(town: World, db_url: str, tmp_path: Path) -> AsyncIterator[App]:
    """A second worker of the same company, as another process would be."""
    db = await Database.open(db_url)
    folder = tmp_path / "other"
    folder.mkdir()
    app = await start(db, folder, town.clock, town.amocrm, town.telegram, town.whatsapp, town.config)
    yield app
    await app.close()
    await db.close()


async def both(town: World, other: App) -> None:
    await asyncio.gather(town.step(), other.step())


async def test_a_deal_is_asked_about_once_and_answered_once(town: World, other: App) -> None:
    deals = []
    for number in range(6):
        client = town.contact(f"Клиент {number}", f"+7914000010{number}")
        deals.append(town.deal([client]))
        town.amocrm.close_lead(deals[-1])
    await both(town, other)
    town.clock.advance(timedelta(days=1))
    await both(town, other)
    await both(town, other)
    for number in range(6):
        assert len(town.whatsapp.messages(f"+7914000010{number}")) == 1
        town.whatsapp.says(f"+7914000010{number}", "3")
    await both(town, other)
    await both(town, other)
    assert [survey.score for survey in await town.surveys()] == [3] * 6
    assert len(town.complaints()) == 6, "one for each low score"


async def test_a_burst_of_complaints_is_one_message_whoever_sends_it(town: World, other: App) -> None:
    await burst.asked(town, 6)
    for place in range(6):
        burst.says(town, place)
    await burst.complaints_opened(town)
    await asyncio.gather(act(town.app.hands, "staff"), act(other.hands, "staff"))
    town.clock.advance(timedelta(minutes=5))
    await both(town, other)
    assert [burst.told_of(post) for post in burst.joined(town)] == [burst.clients(*range(6))]
    assert burst.alerts(town) == []


async def test_one_alerts_while_it_lives_and_then_the_other(town: World, other: App) -> None:
    await town.asked()
    await act(town.app.hands, "staff")
    town.whatsapp.says(IVAN, "2")
    await burst.complaints_opened(town)
    assert await act(other.hands, "staff") == 0
    assert burst.alerts(town) == []
    await town.db.close()
    assert await act(other.hands, "staff") > 0
    assert len(burst.alerts(town)) == 1


async def test_one_tells_of_what_nobody_takes_while_it_lives(town: World, other: App) -> None:
    """Two at it would each join a part, and staff would read two messages in place of one."""
    await burst.asked(town, 6)
    await burst.all_say(town, 6)
    await act(town.app.hands, "escalation")
    town.clock.advance(timedelta(hours=1, minutes=1))
    assert await look_for_untaken(town.app.hands) == 6
    assert await act(other.hands, "escalation") == 0
    await asyncio.gather(act(town.app.hands, "escalation"), act(other.hands, "escalation"))
    waiting = [post for post in town.telegram.messages("Анна") if "никто не взял" in post.text]
    assert [post.text.count("никто не взял") for post in waiting] == [6]


async def test_three_deals_of_one_client_are_one_question(town: World, other: App) -> None:
    for _ in range(3):
        town.amocrm.close_lead(town.deal())
    await both(town, other)
    town.clock.advance(timedelta(days=1))
    await both(town, other)
    await both(town, other)
    assert len(town.to_ivan()) == 1


async def test_who_dies_is_replaced(town: World, other: App) -> None:
    """It held every role, a question that it was sending and an alert that it was about to give."""
    db, now = town.db, town.clock.now()
    await db.claim_instance()
    deal = await town.closed_deal()
    assert await db.hold("pull")
    town.clock.advance(timedelta(days=1))
    claimed = await sending.claim_due(db, town.clock.now())
    assert claimed
    assert await sending.begin_sending(
        db,
        claimed,
        channel="whatsapp",
        chat_id="1",
        text_variant="",
        promo_code="",
        conversation=1,
        now=town.clock.now(),
    )
    async with db.transaction() as tx:
        await outbox.add_once(tx, "alert_staff", "of the dead", {}, now, now)
    (act,) = await outbox.claim(db, town.clock.now(), kinds=["alert_staff"])
    await other.recover(timedelta(seconds=60))
    assert (await town.survey(deal)).state == SurveyState.SENDING, "it lives"
    await db.close()

    await other.recover()
    async with other.hands.db.reading() as tx:
        row = (await tx.exec(select(Survey).where(Survey.deal_id == deal))).one()
        left = (await tx.exec(select(Outbox).where(Outbox.id == act.id))).one()
    assert (row.state, row.uncertain) == (SurveyState.UNCERTAIN, True)
    assert (left.state, left.uncertain) == (OutboxState.WAITING, True)
    for role in ("pull", "send", "listen", "poll_telegram"):
        assert await other.hands.db.hold(role)
    await other.step()
    assert town.whatsapp.messages(IVAN) == [], "it may have been asked: nobody is asked twice"


async def test_a_frozen_worker_that_wakes_changes_nothing(town: World, other: App) -> None:
    deal = await town.closed_deal()
    town.clock.advance(timedelta(days=1))
    frozen = await sending.claim_due(town.db, town.clock.now())
    assert frozen
    town.clock.advance(timedelta(minutes=10))
    taken = await sending.claim_due(other.hands.db, town.clock.now())
    assert taken
    assert not await sending.begin_sending(
        town.db,
        frozen,
        channel="whatsapp",
        chat_id="1",
        text_variant="",
        promo_code="",
        conversation=1,
        now=town.clock.now(),
    )
    assert (await town.survey(deal)).owner == other.hands.db.owner


@dataclass
class Wire:
    """Between a worker and its database. The server itself is never touched."""

    host: str
    port: int
    is_cut: bool = False
    swallows: bytes = b""  # the answer to a command with this tag is lost, and the connection with it
    lost: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        pair = (writer, far_writer)
        self._open.update(pair)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pass_on(source, sink, pair))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(65536):
                is_answer = sink is pair[0]
                if is_answer and self.swallows and self.swallows in piece:
                    self.swallows, self.lost = b"", self.lost + 1
                    break
                sink.write(piece)
                await sink.drain()
        for end in pair:
            self._open.discard(end)
            end.close()

    def cut(self) -> None:
        self.is_cut = True
        for end in list(self._open):
            end.close()

    async def end(self) -> None:
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def wired(db_url: str) -> AsyncIterator[tuple[Wire, Database]]:
    """A database behind a wire that can be cut."""
    url = make_url(db_url)
    wire = Wire(url.host or "127.0.0.1", url.port or 5432)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    through = url.set(host="127.0.0.1", port=port).update_query_dict({"sslmode": "disable"})
    db = await Database.open(through.render_as_string(hide_password=False))
    try:
        yield wire, db
    finally:
        await db.close()
        server.close()
        await wire.end()


async def test_a_reply_whose_commit_answer_is_lost_is_kept_once(db: Database, db_url: str) -> None:
    async with wired(db_url) as (wire, behind):
        writer = InboxWriter(behind)
        wire.swallows = b"COMMIT"
        with pytest.raises(Unavailable):
            await writer.put("telegram", [Update("1")], NOON, offset=("telegram", "2"))
        assert wire.lost == 1
        await writer.put("telegram", [Update("1")], NOON, offset=("telegram", "2"))
        await writer.close()
    assert [row.external_id for row in await unread(db)] == ["1"]
    async with db.reading() as tx:
        assert await state.offset(tx, "telegram") == "2"


async def test_a_claim_whose_commit_answer_is_lost_is_let_go(db: Database, db_url: str) -> None:
    async with wired(db_url) as (wire, behind):
        async with behind.transaction() as tx:
            await outbox.add_once(tx, "alert_staff", "k", {}, NOON, NOON)
        wire.swallows = b"COMMIT"
        with pytest.raises(Unavailable):
            await outbox.claim(behind, NOON)
        assert await outbox.claim(behind, NOON) == [], "the database thinks that we are at it"
        assert await outbox.let_go(behind, ["other"], NOON) == 0
        assert await outbox.let_go(behind, ["alert_staff"], NOON) == 1
        (item,) = await outbox.claim(behind, NOON)
        assert item.uncertain, "whoever does it looks first"


async def test_after_a_cut_the_database_is_back_within_ten_seconds(db: Database, db_url: str) -> None:
    async with wired(db_url) as (wire, behind):
        await behind.claim_instance()
        assert await behind.hold("pull")
        wire.cut()
        with pytest.raises(Unavailable):
            await behind.hold("pull")
        with pytest.raises(Unavailable):
            async with behind.transaction() as tx:
                await state.remember(tx, "k", {})
        wire.is_cut = False
        async with asyncio.timeout(10):
            async with behind.transaction() as tx:
                await state.remember(tx, "k", {"v": 1})
            # Until the server has noticed that the old one is gone.
            while not await behind.hold("pull"):  # noqa: ASYNC110  # nobody tells us when
                await asyncio.sleep(0.1)
        assert await db.orphans([behind.owner]) == []


@dataclass(frozen=True)
class Update:
    external_id: str
    kind: str = "message"
    body: bytes = b"{}"
