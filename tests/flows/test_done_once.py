"""What is written to amoCRM stands there once, also when half is refused or midnight comes in between."""

from typing import Any

import pytest

from tests.flows.test_referrals import code_of_ivan, home, petr_buys
from tests.world import World

FORBIDDEN: dict[str, Any] = {"status": 403, "json": {"title": "Forbidden", "status": 403}}


@pytest.mark.parametrize("times", [1, 3])
async def test_what_was_done_is_one_note_though_its_task_may_not_be_changed_yet(
    town: World, times: int
) -> None:
    """A right that the token lacks is given to it later; a refusal counts as no try."""
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    await town.taps("Решено", "Анна")
    question = next(one for one in town.telegram.messages("Анна") if "Что сделали?" in one.text)
    town.amocrm.faults.add(r"/tasks/\d+$", method="PATCH", times=times, **FORBIDDEN)
    town.telegram.says("Анна", "Заменили мотор", reply_to=question.message_id)
    for _ in range(4):
        await town.later(minutes=11)
    (complaint,) = town.complaints()
    (task,) = town.amocrm.tasks_of(complaint.id)
    assert sum("Заменили мотор" in note for note in town.amocrm.notes_of(complaint.id)) == 1
    assert task.result_text == "Заменили мотор"
    assert town.to_anna()[-1] == "Рекламация № 1: записали в сделку."


async def test_a_recommendation_is_noted_once_on_each_deal_though_one_may_not_be_written_yet(
    town: World,
) -> None:
    code = await code_of_ivan(town)
    town.amocrm.faults.add("/leads/notes$", method="POST", nth=2, **FORBIDDEN)
    friend = await petr_buys(town, **{"Промокод друга": code})
    for _ in range(3):
        await town.later(minutes=11)
    assert len(town.amocrm.notes_of(friend)) == 1
    assert len(town.amocrm.notes_of(home(town))) == 1


async def test_a_task_whose_answer_was_lost_before_midnight_is_found_after_it(town: World) -> None:
    """What it says leaves the day of the deadline out on that very day."""
    deal = await town.asked()
    await town.at(town.local().replace(hour=23, minute=55))
    town.amocrm.faults.add("/tasks$", method="POST", after=True, status=504, nth=1)
    await town.ivan_writes("9, но пульт не работает")
    for minutes in (4, 20, 20):
        await town.later(minutes=minutes)
    (task,) = town.amocrm.tasks_of(deal)
    assert task.text.endswith("Ответьте до 9 сентября, 13:00.")
