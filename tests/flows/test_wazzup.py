"""Asked through Wazzup: lost answers, echoes of our own, accounts that are first written to by phone."""

from datetime import timedelta

import pytest

from integrations.channels.base import Hooked, Template
from integrations.standins.wazzup import WazzupStandIn
from storage.tables.surveys import SurveyState
from tests.integrations.wazzup_world import SECRET, SECTIONS, URL, posts, wazzup
from tests.world import IVAN, MAX_ACCOUNT, World, configured, merged
from worker.flows.act import act
from worker.service import Service

GUID = "8d255e5d-aefd-44dc-8131-c3ad6c3ab28c"


async def account(town: World, transport: str = "whatsapp") -> WazzupStandIn:
    """A Wazzup account in the place of the gateway that the company had."""
    server = WazzupStandIn(town.clock.now, transport=transport)
    if transport == "wapi":
        server.templates[GUID] = "{{1}} просит оценить заказ от 1 до 10."
    await connect(town, server)
    return server


async def connect(town: World, server: WazzupStandIn) -> None:
    """As after a start of the worker: what the process remembered is gone."""
    name = SECTIONS[server.channel.transport]
    channels = town.app.hands.channels
    assert isinstance(channels, dict)
    await channels[name].close()
    template = Template(template=GUID, parameters=("company",))
    templates = {"nps": template} if GUID in server.templates else {}
    channels[name] = channel = wazzup(server, gap=timedelta(0), templates=templates)
    await channel.start()
    await channel.register(URL, SECRET)


async def wazzup_posts(town: World, server: WazzupStandIn) -> None:
    """All webhooks that wait, brought to the worker."""
    name = SECTIONS[server.channel.transport]
    channel = town.app.hands.channels[name]
    assert isinstance(channel, Hooked)
    for posted in posts(server):
        await town.app.inbox.put(name, channel.take(posted, SECRET), town.clock.now())
    await town.step(pulls=False)


async def answers(town: World, server: WazzupStandIn, text: str) -> None:
    town.clock.advance(timedelta(minutes=1))
    server.says(IVAN, text)
    await wazzup_posts(town, server)


async def test_a_typed_digit_is_the_score(town: World) -> None:
    server = await account(town)
    deal = await town.asked()
    await wazzup_posts(town, server)
    await answers(town, server, "9")
    survey = await town.survey(deal)
    assert (survey.score, survey.channel) == (9, "whatsapp")
    assert survey.delivered_at is not None
    assert [post.channel.transport for post in server.messages(IVAN)] == ["whatsapp", "whatsapp"]


@pytest.mark.parametrize("echoes_ours", [False, True])
async def test_a_lost_answer_asks_once_and_leaves_no_doubt(town: World, echoes_ours: bool) -> None:
    server = await account(town)
    server.echoes_ours = echoes_ours
    deal = await town.closed_deal()
    server.faults.add("/message", after=True, drop=True)
    await town.next_morning()
    assert (await town.survey(deal)).state == SurveyState.SENT
    await wazzup_posts(town, server)
    assert len(server.messages(IVAN)) == 1
    # Were the echo taken for a colleague's message, a bare number might answer that person.
    await answers(town, server, "9")
    survey = await town.survey(deal)
    assert (survey.score, survey.delivered_at is not None) == (9, echoes_ours)


async def test_two_lost_answers_are_settled_by_the_echo(town: World) -> None:
    server = await account(town)
    server.echoes_ours = True
    deal = await town.closed_deal()
    server.faults.add("/message", after=True, drop=True, times=2)
    await town.next_morning()
    assert (await town.survey(deal)).state == SurveyState.UNCERTAIN
    await wazzup_posts(town, server)
    survey = await town.survey(deal)
    assert (survey.state, survey.uncertain) == (SurveyState.SENT, False)
    assert survey.message_id == server.last(IVAN).message_id
    assert len(server.messages(IVAN)) == 1


async def test_after_a_restart_our_echo_is_known_by_its_id(town: World) -> None:
    server = await account(town)
    server.echoes_ours = True
    deal = await town.asked()
    await connect(town, server)
    await wazzup_posts(town, server)
    await answers(town, server, "9")
    assert (await town.survey(deal)).score == 9


async def test_a_number_that_answers_a_manager_is_no_score(town: World) -> None:
    server = await account(town)
    deal = await town.asked()
    town.clock.advance(timedelta(minutes=1))
    server.manager_writes(IVAN, "Сколько штук привезти?")
    await answers(town, server, "2")
    assert (await town.survey(deal)).score is None


