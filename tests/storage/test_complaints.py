"""One complaint and many hands: who has it, and is it still about a low score?"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from storage import complaints
from storage.database import Database
from storage.tables.complaints import Complaint

NOON = datetime(2026, 9, 8, 12, tzinfo=UTC)


async def opened(db: Database, **more: Any) -> int:
    async with db.transaction() as tx:
        row = Complaint(survey_id=1, client_id=1, opened_at=NOON, **more)
        tx.add(row)
        await tx.flush()
        return row.id or 0


async def read(db: Database, number: int) -> Complaint:
    async with db.reading() as tx:
        found = await complaints.complaint(tx, number)
        assert found is not None
        return found


async def test_two_heads_take_it_in_the_same_second_and_one_has_it(db: Database) -> None:
    number = await opened(db)
    read_it = asyncio.Barrier(2)

    async def takes(who: str) -> bool:
        if not db.is_sqlite:  # There the second transaction begins when the first has ended.
            await read_it.wait()
        async with db.transaction() as tx:
            await complaints.complaint(tx, number)
            if not db.is_sqlite:
                await read_it.wait()
            return await complaints.take(tx, number, who, NOON)

    results = await asyncio.gather(takes("Анна"), takes("Вера"))
    assert sorted(results) == [False, True]
    assert (await read(db, number)).taken_by == ("Анна" if results[0] else "Вера")


async def test_two_that_press_at_once_lose_no_line(db: Database) -> None:
    number = await opened(db)

    async def writes(line: str) -> None:
        async with db.transaction() as tx:
            row = await complaints.complaint(tx, number, lock=True)
            assert row is not None
            await asyncio.sleep(0)
            row.lines = [*row.lines, line]

    await asyncio.gather(*(writes(f"{place}") for place in range(4)))
    assert sorted((await read(db, number)).lines) == ["0", "1", "2", "3"]


async def test_who_talked_has_it_and_whoever_had_it_keeps_it(db: Database) -> None:
    free, taken = await opened(db), await opened(db, taken_by="Анна", taken_at=NOON)
    later = NOON + timedelta(hours=1)
    async with db.transaction() as tx:
        assert await complaints.note_talk(tx, free, "Вера", later)
        assert await complaints.note_talk(tx, taken, "Вера", later)
        assert not await complaints.note_talk(tx, taken, "Анна", later), "it is told once"
    assert (await read(db, free)).taken_by == "Вера"
    mine = await read(db, taken)
    assert (mine.taken_by, mine.taken_at, mine.contacted_by) == ("Анна", NOON, "Вера")


async def test_it_waits_for_a_call_until_somebody_has_talked(db: Database) -> None:
    number = await opened(db, taken_by="Анна", deadline=NOON)

    async def waits() -> bool:
        async with db.reading() as tx:
            return bool(await complaints.unattended(tx, NOON))

    assert await waits()
    async with db.transaction() as tx:
        await complaints.note_talk(tx, number, "Анна", NOON)
    assert not await waits()
    async with db.transaction() as tx:
        assert await complaints.pass_on(tx, number, "Вера", 77, NOON)
    assert await waits(), "Vera has to take it"
    passed = await read(db, number)
    assert (passed.passed_to, passed.responsible_id, passed.taken_by) == ("Вера", 77, "")
    async with db.transaction() as tx:
        assert await complaints.close(tx, number, "Вера", 77, NOON)
        assert not await complaints.pass_on(tx, number, "Анна", 78, NOON), "it is closed"
