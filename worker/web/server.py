"""The HTTP server, inside the worker's own event loop: the worker decides when it starts and stops."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from storage.errors import reason
from worker.web.dashboard import Show, dashboard_routes
from worker.web.health import Health, health_routes
from worker.web.webhooks import Hooks, webhook_routes

GRACE_SECONDS = 3  # for requests in flight; the whole worker has to be gone in 10
LAST_SECONDS = 1  # for those let go, to put away what they work with


def build_app(
    health: Health,
    *,
    webhook_secret: str,
    wake_pull: Callable[[], None],
    hooks: Hooks | None = None,
    show: Show | None = None,
) -> Starlette:
    """`show` makes the dashboard; without it there is none."""
    webhooks = webhook_routes(webhook_secret, wake_pull, health, hooks or Hooks())
    dashboard = dashboard_routes(show, health) if show is not None else []
    app = Starlette(routes=[*health_routes(health), *dashboard, *webhooks])
    app.router.redirect_slashes = False  # A redirect would tell a stranger which paths exist.
    return app


class _Uvicorn(uvicorn.Server):
    """Leaves signals alone: SIGTERM stops the worker, and the worker stops its server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class CannotListen(OSError):
    """The address is taken or not ours; the message is a sentence."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__(
            f"http.listen: {address} cannot be listened on: {reason(error)}. "
            "End what uses it, or give another address or port."
        )
        self.ru = (
            f"http.listen: {address} не открыть: {reason(error, 'ru')}. Закройте то, что его занимает, или "
            "дайте другой адрес или порт."
        )

    def say(self, language: str) -> str:
        return str(self) if language == "en" else self.ru


class Server:
    """Serves `app` on an address; port 0 takes a free one."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                log_config=None,  # The worker's own log has one filter over all lines …
                access_log=False,  # … and no line may hold a path: the secret is part of it.
                lifespan="off",
                ws="none",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    @property
    def port(self) -> int:
        """The port that is listened on, while it is."""
        return int(self._socket.getsockname()[1]) if self._socket else self._address[1]

    def start(self) -> None:
        """Listen, and serve in the running loop. Raises CannotListen."""
        host = self._address[0]
        # Bound here, because uvicorn would end the process if it cannot.
        try:
            listener = socket.create_server(
                self._address, family=socket.AF_INET6 if ":" in host else socket.AF_INET
            )
        except OSError as error:
            raise CannotListen(*self._address, error) from error
        # Opened anew it knows its protocol, and so do the accepted sockets: asyncio sends small answers at
        # once only where it is TCP by name; otherwise each waits 40 ms for an acknowledgement.
        self._socket = socket.socket(fileno=listener.detach())
        self._task = asyncio.create_task(self._uvicorn.serve(sockets=[self._socket]), name="http")

    async def stop(self) -> None:
        """Let requests in flight end and close the socket. Safe to call twice, or without a start."""
        self._uvicorn.should_exit = True
        if self._task:
            await self._task  # uvicorn closes the socket, and lets go what takes too long …
            if hanging := self._uvicorn.server_state.tasks:
                await asyncio.wait(hanging, timeout=LAST_SECONDS)  # … without waiting until it is gone.
        self._socket = None
