"""Log lines as text or JSON, with tokens, phone numbers and query strings masked, in tracebacks too."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO
from urllib.parse import quote

HIDDEN = "***"
# Nobody vouches for what libraries write below a warning: httpx has Telegram's token in the address,
# aiosqlite has names and clients' words among the values of a statement.
OURS = ("worker", "integrations", "storage", "sarafan")

# What looks like a secret, whether or not it stands in the settings.
_SECRETS = (
    (re.compile(r"\beyJ[\w-]{5,}(\.[\w-]*){0,2}"), HIDDEN),  # JSON Web Tokens
    (re.compile(r"(?i)\b(bearer\s+)[^\s'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(/(?:file/)?bot)\d+:[^/\s'\"]+"), rf"\1{HIDDEN}"),  # https://api.telegram.org/bot<token>/…
    (re.compile(r"(?<!\w)\d{6,12}:[\w-]{20,}"), HIDDEN),  # the same token alone
    (re.compile(r"(waInstance\d+/\w+/)[^/\s?'\"]+"), rf"\1{HIDDEN}"),  # Green-API has it in the path
    (re.compile(r"\b(wamid\.)[\w+/=-]+"), rf"\1{HIDDEN}"),  # an id of WhatsApp: the number in base64
    (re.compile(r"(://)[^/\s@]+@"), rf"\1{HIDDEN}@"),  # user:password@host
    (re.compile(r"(?<![\w.])[0-9a-f]{8,9}\.[\w-]{43}(?![\w-])"), HIDDEN),  # what opens the dashboard
    (re.compile(r"\?(?=[\w.%\[\]-]+=)[^\s'\"<>]*"), f"?{HIDDEN}"),
)
_PHONE = re.compile(
    r"(?<![\w+])(?:"
    r"\+\d[\d ()\u00a0-]{8,18}\d"  # +7 914 000-00-01
    r"|[78][ (\u00a0-]{0,2}\d{3}[ )\u00a0-]{0,2}\d{3}[ \u00a0-]?\d{2}[ \u00a0-]?\d{2}"  # 8 (914) 000-00-01
    r"|(?:375|380|374|99[2468])\d{9}"
    r"|\d{10,15}(?=@[a-z])"  # chat ids of WhatsApp: 79140000001@c.us
    r")(?!\d)"
)
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0  # seconds between two lines of one trouble
OVER_AFTER = 1200.0  # seconds without it: amoCRM is asked every five minutes
MOST_TOLD = 1000  # troubles that are kept in mind, until some are over
SHORTEST_SECRET = 4  # a shorter one would mask ordinary words


def masker(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern of all known secrets, also as they stand in an address; longest first."""
    known = {
        form
        for secret in secrets
        if len(secret) >= SHORTEST_SECRET
        for form in (secret, quote(secret, safe=""))
    }
    return re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True)))) if known else None


def masked(text: str, known: re.Pattern[str] | None = None) -> str:
    """
    >>> masked("to +79141234567 by https://x.ru/a?token=b")
    'to +7***4567 by https://x.ru/a?***'
    """
    if known is not None:
        text = known.sub(HIDDEN, text)
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return _PHONE.sub(_short_phone, text)


def _short_phone(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[0])
    country = "7" if len(digits) == 11 and digits[0] == "8" else digits[0]
    return f"+{country}{HIDDEN}{digits[-4:]}"


class Mask(logging.Filter):
    """Masks a record before any handler writes it: its message, its traceback and its stack."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._known = masker(secrets)
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.mask(_message(record)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self.mask(record.exc_text)
        if record.stack_info:
            record.stack_info = self.mask(record.stack_info)
        return True

    def mask(self, text: str) -> str:
        return masked(text, self._known)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # A library's arguments that do not fit its words: the words alone.
        return str(record.msg)


@dataclass(slots=True)
class _Told:
    """One trouble: when it may be told again, and how often it came since."""

    heard_at: float
    next_at: float
    pause: float
    left_out: int = 0


class Repeats(logging.Filter):
    """A trouble that lasts is told at once, then after a minute, two, four …: an hour at most between two."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[tuple[str, str], _Told] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now, what = record.created, (_message(record), repr((record.exc_info or (None, None))[1]))
        told = self._told.get(what)
        if told is None or abs(now - told.heard_at) > OVER_AFTER:  # The clock may be set back.
            self._forget_what_is_over(now)
            self._told[what] = _Told(now, now + FIRST_PAUSE, FIRST_PAUSE)
            return True
        told.heard_at = now
        if now < told.next_at:
            told.left_out += 1
            return False
        if told.left_out:
            record.msg, record.args = f"{what[0]} (again, {told.left_out} times since)", ()
        told.pause, told.left_out = min(told.pause * 2, LONGEST_PAUSE), 0
        told.next_at = now + told.pause
        return True

    def _forget_what_is_over(self, now: float) -> None:
        if len(self._told) > MOST_TOLD:
            self._told = {what: told for what, told in self._told.items() if now - told.heard_at < OVER_AFTER}


class TextLines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _at(record)


class JsonLines(logging.Formatter):
    """One object a line: at, level, name, message and, where there is one, the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "name": record.name,
            "message": record.getMessage(),
        }
        if record.exc_text:
            line["traceback"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def set_up(
    level: str = "info", format: str = "text", *, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> logging.Handler:
    """All lines of the process go through one handler, to standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if format == "json" else TextLines())
    mask = Mask(secrets)
    handler.addFilter(Repeats())
    handler.addFilter(mask)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    chosen = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(max(chosen, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(chosen)
    logging.captureWarnings(True)
    sys.excepthook = _Uncaught(mask)
    return handler


class _Uncaught:
    """What nobody caught is written as any other error, and so masked."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask

    def __call__(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        logging.getLogger("sarafan").critical("ended by an error", exc_info=(kind, error, traceback))
