"""What can be made to go wrong at a stand-in, and the log of what was asked of it."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Literal

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What a proxy in front of the service says instead of JSON.
HTML_ERROR = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
CONTROL = "/_control/"
PIECE = 64 * 1024  # bytes of a padded answer at once


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong with requests that match `method` and `path` (a regular expression).

    `after` says when: False instead of the work, True after it, so that only its answer is lost (or late).
    With `kill` the process that asks, exactly there: it never learns what became of its request.
    """

    method: str = ""  # "" = any
    path: str = ""
    nth: int = 1  # counted from the moment it was added; the first that goes wrong
    times: int = 1  # so many in a row; 0 = until it is removed
    status: int = 0  # answer with this status …
    body: str = HTML_ERROR  # … and this text, or with `json`
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0  # real seconds to wait before that
    drop: bool = False  # close the connection in the middle of the answer
    drip: float = 0  # real seconds between two bytes of the body, whose length is not told
    pad: int = 0  # so many bytes of nothing at the end of the body, whose length is not told
    after: bool = False
    kill: int | Sequence[int] = 0  # the id of a process (of several: of that which asks) that gets `signal` …
    signal: str = "SIGKILL"
    when: Literal["arrived", "processed", "answered"] = "processed"  # … then; `delay` seconds later
    chance: float = 1  # how likely a request in its turn goes wrong; the same ones for the same `seed`
    seed: int = 0
    seen: int = 0  # matching requests so far
    _dice: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = Random(self.seed)  # noqa: S311 - to be repeated, not to be unguessable

    def takes(self, method: str, path: str) -> bool:
        """Count this request if it matches, and say whether it is one that goes wrong."""
        if (self.method and self.method.upper() != method) or not re.search(self.path, path):
            return False
        self.seen += 1
        is_due = self.seen >= self.nth and (not self.times or self.seen < self.nth + self.times)
        return is_due and (self.chance >= 1 or self._dice.random() < self.chance)


class Faults:
    """The faults of one stand-in; the first that takes a request decides."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def add(self, path: str = "", **how: Any) -> Fault:
        """`faults.add("/leads", method="POST", status=504, after=True)`"""
        fault = Fault(path=path, **how)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        self.active.clear()

    def pick(self, method: str, path: str) -> Fault | None:
        # Every fault counts, so that two faults with different `nth` see the same requests.
        taking = [fault for fault in self.active if fault.takes(method, path)]
        return taking[0] if taking else None


@dataclass(slots=True, kw_only=True)
class Logged:
    """A request as it came; `status` is 0 while it is worked on and when its connection was dropped."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    at: datetime  # by the stand-in's clock
    seconds: float  # by the loop's clock, for counting requests in a window
    status: int = 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Faulty:
    """Wraps a stand-in's application: logs every request and lets the faults have their way.

    Requests to `/_control/…` steer the stand-in and are neither logged nor harmed.
    """

    def __init__(
        self, app: ASGIApp, faults: Faults, requests: list[Logged], clock: Callable[[], datetime]
    ) -> None:
        self.app = app
        self.faults = faults
        self.requests = requests
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        logged = Logged(
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            headers=dict(request.headers),
            body=await request.body(),
            at=self.clock(),
            seconds=asyncio.get_running_loop().time(),
        )
        self.requests.append(logged)
        await self._answer(scope, _Replay(logged.body, receive), send, logged)

    async def _answer(self, scope: Scope, receive: "_Replay", send: Send, logged: Logged) -> None:
        fault = self.faults.pick(logged.method, logged.path)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                if fault and fault.after:
                    await asyncio.sleep(fault.delay)
                logged.status = message["status"]
            await send(message)

        if fault and fault.kill:
            await self._kill(fault, scope, receive, send if fault.when != "answered" else noting)
            return
        if fault and fault.delay and not fault.after:
            await asyncio.sleep(fault.delay)
        if fault is None or not (fault.drop or fault.status):
            await self.app(scope, receive, noting)
            return
        if fault.after:
            await self.app(scope, receive, _swallow)
        if fault.drop:
            if fault.after:
                await asyncio.sleep(fault.delay)
            await drop(scope, send)
            return
        await _answer_of(fault)(scope, receive, noting)

    async def _kill(self, fault: Fault, scope: Scope, receive: "_Replay", send: Send) -> None:
        if fault.when != "arrived":
            await self.app(scope, receive, send if fault.when == "answered" else _swallow)
        await asyncio.sleep(fault.delay)
        victim = fault.kill if isinstance(fault.kill, int) else _who_asks(scope, fault.kill)
        with suppress(ProcessLookupError):  # It has ended already.
            os.kill(victim, signal.Signals[fault.signal])
        if fault.when != "answered":
            await drop(scope, send)


