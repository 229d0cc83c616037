"""The pages in which the made-up amoCRM lists things, with its habits at their ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from integrations.standins.amocrm_answers import hal, nothing, problem
from integrations.standins.amocrm_json import PAGE, address_of
from integrations.standins.amocrm_model import Json
from integrations.standins.amocrm_query import Query

Thing = TypeVar("Thing")


@dataclass(slots=True)
class Pages:
    """Switches for how an account may differ here from what is documented."""

    largest: int | None = None  # a smaller page than documented
    refuses_long: bool = False  # 400 instead of silently giving fewer rows
    always_links_next: bool = False  # also where nothing follows

    def page(
        self,
        request: Request,
        key: str,
        things: Sequence[Thing],
        render: Callable[[Thing, Request], Json],
        *,
        largest: int = PAGE,
        total: bool = False,
    ) -> Response:
        query = Query(request.url.query)
        largest = self.largest or largest
        if self.refuses_long and not query.is_limit_within(largest):
            return problem(400, "Bad Request", "Limit is too large")
        page, limit = query.page, query.limit(largest)
        rows = things[(page - 1) * limit : page * limit]
        if not rows:
            return nothing()

        def link(number: int) -> Json:
            return {"href": f"{address_of(request)}?{query.with_page(number, limit)}"}

        links = {"self": link(page)}
        if self.always_links_next or len(rows) == limit:  # also on an exactly full last page
            links["next"] = link(page + 1)
        if page > 1:
            links |= {"first": link(1), "prev": link(page - 1)}
        body: Json = {"_page": page, "_links": links}
        if total:
            body |= {"_total_items": len(things), "_page_count": -(-len(things) // limit)}
        return hal({**body, "_embedded": {key: [render(row, request) for row in rows]}})
