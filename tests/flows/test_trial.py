"""«/try»: somebody of the company plays a client in their own chat, and it counts nowhere."""

from datetime import timedelta

from sqlmodel import SQLModel, func, select

from storage.tables.queues import Inbox, Outbox, State
from storage.tables.surveys import Message, Reply, Trial
from tests.flows.test_staff_commands import BOSS, CSAT, HEAD, ILYA, NPS, OLEG, answer, opens, sends
from tests.world import IVAN, MAX_BOT, World, configured
from worker.actions import trial

MARK = "Проверка: так сообщение увидит клиент.\n\n"
OVER = "Проверка закончена: дальше бот отвечает как обычно."
REVIEWS = {"links": [{"name": "2ГИС", "url": "https://2gis.ru/1"}]}
TWO = {
    "survey": [{**NPS, "follow_up_high": "Что нам улучшить?"}, CSAT],
    "reviews": REVIEWS,
    "names": {"Олег Смирнов": "Олег"},
    "staff": [HEAD, BOSS, ILYA, OLEG],
}
TRACES = {Inbox, Message, Outbox, State, Trial}  # what a trial may leave behind, none of it counted


async def rows(town: World) -> dict[str, int]:
    """Everything that is kept of clients, deals, surveys, complaints, codes …"""
    async with town.db.reading() as tx:
        found = {}
        for mapper in SQLModel._sa_registry.mappers:
            if mapper.class_ not in TRACES:
                found[mapper.class_.__name__] = (
                    await tx.exec(select(func.count()).select_from(mapper.class_))
                ).one()
    return found


@configured(TWO)
async def test_anna_plays_the_whole_conversation_and_nothing_of_it_counts(town: World) -> None:
    before, report = await rows(town), await town.report()
    question = await answer(town, "/try")
    assert question.text == (
        f"{MARK}Здравствуйте, Иван Петрович! Это ВладАвтоматика. Спасибо за заказ. "
        "Насколько вероятно, что вы порекомендуете нас друзьям? 1 — точно нет, 10 — обязательно. "
        f"Ваш промокод для друзей — ДРУГ-1234567, скидка 5{chr(160)}%."
    )
    assert question.labels == [*map(str, range(1, 11)), "Позвоните мне", "Не спрашивать"]
    await town.taps("9", "Анна")
    assert town.to_anna()[-1].startswith(
        f"{MARK}Спасибо. И последнее. Как вы оцените работу менеджера (Олег)? 1 — не понравилось"
    )
    assert question.labels == ["Ваша оценка: 9 из 10", "Изменить оценку"]
    (low,) = await sends(town, "2, монтажник грубил")
    assert low.text.startswith(
        f"{MARK}Спасибо, что написали. Нам жаль, что так вышло. Мы разберёмся и свяжемся"
    )
    (over,) = await sends(town, "стоп")
    assert over.text.startswith(f"{MARK}Хорошо, больше не будем присылать вопросы.")
    assert over.text.endswith(OVER)
    assert await sends(town, "5") == []
    await town.later(hours=2)
    assert town.telegram.last("Анна") is over
    assert await rows(town) == before
    assert await town.report() == report
    assert town.complaints() == []
    assert not [text for text in town.in_telegram("Босс") if "оценка" in text]


@configured(TWO)
async def test_the_last_answer_brings_the_review_and_the_hour_ends_the_trial(town: World) -> None:
    await answer(town, "/try csat_manager")
    await town.taps("5", "Анна")
    said = town.telegram.last("Анна").text
    assert said.startswith(f"{MARK}Спасибо за оценку.")
    assert "2ГИС: https://2gis.ru/1" in said
    (card,) = await sends(town, "код")
    assert "промокод для друзей — ДРУГ-1234567" in card.text
    (help_,) = await sends(town, "/help")
    assert help_.text.startswith("/report")
    await town.later(minutes=61)
    assert town.to_anna()[-1] == OVER
    old = town.telegram.tap("Анна", "Изменить оценку")
    await town.step(pulls=False)
    assert town.telegram.taps[old].answer == "Этот опрос уже завершён, спасибо."


@configured(TWO)
async def test_what_is_unclear_is_asked_about_once_and_a_school_mark_too(town: World) -> None:
    await answer(town, "/try nps")
    assert (await answer(town, "8-9")).text.startswith(f"{MARK}Спасибо! Какую оценку записать: 8 или 9?")
    assert (await answer(town, "4")).text.startswith(f"{MARK}Вы поставили 4 из 10, где 10 — высшая оценка.")
    assert (await answer(town, "10")).text.startswith(f"{MARK}Исправили: 10 из 10. Спасибо.")
    assert (await answer(town, "а когда приедет мастер?")).text.startswith(f"{MARK}Получили ваше сообщение")


@configured({**TWO, "survey": [NPS]})
async def test_a_real_question_goes_out_beside_a_trial_and_is_answered_in_its_own_chat(town: World) -> None:
    deal = await town.closed_deal()
    await answer(town, "/try")
    await town.next_morning()
    assert len(town.to_ivan()) == 1
    await town.ivan_writes("9")
    assert (await town.survey(deal)).score == 9


