"""The digest: when one is due, over how long it looks, and which three sentences it has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from worker.rules.localtime import moment_at
from worker.rules.periods import Period, days, month_of, week_of
from worker.rules.wording import Value

Kind = Literal["week", "month"]

LATEST = timedelta(days=1)  # what could not be sent for longer is not sent any more
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LAST_DAY = 28  # the last one that every month has
LENGTHS = (7, 30, 90, 365)  # days to look at, until there are enough answers


# When


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A digest of one day. `told` is the week or month whose events it tells."""

    kind: Kind
    day: date
    at: datetime
    told: Period

    @property
    def is_quarterly(self) -> bool:
        """A quarter ended with the month that it tells of."""
        return self.kind == "month" and self.told.end.month % 3 == 1

    def is_over(self, now: datetime) -> bool:
        return now >= self.at + LATEST


def is_weekly(clock: str) -> bool:
    """«mon 09:00», or nothing."""
    return not clock or (len(clock.split()) == 2 and clock.split()[0].lower() in WEEKDAYS)


def is_monthly(clock: str) -> bool:
    """«1 09:00», or nothing."""
    first, *more = clock.split() or ["1", ""]
    return len(more) == 1 and first.isdecimal() and 1 <= int(first) <= LAST_DAY


def occasion_of(day: date, weekly: str, monthly: str, zone: ZoneInfo) -> Occasion | None:
    """On a day of both, the month's takes the place of the week's."""
    yesterday = day - timedelta(days=1)
    if monthly and day.day == int(monthly.split()[0]):
        told = month_of(day, zone).previous()
        return Occasion(kind="month", day=day, at=_at(day, monthly, zone), told=told)
    if weekly and day.weekday() == WEEKDAYS.index(weekly.split()[0].lower()):
        # On a Monday the week that is over; on another day the seven that are.
        told = week_of(yesterday, zone) if day.weekday() == 0 else days(day - timedelta(days=7), day, zone)
        return Occasion(kind="week", day=day, at=_at(day, weekly, zone), told=told)
    return None


def due_occasion(now: datetime, weekly: str, monthly: str, zone: ZoneInfo) -> Occasion | None:
    """The newest that should have been sent by now and is not too late."""
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        occasion = occasion_of(day, weekly, monthly, zone)
        if occasion is not None and occasion.at <= now and not occasion.is_over(now):
            return occasion
    return None


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    return moment_at(day, time.fromisoformat(clock.split()[1].rjust(5, "0")), zone)


# Over how long


def windows(day: date, window: timedelta, zone: ZoneInfo) -> Iterator[Period]:
    """Up to the evening before: as long as the settings have it, then longer ones."""
    own = max(1, window.days)
    for length in (own, *(length for length in LENGTHS if length > own)):
        yield days(day - timedelta(days=length), day, zone)


# Which sentences


@dataclass(frozen=True, slots=True)
class Sentence:
    key: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Of the window, in words as a report has them. `prev` is empty where nothing can be compared with."""

    survey: str
    value: str
    low: str
    high: str
    prev: str = ""
    change: int = 0  # 1 or -1: more than chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    manager: str
    value: str
    n: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    n: int
    client: str
    age: str
    url: str  # of the oldest one's deal; empty where amoCRM has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """A messenger through which clearly less arrives than usual."""

    channel: str
    share: str
    usual: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    topic: str
    n: int
    m: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmarked:
    """Won deals whose referral field is empty."""

    field: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a digest may tell. None: it is not so."""

    sent: int = 0
    delivered: int = 0
    answered: int = 0
    high: int = 0
    low: int = 0
    score: Score | None = None  # None: too few answers
    overdue: Overdue | None = None
    fallen: Fallen | None = None
    below: Person | None = None
    topic: Topic | None = None
    above: Person | None = None
    waiting: int = 0  # clients of open complaints with whom nobody has spoken
    unmarked: Unmarked | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.sent or self.answered or self.overdue or self.fallen or self.waiting)


def sentences(of: Situation) -> Sequence[Sentence]:
    """What changed, who needs attention, what to do next: the first of each row that holds."""
    second = attention(of)
    return (change(of), second, next_step(of, second))


def change(of: Situation) -> Sentence:
    if not of.answered:
        return Sentence("s1.none", {"n": of.sent, "m": of.delivered})
    if of.score is None:
        return Sentence("s1.few", {"n": of.answered, "high": of.high, "low": of.low})
    score = of.score
    about = {"survey": score.survey, "value": score.value}
    if not score.prev:
        return Sentence("s1.first", {**about, "low": score.low, "high": score.high})
    if score.change:
        return Sentence("s1.up" if score.change > 0 else "s1.down", {**about, "prev": score.prev})
    return Sentence("s1.same", {**about, "low": score.low, "high": score.high, "prev": score.prev})


def attention(of: Situation) -> Sentence:
    if of.overdue is not None:
        late = of.overdue
        return Sentence("s2.overdue", {"n": late.n, "client": late.client, "age": late.age})
    if of.fallen is not None:
        fallen = of.fallen
        about = {"channel": fallen.channel, "share": fallen.share, "usual": fallen.usual}
        return Sentence("s2.channel", about)
    if of.below is not None:
        one = of.below
        return Sentence("s2.person", {"manager": one.manager, "value": one.value, "n": one.n})
    if of.topic is not None:
        return Sentence("s2.topic", {"topic": of.topic.topic, "n": of.topic.n, "m": of.topic.m})
    if of.above is not None:
        return Sentence("s2.praise", {"manager": of.above.manager, "value": of.above.value})
    return Sentence("s2.nothing")


def next_step(of: Situation, after: Sentence) -> Sentence:
    if of.overdue is not None and of.overdue.url and after.key == "s2.overdue":
        return Sentence("s3.oldest", {"complaint_url": of.overdue.url})
    if of.fallen is not None and after.key == "s2.channel":
        return Sentence("s3.channel", {"channel": of.fallen.channel, "remedy": of.fallen.remedy})
    if of.waiting:
        return Sentence("s3.call", {"n": of.waiting})
    if of.unmarked is not None:
        return Sentence("s3.field", {"field": of.unmarked.field, "n": of.unmarked.n})
    return Sentence("s3.nothing")
