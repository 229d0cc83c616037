"""The channels of a Wazzup account: which one is ours, and what its state means.

https://wazzup24.ru/help/api-ru/rabota-s-kanalami/
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from integrations.channels.wazzup_errors import ASK_META, CHOOSE, CONNECT, PAY, SWITCH_ON
from integrations.channels.wazzup_models import ChannelRow
from integrations.errors import Permanent


@dataclass(frozen=True, slots=True)
class State:
    """Why a channel does not send."""

    says: str
    remedy: str
    is_lost: bool = False  # it does not come back by itself: somebody has to log in or to choose another


_SCAN = State("wants its QR code scanned", "Scan the QR code again in the cabinet of Wazzup.", is_lost=True)
_ELSEWHERE_OPEN = State(
    "is used elsewhere", "Close WhatsApp on the other device, or take the channel out of the other account."
)

# The list of channels and the webhook spell some of them differently, so letter case does not count.
STATES: dict[str, State] = {
    "init": State("is starting", "Wait a minute."),
    "disabled": State("is switched off", SWITCH_ON, is_lost=True),
    "phoneunavailable": State("has no connection to its phone", "Switch the phone on and give it Internet."),
    "qr": _SCAN,
    "qridle": _SCAN,
    "openelsewhere": _ELSEWHERE_OPEN,
    "notenoughmoney": State("is not paid for", PAY),
    "foreignphone": State(
        "was connected with another phone", "Scan the QR code with the phone of this channel.", is_lost=True
    ),
    "unauthorized": State(
        "is logged out", "Log the channel in again in the cabinet of Wazzup.", is_lost=True
    ),
    "waitforpassword": State(
        "waits for the password of the account",
        "Enter the password of two-step verification in the cabinet of Wazzup.",
        is_lost=True,
    ),
    "blocked": State("is blocked by Meta", ASK_META, is_lost=True),
    "onmoderation": State("is still checked by Meta", "Wait until Meta has approved the channel."),
    "rejected": State("was rejected by Meta", ASK_META, is_lost=True),
}
ACTIVE = "active"


def state_of(name: str) -> State | None:
    """None while the channel works; a state that we know nothing of is none in which it works."""
    if name.casefold() == ACTIVE:
        return None
    return STATES.get(name.casefold()) or State("does not work", CONNECT)


def choose(service: str, wanted: str, rows: Sequence[ChannelRow], transports: Collection[str]) -> ChannelRow:
    """By id, else by the phone or the name that the cabinet shows; an only one needs no `wanted`.

    Raises Permanent whose remedy names what there is.
    """
    fitting = [row for row in rows if row.transport.casefold() in transports]
    by_id = [row for row in rows if row.channel_id.casefold() == wanted.casefold()]
    named = by_id or [row for row in rows if wanted and _same(wanted, row)]
    found = [row for row in named if row in fitting] if wanted else fitting
    if len(found) == 1:
        return found[0]
    if found:
        trouble = f"has {len(found)} channels that channel_id may mean"
    elif named:
        trouble = "has another messenger behind this channel_id"
    else:
        trouble = "has no such channel" if wanted else "has no channel of this messenger"
    there_is = "; ".join(_shown(row) for row in found or fitting or rows)
    remedy = f"Set {service}.channel_id to one of: {there_is}." if there_is else CHOOSE
    raise Permanent(service, trouble, remedy=remedy)


def is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _same(wanted: str, row: ChannelRow) -> bool:
    """A phone in any spelling, a user's name with or without @."""
    names = {text.casefold().lstrip("@") for text in (row.plain_id, row.name) if text}
    digits = re.sub(r"\D", "", wanted)
    is_phone = len(digits) >= 7 and not re.search(r"[^\d\s()+-]", wanted)
    if is_phone and len(digits) == 11 and digits.startswith("8"):
        digits = "7" + digits[1:]
    return wanted.casefold().lstrip("@") in names or (is_phone and digits in names)


def _shown(row: ChannelRow) -> str:
    """For people, without the whole number."""
    name = row.name or row.plain_id
    hidden = f"…{name[-4:]}" if re.fullmatch(r"\+?\d{7,}", name) else name
    return f"{row.channel_id} ({row.transport} {hidden}, {row.state})"
