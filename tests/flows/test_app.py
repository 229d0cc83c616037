"""How the worker is put together."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from integrations.errors import AccessDenied
from storage import outbox
from storage.tables.queues import State
from tests.world import IVAN, World, start
from worker.account.dictionaries import KEY
from worker.app import REFRESH_ACCOUNT
from worker.flows.act import LANES
from worker.flows.listen import listen
from worker.flows.receive import receive
from worker.service import Service


async def test_the_clock_wakes_flows_in_their_own_loop(town: World) -> None:
    """An event that another thread sets wakes its waiter whenever something else happens to, if at all."""
    scheduler = Service(town.app)._schedule()
    jobs = scheduler.get_jobs()
    assert {"pull", "send", "listen", "act", "follow"} <= {job.id for job in jobs}
    assert [job.id for job in jobs if not asyncio.iscoroutinefunction(job.func)] == []


async def test_what_is_committed_wakes_who_waits_for_it(town: World) -> None:
    """Nobody waits for the next of the regular looks."""
    await town.asked()
    hands = town.app.hands
    hands.wake.listen.clear()
    hands.wake.act.clear()
    town.whatsapp.says(IVAN, "10")
    assert await receive(hands, hands.channels["whatsapp"], town.app.inbox, timedelta(0))
    assert hands.wake.listen.is_set()
    await listen(hands)
    assert hands.wake.act.is_set()


async def test_only_the_lanes_that_have_something_to_do_are_woken(town: World) -> None:
    """A lane that looks for work begins a write."""
    app, now = town.app, town.clock.now()
    lanes = {lane: asyncio.Event() for lane in LANES}
    app.hands.wake.act_lanes.update(lanes)
    fan_out = asyncio.create_task(Service(app)._fan_out())
    async with town.db.transaction() as tx:
        await outbox.add_once(tx, "toast", "a spinner", {}, now, now)
        await outbox.add_once(tx, "alert_staff", "an alert of tomorrow", {}, now + timedelta(days=1), now)
    app.hands.wake.act.set()
    await asyncio.wait_for(lanes["clients"].wait(), 5)
    assert [lane for lane, event in lanes.items() if event.is_set()] == ["clients"]
    town.clock.advance(timedelta(days=2))
    app.hands.wake.act.set()
    await asyncio.wait_for(lanes["staff"].wait(), 5)
    fan_out.cancel()
    app.hands.wake.act_lanes.clear()


async def test_a_reply_is_read_behind_a_crowd_of_statuses_that_wait(town: World) -> None:
    """Managers write from the same number, and the gateway tells of each of their messages in full."""
    deal = await town.asked()
    for number in range(130):
        town.whatsapp.tells_status(f"3EB0FF{number:014}", "79140000099@c.us", "delivered")
    await town.ivan_writes("9")
    assert (await town.survey(deal)).score == 9


@pytest.mark.parametrize(
    ("minutes", "asked_first"), [(59, "/api/v4/leads"), (61, "/api/v4/account")], ids=["recent", "old"]
)
async def test_a_worker_that_starts_again_pulls_before_it_reads_the_account_again(
    town: World, minutes: int, asked_first: str
) -> None:
    """Ready at once; but after a longer time a name may be new, and what is planned would lack it."""
    assert timedelta(minutes=59) < REFRESH_ACCOUNT < timedelta(minutes=61)
    async with town.db.transaction() as tx:
        said_at = town.clock.now() - timedelta(minutes=minutes)
        await tx.exec(update(State).where(State.key == KEY).values(updated_at=said_at))  # type: ignore[arg-type]
    app = await start(
        town.db, town.folder, town.clock, town.amocrm, town.telegram, town.whatsapp, town.config
    )
    town.amocrm.requests.clear()
    await app.pull()
    assert town.amocrm.requests[0].path == asked_first
    assert app.hands.wake.pull.is_set() is (minutes == 59)
    await app.pull()
    assert "/api/v4/account" in [request.path for request in town.amocrm.requests]
    await app.close()


@pytest.mark.parametrize(("status", "is_pulled"), [(502, True), (401, False)])
async def test_deals_are_pulled_while_only_the_account_cannot_be_read(
    town: World, status: int, is_pulled: bool
) -> None:
    """It is remembered from an hour ago. Where the access is refused, nothing more is asked for."""
    town.app._account_read_at = None
    town.amocrm.faults.add("/account", method="GET", status=status, times=0)
    deal = town.deal()
    town.amocrm.close_lead(deal)
    town.amocrm.requests.clear()
    if is_pulled:
        await town.app.pull()
    else:
        with pytest.raises(AccessDenied):
            await town.app.pull()
    assert [survey.deal_id for survey in await town.surveys()] == ([deal] if is_pulled else [])
    assert ("/api/v4/leads" in [request.path for request in town.amocrm.requests]) is is_pulled
    town.amocrm.faults.clear()
    await town.app.pull()
    assert "/api/v4/account" in [request.path for request in town.amocrm.requests]


async def heard(town: World) -> None:
    """The service listens to the bot until it has asked for updates twice."""

    def asked() -> int:
        return sum(one.path.endswith("getUpdates") for one in town.telegram.requests)

    before = asked()
    listening = asyncio.create_task(Service(town.app)._receive(town.app.hands.channels["telegram"]))
    for _ in range(500):
        if asked() > before + 1:
            break
        await asyncio.sleep(0.01)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert asked() > before + 1


async def test_the_bot_says_whose_it_is_once_it_is_heard(town: World) -> None:
    await heard(town)
    assert town.telegram.about == "ВладАвтоматика: вопросы о вашем заказе и связь с сотрудником."


async def test_a_profile_that_cannot_be_written_keeps_nobody_from_being_heard(town: World) -> None:
    town.telegram.faults.add("/getMyShortDescription", status=404, times=9)
    await heard(town)
    assert town.telegram.about == ""
