"""The made-up Green-API has the habits of the real one."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from integrations.standins.whatsapp import GreenApiStandIn
from tests.integrations.clock import Clock

Json = dict[str, Any]
MARIA, CHAT = "+79140000001", "79140000001@c.us"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> GreenApiStandIn:
    stand_in = GreenApiStandIn(clock, longest_wait=0.02)
    for name in stand_in.settings:
        if name.endswith("Webhook"):
            stand_in.settings[name] = "yes"
    return stand_in


class Client:
    """Calls of one instance."""

    def __init__(self, http: httpx.AsyncClient, server: GreenApiStandIn) -> None:
        self.http = http
        self.server = server

    async def call(self, verb: str, method: str, tail: str = "", **body: Any) -> tuple[int, Any]:
        path = f"/waInstance{self.server.instance_id}/{method}/{self.server.token}{tail}"
        response = await self.http.request(verb, path, json=body or None)
        return response.status_code, response.json() if response.content else None

    async def send(self, chat_id: str = CHAT, message: str = "Привет") -> tuple[int, Any]:
        return await self.call("POST", "sendMessage", chatId=chat_id, message=message)

    async def head(self) -> Json | None:
        status, head = await self.call("GET", "receiveNotification")
        assert status == 200
        assert head is None or isinstance(head, dict)
        return head

    async def drain(self) -> list[Json]:
        bodies = []
        while head := await self.head():
            bodies.append(head["body"])
            await self.call("DELETE", "deleteNotification", f"/{head['receiptId']}")
        return bodies


@pytest.fixture
async def client(server: GreenApiStandIn) -> AsyncIterator[Client]:
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://green.test") as http:
        yield Client(http, server)


async def test_the_head_stays_until_it_is_deleted(client: Client, server: GreenApiStandIn) -> None:
    server.says(MARIA, "первое")
    server.says(MARIA, "второе")
    head = await client.head()
    assert head == await client.head()
    assert head is not None
    receipt = f"/{head['receiptId']}"
    assert await client.call("DELETE", "deleteNotification", receipt) == (200, {"result": True})
    assert await client.call("DELETE", "deleteNotification", receipt) == (200, {"result": False})
    (second,) = await client.drain()
    assert second["messageData"]["textMessageData"]["textMessage"] == "второе"
    assert await client.head() is None


async def test_notifications_live_for_a_day(client: Client, server: GreenApiStandIn, clock: Clock) -> None:
    server.says(MARIA, "9")
    clock.forward(hours=25)
    assert await client.head() is None


async def test_what_is_not_switched_on_is_not_told(client: Client, server: GreenApiStandIn) -> None:
    await client.call("POST", "setSettings", incomingWebhook="no", outgoingWebhook="no")
    server.says(MARIA, "9")
    await client.send()
    assert [body["typeWebhook"] for body in await client.drain()] == ["outgoingAPIMessageReceived"]


async def test_with_a_webhook_polling_gives_nothing(client: Client, server: GreenApiStandIn) -> None:
    await client.call("POST", "setSettings", webhookUrl="https://other.example")
    server.says(MARIA, "9")
    assert await client.head() is None


async def test_accepted_is_not_sent_and_sent_is_not_delivered(
    client: Client, server: GreenApiStandIn
) -> None:
    server.set_phone_online(False)
    status, answer = await client.send()
    assert (status, list(answer)) == (200, ["idMessage"])
    assert await client.head() is None
    assert await client.call("GET", "showMessagesQueue") == (200, []), "its head is not shown"
    _, second = await client.send()
    body = {"chatId": CHAT, "message": "Привет"}
    shown = [{"messageID": second["idMessage"], "type": "sendMessage", "body": body}]
    assert await client.call("GET", "showMessagesQueue") == (200, shown)
    assert await client.call("GET", "getStatusInstance") == (200, {"statusInstance": "offline"})
    server.delivers = False
    server.set_phone_online(True)
    assert [body.get("status") for body in await client.drain()] == [None, "sent"] * 2


async def test_a_cleared_queue_sends_nothing(client: Client, server: GreenApiStandIn) -> None:
    server.set_phone_online(False)
    await client.send()
    assert await client.call("GET", "clearMessagesQueue") == (200, {"isCleared": True})
    server.set_phone_online(True)
    assert server.messages() == []


async def test_messages_go_one_by_one_with_a_pause(clock: Clock) -> None:
    server = GreenApiStandIn(clock, delay=timedelta(seconds=5))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app), base_url="http://g") as http:
        for _ in range(3):
            await Client(http, server).send()
    assert len(server.messages()) == 1
    clock.forward(seconds=5)
    assert len(server.messages()) == 2
    clock.forward(seconds=60)
    first, second, third = [post.sent_at for post in server.messages() if post.sent_at]
    assert second - first == third - second == timedelta(seconds=5)


async def test_an_opaque_id_stops_everything_behind_it(client: Client, server: GreenApiStandIn) -> None:
    assert (await client.send("12345@lid"))[0] == 200
    await client.send()
    assert server.messages() == []


async def test_statuses_of_a_message_that_is_read(client: Client, server: GreenApiStandIn) -> None:
    _, answer = await client.send()
    server.reads(MARIA)
    server.reads(MARIA)
    statuses = [body for body in await client.drain() if body["typeWebhook"] == "outgoingMessageStatus"]
    assert [body["status"] for body in statuses] == ["sent", "delivered", "read"]
    assert {(body["idMessage"], body["chatId"]) for body in statuses} == {(answer["idMessage"], CHAT)}


async def test_statuses_can_be_kept_and_told_in_another_order(
    client: Client, server: GreenApiStandIn
) -> None:
    server.keep_statuses()
    _, answer = await client.send()
    assert "status" not in str(await client.drain())
    for status in ("read", "delivered"):
        server.tells_status(answer["idMessage"], CHAT, status)
    assert [body["status"] for body in await client.drain()] == ["read", "delivered"]


async def test_a_poll_with_one_option_is_accepted_and_fails(client: Client, server: GreenApiStandIn) -> None:
    status, _ = await client.call(
        "POST", "sendPoll", chatId=CHAT, message="?", options=[{"optionName": "да"}]
    )
    assert status == 200
    assert (await client.drain())[-1]["status"] == "failed"


async def test_a_vote_tells_the_persons_present_choice(client: Client, server: GreenApiStandIn) -> None:
    options = [{"optionName": option} for option in ("4", "5")]
    await client.call("POST", "sendPoll", chatId=CHAT, message="?", options=options)
    await client.drain()
    server.votes(MARIA, "5")
    server.votes(MARIA, None)
    given, withdrawn = (body["messageData"]["pollMessageData"]["votes"] for body in await client.drain())
    assert [vote["optionVoters"] for vote in given] == [[], [CHAT]]
    assert [vote["optionVoters"] for vote in withdrawn] == [[], []]
    with pytest.raises(LookupError, match="«6»"):
        server.votes(MARIA, "6")


async def test_the_quota_counts_people_not_messages(client: Client, server: GreenApiStandIn) -> None:
    server.set_quota(1)
    assert [(await client.send())[0] for _ in range(3)] == [200, 200, 200]
    status, answer = await client.send("79140000002@c.us")
    assert (status, answer["correspondentsStatus"]["status"]) == (466, "QUOTE_EXCEEDED")


@pytest.mark.parametrize(
    ("method", "body", "word"),
    [
        ("sendMessage", {"chatId": "79140000001", "message": "?"}, "chatId"),
        ("sendMessage", {"chatId": CHAT, "message": ""}, "empty"),
        ("sendMessage", {"chatId": CHAT}, "empty"),
        ("sendMessage", {"chatId": CHAT, "message": "я" * 20_001}, "20000"),
        ("sendPoll", {"chatId": CHAT, "message": "я" * 256, "options": []}, "255"),
        (
            "sendPoll",
            {"chatId": CHAT, "message": "?", "options": [{"optionName": str(n)} for n in range(13)]},
            "12",
        ),
    ],
)
async def test_bad_messages_are_refused(client: Client, method: str, body: Json, word: str) -> None:
    status, answer = await client.call("POST", method, **body)
    assert status == 400
    assert word in answer["message"]


async def test_a_phone_that_is_not_connected_sends_nothing(client: Client, server: GreenApiStandIn) -> None:
    server.set_state("notAuthorized")
    assert (await client.send())[0] == 400
    assert await client.call("GET", "getStateInstance") == (200, {"stateInstance": "notAuthorized"})
    (told,) = await client.drain()
    assert (told["typeWebhook"], told["stateInstance"]) == ("stateInstanceChanged", "notAuthorized")


async def test_wrong_addresses(client: Client, server: GreenApiStandIn) -> None:
    number, token = server.instance_id, server.token
    paths = (f"/waInstance{number}/getSettings/x", f"/waInstance7/getSettings/{token}")
    assert [(await client.http.get(path)).status_code for path in paths] == [401, 403]
    assert (await client.call("GET", "getNothing"))[0] == 404
    wait = f"/waInstance{number}/receiveNotification/{token}?receiveTimeout=3"
    assert (await client.http.get(wait)).status_code == 400


async def test_a_number_can_be_asked_about(client: Client, server: GreenApiStandIn) -> None:
    server.has_no_account("8 914 000-00-01")
    numbers = ("79140000001", "79140000002")
    answers = [(await client.call("POST", "checkWhatsapp", phoneNumber=number))[1] for number in numbers]
    assert [answer["existsWhatsapp"] for answer in answers] == [False, True]


async def test_the_control_endpoint_does_what_people_do(client: Client, server: GreenApiStandIn) -> None:
    await client.send()
    (message,) = (await client.http.post("/_control/messages", json={"who": MARIA})).json()
    assert (message["text"], message["statuses"]) == ("Привет", ["sent", "delivered"])
    await client.http.post("/_control/says", json={"who": MARIA, "text": "9"})
    assert (await client.drain())[-1]["messageData"]["textMessageData"]["textMessage"] == "9"


async def test_a_conversation_has_both_sides_in_their_order(client: Client, server: GreenApiStandIn) -> None:
    await client.send()
    id_message = server.says(MARIA, "9", quote=server.last(MARIA).id_message)
    server.manager_writes(MARIA, "Спасибо, Мария!")
    server.sends(MARIA, "audio")
    server.has_no_account("+79140000002")
    await client.send("79140000002@c.us")
    await client.call(
        "POST", "sendPoll", chatId=CHAT, message="Оцените", options=[{"optionName": "9"}, {"optionName": "8"}]
    )
    talk = server.conversation(MARIA)
    assert [(type(one).__name__, one.text) for one in talk] == [
        ("Posted", "Привет"),
        ("Heard", "9"),
        ("Heard", "Спасибо, Мария!"),
        ("Heard", ""),
        ("Posted", "Оцените"),
    ]
    assert talk[1].id_message == id_message
    assert server.conversation("+79140000002") == []
