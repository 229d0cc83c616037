"""«/pause 2h», «/pause до 18:00»: how long sending shall rest, and how that is said."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from storage.paused import Pause
from worker.rules.localtime import moment_at
from worker.rules.moments import moment_text
from worker.rules.wording import Texts

LONGEST = timedelta(days=365)
UNITS = (
    (r"m|min|minutes?|м|мин|минут[ауы]?", timedelta(minutes=1)),
    (r"h|hours?|ч|час|часа|часов", timedelta(hours=1)),
    (r"d|days?|д|дн|день|дня|дней|сутки|суток", timedelta(days=1)),
    (r"w|weeks?|нед|недел[яюиь]", timedelta(weeks=1)),
)
SPAN = re.compile(r"(?:на |for )?(?P<n>\d{1,4})?\s*(?P<unit>[a-zа-я]+)\.?", re.IGNORECASE)
CLOCK = re.compile(r"(?:до |until |till )?(?P<hour>[01]?\d|2[0-3])[:.](?P<minute>[0-5]\d)", re.IGNORECASE)


class UnclearError(ValueError):
    """Nobody can tell how long is meant."""


def until_of(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the pause ends; None without words: when somebody says so. Raises UnclearError.

    A time of day is the next one.
    """
    text = " ".join(words.split())
    if not text:
        return None
    if clock := CLOCK.fullmatch(text):
        today, minute = now.astimezone(zone).date(), 60 * int(clock["hour"]) + int(clock["minute"])
        ends = moment_at(today, minute, zone)
        return ends if ends > now else moment_at(today + timedelta(days=1), minute, zone)
    span = _span(text)
    if span is None or not timedelta(0) < span <= LONGEST:
        raise UnclearError(text)
    return now + span


def _span(text: str) -> timedelta | None:
    found = SPAN.fullmatch(text)
    if found is None:
        return None
    for unit, length in UNITS:
        if re.fullmatch(unit, found["unit"], re.IGNORECASE):
            return int(found["n"] or 1) * length
    return None


def told(texts: Texts, pause: Pause, now: datetime, zone: ZoneInfo) -> str:
    """To everybody who leads: who stopped it, and until when."""
    if pause.until is None:
        return texts.fill("pause.on", staff=pause.by)
    return texts.fill("pause.on.until", staff=pause.by, when=ends_at(texts, pause, now, zone))


def ends_at(texts: Texts, pause: Pause, now: datetime, zone: ZoneInfo) -> str:
    """«16:00», or with its day; empty without an end."""
    return moment_text(texts, pause.until, zone, now) if pause.until is not None else ""