@configured(merged(MAX_ACCOUNT, {"delivery": {"channels": ["max_account", "whatsapp"]}}))
async def test_an_account_asks_by_phone_and_knows_whose_answer_it_gets(town: World) -> None:
    server = await account(town, "max")
    server.tells_phones = False
    deal = await town.asked()
    await wazzup_posts(town, server)
    await answers(town, server, "8, спасибо")
    survey = await town.survey(deal)
    assert (survey.score, survey.channel, survey.chat_id) == (8, "max_account", IVAN)
    assert len(server.messages(IVAN)) == 2  # the question, and thanks to the same chat


@configured(merged(MAX_ACCOUNT, {"delivery": {"channels": ["max_account", "whatsapp"]}}))
async def test_after_a_restart_an_account_still_knows_whose_chat_it_is(town: World) -> None:
    server = await account(town, "max")
    server.tells_phones = False
    deal = await town.asked()
    await connect(town, server)
    await wazzup_posts(town, server)
    await answers(town, server, "9")
    assert (await town.survey(deal)).score == 9
    await answers(town, server, "стоп")
    assert "не опрашивать" in town.amocrm.contacts[town.ivan()].tags
    assert len(server.messages(IVAN)) == 3, "the question, the thanks, the word on stopping: in one chat"


@configured({"delivery": {"channels": ["whatsapp", "telegram"]}})
async def test_who_is_not_on_the_messenger_is_asked_by_the_next_channel(town: World) -> None:
    server = await account(town)
    deal = await town.closed_deal()
    await town.links(deal)
    server.has_no_account(IVAN)
    await town.next_morning()
    await wazzup_posts(town, server)
    assert (await town.survey(deal)).channel == "telegram"


async def test_a_channel_without_money_asks_later(town: World) -> None:
    server = await account(town)
    server.set_state("notEnoughMoney")
    await wazzup_posts(town, server)
    deal = await town.asked()
    assert (await town.survey(deal)).state == SurveyState.PLANNED
    assert server.posted == []
    server.set_state("active")
    await wazzup_posts(town, server)
    await town.later(hours=1)
    assert (await town.survey(deal)).state == SurveyState.SENT


async def test_a_waba_channel_asks_by_the_template_and_thanks_in_free_words(town: World) -> None:
    server = await account(town, "wapi")
    deal = await town.asked()
    question = server.last(IVAN)
    assert (question.template, question.text) == (
        GUID,
        "ВладАвтоматика просит оценить заказ от 1 до 10.",
    )
    await answers(town, server, "10")
    assert (await town.survey(deal)).score == 10
    assert (server.last(IVAN).template, len(server.messages(IVAN))) == ("", 2)


async def test_a_window_that_closes_on_the_way_is_met_with_the_template(town: World) -> None:
    server = await account(town, "wapi")
    deal = await town.closed_deal()
    await town.at(town.local().replace(hour=20))
    await answers(town, server, "Здравствуйте")
    server._wrote_at.clear()  # Meta counts the day otherwise than we do
    await town.next_morning()
    await wazzup_posts(town, server)
    survey = await town.survey(deal)
    assert [post.template for post in server.messages(IVAN)] == [GUID], "all that arrived"
    assert (survey.state, survey.text_variant) == (SurveyState.SENT, "template")


@configured({"http": {"public_url": "https://gates.example.com", "webhook_secret": "path-secret-long"}})
async def test_an_address_that_another_program_has_is_told_once_and_when_it_is_ours(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await account(town)
    server.set_address("https://crm.example.org/wazzup?key=1")
    service = Service(town.app)

    async def no_rest(seconds: float) -> None:
        service.is_stopping.set()

    monkeypatch.setattr(service, "_rest", no_rest)

    async def try_to_register() -> None:
        service.is_stopping.clear()
        await service._register(town.app.hands.channels["whatsapp"])
        await act(town.app.hands, "trouble")

    for _ in range(2):
        await try_to_register()
    told = "Адрес для сообщений в Wazzup занят другой программой: crm.example.org. Он один на аккаунт"
    assert [text for text in town.to_anna() if told in text] == town.to_anna()[-1:]
    server.set_address("")
    await try_to_register()
    assert town.to_anna()[-1] == "Снова работает: адрес для сообщений в Wazzup."