async def begins_in_ivans_chat(town: World) -> None:
    """`sarafan try --to` somebody who is asked for real within the hour."""
    async with town.db.transaction() as tx:
        chat = f"{IVAN.removeprefix('+')}@c.us"
        await trial.start(tx, town.app.hands, "whatsapp", chat, ("nps", "csat_manager"), "ivan")
    await town.step(pulls=False)


@configured(TWO)
async def test_once_a_real_question_came_into_its_chat_the_trial_is_over_and_a_digit_answers_that(
    town: World,
) -> None:
    deal = await town.closed_deal()
    await town.at(town.local() + timedelta(hours=23, minutes=50))
    await begins_in_ivans_chat(town)
    await town.ivan_writes("7")
    assert town.to_ivan()[-1].startswith(MARK)  # Nothing else has been asked yet.
    assert (await town.survey(deal)).answered_at is None
    await town.later(minutes=10)
    assert (await town.survey(deal)).state == "sent"
    await town.ivan_writes("9")
    assert (await town.survey(deal)).score == 9
    assert not town.to_ivan()[-1].startswith(MARK)
    await town.later(hours=1)
    assert OVER not in town.to_ivan()
    async with town.db.reading() as tx:
        assert (await tx.exec(select(Reply.score))).all() == [9]


@configured(TWO)
async def test_a_trial_in_a_chat_where_a_question_waits_already_goes_on_and_answers_nothing_of_it(
    town: World,
) -> None:
    """Somebody of the staff who is a client too, with a deal of their own, writes /try."""
    deal = await town.asked()
    await begins_in_ivans_chat(town)
    await town.ivan_writes("3")
    assert (await town.survey(deal)).score is None
    assert town.to_ivan()[-1].startswith(MARK)
    assert town.complaints() == []
    await town.ivan_writes("стоп")
    assert town.to_ivan()[-1].endswith(OVER)
    await town.ivan_writes("9")
    assert (await town.survey(deal)).score == 9


@configured(TWO)
async def test_what_was_written_before_the_trial_began_answers_the_real_question(town: World) -> None:
    """The worker was away, and reads both at once."""
    deal = await town.asked()
    town.whatsapp.says(IVAN, "9")
    town.clock.advance(timedelta(minutes=10))
    await begins_in_ivans_chat(town)
    assert (await town.survey(deal)).score == 9
    await town.ivan_writes("3")
    assert town.to_ivan()[-1].startswith(MARK)
    assert (await town.survey(deal)).score == 9


@configured({**TWO, "delivery": {"reminder_after": "1h"}})
async def test_a_reminder_of_a_real_question_ends_a_trial_too(town: World) -> None:
    deal = await town.asked()
    await town.later(minutes=50)
    await begins_in_ivans_chat(town)
    await town.later(minutes=11)
    assert not town.to_ivan()[-1].startswith(MARK)
    await town.ivan_writes("9")
    assert (await town.survey(deal)).score == 9


@configured(TWO)
async def test_what_answers_the_question_of_a_trial_after_a_real_question_came_is_no_answer_to_it(
    town: World,
) -> None:
    deal = await town.closed_deal()
    await town.at(town.local() + timedelta(hours=23, minutes=50))
    await begins_in_ivans_chat(town)
    tried = town.whatsapp.last(IVAN).id_message
    await town.later(minutes=10)
    await town.ivan_votes("3", id_message=tried)
    await town.ivan_writes("3", quote=tried)
    assert (await town.survey(deal)).score is None
    await town.ivan_writes("8")
    assert (await town.survey(deal)).score == 8


@configured(TWO)
async def test_others_try_nothing(town: World) -> None:
    await opens(town, OLEG, ILYA)
    assert (await answer(town, "/try", "Олег")).text.startswith("Такой команды у вас нет.")
    assert (await answer(town, "/try", "Илья")).text.startswith(MARK)
    assert (await answer(town, "/try nsp")).text == "Опроса «nsp» нет. Есть такие: nps, csat_manager"
    town.telegram.start("Иван")
    assert MARK not in (await sends(town, "/try", "Иван"))[-1].text


@configured({**MAX_BOT, **TWO, "staff": [{**HEAD, "telegram_id": 0, "max_id": 700_001}]})
async def test_who_is_met_in_max_tries_it_there(town: World) -> None:
    town.clock.advance(timedelta(minutes=1))
    town.max.person("Анна", user_id=700_001)
    town.max.start("Анна")
    await town.step(pulls=False)
    town.max.says("Анна", "/try")
    await town.step(pulls=False)
    assert town.max.last("Анна").text.startswith(MARK)
    town.max.says("Анна", "9")
    await town.step(pulls=False)
    assert "работу менеджера" in town.max.last("Анна").text
    assert await town.surveys() == []
    assert town.whatsapp.messages(IVAN) == []
