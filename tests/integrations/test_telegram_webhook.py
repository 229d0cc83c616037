"""Telegram posts to an address of ours: it is registered once, and never taken from another program."""

from collections.abc import AsyncIterator

import httpx
import pytest

from integrations.channels.base import BotSettings, IncomingKind, Posted, RefusedError
from integrations.channels.telegram import Telegram
from integrations.channels.telegram_read import ALLOWED_UPDATES
from integrations.errors import Permanent, Temporary
from integrations.standins.telegram import TelegramStandIn
from tests.integrations.clock import Clock
from tests.integrations.telegram_schema import assert_calls_fit

URL = "https://sarafan.example.com/webhooks/telegram/s3cret"
SECRET = "a" * 64


@pytest.fixture
def server() -> TelegramStandIn:
    return TelegramStandIn(Clock())


@pytest.fixture
async def telegram(server: TelegramStandIn) -> AsyncIterator[Telegram]:
    settings = BotSettings(token=server.token, api_url="http://telegram.test", mode="webhook")
    opened = Telegram(settings, transport=httpx.ASGITransport(server.app))
    yield opened
    await opened.close()
    assert_calls_fit(server.requests)


def times_set(server: TelegramStandIn) -> int:
    return sum(call.path.endswith("/setWebhook") for call in server.requests)


async def test_it_registers_once_and_leaves_what_is_right(
    server: TelegramStandIn, telegram: Telegram
) -> None:
    for _ in range(3):
        await telegram.register(URL, SECRET)
    assert server.webhook() == {"url": URL, "secret": SECRET}
    assert times_set(server) == 1


async def test_what_came_in_before_is_not_dropped(server: TelegramStandIn, telegram: Telegram) -> None:
    server.start("Мария")
    server.says("Мария", "9")
    await telegram.register(URL, SECRET)
    assert len(server.waiting()) == 2


async def test_an_address_of_ours_with_an_old_secret_is_replaced(
    server: TelegramStandIn, telegram: Telegram
) -> None:
    server.webhook_url = URL.replace("s3cret", "older")
    await telegram.register(URL, SECRET)
    assert server.webhook_url == URL


@pytest.mark.parametrize(
    "address", ["https://crm.example.org/hook", "https://sarafan.example.com/other/telegram/s3cret"]
)
async def test_another_programs_address_is_never_taken_over(
    server: TelegramStandIn, telegram: Telegram, address: str
) -> None:
    server.webhook_url = address
    with pytest.raises(Permanent) as refused:
        await telegram.register(URL, SECRET)
    assert httpx.URL(address).host in str(refused.value)
    assert "deleteWebhook" in refused.value.remedy
    assert server.webhook_url == address


async def test_updates_that_it_would_not_send_are_asked_for(
    server: TelegramStandIn, telegram: Telegram
) -> None:
    await telegram.register(URL, SECRET)
    server._allowed = ("message",)
    await telegram.register(URL, SECRET)
    assert set(server._allowed) == set(ALLOWED_UPDATES)


async def test_an_address_that_telegram_refuses_is_told(server: TelegramStandIn, telegram: Telegram) -> None:
    with pytest.raises(Permanent, match="https url must be provided"):
        await telegram.register("http://sarafan.example.com/webhooks/telegram/s3cret", SECRET)


async def test_a_lost_answer_is_asked_for_again(server: TelegramStandIn, telegram: Telegram) -> None:
    server.faults.add("setWebhook", after=True, drop=True)
    with pytest.raises(Temporary):
        await telegram.register(URL, SECRET)
    await telegram.register(URL, SECRET)
    assert server.webhook_url == URL


async def test_a_posted_update_is_read_as_a_polled_one(server: TelegramStandIn, telegram: Telegram) -> None:
    server.start("Мария", "token")
    [update] = server.waiting()
    [raw] = telegram.take(posted(update), SECRET)
    assert raw.external_id == str(update["update_id"])
    [incoming] = telegram.read(raw.body)
    assert (incoming.kind, incoming.token) == (IncomingKind.START, "token")


async def test_only_telegram_knows_the_header(server: TelegramStandIn, telegram: Telegram) -> None:
    server.start("Мария")
    [update] = server.waiting()
    for headers in ({}, {"x-telegram-bot-api-secret-token": "b" * 64}):
        with pytest.raises(RefusedError, match="header"):
            telegram.take(Posted(posted(update).body, headers), SECRET)
    with pytest.raises(RefusedError):
        telegram.take(posted(update, secret=""), "")


def posted(update: object, secret: str = SECRET) -> Posted:
    request = httpx.Request("POST", URL, json=update)
    return Posted(request.content, {"x-telegram-bot-api-secret-token": secret})
