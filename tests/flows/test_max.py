"""The bot in MAX: who opens it by the deal's link is asked there, taps, and is heard."""

from datetime import timedelta

import pytest

from integrations.standins.max_model import Posted
from storage.tables.surveys import SurveyState
from tests.world import IVAN, MAX_BOT, World, configured, merged

LINK = "Ссылка на MAX-бота"
NO_WHATSAPP = merged(MAX_BOT, {"whatsapp": {"provider": "none"}})


async def links(town: World, deal: int) -> None:
    """Ivan opens the bot by the link in the deal's card."""
    town.max.start("Иван", town.amocrm.field_value(deal, LINK).partition("start=")[2])
    await town.step()


async def taps(town: World, button: str) -> str:
    town.clock.advance(timedelta(minutes=1))
    tap = town.max.tap("Иван", button)
    await town.step(pulls=False)
    return tap


async def writes(town: World, text: str, **more: str) -> None:
    town.clock.advance(timedelta(minutes=1))
    town.max.says("Иван", text, **more)
    await town.step(pulls=False)


def in_max(town: World) -> list[Posted]:
    return town.max.messages("Иван")


@configured(MAX_BOT)
async def test_who_opened_the_bot_by_the_deals_link_is_asked_there_and_heard(town: World) -> None:
    deal = await town.closed_deal()
    assert town.amocrm.field_value(deal, LINK).startswith("https://max.ru/id990001_bot?start=")
    await links(town, deal)
    await town.next_morning()
    greeting, question = in_max(town)
    assert question.text.startswith("Здравствуйте, Иван! Это ВладАвтоматика.")
    assert [len(row) for row in question.rows] == [5, 5, 2]
    assert town.to_ivan() == []
    assert town.card(deal) == "Спросили 8 сентября в 12:00, MAX"
    tap = await taps(town, "9")
    survey = await town.survey(deal)
    assert (survey.state, survey.channel, survey.score) == (SurveyState.ANSWERED, "max", 9)
    assert town.amocrm.field_value(deal, "NPS") == "9"
    assert town.max.taps[tap].answers
    assert question.text.startswith("Здравствуйте, Иван!")  # The words stay, they may carry a promise.
    assert question.labels == ["Ваша оценка: 9 из 10", "Изменить оценку"]
    thanks = in_max(town)[-1]
    assert thanks not in (greeting, question)
    assert thanks.text.startswith("Спасибо")


@configured(MAX_BOT)
async def test_a_changed_score_counts_and_the_words_join_it(town: World) -> None:
    deal = await town.closed_deal()
    await links(town, deal)
    await town.next_morning()
    await taps(town, "3")
    await taps(town, "Изменить оценку")
    await taps(town, "8")
    assert (await town.survey(deal)).score == 8
    await writes(town, "монтаж три недели")
    assert any("монтаж три недели" in note for note in town.amocrm.notes_of(deal))


@configured(MAX_BOT)
async def test_a_typed_number_that_quotes_the_question_is_a_score(town: World) -> None:
    deal = await town.closed_deal()
    await links(town, deal)
    await town.next_morning()
    await writes(town, "7", reply_to=in_max(town)[-1].mid)
    assert (await town.survey(deal)).score == 7


@configured(MAX_BOT)
@pytest.mark.parametrize("leaves", ["block", "remove_dialogue"])
async def test_who_stopped_the_bot_is_asked_by_the_next_channel(town: World, leaves: str) -> None:
    deal = await town.closed_deal()
    await links(town, deal)
    getattr(town.max, leaves)("Иван")
    await town.step(pulls=False)
    await town.next_morning()
    assert len(town.to_ivan()) == 1
    assert (await town.survey(deal)).tried == []  # it was known before
    assert town.card(deal) == "Спросили 8 сентября в 12:00, WhatsApp"


