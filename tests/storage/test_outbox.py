"""An act is asked for, claimed by one, done or put off, and never lost on the way."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from storage import outbox
from storage.database import Database
from storage.tables.columns import Json
from storage.tables.queues import Outbox, OutboxState

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def other(db: Database, db_url: str) -> AsyncIterator[Database]:
    """Another start of the program with the same database."""
    opened = await Database.open(db_url)
    yield opened
    await opened.close()


async def once(db: Database, key: str, *, due_at: datetime = NOON, kind: str = "thank_client") -> bool:
    async with db.transaction() as tx:
        return await outbox.add_once(tx, kind, key, {"first": key}, due_at, NOON)


async def again(db: Database, key: str, *, due_at: datetime = NOON, now: datetime = NOON) -> None:
    async with db.transaction() as tx:
        await outbox.ask_again(tx, "sync_deal", key, {"newest": due_at.isoformat()}, due_at, now)


async def claim_one(db: Database, now: datetime = NOON) -> Outbox:
    (item,) = await outbox.claim(db, now)
    return item


async def row(db: Database, key: str) -> Outbox:
    async with db.reading() as tx:
        return (await tx.exec(select(Outbox).where(col(Outbox.key) == key))).one()


class TestAskingOnce:
    async def test_the_first_time_is_new_and_the_second_changes_nothing(self, db: Database) -> None:
        assert await once(db, "thanks:17")
        assert not await once(db, "thanks:17", due_at=NOON + MINUTE)
        assert (await row(db, "thanks:17")).due_at == NOON

    async def test_what_was_done_is_not_done_again(self, db: Database) -> None:
        await once(db, "thanks:17")
        await outbox.done(db, await claim_one(db), NOON)
        assert not await once(db, "thanks:17")
        assert await outbox.claim(db, NOON) == []

    async def test_ten_at_once_make_one(self, db: Database, other: Database) -> None:
        new = await asyncio.gather(
            *(once(database, "thanks:17") for database in (db, other) for _ in range(5))
        )
        assert sorted(new) == [False] * 9 + [True]


class TestAskingAgain:
    async def test_a_waiting_row_takes_the_newest_payload_and_the_earliest_time(self, db: Database) -> None:
        await again(db, "deal:5", due_at=NOON + 2 * MINUTE)
        await again(db, "deal:5", due_at=NOON + MINUTE)
        await again(db, "deal:5", due_at=NOON + 3 * MINUTE)
        kept = await row(db, "deal:5")
        assert (kept.revision, kept.due_at, kept.state) == (2, NOON + MINUTE, OutboxState.WAITING)
        assert kept.payload == {"newest": (NOON + 3 * MINUTE).isoformat()}

    async def test_what_was_done_is_done_once_more_with_tries_of_its_own(self, db: Database) -> None:
        await again(db, "deal:5")
        await outbox.done(db, await claim_one(db), NOON)
        later = NOON + timedelta(days=10)
        await again(db, "deal:5", due_at=later, now=later)
        kept = await row(db, "deal:5")
        assert (kept.state, kept.attempt, kept.created_at, kept.done_at) == (
            OutboxState.WAITING,
            0,
            later,
            None,
        )

    async def test_what_was_given_up_is_tried_once_more(self, db: Database) -> None:
        await again(db, "deal:5")
        await outbox.give_up(db, await claim_one(db), "no such field", NOON)
        await again(db, "deal:5")
        kept = await row(db, "deal:5")
        assert (kept.state, kept.error, kept.attempt) == (OutboxState.WAITING, "", 0)

    @pytest.mark.parametrize("ends", ["done", "given up"])
    async def test_while_it_is_being_done_it_waits_its_turn_and_is_not_forgotten(
        self, db: Database, ends: str
    ) -> None:
        await again(db, "deal:5")
        first = await claim_one(db)
        await again(db, "deal:5", due_at=NOON + MINUTE)
        assert await outbox.claim(db, NOON + MINUTE) == []  # nobody does it twice at the same time
        if ends == "done":
            assert await outbox.done(db, first, NOON)
        else:
            assert await outbox.give_up(db, first, "no", NOON)
        second = await claim_one(db, NOON + MINUTE)
        assert (second.revision, second.attempt, second.done_at) == (1, 1, None)
        assert second.payload == {"newest": (NOON + MINUTE).isoformat()}
        await outbox.done(db, second, NOON)
        assert (await row(db, "deal:5")).state == OutboxState.DONE


class TestClaiming:
    async def test_earliest_first_and_nothing_before_its_time(self, db: Database) -> None:
        for key, due_at in (("b", NOON), ("late", NOON + MINUTE), ("a", NOON - MINUTE), ("c", NOON)):
            await once(db, key, due_at=due_at)
        assert [item.key for item in await outbox.claim(db, NOON, limit=10)] == ["a", "b", "c"]

    async def test_no_more_than_asked_for(self, db: Database) -> None:
        for number in range(5):
            await once(db, str(number))
        assert len(await outbox.claim(db, NOON, limit=3)) == 3
        assert len(await outbox.claim(db, NOON, limit=3)) == 2

    async def test_only_the_kinds_asked_for(self, db: Database) -> None:
        await once(db, "a", kind="alert_staff")
        await once(db, "b", kind="thank_client")
        assert await outbox.claim(db, NOON, kinds=[], limit=10) == []
        assert [item.key for item in await outbox.claim(db, NOON, kinds=["thank_client"], limit=10)] == ["b"]

    async def test_a_claim_tells_who_and_which_try(self, db: Database) -> None:
        await once(db, "a")
        item = await claim_one(db)
        assert (item.state, item.owner, item.attempt) == (OutboxState.DOING, db.owner, 1)

    async def test_four_claimers_never_hold_the_same_row(
        self, db: Database, other: Database, db_url: str
    ) -> None:
        async with db.transaction() as tx:
            for number in range(120):
                await outbox.add_once(tx, "thank_client", str(number), {}, NOON, NOON)
        third, fourth = await Database.open(db_url), await Database.open(db_url)
        held: list[tuple[str, str]] = []

        async def claim_all(database: Database) -> None:
            misses = 0
            while misses < 3:  # SKIP LOCKED may leave one that another holds for a moment
                taken = await outbox.claim(database, NOON, limit=7)
                assert len(taken) <= 7
                assert {item.owner for item in taken} <= {database.owner}
                held.extend((item.key, item.owner) for item in taken)
                misses = 0 if taken else misses + 1

        await asyncio.gather(*(claim_all(database) for database in (db, other, third, fourth)))
        await third.close()
        await fourth.close()
        assert sorted(int(key) for key, _ in held) == list(range(120))
        async with db.reading() as tx:
            rows = (await tx.exec(select(Outbox.key, Outbox.owner, Outbox.attempt))).all()
        assert sorted((key, owner) for key, owner, _ in rows) == sorted(held)
        assert {attempt for _, _, attempt in rows} == {1}


class TestWhoLostTheClaim:
    async def test_changes_nothing(self, db: Database, other: Database) -> None:
        await once(db, "a")
        frozen = await claim_one(db)
        if not db.is_sqlite:
            await other.claim_instance()  # alive; `db` never said that it is
        assert await outbox.rescue(other, NOON) == 1
        mine = await claim_one(other)
        assert not await outbox.done(db, frozen, NOON)
        assert not await outbox.give_up(db, frozen, "no", NOON)
        assert not await outbox.postpone(db, frozen, NOON, "later", uncertain=True)
        kept = await row(db, "a")
        assert (kept.state, kept.owner, kept.attempt) == (OutboxState.DOING, other.owner, 2)
        assert await outbox.done(other, mine, NOON)

    async def test_cannot_end_it_twice(self, db: Database) -> None:
        await once(db, "a")
        item = await claim_one(db)
        assert await outbox.done(db, item, NOON)
        assert not await outbox.done(db, item, NOON + MINUTE)
        assert (await row(db, "a")).done_at == NOON


class TestRefused:
    async def test_waits_until_somebody_may_have_mended_it(self, db: Database) -> None:
        for key in ("alert", "note"):
            await once(db, key)
        service = {"alert": "telegram", "note": "amocrm"}
        for item in await outbox.claim(db, NOON, limit=2):
            assert await outbox.refuse(db, item, NOON + 10 * MINUTE, f"{service[item.key]} refuses the token")
        assert await outbox.claim(db, NOON) == []
        async with db.transaction() as tx:
            assert await outbox.try_refused(tx, NOON, "telegram") == 1
        again = await claim_one(db)
        assert (again.key, again.attempt) == ("alert", 1)
        async with db.transaction() as tx:
            assert await outbox.try_refused(tx, NOON) == 1
        assert (await claim_one(db)).key == "note"

    async def test_what_waits_for_something_else_goes_on_waiting(self, db: Database) -> None:
        await once(db, "a")
        assert await outbox.postpone(
            db, await claim_one(db), NOON + MINUTE, "telegram is busy (429)", uncertain=False
        )
        async with db.transaction() as tx:
            assert await outbox.try_refused(tx, NOON) == 0


class TestEnding:
    async def test_done_with_the_rest_of_a_transaction_or_not_at_all(self, db: Database) -> None:
        await once(db, "a")
        item = await claim_one(db)

        async def fail() -> None:
            async with db.transaction() as tx:
                assert await outbox.done_in(tx, item, NOON)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert (await row(db, "a")).state == OutboxState.DOING

    async def test_put_off_it_comes_back_at_its_time(self, db: Database) -> None:
        await once(db, "a")
        assert await outbox.postpone(db, await claim_one(db), NOON + MINUTE, "busy", uncertain=False)
        assert await outbox.claim(db, NOON) == []
        item = await claim_one(db, NOON + MINUTE)
        assert (item.attempt, item.error, item.uncertain) == (2, "busy", False)

    async def test_what_was_no_try_is_not_counted(self, db: Database) -> None:
        await once(db, "a")
        for _ in range(3):
            await outbox.postpone(db, await claim_one(db), NOON, "open", uncertain=False, counts=False)
        assert (await claim_one(db)).attempt == 1

    async def test_what_may_have_happened_may_have_happened_until_it_is_done(self, db: Database) -> None:
        await again(db, "deal:5")
        await outbox.postpone(db, await claim_one(db), NOON, "no answer", uncertain=True)
        await outbox.postpone(db, await claim_one(db), NOON, "refused", uncertain=False)
        item = await claim_one(db)
        assert item.uncertain
        await outbox.done(db, item, NOON)
        await again(db, "deal:5")
        assert not (await claim_one(db)).uncertain

    async def test_given_up_it_stays_with_its_reason(self, db: Database) -> None:
        await once(db, "a")
        assert await outbox.give_up(db, await claim_one(db), "403: no right", NOON)
        kept = await row(db, "a")
        assert (kept.state, kept.error, kept.done_at) == (OutboxState.GIVEN_UP, "403: no right", NOON)
        assert await outbox.claim(db, NOON + timedelta(days=99)) == []


class TestRescue:
    async def test_what_the_dead_held_waits_again_and_may_have_happened(
        self, db: Database, other: Database
    ) -> None:
        await once(db, "a")
        await once(db, "b", due_at=NOON + MINUTE)
        await claim_one(other)
        await other.close()
        assert await outbox.rescue(db, NOON + MINUTE) == 1
        assert await outbox.rescue(db, NOON + MINUTE) == 0
        kept = await row(db, "a")
        assert (kept.state, kept.owner, kept.uncertain) == (OutboxState.WAITING, "", True)
        assert not (await row(db, "b")).uncertain

    async def test_our_own_is_left_alone(self, db: Database) -> None:
        await once(db, "a")
        await claim_one(db)
        assert await outbox.rescue(db, NOON) == 0

    async def test_what_a_living_worker_holds_is_left_alone(self, db: Database, other: Database) -> None:
        if db.is_sqlite:
            pytest.skip("SQLite admits one worker")
        await db.claim_instance()
        await other.claim_instance()
        await once(db, "a")
        item = await claim_one(other)
        assert await outbox.rescue(db, NOON) == 0
        assert await outbox.done(other, item, NOON)


class TestManyAtOnce:
    """What a first start brings for thousands of deals, and that nobody waits for."""

    async def links(self, db: Database, *keys: str) -> None:
        async with db.transaction() as tx:
            about: dict[str, Json] = {key: {} for key in keys}
            await outbox.ask_all_again(tx, "sync_deal", about, NOON, NOON, is_bulk=True)

    async def test_two_who_ask_for_the_same_in_opposite_orders_do_not_wait_for_each_other(
        self, db: Database, other: Database
    ) -> None:
        keys = [f"link:{number}" for number in range(500)]
        await asyncio.gather(self.links(db, *keys), self.links(other, *reversed(keys)))
        assert {(await row(db, key)).revision for key in keys[::100]} == {1}

    async def test_what_somebody_waits_for_goes_first_though_it_is_due_later(self, db: Database) -> None:
        await self.links(db, "link:1", "link:2", "link:3")
        await once(db, "complaint", due_at=NOON + MINUTE)
        assert (await claim_one(db)).key == "link:1"  # The other is not due yet.
        later = NOON + MINUTE
        assert [(await claim_one(db, later)).key for _ in range(3)] == ["complaint", "link:2", "link:3"]

    async def test_they_move_on_while_what_goes_first_cannot_be_done(self, db: Database) -> None:
        await self.links(db, "link:1", "link:2")
        await once(db, "complaint")
        item = await claim_one(db)
        await outbox.postpone(db, item, NOON + MINUTE, "no answer", uncertain=False)
        assert [item.key for item in await outbox.claim(db, NOON, limit=10)] == ["link:1", "link:2"]

    async def test_only_of_the_kinds_that_are_asked_for(self, db: Database) -> None:
        await self.links(db, "link:1")
        await once(db, "thanks")
        assert [item.key for item in await outbox.claim(db, NOON, kinds=["sync_deal"])] == ["link:1"]
        assert await outbox.claim(db, NOON, kinds=["sync_deal"]) == []

    @pytest.mark.parametrize("first", ["the many", "somebody"])
    async def test_a_deal_of_theirs_that_somebody_waits_for_too_goes_first(
        self, db: Database, first: str
    ) -> None:
        await self.links(db, "deal:1", *(["deal:5"] if first == "the many" else []))
        await again(db, "deal:5")
        if first == "somebody":
            await self.links(db, "deal:5")
        assert [(await claim_one(db)).key for _ in range(2)] == ["deal:5", "deal:1"]

    async def test_also_when_it_is_just_being_done(self, db: Database) -> None:
        await self.links(db, "deal:5", "deal:6")
        item = await claim_one(db)
        await again(db, "deal:5")
        await outbox.done(db, item, NOON)
        assert [(await claim_one(db)).key for _ in range(2)] == ["deal:5", "deal:6"]

    async def test_what_was_done_is_one_of_many_again(self, db: Database) -> None:
        await again(db, "deal:5")
        await outbox.done(db, await claim_one(db), NOON)
        await self.links(db, "deal:5")
        await once(db, "thanks", due_at=NOON + MINUTE)
        assert (await claim_one(db, NOON + MINUTE)).key == "thanks"

    async def test_their_kinds_are_seen_to_be_due(self, db: Database) -> None:
        await self.links(db, "link:1")
        await once(db, "thanks")
        await once(db, "later", due_at=NOON + MINUTE, kind="say")
        assert await outbox.kinds_due(db, NOON) == {"sync_deal", "thank_client"}


@pytest.mark.parametrize("ends", ["answered", "given up"])
async def test_what_staff_typed_is_kept_until_they_have_their_answer(db: Database, ends: str) -> None:
    async with db.transaction() as tx:
        asked = {"chat_id": "7", "words": "Иван Петров"}
        await outbox.add_once(tx, "answer_staff", "answer", asked, NOON, NOON)
    item = await claim_one(db)
    await outbox.postpone(db, item, NOON, "not now", uncertain=False)
    item = await claim_one(db)
    assert item.payload == asked
    assert await (outbox.done(db, item, NOON) if ends == "answered" else outbox.give_up(db, item, "no", NOON))
    assert (await row(db, "answer")).payload == {"chat_id": "7", "words": ""}
