"""Webhooks in: nothing passes without the secret of the path; what passes is on disk before the answer."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from integrations.channels.base import Hooked, Posted, Raw, RefusedError, UnreadableError
from storage.errors import StorageError
from worker.web.health import Health

# amoCRM gathers changes into one form, Meta up to 3 MB of messages; more is not ours.
BODY_LIMIT = 4 * 1024 * 1024

Keep = Callable[[str, Sequence[Raw]], Awaitable[object]]


async def _keep_nothing(_: str, __: Sequence[Raw]) -> None:
    raise LookupError("no channel is served")


@dataclass(frozen=True, slots=True)
class Hooks:
    """The channels whose services post to us, by name.

    `keep` returns when the updates of a channel are on disk; what it raises is a StorageError.
    """

    channels: Mapping[str, Hooked] = field(default_factory=dict)
    keep: Keep = _keep_nothing

    def at(self, place: str) -> Mapping[str, Hooked]:
        return {
            name: channel
            for name, channel in self.channels.items()
            if channel.is_hooked and channel.hook_place == place
        }


def hook_path(place: str, secret: str) -> str:
    return f"/webhooks/{place}/{secret}"


def header_secret(secret: str, place: str) -> str:
    """What a service sends back in a header: 64 hexadecimal digits that do not tell the path's secret."""
    return hmac.new(secret.encode(), place.encode(), hashlib.sha256).hexdigest()


def webhook_routes(
    secret: str, wake_pull: Callable[[], None], health: Health, hooks: Hooks
) -> list[Route | Mount]:
    """The paths below /webhooks; without a secret all of them answer 404.

    amoCRM's only wakes the pull, which reads anew from the API: what the body says changes nothing.
    """

    async def amocrm(request: Request) -> Response:
        if not is_secret(request.path_params["secret"], secret):
            return _not_found(health, "amocrm", "secret")
        # Read, so that the sender is done before the answer; not kept.
        if await _body(request) is None:
            return _too_large(health, "amocrm")
        wake_pull()
        return PlainTextResponse("ok\n")

    async def messenger(request: Request) -> Response:
        place = request.path_params["place"]
        channels = hooks.at(place)
        if not channels:
            return _not_found(health, "unknown", "path")
        if not is_secret(request.path_params["secret"], secret):
            return _not_found(health, place, "secret")
        if request.method != "POST":
            return _greeting(request, channels, place)
        body = await _body(request)
        if body is None:
            return _too_large(health, place)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            taken = take(channels, Posted(body, headers), header_secret(secret, place))
        except RefusedError as refusal:
            return _forbidden(health, place, str(refusal))
        try:
            for name, updates in taken.items():
                await hooks.keep(name, updates)
        except StorageError:
            # The service repeats it: what was kept already is known by its key.
            return PlainTextResponse("Not kept, try again\n", status_code=503)
        return PlainTextResponse("ok\n")

    def _greeting(request: Request, channels: Mapping[str, Hooked], place: str) -> Response:
        refusal = "method"
        for channel in channels.values():
            try:
                greeting = channel.greet(request.query_params, header_secret(secret, place))
            except RefusedError as error:
                refusal = str(error)
            else:
                return PlainTextResponse(greeting)
        return _forbidden(health, place, refusal)

    async def unknown(scope: Scope, receive: Receive, send: Send) -> None:
        await _not_found(health, "unknown", "path")(scope, receive, send)

    return [
        Route("/webhooks/amocrm/{secret}", amocrm, methods=["POST"]),
        # Kommo takes only addresses that end in a slash.
        Route("/webhooks/amocrm/{secret}/", amocrm, methods=["POST"]),
        Route("/webhooks/{place}/{secret}", messenger, methods=["GET", "POST"]),
        # Also any other method on the paths above: a wrong guess learns nothing.
        Mount("/webhooks", unknown),
    ]


def take(channels: Mapping[str, Hooked], posted: Posted, secret: str) -> dict[str, Sequence[Raw]]:
    """What is to be kept of one delivery, by channel. Raises RefusedError where none finds it authentic.

    What is authentic but understood by none is kept as it came, for a person to look at.
    """
    taken: dict[str, Sequence[Raw]] = {}
    refusal: RefusedError | None = None
    is_authentic = False
    aside = ""
    for name, channel in channels.items():
        try:
            updates = channel.take(posted, secret)
        except RefusedError as error:
            refusal = error
            continue
        except UnreadableError:
            aside = aside or name
            updates = ()
        is_authentic = True
        if updates:
            taken[name] = updates
    if refusal is not None and not is_authentic:
        raise refusal
    if aside and not taken:
        key = hashlib.sha256(posted.body).hexdigest()
        taken[aside] = (Raw(key, "unreadable", posted.body),)
    return taken


def is_secret(given: str, secret: str) -> bool:
    """Compared in constant time; an empty secret fits nothing."""
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


async def _body(request: Request) -> bytes | None:
    """None: more than anybody who belongs here sends."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > BODY_LIMIT:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _not_found(health: Health, channel: str, reason: str) -> Response:
    health.count_rejected(channel, reason)
    return PlainTextResponse("Not Found", status_code=404)


def _forbidden(health: Health, channel: str, reason: str) -> Response:
    health.count_rejected(channel, reason)
    return PlainTextResponse("Forbidden\n", status_code=403)


def _too_large(health: Health, channel: str) -> Response:
    health.count_rejected(channel, "too_large")
    return PlainTextResponse("Too large\n", status_code=413)
