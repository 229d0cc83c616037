"""Messengers post what clients said: who gets in, what is kept, and when is it acknowledged?"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from integrations.channels.base import BotSettings, GatewaySettings, Hooked
from integrations.channels.greenapi import GreenApi
from integrations.channels.telegram import Telegram
from storage import inbox
from storage.database import Database
from storage.errors import Unavailable
from storage.inbox import InboxWriter
from tests.web.conftest import NOON, SECRET, Office
from tests.web.test_webhooks import rejected
from worker.web.server import build_app
from worker.web.webhooks import BODY_LIMIT, Hooks, header_secret

Browser = httpx.AsyncClient
UPDATE = {
    "update_id": 7,
    "message": {
        "message_id": 5,
        "date": 1_780_000_000,
        "chat": {"id": 42, "type": "private", "first_name": "Мария"},
        "from": {"id": 42, "is_bot": False, "first_name": "Мария"},
        "text": "9, спасибо",
    },
}
TELEGRAM = {"X-Telegram-Bot-Api-Secret-Token": header_secret(SECRET, "telegram")}
GATEWAY = {"Authorization": f"Bearer {header_secret(SECRET, 'whatsapp')}"}


def notification(instance: int = 1101, message_id: str = "M1") -> dict[str, Any]:
    return {
        "typeWebhook": "incomingMessageReceived",
        "instanceData": {"idInstance": instance, "wid": "79140000000@c.us", "typeInstance": "whatsapp"},
        "timestamp": 1_780_000_000,
        "idMessage": message_id,
        "senderData": {"chatId": "79140000001@c.us", "sender": "79140000001@c.us", "senderName": "Мария"},
        "messageData": {"typeMessage": "textMessage", "textMessageData": {"textMessage": "9"}},
    }


@pytest.fixture
async def channels() -> AsyncIterator[dict[str, Hooked]]:
    bot = Telegram(BotSettings(token="1:x", mode="webhook"))
    gateways = {
        name: GreenApi(
            name,
            GatewaySettings(
                provider="greenapi",
                base_url="https://green.test",
                instance_id=instance,
                api_token="x",
                receive="webhook",
            ),
        )
        for name, instance in (("whatsapp", "1101"), ("max_account", "3100"))
    }
    yield {"telegram": bot, **gateways}
    await bot.close()
    for gateway in gateways.values():
        await gateway.close()


@pytest.fixture
async def writer(db: Database) -> AsyncIterator[InboxWriter]:
    opened = InboxWriter(db)
    yield opened
    await opened.close()


def browser_of(office: Office, hooks: Hooks) -> Browser:
    app = build_app(office.health, webhook_secret=SECRET, wake_pull=office.wake, hooks=hooks)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sarafan")


@pytest.fixture
async def browser(office: Office, channels: dict[str, Hooked], writer: InboxWriter) -> AsyncIterator[Browser]:
    hooks = Hooks(channels, lambda name, updates: writer.put(name, updates, NOON))
    async with browser_of(office, hooks) as client:
        yield client


@pytest.fixture
def kept(db: Database) -> Callable[[], Any]:
    async def rows() -> list[tuple[str, str, str]]:
        return [(row.channel, row.external_id, row.kind) for row in await inbox.unread(db)]

    return rows


async def test_what_telegram_posts_is_kept_as_it_came(browser: Browser, db: Database) -> None:
    answer = await browser.post(f"/webhooks/telegram/{SECRET}", json=UPDATE, headers=TELEGRAM)
    assert answer.status_code == 200
    [row] = await inbox.unread(db)
    assert (row.channel, row.external_id, row.received_at) == ("telegram", "7", NOON)
    assert json.loads(row.raw) == UPDATE


async def test_the_same_post_ten_times_at_once_is_kept_once(browser: Browser, kept: Any) -> None:
    posts = [browser.post(f"/webhooks/telegram/{SECRET}", json=UPDATE, headers=TELEGRAM) for _ in range(10)]
    assert {answer.status_code for answer in await asyncio.gather(*posts)} == {200}
    assert await kept() == [("telegram", "7", "update")]


@pytest.mark.parametrize("header", ["", "wrong", SECRET, header_secret(SECRET, "max"), "пароль"])
async def test_a_post_without_the_services_header_is_forbidden_and_counted(
    office: Office, browser: Browser, kept: Any, header: str
) -> None:
    headers = {b"X-Telegram-Bot-Api-Secret-Token": header.encode()} if header else {}
    answer = await browser.post(f"/webhooks/telegram/{SECRET}", json=UPDATE, headers=headers)
    assert answer.status_code == 403
    assert await kept() == []
    assert rejected(office, "telegram", "header") == 1


@pytest.mark.parametrize(
    "path", ["telegram/wrong", f"max/{SECRET}", f"viber/{SECRET}", f"telegram/{SECRET}/x"]
)
async def test_a_wrong_path_is_not_found_whatever_the_header(browser: Browser, kept: Any, path: str) -> None:
    answer = await browser.post(f"/webhooks/{path}", json=UPDATE, headers=TELEGRAM)
    assert answer.status_code == 404
    assert await kept() == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"9"', b'{"update_id": "x"}', b"[" * 100_000])
async def test_what_is_authentic_but_unreadable_is_kept_once_for_a_person(
    browser: Browser, db: Database, body: bytes
) -> None:
    for _ in range(2):
        answer = await browser.post(f"/webhooks/telegram/{SECRET}", content=body, headers=TELEGRAM)
        assert answer.status_code == 200
    [row] = await inbox.unread(db)
    assert (row.channel, row.kind, row.raw) == ("telegram", "unreadable", body)


async def test_each_account_takes_its_own_of_what_comes_to_one_place(browser: Browser, kept: Any) -> None:
    for instance, message in ((1101, "M1"), (3100, "M2"), (999, "M3")):
        answer = await browser.post(
            f"/webhooks/whatsapp/{SECRET}", json=notification(instance, message), headers=GATEWAY
        )
        assert answer.status_code == 200
    assert [(channel, key[:2]) for channel, key, _ in await kept()] == [
        ("whatsapp", "M1"),
        ("max_account", "M2"),
    ]


async def test_a_gateways_unreadable_post_is_kept_by_one_of_them(browser: Browser, db: Database) -> None:
    answer = await browser.post(f"/webhooks/whatsapp/{SECRET}", content=b"\xff\x00", headers=GATEWAY)
    assert answer.status_code == 200
    [row] = await inbox.unread(db)
    assert (row.kind, row.raw) == ("unreadable", b"\xff\x00")


async def test_without_a_word_from_the_disk_the_service_has_to_repeat_it(
    office: Office, channels: dict[str, Hooked]
) -> None:
    async def no_disk(_: str, __: object) -> None:
        raise Unavailable("the disk is full")

    async with browser_of(office, Hooks(channels, no_disk)) as browser:
        answer = await browser.post(f"/webhooks/telegram/{SECRET}", json=UPDATE, headers=TELEGRAM)
    assert answer.status_code == 503


async def test_nothing_is_acknowledged_before_it_is_on_disk(
    office: Office, channels: dict[str, Hooked]
) -> None:
    disk = asyncio.Event()

    async def slow_disk(_: str, __: object) -> None:
        await disk.wait()

    async with browser_of(office, Hooks(channels, slow_disk)) as browser:
        post = asyncio.create_task(
            browser.post(f"/webhooks/telegram/{SECRET}", json=UPDATE, headers=TELEGRAM)
        )
        _, waiting = await asyncio.wait({post}, timeout=0.05)
        assert waiting == {post}
        disk.set()
        assert (await post).status_code == 200


async def test_a_channel_that_is_polled_has_no_place(office: Office, writer: InboxWriter) -> None:
    bot = Telegram(BotSettings(token="1:x", mode="polling"))
    hooks = Hooks({"telegram": bot}, lambda name, updates: writer.put(name, updates, NOON))
    async with browser_of(office, hooks) as browser:
        answer = await browser.post(f"/webhooks/telegram/{SECRET}", json=UPDATE, headers=TELEGRAM)
    assert answer.status_code == 404
    await bot.close()


async def test_a_body_too_large_is_refused(office: Office, browser: Browser, kept: Any) -> None:
    answer = await browser.post(
        f"/webhooks/telegram/{SECRET}", content=b"x" * (BODY_LIMIT + 1), headers=TELEGRAM
    )
    assert answer.status_code == 413
    assert await kept() == []
    assert rejected(office, "telegram", "too_large") == 1


async def test_who_makes_sure_of_nobody_answers_no_greeting(office: Office, browser: Browser) -> None:
    answer = await browser.get(f"/webhooks/telegram/{SECRET}?hub.mode=subscribe")
    assert answer.status_code == 403
    assert rejected(office, "telegram", "method") == 1


def test_a_headers_secret_does_not_tell_the_paths() -> None:
    assert header_secret(SECRET, "telegram") != header_secret(SECRET, "max")
    assert SECRET not in header_secret(SECRET, "telegram")
    assert header_secret(SECRET, "telegram").isalnum()
