"""Many clients are unhappy at once: what is on the heads' phones, and is anybody forgotten?"""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from integrations.standins.telegram_model import Posted
from storage.tables.complaints import Alert
from tests.world import ANNA, ZONE, World, configured
from worker.flows.act import act
from worker.flows.listen import listen
from worker.flows.receive import receive

BOSS_ID, VERA_ID = 333333333, 444444444
HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
VERA = {"telegram_id": VERA_ID, "name": "Вера", "role": "head"}
BOSS = {"telegram_id": BOSS_ID, "name": "Босс", "role": "owner"}
SEND = r"(?i)/sendMessage$"


def joins(town: World, **people: int) -> None:
    for name, user_id in people.items():
        town.telegram.start(town.telegram.person(name, user_id=user_id))


def number(place: int) -> str:
    return f"+791400002{place:02}"


async def asked(town: World, people: int) -> None:
    """So many clients were asked today at noon."""
    for place in range(people):
        town.amocrm.close_lead(town.deal([town.contact(f"Клиент {place}", number(place))]))
    await town.step()
    await town.next_morning()


def says(town: World, place: int, words: str = "2, мастер не приехал") -> None:
    town.whatsapp.says(number(place), words)


async def all_say(town: World, people: int, first: int = 0) -> None:
    town.clock.advance(timedelta(minutes=1))
    for place in range(first, first + people):
        says(town, place)
    await town.step(pulls=False)


async def complaints_opened(town: World) -> None:
    """What was said is taken in and stands in amoCRM; nobody has been alerted."""
    hands = town.app.hands
    while await receive(hands, hands.channels["whatsapp"], town.app.inbox, timedelta(0)):
        pass
    await listen(hands)
    await act(hands, "crm")


def alerts(town: World, who: str = "Анна") -> list[Posted]:
    return [post for post in town.telegram.messages(who) if post.text.startswith("Низкая оценка")]


def joined(town: World, who: str = "Анна") -> list[Posted]:
    return [post for post in town.telegram.messages(who) if "за короткое время" in post.text]


def told_of(post: Posted) -> list[str]:
    """The clients of a joined message, in its order."""
    lines = [line for line in post.text.split("\n") if line.startswith("№ ")]
    return [line.split(": ")[1].split(",")[0] for line in lines]


def clients(*places: int) -> list[str]:
    return [f"Клиент {place}" for place in places]


async def test_five_at_once_are_five_alerts(town: World) -> None:
    await asked(town, 5)
    await all_say(town, 5)
    assert (len(alerts(town)), len(joined(town))) == (5, 0)


async def test_six_at_once_are_one_message_with_a_line_and_two_buttons_for_each(town: World) -> None:
    await asked(town, 6)
    await all_say(town, 6)
    assert alerts(town) == []
    (message,) = joined(town)
    assert message.text == "\n".join(
        [
            "6 низких оценок за короткое время. Каждая уже в amoCRM с ответственным:",
            *(f"№ {no}: Клиент {no - 1}, 2 из 10, Олег Смирнов" for no in range(1, 7)),
        ]
    )
    assert message.labels == [label for no in range(1, 7) for label in (f"Беру № {no}", f"Открыть № {no}")]
    links = [button["url"] for button in message.buttons if "url" in button]
    assert links == [
        f"https://example.amocrm.ru/leads/detail/{lead.id}"
        for lead in sorted(town.complaints(), key=lambda lead: lead.id)
    ]


@configured({"alerts": {"burst": 2}})
async def test_the_number_can_be_set(town: World) -> None:
    await asked(town, 3)
    await all_say(town, 3)
    assert (len(alerts(town)), len(joined(town))) == (0, 1)


