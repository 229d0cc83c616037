"""Buttons under an alert: what each of them does for staff, in amoCRM and for the clock."""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import func, select

from integrations.standins.amocrm_model import WON, Lead, Task
from integrations.standins.telegram_model import Posted
from storage.tables.complaints import Complaint
from storage.tables.people import Client
from tests.world import ALERT_BUTTONS, ANNA, IVAN, MAX_BOT, ZONE, World, configured, merged
from worker.flows.follow import follow

OLEG_ID, BOSS_ID, VERA_ID, RITA_ID = 222222222, 333333333, 444444444, 555555555
HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
VERA = {"telegram_id": VERA_ID, "name": "Вера", "role": "head"}
RITA = {"telegram_id": RITA_ID, "name": "Рита", "role": "manager"}
BOSS = {"telegram_id": BOSS_ID, "name": "Босс", "role": "owner"}
OLEG = {"telegram_id": OLEG_ID, "name": "Олег", "role": "manager", "amocrm_user": "Олег Смирнов"}
NPS = {"key": "nps", "metric": "nps", "delay": "1bd"}
CSAT = {"key": "csat_manager", "metric": "csat", "delay": "1bd", "subject": "manager"}
SCREEN = 900  # characters


def joins(town: World, **people: int) -> None:
    for name, user_id in people.items():
        town.telegram.start(town.telegram.person(name, user_id=user_id))


def alert(town: World, who: str = "Анна") -> Posted:
    return next(post for post in town.telegram.messages(who) if "Низкая оценка" in post.text)


def lead(town: World) -> Lead:
    (complaint,) = town.complaints()
    return complaint


def task(town: World) -> Task:
    return town.amocrm.tasks_of(lead(town).id)[0]


def notes(town: World) -> list[str]:
    return town.amocrm.notes_of(lead(town).id)


def name_of(town: World, user_id: int) -> str:
    return town.amocrm.users[user_id].name


def toast(town: World, tap: str) -> str:
    assert town.telegram.taps[tap].is_answered
    return town.telegram.taps[tap].answer


def heard(town: World, who: str) -> str:
    return "\n".join(town.in_telegram(who))


def shows(town: World, chat_id: int, markup: dict[str, Any] | None) -> int:
    """A message with buttons that are no more; gives its id."""
    post = Posted(
        message_id=9_000, chat_id=chat_id, by_bot=True, text="Рекламация", at=town.clock.now(), markup=markup
    )
    town.telegram.posted.append(post)
    return post.message_id


async def row(town: World) -> Complaint:
    async with town.db.reading() as tx:
        return (await tx.exec(select(Complaint))).one()


async def morning(town: World, day: int) -> None:
    """Of September, when the day's message is sent."""
    town.clock.set(datetime(2026, 9, day, 9, 0, tzinfo=ZONE))
    await follow(town.app.hands)
    await town.step()


async def unhappy(town: World, words: str = "3, монтаж три недели", **deal: Any) -> None:
    """Ivan has answered with a low score, at 12:01 on Tuesday."""
    await town.asked(**deal)
    await town.ivan_writes(words)


async def test_the_alert_says_all_on_one_screen(town: World) -> None:
    await unhappy(town, "3, " + "монтаж три недели, " * 40, name="Ворота" * 30, price=184_000)
    text = alert(town).text
    assert len(text) <= SCREEN, f"{len(text)}:\n{text}"
    head, foot = text.split("\n\n")
    assert head.startswith(f"Низкая оценка: 3 из 10, NPS\nИван Петров, {IVAN}\n«монтаж три недели, монтаж")
    assert foot == (
        f"Менеджер: Олег Смирнов\nСделка: {'Ворота' * 30}, 184\u00a0000\u00a0₽, закрыта вчера\n"
        "Рекламация № 1, Мария Ким, до 9 сентября, 12:01"
    )
    assert alert(town).labels == ALERT_BUTTONS
    assert toast(town, await town.taps("Передать", "Анна")) == "Передать некому.", "she is alone"
    assert alert(town).labels == ALERT_BUTTONS


# --- «Поговорили» --------------------------------------------------------------------------


