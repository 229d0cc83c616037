"""A made-up company, its clients and its staff around the real worker: all real but the network and the clock."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import Lead
from integrations.standins.telegram import TOKEN as BOT_TOKEN
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.whatsapp import INSTANCE, GreenApiStandIn
from integrations.standins.whatsapp import TOKEN as GATEWAY_TOKEN
from storage.database import Database
from worker.app import App
from worker.clock import ManualClock
from worker.config import load
from worker.settings import Settings

ZONE = ZoneInfo("Asia/Vladivostok")
MONDAY = datetime(2026, 9, 7, 11, 0, tzinfo=ZONE)  # a working day, no holiday near
ANNA = 111111111  # the head's account in Telegram
IVAN = "+79140000001"

BASE: dict[str, Any] = {
    "company": {"name": "ВладАвтоматика", "timezone": "Asia/Vladivostok", "phone": "+7 423 200-00-00"},
    "amocrm": {"base_url": "https://example.amocrm.ru", "token": "test-token"},
    "telegram": {"token": BOT_TOKEN},
    "whatsapp": {
        "provider": "greenapi",
        "base_url": "https://7103.api.greenapi.com",
        "instance_id": INSTANCE,
        "api_token": GATEWAY_TOKEN,
        "gap": "0s",
    },
    "alerts": {"quiet_hours": ""},
    "staff": [{"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}],
}


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`more` over `base`, table by table."""
    result = dict(base)
    for key, value in more.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def toml(tables: Mapping[str, Any], prefix: str = "") -> str:
    """As much of TOML as a config needs."""
    plain, nested = [], []
    for key, value in tables.items():
        name = json.dumps(key, ensure_ascii=False)
        if isinstance(value, dict):
            nested.append(f"\n[{prefix}{name}]\n{toml(value, f'{prefix}{name}.')}")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            nested += [f"\n[[{prefix}{name}]]\n{toml(item)}" for item in value]
        else:
            plain.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join([*plain, *nested])


def settings_from(tables: Mapping[str, Any], folder: Path) -> Settings:
    path = folder / "config.toml"
    path.write_text(toml(tables), encoding="utf-8")
    return load(path, {})


@dataclass
class World:
    """Speaks as people do: a deal closes, Ivan writes, Anna presses; `later` moves the clock and lets all work."""

    app: App
    clock: ManualClock
    amocrm: AmoCrmStandIn
    telegram: TelegramStandIn
    whatsapp: GreenApiStandIn

    async def step(self) -> None:
        await self.app.step()

    async def later(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))
        await self.step()

    async def at(self, moment: datetime) -> None:
        self.clock.set(moment)
        await self.step()

    def contact(self, name: str = "Иван Петров", phone: str | None = IVAN) -> int:
        return self.amocrm.add_contact(name, [phone] if phone else [])

    def deal(self, contacts: list[int] | None = None, **more: Any) -> int:
        more.setdefault("responsible", "Олег Смирнов")
        return self.amocrm.add_lead(contacts=[self.contact()] if contacts is None else contacts, **more)

    async def closed_deal(self, contacts: list[int] | None = None, **more: Any) -> int:
        """A deal that is won now, and seen by the worker."""
        deal = self.deal(contacts, **more)
        self.amocrm.close_lead(deal)
        await self.step()
        return deal

    async def next_morning(self) -> None:
        """The next day at noon, in the send window."""
        local = self.clock.now().astimezone(ZONE) + timedelta(days=1)
        await self.at(local.replace(hour=12, minute=0, second=0, microsecond=0))

    async def asked(self, contacts: list[int] | None = None, **more: Any) -> int:
        """A deal whose client has just been asked."""
        deal = await self.closed_deal(contacts, **more)
        await self.next_morning()
        return deal

    async def ivan_writes(self, text: str, **more: Any) -> None:
        self.clock.advance(timedelta(minutes=1))
        self.whatsapp.says(IVAN, text, **more)
        await self.step()

    def to_ivan(self) -> list[str]:
        return [message.text for message in self.whatsapp.messages(IVAN)]

    def to_anna(self) -> list[str]:
        return [message.text for message in self.telegram.messages("Анна")]

    def complaints(self) -> list[Lead]:
        return self.amocrm.leads_in("Рекламации")


@asynccontextmanager
async def world(db: Database, folder: Path, *, now: datetime = MONDAY, **config: Any) -> AsyncIterator[World]:
    """The company at 11 o'clock on a Monday, with the worker started and nothing to do."""
    clock = ManualClock(now)
    amocrm = AmoCrmStandIn(clock.now, rate_limit=None)
    telegram = TelegramStandIn(clock.now)
    whatsapp = GreenApiStandIn(clock.now)
    anna = telegram.person("Анна", user_id=ANNA)
    telegram.start(anna)
    app = await start(db, folder, clock, amocrm, telegram, whatsapp, config)
    made = World(app, clock, amocrm, telegram, whatsapp)
    try:
        await made.step()
        yield made
    finally:
        await app.close()


async def start(
    db: Database,
    folder: Path,
    clock: ManualClock,
    amocrm: AmoCrmStandIn,
    telegram: TelegramStandIn,
    whatsapp: GreenApiStandIn,
    config: Mapping[str, Any],
) -> App:
    settings = settings_from(merged(BASE, config), folder)
    transports = {
        "amocrm": httpx.ASGITransport(app=amocrm.app),
        "telegram": httpx.ASGITransport(app=telegram.app),
        "whatsapp": httpx.ASGITransport(app=whatsapp.app),
    }
    # The pace is tried by itself; here it would only make the tests slow.
    app = await App.build(settings, db=db, clock=clock, transports=transports, is_paced=False)
    await app.recover()
    return app
