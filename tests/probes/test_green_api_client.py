"""Green-API's own client, over real HTTP on loopback, against our made-up Green-API."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from integrations.channels.greenapi import SETTINGS
from integrations.standins.town import serving
from integrations.standins.whatsapp import GreenApiStandIn
from tests.integrations.clock import Clock

REASON = "whatsapp-api-client-python is not installed: it is no dependency, only a second opinion"
library = pytest.importorskip("whatsapp_api_client_python.API", reason=REASON)

MARIA, CHAT = "+79140000001", "79140000001@c.us"


@pytest.fixture
def server() -> GreenApiStandIn:
    return GreenApiStandIn(Clock(), longest_wait=0)


@pytest.fixture
async def client(server: GreenApiStandIn) -> AsyncIterator[Any]:
    async with serving(server.app, wake=server.wake) as address:
        opened = library.GreenAPI(
            server.instance_id, server.token, host=address, media=address, raise_errors=True
        )
        yield opened
        opened.session.close()


async def asked(method: Any, *arguments: Any) -> Any:
    """It waits for its answers, so it does that in a thread; gives what it read."""
    answer = await asyncio.to_thread(method, *arguments)
    assert answer.code == 200
    return answer.data


async def heard(client: Any, count: int) -> list[tuple[str, Any]]:
    """What its own loop hands over; it deletes each afterwards."""
    events: list[tuple[str, Any]] = []

    def note(kind: str, body: Any) -> None:
        events.append((kind, body))
        if len(events) == count:
            client.webhooks.stopReceivingNotifications()

    await asyncio.wait_for(asyncio.to_thread(client.webhooks.startReceivingNotifications, note), timeout=5)
    return events


async def test_it_asks_by_a_poll_and_hears_of_the_vote(server: GreenApiStandIn, client: Any) -> None:
    assert await asked(client.account.getStateInstance) == {"stateInstance": "authorized"}
    assert await asked(client.account.setSettings, dict(SETTINGS)) == {"saveSettings": True}
    assert (await asked(client.account.getSettings)).items() >= SETTINGS.items()
    assert await asked(client.serviceMethods.checkWhatsapp, 79140000001) == {"existsWhatsapp": True}
    options = [{"optionName": str(n)} for n in range(1, 11)]
    sent = await asked(client.sending.sendPoll, CHAT, "Оцените", options, False)
    server.votes(MARIA, "9")
    events = await heard(client, 4)
    kinds = [kind for kind, _ in events]
    assert kinds == [
        "outgoingAPIMessageReceived",
        "outgoingMessageStatus",
        "outgoingMessageStatus",
        "incomingMessageReceived",
    ]
    assert {body["idMessage"] for _, body in events[:3]} == {sent["idMessage"]}
    vote = events[3][1]["messageData"]
    assert (vote["typeMessage"], vote["pollMessageData"]["stanzaId"]) == (
        "pollUpdateMessage",
        sent["idMessage"],
    )
    chosen = [each["optionName"] for each in vote["pollMessageData"]["votes"] if each["optionVoters"]]
    assert chosen == ["9"]
    assert server.notifications == [], "it has deleted what it was told"


async def test_it_hears_what_people_write(server: GreenApiStandIn, client: Any) -> None:
    await asked(client.account.setSettings, dict(SETTINGS))
    sent = await asked(client.sending.sendMessage, CHAT, "Оцените от 1 до 10")
    await heard(client, 3)
    server.says(MARIA, "9")
    server.says(MARIA, "8, спасибо", quote=sent["idMessage"])
    server.sends(MARIA, "audio")
    server.sends(MARIA, "image", "вот что вышло")
    events = [body["messageData"] for _, body in await heard(client, 4)]
    text, quoting, voice, picture = events
    assert text["textMessageData"]["textMessage"] == "9"
    assert quoting["extendedTextMessageData"]["text"] == "8, спасибо"
    assert quoting["quotedMessage"]["stanzaId"] == sent["idMessage"]
    assert voice["typeMessage"] == "audioMessage"
    assert picture["fileMessageData"]["caption"] == "вот что вышло"


async def test_what_waits_is_shown_and_can_be_cleared(server: GreenApiStandIn, client: Any) -> None:
    server.set_phone_online(False)
    for text in ("раз", "два", "три"):
        await asked(client.sending.sendMessage, CHAT, text)
    shown = await asked(client.queues.showMessagesQueue)
    assert [row["body"]["message"] for row in shown] == ["два", "три"]
    assert await asked(client.queues.clearMessagesQueue) == {"isCleared": True}
    assert server.queue == []


async def test_refusals_are_errors_to_it(server: GreenApiStandIn, client: Any) -> None:
    server.set_quota(0)
    with pytest.raises(library.GreenAPIError, match="466"):
        await asked(client.sending.sendMessage, CHAT, "?")
    with pytest.raises(library.GreenAPIError, match="400"):
        await asked(client.sending.sendMessage, "not-a-chat", "?")
    stranger = library.GreenAPI(server.instance_id, "wrong", host=client.host, raise_errors=True)
    with pytest.raises(library.GreenAPIError, match="401"):
        await asked(stranger.account.getStateInstance)
    stranger.session.close()
