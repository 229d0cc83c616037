"""Words in place of a score: nobody who wrote is silent, and who asks for a call has declined."""

from datetime import timedelta

import pytest

from storage.tables.surveys import SurveyState
from tests.flows.test_consent import asked
from tests.flows.test_conversation import CSAT, NPS, OFFICE, local
from tests.world import IVAN, World, configured

TUESDAYS = (local(8, 11), local(13, 11, month=10), local(17, 11, month=11))


async def three_conversations(town: World, *words: str) -> None:
    """Three deals a month apart; under the question of each Ivan writes this and gives no score."""
    for tuesday in TUESDAYS:
        town.clock.set(tuesday)
        await town.asked()
        for text in words:
            await town.ivan_writes(text)
        await town.later(days=8)
    town.clock.set(local(22, 11, month=12))


@pytest.mark.parametrize(
    "words", ["позвоните мне", "даже не знаю", "Когда приедете?", "Автоответ: мы свяжемся с вами"]
)
async def test_who_wrote_words_three_times_is_not_silent(town: World, words: str) -> None:
    await three_conversations(town, words)
    assert asked(town) == 3
    fourth = await town.asked()
    # An answering machine is nobody.
    assert (await town.survey(fourth)).reason == ("silent" if words.startswith("Автоответ") else "")


async def test_a_thumb_alone_is_no_word(town: World) -> None:
    for tuesday in TUESDAYS:
        town.clock.set(tuesday)
        await town.asked()
        town.whatsapp.reacts(IVAN, "👍")
        await town.later(days=8)
    town.clock.set(local(22, 11, month=12))
    assert (await town.survey(await town.asked())).reason == "silent"


async def test_words_in_another_messenger_are_words_as_well(town: World) -> None:
    for tuesday in TUESDAYS:
        town.clock.set(tuesday)
        deal = await town.asked()
        if tuesday == TUESDAYS[-1]:
            await town.links(deal)
            town.telegram.says("Иван", "Добрый день")
            await town.step()
        await town.later(days=8)
    town.clock.set(local(22, 11, month=12))
    assert (await town.survey(await town.asked())).reason == ""


async def test_who_asks_for_a_call_is_not_reminded_and_the_card_says_so(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("Позвоните мне")
    assert town.to_ivan()[1:] == [f"Хорошо, позвоним сегодня до 16:01. Или звоните сами: {OFFICE}."]
    assert town.card(deal) == "Попросили позвонить, 8 сентября в 12:01"
    await town.manager_writes("Иван, звоню!")  # Nobody owes an answer any more.
    await town.until(local(20, 12), timedelta(days=3))
    assert len(town.to_ivan()) == 2
    assert (await town.survey(deal)).state == SurveyState.EXPIRED
    assert town.card(deal) == "Попросили позвонить, 8 сентября в 12:01"
    nps = (await town.report())["surveys"]["nps"]
    assert (nps["eligible"], nps["sent"], nps["answered"]) == (1, 1, 0)
    assert nps["eligible"] == nps["sent"] + sum(nps["not_sent"].values())


async def test_a_score_after_the_call_counts_as_any_other(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("перезвоните")
    await town.later(hours=5)
    await town.ivan_votes("9")
    survey = await town.survey(deal)
    assert (survey.state, survey.score, survey.late) == (SurveyState.ANSWERED, 9, False)
    assert town.card(deal) == "Ответ 9 из 10, 8 сентября в 17:02"


async def test_a_call_that_is_asked_for_after_the_score_or_long_after_the_question_declines_nothing(
    town: World,
) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    card = town.card(deal)
    await town.ivan_writes("позвоните мне")
    assert (await town.survey(deal)).call_asked_at is None
    assert town.card(deal) == card
    await town.at(local(20, 12, month=10))
    second = await town.asked()
    await town.until(local(30, 12, month=10), timedelta(days=3))
    await town.ivan_writes("позвоните мне")
    assert (await town.survey(second)).call_asked_at is None
    assert town.card(second) == "Не ответили"


@configured({"survey": [NPS, CSAT]})
async def test_what_waited_behind_a_declined_question_is_not_asked(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("позвоните мне")
    await town.until(local(20, 12), timedelta(days=3))
    assert len(town.to_ivan()) == 2
    assert (await town.survey(deal, "csat_manager")).reason == "conversation_silent"


async def test_a_tap_on_call_me_declines_like_the_words(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    button = {"text": "Позвоните мне", "callback_data": f"s:{(await town.survey(deal)).id}:call"}
    markup = town.telegram.last("Иван").markup
    assert markup is not None
    markup["inline_keyboard"].append([button])
    await town.taps("Позвоните мне")
    assert town.in_telegram()[-1] == f"Хорошо, позвоним сегодня до 16:01. Или звоните сами: {OFFICE}."
    assert town.card(deal) == "Попросили позвонить, 8 сентября в 12:01"
    assert "«Позвоните мне»" in town.amocrm.tasks_of(deal)[0].text


async def test_the_button_is_a_call_asked_for_once_however_often_it_is_tapped(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    for _ in range(3):
        await town.taps("Позвоните мне")
    assert town.card(deal) == "Попросили позвонить, 8 сентября в 12:01"
    assert len(town.amocrm.tasks_of(deal)) == 1
    assert len([text for text in town.in_telegram() if text.startswith("Хорошо, позвоним")]) == 1
    await town.taps("9")
    assert (await town.survey(deal)).score == 9
