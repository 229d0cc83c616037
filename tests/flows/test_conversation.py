"""What clients answer and what they hear back: one question at a time, one message for one act."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from storage.tables.surveys import Reply, SurveyState
from tests.world import IVAN, ZONE, World, configured
from worker.flows.act import act
from worker.flows.listen import listen
from worker.flows.receive import receive

NPS = {"key": "nps", "metric": "nps", "delay": "1bd"}
CSAT = {"key": "csat_manager", "metric": "csat", "delay": "1bd", "subject": "manager"}
TWO = {"survey": [NPS, CSAT], "names": {"Олег Смирнов": "Олег"}}
OFFICE = "+7 423 200-00-00"

NPS_QUESTION = (
    "Насколько вероятно, что вы порекомендуете нас друзьям? 1 — точно нет, 10 — обязательно. "
    "Выберите вариант или ответьте числом."
)
CSAT_WORDS = "Как вы оцените работу менеджера (Олег)? 1 — не понравилось, 5 — очень понравилось."
CSAT_QUESTION = f"{CSAT_WORDS} Выберите вариант или ответьте числом."
CSAT_TYPED = f"{CSAT_WORDS} Ответьте, пожалуйста, одним числом от 1 до 5."
FORWARDED = (
    f"Получили ваше сообщение, передали сотруднику. Ответим сегодня до 16:01. Если срочно, звоните: {OFFICE}."
)
ONCE_MORE = "Здравствуйте! Это ВладАвтоматика. Напоминаем о вопросе, больше повторять его не будем."
OPTED_OUT = f"Хорошо, больше не будем присылать вопросы. По заказу мы на связи: {OFFICE}. "
CHECK = (
    "Вы поставили {} из 10, где 10 — высшая оценка. Всё верно? Если нет, пришлите другое число. "
    "Если да, напишите, пожалуйста, что случилось: хотим исправить."
)


def local(day: int, hour: int, minute: int = 0, month: int = 9) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


async def replies(town: World) -> list[Reply]:
    async with town.db.reading() as tx:
        return list((await tx.exec(select(Reply).order_by(col(Reply.id)))).all())


def tasks(town: World, deal: int) -> list[str]:
    return [task.text for task in town.amocrm.tasks_of(deal)]


# --- one question after the other --------------------------------------------------------------------------


@configured(TWO)
async def test_who_complains_is_asked_no_second_question_whichever_lane_is_faster(town: World) -> None:
    await town.asked()
    town.whatsapp.says(IVAN, "2, не перезванивал")
    hands = town.app.hands
    while await receive(hands, hands.channels["whatsapp"], town.app.inbox, timedelta(0)):
        await listen(hands)
    await act(hands, "clients")  # The thanks go out before anybody has opened the complaint.
    assert [survey.reason for survey in await town.surveys()] == ["", "complaint_open"]
    await town.step()
    assert len(town.to_ivan()) == 2
    assert len(town.complaints()) == 1


@configured(TWO)
async def test_the_second_question_comes_in_the_same_message_as_the_thanks_for_the_first(town: World) -> None:
    deal = await town.asked()
    assert len(town.to_ivan()) == 1
    await town.ivan_writes("9")
    assert town.to_ivan()[1:] == [f"Спасибо. И последнее. {CSAT_QUESTION}"]
    await town.ivan_writes("5")
    assert town.to_ivan()[2:] == ["Спасибо за оценку."]
    assert [town.amocrm.field_value(deal, name) for name in ("NPS", "CSAT")] == ["9", "5"]
    first, second = await town.surveys()
    assert first.conversation == second.conversation == first.id


@configured(TWO)
async def test_words_under_the_first_answer_are_thanked_for_above_the_second_question(town: World) -> None:
    await town.asked()
    await town.ivan_writes("8, спасибо Олегу за терпение")
    assert town.to_ivan()[1:] == [
        f"Спасибо, что написали. Передадим ваши слова руководителю.\n\nИ последнее. {CSAT_TYPED}"
    ]


@configured({**TWO, "survey": [NPS, CSAT, {"key": "ces", "metric": "ces", "delay": "1bd"}]})
async def test_three_questions_follow_each_other_and_only_the_last_is_called_so(town: World) -> None:
    await town.asked()
    await town.ivan_votes("10")
    assert town.to_ivan()[-1].startswith("Спасибо. Как вы оцените работу менеджера")
    await town.ivan_votes("5")
    assert town.to_ivan()[-1].startswith("Спасибо. И последнее. Насколько просто вам было с нами работать?")
    await town.ivan_votes("5")
    assert town.to_ivan()[3:] == ["Спасибо за оценку."]


@configured(TWO)
async def test_silence_after_the_first_of_two_questions_ends_both(town: World) -> None:
    deal = await town.asked()
    await town.until(local(16, 12), timedelta(days=1))
    assert (await town.survey(deal, "nps")).state == SurveyState.EXPIRED
    second = await town.survey(deal, "csat_manager")
    assert (second.state, second.reason) == (SurveyState.SKIPPED, "conversation_silent")
    assert len(town.to_ivan()) == 2  # the question and its reminder
    await town.until(local(30, 12), timedelta(days=1))
    assert len(town.to_ivan()) == 2


@configured(TWO)
async def test_an_answer_to_the_reminder_goes_on_with_the_second_question(town: World) -> None:
    await town.asked()
    await town.until(local(12, 12), timedelta(days=1))
    await town.ivan_writes("9")
    assert town.to_ivan()[-1] == f"Спасибо. И последнее. {CSAT_QUESTION}"
    await town.until(local(25, 12), timedelta(days=1))
    assert len(town.to_ivan()) == 3  # one reminder for the whole conversation


@configured(TWO)
async def test_a_low_first_score_opens_a_complaint_and_nothing_more_is_asked(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("2")
    assert len(town.complaints()) == 1
    assert (await town.survey(deal, "csat_manager")).reason == "complaint_open"
    assert len(town.to_ivan()) == 2
    assert "менеджера" not in town.to_ivan()[-1]


@configured(TWO)
async def test_a_client_who_stops_between_two_questions_hears_only_the_confirmation(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("10, но больше не пишите")
    assert town.to_ivan()[1:] == ["Спасибо, оценку записали. Больше вопросов присылать не будем."]
    await town.later(days=1)
    assert len(town.to_ivan()) == 2
    assert town.amocrm.field_value(deal, "NPS") == "10"
    assert (await town.survey(deal, "csat_manager")).reason in ("opted_out", "stop_tag")


@configured(TWO)
async def test_the_deal_is_looked_at_again_before_the_second_question(town: World) -> None:
    deal = await town.asked()
    town.amocrm.move_lead(deal, "Монтаж")
    await town.ivan_writes("9")
    assert town.to_ivan()[1].startswith("Спасибо! Записали: 9 из 10.")
    assert (await town.survey(deal, "csat_manager")).reason == "reopened"


@configured(TWO)
async def test_at_night_the_running_conversation_goes_on(town: World) -> None:
    await town.asked()
    await town.at(local(8, 23, 30))
    await town.ivan_writes("9")
    assert town.to_ivan()[-1] == f"Спасибо. И последнее. {CSAT_QUESTION}"


@configured(TWO)
async def test_a_quote_of_the_first_question_answers_the_first(town: World) -> None:
    deal = await town.asked()
    first = town.whatsapp.last(IVAN).id_message
    await town.ivan_writes("9")
    await town.ivan_writes("7", quote=first)
    assert (await town.survey(deal, "nps")).score == 7
    assert (await town.survey(deal, "csat_manager")).score is None


async def test_two_deals_of_one_person_never_have_two_open_questions(town: World) -> None:
    for _ in range(2):
        await town.closed_deal([town.contact()])
    await town.next_morning()
    assert len(town.to_ivan()) == 1


# --- reminder and expiry -----------------------------------------------------------------------------------


async def test_an_unanswered_question_is_repeated_once(town: World) -> None:
    await town.asked()
    await town.at(local(10, 11, 59))
    assert len(town.to_ivan()) == 1
    await town.at(local(10, 12))
    assert town.to_ivan()[1] == (f"{ONCE_MORE} {NPS_QUESTION}")
    await town.until(local(15, 11), timedelta(days=1))
    assert len(town.to_ivan()) == 2
    await town.ivan_votes("9")
    assert town.to_ivan()[2].startswith("Спасибо! Записали: 9 из 10.")


async def test_in_telegram_the_reminder_has_the_buttons_and_an_answer_to_either_counts(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    question = town.telegram.last("Иван").message_id
    await town.at(local(10, 12))
    assert town.telegram.last("Иван").labels[9] == "10"
    await town.taps("8", message_id=question)
    assert (await town.survey(deal)).score == 8


async def test_who_answered_is_not_reminded(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.until(local(14, 12), timedelta(days=1))
    assert len(town.to_ivan()) == 2


async def test_who_said_stop_is_not_reminded(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    await town.until(local(14, 12), timedelta(days=1))
    assert len(town.to_ivan()) == 2


async def test_who_complained_by_phone_meanwhile_is_not_reminded(town: World) -> None:
    await town.asked()
    town.deal(pipeline="Рекламации", name="Звонил, ругался")
    await town.until(local(14, 12), timedelta(days=1))
    assert len(town.to_ivan()) == 1


async def test_nobody_is_reminded_of_a_deal_that_was_reopened(town: World) -> None:
    deal = await town.asked()
    town.amocrm.move_lead(deal, "Монтаж")
    await town.until(local(14, 12), timedelta(days=1))
    assert len(town.to_ivan()) == 1


@pytest.mark.parametrize(
    ("asked", "reminded"),
    [
        (local(11, 12), local(14, 10)),  # Friday → on Sunday nobody is written to
        (local(10, 19, 50), local(12, 19, 50)),
    ],
)
async def test_a_reminder_keeps_to_the_send_window(town: World, asked: datetime, reminded: datetime) -> None:
    town.clock.set(asked - timedelta(days=1))
    await town.closed_deal()
    await town.at(asked)
    assert len(town.to_ivan()) == 1
    await town.at(reminded - timedelta(minutes=1))
    assert len(town.to_ivan()) == 1
    await town.at(reminded)
    assert len(town.to_ivan()) == 2


async def test_a_worker_that_wakes_up_at_night_reminds_in_the_morning(town: World) -> None:
    await town.asked()
    await town.at(local(10, 22))
    assert len(town.to_ivan()) == 1
    await town.at(local(11, 10))
    assert len(town.to_ivan()) == 2


@configured({"delivery": {"reminder_after": ""}})
async def test_without_a_reminder_there_is_none(town: World) -> None:
    await town.asked()
    await town.until(local(20, 12), timedelta(days=1))
    assert len(town.to_ivan()) == 1


async def test_a_reminder_whose_fate_is_unknown_is_not_repeated(town: World) -> None:
    await town.asked()
    town.whatsapp.faults.add("send", method="POST", after=True, status=504)
    await town.until(local(14, 12), timedelta(days=1))
    assert len(town.to_ivan()) == 2


async def test_a_reminder_that_was_certainly_refused_goes_later(town: World) -> None:
    await town.asked()
    town.whatsapp.faults.add("send", method="POST", status=429)
    await town.at(local(10, 12))
    assert len(town.to_ivan()) == 1
    await town.until(local(10, 14))
    assert len(town.to_ivan()) == 2


async def test_a_question_nobody_answers_expires_after_a_week(town: World) -> None:
    deal = await town.asked()
    await town.at(local(15, 11, 59))
    assert (await town.survey(deal)).state == SurveyState.SENT
    await town.at(local(15, 12))
    assert (await town.survey(deal)).state == SurveyState.EXPIRED
    assert town.card(deal) == "Не ответили"


# --- after the time ----------------------------------------------------------------------------------------


async def test_a_late_tap_counts_and_is_marked_late(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    await town.until(local(25, 12), timedelta(days=1))
    await town.taps("9")
    survey = await town.survey(deal)
    assert (survey.state, survey.score, survey.late) == (SurveyState.ANSWERED, 9, True)
    assert town.in_telegram()[-1] == "Спасибо, учли и этот ответ."
    assert town.amocrm.field_value(deal, "NPS") == "9"


async def test_a_late_vote_counts_and_a_low_one_is_acted_upon(town: World) -> None:
    deal = await town.asked()
    await town.until(local(25, 12), timedelta(days=1))
    await town.ivan_votes("2")
    assert (await town.survey(deal)).late
    assert len(town.complaints()) == 1


async def test_a_late_bare_number_is_no_score(town: World) -> None:
    deal = await town.asked()
    await town.until(local(16, 12), timedelta(days=1))
    await town.ivan_writes("9")
    assert (await town.survey(deal)).score is None
    assert [(reply.text, reply.score) for reply in await replies(town)] == [("9", None)]


async def test_a_late_number_that_says_what_it_is_counts_in_the_first_week(town: World) -> None:
    deal = await town.asked()
    await town.until(local(16, 12), timedelta(days=1))
    await town.ivan_writes("9 из 10")
    survey = await town.survey(deal)
    assert (survey.score, survey.late) == (9, True)


async def test_after_another_week_only_a_tap_or_a_quote_counts(town: World) -> None:
    deal = await town.asked()
    question = town.whatsapp.last(IVAN).id_message
    await town.until(local(24, 12), timedelta(days=1))
    await town.ivan_writes("9 из 10")
    assert (await town.survey(deal)).score is None
    await town.ivan_writes("9", quote=question)
    assert (await town.survey(deal)).score == 9


# --- corrections -------------------------------------------------------------------------------------------


async def test_a_corrected_score_keeps_its_history(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("7")
    await town.ivan_writes("ой, 9")
    survey = await town.survey(deal)
    assert (survey.score, survey.revision) == (9, 2)
    assert [(reply.score, reply.counts) for reply in await replies(town)] == [(7, False), (9, True)]
    assert town.amocrm.field_value(deal, "NPS") == "9"
    assert town.amocrm.notes_of(deal)[1] == "NPS: было 7, стало 9 из 10."
    assert town.to_ivan()[-1] == "Исправили: 9 из 10. Спасибо."


@pytest.mark.parametrize(
    ("text", "score"), [("хотя нет, 2", 2), ("исправьте на 9", 9), ("я ошибся, 10", 10), ("нет, 2", 2)]
)
async def test_a_typed_correction_is_kept_beside_what_it_corrects(town: World, text: str, score: int) -> None:
    deal = await town.asked()
    await town.ivan_writes("8")
    await town.ivan_writes(text)
    assert (await town.survey(deal)).score == score
    assert [(reply.score, reply.counts) for reply in await replies(town)] == [(8, False), (score, True)]
    assert town.amocrm.notes_of(deal)[1] == f"NPS: было 8, стало {score} из 10."
    assert len(town.complaints()) == (score == 2)


@configured(TWO)
async def test_a_correction_while_the_next_question_is_open_is_for_the_answer_before(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("10")
    await town.ivan_writes("ой, я ошибся, 4")
    assert (await town.survey(deal)).score == 4
    assert (await town.survey(deal, "csat_manager")).score is None
    await town.ivan_writes("5")
    assert (await town.survey(deal, "csat_manager")).score == 5


async def test_hours_later_a_number_corrects_only_if_the_words_say_so(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("8")
    await town.later(hours=2)
    await town.ivan_writes("нет, 2")
    assert (await town.survey(deal)).score == 8
    await town.ivan_writes("я ошибся, 10")
    assert (await town.survey(deal)).score == 10


async def test_what_answers_a_manager_corrects_no_score(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("8")
    await town.manager_writes("Сколько у вас створок, две?")
    await town.ivan_writes("нет, 3")
    await town.ivan_writes("ошибся, 3 створки")
    assert (await town.survey(deal)).score == 8
    assert town.complaints() == []


async def test_a_score_raised_after_a_complaint_leaves_the_complaint_open_and_says_so(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("3")
    (complaint,) = town.complaints()
    await town.ivan_writes("9 из 10")
    assert town.amocrm.notes_of(complaint.id)[-1] == (
        "Клиент исправил оценку: теперь 9 из 10. Рекламация остаётся открытой, пока с ним не поговорили."
    )
    assert complaint.status_id not in (142, 143)
    assert town.amocrm.field_value(deal, "NPS") == "9"
    assert town.to_ivan()[-1] == "Исправили: 9 из 10. Спасибо."


async def test_a_score_lowered_within_the_hour_opens_the_complaint(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("нет, 2")
    assert len(town.complaints()) == 1
    assert "NPS — 2 из 10" in town.complaints()[0].name


async def test_a_score_lowered_twice_opens_one_complaint(town: World) -> None:
    await town.asked()
    await town.ivan_writes("3")
    await town.ivan_writes("2 из 10")
    await town.ivan_writes("1 из 10")
    assert len(town.complaints()) == 1
    assert len([text for text in town.to_anna() if "Низкая оценка" in text]) == 1


async def test_a_bare_number_two_hours_later_corrects_nothing(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    await town.later(hours=2)
    await town.ivan_writes("3")
    assert (await town.survey(deal)).score == 9
    assert town.complaints() == []


async def test_after_three_days_the_first_score_stands(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    await town.taps("9")
    await town.until(local(12, 12), timedelta(days=1))
    await town.taps("Изменить оценку")
    await town.taps("3")
    assert (await town.survey(deal)).score == 9
    assert town.in_telegram()[-1] == "Первую оценку уже учли. Ваше сообщение передали сотруднику."
    (task,) = tasks(town, deal)
    assert "«3»" in task


async def test_after_three_days_a_tap_of_the_same_score_disturbs_nobody(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    await town.taps("9")
    await town.until(local(12, 12), timedelta(days=1))
    said, told = len(town.in_telegram()), len(town.to_anna())
    await town.taps("Изменить оценку")
    await town.taps("9")
    assert tasks(town, deal) == []
    assert (len(town.in_telegram()), len(town.to_anna())) == (said, told)


@configured({"survey": [{**NPS, "promo_in": "on_request"}]})
async def test_a_tap_for_the_code_is_told_that_it_follows_and_can_be_passed_on(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    await town.taps("9")
    tap = await town.taps("Код для друзей")
    assert town.telegram.taps[tap].answer == "Код в следующем сообщении, его можно переслать."
    assert town.in_telegram()[-1].startswith("ВладАвтоматика: промокод для друзей — ДРУГ-")


async def test_the_same_score_again_changes_nothing(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("9")
    assert (await town.survey(deal)).revision == 1
    assert len(town.to_ivan()) == 2
    assert len(town.amocrm.notes_of(deal)) == 1


async def test_the_tapped_keyboard_gives_way_to_the_score_and_can_be_had_back(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    question = town.telegram.last("Иван")
    asked = question.text
    assert "Ваш промокод для друзей — ДРУГ-" in asked
    tap = await town.taps("7")
    assert town.telegram.taps[tap].is_answered
    assert question.labels == ["Ваша оценка: 7 из 10", "Изменить оценку"]
    await town.taps("Изменить оценку")
    assert question.labels[:10] == [str(value) for value in range(1, 11)]
    await town.taps("8")
    assert question.labels == ["Ваша оценка: 8 из 10", "Изменить оценку"]
    assert question.text == asked  # The code for friends stays where the client looks for it.
    assert (await town.survey(deal)).score == 8


# --- words -------------------------------------------------------------------------------------------------


async def test_a_problem_under_a_high_score_becomes_a_task_and_the_client_is_told_when(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9, но пульт не работает")
    (task,) = town.amocrm.tasks_of(deal)
    assert task.text == "Клиент написал в ответ на опрос: «но пульт не работает». Ответьте до 16:01."
    assert town.amocrm.users[task.responsible_user_id].name == "Олег Смирнов"
    assert task.complete_till == int(local(8, 16, 1).timestamp())
    assert [text for text in town.to_anna() if "пульт не работает" in text] == [
        "Иван Петров пишет (WhatsApp): «но пульт не работает»\n"
        "Ответьте на это сообщение, и клиент получит ваш текст от имени компании."
    ]
    assert town.to_ivan()[1:] == [FORWARDED]
    assert town.amocrm.field_value(deal, "NPS") == "9"
    assert town.complaints() == []


async def test_a_problem_told_with_the_same_score_again_becomes_a_task_too(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    heard = len(town.to_ivan())
    await town.ivan_writes("9, но пульт не работает")
    assert [text for text in tasks(town, deal) if "пульт не работает" in text]
    assert [text for text in town.to_anna() if "пульт не работает" in text]
    assert "пульт не работает" in town.amocrm.notes_of(deal)[-1]
    assert [text.startswith("Получили ваше сообщение") for text in town.to_ivan()[heard:]] == [True]
    assert (await town.survey(deal)).revision == 1


async def test_words_of_several_messages_are_quoted_one_after_the_other(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("даже не знаю")
    await town.ivan_writes("9, спасибо мастерам")
    [note] = town.amocrm.notes_of(deal)
    assert note.endswith(" «даже не знаю / спасибо мастерам»")


async def test_thanks_under_a_high_score_disturb_nobody(town: World) -> None:
    deal = await town.asked()
    heard = len(town.to_anna())
    await town.ivan_writes("9, спасибо")
    assert tasks(town, deal) == []
    assert len(town.to_anna()) == heard
    assert len(town.to_ivan()) == 2


async def test_praise_goes_to_the_card(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("10! Олег — молодец, всё объяснил")
    assert town.amocrm.notes_of(deal) == [
        "NPS: 10 из 10 (WhatsApp, 8 сентября в 12:01). «Олег — молодец, всё объяснил»"
    ]
    assert town.to_ivan()[1:] == ["Спасибо! Передадим ваши слова команде."]


async def test_words_that_follow_the_score_join_it(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("10")
    await town.ivan_writes("ребята аккуратные, всё убрали за собой")
    assert town.amocrm.notes_of(deal)[1] == (
        "Клиент добавил, 8 сентября в 12:02: «ребята аккуратные, всё убрали за собой»"
    )
    assert town.to_ivan()[2:] == ["Спасибо! Передадим ваши слова команде."]
    await town.ivan_writes("и пришли вовремя")
    assert len(town.amocrm.notes_of(deal)) == 3
    assert len(town.to_ivan()) == 3  # thanked once


async def test_a_question_instead_of_a_score_goes_to_a_person(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("А гарантия на привод какая?")
    assert tasks(town, deal) == [
        "Клиент написал в ответ на опрос: «А гарантия на привод какая?». Ответьте до 16:01."
    ]
    assert "«А гарантия на привод какая?»" in town.to_anna()[-1]
    assert town.to_ivan()[1:] == [FORWARDED]
    await town.ivan_writes("И на петли?")
    assert len(town.to_ivan()) == 2  # said once in twelve hours
    assert len(tasks(town, deal)) == 2
    await town.ivan_votes("9")
    assert (await town.survey(deal)).score == 9


async def test_what_is_no_answer_is_asked_about_once(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("ну нормально так")
    assert town.to_ivan()[1:] == [
        "Спасибо за ответ! Чтобы записать оценку верно, пришлите, пожалуйста, одно число от 1 до 10."
    ]
    await town.ivan_writes("да всё хорошо")
    assert len(town.to_ivan()) == 2
    await town.ivan_writes("8")
    assert town.amocrm.notes_of(deal) == [
        "NPS: 8 из 10 (WhatsApp, 8 сентября в 12:03). «ну нормально так / да всё хорошо»"
    ]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("8-9", "Спасибо! Какую оценку записать: 8 или 9?"),
        ("15", "Спасибо! Оценка бывает от 1 до 10. Какое число записать?"),
        ("0", "Спасибо! Оценка бывает от 1 до 10. Какое число записать?"),
    ],
)
async def test_a_doubtful_number_is_asked_about(town: World, text: str, answer: str) -> None:
    deal = await town.asked()
    await town.ivan_writes(text)
    assert town.to_ivan()[1:] == [answer]
    assert (await town.survey(deal)).score is None


async def test_a_phone_number_is_no_score(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("позвоните на 8 914 555 10 10")
    assert (await town.survey(deal)).score is None
    assert len(tasks(town, deal)) == 1
    assert len(town.to_ivan()) == 2


async def test_who_asks_for_a_call_gets_a_promise_that_a_task_keeps(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("позвоните")
    assert town.to_ivan()[1:] == [f"Хорошо, позвоним сегодня до 16:01. Или звоните сами: {OFFICE}."]
    (task,) = town.amocrm.tasks_of(deal)
    assert task.complete_till == int(local(8, 16, 1).timestamp())


async def test_a_voice_note_goes_to_a_person_and_the_score_is_asked_for_once(town: World) -> None:
    deal = await town.asked()
    town.whatsapp.sends(IVAN, "audio")
    await town.later(minutes=1)
    assert town.to_ivan()[1:] == [
        "Получили, передадим сотруднику. А для оценки пришлите, пожалуйста, одно число от 1 до 10."
    ]
    assert len(tasks(town, deal)) == 1
    assert town.to_anna()[-1].startswith("Иван Петров пишет (WhatsApp): «голосовое сообщение»\n")
    town.whatsapp.sends(IVAN, "image")
    await town.later(minutes=1)
    assert len(town.to_ivan()) == 2
    assert [task.partition("». ")[0] for task in tasks(town, deal)] == [
        "Клиент написал в ответ на опрос: «голосовое сообщение",
        "Клиент написал в ответ на опрос: «фото",
    ]
    assert [reply.kind for reply in await replies(town)] == ["voice", "photo"]


async def test_a_photo_after_a_low_score_is_named_in_the_complaint_and_under_the_alert(town: World) -> None:
    await town.asked()
    await town.ivan_writes("3")
    town.whatsapp.sends(IVAN, "image")
    await town.later(minutes=1)
    (complaint,) = town.complaints()
    assert town.amocrm.notes_of(complaint.id)[-1].endswith(": «фото»")
    assert town.to_anna()[-1] == "Клиент добавил: «фото»"


async def test_a_photo_after_a_high_score_goes_to_a_person_and_a_sticker_to_nobody(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("10")
    town.whatsapp.sends(IVAN, "sticker")
    await town.later(minutes=1)
    assert tasks(town, deal) == []
    town.whatsapp.sends(IVAN, "image")
    await town.later(minutes=1)
    (task,) = tasks(town, deal)
    assert "«фото»" in task
    assert "«фото»" in town.to_anna()[-1]


async def test_a_photo_with_words_is_read_by_its_words(town: World) -> None:
    deal = await town.asked()
    town.whatsapp.sends(IVAN, "image", "3, вот что с воротами")
    await town.later(minutes=1)
    assert (await town.survey(deal)).score == 3
    assert "вот что с воротами" in town.amocrm.notes_of(town.complaints()[0].id)[0]


async def test_a_thumb_under_the_question_is_no_answer_and_disturbs_nobody(town: World) -> None:
    deal = await town.asked()
    town.whatsapp.reacts(IVAN, "👍")
    await town.later(minutes=1)
    assert (await town.survey(deal)).score is None
    assert len(town.to_ivan()) == 1
    assert tasks(town, deal) == []


async def test_wishes_are_no_words_about_the_order(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    question = town.telegram.last("Иван").message_id
    town.telegram.says("Иван", "код")
    await town.taps("Не спрашивать")
    await town.taps("9", message_id=question)
    assert town.amocrm.notes_of(deal)[-1] == "NPS: 9 из 10 (Telegram, 8 сентября в 12:02)."


async def test_a_problem_beside_an_opt_out_is_heard(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("Не пишите мне больше! Мастер так и не приехал")
    assert town.to_ivan()[1:] == [f"{OPTED_OUT}Если передумаете, ответьте «вернуться»."]
    assert len(tasks(town, deal)) == 1
    assert "Мастер так и не приехал" in tasks(town, deal)[0]
    assert "Мастер так и не приехал" in town.to_anna()[-1]


async def test_a_low_score_beside_an_opt_out_opens_the_complaint(town: World) -> None:
    await town.asked()
    await town.ivan_writes("2, но больше не пишите мне")
    assert town.to_ivan()[1:] == ["Спасибо, оценку записали. Больше вопросов присылать не будем."]
    assert len(town.complaints()) == 1


async def test_an_opt_out_beside_the_same_score_again_is_only_confirmed(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    heard = len(town.to_ivan())
    await town.ivan_writes("9, но больше не пишите мне, пульт не работает")
    assert town.to_ivan()[heard:] == ["Спасибо, оценку записали. Больше вопросов присылать не будем."]
    assert "пульт не работает" in tasks(town, deal)[0]


async def test_an_opt_out_in_the_middle_beside_a_score_is_heard(town: World) -> None:
    await town.asked()
    await town.ivan_writes("2, больше не пишите, ужас")
    assert "«ужас»" in town.amocrm.notes_of(town.complaints()[0].id)[0]
    assert town.to_ivan()[1:] == ["Спасибо, оценку записали. Больше вопросов присылать не будем."]
    assert "не опрашивать" in town.amocrm.contacts[town.ivan()].tags


async def test_a_request_to_erase_goes_to_the_owner_and_ends_the_questions(town: World) -> None:
    await town.asked()
    await town.ivan_writes("удалите мои данные")
    assert town.to_ivan()[1:] == [
        "Просьбу удалить данные приняли, ответим в течение 10 рабочих дней. Вопросов больше не пришлём."
    ]
    assert town.to_anna()[-1] == (
        "Иван Петров просит удалить персональные данные. Срок ответа — 10 рабочих дней. "
        f"Команда: sarafan forget\nСтереть здесь же: /forget {IVAN}"
    )
    await town.until(local(14, 12), timedelta(days=1))
    assert len(town.to_ivan()) == 2


async def test_a_stranger_is_passed_on_and_learns_nothing(town: World) -> None:
    town.telegram.says("Прохожий", "Сколько у вас клиентов?")
    await town.step()
    assert town.to_anna()[-1] == "В бот написал новый человек: «Сколько у вас клиентов?»"
    assert town.in_telegram("Прохожий") == []
    town.telegram.says("Прохожий", "Позвоните мне")
    await town.step()
    assert town.in_telegram("Прохожий") == ["Хорошо, позвоним. Или звоните сами: +7 423 200-00-00."], (
        "no task"
    )


async def test_a_message_long_after_the_last_question_goes_to_the_newest_deal(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.at(local(20, 12, month=10))
    second = town.deal(name="Калитка")
    await town.step()
    await town.ivan_writes("Здравствуйте! Когда приедут замерщики?")
    assert len(tasks(town, second)) == 1


# --- is it an answer to us? --------------------------------------------------------------------------------


async def test_a_number_that_answers_the_manager_is_no_score(town: World) -> None:
    deal = await town.asked()
    await town.manager_writes("Сколько створок?")
    await town.ivan_writes("3")
    assert (await town.survey(deal)).score is None
    assert town.complaints() == []
    assert len(town.to_ivan()) == 1
    await town.ivan_votes("9")  # a vote says itself what it answers
    assert (await town.survey(deal)).score == 9


async def test_a_quote_is_an_answer_whatever_the_manager_wrote(town: World) -> None:
    deal = await town.asked()
    question = town.whatsapp.last(IVAN).id_message
    await town.manager_writes("Сколько створок?")
    await town.ivan_writes("3", quote=question)
    assert (await town.survey(deal)).score == 3


async def test_a_notification_delivered_twice_changes_nothing(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    before = (len(town.to_ivan()), len(town.to_anna()), len(town.amocrm.notes), len(town.amocrm.tasks))
    town.whatsapp.repeat(3)
    await town.later(minutes=1)
    assert (
        len(town.to_ivan()),
        len(town.to_anna()),
        len(town.amocrm.notes),
        len(town.amocrm.tasks),
    ) == before
    assert (await town.survey(deal)).revision == 1
    assert len(await replies(town)) == 1


async def test_an_edited_message_corrects_the_score(town: World) -> None:
    deal = await town.asked()
    message = await town.ivan_writes("7")
    town.clock.advance(timedelta(minutes=1))
    town.whatsapp.edits(IVAN, "8", id_message=message)
    await town.step()
    assert (await town.survey(deal)).score == 8
    assert [(reply.score, reply.counts) for reply in await replies(town)] == [(7, False), (8, True)]


async def test_a_message_that_the_gateway_could_not_decrypt_counts_once_it_can(town: World) -> None:
    deal = await town.asked()
    message = await town.ivan_writes("9", is_undecrypted=True)
    assert len(town.to_ivan()) == 1
    await town.ivan_writes("9", id_message=message)
    assert (await town.survey(deal)).score == 9


async def test_a_vote_in_the_poll_is_a_score(town: World) -> None:
    deal = await town.asked()
    await town.ivan_votes("9")
    assert (await town.survey(deal)).score == 9
    assert town.to_ivan()[1:] == [
        "Спасибо! Записали: 9 из 10. Если захотите, напишите, что понравилось больше всего."
    ]


async def test_a_changed_vote_corrects_the_score(town: World) -> None:
    deal = await town.asked()
    await town.ivan_votes("9")
    await town.ivan_votes("7")
    assert (await town.survey(deal)).score == 7
    assert town.to_ivan()[-1] == "Исправили: 7 из 10. Спасибо."


async def test_a_withdrawn_vote_leaves_the_score_and_disturbs_nobody(town: World) -> None:
    deal = await town.asked()
    await town.ivan_votes("9")
    heard = (len(town.to_ivan()), len(town.to_anna()))
    await town.ivan_votes(None)
    assert (await town.survey(deal)).score == 9
    assert (len(town.to_ivan()), len(town.to_anna())) == heard
    await town.ivan_votes("9")
    assert (await town.survey(deal)).revision == 1


async def test_a_tap_on_somebody_elses_keyboard_scores_nothing(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    neighbour = town.telegram.start("Сосед")
    forwarded = replace(town.telegram.last("Иван"), chat_id=neighbour.user_id)
    town.telegram.posted.append(forwarded)
    tap = await town.taps("2", who="Сосед", message_id=forwarded.message_id)
    assert (await town.survey(deal)).score is None
    assert town.complaints() == []
    assert town.telegram.taps[tap].answer == "Этот опрос уже завершён, спасибо."


# --- a school mark? ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["4", "5", "5!", "пять"])
async def test_a_bare_four_or_five_of_ten_is_asked_about_once_before_anybody_acts(
    town: World, mark: str
) -> None:
    deal = await town.asked()
    score = "4" if mark == "4" else "5"
    await town.ivan_writes(mark)
    assert town.to_ivan()[1:] == [CHECK.format(score)]
    assert town.amocrm.field_value(deal, "NPS") == score
    await town.later(minutes=14)
    assert town.complaints() == []
    await town.later(minutes=1)
    assert len(town.complaints()) == 1
    assert len(town.to_ivan()) == 2


async def test_who_meant_another_number_sends_it_and_nobody_is_alarmed(town: World) -> None:
    deal = await town.asked()
    heard = len(town.to_anna())
    await town.ivan_writes("5")
    await town.ivan_writes("10")
    await town.later(hours=1)
    assert town.complaints() == []
    assert len(town.to_anna()) == heard
    assert town.amocrm.field_value(deal, "NPS") == "10"
    assert town.to_ivan()[2:] == ["Исправили: 10 из 10. Спасибо."]


async def test_words_under_the_mark_prove_it_and_it_is_acted_upon_at_once(town: World) -> None:
    await town.asked()
    await town.ivan_writes("4")
    await town.ivan_writes("Да, приехали на день позже и не извинились")
    (complaint,) = town.complaints()
    assert any("приехали на день позже" in note for note in town.amocrm.notes_of(complaint.id))
    assert town.to_ivan()[-1] == (
        "Спасибо, что написали. Нам жаль, что так вышло. Мы разберёмся и свяжемся с вами "
        f"завтра до 12:02. Телефон: {OFFICE}."
    )


async def test_it_is_asked_about_only_once(town: World) -> None:
    await town.asked()
    await town.ivan_writes("4")
    await town.ivan_writes("5")
    assert len([text for text in town.to_ivan() if "Всё верно?" in text]) == 1
    await town.later(minutes=20)
    assert len(town.complaints()) == 1


@pytest.mark.parametrize("mark", ["4 из 10", "ставлю 5", "3", "4, опоздали на неделю"])
async def test_what_is_surely_a_low_score_is_acted_upon_at_once(town: World, mark: str) -> None:
    await town.asked()
    await town.ivan_writes(mark)
    assert len(town.complaints()) == 1


async def test_a_vote_for_four_is_no_school_mark(town: World) -> None:
    await town.asked()
    await town.ivan_votes("4")
    assert len(town.complaints()) == 1


@configured({"survey": [{**NPS, "confirm_low": ""}]})
async def test_without_confirm_low_a_four_is_a_four(town: World) -> None:
    await town.asked()
    await town.ivan_writes("4")
    assert len(town.complaints()) == 1


@configured(TWO)
async def test_while_the_mark_is_in_doubt_nothing_else_is_asked(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("5")
    assert town.to_ivan()[1:] == [CHECK.format("5")]
    await town.ivan_writes("10")
    assert town.to_ivan()[2:] == [f"Исправили: 10 из 10. Спасибо.\n\nИ последнее. {CSAT_TYPED}"]
    await town.ivan_writes("5")
    assert (await town.survey(deal, "csat_manager")).score == 5
    assert town.complaints() == []
