"""How a single value of config.toml is read, and what is said where it cannot be."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ConfigDict, Field, Strict

from worker.config.words import Expected, Wrong
from worker.rules.calendar import Duration, Hours, parse_days, parse_duration, parse_hours
from worker.rules.scale import parse_range

FORBID = ConfigDict(extra="forbid")
T = TypeVar("T")


DURATION = Expected("срок: число и s, m, h, d или bd (рабочие дни)",
                    "a duration: a number and s, m, h, d or bd (business days)", '"1bd"')  # fmt: skip
SPAN = Expected("срок больше нуля: число и s, m, h или d",
                "a duration above zero: a number and s, m, h or d", '"5m"')  # fmt: skip
SPAN_OR_ZERO = Expected("срок: число и s, m, h или d", "a duration: a number and s, m, h or d", '"45s"')
SPAN_OR_NONE = Expected("срок больше нуля (число и s, m, h или d) или пустая строка",
                        "a duration above zero (a number and s, m, h or d), or nothing",
                        '"365d"')  # fmt: skip
DURATION_OR_NONE = Expected("срок больше нуля (число и s, m, h, d или bd) или пустая строка",
                            "a duration above zero (a number and s, m, h, d or bd), or nothing",
                            '"2d"')  # fmt: skip
DEADLINE = Expected("срок больше нуля: число и s, m, h, d или bd (рабочие дни)",
                    "a duration above zero: a number and s, m, h, d or bd (business days)",
                    '"1bd"')  # fmt: skip
DAYS = Expected("дни недели", "days of the week", '"mon-fri"')
HOURS = Expected("часы внутри суток, хотя бы одна минута",
                 "hours within a day, at least one minute", '"10:00-20:00"')  # fmt: skip
QUIET = Expected("часы, можно через полночь, или пустая строка",
                 "hours, over midnight if you like, or nothing", '"21:00-08:00"')  # fmt: skip
DATE = Expected("дата", "a date", '"2026-07-01"')
SINCE = Expected("«now» или дата", "now or a date", '"2026-07-01"')
ZONE = Expected("часовой пояс из базы IANA", "a time zone of the IANA database", '"Asia/Vladivostok"')
COUNTRY = Expected("код страны с праздниками или пустая строка",
                   "the code of a country with holidays, or nothing", '"RU"')  # fmt: skip
CLOCK = Expected("время, с днём где он нужен, или пустая строка",
                 "a time, with its day where it has one, or nothing", '"mon 09:00"')  # fmt: skip
SUBJECT = Expected("пустая строка, manager или field:название поля",
                   "nothing, manager or field:<name>", '"field:Монтажная бригада"')  # fmt: skip
BASE = Expected("closed, entered или field:название поля с датой",
                "closed, entered or field:<date field>", '"field:Дата монтажа"')  # fmt: skip
SCALE = Expected("шкала от меньшего к большему", "a scale from low to high", '"1-10"')
KEY = Expected("латинские буквы, цифры, - и _", "Latin letters, digits, - and _", '"csat_manager"')
PREFIX = Expected("от 2 до 12 букв, без цифр и пробелов", "2 to 12 letters, no digits, no spaces", '"ДРУГ"')
TEXT = Expected("непустая строка", "some text", '"…"')
NAME = Expected("название или номер", "a name or an id", '"Рекламации"')


def reader(parse: Callable[[str], T], expected: Expected, ready: type | None = None) -> BeforeValidator:
    """Reads a value from a string with `parse`; whatever it dislikes becomes one sentence.

    A value of the type `ready` was read before.
    """

    def read(value: object) -> T | object:
        if ready and isinstance(value, ready):
            return value
        if not isinstance(value, str):
            raise Wrong(expected)
        try:
            return parse(value.strip())
        except (ValueError, KeyError, OverflowError):
            raise Wrong(expected) from None

    return BeforeValidator(read)


def _or_nothing(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    return lambda text: parse(text) if text else None


def ensure(holds: bool) -> None:
    if not holds:
        raise ValueError


def _span(text: str) -> timedelta:
    duration = parse_duration(text)
    ensure(duration.business_days == 0 and duration.span > timedelta(0))
    return duration.span


def _span_or_zero(text: str) -> timedelta:
    duration = parse_duration(text)
    ensure(duration.business_days == 0)
    return duration.span


def _deadline(text: str) -> Duration:
    duration = parse_duration(text)
    ensure(duration.business_days > 0 or duration.span > timedelta(0))
    return duration


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except OSError:  # a folder of the database, such as "Asia", or a name that is no file name
        raise ValueError(text) from None


def _country(text: str) -> str:
    if not text:
        return text
    import holidays  # Here, because a company without a country of holidays does not need it.

    try:
        holidays.country_holidays(text)
    except NotImplementedError:
        raise ValueError(text) from None
    return text


def _days(text: str) -> frozenset[int]:
    days = parse_days(text)
    ensure(bool(days))
    return days


def _quiet(text: str) -> Hours:
    return parse_hours(text, wraps=True)


def _subject(text: str) -> str:
    ensure(text in {"", "manager"} or bool(field_of(text)))
    return text


def _base(text: str) -> str:
    ensure(text in {"closed", "entered"} or bool(field_of(text)))
    return text


def field_of(text: str) -> str:
    """The field's name in `field:<name>`; empty for anything else."""
    kind, _, name = text.partition(":")
    return name.strip() if kind == "field" else ""


