"""What webhook channels share: is a secret right, is an address one of ours, and what was posted?"""

import hmac
import json

import httpx

from integrations.channels.base import Channel, Hooked, Searchable, UnreadableError


def is_hooked(channel: Channel) -> bool:
    """Does its service post to us, so that it is not polled?"""
    return isinstance(channel, Hooked) and channel.is_hooked


def is_searched(channel: Channel) -> bool:
    """Can be found out what became of a message? A webhook that is late has not told of all that went out."""
    return isinstance(channel, Searchable) and not is_hooked(channel)


def as_bytes(body: object) -> bytes:
    """JSON to be kept. Half an emoji, as a name that was cut has it, is no UTF-8: then all is escaped."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


def json_of(body: bytes, what: str) -> object:
    """What was posted, as JSON. Raises UnreadableError: it is not `what` it should be."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        # From None: the error quotes the client's words.
        raise UnreadableError(f"not {what} ({type(error).__name__})") from None
    return found


def is_same(given: str, secret: str) -> bool:
    """Compared in constant time; an empty secret fits nothing."""
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


def is_ours(found: str, wanted: str) -> bool:
    """Is the address that a service has the wanted one but for its secret? Then the secret was changed."""
    try:
        one, other = httpx.URL(found), httpx.URL(wanted)
    except httpx.InvalidURL:
        return False
    return [*_host(one), _place(one)] == [*_host(other), _place(other)]


def _host(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _place(url: httpx.URL) -> str:
    return url.path.rstrip("/").rpartition("/")[0]
