"""What goes out through Wazzup: words, buttons and templates, by chat or by phone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from integrations.channels.base import Button, Outgoing, Template
from integrations.channels.wazzup import Wazzup
from integrations.errors import Permanent, Unreachable
from integrations.standins.wazzup import WazzupStandIn
from tests.integrations.clock import Clock
from tests.integrations.wazzup_world import wazzup

MARIA = "+79140000001"
CHAT = "79140000001"
DIGITS = tuple(str(n) for n in range(1, 11))
STOP = Button("Не спрашивать", data="s:1:stop")
ASK = Outgoing(text="Оцените от 1 до 10", buttons=(tuple(Button(n, f"s:1:{n}") for n in DIGITS), (STOP,)))
GUID = "8d255e5d-aefd-44dc-8131-c3ad6c3ab28c"


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
    server.requests.clear()
    yield channel
    await channel.close()


def account(clock: Clock, transport: str) -> WazzupStandIn:
    """An account with a channel of this kind."""
    return WazzupStandIn(clock, transport=transport)


def sent_bodies(server: WazzupStandIn) -> list[dict[str, Any]]:
    return [request.json for request in server.requests if request.path == "/v3/message"]


async def test_a_question_goes_as_words_where_there_are_no_buttons(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    message_id = await whatsapp.send(CHAT, Outgoing(text="9?", buttons=ASK.buttons, reference="q1"))
    assert server.last(MARIA).message_id == message_id
    assert sent_bodies(server) == [
        {
            "channelId": server.channel.channel_id,
            "chatType": "whatsapp",
            "chatId": CHAT,
            "text": "9?",
            "crmMessageId": "q1",
            "clearUnanswered": False,
        }
    ]
    assert (whatsapp.has_buttons, whatsapp.poll_limit, whatsapp.gap) == (False, 0, timedelta(seconds=45))


async def test_a_message_without_a_name_gets_one_of_its_own(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    for _ in range(2):
        await whatsapp.send(CHAT, ASK)
    assert len({body["crmMessageId"] for body in sent_bodies(server)}) == 2


@pytest.mark.parametrize(("transport", "longest"), [("whatsapp", 10_000), ("max", 4096), ("tgapi", 4096)])
async def test_a_text_of_any_length_goes(clock: Clock, transport: str, longest: int) -> None:
    server = account(clock, transport)
    channel = wazzup(server)
    await channel.send(channel.address(MARIA) or "", Outgoing(text="я" * 20_000))
    assert len(server.last(MARIA).text) == longest
    await channel.close()


async def test_an_answer_quotes_and_goes_without_when_the_quoted_is_gone(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    theirs = server.says(MARIA, "почему?")
    await whatsapp.send(CHAT, Outgoing(text="потому", quote=theirs))
    assert server.last(MARIA).quoted == theirs
    await whatsapp.send(CHAT, Outgoing(text="всё же", quote="0"))
    assert (server.last(MARIA).text, server.last(MARIA).quoted) == ("всё же", "")


@pytest.mark.parametrize("chat_id", ["", "7914 000", "79140000001\n", "x" * 200])
async def test_nothing_is_sent_to_what_is_no_chat(
    server: WazzupStandIn, whatsapp: Wazzup, chat_id: str
) -> None:
    with pytest.raises(Unreachable):
        await whatsapp.send(chat_id, ASK)
    assert server.requests == []


@pytest.mark.parametrize(
    ("transport", "group", "chat_type"),
    [
        ("whatsapp", "79140000000-158", "whatsgroup"),
        ("max", "-42", "maxgroup"),
        ("tgapi", "-42", "telegroup"),
    ],
)
async def test_a_group_can_be_written_to(clock: Clock, transport: str, group: str, chat_type: str) -> None:
    server = account(clock, transport)
    channel = wazzup(server)
    await channel.send(group, Outgoing(text="Рекламация"))
    (body,) = sent_bodies(server)
    assert (body["chatType"], body["chatId"]) == (chat_type, group)
    await channel.close()


async def test_editing_and_answering_taps_ask_nothing_of_the_service(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    await whatsapp.edit(CHAT, "1", Outgoing(text="Спасибо"))
    await whatsapp.answer_tap("", "Спасибо")
    assert server.requests == []


@pytest.mark.parametrize("transport", ["max", "tgapi"])
async def test_an_account_writes_first_by_phone_and_then_by_the_chat_it_learned(
    clock: Clock, transport: str
) -> None:
    server = account(clock, transport)
    channel = wazzup(server)
    await channel.send(MARIA, ASK)
    await channel.send(MARIA, ASK)
    first, second = sent_bodies(server)
    assert (first["phone"], "chatId" in first) == (CHAT, False)
    assert (second["chatId"], "phone" in second) == (server.chat_of(MARIA), False)
    assert first["chatType"] == {"max": "max", "tgapi": "telegram"}[transport]
    await channel.close()


# WABA


@pytest.fixture
def waba(clock: Clock) -> WazzupStandIn:
    server = account(clock, "wapi")
    server.templates[GUID] = "Здравствуйте! Как вам {{1}}? Ответьте от 1 до 10"
    return server


@pytest.fixture
async def approved(waba: WazzupStandIn) -> AsyncIterator[Wazzup]:
    channel = wazzup(waba, templates={"nps": Template(template=GUID, parameters=("company",))})
    await channel.start()
    yield channel
    await channel.close()


async def test_whoever_wrote_lately_gets_buttons(waba: WazzupStandIn, approved: Wazzup, clock: Clock) -> None:
    waba.says(MARIA, "здравствуйте")
    assert (approved.has_buttons, approved.gap) == (True, timedelta(0))
    await approved.send(CHAT, Outgoing(text="?", buttons=ASK.buttons, client_wrote_at=clock()))
    # Ten is all that fits: «Не спрашивать» can be typed.
    assert waba.last(MARIA).buttons == tuple((n, f"s:1:{n}") for n in DIGITS)


@pytest.mark.parametrize(
    "buttons",
    [
        (tuple(Button(str(n), f"s:1:{n}") for n in range(11)),),  # from 0 to 10
        ((Button("Полностью всем доволен", "s:1:1"),),),
        ((Button("да", "s:1:1"), Button("да", "s:1:2")),),
        ((Button("Открыть", url="https://2gis.ru/firm/1"),),),
    ],
)
async def test_buttons_that_do_not_fit_are_left_out(
    waba: WazzupStandIn, approved: Wazzup, clock: Clock, buttons: tuple[tuple[Button, ...], ...]
) -> None:
    waba.says(MARIA, "здравствуйте")
    await approved.send(CHAT, Outgoing(text="Оцените", buttons=buttons, client_wrote_at=clock()))
    sent = waba.last(MARIA)
    assert sent.buttons == ()
    assert sent.text.startswith("Оцените")
    assert ("https://2gis.ru/firm/1" in sent.text) == bool(buttons[0][0].url)


async def test_whoever_did_not_write_lately_gets_the_template(
    waba: WazzupStandIn, approved: Wazzup, clock: Clock
) -> None:
    wrote_at = clock()
    clock.forward(hours=23, minutes=50)  # ten minutes for the clocks to differ
    assert approved.needs_template(wrote_at, clock())
    message = Outgoing(
        text="?", topic="nps", values={"company": "Влад\n Автоматика"}, client_wrote_at=wrote_at
    )
    await approved.send(CHAT, message)
    sent = waba.last(MARIA)
    assert (sent.template, sent.text) == (GUID, "Здравствуйте! Как вам Влад Автоматика? Ответьте от 1 до 10")


async def test_a_window_that_wazzup_finds_closed_gets_the_template(
    waba: WazzupStandIn, approved: Wazzup, clock: Clock
) -> None:
    waba.refuses_at_once = True
    message = Outgoing(text="?", topic="nps", values={"company": "мы"}, client_wrote_at=clock())
    await approved.send(CHAT, message)
    assert waba.last(MARIA).template == GUID
    with pytest.raises(Permanent, match="only a template"):
        await approved.send(CHAT, Outgoing(text="Спасибо!", client_wrote_at=clock()))


@pytest.mark.parametrize(
    ("message", "trouble"),
    [
        (Outgoing(text="?", topic="csat"), "only a template"),
        (Outgoing(text="?"), "only a template"),
        (Outgoing(text="?", topic="nps"), "no value for company"),
    ],
)
async def test_without_a_template_nothing_goes_out(
    waba: WazzupStandIn, approved: Wazzup, message: Outgoing, trouble: str
) -> None:
    with pytest.raises(Permanent, match=trouble):
        await approved.send(CHAT, message)
    assert waba.posted == []


def test_before_the_account_was_asked_templates_tell_of_a_waba_channel(waba: WazzupStandIn) -> None:
    assert not wazzup(waba).needs_template(None, waba.clock())
    assert wazzup(waba, templates={"nps": Template(template=GUID)}).needs_template(None, waba.clock())


async def test_a_channel_by_qr_code_needs_no_template(whatsapp: Wazzup, clock: Clock) -> None:
    assert not whatsapp.needs_template(None, clock())
