"""A company comes with thousands of deals that all get links; an answer does not wait behind them."""

from integrations.standins.faults import Logged
from tests.world import IVAN, World
from worker.actions.registry import LIST

MANY = 3 * LIST


async def test_all_that_an_answer_calls_for_is_written_before_the_links_of_many_deals(town: World) -> None:
    asked = await town.asked()
    deals = [town.deal() for _ in range(MANY)]
    town.amocrm.requests.clear()
    town.whatsapp.says(IVAN, "3, монтаж три недели")
    await town.step()

    def is_of_many(request: Logged) -> bool:
        is_change = request.method == "PATCH" and request.path.endswith("/leads")
        return is_change and {lead["id"] for lead in request.json} <= set(deals)

    written = [request for request in town.amocrm.requests if request.method != "GET"]
    is_late = [is_of_many(request) for request in written]
    first = {
        (request.method, request.path.rpartition("v4/")[2]) for request in written[: is_late.index(True)]
    }
    assert first == {("PATCH", "leads"), ("POST", "leads"), ("POST", "tasks"), ("POST", "leads/notes")}
    assert is_late.count(True) >= MANY // LIST - 1
    assert town.amocrm.field_value(asked, "NPS") == "3"
    assert all(town.amocrm.field_value(deal, "Ссылка на Telegram-бота") for deal in deals)
