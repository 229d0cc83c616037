"""Every channel of the registry behaves alike: a new one is tried here before it has tests of its own."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from integrations.channels.base import (
    BotSettings,
    Button,
    Channel,
    GatewaySettings,
    Hooked,
    Incoming,
    IncomingKind,
    Outgoing,
    Polled,
    Posted,
    Raw,
    Status,
    Template,
)
from integrations.channels.hooks import is_hooked
from integrations.channels.registry import CHANNELS, open_channel
from integrations.errors import AccessDenied, Temporary, Uncertain, Unreachable
from integrations.http import Pace
from integrations.standins.cloud import CloudStandIn
from integrations.standins.faults import Faults
from integrations.standins.max import MaxStandIn
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.wazzup import WazzupStandIn
from integrations.standins.whatsapp import GreenApiStandIn
from tests.integrations import cloud_world, max_schema, wazzup_world
from tests.integrations.clock import Clock
from tests.integrations.cloud_schema import assert_sendings_fit
from tests.integrations.telegram_schema import assert_calls_fit

MARIA = "Мария"
DIGITS = tuple(str(n) for n in range(1, 11))
ASK = Outgoing(
    text="Оцените от 1 до 10",
    buttons=(tuple(Button(n, f"s:1:{n}") for n in DIGITS),),
    poll=DIGITS,
)
URL = "https://sarafan.example.com/webhooks/place/path-secret"
SECRET = "a" * 64  # of the header


class World(ABC):
    """What happens on the other side of a channel, whatever it is."""

    faults: Faults
    sending: str  # the address that takes a question
    askings = 1  # of the service for one question, at most

    @abstractmethod
    def channel(self, *, token: str | None = None) -> Channel: ...
    @abstractmethod
    def chat(self) -> str: ...
    @abstractmethod
    def received(self) -> list[str]: ...
    @abstractmethod
    def tap(self, option: str) -> None: ...
    @abstractmethod
    def types(self, text: str, quote: str = "") -> None: ...
    @abstractmethod
    def vanish(self) -> None: ...
    @abstractmethod
    def busy(self, seconds: int) -> None: ...
    def posts(self) -> list[Posted]:
        """What the service has posted to our address since this was asked last; none where it is polled."""
        return []


class TelegramWorld(World):
    sending = "sendMessage"

    def __init__(self) -> None:
        self.server = TelegramStandIn(Clock())
        self.faults = self.server.faults
        self.server.start(MARIA)
        self.server.updates.clear()

    def channel(self, *, token: str | None = None) -> Channel:
        settings = BotSettings(token=token or self.server.token, api_url="http://telegram.test")
        return open_channel("telegram", settings, transport=httpx.ASGITransport(self.server.app))

    def chat(self) -> str:
        return str(self.server.person(MARIA).user_id)

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(MARIA)]

    def tap(self, option: str) -> None:
        self.server.tap(MARIA, option)

    def types(self, text: str, quote: str = "") -> None:
        self.server.says(MARIA, text, reply_to=int(quote) if quote else None)

    def vanish(self) -> None:
        self.server.block(MARIA)

    def busy(self, seconds: int) -> None:
        self.server.throttle(seconds)


class MaxWorld(World):
    sending = "/messages"

    def __init__(self) -> None:
        self.server = MaxStandIn(Clock(), rate_limit=None)
        self.faults = self.server.faults
        self.server.start(MARIA)
        self.server.updates.clear()

    def channel(self, *, token: str | None = None) -> Channel:
        settings = BotSettings(token=token or self.server.token, api_url="http://max.test")
        transport = httpx.ASGITransport(self.server.app)
        # Two polls a second are tried by themselves; here they would only make the tests slow.
        return open_channel("max", settings, transport=transport, pace=Pace(None))

    def chat(self) -> str:
        return str(self.server.person(MARIA).user_id)

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(MARIA)]

    def tap(self, option: str) -> None:
        self.server.tap(MARIA, option)

    def types(self, text: str, quote: str = "") -> None:
        self.server.says(MARIA, text, reply_to=quote)

    def vanish(self) -> None:
        self.server.block(MARIA)

    def busy(self, seconds: int) -> None:
        self.faults.add(self.sending, times=0, status=429, headers={"Retry-After": str(seconds)})


class WhatsAppWorld(World):
    section = "whatsapp"
    messenger = "whatsapp"
    sending = "sendPoll"
    phone = "+79140000001"

    def __init__(self) -> None:
        self.server = GreenApiStandIn(Clock(), messenger=self.messenger, longest_wait=0.02)
        self.faults = self.server.faults

    def channel(self, *, token: str | None = None) -> Channel:
        settings = GatewaySettings(
            provider="greenapi",
            base_url="http://green.test",
            instance_id=self.server.instance_id,
            api_token=token or self.server.token,
        )
        return open_channel(self.section, settings, transport=httpx.ASGITransport(self.server.app))

    def chat(self) -> str:
        return self.server.chat_of(self.phone)

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(self.phone)]

    def tap(self, option: str) -> None:
        self.server.votes(self.phone, option)

    def types(self, text: str, quote: str = "") -> None:
        self.server.says(self.phone, text, quote=quote)

    def vanish(self) -> None:
        self.server.has_no_account(self.phone)

    def busy(self, seconds: int) -> None:
        self.faults.add(self.sending, times=0, status=429, headers={"Retry-After": str(seconds)})


class CloudWorld(World):
    """Nobody has written yet, so it is asked by a template that says the same."""

    sending = "/messages"
    phone = "+79140000001"

    def __init__(self) -> None:
        self.server = CloudStandIn(Clock())
        self.faults = self.server.faults
        self.server.approve("ask_ru", ASK.text, buttons=DIGITS)
        self.server.set_callback(URL)

    def channel(self, *, token: str | None = None) -> Channel:
        settings = GatewaySettings(
            provider="cloud",
            base_url=cloud_world.BASE_URL,
            phone_number_id=self.server.phone_number_id,
            access_token=token or self.server.token,
            app_secret=self.server.app_secret,
            templates={ASK.topic: Template(template="ask_ru", buttons=len(DIGITS))},
        )
        return open_channel("whatsapp", settings, transport=httpx.ASGITransport(self.server.app))

    def chat(self) -> str:
        return self.server.person(self.phone).chat_id

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(self.phone)]

    def tap(self, option: str) -> None:
        self.server.taps(self.phone, option)

    def types(self, text: str, quote: str = "") -> None:
        self.server.says(self.phone, text, quote=quote)

    def vanish(self) -> None:
        self.server.has_no_account(self.phone)

    def busy(self, seconds: int) -> None:
        self.faults.add(self.sending, times=0, status=429, headers={"Retry-After": str(seconds)})

    def posts(self) -> list[Posted]:
        waiting = [cloud_world.posted(webhook) for webhook in self.server.waiting()]
        self.server.delivered()
        return waiting


class MaxAccountWorld(WhatsAppWorld):
    section = "max_account"
    messenger = "max"
    sending = "sendMessage"


class TelegramAccountWorld(MaxAccountWorld):
    section = "telegram_account"
    messenger = "telegram"


class WazzupWorld(World):
    section = "whatsapp"
    transport = "whatsapp"
    sending = "/message"
    askings = 2  # under one name, of which the service knows that it is the same message
    phone = "+79140000001"

    def __init__(self) -> None:
        self.server = WazzupStandIn(Clock(), transport=self.transport)
        self.faults = self.server.faults

    def channel(self, *, token: str | None = None) -> Channel:
        settings = wazzup_world.settings(self.server, api_key=token or self.server.api_key)
        transport = httpx.ASGITransport(self.server.app)
        return open_channel(self.section, settings, transport=transport, pace=wazzup_world.patient())

    def chat(self) -> str:
        return self.phone.removeprefix("+")

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(self.phone)]

    def tap(self, option: str) -> None:
        self.server.taps(self.phone, option)

    def types(self, text: str, quote: str = "") -> None:
        self.server.says(self.phone, text, quote=quote)

    def vanish(self) -> None:
        self.server.has_no_account(self.phone)

    def busy(self, seconds: int) -> None:
        self.faults.add(self.sending, times=0, status=429, headers={"Retry-After": str(seconds)})

    def posts(self) -> list[Posted]:
        return wazzup_world.posts(self.server)


class WazzupMaxWorld(WazzupWorld):
    section = "max_account"
    transport = "max"

    def chat(self) -> str:
        return self.phone


class WazzupTelegramWorld(WazzupMaxWorld):
    section = "telegram_account"
    transport = "tgapi"


WORLDS: dict[tuple[str, str], type[World]] = {
    ("telegram", ""): TelegramWorld,
    ("max", ""): MaxWorld,
    ("whatsapp", "greenapi"): WhatsAppWorld,
    ("whatsapp", "cloud"): CloudWorld,
    ("whatsapp", "wazzup"): WazzupWorld,
    ("max_account", "greenapi"): MaxAccountWorld,
    ("max_account", "wazzup"): WazzupMaxWorld,
    ("telegram_account", "greenapi"): TelegramAccountWorld,
    ("telegram_account", "wazzup"): WazzupTelegramWorld,
}


@pytest.fixture(params=[(kind.section, kind.provider) for kind in CHANNELS], ids=lambda key: " ".join(key))
def world(request: pytest.FixtureRequest) -> World:
    assert request.param in WORLDS, "write a World for the new channel"
    return WORLDS[request.param]()


@pytest.fixture
async def channel(world: World) -> AsyncIterator[Channel]:
    opened = world.channel()
    await opened.start()
    if isinstance(opened, Hooked) and opened.is_hooked:
        await opened.register(URL, SECRET)
    yield opened
    await opened.close()
    if isinstance(world, TelegramWorld):
        assert_calls_fit(world.server.requests)
    if isinstance(world, CloudWorld):
        assert_sendings_fit(world.server.requests)
    if isinstance(world, MaxWorld):
        max_schema.assert_calls_fit(world.server.requests)


def taken(channel: Channel, posts: list[Posted]) -> list[Raw]:
    assert isinstance(channel, Hooked)
    return [raw for posted in posts for raw in channel.take(posted, SECRET)]


async def fetched(world: World, channel: Channel) -> list[Raw]:
    if is_hooked(channel):
        return taken(channel, world.posts())
    assert isinstance(channel, Polled)
    kept: list[Raw] = []
    offset = ""
    while (batch := await channel.poll(offset, timedelta(0))).updates:
        kept += batch.updates
        offset = batch.offset
        await channel.confirm(batch)
    return kept


async def read_all(world: World, channel: Channel) -> list[Incoming]:
    return [incoming for raw in await fetched(world, channel) for incoming in channel.read(raw.body)]


async def replies(world: World, channel: Channel) -> list[Incoming]:
    came_in = await read_all(world, channel)
    return [incoming for incoming in came_in if incoming.kind in (IncomingKind.TAP, IncomingKind.TEXT)]


def test_every_channel_is_named_once() -> None:
    keys = [(kind.section, kind.provider) for kind in CHANNELS]
    assert len(set(keys)) == len(keys)


def test_a_channel_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(LookupError, match="whatsapp pigeon; there are telegram"):
        open_channel("whatsapp", GatewaySettings(provider="pigeon"))


async def test_a_question_arrives(world: World, channel: Channel) -> None:
    assert await channel.send(world.chat(), ASK) != ""
    assert world.received() == [ASK.text]


async def test_a_tap_names_the_question_and_the_chosen_answer(world: World, channel: Channel) -> None:
    if not (channel.has_buttons or channel.poll_limit):
        pytest.skip("there is nothing to tap: a digit is typed")
    question = await channel.send(world.chat(), ASK)
    world.tap("9")
    (tap,) = await replies(world, channel)
    assert (tap.kind, tap.chat_id, tap.quoted) == (IncomingKind.TAP, world.chat(), question)
    assert tap.data in ("9", "s:1:9")


async def test_typed_and_quoting_answers(world: World, channel: Channel) -> None:
    question = await channel.send(world.chat(), ASK)
    world.types("9")
    world.types("8, спасибо", quote=question)
    typed, quoting = await replies(world, channel)
    assert (typed.kind, typed.text, typed.quoted) == (IncomingKind.TEXT, "9", "")
    assert (quoting.text, quoting.quoted, quoting.chat_id) == ("8, спасибо", question, world.chat())
    assert typed.sent_at == quoting.sent_at is not None


async def test_what_was_not_confirmed_comes_again_under_the_same_key(world: World, channel: Channel) -> None:
    world.types("9")
    if is_hooked(channel):
        posts = world.posts()  # the service repeats what got no 2xx
        lost, kept = taken(channel, posts), taken(channel, posts)
    else:
        assert isinstance(channel, Polled)
        lost = list((await channel.poll("", timedelta(0))).updates)  # we die before the commit
        kept = await fetched(world, channel)
    assert [raw.external_id for raw in kept] == [raw.external_id for raw in lost] != []
    assert await fetched(world, channel) == []


async def test_two_answers_have_two_keys(world: World, channel: Channel) -> None:
    world.types("9")
    world.types("9")
    keys = {(raw.external_id, raw.kind) for raw in await fetched(world, channel)}
    assert len(keys) == 2


async def test_somebody_who_cannot_be_reached_is_told_at_once_or_by_a_status(
    world: World, channel: Channel
) -> None:
    world.vanish()
    try:
        message_id = await channel.send(world.chat(), ASK)
    except Unreachable:
        return
    came_in = await read_all(world, channel)
    assert channel.has_receipts
    assert [incoming.message_id for incoming in came_in if incoming.is_gone] == [message_id]
    assert {incoming.status for incoming in came_in if incoming.is_gone} == {Status.FAILED}


async def test_too_many_requests_say_when_to_come_back(world: World, channel: Channel) -> None:
    world.busy(90)
    with pytest.raises(Temporary) as busy:
        await channel.send(world.chat(), ASK)
    assert busy.value.retry_after == timedelta(seconds=90)
    assert world.received() == []


async def test_a_wrong_token_is_denied_with_a_remedy(world: World) -> None:
    channel = world.channel(token="1:not-the-token")
    with pytest.raises(AccessDenied) as denied:
        await channel.start()
    assert denied.value.remedy
    assert "not-the-token" not in f"{denied.value}{denied.value.remedy}"
    await channel.close()


@pytest.mark.parametrize("how", [{"drop": True}, {"status": 502}, {"status": 200, "body": "<html>"}])
async def test_nobody_knows_whether_it_arrived_when_the_answer_is_lost(
    world: World, channel: Channel, how: dict[str, object]
) -> None:
    world.faults.add(world.sending, after=True, times=world.askings, **how)
    with pytest.raises(Uncertain):
        await channel.send(world.chat(), ASK)
    assert world.received() == [ASK.text]  # once: nothing is repeated that could arrive twice


async def test_every_service_failure_is_one_of_our_errors_and_over_with_the_fault(
    world: World, channel: Channel
) -> None:
    world.faults.add(times=0, status=503)
    with pytest.raises(Temporary):
        await (channel.poll("", timedelta(0)) if isinstance(channel, Polled) else channel.start())
    world.faults.clear()
    assert await replies(world, channel) == []
