"""An answer of Wazzup was lost: what may be repeated, what is known then, and whose an echo is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from integrations.channels import wazzup as module
from integrations.channels.base import IncomingKind, Outgoing, Status, Template
from integrations.channels.wazzup import Wazzup
from integrations.channels.wazzup_ours import ECHO_WITHIN, UNNAMED, Ours
from integrations.errors import OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.standins.wazzup import REPEATED, WazzupStandIn
from tests.integrations.clock import Clock
from tests.integrations.wazzup_world import SECRET, URL, came_in, one, posts, wazzup

MARIA = "+79140000001"
CHAT = "79140000001"
ASK = Outgoing(text="Оцените от 1 до 10", reference="survey-42")
LOST: list[dict[str, Any]] = [
    {"drop": True},
    {"status": 502},
    {"status": 504, "body": ""},
    {"status": 200, "body": "<html>"},
    {"status": 201, "json": {}},
    {"status": 201, "json": [1]},
    {"status": 201, "json": {"messageId": None, "chatId": CHAT}},
]


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


def asked(server: WazzupStandIn) -> list[str]:
    return [str(request.json["crmMessageId"]) for request in server.requests if request.path == "/v3/message"]


# The one safe repeat


@pytest.mark.parametrize("spelling", REPEATED)
@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_a_repeat_that_is_refused_proves_that_the_first_one_went_out(
    server: WazzupStandIn, whatsapp: Wazzup, fault: dict[str, Any], spelling: str
) -> None:
    server.repeated_spelling = spelling
    server.faults.add("/message", after=True, **fault)
    assert await whatsapp.send(CHAT, ASK) == f"{UNNAMED}survey-42"
    assert [post.text for post in server.messages(MARIA)] == [ASK.text]
    assert asked(server) == ["survey-42", "survey-42"]


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 502}])
async def test_a_repeat_of_what_never_arrived_sends_it(
    server: WazzupStandIn, whatsapp: Wazzup, fault: dict[str, Any]
) -> None:
    server.faults.add("/message", **fault)
    message_id = await whatsapp.send(CHAT, ASK)
    assert [post.message_id for post in server.messages(MARIA)] == [message_id]


async def test_without_a_name_of_ours_the_repeat_is_under_the_same_made_up_one(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    server.faults.add("/message", drop=True, after=True)
    await whatsapp.send(CHAT, Outgoing(text="Спасибо!"))
    first, second = asked(server)
    assert first == second != ""
    assert len(server.posted) == 1


async def test_two_lost_answers_leave_it_uncertain_and_sent_once(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    server.faults.add("/message", drop=True, after=True, times=0)
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)
    assert (len(server.posted), len(asked(server))) == (1, 2)


@pytest.mark.parametrize(
    "second",
    [
        {"status": 429, "headers": {"Retry-After": "9"}},
        {"status": 401},
        {"json": {"error": "CHANNEL_NO_MONEY"}},
    ],
)
async def test_a_repeat_that_is_turned_away_says_nothing_about_the_first(
    server: WazzupStandIn, whatsapp: Wazzup, second: dict[str, Any]
) -> None:
    server.faults.add("/message", drop=True, after=True)
    server.faults.add("/message", nth=2, **{"status": 400, **second})
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)
    assert len(server.posted) == 1


@pytest.mark.parametrize(("code", "error"), [("BAD_CONTACT", Unreachable), ("TEMPLATE_REJECTED", Permanent)])
async def test_what_is_wrong_with_the_message_was_wrong_the_first_time(
    server: WazzupStandIn, whatsapp: Wazzup, code: str, error: type[OutsideError]
) -> None:
    server.faults.add("/message", drop=True)
    server.refuse(code)
    with pytest.raises(error):
        await whatsapp.send(CHAT, ASK)
    assert server.posted == []


async def test_too_late_nothing_is_repeated(
    server: WazzupStandIn, whatsapp: Wazzup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAFE_TO_REPEAT", -1.0)  # the first answer took longer than Wazzup remembers
    server.faults.add("/message", drop=True, after=True)
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)
    assert len(asked(server)) == 1


async def test_a_name_that_wazzup_knows_already_means_sent(
    server: WazzupStandIn, whatsapp: Wazzup, clock: Clock
) -> None:
    await whatsapp.send(CHAT, ASK)
    again = wazzup(server)  # after a restart within a minute
    assert await again.send(CHAT, ASK) == f"{UNNAMED}survey-42"
    assert len(server.posted) == 1
    clock.forward(seconds=61)
    assert await again.send(CHAT, ASK) == server.last(MARIA).message_id
    assert len(server.posted) == 2
    await again.close()


async def test_a_refused_connection_is_temporary(server: WazzupStandIn) -> None:
    channel = wazzup(server)
    await channel.start()
    server.faults.add("/message", status=503, headers={"Retry-After": "60"})
    with pytest.raises(Temporary):
        await channel.send(CHAT, ASK)
    assert len(asked(server)) == 1
    await channel.close()


# Whose an echo is


async def test_what_a_person_of_the_company_writes_is_an_echo(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    for from_amocrm in (False, True):
        message_id = server.manager_writes(MARIA, "9", from_amocrm=from_amocrm)
        echo = one(server, whatsapp)
        assert (echo.kind, echo.chat_id, echo.text) == (IncomingKind.ECHO, CHAT, "9")
        assert (echo.message_id, echo.phone) == (message_id, "")


async def test_our_own_message_is_no_persons(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    server.echoes_ours = True
    message_id = await whatsapp.send(CHAT, ASK)
    told = came_in(server, whatsapp)
    assert [(each.kind, each.status) for each in told] == [
        (IncomingKind.STATUS, Status.SENT),
        (IncomingKind.STATUS, Status.SENT),
        (IncomingKind.STATUS, Status.DELIVERED),
    ]
    assert {(each.message_id, each.reference, each.chat_id) for each in told} == {
        (message_id, "survey-42", CHAT)
    }
    assert told[0].text == ASK.text


async def test_an_echo_may_be_faster_than_the_answer(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    server.echoes_ours = True
    server.faults.add("/message", after=True, delay=0.05)
    sending = asyncio.create_task(whatsapp.send(CHAT, ASK))
    async with asyncio.timeout(5):
        await server.has_waiting.wait()
    incomings = came_in(server, whatsapp)
    assert not sending.done()
    assert {each.kind for each in incomings} == {IncomingKind.STATUS}
    assert {each.message_id for each in incomings} == {await sending}


async def test_the_echo_of_a_lost_message_tells_its_id(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    server.echoes_ours = True
    server.faults.add("/message", drop=True, after=True, times=0)
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)
    ours = came_in(server, whatsapp)[0]
    assert (ours.kind, ours.status, ours.chat_id, ours.text) == (
        IncomingKind.STATUS,
        Status.SENT,
        CHAT,
        ASK.text,
    )
    assert (ours.message_id, ours.reference) == (server.last(MARIA).message_id, "survey-42")


async def test_statuses_of_a_message_without_an_id_come_under_its_stand_in(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    server.echoes_ours = True
    server.keep_statuses()
    server.faults.add("/message", drop=True, after=True)
    name = await whatsapp.send(CHAT, ASK)
    real = server.last(MARIA).message_id
    server.tells_status(real, "delivered")
    echo, delivered = [each for post in posts(server) for each in whatsapp.take(post, SECRET)]
    # Before the echo was read nobody knows whose status it is; read again after it, it is known.
    assert whatsapp.read(delivered.body)[0].message_id == real
    assert whatsapp.read(echo.body)[0].message_id == name
    assert whatsapp.read(delivered.body)[0].message_id == name
    server.says(MARIA, "9", quote=real)
    assert one(server, whatsapp).quoted == name
    await whatsapp.send(CHAT, Outgoing(text="Спасибо!", quote=name))
    assert server.last(MARIA).quoted == ""  # what has no id of Wazzup's cannot be quoted


async def test_a_person_may_write_the_very_words_that_were_refused_or_sent(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    server.refuse("TEMPLATE_REJECTED")
    with pytest.raises(Permanent):
        await whatsapp.send(CHAT, ASK)
    server.manager_writes(MARIA, ASK.text)
    assert one(server, whatsapp).kind is IncomingKind.ECHO
    await whatsapp.send(CHAT, ASK)
    came_in(server, whatsapp)
    server.manager_writes(MARIA, ASK.text)  # under another id than ours
    assert one(server, whatsapp).kind is IncomingKind.ECHO


async def test_the_echo_of_a_template_is_ours_whatever_its_words(clock: Clock) -> None:
    server = WazzupStandIn(clock, transport="wapi")
    server.templates["guid"] = "Оцените нас"
    server.echoes_ours = True
    channel = wazzup(server, templates={"nps": Template(template="guid")})
    await channel.start()
    await channel.register(URL, SECRET)
    server.faults.add("/message", drop=True, after=True)
    name = await channel.send(CHAT, Outgoing(text="?", topic="nps"))
    assert came_in(server, channel)[0].message_id == name
    await channel.close()


def test_words_are_recognised_for_ten_minutes() -> None:
    now = 0.0
    ours = Ours(lambda: now)
    sent = ours.begin("1", "Оцените\nнас", "a")
    assert ours.accepted(sent, "") == f"{UNNAMED}a"
    now = ECHO_WITHIN + 1
    assert ours.find("m1", "1", "Оцените нас") is None
    now = ECHO_WITHIN
    assert ours.find("m1", "2", "Оцените нас") is None  # in another chat
    assert ours.find("m1", "1", " Оцените  нас ") is sent
    assert ours.find("m2", "1", "Оцените нас") is None  # it was the first of the two
    assert ours.name_of("m1") == f"{UNNAMED}a"
