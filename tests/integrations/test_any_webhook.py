"""Whatever is posted to a webhook, a channel takes it, refuses it or says that it cannot read it."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.channels.base import (
    BotSettings,
    Channel,
    GatewaySettings,
    Hooked,
    Incoming,
    Posted,
    Raw,
    RefusedError,
    UnreadableError,
)
from integrations.channels.registry import CHANNELS, open_channel

SECRET = "a" * 64
APP_SECRET = "of-the-app"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
# One delivery of each service, for its parts to be replaced by anything.
USUAL: Mapping[str, Any] = {
    "telegram": {
        "update_id": 7,
        "message": {
            "message_id": 5,
            "date": 1_780_000_000,
            "chat": {"id": 42, "type": "private"},
            "from": {"id": 42, "is_bot": False, "first_name": "Мария"},
            "text": "9",
        },
    },
    "max": {
        "update_type": "message_created",
        "timestamp": 1_780_000_000_000,
        "message": {
            "sender": {"user_id": 42, "name": "Мария", "is_bot": False},
            "recipient": {"chat_id": 7, "chat_type": "dialog", "user_id": 1},
            "timestamp": 1_780_000_000_000,
            "body": {"mid": "m1", "seq": 1, "text": "9", "attachments": [{"type": "image", "payload": {}}]},
        },
    },
    "greenapi": {
        "typeWebhook": "incomingMessageReceived",
        "instanceData": {"idInstance": 1101, "wid": "79140000000@c.us", "typeInstance": "whatsapp"},
        "timestamp": 1_780_000_000,
        "idMessage": "M1",
        "senderData": {"chatId": "79140000001@c.us", "sender": "79140000001@c.us", "senderName": "Мария"},
        "messageData": {"typeMessage": "textMessage", "textMessageData": {"textMessage": "9"}},
    },
    "wazzup": {
        "messages": [
            {
                "messageId": "m1",
                "channelId": "c1",
                "chatType": "whatsapp",
                "chatId": "79140000001",
                "dateTime": "2026-05-29T12:00:00.000",
                "type": "text",
                "status": "inbound",
                "text": "9",
                "contact": {"name": "Мария"},
                "isEcho": False,
            }
        ],
        "statuses": [{"messageId": "m0", "timestamp": "2026-05-29T12:00:00.000", "status": "delivered"}],
    },
    "cloud": {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "1",
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {"display_phone_number": "7914", "phone_number_id": "1"},
                            "contacts": [{"profile": {"name": "Мария"}, "wa_id": "79140000001"}],
                            "messages": [
                                {
                                    "from": "79140000001",
                                    "id": "wamid.1",
                                    "timestamp": "1780000000",
                                    "type": "text",
                                    "text": {"body": "9"},
                                }
                            ],
                        },
                    }
                ],
            }
        ],
    },
}


def opened(section: str, provider: str) -> Channel:
    if not provider:
        return open_channel(section, BotSettings(token="1:x", mode="webhook"))
    return open_channel(
        section,
        GatewaySettings(
            provider=provider,
            base_url="https://gateway.test",
            instance_id="1101",
            api_token="x",
            receive="webhook",
            api_key="x",
            channel_id="c1",
            phone_number_id="1",
            access_token="x",
            app_secret=APP_SECRET,
            verify_token="x",
        ),
    )


def authentic(body: bytes) -> Posted:
    """With the headers of every service, so that each finds its own."""
    signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return Posted(
        body,
        {
            "x-telegram-bot-api-secret-token": SECRET,
            "x-max-bot-api-secret": SECRET,
            "authorization": SECRET,
            "x-hub-signature-256": f"sha256={signature}",
        },
    )


def taken(channel: Channel, body: bytes) -> list[Raw]:
    assert isinstance(channel, Hooked)
    try:
        return list(channel.take(authentic(body), SECRET))
    except UnreadableError:
        return []


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


KINDS = pytest.mark.parametrize(
    ("section", "provider"),
    [(kind.section, kind.provider) for kind in CHANNELS],
    ids=lambda name: name or "bot",
)
OFTEN = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@KINDS
def test_any_bytes(section: str, provider: str) -> None:
    channel = opened(section, provider)

    @OFTEN
    @given(st.binary(max_size=200) | ANYTHING.map(lambda value: json.dumps(value).encode()))
    def holds(body: bytes) -> None:
        for raw in taken(channel, body):
            assert raw.external_id
            read(channel, raw)

    holds()


@KINDS
def test_the_usual_with_any_part_replaced(section: str, provider: str) -> None:
    channel = opened(section, provider)
    usual = USUAL[provider or section]
    assert taken(channel, json.dumps(usual).encode()), "the usual is ours"

    @OFTEN
    @given(st.sampled_from(sorted(places(usual), key=repr)), ANYTHING)
    def holds(path: tuple[Any, ...], by: Any) -> None:
        body = json.dumps(replaced(usual, path, by)).encode()
        kept = taken(channel, body)
        assert [raw.external_id for raw in kept] == [raw.external_id for raw in taken(channel, body)]
        for raw in kept:
            read(channel, raw)

    holds()


@KINDS
def test_half_an_emoji_anywhere(section: str, provider: str) -> None:
    """As in a name that somebody cut: it is no UTF-8, and stops nothing."""
    channel = opened(section, provider)
    usual = USUAL[provider or section]
    for path in places(usual):
        for raw in taken(channel, json.dumps(replaced(usual, path, "\ud83d")).encode()):
            read(channel, raw)


@KINDS
def test_nothing_unsigned_is_taken(section: str, provider: str) -> None:
    channel = opened(section, provider)
    if provider == "wazzup":
        pytest.skip("it signs nothing: the secret of the path is all")
    assert isinstance(channel, Hooked)
    with pytest.raises(RefusedError):
        channel.take(Posted(json.dumps(USUAL[provider or section]).encode()), SECRET)


def read(channel: Channel, raw: Raw) -> None:
    try:
        came_in = channel.read(raw.body)
    except UnreadableError:
        return
    assert all(isinstance(incoming, Incoming) for incoming in came_in)
