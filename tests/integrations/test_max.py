"""The MAX bot against a made-up MAX: what goes out, what is asked for, and what goes wrong."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from integrations.channels.base import BotSettings, Button, Channel, Hooked, Linked, Outgoing, Polled
from integrations.channels.max import MaxBot
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.pace import Pace
from integrations.standins.faults import HTML_ERROR
from integrations.standins.max import MaxStandIn
from integrations.standins.max_model import Person
from integrations.tls import trusted
from tests.integrations.clock import Clock
from tests.integrations.max_schema import REASON, SAMPLE, assert_calls_fit, problems_in

NOTHING = timedelta(0)
SUSPENDED = {"code": "chat.denied", "message": "Key: error.dialog.suspended, args: [79140000001,]."}
ASK = Outgoing(
    text="Оцените от 1 до 10",
    buttons=(tuple(Button(str(n), f"s:1:{n}") for n in range(1, 11)),),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[MaxStandIn]:
    stand_in = MaxStandIn(clock, rate_limit=None)
    yield stand_in
    assert_calls_fit(stand_in.requests)


def bot(server: MaxStandIn, **settings: Any) -> MaxBot:
    given = BotSettings(**{"token": server.token, "api_url": "http://max.test", **settings})
    return MaxBot(given, transport=httpx.ASGITransport(server.app), pace=Pace(None))


@pytest.fixture
async def max_bot(server: MaxStandIn) -> AsyncIterator[MaxBot]:
    channel = bot(server)
    yield channel
    await channel.close()


@pytest.fixture
def maria(server: MaxStandIn) -> Person:
    person = server.start("Мария Петрова", "tok")
    server.updates.clear()
    return person


@pytest.fixture
def chat(maria: Person) -> str:
    return str(maria.user_id)


def waiting(server: MaxStandIn) -> MaxBot:
    """A bot for which pauses take no time."""
    given = BotSettings(token=server.token, api_url="http://max.test")
    return MaxBot(given, transport=httpx.ASGITransport(server.app), pace=Pace(None), sleep=Time().sleep)


def queries(server: MaxStandIn, path: str) -> list[str]:
    return [request.query for request in server.requests if request.path == path]


def test_it_is_what_the_flows_expect(max_bot: MaxBot) -> None:
    channel: Channel = max_bot
    assert isinstance(channel, Polled)
    assert isinstance(channel, Hooked)
    assert isinstance(channel, Linked)
    assert channel.address("+79140000001") is None


# What goes out


async def test_a_question_arrives_with_its_buttons_in_rows_that_max_takes(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str
) -> None:
    message_id = await max_bot.send(chat, ASK)
    question = server.last(maria)
    assert (question.mid, question.text) == (message_id, "Оцените от 1 до 10")
    assert question.labels == [str(n) for n in range(1, 11)]
    assert [len(row) for row in question.rows] == [5, 5]


async def test_the_token_stands_in_the_header_as_it_is(
    max_bot: MaxBot, server: MaxStandIn, chat: str
) -> None:
    await max_bot.send(chat, ASK)
    assert server.requests[-1].headers["authorization"] == server.token
    assert server.token not in server.requests[-1].query


@pytest.mark.parametrize("text", ["<b>", "_", "*a", "9", "a & b <script>", "`", "[x](y"])
async def test_no_text_is_taken_for_markup(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str, text: str
) -> None:
    await max_bot.send(chat, Outgoing(text=text))
    assert server.last(maria).text == text
    assert "format" not in server.requests[-1].json


@pytest.mark.parametrize(("letter", "kept"), [("я", 3999), ("😀", 1999)])
async def test_a_text_that_is_too_long_is_cut_visibly(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str, letter: str, kept: int
) -> None:
    await max_bot.send(chat, Outgoing(text=letter * 5000))
    assert server.last(maria).text == letter * kept + "…"


async def test_links_stand_three_in_a_row_and_long_labels_are_cut(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str
) -> None:
    places = tuple(Button(f"Отзыв {n}", url=f"https://example.com/{n}") for n in range(4))
    await max_bot.send(chat, Outgoing(text="Спасибо!", buttons=(places, (Button("я" * 200, "c:1"),), ())))
    sent = server.last(maria)
    assert [len(row) for row in sent.rows] == [2, 2, 1]
    assert sent.buttons[0] == {"type": "link", "text": "Отзыв 0", "url": "https://example.com/0"}
    assert len(sent.labels[-1]) == 128


async def test_asking_for_the_number_is_a_button_of_the_message(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str
) -> None:
    await max_bot.send(chat, Outgoing(text="Ваш номер?", share_phone="Поделиться номером"))
    assert server.last(maria).rows == [[{"type": "request_contact", "text": "Поделиться номером"}]]
    await max_bot.send(chat, Outgoing(text="Спасибо", remove_keyboard=True))
    assert server.last(maria).rows == []


DIGEST = Outgoing(
    text="NPS вырос", picture=b"\x89PNG picture", buttons=((Button("Таблица", "q:report:w1:0"),),)
)
NOT_READY = {"code": "attachment.not.ready", "message": "Key: errors.process.attachment.file.not.processed"}


@pytest.mark.parametrize("is_file", [False, True])
async def test_a_picture_goes_out_with_its_words_and_buttons(
    max_bot: MaxBot, server: MaxStandIn, chat: str, is_file: bool
) -> None:
    await max_bot.send(chat, replace(DIGEST, is_file=is_file))
    [post] = server.messages(int(chat))
    assert (post.text, post.labels) == ("NPS вырос", ["Таблица"])
    assert [server.pictures[token] for token in post.pictures] == [DIGEST.picture]


async def test_the_address_of_a_picture_gets_no_token_and_is_in_no_log(
    max_bot: MaxBot, server: MaxStandIn, chat: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.add("/upload/", status=500, times=0)
    await max_bot.send(chat, DIGEST)
    brought = [request for request in server.requests if request.path.startswith("/upload/")]
    assert brought
    assert all("authorization" not in request.headers for request in brought)
    assert "without its picture" in caplog.text
    assert "/upload/" not in caplog.text


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/uploads", "status": 503},
        {"path": "/uploads", "status": 403, "json": {"code": "access.denied", "message": "No rights"}},
        {"path": "/uploads", "json": {"url": "file:///etc/passwd"}, "status": 200},
        {"path": "/upload/", "json": {"photos": {}}, "status": 200},
        {"path": "/upload/", "status": 400},
        {"path": "/messages", "times": 1, "status": 400, "json": {"code": "proto.payload", "message": "No"}},
        {"path": "/messages", "times": 4, "status": 400, "json": NOT_READY},
    ],
)
async def test_words_wait_for_no_picture(server: MaxStandIn, chat: str, fault: dict[str, Any]) -> None:
    channel = waiting(server)
    server.faults.add(**{"times": 0, "method": "POST", **fault})
    await channel.send(chat, DIGEST)
    [post] = server.messages(int(chat))
    assert (post.text, post.labels, post.pictures) == ("NPS вырос", ["Таблица"], [])
    await channel.close()


async def test_a_file_goes_out_under_its_words(server: MaxStandIn, chat: str) -> None:
    channel = waiting(server)
    server.faults.add("/messages", method="POST", times=2, status=400, json=NOT_READY)
    await channel.send_file(chat, b"<!doctype html>", "report.html", "Всё на одной странице")
    [post] = server.messages(int(chat))
    [file] = [server.files[token] for token in post.files]
    assert (post.text, file, file.name) == ("Всё на одной странице", b"<!doctype html>", "report.html")
    await channel.close()


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/upload/", "json": {"fileId": 1}, "status": 200},
        {"path": "/messages", "status": 400, "json": NOT_READY},
    ],
)
async def test_a_file_that_max_does_not_take_yet_is_tried_again_later(
    server: MaxStandIn, chat: str, fault: dict[str, Any]
) -> None:
    channel = waiting(server)
    server.faults.add(**{"times": 0, "method": "POST", **fault})
    with pytest.raises(Temporary):
        await channel.send_file(chat, b"<!doctype html>", "report.html", "Всё на одной странице")
    assert server.messages(int(chat)) == []
    await channel.close()


async def test_max_may_need_a_moment_to_look_at_a_picture(server: MaxStandIn, chat: str) -> None:
    channel = waiting(server)
    server.faults.add("/messages", method="POST", times=2, status=400, json=NOT_READY)
    await channel.send(chat, DIGEST)
    [post] = server.messages(int(chat))
    assert len(post.pictures) == 1
    assert [len(server.pictures), len(queries(server, "/uploads"))] == [1, 1]
    await channel.close()


async def test_who_stopped_the_bot_is_not_written_to_once_more_without_the_picture(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str
) -> None:
    server.block(maria)
    with pytest.raises(Unreachable):
        await max_bot.send(chat, DIGEST)
    assert len(queries(server, "/messages")) == 1


async def test_a_picture_whose_message_may_have_arrived_is_not_sent_again(
    max_bot: MaxBot, server: MaxStandIn, chat: str
) -> None:
    server.faults.add("/messages", method="POST", status=502, after=True)
    with pytest.raises(Uncertain):
        await max_bot.send(chat, DIGEST)
    assert len(server.messages(int(chat))) == 1


async def test_an_answer_quotes_a_message_even_if_that_is_gone(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str
) -> None:
    theirs = server.says(maria, "почему?")
    await max_bot.send(chat, Outgoing(text="потому", quote=theirs))
    assert server.last(maria).reply_to == theirs
    await max_bot.send(chat, Outgoing(text="а это?", quote="mid.gone"))
    assert (server.last(maria).text, server.last(maria).reply_to) == ("а это?", "")


async def test_a_group_is_written_to_by_its_chat_and_a_person_by_user_id(
    max_bot: MaxBot, server: MaxStandIn, chat: str
) -> None:
    group = server.group("Рекламации")
    await max_bot.send(f"chat:{group.chat_id}", ASK)
    await max_bot.send(chat, ASK)
    assert [post.chat_id for post in server.messages()] == [group.chat_id, server.person(int(chat)).dialogue]
    assert [query.partition("=")[0] for query in queries(server, "/messages")] == ["chat_id", "user_id"]


@pytest.mark.parametrize("chat_id", ["", "мария", "chat:", "chat:x", "1" * 30, "+79140000001"])
async def test_a_chat_id_of_another_form_reaches_nobody(
    max_bot: MaxBot, server: MaxStandIn, chat_id: str
) -> None:
    with pytest.raises(Unreachable):
        await max_bot.send(chat_id, ASK)
    assert server.requests == []


async def test_after_the_tap_the_buttons_are_gone(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str
) -> None:
    message_id = await max_bot.send(chat, ASK)
    change = Outgoing(text="Ваша оценка: 9", buttons=((Button("Изменить", "c:1"),),))
    await max_bot.edit(chat, message_id, change)
    await max_bot.edit(chat, message_id, change)  # already so
    assert server.last(maria).labels == ["Изменить"]
    await max_bot.edit(chat, message_id, Outgoing(text="Ваша оценка: 9"))
    assert (server.last(maria).text, server.last(maria).labels) == ("Ваша оценка: 9", [])


async def test_a_change_without_a_text_leaves_the_text_as_it_is(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str
) -> None:
    message_id = await max_bot.send(chat, ASK)
    await max_bot.edit(chat, message_id, Outgoing(text="", buttons=((Button("Изменить", "c:1"),),)))
    assert (server.last(maria).text, server.last(maria).labels) == (ASK.text, ["Изменить"])


@pytest.mark.parametrize("message_id", ["mid.gone", ""])
@pytest.mark.parametrize("text", ["Спасибо", ""])
async def test_editing_a_message_that_is_gone_is_a_success(
    max_bot: MaxBot, server: MaxStandIn, chat: str, message_id: str, text: str
) -> None:
    await max_bot.edit(chat, message_id, Outgoing(text=text))
    assert server.messages() == []


async def test_an_edit_that_is_refused_inside_a_200_is_an_error(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str
) -> None:
    theirs = server.says(maria, "9")
    with pytest.raises(Permanent, match="message can be edited by its sender only"):
        await max_bot.edit(chat, theirs, Outgoing(text="8"))


async def test_a_tap_is_answered_and_later_answers_do_no_harm(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, chat: str, clock: Clock
) -> None:
    await max_bot.send(chat, ASK)
    tap, late = server.tap(maria, "9"), server.tap(maria, "8")
    await max_bot.answer_tap(tap, "Спасибо!")
    await max_bot.answer_tap(tap, "")  # MAX takes no empty answer
    clock.forward(hours=1)
    await max_bot.answer_tap(late, "Спасибо!")
    await max_bot.answer_tap("unknown", "Спасибо!")
    assert (server.taps[tap].answers, server.taps[late].answers) == (["Спасибо!", "✓"], [])


async def test_a_deep_link_names_the_bot_and_asks_its_name_once(server: MaxStandIn) -> None:
    channel = bot(server)
    assert await channel.deep_link("abc") == "https://max.ru/id990001_bot?start=abc"
    assert await channel.deep_link("xyz") == "https://max.ru/id990001_bot?start=xyz"
    assert [request.path for request in server.requests] == ["/me"]
    await channel.close()


async def test_the_other_form_of_a_deep_link_is_a_setting(server: MaxStandIn) -> None:
    channel = bot(server, deep_link="https://max.ru/{bot}/start/{token}")
    assert await channel.deep_link("abc") == "https://max.ru/id990001_bot/start/abc"
    await channel.close()


async def test_a_bot_without_a_public_name_has_no_link_unless_one_is_written(server: MaxStandIn) -> None:
    server.username = None
    channel, own = bot(server), bot(server, deep_link="https://vlad.example/max/{token}")
    with pytest.raises(Permanent) as refused:
        await channel.deep_link("abc")
    assert "max.deep_link" in refused.value.remedy
    assert await own.deep_link("abc") == "https://vlad.example/max/abc"
    await channel.close()
    await own.close()


# Polling


async def test_nothing_is_confirmed_before_it_is_on_disk(
    max_bot: MaxBot, server: MaxStandIn, maria: Person
) -> None:
    server.says(maria, "9")
    first = await max_bot.poll("", NOTHING)
    again = await max_bot.poll("", NOTHING)  # the commit failed
    assert [raw.external_id for raw in again.updates] == [raw.external_id for raw in first.updates]
    server.says(maria, "спасибо")
    after = await max_bot.poll(again.offset, NOTHING)
    assert [max_bot.read(raw.body)[0].text for raw in after.updates] == ["спасибо"]
    assert len(server.waiting()) == 1


async def test_an_empty_page_keeps_what_was_committed(
    max_bot: MaxBot, server: MaxStandIn, maria: Person
) -> None:
    server.says(maria, "9")
    kept = (await max_bot.poll("", NOTHING)).offset
    empty = await max_bot.poll(kept, NOTHING)
    assert (empty.updates, empty.offset) == ((), kept)


async def test_the_marker_of_another_bot_is_left_out_and_never_a_zero_sent(
    max_bot: MaxBot, server: MaxStandIn, maria: Person
) -> None:
    server.says(maria, "9")
    for offset in ("", "990001:0", "111:999999999999", "999999999999", "990001:", "990001:x"):
        assert len((await max_bot.poll(offset, NOTHING)).updates) == 1
    assert not any("marker" in query for query in queries(server, "/updates"))


async def test_it_waits_no_longer_and_asks_for_no_more_than_max_allows(
    max_bot: MaxBot, server: MaxStandIn, maria: Person
) -> None:
    server.says(maria, "9")
    await max_bot.poll("", timedelta(seconds=50))
    assert queries(server, "/updates") == ["timeout=30&limit=100"]


async def test_one_odd_update_does_not_hide_its_neighbours(
    max_bot: MaxBot, server: MaxStandIn, maria: Person
) -> None:
    server.says(maria, "9")
    number, at, _ = server.updates[0]
    odd: list[dict[str, Any]] = [
        {"update_type": None, "message": 5},
        {},
        {"update_type": "message_created", "message": None},
    ]
    server.updates[:0] = [(number - 3 + place, at, update) for place, update in enumerate(odd)]
    batch = await max_bot.poll("", NOTHING)
    assert len({raw.external_id for raw in batch.updates}) == 4
    assert max_bot.read(batch.updates[-1].body)[0].text == "9"


@pytest.mark.parametrize("page", [[], {"updates": None, "marker": None}, {"marker": 0}, "x", None])
async def test_a_page_of_another_form_loses_nothing(
    max_bot: MaxBot, server: MaxStandIn, maria: Person, page: Any
) -> None:
    server.says(maria, "9")
    await max_bot.start()
    server.faults.add("/updates", status=200, body=json.dumps(page))
    if isinstance(page, dict):
        assert (await max_bot.poll("990001:5", NOTHING)).offset == "990001:5"
    else:
        with pytest.raises(Temporary):
            await max_bot.poll("990001:5", NOTHING)
    assert len((await max_bot.poll("", NOTHING)).updates) == 1


async def test_another_programs_subscription_is_told_because_polling_brings_nothing(
    max_bot: MaxBot, server: MaxStandIn, maria: Person
) -> None:
    server.subscribe("https://crm.example.org/hook/secret")
    with pytest.raises(Permanent) as refused:
        await max_bot.start()
    assert "crm.example.org" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "DELETE /subscriptions" in refused.value.remedy


async def test_a_subscription_that_comes_later_is_told_until_it_is_gone(server: MaxStandIn) -> None:
    time = Time()
    settings = BotSettings(token=server.token, api_url="http://max.test")
    channel = MaxBot(settings, transport=httpx.ASGITransport(server.app), pace=Pace(None), now=time)
    await channel.start()
    server.subscribe("https://crm.example.org/hook")
    await channel.poll("", NOTHING)
    time.now += 600
    for _ in range(2):
        with pytest.raises(Permanent, match=r"crm\.example\.org"):
            await channel.poll("", NOTHING)
    server.subscriptions.clear()
    for _ in range(3):
        await channel.poll("", NOTHING)
    assert len(queries(server, "/subscriptions")) == 4
    await channel.close()


class Time:
    """Goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
