"""A made-up company as processes: the stand-ins in one, `sarafan run` in another, people on their phones."""

import json
import math
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from integrations.standins.faults import Logged
from tests.world import merged, toml

SARAFAN = Path(sys.executable).with_name("sarafan")
PATIENCE = 120.0  # seconds: on a machine that is busy with other things; else it takes one or two
HELD = 60.0  # seconds: as good as for ever in these tests
IVAN, IVANS_NAME = "+79146660001", "Иван Зимородков"
ANNA = "Анна"  # the sales head
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to read all roots anew costs more than to look
Json = dict[str, Any]
T = TypeVar("T")


# Flows are tried on both databases, so a story that turns on no database is told once.
ON_SQLITE = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)


def until(look: Callable[[], T], what: str = "", within: float = PATIENCE, *, every: float = 0.1) -> T:
    """What `look` sees, as soon as it sees something; it looks again after so many seconds."""
    ends_at = time.monotonic() + within
    while not (seen := look()):
        if time.monotonic() > ends_at:
            raise AssertionError(f"{what or 'what was waited for'} did not come within {within:g} seconds")
        time.sleep(every)
    return seen


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Call:
    """A request that came to a stand-in; status 0 while it has no answer."""

    method: str
    path: str
    body: str
    status: int
    seconds: float


