"""What every channel must do, tried through its service's stand-in.

A module that defines the fixture `world` and imports everything from here runs it all.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from tenacity import wait_none

from integrations.channels.base import (
    Channel,
    Hooked,
    Incoming,
    IncomingKind,
    Linked,
    Polled,
    Posted,
    Raw,
    Status,
)
from integrations.channels.hooks import is_hooked
from integrations.errors import AccessDenied, Temporary, Uncertain, Unreachable
from tests.integrations.worlds import ASK, SECRET, URL, World

WORDS = (IncomingKind.TAP, IncomingKind.TEXT, IncomingKind.MEDIA, IncomingKind.EDITED)


@asynccontextmanager
async def started(world: World) -> AsyncIterator[Channel]:
    opened = world.channel()
    await opened.start()
    if isinstance(opened, Hooked) and opened.is_hooked:
        await opened.register(URL, SECRET)
    yield opened
    await opened.close()


@pytest.fixture
async def channel(world: World) -> AsyncIterator[Channel]:
    async with started(world) as opened:
        yield opened
    world.assert_calls_fit()


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
    return [incoming for incoming in await read_all(world, channel) if incoming.kind in WORDS]


async def statuses(world: World, channel: Channel) -> list[tuple[str, Status | None]]:
    came_in = await read_all(world, channel)
    return [(each.message_id, each.status) for each in came_in if each.kind is IncomingKind.STATUS]


# What goes out


async def test_a_question_arrives_with_its_scale(world: World, channel: Channel) -> None:
    assert await channel.send(world.chat(), ASK) != ""
    assert world.received() == [ASK.text]
    if channel.has_buttons or channel.poll_limit:
        for option in ("1", "10"):  # the ends of the scale, and so whatever lies between
            world.tap(option)
            (tap,) = await replies(world, channel)
            assert tap.data in (option, f"s:1:{option}")


async def test_two_messages_have_two_ids(world: World, channel: Channel) -> None:
    first = await channel.send(world.chat(), ASK)
    assert await channel.send(world.chat(), ASK) != first


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
    world: World, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The seconds between the tries of a read are tried by themselves.
    monkeypatch.setattr("integrations.http.wait_exponential", lambda **_: wait_none())
    world.faults.add(times=0, status=503)
    with pytest.raises(Temporary):
        await (channel.poll("", timedelta(0)) if isinstance(channel, Polled) else channel.start())
    world.faults.clear()
    assert await replies(world, channel) == []


# What comes in


async def test_a_tap_names_the_question_and_the_chosen_answer(world: World, channel: Channel) -> None:
    if not (channel.has_buttons or channel.poll_limit):
        pytest.skip("there is nothing to tap: a digit is typed")
    question = await channel.send(world.chat(), ASK)
    world.tap("9")
    (tap,) = await replies(world, channel)
    assert (tap.kind, tap.chat_id, tap.quoted) == (IncomingKind.TAP, world.chat(), question)
    assert tap.data in ("9", "s:1:9")


async def test_a_tap_under_an_earlier_question_names_that_one(world: World, channel: Channel) -> None:
    if not (channel.has_buttons or channel.poll_limit):
        pytest.skip("there is nothing to tap: a digit is typed")
    first, second = [await channel.send(world.chat(), ASK) for _ in range(2)]
    world.tap("9", under=first)
    world.tap("8", under=second)
    world.tap("7", under=first)
    taps = await replies(world, channel)
    assert [tap.quoted for tap in taps] == [first, second, first]
    assert len({tap.data for tap in taps}) == 3


async def test_typed_and_quoting_answers(world: World, channel: Channel) -> None:
    question = await channel.send(world.chat(), ASK)
    world.types("9")
    world.types("8, спасибо", quote=question)
    typed, quoting = await replies(world, channel)
    assert (typed.kind, typed.text, typed.quoted) == (IncomingKind.TEXT, "9", "")
    assert (quoting.text, quoting.quoted, quoting.chat_id) == ("8, спасибо", question, world.chat())
    assert typed.sent_at == quoting.sent_at is not None


@pytest.mark.parametrize(
    "text", ["монтаж три недели,\nа мастер не пришёл 😡", "<b>&amp; _*[9](x)\\", "9️⃣", "/9", "я" * 4000]
)
async def test_words_come_in_as_they_were_typed(world: World, channel: Channel, text: str) -> None:
    world.types(text)
    (comment,) = await replies(world, channel)
    assert (comment.kind, comment.text, comment.media) == (IncomingKind.TEXT, text, "")


@pytest.mark.parametrize("media", ["voice", "sticker"])
async def test_what_has_no_words_is_told_by_its_kind(world: World, channel: Channel, media: str) -> None:
    world.sends(media)
    (incoming,) = await replies(world, channel)
    assert (incoming.kind, incoming.media, incoming.text) == (IncomingKind.MEDIA, media, "")
    assert incoming.chat_id == world.chat()


async def test_the_words_under_a_picture_are_words(world: World, channel: Channel) -> None:
    world.sends("photo", "3, вот что вышло")
    (incoming,) = await replies(world, channel)
    assert (incoming.kind, incoming.text) == (IncomingKind.TEXT, "3, вот что вышло")
    assert incoming.media == "photo"


async def test_every_edit_of_a_message_comes_in_under_a_key_of_its_own(
    world: World, channel: Channel
) -> None:
    message_id = world.types("8")
    for text in ("9", "нет, 7"):
        world.clock.forward(minutes=1)
        world.edits(message_id, text)
    raws = await fetched(world, channel)
    typed, *edits = [incoming for raw in raws for incoming in channel.read(raw.body)]
    assert (typed.kind, typed.text) == (IncomingKind.TEXT, "8")
    assert [(each.kind, each.text) for each in edits] == [
        (IncomingKind.EDITED, "9"),
        (IncomingKind.EDITED, "нет, 7"),
    ]
    assert {each.chat_id for each in edits} == {world.chat()}
    assert {each.message_id for each in (typed, *edits)} == {message_id}
    assert len({(raw.kind, raw.external_id) for raw in raws}) == 3


async def test_who_blocks_us_and_who_comes_back_is_told(world: World, channel: Channel) -> None:
    if not world.tells_who_left:
        pytest.skip("the service tells nobody of a block: the next message fails by a status")
    world.leaves()
    (left,) = await read_all(world, channel)
    assert (left.kind, left.chat_id) == (IncomingKind.BLOCKED, world.chat())
    if isinstance(channel, Linked):  # a bot, which cannot write any more
        with pytest.raises(Unreachable):
            await channel.send(world.chat(), ASK)
    world.comes_back()
    (back,) = await read_all(world, channel)
    assert back.kind in (IncomingKind.UNBLOCKED, IncomingKind.START)
    assert back.chat_id == world.chat()
    await channel.send(world.chat(), ASK)
    assert world.received() == [ASK.text]


# Duplicates, disorder, and a restart in the middle


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


async def test_what_the_service_tells_twice_has_one_key(world: World, channel: Channel) -> None:
    world.types("9")
    world.repeat()
    once, again = await fetched(world, channel)
    assert (once.kind, once.external_id) == (again.kind, again.external_id)
    assert channel.read(once.body) == channel.read(again.body)


async def test_two_answers_have_two_keys(world: World, channel: Channel) -> None:
    world.types("9")
    world.types("9")
    keys = {(raw.external_id, raw.kind) for raw in await fetched(world, channel)}
    assert len(keys) == 2


async def test_answers_in_any_order_say_when_they_were_given(world: World, channel: Channel) -> None:
    for text in ("3", "9", "нет, 8"):
        world.types(text)
        world.clock.forward(minutes=1)
    raws = reversed(await fetched(world, channel))
    answers = [incoming for raw in raws for incoming in channel.read(raw.body)]
    assert [answer.text for answer in answers] == ["нет, 8", "9", "3"]
    moments = [answer.sent_at for answer in answers]
    assert None not in moments
    assert [answer.text for answer in sorted(answers, key=lambda each: str(each.sent_at))] == [
        "3",
        "9",
        "нет, 8",
    ]


async def test_what_becomes_of_a_question_is_told_under_the_id_that_sending_gave(
    world: World, channel: Channel
) -> None:
    if not channel.has_receipts:
        pytest.skip("a bot is not told what was delivered")
    question = await channel.send(world.chat(), ASK)
    told = await statuses(world, channel)
    assert {message_id for message_id, _ in told} == {question}
    assert [status for _, status in told][-2:] == [Status.SENT, Status.DELIVERED]


async def test_statuses_in_disorder_are_told_apart_and_a_repeated_one_has_one_key(
    world: World, channel: Channel
) -> None:
    if not channel.has_receipts:
        pytest.skip("a bot is not told what was delivered")
    question = await channel.send(world.chat(), ASK)
    await fetched(world, channel)
    told = ["read", "delivered", "sent", "delivered"]
    for status in told:
        world.clock.forward(seconds=1)
        world.tells_status(question, status)
    raws = await fetched(world, channel)
    read = [incoming for raw in raws for incoming in channel.read(raw.body)]
    assert [(each.message_id, each.status) for each in read] == [(question, Status(each)) for each in told]
    assert len({(raw.kind, raw.external_id) for raw in raws}) == 3


async def test_a_restart_in_the_middle_loses_no_answer_and_no_question(world: World) -> None:
    async with started(world) as before:
        question = await before.send(world.chat(), ASK)
        await fetched(world, before)
        world.types("9", quote=question)
        if not is_hooked(before):
            assert isinstance(before, Polled)
            await before.poll("", timedelta(0))  # and is killed before the commit
    world.types("спасибо")
    async with started(world) as after:
        came_in = await replies(world, after)
    assert [(each.text, each.quoted) for each in came_in] == [("9", question), ("спасибо", "")]
    assert {each.chat_id for each in came_in} == {world.chat()}
    assert world.received() == [ASK.text]