async def paced() -> AsyncIterator[tuple[MaxBot, Time, list[float]]]:
    """A bot that spares MAX, its clock, and when messages, polls and answers to taps reached MAX."""
    time, arrivals = Time(), list[float]()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path not in ("/me", "/subscriptions"):
            arrivals.append(time.now)
        sent = {"message": {"body": {"mid": f"mid.{len(arrivals)}"}}}
        return httpx.Response(
            200, json={"user_id": 1, "updates": [], "marker": None, "success": True, **sent}
        )

    settings = BotSettings(token="t", api_url="http://max.test")
    channel = MaxBot(settings, transport=httpx.MockTransport(answer), now=time, sleep=time.sleep)
    yield channel, time, arrivals
    await channel.close()


def busiest_second(arrivals: list[float]) -> int:
    return max(sum(at <= other < at + 1 for other in arrivals) for at in arrivals)


async def test_it_polls_at_most_twice_a_second(paced: tuple[MaxBot, Time, list[float]]) -> None:
    channel, _, arrivals = paced
    for _ in range(6):
        await channel.poll("", NOTHING)
    assert busiest_second(arrivals) == 2


async def test_one_dialogue_gets_at_most_two_messages_a_second_and_holds_up_no_other(
    paced: tuple[MaxBot, Time, list[float]],
) -> None:
    channel, time, arrivals = paced
    for _ in range(5):
        await channel.send("1", ASK)
    assert busiest_second(arrivals) == 2
    time.now += 10
    began = time.now
    for person in range(5):
        await channel.send(str(person), ASK)
    assert time.now - began < 0.5


