"""A webhook that stores replies before it answers 200, in a process of its own: what the senders measure.

The worker's own server and inbox; only the route is made for this, since all channels of today are polled.
"""

import argparse
import asyncio
import os
import signal
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from storage.database import Database
from storage.inbox import InboxWriter
from worker.web.server import Server


@dataclass(frozen=True, slots=True)
class Update:
    """As a channel would read it from the request."""

    external_id: str
    kind: str
    body: bytes


async def serve(database: str, *, one_each: bool) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    db = await Database.open(database)
    await db.claim_instance()  # With checkpoints, as the worker has them.
    shared = InboxWriter(db)

    async def take(request: Request) -> Response:
        # A writer that nobody shares has nothing to gather: a transaction for each request.
        writer = InboxWriter(db) if one_each else shared
        update = Update(request.path_params["id"], "message", await request.body())
        await writer.put("bench", [update], datetime.now(UTC))
        return PlainTextResponse("ok\n")

    server = Server(Starlette(routes=[Route("/{id}", take, methods=["POST"])]), "127.0.0.1", 0)
    server.start()
    print(server.port, _fsync_ms(), flush=True)
    await stop.wait()
    await server.stop()
    await shared.close()
    await db.close()


def _fsync_ms() -> float:
    """To see that the slow disk is one."""
    with tempfile.TemporaryFile() as file:
        began = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--one-each", action="store_true")
    options = parser.parse_args()
    asyncio.run(serve(options.database, one_each=options.one_each))
