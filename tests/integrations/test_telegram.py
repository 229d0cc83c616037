"""The Telegram channel against a made-up Bot API: what goes out, what comes in, and what goes wrong."""

import asyncio
import json
import logging
import os
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.channels.base import (
    Batch,
    BotSettings,
    Button,
    Channel,
    Incoming,
    IncomingKind,
    Linked,
    Outgoing,
    Polled,
    UnreadableError,
)
from integrations.channels.telegram import Telegram
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.telegram_model import Person
from tests.integrations.clock import Clock
from tests.integrations.telegram_schema import assert_calls_fit

NOTHING = timedelta(0)
ASK = Outgoing(
    text="Оцените от 1 до 10",
    buttons=(
        tuple(Button(str(n), f"s:1:{n}") for n in range(1, 6)),
        tuple(Button(str(n), f"s:1:{n}") for n in range(6, 11)),
    ),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[TelegramStandIn]:
    stand_in = TelegramStandIn(clock)
    yield stand_in
    assert_calls_fit(stand_in.requests)


def bot(server: TelegramStandIn, **settings: Any) -> Telegram:
    given = BotSettings(**{"token": server.token, "api_url": "http://telegram.test", **settings})
    return Telegram(given, transport=httpx.ASGITransport(server.app))


@pytest.fixture
async def telegram(server: TelegramStandIn) -> AsyncIterator[Telegram]:
    channel = bot(server)
    yield channel
    await channel.close()


@pytest.fixture
def maria(server: TelegramStandIn) -> Person:
    person = server.start("Мария Петрова", "tok")
    server.updates.clear()
    return person


async def came_in(telegram: Telegram) -> list[Incoming]:
    batch = await telegram.poll("", NOTHING)
    return [incoming for raw in batch.updates for incoming in telegram.read(raw.body)]


async def one(telegram: Telegram) -> Incoming:
    (incoming,) = await came_in(telegram)
    return incoming


def test_it_is_what_the_flows_expect(telegram: Telegram) -> None:
    channel: Channel = telegram
    assert isinstance(channel, Polled)
    assert isinstance(channel, Linked)
    assert channel.address("+79140000001") is None


# What goes out


async def test_a_question_arrives_with_its_buttons(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    message_id = await telegram.send(str(maria.user_id), ASK)
    question = server.last(maria)
    assert (str(question.message_id), question.text) == (message_id, "Оцените от 1 до 10")
    assert question.labels == [str(n) for n in range(1, 11)]
    assert [len(row) for row in (question.markup or {})["inline_keyboard"]] == [5, 5]


@pytest.mark.parametrize("text", ["<b>", "_", "*a", "9", "a & b <script>", "`", "[x](y"])
async def test_no_text_is_taken_for_markup(
    telegram: Telegram, server: TelegramStandIn, maria: Person, text: str
) -> None:
    await telegram.send(str(maria.user_id), Outgoing(text=text))
    assert server.last(maria).text == text


@pytest.mark.parametrize(("letter", "kept"), [("я", 4095), ("😀", 2047)])
async def test_a_text_that_is_too_long_is_cut_visibly(
    telegram: Telegram, server: TelegramStandIn, maria: Person, letter: str, kept: int
) -> None:
    await telegram.send(str(maria.user_id), Outgoing(text=letter * 5000))
    assert server.last(maria).text == letter * kept + "…"


async def test_a_link_is_a_button_that_opens_it(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    link = Button("Открыть рекламацию", url="https://example.amocrm.ru/leads/detail/1")
    await telegram.send(str(maria.user_id), Outgoing(text="Рекламация № 1", buttons=((link,),)))
    assert server.last(maria).buttons == [{"text": link.text, "url": link.url}]


async def test_asking_for_the_number_shows_a_button_and_takes_it_away_later(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    await telegram.send(str(maria.user_id), Outgoing(text="Ваш номер?", share_phone="Поделиться номером"))
    asked = server.last(maria).markup or {}
    assert asked["keyboard"] == [[{"text": "Поделиться номером", "request_contact": True}]]
    await telegram.send(str(maria.user_id), Outgoing(text="Спасибо", remove_keyboard=True))
    assert server.last(maria).markup == {"remove_keyboard": True}


async def test_an_answer_quotes_a_message_even_if_that_is_gone(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    theirs = server.says(maria, "почему?")
    await telegram.send(str(maria.user_id), Outgoing(text="потому", quote=str(theirs)))
    assert server.last(maria).reply_to == theirs
    await telegram.send(str(maria.user_id), Outgoing(text="а это?", quote="4711"))
    assert server.last(maria).reply_to is None


async def test_after_the_tap_the_buttons_are_gone(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    chat, message_id = str(maria.user_id), await telegram.send(str(maria.user_id), ASK)
    change = Outgoing(text="Ваша оценка: 9", buttons=((Button("Изменить", "c:1"),),))
    await telegram.edit(chat, message_id, change)
    await telegram.edit(chat, message_id, change)  # already so
    assert server.last(maria).labels == ["Изменить"]
    await telegram.edit(chat, message_id, Outgoing(text="Ваша оценка: 9"))
    assert (server.last(maria).text, server.last(maria).labels) == ("Ваша оценка: 9", [])


async def test_a_change_without_a_text_leaves_the_text_as_it_is(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    chat, message_id = str(maria.user_id), await telegram.send(str(maria.user_id), ASK)
    change = Outgoing(text="", buttons=((Button("Изменить", "c:1"),),))
    await telegram.edit(chat, message_id, change)
    await telegram.edit(chat, message_id, change)  # already so
    assert (server.last(maria).text, server.last(maria).labels) == (ASK.text, ["Изменить"])


@pytest.mark.parametrize("message_id", ["4711", "", "unknown"])
async def test_editing_a_message_that_is_gone_is_a_success(
    telegram: Telegram, maria: Person, message_id: str
) -> None:
    await telegram.edit(str(maria.user_id), message_id, Outgoing(text="Спасибо"))


async def test_a_tap_is_answered_once_and_later_answers_do_no_harm(
    telegram: Telegram, server: TelegramStandIn, maria: Person, clock: Clock
) -> None:
    await telegram.send(str(maria.user_id), ASK)
    tap, late = server.tap(maria, "9"), server.tap(maria, "8")
    await telegram.answer_tap(tap, "Спасибо!")
    await telegram.answer_tap(tap, "Спасибо!")
    clock.forward(hours=1)
    await telegram.answer_tap(late, "я" * 300)
    assert [server.taps[tap].answer, server.taps[late].is_answered] == ["Спасибо!", False]


async def test_a_deep_link_names_the_bot_and_asks_its_name_once(server: TelegramStandIn) -> None:
    telegram = bot(server)
    assert await telegram.deep_link("abc") == "https://t.me/sarafan_demo_bot?start=abc"
    assert await telegram.deep_link("xyz") == "https://t.me/sarafan_demo_bot?start=xyz"
    assert [request.path.rpartition("/")[2] for request in server.requests] == ["getMe"]
    await telegram.close()


async def test_a_deep_link_of_ones_own_asks_nothing(server: TelegramStandIn) -> None:
    telegram = bot(server, deep_link="https://vlad.example/tg/{token}")
    assert await telegram.deep_link("abc") == "https://vlad.example/tg/abc"
    assert server.requests == []
    await telegram.close()


# What comes in


async def test_opening_the_bot_brings_the_token(telegram: Telegram, server: TelegramStandIn) -> None:
    maria = server.start("Мария Петрова", "tok_en-1")
    opened = await one(telegram)
    assert (opened.kind, opened.token, opened.chat_id) == (IncomingKind.START, "tok_en-1", str(maria.user_id))
    assert (opened.sender_name, opened.is_group) == ("Мария Петрова", False)
    assert opened.sent_at == datetime(2026, 3, 16, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "kind", "token"),
    [
        ("/start", IncomingKind.START, ""),  # from the search, or after the chat was cleared
        ("/start@sarafan_demo_bot abc", IncomingKind.START, "abc"),
        ("/start\nabc", IncomingKind.START, "abc"),
        ("/started 9", IncomingKind.TEXT, ""),
        ("/stop", IncomingKind.TEXT, ""),
    ],
)
async def test_a_start_without_a_link_and_what_only_looks_like_one(
    telegram: Telegram, server: TelegramStandIn, maria: Person, text: str, kind: IncomingKind, token: str
) -> None:
    server.says(maria, text)
    incoming = await one(telegram)
    assert (incoming.kind, incoming.token) == (kind, token)


async def test_a_tap_brings_the_buttons_data_and_the_question(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    message_id = await telegram.send(str(maria.user_id), ASK)
    for is_old in (False, True):  # an old message comes without its text
        server.updates.clear()
        tap_id = server.tap(maria, "9", is_old=is_old)
        tap = await one(telegram)
        assert tap == Incoming(
            kind=IncomingKind.TAP,
            chat_id=str(maria.user_id),
            data="s:1:9",
            quoted=message_id,
            callback_id=tap_id,
            sender_id=str(maria.user_id),
            sender_name="Мария Петрова",
        )


def test_a_tap_without_any_message_is_one_in_the_persons_own_chat(telegram: Telegram) -> None:
    sender = {"id": 5_000_000_001, "is_bot": False, "first_name": "Мария"}
    query = {"id": "1", "from": sender, "chat_instance": "1", "data": "s:1:9"}
    (tap,) = telegram.read(json.dumps({"update_id": 1, "callback_query": query}).encode())
    assert (tap.chat_id, tap.data, tap.is_group) == ("5000000001", "s:1:9", False)


async def test_in_a_group_the_presser_is_known_and_so_is_the_group(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    group = server.group("Рекламации")
    await telegram.send(str(group.chat_id), ASK)
    server.tap(maria, "9", chat=group)
    tap = await one(telegram)
    assert (tap.chat_id, tap.sender_id, tap.is_group) == (str(group.chat_id), str(maria.user_id), True)


async def test_typed_words_tell_which_message_they_answer(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    question = await telegram.send(str(maria.user_id), ASK)
    server.says(maria, "9")
    server.says(maria, "8", reply_to=int(question))
    plain, quoting = await came_in(telegram)
    assert (plain.kind, plain.text, plain.quoted) == (IncomingKind.TEXT, "9", "")
    assert (quoting.text, quoting.quoted) == ("8", question)


async def test_an_edited_message_keeps_its_id(
    telegram: Telegram, server: TelegramStandIn, maria: Person, clock: Clock
) -> None:
    message_id = server.says(maria, "9")
    clock.forward(minutes=1)
    server.edits(maria, "8")
    first, edited = await came_in(telegram)
    assert (first.kind, edited.kind) == (IncomingKind.TEXT, IncomingKind.EDITED)
    assert (edited.text, edited.message_id) == ("8", str(message_id))
    assert edited.sent_at == clock.now


@pytest.mark.parametrize(
    ("phone", "is_own", "digits"),
    [
        ("+79140000001", True, "79140000001"),
        ("79140000001", True, "79140000001"),
        ("8 914 000-00-02", False, "79140000002"),  # somebody else's card, typed by hand
        ("998901234567", True, "998901234567"),
    ],
)
async def test_a_card_says_whose_number_it_is(
    telegram: Telegram, server: TelegramStandIn, maria: Person, phone: str, is_own: bool, digits: str
) -> None:
    server.share_contact(maria, phone=phone, is_own=is_own)
    card = await one(telegram)
    assert (card.kind, card.phone, card.is_own_phone) == (IncomingKind.CONTACT, digits, is_own)


@pytest.mark.parametrize(
    ("media", "caption", "kind"),
    [
        ("voice", "", IncomingKind.MEDIA),
        ("sticker", "", IncomingKind.MEDIA),
        ("photo", "", IncomingKind.MEDIA),
        ("photo", "9", IncomingKind.TEXT),
        ("document", "", IncomingKind.MEDIA),
    ],
)
async def test_a_caption_counts_as_words(
    telegram: Telegram, server: TelegramStandIn, maria: Person, media: str, caption: str, kind: IncomingKind
) -> None:
    server.sends(maria, media, caption)
    incoming = await one(telegram)
    assert (incoming.kind, incoming.media, incoming.text) == (kind, media, caption)


async def test_blocking_and_coming_back_are_told(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    server.block(maria)
    server.unblock(maria)
    kinds = [(incoming.kind, incoming.chat_id) for incoming in await came_in(telegram)]
    chat = str(maria.user_id)
    assert kinds == [(IncomingKind.BLOCKED, chat), (IncomingKind.UNBLOCKED, chat)]


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1},
        {"update_id": 1, "something_of_2027": {"a": 1}},
        {
            "update_id": 1,
            "message": {"message_id": 2, "date": 1, "chat": {"id": 1, "type": "private"}, "pinned": 1},
        },
        {
            "update_id": 1,
            "message": {
                "message_id": 2,
                "date": 1,
                "chat": {"id": -1, "type": "group"},
                "from": {"id": 7, "is_bot": True, "first_name": "Бот"},
                "text": "10",
            },
        },
    ],
)
def test_what_calls_for_nothing_is_read_all_the_same(telegram: Telegram, update: dict[str, Any]) -> None:
    (incoming,) = telegram.read(json.dumps(update).encode())
    assert incoming.kind is IncomingKind.OTHER


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"9",
        b"{}",
        b"\xff",
        b'{"update_id": 1, "message": 5}',
        b'{"update_id": 1, "message": {}}',
        b'{"update_id": 1, "callback_query": {"id": "1"}}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(telegram: Telegram, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        telegram.read(body)


@given(
    st.dictionaries(
        st.sampled_from(["update_id", "message", "callback_query", "my_chat_member", "edited_message"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["id", "from", "chat", "date", "text", "type", "message_id", "contact"]),
                    inner,
                )
            ),
            max_leaves=8,
        ),
    )
)
def test_every_body_is_read_or_unreadable(update: dict[str, Any]) -> None:
    try:
        READER.read(json.dumps(update).encode())
    except UnreadableError:
        return


READER = Telegram(BotSettings(token="1:a"), transport=httpx.ASGITransport(TelegramStandIn(Clock()).app))


# Polling


async def test_updates_come_again_until_the_next_poll_confirms_them(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    server.says(maria, "9")
    first = await telegram.poll("", NOTHING)
    again = await telegram.poll("", NOTHING)  # as after a crash before the commit
    assert first == again
    await telegram.confirm(first)
    server.says(maria, "спасибо")
    (update,) = (await telegram.poll(first.offset, NOTHING)).updates
    assert b"\xd1\x81\xd0\xbf\xd0\xb0\xd1\x81\xd0\xb8\xd0\xb1\xd0\xbe" in update.body
    assert len(server.updates) == 1


async def test_an_empty_poll_keeps_the_offset(telegram: Telegram) -> None:
    assert await telegram.poll("700000005", NOTHING) == Batch((), "700000005")


async def test_a_waiting_poll_answers_when_something_comes(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    waiting = asyncio.create_task(telegram.poll("", timedelta(seconds=30)))
    await asyncio.sleep(0.05)
    server.says(maria, "9")
    assert len((await waiting).updates) == 1


async def test_an_unknown_update_does_not_hide_its_neighbours(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    server.says(maria, "8")
    server.updates.append((server.clock(), {"update_id": 700_000_900, "message": {"odd": True}}))
    server.says(maria, "9")
    batch = await telegram.poll("", NOTHING)
    assert len(batch.updates) == 3
    with pytest.raises(UnreadableError):
        telegram.read(batch.updates[1].body)
    assert batch.offset == "700000901"


async def test_each_update_has_its_key(telegram: Telegram, server: TelegramStandIn, maria: Person) -> None:
    server.says(maria, "9")
    (update,) = (await telegram.poll("", NOTHING)).updates
    assert (update.external_id, update.kind) == (str(json.loads(update.body)["update_id"]), "update")


async def test_a_second_program_on_the_same_bot_is_loudly_named(
    telegram: Telegram, server: TelegramStandIn
) -> None:
    first = asyncio.create_task(telegram.poll("", timedelta(seconds=30)))
    await asyncio.sleep(0.05)
    await telegram.poll("", NOTHING)
    with pytest.raises(Temporary) as conflict:
        await first
    assert conflict.value.status == 409
    assert "webhook" in conflict.value.remedy


async def test_a_webhook_of_another_program_is_no_reason_to_die(
    telegram: Telegram, server: TelegramStandIn
) -> None:
    server.webhook_url = "https://other.example/hook"
    with pytest.raises(Temporary, match="webhook is active"):
        await telegram.poll("", NOTHING)


# What goes wrong


async def test_nobody_is_written_to_who_did_not_open_the_bot(
    telegram: Telegram, server: TelegramStandIn
) -> None:
    stranger = server.person("Пётр")
    with pytest.raises(Unreachable, match="can't initiate"):
        await telegram.send(str(stranger.user_id), ASK)
    with pytest.raises(Unreachable, match="Chat not found"):
        await telegram.send("4711", ASK)
    with pytest.raises(Unreachable, match="Chat not found"):
        await telegram.send("no chat at all", ASK)


async def test_who_blocked_the_bot_is_unreachable_until_unblocking(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    server.block(maria)
    with pytest.raises(Unreachable, match="blocked"):
        await telegram.send(str(maria.user_id), ASK)
    server.start(maria)
    await telegram.send(str(maria.user_id), ASK)


@pytest.mark.parametrize("as_timedelta", ["true", "false"])
@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
async def test_too_many_messages_wait_as_long_as_told_and_knock_no_more(
    telegram: Telegram,
    server: TelegramStandIn,
    maria: Person,
    monkeypatch: pytest.MonkeyPatch,
    as_timedelta: str,
) -> None:
    monkeypatch.setitem(os.environ, "PTB_TIMEDELTA", as_timedelta)
    server.throttle(90, maria)
    with pytest.raises(Temporary) as busy:
        await telegram.send(str(maria.user_id), ASK)
    assert busy.value.retry_after == timedelta(seconds=90)
    asked = len(server.requests)
    with pytest.raises(Temporary) as parked:
        await telegram.send(str(maria.user_id), ASK)
    assert parked.value.retry_after is not None
    assert timedelta(seconds=80) < parked.value.retry_after <= timedelta(seconds=90)
    assert len(server.requests) == asked
    await telegram.send(str(server.start("Пётр").user_id), ASK)  # others are not held up


async def test_when_several_chats_are_told_to_wait_all_wait(
    telegram: Telegram, server: TelegramStandIn
) -> None:
    server.throttle(90)
    people = [server.start(name) for name in ("Анна", "Борис", "Вера", "Глеб")]
    for person in people[:3]:
        with pytest.raises(Temporary):
            await telegram.send(str(person.user_id), ASK)
    with pytest.raises(Temporary) as paused:
        await telegram.send(str(people[3].user_id), ASK)
    assert paused.value.retry_after is not None
    assert len(server.requests) == 3


async def test_a_429_without_a_time_is_temporary_too(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    answer = {"ok": False, "error_code": 429, "description": "Too Many Requests"}
    server.faults.add("sendMessage", status=429, json=answer)
    with pytest.raises(Temporary):
        await telegram.send(str(maria.user_id), ASK)


@pytest.mark.parametrize("token", ["110201543:wrong", "no token at all", "../../x:y", "ключ:1"])
async def test_a_wrong_token_is_told_with_its_remedy_and_never_shown(
    server: TelegramStandIn, token: str
) -> None:
    telegram = bot(server, token=token)
    with pytest.raises(AccessDenied) as denied:
        await telegram.start()
    assert "BotFather" in denied.value.remedy
    assert token not in _everything(denied.value)
    await telegram.close()


async def test_a_group_that_became_a_supergroup_still_gets_its_alerts(
    telegram: Telegram, server: TelegramStandIn
) -> None:
    old = server.group("Рекламации")
    before = await telegram.send(str(old.chat_id), Outgoing(text="Рекламация № 1"))
    new = server.upgrade(old)
    after = await telegram.send(str(old.chat_id), Outgoing(text="Рекламация № 2"))
    assert telegram.moved_to(str(old.chat_id)) == str(new.chat_id)
    assert before == after, "numbers begin anew there"
    await telegram.edit(str(old.chat_id), before, Outgoing(text="Взято: Анна"))
    await telegram.edit(str(new.chat_id), after, Outgoing(text="Взято: Вера"))
    await telegram.send(str(old.chat_id), Outgoing(text="Рекламация № 3"))
    assert [post.text for post in server.messages(new)] == ["Взято: Вера", "Рекламация № 3"]


async def test_telegram_tells_of_a_supergroup_by_itself(telegram: Telegram, server: TelegramStandIn) -> None:
    old = server.group("Рекламации")
    new = server.upgrade(old, by="Мария")
    batch = await telegram.poll("", timedelta(0))
    (told,) = telegram.read(batch.updates[-1].body)
    assert (told.kind, told.chat_id, told.moved_to) == (
        IncomingKind.MOVED,
        str(old.chat_id),
        str(new.chat_id),
    )


async def test_a_message_that_telegram_refuses_is_permanent(
    telegram: Telegram, server: TelegramStandIn, maria: Person
) -> None:
    with pytest.raises(Permanent, match="text is empty") as refused:
        await telegram.send(str(maria.user_id), Outgoing(text=" "))
    assert type(refused.value) is Permanent
    too_long = Outgoing(text="?", buttons=((Button("9", "я" * 33),),))
    with pytest.raises(Permanent, match=r"(?i)button_data_invalid"):
        await telegram.send(str(maria.user_id), too_long)


LOST: list[tuple[str, dict[str, Any]]] = [
    ("dropped after it was taken", {"drop": True, "after": True}),
    ("a gateway's page after it was taken", {"status": 502, "after": True}),
    ("a page with 200", {"status": 200, "body": "<html>"}),
    ("half an answer", {"status": 200, "body": '{"ok": true, "res'}),
    ("an answer without a result", {"status": 200, "json": {"ok": True}}),
    ("a list", {"status": 200, "json": [1]}),
    ("Telegram's own failure", {"status": 500, "json": {"ok": False, "description": "Internal"}}),
]


@pytest.mark.parametrize("fault", [fault for _, fault in LOST], ids=[name for name, _ in LOST])
async def test_a_lost_answer_leaves_a_message_uncertain_and_a_question_about_us_temporary(
    telegram: Telegram, server: TelegramStandIn, maria: Person, fault: dict[str, Any]
) -> None:
    server.faults.add("/(sendMessage|getMe|getUpdates)$", times=0, **fault)
    with pytest.raises(Uncertain):
        await telegram.send(str(maria.user_id), ASK)
    assert len(server.requests) == 1  # nothing is repeated here
    with pytest.raises(Temporary):
        await telegram.start()
    with pytest.raises(Temporary):
        await telegram.poll("", NOTHING)


@pytest.mark.parametrize("status", [403, 404, 401, 400, 451, 302])
async def test_a_filters_page_is_not_taken_for_telegrams_word(
    telegram: Telegram, server: TelegramStandIn, maria: Person, status: int
) -> None:
    server.faults.add("sendMessage", status=status)
    with pytest.raises(Temporary) as error:  # neither a blocked bot nor a wrong token
        await telegram.send(str(maria.user_id), ASK)
    assert "telegram.proxy" in error.value.remedy
    assert server.messages(maria) == []


async def test_a_refused_connection_is_temporary_for_everything() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        telegram = Telegram(BotSettings(token="1:secret-part", api_url=address))
        for act in (telegram.start(), telegram.send("1", ASK), telegram.poll("", NOTHING)):
            with pytest.raises(Temporary) as error:
                await act
            assert "secret-part" not in _everything(error.value)
        await telegram.close()


async def test_a_proxy_is_used_and_a_wrong_one_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
        telegram = Telegram(BotSettings(token="1:a", proxy=proxy))
        with pytest.raises(Temporary, match="cannot be reached"):
            await telegram.start()
        await telegram.close()
    with pytest.raises(Permanent) as wrong:
        Telegram(BotSettings(token="1:a", proxy="ftp://user:password@host"))
    assert "password" not in str(wrong.value)
    assert "socks5" in wrong.value.remedy


@pytest.mark.parametrize(
    "failure", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError]
)
async def test_a_timeout_after_the_body_went_out_is_uncertain(failure: type[httpx.HTTPError]) -> None:
    telegram = Telegram(BotSettings(token="1:a"), transport=_failing(failure))
    with pytest.raises(Uncertain):
        await telegram.send("1", ASK)
    with pytest.raises(Temporary):
        await telegram.start()
    await telegram.close()


@pytest.mark.parametrize("failure", [httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
async def test_what_never_left_is_temporary(failure: type[httpx.HTTPError]) -> None:
    telegram = Telegram(BotSettings(token="1:a"), transport=_failing(failure))
    with pytest.raises(Temporary):
        await telegram.send("1", ASK)
    await telegram.close()


async def test_a_malformed_address_is_permanent() -> None:
    telegram = Telegram(BotSettings(token="1:secret-part", api_url="htp:/telegram"))
    with pytest.raises(Permanent) as error:
        await telegram.start()
    assert "telegram.api_url" in error.value.remedy
    assert "secret-part" not in _everything(error.value)
    await telegram.close()


async def test_every_outcome_is_counted(server: TelegramStandIn, maria: Person) -> None:
    results: list[tuple[str, str]] = []
    telegram = Telegram(
        BotSettings(token=server.token, api_url="http://telegram.test"),
        transport=httpx.ASGITransport(server.app),
        on_result=lambda service, result: results.append((service, result)),
    )
    await telegram.start()
    server.faults.add("sendMessage", drop=True)
    with pytest.raises(Uncertain):
        await telegram.send(str(maria.user_id), ASK)
    assert results == [("telegram", "200"), ("telegram", "broken")]
    await telegram.close()


async def test_the_token_stands_in_no_log_line(
    telegram: Telegram, server: TelegramStandIn, maria: Person, caplog: pytest.LogCaptureFixture
) -> None:
    secret = server.token.partition(":")[2]
    with caplog.at_level(logging.DEBUG):
        await telegram.start()
        await telegram.poll("", NOTHING)
        await telegram.send(str(maria.user_id), ASK)
        server.faults.add("sendMessage", status=500)
        with pytest.raises(Uncertain):
            await telegram.send(str(maria.user_id), ASK)
    assert "getUpdates" in caplog.text
    assert secret not in caplog.text


def _failing(failure: type[httpx.HTTPError]) -> httpx.MockTransport:
    def fail(request: httpx.Request) -> httpx.Response:
        raise failure("it did not work")

    return httpx.MockTransport(fail)


def _everything(error: BaseException | None) -> str:
    """The text of an error and of all that led to it, as a traceback would show it."""
    texts = []
    while error is not None:
        texts.append(f"{error!r} {error} {getattr(error, 'remedy', '')} {getattr(error, 'request', '')!r}")
        assert not isinstance(error, OutsideError) or error.service == "telegram"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join(texts)


@pytest.mark.parametrize(("is_file", "kind"), [(False, "photo"), (True, "document")])
async def test_a_picture_goes_out_with_its_words_and_buttons(
    server: TelegramStandIn, is_file: bool, kind: str
) -> None:
    anna = server.person("Анна")
    server.start(anna)
    channel = bot(server)
    said = Outgoing(
        text="NPS вырос",
        picture=b"\x89PNG picture",
        is_file=is_file,
        buttons=((Button("Таблица", "q:report:w1:0"),),),
    )
    message_id = int(await channel.send(str(anna.user_id), said))
    post = next(post for post in server.posted if post.message_id == message_id)
    assert (post.text, post.labels, [*post.extra]) == ("NPS вырос", ["Таблица"], [kind])
    assert server.files[anna.user_id, message_id] == said.picture
    await channel.close()
