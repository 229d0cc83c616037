"""In the morning: which complaints wait, and what was said yesterday?"""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.world import ANNA, ZONE, World, configured
from worker.actions.send_daily import look_for_morning
from worker.flows.follow import follow

BOSS_ID, VERA_ID, OLEG_ID = 333333333, 444444444, 222222222
HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
OF_SALES = {**HEAD, "pipelines": ["Продажи"]}
VERA = {"telegram_id": VERA_ID, "name": "Вера", "role": "head", "pipelines": ["Рекламации"]}
BOSS = {"telegram_id": BOSS_ID, "name": "Босс", "role": "owner"}
OLEG = {"telegram_id": OLEG_ID, "name": "Олег", "role": "head", "amocrm_user": "Олег Смирнов"}
CSAT = {"key": "csat_manager", "metric": "csat", "delay": "1bd", "subject": "manager"}
SEND = r"(?i)/sendMessage$"


def joins(town: World, **people: int) -> None:
    for name, user_id in people.items():
        town.telegram.start(town.telegram.person(name, user_id=user_id))


def mornings(town: World, who: str = "Анна") -> list[str]:
    words = ("Рекламации на", "Вчера ответов", "Начиная с")
    return [text for text in town.in_telegram(who) if text.startswith(words)]


async def at(town: World, day: int, hour: int, minute: int = 0) -> None:
    """The worker looks at the clock at this moment of September."""
    town.clock.set(datetime(2026, 9, day, hour, minute, tzinfo=ZONE))
    await town.step()
    await follow(town.app.hands)
    await town.step()


async def unhappy(town: World, words: str = "3, монтаж три недели", **deal: Any) -> int:
    """Ivan's low score came on Tuesday, 8 September, at 12:01."""
    number = await town.asked(**deal)
    await town.ivan_writes(words)
    return number


async def test_what_waits_and_what_was_said_yesterday(town: World) -> None:
    await unhappy(town)
    await town.taps("Беру", "Анна")
    await at(town, 9, 8, 59)
    assert mornings(town) == []
    await at(town, 9, 9)
    assert mornings(town) == [
        "Рекламации на 9 сентября\n"
        "№ 1: Иван Петров, 3 из 10, 21 час, Мария Ким\n"
        "\n"
        "Вчера ответов: 1, из них высоких 0, низких 1.\n"
        "Из ответов: «монтаж три недели» — Иван Петров, 3 из 10"
    ]


async def test_it_goes_on_each_morning_until_the_complaint_is_solved(town: World) -> None:
    await unhappy(town)
    await at(town, 9, 9)
    await at(town, 10, 9)
    assert mornings(town)[1:] == [
        "Рекламации на 10 сентября\n№ 1: Иван Петров, 3 из 10, 45 часов, Мария Ким · срок прошёл"
    ]
    town.amocrm.close_lead(town.complaints()[0].id)
    await at(town, 11, 9)
    assert len(mornings(town)) == 2


async def test_what_is_overdue_stands_first_then_the_oldest(town: World) -> None:
    town.amocrm.add_lead(
        "Скрипят ворота", [town.contact("Пётр Сидоров", "+79140000002")],
        pipeline="Рекламации", responsible="Олег Смирнов",
    )  # fmt: skip
    await town.step()
    await unhappy(town)
    await at(town, 9, 9)
    lines = mornings(town)[0].split("\n")
    assert lines[1:3] == [
        "№ 1: Пётр Сидоров, 46 часов, Олег Смирнов",
        "№ 2: Иван Петров, 3 из 10, 21 час, Мария Ким",
    ]
    await at(town, 10, 9)
    lines = mornings(town)[1].split("\n")
    assert [line.split(":")[0] for line in lines[1:3]] == ["№ 2", "№ 1"]
    assert lines[1].endswith(" · срок прошёл")


async def test_a_morning_with_nothing_to_say_is_silent(town: World) -> None:
    await town.asked()
    await town.ivan_writes("10")
    await at(town, 9, 9)
    assert mornings(town) == []


async def test_thanks_under_a_high_score_disturb_nobody_and_are_read_in_the_morning(town: World) -> None:
    deal = await town.asked()
    told = len(town.to_anna())
    await town.ivan_writes("9, спасибо Олегу")
    assert (len(town.to_anna()), town.amocrm.tasks_of(deal)) == (told, [])
    await at(town, 9, 9)
    assert mornings(town) == [
        "Вчера ответов: 1, из них высоких 1, низких 0.\nИз ответов: «спасибо Олегу» — Иван Петров, 9 из 10"
    ]


async def test_a_low_score_whose_complaint_was_solved_at_once_is_told(town: World) -> None:
    await unhappy(town)
    await town.taps("Решено", "Анна")
    await at(town, 9, 9)
    assert mornings(town) == [
        "Вчера ответов: 1, из них высоких 0, низких 1.\n"
        "Из ответов: «монтаж три недели» — Иван Петров, 3 из 10"
    ]