class Place:
    """A stand-in, as people and testers meet it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=5, trust_env=False)

    def do(self, helper: str, **arguments: Any) -> Any:
        answer = self._http.post(f"/_control/{helper}", json=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def calls(self, path: str, method: str = "") -> list[Call]:
        """The requests whose path has this pattern, in the order in which they came."""
        names = Call.__dataclass_fields__
        log = [
            Call(**{name: row[name] for name in names}) for row in self._http.get("/_control/requests").json()
        ]
        return [call for call in log if re.search(path, call.path) and method in ("", call.method)]

    def logged(self) -> list[Logged]:
        """All requests, as the stand-in itself keeps them but for their headers."""
        return [
            Logged(**{**row, "body": row["body"].encode(), "at": datetime.fromisoformat(row["at"])})
            for row in self._http.get("/_control/requests").json()
        ]

    def breaks(self, path: str, **how: Any) -> None:
        """Let something go wrong with requests to this path, a regular expression."""
        self._http.post("/_control/faults", json={"path": path, **how}).raise_for_status()

    def mended(self) -> None:
        self._http.delete("/_control/faults").raise_for_status()

    def close(self) -> None:
        self._http.close()


@dataclass(slots=True)
class Company:
    """Its amoCRM, its bot and its WhatsApp number, and the worker that runs beside them."""

    folder: Path
    config: Json
    amocrm: Place
    telegram: Place
    whatsapp: Place
    worker: subprocess.Popen[bytes] | None = None
    contacts: dict[str, int] = field(default_factory=dict)  # the newest contact of each phone
    private: set[str] = field(default_factory=set)  # what no log may ever hold

    # The worker

    @property
    def config_file(self) -> Path:
        return self.folder / "config.toml"

    @property
    def bot_token(self) -> str:
        return str(
            tomllib.loads((self.folder / "given.toml").read_text(encoding="utf-8"))["telegram"]["token"]
        )

    @property
    def log_file(self) -> Path:
        return self.folder / "worker.log"

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8") if self.log_file.exists() else ""

    def settle(self, **more: Any) -> None:
        """Change the config; it counts from the next start."""
        self.config = merged(self.config, more)
        self.config_file.write_text(toml(self.config), encoding="utf-8")

    def start(self, **more: Any) -> subprocess.Popen[bytes]:
        """Start the worker; what it writes is added to one log."""
        self.settle(**more)
        with self.log_file.open("ab") as log:
            self.worker = subprocess.Popen(  # noqa: S603
                [SARAFAN, "run", "--config", self.config_file],
                cwd=self.folder,
                env=environment(),
                stdout=log,
                stderr=log,
            )
        return self.worker

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self, within: float = 10) -> int:
        """Ask it to stop; the exit code."""
        return self._end(signal.SIGTERM, within)

    def restart(self) -> None:
        """Killed, whatever goes wrong outside is over, and started again."""
        self.kill()
        self.mended()
        self.start()

    def _end(self, how: signal.Signals, within: float = 10) -> int:
        assert self.worker is not None
        worker, self.worker = self.worker, None
        worker.send_signal(how)
        try:
            return worker.wait(within)
        finally:
            worker.kill()
            worker.wait()

    def exit_code(self, within: float = PATIENCE) -> int:
        """Of a worker that ends by itself."""
        assert self.worker is not None
        worker, self.worker = self.worker, None
        try:
            return worker.wait(within)
        finally:
            worker.kill()
            worker.wait()

    def mended(self) -> None:
        """Nothing goes wrong outside any more."""
        for place in (self.amocrm, self.telegram, self.whatsapp):
            place.mended()

    def web(self, path: str, method: str = "GET") -> httpx.Response | None:
        """An answer of the worker's own server; None while nobody listens."""
        try:
            return httpx.request(
                method, f"http://{self.config['http']['listen']}{path}", trust_env=False, verify=NO_TLS
            )
        except httpx.TransportError:
            return None

    def is_ready(self) -> bool:
        answer = self.web("/readyz")
        return answer is not None and answer.status_code == 200

    def wait_until_ready(self) -> None:
        until(self.is_ready, "a worker that is ready")

    def wait_until_idle(self) -> None:
        """Everything that had to be done outside is done."""
        # One look at both: between two, what is being done could end and leave something else to do.
        until(lambda: self.outbox_rows("waiting|doing") == 0, "an empty outbox")

    def wait_until_heard(self) -> None:
        """The gateway's queue is empty: the worker waits for the next notification."""

        def is_waiting() -> bool:
            newest = self.whatsapp.calls("/receiveNotification/")[-1:]
            return bool(newest) and newest[0].status == 0

        until(is_waiting, "an empty queue of the gateway")

    def outbox_rows(self, state: str) -> float:
        return self.metric("sarafan_outbox_rows", f'state="({state})"')

    def metric(self, series: str, *labels: str) -> float:
        """The sum of a series of `/metrics` over the lines that hold these labels, regular expressions."""
        answer = self.web("/metrics")
        if answer is None:
            return math.nan  # Nobody listens: that is no number, least of all none left to do.
        lines = answer.text.splitlines()
        found = [
            line for line in lines if line.startswith(series) and all(re.search(one, line) for one in labels)
        ]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def sarafan(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Another command, beside the worker."""
        command = [SARAFAN, words[0], "--config", self.config_file, *words[1:]]
        return subprocess.run(  # noqa: S603
            [str(word) for word in command],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def exported(self) -> list[Json]:
        """All replies, by `sarafan export`."""
        done = self.sarafan("export", "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    # amoCRM

    def deal(self, name: str = "Ворота", *, phone: str = IVAN, client: str = IVANS_NAME, **more: Any) -> int:
        """An open deal of Oleg's with this client."""
        self.private |= {*client.split(), phone[-10:]}
        contact = self.contacts[phone] = self.amocrm.do("add_contact", name=client, phones=[phone])
        more.setdefault("responsible", "Олег Смирнов")
        return int(self.amocrm.do("add_lead", name=name, contacts=[contact], **more))

    def won_deal(self, name: str = "Ворота", **more: Any) -> int:
        deal = self.deal(name, **more)
        self.amocrm.do("close_lead", lead_id=deal)
        return deal

    def value(self, deal: int, name: str) -> Any:
        return self.amocrm.do("field_value", lead_id=deal, field_name=name)

    def score(self, deal: int, name: str = "NPS") -> int | None:
        value = self.value(deal, name)
        return None if value is None else int(value)

    def notes(self, deal: int) -> list[str]:
        return [str(note) for note in self.amocrm.do("notes_of", lead_id=deal)]

    def tasks(self, deal: int) -> list[Json]:
        return list(self.amocrm.do("tasks_of", lead_id=deal))

    def complaints(self) -> list[Json]:
        return list(self.amocrm.do("leads_in", pipeline="Рекламации"))

    # WhatsApp

    def to_ivan(self) -> list[str]:
        return [str(message["text"]) for message in self.whatsapp.do("messages", who=IVAN)]

    def questions(self, about: str = "порекомендуете") -> list[str]:
        return [text for text in self.to_ivan() if about in text]

    def wait_for_question(self, about: str = "порекомендуете") -> str:
        return until(lambda: self.questions(about), f"a question with «{about}»")[-1]

    def ivan_writes(self, text: str) -> None:
        self.private |= {word for word in text.split() if len(word) > 5}
        self.whatsapp.do("says", who=IVAN, text=text)

    # Telegram

    def bot_wrote(self, who: str = ANNA) -> list[Json]:
        return list(self.telegram.do("messages", who=who))

    def alerts(self) -> list[Json]:
        """What the head was told about low scores."""
        return [message for message in self.bot_wrote() if message["text"].startswith("Низкая оценка")]


def environment() -> Mapping[str, str]:
    """Nothing of this machine's own settings; what was compiled once is not compiled at each start."""
    unwanted = ("SARAFAN_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}


@contextmanager
def company(folder: Path, database: str, *options: str) -> Iterator[Company]:
    """The stand-ins as a process, a config that fits, and no worker yet."""
    given = folder / "given.toml"
    command = [sys.executable, "-m", "integrations.standins", "--config", str(given), *options]
    town = subprocess.Popen(  # noqa: S603
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True
    )
    made: Company | None = None
    try:
        assert town.stdout is not None
        for line in town.stdout:
            if line.startswith("# ready"):
                break
        config = tomllib.loads(given.read_text(encoding="utf-8"))
        own = {
            "storage": {"url": database},
            "http": {"listen": f"127.0.0.1:{free_port()}"},
            "amocrm": {"poll_interval": "1s", "requests_per_second": 7, "surveys_since": "2026-01-01"},
            # Deals close by the dozen here, and nobody is to be asked for a word.
            "delivery": {"hold_above": 0},
            # Each low score is looked for in an alert of its own, at any hour.
            "alerts": {"burst": 1000},
            "reports": {"daily": "", "weekly": "", "monthly": ""},
            "log": {"level": "debug"},
        }
        made = Company(
            folder,
            merged(config, own),
            private={config["telegram"]["token"], config["whatsapp"]["api_token"], config["amocrm"]["token"]},
            amocrm=Place(config["amocrm"]["base_url"]),
            telegram=Place(config["telegram"]["api_url"]),
            whatsapp=Place(config["whatsapp"]["base_url"]),
        )
        yield made
    finally:
        if made is not None:
            if made.worker is not None:
                made.kill()
            for place in (made.amocrm, made.telegram, made.whatsapp):
                place.close()
        town.kill()
        town.wait()
        if town.stdout is not None:
            town.stdout.close()
