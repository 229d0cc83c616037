"""Every sample of the services is read, and the least and the most that their descriptions allow.

What goes out is held against the same descriptions.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.channels.base import (
    BotSettings,
    Button,
    Channel,
    GatewaySettings,
    Hooked,
    IncomingKind,
    Outgoing,
    Posted,
    RefusedError,
    UnreadableError,
)
from integrations.channels.registry import CHANNELS, open_channel
from integrations.channels.wazzup_ours import UNNAMED
from integrations.errors import OutsideError
from integrations.standins.cloud_json import posted as signed
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.wazzup import WazzupStandIn
from integrations.standins.whatsapp import GreenApiStandIn
from tests.integrations import cloud_schema, max_schema, telegram_schema, wazzup_world
from tests.integrations.clock import Clock
from tests.integrations.made_of_schema import BotApiMaker, Maker
from tests.integrations.worlds import SECRET, URL, World
from tests.integrations.worlds_of_bots import MaxWorld, TelegramWorld
from tests.integrations.worlds_of_gateways import CloudWorld

SAMPLES = Path(__file__).parents[2] / "../shared/reference/samples"
REASON = "the samples are not beside the project"

needs_gateways = pytest.mark.skipif(not (SAMPLES / "wazzup").is_dir(), reason=REASON)
needs_telegram = pytest.mark.skipif(not telegram_schema.SAMPLE.exists(), reason=telegram_schema.REASON)
needs_max = pytest.mark.skipif(not max_schema.SAMPLE.exists(), reason=max_schema.REASON)
needs_meta = pytest.mark.skipif(not cloud_schema.SAMPLE.exists(), reason=cloud_schema.REASON)


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def every_sample(folder: str) -> list[str]:
    return [f"{folder}/{path.stem}" for path in sorted((SAMPLES / folder).glob("*.json"))]


# Gateways: every sample by every channel of its gateway


def gateway_channels(provider: str) -> Iterator[Channel]:
    nowhere = httpx.MockTransport(lambda _: httpx.Response(500))
    settings = GatewaySettings(provider=provider, base_url="http://gateway.test", instance_id="1234")
    for kind in CHANNELS:
        if kind.provider == provider:
            yield open_channel(kind.section, settings, transport=nowhere)


@needs_gateways
@pytest.mark.parametrize(
    ("folder", "provider", "headers"),
    [("green_api", "greenapi", {"authorization": f"Bearer {SECRET}"}), ("wazzup", "wazzup", {})],
)
def test_every_sample_is_taken_and_read_or_said_to_be_no_webhook(
    folder: str, provider: str, headers: dict[str, str]
) -> None:
    read, refused = set(), set()
    for name in every_sample(folder):
        found = sample(name)
        webhook = found.get("body", found) if isinstance(found, dict) else found
        for channel in gateway_channels(provider):
            assert isinstance(channel, Hooked)
            try:
                raws = channel.take(Posted(json.dumps(webhook).encode(), headers), SECRET)
            except UnreadableError:
                refused.add(name)
                continue
            assert all(channel.read(raw.body) for raw in raws)
            read.add(name)
    webhooks = {name for name in every_sample(folder) if is_webhook(sample(name))}
    assert (read, refused) == (webhooks, set(every_sample(folder)) - webhooks)


def is_webhook(found: Any) -> bool:
    body = found.get("body", found) if isinstance(found, dict) else {}
    return not {"typeWebhook", "messages", "statuses", "test"}.isdisjoint(body)


@needs_gateways
@pytest.mark.parametrize("name", ["SendMessage_1", "SendMessage_2"])
async def test_green_api_gets_the_body_of_its_documentation(name: str) -> None:
    server, wanted = GreenApiStandIn(Clock()), sample(f"green_api/{name}")
    settings = GatewaySettings(
        provider="greenapi",
        base_url="http://green.test",
        instance_id=server.instance_id,
        api_token=server.token,
    )
    channel = open_channel("whatsapp", settings, transport=httpx.ASGITransport(server.app))
    await channel.send(wanted["chatId"], Outgoing(text=wanted["message"]))
    assert server.requests[-1].json == wanted
    await channel.close()


@needs_gateways
async def test_wazzup_is_told_the_address_as_its_documentation_shows() -> None:
    server, wanted = WazzupStandIn(Clock()), sample("wazzup/typed_webhooks_patch.request")
    channel = wazzup_world.wazzup(server)
    await channel.register(URL, SECRET)
    (told,) = [call.json for call in server.requests if call.method == "PATCH"]
    assert told.keys() == wanted.keys()
    assert told["subscriptions"].keys() <= wanted["subscriptions"].keys()
    assert told["subscriptions"]["messagesAndStatuses"] is True
    await channel.close()


@needs_gateways
async def test_wazzups_refusal_of_a_repeated_message_says_that_the_first_went_out() -> None:
    server = WazzupStandIn(Clock())
    server.faults.add("/message", drop=True, after=True)
    refusal = sample("wazzup/typed_error_repeated_camel.400")
    server.faults.add("/message", nth=2, status=400, json=refusal)
    channel = wazzup_world.wazzup(server)
    sent = await channel.send("79140000001", Outgoing(text="Оцените", reference="survey-42"))
    assert sent.startswith(UNNAMED)
    assert [post.text for post in server.posted] == ["Оцените"]
    await channel.close()


# Telegram: every kind of update in its own description


@cache
def bot_api() -> dict[str, Any]:
    whole: dict[str, Any] = (
        json.loads(telegram_schema.SAMPLE.read_text(encoding="utf-8"))
        if telegram_schema.SAMPLE.exists()
        else {"types": {"Update": {"fields": []}}, "methods": {}}
    )
    return whole


def kinds_of_updates() -> list[tuple[str, str]]:
    fields = bot_api()["types"]["Update"]["fields"]
    return [(field["name"], field["types"][0]) for field in fields if field["name"] != "update_id"]


@needs_telegram
@pytest.mark.parametrize("whole", [True, False], ids=["most", "least"])
@pytest.mark.parametrize(("kind", "described_as"), kinds_of_updates(), ids=lambda each: str(each))
def test_every_kind_of_update_of_telegram_is_read(kind: str, described_as: str, whole: bool) -> None:
    content = BotApiMaker(bot_api()["types"], whole=whole).made(described_as)
    channel = open_channel("telegram", BotSettings(token="1:x"))
    (incoming,) = channel.read(json.dumps({"update_id": 7, kind: content}).encode())
    ours = {
        "message": IncomingKind.MOVED if whole else IncomingKind.OTHER,  # of all that is in it
        "edited_message": IncomingKind.EDITED if whole else IncomingKind.OTHER,
        "callback_query": IncomingKind.TAP,
        "my_chat_member": IncomingKind.UNBLOCKED,
    }
    assert incoming.kind is ours.get(kind, IncomingKind.OTHER)


@needs_telegram
async def test_what_the_made_up_telegram_says_has_the_described_shape() -> None:
    clock = Clock()
    server = TelegramStandIn(clock)
    maria = server.start("Мария Иванова", "abc")
    asked = await call(
        server,
        "sendMessage",
        chat_id=maria.user_id,
        text="Оцените",
        reply_markup={"inline_keyboard": [[{"text": "9", "callback_data": "s:1:9"}]]},
    )
    server.says(maria, "9", reply_to=asked["message_id"])
    server.edits(maria, "8")
    for media in ("voice", "photo", "sticker", "document"):
        server.sends(maria, media, "вот" if media == "photo" else "")
    server.tap(maria, "9")
    server.tap(maria, "9", is_old=True)
    server.share_contact(maria, phone="+79140000001")
    server.says(maria, "в группе", chat="Отдел")
    server.block(maria)
    server.unblock(maria)
    answers = {
        "Message": asked,
        "User": await call(server, "getMe"),
        "WebhookInfo": await call(server, "getWebhookInfo"),
    }
    problems = [
        problem
        for kind, value in [*(("Update", update) for update in server.waiting()), *answers.items()]
        for problem in telegram_schema.problems_of_type(kind, value)
    ]
    assert problems == []


async def call(server: TelegramStandIn, method: str, **parameters: Any) -> Any:
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://telegram.test") as client:
        answer = await client.post(f"/bot{server.token}/{method}", json=parameters)
        return answer.json()["result"]


# MAX: the same


def max_named(name: str) -> dict[str, Any]:
    named: dict[str, Any] = max_schema.description()["components"]["schemas"][name]
    return named


def kinds_of_max() -> list[tuple[str, str]]:
    if not max_schema.SAMPLE.exists():
        return []
    return list(max_named("Update")["discriminator"]["mapping"].items())


@needs_max
@pytest.mark.parametrize(
    ("whole", "nulls"), [(True, False), (True, True), (False, False)], ids=["most", "nulls", "least"]
)
@pytest.mark.parametrize(("kind", "reference"), kinds_of_max(), ids=lambda each: str(each).rpartition("/")[2])
def test_every_kind_of_update_of_max_is_read(kind: str, reference: str, whole: bool, nulls: bool) -> None:
    update = Maker(max_named, whole=whole, nulls=nulls).of_kind(max_named("Update"), kind, reference)
    channel = open_channel("max", BotSettings(token="t"))
    (incoming,) = channel.read(json.dumps(update).encode())
    says_something = whole and not nulls
    ours = {
        "message_created": IncomingKind.TEXT if says_something else IncomingKind.OTHER,
        "message_edited": IncomingKind.EDITED if says_something else IncomingKind.OTHER,
        "message_callback": IncomingKind.TAP,
        "bot_started": IncomingKind.START,
        "bot_stopped": IncomingKind.BLOCKED,
        "dialog_removed": IncomingKind.BLOCKED,
    }
    assert incoming.kind is ours.get(kind, IncomingKind.OTHER)


# Meta: every kind of message, beside the examples that its description gives

INBOUND = {
    "TextMessage_2": IncomingKind.TEXT,
    "ReactionMessage_1": IncomingKind.TEXT,
    "AudioMessage_1": IncomingKind.MEDIA,
    "DocumentMessage_1": IncomingKind.MEDIA,
    "ImageMessage_1": IncomingKind.MEDIA,
    "StickerMessage_1": IncomingKind.MEDIA,
    "VideoMessage_1": IncomingKind.MEDIA,
    "LocationMessage_1": IncomingKind.MEDIA,
    "ContactSharingMessage": IncomingKind.MEDIA,
    "UnsupportedMessage": IncomingKind.MEDIA,
    "ButtonMessage": IncomingKind.TEXT,  # of no button of ours: a word that was offered to tap
    "InteractiveMessageReply": IncomingKind.TAP,
    "OrderMessage": IncomingKind.MEDIA,
}


@needs_meta
@pytest.mark.parametrize("whole", [True, False], ids=["most", "least"])
@pytest.mark.parametrize("name", INBOUND)
def test_every_kind_of_message_of_meta_is_read(name: str, whole: bool) -> None:
    maker = Maker(lambda each: cloud_schema.schemas()[each], whole=whole)
    base = maker.made(cloud_schema.schemas()["BaseMessageProperties_1"])
    message = {**base, **maker.made(cloud_schema.schemas()[name]["allOf"][1])}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "7"}, "messages": [message]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body, headers = signed({"object": "whatsapp_business_account", "entry": [entry]}, "of-the-app")
    settings = GatewaySettings(provider="cloud", phone_number_id="7", app_secret="of-the-app")
    channel = open_channel("whatsapp", settings)
    assert isinstance(channel, Hooked)
    lower = {key.lower(): each for key, each in headers.items()}
    (raw,) = channel.take(Posted(body.encode(), lower), SECRET)
    (incoming,) = channel.read(raw.body)
    assert incoming.chat_id == message["from"]
    # What may have a caption is words when it has one.
    assert incoming.kind in (INBOUND[name], IncomingKind.TEXT if whole else INBOUND[name])
    with pytest.raises(RefusedError):
        channel.take(Posted(body.encode() + b" ", lower), SECRET)


# What goes out, in every shape that the worker gives it

TEXT = Outgoing(text="Здравствуйте, <b>Иван</b> & «ко»! [9](x) _*~`")
OUTGOING = {
    "text": TEXT,
    "long": replace(TEXT, text="я" * 9000),
    "quote": TEXT,
    "reference": replace(TEXT, reference="survey-42"),
    "buttons": replace(
        TEXT, buttons=tuple((Button(str(n), f"s:1:{n}"), Button("Нет", f"s:2:{n}")) for n in range(1, 11))
    ),
    "link": replace(TEXT, buttons=((Button("Открыть сделку", url="https://example.amocrm.ru/leads/1"),),)),
    "long label": replace(TEXT, buttons=((Button("Ответить " * 40, "s:1:1"),),)),
    "share phone": replace(TEXT, share_phone="Поделиться номером"),
    "remove keyboard": replace(TEXT, remove_keyboard=True),
    "poll": replace(TEXT, poll=tuple(str(n) for n in range(1, 11))),
}


@pytest.mark.parametrize("shape", OUTGOING)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(TelegramWorld, marks=needs_telegram),
        pytest.param(MaxWorld, marks=needs_max),
        pytest.param(CloudWorld, marks=needs_meta),
    ],
)
async def test_whatever_is_sent_edited_and_answered_fits_the_services_description(
    make: type[World], shape: str
) -> None:
    world, message = make(), OUTGOING[shape]
    theirs = world.types("9")
    channel = world.channel()
    if shape == "quote":
        message = replace(message, quote=theirs)
    # Someone who has just written may be answered in free words wherever that matters.
    message = replace(message, client_wrote_at=world.clock.now)
    sent = await channel.send(world.chat(), message)
    await channel.edit(world.chat(), sent, replace(message, text="Спасибо!", share_phone="", quote=""))
    try:
        await channel.answer_tap("f9LHodD0cOI000000001", "Спасибо!")
    except OutsideError as late:
        pytest.fail(f"an old tap is no error: {late}")
    assert len(world.received()) == 1
    world.assert_calls_fit()
    await channel.close()