def _key(text: str) -> str:
    ensure(bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text)))
    return text


def _prefix(text: str) -> str:
    ensure(2 <= len(text) <= 12 and all(letter.isalpha() for letter in text))
    return text


def _some(text: str) -> str:
    ensure(bool(text))
    return text


def _scale(text: str) -> str:
    parse_range(text)
    return text


def _clock(text: str) -> str:
    """«09:00», «mon 09:00» or «1 09:00»: kept as written, checked here."""
    if text:
        *day, hour = text.split()
        ensure(len(day) < 2 and bool(re.fullmatch(r"\d{1,2}:\d{2}", hour)))
        time.fromisoformat(hour.rjust(5, "0"))
    return text


def _date(value: object) -> date:
    if isinstance(value, datetime):
        raise Wrong(DATE)
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise Wrong(DATE) from None


def _since(value: object) -> datetime | None:
    """None for «now»: the first start with this storage."""
    if value == "now":
        return None
    try:
        return _midnight(value)
    except Wrong:
        raise Wrong(SINCE) from None


def _since_or_none(value: object) -> datetime | None:
    return None if value == "" else _midnight(value)


def _midnight(value: object) -> datetime:
    """The date's first moment. The company's time zone is put in where all tables are known."""
    return datetime.combine(_date(value), time(), UTC)


def _named(value: object) -> str:
    """A name as shown in amoCRM, or an id, which a person may write as a number."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value).strip()
    raise Wrong(NAME)


def _some_named(value: object) -> str:
    if name := _named(value):
        return name
    raise Wrong(NAME)


def joined(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """`optout.done = "…"` without quotes makes tables inside tables: their keys with dots between them."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from joined(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


Int = Annotated[int, Strict()]
Count = Annotated[int, Strict(), Field(ge=0)]
AtLeastOne = Annotated[int, Strict(), Field(ge=1)]
Number = Annotated[float, Strict()]
Weight = Annotated[float, Strict(), Field(gt=0)]
Rate = Annotated[float, Strict(), Field(gt=0, le=50)]
Bool = Annotated[bool, Strict()]

Some = Annotated[str, reader(_some, TEXT)]
Named = Annotated[str, BeforeValidator(_named)]
SomeNamed = Annotated[str, BeforeValidator(_some_named)]
KeyText = Annotated[str, reader(_key, KEY)]
Prefix = Annotated[str, reader(_prefix, PREFIX)]
Subject = Annotated[str, reader(_subject, SUBJECT)]
Base = Annotated[str, reader(_base, BASE)]
ScaleText = Annotated[str, reader(_scale, SCALE)]
Channel = Literal["telegram", "max", "max_account", "telegram_account", "whatsapp"]

DurationText = Annotated[Duration, reader(parse_duration, DURATION, Duration)]
DurationOrNone = Annotated[Duration | None, reader(_or_nothing(_deadline), DURATION_OR_NONE)]
Deadline = Annotated[Duration, reader(_deadline, DEADLINE)]
Span = Annotated[timedelta, reader(_span, SPAN)]
SpanOrZero = Annotated[timedelta, reader(_span_or_zero, SPAN_OR_ZERO)]
SpanOrNone = Annotated[timedelta | None, reader(_or_nothing(_span), SPAN_OR_NONE)]
Days = Annotated[frozenset[int], reader(_days, DAYS)]
HoursText = Annotated[Hours, reader(parse_hours, HOURS)]
Quiet = Annotated[Hours | None, reader(_or_nothing(_quiet), QUIET)]
Clock = Annotated[str, reader(_clock, CLOCK)]
Date = Annotated[date, BeforeValidator(_date)]
Since = Annotated[datetime | None, BeforeValidator(_since)]
SinceOrNone = Annotated[datetime | None, BeforeValidator(_since_or_none)]
Zone = Annotated[ZoneInfo, reader(_zone, ZONE)]
Country = Annotated[str, reader(_country, COUNTRY)]
