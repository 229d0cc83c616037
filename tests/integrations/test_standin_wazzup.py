"""The made-up Wazzup24 itself: it has to be as strange as the real one."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from integrations.standins.wazzup import REPEATED, WazzupStandIn
from tests.integrations.clock import Clock

MARIA = "+79140000001"
CHAT = "79140000001"
URL = "https://sarafan.example.com/webhooks/whatsapp/s3cret"
ALL = {"messagesAndStatuses": True, "channelsUpdates": True}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> WazzupStandIn:
    return WazzupStandIn(clock)


@pytest.fixture
async def api(server: WazzupStandIn) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(server) as client:
        yield client


def opened(server: WazzupStandIn) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {server.api_key}"}
    transport = httpx.ASGITransport(server.app)
    return httpx.AsyncClient(base_url="http://wazzup.test/v3", headers=headers, transport=transport)


async def send(api: httpx.AsyncClient, server: WazzupStandIn, **more: Any) -> httpx.Response:
    body = {
        "channelId": server.channel.channel_id,
        "chatType": "whatsapp",
        "chatId": CHAT,
        "text": "?",
        **more,
    }
    return await api.post("message", json={key: value for key, value in body.items() if value is not None})


async def subscribe(api: httpx.AsyncClient, url: str = URL, **more: bool) -> httpx.Response:
    return await api.patch("webhooks", json={"webhooksUri": url, "subscriptions": {**ALL, **more}})


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_it_lists_the_channels(api: httpx.AsyncClient, server: WazzupStandIn) -> None:
    server.add_channel("11111111-2222-4333-8444-555555555555", "telegram", "my_bot", "notEnoughMoney")
    first, second = (await api.get("channels")).json()
    assert (first["transport"], first["plainId"], first["state"]) == ("whatsapp", "79140000000", "active")
    assert second["state"] == "notEnoughMoney"


async def test_without_the_key_nothing_is_told(server: WazzupStandIn) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(server.app), base_url="http://w/v3"
    ) as stranger:
        for answer in (await stranger.get("channels"), await stranger.patch("webhooks", json={})):
            assert (answer.status_code, answer.content) == (401, b"")
        assert (await send(stranger, server)).status_code == 401


# One name, one message, for a minute


@pytest.mark.parametrize("spelling", REPEATED)
async def test_a_name_is_taken_once_a_minute(
    api: httpx.AsyncClient, server: WazzupStandIn, clock: Clock, spelling: str
) -> None:
    server.repeated_spelling = spelling
    first = await send(api, server, crmMessageId="q1")
    assert first.status_code == 201
    assert first.json() == {"messageId": server.last(MARIA).message_id, "chatId": CHAT}
    clock.forward(seconds=59)
    assert error(await send(api, server, crmMessageId="q1")) == (400, spelling)
    assert (await send(api, server, crmMessageId="q2")).status_code == 201
    clock.forward(seconds=1)
    assert (await send(api, server, crmMessageId="q1")).status_code == 201
    assert len(server.messages(MARIA)) == 3


async def test_without_a_name_everything_goes_out(api: httpx.AsyncClient, server: WazzupStandIn) -> None:
    for _ in range(2):
        assert (await send(api, server)).status_code == 201
    assert len(server.messages(MARIA)) == 2


async def test_what_was_refused_leaves_its_name_free(api: httpx.AsyncClient, server: WazzupStandIn) -> None:
    server.refuse("CHANNEL_NO_MONEY")
    assert error(await send(api, server, crmMessageId="q1")) == (400, "CHANNEL_NO_MONEY")
    assert (await send(api, server, crmMessageId="q1")).status_code == 201


# Refusals


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"channelId": "7"}, "INVALID_MESSAGE_DATA"),
        ({"channelId": "11111111-2222-4333-8444-555555555555"}, "CHANNEL_NOT_FOUND"),
        ({"chatType": "pigeon"}, "INVALID_MESSAGE_DATA"),
        ({"chatType": "telegram"}, "WRONG_TRANSPORT"),
        ({"chatId": "+7 914"}, "INVALID_MESSAGE_DATA"),
        ({"chatId": None, "phone": CHAT}, "INVALID_MESSAGE_DATA"),  # in WhatsApp the chat is the phone
        ({"text": ""}, "MESSAGES_TEXT_CAN_NOT_BE_BLANK"),
        ({"text": "я" * 10_001}, "MESSAGE_TEXT_TOO_LONG"),
        ({"refMessageId": "nothing"}, "REFERENCE_MESSAGE_NOT_FOUND"),
        ({"buttonsObject": {"buttons": [{"text": "9", "type": "text"}]}}, "INVALID_MESSAGE_DATA"),
        ({"templateId": "8d255e5d"}, "INVALID_MESSAGE_DATA"),
    ],
)
async def test_what_the_documentation_forbids_is_refused(
    api: httpx.AsyncClient, server: WazzupStandIn, body: dict[str, Any], code: str
) -> None:
    assert error(await send(api, server, **body)) == (400, code)
    assert server.posted == []


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("notEnoughMoney", "CHANNEL_NO_MONEY"),
        ("disabled", "CHANNEL_BLOCKED"),
        ("rejected", "CHANNEL_WAPI_REJECTED"),
        ("phoneUnavailable", "MESSAGE_CHANNEL_UNAVAILABLE"),
        ("qr", "MESSAGE_CHANNEL_UNAVAILABLE"),
    ],
)
async def test_a_channel_that_does_not_work_sends_nothing(
    api: httpx.AsyncClient, server: WazzupStandIn, state: str, code: str
) -> None:
    server.set_state(state)
    assert error(await send(api, server)) == (400, code)


async def test_an_error_may_have_no_body(api: httpx.AsyncClient, server: WazzupStandIn) -> None:
    server.has_error_bodies = False
    answer = await send(api, server, text="")
    assert (answer.status_code, answer.content) == (400, b"")


async def test_on_the_small_tariff_nobody_is_written_to_first(
    api: httpx.AsyncClient, server: WazzupStandIn
) -> None:
    server.writes_first = False
    assert error(await send(api, server)) == (400, "MESSAGES_NOT_TEXT_FIRST")
    server.says(MARIA, "здравствуйте")
    assert (await send(api, server)).status_code == 201


# WABA


async def test_a_waba_channel_takes_free_words_for_a_day_and_templates_always(clock: Clock) -> None:
    server = WazzupStandIn(clock, transport="wapi")
    server.templates["guid"] = "Как вам {{1}}?"
    server.refuses_at_once = True
    async with opened(server) as api:
        assert error(await send(api, server)) == (400, "24_HOURS_EXCEEDED")
        filled = {"text": None, "templateId": "guid", "templateValues": ["ворота"]}
        assert (await send(api, server, **filled)).status_code == 201
        assert server.last(MARIA).text == "Как вам ворота?"
        assert error(await send(api, server, **{**filled, "templateValues": []})) == (
            400,
            "INVALID_MESSAGE_DATA",
        )
        server.says(MARIA, "9")
        clock.forward(hours=24)
        assert (await send(api, server)).status_code == 201
        clock.now += timedelta(seconds=1)
        server.refuses_at_once = False  # accepted, and failed by a status
        assert (await send(api, server)).status_code == 201
        assert server.posted[-1].statuses == ["error"]


@pytest.mark.parametrize(
    ("count", "label", "status"), [(10, "9", 201), (11, "9", 400), (1, "я" * 21, 400), (0, "", 400)]
)
async def test_buttons_have_limits(clock: Clock, count: int, label: str, status: int) -> None:
    server = WazzupStandIn(clock, transport="wapi")
    server.says(MARIA, "здравствуйте")
    buttons = [{"text": label, "type": "text", "payload": str(n)} for n in range(count)]
    async with opened(server) as api:
        answer = await send(api, server, buttonsObject={"buttons": buttons})
        assert answer.status_code == status


# Webhooks


async def test_an_address_is_tried_before_it_is_set(clock: Clock) -> None:
    tried: list[object] = []
    answers = [404, 200]

    async def try_address(url: str, body: object) -> int:
        tried.append((url, body))
        return answers.pop(0)

    server = WazzupStandIn(clock, try_address=try_address)
    async with opened(server) as api:
        assert error(await subscribe(api)) == (400, "testPostNotPassed")
        assert (await api.get("webhooks")).json()["webhooksUri"] == ""
        assert (await subscribe(api)).status_code == 200
    assert tried == [(URL, {"test": True})] * 2
    assert server.webhooks["webhooksUri"] == URL


@pytest.mark.parametrize(
    ("url", "more", "code"),
    [
        ("ftp://x", {}, "uriNotValid"),
        ("https://x/" + "y" * 200, {}, "uriNotValid"),
        (URL, {"everything": True}, "VALIDATION_ERROR"),
    ],
)
async def test_an_address_may_be_wrong(api: httpx.AsyncClient, url: str, more: Any, code: str) -> None:
    assert error(await subscribe(api, url, **more)) == (400, code)


async def test_there_is_one_address_and_the_last_one_has_it(
    api: httpx.AsyncClient, server: WazzupStandIn
) -> None:
    server.set_address("https://crm.example.org/wazzup")
    await subscribe(api)
    assert (await api.get("webhooks")).json()["webhooksUri"] == URL


async def test_only_what_was_subscribed_is_posted_until_it_is_taken(
    api: httpx.AsyncClient, server: WazzupStandIn
) -> None:
    server.says(MARIA, "рано")
    await subscribe(api, channelsUpdates=False)
    server.set_state("qr")
    server.says(MARIA, "9")
    server.repeat()
    assert [body["messages"][0]["text"] for body in server.waiting()] == ["9", "9"]
    server.delivered()
    assert len(server.waiting()) == 1
    server.delivered()
    assert server.waiting() == []


async def test_acceptance_is_not_delivery(api: httpx.AsyncClient, server: WazzupStandIn) -> None:
    await subscribe(api)
    server.has_no_account(MARIA)
    assert (await send(api, server)).status_code == 201
    assert server.messages(MARIA) == []
    ((status,),) = [body["statuses"] for body in server.waiting()]
    assert (status["status"], status["error"]["error"]) == ("error", "BAD_CONTACT")


@pytest.mark.parametrize(("transport", "chat_type"), [("max", "max"), ("tgapi", "telegram")])
async def test_in_max_and_telegram_a_chat_is_no_phone(clock: Clock, transport: str, chat_type: str) -> None:
    server = WazzupStandIn(clock, transport=transport)
    async with opened(server) as api:
        answer = await send(api, server, chatType=chat_type, chatId=None, phone=CHAT)
        chat_id = answer.json()["chatId"]
        assert chat_id not in (CHAT, MARIA)
        assert (await send(api, server, chatType=chat_type, chatId=chat_id)).json()["chatId"] == chat_id
        assert len(server.messages(MARIA)) == 2
        bad = await send(api, server, chatType=chat_type, chatId=None, phone="+7 914")
        assert error(bad) == (400, "INVALID_MESSAGE_DATA")


async def test_people_can_be_played_over_the_network(api: httpx.AsyncClient, server: WazzupStandIn) -> None:
    await subscribe(api)
    control = "http://wazzup.test/_control"
    await api.post(f"{control}/says", json={"who": MARIA, "text": "9"})
    (body,) = (await api.post(f"{control}/waiting", json={})).json()
    assert body["messages"][0]["chatId"] == CHAT
    await api.post(f"{control}/delivered", json={"count": 1})
    assert server.waiting() == []
    await api.post(f"{control}/faults", json={"path": "/message", "status": 502})
    assert (await send(api, server)).status_code == 502


def test_nobody_taps_what_was_never_sent(server: WazzupStandIn) -> None:
    with pytest.raises(LookupError):
        server.taps(MARIA, "9")
