"""The Cloud API channel beside its made-up Meta, and how a webhook gets from one to the other."""

from collections.abc import Mapping
from typing import Any

import httpx

from integrations.channels.base import GatewaySettings, Incoming, Posted, Raw, Template
from integrations.channels.cloud import Cloud
from integrations.pace import Pace
from integrations.standins.cloud import CloudStandIn

SECRET = "a" * 64  # of the header; Meta sends none, it signs
BASE_URL = "http://meta.test/v23.0"


def cloud(
    server: CloudStandIn,
    *,
    templates: Mapping[str, Template] | None = None,
    pace: Pace | None = None,
    **settings: Any,
) -> Cloud:
    given = {
        "base_url": BASE_URL,
        "phone_number_id": server.phone_number_id,
        "access_token": server.token,
        "app_secret": server.app_secret,
        "verify_token": server.verify_token,
    }
    return Cloud(
        "whatsapp",
        GatewaySettings(provider="cloud", templates=templates or {}, **{**given, **settings}),
        transport=httpx.ASGITransport(server.app),
        pace=pace or Pace(None),
        now=server.clock,
    )


def posted(webhook: Mapping[str, Any]) -> Posted:
    headers = {name.lower(): value for name, value in webhook["headers"].items()}
    return Posted(webhook["body"].encode(), headers)


def taken(server: CloudStandIn, channel: Cloud, *, together: bool = False) -> list[Raw]:
    """Everything that waits, as it is kept."""
    kept = [
        raw for webhook in server.waiting(together=together) for raw in channel.take(posted(webhook), SECRET)
    ]
    server.delivered()
    return kept


def came_in(server: CloudStandIn, channel: Cloud) -> list[Incoming]:
    return [incoming for raw in taken(server, channel) for incoming in channel.read(raw.body)]


def one(server: CloudStandIn, channel: Cloud) -> Incoming:
    (incoming,) = came_in(server, channel)
    return incoming
