"""The Green-API channel against a made-up gateway: what goes out, what comes in, and what goes wrong."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.channels.base import (
    Channel,
    GatewaySettings,
    Incoming,
    IncomingKind,
    Linked,
    Outgoing,
    Polled,
    Raw,
    Status,
    UnreadableError,
    Unsent,
)
from integrations.channels.greenapi import SETTINGS, GreenApi
from integrations.errors import AccessDenied, Permanent, Temporary, Uncertain, Unreachable
from integrations.pace import Pace
from integrations.standins.whatsapp import TOKEN, GreenApiStandIn
from tests.integrations.clock import Clock

SAMPLES = Path(__file__).parents[2] / "../shared/reference/samples/green_api"
SHORTLY = timedelta(seconds=5)
MARIA = "+79140000001"
CHAT = "79140000001@c.us"
DIGITS = tuple(str(n) for n in range(1, 11))
ASK = Outgoing(text="Оцените от 1 до 10", poll=DIGITS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> GreenApiStandIn:
    return GreenApiStandIn(clock, longest_wait=0.02)


def gateway(server: GreenApiStandIn, **settings: Any) -> GreenApi:
    given = {"base_url": "http://green.test", "instance_id": server.instance_id, "api_token": server.token}
    return GreenApi(
        "whatsapp",
        GatewaySettings(provider="greenapi", **{**given, **settings}),
        transport=httpx.ASGITransport(server.app),
        pace=Pace(None),
    )


@pytest.fixture
async def whatsapp(server: GreenApiStandIn) -> AsyncIterator[GreenApi]:
    channel = gateway(server)
    await channel.start()
    server.requests.clear()
    yield channel
    await channel.close()


async def fetched(whatsapp: GreenApi) -> list[Raw]:
    """Everything that waits, as a flow takes it: kept first, then confirmed."""
    kept: list[Raw] = []
    while (batch := await whatsapp.poll("", SHORTLY)).updates:
        kept += batch.updates
        await whatsapp.confirm(batch)
    return kept


async def came_in(whatsapp: GreenApi) -> list[Incoming]:
    return [incoming for raw in await fetched(whatsapp) for incoming in whatsapp.read(raw.body)]


async def one(whatsapp: GreenApi) -> Incoming:
    (incoming,) = await came_in(whatsapp)
    return incoming


async def settle(whatsapp: GreenApi) -> None:
    """Take away what our own sending brought."""
    await fetched(whatsapp)


def test_it_is_what_the_flows_expect(whatsapp: GreenApi) -> None:
    channel: Channel = whatsapp
    assert isinstance(channel, Polled)
    assert not isinstance(channel, Linked)
    assert (channel.name, channel.poll_limit, channel.gap) == ("whatsapp", 255, timedelta(seconds=45))


@pytest.mark.parametrize(
    ("phone", "chat"), [("+79140000001", CHAT), ("+998 90 123-45-67", "998901234567@c.us"), ("", None)]
)
def test_a_phone_is_an_address(whatsapp: GreenApi, phone: str, chat: str | None) -> None:
    assert whatsapp.address(phone) == chat


# Setting up


async def test_only_settings_that_differ_are_set(server: GreenApiStandIn) -> None:
    server.settings["incomingWebhook"] = "yes"
    del server.settings["editedMessageWebhook"]  # an older instance does not know it
    whatsapp = gateway(server)
    await whatsapp.start()
    (change,) = [request.json for request in server.requests if "setSettings" in request.path]
    assert change == {key: "yes" for key in SETTINGS if key != "incomingWebhook"}
    await whatsapp.start()
    assert server.times_set == 1  # each change restarts the instance
    await whatsapp.close()


async def test_another_programs_webhook_is_left_alone_and_named(server: GreenApiStandIn) -> None:
    server.settings["webhookUrl"] = "https://crm.example/hook?secret=1"
    whatsapp = gateway(server)
    with pytest.raises(Permanent, match=r"crm\.example") as refused:
        await whatsapp.start()
    assert "secret" not in str(refused.value)
    assert (server.times_set, server.settings["webhookUrl"][:19]) == (0, "https://crm.example")
    await whatsapp.close()


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("notAuthorized", AccessDenied),
        ("blocked", AccessDenied),
        ("starting", Temporary),
        ("sleepMode", Temporary),
    ],
)
async def test_a_phone_that_is_not_connected_stops_the_start(
    server: GreenApiStandIn, state: str, error: type[Exception]
) -> None:
    server.state = state
    whatsapp = gateway(server)
    with pytest.raises(error, match=state):
        await whatsapp.start()
    await whatsapp.close()


async def test_with_a_yellow_card_replies_are_still_fetched(server: GreenApiStandIn) -> None:
    server.state = "yellowCard"
    whatsapp = gateway(server)
    await whatsapp.start()
    server.says(MARIA, "9")
    assert (await one(whatsapp)).text == "9"
    await whatsapp.close()


# What goes out


async def test_a_question_that_fits_goes_as_a_poll(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    message_id = await whatsapp.send(CHAT, ASK)
    sent = server.last(MARIA)
    assert (sent.id_message, sent.text, sent.options) == (message_id, ASK.text, DIGITS)
    (asked,) = [request.json for request in server.requests]
    assert asked["multipleAnswers"] is False


@pytest.mark.parametrize(
    "message",
    [
        Outgoing(text="я" * 256, poll=DIGITS),  # longer than a poll's question may be
        Outgoing(text="Да?", poll=("да",)),  # accepted, and fails later
        Outgoing(text="Да?", poll=("да", "да")),
        Outgoing(text="Да?", poll=("да", "")),
        Outgoing(text="?", poll=tuple(str(n) for n in range(13))),
        Outgoing(text="Просто слова"),
    ],
)
async def test_what_makes_no_poll_goes_as_text(
    whatsapp: GreenApi, server: GreenApiStandIn, message: Outgoing
) -> None:
    await whatsapp.send(CHAT, message)
    sent = server.last(MARIA)
    assert (sent.text, sent.is_poll) == (message.text, False)


async def test_a_text_of_any_length_goes(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    await whatsapp.send(CHAT, Outgoing(text="я" * 30_000))
    assert len(server.last(MARIA).text) == 20_000


async def test_an_answer_quotes(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    theirs = server.says(MARIA, "почему?")
    await whatsapp.send(CHAT, Outgoing(text="потому", quote=theirs))
    assert server.last(MARIA).quoted == theirs


@pytest.mark.parametrize("chat_id", ["12345@lid", "79140000001", "", "+79140000001@c.us", "x@c.us"])
async def test_nothing_is_sent_to_an_id_that_would_block_the_queue(
    whatsapp: GreenApi, server: GreenApiStandIn, chat_id: str
) -> None:
    with pytest.raises(Unreachable):
        await whatsapp.send(chat_id, ASK)
    assert server.requests == []


async def test_a_group_can_be_written_to(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    await whatsapp.send("79001234567-1581234048@g.us", Outgoing(text="Рекламация"))
    assert server.last("79001234567-1581234048@g.us").text == "Рекламация"


async def test_editing_and_answering_taps_are_not_for_this_messenger(
    whatsapp: GreenApi, server: GreenApiStandIn
) -> None:
    await whatsapp.edit(CHAT, "3EB0", Outgoing(text="Спасибо"))
    await whatsapp.answer_tap("", "Спасибо")
    assert server.requests == []


# What comes in


async def test_a_typed_reply(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    server.names[CHAT] = "Мария (ворота)"
    message_id = server.says(MARIA, "9")
    assert await one(whatsapp) == Incoming(
        kind=IncomingKind.TEXT,
        chat_id=CHAT,
        sent_at=datetime(2026, 3, 16, 1, 0, tzinfo=UTC),
        message_id=message_id,
        text="9",
        sender_id=CHAT,
        sender_name="Мария (ворота)",
        phone="79140000001",
    )


async def test_plain_words_in_the_extended_form(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    server.says(MARIA, "9, спасибо", is_extended=True)
    assert (await one(whatsapp)).text == "9, спасибо"


async def test_a_quoting_reply_names_our_message(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    question = await whatsapp.send(CHAT, ASK)
    await settle(whatsapp)
    server.says(MARIA, "9", quote=question)
    reply = await one(whatsapp)
    assert (reply.kind, reply.text, reply.quoted) == (IncomingKind.TEXT, "9", question)


async def test_a_vote_a_changed_vote_and_a_withdrawn_one(
    whatsapp: GreenApi, server: GreenApiStandIn, clock: Clock
) -> None:
    question = await whatsapp.send(CHAT, ASK)
    await settle(whatsapp)
    for option in ("9", "3", None, "9"):
        clock.forward(seconds=10)
        server.votes(MARIA, option)
    votes = await came_in(whatsapp)
    assert [vote.data for vote in votes] == ["9", "3", "", "9"]
    assert {vote.kind for vote in votes} == {IncomingKind.TAP}
    assert {vote.quoted for vote in votes} == {question}


async def test_our_own_vote_is_nothing(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    body = sample_vote(["5"], [server.wid])
    (ours,) = whatsapp.read(json.dumps({**body, "typeWebhook": "outgoingMessageReceived"}).encode())
    assert ours.kind is IncomingKind.OTHER
    (vote,) = whatsapp.read(json.dumps(body).encode())
    assert vote.data == ""


def test_two_votes_at_once_are_words_to_ask_about(whatsapp: GreenApi) -> None:
    (vote,) = whatsapp.read(json.dumps(sample_vote(["4", "5"], [CHAT])).encode())
    assert (vote.kind, vote.text) == (IncomingKind.TEXT, "4, 5")


async def test_a_reaction_is_an_emoji_about_our_message(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    question = await whatsapp.send(CHAT, ASK)
    await settle(whatsapp)
    server.reacts(MARIA, "👍")
    server.reacts(MARIA, "")  # taken away again
    up, away = await came_in(whatsapp)
    assert (up.kind, up.text, up.quoted, up.media) == (IncomingKind.TEXT, "👍", question, "reaction")
    assert away.kind is IncomingKind.OTHER


async def test_an_edited_message_names_the_original(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    first = server.says(MARIA, "9")
    server.edits(MARIA, "8", id_message=first)
    _, edited = await came_in(whatsapp)
    assert (edited.kind, edited.text, edited.message_id) == (IncomingKind.EDITED, "8", first)


@pytest.mark.parametrize(
    ("media", "caption", "kind", "name"),
    [
        ("audio", "", IncomingKind.MEDIA, "voice"),
        ("image", "", IncomingKind.MEDIA, "photo"),
        ("image", "9", IncomingKind.TEXT, "photo"),
        ("sticker", "", IncomingKind.MEDIA, "sticker"),
        ("document", "договор", IncomingKind.TEXT, "document"),
    ],
)
async def test_a_caption_counts_as_words(
    whatsapp: GreenApi, server: GreenApiStandIn, media: str, caption: str, kind: IncomingKind, name: str
) -> None:
    server.sends(MARIA, media, caption)
    incoming = await one(whatsapp)
    assert (incoming.kind, incoming.media, incoming.text) == (kind, name, caption)


async def test_what_a_manager_types_on_the_phone_is_an_echo(
    whatsapp: GreenApi, server: GreenApiStandIn
) -> None:
    server.manager_writes(MARIA, "Здравствуйте, это Олег")
    echo = await one(whatsapp)
    assert (echo.kind, echo.chat_id, echo.text) == (IncomingKind.ECHO, CHAT, "Здравствуйте, это Олег")


@pytest.mark.parametrize("message", [ASK, Outgoing(text="Спасибо!")])
async def test_our_own_message_comes_back_as_sent_with_its_words(
    whatsapp: GreenApi, server: GreenApiStandIn, message: Outgoing
) -> None:
    message_id = await whatsapp.send(CHAT, message)
    ours, *statuses = await came_in(whatsapp)
    assert (ours.kind, ours.status, ours.message_id) == (IncomingKind.STATUS, Status.SENT, message_id)
    assert (ours.chat_id, ours.text) == (CHAT, message.text)
    assert [status.status for status in statuses] == [Status.SENT, Status.DELIVERED]
    server.reads(MARIA)
    assert (await one(whatsapp)).status is Status.READ


async def test_a_number_without_whatsapp_is_gone(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    server.has_no_account(MARIA)
    message_id = await whatsapp.send(CHAT, ASK)
    *_, failed = await came_in(whatsapp)
    assert (failed.kind, failed.status, failed.message_id) == (
        IncomingKind.STATUS,
        Status.FAILED,
        message_id,
    )
    assert (failed.is_gone, failed.reason) == (True, "noAccount")


@pytest.mark.parametrize(
    ("word", "status", "reason", "is_gone"),
    [
        ("sent", Status.SENT, "", False),
        ("delivered", Status.DELIVERED, "", False),
        ("read", Status.READ, "", False),
        ("failed", Status.FAILED, "SWE001", False),
        ("noAccount", Status.FAILED, "SWE001", True),
        ("notInGroup", Status.FAILED, "SWE001", False),
        ("something new", None, "", False),
    ],
)
def test_statuses(whatsapp: GreenApi, word: str, status: Status | None, reason: str, is_gone: bool) -> None:
    body = {
        "typeWebhook": "outgoingMessageStatus",
        "timestamp": 1586700802,
        "idMessage": "3EB0",
        "chatId": CHAT,
        "status": word,
        "description": "SWE001",
    }
    (incoming,) = whatsapp.read(json.dumps(body).encode())
    assert incoming.kind is (IncomingKind.STATUS if status else IncomingKind.OTHER)
    assert (incoming.status, incoming.reason, incoming.is_gone) == (status, reason, is_gone)


@pytest.mark.parametrize("state", ["notAuthorized", "blocked", "yellowCard", "authorized"])
async def test_the_gateways_own_state_is_told(
    whatsapp: GreenApi, server: GreenApiStandIn, state: str
) -> None:
    server.set_state(state)
    told = await one(whatsapp)
    assert (told.kind, told.reason) == (IncomingKind.STATE, state)


async def test_a_chat_with_an_opaque_id_is_kept_as_it_is(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    server.says("99887766@lid", "9")
    reply = await one(whatsapp)
    assert (reply.chat_id, reply.phone, reply.text) == ("99887766@lid", "", "9")


async def test_a_group_is_known_as_one(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    server.says("79001234567-1581234048@g.us", "9")
    assert (await one(whatsapp)).is_group


@pytest.mark.parametrize(
    "inner",
    [
        {"selectedId": "9", "stanzaId": "3EB0"},
        {"selectedButtonId": "9", "selectedButtonText": "9", "stanzaId": "3EB0"},
        {"buttonId": "9", "stanzaId": "3EB0"},
    ],
)
def test_a_tap_on_somebody_elses_buttons_is_words(whatsapp: GreenApi, inner: dict[str, str]) -> None:
    message = {"typeMessage": "interactiveButtonsResponse", "interactiveButtonsResponse": inner}
    (reply,) = whatsapp.read(json.dumps(incoming_message(message)).encode())
    assert (reply.kind, reply.text, reply.quoted) == (IncomingKind.TEXT, "9", "3EB0")


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples of Green-API are not here")
def test_every_sample_is_read(whatsapp: GreenApi) -> None:
    kinds = {}
    for path in sorted(SAMPLES.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        body = content.get("body", content) if isinstance(content, dict) else content
        if isinstance(body, dict) and "typeWebhook" in body:
            (incoming,) = whatsapp.read(json.dumps(body).encode())
            kinds[path.stem] = (incoming.kind, incoming.text or incoming.data or incoming.reason)
    words = "I use Green-API to send this message to you!"
    assert kinds == {
        "ExtendedTextMessage_0": (IncomingKind.TEXT, "https://green-api.com/docs/video"),
        "OutgoingMessageStatus_0": (IncomingKind.STATUS, "noAccount"),
        "ReceiveNotification_1": (IncomingKind.TEXT, words),
        "StateInstanceChanged_0": (IncomingKind.STATE, "notAuthorized"),
        "TextMessage_0": (IncomingKind.TEXT, words),
        "typed_poll_update": (IncomingKind.TAP, "5"),
        "typed_quoted": (IncomingKind.TEXT, "9"),
    }


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples of Green-API are not here")
@pytest.mark.parametrize(
    ("sample", "method"),
    [
        ("GetSettings_1", "getSettings"),
        ("DeleteNotification_1", "deleteNotification"),
        ("ReceiveNotification_1", "receiveNotification"),
        ("typed_receive_empty", "receiveNotification"),
        ("SendMessage_3", "sendMessage"),
        ("typed_466", "sendMessage"),
    ],
)
async def test_every_sample_answer_is_understood(server: GreenApiStandIn, sample: str, method: str) -> None:
    text = (SAMPLES / f"{sample}.json").read_text(encoding="utf-8")
    server.faults.add(method, status=466 if "466" in sample else 200, body=text, times=0)
    whatsapp = gateway(server)
    match method:
        case "getSettings":  # of a company whose CRM listens already
            with pytest.raises(Permanent, match=r"mysite\.com"):
                await whatsapp.start()
        case "sendMessage" if "466" in sample:
            with pytest.raises(Permanent, match="quota"):
                await whatsapp.send(CHAT, Outgoing(text="Привет"))
        case "sendMessage":
            assert await whatsapp.send(CHAT, Outgoing(text="Привет")) == "3EB0C767D097B7C7C030"
        case _:
            batch = await whatsapp.poll("", SHORTLY)
            assert batch.receipt == ("1234567" if sample == "ReceiveNotification_1" else "")
            await whatsapp.confirm(batch)
    await whatsapp.close()


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"9", b"{}", b'{"typeWebhook": null}', b"\xff", b"[" * 100_000]
)
def test_what_cannot_be_read_is_said_to_be_so(whatsapp: GreenApi, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        whatsapp.read(body)


@pytest.mark.parametrize(
    "content",
    [
        {"messageData": None, "senderData": None},
        {"messageData": {"typeMessage": None, "textMessageData": None}},
        {"messageData": {"typeMessage": "textMessage", "quotedMessage": "odd", "textMessageData": [1]}},
        {"timestamp": "soon", "idMessage": 17, "senderData": {"chatId": None, "sender": {}}},
        {"timestamp": 10**30},
    ],
)
def test_odd_parts_do_not_hide_the_rest(whatsapp: GreenApi, content: dict[str, Any]) -> None:
    body = {"typeWebhook": "incomingMessageReceived", "idMessage": "A", **content}
    (incoming,) = whatsapp.read(json.dumps(body).encode())
    assert incoming.kind is IncomingKind.OTHER


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "typeMessage",
                        "textMessageData",
                        "textMessage",
                        "votes",
                        "pollMessageData",
                        "optionVoters",
                    ]
                ),
                inner,
            )
        ),
        max_leaves=8,
    )
)
def test_every_notification_is_kept_and_read_or_unreadable(message: Any) -> None:
    body = {**incoming_message(message), "messageData": message}
    try:
        READER.read(json.dumps(body).encode())
    except UnreadableError:
        return


READER = GreenApi("whatsapp", GatewaySettings(), transport=httpx.MockTransport(lambda _: httpx.Response(200)))


# Fetching


async def test_a_notification_comes_again_until_it_is_confirmed(
    whatsapp: GreenApi, server: GreenApiStandIn
) -> None:
    server.says(MARIA, "9")
    server.says(MARIA, "спасибо")
    first, again = await whatsapp.poll("", SHORTLY), await whatsapp.poll("", SHORTLY)
    assert first == again
    await whatsapp.confirm(first)
    await whatsapp.confirm(first)  # after a lost answer
    (second,) = await came_in(whatsapp)
    assert second.text == "спасибо"


async def test_nothing_came(whatsapp: GreenApi) -> None:
    batch = await whatsapp.poll("", SHORTLY)
    assert (batch.updates, batch.receipt) == ((), "")
    await whatsapp.confirm(batch)


async def test_a_body_that_cannot_be_read_is_kept_and_does_not_block(
    whatsapp: GreenApi, server: GreenApiStandIn
) -> None:
    server._notify({"odd": True})
    server._notify({})
    server.says(MARIA, "9")
    odd, empty, reply = await fetched(whatsapp)
    for raw in (odd, empty):
        with pytest.raises(UnreadableError):
            whatsapp.read(raw.body)
    assert whatsapp.read(reply.body)[0].text == "9"
    assert len({odd.external_id, empty.external_id, reply.external_id}) == 3


async def test_an_exact_repeat_has_the_same_key(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    await whatsapp.send(CHAT, ASK)
    server.repeat()
    server.says(MARIA, "9")
    server.repeat()
    server.votes(MARIA, "8")
    server.repeat(2)
    server.set_state("yellowCard")
    server.repeat()
    keys = [(raw.external_id, raw.kind) for raw in await fetched(whatsapp)]
    assert len(keys) == 11
    assert len(set(keys)) == 6  # ours, two statuses, the reply, the vote and the state


async def test_what_says_something_new_has_a_key_of_its_own(
    whatsapp: GreenApi, server: GreenApiStandIn, clock: Clock
) -> None:
    await whatsapp.send(CHAT, ASK)
    server.reads(MARIA)
    for option in ("9", "3", "9"):
        clock.forward(seconds=1)
        server.votes(MARIA, option)
    same = server.notifications[-3].body["idMessage"]
    for notification in server.notifications[-2:]:  # as if one id stood for the person's vote
        notification.body["idMessage"] = same
    keys = [raw.external_id for raw in await fetched(whatsapp)]
    assert len(keys) == len(set(keys)) == 7


async def test_a_placeholder_does_not_swallow_the_words_that_follow(
    whatsapp: GreenApi, server: GreenApiStandIn
) -> None:
    message_id = server.says(MARIA, "", is_undecrypted=True)
    server.repeat()
    server.says(MARIA, "9", id_message=message_id)
    server.repeat()
    raws = await fetched(whatsapp)
    assert len({raw.external_id for raw in raws}) == 2
    kinds = [whatsapp.read(raw.body)[0].kind for raw in raws]
    assert kinds == [IncomingKind.OTHER, IncomingKind.OTHER, IncomingKind.TEXT, IncomingKind.TEXT]


async def test_a_waiting_poll_answers_when_something_comes(server: GreenApiStandIn) -> None:
    server.longest_wait = 30
    whatsapp = gateway(server)
    await whatsapp.start()
    waiting = asyncio.create_task(whatsapp.poll("", timedelta(seconds=30)))
    await asyncio.sleep(0.05)
    server.says(MARIA, "9")
    assert len((await waiting).updates) == 1
    await whatsapp.close()


# What goes wrong


async def test_the_tariffs_limit_is_for_a_person_to_solve(
    whatsapp: GreenApi, server: GreenApiStandIn
) -> None:
    server.set_quota(1)
    await whatsapp.send(CHAT, ASK)
    with pytest.raises(Permanent, match="quota") as refused:
        await whatsapp.send("79140000002@c.us", ASK)
    assert (refused.value.status, type(refused.value)) == (466, Permanent)
    assert "tariff" in refused.value.remedy


async def test_a_phone_that_lost_its_connection_is_for_a_person_to_solve(
    whatsapp: GreenApi, server: GreenApiStandIn
) -> None:
    server.state = "notAuthorized"
    with pytest.raises(AccessDenied) as refused:
        await whatsapp.send(CHAT, ASK)
    assert "QR" in refused.value.remedy


@pytest.mark.parametrize(
    "wrong", [{"api_token": "wrong-token"}, {"instance_id": "7"}, {"api_token": "a/b c"}]
)
async def test_a_wrong_token_is_told_with_its_remedy_and_never_shown(
    server: GreenApiStandIn, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    whatsapp = gateway(server, **wrong)
    with caplog.at_level(logging.DEBUG):
        for act in (whatsapp.start(), whatsapp.send(CHAT, ASK), whatsapp.poll("", SHORTLY)):
            with pytest.raises(AccessDenied) as denied:
                await act
            assert "whatsapp.base_url" in denied.value.remedy
            assert "wrong-token" not in _everything(denied.value)
    assert "wrong-token" not in caplog.text
    await whatsapp.close()


async def test_too_many_requests_are_temporary(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    server.faults.add("sendPoll", status=429, body="", headers={"Retry-After": "30"})
    with pytest.raises(Temporary) as busy:
        await whatsapp.send(CHAT, ASK)
    assert busy.value.retry_after == timedelta(seconds=30)
    with pytest.raises(Temporary):
        await whatsapp.send(CHAT, ASK)
    assert len(server.requests) == 1  # it does not knock meanwhile
    server.says(MARIA, "9")
    assert (await one(whatsapp)).text == "9"  # and replies are fetched all the same


LOST: list[tuple[str, dict[str, Any]]] = [
    ("dropped after it was taken", {"drop": True, "after": True}),
    ("a gateway's page after it was taken", {"status": 502, "after": True}),
    ("a page with 200", {"status": 200, "body": "<html>"}),
    ("half an answer", {"status": 200, "body": '{"idMess'}),
    ("an answer without an id", {"status": 200, "json": {}}),
    ("a list", {"status": 200, "json": [1]}),
    ("the gateway's own failure", {"status": 500, "json": {"message": "Internal Server Error"}}),
]


@pytest.mark.parametrize("fault", [fault for _, fault in LOST], ids=[name for name, _ in LOST])
async def test_a_lost_answer_leaves_a_message_uncertain(
    whatsapp: GreenApi, server: GreenApiStandIn, fault: dict[str, Any]
) -> None:
    server.faults.add("sendPoll", times=0, **fault)
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)
    assert len(server.requests) == 1  # a write is never repeated here


async def test_what_was_sent_in_the_dark_is_found_again(whatsapp: GreenApi, server: GreenApiStandIn) -> None:
    server.faults.add("sendPoll", drop=True, after=True)
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)
    ours = (await came_in(whatsapp))[0]
    assert (ours.kind, ours.status, ours.chat_id, ours.text) == (
        IncomingKind.STATUS,
        Status.SENT,
        CHAT,
        ASK.text,
    )


async def test_the_queue_shows_what_waits_behind_its_head(
    whatsapp: GreenApi, server: GreenApiStandIn
) -> None:
    server.settings["delaySendMessagesMilliseconds"] = 600_000
    _, _, waiting = [await whatsapp.send(CHAT, ASK) for _ in range(3)]
    assert await whatsapp.unsent() == [Unsent(CHAT, waiting)]


async def test_nothing_follows_from_the_queue_of_an_instance_that_does_not_send_or_tell(
    whatsapp: GreenApi, server: GreenApiStandIn
) -> None:
    server.set_phone_online(False)
    with pytest.raises(Temporary):
        await whatsapp.unsent()
    server.set_phone_online(True)
    server.set_state("notAuthorized")
    with pytest.raises(Temporary):
        await whatsapp.unsent()
    server.set_state("authorized")
    server.settings["outgoingAPIMessageWebhook"] = "no"
    with pytest.raises(Temporary):
        await whatsapp.unsent()
    server.settings["outgoingAPIMessageWebhook"] = "yes"
    server.faults.add("showMessagesQueue", status=200, json=[{"messageID": "1"}] * 500)
    with pytest.raises(Temporary):
        await whatsapp.unsent()
    assert await whatsapp.unsent() == []


async def test_a_refused_connection_is_temporary() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        whatsapp = GreenApi("whatsapp", GatewaySettings(base_url=address, instance_id="1", api_token=TOKEN))
        with pytest.raises(Temporary) as error:
            await whatsapp.send(CHAT, ASK)
        assert TOKEN not in _everything(error.value)
        await whatsapp.close()


async def test_a_missing_address_is_permanent() -> None:
    whatsapp = GreenApi("whatsapp", GatewaySettings(instance_id="1", api_token=TOKEN))
    with pytest.raises(Permanent):
        await whatsapp.send(CHAT, ASK)
    await whatsapp.close()


async def test_every_outcome_is_counted(server: GreenApiStandIn) -> None:
    results: list[tuple[str, str]] = []
    whatsapp = GreenApi(
        "whatsapp",
        GatewaySettings(base_url="http://green.test", instance_id=server.instance_id, api_token=server.token),
        transport=httpx.ASGITransport(server.app),
        on_result=lambda service, result: results.append((service, result)),
    )
    await whatsapp.send(CHAT, ASK)
    assert results == [("whatsapp", "200"), ("whatsapp", "200")]  # the state, then the question
    await whatsapp.close()


def incoming_message(message: Any) -> dict[str, Any]:
    return {
        "typeWebhook": "incomingMessageReceived",
        "instanceData": {"idInstance": 1, "wid": "79140000000@c.us", "typeInstance": "whatsapp"},
        "timestamp": 1795200001,
        "idMessage": "AAAA",
        "senderData": {"chatId": CHAT, "sender": CHAT},
        "messageData": message,
    }


def sample_vote(options: list[str], voters: list[str]) -> dict[str, Any]:
    votes = [{"optionName": option, "optionVoters": voters} for option in options]
    poll = {"stanzaId": "3EB0", "name": "?", "votes": votes, "multipleAnswers": False}
    return incoming_message({"typeMessage": "pollUpdateMessage", "pollMessageData": poll})


def _everything(error: BaseException | None) -> str:
    """The text of an error and of all that led to it, as a traceback would show it."""
    texts = []
    while error is not None:
        request = getattr(error, "_request", None)
        texts.append(f"{error!r} {error} {request!r} {getattr(request, 'url', '')}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join(texts)
