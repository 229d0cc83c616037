"""What Wazzup posts, read: replies, taps, statuses, states, and bodies of no known form."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.channels.base import (
    Button,
    GatewaySettings,
    Incoming,
    IncomingKind,
    Outgoing,
    Posted,
    Status,
    Template,
    UnreadableError,
)
from integrations.channels.wazzup import Wazzup
from integrations.errors import Temporary
from integrations.standins.wazzup import WazzupStandIn
from tests.integrations.clock import Clock
from tests.integrations.wazzup_world import SECRET, URL, came_in, one, posted, settings, wazzup

SAMPLES = Path(__file__).parents[2] / "../shared/reference/samples/wazzup"
MARIA = "+79140000001"
CHAT = "79140000001"
ASK = Outgoing(text="Оцените от 1 до 10", reference="survey-42")
GUID = "8d255e5d-aefd-44dc-8131-c3ad6c3ab28c"
OTHER = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> WazzupStandIn:
    return WazzupStandIn(clock)


@pytest.fixture
async def whatsapp(server: WazzupStandIn) -> AsyncIterator[Wazzup]:
    channel = wazzup(server)
    await channel.start()
    await channel.register(URL, SECRET)
    server.requests.clear()
    yield channel
    await channel.close()


async def test_a_typed_reply(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    server.names[CHAT] = "Мария (ворота)"
    message_id = server.says(MARIA, "9, спасибо Олегу 🙏")
    assert one(server, whatsapp) == Incoming(
        kind=IncomingKind.TEXT,
        chat_id=CHAT,
        sent_at=datetime(2026, 3, 16, 1, 0, tzinfo=UTC),
        message_id=message_id,
        text="9, спасибо Олегу 🙏",
        sender_id=CHAT,
        sender_name="Мария (ворота)",
        phone=CHAT,
    )


async def test_a_quoting_reply_names_our_message(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    question = await whatsapp.send(CHAT, ASK)
    came_in(server, whatsapp)
    server.says(MARIA, "9", quote=question)
    assert one(server, whatsapp).quoted == question


async def test_changed_words_name_the_original_and_deleted_ones_are_nothing(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    first = server.says(MARIA, "9")
    server.edits(MARIA, "8", message_id=first)
    server.deletes(MARIA, message_id=first)
    _, edited, deleted = came_in(server, whatsapp)
    assert (edited.kind, edited.text, edited.message_id) == (IncomingKind.EDITED, "8", first)
    assert deleted.kind is IncomingKind.OTHER


@pytest.mark.parametrize(
    ("media", "caption", "kind", "name"),
    [
        ("audio", "", IncomingKind.MEDIA, "voice"),
        ("image", "", IncomingKind.MEDIA, "photo"),
        ("image", "9", IncomingKind.TEXT, "photo"),
        ("sticker", "", IncomingKind.MEDIA, "sticker"),
        ("video", "", IncomingKind.MEDIA, "video"),
        ("document", "договор", IncomingKind.TEXT, "document"),
        ("vcard", "", IncomingKind.MEDIA, "contact"),
        ("geo", "", IncomingKind.MEDIA, "location"),
        ("unsupported", "", IncomingKind.MEDIA, "media"),
        ("something_new", "", IncomingKind.MEDIA, "media"),
        ("missing_call", "", IncomingKind.OTHER, ""),
    ],
)
async def test_a_caption_counts_as_words(
    server: WazzupStandIn, whatsapp: Wazzup, media: str, caption: str, kind: IncomingKind, name: str
) -> None:
    server.sends(MARIA, media, caption)
    incoming = one(server, whatsapp)
    assert (incoming.kind, incoming.media, incoming.text) == (kind, name, caption)


async def test_a_group_is_marked(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    server.says(MARIA, "9", group="79140000000-158")
    incoming = one(server, whatsapp)
    assert (incoming.is_group, incoming.chat_id, incoming.phone) == (True, "79140000000-158", "")


async def test_statuses_and_why_a_message_failed(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    server.has_no_account("+79140000002")
    ours = await whatsapp.send(CHAT, ASK)
    server.reads(MARIA)
    await whatsapp.send("79140000002", Outgoing(text=ASK.text))
    server.tells_status(ours, "error", "SPAM")
    server.tells_status("m2", "error", "79140000001 нет")
    server.tells_status("m3", "error", "24_HOURS_EXCEEDED")
    server.tells_status(ours, "edited")
    sent, delivered, read, gone, spam, unknown, late, edited = came_in(server, whatsapp)
    assert [each.status for each in (sent, delivered, read)] == [Status.SENT, Status.DELIVERED, Status.READ]
    assert {each.message_id for each in (sent, delivered, read)} == {ours}
    assert (gone.status, gone.is_gone, gone.reason.split()[0]) == (Status.FAILED, True, "BAD_CONTACT")
    assert (spam.status, spam.is_gone, spam.reason.split()[0]) == (Status.FAILED, False, "SPAM")
    assert (unknown.status, unknown.is_gone, unknown.reason) == (Status.FAILED, False, "no code")
    assert (late.wants_template, spam.wants_template) == (True, False)
    assert edited.kind is IncomingKind.OTHER


async def test_a_change_of_state_is_told_and_looked_at_before_the_next_message(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    server.set_state("phoneUnavailable")
    assert one(server, whatsapp).reason == "phoneUnavailable"
    with pytest.raises(Temporary, match="phoneUnavailable"):
        await whatsapp.send(CHAT, ASK)
    server.set_state("active")
    told = one(server, whatsapp)
    assert (told.kind, told.reason) == (IncomingKind.STATE, "")
    await whatsapp.send(CHAT, ASK)


async def test_what_meta_thinks_of_our_template_is_told(clock: Clock) -> None:
    server = WazzupStandIn(clock, transport="wapi")
    channel = wazzup(server, templates={"nps": Template(template=GUID)})
    await channel.start()
    await channel.register(URL, SECRET)
    for guid, status in (("another", "REJECTED"), (GUID, "PAUSED"), (GUID, "APPROVED")):
        server.set_template(guid, status)
    assert [each.reason for each in came_in(server, channel)] == ["template nps_ru: PAUSED", ""]
    clock.forward(minutes=5)
    server.set_template(GUID, "PAUSED")  # the same words as before, and news all the same
    assert one(server, channel).reason == "template nps_ru: PAUSED"
    await channel.close()


async def test_a_tapped_button_names_its_survey_wherever_the_payload_stands(clock: Clock) -> None:
    server = WazzupStandIn(clock, transport="wapi")
    channel = wazzup(server)
    await channel.start()
    await channel.register(URL, SECRET)
    server.says(MARIA, "здравствуйте")
    row = tuple(Button(n, f"s:7:{n}") for n in ("8", "9"))
    await channel.send(CHAT, Outgoing(text="?", buttons=(row,), client_wrote_at=clock()))
    came_in(server, channel)
    server.taps(MARIA, "9")
    tap = one(server, channel)
    assert (tap.kind, tap.data, tap.text, tap.chat_id) == (IncomingKind.TAP, "s:7:9", "9", CHAT)
    server.says(MARIA, "s:7:8")
    as_text = one(server, channel)
    assert (as_text.kind, as_text.data, as_text.text) == (IncomingKind.TAP, "s:7:8", "")
    await channel.close()


@pytest.mark.parametrize("transport", ["max", "tgapi"])
async def test_in_max_and_telegram_the_phone_names_the_chat(clock: Clock, transport: str) -> None:
    server = WazzupStandIn(clock, transport=transport)
    channel = wazzup(server)
    await channel.start()
    await channel.register(URL, SECRET)
    server.tells_phones = False
    await channel.send(MARIA, ASK)
    server.says(MARIA, "9")
    server.manager_writes(MARIA, "Здравствуйте")
    server.says("+79140000002", "кто это?")  # nobody told whose chat that is
    reply, echo, stranger = [each for each in came_in(server, channel) if each.chat_id and each.text]
    assert (reply.chat_id, reply.phone, echo.chat_id) == (MARIA, CHAT, MARIA)
    assert (stranger.chat_id, stranger.phone) == (server.chat_of("+79140000002"), "")
    again = wazzup(server)  # after a restart; the contact shows its phone
    server.tells_phones = True
    server.says(MARIA, "спасибо")
    assert one(server, again).chat_id == MARIA
    await again.send(MARIA, ASK)
    assert json.loads(server.requests[-1].body)["chatId"] == server.chat_of(MARIA)
    await channel.close()
    await again.close()


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples of Wazzup are not here")
async def test_the_documented_samples_are_understood(server: WazzupStandIn) -> None:
    whatsapp = Wazzup("whatsapp", settings(server, channel_id=OTHER))
    found = []
    for name in ("message_text", "statuses", "test"):
        body = (SAMPLES / f"typed_webhook_{name}.json").read_bytes()
        found += [each for raw in whatsapp.take(Posted(body), SECRET) for each in whatsapp.read(raw.body)]
    text, delivered, failed = found
    assert (text.text, text.sender_name, text.phone) == ("9, спасибо Олегу", "Иван", CHAT)
    assert text.sent_at == datetime(2026, 11, 20, 3, 14, 15, 120_000, tzinfo=UTC)
    assert (delivered.status, delivered.is_gone) == (Status.DELIVERED, False)
    assert (failed.status, failed.is_gone) == (Status.FAILED, True)
    await whatsapp.close()


# Odd bodies


@pytest.mark.parametrize(
    "odd",
    [
        {"contact": None, "quotedMessage": None, "interactive": None},
        {"contact": "Мария", "quotedMessage": [1], "interactive": 7, "error": "?"},
        {"dateTime": "soon", "chatType": "whatsapp"},
        {"dateTime": 10**30, "isEcho": None, "isEdited": "no"},
        {"text": "9", "interactive": [[[[[["s:1:9"]]]]]]},
        {"text": "\ud83d 9\u0000"},
    ],
)
def test_odd_parts_do_not_hide_the_rest(server: WazzupStandIn, odd: dict[str, Any]) -> None:
    whole = {"messageId": "m1", "channelId": server.channel.channel_id, "chatId": CHAT, "type": "text"} | odd
    whatsapp = wazzup(server)
    (raw,) = whatsapp.take(Posted(json.dumps({"messages": [whole]}).encode()), SECRET)
    (incoming,) = whatsapp.read(raw.body)
    assert (incoming.message_id, incoming.chat_id) == ("m1", CHAT)
    assert b"\0" not in incoming.text.encode()  # no database takes it, nor half an emoji


KEYS = [
    "messages",
    "statuses",
    "channelsUpdates",
    "templateStatus",
    "messageId",
    "channelId",
    "chatId",
    "type",
]
KEYS += ["status", "text", "isEcho", "contact", "phone", "interactive", "error", "quotedMessage", "timestamp"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner),
        max_leaves=12,
    )
)
def test_whatever_is_posted_is_kept_and_read_or_said_to_be_unreadable(body: Any) -> None:
    for channel in (WHATSAPP, MAX):
        try:
            raws = channel.take(posted(body), SECRET)
        except UnreadableError:
            continue
        for raw in raws:
            try:
                assert channel.read(raw.body)
            except UnreadableError:
                assert raw.kind == "unreadable"


NOWHERE = httpx.MockTransport(lambda _: httpx.Response(200))
WHATSAPP = Wazzup("whatsapp", GatewaySettings(), transport=NOWHERE)
MAX = Wazzup("max_account", GatewaySettings(channel_id=OTHER), transport=NOWHERE)
