"""Who asked to be forgotten is forgotten, and not brought back by the next look into amoCRM."""

import asyncio
import json
from collections.abc import Awaitable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import inspect
from sqlmodel import select

from storage.database import Database
from storage.erase import Erasure, erase_person
from storage.facts import export_rows
from storage.tables.deals import Contact, Deal
from storage.tables.people import Client
from storage.tables.queues import Inbox, Outbox
from storage.tables.registry import METADATA
from storage.tables.surveys import Reply, Survey
from tests.world import ANNA, IVAN, PETR, ZONE, World, configured

TABLES = (Client, Contact, Deal, Inbox, Outbox, Reply, Survey)


async def forget(town: World, phone: str = IVAN) -> Erasure:
    async with town.db.transaction() as tx:
        return await erase_person(tx, phone, town.clock.now())


async def stored(db: Database) -> str:
    """Everything that the database holds, as one text."""
    async with db.reading() as tx:
        rows = [row for table in TABLES for row in (await tx.exec(select(table))).all()]
    return "\n".join(str(row.model_dump()) for row in rows)


async def test_forgetting_leaves_neither_name_nor_number_nor_words(town: World) -> None:
    await town.asked(name="Ворота Петрову")
    await town.ivan_writes("9, ребята молодцы")
    personal = ("Петров", "9140000001", "молодцы")
    kept = await stored(town.db)
    assert [text for text in personal if text not in kept] == []
    assert await forget(town)
    left = await stored(town.db)
    assert [text for text in personal if text in left] == []
    told = (await town.report())["surveys"]["nps"]
    assert (told["answered"], told["commented"]) == (1, 1)


async def everywhere(db: Database) -> str:
    """As `stored`, of all tables, and with the letters of bodies as people read them."""
    found: list[str] = []
    async with db.reading() as tx:
        for table in METADATA.sorted_tables:
            for row in (await (await tx.connection()).execute(table.select())).all():
                found += [_read(value) for value in row]
    return "\n".join(found)


def _read(value: object) -> str:
    if isinstance(value, bytes):
        value = json.loads(value) if value else ""
    return json.dumps(value, ensure_ascii=False, default=str)


@pytest.mark.parametrize("command", ["/find Петров", "/find 8 (914) 000-00-01", "Петров, 8 (914) 000-00-01"])
async def test_what_staff_typed_to_find_the_person_is_forgotten_too(town: World, command: str) -> None:
    await town.asked(name="Ворота Петрову")
    town.clock.advance(timedelta(minutes=1))
    town.telegram.says("Анна", command)
    await town.step(pulls=False)
    assert any("Петров" in text for text in town.to_anna()) is command.startswith("/")
    await forget(town)
    left = await everywhere(town.db)
    assert [text for text in ("Петров", "000-00-01", "9140000001") if text in left] == []


async def test_a_tap_under_what_was_found_keeps_nothing_of_it(town: World) -> None:
    await town.asked()
    await town.closed_deal([town.contact("Пётр Петров", PETR)])
    town.clock.advance(timedelta(minutes=1))
    town.telegram.says("Анна", "/find петров")
    await town.step(pulls=False)
    await town.taps("Иван Петров, +79140000001", "Анна")
    await forget(town)
    await forget(town, PETR)
    left = await everywhere(town.db)
    assert [text for text in ("Петров", "петров", "9140000001", "9140000002") if text in left] == []


async def test_what_is_not_answered_yet_is_kept_until_it_is(town: World) -> None:
    town.telegram.faults.add(r"(?i)/sendMessage$", times=0, status=500)
    town.telegram.says("Анна", "/find Сидоров")
    await town.step(pulls=False)
    told = len(town.to_anna())
    assert "Сидоров" in await everywhere(town.db)
    town.telegram.faults.clear()
    await town.later(minutes=15)
    assert len(town.to_anna()) == told + 1
    assert "Сидоров" not in await everywhere(town.db)


