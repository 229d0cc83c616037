"""Is it an answer to us, and what becomes of it? Who wrote last, when, and with what beside it, decides."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from storage import sending
from storage.tables.surveys import Reply, SurveyState
from tests.flows.test_conversation import CHECK, NPS, OFFICE, TWO, local, replies, tasks
from tests.world import IVAN, World, configured
from worker.actions.understanding import CLOCKS_DIFFER
from worker.clock import ClockWatch
from worker.flows.act import CLIENTS, act
from worker.flows.follow import follow
from worker.flows.listen import listen
from worker.flows.receive import receive
from worker.flows.send import send

PROMISED = "Получили ваше сообщение"


async def last_reply(town: World) -> Reply:
    async with town.db.reading() as tx:
        return (await tx.exec(select(Reply).order_by(col(Reply.id).desc()).limit(1))).one()


# --- a person of the company wrote last --------------------------------------------------------------------


async def test_what_answers_the_manager_is_kept_as_it_was_written(town: World) -> None:
    await town.asked()
    await town.manager_writes("Сколько створок?")
    await town.ivan_writes("3")
    reply = await last_reply(town)
    assert (reply.text, reply.score, reply.rule) == ("3", None, "not_whole")
    assert town.complaints() == []


@pytest.mark.parametrize("text", ["да, всё верно", "8-9", "15", "створок две, ворот три"])
async def test_what_answers_the_manager_is_not_asked_about(town: World, text: str) -> None:
    deal = await town.asked()
    await town.manager_writes("Всё верно?")
    await town.ivan_writes(text)
    assert len(town.to_ivan()) == 1
    assert (await last_reply(town)).text == text
    await town.ivan_votes("9")
    assert (await town.survey(deal)).score == 9


async def test_a_question_to_the_manager_is_a_task_all_the_same(town: World) -> None:
    deal = await town.asked()
    await town.manager_writes("Сколько створок?")
    await town.ivan_writes("3, и пульт не работает")
    assert (await town.survey(deal)).score is None
    assert "3, и пульт не работает" in tasks(town, deal)[0]


async def test_a_voice_note_to_the_manager_asks_for_nothing(town: World) -> None:
    deal = await town.asked()
    await town.manager_writes("Расскажите, что шумит")
    town.whatsapp.sends(IVAN, "audio")
    await town.later(minutes=1)
    assert len(town.to_ivan()) == 1
    assert tasks(town, deal) == []  # Who asked hears it in the chat.
    await town.later(hours=25)
    town.whatsapp.sends(IVAN, "audio")
    await town.later(minutes=1)
    assert len(town.to_ivan()) == 1
    assert len(tasks(town, deal)) == 1  # By now nobody may be looking.


async def test_silence_is_granted_to_who_answers_the_manager_but_his_number_is_no_score(town: World) -> None:
    deal = await town.asked()
    await town.manager_writes("Сколько створок?")
    await town.ivan_writes("2, и больше не пишите")
    assert (await town.survey(deal)).score is None
    assert town.complaints() == []
    assert town.to_ivan()[1:] == [
        f"Хорошо, больше не будем присылать вопросы. По заказу мы на связи: {OFFICE}. "
        "Если передумаете, ответьте «вернуться»."
    ]


async def test_after_our_reminder_a_number_answers_us_again(town: World) -> None:
    deal = await town.asked()
    await town.manager_writes("Сколько створок?")
    await town.until(local(14, 12), timedelta(days=1))
    assert "Напоминаем о вопросе" in town.to_ivan()[-1]
    await town.ivan_writes("9")
    assert (await town.survey(deal)).score == 9


# --- typed or tapped ---------------------------------------------------------------------------------------


async def test_a_tapped_five_is_meant_and_a_typed_one_is_asked_about(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    await town.taps("5")
    assert len(town.complaints()) == 1
    assert CHECK.format(5) not in town.in_telegram()


async def test_a_quoted_five_is_typed_like_any_other(town: World) -> None:
    await town.asked()
    await town.ivan_writes("5", quote=town.whatsapp.last(IVAN).id_message)
    assert town.to_ivan()[1:] == [CHECK.format(5)]
    assert town.complaints() == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("9", "whole"),
        ("9 из 10", "denominator"),
        ("ставлю 9", "marker"),
        ("9, мастера молодцы и умницы", "edge"),
        ("не 8, а 9", "correction"),
        ("8-9", "ask_range"),
        ("15", "ask_outside"),
        ("нормально", "ask_none"),
        ("стоп", "optout"),
        ("вернуться", "optin"),
        ("код", "command"),
        ("Когда приедет мастер?", "request"),
        ("Мы не работаем. Ответим в рабочее время с 9 до 18", "machine"),
    ],
)
async def test_the_rule_that_read_a_reply_is_kept_with_it(town: World, text: str, rule: str) -> None:
    await town.asked()
    await town.ivan_writes(text)
    assert (await last_reply(town)).rule == rule


async def test_a_tap_is_kept_as_one(town: World) -> None:
    await town.asked()
    await town.ivan_votes("9")
    assert (await last_reply(town)).rule == "tap"


# --- words beside a number ---------------------------------------------------------------------------------


async def test_a_question_beside_a_doubtful_number_reaches_a_person(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("8-9. А когда привезут второй пульт?")
    assert town.to_ivan()[1:] == ["Спасибо! Какую оценку записать: 8 или 9?"]
    assert "А когда привезут второй пульт?" in tasks(town, deal)[0]
    assert "А когда привезут второй пульт?" in town.to_anna()[-1]
    await town.ivan_writes("9")
    assert (await town.survey(deal)).score == 9


async def test_enough_alone_is_a_persons_to_understand(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("Хватит")
    assert "не опрашивать" not in town.amocrm.contacts[town.ivan()].tags
    assert len(tasks(town, deal)) == 1
    assert [text.startswith(PROMISED) for text in town.to_ivan()[1:]] == [True]


async def test_who_asks_for_a_call_has_given_no_score_and_is_not_reminded_before_the_call(
    town: World,
) -> None:
    deal = await town.asked()
    await town.ivan_writes("Позвоните мне, пожалуйста")
    survey = await town.survey(deal)
    assert (survey.score, survey.answered_at) == (None, None)
    assert len(tasks(town, deal)) == 1
    report = (await town.report())["surveys"]["nps"]
    assert report["answered"] == 0
    await town.until(local(13, 12), timedelta(days=1))
    assert [text for text in town.to_ivan() if "Напоминаем о вопросе" in text] == []


# --- before we asked ---------------------------------------------------------------------------------------

messengers = pytest.mark.parametrize("messenger", ["whatsapp", "telegram"])


def types(town: World, messenger: str, text: str) -> None:
    """Ivan writes, and nobody reads it yet."""
    if messenger == "telegram":
        town.telegram.says("Иван", text)
    else:
        town.whatsapp.says(IVAN, text)


async def due_in(town: World, messenger: str) -> int:
    """A deal whose client is asked there tomorrow at eleven."""
    deal = await town.closed_deal()
    if messenger == "telegram":
        await town.links(deal)
    await town.at(local(8, 10, 50))
    assert (await town.survey(deal)).state == SurveyState.PLANNED
    return deal


async def dies_sending(town: World, messenger: str) -> None:
    """The worker writes down that the question goes out, and does nothing more."""
    ivan = town.telegram.person("Иван").user_id
    claimed = await sending.claim_due(town.db, town.clock.now())
    assert claimed is not None
    assert await sending.begin_sending(
        town.db,
        claimed,
        channel=messenger,
        chat_id=str(ivan) if messenger == "telegram" else "79140000001@c.us",
        text_variant="",
        promo_code="",
        conversation=1,
        now=town.clock.now(),
    )


@messengers
async def test_what_was_written_before_the_question_is_no_answer_to_it(town: World, messenger: str) -> None:
    deal = await due_in(town, messenger)
    types(town, messenger, "3")
    town.clock.advance(timedelta(minutes=20))
    await send(town.app.hands)
    assert (await town.survey(deal)).channel == messenger
    await town.step()
    survey = await town.survey(deal)
    assert (survey.state, survey.score) == (SurveyState.SENT, None)
    assert town.complaints() == []
    reply = await last_reply(town)
    assert (reply.text, reply.survey_id, reply.score) == ("3", None, None)
    assert any("3" in note for note in town.amocrm.notes_of(deal))
    types(town, messenger, "9")
    await town.later(minutes=1)
    assert (await town.survey(deal)).score == 9


@messengers
async def test_what_is_written_while_the_worker_lies_dead_between_its_intent_and_the_result_is_an_answer(
    town: World, messenger: str
) -> None:
    deal = await due_in(town, messenger)
    types(town, messenger, "3")
    town.clock.advance(timedelta(minutes=20))
    await dies_sending(town, messenger)
    town.clock.advance(timedelta(minutes=1))
    types(town, messenger, "9")
    town.clock.advance(timedelta(minutes=30))
    await town.restart()
    assert (await town.survey(deal)).score == 9
    assert [reply.score for reply in await replies(town)] == [None, 9]
    assert town.complaints() == []


async def test_a_manager_who_wrote_while_the_worker_lay_dead_is_answered_by_a_number(town: World) -> None:
    deal = await due_in(town, "whatsapp")
    town.clock.advance(timedelta(minutes=20))
    await dies_sending(town, "whatsapp")
    town.clock.advance(timedelta(minutes=1))
    town.whatsapp.manager_writes(IVAN, "Сколько створок?")
    town.clock.advance(timedelta(minutes=1))
    town.whatsapp.says(IVAN, "3")
    town.clock.advance(timedelta(minutes=30))
    await town.restart()
    assert (await town.survey(deal)).score is None


@messengers
async def test_an_answer_counts_though_the_messengers_clock_is_a_little_behind_ours(
    town: World, messenger: str
) -> None:
    deal = await due_in(town, messenger)
    town.clock.advance(timedelta(minutes=10))
    await send(town.app.hands)
    asked_at = town.clock.now()
    town.clock.set(asked_at - CLOCKS_DIFFER)
    types(town, messenger, "9")
    town.clock.set(asked_at + timedelta(minutes=1))
    await town.step()
    assert (await town.survey(deal)).score == 9


@messengers
async def test_an_answer_counts_on_a_machine_whose_clock_is_far_ahead(town: World, messenger: str) -> None:
    ahead = timedelta(hours=1)
    started = town.clock.now()
    heard = (started - ahead, 0.0)
    town.app.hands.clock_watch = ClockWatch(
        lambda: heard,
        wall=lambda: town.clock.now().timestamp(),
        stopwatch=lambda: (town.clock.now() - started).total_seconds(),
    )
    deal = await due_in(town, messenger)
    town.clock.advance(timedelta(minutes=10))
    await send(town.app.hands)
    asked_at = town.clock.now()
    town.clock.set(asked_at + timedelta(minutes=1) - ahead)  # as the messenger's clock shows it
    types(town, messenger, "9")
    town.clock.set(asked_at + timedelta(minutes=2))
    await town.step()
    assert (await town.survey(deal)).score == 9


@configured(TWO)
async def test_a_number_that_was_written_before_the_second_question_corrects_the_first(town: World) -> None:
    deal = await town.asked()
    hands = town.app.hands
    town.whatsapp.says(IVAN, "9")
    while await receive(hands, hands.channels["whatsapp"], town.app.inbox, timedelta(0)):
        await listen(hands)
    assert (await town.survey(deal)).score == 9
    town.whatsapp.says(IVAN, "10")
    town.clock.advance(timedelta(minutes=10))
    await act(hands, CLIENTS)
    assert (await town.survey(deal, "csat_manager")).state == SurveyState.SENT
    await town.step()
    assert (await town.survey(deal)).score == 10
    assert (await town.survey(deal, "csat_manager")).score is None


async def test_what_was_written_between_the_question_and_its_reminder_is_an_answer(town: World) -> None:
    deal = await town.asked()
    await town.at(local(10, 11, 50))
    town.whatsapp.says(IVAN, "9")
    town.clock.set(local(10, 12, 10))
    await follow(town.app.hands)
    assert "Напоминаем о вопросе" in town.to_ivan()[-1]
    await town.step()
    assert (await town.survey(deal)).score == 9


# --- when --------------------------------------------------------------------------------------------------


async def test_an_answer_that_waited_for_us_to_come_back_is_not_late(town: World) -> None:
    deal = await town.asked()
    expires_at = (await town.survey(deal)).expires_at
    assert expires_at is not None
    await town.until(expires_at - timedelta(hours=2), timedelta(days=1))
    town.clock.advance(timedelta(hours=1))
    town.whatsapp.says(IVAN, "9")
    town.clock.advance(timedelta(hours=5))  # The worker was down over the end of the question's time.
    await town.step()
    survey = await town.survey(deal)
    assert (survey.score, survey.late) == (9, False)


@configured(TWO)
async def test_a_doubtful_word_after_an_answer_is_no_new_question(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_votes("5")
    heard = len(town.to_ivan())
    await town.ivan_writes("8-9")
    assert len(town.to_ivan()) <= heard + 1  # thanks for the words at most
    assert [survey.score for survey in await town.surveys()] == [9, 5]


# --- who ---------------------------------------------------------------------------------------------------


async def test_who_has_become_staff_answers_no_more_as_a_client(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    ivan = town.telegram.person("Иван").user_id
    people = [*town.config["staff"], {"telegram_id": ivan, "name": "Иван", "role": "manager"}]
    await town.restart(staff=people)
    town.telegram.says("Иван", "2")
    await town.step()
    await town.taps("1")
    assert (await town.survey(deal)).score is None
    assert town.complaints() == []
    assert await replies(town) == []


@configured({"survey": [NPS]})
async def test_coming_back_lifts_no_tag_that_a_person_set(town: World) -> None:
    await town.asked()
    tags = town.amocrm.contacts[town.ivan()].tags
    tags.append("возврат")
    await town.ivan_writes("стоп")
    await town.ivan_writes("вернуться")
    await town.later(minutes=5)
    assert "возврат" in town.amocrm.contacts[town.ivan()].tags
    await town.at(local(20, 12, month=10))
    second = await town.asked()
    assert (await town.survey(second)).reason == "stop_tag"
