"""What the deal's card shows, and that it gets there whatever amoCRM says meanwhile."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from integrations.standins.amocrm import AmoCrmStandIn
from storage.tables.surveys import SurveyState
from tests.world import PETR, World, configured, start
from worker.flows.act import act
from worker.flows.pull import pull

LEADS, NOTES = "/api/v4/leads$", "/api/v4/leads/notes"


def a_crew(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_field("Бригада")
    amocrm.add_field("Оценка бригады", "numeric")


def without(*names: str) -> Any:
    def remove(amocrm: AmoCrmStandIn) -> None:
        for name in names:
            del amocrm.custom_fields["leads"][amocrm.field_id(name)]

    return remove


def writes(town: World) -> list[tuple[str, str]]:
    return [
        (request.method, request.path)
        for request in town.amocrm.requests
        if request.method in ("PATCH", "POST")
    ]


# --- fields ------------------------------------------------------------------------------------------------

MANAGER_AND_CREW = [
    {"key": "csat_manager", "metric": "csat", "subject": "manager", "delay": "1bd"},
    {
        "key": "csat_crew",
        "metric": "csat",
        "subject": "field:Бригада",
        "field": "Оценка бригады",
        "delay": "1bd",
    },
]


@configured({"survey": MANAGER_AND_CREW}, before=a_crew)
async def test_two_surveys_of_one_deal_write_to_two_fields(town: World) -> None:
    deal = await town.asked(fields={"Бригада": "Бригада Петрова"})
    await town.ivan_writes("5")
    await town.ivan_writes("4")
    assert town.amocrm.field_value(deal, "CSAT") == "5"
    assert town.amocrm.field_value(deal, "Оценка бригады") == "4"
    assert [note.split(" (")[0] for note in town.amocrm.notes_of(deal)] == [
        "Оценка менеджера: 5 из 5",
        "Оценка мастеров: 4 из 5",
    ]


async def test_the_field_has_the_last_score_and_the_note_tells_the_one_before(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9, спасибо Олегу")
    assert town.amocrm.field_value(deal, "NPS") == "9"
    await town.ivan_writes("10")
    assert town.amocrm.field_value(deal, "NPS") == "10"
    assert town.amocrm.notes_of(deal) == [
        "NPS: 9 из 10 (WhatsApp, 8 сентября в 12:01). «спасибо Олегу»",
        "NPS: было 9, стало 10 из 10.",
    ]
    assert town.card(deal) == "Ответ 10 из 10, 8 сентября в 12:01"


async def test_the_note_stands_under_our_name_and_is_no_message_to_the_client(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    (note,) = [note for note in town.amocrm.notes.values() if note.entity_id == deal]
    assert note.note_type == "service_message"
    assert (note.params or {})["service"] == "Sarafan"


async def test_the_line_follows_the_survey_through_its_life(town: World) -> None:
    deal = town.deal()
    await town.step()
    assert town.card(deal) is None
    town.amocrm.close_lead(deal)
    await town.step()
    assert town.card(deal) == "Спросим 8 сентября в 11:00"
    await town.next_morning()
    assert town.card(deal) == "Спросили 8 сентября в 12:00, WhatsApp"
    await town.ivan_writes("8")
    assert town.card(deal) == "Ответ 8 из 10, 8 сентября в 12:01"


async def test_the_line_of_a_silent_client(town: World) -> None:
    deal = await town.asked()
    await town.until(town.clock.now() + timedelta(days=8))
    assert town.card(deal) == "Не ответили"
    assert town.amocrm.field_value(deal, "NPS") is None


async def test_the_line_of_a_deal_that_was_opened_again(town: World) -> None:
    deal = await town.closed_deal()
    town.amocrm.move_lead(deal, "Монтаж")
    await town.next_morning()
    assert town.card(deal) == "Не спросили: сделку открыли снова"


NPS_THEN_CSAT = [{"key": "nps", "metric": "nps"}, {"key": "csat", "metric": "csat", "delay": "14d"}]


@configured({"survey": NPS_THEN_CSAT})
async def test_the_line_tells_of_what_happened_last(town: World) -> None:
    deal = await town.closed_deal()
    assert town.card(deal) == "Спросим 8 сентября в 11:00"
    await town.next_morning()
    await town.ivan_writes("9")
    assert town.card(deal) == "Ответ 9 из 10, 8 сентября в 12:01"
    await town.until(town.clock.now() + timedelta(days=13))
    assert (town.card(deal) or "").startswith("Спросили 21 сентября")
    assert town.amocrm.field_value(deal, "NPS") == "9"


async def test_the_code_in_the_field_is_the_mark_that_the_client_was_asked(town: World) -> None:
    deal = await town.closed_deal()
    assert town.amocrm.field_value(deal, "Промокод для друзей") is None
    await town.next_morning()
    code = town.amocrm.field_value(deal, "Промокод для друзей")
    assert code in town.to_ivan()[0]
    assert town.amocrm.leads[deal].tags == []


@configured(before=without("Промокод для друзей"))
async def test_without_that_field_a_tag_is_the_mark(town: World) -> None:
    deal = town.deal(tags=["вип"])
    town.amocrm.close_lead(deal)
    await town.step()
    assert town.amocrm.leads[deal].tags == ["вип"]
    await town.next_morning()
    assert town.amocrm.leads[deal].tags == ["вип", "опрос отправлен"]


async def test_the_link_to_the_bot_stands_in_every_deal_from_the_first_sight(town: World) -> None:
    deals = [town.deal(), town.deal([])]
    town.amocrm.close_lead(lost := town.deal(), won=False)
    complaint = town.deal(pipeline="Рекламации")
    await town.step()
    links = [town.amocrm.field_value(deal, "Ссылка на Telegram-бота") for deal in [*deals, lost]]
    assert all(link.startswith("https://t.me/") for link in links)
    assert len(set(links)) == 3
    assert town.amocrm.field_value(complaint, "Ссылка на Telegram-бота") is None
    await town.later(hours=1)
    assert [town.amocrm.field_value(deal, "Ссылка на Telegram-бота") for deal in deals] == links[:2]


async def test_a_link_that_a_person_wiped_out_by_mistake_comes_back_with_the_next_write(town: World) -> None:
    deal = await town.closed_deal()
    link = town.amocrm.field_value(deal, "Ссылка на Telegram-бота")
    town.amocrm.edit_lead(deal, fields={"Ссылка на Telegram-бота": None})
    await town.next_morning()
    assert town.amocrm.field_value(deal, "Ссылка на Telegram-бота") == link


@configured({"delivery": {"channels": ["whatsapp"]}})
async def test_no_link_where_telegram_is_no_channel_to_clients(town: World) -> None:
    deal = await town.closed_deal()
    assert town.amocrm.field_value(deal, "Ссылка на Telegram-бота") is None


async def test_only_what_differs_is_written(town: World) -> None:
    deal = await town.asked()
    town.amocrm.requests.clear()
    await town.ivan_writes("9")
    (patch,) = [request for request in town.amocrm.requests if request.method == "PATCH"]
    (element,) = json.loads(patch.body)
    written = {row["field_id"] for row in element["custom_fields_values"]}
    assert element.keys() == {"id", "custom_fields_values"}
    assert element["id"] == deal
    assert written == {town.amocrm.field_id("NPS"), town.amocrm.field_id("Опрос")}


async def test_many_deals_are_written_fifty_a_call(town: World) -> None:
    for number in range(60):
        town.deal([town.contact(phone=f"+7914{2_000_000 + number}")])
    town.amocrm.requests.clear()
    await town.step()
    assert writes(town) == [("PATCH", "/api/v4/leads")] * 2


# --- refusals ----------------------------------------------------------------------------------------------


async def test_a_field_that_is_refused_is_named_and_stops_no_other(
    town: World, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = town.deal(), town.deal([town.contact("Пётр", PETR)])
    await town.step()
    for deal in (first, second):
        town.amocrm.close_lead(deal)
    await town.step()
    gone = town.amocrm.field_id("Промокод для друзей")
    del town.amocrm.custom_fields["leads"][gone]
    with caplog.at_level(logging.ERROR):
        await town.next_morning()
    for deal in (first, second):
        assert town.card(deal) == "Спросили 8 сентября в 12:00, WhatsApp"
    assert f"field {gone} of deal {first} cannot be written" in caplog.text
    await town.ivan_writes("9")
    assert town.amocrm.field_value(first, "NPS") == "9"
    assert len(town.amocrm.notes_of(first)) == 1


async def test_a_deal_that_is_refused_does_not_stop_its_neighbours(town: World) -> None:
    people = [
        (town.contact(f"Клиент {n}", f"+7914{3_000_000 + n}"), f"+7914{3_000_000 + n}") for n in range(5)
    ]
    made = [await town.closed_deal([contact]) for contact, _ in people]
    await town.next_morning()
    for _, phone in people:
        town.whatsapp.says(phone, "9")
    town.amocrm.delete_lead(made[2])
    await town.later(minutes=1)
    for place, deal in enumerate(made):
        if place != 2:
            assert town.amocrm.field_value(deal, "NPS") == "9"
            assert len(town.amocrm.notes_of(deal)) == 1
    assert all("Спасибо" in town.whatsapp.last(phone).text for _, phone in people)


async def test_a_deal_that_was_deleted_meanwhile_costs_the_answer_nothing(town: World) -> None:
    deal = await town.asked()
    town.amocrm.delete_lead(deal)
    await town.ivan_writes("9")
    survey = await town.survey(deal)
    assert (survey.state, survey.score) == (SurveyState.ANSWERED, 9)
    assert town.to_ivan()[-1].startswith("Спасибо")
    town.amocrm.requests.clear()
    for _ in range(5):
        await town.later(hours=1)
    assert writes(town) == []


# --- lost answers ------------------------------------------------------------------------------------------

LOST: list[dict[str, Any]] = [{"status": 504}, {"drop": True}, {"status": 200}]


@pytest.mark.parametrize("fault", LOST, ids=["504", "broken off", "html"])
async def test_a_note_whose_answer_was_lost_is_not_repeated(town: World, fault: dict[str, Any]) -> None:
    deal = await town.asked()
    town.amocrm.faults.add(NOTES, method="POST", after=True, **fault)
    await town.ivan_writes("9, спасибо")
    for _ in range(3):
        await town.later(minutes=10)
    assert town.amocrm.notes_of(deal) == ["NPS: 9 из 10 (WhatsApp, 8 сентября в 12:01). «спасибо»"]


@pytest.mark.parametrize("fault", LOST, ids=["504", "broken off", "html"])
async def test_a_note_that_was_lost_before_it_arrived_is_written(town: World, fault: dict[str, Any]) -> None:
    deal = await town.asked()
    town.amocrm.faults.add(NOTES, method="POST", **fault)
    await town.ivan_writes("9, спасибо")
    assert town.amocrm.notes_of(deal) == []
    for _ in range(3):
        await town.later(minutes=10)
    assert len(town.amocrm.notes_of(deal)) == 1


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("fault", LOST, ids=["504", "broken off", "html"])
async def test_fields_are_written_again_until_it_is_known_that_they_are(
    town: World, fault: dict[str, Any], after: bool
) -> None:
    deal = await town.asked()
    town.amocrm.faults.add(LEADS, method="PATCH", after=after, **fault)
    await town.ivan_writes("9")
    for _ in range(3):
        await town.later(minutes=10)
    assert town.amocrm.field_value(deal, "NPS") == "9"
    assert town.card(deal) == "Ответ 9 из 10, 8 сентября в 12:01"


# --- when amoCRM lets nobody write -------------------------------------------------------------------------


async def test_while_the_token_is_dead_nothing_is_lost(town: World) -> None:
    deal = await town.asked()
    refusal = {"status": 401, "json": {"title": "Unauthorized", "status": 401}}
    for method in ("PATCH", "POST"):
        town.amocrm.faults.add("", method=method, times=0, **refusal)
    await town.ivan_writes("3, монтаж три недели")
    # The client is thanked and the head hears of it all the same.
    assert town.to_ivan()[-1].startswith("Спасибо")
    assert town.complaints() == []
    for _ in range(10):
        await town.later(days=1)
    town.amocrm.faults.clear()
    await town.later(minutes=15)
    assert_all_is_written(town, deal)


def assert_all_is_written(town: World, deal: int) -> None:
    assert town.amocrm.field_value(deal, "NPS") == "3"
    assert "«монтаж три недели»" in town.amocrm.notes_of(deal)[0]
    (complaint,) = town.complaints()
    assert len(town.amocrm.tasks_of(complaint.id)) == 1


async def test_while_the_subscription_is_over_nothing_is_lost(town: World) -> None:
    deal = await town.asked()
    town.amocrm.is_unpaid = True
    await town.ivan_writes("3, монтаж три недели")
    assert town.to_ivan()[-1].startswith("Спасибо")
    for _ in range(10):
        await town.later(days=1)
    town.amocrm.is_unpaid = False
    await town.restart()  # Else the client waits for a while by the real clock.
    await town.later(minutes=15)
    assert_all_is_written(town, deal)


# --- when Telegram is silent -------------------------------------------------------------------------------


async def test_while_the_bot_cannot_tell_its_name_the_rest_is_written_and_the_link_follows(
    town: World,
) -> None:
    deal = town.deal()
    town.amocrm.close_lead(deal)
    await town.app.close()
    town.app = app = await start(
        town.db, town.folder, town.clock, town.amocrm, town.telegram, town.whatsapp, town.config
    )
    refusal = {"ok": False, "error_code": 401, "description": "Unauthorized"}
    town.telegram.faults.add("getMe", times=0, status=401, json=refusal)
    await app.know_account()
    await pull(app.hands)
    await act(app.hands, "crm")
    assert town.card(deal) == "Спросим 8 сентября в 11:00"
    assert town.amocrm.field_value(deal, "Ссылка на Telegram-бота") is None
    town.telegram.faults.clear()
    await town.later(minutes=11)
    assert town.amocrm.field_value(deal, "Ссылка на Telegram-бота").startswith("https://t.me/")
