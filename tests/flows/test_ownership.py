"""No complaint falls to the person whom it is about, and none that is gone stands in anybody's way."""

from datetime import datetime, timedelta

from integrations.standins.amocrm_model import WON
from tests.world import ANNA, ZONE, World, configured

HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
RATED = {"key": "csat_manager", "metric": "csat", "delay": "1bd", "subject": "manager"}
HEAD_IS_RATED = {"survey": [RATED], "staff": [{**HEAD, "amocrm_user": "Олег Смирнов"}]}


def responsible(town: World) -> str:
    (complaint,) = town.complaints()
    return town.amocrm.users[complaint.responsible_user_id].name


@configured(HEAD_IS_RATED)
async def test_the_only_head_does_not_get_the_complaint_about_himself(town: World) -> None:
    await town.asked(responsible="Олег Смирнов")
    await town.ivan_writes("2, менеджер нагрубил")
    assert responsible(town) == "Мария Ким"
    (complaint,) = town.complaints()
    (task,) = town.amocrm.tasks_of(complaint.id)
    assert town.amocrm.users[task.responsible_user_id].name == "Мария Ким"


@configured({**HEAD_IS_RATED, "complaints": {"responsible": "deal"}})
async def test_nor_does_the_deals_manager_where_he_is_the_only_one_named(town: World) -> None:
    await town.asked(responsible="Олег Смирнов")
    await town.ivan_writes("2, менеджер нагрубил")
    assert responsible(town) == "Мария Ким"


async def test_a_complaint_that_was_deleted_blocks_nobody_for_ever(town: World) -> None:
    await town.asked()
    await town.ivan_writes("2, ужас")
    (complaint,) = town.complaints()
    town.amocrm.delete_lead(complaint.id)
    await town.at(datetime(2026, 10, 20, 12, tzinfo=ZONE))
    second = await town.asked()
    assert (town.card(second) or "").startswith("Спросили")


async def test_a_low_score_does_not_join_a_complaint_that_was_deleted(town: World) -> None:
    await town.asked()
    await town.later(minutes=1)
    by_hand = town.deal(pipeline="Рекламации", name="Заведена по ошибке")
    await town.later(minutes=1)
    town.amocrm.delete_lead(by_hand)
    await town.ivan_writes("2, ужас")
    assert [lead.name for lead in town.complaints()] == ["Рекламация: Иван Петров, NPS — 2 из 10"]
    assert any("«ужас»" in text for text in town.to_anna())


async def test_what_anna_pressed_while_amocrm_was_down_is_done_when_it_is_back(town: World) -> None:
    await town.asked()
    await town.ivan_writes("2, ужас")
    (complaint,) = town.complaints()
    down = town.amocrm.faults.add("/leads|/tasks", method="PATCH", status=502, times=0)
    await town.taps("Решено", who="Анна")
    assert complaint.status_id != WON
    town.amocrm.faults.active.remove(down)
    await town.until(town.clock.now() + timedelta(hours=1), timedelta(minutes=20))
    assert complaint.status_id == WON
    (alert,) = [text for text in town.to_anna() if "Низкая оценка" in text]
    assert alert.count("Решено") == 1
