"""The clocks of processes, moved while they look: that on the wall alone, or the stopwatch with it."""

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.shims import compiled

AFTERMATH = 2.0  # seconds until connections that nobody used for so long are closed, at both ends

# Preloaded, it stands before the C library, where Python asks for the time of day.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *offsets; /* seconds: of the wall clock, of the stopwatch */

__attribute__((constructor)) static void open_offsets(void) {
    const char *path = getenv("MOVED_CLOCK");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, 2 * sizeof(long long), PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) offsets = page;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (offsets && clock == CLOCK_REALTIME) now->tv_sec += offsets[0];
    if (offsets && clock == CLOCK_MONOTONIC) now->tv_sec += offsets[1];
    return result;
}

/* How long a lock is waited for is told to the kernel as a moment of its own stopwatch. */
int sem_clockwait(sem_t *lock, clockid_t clock, const struct timespec *until) {
    static int (*real)(sem_t *, clockid_t, const struct timespec *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sem_clockwait");
    struct timespec exact = *until;
    if (offsets && clock == CLOCK_MONOTONIC) exact.tv_sec -= offsets[1];
    return real(lock, clock, &exact);
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (result) *result = exact.tv_sec;
    return exact.tv_sec;
}
"""


class MovedClocks:
    """Of all processes that are started after `install`; never of the test's own."""

    def __init__(self, folder: Path) -> None:
        source = folder / "clock.c"
        source.write_text(SHIM, encoding="ascii")
        self._library = compiled(source, folder)
        self._file = folder / "clock.offsets"
        self._file.write_bytes(struct.pack("qq", 0, 0))
        self._wall = self._stopwatch = 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LD_PRELOAD", str(self._library))
        monkeypatch.setenv("MOVED_CLOCK", str(self._file))

    def now(self) -> datetime:
        """What they see on the wall."""
        return datetime.now(UTC) + timedelta(seconds=self._wall)

    def is_off_by(self, seconds: int) -> None:
        """The wall clock alone is wrong."""
        self._wall = seconds
        self._write()

    def pass_by(self, seconds: int) -> None:
        """So much time is over at once, by either clock; who waits for an answer has waited for so long."""
        self._wall += seconds
        self._stopwatch += seconds
        self._write()
        time.sleep(AFTERMATH)

    def pass_until(self, moment: datetime) -> None:
        self.pass_by(int((moment - self.now()).total_seconds()))

    def _write(self) -> None:
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), 16) as page:
            page[:] = struct.pack("qq", self._wall, self._stopwatch)
