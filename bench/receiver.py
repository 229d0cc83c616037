"""The worker's web server with Green-API's webhook and the inbox, in a process of its own."""

import argparse
import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from integrations.channels.base import GatewaySettings, Raw
from integrations.channels.greenapi import GreenApi
from storage.counts import RowCounts
from storage.database import Database
from storage.inbox import InboxWriter
from worker.web.health import Health
from worker.web.server import Server, build_app
from worker.web.webhooks import Hooks

SECRET = "path-of-the-bench"  # noqa: S105 - of nothing
INSTANCE = 7103000000


async def serve(database: str, *, one_each: bool) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    db = await Database.open(database)
    await db.claim_instance()  # With checkpoints, as the worker has them.
    shared = InboxWriter(db)
    gateway = GreenApi("whatsapp", GatewaySettings(instance_id=str(INSTANCE), receive="webhook"))

    async def keep(channel: str, updates: Sequence[Raw]) -> int:
        # A writer that nobody shares has nothing to gather: a transaction for each request.
        writer = InboxWriter(db) if one_each else shared
        return await writer.put(channel, updates, datetime.now(UTC))

    health = Health(limits={}, ping=_nothing, count=_no_rows)
    hooks = Hooks({"whatsapp": gateway}, keep)
    app = build_app(health, webhook_secret=SECRET, wake_pull=lambda: None, hooks=hooks)
    server = Server(app, "127.0.0.1", 0)
    server.start()
    print(server.port, _fsync_ms(), flush=True)
    await stop.wait()
    await server.stop()
    await shared.close()
    await gateway.close()
    await db.close()


async def _nothing() -> None:
    return


async def _no_rows() -> RowCounts:
    return RowCounts()


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