async def test_the_sixth_in_ten_minutes_and_those_after_it_are_gathered(town: World) -> None:
    await asked(town, 9)
    for place in range(9):  # one each minute from 12:01 on
        await all_say(town, 1, place)
    assert (len(alerts(town)), len(joined(town))) == (5, 0)
    await town.at(datetime(2026, 9, 8, 12, 11, tzinfo=ZONE))
    assert len(alerts(town)) == 5
    (message,) = joined(town)
    assert told_of(message) == clients(5, 6, 7, 8)


async def test_a_sixth_that_nobody_follows_is_an_alert_like_any_other(town: World) -> None:
    await asked(town, 6)
    for place in range(6):
        await all_say(town, 1, place)
    await town.at(datetime(2026, 9, 8, 12, 11, tzinfo=ZONE))
    assert (len(alerts(town)), len(joined(town))) == (6, 0)


async def test_telegram_is_down_for_three_hours_and_nobody_is_forgotten(town: World) -> None:
    await asked(town, 12)
    town.telegram.faults.add(SEND, times=0, status=502)
    for place in range(12):
        town.clock.advance(timedelta(minutes=9))
        says(town, place)
        await town.step(pulls=False)
        leads = town.complaints()
        assert len(leads) == place + 1, "the complaint does not wait"
        assert all(len(town.amocrm.tasks_of(lead.id)) == 1 for lead in leads)
    await town.later(hours=1, minutes=12)
    assert alerts(town) == joined(town) == []
    town.telegram.faults.clear()
    for _ in range(6):
        await town.later(minutes=10)
    (message,) = joined(town)
    assert message.text.startswith("Пришло в 12:09, отправляем после перерыва.\n12 низких оценок за короткое")
    assert told_of(message) == clients(*range(12))
    assert alerts(town) == []


async def test_few_that_waited_for_telegram_come_in_the_order_in_which_they_came(town: World) -> None:
    await asked(town, 4)
    town.telegram.faults.add(SEND, times=0, status=502)
    for place in range(4):
        town.clock.advance(timedelta(minutes=40))
        says(town, place)
        await town.step(pulls=False)
    town.telegram.faults.clear()
    for _ in range(6):
        await town.later(minutes=10)
    texts = [text for text in town.to_anna() if "Низкая оценка" in text]
    assert [text.partition("\nКлиент ")[2].partition(",")[0] for text in texts] == ["0", "1", "2", "3"]


async def test_what_may_have_arrived_is_repeated_once_and_whole(town: World) -> None:
    """The answer to the joined message was lost: at worst it is there twice, and nothing is missing."""
    await asked(town, 7)
    town.telegram.faults.add(SEND, status=502, after=True)
    await all_say(town, 7)
    for _ in range(4):
        await town.later(minutes=5)
    assert [told_of(post) for post in joined(town)] == [clients(*range(7))] * 2
    assert alerts(town) == []


async def test_two_that_alert_at_the_same_time_tell_everything_once(town: World) -> None:
    await asked(town, 6)
    for place in range(6):
        says(town, place)
    await complaints_opened(town)
    await asyncio.gather(act(town.app.hands, "staff"), act(town.app.hands, "staff"))
    await town.later(minutes=5)
    assert [told_of(post) for post in joined(town)] == [clients(*range(6))]
    assert alerts(town) == []


async def test_a_restart_in_between_repeats_nothing(town: World) -> None:
    await asked(town, 7)
    await all_say(town, 7)
    await town.restart()
    await town.later(minutes=30)
    assert (len(alerts(town)), len(joined(town))) == (0, 1)
    async with town.db.reading() as tx:
        assert len((await tx.exec(select(Alert))).all()) == 7


@configured({"alerts": {"quiet_hours": "21:00-08:00"}})
async def test_what_came_at_night_is_one_message_in_the_morning(town: World) -> None:
    await asked(town, 8)
    for place in range(8):
        town.clock.set(datetime(2026, 9, 8, 22, 20 + place, tzinfo=ZONE))
        says(town, place)
        await town.step(pulls=False)
    assert joined(town) == alerts(town) == []
    await town.at(datetime(2026, 9, 9, 8, tzinfo=ZONE))
    (message,) = joined(town)
    assert told_of(message) == clients(*range(8))
    assert message.text.startswith("Пришло 8 сентября в 22:20, отправляем после перерыва.")
    assert alerts(town) == []


