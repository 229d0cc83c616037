"""A client is unhappy: who owns it, who hears of it, and how it ends."""

import logging
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import Lead, Task
from integrations.standins.telegram_model import Posted
from storage.tables.complaints import Complaint
from storage.tables.queues import Outbox, OutboxState
from tests.world import ALERT_BUTTONS, ANNA, IVAN, MONDAY, PETR, ZONE, World, configured

OLEG_ID, BOSS_ID, VERA_ID = 222222222, 333333333, 444444444
HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
OLEG = {"telegram_id": OLEG_ID, "name": "Олег", "role": "head", "amocrm_user": "Олег Смирнов"}
VERA = {"telegram_id": VERA_ID, "name": "Вера", "role": "head"}
BOSS = {"telegram_id": BOSS_ID, "name": "Босс", "role": "owner"}

NPS = {"key": "nps", "metric": "nps", "delay": "1bd"}
CSAT = {"key": "csat_manager", "metric": "csat", "delay": "1bd", "subject": "manager"}
AFTER = {
    "key": "solved", "metric": "csat", "trigger": "complaint_closed", "delay": "0s", "field": "Решение",
}  # fmt: skip
WORDS = "3, монтаж три недели"


REFUSED = "В amoCRM не записано: заведите рекламацию вручную"


