"""MAX posts one bare update at a time: on disk before the 200, and only with MAX's header."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from integrations.channels.base import BotSettings
from integrations.channels.max import MaxBot
from integrations.pace import Pace
from integrations.standins.max import MaxStandIn
from storage import inbox
from storage.database import Database
from storage.inbox import InboxWriter
from tests.integrations.clock import Clock
from tests.web.conftest import NOON, SECRET, Office
from tests.web.test_webhooks import rejected
from worker.web.server import build_app
from worker.web.webhooks import Hooks, header_secret, hook_path

URL = f"https://sarafan.example.com{hook_path('max', SECRET)}"


@pytest.fixture
async def server() -> MaxStandIn:
    return MaxStandIn(Clock(), rate_limit=None)


@pytest.fixture
async def browser(office: Office, db: Database, server: MaxStandIn) -> AsyncIterator[httpx.AsyncClient]:
    """Reaches a worker whose bot is registered with MAX."""
    settings = BotSettings(token=server.token, api_url="http://max.test", mode="webhook")
    bot = MaxBot(settings, transport=httpx.ASGITransport(server.app), pace=Pace(None))
    await bot.start()
    await bot.register(URL, header_secret(SECRET, bot.hook_place))
    writer = InboxWriter(db)
    hooks = Hooks({"max": bot}, lambda name, updates: writer.put(name, updates, NOON))
    app = build_app(office.health, webhook_secret=SECRET, wake_pull=office.wake, hooks=hooks)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client:
        yield client
    await writer.close()
    await bot.close()


async def post(browser: httpx.AsyncClient, server: MaxStandIn, update: object, **headers: str) -> int:
    """As MAX does, to the address and with the secret that it was given."""
    hook = server.webhook()
    header = {"X-Max-Bot-Api-Secret": hook["secret"], **headers}
    return (await browser.post(hook["url"], json=update, headers=header)).status_code


async def test_what_max_posts_is_kept_as_it_came(
    browser: httpx.AsyncClient, server: MaxStandIn, db: Database
) -> None:
    server.start("Мария", "token")
    server.says("Мария", "9, спасибо")
    for update in server.waiting():
        assert await post(browser, server, update) == 200
        assert await post(browser, server, update) == 200  # as for hours after a lost answer
    rows = await inbox.unread(db)
    assert [(row.channel, row.kind) for row in rows] == [("max", "bot_started"), ("max", "message_created")]
    assert [json.loads(row.raw) for row in rows] == server.waiting()


@pytest.mark.parametrize("secret", ["", "wrong", SECRET, header_secret(SECRET, "telegram")])
async def test_a_post_without_maxs_header_is_forbidden_and_counted(
    office: Office, browser: httpx.AsyncClient, server: MaxStandIn, db: Database, secret: str
) -> None:
    server.start("Мария")
    assert await post(browser, server, server.waiting()[0], **{"X-Max-Bot-Api-Secret": secret}) == 403
    assert await inbox.unread(db) == []
    assert rejected(office, "max", "header") == 1


@pytest.mark.parametrize("body", [[], {"updates": []}, {"update_type": None}])
async def test_what_cannot_be_read_is_kept_for_a_person(
    browser: httpx.AsyncClient, server: MaxStandIn, db: Database, body: Any
) -> None:
    assert await post(browser, server, body) == 200
    [row] = await inbox.unread(db)
    assert (row.channel, row.kind, json.loads(row.raw)) == ("max", "unreadable", body)
