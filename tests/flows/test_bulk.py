"""`delivery.hold_above`: many deals closed at once wait for a head's word."""

from datetime import timedelta

from tests.flows.test_staff_commands import BOSS, HEAD, OLEG, opens
from tests.world import MAX_BOT, World, configured
from worker.rules.eligibility import Reason

FEW = {"delivery": {"hold_above": 3}, "staff": [HEAD, BOSS, OLEG]}
ASKED = "Закрыли сразу {}, больше обычного. Если это уборка старых сделок, спрашивать не надо. Ждём решения."
BOTH = ["Спросить всех", "Не спрашивать"]


async def closes(town: World, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        client = town.contact("Иван Петров", f"+7914000{number:04}")
        town.amocrm.close_lead(town.deal([client]))
    await town.step()


def clients_asked(town: World) -> int:
    return len({message.chat_id for message in town.whatsapp.messages()})


@configured(FEW)
async def test_a_clean_up_waits_and_nobody_is_asked_when_anna_says_so(town: World) -> None:
    await opens(town, BOSS, OLEG)
    await closes(town, 4)
    question = town.telegram.last("Анна")
    assert question.text == ASKED.format("4 сделки")
    assert question.labels == BOTH
    assert len(town.in_telegram("Босс")) == 1  # the greeting alone: there is a head
    town.clock.advance(timedelta(minutes=10))
    await closes(town, 2, first=4)
    assert town.telegram.last("Анна") is question
    assert question.text == ASKED.format("6 сделок")
    await town.next_morning()
    assert {(one.state, one.waits_for) for one in await town.surveys()} == {("planned", "held")}
    await town.taps("Не спрашивать", "Анна")
    assert {(one.state, one.reason) for one in await town.surveys()} == {("skipped", Reason.HELD)}
    assert question.text.endswith("Ждём решения.\n\nНе спрашиваем: Анна, 12:01")
    assert question.labels == []
    await town.later(days=2)
    assert clients_asked(town) == 0
    assert (await town.report())["surveys"]["nps"]["not_sent"] == {"held": 6}


@configured(FEW | {"staff": [HEAD, {**BOSS, "role": "head"}, OLEG]})
async def test_two_heads_press_at_once_one_decides_and_the_other_is_told(town: World) -> None:
    await opens(town, BOSS, OLEG)
    await closes(town, 4)
    first = town.telegram.tap("Босс", "Спросить всех")
    second = town.telegram.tap("Анна", "Не спрашивать")
    await town.step()
    told = [town.telegram.taps[tap].answer for tap in (first, second)]
    assert told[0] == told[1] != ""
    assert told[0].startswith("Спросим всех: Босс, ")
    assert town.telegram.last("Анна").labels == town.telegram.last("Босс").labels == []
    assert clients_asked(town) == 0  # It is not their time yet.
    await town.next_morning()
    assert clients_asked(town) == 4
    await closes(town, 1, first=10)
    assert len(town.to_anna()) == 2  # What was allowed counts no more.


@configured(FEW)
async def test_deals_of_an_ordinary_day_and_of_another_hour_go_out_by_themselves(town: World) -> None:
    await closes(town, 3)
    town.clock.advance(timedelta(minutes=61))
    await closes(town, 3, first=3)
    await town.later(days=1, hours=1)
    assert clients_asked(town) == 6
    assert len(town.to_anna()) == 1


@configured(FEW)
async def test_the_undecided_end_as_held(town: World) -> None:
    await closes(town, 4)
    await town.later(days=1, hours=1)
    await town.later(days=7, hours=1)
    assert {(one.state, one.reason) for one in await town.surveys()} == {("skipped", Reason.HELD)}
    assert clients_asked(town) == 0


@configured(FEW)
async def test_who_leads_no_more_decides_nothing(town: World) -> None:
    await closes(town, 4)
    await town.restart(staff=[{**HEAD, "role": "manager"}, BOSS])
    tap = await town.taps("Спросить всех", "Анна")
    assert town.telegram.taps[tap].answer == "Это решает руководитель."
    assert {one.waits_for for one in await town.surveys()} == {"held"}


VERA_IN_MAX = {"max_id": 700_001, "name": "Вера", "role": "head"}


@configured({**MAX_BOT, **FEW, "staff": [HEAD, VERA_IN_MAX]})
async def test_while_one_messenger_is_down_the_head_in_the_other_is_asked(town: World) -> None:
    town.max.person("Вера", user_id=700_001)
    town.max.start("Вера")
    await town.step(pulls=False)
    down = town.telegram.faults.add(r"(?i)/sendMessage$", times=0, status=502)
    await closes(town, 4)
    question = town.max.last("Вера")
    assert question.text == ASKED.format("4 сделки")
    town.telegram.faults.active.remove(down)
    await town.later(minutes=15)
    assert town.telegram.last("Анна").text == question.text
    assert town.max.last("Вера") is question
