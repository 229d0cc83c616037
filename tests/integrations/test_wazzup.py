"""The Wazzup channel against a made-up account: which channel it takes, and what goes wrong."""

import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.channels.base import (
    Button,
    Channel,
    GatewaySettings,
    Hooked,
    Outgoing,
    Polled,
    Sought,
    Stoppable,
    Templated,
)
from integrations.channels.wazzup import Wazzup
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.standins.wazzup import WazzupStandIn
from tests.integrations.clock import Clock
from tests.integrations.wazzup_world import wazzup

SAMPLES = Path(__file__).parents[2] / "../shared/reference/samples/wazzup"
MARIA = "+79140000001"
CHAT = "79140000001"
DIGITS = tuple(str(n) for n in range(1, 11))
STOP = Button("Не спрашивать", data="s:1:stop")
ASK = Outgoing(text="Оцените от 1 до 10", buttons=(tuple(Button(n, f"s:1:{n}") for n in DIGITS), (STOP,)))
SECOND = "1111aaaa-2222-4333-8444-555555555555"


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


def test_it_is_what_the_flows_expect(server: WazzupStandIn) -> None:
    channel: Channel = wazzup(server)
    assert isinstance(channel, Hooked)
    assert isinstance(channel, Stoppable)
    assert isinstance(channel, Templated)
    assert not isinstance(channel, Polled | Sought)
    assert (channel.is_hooked, channel.hook_place) == (True, "whatsapp")


@pytest.mark.parametrize(
    ("transport", "phone", "address"),
    [
        ("whatsapp", MARIA, CHAT),
        ("whatsapp", "+998 90 123-45-67", "998901234567"),
        ("whatsapp", "", None),
        ("max", MARIA, MARIA),
        ("tgapi", "+998 90 123-45-67", "+998901234567"),
        ("tgapi", "нет", None),
    ],
)
def test_a_phone_is_an_address(clock: Clock, transport: str, phone: str, address: str | None) -> None:
    assert wazzup(account(clock, transport)).address(phone) == address


# The channel in the account


@pytest.mark.parametrize(
    "wanted", ["", SECOND, SECOND.upper(), "79140000002", "+7 914 000-00-02", "8 (914) 000-00-02"]
)
async def test_a_channel_is_found_by_its_id_or_its_phone(clock: Clock, wanted: str) -> None:
    server = account(clock, "tgapi")
    if wanted:
        server.add_channel("11111111-2222-4333-8444-666666666666", "whatsapp", "79140000003")
    server.add_channel(SECOND, "whatsapp", "79140000002")
    server.add_channel("11111111-2222-4333-8444-777777777777", "vk", "79140000002")
    settings = GatewaySettings(base_url="http://wazzup.test/v3", api_key=server.api_key, channel_id=wanted)
    channel = Wazzup("whatsapp", settings, transport=httpx.ASGITransport(server.app), now=clock)
    await channel.start()
    await channel.send(CHAT, ASK)
    assert server.posted[-1].channel.channel_id == SECOND
    await channel.close()


@pytest.mark.parametrize("wanted", ["vladgates", "@VladGates"])
async def test_a_channel_is_found_by_its_name(clock: Clock, wanted: str) -> None:
    server = account(clock, "tgapi")
    server.channel.plain_id = "vladgates"
    server.add_channel(SECOND, "tgapi", "other")
    channel = wazzup(server, channel_id=wanted)
    await channel.start()
    await channel.send(MARIA, ASK)
    assert server.last(MARIA).channel is server.channels[0]
    await channel.close()


@pytest.mark.parametrize(
    ("wanted", "trouble", "named"),
    [
        ("79149999999", "no such channel", [SECOND, "…0002"]),  # the one that would do
        ("my_bot", "another messenger", [SECOND]),
        ("", "2 channels", [SECOND, "…0000"]),
        ("twins", "2 channels", ["cccccccc", "dddddddd"]),
    ],
)
async def test_what_fits_several_or_none_is_answered_with_what_there_is(
    server: WazzupStandIn, wanted: str, trouble: str, named: list[str]
) -> None:
    server.add_channel(SECOND, "whatsapp", "79140000002")
    server.add_channel("aaaaaaaa-2222-4333-8444-555555555555", "telegram", "my_bot")
    if wanted == "twins":
        server.add_channel("cccccccc-2222-4333-8444-555555555555", "whatsapp", "twins")
        server.add_channel("dddddddd-2222-4333-8444-555555555555", "wapi", "twins")
    channel = wazzup(server, channel_id=wanted)
    with pytest.raises(Permanent, match=trouble) as refused:
        await channel.start()
    assert all(part in refused.value.remedy for part in named)
    assert "79140000002" not in f"{refused.value} {refused.value.remedy}"  # no whole number in an error
    await channel.close()


