"""The page of `demo --serve` over HTTP: three static files, the state as JSON, and what a person does."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.cli.demo_scene import Impossible, Scene, Wish
from worker.cli.demo_view import view

FOLDER = Path(__file__).parent / "served"
FILES = {  # path → file and what it is
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
OWN_HOSTS = ("127.0.0.1", "localhost")
LONGEST = 20_000  # bytes that somebody may ask to be done
# Everything comes from us, nothing is framed, nothing is sent elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
WISH: TypeAdapter[Wish] = TypeAdapter(Wish)


def page(scene: Scene, report: Callable[[], Awaitable[str]], dashboard: Sequence[Route]) -> ASGIApp:
    """`report` gives the text of the report for the quarter so far; `dashboard` is the worker's own page."""

    async def file(request: Request) -> Response:
        name, kind = FILES[request.url.path]
        return Response((FOLDER / name).read_bytes(), media_type=kind)

    async def state(request: Request) -> Response:
        """Nothing new since `seen`: 204."""
        if request.query_params.get("seen") == str(scene.version):
            return Response(status_code=204)
        return JSONResponse(view(scene))

    async def act(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return _refused(415, "Нужен JSON.")  # A form of another site can send none.
        body = await request.body()
        if len(body) > LONGEST:
            return _refused(413, "Слишком длинно.")
        try:
            toast = await scene.act(WISH.validate_json(body))
        except ValidationError:
            return _refused(400, "Так нельзя: проверьте, что написано.")
        except Impossible as error:
            return _refused(409, str(error))
        return JSONResponse({"toast": toast, "state": view(scene)})

    async def text(_: Request) -> Response:
        return PlainTextResponse(await report())

    routes = [
        *(Route(path, file) for path in FILES),
        Route("/state", state),
        Route("/act", act, methods=["POST"]),
        Route("/report", text),
        *dashboard,
    ]
    return _Guarded(Starlette(routes=routes))


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)


class _Guarded:
    """Answers to nobody who came by another name, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)  # The dashboard has a policy of its own.
            await send(message)

        # A site whose name leads to 127.0.0.1 would be of our own origin.
        if Headers(scope=scope).get("host", "").partition(":")[0] not in OWN_HOSTS:
            await PlainTextResponse("Откройте http://127.0.0.1.\n", 403)(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)
