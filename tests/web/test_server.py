"""The HTTP server in the worker's loop: who starts it and who stops it."""

import asyncio
import contextlib
import os
import signal
import socket
import time

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.web.conftest import SECRET, Office
from worker.web.server import CannotListen, Server, build_app


async def slow(_: Request) -> Response:
    await asyncio.sleep(0.3)
    return PlainTextResponse("done")


async def test_it_serves_until_it_is_stopped_and_frees_the_port(office: Office) -> None:
    server = Server(build_app(office.health, webhook_secret=SECRET, wake_pull=office.wake), "127.0.0.1", 0)
    server.start()
    port = server.port
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.post(f"/webhooks/amocrm/{SECRET}")).status_code == 200
        began = time.monotonic()
        await server.stop()  # although the client keeps its connection open
        assert time.monotonic() - began < 2
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert office.woken == 1


async def test_an_answer_waits_for_no_acknowledgement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nagle's algorithm is off where a connection is accepted; on, a second answer comes 40 ms late."""
    delays: list[bool] = []

    async def look(request: Request) -> Response:
        delays.append(not accepted[-1].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return PlainTextResponse("ok")

    accepted: list[socket.socket] = []
    accept = socket.socket.accept

    def accepting(listener: socket.socket) -> tuple[socket.socket, object]:
        accepted.append(accept(listener)[0])
        return accepted[-1], accepted[-1].getpeername()

    monkeypatch.setattr(socket.socket, "accept", accepting)
    server = Server(Starlette(routes=[Route("/", look)]), "127.0.0.1", 0)
    server.start()
    async with httpx.AsyncClient() as client:
        await client.get(f"http://127.0.0.1:{server.port}/")
    await server.stop()
    assert delays == [False]


async def test_a_request_in_flight_ends_before_the_stop() -> None:
    server = Server(Starlette(routes=[Route("/", slow)]), "127.0.0.1", 0)
    server.start()
    async with httpx.AsyncClient() as client:
        answer = asyncio.create_task(client.get(f"http://127.0.0.1:{server.port}/"))
        await asyncio.sleep(0.15)
        await server.stop()
        assert (await answer).text == "done"


async def test_one_that_takes_too_long_is_let_go_before_what_it_works_with_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("worker.web.server.GRACE_SECONDS", 0.1)
    done: list[str] = []

    async def hangs(_: Request) -> Response:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            done.append("put away")
        return PlainTextResponse("")

    server = Server(Starlette(routes=[Route("/", hangs)]), "127.0.0.1", 0)
    server.start()
    async with httpx.AsyncClient() as client:
        answer = asyncio.create_task(client.get(f"http://127.0.0.1:{server.port}/"))
        await asyncio.sleep(0.15)
        await server.stop()
        assert done == ["put away"]
        with contextlib.suppress(httpx.HTTPError):
            assert (await answer).status_code == 500


async def test_it_stops_right_after_its_start_twice_or_without_one() -> None:
    server = Server(Starlette(), "127.0.0.1", 0)
    await server.stop()
    server = Server(Starlette(), "127.0.0.1", 0)
    server.start()
    await server.stop()
    await server.stop()


async def test_a_taken_port_is_an_error_and_not_the_end_of_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use") as error:
        Server(Starlette(), "127.0.0.1", port := taken.getsockname()[1]).start()
    assert str(error.value).startswith(f"http.listen: 127.0.0.1:{port} cannot be listened on: ")
    assert "Errno" not in str(error.value)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_that_is_not_ours_is_told_with_its_key(host: str) -> None:
    with pytest.raises(CannotListen, match=r"^http\.listen: .* another address or port"):
        Server(Starlette(), host, 8080).start()


async def test_signals_stay_with_the_worker() -> None:
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, heard.set)
    server = Server(Starlette(routes=[Route("/", slow)]), "127.0.0.1", 0)
    server.start()
    try:
        await asyncio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(heard.wait(), 2)
        async with httpx.AsyncClient() as client:  # It is the worker who decides.
            assert (await client.get(f"http://127.0.0.1:{server.port}/")).status_code == 200
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        await server.stop()
