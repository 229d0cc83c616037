"""Commands of the bot as staff know them: who may use which, and how one is read from a text or a button."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from worker.rules.calendar import Period, so_far
from worker.rules.periods import month_of, quarter_of, week_of, year_of

OWNER, HEAD, CONTROLLER, MANAGER, ADMIN = "owner", "head", "controller", "manager", "admin"
LEADERS = frozenset({OWNER, HEAD})  # they may read names, phones and words
NUMBERS = LEADERS | {CONTROLLER, ADMIN}

# Who may use it; the menu shows them in this order.
COMMANDS: Mapping[str, frozenset[str]] = {
    "report": NUMBERS | {MANAGER},
    "nps": NUMBERS | {MANAGER},
    "csat": NUMBERS | {MANAGER},
    "ces": NUMBERS | {MANAGER},
    "complaints": NUMBERS,
    "referrals": NUMBERS,
    "frt": NUMBERS | {MANAGER},
    "iqs": NUMBERS | {MANAGER},
    "dashboard": NUMBERS | {MANAGER},
    "find": LEADERS,
    "plan": LEADERS | {ADMIN},
    "try": LEADERS | {ADMIN},
    "pause": LEADERS | {ADMIN},
    "resume": LEADERS | {ADMIN},
    "forget": frozenset({OWNER}),
    "help": NUMBERS | {MANAGER},
}
FIRST_LIST = "first"  # the list that somebody has to see before anything is sent: by its buttons only
TAPPED = (*COMMANDS, FIRST_LIST)
START = "start"  # the bot was opened: a greeting, for whoever is staff
ABOUT_A_PERIOD = ("report", "nps", "csat", "ces", "complaints", "referrals", "frt", "iqs")
ONE_METRIC = ("nps", "csat", "ces")

# This one and the last one: week, month, quarter.
PERIODS = ("w0", "w1", "m0", "m1", "q0", "q1")
DEFAULT_PERIOD = "q0"  # as `sarafan report` has it
KINDS = {"w": week_of, "m": month_of, "q": quarter_of, "y": year_of}

BUTTON = "q"  # begins the data of our buttons
BESIDE = "n"  # the same under a message that stays as it is: the answer is a new one
TYPED = re.compile(r"/(?P<name>[a-z_]+)(?:@\w+)?(?:\s+(?P<words>.*))?", re.IGNORECASE | re.DOTALL)
PAGE = re.compile(r"\d{1,4}", re.ASCII)
CLIENT = re.compile(r"c(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asked the bot for."""

    command: str
    words: str = ""  # what stood behind the command
    period: str = DEFAULT_PERIOD
    client: int = 0  # chosen among those that were found
    page: int = 0
    is_beside: bool = False  # the message with the button stays

    @property
    def data(self) -> str:
        """For a button that asks for this: at most 64 bytes, so without the words."""
        about = f"c{self.client}" if self.client else self.period
        return f"{BESIDE if self.is_beside else BUTTON}:{self.command}:{about}:{self.page}"

    def on_page(self, page: int) -> "Wish":
        return replace(self, page=page)


def typed(text: str) -> Wish | None:
    """A command as it was typed, known or not; None for other words.

    >>> typed("/Find@sarafan_bot  Иван")
    Wish(command='find', words='Иван', period='q0', client=0, page=0, is_beside=False)
    """
    found = TYPED.fullmatch(text.strip())
    if found is None:
        return None
    words = " ".join((found["words"] or "").split())
    return Wish(command=found["name"].lower(), words="".join(filter(str.isprintable, words)))


def tapped(data: str) -> Wish | None:
    """What a button of ours asks for; None for another's, or one that this version does not know.

    >>> tapped("q:nps:m1:2")
    Wish(command='nps', words='', period='m1', client=0, page=2, is_beside=False)
    """
    parts = data.split(":")
    if len(parts) != 4 or parts[1] not in TAPPED or not PAGE.fullmatch(parts[3]):
        return None
    begins, command, about, page = parts
    if begins not in (BUTTON, BESIDE):
        return None
    wish = Wish(command=command, page=int(page), is_beside=begins == BESIDE)
    if chosen := CLIENT.fullmatch(about):
        return replace(wish, client=int(chosen[1]))
    return replace(wish, period=about) if about in PERIODS else None


def may(role: str, command: str) -> bool:
    if command == FIRST_LIST:
        return role in LEADERS
    return role in COMMANDS.get(command, frozenset())


def commands_of(role: str) -> list[str]:
    """In the order of the menu."""
    return [name for name, roles in COMMANDS.items() if role in roles]


def period_of(key: str, now: datetime, zone: ZoneInfo) -> Period:
    """What runs still is told so far, and so compared with as many days before."""
    kind = KINDS[key[0]]
    this = kind(now.astimezone(zone).date(), zone)
    return this.previous() if key[1] == "1" else so_far(this, now)