async def test_on_monday_it_tells_of_the_weekend_too(town: World) -> None:
    await town.asked()
    town.clock.set(datetime(2026, 9, 12, 15, 0, tzinfo=ZONE))  # Saturday
    await town.ivan_writes("2")
    await at(town, 13, 9)
    assert mornings(town) == [], "not on a day off"
    await at(town, 14, 9)
    assert "Начиная с 11 сентября ответов: 1, из них высоких 0, низких 1." in mornings(town)[0]


@configured({"staff": [OF_SALES, VERA, BOSS]})
async def test_each_head_hears_of_their_own_pipelines(town: World) -> None:
    joins(town, Вера=VERA_ID, Босс=BOSS_ID)
    await unhappy(town)
    await at(town, 9, 9)
    assert (len(mornings(town)), mornings(town, "Вера"), mornings(town, "Босс")) == (1, [], [])


@configured({"staff": [OF_SALES, VERA]})
async def test_what_was_opened_by_hand_is_left_out_of_no_list(town: World) -> None:
    joins(town, Вера=VERA_ID)
    town.amocrm.add_lead("Скрипят ворота", [town.ivan()], pipeline="Рекламации")
    await town.step()
    await at(town, 8, 9)
    assert (len(mornings(town)), len(mornings(town, "Вера"))) == (1, 1)


@configured({"survey": [CSAT], "staff": [HEAD, OLEG]})
async def test_nobody_reads_what_was_said_of_themselves(town: World) -> None:
    joins(town, Олег=OLEG_ID)
    await town.asked()
    await town.ivan_writes("1")
    await at(town, 9, 9)
    assert (len(mornings(town)), mornings(town, "Олег")) == (1, [])


@configured({"staff": [BOSS]})
async def test_without_a_head_the_owner_hears_of_it(town: World) -> None:
    joins(town, Босс=BOSS_ID)
    await unhappy(town)
    await at(town, 9, 9)
    assert len(mornings(town, "Босс")) == 1


@configured({"reports": {"daily": ""}})
async def test_it_can_be_left_out(town: World) -> None:
    await unhappy(town)
    await at(town, 9, 9)
    assert mornings(town) == []


@configured({"reports": {"daily": "10:30"}})
async def test_its_time_can_be_set(town: World) -> None:
    await unhappy(town)
    await at(town, 9, 10, 29)
    assert mornings(town) == []
    await at(town, 9, 10, 30)
    assert len(mornings(town)) == 1


@configured({"reports": {"daily": "07:00"}, "alerts": {"quiet_hours": "21:00-08:00"}})
async def test_it_wakes_nobody_in_the_quiet_hours(town: World) -> None:
    await unhappy(town)
    await at(town, 9, 7)
    assert mornings(town) == []
    await at(town, 9, 8)
    assert len(mornings(town)) == 1


async def test_a_restart_does_not_send_it_again(town: World) -> None:
    await unhappy(town)
    await at(town, 9, 9)
    await town.restart()
    await at(town, 9, 9, 5)
    await at(town, 9, 10, 30)
    assert len(mornings(town)) == 1


@pytest.mark.parametrize(("hour", "count"), [(10, 1), (20, 0)])
async def test_a_worker_that_was_down_sends_it_in_the_morning_or_not_at_all(
    town: World, hour: int, count: int
) -> None:
    await unhappy(town)
    await town.app.close()
    town.clock.set(datetime(2026, 9, 9, hour, tzinfo=ZONE))
    await town.restart()
    await follow(town.app.hands)
    await town.step()
    assert len(mornings(town)) == count


async def test_with_telegram_down_all_day_it_does_not_come_in_the_evening(town: World) -> None:
    await unhappy(town)
    town.telegram.faults.add(SEND, times=0, status=502)
    for hour in (9, 10, 13, 16):
        await at(town, 9, hour)
    town.telegram.faults.clear()
    await at(town, 9, 18)
    await at(town, 9, 20)
    assert mornings(town) == []


async def test_of_thirty_complaints_the_rest_is_counted(town: World) -> None:
    for place in range(30):
        client = town.contact(f"Клиент {place}", f"+791400003{place:02}")
        town.amocrm.add_lead(f"Рекламация {place}", [client], pipeline="Рекламации")
    await at(town, 8, 9)
    (text,) = mornings(town)
    assert text.count("\n№ ") == 25
    assert text.endswith("\nИ ещё: 5. Все — /complaints")


async def test_two_workers_that_look_at_once_send_it_once(town: World) -> None:
    await unhappy(town)
    town.clock.set(datetime(2026, 9, 9, 9, tzinfo=ZONE))
    await asyncio.gather(look_for_morning(town.app.hands), look_for_morning(town.app.hands))
    await town.step()
    await town.step()
    assert len(mornings(town)) == 1