@configured(MAX_BOT)
async def test_who_left_without_a_word_is_asked_by_the_next_channel_at_once(town: World) -> None:
    deal = await town.closed_deal()
    await links(town, deal)
    town.max.person("Иван").has_stopped = True
    await town.next_morning()
    assert len(town.to_ivan()) == 1
    assert (await town.survey(deal)).channel == "whatsapp"


@configured(NO_WHATSAPP)
async def test_without_another_channel_the_reason_is_told_and_coming_back_is_in_time(town: World) -> None:
    deal = await town.closed_deal()
    await links(town, deal)
    town.max.block("Иван")
    await town.step(pulls=False)
    await town.next_morning()
    assert town.card(deal) == "Не спросили: нет в подключённых мессенджерах"
    await links(town, deal)
    await town.later(minutes=5)
    assert (await town.survey(deal)).state == SurveyState.SENT
    assert in_max(town)[-1].labels


@configured(NO_WHATSAPP)
async def test_a_stranger_is_asked_for_the_number_and_known_by_it(town: World) -> None:
    deal = await town.closed_deal()
    town.max.start("Иван")
    await town.step()
    assert in_max(town)[-1].labels == ["Поделиться номером"]
    town.max.share_contact("Иван", phone="+79140000009", is_own=False)
    await town.step()
    town.max.share_contact("Иван", phone=IVAN)
    await town.step()
    await town.next_morning()
    survey = await town.survey(deal)
    assert (survey.state, survey.channel) == (SurveyState.SENT, "max")


@configured(MAX_BOT)
async def test_a_link_that_was_forwarded_does_not_take_the_chat_over(town: World) -> None:
    deal = await town.closed_deal()
    await links(town, deal)
    town.max.start("Пётр", town.amocrm.field_value(deal, LINK).partition("start=")[2])
    await town.step()
    await town.next_morning()
    assert [bool(post.buttons) for post in in_max(town)] == [False, True]
    assert [post.labels for post in town.max.messages("Пётр")] == [["Поделиться номером"]]


@configured(MAX_BOT)
async def test_what_comes_again_counts_once(town: World) -> None:
    deal = await town.closed_deal()
    await links(town, deal)
    await town.next_morning()
    town.max.tap("Иван", "3")
    (told,) = town.max.waiting()
    await town.step(pulls=False)
    said = [post.text for post in in_max(town)]
    town.max.repeat(told)
    await town.restart()
    await town.later(minutes=1)
    assert town.max.waiting() == []
    assert [post.text for post in in_max(town)] == said
    assert len(town.complaints()) == 1


@configured(merged(MAX_BOT, {"amocrm": {"fields": {"max_link": ""}}}))
async def test_without_a_deal_field_for_its_link_the_bot_works_all_the_same(town: World) -> None:
    deal = await town.closed_deal()
    assert town.amocrm.field_value(deal, LINK) is None
    link = town.amocrm.field_value(deal, "Ссылка на Telegram-бота")
    town.max.start("Иван", link.partition("start=")[2])  # the same token, on a printed card
    await town.step()
    await town.next_morning()
    assert (await town.survey(deal)).channel == "max"


@configured(merged(MAX_BOT, {"telegram": {"token": ""}, "staff": []}))
async def test_the_link_is_written_where_the_company_has_no_bot_in_telegram(town: World) -> None:
    deal = await town.closed_deal()
    assert town.amocrm.field_value(deal, LINK)
    assert town.amocrm.field_value(deal, "Ссылка на Telegram-бота") is None


@configured(MAX_BOT)
async def test_a_bot_without_a_name_holds_up_neither_the_others_link_nor_the_rest(town: World) -> None:
    town.max.username = None
    await town.restart()
    deal = await town.closed_deal()
    assert town.amocrm.field_value(deal, LINK) is None
    assert town.amocrm.field_value(deal, "Ссылка на Telegram-бота")
    assert town.card(deal) is not None
    town.max.username = "id990001_bot"
    await town.later(minutes=11)
    assert town.amocrm.field_value(deal, LINK)
