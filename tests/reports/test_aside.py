"""Long reckoning, and what goes on meanwhile."""

import asyncio
import threading
from dataclasses import replace

import pytest

from storage.database import Database
from tests.metrics.made import NOW, QUARTER
from tests.metrics.test_report import SCOPE
from worker.metrics.base import Facts, Metric, Result
from worker.metrics.registry import METRICS
from worker.reports import build
from worker.reports.aside import aside
from worker.rules.calendar import Period

ENOUGH = 5.0  # seconds


async def test_what_it_gives_or_raises_comes_back() -> None:
    assert await aside(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 // 0)


def test_who_stops_does_not_wait_for_it() -> None:
    is_over = threading.Event()

    async def gives_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await aside(lambda: is_over.wait(ENOUGH))
        assert not is_over.is_set()

    ended = threading.Thread(target=asyncio.run, args=(gives_up(),))
    ended.start()
    ended.join(ENOUGH / 2)
    assert not ended.is_alive()
    is_over.set()


async def test_while_a_report_is_reckoned_the_worker_goes_on(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, may_end, went_on = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()
    first = METRICS[0]

    def slowly(facts: Facts, period: Period) -> Result:
        loop.call_soon_threadsafe(has_begun.set)
        went_on.append(may_end.wait(ENOUGH))
        return first.compute(facts, period)

    slow: Metric = replace(first, compute=slowly)
    monkeypatch.setattr(build, "METRICS", (slow, *METRICS[1:]))
    report = asyncio.create_task(build.build_report(db, QUARTER, SCOPE, NOW))
    await has_begun.wait()
    may_end.set()
    assert first.key in (await report).results
    assert went_on == [True]
