"""A complaint moved by hand through amoCRM: its volume, its time and how often it was opened again."""

from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from integrations.standins.amocrm import AmoCrmStandIn
from storage.tables.complaints import Complaint
from tests.world import MONDAY, World, configured

REASON = "Причина рекламации"
WORDS = "3, монтаж три недели"
DAY = 86_400


def has_reasons(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_field(REASON, "select", enums=["Монтаж", "Сроки"])


async def rows(town: World) -> list[Complaint]:
    async with town.db.reading() as tx:
        return list((await tx.exec(select(Complaint).order_by(col(Complaint.opened_at)))).all())


async def row_of(town: World, lead: int) -> Complaint:
    return next(row for row in await rows(town) if row.lead_id == lead)


async def counted(town: World) -> dict[str, Any]:
    return dict((await town.report())["complaints"])


def user(town: World, name: str) -> int:
    return next(number for number, user in town.amocrm.users.items() if user.name == name)


def events_asked_for(town: World) -> int:
    return sum(request.path.endswith("/events") for request in town.amocrm.requests)


@configured(before=has_reasons)
async def test_complaints_moved_by_hand_have_their_volume_time_and_reopenings(town: World) -> None:
    """Made there, moved in from sales, closed, opened again, closed and lost, all by people in amoCRM."""
    moved = town.deal()
    await town.later(minutes=5)
    made = town.amocrm.add_lead("Скрипят ворота", [town.ivan()], pipeline="Рекламации")
    made_at = town.clock.now()
    await town.later(days=1)
    town.amocrm.move_lead(moved, "Новая", pipeline="Рекламации")
    moved_at = town.clock.now()
    await town.later(minutes=5)
    assert [row.opened_at for row in await rows(town)] == [made_at, moved_at]
    assert [row.by_hand for row in await rows(town)] == [True, True]

    town.amocrm.edit_lead(made, fields={REASON: "Монтаж"})
    town.amocrm.close_lead(made)
    await town.later(days=1)
    town.amocrm.move_lead(made, "В работе")
    await town.later(minutes=5)
    assert (await row_of(town, made)).closed_at is None
    await town.later(days=1)
    town.amocrm.close_lead(made)
    town.amocrm.close_lead(moved, won=False)
    ended_at = town.clock.now()
    await town.later(minutes=5)

    first, second = await rows(town)
    assert (first.opened_at, first.closed_at, first.is_solved) == (made_at, ended_at, True)
    assert (first.reopened, first.topic) == (1, "Монтаж")
    assert (second.opened_at, second.closed_at, second.is_solved) == (moved_at, ended_at, False)
    assert (second.reopened, second.topic) == (0, "")
    of = await counted(town)
    lasted = [(ended_at - opened).total_seconds() for opened in (made_at, moved_at)]
    assert (of["opened"], of["closed"], of["open_now"]) == (2, 2, 0)
    assert of["resolution_mean"] == sum(lasted) / 2
    assert (of["resolved"], of["rejected"], of["reopened"], of["reopened_share"]) == (1, 1, 1, 50.0)
    assert of["by_topic"] == {"": 1, "Монтаж": 1}
    assert (of["by_score"], of["by_hand"], of["topic_filled_share"]) == (0, 2, 50.0)


async def test_what_no_look_has_met_is_learned_from_the_events(town: World) -> None:
    """Between two looks it was moved in from sales, closed, opened again and closed by Oleg."""
    oleg = user(town, "Олег Смирнов")
    lead = town.amocrm.leads[town.deal()]
    created = town.clock.now()
    town.clock.advance(timedelta(hours=1))
    town.amocrm.move_lead(lead.id, "Новая", pipeline="Рекламации")
    for minutes, status in ((10, 142), (20, None), (30, 143)):
        town.clock.advance(timedelta(minutes=minutes))
        here = (lead.pipeline_id, status or town.amocrm.status_id("В работе", "Рекламации"))
        town.amocrm.change_lead(lead, status=here, by=oleg)
    await town.later(minutes=5)
    (row,) = await rows(town)
    assert row.opened_at == created + timedelta(hours=1)
    assert (row.closed_at, row.is_solved) == (created + timedelta(hours=2), False)
    assert (row.reopened, row.closed_by_user) == (1, oleg)
    assert [turn["what"] for turn in row.turns] == ["entered", "solved", "reopened", "rejected"]


async def test_one_call_is_made_for_events_and_only_when_a_complaint_changed(town: World) -> None:
    for number in range(3):
        town.amocrm.add_lead(f"Жалоба {number}", [town.ivan()], pipeline="Рекламации")
    town.deal()
    town.amocrm.requests.clear()
    await town.later(minutes=5)
    assert events_asked_for(town) == 1
    await town.later(minutes=5)
    await town.closed_deal()
    assert events_asked_for(town) == 1


async def test_a_reopening_that_a_look_has_met_is_counted_once(town: World) -> None:
    lead = town.amocrm.add_lead("Скрипят ворота", [town.ivan()], pipeline="Рекламации")
    await town.later(minutes=5)
    town.amocrm.close_lead(lead)
    await town.later(minutes=5)
    town.amocrm.move_lead(lead, "В работе")
    await town.later(minutes=5)
    assert (await row_of(town, lead)).reopened == 1
    # Closed and opened once more within five minutes.
    town.amocrm.close_lead(lead)
    town.amocrm.move_lead(lead, "Новая")
    await town.later(minutes=5)
    row = await row_of(town, lead)
    assert (row.closed_at, row.reopened, row.closed_by_user) == (None, 2, 0)


async def test_an_account_without_events_is_followed_by_looks_alone(town: World) -> None:
    town.amocrm.faults.add("/events", times=0, status=400, json={"title": "Bad Request", "status": 400})
    lead = town.amocrm.add_lead("Скрипят ворота", [town.ivan()], pipeline="Рекламации")
    await town.later(minutes=5)
    town.amocrm.close_lead(lead)
    await town.later(minutes=5)
    town.amocrm.move_lead(lead, "В работе")
    await town.later(minutes=5)
    row = await row_of(town, lead)
    assert (row.opened_at, row.closed_at, row.reopened) == (MONDAY, None, 1)
    town.amocrm.requests.clear()
    await town.later(minutes=5)
    assert events_asked_for(town) == 0  # It is not asked again for nothing.


async def test_events_that_fail_for_now_keep_no_pull_and_are_read_later(town: World) -> None:
    town.amocrm.faults.add("/events", times=1, status=200)  # HTML
    lead = town.amocrm.add_lead("Скрипят ворота", [town.ivan()], pipeline="Рекламации")
    town.amocrm.close_lead(lead)
    await town.later(minutes=5)
    row = await row_of(town, lead)
    assert (row.is_solved, row.closed_by_user) == (True, 0)
    await town.later(minutes=5)
    assert (await row_of(town, lead)).closed_by_user == min(town.amocrm.users)


async def test_moved_away_while_open_and_back_it_keeps_its_clock(town: World) -> None:
    await town.asked()
    await town.ivan_writes(WORDS)
    (lead,) = town.complaints()
    opened_at = (await row_of(town, lead.id)).opened_at
    town.amocrm.move_lead(lead.id, "Замер", pipeline="Продажи")
    await town.later(days=1)
    assert (await counted(town))["open_now"] == 0
    town.amocrm.move_lead(lead.id, "Новая", pipeline="Рекламации")
    await town.later(minutes=5)
    row = await row_of(town, lead.id)
    assert (row.opened_at, row.left_at, row.reopened) == (opened_at, None, 0)
    alert = next(post for post in town.telegram.messages("Анна") if "Низкая оценка" in post.text)
    assert "Беру" in alert.labels
    assert alert.text.splitlines()[-1].startswith("Открыто снова в amoCRM")
    assert (await counted(town))["open_now"] == 1


async def test_rejected_by_mistake_and_then_solved_it_is_solved_when_it_was_closed(town: World) -> None:
    lead = town.amocrm.add_lead("Скрипят ворота", [town.ivan()], pipeline="Рекламации")
    await town.later(minutes=5)
    town.amocrm.close_lead(lead, won=False)
    await town.later(minutes=5)
    closed_at = (await row_of(town, lead)).closed_at
    town.amocrm.close_lead(lead, won=True)
    await town.later(minutes=5)
    row = await row_of(town, lead)
    assert (row.is_solved, row.closed_at, row.reopened) == (True, closed_at, 0)


async def test_what_was_deleted_or_merged_is_missed_within_a_day_and_counts_nowhere(town: World) -> None:
    kept, merged, deleted = (
        town.amocrm.add_lead(name, [town.ivan()], pipeline="Рекламации")
        for name in ("Ворота", "Они же", "Ой")
    )
    await town.later(minutes=5)
    assert (await counted(town))["opened"] == 3
    town.amocrm.merge_leads(merged, kept)
    town.amocrm.delete_lead(deleted)
    await town.later(minutes=5)
    town.amocrm.requests.clear()
    await town.later(days=1)
    of = await counted(town)
    assert (of["opened"], of["open_now"], of["closed"]) == (1, 1, 0)
    looked = [request.path for request in town.amocrm.requests if request.path.endswith("/leads")]
    assert len(looked) == 2  # the pull, and one look for all that are open
    # Taken out of the bin it is one again.
    town.amocrm.leads[deleted].is_deleted = False
    town.amocrm.edit_lead(deleted, name="Не ой")
    await town.later(minutes=5)
    assert (await counted(town))["open_now"] == 2


async def test_a_reason_in_free_words_is_one_and_is_not_kept(town: World) -> None:
    town.amocrm.add_field(REASON)
    await town.restart(complaints={"topic_field": REASON})
    lead = town.amocrm.add_lead(
        "Скрипят ворота", [town.ivan()], pipeline="Рекламации", fields={REASON: "Петров не приехал"}
    )
    await town.later(minutes=5)
    assert (await row_of(town, lead)).topic == "…"


async def test_one_made_by_hand_is_about_who_led_the_clients_deals_not_about_who_answers_for_it(
    town: World,
) -> None:
    await town.closed_deal()
    lead = town.amocrm.add_lead(
        "Скрипят ворота", [town.ivan()], pipeline="Рекламации", responsible="Мария Ким"
    )
    await town.later(minutes=5)
    assert (await row_of(town, lead)).manager == "Олег Смирнов"
    await town.closed_deal(responsible="Мария Ким")
    again = town.amocrm.add_lead("И снова", [town.ivan()], pipeline="Рекламации", responsible="Мария Ким")
    await town.later(minutes=5)
    row = await row_of(town, again)
    assert (row.manager_id, row.manager) == (0, "")  # two people led his deals: nobody is guessed at


async def test_a_copy_of_our_card_is_a_complaint_of_its_own(town: World) -> None:
    await town.asked()
    await town.ivan_writes(WORDS)
    (ours,) = town.complaints()
    copy = town.amocrm.add_lead(ours.name, [town.ivan()], pipeline="Рекламации", tags=ours.tags)
    await town.later(minutes=5)
    town.amocrm.close_lead(copy)
    await town.later(minutes=5)
    first, second = await rows(town)
    assert (first.lead_id, first.by_hand, first.closed_at) == (ours.id, False, None)
    assert (second.lead_id, second.by_hand, second.is_solved) == (copy, True, True)


async def test_who_moves_it_on_in_the_second_in_which_it_came_has_taken_it(town: World) -> None:
    """amoCRM tells whole seconds, our clock more."""
    await town.asked()
    town.clock.advance(timedelta(seconds=0.4))
    await town.ivan_writes(WORDS)
    (lead,) = town.complaints()
    town.clock.advance(timedelta(seconds=0.3))
    town.amocrm.move_lead(lead.id, "В работе")
    await town.later(minutes=5)
    (row,) = await rows(town)
    assert (row.taken_by, row.opened_at.microsecond) == ("Олег Смирнов", 400_000)


async def test_who_gets_it_and_who_works_on_it_in_amocrm_stands_in_the_alert(town: World) -> None:
    """A robot that moves it takes nothing; nobody is told that it waits once a person has moved it on."""
    await town.asked()
    await town.ivan_writes(WORDS)
    (lead,) = town.complaints()
    alert = next(post for post in town.telegram.messages("Анна") if "Низкая оценка" in post.text)
    assert "Рекламация № 1, Мария Ким" in alert.text
    here = (lead.pipeline_id, town.amocrm.status_id("В работе", "Рекламации"))
    first = (lead.pipeline_id, lead.status_id)
    town.amocrm.change_lead(lead, status=here, by=0)
    lead.responsible_user_id = user(town, "Олег Смирнов")
    await town.later(minutes=5)
    assert "Рекламация № 1, Олег Смирнов" in alert.text
    assert "Взято" not in alert.text
    town.clock.advance(timedelta(minutes=5))
    town.amocrm.change_lead(lead, status=first, by=user(town, "Олег Смирнов"))
    await town.later(minutes=5)
    assert alert.text.endswith("\nВзято: Олег Смирнов, 12:11")
    assert "Беру" not in alert.labels
    await town.later(hours=5)
    assert not [text for text in town.to_anna() if "никто не взял" in text]
