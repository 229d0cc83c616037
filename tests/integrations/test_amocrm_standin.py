"""The stand-in has the habits of the real amoCRM, so that what passes against it passes there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from integrations.standins.amocrm import AmoCrmStandIn
from tests.integrations.clock import Clock

Json = Any
AUTH = {"Authorization": "Bearer test-token"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(clock: Clock) -> AmoCrmStandIn:
    return AmoCrmStandIn(clock, rate_limit=None)


@pytest.fixture
async def api(account: AmoCrmStandIn) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=account.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://example.amocrm.ru/api/v4", headers=AUTH
    ) as client:
        yield client


def rows(answer: httpx.Response, key: str = "leads") -> list[Json]:
    found: list[Json] = answer.json()["_embedded"][key]
    return found


def ids(answer: httpx.Response, key: str = "leads") -> list[int]:
    return [row["id"] for row in rows(answer, key)] if answer.status_code == 200 else []


def problems(answer: httpx.Response) -> list[tuple[str, str, str]]:
    """(request_id, code, path) of a refused list."""
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    return [
        (element["request_id"], problem["code"], problem["path"])
        for element in answer.json()["validation-errors"]
        for problem in element["errors"]
    ]


# Answers


async def test_types_of_content_are_those_of_amocrm(
    api: httpx.AsyncClient, account: AmoCrmStandIn, clock: Clock
) -> None:
    account.add_lead()
    assert (await api.get("/leads")).headers["content-type"] == "application/hal+json"
    empty = await api.get("/contacts")
    assert (empty.status_code, empty.content) == (204, b"")
    assert empty.headers["content-type"] == "text/html; charset=UTF-8"
    assert empty.headers["date"] == "Mon, 16 Mar 2026 01:00:00 GMT"
    wrong = await api.get("/leads", headers={"Authorization": "Bearer other"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (401, "application/problem+json")
    nowhere = await api.get("/nowhere")
    assert (nowhere.status_code, nowhere.headers["content-type"][:9]) == (404, "text/html")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/leads/999", 204),
        ("/contacts/999", 204),
        ("/companies/999", 204),
        ("/leads/custom_fields/999", 404),
        ("/leads/pipelines/999", 404),
        ("/users/999", 404),
        ("/tasks/999", 404),
        ("/tasks", 204),
        ("/leads/notes", 204),
        ("/leads/999/notes", 204),
        ("/webhooks", 204),
        ("/leads/999/links", 204),
        ("/account", 200),
        ("/events/types", 200),
    ],
)
async def test_what_is_not_there_is_204_or_404(api: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await api.get(path)).status_code == status


async def test_links_repeat_the_query_encoded(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    first = account.add_lead()
    account.add_lead()
    answer = await api.get(f"/leads?filter[id][]={first}&limit=1")
    links = answer.json()["_links"]
    encoded = f"filter%5Bid%5D%5B%5D={first}"
    assert links["self"]["href"] == f"https://example.amocrm.ru/api/v4/leads?{encoded}&page=1&limit=1"
    assert "page=2" in links["next"]["href"]  # although nothing follows a full page
    assert encoded in rows(answer)[0]["_links"]["self"]["href"]
    second = await api.get("/leads?limit=1&page=2")
    assert {"first", "prev"} <= second.json()["_links"].keys()
    assert "_total_items" not in second.json()
    assert (await api.get("/users")).json()["_total_items"] == 2


async def test_a_page_is_clamped_or_refused(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    for _ in range(260):
        account.add_lead()
    assert len(rows(await api.get("/leads"))) == 50
    assert len(rows(await api.get("/leads?limit=1000"))) == 250
    account.pages.refuses_long = True
    assert (await api.get("/leads?limit=1000")).status_code == 400


async def test_with_decides_which_neighbours_stand_in_a_deal(
    api: httpx.AsyncClient, account: AmoCrmStandIn
) -> None:
    contact = account.add_contact("Мария")
    lead = account.add_lead("", [contact])
    plain = (await api.get(f"/leads/{lead}")).json()
    assert plain["_embedded"] == {"tags": [], "companies": []}
    assert plain["custom_fields_values"] is None
    full = (await api.get(f"/leads/{lead}?with=contacts,loss_reason")).json()
    assert [(row["id"], row["is_main"]) for row in full["_embedded"]["contacts"]] == [(contact, True)]
    assert full["_embedded"]["loss_reason"] == []


async def test_fields_read_as_amocrm_gives_them(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    account.add_field("Согласие", "checkbox")
    fields: dict[str, object] = {"NPS": 9, "Скидка": "Нет", "Согласие": True}
    lead = account.add_lead(fields=fields)
    account.rename_enum("Скидка", "Нет", "Без скидки")
    values = {
        row["field_name"]: row["values"]
        for row in (await api.get(f"/leads/{lead}")).json()["custom_fields_values"]
    }
    assert values["NPS"] == [{"value": "9"}]  # numbers are text
    assert values["Скидка"] == [{"value": "Без скидки", "enum_id": 4001, "enum_code": None}]
    assert values["Согласие"] == [{"value": True}]


# Filters and order


@pytest.fixture
def three(account: AmoCrmStandIn, clock: Clock) -> list[int]:
    """Three deals, changed a minute apart; the last is won, the first has an NPS and a discount."""
    fields = {"NPS": 9, "Скидка": "Нет"}
    first = account.add_lead("Ворота", fields=fields, price=100)
    clock.forward(minutes=1)
    second = account.add_lead("Шлагбаум", responsible="Мария Ким", pipeline="Рекламации")
    clock.forward(minutes=1)
    third = account.add_lead("Окна")
    account.close_lead(third)
    return [first, second, third]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", [0, 1, 2]),
        ("order[updated_at]=desc", [2, 1, 0]),
        ("order[id]=desc", [2, 1, 0]),
        ("order[closed_at]=desc", [0, 1, 2]),  # unknown orders are ignored
        ("filter[updated_at][from]=1773622860", [1, 2]),  # inclusive
        ("filter[updated_at][from]=1773622860&filter[updated_at][to]=1773622860", [1]),
        ("filter[updated_at]=1773622860", [0, 1, 2]),  # the wrong shape is ignored
        ("filter[closed_at][from]=1", [2]),
        ("filter[id][]={0}&filter[id][]={2}", [0, 2]),
        ("filter[id][0]={0}&filter[id][1]={1}", [0, 1]),
        ("filter%5Bid%5D={1}", [1]),
        ("filter[name]=Окна", [2]),
        ("filter[pipeline_id]=9002", [1]),
        ("filter[responsible_user_id][]=78", [1]),
        ("filter[price][from]=50", [0]),
        ("filter[statuses][0][pipeline_id]=9001&filter[statuses][0][status_id]=142", [2]),
        ("filter[statuses][0][status_id]=142", [0, 1, 2]),  # half a pair is dropped
        ("filter[status_id]=142", [0, 1, 2]),  # there is no such filter
        ("filter[custom_fields_values][3008][]=4001", [0]),
        ("filter[custom_fields_values][3001][]=9", [0]),
        ("filter[custom_fields_values][3001][]=8", []),
        ("query=шлаг", [1]),
    ],
)
async def test_deals_are_filtered_and_ordered(
    api: httpx.AsyncClient, three: list[int], query: str, places: list[int]
) -> None:
    assert ids(await api.get(f"/leads?{query.format(*three)}")) == [three[place] for place in places]


async def test_without_the_option_filters_of_deals_are_ignored_and_others_work(
    api: httpx.AsyncClient, account: AmoCrmStandIn, three: list[int]
) -> None:
    account.filters = False
    account.add_note("leads", three[0], "common", {"text": "x"})
    assert ids(await api.get(f"/leads?filter[id]={three[0]}&order[id]=desc")) == three[::-1]
    assert ids(await api.get("/leads?query=Окна")) == three[2:]
    assert (await api.get(f"/leads/notes?filter[entity_id][]={three[1]}")).status_code == 204
    answer = await api.get("/account?with=is_api_filter_enabled")
    assert answer.json()["is_api_filter_enabled"] is False
    assert "is_api_filter_enabled" not in (await api.get("/account")).json()


# Writes


def valid(account: AmoCrmStandIn) -> Json:
    return {"name": "Рекламация", "pipeline_id": 9002, "status_id": 90016, "request_id": "c-1"}


async def test_a_new_deal_is_known_by_its_request_id(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    answer = await api.post("/leads", json=[{"name": "a"}, valid(account), {}])
    assert [row["request_id"] for row in rows(answer)] == ["0", "c-1", "2"]
    first, second, _ = (account.leads[lead_id] for lead_id in ids(answer))
    assert (first.pipeline_id, first.status_id) == (9001, 90011)  # the main pipeline's first status
    assert (second.pipeline_id, second.created_by, second.updated_by) == (9002, 0, 0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"custom_fields_values": [{"field_id": 999, "values": [{"value": "x"}]}]},
         ("NotSupportedChoice", "custom_fields_values.0.field_id")),
        ({"custom_fields_values": [{"field_id": 3008, "values": [{"value": "Скидка от друга 5 %"}]}]},
         ("NotSupportedChoice", "custom_fields_values.0.values.0.value")),
        ({"custom_fields_values": [{"field_id": 3008, "values": [{"enum_id": 1}]}]},
         ("NotSupportedChoice", "custom_fields_values.0.values.0.enum_id")),
        ({"custom_fields_values": [{"field_id": 3008, "values": [
            {"value": "Нет", "enum_id": 4001, "enum_code": None}]}]},
         ("FieldNotExpected", "custom_fields_values.0.values.0.enum_code")),
        ({"custom_fields_values": [{"field_id": 3001, "values": [{"value": "девять"}]}]},
         ("InvalidType", "custom_fields_values.0.values.0.value")),
        ({"custom_fields_values": [{"field_id": 3007, "values": [{"value": 9}]}]},
         ("InvalidType", "custom_fields_values.0.values.0.value")),
        ({"responsible_user_id": 999}, ("NotSupportedChoice", "responsible_user_id")),
        ({"responsible_user_id": 0}, ("NotSupportedChoice", "responsible_user_id")),
        ({"updated_by": 79}, ("NotSupportedChoice", "updated_by")),  # switched off
        ({"pipeline_id": 9001, "status_id": 90016}, ("NotSupportedChoice", "status_id")),
        ({"pipeline_id": 999}, ("NotSupportedChoice", "pipeline_id")),
        ({"status_id": 142}, ("NotSupportedChoice", "status_id")),  # of which pipeline?
        ({"closest_task_at": 1}, ("FieldNotExpected", "closest_task_at")),
        ({"name": 7}, ("InvalidType", "name")),
        ({"price": True}, ("InvalidType", "price")),
        ({"name": None}, ("NotNullable", "name")),
        ({"_embedded": {"contacts": [{"id": 301}]}}, ("FieldNotExpected", "_embedded.contacts")),
        ({"id": 999}, ("NotSupportedChoice", "id")),
    ],
)  # fmt: skip
async def test_one_bad_element_refuses_the_whole_list(
    api: httpx.AsyncClient, account: AmoCrmStandIn, change: Json, problem: tuple[str, str]
) -> None:
    account.add_user("Иван Уволен", is_active=False)
    good, bad = account.add_lead("как было"), account.add_lead()
    answer = await api.patch("/leads", json=[{"id": good, "name": "иначе"}, {"id": bad, **change}])
    assert problems(answer) == [("1", *problem)]
    assert account.leads[good].name == "как было"


async def test_a_change_without_an_id_misses_it(api: httpx.AsyncClient) -> None:
    assert problems(await api.patch("/leads", json=[{"name": "x"}])) == [("0", "FieldMissing", "id")]


async def test_a_loss_reason_of_an_open_deal_is_refused_in_another_shape(
    api: httpx.AsyncClient, account: AmoCrmStandIn
) -> None:
    lead = account.add_lead()
    answer = await api.patch(f"/leads/{lead}", json={"loss_reason_id": 11})
    assert answer.status_code == 400
    assert answer.json()["errors"] == {str(lead): "Loss reason can be specified only for lost lead"}
    lost = {"pipeline_id": 9001, "status_id": 143, "loss_reason_id": 11}
    assert (await api.patch(f"/leads/{lead}", json=lost)).status_code == 200
    full = (await api.get(f"/leads/{lead}?with=loss_reason")).json()
    assert [reason["id"] for reason in full["_embedded"]["loss_reason"]] == [11]


@pytest.mark.parametrize("body", [{}, "text", [], [1], [None], [{}] * 251])
async def test_what_is_no_list_of_objects_is_refused(api: httpx.AsyncClient, body: Json) -> None:
    assert (await api.post("/leads", json=body)).status_code == 400


async def test_verbs_that_do_not_exist(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    lead = account.add_lead()
    assert (await api.patch(f"/leads/{lead}", json=[{"name": "x"}])).status_code == 405
    assert (await api.delete(f"/leads/{lead}")).status_code == 405
    assert (await api.patch("/leads/999", json={"name": "x"})).status_code == 404


async def test_a_deal_merged_into_another_is_gone_and_leaves_its_contacts_and_tags(
    api: httpx.AsyncClient, account: AmoCrmStandIn, clock: Clock
) -> None:
    first, second = (account.add_contact(name=name) for name in ("Иван", "Пётр"))
    gone = account.add_lead(contacts=[first], tags=["важный"])
    kept = account.add_lead(contacts=[second])
    clock.forward(minutes=1)
    account.merge_leads(gone, into=kept)
    assert (await api.get(f"/leads/{gone}")).status_code == 204
    [lead] = rows(await api.get("/leads?with=contacts"), "leads")
    assert lead["id"] == kept
    assert lead["updated_at"] > lead["created_at"]
    assert [contact["id"] for contact in lead["_embedded"]["contacts"]] == [second, first]
    assert [tag["name"] for tag in lead["_embedded"]["tags"]] == ["важный"]
    [merged] = rows(await api.get("/events?filter[type]=entity_merged"), "events")
    assert (merged["entity_id"], merged["value_after"], merged["value_before"]) == (kept, [], [])


async def test_a_deal_closes_and_opens_again(
    api: httpx.AsyncClient, account: AmoCrmStandIn, clock: Clock
) -> None:
    lead = account.add_lead()
    task = {"text": "x", "complete_till": 1, "entity_id": lead, "entity_type": "leads"}
    assert (await api.post("/tasks", json=[task])).status_code == 200
    assert (await api.get(f"/leads/{lead}")).json()["closest_task_at"] == 1
    clock.forward(hours=1)
    await api.patch(f"/leads/{lead}", json={"pipeline_id": 9001, "status_id": 142})
    closed = (await api.get(f"/leads/{lead}")).json()
    assert closed["closed_at"] == closed["updated_at"] == int(clock().timestamp())
    assert (closed["closest_task_at"], closed["updated_by"]) == (None, 0)
    await api.patch(f"/leads/{lead}", json={"status_id": 90012})
    assert (await api.get(f"/leads/{lead}")).json()["closed_at"] is None
    account.close_lead(lead, at=clock() - timedelta(days=400))
    assert account.leads[lead].closed_at == int((clock() - timedelta(days=400)).timestamp())


async def test_a_change_never_goes_back_in_time(
    api: httpx.AsyncClient, account: AmoCrmStandIn, clock: Clock
) -> None:
    lead = account.add_lead()
    before = account.leads[lead].updated_at
    clock.forward(hours=-1)
    await api.patch(f"/leads/{lead}", json={"name": "x"})
    assert account.leads[lead].updated_at == before


async def test_values_are_written_by_id_or_text_and_emptied_by_null(
    api: httpx.AsyncClient, account: AmoCrmStandIn
) -> None:
    lead = account.add_lead()

    async def write(field_id: int, values: Json) -> None:
        body = {"custom_fields_values": [{"field_id": field_id, "values": values}]}
        assert (await api.patch(f"/leads/{lead}", json=body)).status_code == 200

    await write(3008, [{"enum_id": 4002}])
    assert account.field_value(lead, "Скидка") == "Скидка от друга 5%"
    await write(3008, [{"value": "Нет"}])
    assert account.field_value(lead, "Скидка") == "Нет"
    await write(3001, [{"value": 7}])
    assert account.field_value(lead, "NPS") == "7"
    await write(3001, [{"value": "1.5"}])
    assert account.field_value(lead, "NPS") == "1.5"
    await write(3001, None)
    assert account.field_value(lead, "NPS") is None


async def test_tags_are_added_deleted_and_replaced(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    contact = account.add_contact("Мария", tags=["VIP", "старый"])
    path = f"/contacts/{contact}"
    body = {"tags_to_add": [{"name": "новый"}], "tags_to_delete": [{"name": "старый"}]}
    await api.patch(path, json=body)
    assert account.contacts[contact].tags == ["VIP", "новый"]
    await api.patch(path, json={"_embedded": {"tags": [{"name": "один"}]}})
    assert account.contacts[contact].tags == ["один"]
    await api.patch(path, json={"_embedded": {"tags": None}})
    assert account.contacts[contact].tags == []


async def test_a_tag_may_be_named_by_its_id_which_is_the_accounts_own(
    api: httpx.AsyncClient, account: AmoCrmStandIn
) -> None:
    first = account.add_contact("Мария", tags=["VIP", "старый"])
    second = account.add_contact("Пётр", tags=["старый"])
    tags = (await api.get(f"/contacts/{first}")).json()["_embedded"]["tags"]
    assert tags[1] in (await api.get(f"/contacts/{second}")).json()["_embedded"]["tags"]
    await api.patch(f"/contacts/{first}", json={"tags_to_delete": [{"id": tags[1]["id"]}]})
    assert (account.contacts[first].tags, account.contacts[second].tags) == (["VIP"], ["старый"])
    unknown = await api.patch(f"/contacts/{first}", json={"tags_to_delete": [{"id": 1}]})
    nameless = await api.patch(f"/contacts/{first}", json={"tags_to_add": [{"colour": "red"}]})
    assert (unknown.status_code, nameless.status_code) == (400, 400)
    assert account.contacts[first].tags == ["VIP"]


async def test_contacts_are_created_and_linked(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    phone = {"field_code": "PHONE", "values": [{"value": "+7 914", "enum_code": "MOB"}]}
    new = {"first_name": "Пётр", "last_name": "Ли", "custom_fields_values": [phone]}
    (contact,) = ids(await api.post("/contacts", json=[new]), "contacts")
    assert account.contacts[contact].name == "Пётр Ли"
    lead = account.add_lead("", [account.add_contact("Мария")])
    link = {"to_entity_id": contact, "to_entity_type": "contacts", "metadata": {"is_main": True}}
    assert (await api.post(f"/leads/{lead}/link", json=[link])).status_code == 200
    linked = rows(await api.get(f"/leads/{lead}/links"), "links")
    assert [row["to_entity_id"] for row in linked if row["metadata"]["main_contact"]] == [contact]
    found = (await api.get(f"/contacts/{contact}?with=leads")).json()
    assert [row["id"] for row in found["_embedded"]["leads"]] == [lead]
    assert (await api.post(f"/leads/{lead}/unlink", json=[link])).status_code == 204
    many = rows(await api.get(f"/leads/links?filter[entity_id][]={lead}"), "links")
    assert [(row["entity_id"], row["entity_type"]) for row in many] == [(lead, "leads")]


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        ({"entity_id": 999}, ("NotSupportedChoice", "entity_id")),
        ({"note_type": "letter"}, ("NotSupportedChoice", "note_type")),
        ({"params": {"text": "x" * 20_001}}, ("TooLong", "params.text")),
        ({"params": None}, ("NotNullable", "params")),
        ({"colour": "red"}, ("FieldNotExpected", "colour")),
    ],
)
async def test_a_bad_note_is_refused(
    api: httpx.AsyncClient, account: AmoCrmStandIn, note: Json, problem: tuple[str, str]
) -> None:
    good = {"entity_id": account.add_lead(), "note_type": "common", "params": {"text": "x"}}
    assert ("0", *problem) in problems(await api.post("/leads/notes", json=[{**good, **note}]))


async def test_notes_of_one_deal_are_added_under_it(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    lead = account.add_lead()
    note = {"note_type": "service_message", "params": {"service": "Sarafan", "text": "два\nряда"}}
    answer = await api.post(f"/leads/{lead}/notes", json=[note])
    assert [row["entity_id"] for row in rows(answer, "notes")] == [lead]
    account.add_note("leads", lead, "call_in", None)
    query = "filter[note_type][]=service_message"
    assert len(rows(await api.get(f"/leads/{lead}/notes?{query}"), "notes")) == 1
    assert account.notes_of(lead) == ["два\nряда", ""]


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        ({"text": None}, ("NotNullable", "text")),
        ({"responsible_user_id": 79}, ("NotSupportedChoice", "responsible_user_id")),
        ({"entity_id": 999, "entity_type": "leads"}, ("NotSupportedChoice", "entity_id")),
        ({"entity_id": 1, "entity_type": "lead"}, ("NotSupportedChoice", "entity_type")),
    ],
)
async def test_a_bad_task_is_refused(
    api: httpx.AsyncClient, account: AmoCrmStandIn, task: Json, problem: tuple[str, str]
) -> None:
    account.add_user("Иван Уволен", is_active=False)
    good = {"text": "x", "complete_till": 1}
    assert ("0", *problem) in problems(await api.post("/tasks", json=[{**good, **task}]))
    assert problems(await api.post("/tasks", json=[{}])) == [
        ("0", "FieldMissing", "text"),
        ("0", "FieldMissing", "complete_till"),
    ]


async def test_a_task_lives(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    lead = account.add_lead()
    body = {"text": "x", "complete_till": 1, "entity_id": lead, "entity_type": "leads"}
    (task,) = ids(await api.post("/tasks", json=[body]), "tasks")
    assert (await api.get(f"/tasks/{task}")).json()["result"] == []
    done = {"is_completed": True, "result": {"text": "готово"}}
    assert (await api.patch(f"/tasks/{task}", json=done)).status_code == 200
    assert (await api.get(f"/tasks/{task}")).json()["result"] == {"text": "готово"}
    assert (await api.get("/tasks?filter[is_completed]=0")).status_code == 204
    assert ids(await api.get(f"/tasks?filter[entity_id][]={lead}&filter[is_completed]=1"), "tasks") == [task]
    (found,) = account.tasks_of(lead)
    assert (found.is_completed, found.result_text) == (True, "готово")


# Events


async def test_what_happens_leaves_events_the_newest_first(
    api: httpx.AsyncClient, account: AmoCrmStandIn, clock: Clock
) -> None:
    lead = account.add_lead(fields={"NPS": 3})
    clock.forward(minutes=1)
    account.move_lead(lead, "Новая", "Рекламации")
    account.edit_lead(lead, responsible="Мария Ким", fields={"NPS": 9}, price=5, name="иначе")
    events = rows(await api.get("/events"), "events")
    assert [event["type"] for event in events] == [
        "custom_field_value_changed", "sale_field_changed", "name_field_changed",
        "entity_responsible_changed", "lead_status_changed", "lead_added",
    ]  # fmt: skip
    moved = rows(await api.get("/events?filter[type][]=lead_status_changed"), "events")[0]
    assert (moved["entity_type"], moved["entity_id"], len(moved["id"])) == ("lead", lead, 26)
    assert moved["value_after"] == [{"lead_status": {"id": 90016, "pipeline_id": 9002}}]
    assert moved["value_before"] == [{"lead_status": {"id": 90011, "pipeline_id": 9001}}]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("filter[type][]=lead_added&filter[type][]=lead_status_changed", 4),
        ("filter[type]=lead_added,lead_status_changed", 4),
        ("filter[created_at][from]=1773622860", 1),
        ("filter[created_at]=1773622860", 1),
        ("filter[entity][]=lead&filter[entity_id][]={0}", 1),
        ("filter[value_after][leads_statuses][0][pipeline_id]=9001"
         "&filter[value_after][leads_statuses][0][status_id]=142", 1),
        ("filter[created_by][]=77&filter[entity][]=lead", 3),
    ],
)  # fmt: skip
async def test_events_are_filtered(
    api: httpx.AsyncClient, account: AmoCrmStandIn, clock: Clock, query: str, count: int
) -> None:
    leads = [account.add_lead(), account.add_lead(), account.add_lead(responsible="Мария Ким")]
    clock.forward(minutes=1)
    account.close_lead(leads[2])
    answer = await api.get(f"/events?{query.format(*leads)}")
    assert len(rows(answer, "events")) == count


async def test_ids_of_events_need_one_kind_of_entity(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    lead = account.add_lead()
    assert (await api.get(f"/events?filter[entity_id][]={lead}")).status_code == 400
    for _ in range(120):
        account.add_lead()
    assert len(rows(await api.get("/events?limit=250"), "events")) == 100


# Limits and rights


async def test_eight_in_a_second_are_too_many_and_twenty_refusals_block(
    account: AmoCrmStandIn, api: httpx.AsyncClient
) -> None:
    account.rate_limit = 7
    account.add_lead()
    statuses = [(await api.get("/leads")).status_code for _ in range(30)]
    assert statuses[:8] == [200] * 7 + [429]
    assert statuses[-1] == 403
    assert statuses.count(429) == 20
    account.rate_limit = None
    blocked = await api.get("/leads")
    assert (blocked.status_code, blocked.headers["content-type"][:9]) == (403, "text/html")
    account.is_blocked = False
    assert (await api.get("/leads")).status_code == 200


async def test_somebody_without_rights(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    account.is_admin = False
    for path in ("/users", "/webhooks"):
        answer = await api.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert (await api.get("/leads/pipelines")).status_code == 200


async def test_an_unpaid_account_reads_only(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    account.is_unpaid = True
    assert (await api.get("/account")).status_code == 200
    assert (await api.post("/leads", json=[{}])).status_code == 402


async def test_a_fault_strikes_when_it_is_told_to(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    account.faults.add("/leads$", method="POST", nth=2, drop=True, after=True)
    assert (await api.post("/leads", json=[{}])).status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        await api.post("/leads", json=[{}])
    assert len(account.leads) == 2  # it was processed, only its answer was lost
    assert [request.path for request in account.requests] == ["/api/v4/leads"] * 2


async def test_an_answer_may_be_late_though_the_work_is_done(
    api: httpx.AsyncClient, account: AmoCrmStandIn
) -> None:
    account.faults.add("/leads$", method="POST", delay=0.05, after=True)
    asked = asyncio.create_task(api.post("/leads", json=[{}]))
    done, _ = await asyncio.wait([asked], timeout=0.03)
    assert account.leads
    assert not done
    assert (await asked).status_code == 200


# Webhooks


async def test_a_webhook_is_subscribed_overwritten_and_removed(api: httpx.AsyncClient) -> None:
    where = "https://nps.example/hook/"
    body = {"destination": where, "settings": ["status_lead"]}
    assert (await api.post("/webhooks", json=body)).status_code == 201
    assert (await api.post("/webhooks", json={**body, "settings": ["add_lead"]})).status_code == 201
    (hook,) = rows(await api.get("/webhooks", params={"filter[destination]": where}), "webhooks")
    assert (hook["settings"], hook["disabled"]) == (["add_lead"], False)
    assert (await api.request("DELETE", "/webhooks", json={"destination": where})).status_code == 204
    assert (await api.request("DELETE", "/webhooks", json={"destination": where})).status_code == 404
    assert (await api.post("/webhooks", json={"destination": where})).status_code == 422


async def test_subscribers_are_told_in_a_form_of_the_old_names(
    api: httpx.AsyncClient, account: AmoCrmStandIn
) -> None:
    await api.post(
        "/webhooks", json={"destination": "https://nps.example/hook/", "settings": ["status_lead"]}
    )
    lead = account.add_lead("Ворота")
    account.close_lead(lead)
    told: list[httpx.Request] = []

    def listen(request: httpx.Request) -> httpx.Response:
        told.append(request)
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(listen)) as client:
        await account.send_hooks(client)
        await account.send_hooks(client)
    (request,) = told
    form = {key: value[0] for key, value in parse_qs(request.content.decode()).items()}
    assert form["leads[status][0][id]"] == str(lead)
    assert form["leads[status][0][status_id]"] == "142"
    assert form["leads[status][0][old_status_id]"] == "90011"
    assert form["account[subdomain]"] == "example"
    assert request.headers["user-agent"] == "amoCRM-WebHook-client/1.0"


async def test_a_subscriber_that_never_answers_is_switched_off(
    api: httpx.AsyncClient, account: AmoCrmStandIn
) -> None:
    where = "https://nps.example/hook/"
    await api.post("/webhooks", json={"destination": where, "settings": ["update_lead"]})
    lead = account.add_lead()
    for number in range(101):
        account.edit_lead(lead, price=number + 1)
    transport = httpx.MockTransport(lambda request: httpx.Response(500))
    async with httpx.AsyncClient(transport=transport) as client:
        await account.send_hooks(client)
    assert account.webhooks[where].disabled


async def test_the_account_can_be_steered_from_another_process(
    api: httpx.AsyncClient, account: AmoCrmStandIn
) -> None:
    """No token is asked for, nothing is counted: these are strings behind the scenes."""
    control = "https://example.amocrm.ru/_control"
    contact = (await api.post(f"{control}/add_contact", json={"name": "Мария", "phones": ["8 914"]})).json()
    lead = (await api.post(f"{control}/add_lead", json={"name": "Ворота", "contacts": [contact]})).json()
    closed = {"lead_id": lead, "at": "2026-03-01T10:00:00+10:00"}
    assert (await api.post(f"{control}/close_lead", json=closed)).status_code == 200
    assert account.leads[lead].closed_at == 1772323200
    assert (await api.post(f"{control}/leads_in", json={"pipeline": "Нет такой"})).status_code == 400
    assert account.requests == []
