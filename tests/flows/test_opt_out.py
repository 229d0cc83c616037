"""«Стоп» said once, in whatever chat and however: nothing more is asked in any."""

from datetime import timedelta

from storage import reminders, sending
from tests.flows.test_consent import says, tags
from tests.flows.test_conversation import CSAT, NPS, OFFICE, local
from tests.world import IVAN, World, configured
from worker.actions.asking import settle
from worker.actions.considering import consider, consider_reminder, reread
from worker.flows.receive import receive
from worker.rules.eligibility import Send

CONFIRMED = "Хорошо, больше не будем присылать вопросы."


async def linked(town: World) -> int:
    """Ivan can be reached by the bot and by WhatsApp; a question is due tomorrow."""
    deal = await town.closed_deal()
    await town.links(deal)
    return deal


def heard(town: World) -> tuple[int, int]:
    """How many messages Ivan has in Telegram and in WhatsApp."""
    return len(town.in_telegram()), len(town.to_ivan())


async def telegram_says(town: World, text: str) -> None:
    town.clock.advance(timedelta(minutes=1))
    town.telegram.says("Иван", text)
    await town.step(pulls=False)


async def test_stop_in_one_chat_ends_the_question_that_is_open_in_the_other(town: World) -> None:
    deal = await linked(town)
    await town.next_morning()
    assert (await town.survey(deal)).channel == "telegram"
    bot, phone = heard(town)
    await town.ivan_writes("стоп")
    assert town.to_ivan()[phone:] == [
        f"{CONFIRMED} По заказу мы на связи: {OFFICE}. Если передумаете, ответьте «вернуться»."
    ]
    await telegram_says(town, "стоп")
    await town.taps("Не спрашивать")
    await town.until(local(20, 12), timedelta(days=3))
    assert heard(town) == (bot, phone + 1)  # One confirmation, where it was said; no reminder.


async def test_stop_in_the_bot_ends_the_question_that_is_open_in_whatsapp(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    await town.at(local(20, 11, month=10))
    second = await linked(town)
    await town.next_morning()
    assert (await town.survey(second)).channel == "whatsapp"  # where he answered last
    bot, phone = heard(town)
    await telegram_says(town, "стоп")
    await town.ivan_writes("стоп")
    await town.until(local(31, 12, month=10), timedelta(days=3))
    assert heard(town) == (bot + 1, phone)
    assert town.in_telegram()[-1].startswith(CONFIRMED)
    assert len(town.amocrm.notes_of(second)) == 1
    assert len(town.amocrm.notes_of(deal)) == 1  # of the score


async def test_stop_before_the_question_sends_it_nowhere(town: World) -> None:
    deal = await linked(town)
    bot, phone = heard(town)
    await town.ivan_writes("стоп")
    await town.next_morning()
    await town.later(days=2)
    assert heard(town) == (bot, phone + 1)
    assert town.card(deal) == "Не спросили: попросили не писать"


async def test_a_tap_on_do_not_ask_silences_whatsapp_too(town: World) -> None:
    await linked(town)
    await town.next_morning()
    bot, phone = heard(town)
    await town.taps("Не спрашивать")
    assert town.in_telegram()[bot:][0].startswith(CONFIRMED)
    town.telegram.block("Иван")
    await town.at(local(20, 11, month=10))
    second = await town.asked()
    await town.later(days=3)
    assert heard(town) == (bot + 1, phone)
    assert (await town.survey(second)).reason == "opted_out"


async def test_an_option_of_the_poll_silences_telegram_too(town: World) -> None:
    await town.asked()
    await town.ivan_votes("Не спрашивать")
    assert town.to_ivan()[-1].startswith(CONFIRMED)
    await town.at(local(20, 11, month=10))
    second = await town.closed_deal()
    await town.links(second)
    bot, phone = heard(town)
    await town.next_morning()
    await town.later(days=3)
    assert heard(town) == (bot, phone)
    assert (await town.survey(second)).reason == "opted_out"


async def test_who_blocks_the_bot_has_said_nothing_about_whatsapp(town: World) -> None:
    await linked(town)
    await town.next_morning()
    await town.taps("9")
    bot, phone = heard(town)
    town.telegram.block("Иван")
    await town.at(local(20, 11, month=10))
    second = await town.asked()
    assert heard(town) == (bot, phone + 1)
    assert (await town.survey(second)).channel == "whatsapp"
    assert tags(town) == []


@configured({"survey": [NPS, CSAT]})
async def test_stop_in_the_other_chat_ends_what_would_have_followed_the_score(town: World) -> None:
    deal = await linked(town)
    await town.next_morning()
    town.telegram.tap("Иван", "9")
    await says(town, "стоп")  # Both are read before anything is said.
    hands = town.app.hands
    while await receive(hands, hands.channels["telegram"], town.app.inbox, timedelta(0)):
        pass
    await town.step()
    await town.until(local(20, 12), timedelta(days=3))
    assert (await town.survey(deal)).score == 9
    assert (await town.survey(deal, "csat_manager")).reason == "opted_out"
    assert not [text for text in [*town.in_telegram(), *town.to_ivan()] if "менеджера" in text]


async def test_stop_while_the_question_is_just_being_checked_keeps_it_back(town: World) -> None:
    """Between the last look and the sending: the look is out of date."""
    deal = await linked(town)
    town.clock.set(local(8, 12))
    hands = town.app.hands
    survey = await sending.claim_due(town.db, town.clock.now())
    assert survey is not None
    await reread(hands, survey)
    case = await consider(hands, survey, town.clock.now())
    assert case is not None
    assert case.decision == Send()
    bot, _ = heard(town)
    await says(town, "стоп")
    assert not await settle(hands, case, town.clock.now())
    await town.step()
    assert len(town.in_telegram()) == bot
    assert (await town.survey(deal)).reason == "opted_out"


async def test_stop_while_the_reminder_is_just_being_checked_keeps_it_back(town: World) -> None:
    await linked(town)
    await town.next_morning()
    town.clock.set(local(10, 12))
    hands, bot = town.app.hands, heard(town)[0]
    (waiting,) = [survey for survey in await town.surveys() if survey.sent_at]
    case = await consider_reminder(hands, waiting, town.clock.now())
    assert case is not None
    assert case.decision == Send()
    await says(town, "стоп")
    assert not await reminders.claim_reminder(town.db, waiting, town.clock.now())
    await town.step()
    assert len(town.in_telegram()) == bot


async def test_a_question_that_did_not_arrive_is_tried_nowhere_else_after_stop(town: World) -> None:
    """Sent by WhatsApp, said to have failed after the client spoke up in the bot."""
    deal = await town.asked()
    await town.links(deal)
    bot, phone = heard(town)
    await telegram_says(town, "стоп")
    question = town.whatsapp.last(IVAN)
    town.whatsapp.tells_status(question.id_message, question.chat_id, "failed")
    await town.later(hours=1)
    assert heard(town) == (bot + 1, phone)


async def test_a_stranger_who_said_stop_is_spared_when_it_turns_out_who_it_is(town: World) -> None:
    deal = await town.closed_deal()
    town.telegram.says("Иван", "стоп")
    await town.step()
    await town.links(deal)
    heard_before = heard(town)
    await town.next_morning()
    assert heard(town) == heard_before
    assert (await town.survey(deal)).reason == "opted_out"
