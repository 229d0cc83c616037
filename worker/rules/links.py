"""A link that opens something for one person until a moment: signed, and nobody can tell from it for whom."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

Whose = TypeVar("Whose")

_TOKEN = re.compile(r"([0-9a-f]{1,9})\.([\w-]{43})", re.ASCII)


class BadLinkError(ValueError):
    """It opens nothing; the message is one word for the metrics: `token` or `expired`."""


def sign(key: bytes, about: str, until: datetime) -> str:
    """A token for an address; `about` cannot be read from it."""
    seconds = f"{int(until.timestamp()):x}"
    return f"{seconds}.{_signature(key, about, seconds)}"


def whose(
    key: bytes, token: str, people: Iterable[tuple[str, Whose]], now: datetime
) -> tuple[Whose, datetime]:
    """Which of these it was signed for, and until when it opens. Raises BadLinkError."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise BadLinkError("token")
    seconds, given = found.groups()
    for about, person in people:
        if hmac.compare_digest(given, _signature(key, about, seconds)):
            until = datetime.fromtimestamp(int(seconds, 16), UTC)
            if until <= now:
                raise BadLinkError("expired")
            return person, until
    raise BadLinkError("token")


def _signature(key: bytes, about: str, seconds: str) -> str:
    digest = hmac.new(key, f"{seconds}:{about}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")
