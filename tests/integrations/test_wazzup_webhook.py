"""What Wazzup posts: to whose address, what of it is ours, and under which key it is kept."""

import json
from collections.abc import AsyncIterator

import pytest

from integrations.channels.base import (
    IncomingKind,
    Outgoing,
    Posted,
    RefusedError,
    Template,
    UnreadableError,
)
from integrations.channels.wazzup import Wazzup
from integrations.errors import Permanent
from integrations.standins.wazzup import WazzupStandIn
from tests.integrations.clock import Clock
from tests.integrations.wazzup_world import SECRET, URL, posted, posts, settings, taken, wazzup

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


# The address


async def test_it_registers_once_and_asks_first(server: WazzupStandIn) -> None:
    channel = wazzup(server)
    for _ in range(3):
        await channel.register(URL, SECRET)
    assert [request.method for request in server.requests] == ["GET", "PATCH", "GET", "GET"]
    assert server.webhooks["webhooksUri"] == URL
    assert server.webhooks["subscriptions"] == {
        "messagesAndStatuses": True,
        "contactsAndDealsCreation": False,
        "channelsUpdates": True,
        "templateStatus": False,
    }
    await channel.close()


async def test_a_changed_secret_is_registered_anew_with_what_was_subscribed(server: WazzupStandIn) -> None:
    server.set_address(URL.replace("path-secret", "the-old-one"))
    server.webhooks["subscriptions"]["contactsAndDealsCreation"] = True
    channel = wazzup(server, templates={"nps": Template(template=GUID)})
    await channel.register(URL, SECRET)
    assert server.webhooks["webhooksUri"] == URL
    assert set(server.webhooks["subscriptions"].values()) == {True}
    await channel.close()


async def test_another_programs_address_is_never_taken_over(server: WazzupStandIn) -> None:
    server.set_address("https://user:word@crm.example.org/wazzup?key=1")
    channel = wazzup(server)
    with pytest.raises(Permanent, match=r"sends its messages to crm\.example\.org$") as refused:
        await channel.register(URL, SECRET)
    assert "one address for a whole Wazzup account" in refused.value.remedy
    assert [request.method for request in server.requests] == ["GET"]
    await channel.close()


async def test_an_address_that_wazzup_cannot_reach_is_told_with_its_remedy(clock: Clock) -> None:
    tried: list[tuple[str, object]] = []

    async def refuses(url: str, body: object) -> int:
        tried.append((url, body))
        return 404

    server = WazzupStandIn(clock, try_address=refuses)
    channel = wazzup(server)
    with pytest.raises(Permanent, match="could not reach our address") as refused:
        await channel.register(URL, SECRET)
    assert "http.public_url" in refused.value.remedy
    assert tried == [(URL, {"test": True})]
    assert server.webhooks["webhooksUri"] == ""
    await channel.close()


async def test_an_address_too_long_for_wazzup_is_refused_before_it_is_tried(server: WazzupStandIn) -> None:
    channel = wazzup(server)
    with pytest.raises(Permanent, match="200 characters") as refused:
        await channel.register(URL + "x" * 200, SECRET)
    assert "http.public_url" in refused.value.remedy
    assert server.requests == []
    await channel.close()


@pytest.mark.parametrize("found", [None, [], {}, {"webhooksUri": None, "subscriptions": None}])
async def test_an_account_that_has_no_address_yet_gets_ours(server: WazzupStandIn, found: object) -> None:
    server.faults.add("/webhooks", method="GET", status=200, json=found, body=json.dumps(found))
    channel = wazzup(server)
    await channel.register(URL, SECRET)
    assert server.webhooks["webhooksUri"] == URL
    await channel.close()


# What is ours


def test_the_trial_of_the_address_is_authentic_and_nothing_to_keep(server: WazzupStandIn) -> None:
    assert wazzup(server).take(posted({"test": True}), SECRET) == ()


@pytest.mark.parametrize("body", [{"createContact": {"name": "Мария"}}, {"createDeal": {"source": "auto"}}])
def test_what_a_crm_is_asked_for_is_nothing_to_keep(server: WazzupStandIn, body: object) -> None:
    assert wazzup(server).take(posted(body), SECRET) == ()


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"9", b"{}", b"\xff", b"<html>", b"[" * 100_000])
def test_what_nobody_understands_is_said_to_be_so(server: WazzupStandIn, body: bytes) -> None:
    channel = wazzup(server)
    with pytest.raises(UnreadableError):
        channel.take(Posted(body), SECRET)
    with pytest.raises(UnreadableError):
        channel.read(body)


def test_nobody_is_greeted(server: WazzupStandIn) -> None:
    with pytest.raises(RefusedError):
        wazzup(server).greet({}, SECRET)


async def test_what_came_together_is_kept_apart(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    server.says(MARIA, "9")
    message = server.waiting()[0]["messages"][0]
    status = {"messageId": "m1", "timestamp": "2026-11-20T03:00:02.000Z", "status": "read"}
    body = {"messages": [message, "odd", {**message, "messageId": "m2"}], "statuses": [status, None]}
    raws = whatsapp.take(posted(body), SECRET)
    assert [raw.kind for raw in raws] == ["message", "unreadable", "message", "status", "unreadable"]
    assert len({raw.external_id for raw in raws}) == 5
    for raw in raws:
        if raw.kind == "unreadable":
            with pytest.raises(UnreadableError):
                whatsapp.read(raw.body)
        else:
            assert whatsapp.read(raw.body)[0].kind in (IncomingKind.TEXT, IncomingKind.STATUS)


async def test_the_channels_of_an_account_share_an_address_and_take_what_is_theirs(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    telegram = Wazzup("telegram_account", settings(server, channel_id=OTHER))
    server.says(MARIA, "9")
    server.set_state("qr")
    for post in posts(server):
        assert len(whatsapp.take(post, SECRET)) == 1
        assert telegram.take(post, SECRET) == ()
    await telegram.close()


async def test_until_the_account_was_asked_a_messenger_tells_what_is_ours(server: WazzupStandIn) -> None:
    server.set_address(URL)
    server.says(MARIA, "9")
    (post,) = posts(server)
    whatsapp = Wazzup("whatsapp", settings(server, channel_id="+79140000000"))
    telegram = Wazzup("telegram_account", settings(server, channel_id="vladgates"))
    (raw,) = whatsapp.take(post, SECRET)
    assert whatsapp.read(raw.body)[0].text == "9"
    assert telegram.take(post, SECRET) == ()
    assert telegram.read(raw.body)[0].kind is IncomingKind.OTHER
    await whatsapp.close()
    await telegram.close()


async def test_an_exact_repeat_has_the_same_key(server: WazzupStandIn, whatsapp: Wazzup) -> None:
    message_id = server.says(MARIA, "9")
    server.repeat(2)
    await whatsapp.send(CHAT, ASK)
    server.repeat()
    server.set_state("phoneUnavailable")
    server.repeat()
    server.edits(MARIA, "8", message_id=message_id)
    server.repeat()
    keys = [(raw.kind, raw.external_id) for raw in taken(server, whatsapp)]
    assert len(keys) == 10
    assert len(set(keys)) == 5  # the reply, two statuses, the state and the new words


async def test_what_says_something_new_under_one_id_has_a_key_of_its_own(
    server: WazzupStandIn, whatsapp: Wazzup
) -> None:
    message_id = server.says(MARIA, "9")
    for text in ("8", "7"):
        server.edits(MARIA, text, message_id=message_id)
    server.deletes(MARIA, message_id=message_id)
    keys = [raw.external_id for raw in taken(server, whatsapp)]
    assert len(set(keys)) == 4
