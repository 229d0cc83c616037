"""What reading many changed deals costs: requests and seconds, at the rate that amoCRM allows."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx

from bench.figures import Figure, at_most, ratio
from bench.measure import Run, Spent, spending
from storage.database import Database
from storage.deals import contacts_to_read
from tests.world import World, settings_from, world
from worker.app import App
from worker.flows.pull import pull

RATE = 7  # requests a second, all that amoCRM allows
APART = timedelta(seconds=30)  # between two deals that are closed


def measure(run: Run) -> list[Figure]:
    count = run.size(10_000, 300)
    calls, spent = asyncio.run(_pull(run, count, rate=RATE))
    few = run.size(1000, 100)
    with_filters, _ = asyncio.run(_pull(run, few))
    without, _ = asyncio.run(_pull(run, few, has_filters=False))
    paid = Figure(what=f"pull of {few:,} deals with contacts", value=with_filters, unit="requests")
    unpaid = Figure(
        what="the same where the account has no filters: contacts one by one", value=without, unit="requests"
    )
    return [
        Figure(
            what=f"pull of {count:,} deals with contacts, {RATE} requests/s",
            value=calls,
            unit="requests",
            goal=at_most(95) if count == 10_000 else None,
            note="250 deals or 200 contacts each",
        ),
        Figure(
            what="… until all are on disk and planned",
            value=spent.wall,
            unit="s",
            note=f"{calls / RATE:.1f} s of it is the rate; the stand-in works in the same process",
        ),
        Figure(what="… processor time, stand-in included", value=spent.cpu, unit="s"),
        paid,
        unpaid,
        ratio("pull: contacts one by one against lists", unpaid, paid),
    ]


async def _pull(
    run: Run, count: int, *, rate: float | None = None, has_filters: bool = True
) -> tuple[int, Spent]:
    folder = run.folder / f"pull {count} {rate} {has_filters}"
    folder.mkdir()
    db = await Database.open(f"sqlite:///{folder / 'sarafan.db'}")
    try:
        async with world(db, folder) as town:
            _close_deals(run, town, count)
            town.amocrm.filters = has_filters
            app = await _reader(town, folder, rate)
            await app.know_account()
            town.amocrm.requests.clear()
            with spending() as spent:
                await pull(app.hands)
            await app.close()
            planned = len(await town.surveys())
            async with db.reading() as tx:
                unread = await contacts_to_read(tx, complaints_pipeline=None, limit=1)
            if planned != count or unread:
                raise RuntimeError(f"{planned} of {count} surveys were planned; unread contacts: {unread}")
            return len(town.amocrm.requests), spent
    finally:
        await db.close()


def _close_deals(run: Run, town: World, count: int) -> None:
    made = [
        town.deal([town.contact(f"Клиент {number}", f"+7914{1_000_000 + number}")])
        for number in run.track(range(count), "deals are made")
    ]
    for deal in run.track(made, "deals are closed"):
        town.clock.advance(APART)
        town.amocrm.close_lead(deal)


async def _reader(town: World, folder: Path, rate: float | None) -> App:
    """A worker that keeps this rate, or none."""
    settings = settings_from(
        {**town.config, "amocrm": {**town.config["amocrm"], "requests_per_second": RATE}}, folder
    )
    return await App.build(
        settings,
        db=town.db,
        clock=town.clock,
        transports={"amocrm": httpx.ASGITransport(app=town.amocrm.app)},
        requests_per_second=rate,
        is_paced=rate is not None,
    )
