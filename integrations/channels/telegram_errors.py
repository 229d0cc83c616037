"""What goes wrong with Telegram: the one place where an error of python-telegram-bot becomes one of ours."""

import os
from datetime import timedelta

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable

# The library is about to give durations as timedelta: without this it warns each time it is asked to wait.
os.environ.setdefault("PTB_TIMEDELTA", "true")

SERVICE = "telegram"
TOO_LATE = ("query is too old", "query id is invalid")
NOTHING_TO_EDIT = (
    "message is not modified",
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
)
NOT_THIS_CHAT = (
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "group chat was deactivated",
    "not enough rights to send",
    "have no rights to send",
    "chat_write_forbidden",
)
# Failures of httpx before anything left for Telegram.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
MALFORMED = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class Foreign(NetworkError):
    """An answer that Telegram does not give: a filter's page, half an answer, a proxy's status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answered with something that is not Telegram's ({status})")
        self.status = status


def outside_of(error: TelegramError, *, is_read: bool) -> OutsideError:
    lost: type[Temporary] | type[Uncertain] = Temporary if is_read else Uncertain
    match error:
        case RetryAfter():
            return Temporary(SERVICE, "is busy (429)", retry_after=_pause(error.retry_after), status=429)
        case Conflict():
            return Temporary(
                SERVICE,
                f"refuses to hand out updates: {error.message}",
                remedy="Another program reads this bot, or it has a webhook. Stop that program, remove the "
                "webhook (deleteWebhook), or give sarafan a bot of its own.",
                status=409,
            )
        case Forbidden():
            return Unreachable(SERVICE, f"cannot write to this chat: {error.message}", status=403)
        case InvalidToken():
            return AccessDenied(
                SERVICE,
                "refuses the token",
                remedy="Check telegram.token: @BotFather shows it under /mybots, API Token.",
                status=401,
            )
        case ChatMigrated():
            return Permanent(SERVICE, f"moved this group to {error.new_chat_id}", status=400)
        case BadRequest():
            if says(error, NOT_THIS_CHAT):
                return Unreachable(SERVICE, f"cannot write to this chat: {error.message}", status=400)
            return Permanent(SERVICE, f"refused the request: {error.message}", status=400)
        case Foreign():
            refused = 300 <= error.status < 500
            return (Temporary if refused else lost)(
                SERVICE,
                error.message,
                remedy="A filter or proxy may stand in between: check telegram.api_url and telegram.proxy.",
                status=error.status,
            )
        case _:
            return _unanswered(error, lost)


def _unanswered(error: TelegramError, lost: type[Temporary] | type[Uncertain]) -> OutsideError:
    cause = error.__cause__
    if isinstance(cause, NOT_SENT):
        return Temporary(
            SERVICE,
            f"cannot be reached ({type(cause).__name__})",
            remedy="Check the network. Where Telegram is filtered, set telegram.proxy or telegram.api_url.",
        )
    if isinstance(cause, MALFORMED):
        return Permanent(
            SERVICE,
            "cannot be asked: the address is malformed",
            remedy="Check telegram.api_url and telegram.token for stray characters.",
        )
    if isinstance(error, TimedOut):
        return lost(SERVICE, "did not answer in time")
    return lost(SERVICE, f"broke off ({type(cause).__name__})" if cause else f"failed: {error.message}")


def says(error: BaseException | None, phrases: tuple[str, ...]) -> bool:
    return isinstance(error, BadRequest) and any(phrase in error.message.lower() for phrase in phrases)


def _pause(retry_after: float | timedelta) -> timedelta:
    return retry_after if isinstance(retry_after, timedelta) else timedelta(seconds=retry_after)