def _who_asks(scope: Scope, processes: Sequence[int]) -> int:
    """Whose connection over loopback this request came by (Linux only)."""
    _, port = scope["client"]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}")}
    for process in processes:
        for file in Path(f"/proc/{process}/fd").glob("*"):
            with suppress(OSError):  # Closed meanwhile, or the process has ended.
                if os.readlink(file) in sockets:
                    return process
    raise LookupError(f"none of {processes} has sent this request")


def _answer_of(fault: Fault) -> Response:
    answer: Response = Response(fault.body, fault.status, media_type="text/html")
    if fault.json is not None:
        answer = JSONResponse(fault.json, fault.status)
    if fault.drip or fault.pad:
        pieces = _pieces(bytes(answer.body), fault)
        answer = StreamingResponse(pieces, fault.status, media_type=answer.media_type)
    answer.headers.update(fault.headers)
    return answer


async def _pieces(body: bytes, fault: Fault) -> AsyncIterator[bytes]:
    if not fault.drip:
        yield body
    for byte in body if fault.drip else b"":
        yield bytes([byte])
        await asyncio.sleep(fault.drip)
    for left in range(fault.pad, 0, -PIECE):
        yield b" " * min(left, PIECE)


class _Replay:
    """Hands out a body that was read already, then whatever the connection says."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self.body: bytes | None = body
        self.receive = receive

    async def __call__(self) -> Message:
        if self.body is None:
            return await self.receive()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _swallow(message: Message) -> None:
    """An answer that nobody gets."""


async def drop(scope: Scope, send: Send) -> None:
    """Break off in the middle of an answer, behind a real server and inside `httpx.ASGITransport` alike."""
    if "state" not in scope:  # Only a server fills it in; httpx would take an unfinished answer for a bug.
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    # The server closes a connection whose answer was never finished.
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


def control_routes(
    faults: Faults, requests: list[Logged], helpers: Mapping[str, Callable[..., Any]] | None = None
) -> list[Route]:
    """The control endpoint of a stand-in.

    `POST /_control/faults` takes the fields of `Fault`, `DELETE` removes all; `GET /_control/requests` gives
    the log; `POST /_control/<helper>` calls a helper with the JSON object as its arguments.
    """

    async def add_fault(request: Request) -> Response:
        faults.add(**await request.json())
        return JSONResponse({"active": len(faults.active)})

    async def clear_faults(request: Request) -> Response:
        faults.clear()
        return JSONResponse({"active": 0})

    async def log(request: Request) -> Response:
        # Of the headers only what the body is: others hold tokens.
        kinds = [{k: v for k, v in logged.headers.items() if k == "content-type"} for logged in requests]
        return _json([{**asdict(one), "headers": kind} for one, kind in zip(requests, kinds, strict=True)])

    async def call(request: Request) -> Response:
        helper = (helpers or {}).get(request.path_params["helper"])
        if helper is None:
            return JSONResponse({"error": f"the helpers are {', '.join(helpers or ())}"}, 404)
        try:
            return _json(helper(**json.loads(await request.body() or b"{}")))
        except (TypeError, ValueError, LookupError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return [
        Route(CONTROL + "faults", add_fault, methods=["POST"]),
        Route(CONTROL + "faults", clear_faults, methods=["DELETE"]),
        Route(CONTROL + "requests", log, methods=["GET"]),
        Route(CONTROL + "{helper}", call, methods=["POST"]),
    ]


def _json(value: Any) -> Response:
    return Response(json.dumps(value, default=_plain, ensure_ascii=False), media_type="application/json")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)
