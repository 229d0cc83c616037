"""User accounts of MAX and Telegram behind Green-API: people are found by number, and answer with digits."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from integrations.channels.base import Channel, GatewaySettings, Outgoing, Polled, Searchable, Sought
from integrations.channels.greenapi_account import LONGEST_TEXT, GreenApiAccount
from integrations.errors import AccessDenied, Temporary, Unreachable
from integrations.pace import Pace
from integrations.standins.whatsapp import GreenApiStandIn
from tests.integrations.clock import Clock

MARIA = "+79140000001"
SHORTLY = timedelta(seconds=5)


@pytest.fixture(params=["max", "telegram"])
def server(request: pytest.FixtureRequest) -> GreenApiStandIn:
    return GreenApiStandIn(Clock(), messenger=request.param, longest_wait=0.02)


def opened(server: GreenApiStandIn, token: str | None = None) -> GreenApiAccount:
    settings = GatewaySettings(
        provider="greenapi",
        base_url="http://green.test",
        instance_id=server.instance_id,
        api_token=token or server.token,
    )
    transport = httpx.ASGITransport(server.app)
    return GreenApiAccount(f"{server.messenger}_account", settings, transport=transport, pace=Pace(None))


@pytest.fixture
async def account(server: GreenApiStandIn) -> AsyncIterator[GreenApiAccount]:
    channel = opened(server)
    yield channel
    await channel.close()


def asked(server: GreenApiStandIn) -> list[str]:
    return [request.path.split("/")[2] for request in server.requests]


def test_it_is_what_the_flows_expect(account: GreenApiAccount) -> None:
    channel: Channel = account
    assert isinstance(channel, Polled)
    assert isinstance(channel, Searchable)
    assert isinstance(channel, Sought)
    assert (channel.has_buttons, channel.poll_limit, channel.gap) == (False, 0, timedelta(seconds=45))


def test_max_looks_up_numbers_of_russia_and_belarus_only() -> None:
    settings = GatewaySettings(base_url="http://green.test")
    in_max, in_telegram = (GreenApiAccount(name, settings) for name in LONGEST_TEXT)
    assert in_max.address(MARIA) == in_telegram.address(MARIA) == MARIA
    assert in_max.address("+375 29 123-45-67") == "+375291234567"
    assert in_max.address("+998901234567") is None
    assert in_telegram.address("+998901234567") == "+998901234567"
    assert in_telegram.address("") is None


async def test_a_person_is_found_by_number_and_the_answer_comes_from_that_chat(
    server: GreenApiStandIn, account: GreenApiAccount
) -> None:
    await account.start()
    chat_id = await account.find(MARIA)
    assert chat_id.isdigit()
    assert chat_id not in MARIA
    await account.send(chat_id, Outgoing(text="Оцените", poll=("1", "2")))
    assert [(post.text, post.is_poll) for post in server.messages(MARIA)] == [("Оцените", False)]
    server.notifications.clear()
    server.says(MARIA, "9")
    batch = await account.poll("", SHORTLY)
    (reply,) = account.read(batch.updates[0].body)
    assert (reply.chat_id, reply.text, reply.is_group) == (chat_id, "9", False)


async def test_who_hides_from_search_by_number_is_unreachable(
    server: GreenApiStandIn, account: GreenApiAccount
) -> None:
    server.has_no_account(MARIA)
    with pytest.raises(Unreachable, match="no account") as refused:
        await account.find(MARIA)
    assert "9140000001" not in str(refused.value)


async def test_a_chat_id_of_another_messenger_is_not_written_to(
    server: GreenApiStandIn, account: GreenApiAccount
) -> None:
    with pytest.raises(Unreachable):
        await account.send("79140000001@c.us", Outgoing(text="Оцените"))
    assert server.requests == []


async def test_a_text_of_any_length_goes(server: GreenApiStandIn, account: GreenApiAccount) -> None:
    await account.send(await account.find(MARIA), Outgoing(text="я" * 5000))
    assert len(server.last(MARIA).text) == LONGEST_TEXT[account.name]


@pytest.mark.parametrize(
    "state", ["yellowCard", "suspended", "blocked", "notEnoughMoney", "notAuthorized", "pendingPassword"]
)
async def test_nothing_is_looked_up_or_sent_while_the_account_may_not_send(
    server: GreenApiStandIn, account: GreenApiAccount, state: str
) -> None:
    server.state = state
    with pytest.raises(Temporary, match=state) as refused:
        await account.find(MARIA)
    assert refused.value.retry_after == timedelta(minutes=5)
    with pytest.raises(Temporary, match=state):
        await account.send("50000001", Outgoing(text="Оцените"))
    assert asked(server) == ["getStateInstance", "getStateInstance"]
    server.state = "authorized"
    await account.send("50000001", Outgoing(text="Оцените"))


async def test_told_of_a_new_state_it_does_not_trust_the_old_one(
    server: GreenApiStandIn, account: GreenApiAccount
) -> None:
    await account.start()
    await account.send("50000001", Outgoing(text="Оцените"))
    server.notifications.clear()
    server.set_state("suspended")
    await account.poll("", SHORTLY)
    with pytest.raises(Temporary, match="suspended"):
        await account.send("50000001", Outgoing(text="Оцените"))


async def test_a_look_up_that_fails_or_says_nothing_is_tried_later(
    server: GreenApiStandIn, account: GreenApiAccount
) -> None:
    server.faults.add("checkAccount", times=1, status=200, body="{}")
    with pytest.raises(Temporary):
        await account.find(MARIA)
    denied = opened(server, token="another")
    with pytest.raises(AccessDenied):
        await denied.find(MARIA)
    await denied.close()


async def test_a_queue_that_stands_is_emptied_and_one_that_moves_is_left_alone(
    server: GreenApiStandIn, account: GreenApiAccount
) -> None:
    await account.start()
    assert not await account.clear()
    server.set_phone_online(False)
    await account.send("50000001", Outgoing(text="Оцените"))
    assert len(server.queue) == 1
    assert await account.clear()
    assert server.queue == []


async def test_the_queue_of_an_instance_that_does_not_tell_is_left_alone(
    server: GreenApiStandIn, account: GreenApiAccount
) -> None:
    server.set_phone_online(False)
    await account.send("50000001", Outgoing(text="Оцените"))
    with pytest.raises(Temporary, match="does not tell"):
        await account.clear()
    assert len(server.queue) == 1
