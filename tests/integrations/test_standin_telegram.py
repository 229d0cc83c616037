"""The made-up Telegram is as strict as the real one where it matters."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from integrations.standins.telegram import TelegramStandIn
from integrations.standins.telegram_model import Person
from integrations.standins.telegram_parameters import parameters_of
from tests.integrations.clock import Clock
from tests.integrations.telegram_schema import SAMPLE, assert_calls_fit, problems_in

Json = dict[str, Any]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> TelegramStandIn:
    return TelegramStandIn(clock)


@pytest.fixture
async def client(server: TelegramStandIn) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://t/bot{server.token}/") as client:
        yield client


@pytest.fixture
def maria(server: TelegramStandIn) -> Person:
    person = server.start("Мария")
    server.updates.clear()
    return person


async def call(client: httpx.AsyncClient, method: str, **parameters: Any) -> Any:
    response = await client.post(method, json=parameters)
    answer = response.json()
    if not answer["ok"]:
        assert response.status_code == answer["error_code"]  # libraries judge by the status alone
        return answer["error_code"], answer["description"]
    return answer["result"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"chat_id=5000000001&text=9&reply_markup=%7B%7D"),
        ("application/json", b'{"chat_id": 5000000001, "text": "9", "reply_markup": {}}'),
        (
            "multipart/form-data; boundary=xyz",
            b'--xyz\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n5000000001\r\n'
            b'--xyz\r\nContent-Disposition: form-data; name="text"\r\n\r\n9\r\n--xyz--\r\n',
        ),
    ],
)
async def test_form_multipart_and_json_say_the_same(
    client: httpx.AsyncClient, maria: Person, server: TelegramStandIn, content_type: str, body: bytes
) -> None:
    assert parameters_of(content_type, body)["text"] == "9"  # and not the number
    response = await client.post("sendMessage", content=body, headers={"content-type": content_type})
    assert response.json()["result"]["text"] == "9"
    assert server.last(maria).text == "9"


async def test_parameters_may_stand_in_the_query(client: httpx.AsyncClient, maria: Person) -> None:
    response = await client.get("sendMessage", params={"chat_id": maria.user_id, "text": "9"})
    assert response.json()["ok"]


async def test_updates_stay_until_a_larger_offset_confirms_them(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person
) -> None:
    for text in ("1", "2", "3"):
        server.says(maria, text)
    first = await call(client, "getUpdates", limit=2)
    assert [update["message"]["text"] for update in first] == ["1", "2"]
    assert await call(client, "getUpdates", limit=2) == first
    (third,) = await call(client, "getUpdates", offset=first[-1]["update_id"] + 1)
    assert third["message"]["text"] == "3"
    assert await call(client, "getUpdates", offset=-1) == [third]
    assert await call(client, "getUpdates", offset=third["update_id"] + 1) == []


async def test_updates_live_for_a_day(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person, clock: Clock
) -> None:
    server.says(maria, "9")
    clock.forward(hours=23)
    assert len(await call(client, "getUpdates")) == 1
    clock.forward(hours=2)
    assert await call(client, "getUpdates") == []


async def test_only_kinds_that_were_asked_for_come_and_that_is_remembered(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person
) -> None:
    await client.post("getUpdates", data={"allowed_updates": json.dumps(["callback_query"])})
    server.says(maria, "9")
    assert await call(client, "getUpdates") == []


async def test_the_first_of_two_pollers_is_thrown_out(client: httpx.AsyncClient) -> None:
    first = asyncio.create_task(call(client, "getUpdates", timeout=30))
    await asyncio.sleep(0.02)
    assert await call(client, "getUpdates") == []
    code, description = await first
    assert code == 409
    assert "terminated by other getUpdates request" in description


async def test_with_a_webhook_there_is_no_polling(client: httpx.AsyncClient, server: TelegramStandIn) -> None:
    server.webhook_url = "https://other.example"
    assert (await call(client, "getWebhookInfo"))["url"] == "https://other.example"
    assert (await call(client, "getUpdates"))[0] == 409
    assert await call(client, "deleteWebhook") is True
    assert await call(client, "getUpdates") == []


@pytest.mark.parametrize(
    ("parameters", "description"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": "я" * 4097}, "message is too long"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"text": "a", "parse_mode": "HTML"}, "unsupported parse_mode"),
        ({"text": "a", "chat_id": 4711}, "chat not found"),
        ({"text": "a", "chat_id": "nobody"}, "chat not found"),
        ({"text": "a", "reply_markup": "{"}, "can't parse reply markup JSON object"),
        ({"text": "a", "reply_parameters": {"message_id": 99}}, "message to be replied not found"),
    ],
)
async def test_bad_messages_are_refused(
    client: httpx.AsyncClient, maria: Person, parameters: Json, description: str
) -> None:
    answer = await call(client, "sendMessage", **{"chat_id": maria.user_id, **parameters})
    assert answer == (400, f"Bad Request: {description}")


@pytest.mark.parametrize(
    ("button", "description"),
    [
        ({"text": "", "callback_data": "a"}, "non-empty"),
        ({"text": "9"}, "text buttons are unallowed"),
        ({"text": "9", "callback_data": "a", "url": "https://a.example"}, "unallowed"),
        ({"text": "9", "callback_data": "я" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "9", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "9", "url": "http://localhost/"}, "Wrong HTTP URL"),
    ],
)
async def test_bad_buttons_are_refused(
    client: httpx.AsyncClient, maria: Person, button: Json, description: str
) -> None:
    markup = {"inline_keyboard": [[button]]}
    code, said = await call(client, "sendMessage", chat_id=maria.user_id, text="?", reply_markup=markup)
    assert code == 400
    assert description in said


async def test_strangers_blockers_and_deleted_accounts_are_forbidden(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person
) -> None:
    stranger = server.person("Пётр")
    server.block(maria)
    gone = server.start("Удалённый")
    gone.is_deactivated = True
    said = [await call(client, "sendMessage", chat_id=p.user_id, text="?") for p in (stranger, maria, gone)]
    assert said == [
        (403, "Forbidden: bot can't initiate conversation with a user"),
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: user is deactivated"),
    ]


async def test_a_tap_is_answered_once_and_in_time(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person, clock: Clock
) -> None:
    markup = {"inline_keyboard": [[{"text": "9", "callback_data": "s:1:9"}]]}
    await call(client, "sendMessage", chat_id=maria.user_id, text="?", reply_markup=markup)
    tap, late = server.tap(maria, "9"), server.tap(maria, "9")
    assert await call(client, "answerCallbackQuery", callback_query_id=tap, text="Спасибо") is True
    assert "query is too old" in (await call(client, "answerCallbackQuery", callback_query_id=tap))[1]
    clock.forward(hours=1)
    assert "query is too old" in (await call(client, "answerCallbackQuery", callback_query_id=late))[1]
    assert server.taps[tap].answer == "Спасибо"
    with pytest.raises(LookupError, match="no button «8»"):
        server.tap(maria, "8")


async def test_edits(client: httpx.AsyncClient, server: TelegramStandIn, maria: Person) -> None:
    sent = await call(client, "sendMessage", chat_id=maria.user_id, text="a")
    target = {"chat_id": maria.user_id, "message_id": sent["message_id"]}
    edited = await call(client, "editMessageText", **target, text="b")
    assert (edited["text"], "edit_date" in edited) == ("b", True)
    assert "message is not modified" in (await call(client, "editMessageText", **target, text="b"))[1]
    markup = {"inline_keyboard": [[{"text": "9", "callback_data": "x"}]]}
    assert (await call(client, "editMessageReplyMarkup", **target, reply_markup=markup))["text"] == "b"
    theirs = {**target, "message_id": server.says(maria, "мое")}
    assert "can't be edited" in (await call(client, "editMessageText", **theirs, text="c"))[1]
    assert await call(client, "deleteMessage", **target) is True
    assert "not found" in (await call(client, "editMessageText", **target, text="c"))[1]
    assert server.messages(maria) == []


async def test_more_than_thirty_messages_a_second_are_too_many(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person
) -> None:
    said = [await call(client, "sendMessage", chat_id=maria.user_id, text="?") for _ in range(31)]
    assert said[-1] == (429, "Too Many Requests: retry after 1")
    response = await client.post("sendMessage", json={"chat_id": maria.user_id, "text": "?"})
    assert response.json()["parameters"] == {"retry_after": 1}


async def test_a_throttled_chat_waits_by_the_clock(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person, clock: Clock
) -> None:
    server.throttle(60, maria)
    clock.forward(seconds=20)
    assert (await call(client, "sendMessage", chat_id=maria.user_id, text="?"))[1].endswith("after 40")
    clock.forward(seconds=41)
    assert (await call(client, "sendMessage", chat_id=maria.user_id, text="?"))["text"] == "?"


@pytest.mark.parametrize(
    ("path", "code"),
    [("/bot1:wrong/getMe", 401), ("/botwrong/getMe", 404), ("/getMe", 404), ("/bot{}/noSuchMethod", 404)],
)
async def test_wrong_addresses(
    client: httpx.AsyncClient, server: TelegramStandIn, path: str, code: int
) -> None:
    response = await client.get("http://t" + path.format(server.token))
    assert (response.status_code, response.json()["error_code"]) == (code, code)


async def test_the_control_endpoint_does_what_people_do(
    client: httpx.AsyncClient, server: TelegramStandIn
) -> None:
    base = "http://t/_control/"
    await client.post(base + "start", json={"who": "Мария", "token": "abc"})
    maria = server.person("Мария")
    markup = {"inline_keyboard": [[{"text": "9", "callback_data": "s:1:9"}]]}
    await call(client, "sendMessage", chat_id=maria.user_id, text="?", reply_markup=markup)
    assert (await client.post(base + "tap", json={"who": "Мария", "button": "9"})).status_code == 200
    (message,) = (await client.post(base + "messages", json={"who": "Мария"})).json()
    assert message["text"] == "?"
    wrong = await client.post(base + "tap", json={"who": "Мария", "button": "8"})
    assert (wrong.status_code, "no button" in wrong.json()["error"]) == (400, True)
    unknown = await client.post(base + "fly")
    assert (unknown.status_code, "share_contact" in unknown.json()["error"]) == (404, True)
    (logged,) = (await client.get(base + "requests")).json()
    assert (logged["path"].rpartition("/")[2], logged["status"]) == ("sendMessage", 200)
    await client.post(base + "faults", json={"path": "getMe", "status": 502})
    assert (await client.get("getMe")).status_code == 502
    await client.delete(base + "faults")
    assert (await client.get("getMe")).status_code == 200


async def test_a_conversation_has_both_sides_in_their_order(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person
) -> None:
    await call(client, "sendMessage", chat_id=maria.user_id, text="Оцените")
    gone = await call(client, "sendMessage", chat_id=maria.user_id, text="Ошибка")
    server.says(maria, "9")
    await call(client, "deleteMessage", chat_id=maria.user_id, message_id=gone["message_id"])
    assert [post.text for post in server.conversation(maria)] == ["/start", "Оцените", "9"]


async def test_faults_hit_the_request_they_are_meant_for(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person
) -> None:
    server.faults.add("sendMessage", method="POST", nth=2, times=2, status=504, after=True)
    codes = [
        (await client.post("sendMessage", json={"chat_id": maria.user_id, "text": "?"})).status_code
        for _ in range(4)
    ]
    assert codes == [200, 504, 504, 200]
    assert len(server.messages(maria)) == 4  # the work was done, only the answer was lost
    assert [request.status for request in server.requests] == codes
    server.faults.add("getMe", drop=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("getMe")
    assert server.requests[-1].status == 0


@pytest.mark.skipif(not SAMPLE.exists(), reason="the machine-readable copy of the Bot API is not here")
@pytest.mark.parametrize(
    ("method", "parameters", "problem"),
    [
        ("sendMessage", {"chat_id": "1", "text": "9"}, ""),
        ("sendMessage", {"chat_id": "@name", "text": "9"}, ""),
        ("getUpdates", {"offset": "5", "timeout": "0", "allowed_updates": '["message"]'}, ""),
        ("sendMessage", {"chat_id": "1"}, "«text» is missing"),
        ("sendMessage", {"chat_id": "1", "text": "9", "texts": "9"}, "«texts» is unknown"),
        ("sendMessage", {"chat_id": 1, "text": 9}, "9 is no String"),
        ("sendMessage", {"chat_id": "1", "text": "9", "disable_notification": "yes"}, "is no Boolean"),
        (
            "sendMessage",
            {"chat_id": "1", "text": "9", "reply_markup": '{"inline_keyboard": [[{}]]}'},
            "(InlineKeyboardButton): «text» is missing",
        ),
        ("editMessageText", {"chat_id": "1", "message_id": "x", "text": "9"}, "is no Integer"),
        ("answerCallbackQuery", {"text": "ok"}, "«callback_query_id» is missing"),
        ("sendNothing", {}, "there is no method"),
    ],
)
def test_the_checker_of_calls_finds_what_is_wrong(method: str, parameters: Json, problem: str) -> None:
    found = problems_in(method, parameters)
    assert bool(found) == bool(problem)
    assert problem in "; ".join(found)


@pytest.mark.skipif(not SAMPLE.exists(), reason="the machine-readable copy of the Bot API is not here")
async def test_the_checker_reads_the_log(
    client: httpx.AsyncClient, server: TelegramStandIn, maria: Person
) -> None:
    await call(client, "sendMessage", chat_id=maria.user_id, text="?")
    assert_calls_fit(server.requests)
    await client.post("sendMessage", data={"chat_id": maria.user_id, "text": "?", "poll": "1"})
    with pytest.raises(AssertionError, match="«poll» is unknown"):
        assert_calls_fit(server.requests)
