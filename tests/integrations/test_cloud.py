"""The Cloud API channel against a made-up Meta: what goes out, in which form, and when it may."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from integrations.channels.base import (
    Button,
    Channel,
    GatewaySettings,
    Hooked,
    Outgoing,
    Polled,
    Template,
    Templated,
)
from integrations.channels.cloud import BASE_URL, Cloud
from integrations.channels.cloud_write import free_words
from integrations.errors import AccessDenied, Permanent, Temporary, Uncertain, Unreachable
from integrations.standins.cloud import CloudStandIn
from tests.integrations.clock import Clock
from tests.integrations.cloud_schema import REASON, SAMPLE, assert_sendings_fit, problems_of
from tests.integrations.cloud_world import came_in, cloud, one

MARIA, CHAT = "+79140000001", "79140000001"
STOP = (Button("Не спрашивать", "s:1:stop"),)
JUST_NOW = datetime(2026, 3, 16, 0, 59, tzinfo=UTC)  # a minute before the clock of the tests


def scale(first: int, last: int, *, stop: bool = True) -> tuple[tuple[Button, ...], ...]:
    """As the worker lays it out: five in a row, and a last row to refuse."""
    buttons = [Button(str(n), f"s:1:{n}") for n in range(first, last + 1)]
    rows = [tuple(buttons[start : start + 5]) for start in range(0, len(buttons), 5)]
    return (*rows, STOP) if stop else tuple(rows)


NPS = Template(template="nps_ru", template_language="ru", parameters=("client_name", "company"), buttons=10)
CSAT = Template(template="csat_ru", template_language="ru", parameters=("company",))
ASK = Outgoing(
    text="Оцените нас от 1 до 10",
    buttons=scale(1, 10),
    topic="nps",
    values={"client_name": "Мария", "company": "ВладАвтоматика"},
    reference="survey-1",
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> CloudStandIn:
    stand_in = CloudStandIn(clock)
    digits = [str(n) for n in range(1, 11)]
    stand_in.approve("nps_ru", "Здравствуйте, {{1}}! Это {{2}}. Оцените нас.", buttons=digits)
    stand_in.approve("csat_ru", "Это {{1}}. Как мы справились? Ответьте цифрой от 1 до 5.")
    return stand_in


@pytest.fixture
async def whatsapp(server: CloudStandIn) -> AsyncIterator[Cloud]:
    channel = cloud(server, templates={"nps": NPS, "csat": CSAT})
    await channel.start()
    server.requests.clear()
    yield channel
    await channel.close()
    assert_sendings_fit(server.requests)


def said(**more: object) -> Outgoing:
    """Within the window."""
    fields = {"text": "Спасибо!", "client_wrote_at": JUST_NOW, **more}
    return Outgoing(**fields)  # type: ignore[arg-type]


@pytest.fixture
def wrote(server: CloudStandIn) -> str:
    """Maria has just written; gives the id of her message."""
    wamid = server.says(MARIA, "Здравствуйте")
    server.delivered()
    return wamid


def test_it_is_what_the_flows_expect(whatsapp: Cloud) -> None:
    channel: Channel = whatsapp
    assert isinstance(channel, Hooked)
    assert isinstance(channel, Templated)
    assert not isinstance(channel, Polled)
    assert (channel.name, channel.hook_place, channel.is_hooked) == ("whatsapp", "whatsapp", True)
    assert (channel.has_buttons, channel.poll_limit, channel.gap) == (True, 0, timedelta(0))


@pytest.mark.parametrize(
    ("phone", "chat"), [("+79140000001", CHAT), ("+998 90 123-45-67", "998901234567"), ("", None)]
)
def test_a_phone_is_an_address(whatsapp: Cloud, phone: str, chat: str | None) -> None:
    assert whatsapp.address(phone) == chat


# Setting up


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"access_token": "EAAJwrong"}, "permanent token of a system user"),
        ({"phone_number_id": "102290129340398"}, "whatsapp.phone_number_id"),
    ],
)
async def test_wrong_access_stops_the_start_with_a_remedy(
    server: CloudStandIn, settings: dict[str, Any], remedy: str
) -> None:
    channel = cloud(server, **settings)
    with pytest.raises(AccessDenied) as denied:
        await channel.start()
    assert remedy in denied.value.remedy
    assert "EAAJ" not in f"{denied.value}{denied.value.remedy}"
    await channel.close()


async def test_the_id_of_the_account_is_told_from_that_of_the_number() -> None:
    settings = GatewaySettings(provider="cloud", phone_number_id="102290129340398", access_token="EAAJ")
    channel = Cloud("whatsapp", settings)
    with respx.mock(base_url=BASE_URL) as meta:
        meta.get("/102290129340398").respond(json={"id": "102290129340398", "name": "ВладАвтоматика"})
        with pytest.raises(AccessDenied, match="no number under this id"):
            await channel.start()
    await channel.close()


# Outside the window


@pytest.mark.parametrize(
    ("wrote_ago", "needs"),
    [
        (None, True),
        (timedelta(hours=24), True),
        (timedelta(hours=23, minutes=50), True),  # the clocks differ
        (timedelta(hours=23, minutes=49), False),
        (timedelta(minutes=-1), False),
    ],
)
def test_a_template_is_needed_a_little_before_the_day_is_over(
    whatsapp: Cloud, clock: Clock, wrote_ago: timedelta | None, needs: bool
) -> None:
    wrote_at = None if wrote_ago is None else clock.now - wrote_ago
    assert whatsapp.needs_template(wrote_at, clock.now) is needs


async def test_the_first_question_is_the_template_of_its_survey(
    whatsapp: Cloud, server: CloudStandIn
) -> None:
    wamid = await whatsapp.send(CHAT, ASK)
    sent = server.last(MARIA)
    assert (sent.wamid, sent.template, sent.reference) == (wamid, "nps_ru", "survey-1")
    assert sent.text == "Здравствуйте, Мария! Это ВладАвтоматика. Оцените нас."
    # Ten quick replies carry the ten scores; to refuse, a word is typed.
    assert sent.options == tuple((str(n), f"s:1:{n}") for n in range(1, 11))


async def test_a_template_without_buttons_says_the_question_alone(
    whatsapp: Cloud, server: CloudStandIn
) -> None:
    await whatsapp.send(CHAT, Outgoing(text="…", buttons=scale(1, 5), topic="csat", values=ASK.values))
    assert server.last(MARIA).options == ()
    (asked,) = server.requests
    assert [part["type"] for part in asked.json["template"]["components"]] == ["body"]


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (5, [f"s:1:{n}" for n in range(1, 6)]),
        (6, [*(f"s:1:{n}" for n in range(1, 6)), "s:1:stop"]),
        (3, ["к1", "к2", "к3"]),  # which is which cannot be known: the words on the button come back
    ],
)
async def test_quick_replies_carry_ours_only_where_their_number_fits(
    server: CloudStandIn, offered: int, expected: list[str]
) -> None:
    server.approve("t", "Оцените.", buttons=[f"к{n}" for n in range(1, offered + 1)])
    channel = cloud(server, templates={"csat": Template(template="t", buttons=offered)})
    await channel.send(CHAT, Outgoing(text="…", buttons=scale(1, 5), topic="csat"))
    assert [data for _, data in server.last(MARIA).options] == expected
    await channel.close()


async def test_values_lose_what_a_template_may_not_hold(whatsapp: Cloud, server: CloudStandIn) -> None:
    values = {"client_name": " Мария\n\tИвановна ", "company": "Влад" + " " * 7 + "Автоматика"}
    await whatsapp.send(CHAT, Outgoing(text="…", topic="nps", values=values))
    assert server.last(MARIA).text == "Здравствуйте, Мария Ивановна! Это Влад Автоматика. Оцените нас."


@pytest.mark.parametrize("values", [{"company": "ВладАвтоматика"}, {"client_name": " ", "company": "В"}])
async def test_a_value_that_is_not_known_is_named(
    whatsapp: Cloud, server: CloudStandIn, values: dict[str, str]
) -> None:
    with pytest.raises(Permanent, match="client_name") as refused:
        await whatsapp.send(CHAT, Outgoing(text="…", topic="nps", values=values))
    assert "whatsapp.templates.nps.parameters" in refused.value.remedy
    assert server.requests == []


@pytest.mark.parametrize(("topic", "remedy"), [("ces", "[whatsapp.templates.ces]"), ("", "")])
async def test_without_a_template_nothing_is_sent_outside_the_window(
    whatsapp: Cloud, server: CloudStandIn, topic: str, remedy: str
) -> None:
    with pytest.raises(Permanent, match="only a template") as refused:
        await whatsapp.send(CHAT, Outgoing(text="Здравствуйте", topic=topic))
    assert remedy in refused.value.remedy
    assert server.requests == []


# Within it


async def test_free_words_go_for_a_day_after_the_person_wrote(
    whatsapp: Cloud, server: CloudStandIn, wrote: str
) -> None:
    await whatsapp.send(CHAT, said(quote=wrote, reference="say-7"))
    sent = server.last(MARIA)
    assert (sent.kind, sent.text, sent.quoted, sent.reference) == ("text", "Спасибо!", wrote, "say-7")
    assert sent.statuses == ["sent", "delivered"]


@pytest.mark.usefixtures("wrote")
@pytest.mark.parametrize(
    ("buttons", "kind", "offered"),
    [
        (((Button("Хочу код", "s:1:code"),),), "button", ["Хочу код"]),
        (scale(1, 3, stop=False), "button", ["1", "2", "3"]),
        (scale(1, 3), "list", ["1", "2", "3", "Не спрашивать"]),
        (scale(1, 5), "list", ["1", "2", "3", "4", "5", "Не спрашивать"]),
        (scale(1, 10), "list", [str(n) for n in range(1, 11)]),  # no room for the row to refuse
        (scale(1, 10, stop=False), "list", [str(n) for n in range(1, 11)]),
        # A scale without its top would lie: the person types.
        (scale(0, 10), "text", []),
        (scale(0, 10, stop=False), "text", []),
        (((Button("Да", "a"), Button("Да", "b")),), "text", []),  # refused as duplicates
        (((Button(" ", "a"),),), "text", []),
        (((Button("Отзыв", url="https://example.com"),),), "text", []),
    ],
)
async def test_up_to_three_are_buttons_up_to_ten_a_list_and_more_are_typed(
    whatsapp: Cloud,
    server: CloudStandIn,
    buttons: tuple[tuple[Button, ...], ...],
    kind: str,
    offered: list[str],
) -> None:
    await whatsapp.send(CHAT, said(buttons=buttons))
    sent = server.last(MARIA)
    assert (sent.kind, [title for title, _ in sent.options]) == (kind, offered)
    known = {button.text: button.data for row in buttons for button in row}
    assert all(known[title] == data for title, data in sent.options)


@pytest.mark.usefixtures("wrote")
async def test_a_list_opens_by_its_ends_and_long_titles_go_on_below(
    whatsapp: Cloud, server: CloudStandIn
) -> None:
    await whatsapp.send(CHAT, said(buttons=scale(1, 10)))
    long = "Скорее всего не порекомендую никому"
    await whatsapp.send(CHAT, said(buttons=((Button("Да", "a"), Button(long, "b")),)))
    first, second = (request.json["interactive"]["action"] for request in server.requests)
    assert first["button"] == "1 – 10"
    assert second["button"] == "•••"
    assert second["sections"][0]["rows"][1] == {
        "id": "b",
        "title": "Скорее всего не пореком…",
        "description": long,
    }


@pytest.mark.usefixtures("wrote")
async def test_an_address_stands_in_the_words(whatsapp: Cloud, server: CloudStandIn) -> None:
    review = Button("2ГИС", url="https://2gis.ru/firm/1")
    await whatsapp.send(CHAT, said(text="Оставьте отзыв:", buttons=((review,), (Button("Код", "s:1:code"),))))
    sent = server.last(MARIA)
    assert sent.text == "Оставьте отзыв:\n2ГИС: https://2gis.ru/firm/1"
    assert sent.options == (("Код", "s:1:code"),)


@pytest.mark.usefixtures("wrote")
async def test_a_text_of_any_length_goes(whatsapp: Cloud, server: CloudStandIn) -> None:
    await whatsapp.send(CHAT, said(text="я" * 5000, buttons=scale(1, 5)))
    assert (server.last(MARIA).kind, len(server.last(MARIA).text)) == ("text", 4096)


async def test_a_window_that_meta_has_closed_already_gets_the_template(
    whatsapp: Cloud, server: CloudStandIn
) -> None:
    server.refuses_at_once = True
    await whatsapp.send(CHAT, replace(ASK, client_wrote_at=JUST_NOW))
    assert server.last(MARIA).template == "nps_ru"
    with pytest.raises(Permanent, match="131047"):  # and where there is none, it is said
        await whatsapp.send(CHAT, said())
    assert len(server.posted) == 1


async def test_a_closed_window_is_also_told_by_a_status(whatsapp: Cloud, server: CloudStandIn) -> None:
    await whatsapp.send(CHAT, said(reference="say-7"))
    failed = one(server, whatsapp)
    assert failed.reason.startswith("131047 ")
    assert (failed.reference, failed.is_gone) == ("say-7", False)


# To whom


async def test_who_hides_the_number_is_written_to_by_the_id(whatsapp: Cloud, server: CloudStandIn) -> None:
    user_id = server.hides(MARIA)
    server.says(MARIA, "9")
    reply = one(server, whatsapp)
    assert (reply.chat_id, reply.phone, reply.sender_name) == (user_id, "", "Мария")
    await whatsapp.send(reply.chat_id, said())
    (asked,) = server.requests
    assert (asked.json["recipient"], "to" in asked.json) == (user_id, False)
    assert server.last(MARIA).text == "Спасибо!"


@pytest.mark.parametrize("chat_id", ["", "+79140000001", "12345@g.us", "120363@newsletter", "RU.", "мария"])
async def test_nothing_is_sent_to_what_is_no_person(
    whatsapp: Cloud, server: CloudStandIn, chat_id: str
) -> None:
    with pytest.raises(Unreachable):
        await whatsapp.send(chat_id, ASK)
    assert server.requests == []


async def test_editing_and_answering_taps_are_not_for_this_messenger(
    whatsapp: Cloud, server: CloudStandIn
) -> None:
    await whatsapp.edit(CHAT, "wamid.1", said())
    await whatsapp.answer_tap("1", "Спасибо")
    assert server.requests == []


# What goes wrong


@pytest.mark.parametrize("how", [{"drop": True}, {"status": 504}, {"status": 200, "body": "<html>"}])
async def test_a_lost_answer_is_found_again_by_its_reference(
    whatsapp: Cloud, server: CloudStandIn, how: dict[str, object]
) -> None:
    server.faults.add("messages", after=True, **how)
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)
    statuses = came_in(server, whatsapp)
    assert {(status.message_id, status.reference) for status in statuses} == {
        (server.last(MARIA).wamid, "survey-1")
    }


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": [{"id": None}]}, [], "ok"])
async def test_an_answer_without_an_id_is_uncertain(
    whatsapp: Cloud, server: CloudStandIn, body: object
) -> None:
    server.faults.add("messages", status=200, json=body)
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 403}, AccessDenied),
        ({"status": 400, "body": ""}, Permanent),
        ({"status": 400, "json": {"error": None}}, Permanent),
        ({"status": 400, "json": []}, Permanent),
        ({"status": 502}, Uncertain),
        ({"status": 429, "headers": {"Retry-After": "90"}}, Temporary),
    ],
)
async def test_answers_that_are_none_of_metas_are_read_by_the_common_rules(
    whatsapp: Cloud, server: CloudStandIn, fault: dict[str, object], error: type[Exception]
) -> None:
    server.faults.add("messages", **fault)
    with pytest.raises(error) as failed:
        await whatsapp.send(CHAT, ASK)
    assert CHAT not in str(failed.value)
    assert server.posted == []


async def test_a_refused_connection_did_nothing() -> None:
    settings = GatewaySettings(
        provider="cloud", base_url="http://127.0.0.1:9/v23.0", phone_number_id="1", templates={"nps": NPS}
    )
    channel = Cloud("whatsapp", settings)
    with pytest.raises(Temporary):
        await channel.send(CHAT, ASK)
    await channel.close()


async def test_neither_number_nor_token_is_logged(
    whatsapp: Cloud, server: CloudStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await whatsapp.send(CHAT, ASK)
        server.refuse(131026)
        with pytest.raises(Unreachable):
            await whatsapp.send(CHAT, ASK)
    assert "/messages" in caplog.text
    assert CHAT not in caplog.text
    assert server.token not in caplog.text


async def test_sendings_at_once_each_get_their_own_id(whatsapp: Cloud, server: CloudStandIn) -> None:
    ids = await asyncio.gather(*(whatsapp.send(f"7914000000{n}", ASK) for n in range(5)))
    assert sorted(ids) == sorted(post.wamid for post in server.posted)


# By Meta's own description


@pytest.mark.skipif(not SAMPLE.exists(), reason=REASON)
@given(
    text=st.text(min_size=1, max_size=1500),
    labels=st.lists(st.text(max_size=40), max_size=14),
    quote=st.sampled_from(["", "wamid.1"]),
)
def test_whatever_is_said_fits_the_description(text: str, labels: list[str], quote: str) -> None:
    buttons = tuple((Button(label, f"s:1:{n}"),) for n, label in enumerate(labels))
    body = {
        "messaging_product": "whatsapp",
        "to": CHAT,
        **free_words(said(text=text, buttons=buttons, quote=quote)),
    }
    assert problems_of(body) == []


@pytest.mark.skipif(not SAMPLE.exists(), reason=REASON)
@pytest.mark.parametrize(
    "body",
    [
        {"messaging_product": "whatsapp", "type": "text", "text": {"body": "?"}},
        {"messaging_product": "whatsapp", "to": "7", "type": "text", "text": {"words": "?"}},
        {
            "messaging_product": "whatsapp",
            "to": "7",
            "type": "interactive",
            "interactive": {"type": "button", "action": {"buttons": []}},
        },
    ],
)
def test_the_description_finds_what_is_wrong(body: dict[str, object]) -> None:
    assert problems_of(body)
