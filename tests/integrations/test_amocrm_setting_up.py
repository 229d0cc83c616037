"""Fields, a pipeline and a subscription are made as amoCRM wants them, and refused as it refuses them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from integrations.amocrm import setting_up
from integrations.amocrm.setting_up import NewField, NewPipeline
from integrations.errors import Permanent, Uncertain
from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import Event
from tests.integrations.amocrm_setup import client_of
from tests.integrations.clock import Clock

AUTH = {"Authorization": "Bearer test-token"}
STATUS = {"name": "Новая", "sort": 100}
PIPELINE: dict[str, Any] = {
    "name": "Рекламации", "sort": 20, "is_main": False, "is_unsorted_on": False,
    "_embedded": {"statuses": [STATUS]},
}  # fmt: skip


@pytest.fixture
def account() -> AmoCrmStandIn:
    return AmoCrmStandIn(Clock(), rate_limit=None)


@pytest.fixture
async def api(account: AmoCrmStandIn) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=account.app)
    base = "https://example.amocrm.ru/api/v4"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=AUTH) as client:
        yield client


# The client


async def test_a_list_keeps_the_order_of_its_choices(account: AmoCrmStandIn) -> None:
    made = await setting_up.create_field(
        client_of(account), NewField(name="Причина", type="select", choices=("Сроки", "Цена", "Другое"))
    )
    assert [choice.value for choice in made.enums] == ["Сроки", "Цена", "Другое"]
    assert account.field_id("Причина") == made.id


async def test_a_pipeline_comes_back_with_the_ids_of_its_statuses(account: AmoCrmStandIn) -> None:
    new = NewPipeline(name="Гарантия", statuses=("Новая", "В работе"), won="Решена", lost="Отказ", sort=30)
    made = await setting_up.create_pipeline(client_of(account), new)
    assert [(status.name, status.type) for status in made.statuses] == [
        ("Неразобранное", 1), ("Новая", 0), ("В работе", 0), ("Решена", 0), ("Отказ", 0),
    ]  # fmt: skip
    assert {status.id for status in made.statuses} >= {142, 143}


async def test_an_account_without_webhooks_answers_nothing_and_that_is_none(account: AmoCrmStandIn) -> None:
    assert await setting_up.webhooks(client_of(account)) == ()


async def test_a_subscription_is_there_afterwards(account: AmoCrmStandIn) -> None:
    amocrm = client_of(account)
    await setting_up.subscribe(amocrm, "https://a.example/h", ["add_lead"])
    [hook] = await setting_up.webhooks(amocrm)
    assert (hook.destination, hook.settings, hook.disabled) == ("https://a.example/h", ("add_lead",), False)


@pytest.mark.parametrize("settings", [["a"], {"1": "a"}, None])
def test_settings_come_as_a_list_or_as_phps_object(settings: object) -> None:
    hook = setting_up.Webhook.model_validate({"id": 1, "settings": settings or []})
    assert hook.settings == (("a",) if settings else ())


async def test_an_answer_that_names_nothing_is_uncertain(account: AmoCrmStandIn) -> None:
    account.faults.add(path="custom_fields", json={"_embedded": {"custom_fields": []}}, status=201)
    with pytest.raises(Uncertain, match="did not tell what it created"):
        await setting_up.create_field(client_of(account), NewField(name="NPS 2", type="numeric"))


async def test_the_latest_mark_of_amocrms_own_bot_is_found(account: AmoCrmStandIn) -> None:
    amocrm = client_of(account)
    assert await setting_up.last_own_mark(amocrm) is None
    for second in (1_700_000_000, 1_690_000_000):
        account.events.append(Event(
            id="01k", type="nps_rate_added", entity_id=1, entity_type="talk", created_by=0,
            created_at=second, value_after=[], value_before=[],
        ))  # fmt: skip
    assert await setting_up.last_own_mark(amocrm) == datetime.fromtimestamp(1_700_000_000, UTC)


async def test_an_account_that_does_not_know_such_events_has_no_mark(account: AmoCrmStandIn) -> None:
    account.faults.add(path="events", status=400)
    assert await setting_up.last_own_mark(client_of(account)) is None
    account.faults.add(path="events", status=404)
    with pytest.raises(Permanent):
        await setting_up.last_own_mark(client_of(account))


# The stand-in


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "numeric"},
        {"name": "", "type": "numeric"},
        {"name": "A"},
        {"name": "A", "type": "number"},
        {"name": "A", "type": "monetary"},
        {"name": "A", "type": "chained_list"},
        {"name": "A", "type": "select"},
        {"name": "A", "type": "select", "enums": [{"value": "x"}]},
        {"name": "A", "type": "text", "enums": [{"value": "x", "sort": 1}]},
        {"name": "A", "type": "text", "is_required": True},
    ],
)
async def test_one_wrong_field_refuses_the_whole_list(
    api: httpx.AsyncClient, account: AmoCrmStandIn, wrong: dict[str, Any]
) -> None:
    before = len(account.custom_fields["leads"])
    answer = await api.post("/leads/custom_fields", json=[{"name": "Хорошее", "type": "text"}, wrong])
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert len(account.custom_fields["leads"]) == before


async def test_a_field_is_made_with_201_and_a_twin_without_a_word(api: httpx.AsyncClient) -> None:
    for _ in range(2):
        answer = await api.post("/leads/custom_fields", json=[{"name": "NPS", "type": "numeric"}])
        assert answer.status_code == 201
        assert answer.json()["_embedded"]["custom_fields"][0]["type"] == "numeric"


async def test_money_needs_what_is_paid_for(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    account.making.has_super_fields = True
    answer = await api.post("/leads/custom_fields", json=[{"name": "Аванс", "type": "monetary"}])
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"sort": None},
        {"is_main": None},
        {"is_unsorted_on": None},
        {"_embedded": None},
        {"_embedded": {"statuses": []}},
        {"_embedded": {"statuses": [{"name": "Без места"}]}},
        {"_embedded": {"statuses": [{**STATUS, "color": "#123456"}]}},
        {"_embedded": {"statuses": [STATUS, {"id": 5, "name": "Чужой"}]}},
        {"_embedded": {"statuses": [STATUS, {"id": 142, "name": "Решена", "sort": 1}]}},
    ],
)
async def test_a_pipeline_that_lacks_something_is_refused(
    api: httpx.AsyncClient, account: AmoCrmStandIn, wrong: dict[str, Any]
) -> None:
    before = len(account.pipelines)
    answer = await api.post("/leads/pipelines", json=[PIPELINE | wrong])
    assert answer.status_code == 422
    assert len(account.pipelines) == before


async def test_places_of_statuses_are_counted_anew_and_the_main_flag_moves(
    api: httpx.AsyncClient, account: AmoCrmStandIn
) -> None:
    statuses = [{"name": "Вторая", "sort": 200}, STATUS, {"id": 142, "name": "Решена"}]
    body = PIPELINE | {"name": "Сервис", "is_main": True, "_embedded": {"statuses": statuses}}
    answer = await api.post("/leads/pipelines", json=[body])
    assert answer.status_code == 200
    made = answer.json()["_embedded"]["pipelines"][0]["_embedded"]["statuses"]
    own = [(status["name"], status["sort"]) for status in made if status["type"] == 0]
    assert own[:3] == [("Новая", 20), ("Вторая", 30), ("Решена", 10000)]
    assert [pipeline.name for pipeline in account.pipelines.values() if pipeline.is_main] == ["Сервис"]


@pytest.mark.parametrize("path", ["/leads/custom_fields", "/leads/pipelines", "/webhooks"])
async def test_only_an_administrator_makes_such_things(
    api: httpx.AsyncClient, account: AmoCrmStandIn, path: str
) -> None:
    account.is_admin = False
    assert (await api.post(path, json=[PIPELINE])).status_code == 403


async def test_anybody_may_read_them(api: httpx.AsyncClient, account: AmoCrmStandIn) -> None:
    account.is_admin = False
    assert (await api.get("/leads/custom_fields")).status_code == 200
    assert (await api.get("/leads/pipelines")).status_code == 200
