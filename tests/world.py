"""A made-up company, its clients and staff around the real worker: all real but the network and the clock."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlmodel import col, select

from integrations.channels.base import Hooked, Posted
from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import CONTACTS, Lead
from integrations.standins.cloud import APP_SECRET, PHONE_NUMBER_ID, VERIFY_TOKEN, CloudStandIn
from integrations.standins.cloud import TOKEN as CLOUD_TOKEN
from integrations.standins.max import TOKEN as MAX_TOKEN
from integrations.standins.max import MaxStandIn
from integrations.standins.telegram import TOKEN as BOT_TOKEN
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.whatsapp import INSTANCE, GreenApiStandIn
from integrations.standins.whatsapp import TOKEN as GATEWAY_TOKEN
from storage.database import Database
from storage.tables.surveys import Survey
from tests.integrations.telegram_schema import assert_calls_fit
from worker.app import App
from worker.cli.data import scope_of
from worker.clock import ManualClock
from worker.config.load import load
from worker.config.settings import Settings
from worker.reports.build import as_json, build_report
from worker.rules.calendar import parse_period

ZONE = ZoneInfo("Asia/Vladivostok")
MONDAY = datetime(2026, 9, 7, 11, 0, tzinfo=ZONE)  # a working day, no holiday near
ANNA = 111111111  # the head's account in Telegram
IVAN = "+79140000001"
PETR = "+79140000002"
# Under the alert of a complaint that nobody has touched.
ALERT_BUTTONS = ["Беру", "Поговорили", "Решено", "Позвонить позже", "Передать", "Открыть сделку"]

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
    "reports": {"weekly": "", "monthly": ""},  # a digest has tests of its own
    "staff": [{"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}],
}


# A user account of MAX beside all that, or the bot there, as `configured` takes it.
MAX_ACCOUNT: dict[str, Any] = {"max_account": BASE["whatsapp"]}
# A number of Meta's Cloud API in the place of the gateway's.
CLOUD: dict[str, Any] = {
    "http": {"public_url": "https://sarafan.example.com", "webhook_secret": "sesame-sesame-sesame"},
    "whatsapp": {
        "provider": "cloud",
        "base_url": "",
        "phone_number_id": PHONE_NUMBER_ID,
        "access_token": CLOUD_TOKEN,
        "app_secret": APP_SECRET,
        "verify_token": VERIFY_TOKEN,
        "templates": {
            "nps": {"template": "nps_ru", "template_language": "ru", "parameters": ["company"]},
        },
    },
}
MAX_BOT: dict[str, Any] = {"max": {"token": MAX_TOKEN}}


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


def nothing(amocrm: AmoCrmStandIn) -> None:
    """The account as it comes."""


def configured(
    tables: Mapping[str, Any] | None = None, *, before: Callable[[AmoCrmStandIn], None] = nothing
) -> pytest.MarkDecorator:
    """What this test's config says beyond the ordinary, and what amoCRM has `before` the worker starts."""
    return pytest.mark.parametrize(("config", "before"), [(dict(tables or {}), before)], ids=["configured"])