async def test_taps_are_answered_at_most_twice_a_second(paced: tuple[MaxBot, Time, list[float]]) -> None:
    channel, _, arrivals = paced
    for number in range(5):
        await channel.answer_tap(f"tap{number}", "")
    assert busiest_second(arrivals) == 2


# What goes wrong


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_told_with_the_remedy_and_never_shown(status: int) -> None:
    body = {"code": "verify.token", "message": "Invalid access_token: f9LHodD0cOI-secret"}
    with pytest.raises(AccessDenied) as denied:
        await asked(status, json=body).start()
    assert "max.token" in denied.value.remedy
    assert "f9LHodD0cOI" not in f"{denied.value}{denied.value.remedy}"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, SUSPENDED, Unreachable),
        (403, {"code": "chat.denied", "message": None}, Unreachable),
        (403, {"code": "verify.token", "message": "Invalid access_token"}, AccessDenied),  # no client's doing
        (404, {"code": "chat.not.found", "message": "Chat 5000000001 not found"}, Unreachable),
        (400, {"code": "proto.payload", "message": "Key: error.dialog.suspended, args: []."}, Unreachable),
        (200, {"success": False, "message": "error.dialog.suspended"}, Unreachable),
        (200, {"success": False, "message": "something else"}, Permanent),
        (200, {"success": False}, Permanent),
        (200, {"code": "proto.payload", "message": "text: size must be between 0 and 4000"}, Permanent),
        (400, {"code": "proto.payload", "message": "Мария, +79140000001"}, Permanent),
        (400, {"code": "attachment.not.ready", "message": "Key: errors.process.attachment"}, Temporary),
        (400, {"code": "too.many.requests", "message": "Too many requests"}, Temporary),
        (405, {"code": "not.allowed", "message": "Method is not allowed"}, Permanent),
        (429, {"code": "too.many.requests", "message": "Too many requests"}, Temporary),
        (500, {"code": "internal", "message": "Internal error"}, Uncertain),
        (503, {"code": "service.unavailable", "message": "…"}, Uncertain),
        (200, {}, Uncertain),
        (200, {"message": {"body": {"mid": None}}}, Uncertain),
        (200, {"message": {"body": None}}, Uncertain),
        (200, [], Uncertain),
    ],
)
async def test_every_refusal_of_a_message_is_one_of_our_errors(
    status: int, body: Any, kind: type[OutsideError]
) -> None:
    with pytest.raises(OutsideError) as refused:
        await asked(status, json=body).send("1", ASK)
    assert type(refused.value) is kind
    for secret in ("79140000001", "Мария", "5000000001"):
        assert secret not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (403, HTML_ERROR, Temporary),  # a filter's page is no client who stopped the bot
        (404, HTML_ERROR, Temporary),
        (451, "", Temporary),
        (302, "", Temporary),
        (403, "{}", Temporary),
        (502, HTML_ERROR, Uncertain),
        (200, HTML_ERROR, Uncertain),
        (200, "", Uncertain),
        (200, "{" * 5000, Uncertain),
    ],
)
async def test_what_is_not_maxs_own_answer_makes_nobody_unreachable(
    status: int, text: str, kind: type[OutsideError]
) -> None:
    with pytest.raises(OutsideError) as refused:
        await asked(status, text=text).send("1", ASK)
    assert type(refused.value) is kind


