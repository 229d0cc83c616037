"""Tags of a contact: set, taken off, and what the events tell of who took one off."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.tags import was_taken_off
from integrations.errors import AccessDenied, Temporary
from integrations.standins.amocrm import AmoCrmStandIn
from tests.integrations.clock import Clock

URL = "https://example.amocrm.ru"
TAG = "не опрашивать"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(clock: Clock) -> AmoCrmStandIn:
    return AmoCrmStandIn(clock, rate_limit=None)


@pytest.fixture
def amocrm(account: AmoCrmStandIn) -> AmoCrm:
    return AmoCrm(URL, "test-token", requests_per_second=1000, transport=httpx.ASGITransport(app=account.app))


async def test_a_tag_comes_and_goes_and_amocrm_says_when(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    contact_id = account.add_contact("Мария", tags=["VIP"])
    assert await amocrm.tag_contact(contact_id, TAG) == clock().replace(microsecond=0)
    assert account.contacts[contact_id].tags == ["VIP", TAG]
    await amocrm.untag_contact(contact_id, TAG)
    assert account.contacts[contact_id].tags == ["VIP"]
    await amocrm.untag_contact(contact_id, TAG)
    assert account.contacts[contact_id].tags == ["VIP"]


@pytest.mark.parametrize(
    "body", [{}, {"id": 301, "updated_at": "вчера"}, {"id": 301, "updated_at": None}, []]
)
@respx.mock(base_url=URL)
async def test_an_answer_that_does_not_say_when_is_a_success_all_the_same(
    respx_mock: respx.MockRouter, body: object
) -> None:
    respx_mock.patch("/api/v4/contacts/301").respond(200, json=body)
    assert await AmoCrm(URL, "test-token").tag_contact(301, TAG) is None


async def test_only_what_was_taken_off_later_counts(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    contact_id, other = account.add_contact("Мария"), account.add_contact("Пётр", tags=[TAG])
    account.tag_contact(contact_id, add=[TAG, "VIP"])
    account.tag_contact(contact_id, delete=[TAG])
    since = await amocrm.tag_contact(contact_id, TAG)
    assert since is not None
    assert not await was_taken_off(amocrm, contact_id, TAG, since)
    clock.now += timedelta(seconds=1)
    account.tag_contact(other, delete=[TAG])
    account.tag_contact(contact_id, delete=["VIP"])
    assert not await was_taken_off(amocrm, contact_id, TAG, since)
    account.tag_contact(contact_id, delete=[TAG])
    assert await was_taken_off(amocrm, contact_id, "Не опрашивать", since)


def _event(**more: object) -> dict[str, object]:
    return {
        "id": "01kdz0q4h6y0r7c5w1n2p3s4t5",
        "type": "entity_tag_deleted",
        "entity_id": 301,
        "created_at": 1767225700,
        "value_after": [],
        "value_before": [{"tag": {"name": TAG}}],
        **more,
    }


@pytest.mark.parametrize(
    ("event", "is_one"),
    [
        (_event(), True),
        (_event(entity_id=302), False),  # filters may be ignored in silence
        (_event(type="entity_tag_added", value_before=[], value_after=[{"tag": {"name": TAG}}]), False),
        (_event(created_at=1767225500), False),
        (_event(created_at=None), False),
        (_event(value_before=None), False),
        (_event(value_before=[None, {"tag": None}, {"tag": {"name": None}}, "x"]), False),
        (_event(value_before={"1": {"tag": {"name": TAG}}}), True),  # a list with a gap, as PHP writes it
        (_event(value_before=7), False),
        (_event(value_before=True), False),
        (_event(value_before="x"), False),
        ("x", False),
    ],
)
@respx.mock(base_url=URL)
async def test_ugly_events_are_read_with_care(
    respx_mock: respx.MockRouter, event: object, is_one: bool
) -> None:
    respx_mock.get("/api/v4/events").respond(200, json={"_embedded": {"events": [event]}})
    since = datetime.fromtimestamp(1767225600, UTC)
    assert await was_taken_off(AmoCrm(URL, "test-token"), 301, TAG, since) is is_one


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"status": 403, "json": {"title": "Forbidden", "status": 403}}, AccessDenied),
        ({"status": 200}, Temporary),  # HTML
    ],
)
async def test_who_cannot_tell_for_now_raises(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock, how: dict[str, object], error: type[Exception]
) -> None:
    account.faults.add("/events", times=0, **how)
    with pytest.raises(error):
        await was_taken_off(amocrm, 301, TAG, clock())


async def test_an_account_without_such_events_or_with_none_tells_of_nothing(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    assert not await was_taken_off(amocrm, 301, TAG, clock())
    account.faults.add("/events", status=400, json={"title": "Bad Request", "status": 400})
    assert not await was_taken_off(amocrm, 301, TAG, clock())
