"""Words, names and numbers go after the time that they may be kept; scores and counts stay."""

import json
from datetime import timedelta

from sqlmodel import select

from storage.database import Database
from storage.tables.people import Chat, Client
from storage.tables.queues import Inbox
from storage.tables.registry import METADATA
from storage.tables.surveys import Message, Reply, Survey
from tests.world import PETR, World, configured
from worker.actions.ageing import look_for_old_words

MARIA = "+79140000003"
KEPT_FOR_A_MONTH = {"privacy": {"keep_words": "30d"}, "referral": {"reward": "Скидка."}}


async def held(db: Database) -> str:
    """Everything in the database, as one text."""
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


async def walks(town: World) -> None:
    """All of today's walk."""
    for _ in range(6):
        await look_for_old_words(town.app.hands)


async def keys_of(town: World) -> list[str]:
    async with town.db.reading() as tx:
        return sorted((await tx.exec(select(Client.key))).all())


@configured(KEPT_FOR_A_MONTH)
async def test_after_their_time_words_names_and_numbers_go_and_the_figures_stay(town: World) -> None:
    await town.closed_deal([town.contact("Пётр Сидоров", PETR)], name="Калитка Сидорову")
    maria = await town.closed_deal([town.contact("Мария Ильина", MARIA)], name="Ворота Ильиной")
    first = await town.asked(name="Ворота Петрову")
    code = town.amocrm.field_value(first, "Промокод для друзей")
    town.whatsapp.says(PETR, "2, ужасный монтаж")
    town.whatsapp.says(MARIA, "10, чудесно")
    await town.ivan_writes("9, ребята молодцы")
    await town.ivan_writes("стоп")
    town.amocrm.edit_lead(maria, fields={"Промокод друга": code})
    await town.later(days=20)
    town.whatsapp.says(MARIA, "спасибо ещё раз")
    await town.step()
    town.clock.advance(timedelta(days=11))
    before = await town.report()
    await walks(town)

    left = await held(town.db)
    # Ivan has bought, answered and said stop, and nothing since; that Maria named his code was long ago too.
    assert [text for text in ("Петров", "молодцы", "9140000001") if text in left] == []
    # Petr's complaint is open, and Maria wrote eleven days ago: all of theirs is there.
    theirs = ("Сидоров", "ужасный", PETR, "Калитка", "Ильина", "чудесно", MARIA)
    assert [text for text in theirs if text not in left] == []
    assert await town.report() == before

    # Who wanted no messages gets none after years either, though nobody here knows the number.
    again = await town.closed_deal()
    await town.later(days=4, hours=1)
    assert town.card(again) == "Не спросили: попросили не писать"

    town.amocrm.close_lead(town.complaints()[0].id)
    await town.later(hours=1)
    town.clock.advance(timedelta(days=31))
    before = await town.report()
    await walks(town)
    left = await held(town.db)
    assert [text for text in ("Сидоров", "ужасный", PETR, "чудесно", MARIA, "Анна, ") if text in left] == []
    assert await town.report() == before
    assert [key for key in await keys_of(town) if not key.startswith("aged:")] == []


@configured(KEPT_FOR_A_MONTH)
async def test_what_belongs_to_nobody_we_know_goes_by_its_own_age(town: World) -> None:
    """A trial on a phone, a chat that the company opened itself, a deal without a contact."""
    now, number = town.clock.now(), "79140000055@c.us"
    name = "wamid.HBgLNzkxNDAwMDAwNTUVAgAR"  # the number in base64
    await town.closed_deal([], name="Ворота Сидоровой", fields={"Промокод друга": "8 914 000-00-55"})
    async with town.db.transaction() as tx:
        tx.add(Message(channel="whatsapp", chat_id=number, message_id="t1", kind="trial", sent_at=now))
        tx.add(Chat(channel="whatsapp", chat_id=number, linked_at=now, human_wrote_at=now))
        tx.add(Inbox(channel="whatsapp", external_id=f"{name}:read", kind="status", raw=b"{}", state="read",
                     received_at=now))  # fmt: skip
    town.clock.advance(timedelta(days=29))
    await walks(town)
    assert "79140000055" in await held(town.db)
    town.clock.advance(timedelta(days=2))
    await walks(town)
    left = await held(town.db)
    assert [text for text in ("79140000055", "000-00-55", "Сидоровой", "wamid") if text in left] == []
    assert (await town.report())["referrals"]["won_deals"] == 1


@configured(KEPT_FOR_A_MONTH)
async def test_the_ids_of_whatsapp_hold_the_number_and_go_with_it(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9, ребята молодцы")
    name = "wamid.HBgLNzkxNDAwMDAwMDEVAgAR"
    async with town.db.transaction() as tx:
        (reply,) = (await tx.exec(select(Reply))).all()
        (row,) = (await tx.exec(select(Inbox).where(Inbox.external_id == reply.external_id))).all()
        (survey,) = (await tx.exec(select(Survey))).all()
        said = (await tx.exec(select(Message))).all()
        reply.external_id = row.external_id = survey.message_id = said[0].message_id = name
    town.clock.advance(timedelta(days=31))
    await walks(town)
    assert "wamid" not in await held(town.db)


@configured({"privacy": {"keep_words": ""}, "referral": {"reward": ""}})
async def test_for_ever_is_for_ever(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9, ребята молодцы")
    await town.later(days=3000)
    await walks(town)
    assert "молодцы" in await held(town.db)


@configured(KEPT_FOR_A_MONTH)
async def test_who_comes_back_after_the_time_is_a_client_like_any_other(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await walks(town)
    await town.later(days=40)
    await walks(town)
    assert "Петров" not in await held(town.db)
    again = await town.closed_deal()
    await town.later(days=2, hours=1)
    assert town.to_ivan()[-1].startswith("Здравствуйте, Иван! Это ВладАвтоматика.")
    await town.ivan_writes("10")
    assert (await town.survey(again)).score == 10
