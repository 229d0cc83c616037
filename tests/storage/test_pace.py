"""One pace for several workers: no second holds too many requests, and a pause holds for all of them."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from integrations.pace import Paused
from integrations.shared_pace import SharedPace
from storage import pace
from storage.database import Database, parse_url
from storage.pace import Moment, PaceRow


@pytest.fixture
async def other(db: Database, db_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(db_url)
    yield opened
    await opened.close()


@pytest.fixture
def row(db: Database) -> PaceRow:
    if db.is_sqlite:
        pytest.skip("one worker keeps its pace in memory")
    return PaceRow(db, "amocrm")


@pytest.fixture
def beside(row: PaceRow, other: Database) -> PaceRow:
    """The same row, as another worker has it."""
    return PaceRow(other, "amocrm")


async def shift(db: Database, seconds: float) -> None:
    """As if everything in the row had been written so much earlier."""
    async with db.transaction() as tx:
        await tx.exec(  # type: ignore[call-overload]
            text(
                "UPDATE state SET value = (SELECT json_object_agg(k, v::float8 - :seconds) "
                "FROM json_each_text(value) AS e(k, v)) WHERE key = 'pace:amocrm'"
            ),
            params={"seconds": seconds},
        )


async def test_moments_lie_apart_whoever_takes_them(row: PaceRow, beside: PaceRow) -> None:
    began = time.monotonic()
    took = [(await each.take(0.2), time.monotonic() - began) for each in (row, beside, row, beside)]
    moments = [moment.wait + at for moment, at in took]
    assert all(moment.is_taken and not moment.is_probe for moment, _ in took)
    assert moments == pytest.approx([0, 0.2, 0.4, 0.6], abs=0.1)


async def test_idle_time_is_no_credit(row: PaceRow, db: Database) -> None:
    await row.take(0.2)
    await shift(db, 3600)
    assert (await row.take(0.2)).wait == 0
    assert (await row.take(0.2)).wait == pytest.approx(0.2, abs=0.1)


async def test_many_at_once_get_different_moments(row: PaceRow, beside: PaceRow) -> None:
    await asyncio.gather(*(each.take(0) for each in (row, beside) * 6))  # connect first
    began = time.monotonic()

    async def take(each: PaceRow) -> float:
        return (await each.take(0.2)).wait + time.monotonic() - began

    moments = sorted(await asyncio.gather(*(take(each) for each in (row, beside) * 6)))
    assert min(after - before for before, after in itertools.pairwise(moments)) > 0.1


async def test_a_pause_holds_for_everybody_and_ends_with_one_probe(
    row: PaceRow, beside: PaceRow, db: Database
) -> None:
    await row.take(0.2)
    await row.park(300)
    for each in (row, beside):
        moment = await each.take(0.2)
        assert not moment.is_taken
        assert 299 < moment.wait <= 300
    await beside.park(10)
    assert (await row.take(0.2)).wait > 290, "a shorter pause does not end a longer one"
    await shift(db, 301)
    assert await beside.take(0.2) == Moment(0, is_taken=True, is_probe=True)
    assert await row.take(0.2) == Moment(pace.LOOK_AGAIN, is_taken=False), "it waits for the probe"
    await beside.release()
    assert (await row.take(0.2)).is_taken


async def test_a_probe_that_is_refused_parks_again(row: PaceRow, beside: PaceRow, db: Database) -> None:
    await row.park(60)
    await shift(db, 61)
    assert (await row.take(0.2)).is_probe
    await row.park(900)
    await row.release()  # an earlier request of ours ends now, well
    moment = await beside.take(0.2)
    assert not moment.is_taken
    assert moment.wait > 800


async def test_a_probe_whose_worker_died_is_given_to_the_next(
    row: PaceRow, beside: PaceRow, db: Database
) -> None:
    await row.park(60)
    await shift(db, 61)
    assert (await row.take(0.2)).is_probe
    await shift(db, pace.PROBE + 1)
    assert (await beside.take(0.2)).is_probe


@pytest.mark.parametrize("hours", [1, 24])
async def test_a_clock_set_back_blocks_nothing(row: PaceRow, db: Database, hours: int) -> None:
    await row.take(0.2)
    await shift(db, -3600 * hours)
    assert (await row.take(0.2)).wait < 1
    await row.park(60)
    await shift(db, -3600 * hours)
    assert (await row.take(0.2)).is_probe
    await shift(db, -3600 * hours)
    assert (await row.take(0.2)).is_probe


async def test_while_the_database_is_away_the_service_is_left_alone() -> None:
    db = Database(parse_url("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    row = PaceRow(db, "amocrm")
    assert await row.take(0.2) == Moment(pace.AWAY, is_taken=False)
    await row.park(60)
    await row.release()
    with pytest.raises(Paused):
        async with SharedPace(5, row).turn():
            pass
    await db.close()


async def test_no_second_holds_more_than_the_rate(row: PaceRow, beside: PaceRow) -> None:
    """Three workers, one of them a command with a small rate of its own, all in a hurry."""
    left: list[float] = []
    rate = 10

    async def ask(shared: SharedPace) -> None:
        async with shared.turn():
            left.append(time.monotonic())

    paces = [SharedPace(rate, row), SharedPace(rate, beside), SharedPace(2, beside, of_all=rate)]
    await asyncio.gather(*(ask(each) for each in paces[:2] for _ in range(8)), ask(paces[2]), ask(paces[2]))
    left.sort()
    assert len(left) == 18
    assert all(after - before > 1 for before, after in zip(left, left[rate:], strict=False))
    assert left[-1] - left[0] < 18 * 1.15 / rate + 1


async def test_too_fast_said_to_one_stops_the_other(row: PaceRow, beside: PaceRow, db: Database) -> None:
    mine, theirs = SharedPace(50, row), SharedPace(50, beside)
    async with mine.turn():
        mine.too_fast(timedelta(seconds=120))
    for each in (mine, theirs):
        with pytest.raises(Paused) as paused:
            async with each.turn():
                pass
        assert paused.value.left > timedelta(seconds=110)
    assert theirs.parked_for > timedelta(seconds=110)


async def test_the_probe_opens_the_service_to_all(row: PaceRow, beside: PaceRow, db: Database) -> None:
    await row.park(60)
    await shift(db, 61)
    mine, theirs = SharedPace(50, row), SharedPace(50, beside)
    order: list[str] = []

    async def wait_for_it() -> None:
        async with theirs.turn():
            order.append("theirs")

    async with mine.turn():
        waiting = asyncio.create_task(wait_for_it())
        await asyncio.sleep(0.2)
        order.append("mine")
    await waiting
    assert order == ["mine", "theirs"]


async def test_who_wakes_too_late_takes_another_moment(row: PaceRow) -> None:
    """The loop stood still: the moment is past, and another worker has the next."""
    slept: list[float] = []

    async def oversleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(seconds + (0.4 if len(slept) == 1 else 0))

    await row.take(0.3)
    late = SharedPace(5, row, sleep=oversleep)
    async with late.turn():
        taken = await row.take(0.23)
    assert taken.wait > 0.1, "its last moment is so recent"
