"""A thousand questions that are due at once, and the scores that come back, into the deals' fields."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlmodel import update

from bench.figures import Figure, at_least, at_most
from bench.measure import Run, spending
from storage.database import Database
from storage.outbox import ask_all_again
from storage.tables.surveys import Survey, SurveyState
from tests.world import World, world
from worker.actions.keys import sync_deal
from worker.flows.act import act
from worker.flows.send import send

WANTED = 30  # questions a second: what the fastest messenger, Telegram, takes from a bot
READS_RATE = 7  # requests a second that amoCRM allows


def questions(run: Run) -> list[Figure]:
    return asyncio.run(_questions(run, run.size(1000, 20)))


def write_back(run: Run) -> list[Figure]:
    return asyncio.run(_write_back(run, run.size(1000, 100)))


async def _questions(run: Run, count: int) -> list[Figure]:
    async with _town(run, "questions", count) as (town, _):
        local = town.local()
        town.clock.set(local.replace(day=local.day + 1, hour=12))
        town.amocrm.requests.clear()
        with spending() as spent:
            await send(town.app.hands)
        reads = len(town.amocrm.requests)
        asked = sum(survey.state == SurveyState.SENT for survey in await town.surveys())
    if asked != count:
        raise RuntimeError(f"{asked} of {count} clients were asked")
    possible = READS_RATE * count / reads
    return [
        Figure(
            what=f"{count:,} due questions sent by the worker",
            value=count / spent.wall,
            unit="per second",
            goal=at_least(WANTED),
            note="nobody outside holds it back; the stand-ins work in the same process",
        ),
        Figure(
            what="… processor time for one, stand-ins included", value=spent.cpu / count * 1000, unit="ms"
        ),
        Figure(
            what="… requests to amoCRM for one, a last look at deal and contact",
            value=reads / count,
            unit="requests",
            note=f"so {READS_RATE} requests/s to amoCRM let {possible:.1f} questions/s leave",
        ),
    ]


async def _write_back(run: Run, count: int) -> list[Figure]:
    async with _town(run, "write-back", count) as (town, deals):
        await _answered(town, deals)
        town.amocrm.requests.clear()
        with spending() as spent:
            await act(town.app.hands, "crm")
        wrong = [deal for deal in deals if town.amocrm.field_value(deal, "NPS") != "9"]
        calls = Counter((request.method, request.path) for request in town.amocrm.requests)
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {count} deals have no score")
    return [
        Figure(
            what=f"write-back of {count:,} scores: fields",
            value=calls["PATCH", "/api/v4/leads"],
            unit="requests",
            goal=at_most(20) if count == 1000 else None,
            note=f"50 deals each; {calls.total()} requests in all",
        ),
        Figure(
            what="… until all are written, without a pace",
            value=spent.wall,
            unit="s",
            note=f"{spent.cpu:.1f} s of processor time, stand-in included",
        ),
    ]


@asynccontextmanager
async def _town(run: Run, name: str, count: int) -> AsyncIterator[tuple[World, list[int]]]:
    """So many won deals, each with a client of its own whose survey is planned."""
    folder = run.folder / name
    folder.mkdir()
    db = await Database.open(f"sqlite:///{folder / 'sarafan.db'}")
    try:
        async with world(db, folder, delivery={"hold_above": 0}) as town:
            deals = []
            for number in run.track(range(count), "deals are closed"):
                deals.append(town.deal([town.contact(f"Клиент {number}", f"+7914{1_000_000 + number}")]))
                town.amocrm.close_lead(deals[-1])
            await town.step()
            yield town, deals
    finally:
        await db.close()


async def _answered(town: World, deals: list[int]) -> None:
    """What answers leave behind: a score, and the wish that the deal shows it."""
    now = town.clock.now()
    async with town.db.transaction() as tx:
        await tx.exec(update(Survey).values(state=SurveyState.ANSWERED, score=9, answered_at=now))
        payloads = {sync_deal(deal): {"deal_id": deal} for deal in deals}
        await ask_all_again(tx, "sync_deal", payloads, now, now)
