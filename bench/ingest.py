"""Replies a second that are on disk before their sender hears 200, and how long the slowest waited."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, at_least, at_most, ratio
from bench.measure import MS, Run, cpu_seconds, percentile
from bench.receiver import INSTANCE, SECRET
from worker.web.webhooks import header_secret, hook_path

SENDERS = 64  # connections, each waiting for its answer before it sends the next
SLOWER_MS = 5
SHIM = Path(__file__).with_name("slow_disk.c")
ID = "3EB0C767D097B7C7C1F7"  # of a message; each has its own
PLACE = "whatsapp"
HEAD = (
    f"POST {hook_path(PLACE, SECRET)} HTTP/1.1\r\nhost: bench\r\n"
    f"authorization: {header_secret(SECRET, PLACE)}\r\ncontent-length: %d\r\n\r\n"
).encode()
BODY = json.dumps(
    {
        "typeWebhook": "incomingMessageReceived",
        "instanceData": {"idInstance": INSTANCE, "wid": "79140000000@c.us", "typeInstance": "whatsapp"},
        "timestamp": 1788800000,
        "idMessage": ID,
        "senderData": {"chatId": "79140000001@c.us", "sender": "79140000001@c.us", "senderName": "Иван"},
        "messageData": {
            "typeMessage": "textMessage",
            "textMessageData": {"textMessage": "9, спасибо Олегу, всё сделали за один день"},
        },
    },
    ensure_ascii=False,
).encode()


@dataclass(frozen=True, slots=True)
class Ingest:
    """One run of the senders against one receiver."""

    per_second: float
    p99: float  # milliseconds
    cpu: float  # milliseconds of the receiver's processor time, for one reply


def measure(run: Run) -> list[Figure]:
    grouped = _ingest(run, "grouped", count=run.size(10_000, 300))
    alone = _ingest(run, "one each", count=run.size(2_000, 100), one_each=True)
    figures = [*_figures("", grouped, floor=1000), *_figures("one transaction each: ", alone)]
    figures.append(ratio("replies: grouped against one transaction each", figures[0], figures[3]))
    shim = _compile(run.folder)
    if shim is None:
        why = "left out: there is no C compiler (cc), or this is no Linux"
        return [*figures, Figure(what="replies with a slow disk", value=None, unit="per second", note=why)]
    slow = {"LD_PRELOAD": str(shim), "SLOW_DISK_MS": str(SLOWER_MS)}
    grouped = _ingest(run, "slow disk", count=run.size(5_000, 200), env=slow)
    alone = _ingest(run, "slow disk, one each", count=run.size(500, 50), env=slow, one_each=True)
    slower = [
        *_figures(f"fsync + {SLOWER_MS} ms: ", grouped, floor=600),
        *_figures(f"fsync + {SLOWER_MS} ms, one transaction each: ", alone),
    ]
    what = f"replies, fsync + {SLOWER_MS} ms: grouped against one transaction each"
    return [*figures, *slower, ratio(what, slower[0], slower[3])]


def _figures(prefix: str, ingest: Ingest, floor: float | None = None) -> list[Figure]:
    """`floor`: the goal, in replies a second."""
    return [
        Figure(
            what=f"{prefix}replies taken in",
            value=ingest.per_second,
            unit="per second",
            goal=at_least(floor) if floor else None,
            note=f"Green-API's webhook, {SENDERS} senders in another process; 200 after the commit",
        ),
        Figure(
            what=f"{prefix}until its answer, p99",
            value=ingest.p99,
            unit="ms",
            goal=at_most(100) if floor else None,
        ),
        Figure(what=f"{prefix}processor time for one", value=ingest.cpu, unit="ms"),
    ]


def _compile(folder: Path) -> Path | None:
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return None
    shim = folder / "slow_disk.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", shim, SHIM, "-ldl"], check=True)  # noqa: S603
    return shim


def _ingest(
    run: Run, name: str, *, count: int, one_each: bool = False, env: Mapping[str, str] | None = None
) -> Ingest:
    file = run.folder / f"ingest {name}.db"
    with _receiver(file, one_each=one_each, env=env or {}) as (pid, port):
        asyncio.run(_send(port, "warm", SENDERS * 2))  # Connections and statements are made once.
        with run.steps(count, f"ingest, {name}") as step:
            cpu, began = cpu_seconds(pid), time.perf_counter()
            latencies = asyncio.run(_send(port, "reply", count, step))
            wall, cpu = time.perf_counter() - began, cpu_seconds(pid) - cpu
    stored = _stored(file)
    if stored != count:
        raise RuntimeError(f"{count} replies were answered with 200, and {stored} are in the database")
    return Ingest(count / wall, percentile(latencies, 99) * MS, cpu / count * MS)


@contextmanager
def _receiver(file: Path, *, one_each: bool, env: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Its process and its port."""
    command = [sys.executable, "-m", "bench.receiver", f"sqlite:///{file}", *(["--one-each"] * one_each)]
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **env}
    )
    try:
        assert process.stdout is not None  # noqa: S101 - for the type: it was asked for
        port, fsync_ms = process.stdout.readline().split()
        if env and float(fsync_ms) < SLOWER_MS:
            raise RuntimeError(f"the slow disk is not slow: an fsync took {fsync_ms} ms")
        yield process.pid, int(port)
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def _send(port: int, name: str, count: int, step: Callable[[], None] = lambda: None) -> list[float]:
    """Seconds until each answer. Sockets by hand: a client library takes too much of the processor."""
    numbers = iter(range(count))
    latencies: list[float] = []

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            began = time.perf_counter()
            body = BODY.replace(ID.encode(), f"{name}-{number}".encode())
            writer.write(HEAD % len(body) + body)
            answer = await reader.readuntil(b"ok\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"the receiver answered {answer[:100]!r}")
            latencies.append(time.perf_counter() - began)
            step()
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(sender() for _ in range(min(SENDERS, count))))
    return latencies


def _stored(file: Path) -> int:
    with closing(sqlite3.connect(file)) as db:
        return int(db.execute("SELECT count(*) FROM inbox WHERE external_id LIKE 'reply-%'").fetchone()[0])
