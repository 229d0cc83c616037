"""What every messenger offers, and what passes through it: one small protocol for all channels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: `data` (at most 64 bytes) comes back on a tap, or `url` opens a page."""

    text: str
    data: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message. `text` is plain; a channel that wants markup escapes it itself."""

    text: str
    picture: bytes = b""  # a PNG above the text, for staff; a channel without pictures sends the text alone
    is_file: bool = False  # the picture is long: to be opened, for of a long photo a thin strip is shown
    buttons: tuple[tuple[Button, ...], ...] = ()  # rows, for channels with buttons
    poll: tuple[str, ...] = ()  # options, for channels with polls
    share_phone: str = ""  # label of a button that shares the person's number
    remove_keyboard: bool = False
    quote: str = ""  # id of the message that this one answers
    reference: str = ""  # our own name for this message; some services give it back in its statuses
    # For services that take free words only for a while after the person wrote, and templates else:
    client_wrote_at: datetime | None = None
    topic: str = ""  # key of the survey, which names the template
    values: Mapping[str, str] = field(default_factory=dict)  # for the template's parameters


class IncomingKind(StrEnum):
    TEXT = "text"  # typed words, or the caption of a picture
    TAP = "tap"  # a button or a vote in a poll
    MEDIA = "media"  # voice, photo, sticker … without words
    EDITED = "edited"  # the new text of an earlier message
    START = "start"  # the bot was opened; `token` from the deep link
    CONTACT = "contact"  # a shared card: `phone`, and whether it is the sender's own
    BLOCKED = "blocked"  # the person blocked the bot
    UNBLOCKED = "unblocked"
    ECHO = "echo"  # a person of the company wrote to this chat from elsewhere
    STATUS = "status"  # delivery of a message of ours
    STATE = "state"  # of the gateway itself; `reason` names it
    MOVED = "moved"  # a group has another id from now on: `moved_to`
    OTHER = "other"  # authentic, but nothing to act on


class Status(StrEnum):
    """How far a message got, by rank: a status never goes back, FAILED counts before DELIVERED only."""

    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One thing that came in, as far as it could be understood."""

    kind: IncomingKind
    chat_id: str = ""
    alias: str = ""  # another id of this chat, where the service tells both
    sent_at: datetime | None = None  # by the service's clock
    message_id: str = ""  # of the incoming message; of ours for STATUS
    text: str = ""
    data: str = ""  # payload of the tapped button; of a poll the chosen option, "" = withdrawn
    quoted: str = ""  # id of our message that it answers
    callback_id: str = ""  # a tap that wants an answer
    sender_id: str = ""
    sender_name: str = ""
    phone: str = ""  # digits as the service gives them, where it tells
    is_own_phone: bool = True  # False for somebody else's card
    media: str = ""  # voice, photo, sticker …
    token: str = ""
    is_group: bool = False
    moved_to: str = ""
    status: Status | None = None
    reference: str = ""  # of the message that a STATUS or an ECHO is about, where the service gives it back
    reason: str = ""  # why it failed; state of the gateway, "" = well
    about: str = ""  # of a STATE: the template that it is about, "" = the account itself
    is_gone: bool = False  # failed because this person is not on this messenger
    wants_template: bool = False  # failed because free words came too late after the person wrote


@dataclass(frozen=True, slots=True)
class Raw:
    """An update as it came, with the key under which it is kept once."""

    external_id: str
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll brought. `offset` goes to disk together with `updates`; then `confirm` is called."""

    updates: tuple[Raw, ...]
    offset: str
    receipt: str = ""


class UnreadableError(ValueError):
    """A body that is authentic but not understood: it is kept as it came and put aside."""


class Channel(Protocol):
    """A messenger. `send` raises only the errors of `integrations.errors`."""

    @property
    def name(self) -> str: ...  # as in `delivery.channels`
    @property
    def has_buttons(self) -> bool: ...
    @property
    def button_limit(self) -> int: ...  # most buttons under one message; with more they are left out
    @property
    def poll_limit(self) -> int: ...  # longest text of a poll in characters; 0 = no polls
    @property
    def has_receipts(self) -> bool: ...  # tells what was delivered
    @property
    def has_read_receipts(self) -> bool: ...
    @property
    def gap(self) -> timedelta: ...  # between first messages to different people

    def address(self, phone: str) -> str | None:
        """The chat to write to first for this E.164 number; None where a bot must be opened by the person."""

    async def start(self) -> None:
        """Ask the service who we are and set it up; raises as `send` does. Safe to repeat."""

    async def send(self, chat_id: str, message: Outgoing) -> str:
        """Send and give the message's id."""

    async def edit(self, chat_id: str, message_id: str, message: Outgoing) -> None:
        """Replace buttons of a message of ours, and its text unless it is empty; already so, or gone, is a
        success."""

    async def answer_tap(self, callback_id: str, text: str) -> None:
        """Stop the spinner; too late is a success."""

    def read(self, body: bytes) -> Sequence[Incoming]:
        """Understand a stored body. Raises UnreadableError."""

    async def close(self) -> None: ...


