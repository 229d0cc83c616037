"""Chats of amoCRM are read slowly, and staff see who answers clients soon."""

from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from integrations.amocrm.chats import INCOMING, ChatEvent
from storage.tables.chat_events import ChatEvent as Kept
from tests.flows.test_staff_commands import EVERYBODY, OLEG, PERIODS, answer, opens
from tests.world import World, configured
from worker.flows.observe import observe

NB = "\u00a0"


async def no_rest() -> None:
    """Tests need not spare anybody."""


async def look(town: World) -> int:
    return await observe(town.app.hands, no_rest)


def users(town: World) -> dict[str, int]:
    return {user.name: user.id for user in town.amocrm.users.values()}


async def kept(town: World) -> list[Kept]:
    async with town.db.reading() as tx:
        return list((await tx.exec(select(Kept).order_by(col(Kept.at), col(Kept.event_id)))).all())


def chats(town: World, deal: int, *minutes: int, by: str = "Олег Смирнов", talk: int = 100) -> None:
    """Ivan asks and is answered after so many minutes, once in each conversation."""
    lead = town.amocrm.leads[deal]
    for number, after in enumerate(minutes):
        town.amocrm.chat_message(lead, talk_id=talk + number)
        town.clock.advance(timedelta(minutes=after))
        town.amocrm.chat_message(lead, talk_id=talk + number, by=users(town)[by])


async def test_a_head_sees_who_is_quick_who_is_slow_and_who_waits(town: World) -> None:
    deal = town.deal()
    await town.step()
    chats(town, deal, 4, 4, 5, 5, 6, 6)
    chats(town, deal, 30, 40, 50, 20, 20, 30, by="Мария Ким", talk=200)
    lead = town.amocrm.leads[deal]
    town.amocrm.chat_message(lead, talk_id=300)  # nobody answers
    town.amocrm.chat_message(lead, talk_id=301)
    town.amocrm.close_talk(301, users(town)["Олег Смирнов"])
    town.amocrm.chat_message(lead, talk_id=300, by=0)  # a robot does not count
    await town.later(minutes=20)
    assert await look(town) == 2 * 12 + 4
    said = await answer(town, "/frt")
    assert said.labels == PERIODS
    assert said.text == (
        "ВладАвтоматика: 1 июля – 7 сентября 2026\n"
        "Период ещё идёт, данные на 7 сентября в 15:01.\n\n"
        "Скорость первого ответа\n"
        "Половина ответов — за 13 мин, 9 из 10 — за 40 мин рабочего времени.\n"
        f"Вовремя, за 15 мин: 50{NB}% (от 25 до 75{NB}%), ответов 12.\n"
        "Без ответа 1, дольше всех ждут 20 мин.\n"
        "Беседу закрыли без ответа: 1.\n"
        "Исходящих без автора (бот или с телефона) 1 из 13: ответом не считаем.\n"
        "Данные с 8 августа в 15:00.\n"
        "По менеджерам:\n"
        f"• Олег Смирнов: половина за 5 мин, вовремя 100{NB}%, ответов 6, без ответа 1\n"
        f"• Мария Ким: половина за 30 мин, вовремя 0{NB}%, ответов 6"
    )
    written = (await town.report())["frt"]
    assert (written["answered"], written["business_median"], written["within_share"]) == (12, 780, 50.0)


@configured({"staff": EVERYBODY})
async def test_a_manager_sees_own_reactions_only(town: World) -> None:
    await opens(town, OLEG)
    deal = town.deal()
    await town.step()
    chats(town, deal, 4, 4, 5, 5, 6, 6)
    chats(town, deal, 30, 40, 50, 20, 20, 30, by="Мария Ким", talk=200)
    await look(town)
    said = (await answer(town, "/frt", "Олег")).text
    assert "• Олег Смирнов: половина за 5 мин" in said
    assert "Мария" not in said