async def test_taken_and_solved_the_lines_say_so(town: World) -> None:
    await asked(town, 6)
    await all_say(town, 6)
    await town.taps("Беру № 3", "Анна")
    (message,) = joined(town)
    assert "№ 3: Клиент 2, 2 из 10, Олег Смирнов · Взято: Анна, 12:02\n" in message.text
    assert "Беру № 3" not in message.labels
    assert "Беру № 4" in message.labels
    town.amocrm.close_lead(sorted(lead.id for lead in town.complaints())[3])
    await town.later(minutes=5)
    (message,) = joined(town)
    assert "№ 4: Клиент 3, 2 из 10, Олег Смирнов · Решено в amoCRM" in message.text
    assert "Беру № 4" not in message.labels
    assert len(told_of(message)) == 6


async def test_words_that_are_added_say_whose_they_are(town: World) -> None:
    await asked(town, 6)
    await all_say(town, 6)
    town.clock.advance(timedelta(minutes=1))
    says(town, 4, "и створки перекошены")
    await town.step(pulls=False)
    added = town.telegram.messages("Анна")[-1]
    assert added.text == "№ 5. Клиент добавил: «и створки перекошены»"
    assert added.reply_to == joined(town)[0].message_id


@configured({"staff": [HEAD, VERA, BOSS]})
async def test_each_head_gets_it_once_though_one_of_them_had_to_wait(town: World) -> None:
    joins(town, Вера=VERA_ID, Босс=BOSS_ID)
    await asked(town, 6)
    town.telegram.faults.add(SEND, nth=2, status=429)
    await all_say(town, 6)
    await town.later(minutes=10)
    for who in ("Анна", "Вера"):
        assert (len(alerts(town, who)), len(joined(town, who))) == (0, 1)
    assert joined(town, "Босс") == []


@configured({"staff": [HEAD, BOSS]})
async def test_the_owner_gets_it_where_no_head_can_be_reached(town: World) -> None:
    joins(town, Босс=BOSS_ID)
    await asked(town, 6)
    town.telegram.block("Анна")
    await all_say(town, 6)
    await town.later(minutes=10)
    assert (len(alerts(town, "Босс")), len(joined(town, "Босс"))) == (0, 1)


async def test_while_amocrm_is_down_the_message_does_not_say_that_it_is_there(town: World) -> None:
    await asked(town, 6)
    town.amocrm.faults.add("/api/v4/", times=0, method="POST", status=500)
    await all_say(town, 6)
    await town.later(minutes=3)
    (message,) = joined(town)
    assert message.text.startswith("6 низких оценок за короткое время. amoCRM не отвечает")
    assert message.labels == [f"Беру № {no}" for no in range(1, 7)]
    town.amocrm.faults.clear()
    await town.later(minutes=30)
    (message,) = joined(town)
    assert message.text.startswith("6 низких оценок за короткое время. Каждая уже в amoCRM")
    assert "Открыть № 6" in message.labels


@configured({"staff": [HEAD, BOSS]})
@pytest.mark.parametrize("who", ["Анна", "Босс"])
async def test_complaints_that_nobody_takes_are_one_message_too(town: World, who: str) -> None:
    joins(town, Босс=BOSS_ID)
    await asked(town, 6)
    await all_say(town, 6)
    await town.later(hours=1)
    await town.later(hours=1)
    (message,) = [post for post in town.telegram.messages(who) if "никто не взял" in post.text]
    lines = message.text.split("\n")
    assert len(lines) == 6
    assert lines[2].startswith("Рекламацию № 3 никто не взял: Клиент 2, 2 из 10, ждёт ")
    assert message.labels.count("Беру № 3") == 1
