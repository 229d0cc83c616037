"""What the pull costs, what it survives, and what it must not plan."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.errors import AccessDenied, Temporary
from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.whatsapp import GreenApiStandIn
from storage import deals, state
from storage.database import Database
from storage.tables.deals import Contact
from tests.world import BASE, IVAN, MONDAY, World, configured, nothing, settings_from, start
from worker.app import App
from worker.clock import ManualClock
from worker.flows.pull import pull

LEADS, CONTACTS = "/api/v4/leads", "/api/v4/contacts"


def close_a_minute_apart(town: World, count: int, *, have_contacts: bool = True) -> list[int]:
    """Deals closed one after the other, each with its own contact or all without."""
    contacts = [
        [town.contact(f"Клиент {number}", f"+7914{1_000_000 + number}")] if have_contacts else []
        for number in range(count)
    ]
    made = [town.deal(own) for own in contacts]
    for deal in made:
        town.clock.advance(timedelta(minutes=1))
        town.amocrm.close_lead(deal)
    town.amocrm.requests.clear()
    return made


def reads(town: World) -> list[str]:
    return [request.path for request in town.amocrm.requests if request.method == "GET"]


async def planned(town: World) -> list[int]:
    """The deals that surveys were planned for, one entry for each survey."""
    return sorted(survey.deal_id for survey in await town.surveys())


# --- what it costs -----------------------------------------------------------------------------------------


async def test_a_thousand_deals_with_their_contacts_take_ten_requests_and_then_one(town: World) -> None:
    made = close_a_minute_apart(town, 1000)
    await pull(town.app.hands)
    assert reads(town) == [LEADS] * 5 + [CONTACTS] * 5
    surveys = await town.surveys()
    assert [survey.deal_id for survey in surveys] == made
    assert len({survey.client_id for survey in surveys} - {None}) == 1000

    town.amocrm.requests.clear()
    await pull(town.app.hands)
    assert reads(town) == [LEADS]
    assert len(await town.surveys()) == 1000


async def test_a_quiet_pull_is_one_request(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.later(minutes=10)
    town.amocrm.requests.clear()
    await town.later(minutes=10)
    assert [(request.method, request.path) for request in town.amocrm.requests] == [("GET", LEADS)]


@configured({"amocrm": {"requests_per_second": 7}})
async def test_no_second_holds_more_requests_than_the_rate(town: World) -> None:
    """Counted where the requests arrive; the stand-in would answer a burst with 429."""
    close_a_minute_apart(town, 9)
    town.amocrm.rate_limit, town.amocrm.filters = 7, False  # contacts are read one by one
    paced = await App.build(
        settings_from(town.config, town.folder),
        db=town.db,
        clock=town.clock,
        transports={"amocrm": httpx.ASGITransport(app=town.amocrm.app)},
    )
    await paced.know_account()
    await pull(paced.hands)
    await paced.close()
    arrivals = [request.seconds for request in town.amocrm.requests]
    assert len(arrivals) >= 15
    assert all(sum(first <= other < first + 1 for other in arrivals) <= 7 for first in arrivals)
    assert {request.status for request in town.amocrm.requests} == {200}


def without_filters(amocrm: AmoCrmStandIn) -> None:
    amocrm.filters = False


def without_a_word_about_filters(amocrm: AmoCrmStandIn) -> None:
    amocrm.filters = amocrm.tells_about_filters = False


@pytest.mark.parametrize("before", [without_filters, without_a_word_about_filters])
async def test_without_the_filter_option_the_same_deals_come_each_once(
    town: World, before: Callable[[AmoCrmStandIn], None]
) -> None:
    made = close_a_minute_apart(town, 260)
    await pull(town.app.hands)
    assert await planned(town) == made
    await pull(town.app.hands)
    assert await planned(town) == made
    contacts = Counter(path for path in reads(town) if path.startswith(f"{CONTACTS}/"))
    assert len(contacts) == 260
    assert set(contacts.values()) == {1}


# --- what it survives --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ugly",
    [
        {"custom_fields_values": None, "price": None, "loss_reason_id": None, "name": None},
        {"custom_fields_values": [], "_embedded": {"tags": None, "contacts": None, "companies": None}},
        {"_embedded": None, "account_id": None, "closed_at": None, "score": None, "labor_cost": None},
        {"group_id": None, "created_by": None, "updated_by": None, "closest_task_at": None},
    ],
)
async def test_null_fields_stop_nothing(town: World, ugly: dict[str, Any]) -> None:
    deal = town.deal()
    town.amocrm.leads[deal].raw = ugly
    town.amocrm.close_lead(deal)
    neighbour = await town.closed_deal()
    assert await planned(town) == [deal, neighbour]


@pytest.mark.parametrize(
    "bad", [{"id": None}, {"status_id": "won"}, {"updated_at": None}, {"updated_at": "yesterday"}]
)
async def test_a_row_that_cannot_be_read_is_put_aside_and_taken_when_it_is_right(
    town: World, bad: dict[str, Any]
) -> None:
    first, broken, last = [town.deal() for _ in range(3)]
    town.amocrm.leads[broken].raw = bad
    for deal in (first, broken, last):
        town.amocrm.close_lead(deal)
    await town.step()
    assert await planned(town) == [first, last]
    async with town.db.reading() as tx:
        aside = await state.recall(tx, f"broken.lead.{bad.get('id', broken)}")
    assert aside is not None
    assert "raw" in aside

    await town.later(hours=1)
    town.amocrm.leads[broken].raw = {}
    town.amocrm.edit_lead(broken, name="Ворота")
    await town.step()
    assert await planned(town) == [first, broken, last]


async def test_nothing_new_is_no_failure(town: World) -> None:
    await town.later(hours=1)
    assert town.amocrm.requests[-1].status == 204
    assert await town.surveys() == []


HTML = {"status": 200, "body": "<html>Технические работы</html>"}
TRUNCATED = {"status": 200, "body": '{"_embedded": {"leads": [{"id": 501,'}
OTHER_SHAPE = {"status": 200, "json": {"_embedded": {"items": []}}}
NO_TOKEN = {"status": 401, "json": {"title": "Unauthorized", "status": 401}}


@pytest.mark.parametrize("fault", [HTML, TRUNCATED, OTHER_SHAPE], ids=["html", "truncated", "shape"])
async def test_an_answer_that_tells_nothing_is_a_failed_read(town: World, fault: dict[str, Any]) -> None:
    await town.later(hours=1)
    deal = town.deal()
    town.amocrm.close_lead(deal)
    before = await watermark(town)
    town.amocrm.faults.add(f"{LEADS}$", method="GET", **fault)
    with pytest.raises(Temporary):
        await town.step()
    assert await watermark(town) == before
    assert await town.surveys() == []
    await town.later(minutes=5)
    assert await planned(town) == [deal]


async def watermark(town: World) -> datetime | None:
    async with town.db.reading() as tx:
        return await deals.watermark(tx)


@pytest.mark.parametrize("fault", [HTML, NO_TOKEN], ids=["html", "token"])
async def test_a_page_that_fails_loses_nothing_and_plans_nothing_twice(
    town: World, fault: dict[str, Any]
) -> None:
    made = close_a_minute_apart(town, 260, have_contacts=False)
    town.amocrm.faults.add(f"{LEADS}$", method="GET", nth=2, **fault)
    with pytest.raises((Temporary, AccessDenied)):
        await pull(town.app.hands)
    # Never ahead of what is on disk: the walk goes on from the last whole page.
    assert await planned(town) == made[:250]
    assert await watermark(town) == datetime.fromtimestamp(town.amocrm.leads[made[249]].updated_at, UTC)
    await pull(town.app.hands)
    assert await planned(town) == made
    assert await watermark(town) == town.clock.now()


@configured(before=without_filters)
async def test_a_page_that_fails_on_the_way_back_leaves_the_watermark_where_it_was(town: World) -> None:
    before = await watermark(town)
    made = close_a_minute_apart(town, 260, have_contacts=False)
    town.amocrm.faults.add(f"{LEADS}$", method="GET", nth=2, **HTML)
    with pytest.raises(Temporary):
        await pull(town.app.hands)
    # The newest come first: what is older has not been seen yet.
    assert await planned(town) == made[-250:]
    assert await watermark(town) == before
    await pull(town.app.hands)
    assert await planned(town) == made
    assert await watermark(town) == town.clock.now()


async def test_filters_that_go_off_in_the_middle_keep_the_watermark_at_the_newest_deal(town: World) -> None:
    """The walk turns back, and its last page, of older deals, brings none."""
    made = close_a_minute_apart(town, 500, have_contacts=False)
    town.amocrm.faults.add(f"{LEADS}$", method="GET", nth=2, delay=0.05)
    walk = asyncio.create_task(pull(town.app.hands))
    while len(reads(town)) < 2:  # noqa: ASYNC110 - the stand-in tells nobody that a request is there
        await asyncio.sleep(0.001)
    town.amocrm.filters = False
    await walk
    assert await planned(town) == made
    assert await watermark(town) == town.clock.now()


async def test_contacts_that_cannot_be_read_now_are_read_with_the_next_pull(town: World) -> None:
    (deal,) = close_a_minute_apart(town, 1)
    town.amocrm.faults.add(f"{CONTACTS}$", method="GET", **HTML)
    with pytest.raises(Temporary):
        await town.step()
    assert (await town.survey(deal)).client_id is None
    await town.later(minutes=5)
    assert (await town.survey(deal)).client_id is not None


@pytest.mark.parametrize("before", [nothing, without_filters])
async def test_deals_that_change_while_the_pages_are_read_are_neither_lost_nor_planned_twice(
    town: World, before: Callable[[AmoCrmStandIn], None]
) -> None:
    made = close_a_minute_apart(town, 260, have_contacts=False)
    town.clock.advance(timedelta(minutes=1))
    town.amocrm.faults.add(f"{LEADS}$", method="GET", nth=2, delay=0.05)
    walk = asyncio.create_task(pull(town.app.hands))
    while len(reads(town)) < 2:  # noqa: ASYNC110 - the stand-in tells nobody that a request is there
        await asyncio.sleep(0.001)
    # Rows of the page that was read and of the one that is on its way.
    touched = [*made[:5], *made[245:]]
    for deal in touched:
        town.amocrm.edit_lead(deal, price=1000)
    late = town.deal([town.contact("Пётр", "+79145554433")])
    town.amocrm.close_lead(late)
    await walk
    await town.later(minutes=5)
    assert await planned(town) == [*made, late]
    async with town.db.reading() as tx:
        known = await deals.deals(tx, touched)
    assert {deal.price for deal in known.values()} == {1000}


# --- the first start ---------------------------------------------------------------------------------------


async def test_what_was_closed_while_amocrm_was_away_at_the_first_start_is_asked(
    db: Database, tmp_path: Path
) -> None:
    clock = ManualClock(MONDAY)
    amocrm, whatsapp = AmoCrmStandIn(clock.now, rate_limit=None), GreenApiStandIn(clock.now, longest_wait=0)
    old = amocrm.add_lead(contacts=[amocrm.add_contact("Анна", ["+79140000007"])])
    amocrm.close_lead(old)
    deal = amocrm.add_lead(contacts=[amocrm.add_contact("Иван Петров", [IVAN])])
    clock.advance(timedelta(days=1))
    app = await start(db, tmp_path, clock, amocrm, TelegramStandIn(clock.now), whatsapp, BASE)
    fault = amocrm.faults.add("", times=0, **HTML)
    with pytest.raises(Temporary):
        await app.step()
    clock.advance(timedelta(hours=1))
    amocrm.close_lead(deal)
    clock.advance(timedelta(hours=1))
    other = amocrm.add_lead(contacts=[amocrm.add_contact("Пётр", ["+79140000008"])])
    amocrm.faults.active.remove(fault)
    await app.step()
    assert amocrm.field_value(deal, "Опрос") == "Спросим 9 сентября в 12:00"
    assert amocrm.field_value(old, "Опрос") is None
    assert amocrm.field_value(other, "Ссылка на Telegram-бота") is not None
    await app.close()


def closed_last_week(amocrm: AmoCrmStandIn) -> None:
    deal = amocrm.add_lead(contacts=[amocrm.add_contact("Иван Петров", [IVAN])], created_at="2026-08-20")
    amocrm.close_lead(deal, at="2026-08-31T12:00:00+10:00")


@configured(before=closed_last_week)
async def test_deals_of_before_the_start_ask_nobody(town: World) -> None:
    (deal,) = town.amocrm.leads
    await town.later(hours=1)
    town.amocrm.edit_lead(deal, price=1000, tags_to_add=["постоянный"])
    await town.next_morning()
    assert await town.surveys() == []
    assert town.to_ivan() == []
    assert town.card(deal) is None


@configured({"amocrm": {"surveys_since": "2026-08-25"}}, before=closed_last_week)
async def test_unless_surveys_since_says_so(town: World) -> None:
    (deal,) = town.amocrm.leads
    assert await planned(town) == [deal]


@configured({"amocrm": {"surveys_since": "2026-09-05"}}, before=closed_last_week)
async def test_what_is_older_than_that_date_is_not_asked_either(town: World) -> None:
    (deal,) = town.amocrm.leads
    town.amocrm.edit_lead(deal, price=1000)
    await town.step()
    assert await planned(town) == []


# --- what plans nothing ------------------------------------------------------------------------------------


async def test_our_own_writes_come_back_and_plan_nothing(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9, всё хорошо")
    for _ in range(3):
        await town.later(minutes=5)
    assert await planned(town) == [deal]
    town.amocrm.requests.clear()
    for _ in range(3):
        await town.later(minutes=5)
    assert {request.method for request in town.amocrm.requests} == {"GET"}
    assert len(town.amocrm.notes_of(deal)) == 1


async def test_a_complaint_deal_of_ours_coming_back_plans_nothing(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("2, монтаж три недели")
    for _ in range(3):
        await town.later(minutes=5)
    assert await planned(town) == [deal]
    assert len(town.complaints()) == 1


async def test_opened_again_and_closed_again_asks_once(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    await town.later(days=40)
    town.amocrm.move_lead(deal, "Монтаж")
    await town.later(minutes=5)
    town.amocrm.close_lead(deal)
    await town.step()
    await town.until(town.clock.now() + timedelta(days=3))
    assert await planned(town) == [deal]
    assert len([text for text in town.to_ivan() if "порекомендуете" in text]) == 1


async def test_a_contact_is_read_once_however_many_deals_it_has(town: World) -> None:
    town.amocrm.requests.clear()
    for _ in range(3):
        await town.closed_deal()
    assert len([path for path in reads(town) if path == CONTACTS]) == 1
    async with town.db.reading() as tx:
        contact = await tx.get(Contact, town.ivan())
    assert contact is not None
    assert contact.phone == IVAN


# --- what the account lacks --------------------------------------------------------------------------------


def renamed_option(amocrm: AmoCrmStandIn) -> None:
    amocrm.rename_enum("Скидка", "Скидка от друга 5%", "Скидка другу 5%")


def lacks_fields(amocrm: AmoCrmStandIn) -> None:
    for name in ("Промокод для друзей", "Опрос", "NPS"):
        del amocrm.custom_fields["leads"][amocrm.field_id(name)]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (renamed_option, ["«Скидка от друга 5%»", "Похоже на: Скидка другу 5%"]),
        (lacks_fields, ["«Промокод для друзей»", "«Опрос»", "«NPS»"]),
    ],
)
async def test_a_renamed_option_or_a_missing_default_is_a_warning_and_stops_nothing(
    town: World,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[AmoCrmStandIn], None],
    named: list[str],
) -> None:
    change(town.amocrm)
    with caplog.at_level(logging.WARNING, "worker.app"):
        await town.restart()
    warnings = "\n".join(record.message for record in caplog.records if record.levelno == logging.WARNING)
    for name in named:
        assert name in warnings
    deal = await town.asked()
    await town.ivan_writes("9")
    assert town.to_ivan()[-1].startswith("Спасибо")
    assert len(town.amocrm.notes_of(deal)) == 1