def has_field_for_solutions(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_field("Решение", "numeric")


def solution_asked(**more: Any) -> pytest.MarkDecorator:
    return configured({"survey": [NPS, AFTER], **more}, before=has_field_for_solutions)


def joins(town: World, name: str, user_id: int) -> None:
    """Somebody of the company opens the bot."""
    town.telegram.start(town.telegram.person(name, user_id=user_id))


def alerts(town: World, who: str = "Анна") -> list[Posted]:
    return [post for post in town.telegram.messages(who) if "Низкая оценка" in post.text]


def link_of(alert: Posted) -> str:
    return next(str(button["url"]) for button in alert.buttons if "url" in button)


def only_complaint(town: World) -> Lead:
    (lead,) = town.complaints()
    return lead


def only_task(town: World) -> Task:
    (task,) = town.amocrm.tasks_of(only_complaint(town).id)
    return task


def till(task: Task) -> datetime:
    return datetime.fromtimestamp(task.complete_till, ZONE)


def who_is(town: World, user_id: int) -> str:
    return town.amocrm.users[user_id].name


def notes(town: World) -> list[str]:
    return town.amocrm.notes_of(only_complaint(town).id)


async def complaint_row(town: World) -> Complaint:
    async with town.db.reading() as tx:
        return (await tx.exec(select(Complaint))).one()


async def undone(town: World) -> list[tuple[str, str]]:
    """What has not been done of what had to be: kind and state."""
    async with town.db.reading() as tx:
        rows = await tx.exec(select(Outbox).where(col(Outbox.state) != OutboxState.DONE))
        return [(row.kind, row.state) for row in rows.all()]


async def unhappy(town: World, words: str = WORDS, **deal: Any) -> int:
    """Ivan's deal was closed yesterday, and he has just answered with a low score."""
    number = await town.asked(**deal)
    await town.ivan_writes(words)
    return number


# --- one complaint, one alert ------------------------------------------------------------------------------


async def test_a_low_score_opens_a_complaint_that_says_all(town: World) -> None:
    company = town.amocrm.add_company("ООО Ромашка")
    deal = await unhappy(town, company_id=company, price=184_000)
    complaint = only_complaint(town)
    assert complaint.name == "Рекламация: Иван Петров, NPS — 3 из 10"
    assert (complaint.contact_ids, complaint.company_id) == ([town.ivan()], company)
    assert who_is(town, complaint.responsible_user_id) == "Мария Ким"
    assert "рекламация" in complaint.tags
    url = f"https://example.amocrm.ru/leads/detail/{deal}"
    assert notes(town) == [
        "NPS — 3 из 10, WhatsApp, 8 сентября в 12:01. «монтаж три недели» Менеджер: Олег Смирнов. "
        f"Исходная сделка: «Монтаж ворот», {url}"
    ]
    task = only_task(town)
    assert task.text == (
        "Связаться с клиентом до 9 сентября, 12:01. NPS — 3 из 10. Слова клиента: «монтаж три недели». "
        f"Исходная сделка: {url} После разговора укажите причину и что сделали."
    )
    assert (till(task), who_is(town, task.responsible_user_id)) == (
        datetime(2026, 9, 9, 12, 1, tzinfo=ZONE),
        "Мария Ким",
    )
    assert town.amocrm.field_value(deal, "NPS") == "3"
    assert await undone(town) == []


async def test_the_head_gets_one_alert_whose_link_opens_the_complaint(town: World) -> None:
    await unhappy(town, price=184_000)
    (alert,) = alerts(town)
    assert alert.text == (
        "Низкая оценка: 3 из 10, NPS\nИван Петров, +79140000001\n«монтаж три недели»\n\n"
        "Менеджер: Олег Смирнов\nСделка: Монтаж ворот, 184\u00a0000\u00a0₽, закрыта вчера\n"
        "Рекламация № 1, Мария Ким, до 9 сентября, 12:01"
    )
    assert alert.labels == ALERT_BUTTONS
    assert link_of(alert) == f"https://example.amocrm.ru/leads/detail/{only_complaint(town).id}"


async def test_the_client_is_promised_what_the_task_keeps(town: World) -> None:
    await unhappy(town)
    assert town.to_ivan()[1:] == [
        "Спасибо, что написали. Нам жаль, что так вышло. Мы разберёмся и свяжемся с вами завтра до 12:01. "
        "Телефон: +7 423 200-00-00."
    ]
    assert f"{till(only_task(town)):%H:%M}" == "12:01"


async def test_a_comment_five_minutes_later_joins_the_complaint_and_the_alert(town: World) -> None:
    await unhappy(town)
    await town.later(minutes=4)
    await town.ivan_writes("и створки перекошены")
    assert notes(town)[1:] == ["Клиент добавил, 8 сентября в 12:06: «и створки перекошены»"]
    (alert,) = alerts(town)
    assert "«монтаж три недели»\nКлиент добавил: «и створки перекошены»" in alert.text
    added = town.telegram.last("Анна")
    assert (added.text, added.reply_to) == ("Клиент добавил: «и створки перекошены»", alert.message_id)
    assert len(town.to_ivan()) == 2  # he was thanked for words already


async def test_the_first_words_that_come_later_take_the_place_of_none(town: World) -> None:
    await unhappy(town, "2")
    (alert,) = alerts(town)
    assert "Пока без слов: спросили, что случилось." in alert.text
    await town.ivan_writes("никто не перезвонил")
    (alert,) = alerts(town)
    assert "Пока без слов" not in alert.text
    assert "никто не перезвонил" in alert.text
    assert "никто не перезвонил" in notes(town)[1]


async def test_the_same_notification_twice_changes_nothing(town: World) -> None:
    await town.asked()
    message = town.whatsapp.says(IVAN, WORDS)
    await town.step()
    town.whatsapp.says(IVAN, WORDS, id_message=message)
    await town.later(minutes=5)
    assert len(town.complaints()) == len(alerts(town)) == 1
    assert len(notes(town)) == 1
    assert len(town.to_ivan()) == 2


async def test_a_client_known_by_the_company_only_has_a_complaint_too(town: World) -> None:
    company = town.amocrm.add_company("ООО Ромашка", [IVAN])
    deal = await town.closed_deal([], company_id=company)
    await town.next_morning()
    await town.ivan_writes(WORDS)
    complaint = only_complaint(town)
    assert (complaint.contact_ids, complaint.company_id) == ([], company)
    assert str(deal) in notes(town)[0]
    assert "ООО Ромашка" in alerts(town)[0].text


# --- a second low score ------------------------------------------------------------------------------------


@configured({"survey": [NPS, CSAT]})
async def test_a_second_low_score_of_the_deal_joins_the_complaint(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("2")
    assert len(town.complaints()) == 1
    first = town.whatsapp.messages(IVAN)[0].id_message
    await town.ivan_writes("1, передумал", quote=first)
    assert len(town.complaints()) == 1
    assert "Ещё одна низкая оценка: NPS — 1 из 10. «передумал»" in " ".join(notes(town))
    (alert,) = alerts(town)
    assert "Ещё одна низкая оценка: NPS — 1 из 10." in alert.text
    assert [town.amocrm.field_value(deal, name) for name in ("NPS", "CSAT")] == ["1", "2"]


@configured({"survey": [NPS, CSAT]})
async def test_words_under_a_low_score_that_joined_are_heard_after_the_complaint_is_closed(
    town: World,
) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("2")
    first = town.whatsapp.messages(IVAN)[0].id_message
    await town.ivan_writes("1, передумал", quote=first)
    complaint = only_complaint(town).id
    town.amocrm.close_lead(complaint, won=True)
    await town.later(minutes=5)
    await town.ivan_writes("Пульт опять не работает", quote=first)
    assert "Пульт опять не работает" in town.amocrm.notes_of(complaint)[-1]
    assert "Пульт опять не работает" in town.to_anna()[-1]
    assert await undone(town) == []


@configured({"delivery": {"min_days_between_surveys": 0}})
async def test_a_low_score_of_another_deal_of_the_client_joins_the_complaint(town: World) -> None:
    await town.asked(name="Ворота")
    await town.ivan_writes("9")
    second = await town.asked(name="Шлагбаум")
    await town.later(minutes=5)
    await town.ivan_writes("2, долго")
    assert str(second) in notes(town)[0]
    first = town.whatsapp.messages(IVAN)[0].id_message
    await town.ivan_writes("1, не работает", quote=first)
    assert len(town.complaints()) == 1
    assert notes(town)[1:] == ["Ещё одна низкая оценка: NPS — 1 из 10. «не работает»"]
    assert len(alerts(town)) == 1


async def test_a_low_score_joins_the_complaint_that_was_opened_by_hand(town: World) -> None:
    deal = await town.asked()
    town.amocrm.add_lead("Скрипят ворота", [town.ivan()], pipeline="Рекламации", responsible="Мария Ким")
    await town.later(minutes=5)
    assert alerts(town) == []
    await town.ivan_writes(WORDS)
    complaint = only_complaint(town)
    assert complaint.name == "Скрипят ворота"
    assert str(deal) in notes(town)[0]
    assert "монтаж три недели" in only_task(town).text
    (alert,) = alerts(town)
    assert link_of(alert).endswith(str(complaint.id))
    assert "завтра до 12:06" in town.to_ivan()[-1]


@pytest.mark.parametrize("minutes", [1, 15])
async def test_while_amocrm_is_down_staff_hear_of_a_score_that_will_join_one_opened_by_hand(
    town: World, minutes: int
) -> None:
    await town.asked()
    lead = town.amocrm.add_lead(
        "Скрипят ворота", [town.ivan()], pipeline="Рекламации", responsible="Мария Ким"
    )
    await town.later(minutes=5)
    town.amocrm.faults.add(f"/leads/{lead}", status=500, times=0)
    await town.ivan_writes(WORDS)
    town.clock.advance(timedelta(minutes=minutes))
    await town.step(pulls=False)
    heard = [post.text for post in alerts(town)]
    assert [text.partition(",")[0] for text in heard] == ["Низкая оценка: 3 из 10"] * (minutes > 1)
    assert all("монтаж три недели" in text for text in heard)
    town.amocrm.faults.clear()
    await town.later(hours=1)
    assert "монтаж три недели" in only_task(town).text
    assert len(alerts(town)) == len(heard) + 1
    assert link_of(alerts(town)[-1]).endswith(str(lead))


async def test_nobody_is_asked_while_a_complaint_opened_by_hand_is_open(town: World) -> None:
    town.amocrm.add_lead("Скрипят ворота", [town.ivan()], pipeline="Рекламации")
    deal = await town.asked()
    assert (await town.survey(deal)).reason == "complaint_open"


# --- whose it is -------------------------------------------------------------------------------------------


def with_installer(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_user("Игорь Рак")


def head_is_gone(amocrm: AmoCrmStandIn) -> None:
    amocrm.users[amocrm.user_id("Мария Ким")].is_active = False


ABOUT_OLEG = {"survey": [CSAT]}


@pytest.mark.parametrize(
    ("config", "before", "responsible"),
    [
        ({}, with_installer, "Мария Ким"),
        ({"complaints": {"responsible": "deal"}}, with_installer, "Олег Смирнов"),
        ({"complaints": {"responsible": "Игорь Рак"}}, with_installer, "Игорь Рак"),
        ({"staff": [VERA]}, with_installer, "Олег Смирнов"),  # a head unknown to amoCRM
        ({}, head_is_gone, "Олег Смирнов"),
        ({**ABOUT_OLEG, "complaints": {"responsible": "deal"}}, with_installer, "Мария Ким"),
        ({**ABOUT_OLEG, "complaints": {"responsible": "Олег Смирнов"}}, with_installer, "Мария Ким"),
        ({**ABOUT_OLEG, "staff": [OLEG, HEAD]}, with_installer, "Мария Ким"),
    ],
    ids=[
        "head", "deal", "a named user", "no head in amoCRM", "inactive head",
        "deal, about its manager", "named, about this user", "two heads, about one",
    ],
)  # fmt: skip
async def test_the_responsible(town: World, responsible: str) -> None:
    joins(town, "Олег", OLEG_ID)
    joins(town, "Вера", VERA_ID)
    await unhappy(town, "2, грубил")
    assert who_is(town, only_complaint(town).responsible_user_id) == responsible
    assert who_is(town, only_task(town).responsible_user_id) == responsible


@configured({**ABOUT_OLEG, "staff": [OLEG, HEAD]})
async def test_the_alert_goes_to_the_head_and_not_to_whom_it_is_about(town: World) -> None:
    joins(town, "Олег", OLEG_ID)
    await unhappy(town, "2, грубил")
    assert len(alerts(town)) == 1
    assert alerts(town, "Олег") == []


@configured({**ABOUT_OLEG, "staff": [OLEG, BOSS]})
async def test_the_owner_hears_of_it_where_the_only_head_is_whom_it_is_about(town: World) -> None:
    joins(town, "Олег", OLEG_ID)
    joins(town, "Босс", BOSS_ID)
    await unhappy(town, "2, грубил")
    assert len(alerts(town, "Босс")) == 1
    assert alerts(town, "Олег") == []


@configured({"staff": [{**HEAD, "pipelines": ["Рекламации"]}, BOSS]})
async def test_the_owner_hears_of_it_where_the_pipeline_has_no_head(town: World) -> None:
    joins(town, "Босс", BOSS_ID)
    await unhappy(town)
    assert (len(alerts(town, "Босс")), len(alerts(town))) == (1, 0)


@configured({"survey": [NPS, CSAT], "complaints": {"responsible": "deal"}})
async def test_a_complaint_that_is_now_about_its_responsible_goes_to_somebody_else(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("4")
    nps, csat = (message.id_message for message in town.whatsapp.messages(IVAN)[:2])
    await town.ivan_writes("2, долго", quote=nps)
    assert who_is(town, only_complaint(town).responsible_user_id) == "Олег Смирнов"
    await town.ivan_writes("1, и грубил", quote=csat)
    assert who_is(town, only_complaint(town).responsible_user_id) == "Мария Ким"
    assert who_is(town, only_task(town).responsible_user_id) == "Мария Ким"


@configured({"survey": [NPS, CSAT], "complaints": {"responsible": "deal"}})
async def test_a_low_score_is_heard_though_the_task_of_the_complaint_was_deleted(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("4")
    nps, csat = (message.id_message for message in town.whatsapp.messages(IVAN)[:2])
    await town.ivan_writes("2, долго", quote=nps)
    del town.amocrm.tasks[only_task(town).id]
    await town.ivan_writes("1, и грубил", quote=csat)
    assert who_is(town, only_complaint(town).responsible_user_id) == "Мария Ким"
    assert "и грубил" in " ".join(notes(town))
    assert "и грубил" in town.to_anna()[-1]
    assert await undone(town) == []


# --- «Беру», «Решено», «Позвонить позже» -------------------------------------------------------------------


@configured({"complaints": {"responsible": "deal"}, "staff": [HEAD, VERA]})
async def test_anna_presses_take_it(town: World) -> None:
    joins(town, "Вера", VERA_ID)
    await unhappy(town)
    tap = await town.taps("Беру", "Анна")
    assert who_is(town, only_complaint(town).responsible_user_id) == "Мария Ким"
    assert who_is(town, only_task(town).responsible_user_id) == "Мария Ким"
    assert notes(town)[1:] == ["Взято: Анна, 12:02"]
    assert town.telegram.taps[tap].answer == "Взято: Анна, 12:02"
    for who in ("Анна", "Вера"):
        (alert,) = alerts(town, who)
        assert alert.text.endswith("\nВзято: Анна, 12:02")
        assert "Мария Ким" in alert.text
        assert alert.labels == ALERT_BUTTONS[1:]


@configured({"staff": [HEAD, VERA]})
async def test_the_second_presser_is_told_who_took_it(town: World) -> None:
    joins(town, "Вера", VERA_ID)
    await unhappy(town)
    (alert,) = alerts(town, "Вера")
    town.clock.advance(timedelta(minutes=1))
    first = town.telegram.tap("Анна", "Беру")
    second = town.telegram.tap("Вера", "Беру", message_id=alert.message_id)
    await town.step()
    assert town.telegram.taps[first].answer == "Взято: Анна, 12:02"
    assert town.telegram.taps[second].answer == "Уже взято: Анна, 12:02"
    assert notes(town)[1:] == ["Взято: Анна, 12:02"]


async def test_anna_presses_solved(town: World) -> None:
    await unhappy(town)
    await town.later(days=1, hours=2)
    await town.taps("Решено", "Анна")
    complaint = only_complaint(town)
    assert complaint.status_id == 142
    assert only_task(town).is_completed
    assert notes(town)[1:] == ["Решено: Анна, 9 сентября в 14:02"]
    (alert,) = alerts(town)
    assert alert.text.endswith("\nРешено: Анна, 9 сентября в 14:02")
    assert alert.labels == ["Открыть сделку"]
    row = await complaint_row(town)
    assert row.is_solved
    assert row.closed_at == datetime(2026, 9, 9, 14, 2, tzinfo=ZONE)
    await town.later(hours=1)
    assert alerts(town)[0].text.count("Решено") == 1
    assert (await complaint_row(town)).reopened == 0


async def test_anna_presses_call_later(town: World) -> None:
    await unhappy(town)
    await town.taps("Позвонить позже", "Анна")
    assert till(only_task(town)) == datetime(2026, 9, 8, 13, 2, tzinfo=ZONE)
    assert notes(town)[1:] == ["Перезвонить: Анна, 12:02"]
    assert alerts(town)[0].text.endswith("\nПерезвонить: Анна, 12:02")
    await town.later(minutes=58)
    assert len(alerts(town)) == 1
    await town.later(minutes=2)
    assert len(alerts(town)) == 2
    assert [alert.labels for alert in alerts(town)] == [ALERT_BUTTONS] * 2
    await town.taps("Беру", "Анна")
    await town.later(hours=3)
    assert [alert.labels for alert in alerts(town)] == [ALERT_BUTTONS[1:]] * 2


async def test_what_anna_did_and_then_worded_better_stands_in_the_deal_too(town: World) -> None:
    await unhappy(town)
    await town.taps("Решено", "Анна")
    question = next(post for post in town.telegram.messages("Анна") if "Что сделали?" in post.text)
    town.telegram.says("Анна", "Замнили мотр", reply_to=question.message_id)
    await town.later(minutes=1)
    town.telegram.edits("Анна", "Заменили мотор")
    await town.later(minutes=1)
    assert [note.partition(": ")[2] for note in notes(town)[-2:]] == ["Замнили мотр", "Заменили мотор"]
    assert only_task(town).result_text == "Заменили мотор"


@configured({"staff": [HEAD, VERA]})
async def test_whoever_goes_on_with_it_works_on_the_new_task_also_after_a_lost_answer(town: World) -> None:
    joins(town, "Вера", VERA_ID)
    await unhappy(town)
    await town.taps("Поговорили", "Анна")
    await town.taps("Передать", "Анна")
    town.amocrm.faults.add("/tasks$", method="POST", after=True, status=504, nth=1)
    await town.taps("Вера", "Анна")
    await town.later(minutes=5)
    first, second = town.amocrm.tasks_of(only_complaint(town).id)
    assert (await complaint_row(town)).task_id == second.id
    await town.taps("Решено", "Вера")
    assert (first.is_completed, second.is_completed) == (True, True)


@configured({"alerts": {"burst": 1}})
async def test_what_is_called_later_is_followed_in_the_message_that_tells_of_others_too(town: World) -> None:
    for name, phone in (("Иван Петров", IVAN), ("Пётр Сидоров", PETR)):
        town.amocrm.close_lead(town.deal([town.contact(name, phone)]))
    await town.step()
    await town.next_morning()
    town.clock.advance(timedelta(minutes=1))
    for phone in (IVAN, PETR):
        town.whatsapp.says(phone, WORDS)
    await town.step(pulls=False)
    await town.later(minutes=1)
    (joined,) = [post for post in town.telegram.messages("Анна") if "№ 1" in post.text]
    for button in ("Беру № 2", "Беру № 1", "Ещё по № 1", "Позвонить позже № 1"):
        await town.taps(button, "Анна")
    await town.later(hours=1)
    assert "Низкая оценка: 3 из 10" in town.to_anna()[-1]
    await town.taps("Решено", "Анна")  # under its own alert
    lines = joined.text.split("\n")
    assert lines[0].startswith("2 низкие оценки за короткое время")
    assert lines[1].startswith("№ 1: Иван Петров, 3 из 10, Олег Смирнов · Решено: Анна")
    assert lines[2].startswith("№ 2: Пётр Сидоров, 3 из 10, Олег Смирнов · Взято: Анна")
    assert joined.labels == ["Открыть № 1", "Ещё по № 2", "Открыть № 2"]


@pytest.mark.parametrize(
    ("button", "note"),
    [
        ("Беру", "Взято"),
        ("Поговорили", "Поговорили"),
        ("Решено", "Решено"),
        ("Позвонить позже", "Перезвонить"),
    ],
    ids=["taken", "talked", "solved", "later"],
)
async def test_a_press_is_noted_though_somebody_deleted_the_task(town: World, button: str, note: str) -> None:
    await unhappy(town)
    del town.amocrm.tasks[only_task(town).id]
    await town.taps(button, "Анна")
    assert notes(town)[1:] == [f"{note}: Анна, 12:02"]
    assert OutboxState.GIVEN_UP not in dict(await undone(town)).values()


async def test_what_is_solved_within_the_hour_does_not_return(town: World) -> None:
    await unhappy(town)
    await town.taps("Позвонить позже", "Анна")
    await town.taps("Решено", "Анна")
    await town.later(hours=2)
    assert len(alerts(town)) == 1


async def test_a_press_on_what_was_solved_already_says_so(town: World) -> None:
    await unhappy(town)
    town.clock.advance(timedelta(minutes=1))
    presses = [
        town.telegram.tap("Анна", button) for button in ("Решено", "Решено", "Беру", "Позвонить позже")
    ]
    await town.step()
    assert [town.telegram.taps[press].is_answered for press in presses] == [True] * 4
    assert notes(town)[1:] == ["Решено: Анна, 12:02"]
    assert town.telegram.taps[presses[2]].answer.startswith("Решено")


async def test_a_strangers_press_does_nothing(town: World) -> None:
    await unhappy(town)
    (alert,) = alerts(town)
    for who in ("Чужой", "Иван"):
        person = town.telegram.person(who)
        town.telegram.start(person)
        # Forwarded messages carry no buttons; somebody makes one up.
        town.telegram.posted.append(
            Posted(
                message_id=9_000, chat_id=person.user_id, by_bot=True, text="Рекламация", at=town.clock.now(),
                markup=alert.markup,
            )
        )  # fmt: skip
        for button in ("Беру", "Решено", "Позвонить позже"):
            await town.taps(button, who)
    complaint = only_complaint(town)
    assert (complaint.status_id, who_is(town, complaint.responsible_user_id)) == (
        town.amocrm.status_id("Новая", "Рекламации"),
        "Мария Ким",
    )
    assert len(notes(town)) == 1
    assert not (await complaint_row(town)).taken_by
    assert alerts(town)[0].text == alert.text


# --- by hand in amoCRM -------------------------------------------------------------------------------------


@pytest.mark.parametrize("won", [True, False])
async def test_closed_by_hand_shows_in_the_alert_and_counts(town: World, won: bool) -> None:
    await unhappy(town)
    await town.later(hours=1, minutes=59)
    town.amocrm.close_lead(only_complaint(town).id, won=won)
    await town.later(minutes=5)
    (alert,) = alerts(town)
    assert alert.text.endswith("\nРешено в amoCRM, 14:00")
    assert alert.labels == ["Открыть сделку"]
    row = await complaint_row(town)
    assert (row.is_solved, row.opened_at, row.closed_at) == (
        won,
        datetime(2026, 9, 8, 12, 1, tzinfo=ZONE),
        datetime(2026, 9, 8, 14, 0, tzinfo=ZONE),
    )


async def test_opened_again_it_can_be_taken_again(town: World) -> None:
    await unhappy(town)
    await town.taps("Беру", "Анна")
    await town.taps("Решено", "Анна")
    await town.later(minutes=10)
    town.amocrm.move_lead(only_complaint(town).id, "В работе")
    await town.later(minutes=5)
    row = await complaint_row(town)
    assert (row.closed_at, row.reopened) == (None, 1)
    (alert,) = alerts(town)
    assert alert.text.endswith("\nОткрыто снова в amoCRM, 12:13")
    assert "Беру" in alert.labels
    await town.taps("Беру", "Анна")
    await town.taps("Решено", "Анна")
    assert only_complaint(town).status_id == 142
    assert notes(town)[-1] == "Решено: Анна, 12:20"


async def test_moved_away_it_is_no_complaint_any_more(town: World) -> None:
    await unhappy(town)
    lead = only_complaint(town).id
    town.amocrm.move_lead(lead, "Замер", pipeline="Продажи")
    await town.later(minutes=5)
    assert (await complaint_row(town)).left_at == datetime(2026, 9, 8, 12, 1, tzinfo=ZONE)
    (alert,) = alerts(town)
    assert alert.labels == ["Открыть сделку"]
    assert alert.text.endswith("\nБольше не рекламация, 12:01")


async def test_one_opened_by_hand_counts_with_its_client(town: World) -> None:
    lead = town.amocrm.add_lead("Скрипят ворота", [town.ivan()], pipeline="Рекламации")
    await town.later(minutes=5)
    row = await complaint_row(town)
    deal = await town.asked()
    assert (row.lead_id, row.survey_id, row.opened_at) == (lead, None, MONDAY)
    assert row.client_id == (await town.survey(deal)).client_id
    assert alerts(town) == []
    town.amocrm.close_lead(lead)
    await town.later(minutes=5)
    assert (await complaint_row(town)).is_solved


# --- how it was solved -------------------------------------------------------------------------------------


@solution_asked()
async def test_the_client_is_asked_how_it_was_solved(town: World) -> None:
    await unhappy(town)
    await town.taps("Решено", "Анна")
    await town.later(minutes=5)
    assert town.to_ivan()[-1].startswith("Здравствуйте, Иван! Это ВладАвтоматика. Мы завершили работу")
    await town.ivan_writes("5")
    lead = only_complaint(town).id
    assert town.amocrm.field_value(lead, "Решение") == "5"
    assert notes(town)[-1] == "Клиент о решении: 5 из 5."
    assert len(alerts(town)) == 1


@solution_asked()
async def test_a_bad_solution_alerts_again_and_opens_no_second_complaint(town: World) -> None:
    await unhappy(town)
    await town.taps("Решено", "Анна")
    await town.later(minutes=5)
    await town.ivan_writes("2, так и не приехали")
    assert len(town.complaints()) == 1
    assert notes(town)[-1] == "Клиент о решении: 2 из 5. «так и не приехали»"
    again = town.telegram.last("Анна")
    assert again.text == (
        "Клиент недоволен решением: рекламация № 1, Иван Петров, 2 из 5. «так и не приехали» Закрывали: Анна."
    )
    assert link_of(again).endswith(str(only_complaint(town).id))
    first, second = town.amocrm.tasks_of(only_complaint(town).id)
    assert first.is_completed
    assert not second.is_completed
    assert "так и не приехали" in second.text
    assert f"сегодня до {till(second):%H:%M}" in town.to_ivan()[-1]
    assert till(second) == datetime(2026, 9, 8, 16, 8, tzinfo=ZONE)


@solution_asked(reviews={"links": [{"name": "2ГИС", "url": "https://2gis.ru/x"}]})
async def test_who_was_unhappy_is_asked_for_a_review_after_the_complaint(town: World) -> None:
    await unhappy(town)
    assert not any("2gis" in text for text in town.to_ivan())
    await town.taps("Решено", "Анна")
    await town.later(minutes=5)
    await town.ivan_writes("5")
    assert town.to_ivan()[-1] == (
        "Спасибо, что ответили. Если что-то понадобится, звоните: +7 423 200-00-00.\n\n"
        "Если захотите рассказать, как мы решали ваш вопрос:\n2ГИС: https://2gis.ru/x"
    )


UNCALLED = "Клиент пишет, что с ним не связались: рекламация № 1, Иван Петров. Закрывали: Анна."


@solution_asked()
async def test_who_was_not_called_says_so_and_is_promised_a_call(town: World) -> None:
    await unhappy(town)
    await town.taps("Решено", "Анна")
    await town.later(minutes=5)
    assert "Если с вами никто не связался, так и напишите." in town.to_ivan()[-1]
    await town.ivan_writes("Со мной никто не связался")
    told = town.telegram.last("Анна")
    assert told.text == f"{UNCALLED}\n«Со мной никто не связался»"
    assert link_of(told).endswith(str(only_complaint(town).id))
    task = town.amocrm.tasks_of(only_complaint(town).id)[-1]
    assert "Со мной никто не связался" in task.text
    assert town.to_ivan()[-1] == (
        f"Спасибо, что сказали прямо. Передали руководителю, с вами свяжутся сегодня до {till(task):%H:%M}. "
        "Телефон: +7 423 200-00-00."
    )
    heard = len(town.to_ivan())
    await town.until(town.clock.now() + timedelta(days=8), timedelta(days=1))
    assert len(town.to_ivan()) == heard  # Nobody reminds who waits for a call.


@solution_asked()
async def test_who_was_not_called_has_a_button_for_it(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    await town.taps("2")
    await town.taps("Решено", "Анна")
    await town.later(minutes=5)
    assert "Со мной не связались" in town.telegram.last("Иван").labels
    assert "Если с вами никто не связался" not in town.in_telegram()[-1]
    await town.taps("Со мной не связались")
    await town.taps("Со мной не связались")
    assert [text for text in town.to_anna() if "не связались" in text] == [UNCALLED]
    [task] = [task for task in town.amocrm.tasks_of(only_complaint(town).id) if not task.is_completed]
    assert "Со мной не связались" in task.text
    assert [text for text in town.in_telegram() if text.startswith("Спасибо, что сказали прямо.")] == [
        town.in_telegram()[-1]
    ]
    await town.taps("1")  # The question is still open to a score.
    assert notes(town)[-1] == "Клиент о решении: 1 из 5."


@solution_asked()
async def test_no_loop_when_it_is_opened_and_closed_again(town: World) -> None:
    await unhappy(town)
    await town.taps("Решено", "Анна")
    await town.later(minutes=5)
    await town.ivan_writes("1")
    town.amocrm.move_lead(only_complaint(town).id, "В работе")
    await town.later(minutes=5)
    town.amocrm.close_lead(only_complaint(town).id)
    sent = len(town.to_ivan())
    await town.until(town.clock.now() + timedelta(days=10), timedelta(days=1))
    assert len(town.complaints()) == 1
    assert len(town.to_ivan()) == sent


@solution_asked()
async def test_words_after_a_bad_solution_reach_the_card_and_the_head(town: World) -> None:
    await unhappy(town)
    await town.taps("Решено", "Анна")
    await town.later(minutes=5)
    await town.ivan_writes("1")
    await town.ivan_writes("никто не приехал")
    assert "никто не приехал" in notes(town)[-1]
    assert "никто не приехал" in town.to_anna()[-1]
    assert await undone(town) == []


async def test_a_worse_score_after_the_complaint_was_closed_is_heard_and_somebody_calls_as_promised(
    town: World,
) -> None:
    await unhappy(town, "3")
    await town.taps("Решено", "Анна")
    await town.ivan_writes("и створки перекошены")
    assert town.to_ivan()[-1].startswith("Спасибо, что написали. Нам жаль")
    assert "свяжемся" not in town.to_ivan()[-1], "nothing makes a task of it"
    await town.later(hours=1)
    await town.ivan_writes("1, опять сломалось", quote=town.whatsapp.messages(IVAN)[0].id_message)
    assert len(town.complaints()) == 1
    assert town.to_anna()[-1].startswith("Клиент недоволен решением: рекламация № 1, Иван Петров, 1 из 10.")
    done, again = town.amocrm.tasks_of(only_complaint(town).id)
    assert (done.is_completed, again.is_completed) == (True, False)
    assert again.text.endswith(
        "опять сломалось».] Свяжитесь с клиентом до 9 сентября, 13:04.".replace("]", "")
    )
    assert "завтра до 13:04" in town.to_ivan()[-1]


# --- on_low ------------------------------------------------------------------------------------------------


@configured({"survey": [{**NPS, "on_low": "task"}]})
async def test_a_task_in_place_of_a_complaint(town: World) -> None:
    deal = await unhappy(town)
    assert town.complaints() == []
    (task,) = town.amocrm.tasks_of(deal)
    assert task.text == ("NPS — 3 из 10. Слова клиента: «монтаж три недели». Свяжитесь с клиентом до 16:01.")
    assert who_is(town, task.responsible_user_id) == "Олег Смирнов"
    (told,) = alerts(town)
    assert told.text.endswith("Сделка: Монтаж ворот, закрыта вчера")
    assert link_of(told).endswith(str(deal))
    assert "сегодня до 16:01" in town.to_ivan()[-1]
    await town.ivan_writes("и створки перекошены")
    assert "и створки перекошены" in town.to_anna()[-1]
    assert "и створки перекошены" in town.amocrm.notes_of(deal)[-1]
    assert await undone(town) == []


@configured({"survey": [{**NPS, "on_low": "tell"}]})
async def test_a_word_to_the_head_in_place_of_a_complaint(town: World) -> None:
    deal = await unhappy(town, "3")
    assert not any((town.complaints(), town.amocrm.tasks_of(deal)))
    assert len(alerts(town)) == 1
    assert "свяжемся" not in town.to_ivan()[-1]
    assert await undone(town) == []


@configured({"survey": [{**NPS, "on_low": "nothing"}]})
async def test_nothing_in_place_of_a_complaint_but_the_card(town: World) -> None:
    deal = await unhappy(town, "3")
    await town.ivan_writes("долго")
    assert not any((town.complaints(), town.amocrm.tasks_of(deal), alerts(town)))
    assert town.amocrm.field_value(deal, "NPS") == "3"
    assert "долго" in town.amocrm.notes_of(deal)[-1]
    assert await undone(town) == []


@configured({"survey": [{**NPS, "on_low": "nothing"}]})
async def test_words_that_ask_go_to_a_person_all_the_same(town: World) -> None:
    deal = await unhappy(town, "3")
    await town.ivan_writes("Пульт не работает, когда приедете?")
    assert len(town.amocrm.tasks_of(deal)) == 1
    assert "Пульт не работает" in town.to_anna()[-1]


@configured({"survey": [{**NPS, "on_low": "task"}]})
async def test_a_task_waits_for_the_number_to_be_confirmed(town: World) -> None:
    deal = await unhappy(town, "4")
    assert not any((town.amocrm.tasks_of(deal), alerts(town)))
    await town.later(minutes=16)
    assert len(town.amocrm.tasks_of(deal)) == len(alerts(town)) == 1


@configured({"survey": [{**NPS, "on_low": "task"}]})
async def test_no_task_for_a_school_mark(town: World) -> None:
    deal = await unhappy(town, "5")
    await town.ivan_writes("10")
    await town.later(minutes=16)
    assert not any((town.amocrm.tasks_of(deal), alerts(town)))


# --- a school mark, a corrected score ----------------------------------------------------------------------


async def test_a_bare_four_is_asked_about_once_and_acted_upon_later(town: World) -> None:
    await unhappy(town, "4")
    assert town.complaints() == []
    assert "Всё верно?" in town.to_ivan()[-1]
    await town.later(minutes=14)
    assert not any((town.complaints(), alerts(town)))
    await town.later(minutes=1)
    assert len(town.complaints()) == len(alerts(town)) == 1
    assert till(only_task(town)) == datetime(2026, 9, 9, 12, 16, tzinfo=ZONE)
    assert len(town.to_ivan()) == 2


async def test_a_four_that_was_meant_as_a_nine_opens_nothing(town: World) -> None:
    deal = await unhappy(town, "4")
    await town.ivan_writes("9")
    await town.later(minutes=20)
    assert not any((town.complaints(), alerts(town)))
    assert town.amocrm.field_value(deal, "NPS") == "9"
    assert await undone(town) == []


async def test_words_under_a_bare_four_are_confirmation_enough(town: World) -> None:
    await unhappy(town, "4")
    await town.ivan_writes("монтаж три недели")
    assert len(town.complaints()) == len(alerts(town)) == 1
    assert "монтаж три недели" in alerts(town)[0].text


async def test_a_raised_score_is_noted_and_the_complaint_stays_open(town: World) -> None:
    deal = await unhappy(town)
    await town.ivan_writes("9")
    assert town.amocrm.field_value(deal, "NPS") == "9"
    complaint = only_complaint(town)
    assert complaint.status_id == town.amocrm.status_id("Новая", "Рекламации")
    assert notes(town)[1:] == [
        "Клиент исправил оценку: теперь 9 из 10. Рекламация остаётся открытой, пока с ним не поговорили."
    ]
    assert len(town.to_anna()) == 2  # the greeting and the alert, which is edited


# --- amoCRM answers badly ----------------------------------------------------------------------------------


LEADS = r"/api/v4/leads$"


@pytest.mark.parametrize("how", [{"status": 504}, {"drop": True}], ids=["504", "dropped"])
@pytest.mark.parametrize("path", [LEADS, r"/api/v4/tasks$", r"/api/v4/leads/notes$"])
async def test_a_lost_answer_makes_nothing_twice(
    town: World, path: str, how: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await town.asked()
    town.amocrm.faults.add(path, method="POST", after=True, **how)
    await town.ivan_writes(WORDS)
    await town.later(minutes=3)
    assert only_task(town).text.startswith("Связаться с клиентом")
    assert len(notes(town)) == len(alerts(town)) == 1
    assert link_of(alerts(town)[0]).endswith(str(only_complaint(town).id))


async def test_what_failed_before_it_was_done_is_made_later_once(town: World) -> None:
    await town.asked()
    town.amocrm.faults.add(LEADS, method="POST", status=500)
    await town.ivan_writes(WORDS)
    assert town.complaints() == []
    await town.later(minutes=1)
    assert not only_task(town).is_completed
    assert len(alerts(town)) == 1


async def test_while_amocrm_is_down_the_head_hears_of_it_without_the_link(town: World) -> None:
    await town.asked()
    town.amocrm.faults.add(r"/api/v4/", times=0, method="POST", status=500)
    await town.ivan_writes(WORDS)
    await town.later(minutes=3)
    (alert,) = alerts(town)
    assert alert.labels == ALERT_BUTTONS[:-1]
    await town.taps("Беру", "Анна")
    town.amocrm.faults.clear()
    await town.later(minutes=30)
    await town.later(minutes=1)
    (alert,) = alerts(town)
    assert link_of(alert).endswith(str(only_complaint(town).id))
    assert "Взято: Анна" in " ".join(notes(town))
    assert await undone(town) == []


@configured({"survey": [NPS, CSAT], "complaints": {"responsible": "deal"}})
async def test_while_amocrm_is_down_the_head_hears_of_a_low_score_that_joins_too(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("4")
    nps, csat = (message.id_message for message in town.whatsapp.messages(IVAN)[:2])
    await town.ivan_writes("2, долго", quote=nps)
    town.amocrm.faults.add(r"/api/v4/", times=0, status=500)
    await town.ivan_writes("1, и грубил", quote=csat)
    assert "и грубил" in town.to_anna()[-1]
    told = len(town.to_anna())
    town.amocrm.faults.clear()
    await town.later(minutes=30)
    assert "и грубил" in " ".join(notes(town))
    assert who_is(town, only_complaint(town).responsible_user_id) == "Мария Ким"
    assert len(town.to_anna()) == told
    assert await undone(town) == []


@configured({"survey": [NPS, CSAT], "complaints": {"responsible": "deal"}})
async def test_what_has_joined_opens_no_complaint_of_its_own_when_that_one_is_closed(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("4")
    nps, csat = (message.id_message for message in town.whatsapp.messages(IVAN)[:2])
    await town.ivan_writes("2, долго", quote=nps)
    # It has joined, and giving the complaint to somebody else has to wait.
    town.amocrm.faults.add(r"/api/v4/tasks", times=1, method="PATCH", status=500)
    await town.ivan_writes("1, и грубил", quote=csat)
    assert ("open_complaint", "waiting") in await undone(town)
    town.amocrm.close_lead(only_complaint(town).id, won=True)
    await town.later(minutes=5)
    assert len(town.complaints()) == 1
    assert await undone(town) == []


async def test_what_amocrm_refuses_is_given_up_and_can_be_seen(
    town: World, caplog: pytest.LogCaptureFixture
) -> None:
    await town.asked()
    refusal = {"title": "Bad Request", "type": "about:blank", "status": 400, "detail": "no"}
    town.amocrm.faults.add(LEADS, method="POST", status=400, json=refusal)
    with caplog.at_level(logging.ERROR):
        await town.ivan_writes(WORDS)
    assert ("open_complaint", "given_up") in await undone(town)
    assert "is given up" in caplog.text
    await town.later(minutes=3)
    assert town.complaints() == []
    assert len(alerts(town)) == 1  # the head hears of it all the same


async def test_a_complaint_that_amocrm_refuses_for_good_is_still_somebodys(town: World) -> None:
    await town.asked()
    refusal = {"title": "Bad Request", "type": "about:blank", "status": 400, "detail": "no"}
    town.amocrm.faults.add(LEADS, method="POST", status=400, json=refusal)
    await town.ivan_writes(WORDS)
    await town.step()
    (alert,) = alerts(town)  # at once, not only when amoCRM has kept us waiting
    assert REFUSED in alert.text
    tap = await town.taps("Беру", "Анна")
    assert town.telegram.taps[tap].answer == "Взято: Анна, 12:02"
    await town.ivan_writes("и дверь кривая")
    await town.taps("Позвонить позже", "Анна")
    (alert,) = [alert for alert in alerts(town) if REFUSED in alert.text]
    assert alert.text.endswith(f"{REFUSED}\nВзято: Анна, 12:02\nПерезвонить: Анна, 12:04")
    assert [state for _, state in await undone(town) if state == "waiting"] == [
        "waiting"
    ]  # the alert in an hour
    await town.later(hours=1)
    assert len([alert for alert in alerts(town) if REFUSED in alert.text]) == 2
    await town.taps("Решено", "Анна")
    await town.later(minutes=1)
    assert {state for _, state in await undone(town)} == {"given_up"}
    assert (await complaint_row(town)).closed_at is not None


async def test_a_raised_score_stands_in_the_alert(town: World) -> None:
    await unhappy(town)
    await town.ivan_writes("исправьте на 9")
    alert = town.telegram.messages("Анна")[-1]
    assert alert.text.startswith("Оценка исправлена: теперь 9 из 10, NPS\nИван Петров")
    assert "Низкая" not in alert.text
    assert alert.labels[:-1] == ALERT_BUTTONS[:-1]  # till somebody has talked with him
    await town.ivan_writes("хотя нет, 2")
    assert alert is town.telegram.messages("Анна")[-1]
    assert alert.text.startswith("Низкая оценка: 2 из 10, NPS")


@configured({"survey": [NPS, CSAT]})
async def test_a_raised_score_that_had_joined_a_complaint_stands_in_its_alert_too(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("2")
    first = town.whatsapp.messages(IVAN)[0].id_message
    await town.ivan_writes("1", quote=first)
    await town.ivan_writes("8", quote=first)
    (alert,) = alerts(town)
    assert alert.text.startswith("Низкая оценка: 2 из 5, Оценка менеджера")
    assert alert.text.endswith("Оценка исправлена: NPS — 8 из 10")


# --- Telegram answers badly --------------------------------------------------------------------------------


SEND = r"(?i)/sendMessage$"


async def test_with_telegram_down_complaint_and_task_are_there_at_once_and_the_alert_follows(
    town: World,
) -> None:
    await town.asked()
    fault = town.telegram.faults.add(SEND, times=0, status=502)
    await town.ivan_writes(WORDS)
    assert not only_task(town).is_completed
    await town.later(minutes=30)
    assert alerts(town) == []
    assert fault.seen > 1
    town.telegram.faults.clear()
    await town.later(hours=1)
    (alert,) = alerts(town)
    assert alert.text.startswith("Пришло в 12:01, отправляем после перерыва.")
    await town.later(hours=5)
    assert len(alerts(town)) == 1


@configured({"staff": [HEAD, BOSS]})
async def test_a_head_who_blocked_the_bot_is_passed_over(town: World) -> None:
    joins(town, "Босс", BOSS_ID)
    town.telegram.block("Анна")
    await unhappy(town)
    assert len(alerts(town, "Босс")) == 1


async def test_with_nobody_to_alert_the_task_is_the_alert(
    town: World, caplog: pytest.LogCaptureFixture
) -> None:
    town.telegram.block("Анна")
    await unhappy(town)
    assert not only_task(town).is_completed
    assert "nobody could be alerted" in caplog.text
    assert await undone(town) == []


# --- at night ----------------------------------------------------------------------------------------------


@configured({"alerts": {"quiet_hours": "21:00-08:00"}})
async def test_at_night_the_alert_waits_for_the_morning_and_says_so(town: World) -> None:
    await town.asked()
    await town.at(datetime(2026, 9, 8, 22, 29, tzinfo=ZONE))
    await town.ivan_writes(WORDS)
    assert not only_task(town).is_completed
    assert alerts(town) == []
    await town.ivan_writes("и створки перекошены")
    await town.at(datetime(2026, 9, 9, 7, 59, tzinfo=ZONE))
    assert len(town.to_anna()) == 1
    await town.at(datetime(2026, 9, 9, 8, 0, tzinfo=ZONE))
    (alert,) = [text for text in town.to_anna() if "Низкая оценка" in text]
    assert alert.startswith("Пришло 8 сентября в 22:30, отправляем после перерыва.\nНизкая оценка")
    assert "и створки перекошены" in alert
    assert len(town.to_anna()) == 2
