"""The client of amoCRM beside a stand-in, in time that passes only where somebody sleeps."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import LeadPage
from integrations.pace import Pace
from integrations.standins.amocrm import AmoCrmStandIn

BASE = "https://example.amocrm.ru"
TOKEN = "test-token"


class Impatient:
    """Monotonic time that jumps over every sleep."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += seconds

    def pace(self) -> Pace:
        return Pace(None, now=self.now, sleep=self.sleep)


def client_of(standin: AmoCrmStandIn, pace: Pace | None = None) -> AmoCrm:
    transport = httpx.ASGITransport(app=standin.app)
    return AmoCrm(BASE, standin.token, transport=transport, pace=pace or Impatient().pace())


async def walked(pages: AsyncIterator[LeadPage]) -> list[LeadPage]:
    return [page async for page in pages]


def lead_ids(pages: list[LeadPage]) -> list[int]:
    return [lead.id for page in pages for lead in page.leads]
