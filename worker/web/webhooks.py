"""Webhooks in: nothing passes without the secret of the path."""

import hmac
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from worker.web.health import Health

# amoCRM gathers changes into one form; seen are some tens of kilobytes, more is not ours.
BODY_LIMIT = 1024 * 1024


def webhook_routes(secret: str, wake_pull: Callable[[], None], health: Health) -> list[Route | Mount]:
    """The paths below /webhooks; without a secret all of them answer 404.

    amoCRM's only wakes the pull, which reads anew from the API: what the body says changes nothing.
    """

    async def amocrm(request: Request) -> Response:
        if not is_secret(request.path_params["secret"], secret):
            return _not_found(health, "amocrm", "secret")
        # Read, so that the sender is done before the answer; not kept.
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > BODY_LIMIT:
                health.count_rejected("amocrm", "too_large")
                return PlainTextResponse("Too large\n", status_code=413)
        wake_pull()
        return PlainTextResponse("ok\n")

    async def unknown(scope: Scope, receive: Receive, send: Send) -> None:
        await _not_found(health, "unknown", "path")(scope, receive, send)

    return [
        Route("/webhooks/amocrm/{secret}", amocrm, methods=["POST"]),
        # Kommo takes only addresses that end in a slash.
        Route("/webhooks/amocrm/{secret}/", amocrm, methods=["POST"]),
        # Also any other method on the path above: a wrong guess learns nothing.
        Mount("/webhooks", unknown),
    ]


def is_secret(given: str, secret: str) -> bool:
    """Compared in constant time; an empty secret fits nothing."""
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


def _not_found(health: Health, channel: str, reason: str) -> Response:
    health.count_rejected(channel, reason)
    return PlainTextResponse("Not Found", status_code=404)
