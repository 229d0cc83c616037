"""A message of a client, with whom it is from and which survey it is about."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.channels.base import Channel, Incoming, IncomingKind
from storage.tables.people import Chat, Client
from storage.tables.queues import Inbox
from storage.tables.surveys import Survey, SurveyState
from worker.rules.planning import SurveyRule

WORDS_WINDOW = timedelta(days=7)  # words join the answer this long after it


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


def said_at(received: Received) -> datetime:
    """When the client wrote, by the service's clock; a reply may have waited for us to come back."""
    return min(received.message.sent_at or received.now, received.now)


def is_late(survey: Survey, received: Received) -> bool:
    if survey.expires_at is None:
        return survey.state == SurveyState.EXPIRED
    return said_at(received) > survey.expires_at


def is_over(survey: Survey, received: Received) -> bool:
    """Words this long after the question belong to it no more, unless they quote it."""
    if received.message.quoted:
        return False
    if survey.answered_at is not None:
        return received.now > survey.answered_at + WORDS_WINDOW
    return is_late(survey, received)
