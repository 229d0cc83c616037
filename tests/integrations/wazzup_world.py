"""The Wazzup channel beside its made-up account, and how a webhook gets from one to the other."""

import asyncio
import json
from typing import Any

import httpx

from integrations.channels.base import GatewaySettings, Incoming, Posted, Raw
from integrations.channels.wazzup import Wazzup
from integrations.pace import Pace
from integrations.standins.wazzup import WazzupStandIn

SECRET = "a" * 64  # of the header; Wazzup sends none
URL = "https://sarafan.example.com/webhooks/whatsapp/path-secret"
SECTIONS = {"whatsapp": "whatsapp", "wapi": "whatsapp", "max": "max_account", "tgapi": "telegram_account"}


def settings(server: WazzupStandIn, **more: Any) -> GatewaySettings:
    given = {"base_url": "http://wazzup.test/v3", "api_key": server.api_key}
    return GatewaySettings(provider="wazzup", **{**given, "channel_id": server.channel.channel_id, **more})


def patient() -> Pace:
    """A pace that waits for nothing."""

    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    return Pace(None, sleep=sleep)


def wazzup(server: WazzupStandIn, **more: Any) -> Wazzup:
    """The channel of the section to which the account's first channel belongs."""
    return Wazzup(
        SECTIONS[server.channel.transport],
        settings(server, **more),
        transport=httpx.ASGITransport(server.app),
        pace=patient(),
        now=server.clock,
    )


def posts(server: WazzupStandIn) -> list[Posted]:
    waiting = [posted(body) for body in server.waiting()]
    server.delivered(len(waiting))
    return waiting


def posted(body: object) -> Posted:
    return Posted(json.dumps(body, ensure_ascii=False).encode())


def taken(server: WazzupStandIn, channel: Wazzup) -> list[Raw]:
    """Everything that waits, as it is kept."""
    return [raw for each in posts(server) for raw in channel.take(each, SECRET)]


def came_in(server: WazzupStandIn, channel: Wazzup) -> list[Incoming]:
    return [incoming for raw in taken(server, channel) for incoming in channel.read(raw.body)]


def one(server: WazzupStandIn, channel: Wazzup) -> Incoming:
    (incoming,) = came_in(server, channel)
    return incoming