@dataclass(kw_only=True)
class World:
    """Speaks as people do: a deal closes, Ivan writes, Anna presses; `later` moves the clock."""

    app: App
    db: Database
    folder: Path
    config: Mapping[str, Any]
    clock: ManualClock
    amocrm: AmoCrmStandIn
    telegram: TelegramStandIn
    whatsapp: GreenApiStandIn
    max_account: GreenApiStandIn  # reached only when a test configures it, with MAX_ACCOUNT
    max: MaxStandIn  # the same with MAX_BOT
    cloud: CloudStandIn  # takes the place of `whatsapp` where a test configures it, with CLOUD
    _contacts: dict[str, int] = field(default_factory=dict)

    # Time

    async def step(self, *, pulls: bool = True) -> None:
        await self.app.step(pulls=pulls)

    async def later(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))
        await self.step()

    async def at(self, moment: datetime) -> None:
        self.clock.set(moment)
        await self.step()

    async def until(self, moment: datetime, every: timedelta = timedelta(hours=6)) -> None:
        """Life goes on up to this moment; the worker looks around every six hours."""
        while self.clock.now() < moment:
            await self.at(min(self.clock.now() + every, moment))

    async def next_morning(self) -> None:
        """The next day at noon, in the send window."""
        local = self.local() + timedelta(days=1)
        await self.at(local.replace(hour=12, minute=0, second=0, microsecond=0))

    def local(self) -> datetime:
        return self.clock.now().astimezone(ZONE)

    async def restart(self, **config: Any) -> None:
        """The worker is started again with the same database; `config` is what was changed meanwhile."""
        await self.app.close()
        self.config = merged(self.config, config)
        self.app = await _start(self)
        await self.step()

    # Deals

    def contact(self, name: str = "Иван Петров", phone: str | None = IVAN, **more: Any) -> int:
        return self.amocrm.add_contact(name, [phone] if phone else [], **more)

    def ivan(self) -> int:
        """Ivan's contact, the same for all his deals."""
        if "Иван" not in self._contacts:
            self._contacts["Иван"] = self.contact()
        return self._contacts["Иван"]

    def tick(self, contact: int, box: str, *, is_on: bool = True) -> None:
        """A checkbox of the contact."""
        entity = self.amocrm.contacts[contact]
        entity.fields[self.amocrm.field_id(box, CONTACTS)] = [{"value": is_on}]
        entity.updated_at = self.amocrm.now()

    def deal(self, contacts: list[int] | None = None, **more: Any) -> int:
        more.setdefault("responsible", "Олег Смирнов")
        return self.amocrm.add_lead(contacts=[self.ivan()] if contacts is None else contacts, **more)

    async def closed_deal(self, contacts: list[int] | None = None, **more: Any) -> int:
        """A deal that is won now, and seen by the worker."""
        deal = self.deal(contacts, **more)
        self.amocrm.close_lead(deal)
        await self.step()
        return deal

    async def asked(self, contacts: list[int] | None = None, **more: Any) -> int:
        """A deal whose client has just been asked."""
        deal = await self.closed_deal(contacts, **more)
        await self.next_morning()
        return deal

    def card(self, deal: int) -> str | None:
        """The line «Опрос» in the deal's card."""
        value: str | None = self.amocrm.field_value(deal, "Опрос")
        return value

    async def survey(self, deal: int, key: str = "nps") -> Survey:
        async with self.db.reading() as tx:
            return (
                await tx.exec(select(Survey).where(Survey.deal_id == deal, Survey.survey_key == key))
            ).one()

    async def surveys(self) -> list[Survey]:
        async with self.db.reading() as tx:
            return list((await tx.exec(select(Survey).order_by(col(Survey.id)))).all())

    async def report(self, period: str = "2026Q3") -> dict[str, Any]:
        """As `sarafan report --json` gives it."""
        scope = await scope_of(self.app.settings, self.db)
        return as_json(await build_report(self.db, parse_period(period, ZONE), scope, self.clock.now()))

    # People

    async def ivan_writes(self, text: str, **more: Any) -> str:
        self.clock.advance(timedelta(minutes=1))
        message = self.whatsapp.says(IVAN, text, **more)
        await self.step(pulls=False)
        return message

    async def ivan_votes(self, option: str | None, **more: Any) -> None:
        self.clock.advance(timedelta(minutes=1))
        self.whatsapp.votes(IVAN, option, **more)
        await self.step(pulls=False)

    async def manager_writes(self, text: str) -> None:
        """Somebody of the company types in Ivan's chat, on the phone."""
        self.clock.advance(timedelta(minutes=1))
        self.whatsapp.manager_writes(IVAN, text)
        await self.step(pulls=False)

    async def links(self, deal: int, who: str = "Иван") -> None:
        """Somebody opens the bot by the link in the deal's card."""
        link: str = self.amocrm.field_value(deal, "Ссылка на Telegram-бота")
        self.telegram.start(who, link.partition("start=")[2])
        await self.step()

    async def taps(self, button: str, who: str = "Иван", **more: Any) -> str:
        """A tap in Telegram; gives its id."""
        self.clock.advance(timedelta(minutes=1))
        tap = self.telegram.tap(who, button, **more)
        await self.step(pulls=False)
        return tap

    async def meta_posts(self) -> None:
        """All webhooks that wait at Meta's, brought to the worker."""
        channel = self.app.hands.channels["whatsapp"]
        assert isinstance(channel, Hooked)
        for webhook in self.cloud.waiting():
            headers = {name.lower(): value for name, value in webhook["headers"].items()}
            updates = channel.take(Posted(webhook["body"].encode(), headers), secret="")
            await self.app.inbox.put("whatsapp", updates, self.clock.now())
        self.cloud.delivered()
        await self.step(pulls=False)

    def to_ivan(self) -> list[str]:
        return [message.text for message in self.whatsapp.messages(IVAN)]

    def in_telegram(self, who: str = "Иван") -> list[str]:
        return [message.text for message in self.telegram.messages(who)]

    def to_anna(self) -> list[str]:
        return self.in_telegram("Анна")

    def complaints(self) -> list[Lead]:
        return self.amocrm.leads_in("Рекламации")


