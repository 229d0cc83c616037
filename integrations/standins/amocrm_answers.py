"""Answers of the stand-in of amoCRM in its own forms: HAL, problems, and pages of the server before it."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from integrations.standins.amocrm_elements import Refused, RuleBroken
from integrations.standins.amocrm_json import address_of
from integrations.standins.amocrm_model import Json
from integrations.standins.amocrm_settings import Unprocessable

TOO_FAST = "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body></body>\r\n</html>\r\n"
FORBIDDEN = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body></body>\r\n</html>\r\n"
NOT_FOUND = "<html><head><title>404 Not Found</title></head><body></body></html>"


def hal(body: Json, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, media_type="application/hal+json")


def written(request: Request, key: str, rows: Sequence[Json]) -> Response:
    """What was made or changed: little more than the ids."""
    address = address_of(request)
    linked = [{**row, "_links": {"self": {"href": f"{address}/{row['id']}"}}} for row in rows]
    return hal({"_links": {"self": {"href": address}}, "_embedded": {key: linked}})


def problem(status: int, title: str, detail: str, **more: object) -> Response:
    body = {
        **more,
        "title": title,
        "type": f"https://httpstatus.es/{status}",
        "status": status,
        "detail": detail,
    }
    return Response(json.dumps(body), status, media_type="application/problem+json")


def nothing() -> Response:
    return Response(status_code=204, headers={"content-type": "text/html; charset=UTF-8"})


def missing(what: str) -> Response:
    return problem(404, "Not Found", f"{what} not found")


async def _no_page(request: Request, error: Exception) -> Response:
    return Response(NOT_FOUND, 404, media_type="text/html")


async def _no_method(request: Request, error: Exception) -> Response:
    return problem(405, "Method Not Allowed", "Method Not Allowed")


async def _refused(request: Request, error: Exception) -> Response:
    errors = {"validation-errors": error.errors} if isinstance(error, Refused) and error.errors else {}
    return problem(400, "Bad Request", "Request validation failed", **errors)


async def _unprocessable(request: Request, error: Exception) -> Response:
    return problem(422, "Unprocessable Entity", str(error))


async def _rule_broken(request: Request, error: Exception) -> Response:
    errors = error.errors if isinstance(error, RuleBroken) else {}
    return problem(400, "Bad Request", "Invalid request body", errors=errors)


async def body_of(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        raise Refused([]) from None


# What answers a request that went wrong, by its status or its exception.
REFUSALS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    404: _no_page,
    405: _no_method,
    Refused: _refused,
    RuleBroken: _rule_broken,
    Unprocessable: _unprocessable,
}