async def test_an_account_without_channels_says_so(server: WazzupStandIn) -> None:
    server.channels.clear()
    channel = Wazzup(
        "whatsapp",
        GatewaySettings(base_url="http://wazzup.test/v3", api_key=server.api_key),
        transport=httpx.ASGITransport(server.app),
    )
    with pytest.raises(Permanent, match="no channel of this messenger") as refused:
        await channel.start()
    assert "cabinet" in refused.value.remedy
    await channel.close()


async def test_a_channel_that_was_taken_out_of_the_account_holds_all_questions_back(
    server: WazzupStandIn,
) -> None:
    channel = wazzup(server)
    server.channels[0].channel_id = SECOND
    with pytest.raises(AccessDenied, match="no such channel") as held:
        await channel.send(CHAT, ASK)
    assert SECOND in held.value.remedy
    await channel.close()


@pytest.mark.parametrize("answer", [{"json": {}}, {"json": "odd"}, {"body": ""}, {"body": "<html>"}])
async def test_an_odd_list_of_channels_is_asked_for_again_later(
    server: WazzupStandIn, whatsapp: Wazzup, answer: dict[str, Any]
) -> None:
    server.faults.add("/channels", status=200, times=0, **answer)
    with pytest.raises(Temporary):
        await whatsapp.start()


@pytest.mark.parametrize(
    ("state", "error", "remedy"),
    [
        ("qr", AccessDenied, "QR"),
        ("qridle", AccessDenied, "QR"),  # as the list spells it
        ("unauthorized", AccessDenied, "Log"),
        ("foreignphone", AccessDenied, "QR"),
        ("waitForPassword", AccessDenied, "password"),
        ("disabled", AccessDenied, "Switch the channel on"),
        ("rejected", AccessDenied, "Meta"),
        ("blocked", AccessDenied, "Meta"),
        ("init", Temporary, "Wait"),
    ],
)
async def test_a_channel_that_nobody_is_logged_in_to_stops_the_start(
    server: WazzupStandIn, whatsapp: Wazzup, state: str, error: type[OutsideError], remedy: str
) -> None:
    server.channel.state = state
    with pytest.raises(error, match=state) as refused:
        await whatsapp.start()
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        ("notEnoughMoney", "Pay"),
        ("phoneUnavailable", "phone on"),
        ("openElsewhere", "Close"),
        ("openelsewhere", "Close"),
        ("onModeration", "approved"),
        ("somethingNew", "cabinet"),
    ],
)
async def test_what_passes_lets_replies_in_but_no_question_out(
    server: WazzupStandIn, state: str, remedy: str
) -> None:
    server.channel.state = state
    channel = wazzup(server)
    await channel.start()
    with pytest.raises(Temporary, match=state) as stopped:
        await channel.send(CHAT, ASK)
    assert remedy in stopped.value.remedy
    assert stopped.value.retry_after == timedelta(minutes=5)
    assert server.posted == []
    server.channel.state = "active"
    assert await channel.send(CHAT, ASK)
    await channel.close()


