"""What MAX says no with, and who else may be told what comes in: where that becomes one of our errors.

Refusals are `{"code": "chat.denied", "message": "Key: error.dialog.suspended, args: […]"}` with a status of
4xx, or `{"success": false, "message": "…"}` with a 200: https://dev.max.ru/docs-api
"""

import re
from dataclasses import dataclass

import httpx

from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Unreachable
from integrations.http import Answer

SERVICE = "max"
POLL = "GET /updates"
TOKEN = "Check max.token: the cabinet of MAX for partners shows it in the bot's settings."  # noqa: S105
FILTER = "A filter or proxy may stand in between: check max.api_url."
WRITES = ("POST /messages", "PUT /messages")
# That a person has stopped the bot, never started it, or is not there.
NOT_THIS_CHAT = (
    "chat.denied",
    "chat.not.found",
    "dialog.suspended",
    "dialog.not.found",
    "user.not.found",
    "chat not found",
    "user not found",
)
# Of an edit: already so, or gone.
NOT_THERE = ("edit.invalid.message", "message.not.found", "message not found", "not modified")
TOO_LATE = (200, 400, 403, 404, 405)  # statuses of an answer to a tap that nobody waits for any more
NOT_YET = ("attachment.not.ready", "too.many.requests", "service.unavailable")
# Codes and keys in what MAX says; the rest of it may quote names, numbers or the token.
KEY = re.compile(r"[a-z][a-z_]*(?:\.[a-z_]+)+")
SENTENCE = re.compile(r"[A-Za-z][A-Za-z ,.'/-]{2,100}")


@dataclass(frozen=True, slots=True)
class _Refusal:
    words: str  # in lower case
    code: str

    @property
    def shown(self) -> str:
        """Safe to show: what looks like MAX's own words and not like a value."""
        keys = " ".join(dict.fromkeys(KEY.findall(self.words)))
        return keys or (self.words if SENTENCE.fullmatch(self.words) else "no reason given")

    def says(self, phrases: tuple[str, ...]) -> bool:
        return any(phrase in self.words for phrase in phrases)


def explain(answer: Answer) -> OutsideError | None:
    """None: a success, or a failure that the common rules tell best."""
    status, what = answer.status, answer.what
    if status < 300 and what == POLL:
        return None  # A whole page need not be parsed twice.
    refusal = _refusal_in(answer)
    if refusal is None:
        if not 300 <= status < 500 or status in (408, 429):
            return None
        return Temporary(
            SERVICE,
            f"answered with something that is not MAX's ({status}): {what}",
            remedy=FILTER,
            status=status,
        )
    if status == 401 or refusal.code == "verify.token":
        return AccessDenied(SERVICE, f"refuses the token: {what}", remedy=TOKEN, status=status)
    if status == 429 or status >= 500:
        return None
    if refusal.says(NOT_YET):
        return Temporary(SERVICE, f"is not ready: {refusal.shown}", status=status)
    if status == 405 and what == POLL:
        return Temporary(
            SERVICE,
            f"refuses to hand out updates: {refusal.shown}",
            remedy="Another program may get them by a webhook: remove its subscription, or give sarafan a "
            "bot of its own.",
            status=status,
        )
    is_write = what in WRITES
    if is_write and refusal.says(NOT_THERE):
        return Permanent(SERVICE, f"refused the request: {refusal.shown}", status=status)
    if is_write and (refusal.says(NOT_THIS_CHAT) or status == 403 or (status == 404 and what == WRITES[0])):
        return Unreachable(SERVICE, f"cannot write to this chat: {refusal.shown}", status=status)
    if status == 403:
        return AccessDenied(SERVICE, f"refused access ({refusal.shown}): {what}", remedy=TOKEN, status=status)
    return Permanent(SERVICE, f"refused the request ({status}, {refusal.shown}): {what}", status=status)


def _refusal_in(answer: Answer) -> _Refusal | None:
    """What MAX says no with; None for a success and for what is not MAX's at all."""
    try:
        said = answer.json()
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    code, message = (
        value if isinstance(value, str) else "" for value in (said.get("code"), said.get("message"))
    )
    if answer.status < 300 and said.get("success") is not False and not (code and message):
        return None
    if answer.status >= 300 and not (code or message or said.get("success") is False):
        return None
    return _Refusal(f"{code} {message}".strip().lower(), code)


def occupied(url: str, *, is_polled: bool = False) -> Permanent:
    """Another program is told what comes in. Of its address only the host is safe to show."""
    try:
        host = httpx.URL(url).host or "another address"
    except httpx.InvalidURL:
        host = "another address"
    consequence = ", so polling would bring nothing" if is_polled else ""
    ours = ' Or set max.mode = "webhook" if that address is sarafan\'s own.' if is_polled else ""
    return Permanent(
        SERVICE,
        f"sends what it gets for this bot to {host}{consequence}",
        remedy="Another program gets what comes in: give sarafan a bot of its own, or remove that "
        f"subscription (DELETE /subscriptions?url=…).{ours}",
        status=409,
    )
