"""What comes in from MAX: each update by itself, whatever is null in it; and the webhook."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.channels.base import (
    BotSettings,
    Incoming,
    IncomingKind,
    Posted,
    RefusedError,
    UnreadableError,
)
from integrations.channels.max import MaxBot
from integrations.channels.max_read import UPDATE_TYPES, incoming_of, raw_of
from integrations.errors import Permanent, Temporary
from integrations.pace import Pace
from integrations.standins.max import MaxStandIn
from integrations.standins.max_model import Person
from tests.integrations.clock import Clock
from tests.integrations.max_schema import assert_calls_fit
from tests.integrations.test_max import ASK, Time

URL = "https://sarafan.example.com/webhooks/max/s3cret"
SECRET = "a" * 64
OLEG = {"user_id": 7, "first_name": "Олег", "last_name": None, "username": None, "is_bot": False}
DIALOGUE = {"chat_id": -100, "chat_type": "dialog", "user_id": 990001}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[MaxStandIn]:
    stand_in = MaxStandIn(clock, rate_limit=None)
    yield stand_in
    assert_calls_fit(stand_in.requests)


@pytest.fixture
async def max_bot(server: MaxStandIn) -> AsyncIterator[MaxBot]:
    settings = BotSettings(token=server.token, api_url="http://max.test", mode="webhook")
    transport = httpx.ASGITransport(server.app)
    channel = MaxBot(settings, transport=transport, pace=Pace(None), sleep=Time().sleep)
    yield channel
    await channel.close()


@pytest.fixture
def maria(server: MaxStandIn) -> Person:
    person = server.start("Мария Петрова", "tok")
    server.updates.clear()
    return person


def came_in(server: MaxStandIn) -> list[Incoming]:
    return [incoming_of(raw_of(update).body) for update in server.waiting()]


def one(server: MaxStandIn) -> Incoming:
    (incoming,) = came_in(server)
    return incoming


def created(**message: Any) -> Incoming:
    whole = {"sender": OLEG, "recipient": DIALOGUE, "timestamp": 1770679787821, "body": None, **message}
    return incoming_of(raw_of({"update_type": "message_created", "timestamp": 1, "message": whole}).body)


def test_opening_the_bot_brings_the_token(server: MaxStandIn) -> None:
    maria = server.start("Мария Петрова", "tok_en-1")
    assert one(server) == Incoming(
        kind=IncomingKind.START,
        chat_id=str(maria.user_id),
        sent_at=datetime(2026, 3, 16, 1, 0, tzinfo=UTC),
        sender_id=str(maria.user_id),
        sender_name="Мария Петрова",
        token="tok_en-1",
    )


@pytest.mark.parametrize("token", ["", "x" * 129])  # a longer one is dropped by MAX without a word
def test_a_start_without_a_token(server: MaxStandIn, token: str) -> None:
    server.start("Мария", token)
    assert (one(server).kind, one(server).token) == (IncomingKind.START, "")


@pytest.mark.parametrize(
    ("text", "kind", "token"),
    [
        ("/start", IncomingKind.START, ""),
        ("/start abc", IncomingKind.START, "abc"),
        ("/started 9", IncomingKind.TEXT, ""),
        ("/stop", IncomingKind.TEXT, ""),
    ],
)
def test_a_start_may_be_typed(
    server: MaxStandIn, maria: Person, text: str, kind: IncomingKind, token: str
) -> None:
    server.says(maria, text)
    assert (one(server).kind, one(server).token) == (kind, token)


async def test_a_tap_brings_the_buttons_data_and_the_question_and_whose_tap_it_is(
    max_bot: MaxBot, server: MaxStandIn, maria: Person
) -> None:
    chat = str(maria.user_id)
    question = await max_bot.send(chat, ASK)
    tap = server.tap(maria, "9")
    gone = server.tap(maria, "8", is_deleted=True)
    first, second = came_in(server)
    assert first == Incoming(
        kind=IncomingKind.TAP,
        chat_id=chat,
        sent_at=datetime(2026, 3, 16, 1, 0, tzinfo=UTC),
        data="s:1:9",
        quoted=question,
        callback_id=tap,
        sender_id=chat,
        sender_name="Мария Петрова",
    )
    assert (second.chat_id, second.data, second.quoted, second.callback_id) == (chat, "s:1:8", "", gone)


async def test_in_a_group_the_presser_is_known_and_so_is_the_group(
    max_bot: MaxBot, server: MaxStandIn, maria: Person
) -> None:
    group = server.group("Рекламации")
    await max_bot.send(f"chat:{group.chat_id}", ASK)
    server.tap(maria, "9", chat=group)
    server.says(maria, "8", chat=group)
    for incoming in came_in(server):
        assert incoming.is_group
        assert (incoming.chat_id, incoming.sender_id) == (f"chat:{group.chat_id}", str(maria.user_id))


async def test_typed_words_tell_which_message_they_answer(
    max_bot: MaxBot, server: MaxStandIn, maria: Person
) -> None:
    question = await max_bot.send(str(maria.user_id), ASK)
    server.says(maria, "9")
    server.says(maria, "8", reply_to=question)
    plain, quoting = came_in(server)
    assert (plain.kind, plain.text, plain.quoted) == (IncomingKind.TEXT, "9", "")
    assert (quoting.text, quoting.quoted, quoting.is_group) == ("8", question, False)


def test_a_message_that_is_passed_on_is_read_and_quotes_nothing() -> None:
    link = {
        "type": "forward",
        "message": {"mid": "mid.1", "seq": 1, "text": "Ждали месяц", "attachments": None},
    }
    for body in (None, {"mid": "mid.2", "seq": 2, "text": None, "attachments": None}):
        passed_on = created(link=link, body=body)
        assert (passed_on.kind, passed_on.text, passed_on.quoted) == (IncomingKind.TEXT, "Ждали месяц", "")


def test_an_edited_message_keeps_its_id_and_each_edit_has_its_key(
    server: MaxStandIn, maria: Person, clock: Clock
) -> None:
    mid = server.says(maria, "9")
    for text in ("8", "7"):
        clock.forward(minutes=1)
        server.edits(maria, text)
    incoming = came_in(server)
    assert [each.text for each in incoming] == ["9", "8", "7"]
    assert {each.kind for each in incoming[1:]} == {IncomingKind.EDITED}
    assert {each.message_id for each in incoming} == {mid}
    assert incoming[-1].sent_at == clock.now
    assert len({(raw_of(update).external_id, raw_of(update).kind) for update in server.waiting()}) == 3


@pytest.mark.parametrize(
    ("phone", "is_own", "digits"),
    [
        ("+79140000001", True, "79140000001"),
        ("8 914 000-00-02", False, "89140000002"),  # somebody else's card, typed by hand
        ("998901234567", True, "998901234567"),
    ],
)
def test_a_card_says_whose_number_it_is(
    server: MaxStandIn, maria: Person, phone: str, is_own: bool, digits: str
) -> None:
    server.share_contact(maria, phone=phone, is_own=is_own)
    card = one(server)
    assert (card.kind, card.phone, card.is_own_phone) == (IncomingKind.CONTACT, digits, is_own)


def test_the_card_of_another_account_is_not_ones_own(server: MaxStandIn, maria: Person) -> None:
    server.person("Пётр", phone="+79140000002")
    server.share_contact(maria, phone="+79140000002", is_own=False)
    assert (one(server).is_own_phone, one(server).phone) == (False, "79140000002")


@pytest.mark.parametrize(
    ("vcf", "phone"),
    [
        ("BEGIN:VCARD\nTEL:+7 (914) 000-00-01\nEND:VCARD", "79140000001"),
        ("BEGIN:VCARD\r\nitem1.TEL;type=CELL;type=pref:79140000001\r\nEND:VCARD", "79140000001"),
        ("BEGIN:VCARD\r\nTEL;VALUE=uri:tel:+7-914-000-00-01\r\nEND:VCARD", "79140000001"),
        ("BEGIN:VCARD\r\nTEL;TYPE=cell:7914\r\n 0000001\r\nEND:VCARD", "79140000001"),  # a folded line
        ("BEGIN:VCARD\r\nTEL:\r\ntel;TYPE=home:79140000001\r\nTEL:2\r\nEND:VCARD", "79140000001"),
    ],
)
def test_a_number_is_found_however_the_card_is_written(vcf: str, phone: str) -> None:
    payload = {"vcf_info": vcf, "max_info": OLEG}
    card = created(body={"mid": "m", "attachments": [{"type": "contact", "payload": payload}]})
    assert (card.kind, card.phone, card.is_own_phone) == (IncomingKind.CONTACT, phone, True)


@pytest.mark.parametrize(
    "payload", [None, {}, {"vcf_info": None, "max_info": OLEG}, {"vcf_info": "FN:TEL 9"}]
)
def test_a_card_without_a_number_is_just_something_that_was_sent(payload: object) -> None:
    card = created(body={"mid": "m", "text": None, "attachments": [{"type": "contact", "payload": payload}]})
    assert (card.kind, card.media, card.phone) == (IncomingKind.MEDIA, "contact", "")


@pytest.mark.parametrize(
    ("kind", "caption", "read_as", "media"),
    [
        ("audio", "", IncomingKind.MEDIA, "voice"),
        ("sticker", "", IncomingKind.MEDIA, "sticker"),
        ("image", "", IncomingKind.MEDIA, "photo"),
        ("image", "9", IncomingKind.TEXT, "photo"),
        ("file", "", IncomingKind.MEDIA, "document"),
        ("location", "", IncomingKind.MEDIA, "location"),
    ],
)
def test_a_caption_counts_as_words(
    server: MaxStandIn, maria: Person, kind: str, caption: str, read_as: IncomingKind, media: str
) -> None:
    server.sends(maria, kind, caption)
    incoming = one(server)
    assert (incoming.kind, incoming.media, incoming.text) == (read_as, media, caption)


def test_stopping_the_bot_and_coming_back_are_told(server: MaxStandIn, maria: Person) -> None:
    server.block(maria)
    server.start(maria)
    server.remove_dialogue(maria)
    kinds = [(each.kind, each.chat_id) for each in came_in(server)]
    assert kinds == [
        (kind, str(maria.user_id))
        for kind in (IncomingKind.BLOCKED, IncomingKind.START, IncomingKind.BLOCKED)
    ]


@pytest.mark.parametrize(
    "sender", [None, {**OLEG, "is_bot": True}, {"user_id": None, "first_name": "Олег"}, "Олег"]
)
def test_what_no_person_said_means_nothing(sender: object) -> None:
    said = created(sender=sender, body={"mid": "m", "seq": 1, "text": "9", "attachments": None})
    assert said.kind is IncomingKind.OTHER


def test_nulls_everywhere_are_as_good_as_absent() -> None:
    body = {"mid": "m", "seq": None, "text": "9", "attachments": [None, {"type": None, "payload": None}]}
    said = created(body=body, link=None, recipient=None, timestamp=None)
    assert (said.kind, said.text, said.chat_id, said.is_group) == (IncomingKind.TEXT, "9", "7", False)


@pytest.mark.parametrize("kind", ["bot_started", "bot_stopped", "message_callback", "dialog_removed"])
def test_what_nobody_did_means_nothing(kind: str) -> None:
    nobody = {"update_type": kind, "timestamp": None, "user": None, "callback": None, "message": None}
    assert incoming_of(raw_of(nobody).body) == Incoming(kind=IncomingKind.OTHER)


def test_half_an_emoji_is_kept_and_read() -> None:
    update = json.loads(
        '{"update_type": "message_created", "message": {"body": {"mid": "m", "text": "9 \\ud83d"}}}'
    )
    update["message"]["sender"] = OLEG
    said = incoming_of(raw_of(update).body)
    assert said.text.startswith("9 ")
    said.text.encode()


def test_repeats_have_the_same_key_whatever_else_changed(server: MaxStandIn, maria: Person) -> None:
    server.says(maria, "9")
    server.start(maria)
    for update in server.waiting():
        again = json.loads(json.dumps(update).replace('"last_activity_time": 0', '"last_activity_time": 9'))
        assert again != update
        assert raw_of(again).external_id == raw_of(update).external_id


async def test_two_taps_on_one_keyboard_have_two_keys(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, clock: Clock
) -> None:
    await max_bot.send(str(maria.user_id), ASK)
    server.tap(maria, "9")
    clock.forward(seconds=1)
    server.tap(maria, "9")
    first, second = server.waiting()
    # Should the id be the keyboard's, as its description says, the moment tells them apart.
    second["callback"]["callback_id"] = first["callback"]["callback_id"]
    assert raw_of(first).external_id != raw_of(second).external_id


def test_a_key_fits_an_index_however_long_the_id_is() -> None:
    update = {"update_type": "k" * 9000, "message": None}
    long = {"update_type": "message_created", "message": {"body": {"mid": "m" * 9000}}}
    assert len(raw_of(update).kind) <= 250
    assert len(raw_of(long).external_id) <= 250


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"5", b"{}", b'{"update_type": 5}', b"[" * 100_000, b"\xff"]
)
def test_a_body_that_is_none_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        incoming_of(body)


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
FIELDS = ("timestamp", "message", "callback", "user", "chat_id", "payload")
MESSAGE_FIELDS = ("sender", "recipient", "body", "link", "timestamp")


@given(
    kind=st.sampled_from(UPDATE_TYPES),
    fields=st.dictionaries(st.sampled_from(FIELDS), anything, max_size=4),
    message=st.dictionaries(st.sampled_from(MESSAGE_FIELDS), anything, max_size=4),
)
def test_every_update_is_kept_and_read(kind: str, fields: dict[str, Any], message: dict[str, Any]) -> None:
    for update in (fields, {**fields, "message": message}):
        raw = raw_of({"update_type": kind, **update})
        assert raw.external_id
        assert incoming_of(raw.body).kind in IncomingKind


# The webhook


async def test_it_registers_once_and_leaves_what_is_right(max_bot: MaxBot, server: MaxStandIn) -> None:
    for _ in range(3):
        await max_bot.start()
        await max_bot.register(URL, SECRET)
    assert server.webhook() == {"url": URL, "secret": SECRET}
    assert [call.method for call in server.requests if call.path == "/subscriptions"].count("POST") == 1


async def test_an_address_of_ours_with_an_old_secret_is_replaced(max_bot: MaxBot, server: MaxStandIn) -> None:
    server.subscribe(URL.replace("s3cret", "older"))
    await max_bot.register(URL, SECRET)
    assert list(server.subscriptions) == [URL]


@pytest.mark.parametrize("before", [[], [URL]])
@pytest.mark.parametrize(
    "address", ["https://crm.example.org/hook", "https://sarafan.example.com/other/max/s3cret"]
)
async def test_another_programs_address_is_never_taken_over(
    max_bot: MaxBot, server: MaxStandIn, address: str, before: list[str]
) -> None:
    for url in (*before, address):
        server.subscribe(url)
    with pytest.raises(Permanent) as refused:
        await max_bot.register(URL, SECRET)
    assert httpx.URL(address).host in str(refused.value)
    assert "subscription" in refused.value.remedy
    assert list(server.subscriptions) == [*before, address]


@pytest.mark.parametrize(
    ("types", "posts"), [(None, 0), ([*UPDATE_TYPES, "user_added"], 0), (["message_created"], 1)]
)
async def test_updates_that_it_would_not_send_are_asked_for(
    max_bot: MaxBot, server: MaxStandIn, types: list[str] | None, posts: int
) -> None:
    server.subscribe(URL, types)
    await max_bot.register(URL, SECRET)
    assert [call.method for call in server.requests].count("POST") == posts


async def test_an_address_that_max_refuses_inside_a_200_is_told(max_bot: MaxBot, server: MaxStandIn) -> None:
    with pytest.raises(Permanent, match="webhook url must be https"):
        await max_bot.register(URL.replace("https:", "http:"), SECRET)
    assert server.subscriptions == {}


async def test_a_lost_answer_is_asked_for_again(max_bot: MaxBot, server: MaxStandIn) -> None:
    server.faults.add("/subscriptions", method="POST", after=True, status=502, times=3)
    with pytest.raises(Temporary):
        await max_bot.register(URL, SECRET)
    await max_bot.register(URL, SECRET)
    assert server.webhook() == {"url": URL, "secret": SECRET}


async def test_a_posted_update_is_read_as_a_polled_one(max_bot: MaxBot, server: MaxStandIn) -> None:
    server.start("Мария", "token")
    [update] = server.waiting()
    [raw] = max_bot.take(posted(update), SECRET)
    assert (raw.external_id, raw.kind) == (raw_of(update).external_id, "bot_started")
    [incoming] = max_bot.read(raw.body)
    assert (incoming.kind, incoming.token) == (IncomingKind.START, "token")


async def test_only_max_knows_the_header(max_bot: MaxBot, server: MaxStandIn) -> None:
    server.start("Мария")
    [update] = server.waiting()
    for headers in ({}, {"x-max-bot-api-secret": "b" * 64}, {"authorization": SECRET}):
        with pytest.raises(RefusedError, match="header"):
            max_bot.take(Posted(posted(update).body, headers), SECRET)
    with pytest.raises(RefusedError):
        max_bot.take(posted(update, secret=""), "")
    with pytest.raises(RefusedError):
        max_bot.greet({}, SECRET)


@pytest.mark.parametrize("body", ["", "x", "[]", "{}", '{"update_type": null}', '{"updates": []}'])
async def test_what_is_authentic_and_no_update_is_unreadable(max_bot: MaxBot, body: str) -> None:
    with pytest.raises(UnreadableError):
        max_bot.take(Posted(body.encode(), {"x-max-bot-api-secret": SECRET}), SECRET)


def posted(update: object, secret: str = SECRET) -> Posted:
    request = httpx.Request("POST", URL, json=update)
    return Posted(request.content, {"x-max-bot-api-secret": secret})