async def test_a_healthy_channel_is_not_asked_after_for_each_message(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    for _ in range(3):
        await whatsapp.send(CHAT, ASK)
    assert [request.path for request in server.requests] == ["/v3/message"] * 3


# What goes wrong

STOPPED = timedelta(minutes=5)
REFUSALS: list[tuple[str, type[OutsideError], timedelta | None, str]] = [
    ("INVALID_MESSAGE_DATA", Permanent, None, ""),
    ("VALIDATION_ERROR", Permanent, None, ""),
    ("WRONG_TRANSPORT", Permanent, None, "channel_id"),
    ("CHANNEL_NOT_FOUND", AccessDenied, None, "channel_id"),
    ("CHANNEL_BLOCKED", Temporary, STOPPED, "Switch"),
    ("CHANNEL_NO_MONEY", Temporary, STOPPED, "Pay"),
    ("CHANNEL_WAPI_REJECTED", Temporary, STOPPED, "Meta"),
    ("CHANNEL_LIMIT_EXCEEDED", Permanent, None, "limit"),
    ("BALANCE_IS_EMPTY", Temporary, STOPPED, "Top up"),
    ("MESSAGE_CHANNEL_UNAVAILABLE", Temporary, STOPPED, "cabinet"),
    ("MESSAGES_NOT_TEXT_FIRST", Permanent, None, "tariff"),
    ("MESSAGES_IS_SPAM", Temporary, timedelta(hours=1), "fewer people"),
    ("MESSAGES_CAN_NOT_ADD", Temporary, None, ""),
    ("MESSAGES_TOO_LONG_TELEGRAM", Permanent, None, ""),
    ("BAD_CONTACT", Unreachable, None, ""),
    ("TEMPLATE_REJECTED", Permanent, None, "templateGuid"),
    ("TOO_MANY_EXT_REQS", Temporary, timedelta(minutes=1), ""),
    ("24_HOURS_EXCEEDED", Permanent, None, ""),
    ("E2E_NEW_CODE", Permanent, None, ""),
]


@pytest.mark.parametrize(("code", "error", "wait", "remedy"), REFUSALS, ids=[row[0] for row in REFUSALS])
async def test_every_refusal_says_what_to_do(
    server: WazzupStandIn,
    whatsapp: Wazzup,
    code: str,
    error: type[OutsideError],
    wait: timedelta | None,
    remedy: str,
) -> None:
    server.refuse(code)
    with pytest.raises(error) as refused:
        await whatsapp.send(CHAT, ASK)
    assert type(refused.value) is error or issubclass(error, Permanent)
    assert not isinstance(refused.value, Unreachable) or error is Unreachable
    assert getattr(refused.value, "retry_after", None) == wait
    assert remedy in refused.value.remedy
    assert len(sent_bodies(server)) == 1
    assert "told in English" not in str(refused.value)  # their words may quote a number


async def test_what_was_wrong_in_the_request_is_named(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    body = {"error": "INVALID_MESSAGE_DATA", "data": {"fields": ["chatId", "<79140000001>", 7]}}
    server.faults.add("/message", status=400, json=body)
    with pytest.raises(Permanent, match=r"\(INVALID_MESSAGE_DATA, chatId\)"):
        await whatsapp.send(CHAT, ASK)


async def test_a_refusal_without_a_body_is_a_refusal(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    server.has_error_bodies = False
    server.refuse("CHANNEL_NO_MONEY")
    with pytest.raises(Permanent, match="refused the request"):
        await whatsapp.send(CHAT, ASK)
    assert server.posted == []


async def test_a_channel_that_refused_is_asked_after_before_the_next_message(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    server.channel.state = "notEnoughMoney"
    for match in ("not paid for", "notEnoughMoney"):
        with pytest.raises(Temporary, match=match):
            await whatsapp.send(CHAT, ASK)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_key_is_told_with_its_remedy_and_never_shown(
    server: WazzupStandIn, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    channel = wazzup(server, api_key="not-the-key")
    if status == 403:  # of a key that is good for a part of the methods only
        server.faults.add(times=0, status=403, json={"error": "TOO_MANY_ENTITIES"})
    with caplog.at_level(logging.DEBUG), pytest.raises(AccessDenied) as denied:
        await channel.start()
    assert "API" in denied.value.remedy
    assert "not-the-key" not in f"{caplog.text} {denied.value!r} {denied.value.remedy}"
    await channel.close()


async def test_the_documented_samples_are_understood(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    if not SAMPLES.exists():
        pytest.skip("the samples of Wazzup are not here")
    channels = json.loads((SAMPLES / "typed_channels.200.json").read_text(encoding="utf-8"))
    server.faults.add("/channels", status=200, json=channels, times=0)
    channel = wazzup(server, channel_id="+79140000000")
    await channel.start()
    answer = json.loads((SAMPLES / "typed_send.201.json").read_text(encoding="utf-8"))
    server.faults.add("/message", status=201, json=answer)
    wanted = json.loads((SAMPLES / "typed_send_text.request.json").read_text(encoding="utf-8"))
    message = Outgoing(text=wanted["text"], reference=wanted["crmMessageId"])
    assert await channel.send(CHAT, message) == answer["messageId"]
    assert sent_bodies(server) == [{**wanted, "clearUnanswered": False}]
    await channel.close()


@pytest.mark.parametrize("fault", [{"status": 429, "headers": {"Retry-After": "30"}}, {"status": 429}])
async def test_too_many_requests_are_temporary(
    server: WazzupStandIn, whatsapp: Wazzup, fault: dict[str, Any]
) -> None:
    server.faults.add("/message", body="", **fault)
    with pytest.raises(Temporary) as busy:
        await whatsapp.send(CHAT, ASK)
    assert busy.value.retry_after
    assert server.posted == []


async def test_an_unknown_error_is_no_refusal(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    server.refuse("UNKNOWN_ERROR", times=2)
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)