@asynccontextmanager
async def world(
    db: Database,
    folder: Path,
    *,
    now: datetime = MONDAY,
    before: Callable[[AmoCrmStandIn], None] = nothing,
    **config: Any,
) -> AsyncIterator[World]:
    """The company at 11 o'clock on a Monday, with the worker started and nothing to do.

    `before` builds what the account had before the worker's first start.
    """
    clock = ManualClock(now)
    amocrm = AmoCrmStandIn(clock.now, rate_limit=None)
    telegram = TelegramStandIn(clock.now)
    whatsapp = GreenApiStandIn(clock.now, longest_wait=0)  # a poll of nothing answers at once
    max_account = GreenApiStandIn(clock.now, messenger="max", longest_wait=0)
    max_bot = MaxStandIn(clock.now, rate_limit=None, longest_wait=0)
    cloud = CloudStandIn(clock.now)
    cloud.approve("nps_ru", "Здравствуйте! {{1}} просит оценить заказ от 1 до 10.")
    anna = telegram.person("Анна", user_id=ANNA)
    telegram.start(anna)
    before(amocrm)
    tables = merged(BASE, config)
    app = await start(
        db,
        folder,
        clock,
        amocrm,
        telegram,
        whatsapp,
        tables,
        max_account=max_account,
        max_bot=max_bot,
        cloud=cloud,
    )
    made = World(
        app=app, db=db, folder=folder, config=tables, clock=clock,
        amocrm=amocrm, telegram=telegram, whatsapp=whatsapp, max_account=max_account,
        max=max_bot, cloud=cloud,
    )  # fmt: skip
    try:
        await made.step()
        yield made
        assert_calls_fit(telegram.requests)
    finally:
        await made.app.close()


async def _start(town: World) -> App:
    return await start(
        town.db, town.folder, town.clock, town.amocrm, town.telegram, town.whatsapp, town.config,
        max_account=town.max_account, max_bot=town.max, cloud=town.cloud,
    )  # fmt: skip


async def start(
    db: Database,
    folder: Path,
    clock: ManualClock,
    amocrm: AmoCrmStandIn,
    telegram: TelegramStandIn,
    whatsapp: GreenApiStandIn,
    config: Mapping[str, Any],
    *,
    max_account: GreenApiStandIn | None = None,
    max_bot: MaxStandIn | None = None,
    cloud: CloudStandIn | None = None,
) -> App:
    settings = settings_from(config, folder)
    transports = {
        "amocrm": httpx.ASGITransport(app=amocrm.app),
        "telegram": httpx.ASGITransport(app=telegram.app),
        "whatsapp": httpx.ASGITransport(app=whatsapp.app),
    }
    if max_account is not None:
        transports["max_account"] = httpx.ASGITransport(app=max_account.app)
    if max_bot is not None:
        transports["max"] = httpx.ASGITransport(app=max_bot.app)
    if cloud is not None and settings.whatsapp.provider == "cloud":
        transports["whatsapp"] = httpx.ASGITransport(app=cloud.app)
    # The pace is tried by itself; here it would only make the tests slow.
    app = await App.build(settings, db=db, clock=clock, transports=transports, is_paced=False)
    await app.recover()
    return app