@runtime_checkable
class Polled(Protocol):
    """A channel that can be asked for what came in."""

    async def poll(self, offset: str, timeout: timedelta) -> Batch:  # noqa: ASYNC109 - of the far side
        """Wait up to `timeout` for updates after `offset` ("" = from the oldest unconfirmed)."""

    async def confirm(self, batch: Batch) -> None:
        """Called after the batch is on disk."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What came to one of our webhook addresses whose path had the right secret."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case


class RefusedError(ValueError):
    """A webhook that its service did not send. The message is one word for the metrics: `signature`."""


@runtime_checkable
class Hooked(Protocol):
    """A channel whose service posts to an address of ours: /webhooks/<hook_place>/<secret of the path>.

    `secret`: derived from the path's for this place, letters and digits; goes into a header where the service
    can send one back. Channels that share a place are each handed everything and take what is theirs.
    """

    @property
    def is_hooked(self) -> bool: ...  # as the settings say; such a channel is not polled
    @property
    def hook_place(self) -> str: ...  # telegram, max; whatsapp for all gateways

    def take(self, posted: Posted, secret: str) -> tuple[Raw, ...]:
        """What is ours of it, () when nothing is. It is on disk before the service gets its 2xx.

        Raises RefusedError when it is not authentic, UnreadableError when nobody can tell what it is.
        """

    def greet(self, query: Mapping[str, str], secret: str) -> str:
        """The body that answers a GET by which the service makes sure of us. Raises RefusedError."""

    async def register(self, url: str, secret: str) -> None:
        """Have the service post there. Safe to repeat: asks first, and changes nothing that is right.

        Raises as `send` does; Permanent with the remedy where another program's address stands there: that
        one is never taken over.
        """


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that the service has accepted and not sent yet."""

    chat_id: str
    message_id: str


@runtime_checkable
class Searchable(Protocol):
    """A channel that tells of everything that goes out, so that what it is silent about did not."""

    @property
    def echo_kind(self) -> str: ...  # the kind of `Raw` that tells of ours; its key is «message id:kind»

    async def unsent(self) -> Sequence[Unsent]:
        """The queue. Raises Temporary when nothing follows from it: it stands still, or is too long."""

    async def clear(self) -> bool:
        """Empty the queue where something stands in it; True if that was done.

        Raises Temporary when its silence about a message would prove nothing.
        """


@runtime_checkable
class SendsFiles(Protocol):
    """A messenger in which staff can be given a file."""

    async def send_file(self, chat_id: str, file: bytes, name: str, text: str) -> str:
        """`text` stands under it. As `send` otherwise."""


@runtime_checkable
class Stoppable(Protocol):
    """An account whose messenger may forbid it to write for a while; replies are fetched all the same."""

    async def check_state(self) -> None:
        """Raises Temporary while it may not send."""


@runtime_checkable
class Sought(Protocol):
    """A messenger whose chat ids are no phone numbers: `address` is looked up before the first message."""

    async def find(self, address: str) -> str:
        """The chat id of this address. Unreachable: no account there, or one that hides from search."""


@runtime_checkable
class Templated(Protocol):
    """A service that takes free words only for a while after a person wrote, and else approved templates."""

    def needs_template(self, client_wrote_at: datetime | None, now: datetime) -> bool: ...

    def went_as_template(self, message_id: str) -> bool:
        """Did this one, just sent, go as a template because free words were refused? To be asked once."""


@runtime_checkable
class Aliased(Protocol):
    """A service that names one chat by two ids, the number and one of its own, and often tells only one."""

    def alias_of(self, chat_id: str) -> str:
        """The other id of this chat as far as sending has told it; "" where it has not."""


@runtime_checkable
class Linked(Protocol):
    """A bot that a person opens by a deep link."""

    async def deep_link(self, token: str) -> str:
        """The address that opens the bot with this token (asks the bot's name once)."""


@runtime_checkable
class Introduced(Protocol):
    """A bot with a profile, which people read before they write to it."""

    async def introduce(self, about: str) -> bool:
        """Put this on a profile that says nothing yet, and tell whether it was put; what somebody has
        written there stays.

        Raises as `send` does. Safe to repeat.
        """


@runtime_checkable
class Menued(Protocol):
    """A messenger that shows a menu of commands in a chat."""

    async def set_menu(self, chat_id: str, commands: Sequence[tuple[str, str]]) -> None:
        """(command, what it is for) each, in place of what stood there; none takes the menu away.

        Raises as `send` does. Safe to repeat.
        """


@runtime_checkable
class Moving(Protocol):
    """A messenger in which a group may get another id."""

    def moved_to(self, chat_id: str) -> str:
        """Where this group is now, as far as sending has told; "" where it still is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """`[whatsapp.templates.<survey key>]`: an approved template that says a survey's question."""

    template: str = ""  # its name; its `templateGuid` in Wazzup
    template_language: str = ""
    parameters: tuple[str, ...] = ()  # names of `Outgoing.values` for {{1}}, {{2}} …
    buttons: int = 0  # its quick replies; 0 = the person types


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """`[whatsapp]` and the account sections: the keys of all gateways; `provider` says which matter."""

    provider: str = "none"
    base_url: str = ""
    instance_id: str = ""
    api_token: str = field(default="", repr=False)
    receive: str = "polling"
    gap: timedelta = timedelta(seconds=45)
    channel_id: str = ""
    api_key: str = field(default="", repr=False)
    phone_number_id: str = ""
    access_token: str = field(default="", repr=False)
    app_secret: str = field(default="", repr=False)
    verify_token: str = field(default="", repr=False)
    templates: Mapping[str, Template] = field(default_factory=dict)  # by the survey's key: `Outgoing.topic`


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSettings:
    """`[telegram]` and `[max]`."""

    token: str = field(default="", repr=False)
    api_url: str = ""
    deep_link: str = ""
    mode: str = "polling"
    proxy: str = ""
    ca_file: str = ""
