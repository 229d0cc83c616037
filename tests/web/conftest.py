"""A worker's health with a stopwatch in hand, and a browser on its HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from storage.counts import RowCounts
from storage.errors import StorageError
from worker.web.health import Health
from worker.web.server import build_app

SECRET = "s3cret-of_the-path"
NOON = datetime(2026, 11, 5, 2, 0, tzinfo=UTC)
LIMITS = {"pull": timedelta(minutes=15), "send": timedelta(minutes=2), "listen": timedelta(minutes=2)}


@dataclass
class Office:
    """What `app` would hand in: a database that can fail, a stopwatch, and a pull that can be woken."""

    seconds: float = 1000.0
    broken: StorageError | None = None
    answers: asyncio.Event | None = None  # the database hangs until it is set
    pings: int = 0
    rows: RowCounts = field(default_factory=RowCounts)
    woken: int = 0
    health: Health = field(init=False)

    def __post_init__(self) -> None:
        self.health = Health(limits=LIMITS, ping=self.ping, count=self.count, monotonic=lambda: self.seconds)

    async def ping(self) -> None:
        self.pings += 1
        if self.answers:
            await self.answers.wait()
        if self.broken:
            raise self.broken

    async def count(self) -> RowCounts:
        await self.ping()
        return self.rows

    def wake(self) -> None:
        self.woken += 1

    def all_flows_succeed(self) -> None:
        for flow in LIMITS:
            self.health.mark(flow, NOON)

    def browser(self, secret: str = SECRET) -> httpx.AsyncClient:
        app = build_app(self.health, webhook_secret=secret, wake_pull=self.wake)
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sarafan")


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def browser(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with office.browser() as client:
        yield client
