"""What amoCRM's events tell of chats, page by page."""

from datetime import UTC, datetime

import httpx
import pytest
import respx

from integrations.amocrm.chats import INCOMING, OUTGOING, PAGE_SIZE, chat_events
from integrations.amocrm.client import AmoCrm

URL = "https://example.amocrm.ru"
SINCE = datetime.fromtimestamp(1_767_225_600, UTC)


def event(number: int) -> dict[str, object]:
    return {
        "id": f"e{number}", "type": INCOMING, "entity_type": "lead", "entity_id": 501,
        "created_at": int(SINCE.timestamp()) + number, "created_by": 77,
        "value_after": [{"message": {"id": "m", "talk_id": 9}}],
    }  # fmt: skip


@pytest.mark.parametrize("unreadable", [None, "x", 7, {}, {**event(0), "id": ["1"], "created_at": "вчера"}])
@respx.mock(base_url=URL)
async def test_a_page_with_an_event_that_cannot_be_read_is_not_the_last(
    respx_mock: respx.MockRouter, unreadable: object
) -> None:
    pages = [[unreadable, *map(event, range(1, PAGE_SIZE))], [event(PAGE_SIZE)]]
    respx_mock.get("/api/v4/events").mock(
        side_effect=[httpx.Response(200, json={"_embedded": {"events": page}}) for page in pages]
    )
    amocrm = AmoCrm(URL, "test-token", requests_per_second=1000)
    found = [page async for page in chat_events(amocrm, (INCOMING, OUTGOING), SINCE, None)]
    assert [len(page) for page in found] == [PAGE_SIZE - 1, 1]
