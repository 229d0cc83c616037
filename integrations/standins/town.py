"""All stand-ins together on one clock: as servers on loopback, or inside the process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import uvicorn
from starlette.types import ASGIApp

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.max import MaxStandIn
from integrations.standins.telegram import TelegramStandIn
from integrations.standins.whatsapp import GreenApiStandIn

HOST = "127.0.0.1"
HEAD = "Анна"  # the sales head: has opened the bot, and takes complaints as HEAD_IN_AMOCRM
HEAD_ID = 111_111_111
HEAD_IN_AMOCRM = "Мария Ким"

# Questions leave at once and at any hour, so that whoever tries it out waits for nothing.
CONFIG = """\
[company]
name = "ВладАвтоматика"
timezone = "Asia/Vladivostok"
holidays = ""

[storage]
url = "sqlite:///sarafan.db"

[amocrm]
base_url = "{amocrm}"
token = "{amocrm_token}"
poll_interval = "2s"

[telegram]
token = "{telegram_token}"
api_url = "{telegram}"

[whatsapp]
provider = "greenapi"
base_url = "{whatsapp}"
instance_id = "{instance_id}"
api_token = "{whatsapp_token}"
gap = "0s"

[delivery]
send_window = "00:00-24:00"
send_days = "mon-sun"

[[survey]]
key = "nps"
metric = "nps"
delay = "0s"

[complaints]
pipeline = "Рекламации"

[alerts]
quiet_hours = ""

[[staff]]
telegram_id = {head_id}
name = "{head}"
role = "head"
amocrm_user = "{head_in_amocrm}"
"""


MAX = """\

[max]
token = "{token}"
api_url = "{address}"
"""

ACCOUNT = """\

[{name}]
provider = "greenapi"
base_url = "{address}"
instance_id = "{instance_id}"
api_token = "{token}"
gap = "0s"
"""

MORE = ("max", "max_account", "telegram_account")  # messengers beside the usual ones


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers listen, such as `http://127.0.0.1:9001`."""

    amocrm: str
    telegram: str
    whatsapp: str
    more: Mapping[str, str] = field(default_factory=dict)  # of MORE, those that there are


def real_clock() -> datetime:
    return datetime.now(UTC)


class Town:
    """One made-up company's amoCRM, bot and WhatsApp account, and everybody whom they reach."""

    def __init__(
        self,
        clock: Callable[[], datetime] = real_clock,
        *,
        filters: bool = True,
        rate_limit: int | None = 7,
        more: Sequence[str] = (),
    ) -> None:
        """`more`: of MORE, which other messengers the company has."""
        self.clock = clock
        self.amocrm = AmoCrmStandIn(clock, filters=filters, rate_limit=rate_limit)
        self.telegram = TelegramStandIn(clock)
        self.whatsapp = GreenApiStandIn(clock)
        self.telegram.person(HEAD, user_id=HEAD_ID).has_started = True
        self.max = MaxStandIn(clock)
        self.accounts = {
            f"{messenger}_account": GreenApiStandIn(clock, messenger=messenger)
            for messenger in ("max", "telegram")
        }
        self._more = tuple(name for name in MORE if name in more)

    def amocrm_transport(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(self.amocrm.app)

    def telegram_transport(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(self.telegram.app)

    def whatsapp_transport(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(self.whatsapp.app)

    @asynccontextmanager
    async def served(self, port_base: int = 0) -> AsyncIterator[Addresses]:
        """Serve all in the running loop, on `port_base` and the ports after it (0: any free ones)."""
        async with AsyncExitStack() as stack:
            addresses = [
                await stack.enter_async_context(serving(app, port_base + place if port_base else 0, wake))
                for place, (app, wake) in enumerate(self._servers())
            ]
            amocrm, telegram, whatsapp, *more = addresses
            yield Addresses(amocrm, telegram, whatsapp, dict(zip(self._more, more, strict=True)))

    def _servers(self) -> Sequence[tuple[ASGIApp, Callable[[], None]]]:
        others: dict[str, MaxStandIn | GreenApiStandIn] = {"max": self.max, **self.accounts}
        return (
            (self.amocrm.app, lambda: None),
            (self.telegram.app, self.telegram.wake),
            (self.whatsapp.app, self.whatsapp.wake),
            *((others[name].app, others[name].wake) for name in self._more),
        )

    def config(self, addresses: Addresses) -> str:
        """A config.toml for a worker in this town."""
        return self._usual(addresses) + "".join(
            MAX.format(token=self.max.token, address=address)
            if name == "max"
            else ACCOUNT.format(
                name=name,
                address=address,
                instance_id=self.accounts[name].instance_id,
                token=self.accounts[name].token,
            )
            for name, address in addresses.more.items()
        )

    def _usual(self, addresses: Addresses) -> str:
        return CONFIG.format(
            amocrm=addresses.amocrm,
            amocrm_token=self.amocrm.token,
            telegram=addresses.telegram,
            telegram_token=self.telegram.token,
            whatsapp=addresses.whatsapp,
            instance_id=self.whatsapp.instance_id,
            whatsapp_token=self.whatsapp.token,
            head_id=HEAD_ID,
            head=HEAD,
            head_in_amocrm=HEAD_IN_AMOCRM,
        )


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0, wake: Callable[[], None] = lambda: None) -> AsyncIterator[str]:
    """Serve one application on loopback and give its address. `wake` ends its long polls when it stops."""
    # Named, the protocol reaches the accepted sockets too, and asyncio sends small answers at once only where
    # it is TCP by name; otherwise every other answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=60,  # Longer than clients keep theirs, or both may end at once what one just used.
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if running.done():
                running.result()
            await asyncio.sleep(0.01)
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        while not running.done():  # A client may ask again before the server closes its connection.
            wake()
            await asyncio.wait({running}, timeout=0.05)
        running.result()
        listener.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program that serves."""
        yield
