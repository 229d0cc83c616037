"""The past is read once, for the numbers only: the first report has it, and nobody hears of it."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from integrations.standins.amocrm import AmoCrmStandIn
from storage import past, state
from storage.deals import WATERMARK
from storage.erase import BROKEN_DEAL
from storage.tables.complaints import Complaint
from storage.tables.deals import Contact, Deal, Referral
from storage.tables.queues import Outbox, State
from storage.tables.surveys import Survey
from tests.world import IVAN, PETR, ZONE, World, configured, merged
from worker.cli.history import told
from worker.flows.history import NOT_YET, History
from worker.rules.past import PastWalk

SINCE: dict[str, Any] = {"amocrm": {"history_since": "2026-01-01"}}
LEADS = "/api/v4/leads"


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T15:00").replace(tzinfo=ZONE)


def closed(amocrm: AmoCrmStandIn, at: datetime, *, won: bool = True, **more: Any) -> int:
    """A deal that was made ten days earlier, and not touched since it was closed."""
    deal = amocrm.add_lead(created_at=at - timedelta(days=10), **more)
    amocrm.close_lead(deal, won=won, at=at)
    amocrm.leads[deal].updated_at = int(at.timestamp())
    for event in amocrm.events:
        if event.entity_id == deal:
            event.created_at = int(at.timestamp())
    return deal


def with_a_past(amocrm: AmoCrmStandIn) -> None:
    """Four deals won in spring, one of them by a friend; one lost, one from the year before; a complaint."""
    ivan, petr = amocrm.add_contact("Иван Петров", [IVAN]), amocrm.add_contact("Пётр Сидоров", [PETR])
    closed(amocrm, day("2025-11-10"), contacts=[ivan], price=70_000)
    for month in (4, 5, 6):
        closed(amocrm, day(f"2026-{month:02}-10"), contacts=[ivan], price=100_000, name="Ворота Петрова")
    friend = {"Скидка": "Скидка от друга 5%", "Промокод друга": "ДРУГ-99999"}
    closed(amocrm, day("2026-06-20"), contacts=[petr], price=200_000, fields=friend)
    closed(amocrm, day("2026-06-21"), contacts=[petr], price=50_000, won=False)
    closed(amocrm, day("2026-06-25"), contacts=[ivan], pipeline="Рекламации")
    amocrm.add_lead(name="Только что")  # In an account that lives something has just changed.


def with_a_past_and_without_filters(amocrm: AmoCrmStandIn) -> None:
    with_a_past(amocrm)
    amocrm.filters = False


def with_a_past_and_ignored_filters(amocrm: AmoCrmStandIn) -> None:
    with_a_past(amocrm)
    amocrm.filters = amocrm.tells_about_filters = False


async def rows(town: World, table: type[Any]) -> list[Any]:
    async with town.db.reading() as tx:
        return list((await tx.exec(select(table))).all())


def touched(town: World) -> list[str]:
    """Names of the deals in amoCRM that got a link, a line or a note."""
    fields = ("Ссылка на Telegram-бота", "Опрос", "Промокод для друзей")
    return [
        lead.name
        for lead in town.amocrm.leads.values()
        if town.amocrm.notes_of(lead.id) or any(town.amocrm.field_value(lead.id, name) for name in fields)
    ]


async def told_by_report(town: World) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    report = await town.report("2026Q2")
    return report["referrals"], report["complaints"], report["surveys"]["nps"]


# --- what it is for ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "before"),
    [
        (SINCE, with_a_past),
        (SINCE, with_a_past_and_without_filters),
        (SINCE, with_a_past_and_ignored_filters),
    ],
    ids=["by the day of closing", "without filters", "filters ignored"],
)
async def test_the_first_report_has_a_past_and_nobody_hears_of_it(town: World) -> None:
    await town.next_morning()
    await town.next_morning()
    referrals, complaints, nps = await told_by_report(town)
    assert (referrals["won_deals"], referrals["referral_deals"]) == (4, 1)
    assert (referrals["share"], referrals["won_amount"], referrals["share_amount"]) == (25.0, 500_000, 40.0)
    assert (complaints["opened"], complaints["closed"], complaints["open_now"]) == (1, 1, 0)
    assert complaints["resolution_mean"] == timedelta(days=10).total_seconds()
    assert (nps["sent"], nps["eligible"], nps["answered"], nps["not_sent"]) == (0, 0, 0, {})

    assert (await town.report("2025Q4"))["referrals"]["won_deals"] == 0  # before the day in the settings
    assert touched(town) == ["Только что"]
    assert town.to_ivan() == []
    assert await rows(town, Survey) == []
    acts = {act.kind for act in await rows(town, Outbox)}
    assert acts.isdisjoint({"alert_staff", "edit_alert", "credit_referrer", "tell_referrer", "reward_task"})

    # Of the past only what figures need is kept: no names, no words, and of people not even a number.
    deals = [deal for deal in await rows(town, Deal) if deal.closed_at is not None]
    assert len(deals) == 6
    assert {deal.name for deal in deals} == {""}
    assert all(deal.fields.keys() <= {str(town.amocrm.field_id("Скидка"))} for deal in deals)
    assert await rows(town, Contact) == []
    assert {referral.typed for referral in await rows(town, Referral)} == {""}
    assert {complaint.name for complaint in await rows(town, Complaint)} == {""}
    assert len(town.to_anna()) == 1  # that she is known there


@configured(SINCE, before=with_a_past_and_without_filters)
async def test_who_bought_is_read_where_figures_are_made_of_people(town: World) -> None:
    town.app.hands.reports = replace(town.app.hands.reports, sales_health=True)
    await town.later(minutes=10)
    sales = [deal for deal in await rows(town, Deal) if deal.status_id == 142]
    assert len({deal.client_id for deal in sales} - {None}) == 2


# --- what it must not do -----------------------------------------------------------------------------------


@configured(SINCE, before=with_a_past)
async def test_a_deal_of_the_past_that_closes_again_is_not_asked_about_and_a_new_one_is(town: World) -> None:
    old = next(lead.id for lead in town.amocrm.leads.values() if lead.price == 200_000)
    complaint = next(lead.id for lead in town.complaints())
    town.amocrm.move_lead(old, "Первичный контакт")
    town.amocrm.move_lead(complaint, "Новая", "Рекламации")
    await town.later(minutes=10)
    assert (await told_by_report(town))[1]["open_now"] == 1
    town.amocrm.close_lead(old)
    town.amocrm.close_lead(complaint)
    new = await town.asked([town.contact("Анна", "+79140000009")])
    assert [survey.deal_id for survey in await rows(town, Survey)] == [new]
    assert touched(town) == ["Только что", "Монтаж ворот"]


# --- a restart, and settings that change ----------------------------------------------------------------


async def test_a_restart_goes_on_where_the_reading_was(town: World) -> None:
    """The place is kept with the deals: what was read is not asked for again."""
    with_a_past(town.amocrm)
    hands = town.app.hands
    hands.history_since = datetime(2026, 1, 1, tzinfo=ZONE)
    begun = History(hands)
    for _ in range(3):
        await begun.step()
    again = History(hands)
    while await again.step():
        pass
    queries = [request.query for request in town.amocrm.requests if request.path == LEADS]
    assert len(queries) == len(set(queries)) > 6
    assert (await told_by_report(town))[0]["won_deals"] == 4


@configured(SINCE, before=with_a_past)
async def test_an_earlier_day_reads_only_what_lies_before_and_the_log_tells_how_far_it_is(
    town: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "worker.flows.history")
    town.amocrm.requests.clear()
    await town.restart(amocrm={"history_since": "2024-01-01"})
    assert (await town.report("2025Q4"))["referrals"]["won_deals"] == 1
    assert len([each for each in town.amocrm.requests if "closed_at" in each.query]) == 2
    assert "history: 7 closed deals read, back to 2024-12-31" in caplog.text
    assert "history: read, 7 closed deals since 2024-01-01" in caplog.text
    async with town.db.reading() as tx:
        walk = PastWalk.of(await past.progress(tx) or {})
    assert told(town.app.settings, walk) == "прочитано всё с 01.01.2024, сделок: 7"
    later = replace(walk, upto=day("2025-06-01"), requests=90)
    assert told(town.app.settings, later) == "читаем: дошли до 01.06.2025, сделок: 7, осталось минут: 2"
    town.amocrm.requests.clear()
    await town.later(minutes=10)
    assert not [each for each in town.amocrm.requests if "closed_at" in each.query]


@configured(merged(SINCE, {"amocrm": {"surveys_since": "2026-06-15"}}), before=with_a_past)
async def test_what_may_be_asked_about_is_never_taken_for_the_past(town: World) -> None:
    """The pull brings it, whichever is faster."""
    recent = [lead.id for lead in town.amocrm.leads.values() if lead.price == 200_000]
    assert [survey.deal_id for survey in await rows(town, Survey)] == recent
    async with town.db.transaction() as tx:
        await state.forget(tx, WATERMARK)
    assert await History(town.app.hands).step() == NOT_YET
    assert (await told_by_report(town))[0]["won_deals"] == 4


def with_a_broken_deal(amocrm: AmoCrmStandIn) -> None:
    with_a_past(amocrm)
    broken = min(lead.id for lead in amocrm.leads.values() if lead.price == 100_000)
    amocrm.leads[broken].raw = {"created_at": "yesterday"}


@configured(SINCE, before=with_a_broken_deal)
async def test_one_deal_that_cannot_be_read_is_put_aside(town: World) -> None:
    assert (await told_by_report(town))[0]["won_deals"] == 3
    kept = [row.key for row in await rows(town, State) if row.key.startswith(BROKEN_DEAL)]
    assert len(kept) == 1
