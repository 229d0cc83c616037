"""amoCRM gives one deal in a shape that nobody expects. Its neighbours are none the worse for it."""

import copy
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.world import World
from worker.flows.pull import pull

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
Step = str | int


def places(value: Any, way: tuple[Step, ...] = ()) -> list[tuple[Step, ...]]:
    """The way to every value inside."""
    found = [way] if way else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*way, key))
    return found


def spoilt(deal: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """One to three values replaced by something else, or gone."""
    odd = copy.deepcopy(deal)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(odd)))
        holder: Any = odd
        for step in way:
            holder = holder[step]
        if data.draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = data.draw(JUNK)
        if not odd:
            break
    return odd


async def listed(town: World) -> Any:
    """What amoCRM answers when it is asked for the changes of the last hour."""
    since = int((town.clock.now() - timedelta(hours=1)).timestamp())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=town.amocrm.app), base_url="https://example.amocrm.ru"
    ) as browser:
        answer = await browser.get(
            f"/api/v4/leads?filter[updated_at][from]={since}&order[updated_at]=asc&with=contacts&limit=250",
            headers={"Authorization": f"Bearer {town.amocrm.token}"},
        )
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_one_odd_deal_stops_no_other(town: World, data: st.DataObject) -> None:
    town.clock.advance(timedelta(days=1))
    made = [town.deal([town.contact(f"Клиент {number}", None)]) for number in range(3)]
    for deal in made:
        town.clock.advance(timedelta(minutes=10))
        town.amocrm.close_lead(deal)
    answer = await listed(town)
    rows = answer["_embedded"]["leads"]
    (place,) = [number for number, row in enumerate(rows) if row["id"] == made[1]]
    rows[place] = spoilt(rows[place], data)
    town.amocrm.faults.add("/api/v4/leads$", method="GET", status=200, json=answer)

    await pull(town.app.hands)

    asked_about = {survey.deal_id for survey in await town.surveys()}
    assert {made[0], made[2]} <= asked_about
    town.amocrm.faults.clear()
    town.clock.advance(timedelta(minutes=10))
    town.amocrm.edit_lead(made[1], price=1)
    await pull(town.app.hands)
    assert made[1] in {survey.deal_id for survey in await town.surveys()}, "read once it can be"