async def test_a_filter_in_between_is_told() -> None:
    with pytest.raises(Temporary) as filtered:
        await asked(403, text=HTML_ERROR).start()
    assert "max.api_url" in filtered.value.remedy


async def test_polling_that_is_not_allowed_says_who_may_get_the_updates() -> None:
    channel = asked(405, json={"code": "not.allowed", "message": "Method is not allowed"}, only="/updates")
    with pytest.raises(Temporary) as refused:
        await channel.poll("", NOTHING)
    assert "subscription" in refused.value.remedy


@pytest.mark.parametrize("body", [{}, {"user_id": None}, []])
async def test_something_that_is_no_bot_is_told(body: Any) -> None:
    with pytest.raises(Temporary) as odd:
        await asked(200, json=body).start()
    assert "max.api_url" in odd.value.remedy


@respx.mock
async def test_a_refused_connection_did_nothing(respx_mock: respx.MockRouter) -> None:
    respx_mock.post("http://max.test/messages").mock(side_effect=httpx.ConnectError("refused"))
    channel = MaxBot(BotSettings(token="t", api_url="http://max.test"), pace=Pace(None))
    with pytest.raises(Temporary, match="cannot be reached"):
        await channel.send("1", ASK)
    await channel.close()


async def test_a_certificate_that_is_not_trusted_names_the_setting() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in chain")

    settings = BotSettings(token="t", api_url="https://max.test")
    channel = MaxBot(settings, transport=httpx.MockTransport(refuse), pace=Pace(None), sleep=Time().sleep)
    with pytest.raises(Temporary) as refused:
        await channel.send("1", ASK)
    assert "max.ca_file" in refused.value.remedy
    assert isinstance(refused.value.__cause__, httpx.ConnectError)
    await channel.close()


