"""What the client of amoCRM asks, understands and says when it is refused."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from integrations.amocrm.answers import Blocked, Unpaid
from integrations.amocrm.changes import EnumId, LeadChange, NewLead, NewNote, NewTask
from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import WON, Contact, Lead, Task
from integrations.errors import AccessDenied, OutsideError, Permanent, Rejected, Temporary, Uncertain
from integrations.standins.amocrm import AmoCrmStandIn
from tests.integrations.amocrm_setup import BASE, Impatient, client_of
from tests.integrations.clock import Clock

API = f"{BASE}/api/v4"
HTML_403 = "<html>\r\n<head><title>403 Forbidden</title></head></html>"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(clock: Clock) -> AmoCrmStandIn:
    return AmoCrmStandIn(clock, rate_limit=None)


@pytest.fixture
async def amocrm(account: AmoCrmStandIn) -> AsyncIterator[AmoCrm]:
    client = client_of(account)
    yield client
    await client.close()


@pytest.fixture
async def alone() -> AsyncIterator[AmoCrm]:
    """A client without a stand-in, for answers made by respx."""
    client = AmoCrm(f"{BASE}/", "test-token", pace=Impatient().pace())
    yield client
    await client.close()


# Dictionaries


async def test_the_account_tells_its_zone_its_filters_and_its_time(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    found = await amocrm.account()
    assert (found.id, found.timezone, found.currency) == (1000, "Asia/Vladivostok", "RUB")
    assert found.current_user_id == account.user_id("Олег Смирнов")
    assert found.is_filter_enabled is True
    assert found.server_time == clock()
    account.filters = False
    assert (await amocrm.account()).is_filter_enabled is False
    account.tells_about_filters = False
    assert (await amocrm.account()).is_filter_enabled is None


async def test_users_pipelines_and_fields_are_read_whole(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    account.add_user("Иван Уволен", is_active=False)
    users = {user.name: user for user in await amocrm.users()}
    assert users["Олег Смирнов"].is_admin
    assert not users["Иван Уволен"].is_active
    pipelines = {pipeline.name: pipeline for pipeline in await amocrm.pipelines()}
    complaints = pipelines["Рекламации"].statuses
    assert [(status.name, status.type) for status in complaints][:2] == [("Неразобранное", 1), ("Новая", 0)]
    assert {status.pipeline_id for status in complaints} == {pipelines["Рекламации"].id}
    fields = {field.name: field for field in await amocrm.lead_fields()}
    assert fields["NPS"].type == "numeric"
    assert [enum.value for enum in fields["Скидка"].enums] == ["Нет", "Скидка от друга 5%"]
    assert "PHONE" in {field.code for field in await amocrm.contact_fields()}


@pytest.mark.parametrize("always_links_next", [False, True])
async def test_a_long_dictionary_comes_in_pages_smaller_than_asked_for(
    amocrm: AmoCrm, account: AmoCrmStandIn, always_links_next: bool
) -> None:
    """`next` may stand on the last page, too."""
    for number in range(41):
        account.add_field(f"Поле {number}")
    account.pages.largest, account.pages.always_links_next = 25, always_links_next
    assert len(await amocrm.lead_fields()) == 50
    assert len(account.requests) <= 3


async def test_a_page_that_comes_again_and_again_ends_the_walk(
    alone: AmoCrm, respx_mock: respx.MockRouter
) -> None:
    row = {"id": 1, "name": "Олег"}
    body = {"_links": {"next": {"href": "…"}}, "_embedded": {"users": [row]}}
    route = respx_mock.get(url__startswith=f"{API}/users").respond(json=body)
    assert len(await alone.users()) == 1
    assert route.call_count == 2


async def test_a_token_without_rights_is_told_from_a_block(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    account.is_admin = False
    with pytest.raises(AccessDenied, match="no right") as error:
        await amocrm.users()
    assert "administrator" in error.value.remedy
    assert await amocrm.pipelines()  # and nobody else is stopped by it


# Deals


async def test_a_deal_is_read_with_its_people_fields_and_tags(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    company = account.add_company("ООО Ворота", ["84232000000"])
    people = [account.add_contact("Мария"), account.add_contact("Пётр")]
    lead_id = account.add_lead(
        "Монтаж", people, company_id=company, price=184000, tags=["VIP"], responsible="Мария Ким",
        fields={"NPS": 9, "Скидка": "Скидка от друга 5%"},
    )  # fmt: skip
    clock.forward(days=1)
    account.close_lead(lead_id)
    lead = await amocrm.lead(lead_id)
    assert lead
    assert (lead.contact_ids, lead.main_contact_id, lead.company_id) == (tuple(people), people[0], company)
    assert (lead.price, lead.tags, lead.status_id) == (184000, ("VIP",), WON)
    assert lead.closed_at == lead.updated_at == clock()
    assert lead.created_at == clock() - timedelta(days=1)
    assert lead.fields[str(account.field_id("NPS"))] == [{"value": "9", "enum_id": None}]
    choice = account.enum_id("Скидка", "Скидка от друга 5%")
    assert lead.fields[str(account.field_id("Скидка"))] == [
        {"value": "Скидка от друга 5%", "enum_id": choice}
    ]
    assert amocrm.lead_url(lead_id) == f"{BASE}/leads/detail/{lead_id}"


async def test_a_deal_that_is_gone_is_none(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    lead_id = account.add_lead()
    account.delete_lead(lead_id)
    assert await amocrm.lead(lead_id) is None
    assert await amocrm.lead(999999) is None


@pytest.mark.parametrize("filtered", [True, False])
async def test_several_deals_come_in_the_order_they_were_asked_in(
    amocrm: AmoCrm, account: AmoCrmStandIn, filtered: bool
) -> None:
    first, second, third = (account.add_lead() for _ in range(3))
    account.delete_lead(second)
    found = await amocrm.leads([third, second, first, third], filtered=filtered)
    assert [lead.id for lead in found] == [third, first]


@pytest.mark.parametrize(
    ("raw", "price"),
    [
        ({"price": 184000}, 184000),
        ({"price": 184000, "price_with_minor_units": None}, 184000),
        ({"price": 184000, "price_with_minor_units": 184000.5}, 184000.5),
        ({"price": 184000, "price_with_minor_units": 0}, 0),
        ({"price": None}, 0),
        ({"price": ""}, 0),
        ({}, 0),
    ],
)
def test_the_price_is_the_exact_one_where_there_is_one(raw: dict[str, Any], price: float) -> None:
    assert Lead.model_validate({"id": 1, "updated_at": 1767225600, **raw}).price == price


@pytest.mark.parametrize(
    "ugly",
    [
        {"custom_fields_values": None},
        {"custom_fields_values": []},
        {"custom_fields_values": {"0": {"field_id": 1, "values": None}}},  # a PHP list with gaps
        {"custom_fields_values": [None, "x", {"field_id": None}, {"field_id": 2, "values": {"0": 1}}]},
        {"_embedded": None},
        {"_embedded": {"tags": None, "contacts": None, "companies": None}},
        {"_embedded": {"tags": [{"id": 1, "name": None}], "loss_reason": {"id": 1}}},
        {"_embedded": {"contacts": [{"id": None, "is_main": True}]}},
        {"closed_at": 0, "name": None, "responsible_user_id": None, "is_deleted": None},
        {"created_at": None, "pipeline_id": "9001", "status_id": None},
        {"name": "а\x00б", "something_new": {"deep": [1]}},
    ],
)
def test_a_deal_with_holes_is_still_a_deal(ugly: dict[str, Any]) -> None:
    lead = Lead.model_validate({"id": 501, "updated_at": 1767225600, "created_at": 1764547200, **ugly})
    assert lead.id == 501
    assert "\x00" not in lead.name
    assert lead.created_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("values", "phones"),
    [
        ([{"value": "+7 912", "enum_id": 1, "enum_code": "MOB"}], (("+7 912", "MOB"),)),
        ([{"value": "8912", "enum_id": 1, "enum": "WORK"}], (("8912", "WORK"),)),  # an older key
        ([{"value": 79120000000}], (("79120000000", ""),)),
        ([{"value": None}, {"value": ""}, {}], ()),
        (None, ()),
    ],
)
def test_phones_are_found_by_the_fields_code(values: object, phones: tuple[tuple[str, str], ...]) -> None:
    custom = [
        {"field_id": 31, "field_code": "PHONE", "values": values},
        {"field_id": 33, "field_code": "EMAIL", "values": [{"value": "i@example.com"}]},
    ]
    assert Contact.model_validate({"id": 301, "custom_fields_values": custom}).phones == phones


# People


async def test_a_contact_knows_its_deals_its_company_and_its_phones(
    amocrm: AmoCrm, account: AmoCrmStandIn
) -> None:
    company = account.add_company("ООО Ворота", ["84232000000"])
    contact_id = account.add_contact("Мария", ["8 914 000-00-01", "555"], company_id=company, tags=["VIP"])
    leads = (account.add_lead("", [contact_id]), account.add_lead("", [contact_id]))
    contact = await amocrm.contact(contact_id)
    assert contact
    assert contact.phones == (("8 914 000-00-01", "MOB"), ("555", "MOB"))
    assert (contact.lead_ids, contact.company_id, contact.tags) == (leads, company, ("VIP",))
    assert await amocrm.contact(999) is None
    found = await amocrm.company(company)
    assert found
    assert found.phones == (("84232000000", "MOB"),)
    assert await amocrm.company(999) is None


async def test_contacts_come_two_hundred_a_request(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    ids = [account.add_contact(f"Клиент {number}") for number in range(450)]
    found = await amocrm.contacts([*ids, 999999], filtered=True)
    assert [contact.id for contact in found] == ids
    assert len(account.requests) == 3
    assert all("filter[id][]=" in request.query for request in account.requests)  # plain: 4.4 KB, not 7


async def test_contacts_come_one_by_one_without_filters(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    account.filters = False
    ids = [account.add_contact(f"Клиент {number}") for number in range(5)]
    assert [contact.id for contact in await amocrm.contacts(ids[:3], filtered=False)] == ids[:3]
    assert len(account.requests) == 3


async def test_contacts_that_nobody_asked_for_betray_an_ignored_filter(
    amocrm: AmoCrm, account: AmoCrmStandIn
) -> None:
    account.filters = False
    ids = [account.add_contact(f"Клиент {number}") for number in range(5)]
    assert [contact.id for contact in await amocrm.contacts(ids[3:], filtered=True)] == ids[3:]
    assert len(account.requests) == 3
    assert not amocrm.heeds_filters


async def test_a_stranger_in_the_place_of_a_contact_costs_only_this_request(
    alone: AmoCrm, respx_mock: respx.MockRouter
) -> None:
    """Perhaps what that one was merged into: the filter itself was heeded."""
    rows = [{"id": 1, "name": "Мария"}, {"id": 7, "name": "Пётр"}]
    for one in (1, 2):
        respx_mock.get(f"{API}/contacts/{one}").respond(json={"id": one, "name": "Мария"})
    respx_mock.get(url__startswith=f"{API}/contacts?").respond(json={"_embedded": {"contacts": rows}})
    assert [contact.id for contact in await alone.contacts([1, 2], filtered=True)] == [1, 2]
    assert alone.heeds_filters


async def test_an_address_too_long_is_halved_and_that_is_remembered(
    amocrm: AmoCrm, account: AmoCrmStandIn
) -> None:
    account.longest_address = 1500
    ids = [account.add_contact(f"Клиент {number}") for number in range(200)]
    assert [contact.id for contact in await amocrm.contacts(ids, filtered=True)] == ids
    before = len(account.requests)
    await amocrm.contacts(ids, filtered=True)
    assert {request.status for request in account.requests[before:]} == {200}


async def test_people_are_found_by_words(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    contact_id = account.add_contact("Мария", ["8 (914) 000-00-01"])
    account.add_lead("", [contact_id])
    (found,) = await amocrm.find_contacts("Мария")
    assert (found.id, len(found.lead_ids)) == (contact_id, 1)
    assert await amocrm.find_contacts("Пётр & Ко #1") == ()


async def test_one_unreadable_contact_does_not_hide_the_others(
    alone: AmoCrm, respx_mock: respx.MockRouter, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"id": 1, "name": "Мария"}, {"id": 2, "name": {"first": "Пётр"}}, None]
    respx_mock.get(url__startswith=f"{API}/contacts").respond(json={"_embedded": {"contacts": rows}})
    assert [contact.id for contact in await alone.contacts([1, 2], filtered=True)] == [1]
    assert "Contact 2 is unreadable: name" in caplog.text
    assert "Пётр" not in caplog.text


# Writing


def complaint(account: AmoCrmStandIn, **more: Any) -> NewLead:
    pipeline = account.pipeline("Рекламации")
    status = pipeline.first_status.id
    return NewLead(name="Рекламация", pipeline_id=pipeline.id, status_id=status, request_id="c-2f9k", **more)


async def test_a_complaint_is_created_with_everything_at_once(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    contact, company = account.add_contact("Мария"), account.add_company("ООО Ворота")
    fields = {account.field_id("Опрос"): "c-2f9k", account.field_id("Скидка"): EnumId(4001)}
    boss = account.user_id("Мария Ким")
    lead_id = await amocrm.create_lead(
        complaint(account, contact_id=contact, company_id=company, tags=("рекламация",), fields=fields,
                  responsible_user_id=boss, price=0)
    )  # fmt: skip
    (lead,) = account.leads_in("Рекламации")
    assert lead.id == lead_id
    assert (lead.contact_ids, lead.company_id, lead.tags) == ([contact], company, ["рекламация"])
    assert lead.responsible_user_id == boss
    assert account.field_value(lead_id, "Опрос") == "c-2f9k"
    assert account.field_value(lead_id, "Скидка") == "Нет"
    assert account.requests[-1].path == "/api/v4/leads"  # never /leads/complex, which merges


async def test_only_what_changes_is_sent(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    first, second = account.add_lead(fields={"CSAT": 4}), account.add_lead(tags=["VIP"])
    nps, csat = account.field_id("NPS"), account.field_id("CSAT")
    await amocrm.update_leads(
        [
            LeadChange(lead_id=first, fields={nps: "9", csat: None}),
            LeadChange(lead_id=second, tags_to_add=("опрошен",), pipeline_id=9001, status_id=WON),
        ]
    )
    assert (account.field_value(first, "NPS"), account.field_value(first, "CSAT")) == ("9", None)
    assert account.leads[second].tags == ["VIP", "опрошен"]
    assert account.leads[second].status_id == WON
    assert account.requests[-1].json == [
        {"id": first, "custom_fields_values": [
            {"field_id": nps, "values": [{"value": "9"}]}, {"field_id": csat, "values": None}]},
        {"id": second, "pipeline_id": 9001, "status_id": WON, "tags_to_add": [{"name": "опрошен"}]},
    ]  # fmt: skip


async def test_one_bad_deal_is_named_and_nothing_is_applied(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    good, bad = account.add_lead(), account.add_lead()
    nps = account.field_id("NPS")
    changes = [
        LeadChange(lead_id=good, fields={nps: "9"}),
        LeadChange(lead_id=bad, fields={999: "x"}),
    ]
    with pytest.raises(Rejected, match="NotSupportedChoice") as error:
        await amocrm.update_leads(changes)
    assert error.value.elements == {str(bad): "NotSupportedChoice at custom_fields_values.0.field_id"}
    assert account.field_value(good, "NPS") is None
    await amocrm.update_leads(changes[:1])
    assert account.field_value(good, "NPS") == "9"


async def test_a_broken_rule_names_the_deal_too(alone: AmoCrm, respx_mock: respx.MockRouter) -> None:
    body = {"errors": {"501": "Loss reason can be specified only for lost lead"}, "status": 400}
    respx_mock.patch(f"{API}/leads").respond(400, json=body)
    with pytest.raises(Rejected) as error:
        await alone.update_leads([LeadChange(lead_id=500), LeadChange(lead_id=501)])
    assert error.value.elements == {"501": "Loss reason can be specified only for lost lead"}


@pytest.mark.parametrize("more", [{}, {"errors": []}, {"errors": None}, {"errors": {}}])
async def test_an_element_is_named_by_its_place_or_by_the_deal(
    alone: AmoCrm, respx_mock: respx.MockRouter, more: dict[str, Any]
) -> None:
    wrong = [{"code": "TooLong", "path": "name", "detail": "…"}, {"detail": "Anything"}]
    elements = [{"request_id": "1", "errors": wrong[:1]}, {"request_id": 777, "errors": wrong[1:]}]
    respx_mock.patch(f"{API}/leads").respond(400, json={"validation-errors": elements, **more})
    with pytest.raises(Rejected) as error:
        await alone.update_leads([LeadChange(lead_id=500), LeadChange(lead_id=501)])
    assert error.value.elements == {"501": "TooLong at name", "777": "Anything"}


async def test_notes_are_ours_and_can_be_found_again(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    first, second = account.add_lead(), account.add_lead()
    account.add_note("leads", first, "call_in", None)
    account.add_note("leads", first, "common", {"text": "чужое"})
    await amocrm.add_notes([NewNote(first, "Оценка 9\nСпасибо"), NewNote(second, "я" * 30_000)])
    assert await amocrm.note_texts(first) == ("Оценка 9\nСпасибо",)
    assert account.notes_of(second) == ["я" * 20_000]  # the longest that is not refused
    (note,) = [note for note in account.notes.values() if note.entity_id == second]
    assert (note.note_type, (note.params or {})["service"]) == ("service_message", "Sarafan")
    assert await amocrm.note_texts(999) == ()
    with pytest.raises(Rejected) as error:
        await amocrm.add_notes([NewNote(first, "a"), NewNote(999, "b")])
    assert error.value.elements.keys() == {"999"}


async def test_a_task_is_set_moved_and_done(amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock) -> None:
    lead_id, other = account.add_lead(), account.add_lead()
    due, mary = clock() + timedelta(days=1), account.user_id("Мария Ким")
    task_id = await amocrm.add_task(NewTask(text="Позвонить", complete_till=due, lead_id=lead_id))
    await amocrm.add_task(NewTask(text="Другое", complete_till=due, lead_id=other))
    await amocrm.update_task(task_id, responsible_user_id=mary, complete_till=due + timedelta(hours=1))
    (task,) = await amocrm.lead_tasks(lead_id)
    assert (task.id, task.text, task.responsible_user_id) == (task_id, "Позвонить", mary)
    assert (task.complete_till, task.is_completed) == (due + timedelta(hours=1), False)
    await amocrm.update_task(task_id, is_completed=True, result_text="Поговорили")
    (task,) = await amocrm.lead_tasks(lead_id)
    assert (task.is_completed, task.result_text) == (True, "Поговорили")


@pytest.mark.parametrize(("result", "text"), [([], ""), ({"text": "да"}, "да"), (None, ""), ("x", "")])
def test_the_result_of_a_task_has_two_shapes(result: object, text: str) -> None:
    assert Task.model_validate({"id": 7001, "result": result}).result_text == text


async def test_a_task_for_somebody_who_left_is_rejected(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    gone = account.add_user("Иван Уволен", is_active=False)
    task = NewTask(text="x", complete_till=clock(), lead_id=account.add_lead(), responsible_user_id=gone)
    with pytest.raises(Rejected, match="responsible_user_id"):
        await amocrm.add_task(task)


async def test_a_tag_joins_those_of_a_contact(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    contact_id = account.add_contact("Мария", tags=["VIP"])
    await amocrm.tag_contact(contact_id, "не опрашивать")
    assert account.contacts[contact_id].tags == ["VIP", "не опрашивать"]


async def test_more_than_fifty_at_once_is_a_mistake_of_ours(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    await amocrm.update_leads([])
    await amocrm.add_notes([])
    assert account.requests == []
    with pytest.raises(ValueError, match="at most 50"):
        await amocrm.update_leads([LeadChange(lead_id=number) for number in range(51)])


# A lost answer


async def test_a_creation_whose_answer_is_lost_is_uncertain_and_not_repeated(
    amocrm: AmoCrm, account: AmoCrmStandIn
) -> None:
    account.faults.add("/leads$", method="POST", drop=True, after=True)
    with pytest.raises(Uncertain):
        await amocrm.create_lead(complaint(account))
    assert len(account.leads_in("Рекламации")) == 1


@pytest.mark.parametrize(
    "how", [{"status": 504}, {"status": 200}, {"status": 200, "json": {}}, {"status": 502, "after": True}]
)
async def test_an_answer_that_tells_nothing_leaves_a_write_uncertain(
    amocrm: AmoCrm, account: AmoCrmStandIn, how: dict[str, Any]
) -> None:
    account.faults.add("/leads$", **how)
    with pytest.raises(Uncertain):
        await amocrm.create_lead(complaint(account))


async def test_a_creation_is_known_by_its_request_id(alone: AmoCrm, respx_mock: respx.MockRouter) -> None:
    new = NewLead(name="", pipeline_id=1, status_id=2, request_id="c-2f9k")
    route = respx_mock.post(f"{API}/leads")
    rows = [{"id": 7, "request_id": "0"}, {"id": 777, "request_id": "c-2f9k"}]
    route.respond(json={"_embedded": {"leads": rows}})
    assert await alone.create_lead(new) == 777
    route.respond(json={"_embedded": {"leads": [{"id": 778, "request_id": None}]}})
    assert await alone.create_lead(new) == 778
    route.respond(json={"_embedded": {"leads": []}})
    with pytest.raises(Uncertain):
        await alone.create_lead(new)


# Refusals by name

Ask = Callable[[AmoCrm], Any]


async def _read(amocrm: AmoCrm) -> None:
    await amocrm.pipelines()


async def _write(amocrm: AmoCrm) -> None:
    await amocrm.update_leads([LeadChange(lead_id=501, fields={1: "x"})])


PROBLEM = {"title": "…", "type": "https://httpstatus.es/400", "detail": "Request validation failed"}


@pytest.mark.parametrize(
    ("status", "body", "read", "written"),
    [
        (400, PROBLEM, Permanent, Permanent),
        (400, "<html>", Permanent, Permanent),
        (401, PROBLEM, AccessDenied, AccessDenied),
        (401, "<html>", AccessDenied, AccessDenied),
        (402, PROBLEM, Unpaid, Unpaid),
        (403, PROBLEM, AccessDenied, AccessDenied),  # no right to this
        (403, HTML_403, Blocked, Blocked),  # nobody is answered any more
        (404, "<html>", Permanent, Permanent),  # a wrong host
        (422, PROBLEM, Permanent, Permanent),
        (429, "<html>", Temporary, Temporary),
        (500, PROBLEM, Temporary, Uncertain),
        (502, "<html>", Temporary, Uncertain),
        (200, "<html>", Temporary, Uncertain),
    ],
)
@pytest.mark.parametrize("ask", [_read, _write])
async def test_every_refusal_has_its_name(
    alone: AmoCrm, respx_mock: respx.MockRouter, ask: Ask, status: int, body: Any,
    read: type[OutsideError], written: type[OutsideError],
) -> None:  # fmt: skip
    answer = {"html": body} if isinstance(body, str) else {"json": body}
    respx_mock.route(path__startswith="/api").respond(status, **answer)
    with pytest.raises(OutsideError) as error:
        await ask(alone)
    assert type(error.value) is (read if ask is _read else written)
    assert error.value.service == "amocrm"
    assert "test-token" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "token"), (402, "Pay"), (403, "support"), (404, "base_url")],
)
async def test_what_a_person_must_do_is_said(
    alone: AmoCrm, respx_mock: respx.MockRouter, status: int, words: str
) -> None:
    respx_mock.route(path__startswith="/api").respond(status, html="<html></html>")
    with pytest.raises(OutsideError) as error:
        await alone.account()
    assert words in error.value.remedy


async def test_a_block_stops_everything_and_is_probed_once(account: AmoCrmStandIn) -> None:
    """One probe in a quarter of an hour, whoever asks."""
    time = Impatient()
    amocrm = client_of(account, time.pace())
    account.is_blocked = True
    with pytest.raises(Blocked) as error:
        await amocrm.pipelines()
    assert error.value.retry_after == timedelta(minutes=15)
    for _ in range(5):
        with pytest.raises(Temporary):
            await amocrm.users()
    assert len(account.requests) == 1
    assert amocrm.paused_for == timedelta(minutes=15)
    assert amocrm.is_circuit_open
    time.time += 900
    account.is_blocked = False
    assert await amocrm.users()
    assert amocrm.paused_for == timedelta(0)
    assert not amocrm.is_circuit_open
    await amocrm.close()


async def test_too_fast_is_waited_out(account: AmoCrmStandIn) -> None:
    time = Impatient()
    amocrm = client_of(account, time.pace())
    account.faults.add("/pipelines", status=429, body="<html>429</html>")
    assert await amocrm.pipelines()
    assert time.time >= 1
    await amocrm.close()


async def test_an_unpaid_account_still_reads(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    account.is_unpaid = True
    assert await amocrm.users()
    with pytest.raises(Unpaid):
        await amocrm.update_leads([LeadChange(lead_id=account.add_lead())])


async def test_one_write_in_a_quarter_of_an_hour_asks_whether_it_is_paid(account: AmoCrmStandIn) -> None:
    time = Impatient()
    amocrm = client_of(account, time.pace())
    account.is_unpaid = True
    change = LeadChange(lead_id=account.add_lead(), tags_to_add=("x",))
    for _ in range(5):
        with pytest.raises(Unpaid):
            await amocrm.update_leads([change])
        assert await amocrm.users()
    assert amocrm.condition.is_unpaid
    assert sum(request.method == "PATCH" for request in account.requests) == 1
    account.is_unpaid = False
    time.time += 900
    await amocrm.update_leads([change])
    assert amocrm.condition.is_unpaid is False
    await amocrm.close()


@pytest.mark.parametrize(
    "body", [[], {}, {"_embedded": None}, {"_embedded": {"leads": None}}, 7, "text", None, [{}]]
)
async def test_a_list_of_another_shape_is_a_failed_read(
    alone: AmoCrm, respx_mock: respx.MockRouter, body: object
) -> None:
    respx_mock.get(url__startswith=f"{API}/leads").respond(text=json.dumps(body))
    since = datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(Temporary, match="without a list"):
        await anext(aiter(alone.changed_leads(since, filtered=True)))
    with pytest.raises(Temporary, match="without a list"):
        await alone.newest_change()


async def test_one_deal_that_cannot_be_read_is_a_failed_read(
    alone: AmoCrm, respx_mock: respx.MockRouter
) -> None:
    respx_mock.get(url__startswith=f"{API}/leads/501").respond(json={"id": 501, "updated_at": "утром"})
    with pytest.raises(Temporary, match=r"unreadable lead: created_at: .*Unix seconds"):
        await alone.lead(501)


async def test_no_slash_and_no_cookie_gets_doubled(alone: AmoCrm, respx_mock: respx.MockRouter) -> None:
    route = respx_mock.get(url__startswith=f"{API}/account").respond(
        json={"id": 1}, headers={"set-cookie": "session_id=1"}
    )
    await alone.account()
    await alone.account()
    request: httpx.Request = route.calls.last.request
    assert request.headers["authorization"] == "Bearer test-token"
    assert "cookie" not in request.headers
    assert alone.lead_url(501) == f"{BASE}/leads/detail/501"
