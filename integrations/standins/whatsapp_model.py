"""What stands in the chats of an account behind a made-up Green-API, and what is told of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Posted:
    """A message of ours: accepted, and how far it got."""

    id_message: str
    chat_id: str
    text: str
    is_poll: bool = False
    options: tuple[str, ...] = ()
    quoted: str = ""
    accepted_at: datetime
    sent_at: datetime | None = None
    statuses: list[str] = field(default_factory=list)
    votes: dict[str, str] = field(default_factory=dict)  # voter → option

    @property
    def phone(self) -> str:
        """Where the chat id holds it: in WhatsApp."""
        return "+" + self.chat_id.partition("@")[0]


@dataclass(slots=True, kw_only=True)
class Heard:
    """A message that a person typed or sent: a client, or one of the company on the phone itself."""

    id_message: str
    chat_id: str
    text: str
    at: datetime
    media: str = ""  # audio, image …
    quoted: str = ""
    by_company: bool = False


@dataclass(slots=True)
class Notification:
    receipt: int
    at: datetime
    body: Json
