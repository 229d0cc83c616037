"""Where deals were moved, as amoCRM's events tell it."""

from datetime import UTC, datetime

import httpx
import pytest
import respx

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.moves import PAGE_SIZE, moves_of
from integrations.errors import Temporary
from integrations.standins.amocrm import AmoCrmStandIn
from tests.integrations.clock import Clock

URL = "https://example.amocrm.ru"


@pytest.fixture
def account() -> AmoCrmStandIn:
    return AmoCrmStandIn(Clock(), rate_limit=None)


@pytest.fixture
def amocrm(account: AmoCrmStandIn) -> AmoCrm:
    return AmoCrm(URL, "test-token", requests_per_second=1000, transport=httpx.ASGITransport(app=account.app))


async def test_moves_of_these_deals_with_who_and_where(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    lead, other = account.add_lead(), account.add_lead()
    account.move_lead(lead, "Новая", pipeline="Рекламации")
    account.edit_lead(lead, name="Ворота")
    account.close_lead(other)
    (move,) = await moves_of(amocrm, [lead])
    sales, here = (account.pipeline(name) for name in ("Продажи", "Рекламации"))
    assert move.before == (sales.id, sales.first_status.id)
    assert move.after == (here.id, account.status_id("Новая", "Рекламации"))
    assert (move.entity_id, move.created_by) == (lead, min(account.users))


async def test_a_long_story_takes_several_pages(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    lead = account.add_lead()
    for _ in range(PAGE_SIZE // 2 + 1):
        account.close_lead(lead)
        account.move_lead(lead, "Замер")
    assert len(await moves_of(amocrm, [lead])) == PAGE_SIZE + 2


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_an_account_that_cannot_tell_has_none(
    amocrm: AmoCrm, account: AmoCrmStandIn, status: int
) -> None:
    account.faults.add("/events", times=0, status=status, json={"title": "No", "status": status})
    assert await moves_of(amocrm, [account.add_lead()]) == ()


async def test_who_cannot_tell_for_now_raises(amocrm: AmoCrm, account: AmoCrmStandIn) -> None:
    account.faults.add("/events", times=0, status=200)  # HTML
    with pytest.raises(Temporary):
        await moves_of(amocrm, [account.add_lead()])


@respx.mock(base_url=URL)
async def test_events_of_an_unknown_shape_are_passed_over(respx_mock: respx.MockRouter) -> None:
    good = {
        "id": "01kd", "type": "lead_status_changed", "entity_id": 501, "created_at": 1_767_225_600,
        "created_by": 0, "value_before": [{"lead_status": {"id": 10, "pipeline_id": 1}}],
        "value_after": [{"lead_status": {"id": 142, "pipeline_id": 9}}],
    }  # fmt: skip
    odd = [
        {**good, "id": "2", "type": "lead_added"}, {**good, "id": "3", "entity_id": 7},
        {**good, "id": "4", "value_before": []}, {**good, "id": "5", "value_after": {"lead_status": 1}},
        {**good, "id": "6", "created_at": None}, {**good, "id": "7", "created_at": "вчера"}, None,
        {**good, "id": "8", "value_before": [{"lead_status": {"id": "?", "pipeline_id": 1}}]},
        {**good, "id": "9", "value_after": 7}, {**good, "id": ["10"], "entity_id": {}}, "x",
    ]  # fmt: skip
    respx_mock.get("/api/v4/events").respond(json={"_embedded": {"events": [*odd, good]}})
    (move,) = await moves_of(AmoCrm(URL, "test-token"), [501])
    assert (move.event, move.created_at) == ("01kd", datetime.fromtimestamp(1_767_225_600, UTC))
    assert (move.before, move.after) == ((1, 10), (9, 142))


@pytest.mark.parametrize(
    "unreadable",
    [
        None,
        "x",
        {"id": ["1"]},
        {"entity_id": "?"},
        {"created_at": "вчера"},
        {"created_by": -1},
        {"value_before": 7},
    ],
)
@respx.mock(base_url=URL)
async def test_a_page_with_an_event_that_cannot_be_read_is_not_the_last(
    respx_mock: respx.MockRouter, unreadable: object
) -> None:
    def event(number: int) -> dict[str, object]:
        return {
            "id": f"e{number}", "type": "lead_status_changed", "entity_id": 501,
            "created_at": 1_767_225_600 + number, "created_by": 77,
            "value_before": [{"lead_status": {"id": 10, "pipeline_id": 1}}],
            "value_after": [{"lead_status": {"id": 20, "pipeline_id": 1}}],
        }  # fmt: skip

    odd = {**event(0), **unreadable} if isinstance(unreadable, dict) else unreadable
    pages = [[odd, *map(event, range(1, PAGE_SIZE))], [event(PAGE_SIZE)]]
    respx_mock.get("/api/v4/events").mock(
        side_effect=[httpx.Response(200, json={"_embedded": {"events": page}}) for page in pages]
    )
    found = await moves_of(AmoCrm(URL, "test-token", requests_per_second=1000), [501])
    assert f"e{PAGE_SIZE}" in [move.event for move in found]