async def test_the_next_pull_does_not_bring_the_person_back(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    await forget(town)
    town.amocrm.edit_lead(deal, price=5)
    town.amocrm.contacts[town.ivan()].updated_at = town.amocrm.now()
    await town.later(hours=1)
    await town.restart()
    await town.next_morning()
    left = await stored(town.db)
    assert "9140000001" not in left
    assert "Петров" not in left


async def test_who_was_forgotten_is_not_asked_about_the_next_deal_either(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    told = len(town.to_ivan())
    await forget(town)
    await town.later(days=34)
    second = await town.closed_deal([town.contact("Иван Петров")])
    await town.later(days=1, hours=1)
    assert len(town.to_ivan()) == told
    assert town.card(second) == "Не спросили: попросили не писать"
    assert "9140000001" not in await stored(town.db)


async def test_a_question_that_was_due_is_not_asked_any_more(town: World) -> None:
    deal = await town.closed_deal()
    await forget(town)
    await town.next_morning()
    assert town.to_ivan() == []
    assert town.card(deal) == "Не спросили: попросили не писать"


async def test_who_was_forgotten_before_we_ever_met_is_not_asked(town: World) -> None:
    assert not await forget(town)
    deal = await town.asked()
    assert town.to_ivan() == []
    assert town.card(deal) == "Не спросили: попросили не писать"


async def test_of_who_was_forgotten_before_we_ever_met_nothing_is_kept(town: World) -> None:
    await forget(town)
    await town.closed_deal(name="Ворота Петрову", fields={"Промокод друга": "от Сидорова"})
    left = await everywhere(town.db)
    assert [text for text in ("Петров", "9140000001", "Сидорова") if text in left] == []


async def test_a_friends_deal_that_names_the_number_does_not_bring_it_back(town: World) -> None:
    await town.asked()
    friend = await town.closed_deal(
        [town.contact("Пётр", PETR)], fields={"Промокод друга": "8 914 000-00-01"}
    )
    await forget(town)
    town.amocrm.edit_lead(friend, price=5)  # at once, and once more later
    await town.later(minutes=5)
    town.amocrm.edit_lead(friend, price=6)
    late = await town.closed_deal([town.contact("Ольга", "+79140000003")], fields={"Промокод друга": IVAN})
    await town.next_morning()
    left = await everywhere(town.db)
    assert [text for text in ("9140000001", "000-00-01") if text in left] == []
    told = (await town.report())["referrals"]
    assert (told["won_deals"], told["referral_deals"]) == (3, 1)
    assert town.card(late) is not None


async def test_an_open_question_is_not_repeated_to_who_was_forgotten(town: World) -> None:
    await town.asked()
    await forget(town)
    await town.later(days=2)
    await town.later(days=6)
    assert len(town.to_ivan()) == 1


@configured({"whatsapp": {"provider": "none"}})
async def test_the_link_in_an_old_message_brings_nobody_back(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await forget(town)
    await town.next_morning()
    assert len(town.in_telegram()) == 1  # the greeting


async def test_forgetting_one_person_touches_nobody_else(town: World) -> None:
    await town.asked([town.contact("Пётр Сидоров", "+79140000002")])
    await forget(town)
    assert "Сидоров" in await stored(town.db)
    assert len(town.whatsapp.messages("+79140000002")) == 1


async def test_who_was_forgotten_and_writes_again_is_a_stranger(town: World) -> None:
    await town.asked()
    await forget(town)
    await town.ivan_writes("Здравствуйте, хочу заказать ворота")
    assert "хочу заказать ворота" in town.to_anna()[-1]
    assert "Петров" not in town.to_anna()[-1]


def test_all_tables_with_words_are_looked_at() -> None:
    named = {"name", "text", "phone", "raw", "payload", "chat_name"}
    assert {table for table in TABLES if named & {column.key for column in inspect(table).columns}} >= {
        Client, Contact, Deal, Inbox, Outbox, Reply,
    }  # fmt: skip


async def test_the_export_keeps_the_score_without_the_words_also_after_the_next_pull(town: World) -> None:
    deal = await town.asked(name="Ворота Петрову", fields={"Промокод друга": "от Сидорова"})
    await town.ivan_writes("9, ребята молодцы")
    await forget(town)
    town.amocrm.edit_lead(deal, price=5)
    await town.later(hours=1)
    now = town.clock.now()
    (row,) = await export_rows(town.db, now - timedelta(days=1), now + timedelta(days=1))
    assert (row.score, row.text) == (9, "")
    # The deal's name and free fields are the person's too, and amoCRM tells them again.
    left = await stored(town.db)
    assert [text for text in ("Петрову", "Сидорова", "молодцы") if text in left] == []


async def test_a_recommended_deal_of_who_was_forgotten_still_counts(town: World) -> None:
    first = await town.asked()
    code = town.amocrm.field_value(first, "Промокод для друзей")
    friend = await town.closed_deal([town.contact("Пётр", PETR)], fields={"Промокод друга": code})
    await forget(town, PETR)
    await town.later(hours=1)
    town.amocrm.edit_lead(friend, price=5)
    await town.later(hours=1)
    assert (await town.report())["referrals"]["referral_deals"] == 1


async def forget_meanwhile(town: World, step: Awaitable[None]) -> None:
    """While this goes on, and the messenger has just taken something."""
    fault = town.whatsapp.faults.add("/send", after=True, delay=0.5, nth=1)
    going_on = asyncio.ensure_future(step)
    for _ in range(500):
        if not fault.seen:
            await asyncio.sleep(0.01)
    await forget(town)
    await going_on


async def test_a_question_that_is_on_its_way_meanwhile_leaves_no_number(town: World) -> None:
    deal = await town.closed_deal()
    await forget_meanwhile(town, town.next_morning())
    assert len(town.to_ivan()) == 1
    assert (await town.survey(deal)).sent_at is not None
    await town.later(minutes=11)  # by when a receipt that belongs to nobody is let go
    assert "9140000001" not in await everywhere(town.db)
    await town.later(days=3)
    assert len(town.to_ivan()) == 1


async def test_an_answer_of_staff_that_is_on_its_way_meanwhile_leaves_nothing(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9, но пульт не работает")
    asked = [post for post in town.telegram.messages("Анна") if "пишет (" in post.text][-1]
    town.clock.advance(timedelta(minutes=1))
    town.telegram.says("Анна", "Иван, мастер уже едет", reply_to=asked.message_id)
    await forget_meanwhile(town, town.step(pulls=False))
    assert town.to_anna()[-1] == "Отправлено клиенту."
    await town.later(minutes=11)
    left = await everywhere(town.db)
    assert [text for text in ("9140000001", "мастер уже едет") if text in left] == []


async def test_who_answered_and_could_not_be_passed_on_any_more_is_told_so(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9, но пульт не работает")
    asked = [post for post in town.telegram.messages("Анна") if "пишет (" in post.text][-1]
    town.whatsapp.faults.add("sendMessage", status=429, nth=1)
    town.clock.advance(timedelta(minutes=1))
    town.telegram.says("Анна", "Иван, мастер уже едет", reply_to=asked.message_id)
    await town.step(pulls=False)
    await forget(town)
    await town.later(minutes=8)
    assert town.to_anna()[-1] == "Не отправлено: этой переписки больше нет. Позвоните"
    assert "мастер уже едет" not in await everywhere(town.db)


# --- a client asks for it ----------------------------------------------------------------------------------

OWNER = {
    "staff": [
        {"telegram_id": ANNA, "name": "Анна", "role": "owner", "amocrm_user": "Мария Ким"},
        {"telegram_id": 222222222, "name": "Борис", "role": "head"},
    ]
}


@configured(OWNER)
async def test_who_asks_to_be_erased_is_erased_by_the_owner_in_the_bot(town: World) -> None:
    deal = await town.asked(name="Ворота Петрову")
    await town.ivan_writes("удалите мои данные")
    assert town.to_anna()[-1] == (
        "Иван Петров просит удалить персональные данные. Срок ответа — 10 рабочих дней. "
        f"Команда: sarafan forget\nСтереть здесь же: /forget {IVAN}"
    )
    (task,) = town.amocrm.tasks_of(deal)
    assert task.text.startswith("Иван Петров просит удалить персональные данные.")
    assert town.amocrm.users[task.responsible_user_id].name == "Мария Ким"
    assert datetime.fromtimestamp(task.complete_till, ZONE).date() == date(2026, 9, 22)

    town.telegram.says("Анна", "/forget 8 914 000-00-01")
    await town.step(pulls=False)
    question = town.telegram.last("Анна")
    assert question.text.startswith(f"Стереть все данные клиента {IVAN} (Иван Петров)?")
    await town.taps("Не стирать", "Анна")
    assert question.text == "Ничего не стёрли."
    assert "Петров" in await stored(town.db)

    town.telegram.says("Анна", "/forget 8 914 000-00-01")
    await town.step(pulls=False)
    question = town.telegram.last("Анна")
    await town.taps("Стереть", "Анна")
    assert question.text.startswith("+7***0001: стёрто. Клиентов: 1, контактов: 1, чатов: 1, ответов: 1 ")
    assert question.text.endswith(
        "Карточку в amoCRM, сообщения бота сотрудникам и прежние копии базы удалите сами."
    )
    assert question.labels == []
    left = await everywhere(town.db)
    assert [text for text in ("Петров", "9140000001", "000-00-01") if text in left] == []


@configured(OWNER)
async def test_a_head_can_erase_nobody(town: World) -> None:
    town.telegram.start(town.telegram.person("Борис", user_id=222222222))
    await town.asked()
    town.telegram.says("Борис", f"/forget {IVAN}")
    await town.step(pulls=False)
    assert town.in_telegram("Борис")[-1].startswith("Такой команды у вас нет.")
    assert "Петров" in await stored(town.db)


async def test_what_staff_typed_and_nobody_has_answered_yet_is_forgotten_as_well(town: World) -> None:
    await town.asked()
    town.telegram.faults.add(r"(?i)/sendMessage$", times=0, status=500)
    for text in ("/find Петров", "/find 8 (914) 000-00-01", "/find Сидоров"):
        town.telegram.says("Анна", text)
    await town.step(pulls=False)
    await forget(town)
    left = await everywhere(town.db)
    assert [text for text in ("Петров", "000-00-01", "9140000001") if text in left] == []
    assert "Сидоров" in left