@configured({"complaints": {"responsible": "deal"}, "staff": [HEAD, VERA, BOSS], "survey": [NPS, CSAT]})
async def test_anna_has_talked_with_ivan(town: World) -> None:
    joins(town, Вера=VERA_ID, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("5")
    nps, csat = (message.id_message for message in town.whatsapp.messages(IVAN)[:2])
    await town.ivan_writes("3, монтаж три недели", quote=nps)
    markup = alert(town, "Вера").markup
    tap = await town.taps("Поговорили", "Анна")
    line = "Поговорили: Анна, 12:04"
    assert toast(town, tap) == line
    assert notes(town)[1:] == [line]
    assert (task(town).is_completed, task(town).result_text) == (True, line)
    assert name_of(town, lead(town).responsible_user_id) == "Мария Ким", "whoever talked has taken it"
    for who in ("Анна", "Вера"):
        assert alert(town, who).text.endswith(f"\n{line}")
        assert alert(town, who).labels == ["Решено", "Позвонить позже", "Передать", "Открыть сделку"]
    old = shows(town, VERA_ID, markup)
    assert toast(town, await town.taps("Поговорили", "Вера", message_id=old)) == line
    assert notes(town)[2:] == [], "who is second is told so"
    # Vera goes on with it, and has a task of her own for that.
    await town.taps("Передать", "Анна")
    await town.taps("Вера", "Анна")
    going_on = town.amocrm.tasks_of(lead(town).id)[1]
    assert going_on.text == "Решить рекламацию до 9 сентября, 12:07. С клиентом уже поговорили."
    await town.taps("Беру", "Вера")
    going_on.is_completed = True
    # One more low score: he is promised a call again, and has to be called again.
    await town.ivan_writes("1, и грубили", quote=csat)
    assert alert(town).labels[:2] == ["Поговорили", "Решено"]
    second = town.amocrm.tasks_of(lead(town).id)[2]
    assert not second.is_completed
    assert (await row(town)).deadline == datetime.fromtimestamp(second.complete_till, ZONE)
    await town.taps("Поговорили", "Анна")
    assert second.is_completed
    assert (await row(town)).contacted_at == datetime(2026, 9, 8, 12, 4, tzinfo=ZONE), "the first time"
    # The promise is kept: nobody speaks of the deadline, neither then nor in the morning after it.
    await town.at(datetime(2026, 9, 9, 12, 30, tzinfo=ZONE))
    await morning(town, 10)
    for who in ("Анна", "Вера", "Босс"):
        assert "Прошёл срок" not in heard(town, who)
        assert "никто не взял" not in heard(town, who)
    assert "Рекламации на 10 сентября\n№ 1: Иван Петров" in heard(town, "Анна")
    assert "срок прошёл" not in heard(town, "Анна")


# --- «Передать» ----------------------------------------------------------------------------


@configured({"staff": [HEAD, VERA, BOSS, {**OLEG, "role": "head", "pipelines": ["Рекламации"]}]})
async def test_anna_passes_it_to_oleg_who_has_an_hour_to_take_it(town: World) -> None:
    joins(town, Олег=OLEG_ID, Вера=VERA_ID, Босс=BOSS_ID)
    await unhappy(town)
    await town.taps("Беру", "Анна")
    await town.later(hours=3)
    tap = await town.taps("Передать", "Анна")
    assert toast(town, tap) == ""
    assert alert(town).labels == ["Вера", "Олег", "Босс", "← Назад"]
    assert "Поговорили" in alert(town, "Вера").labels, "the choice is Anna's alone"
    await town.taps("← Назад", "Анна")
    assert alert(town).labels == ALERT_BUTTONS[1:]
    await town.taps("Передать", "Анна")
    tap = await town.taps("Олег", "Анна")
    assert toast(town, tap) == "Передано: Олег, 15:06"
    assert alert(town).labels == ALERT_BUTTONS, "and nobody has taken it now"
    for who in ("Анна", "Вера", "Олег"):
        assert alert(town, who).text.endswith("\nПередано: Олег, 15:06"), who
    assert alert(town, "Олег").text.startswith(
        "Рекламация № 1 теперь ваша: Иван Петров, 3 из 10. Кто передал: Анна.\n\nНизкая оценка: 3 из 10, NPS"
    )
    assert notes(town)[2:] == ["Передано: Олег, 15:06. Кто передал: Анна."]
    assert name_of(town, lead(town).responsible_user_id) == "Олег Смирнов"
    assert name_of(town, task(town).responsible_user_id) == "Олег Смирнов"
    await town.later(minutes=59)
    assert "никто не взял" not in heard(town, "Олег")
    await town.later(minutes=1)
    assert "никто не взял" in heard(town, "Олег")
    await town.later(hours=1)
    assert "никто не взял" in heard(town, "Босс")
    await town.taps("Беру", "Олег")
    assert (await row(town)).taken_by == "Олег"
    assert (await row(town)).first_taken_at == datetime(2026, 9, 8, 12, 2, tzinfo=ZONE)


@pytest.mark.long
@configured({"staff": [HEAD, {**OLEG, "role": "head"}]})
async def test_what_went_from_hand_to_hand_while_amocrm_was_down_ends_with_the_last(town: World) -> None:
    joins(town, Олег=OLEG_ID)
    await unhappy(town)
    await town.taps("Передать", "Анна")
    for method in ("PATCH", "POST"):
        town.amocrm.faults.add("/leads|/tasks", method=method, status=502, times=0)
    await town.taps("Олег", "Анна")
    for _ in range(5):
        await town.later(minutes=8)
    town.amocrm.faults.clear()
    await town.taps("Передать", "Олег")
    await town.taps("Анна", "Олег")
    assert name_of(town, lead(town).responsible_user_id) == "Мария Ким"
    await town.later(minutes=40)
    assert [note.split(",")[0] for note in sorted(notes(town)[1:])] == ["Передано: Анна", "Передано: Олег"]
    assert name_of(town, lead(town).responsible_user_id) == "Мария Ким"
    assert name_of(town, task(town).responsible_user_id) == "Мария Ким"


@configured({"staff": [HEAD, VERA, RITA, BOSS]})
async def test_a_manager_to_whom_it_was_given_sees_it_and_works_on_it(town: World) -> None:
    joins(town, Вера=VERA_ID, Рита=RITA_ID)
    await unhappy(town)
    before = alert(town, "Вера").message_id
    await town.taps("Позвонить позже", "Анна")
    await town.taps("Передать", "Анна")
    await town.taps("Рита", "Анна")
    assert alert(town, "Рита").text.startswith("Рекламация № 1 теперь ваша")
    await town.taps("Беру", "Рита")
    assert alert(town, "Рита").text.endswith("\nВзято: Рита, 12:05")
    # Vera has the alert, so it is under hers that she hears of it; Rita's business it is no more.
    await town.taps("Передать", "Рита")
    await town.taps("Вера", "Рита")
    word = town.telegram.messages("Вера")[-1]
    assert word.text == "Рекламация № 1 теперь ваша: Иван Петров, 3 из 10. Кто передал: Рита."
    assert word.reply_to == before
    tap = await town.taps("Решено", "Рита")
    assert toast(town, tap) == "С рекламациями работают руководители."
    assert lead(town).status_id != WON
    told = len(town.to_anna())
    await town.at(datetime(2026, 9, 8, 13, 3, tzinfo=ZONE))
    assert len(town.to_anna()) == told, "to call him later was her own wish: it is Vera's to call now"


@configured({"staff": [HEAD, RITA]})
async def test_who_wants_to_call_later_is_reminded_once_and_not_after_the_call(town: World) -> None:
    joins(town, Рита=RITA_ID)
    await unhappy(town)
    await town.taps("Передать", "Анна")
    await town.taps("Рита", "Анна")
    await town.taps("Беру", "Рита")
    await town.taps("Позвонить позже", "Рита")
    await town.later(minutes=30)
    await town.taps("Позвонить позже", "Рита")
    told = len(town.in_telegram("Рита"))
    await town.later(minutes=45)
    assert len(town.in_telegram("Рита")) == told, "she has put it off once more"
    town.telegram.faults.add(r"(?i)/sendMessage$", nth=2, status=502)  # Anna has to wait.
    await town.later(minutes=15)
    await town.later(minutes=15)
    (again,) = town.in_telegram("Рита")[told:]
    assert "Низкая оценка: 3 из 10" in again
    await town.taps("Позвонить позже", "Рита")
    await town.taps("Поговорили", "Рита")
    await town.later(hours=1)
    assert len(town.in_telegram("Рита")) == told + 1
    assert sum("Низкая оценка" in text for text in town.to_anna()) == 2


@configured(
    {
        "survey": [CSAT],
        "staff": [
            HEAD, OLEG, {**RITA, "role": "admin"},
            *({**VERA, "telegram_id": 700 + place, "name": f"Вера {place}"} for place in range(9)),
        ],
    }
)  # fmt: skip
async def test_it_is_offered_to_nobody_whom_it_is_about(town: World) -> None:
    await unhappy(town, "1, грубил")
    await town.taps("Передать", "Анна")
    assert alert(town).labels == [*(f"Вера {place}" for place in range(8)), "← Назад", "Дальше →"]
    await town.taps("Дальше →", "Анна")
    assert alert(town).labels == ["Вера 8", "← Назад"]
    await town.taps("← Назад", "Анна")
    assert "Вера 0" in alert(town).labels


# --- «Решено» ------------------------------------------------------------------------------


async def test_a_deal_that_was_moved_to_sales_is_not_closed_by_a_button_that_stayed(town: World) -> None:
    await unhappy(town)
    deal, markup = lead(town), alert(town).markup
    town.amocrm.move_lead(deal.id, "Замер", pipeline="Продажи")
    moved = (deal.pipeline_id, deal.status_id)
    await town.later(minutes=5)
    old, written = shows(town, ANNA, markup), town.amocrm.notes_of(deal.id)
    line = "Больше не рекламация, 12:01"
    assert toast(town, await town.taps("Решено", "Анна", message_id=old)) == line
    assert toast(town, await town.taps("Позвонить позже", "Анна", message_id=old)) == line
    await town.later(hours=1)
    assert (deal.pipeline_id, deal.status_id) == moved
    assert town.amocrm.notes_of(deal.id) == written


@configured({"alerts": {"groups": [-4_000_100]}, "staff": [HEAD, VERA, RITA]})
async def test_in_a_group_another_head_may_tell_what_was_done(town: World) -> None:
    joins(town, Вера=VERA_ID, Рита=RITA_ID)
    group = town.telegram.group("Продажи", chat_id=-4_000_100)
    await unhappy(town)
    await town.taps("Решено", "Анна", chat="Продажи")
    question = town.telegram.last(group)
    assert "Что сделали?" in question.text
    town.telegram.says("Рита", "не знаю", chat=group, reply_to=question.message_id)
    town.telegram.says("Вера", "Заменили мотор", chat=group, reply_to=question.message_id)
    await town.step(pulls=False)
    assert notes(town)[-1] == "Что сделали (Вера, 8 сентября в 12:02): Заменили мотор"
    assert town.telegram.last(group).text == "Рекламация № 1: записали в сделку."


@configured({"staff": [HEAD, VERA]})
async def test_what_anna_did_stands_in_the_deal(town: World) -> None:
    joins(town, Вера=VERA_ID)
    await unhappy(town)
    await town.taps("Решено", "Анна")
    (question,) = [post for post in town.telegram.messages("Анна") if "Что сделали?" in post.text]
    assert question.text == "Рекламация № 1. Что сделали? Ответьте на это сообщение, запишем в сделку."
    assert "Что сделали?" not in heard(town, "Вера")
    closed = await row(town)
    assert (closed.closed_by, name_of(town, closed.closed_by_user)) == ("Анна", "Мария Ким")
    town.telegram.sends("Анна", "voice", reply_to=question.message_id)
    await town.step(pulls=False)
    assert town.to_anna()[-1] == "Рекламация № 1: в сделку запишем только текст. Напишите словами."
    words = "Мастер приехал, заменил мотор. " * 15
    town.amocrm.faults.add("/leads/notes", method="POST", status=502, times=1)
    town.telegram.says("Анна", words, reply_to=question.message_id)
    await town.later(minutes=1)
    await town.later(minutes=10)
    assert notes(town)[-1] == f"Что сделали (Анна, 8 сентября в 12:03): {words}"
    assert task(town).is_completed
    assert (task(town).result_text or "").startswith("Мастер приехал")
    assert town.to_anna()[-1] == "Рекламация № 1: записали в сделку."
    written = len(notes(town))
    town.telegram.says("Анна", "спасибо")  # quotes nothing
    await town.later(minutes=1)
    assert len(notes(town)) == written


# --- who may, and who was faster -----------------------------------------------------------


@configured({"staff": [HEAD, VERA]})
async def test_who_has_left_the_company_presses_and_nothing_happens(town: World) -> None:
    joins(town, Вера=VERA_ID)
    await unhappy(town)
    await town.taps("Передать", "Анна")
    await town.restart(staff=[VERA])
    sent, shown, was = len(town.in_telegram("Анна")), alert(town, "Вера").text, await row(town)
    async with town.db.reading() as tx:
        clients = (await tx.exec(select(func.count()).select_from(Client))).one()
    for button in ("Вера", "← Назад"):
        assert toast(town, await town.taps(button, "Анна")) == ""
    old = shows(town, ANNA, {"inline_keyboard": [[{"text": "Беру", "callback_data": "c:1:take"}]]})
    assert toast(town, await town.taps("Беру", "Анна", message_id=old)) == ""
    now = len(town.in_telegram("Анна")), alert(town, "Вера").text, await row(town)
    assert now == (sent + 1, shown, was)
    async with town.db.reading() as tx:
        assert (await tx.exec(select(func.count()).select_from(Client))).one() == clients


# --- a score that is about whoever has it --------------------------------------------------


@configured({"survey": [NPS, CSAT], "staff": [{**OLEG, "role": "head"}, BOSS]})
async def test_what_has_become_about_oleg_is_taken_from_him(town: World) -> None:
    joins(town, Олег=OLEG_ID, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("5")
    nps, csat = (message.id_message for message in town.whatsapp.messages(IVAN)[:2])
    await town.ivan_writes("2, долго", quote=nps)
    await town.taps("Беру", "Олег")
    await town.later(hours=2)
    await town.ivan_writes("1, и грубил", quote=csat)  # He corrects what he said of Oleg.
    assert "Беру" in alert(town, "Босс").labels
    assert (await row(town)).taken_by == ""
    assert name_of(town, lead(town).responsible_user_id) != "Олег Смирнов"
    # The first score turns out a mistake; that about Oleg stands, and somebody has to take it.
    await town.ivan_writes("9", quote=nps)
    await town.later(minutes=58)
    assert "никто не взял" not in heard(town, "Босс"), "it waits anew"
    await town.later(minutes=2)
    assert "никто не взял" in heard(town, "Босс")
    # Neither in the morning nor when Ivan writes on does Oleg hear what is said of him.
    await morning(town, 9)
    await town.ivan_writes("Когда приедете? Ваш Олег не отвечает")
    for words in ("Рекламации на", "грубил", "не отвечает", "никто не взял"):
        assert words not in heard(town, "Олег")
    assert "Рекламации на 9 сентября" in heard(town, "Босс")
    assert "не отвечает" in heard(town, "Босс")


@pytest.mark.long
@configured(merged(MAX_BOT, {"staff": [{**HEAD, "telegram_id": 0, "max_id": 555}, {**VERA, "max_id": 556}]}))
async def test_in_max_it_is_passed_on_and_its_result_told_as_well(town: World) -> None:
    for name, user_id in (("Анна в MAX", 555), ("Вера в MAX", 556)):
        town.max.start(town.max.person(name, user_id=user_id))
    joins(town, Вера=VERA_ID)
    await unhappy(town)
    first = next(post for post in town.max.messages("Анна в MAX") if "Низкая оценка" in post.text)
    text = first.text
    town.max.tap("Анна в MAX", "Передать")
    await town.step(pulls=False)
    assert (first.text, first.labels) == (text, ["Вера", "← Назад"])
    town.max.tap("Анна в MAX", "Вера")
    await town.step(pulls=False)
    assert (first.text, first.labels) == (f"{text}\nПередано: Вера, 12:01", ALERT_BUTTONS)
    assert "Рекламация № 1 теперь ваша" in heard(town, "Вера")
    town.max.tap("Анна в MAX", "Решено")
    await town.step(pulls=False)
    question = town.max.messages("Анна в MAX")[-1]
    assert "Что сделали?" in question.text
    town.max.says("Анна в MAX", "Заменили мотор", reply_to=question.mid)
    await town.step(pulls=False)
    assert notes(town)[-1] == "Что сделали (Анна, 8 сентября в 12:01): Заменили мотор"
