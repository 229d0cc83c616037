"""Green-API posts to an address of ours instead of being polled."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from integrations.channels.base import GatewaySettings, IncomingKind, Posted, RefusedError, UnreadableError
from integrations.channels.greenapi import SETTINGS, GreenApi
from integrations.errors import Permanent, Temporary
from integrations.pace import Pace
from integrations.standins.whatsapp import GreenApiStandIn
from tests.integrations.clock import Clock

URL = "https://sarafan.example.com/webhooks/whatsapp/s3cret"
SECRET = "a" * 64
MARIA = "+79140000001"


@pytest.fixture
def server() -> GreenApiStandIn:
    return GreenApiStandIn(Clock(), longest_wait=0.02)


@pytest.fixture
async def gateway(server: GreenApiStandIn) -> AsyncIterator[GreenApi]:
    settings = GatewaySettings(
        provider="greenapi",
        base_url="http://green.test",
        instance_id=server.instance_id,
        api_token=server.token,
        receive="webhook",
    )
    opened = GreenApi("whatsapp", settings, transport=httpx.ASGITransport(server.app), pace=Pace(None))
    yield opened
    await opened.close()


@pytest.fixture
async def registered(gateway: GreenApi) -> GreenApi:
    await gateway.register(URL, SECRET)
    return gateway


async def test_it_registers_once_because_each_change_restarts_the_instance(
    server: GreenApiStandIn, gateway: GreenApi
) -> None:
    await gateway.start()
    for _ in range(3):
        await gateway.register(URL, SECRET)
    assert server.times_set == 1
    assert server.settings.items() >= {**SETTINGS, "webhookUrl": URL, "webhookUrlToken": SECRET}.items()


async def test_another_programs_address_is_never_taken_over(
    server: GreenApiStandIn, gateway: GreenApi
) -> None:
    server.settings["webhookUrl"] = "https://crm.example.org/green"
    with pytest.raises(Permanent, match=r"crm\.example\.org"):
        await gateway.register(URL, SECRET)
    assert server.times_set == 0


async def test_a_posted_notification_is_read_as_a_polled_one(
    server: GreenApiStandIn, registered: GreenApi
) -> None:
    message_id = server.says(MARIA, "9, спасибо")
    [raw] = registered.take(posted(server.notifications[-1].body), SECRET)
    assert message_id in raw.external_id
    [incoming] = registered.read(raw.body)
    assert (incoming.kind, incoming.text) == (IncomingKind.TEXT, "9, спасибо")


async def test_what_belongs_to_another_instance_is_left_to_it(
    server: GreenApiStandIn, registered: GreenApi
) -> None:
    server.says(MARIA, "9")
    body = server.notifications[-1].body
    body["instanceData"]["idInstance"] = 42
    assert registered.take(posted(body), SECRET) == ()


@pytest.mark.parametrize("given", ["", "Bearer ", f"Bearer {'b' * 64}", "Basic " + SECRET])
async def test_only_the_gateway_knows_the_header(
    server: GreenApiStandIn, registered: GreenApi, given: str
) -> None:
    server.says(MARIA, "9")
    with pytest.raises(RefusedError, match="header"):
        registered.take(posted(server.notifications[-1].body, given), SECRET)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"\xff"])
async def test_what_is_no_notification_is_said_to_be_so(registered: GreenApi, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        registered.take(Posted(body, {"authorization": SECRET}), SECRET)


async def test_a_change_of_state_is_looked_at_before_the_next_message(
    server: GreenApiStandIn, registered: GreenApi
) -> None:
    await registered.start()
    await registered.check_state()
    server.set_state("yellowCard")
    registered.take(posted(server.notifications[-1].body), SECRET)
    with pytest.raises(Temporary, match="yellowCard"):
        await registered.check_state()


def posted(body: dict[str, Any], authorization: str = SECRET) -> Posted:
    return Posted(json.dumps(body, ensure_ascii=False).encode(), {"authorization": authorization})
