"""What Meta posts: only with its signature, each thing once, whatever its form."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.channels.base import (
    Button,
    Incoming,
    IncomingKind,
    Outgoing,
    Posted,
    Raw,
    RefusedError,
    Status,
    Template,
    UnreadableError,
)
from integrations.channels.cloud import Cloud
from integrations.errors import Permanent
from integrations.standins.cloud import CloudStandIn
from tests.integrations.clock import Clock
from tests.integrations.cloud_schema import REASON, SAMPLE, inbound_samples
from tests.integrations.cloud_world import SECRET, came_in, cloud, one, posted, taken

URL = "https://sarafan.example.com/webhooks/whatsapp/s3cret"
MARIA, CHAT = "+79140000001", "79140000001"
DIGITS = tuple(Button(str(n), f"s:1:{n}") for n in range(1, 11))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> CloudStandIn:
    stand_in = CloudStandIn(clock)
    stand_in.approve("nps_ru", "Оцените от 1 до 10.", buttons=[str(n) for n in range(1, 11)])
    stand_in.approve("else_ru", "Чужой шаблон.")
    return stand_in


@pytest.fixture
async def whatsapp(server: CloudStandIn) -> AsyncIterator[Cloud]:
    channel = cloud(server, templates={"nps": Template(template="nps_ru", buttons=10)})
    yield channel
    await channel.close()


@pytest.fixture
async def asked(server: CloudStandIn, whatsapp: Cloud) -> str:
    """Maria wrote and was asked by a list; gives its id."""
    server.says(MARIA, "Здравствуйте")
    question = Outgoing(text="Оцените от 1 до 10", buttons=(DIGITS,), client_wrote_at=server.clock())
    wamid = await whatsapp.send(CHAT, question)
    server.delivered()
    return wamid


def signed(server: CloudStandIn, body: bytes) -> Posted:
    digest = hmac.new(server.app_secret.encode(), body, hashlib.sha256).hexdigest()
    return Posted(body, {"x-hub-signature-256": f"sha256={digest}"})


def envelope(value: object, field: object = "messages", **entry: object) -> bytes:
    changes = [{"field": field, "value": value}]
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"changes": changes, **entry}]}
    ).encode()


def read(whatsapp: Cloud, value: object, field: object = "messages") -> Incoming:
    (incoming,) = whatsapp.read(envelope(value, field))
    return incoming


# Is it Meta?


def test_a_signed_webhook_is_taken_as_it_came(server: CloudStandIn, whatsapp: Cloud) -> None:
    wamid = server.says(MARIA, "девять 👍 / «спасибо»")
    (webhook,) = server.waiting()
    assert "\\u0434" in webhook["body"]  # signed as escaped
    (raw,) = whatsapp.take(posted(webhook), SECRET)
    assert (raw.external_id, raw.kind) == (wamid, "messages")
    (reply,) = whatsapp.read(raw.body)
    assert reply.text == "девять 👍 / «спасибо»"


def test_the_signature_is_over_the_bytes_and_not_over_what_they_say(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    server.says(MARIA, "девять")
    (webhook,) = server.waiting()
    same = json.dumps(json.loads(webhook["body"]), ensure_ascii=False).encode()
    with pytest.raises(RefusedError, match=r"^signature$"):
        whatsapp.take(Posted(same, posted(webhook).headers), SECRET)


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=" + "0" * 64, "0" * 64, "мета", "sha1=1"])
def test_without_metas_signature_nothing_is_taken(
    server: CloudStandIn, whatsapp: Cloud, signature: str | None
) -> None:
    server.says(MARIA, "9")
    (webhook,) = server.waiting()
    headers = {} if signature is None else {"x-hub-signature-256": signature}
    with pytest.raises(RefusedError, match=r"^signature$"):
        whatsapp.take(Posted(webhook["body"].encode(), headers), SECRET)


async def test_an_empty_app_secret_fits_nothing(server: CloudStandIn) -> None:
    """Anybody can sign with an empty key."""
    channel = cloud(server, app_secret="")
    server.app_secret = ""
    server.says(MARIA, "9")
    (webhook,) = server.waiting()
    with pytest.raises(RefusedError):
        channel.take(posted(webhook), SECRET)
    await channel.close()


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"entry": 1}', b"\xff", b"[" * 100_000, b"9" * 5000]
)
def test_what_is_signed_but_no_webhook_is_said_to_be_so(
    server: CloudStandIn, whatsapp: Cloud, body: bytes
) -> None:
    with pytest.raises(UnreadableError):
        whatsapp.take(signed(server, body), SECRET)
    with pytest.raises(UnreadableError):
        whatsapp.read(body)


def test_metas_verification_needs_the_word_and_no_signature(server: CloudStandIn, whatsapp: Cloud) -> None:
    assert whatsapp.greet(server.greeting(), SECRET) == "1158201444"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hub.verify_token": "guess"}, "verify_token"),
        ({"hub.verify_token": "слово"}, "verify_token"),
        ({"hub.mode": "unsubscribe"}, "mode"),
        ({"hub.mode": None}, "mode"),
    ],
)
def test_a_stranger_is_not_greeted(
    server: CloudStandIn, whatsapp: Cloud, change: dict[str, str | None], reason: str
) -> None:
    query = {name: value for name, value in {**server.greeting(), **change}.items() if value is not None}
    with pytest.raises(RefusedError, match=f"^{reason}$"):
        whatsapp.greet(query, SECRET)


async def test_an_empty_verify_token_greets_nobody(server: CloudStandIn) -> None:
    channel = cloud(server, verify_token="")
    with pytest.raises(RefusedError):
        channel.greet({"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}, SECRET)
    await channel.close()


# The address in Meta's cabinet


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "nobody"),
        ("https://crm.example.org/meta?key=hidden", r"crm\.example\.org"),
        ("https://sarafan.example.com/webhooks/whatsapp/older", "our address with another secret"),
    ],
)
async def test_an_address_that_is_not_ours_is_told_with_what_to_type_where(
    server: CloudStandIn, whatsapp: Cloud, address: str, told: str
) -> None:
    server.set_callback(address)
    with pytest.raises(Permanent, match=told) as refused:
        await whatsapp.register(URL, SECRET)
    said = f"{refused.value}{refused.value.remedy}"
    assert "Callback URL" in said
    assert "s3cret" not in said
    assert "hidden" not in said
    assert [request.method for request in server.requests] == ["GET"]  # it is only compared


async def test_the_right_address_is_left_alone(server: CloudStandIn, whatsapp: Cloud) -> None:
    server.set_callback(URL)
    await whatsapp.register(URL, SECRET)
    assert [request.method for request in server.requests] == ["GET"]


@pytest.mark.parametrize(
    ("levels", "is_right"),
    [
        ({"phone_number": URL, "application": "https://crm.example.org/meta"}, True),
        ({"whatsapp_business_account": URL, "application": "https://crm.example.org/meta"}, True),
        ({"phone_number": "https://crm.example.org/meta", "application": URL}, False),
        ({"application": 7}, False),
    ],
)
async def test_the_address_of_the_number_counts_before_that_of_the_app(
    server: CloudStandIn, whatsapp: Cloud, levels: dict[str, object], is_right: bool
) -> None:
    server.faults.add(server.phone_number_id, status=200, json={"webhook_configuration": levels})
    try:
        await whatsapp.register(URL, SECRET)
    except Permanent:
        assert not is_right
    else:
        assert is_right


async def test_whoever_passes_webhooks_on_to_us_is_as_good(server: CloudStandIn, whatsapp: Cloud) -> None:
    server.set_callback("https://crm.example.org/meta")
    server.says(MARIA, "9")
    taken(server, whatsapp)
    await whatsapp.register(URL, SECRET)


async def test_an_address_that_is_not_told_is_not_complained_about(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    server.faults.add(server.phone_number_id, status=200, json={"id": "1", "webhook_configuration": None})
    await whatsapp.register(URL, SECRET)


# Each thing once


def test_several_messages_in_one_post_are_kept_apart(server: CloudStandIn, whatsapp: Cloud) -> None:
    texts = ["9", "8", "спасибо"]
    ids = [server.says(f"+7914000000{n}", text) for n, text in enumerate(texts)]
    kept = taken(server, whatsapp, together=True)
    assert [raw.external_id for raw in kept] == ids
    replies = [incoming for raw in kept for incoming in whatsapp.read(raw.body)]
    assert [(one.chat_id, one.text) for one in replies] == [
        (f"7914000000{n}", text) for n, text in enumerate(texts)
    ]


def test_a_body_full_of_messages_stays_as_small_as_its_parts(server: CloudStandIn, whatsapp: Cloud) -> None:
    """Each is kept with its own sender alone, not with everybody who wrote."""
    people = [str(79140000000 + n) for n in range(500)]
    value = {
        "metadata": {"phone_number_id": server.phone_number_id},
        "contacts": [{"wa_id": phone, "profile": {"name": f"Клиент {phone}"}} for phone in people],
        "messages": [
            {"id": f"wamid.{phone}", "from": phone, "type": "text", "text": {"body": "9"}} for phone in people
        ],
    }
    kept = whatsapp.take(signed(server, envelope(value)), SECRET)
    assert max(len(raw.body) for raw in kept) < 600
    (reply,) = whatsapp.read(kept[7].body)
    assert (reply.chat_id, reply.sender_name) == (people[7], f"Клиент {people[7]}")


def test_a_repeat_has_the_key_of_the_first(server: CloudStandIn, whatsapp: Cloud) -> None:
    server.says(MARIA, "9")
    server.repeat(2)
    assert len({raw.external_id for raw in taken(server, whatsapp)}) == 1
    server.says(MARIA, "9")
    server.says(MARIA, "9")
    assert len({raw.external_id for raw in taken(server, whatsapp, together=True)}) == 2


async def test_every_status_of_a_message_has_a_key_of_its_own(server: CloudStandIn, whatsapp: Cloud) -> None:
    wamid = await whatsapp.send(CHAT, Outgoing(text="…", topic="nps"))
    server.reads(MARIA)
    keys = [(raw.external_id, raw.kind) for raw in taken(server, whatsapp)]
    assert keys == [(f"{wamid}:{status}", "statuses") for status in ("sent", "delivered", "read")]


def test_what_could_not_be_read_at_first_may_come_again_under_its_id(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    unread = server.sends(MARIA, "unsupported")
    (first,) = taken(server, whatsapp)
    message = {"id": unread, "from": CHAT, "type": "text", "text": {"body": "9"}}
    (second,) = whatsapp.take(signed(server, envelope({"messages": [message]})), SECRET)
    assert first.external_id != second.external_id == unread


def test_another_number_of_the_same_app_is_left_to_others(server: CloudStandIn, whatsapp: Cloud) -> None:
    server.phone_number_id = "42"
    server.says(MARIA, "9")
    assert taken(server, whatsapp) == []


def test_one_that_makes_no_sense_spoils_no_other(server: CloudStandIn, whatsapp: Cloud) -> None:
    good = {"id": "wamid.1", "from": CHAT, "type": "text", "text": {"body": "9"}, "timestamp": "1773622800"}
    odd: list[object] = [None, 7, [], {}, {"id": None, "from": {}, "type": 5, "text": "9", "timestamp": "x"}]
    kept = whatsapp.take(signed(server, envelope({"contacts": None, "messages": [*odd, good]})), SECRET)
    assert len(kept) == len(odd) + 1
    read_ones = [incoming for raw in kept for incoming in whatsapp.read(raw.body)]
    assert [incoming.text for incoming in read_ones if incoming.kind is IncomingKind.TEXT] == ["9"]
    assert {incoming.kind for incoming in read_ones} == {IncomingKind.TEXT, IncomingKind.OTHER}


def test_half_an_emoji_and_a_zero_byte_reach_no_database(server: CloudStandIn, whatsapp: Cloud) -> None:
    message = {"id": "wamid.1", "from": CHAT, "type": "text", "text": {"body": "9\0 \ud83d спасибо 👍"}}
    (raw,) = whatsapp.take(signed(server, envelope({"messages": [message]})), SECRET)
    (reply,) = whatsapp.read(raw.body)
    assert reply.text == "9 \N{REPLACEMENT CHARACTER} спасибо 👍"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = """messages statuses contacts errors id from type text timestamp context button interactive edit
    metadata message_echoes user_preferences status recipient_id wa_id body profile phone_number_id code"""
names = st.sampled_from(NAMES.split())


@cache
def somewhere() -> tuple[CloudStandIn, Cloud]:
    server = CloudStandIn(Clock())
    return server, cloud(server)


@given(
    st.dictionaries(names, json_values | st.lists(st.dictionaries(names, json_values), max_size=3)),
    st.sampled_from(["messages", "template_category_update", "account_update", "calls", "", None, 7]),
)
def test_whatever_is_signed_is_kept_and_read_or_said_to_be_unreadable(value: object, field: object) -> None:
    server, whatsapp = somewhere()
    for raw in whatsapp.take(signed(server, envelope(value, field)), SECRET):
        assert isinstance(raw, Raw)
        assert raw.external_id
        assert raw.kind
        assert len(whatsapp.read(raw.body)) == 1


# What people do


async def test_a_typed_reply(server: CloudStandIn, whatsapp: Cloud) -> None:
    server.person(MARIA).name = "Мария"
    wamid = server.says(MARIA, "9")
    assert one(server, whatsapp) == Incoming(
        kind=IncomingKind.TEXT,
        chat_id=CHAT,
        alias=server.person(MARIA).user_id,
        sent_at=datetime(2026, 3, 16, 1, 0, tzinfo=UTC),
        message_id=wamid,
        text="9",
        sender_id=CHAT,
        sender_name="Мария",
        phone=CHAT,
    )


@pytest.mark.parametrize("tells_context", [True, False])
async def test_a_tap_names_survey_and_score_with_or_without_context(
    server: CloudStandIn, whatsapp: Cloud, asked: str, tells_context: bool
) -> None:
    server.taps(MARIA, "9", tells_context=tells_context)
    tap = one(server, whatsapp)
    assert (tap.kind, tap.data, tap.text) == (IncomingKind.TAP, "s:1:9", "9")
    assert tap.quoted == (asked if tells_context else "")


@pytest.mark.parametrize(
    ("options", "kind"), [(3, "button"), (10, "list")], ids=["reply button", "row of a list"]
)
async def test_buttons_and_rows_are_tapped_alike(
    server: CloudStandIn, whatsapp: Cloud, options: int, kind: str
) -> None:
    server.says(MARIA, "Здравствуйте")
    message = Outgoing(text="?", buttons=(DIGITS[:options],), client_wrote_at=server.clock())
    await whatsapp.send(CHAT, message)
    assert server.last(MARIA).kind == kind
    server.delivered()
    server.taps(MARIA, "2")
    assert one(server, whatsapp).data == "s:1:2"


async def test_a_quick_reply_of_a_template_carries_ours(server: CloudStandIn, whatsapp: Cloud) -> None:
    wamid = await whatsapp.send(CHAT, Outgoing(text="…", buttons=(DIGITS,), topic="nps"))
    server.delivered()
    server.taps(MARIA, "9")
    tap = one(server, whatsapp)
    assert (tap.kind, tap.data, tap.quoted) == (IncomingKind.TAP, "s:1:9", wamid)


async def test_a_quick_reply_without_ours_is_read_as_a_word(server: CloudStandIn, whatsapp: Cloud) -> None:
    wamid = await whatsapp.send(CHAT, Outgoing(text="…", buttons=(DIGITS[:5],), topic="nps"))
    server.delivered()
    server.taps(MARIA, "9")
    typed = one(server, whatsapp)
    assert (typed.kind, typed.text, typed.quoted) == (IncomingKind.TEXT, "9", wamid)


def test_a_tap_that_does_not_say_on_what_is_asked_about(whatsapp: Cloud) -> None:
    message = {"id": "wamid.1", "from": CHAT, "type": "interactive", "context": {"id": "wamid.0"}}
    tap = read(whatsapp, {"messages": [message], "errors": []})
    assert (tap.kind, tap.media, tap.quoted) == (IncomingKind.MEDIA, "media", "wamid.0")


async def test_a_quoting_reply_names_our_message(server: CloudStandIn, whatsapp: Cloud, asked: str) -> None:
    server.says(MARIA, "8, спасибо", quote=asked)
    reply = one(server, whatsapp)
    assert (reply.kind, reply.text, reply.quoted) == (IncomingKind.TEXT, "8, спасибо", asked)


async def test_a_reaction_is_an_emoji_about_our_message(
    server: CloudStandIn, whatsapp: Cloud, asked: str
) -> None:
    server.reacts(MARIA, "👍")
    server.reacts(MARIA, "")  # taken away again
    up, away = came_in(server, whatsapp)
    assert (up.kind, up.text, up.quoted, up.media) == (IncomingKind.TEXT, "👍", asked, "reaction")
    assert away.kind is IncomingKind.OTHER


@pytest.mark.parametrize(
    ("media", "caption", "kind", "name"),
    [
        ("audio", "", IncomingKind.MEDIA, "voice"),
        ("image", "", IncomingKind.MEDIA, "photo"),
        ("image", "9", IncomingKind.TEXT, "photo"),
        ("video", "смотрите", IncomingKind.TEXT, "video"),
        ("document", "договор", IncomingKind.TEXT, "document"),
        ("sticker", "", IncomingKind.MEDIA, "sticker"),
        ("location", "", IncomingKind.MEDIA, "location"),
        ("contacts", "", IncomingKind.MEDIA, "contact"),
        ("unsupported", "", IncomingKind.MEDIA, "media"),  # a poll, among others
        ("order", "", IncomingKind.MEDIA, "media"),
        ("of_next_year", "", IncomingKind.MEDIA, "media"),
    ],
)
async def test_what_is_sent_without_words_is_named_and_a_caption_counts(
    server: CloudStandIn, whatsapp: Cloud, media: str, caption: str, kind: IncomingKind, name: str
) -> None:
    server.sends(MARIA, media, caption)
    incoming = one(server, whatsapp)
    assert (incoming.kind, incoming.media, incoming.text) == (kind, name, caption)


def test_music_is_not_a_voice_note(whatsapp: Cloud) -> None:
    message = {"id": "wamid.1", "from": CHAT, "type": "audio", "audio": {"id": "1", "voice": False}}
    assert read(whatsapp, {"messages": [message]}).media == "audio"


async def test_an_edited_message_names_the_original(server: CloudStandIn, whatsapp: Cloud) -> None:
    first = server.says(MARIA, "9")
    server.edits(MARIA, "8", wamid=first)
    _, edited = came_in(server, whatsapp)
    assert (edited.kind, edited.text, edited.message_id) == (IncomingKind.EDITED, "8", first)
    assert edited.chat_id == CHAT


@pytest.mark.parametrize(
    ("timestamp", "moment"),
    [
        ("1773622800", datetime(2026, 3, 16, 1, 0, tzinfo=UTC)),
        (1773622800, datetime(2026, 3, 16, 1, 0, tzinfo=UTC)),
        ("99999999999999999999", None),
        ("-1", None),
        ("вчера", None),
        (0, None),
        (True, None),
        (None, None),
    ],
)
def test_the_time_of_a_message(whatsapp: Cloud, timestamp: object, moment: datetime | None) -> None:
    message = {"id": "wamid.1", "from": CHAT, "type": "text", "text": {"body": "9"}, "timestamp": timestamp}
    reply = read(whatsapp, {"messages": [message]})
    assert (reply.text, reply.sent_at) == ("9", moment)


@pytest.mark.parametrize("kind", ["system", "revoke", "request_welcome", "edit"])
def test_what_says_nothing_is_nothing(whatsapp: Cloud, kind: str) -> None:
    message = {"id": "wamid.1", "from": CHAT, "type": kind, kind: {"original_message_id": "wamid.0"}}
    assert read(whatsapp, {"messages": [message]}).kind is IncomingKind.OTHER


def test_a_changed_number_is_nothing_to_answer(server: CloudStandIn, whatsapp: Cloud) -> None:
    server.changes_number(MARIA, "+79140000002")
    assert one(server, whatsapp).kind is IncomingKind.OTHER


@pytest.mark.parametrize(
    "sender",
    [{"from": CHAT, "group_id": "Y2FwaV9ncm91cA=="}, {"from": "120363@newsletter"}, {"from": "1@g.us"}],
)
def test_groups_and_channels_are_nobodys_answer(whatsapp: Cloud, sender: dict[str, str]) -> None:
    message = {"id": "wamid.1", "type": "text", "text": {"body": "9"}, **sender}
    incoming = read(whatsapp, {"messages": [message]})
    assert (incoming.kind, incoming.is_group) == (IncomingKind.OTHER, True)


def test_somebody_without_a_number_goes_by_the_id(whatsapp: Cloud) -> None:
    message = {"id": "wamid.1", "type": "text", "text": {"body": "9"}}
    contact = {"user_id": "RU.13491208655302741918", "profile": {"username": "maria"}}
    reply = read(whatsapp, {"messages": [message], "contacts": [contact]})
    assert (reply.chat_id, reply.phone, reply.sender_name) == ("RU.13491208655302741918", "", "maria")
    assert reply.kind is IncomingKind.TEXT


async def test_a_manager_in_the_business_app_is_an_echo(server: CloudStandIn, whatsapp: Cloud) -> None:
    server.manager_writes(MARIA, "Здравствуйте, это Олег")
    echo = one(server, whatsapp)
    assert (echo.kind, echo.chat_id, echo.text) == (IncomingKind.ECHO, CHAT, "Здравствуйте, это Олег")


async def test_whoever_stops_marketing_is_blocked_until_it_is_allowed_again(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    server.stops_marketing(MARIA)
    server.stops_marketing(MARIA, resumes=True)
    kinds = [(incoming.kind, incoming.chat_id) for incoming in came_in(server, whatsapp)]
    assert kinds == [(IncomingKind.BLOCKED, CHAT), (IncomingKind.UNBLOCKED, CHAT)]


# What became of ours


async def test_statuses_name_message_and_reference(server: CloudStandIn, whatsapp: Cloud) -> None:
    wamid = await whatsapp.send(CHAT, Outgoing(text="…", topic="nps", reference="survey-1"))
    server.reads(MARIA)
    statuses = came_in(server, whatsapp)
    assert [status.status for status in statuses] == [Status.SENT, Status.DELIVERED, Status.READ]
    assert {(one.message_id, one.reference, one.chat_id) for one in statuses} == {(wamid, "survey-1", CHAT)}
    assert {one.kind for one in statuses} == {IncomingKind.STATUS}


async def test_a_status_about_somebody_without_a_number_names_the_id(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    user_id = server.hides(MARIA)
    await whatsapp.send(user_id, Outgoing(text="…", topic="nps"))
    assert {status.chat_id for status in came_in(server, whatsapp)} == {user_id}


async def test_a_failure_that_a_delivery_follows_is_told_as_both(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    server.keep_statuses()
    wamid = await whatsapp.send(CHAT, Outgoing(text="…", topic="nps"))
    server.tells_status(wamid, "failed", code=131026)
    server.tells_status(wamid, "delivered")
    failed, arrived = came_in(server, whatsapp)
    assert (failed.status, failed.is_gone, failed.reason[:7]) == (Status.FAILED, True, "131026 ")
    assert (arrived.status, arrived.is_gone, arrived.reason) == (Status.DELIVERED, False, "")


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"status": "played"}, IncomingKind.STATUS),
        ({"status": "warning"}, IncomingKind.OTHER),
        ({"status": "read", "recipient_type": "group"}, IncomingKind.OTHER),
        ({"status": "read", "group_id": "Y2FwaQ"}, IncomingKind.OTHER),
        ({"status": None}, IncomingKind.OTHER),
    ],
)
def test_other_statuses(whatsapp: Cloud, told: dict[str, object], kind: IncomingKind) -> None:
    status = {"id": "wamid.1", "timestamp": "1773622800", "recipient_id": CHAT, **told}
    assert read(whatsapp, {"statuses": [status]}).kind is kind


@pytest.mark.parametrize("errors", [None, [], [{}], [{"code": None}], "131026"])
def test_a_failure_without_a_code_has_failed_all_the_same(whatsapp: Cloud, errors: object) -> None:
    status = {"id": "wamid.1", "status": "failed", "recipient_id": CHAT, "errors": errors}
    failed = read(whatsapp, {"statuses": [status]})
    assert (failed.status, failed.reason, failed.is_gone) == (Status.FAILED, "no code", False)


# Templates, the number and the account


async def test_what_happens_to_a_template_of_ours_is_told_by_name(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    server.set_template("nps_ru", "PAUSED")
    server.set_template("nps_ru", "REJECTED", reason="INVALID_FORMAT")
    server.set_category("nps_ru", "MARKETING")
    server.set_category("nps_ru", "UTILITY")
    server.set_template("nps_ru", "APPROVED")
    states = came_in(server, whatsapp)
    assert {state.kind for state in states} == {IncomingKind.STATE}
    assert [state.reason for state in states] == [
        "template nps_ru: PAUSED",
        "template nps_ru: REJECTED (INVALID_FORMAT)",
        "template nps_ru: category MARKETING",
        "",  # well again
        "",
    ]


def test_a_coming_change_of_category_is_told_before_it_costs(whatsapp: Cloud) -> None:
    value = {"message_template_name": "nps_ru", "new_category": "UTILITY", "correct_category": "MARKETING"}
    state = read(whatsapp, value, "template_category_update")
    assert state.reason == "template nps_ru: category MARKETING"


async def test_templates_of_others_are_not_our_business(server: CloudStandIn, whatsapp: Cloud) -> None:
    server.set_template("else_ru", "DISABLED")
    assert one(server, whatsapp).kind is IncomingKind.OTHER


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("phone_number_quality_update", {"event": "FLAGGED"}, "number: FLAGGED"),
        ("phone_number_quality_update", {"event": "UPGRADE"}, ""),
        ("account_update", {"event": "ACCOUNT_RESTRICTION"}, "account: ACCOUNT_RESTRICTION"),
        ("account_update", {"event": "PARTNER_ADDED"}, None),
        ("messages", {"errors": [{"code": 131031}]}, "131031 has locked the account"),
        ("messages", {"errors": [{"code": 131000}]}, None),
        ("messages", {"errors": [{"code": None}]}, None),
        ("calls", {"calls": [{"id": "wacid.1"}]}, None),
        ("", {}, None),
    ],
)
def test_trouble_of_number_and_account_is_a_state(
    whatsapp: Cloud, field: str, value: object, reason: str | None
) -> None:
    incoming = read(whatsapp, value, field)
    expected = (IncomingKind.OTHER, "") if reason is None else (IncomingKind.STATE, reason)
    assert (incoming.kind, incoming.reason) == expected


# Meta's own samples


@pytest.mark.skipif(not SAMPLE.exists(), reason=REASON)
@pytest.mark.parametrize("sample", inbound_samples(), ids=lambda sample: str(sample[0]))
def test_every_inbound_sample_is_read(server: CloudStandIn, whatsapp: Cloud, sample: tuple[str, Any]) -> None:
    name, message = sample
    contact = {"wa_id": message["from"], "profile": {"name": "Sheena Nelson"}}
    (raw,) = whatsapp.take(signed(server, envelope({"messages": [message], "contacts": [contact]})), SECRET)
    (incoming,) = whatsapp.read(raw.body)
    assert incoming.message_id
    assert (incoming.kind is IncomingKind.OTHER) == (message["type"] == "system"), name
    assert incoming.chat_id == message["from"]
