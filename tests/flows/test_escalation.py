"""Nobody takes the complaint. Who is told, when, and what ends it?"""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import select

from integrations.standins.telegram_model import Posted
from storage.tables.people import InvitedStaff
from storage.tables.queues import Outbox
from tests.world import ALERT_BUTTONS, ANNA, ZONE, World, configured
from worker.cli.staff import remove_invited

OLEG_ID, BOSS_ID, VERA_ID, RITA_ID, LEV_ID = 222222222, 333333333, 444444444, 555555555, 666666666
HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
# Follows the same pipeline, but another manager's deals.
VERA = {"telegram_id": VERA_ID, "name": "Вера", "role": "head", "managers": ["Мария Ким"]}
RITA = {"telegram_id": RITA_ID, "name": "Рита", "role": "head", "pipelines": ["Рекламации"]}
BOSS = {"telegram_id": BOSS_ID, "name": "Босс", "role": "owner"}
OLEG = {"telegram_id": OLEG_ID, "name": "Олег", "role": "owner", "amocrm_user": "Олег Смирнов"}
EVERYBODY = {"staff": [HEAD, VERA, RITA, BOSS]}
QUIET = {"alerts": {"quiet_hours": "21:00-08:00"}}
SEND = r"(?i)/sendMessage$"
UNTAKEN = "Рекламацию № 1 никто не взял: Иван Петров, 3 из 10, ждёт {}."
OVERDUE = "Прошёл срок связаться с клиентом: рекламация № 1, Иван Петров. Ответственный — Мария Ким."


def joins(town: World, **people: int) -> None:
    for name, user_id in people.items():
        town.telegram.start(town.telegram.person(name, user_id=user_id))


def all_join(town: World) -> None:
    joins(town, Вера=VERA_ID, Рита=RITA_ID, Босс=BOSS_ID)


def reminders(town: World, who: str) -> list[str]:
    """First lines of what a person heard about a complaint that waits."""
    heard = [text.split("\n")[0] for text in town.in_telegram(who)]
    return [line for line in heard if "никто не взял" in line or "Прошёл срок" in line]


def last(town: World, who: str) -> Posted:
    return town.telegram.messages(who)[-1]


async def unhappy(town: World, **deal: Any) -> int:
    """Ivan has answered with a low score, at 12:01 on Tuesday."""
    number = await town.asked(**deal)
    await town.ivan_writes("3, монтаж три недели")
    return number


