"""When a messenger is said to fail, when that is over, and what people call it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from worker.rules.shares import share_difference
from worker.rules.wording import Texts

# A question may arrive on the next day: its client's phone was off.
ARRIVES_WITHIN = timedelta(hours=24)
RECENT = timedelta(days=7)
PAST = timedelta(days=28)  # before that
LEAST_RECENT, LEAST_PAST = 20, 50  # questions, below which nothing is said
FALL = 20  # percentage points from which a fall is told …
RECOVERED = 10  # … and below which it is over: a share at the edge must not be told to and fro

SILENCE = timedelta(hours=24)
LEAST_UNHEARD = 10  # messages
PATIENCE = timedelta(hours=1)  # a message that has just gone out proves nothing yet


# Delivery


class Arrived(NamedTuple):
    """How many of the questions sent have arrived."""

    delivered: int
    sent: int

    @property
    def percent(self) -> int:
        """For people; of nothing it is nothing."""
        return (200 * self.delivered + self.sent) // (2 * self.sent) if self.sent else 0


class Span(NamedTuple):
    """From `begins` up to, not including, `ends`."""

    begins: datetime
    ends: datetime


def recent_span(now: datetime) -> Span:
    """When the questions were sent that are judged: what is younger may still arrive."""
    return Span(now - RECENT, now - ARRIVES_WITHIN)


def past_span(now: datetime) -> Span:
    """When those were sent that they are compared with."""
    return Span(now - RECENT - PAST, now - RECENT)


def has_fallen(recent: Arrived, usual: Arrived) -> bool:
    """Does clearly less arrive than usual? No, as long as too little is known.

    Both have to hold: the fall is large enough to matter, and more than chance at 95 %.
    """
    if recent.sent < LEAST_RECENT or usual.sent < LEAST_PAST:
        return False
    return _fell_by(recent, usual, FALL) and share_difference(usual, recent).high < 0


def has_recovered(recent: Arrived, usual: Arrived) -> bool:
    """Does about as much arrive as before the fall was told? `usual`: as it was then, for by and by the fall
    itself becomes the past."""
    return recent.sent >= LEAST_RECENT and not _fell_by(recent, usual, RECOVERED)


def _fell_by(recent: Arrived, usual: Arrived, points: int) -> bool:
    # In whole numbers: 0.9 - 0.7 is less than 0.2.
    fall = 100 * (usual.delivered * recent.sent - recent.delivered * usual.sent)
    return fall >= points * usual.sent * recent.sent


# Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What went out through a channel within `unheard_span`, and when it was last heard of."""

    sent: int = 0  # messages
    first_sent_at: datetime | None = None
    last_heard_at: datetime | None = None  # a reply, or a report on a message; None: not in a long time


def unheard_span(now: datetime) -> Span:
    """When the messages were sent that somebody should have been heard of since."""
    return Span(now - SILENCE, now - PATIENCE)


def silent_since(traffic: Traffic, now: datetime) -> datetime | None:
    """When the first of the messages went out that nothing has been heard of; None: it is not silent."""
    if traffic.sent < LEAST_UNHEARD or is_heard(traffic, now):
        return None
    return traffic.first_sent_at


def is_heard(traffic: Traffic, now: datetime) -> bool:
    return traffic.last_heard_at is not None and traffic.last_heard_at >= now - SILENCE


# The state of a gateway


class Cause(NamedTuple):
    """`channel.cause.<key>` and `channel.remedy.<key>` of the texts; `detail` for whoever looks it up."""

    key: str
    detail: str = ""


# As Green-API and Wazzup24 name them, without letter case:
# https://green-api.com/en/docs/api/account/GetStateInstance/
# https://wazzup24.ru/help/api-ru/rabota-s-kanalami/
_STATES: Mapping[str, str] = {
    "notauthorized": "logged_out",
    "unauthorized": "logged_out",
    "qr": "logged_out",
    "qridle": "logged_out",
    "foreignphone": "other_phone",
    "waitforpassword": "password",
    "sleepmode": "phone",
    "offline": "phone",
    "phoneunavailable": "phone",
    "openelsewhere": "elsewhere",
    "yellowcard": "limited",
    "suspended": "limited",
    "blocked": "blocked",
    "rejected": "refused",
    "onmoderation": "refused",
    "notenoughmoney": "unpaid",
    "quotaexceeded": "quota",
    "disabled": "off",
    "starting": "starting",
    "init": "starting",
}
CAUSES = frozenset({*_STATES.values(), "template", "meta", "unknown"})
_LONGEST = 60  # characters of what a gateway says about itself


def cause_of(reason: str) -> Cause:
    """What a gateway's word for its state means: «notAuthorized», «template nps_ru: PAUSED».

    >>> cause_of("notAuthorized"), cause_of("template nps_ru: PAUSED")
    (Cause(key='logged_out', detail=''), Cause(key='template', detail='nps_ru: PAUSED'))
    """
    if known := _STATES.get(reason.casefold()):
        return Cause(known)
    kind, _, detail = reason[:_LONGEST].partition(" ")
    if kind == "template" and detail:
        return Cause("template", detail)
    # Meta's own: «number: FLAGGED», «account: DISABLED_UPDATE», «131031 the account is locked».
    if kind in ("number:", "account:"):
        return Cause("meta", detail)
    return Cause("meta" if kind.isdecimal() else "unknown", reason[:_LONGEST])


# Names


def channel_titles(texts: Texts, names: Iterable[str]) -> Mapping[str, str]:
    """What people call these channels; of two with one name it is said which is meant: «MAX (бот)»."""
    known = {name: texts.fill(f"channel.{name}") if texts.has(f"channel.{name}") else name for name in names}
    bearers = Counter(known.values())
    return {
        name: f"{title} ({texts.fill(_kind_key(name))})" if bearers[title] > 1 else title
        for name, title in known.items()
    }


def _kind_key(name: str) -> str:
    return "channel.kind.account" if name.endswith("_account") else "channel.kind.bot"
