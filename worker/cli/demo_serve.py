"""`sarafan demo --serve`: the made-up company stays up, with a page on which a person plays its people."""

import asyncio
import errno
import signal
import socket
import sys
import tempfile
import traceback
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from integrations.standins.town import HOST, Town, serving
from storage.database import Database
from worker.app import App
from worker.cli.data import scope_of
from worker.cli.demo import Errors, log_in, settings_in
from worker.cli.demo_cast import BEGINS, CONFIG
from worker.cli.demo_page import page
from worker.cli.demo_scene import Scene
from worker.cli.demo_town import COMPANY, ZONE
from worker.clock import ManualClock
from worker.config.settings import Settings
from worker.reports.build import build_report
from worker.reports.text import as_text
from worker.rules.calendar import current_quarter, so_far
from worker.web.dashboard import dashboard_routes

INVITATION = f"""\
«{COMPANY}» открыта: {{address}}
Откройте эту страницу: вы и клиент в Telegram и WhatsApp, и руководитель отдела продаж. Компания выдумана,
программа настоящая. Первые две сделки уже закрыты, их клиентов спросили. В сеть ничего не уходит.
Закончить — Ctrl-C.
"""


def run(port: int) -> int:
    """Exit code 0 when it was told to stop; 1 if the port is taken or the worker failed at the start."""
    if trouble := _trouble_with(port):
        print(f"На порту {port} открыть страницу нельзя: {trouble}.", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="sarafan-demo-") as folder, log_in(Path(folder)) as log:
            return asyncio.run(_serve(Path(folder), log, port))
    except Exception:  # noqa: BLE001 - whatever it is, the reader sees it and the command fails
        traceback.print_exc()
        return 1


def _trouble_with(port: int) -> str:
    """Said before the company is made, which takes seconds."""
    try:
        with socket.create_server((HOST, port)):
            return ""
    except PermissionError:
        return "порты ниже 1024 даются не всем"
    except OSError as error:
        return "он занят" if error.errno == errno.EADDRINUSE else str(error.strerror)


async def _serve(folder: Path, log: Errors, port: int) -> int:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        address = await opened(stack, folder, log, port)
        print(INVITATION.format(address=address), flush=True)
        await stop.wait()
    return 0


async def opened(stack: AsyncExitStack, folder: Path, log: Errors, port: int = 0) -> str:
    """Everything up, until the stack is closed; gives the page's address."""
    clock = ManualClock(BEGINS)
    town = Town(clock.now, rate_limit=None)
    town.whatsapp.longest_wait = 0  # a poll of the gateway waits in real seconds
    addresses = await stack.enter_async_context(town.served())
    settings = settings_in(folder, town, addresses, CONFIG)
    db = await Database.open(settings.storage.url, is_private=True)
    stack.push_async_callback(db.close)
    app = await App.build(settings, db=db, clock=clock, is_paced=False)
    stack.push_async_callback(app.close)
    scene = Scene(app, town, addresses, clock, log)
    stack.push_async_callback(scene.close)
    await scene.open()
    address = await stack.enter_async_context(
        serving(
            page(
                scene,
                partial(_report, settings, db, clock),
                dashboard_routes(app.dashboard.show, app.health),
            ),
            port,
        )
    )
    app.hands.public_url = address  # known only now
    stack.callback(scene.stop)
    return address


async def _report(settings: Settings, db: Database, clock: ManualClock) -> str:
    now = clock.now()
    period = so_far(current_quarter(now, ZONE), now)
    return as_text(await build_report(db, period, await scope_of(settings, db), now), settings.texts)
