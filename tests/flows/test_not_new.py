"""A client answers, and amoCRM's own messenger opens a deal because of it: is that a new request?"""

from datetime import datetime, timedelta
from typing import Any

from storage.deals import deal as deal_of
from tests.world import PETR, ZONE, World

NOTE = "Это не новая заявка: клиент ответил на опрос — 9 из 10. Сделка: https://example.amocrm.ru/leads/detail/{}"


def opens(town: World, *, contact: int | None = None, is_by_robot: bool = True, **more: Any) -> int:
    """The integration does what it does with every message where no deal is open."""
    return town.deal([contact or town.ivan()], name="Чат WhatsApp", is_by_robot=is_by_robot, **more)


async def is_marked(town: World, deal: int) -> bool:
    async with town.db.reading() as tx:
        row = await deal_of(tx, deal)
    assert row is not None
    return row.is_reply


def notes(town: World, deal: int) -> list[str]:
    return [text for text in town.amocrm.notes_of(deal) if "новая заявка" in text]


async def test_a_deal_that_an_answer_opened_is_noted_once_and_counts_nowhere(town: World) -> None:
    asked = await town.asked(price=100_000)
    await town.ivan_writes("9")
    new = opens(town)
    await town.later(minutes=5)
    await town.later(minutes=5)
    assert await is_marked(town, new)
    assert notes(town, new) == [NOTE.format(asked)]
    town.amocrm.close_lead(new, won=False)
    await town.next_morning()
    assert [one.deal_id for one in await town.surveys()] == [asked]
    assert (await town.report())["referrals"]["won_deals"] == 1


async def test_a_real_request_is_never_taken_for_an_answer(town: World) -> None:
    await town.asked(price=100_000)
    petr = town.contact("Пётр Ли", PETR)
    early = opens(town)  # before the answer
    town.clock.advance(timedelta(minutes=20))
    await town.ivan_writes("9")
    others = {
        "another client": opens(town, contact=petr),
        "opened by a person": opens(town, is_by_robot=False),
        "with a price": opens(town, price=5_000),
    }
    await town.later(minutes=30)
    late = opens(town)
    await town.step()
    for what, deal in {**others, "before the answer": early, "long after it": late}.items():
        assert not await is_marked(town, deal), what
        assert notes(town, deal) == [], what


async def test_whoever_answers_and_asks_for_something_has_a_request(town: World) -> None:
    await town.asked(price=100_000)
    await town.ivan_writes("9, а сколько стоят вторые ворота?")
    new = opens(town)
    await town.step()
    assert not await is_marked(town, new)
    assert notes(town, new) == []


async def test_what_is_won_after_all_was_a_sale_and_its_client_is_asked(town: World) -> None:
    await town.asked(price=100_000)
    await town.ivan_writes("9")
    new = opens(town)
    await town.step()
    assert await is_marked(town, new)
    town.amocrm.edit_lead(new, price=50_000)
    await town.at(datetime(2026, 9, 28, 12, tzinfo=ZONE))
    town.amocrm.close_lead(new)
    await town.step()
    assert not await is_marked(town, new)
    assert (await town.report())["referrals"]["won_amount"] == 150_000
    assert new in [one.deal_id for one in await town.surveys()]


async def test_a_complaint_that_was_moved_to_another_pipeline_is_no_such_deal(town: World) -> None:
    await town.asked(price=100_000)
    await town.ivan_writes("3, монтаж три недели")
    [complaint] = town.complaints()
    town.amocrm.move_lead(complaint.id, "Замер", pipeline="Продажи")
    await town.later(minutes=5)
    assert not await is_marked(town, complaint.id)
    assert notes(town, complaint.id) == []
