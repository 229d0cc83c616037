"""Clocks and scales: wall and processor time, memory of a process, the disk, the machine."""

import math
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.progress import Progress

T = TypeVar("T")
MS = 1000.0  # in a second
MB = 1024.0  # kilobytes, as /proc counts


@dataclass(frozen=True, slots=True)
class Run:
    """One run: where its files go, how much it does, and the bar that shows how far it is."""

    folder: Path
    is_quick: bool
    progress: Progress

    def size(self, full: int, quick: int) -> int:
        return quick if self.is_quick else full

    def track(self, items: Sequence[T], what: str) -> Iterator[T]:
        task = self.progress.add_task(what, total=len(items))
        try:
            for item in items:
                yield item
                self.progress.advance(task)
        finally:
            self.progress.remove_task(task)

    @contextmanager
    def steps(self, total: int, what: str) -> Iterator[Callable[[], None]]:
        """To be called at each step, for work that no loop of ours drives."""
        task = self.progress.add_task(what, total=total)
        try:
            yield partial(self.progress.advance, task)
        finally:
            self.progress.remove_task(task)


@dataclass(slots=True)
class Spent:
    """Seconds. On a busy machine the wall clock also counts what others did; the processor's does not."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def spending() -> Iterator[Spent]:
    """What this block took in this process, all its threads."""
    spent = Spent()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield spent
    finally:
        spent.wall, spent.cpu = time.perf_counter() - wall, time.process_time() - cpu


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that so many per cent of all do not exceed.

    >>> percentile([5, 1, 4, 2, 3], 50), percentile(range(1, 101), 99)
    (3, 99)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def cpu_seconds(pid: int) -> float:
    """What a process has used so far. Source: proc(5), fields 14 and 15 of `stat`."""
    # The second field is the name, in brackets: it may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int, what: str = "VmRSS") -> float:
    """Megabytes resident now, or the most that ever were: `VmHWM`. Source: proc(5)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / MB
    raise LookupError(f"no {what} of process {pid}")


def fsync_time(folder: Path) -> float:
    """Milliseconds that one fsync of a grown file takes here, p50 of 100."""
    times = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return percentile(times, 50) * MS


def machine(folder: Path) -> str:
    """A sentence on what it ran on."""
    memory_total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} processors ({_processor()}), "
        f"{memory_total:.0f} GB of memory, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}. An fsync takes {fsync_time(folder):.2g} ms here (p50)."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
