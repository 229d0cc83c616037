"""The made-up Cloud API has the habits of Meta's."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from integrations.standins.cloud import CloudStandIn
from tests.integrations.clock import Clock
from tests.integrations.cloud_schema import REASON, SAMPLE, schemas

Json = dict[str, Any]
MARIA, CHAT = "+79140000001", "79140000001"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> CloudStandIn:
    return CloudStandIn(clock)


class Client:
    """Calls of one number."""

    def __init__(self, http: httpx.AsyncClient, server: CloudStandIn) -> None:
        self.http = http
        self.server = server

    async def send(self, kind: str = "text", **more: Any) -> tuple[int, Any]:
        content = {"text": {"body": "Привет"}} if kind == "text" else {}
        body = {"messaging_product": "whatsapp", "to": CHAT, "type": kind, **content, **more}
        response = await self.http.post(f"/v23.0/{self.server.phone_number_id}/messages", json=body)
        return response.status_code, response.json()

    async def code(self, kind: str = "text", **more: Any) -> int:
        """Of the refusal."""
        status, answer = await self.send(kind, **more)
        assert status >= 400
        assert answer["error"].keys() >= {"message", "type", "code", "fbtrace_id"}
        return int(answer["error"]["code"])


@pytest.fixture
async def client(server: CloudStandIn) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {server.token}"}
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://meta.test", headers=headers) as http:
        yield Client(http, server)


def statuses(server: CloudStandIn) -> list[tuple[str, list[int]]]:
    """What was told of our messages, and with which codes."""
    values = [json.loads(one["body"])["entry"][0]["changes"][0]["value"] for one in server.waiting()]
    told = [status for value in values for status in value.get("statuses", [])]
    return [(one["status"], [error["code"] for error in one.get("errors", [])]) for one in told]


# Access


async def test_only_the_token_opens(server: CloudStandIn, client: Client) -> None:
    client.http.headers["Authorization"] = "Bearer other"
    assert await client.code() == 190
    assert server.posted == []


async def test_an_id_that_is_not_shared_with_the_token_is_unknown(
    server: CloudStandIn, client: Client
) -> None:
    response = await client.http.get("/v23.0/42")
    assert (response.status_code, response.json()["error"]["error_subcode"]) == (400, 33)


async def test_the_number_tells_of_itself_and_of_its_callback(server: CloudStandIn, client: Client) -> None:
    server.set_callback("https://sarafan.example.com/hook")
    found = (await client.http.get(f"/v23.0/{server.phone_number_id}")).json()
    assert (found["id"], found["quality_rating"]) == (server.phone_number_id, "GREEN")
    assert found["webhook_configuration"] == {"application": "https://sarafan.example.com/hook"}


# The window


async def test_free_words_outside_the_window_are_accepted_and_fail_later(
    server: CloudStandIn, client: Client
) -> None:
    status, answer = await client.send()
    assert (status, answer["messages"][0]["message_status"]) == (200, "accepted")
    assert statuses(server) == [("failed", [131047])]
    assert server.messages(MARIA) == []


async def test_or_they_are_refused_at_once(server: CloudStandIn, client: Client) -> None:
    server.refuses_at_once = True
    assert await client.code() == 131047
    assert server.posted == []


async def test_each_message_of_the_person_opens_a_day(
    server: CloudStandIn, client: Client, clock: Clock
) -> None:
    server.says(MARIA, "Здравствуйте")
    clock.forward(hours=20)
    server.says(MARIA, "Вы тут?")
    clock.forward(hours=23, minutes=59)
    server.delivered()
    await client.send()
    assert statuses(server) == [("sent", []), ("delivered", [])]
    clock.forward(minutes=1)
    server.delivered()
    await client.send()
    assert statuses(server) == [("failed", [131047])]


# Templates


def named(name: str = "nps_ru", *values: str, language: str = "ru", buttons: int = 0) -> Json:
    components: list[Json] = [
        {"type": "body", "parameters": [{"type": "text", "text": value} for value in values]}
    ]
    components += [
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": str(index),
            "parameters": [{"type": "payload", "payload": f"p{index}"}],
        }
        for index in range(buttons)
    ]
    return {"name": name, "language": {"code": language}, "components": components}


async def test_a_template_is_filled(server: CloudStandIn, client: Client) -> None:
    server.approve("nps_ru", "Здравствуйте, {{1}}! Это {{2}}.", buttons=["Да", "Нет"])
    await client.send("template", template=named("nps_ru", "Мария", "Влад", buttons=1))
    sent = server.last(MARIA)
    assert sent.text == "Здравствуйте, Мария! Это Влад."
    assert sent.options == (("Да", "p0"), ("Нет", "Нет"))


@pytest.mark.parametrize(
    ("template", "code"),
    [
        (named("other_ru", "Мария"), 132001),
        (named("nps_ru", "Мария", language="en"), 132001),
        (named("nps_ru"), 132000),
        (named("nps_ru", "Мария", "Влад"), 132000),
        (named("nps_ru", "Мария\nИвановна"), 132012),
        (named("nps_ru", "Мария     Ивановна"), 132012),
        (named("nps_ru", ""), 131008),
        (named("nps_ru", "Мария", buttons=2), 132012),
        (named("nps_ru", "я" * 1100), 132005),
    ],
)
async def test_a_template_has_to_exist_and_fit(
    server: CloudStandIn, client: Client, template: Json, code: int
) -> None:
    server.approve("nps_ru", "Здравствуйте, {{1}}!", buttons=["Да"])
    assert await client.code("template", template=template) == code
    assert server.posted == []


@pytest.mark.parametrize(
    ("event", "code"), [("PENDING", 132001), ("REJECTED", 132001), ("PAUSED", 132015), ("DISABLED", 132016)]
)
async def test_a_template_has_to_be_approved(
    server: CloudStandIn, client: Client, event: str, code: int
) -> None:
    server.approve("nps_ru", "Здравствуйте, {{1}}!")
    server.set_template("nps_ru", event)
    assert await client.code("template", template=named("nps_ru", "Мария")) == code


# Bodies


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"messaging_product": "sms"}, 100),
        ({"to": "мария"}, 131009),
        ({"to": None}, 131009),
        ({"text": {"body": ""}}, 131008),
        ({"text": {"body": "я" * 4097}}, 131009),
        ({"type": "poll"}, 131051),
        ({"biz_opaque_callback_data": "x" * 513}, 100),
    ],
)
async def test_what_is_refused(client: Client, body: Json, code: int) -> None:
    assert await client.code(**{"kind": "text", **body}) == code


def buttons(*titles: str) -> Json:
    replies = [{"type": "reply", "reply": {"id": f"b{n}", "title": one}} for n, one in enumerate(titles)]
    return {"type": "button", "body": {"text": "?"}, "action": {"buttons": replies}}


def rows(*titles: str, button: str = "Выбрать") -> Json:
    listed = [{"id": f"r{n}", "title": one} for n, one in enumerate(titles)]
    return {
        "type": "list",
        "body": {"text": "?"},
        "action": {"button": button, "sections": [{"rows": listed}]},
    }


@pytest.mark.parametrize(
    ("interactive", "code"),
    [
        (buttons(), 131009),
        (buttons("1", "2", "3", "4"), 131009),
        (buttons("я" * 21), 131009),
        (buttons("Да", "Да"), 131009),
        (buttons(""), 131008),
        (rows(*(str(n) for n in range(11))), 131009),
        (rows("я" * 25), 131009),
        (rows("1", button="я" * 21), 131009),
        (rows("1", button=""), 131008),
        ({**buttons("1"), "body": {"text": "я" * 1025}}, 131009),
        ({"type": "flow", "body": {"text": "?"}}, 131009),
    ],
)
async def test_what_may_be_tapped_is_limited(client: Client, interactive: Json, code: int) -> None:
    assert await client.code("interactive", interactive=interactive) == code


# What Meta tells


async def test_webhooks_are_signed_over_their_escaped_bytes(server: CloudStandIn) -> None:
    server.says(MARIA, "девять / 👍")
    (webhook,) = server.waiting()
    assert webhook["body"].isascii()
    assert "\\/" in webhook["body"]
    digest = hmac.new(server.app_secret.encode(), webhook["body"].encode(), hashlib.sha256).hexdigest()
    assert webhook["headers"]["X-Hub-Signature-256"] == f"sha256={digest}"


async def test_a_webhook_comes_again_until_it_is_taken(server: CloudStandIn) -> None:
    server.says(MARIA, "раз")
    server.says(MARIA, "два")
    first, second = server.waiting()
    server.delivered(first["number"])
    assert [one["number"] for one in server.waiting()] == [second["number"]]
    server.delivered()
    assert server.waiting() == []


async def test_sent_is_told_before_the_answer_to_the_sending(server: CloudStandIn, client: Client) -> None:
    server.says(MARIA, "Здравствуйте")
    server.delivered()
    server.faults.add("messages", after=True, drop=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.send(biz_opaque_callback_data="survey-1")
    assert statuses(server) == [("sent", []), ("delivered", [])]
    assert all("survey-1" in one["body"] for one in server.waiting())


async def test_statuses_may_be_told_in_any_order(server: CloudStandIn, client: Client) -> None:
    server.says(MARIA, "Здравствуйте")
    server.keep_statuses()
    _, answer = await client.send()
    server.delivered()
    wamid = answer["messages"][0]["id"]
    server.tells_status(wamid, "failed", code=131026)
    server.tells_status(wamid, "delivered")
    assert statuses(server) == [("failed", [131026]), ("delivered", [])]


@pytest.mark.parametrize(
    ("category", "told"),
    [("MARKETING", [("failed", [131050])]), ("UTILITY", [("sent", []), ("delivered", [])])],
)
async def test_who_stopped_marketing_still_gets_the_rest(
    server: CloudStandIn, client: Client, category: str, told: list[object]
) -> None:
    server.approve("nps_ru", "Оцените нас.", category=category)
    server.stops_marketing(MARIA)
    await client.send("template", template={"name": "nps_ru", "language": {"code": "ru"}})
    assert statuses(server) == told


async def test_a_number_without_whatsapp_fails_by_a_status(server: CloudStandIn, client: Client) -> None:
    server.has_no_account(MARIA)
    assert (await client.send())[0] == 200
    assert statuses(server) == [("failed", [131026])]


async def test_a_status_tells_no_more_of_the_person_than_meta_does(
    server: CloudStandIn, client: Client
) -> None:
    server.says(MARIA, "9")
    server.delivered()
    await client.send()
    server.tells_status(server.last(MARIA).wamid, "failed", 131026)
    values = [json.loads(one["body"])["entry"][0]["changes"][0]["value"] for one in server.waiting()]
    known = {"wa_id": CHAT, "user_id": server.person(MARIA).user_id}
    assert [value["contacts"] for value in values] == [[known], [known], [{"wa_id": CHAT}]]


async def test_refusals_are_for_the_next_sendings(server: CloudStandIn, client: Client) -> None:
    server.refuse(131056, times=2)
    assert [await client.code(), await client.code()] == [131056, 131056]
    assert (await client.send())[0] == 200


async def test_nothing_is_tapped_that_was_not_sent(server: CloudStandIn) -> None:
    with pytest.raises(LookupError, match="«9»"):
        server.taps(MARIA, "9")


async def test_the_control_endpoint_reaches_the_helpers(server: CloudStandIn, client: Client) -> None:
    says = await client.http.post("/_control/says", json={"who": MARIA, "text": "9"})
    assert says.status_code == 200
    (webhook,) = (await client.http.post("/_control/waiting")).json()
    assert "X-Hub-Signature-256" in webhook["headers"]
    assert server.requests == []


@pytest.mark.skipif(not SAMPLE.exists(), reason=REASON)
async def test_statuses_fit_metas_description(server: CloudStandIn, client: Client) -> None:
    server.says(MARIA, "Здравствуйте")
    server.delivered()
    await client.send(biz_opaque_callback_data="survey-1")
    server.reads(MARIA)
    server.fails_with(MARIA, 131026)
    await client.send()
    schema = {"$ref": "#/components/schemas/StatusMessageValue", "components": {"schemas": schemas()}}
    values = [json.loads(one["body"])["entry"][0]["changes"][0]["value"] for one in server.waiting()]
    assert [value["statuses"][0]["status"] for value in values] == ["sent", "delivered", "read", "failed"]
    assert [error for value in values for error in Draft202012Validator(schema).iter_errors(value)] == []
