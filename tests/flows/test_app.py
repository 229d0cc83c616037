"""How the worker is put together."""

import asyncio

from tests.world import World


async def test_the_clock_wakes_flows_in_their_own_loop(town: World) -> None:
    """An event that another thread sets wakes its waiter whenever something else happens to, if at all."""
    scheduler = town.app._schedule()
    jobs = scheduler.get_jobs()
    assert {"pull", "send", "listen", "act", "follow"} <= {job.id for job in jobs}
    assert [job.id for job in jobs if not asyncio.iscoroutinefunction(job.func)] == []