async def test_a_ca_file_of_ones_own_is_trusted_besides_the_common_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = ssl.DER_cert_to_PEM_cert(trusted().get_ca_certs(binary_form=True)[0])
    file = tmp_path / "russian-root.pem"
    file.write_text(certificate, encoding="ascii")
    given: list[ssl.SSLContext] = []
    real = httpx.AsyncClient.__init__

    def note(client: httpx.AsyncClient, **options: Any) -> None:
        given.append(options["verify"])
        real(client, **options)

    monkeypatch.setattr(httpx.AsyncClient, "__init__", note)
    await MaxBot(BotSettings(token="t", ca_file=str(file))).close()
    assert given
    for context in given:
        assert context is not trusted()
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert len(context.get_ca_certs()) >= len(trusted().get_ca_certs())


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_ca_file_without_a_certificate_is_told(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "root.pem"
    if content is not None:
        file.write_text(content, encoding="ascii")
    with pytest.raises(Permanent) as refused:
        MaxBot(BotSettings(token="t", ca_file=str(file)))
    assert "max.ca_file" in f"{refused.value}{refused.value.remedy}"


def asked(status: int, *, json: Any = None, text: str | None = None, only: str = "") -> MaxBot:
    """A bot whose MAX answers just this, to every request or to `only` one path."""

    def answer(request: httpx.Request) -> httpx.Response:
        if only and request.url.path != only:
            return httpx.Response(200, json={"user_id": 1, "username": "id1_bot", "subscriptions": []})
        return httpx.Response(status, json=json) if text is None else httpx.Response(status, text=text)

    settings = BotSettings(token="t", api_url="http://max.test")
    return MaxBot(settings, transport=httpx.MockTransport(answer), pace=Pace(None), sleep=Time().sleep)


@pytest.mark.skipif(not SAMPLE.exists(), reason=REASON)
@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ("NewMessageBody", {"text": "я" * 4001}, "text"),
        ("NewMessageBody", {"text": "9", "parse_mode": "HTML"}, "parse_mode is unknown"),
        ("CallbackAnswer", {"notification": 9}, "notification"),
        ("SubscriptionRequestBody", {"url": "https://x.ru", "secret": "ab"}, "secret"),
        ("SubscriptionRequestBody", {"secret": "a" * 64}, "url"),
    ],
)
def test_the_description_would_find_a_mistake(schema: str, value: object, problem: str) -> None:
    assert any(problem in found for found in problems_in(schema, value))
