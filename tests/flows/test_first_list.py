"""`delivery.preview`: a head sees whom the first questions would go to, and nobody is written to before."""

from datetime import timedelta

from tests.flows.test_staff_commands import BOSS, HEAD, ILYA, NPS, answer, opens
from tests.world import IVAN, MAX_BOT, MONDAY, PETR, World, configured
from worker.flows.follow import follow
from worker.rules.eligibility import Reason

CAREFUL = {"delivery": {"preview": True}, "staff": [HEAD, BOSS, ILYA]}
SWITCHES = ["Включить отправку", "Пока не надо"]


async def looks_around(town: World) -> None:
    await follow(town.app.hands)
    await town.step(pulls=False)


async def two_deals(town: World) -> None:
    for phone, name in ((IVAN, "Иван Петров"), (PETR, "Пётр Сидоров")):
        town.amocrm.close_lead(town.deal([town.contact(name, phone)], name=f"Ворота, {name}"))
    await town.step()
    await looks_around(town)


@configured(CAREFUL)
async def test_anna_sees_the_list_agrees_and_only_then_the_questions_go_out(town: World) -> None:
    await opens(town, BOSS, ILYA)
    await two_deals(town)
    shown = town.telegram.last("Анна")
    assert shown.text == (
        "Пока никому не пишем: ждём, когда руководитель включит отправку.\n\n"
        "Завтра по плану 2 вопроса. Проверьте, нет ли здесь тех, кого спрашивать не надо:\n\n"
        "8 сентября в 11:00 — Иван Петров: NPS, WhatsApp. Ворота, Иван Петров\n\n"
        "8 сентября в 11:00 — Пётр Сидоров: NPS, WhatsApp. Ворота, Пётр Сидоров"
    )
    assert shown.labels == SWITCHES
    assert not town.in_telegram("Босс")[1:]
    await town.next_morning()
    assert town.to_ivan() == []
    assert {(one.state, one.waits_for) for one in await town.surveys()} == {("planned", "held")}
    assert (await answer(town, "/plan", "Илья")).labels == []  # An administrator looks on.
    listed = await answer(town, "/plan")
    assert listed.labels == SWITCHES
    await town.taps("Включить отправку", "Анна")
    assert len(town.to_ivan()) == 1
    assert listed.labels == shown.labels == []
    assert town.in_telegram("Босс")[-1] == town.to_anna()[-1] == "Отправка вопросов включена: Анна."
    await town.closed_deal([town.contact("Ольга", "+79140000003")])
    await town.later(days=1)
    assert len(town.whatsapp.messages("+79140000003")) == 1


@configured(CAREFUL)
async def test_undecided_it_is_shown_once_a_morning_and_what_waits_too_long_ends_as_held(town: World) -> None:
    await two_deals(town)
    for _ in range(3):
        await looks_around(town)
    assert sum("Проверьте" in text for text in town.to_anna()) == 1
    for day in range(1, 4):
        for hours in (22, 22.5, 23.5):  # 9:00, 9:30 and 10:30
            await town.at(MONDAY + timedelta(days=day - 1, hours=hours))
            await looks_around(town)
        assert sum("Проверьте" in text for text in town.to_anna()) == 1 + day
    assert "\n\nЖдут отправки 2 вопроса." in town.to_anna()[-1]
    assert not [reason for reason in await town.app.health.reasons() if "send" in reason]
    await town.until(MONDAY + timedelta(days=9))
    assert {(one.state, one.reason) for one in await town.surveys()} == {("skipped", Reason.HELD)}
    assert town.to_ivan() == []


@configured(CAREFUL)
async def test_not_yet_leaves_it_closed_and_shows_the_list_no_more_by_itself(town: World) -> None:
    await opens(town, BOSS)
    await two_deals(town)
    tap = await town.taps("Пока не надо", "Анна")
    assert town.telegram.taps[tap].answer == "Хорошо, никому не пишем. Включить можно в /plan"
    await town.at(MONDAY + timedelta(hours=22.5))
    await looks_around(town)
    await town.next_morning()
    assert sum("Проверьте" in text for text in town.to_anna()) == 1
    assert town.to_ivan() == []
    await answer(town, "/plan", "Босс")
    town.telegram.tap("Босс", "Включить отправку")
    late = town.telegram.tap("Анна", "Включить отправку")
    await town.step(pulls=False)
    assert len(town.to_ivan()) == 1
    assert town.telegram.taps[late].answer.startswith("Уже включено: Босс, ")


@configured({**CAREFUL, "survey": [NPS]})
async def test_a_restart_remembers_who_agreed(town: World) -> None:
    await two_deals(town)
    await town.taps("Включить отправку", "Анна")
    await town.restart()
    await town.next_morning()
    assert len(town.to_ivan()) == 1


@configured({**MAX_BOT, **CAREFUL, "staff": [HEAD, {"max_id": 700_001, "name": "Вера", "role": "head"}]})
async def test_while_one_messenger_is_down_the_head_in_the_other_sees_the_list(town: World) -> None:
    town.max.person("Вера", user_id=700_001)
    town.max.start("Вера")
    await town.step(pulls=False)
    town.telegram.faults.add(r"(?i)/sendMessage$", times=0, status=502)
    await two_deals(town)
    assert "Проверьте, нет ли здесь тех, кого спрашивать не надо" in town.max.last("Вера").text
    town.telegram.faults.clear()
    await town.later(minutes=15)
    assert sum("Проверьте" in text for text in town.to_anna()) == 1


CLOSED = "Отправка вопросов ещё не включена, никому не пишем. Включить: /plan"


@configured({**CAREFUL, "survey": [NPS]})
async def test_the_morning_message_and_the_report_say_while_sending_is_not_switched_on(town: World) -> None:
    await town.restart(delivery={"preview": False})
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    await town.restart(delivery={"preview": True})
    assert (await morning(town)).endswith(f"\n\n{CLOSED}")
    assert (await answer(town, "/report")).text.startswith(f"{CLOSED}\n\n")
    assert CLOSED not in (await answer(town, "/nps")).text
    await answer(town, "/plan")
    await town.taps("Включить отправку", "Анна")
    assert CLOSED not in await morning(town)
    assert CLOSED not in (await answer(town, "/report")).text


async def morning(town: World) -> str:
    """What Anna reads the next day at nine."""
    await town.at((town.local() + timedelta(days=1)).replace(hour=9, minute=0))
    await looks_around(town)
    return [text for text in town.to_anna() if text.startswith(f"Рекламации на {town.local().day} ")][-1]
