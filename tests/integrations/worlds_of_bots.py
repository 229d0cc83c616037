"""Bots that a person opens: Telegram's and MAX's, polled and by webhook."""

import json

import httpx

from integrations.channels.base import BotSettings, Channel, Posted
from integrations.channels.max import SECRET_HEADER as MAX_SECRET_HEADER
from integrations.channels.registry import open_channel
from integrations.channels.telegram import SECRET_HEADER as TELEGRAM_SECRET_HEADER
from integrations.pace import Pace
from integrations.standins.max import MaxStandIn
from integrations.standins.telegram import TelegramStandIn
from tests.integrations import max_schema, telegram_schema
from tests.integrations.clock import Clock
from tests.integrations.worlds import MARIA, NAMES, World


class TelegramWorld(World):
    sending = "sendMessage"
    mode = "polling"

    def __init__(self) -> None:
        self.clock = Clock()
        self.server = TelegramStandIn(self.clock)
        self.faults = self.server.faults
        self.server.start(MARIA)
        self.server.updates.clear()

    def channel(self, *, token: str | None = None) -> Channel:
        settings = BotSettings(
            token=token or self.server.token, api_url="http://telegram.test", mode=self.mode
        )
        return open_channel("telegram", settings, transport=httpx.ASGITransport(self.server.app))

    def chat(self) -> str:
        return str(self.server.person(MARIA).user_id)

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(MARIA)]

    def tap(self, option: str, under: str = "") -> None:
        self.server.tap(MARIA, option, message_id=int(under) if under else None)

    def types(self, text: str, quote: str = "") -> str:
        return str(self.server.says(MARIA, text, reply_to=int(quote) if quote else None))

    def edits(self, message_id: str, text: str) -> None:
        self.server.edits(MARIA, text, message_id=int(message_id))

    def sends(self, media: str, caption: str = "") -> None:
        self.server.sends(MARIA, media, caption)

    def vanish(self) -> None:
        self.server.person(MARIA).has_started = False

    def repeat(self) -> None:
        self.server.updates.append(self.server.updates[-1])

    def busy(self, seconds: int) -> None:
        self.server.throttle(seconds)

    def leaves(self) -> None:
        self.server.block(MARIA)

    def comes_back(self) -> None:
        self.server.unblock(MARIA)

    def assert_calls_fit(self) -> None:
        telegram_schema.assert_calls_fit(self.server.requests)


class TelegramWebhookWorld(TelegramWorld):
    mode = "webhook"

    def posts(self) -> list[Posted]:
        headers = {TELEGRAM_SECRET_HEADER: self.server.webhook()["secret"]}
        waiting = self.server.waiting()
        for update in waiting:
            self.server.delivered(update["update_id"])
        return [Posted(json.dumps(update).encode(), headers) for update in waiting]


class MaxWorld(World):
    sending = "/messages"
    mode = "polling"

    def __init__(self) -> None:
        self.clock = Clock()
        self.server = MaxStandIn(self.clock, rate_limit=None)
        self.faults = self.server.faults
        self.server.start(MARIA)
        self.server.updates.clear()

    def channel(self, *, token: str | None = None) -> Channel:
        settings = BotSettings(token=token or self.server.token, api_url="http://max.test", mode=self.mode)
        transport = httpx.ASGITransport(self.server.app)
        # Two polls a second are tried by themselves; here they would only make the tests slow.
        return open_channel("max", settings, transport=transport, pace=Pace(None))

    def chat(self) -> str:
        return str(self.server.person(MARIA).user_id)

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(MARIA)]

    def tap(self, option: str, under: str = "") -> None:
        self.server.tap(MARIA, option, mid=under)

    def types(self, text: str, quote: str = "") -> str:
        return self.server.says(MARIA, text, reply_to=quote)

    def edits(self, message_id: str, text: str) -> None:
        self.server.edits(MARIA, text, mid=message_id)

    def sends(self, media: str, caption: str = "") -> None:
        self.server.sends(MARIA, NAMES.get(media, media), caption)

    def vanish(self) -> None:
        self.server.person(MARIA).has_started = False

    def repeat(self) -> None:
        self.server.repeat(self.server.waiting()[-1])

    def leaves(self) -> None:
        self.server.block(MARIA)

    def comes_back(self) -> None:
        self.server.start(MARIA)

    def assert_calls_fit(self) -> None:
        max_schema.assert_calls_fit(self.server.requests)


class MaxWebhookWorld(MaxWorld):
    mode = "webhook"

    def posts(self) -> list[Posted]:
        headers = {MAX_SECRET_HEADER: self.server.webhook()["secret"]}
        waiting = self.server.waiting()
        self.server.delivered(len(waiting))
        return [Posted(json.dumps(update).encode(), headers) for update in waiting]
