"""Companies whose worker and stand-ins are processes of their own, for what can only be seen from outside."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stories.company import PATIENCE, Company, company

# As in production; the stories look for deals every second and log everything.
PLAIN = {"amocrm": {"poll_interval": "5m", "requests_per_second": 5}, "log": {"level": "info"}}


@contextmanager
def shop(folder: Path) -> Iterator[Company]:
    folder.mkdir(exist_ok=True)
    with company(folder, f"sqlite:///{folder / 'sarafan.db'}") as made:
        yield made


def pid(of: Company) -> int:
    if of.worker is None:
        raise RuntimeError("the worker does not run")
    return of.worker.pid


def seconds_until_ready(of: Company, began: float) -> float:
    """Asked by the plainest client every 10 ms: another would take the processor that the start needs."""
    host, _, port = of.config["http"]["listen"].rpartition(":")
    while not _is_ready(host, int(port)):
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError(f"the worker is not ready after {PATIENCE:g} seconds: {of.log[-2000:]}")
        time.sleep(0.01)
    return time.perf_counter() - began


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
