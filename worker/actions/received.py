"""A message of a client, with whom it is from and which survey it is about."""

from dataclasses import dataclass
from datetime import datetime

from integrations.channels.base import Channel, Incoming, IncomingKind
from storage.tables import Chat, Client, Inbox, Survey
from worker.rules.planning import SurveyRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message of a client, with whom it is from."""

    channel: Channel
    row: Inbox
    message: Incoming
    chat: Chat
    client: Client
    now: datetime

    @property
    def is_exact(self) -> bool:
        """A tap or a quote says itself what it answers."""
        return self.message.kind is IncomingKind.TAP or bool(self.message.quoted)

    @property
    def about(self) -> str:
        return f"{self.row.channel}:{self.row.id}"


@dataclass(frozen=True, slots=True)
class Meant:
    """The survey that a message is about, and its rule."""

    survey: Survey
    rule: SurveyRule
