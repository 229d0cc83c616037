"""GET /dashboard?token=…: the page that `/dashboard` in the bot links to."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from worker.reports.page import content_policy
from worker.web.health import Health

SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# The address opens the page: it stays in no cache, in no search engine, and is told to no other site.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-origin",
}
AGAIN = {"Retry-After": "60"}


class Shown(Protocol):
    @property
    def html(self) -> str: ...
    @property
    def sheet(self) -> bytes: ...  # instead of a page
    @property
    def name(self) -> str: ...  # of the sheet, ASCII
    @property
    def refusal(self) -> str: ...  # one word for the metrics; "": it is the dashboard
    @property
    def is_for_now(self) -> bool: ...  # it cannot be shown yet: worth another try


Show = Callable[[Mapping[str, str], str], Awaitable[Shown]]  # query and nonce


def dashboard_routes(show: Show, health: Health) -> list[Route]:
    async def dashboard(request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = {"Content-Security-Policy": content_policy(nonce)}
        shown = await show(request.query_params, nonce)
        if shown.is_for_now:
            return HTMLResponse(shown.html, 503, {**HEADERS, **policy, **AGAIN})
        if shown.refusal:
            health.count_rejected("dashboard", shown.refusal)
            return HTMLResponse(shown.html, 403, {**HEADERS, **policy})
        if shown.sheet:
            name = {"Content-Disposition": f'attachment; filename="{shown.name}"'}
            return Response(shown.sheet, 200, {**HEADERS, **name}, media_type=SHEET)
        return HTMLResponse(shown.html, 200, {**HEADERS, **policy})

    return [Route("/dashboard", dashboard, methods=["GET"])]
