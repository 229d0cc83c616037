"""What a test of all channels sees of a service: its stand-in and a person who uses it, whatever it is."""

from abc import ABC, abstractmethod

from integrations.channels.base import Button, Channel, Outgoing, Posted
from integrations.standins.faults import Faults
from tests.integrations.clock import Clock

MARIA = "Мария"
PHONE = "+79140000001"
DIGITS = tuple(str(n) for n in range(1, 11))
ASK = Outgoing(
    text="Оцените от 1 до 10",
    buttons=(tuple(Button(n, f"s:1:{n}") for n in DIGITS),),
    poll=DIGITS,
)
URL = "https://sarafan.example.com/webhooks/place/path-secret"
SECRET = "a" * 64  # of the header
NAMES = {"voice": "audio", "photo": "image"}  # as all but Telegram call them


class World(ABC):
    """One service with Мария, who uses it."""

    clock: Clock
    faults: Faults
    sending: str  # the address that takes a question
    askings = 1  # of the service for one question, at most
    tells_who_left = True  # that a person has blocked us, and is back

    @abstractmethod
    def channel(self, *, token: str | None = None) -> Channel: ...
    @abstractmethod
    def chat(self) -> str: ...
    @abstractmethod
    def received(self) -> list[str]: ...
    @abstractmethod
    def tap(self, option: str, under: str = "") -> None:
        """`under`: the id of a question, the newest without it."""

    @abstractmethod
    def types(self, text: str, quote: str = "") -> str:
        """Gives the message's id."""

    @abstractmethod
    def edits(self, message_id: str, text: str) -> None: ...
    @abstractmethod
    def sends(self, media: str, caption: str = "") -> None:
        """`media`: voice, photo or sticker."""

    @abstractmethod
    def vanish(self) -> None:
        """She is not on this messenger, or never opened the bot."""

    @abstractmethod
    def repeat(self) -> None:
        """The service tells of the newest thing once more."""

    def busy(self, seconds: int) -> None:
        self.faults.add(self.sending, times=0, status=429, headers={"Retry-After": str(seconds)})

    def posts(self) -> list[Posted]:
        """What the service has posted to our address since this was asked last; none where it is polled."""
        return []

    def leaves(self) -> None:
        """She blocks us; only where the service tells."""
        raise NotImplementedError

    def comes_back(self) -> None:
        raise NotImplementedError

    def tells_status(self, message_id: str, status: str) -> None:
        """And none by itself any more; only where the channel has receipts."""
        raise NotImplementedError

    def assert_calls_fit(self) -> None:  # noqa: B027 - few services describe themselves
        """Fail with whatever the service's own description does not allow, where there is one."""
