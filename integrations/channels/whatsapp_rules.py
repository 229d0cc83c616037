"""What Meta rules for WhatsApp, whoever passes a message on: the window for free words, and why one fails."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.errors import Permanent

# 24 hours by Meta's clock, counted from the message of the person:
# https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/
WINDOW = timedelta(hours=23, minutes=50)


def is_window_over(client_wrote_at: datetime | None, now: datetime) -> bool:
    """May only a template go to this person by now? None: the person never wrote."""
    return client_wrote_at is None or now >= client_wrote_at + WINDOW


class WindowClosedError(Permanent):
    """Free words are refused, since the person wrote too long ago: only a template may go."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message of ours failed, by its status."""

    reason: str  # begins with the code
    is_gone: bool = False
    wants_template: bool = False