async def test_an_account_without_incoming_messages_gets_no_number(town: World) -> None:
    assert "amoCRM не сообщила ни об одном сообщении" in (await answer(town, "/frt")).text
    deal = town.deal()
    await town.step()
    for _ in range(12):
        town.amocrm.chat_message(town.amocrm.leads[deal], by=users(town)["Олег Смирнов"])
    await look(town)
    said = (await answer(town, "/frt")).text
    assert "amoCRM не сообщает о входящих сообщениях. Исходящих 12, входящих 0." in said
    assert (await town.report())["frt"]["problem"] == "no_incoming"


async def test_our_question_and_its_answer_are_neither_asked_nor_answered(town: World) -> None:
    deal = await town.asked()
    lead = town.amocrm.leads[deal]
    oleg = users(town)["Олег Смирнов"]
    town.amocrm.chat_message(lead, by=0)  # the question, as the gateway shows it in amoCRM
    await town.ivan_writes("9")
    town.amocrm.chat_message(lead)
    town.amocrm.chat_message(lead, by=0)  # our thanks
    await town.later(minutes=30)
    town.amocrm.chat_message(lead)  # a question, much later
    await town.later(minutes=10)
    town.amocrm.chat_message(lead, by=oleg)
    await look(town)
    assert [(row.kind, row.is_ours) for row in await kept(town)] == [
        ("out", True), ("in", True), ("out", True), ("in", False), ("out", False),
    ]  # fmt: skip
    written = (await town.report())["frt"]
    assert (written["answered"], written["unanswered"], written["without_author"]) == (1, 0, 0)


async def test_each_message_is_kept_once_and_belongs_to_whom_the_deal_belonged_then(town: World) -> None:
    deal = town.deal()
    await town.step()
    town.amocrm.chat_message(town.amocrm.leads[deal])
    town.amocrm.chat_message(contact_id=town.ivan(), talk_id=0)  # without a deal: that of the contact
    town.amocrm.chat_message(contact_id=999_999, talk_id=5)  # a stranger
    assert await look(town) == 3
    town.amocrm.change_lead(town.amocrm.leads[deal], responsible_user_id=users(town)["Мария Ким"])
    await town.later(minutes=2)
    assert await look(town) == 3  # a little is read again, for events may come late
    oleg = users(town)["Олег Смирнов"]
    assert [(row.talk, row.deal_id, row.manager_id) for row in await kept(town)] == [
        ("talk:117", deal, oleg), (f"contact:{town.ivan()}", deal, oleg), ("talk:5", None, 0),
    ]  # fmt: skip
    await town.later(hours=1)
    await look(town)
    assert await look(town) == 0


async def test_many_messages_come_page_by_page_and_a_long_past_day_by_day(town: World) -> None:
    deal = town.deal()
    await town.step()
    for number in range(230):
        town.amocrm.chat_message(town.amocrm.leads[deal], talk_id=number + 1)
    rests = 0

    async def rest() -> None:
        nonlocal rests
        rests += 1

    assert await observe(town.app.hands, rest) == 230
    assert len(await kept(town)) == 230
    assert rests >= 30 + 2  # a request for each of thirty days, and two further pages
    town.amocrm.chat_message(town.amocrm.leads[deal], talk_id=231)

    async def told_to_stop() -> None:
        town.app.hands.wake.is_stopping = True

    assert await observe(town.app.hands, told_to_stop) == 0  # half a page is not kept
    town.app.hands.wake.is_stopping = False
    await look(town)
    assert len(await kept(town)) == 231


async def test_an_account_that_knows_no_such_events_stops_nothing(town: World) -> None:
    town.amocrm.faults.add("/events", method="GET", status=400, times=0)
    assert await look(town) == 0
    assert await kept(town) == []


def test_rows_of_any_shape_are_read() -> None:
    rows: list[dict[str, Any]] = [
        {"id": "e1", "type": INCOMING, "entity_id": None, "value_after": {}, "_embedded": []},
        {"id": 7, "type": None, "entity_id": "501", "created_at": "soon", "value_after": [{"message": []}]},
        {"created_at": 10**17, "value_after": [{"message": {"talk_id": "117"}}], "created_by": -1},
    ]
    for raw in rows:
        ChatEvent.model_validate(raw)