@configured(EVERYBODY)
async def test_in_an_hour_it_is_said_again_and_the_next_head_of_the_pipeline_hears_of_it(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.later(minutes=59)
    assert reminders(town, "Анна") == reminders(town, "Вера") == []
    await town.later(minutes=1)
    assert reminders(town, "Анна") == reminders(town, "Вера") == [UNTAKEN.format("1 час")]
    again, alert = last(town, "Анна"), last(town, "Вера")
    assert again.labels == alert.labels == ALERT_BUTTONS
    assert again.reply_to is not None, "her alert is one tap away"
    assert "Низкая оценка: 3 из 10, NPS\nИван Петров" in alert.text
    assert reminders(town, "Рита") == reminders(town, "Босс") == [], "another pipeline; not yet"


@configured(EVERYBODY)
async def test_in_two_hours_the_owner_hears_of_it_and_then_nobody_is_told_again(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.later(hours=1)
    await town.later(hours=1)
    assert reminders(town, "Босс") == [UNTAKEN.format("2 часа")]
    for _ in range(4):
        await town.later(hours=1)
    assert len(reminders(town, "Анна")) == len(reminders(town, "Вера")) == len(reminders(town, "Босс")) == 1


@configured({"staff": [HEAD, VERA, BOSS], "complaints": {"escalate_to": "вера", "escalate_after": "3h"}})
async def test_who_is_told_last_can_be_named(town: World) -> None:
    joins(town, Вера=VERA_ID, Босс=BOSS_ID)
    await unhappy(town)
    await town.later(hours=1)
    await town.later(hours=2)
    assert reminders(town, "Вера") == [UNTAKEN.format("1 час"), UNTAKEN.format("3 часа")]
    assert reminders(town, "Босс") == []


async def joins_by_a_link(town: World, name: str, user_id: int) -> None:
    town.telegram.start(town.telegram.person(name, user_id=user_id))
    now = town.clock.now()
    async with town.db.transaction() as tx:
        tx.add(
            InvitedStaff(
                token_hash="x", name=name, role="controller", channel="telegram", chat_id=str(user_id),
                created_at=now, joined_at=now, expires_at=now,
            )
        )  # fmt: skip


@configured({"staff": [HEAD, BOSS], "complaints": {"escalate_to": "Лев"}})
async def test_who_came_by_a_link_can_be_named_and_while_nobody_has_the_name_it_is_the_owner(
    town: World, caplog: pytest.LogCaptureFixture
) -> None:
    joins(town, Босс=BOSS_ID)
    await joins_by_a_link(town, "Лев", LEV_ID)
    await unhappy(town)
    await town.later(hours=1)
    await town.later(hours=1)
    assert reminders(town, "Лев") == [UNTAKEN.format("2 часа")]
    assert reminders(town, "Босс") == []
    assert await remove_invited(town.app.settings, town.db, "Лев") == "Лев"
    caplog.clear()
    await town.restart()
    assert "complaints.escalate_to: сотрудника «Лев» нет" in caplog.text
    await town.at(datetime(2026, 9, 9, 12, 1, tzinfo=ZONE))
    assert reminders(town, "Босс") == [OVERDUE]


@configured(EVERYBODY)
@pytest.mark.parametrize("button", ["Беру", "Решено"])
async def test_who_takes_it_ends_it(town: World, button: str) -> None:
    all_join(town)
    await unhappy(town)
    await town.taps(button, "Анна")
    await town.later(hours=4)
    assert [reminders(town, who) for who in ("Анна", "Вера", "Босс")] == [[], [], []]


@configured(EVERYBODY)
async def test_the_next_head_takes_it_and_all_alerts_say_so(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.later(hours=1)
    await town.taps("Беру", "Вера")
    assert last(town, "Вера").text.endswith("\nВзято: Вера, 13:02")
    assert last(town, "Вера").text.startswith("Низкая оценка"), "it waits no more"
    assert any(text.endswith("\nВзято: Вера, 13:02") for text in town.to_anna())
    await town.later(hours=3)
    assert reminders(town, "Босс") == []


@configured(EVERYBODY)
@pytest.mark.parametrize("ending", ["closed", "moved", "deleted"])
async def test_what_ends_in_amocrm_is_not_talked_of(town: World, ending: str) -> None:
    all_join(town)
    await unhappy(town)
    (lead,) = town.complaints()
    if ending == "closed":
        town.amocrm.close_lead(lead.id)
    elif ending == "moved":
        town.amocrm.move_lead(lead.id, "Замер", pipeline="Продажи")
    else:
        town.amocrm.delete_lead(lead.id)
    await town.later(minutes=5)
    await town.later(hours=4)
    assert [reminders(town, who) for who in ("Анна", "Вера", "Босс")] == [[], [], []]


@configured(EVERYBODY)
async def test_a_score_that_was_a_mistake_wakes_nobody(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.ivan_writes("9")
    await town.later(hours=4)
    assert [reminders(town, who) for who in ("Анна", "Вера", "Босс")] == [[], [], []]


async def test_one_opened_by_hand_has_its_owner_in_amocrm(town: World) -> None:
    town.amocrm.add_lead(pipeline="Рекламации", contacts=[town.ivan()], responsible="Олег Смирнов")
    await town.step()
    await town.later(hours=30)
    assert reminders(town, "Анна") == []


@configured({**EVERYBODY, **QUIET, "company": {"work_hours": "09:00-22:00"}})
async def test_at_night_it_waits_for_the_end_of_the_quiet_hours(town: World) -> None:
    all_join(town)
    await town.asked()
    await town.at(datetime(2026, 9, 8, 20, 29, tzinfo=ZONE))
    await town.ivan_writes("3")
    await town.at(datetime(2026, 9, 8, 21, 30, tzinfo=ZONE))
    await town.at(datetime(2026, 9, 9, 7, 59, tzinfo=ZONE))
    assert reminders(town, "Анна") == []
    await town.at(datetime(2026, 9, 9, 8, 0, tzinfo=ZONE))
    assert reminders(town, "Анна") == [UNTAKEN.format("12 часов")]


@configured(EVERYBODY)
async def test_a_complaint_of_the_evening_waits_for_the_working_day(town: World) -> None:
    all_join(town)
    await town.asked()
    await town.at(datetime(2026, 9, 8, 19, 0, tzinfo=ZONE))
    await town.ivan_writes("3")
    await town.at(datetime(2026, 9, 9, 9, 59, tzinfo=ZONE))
    assert reminders(town, "Анна") == []
    await town.at(datetime(2026, 9, 9, 10, 0, tzinfo=ZONE))
    assert reminders(town, "Анна") == [UNTAKEN.format("15 часов")]


# --- the promise to the client ------------------------------------------------------------


@configured(EVERYBODY)
async def test_a_deadline_that_passes_is_told_once_to_who_has_it_and_to_the_owner(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.taps("Беру", "Анна")
    await town.at(datetime(2026, 9, 9, 12, 0, tzinfo=ZONE))
    assert reminders(town, "Анна") == []
    await town.at(datetime(2026, 9, 9, 12, 1, tzinfo=ZONE))
    assert reminders(town, "Анна") == reminders(town, "Босс") == [OVERDUE]
    await town.later(hours=30)
    assert len(reminders(town, "Анна")) == len(reminders(town, "Босс")) == 1


@configured(EVERYBODY)
async def test_a_word_that_comes_late_says_by_how_much(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.taps("Беру", "Анна")
    await town.at(datetime(2026, 9, 9, 15, 1, tzinfo=ZONE))
    assert reminders(town, "Босс") == [f"{OVERDUE} Просрочено: 3 часа."]


@configured(EVERYBODY)
async def test_a_manager_who_did_the_task_in_amocrm_has_kept_the_promise(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.taps("Беру", "Анна")
    (task,) = town.amocrm.tasks_of(town.complaints()[0].id)
    task.is_completed = True
    await town.at(datetime(2026, 9, 9, 12, 30, tzinfo=ZONE))
    assert reminders(town, "Босс") == []


# --- whom it is about, who cannot be reached -----------------------------------------------

CSAT = {"key": "csat_manager", "metric": "csat", "delay": "1bd", "subject": "manager"}


@configured({"survey": [CSAT], "staff": [HEAD, OLEG], "complaints": {"escalate_to": "Олег"}})
async def test_it_is_never_told_to_whom_the_score_is_about(town: World) -> None:
    joins(town, Олег=OLEG_ID)
    await town.asked()
    await town.ivan_writes("1")
    await town.later(hours=1)
    await town.later(hours=1)
    assert reminders(town, "Олег") == []
    assert len(reminders(town, "Анна")) == 2, "somebody has to hear of it"


@configured({"staff": [HEAD, BOSS]})
async def test_an_owner_who_blocked_the_bot_is_passed_over(town: World) -> None:
    joins(town, Босс=BOSS_ID)
    town.telegram.block("Босс")
    await unhappy(town)
    await town.later(hours=1)
    await town.later(hours=1)
    assert reminders(town, "Анна") == [UNTAKEN.format("1 час"), UNTAKEN.format("2 часа")]


# --- trouble -----------------------------------------------------------------------------


@configured(EVERYBODY)
async def test_a_restart_at_any_moment_repeats_nothing(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.later(hours=1)
    await town.restart()
    await town.later(hours=1)
    await town.restart()
    await town.later(hours=1)
    assert [len(reminders(town, who)) for who in ("Анна", "Вера", "Босс")] == [1, 1, 1]


@configured(EVERYBODY)
async def test_what_fell_due_while_the_worker_was_down_is_told_when_it_is_back(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.app.close()
    town.clock.set(datetime(2026, 9, 8, 16, 1, tzinfo=ZONE))
    await town.restart()
    for who in ("Анна", "Вера", "Босс"):
        assert reminders(town, who) == [UNTAKEN.format("4 часа")]


async def test_who_would_hear_two_things_at_once_hears_the_last(town: World) -> None:
    """One head and no owner, and the worker was down over the deadline."""
    await unhappy(town)
    await town.app.close()
    town.clock.set(datetime(2026, 9, 9, 15, 1, tzinfo=ZONE))
    await town.restart()
    await town.later(minutes=30)
    assert reminders(town, "Анна") == [f"{OVERDUE} Просрочено: 3 часа."]


@configured(EVERYBODY)
async def test_a_word_that_failed_for_one_is_not_repeated_to_the_other(town: World) -> None:
    all_join(town)
    await unhappy(town)
    town.telegram.faults.add(SEND, nth=2, status=429)
    await town.later(hours=1)
    await town.later(minutes=10)
    assert [len(reminders(town, who)) for who in ("Анна", "Вера")] == [1, 1]


@configured(EVERYBODY)
async def test_nobody_is_late_who_could_not_hear_of_it(town: World) -> None:
    """Telegram was down for three hours: first the alert, and an hour later the next head."""
    all_join(town)
    await town.asked()
    town.telegram.faults.add(SEND, times=0, status=502)
    await town.ivan_writes("3")
    await town.later(hours=3)
    town.telegram.faults.clear()
    await town.later(minutes=15)
    assert any("Низкая оценка" in text for text in town.to_anna())
    assert reminders(town, "Вера") == reminders(town, "Босс") == []
    await town.later(hours=1, minutes=1)
    assert len(reminders(town, "Вера")) == 1


@configured(EVERYBODY)
async def test_amocrm_down_keeps_nobody_from_hearing(town: World) -> None:
    all_join(town)
    await unhappy(town)
    town.amocrm.faults.add("/api/v4/leads", method="GET", times=0, status=502)
    await town.app.step(pulls=False)
    town.clock.set(datetime(2026, 9, 8, 13, 5, tzinfo=ZONE))
    await town.app.step(pulls=False)
    assert len(reminders(town, "Вера")) == 1


@configured(EVERYBODY)
async def test_opened_again_it_waits_anew(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.taps("Решено", "Анна")
    await town.later(hours=2)
    town.amocrm.move_lead(town.complaints()[0].id, "В работе")
    await town.later(minutes=5)
    assert reminders(town, "Вера") == []
    await town.later(hours=1)
    assert len(reminders(town, "Вера")) == 1


@configured(EVERYBODY)
async def test_a_step_is_asked_for_once_and_leaves_nothing_behind(town: World) -> None:
    all_join(town)
    await unhappy(town)
    await town.later(hours=1)
    await town.later(hours=1)
    async with town.db.reading() as tx:
        rows = (await tx.exec(select(Outbox.key, Outbox.state).where(Outbox.kind == "escalate"))).all()
    assert sorted(rows) == [("escalate:1:escalated:0", "done"), ("escalate:1:untaken:0", "done")]
