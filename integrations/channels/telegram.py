"""A Telegram bot: python-telegram-bot's methods and types around a polling loop that loses nothing."""

import json
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
from telegram import (
    Bot,
    BotCommandScopeChat,
    CallbackQuery,
    Chat,
    ChatMember,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    Update,
    User,
)
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
from telegram.request import HTTPXRequest

from integrations.channels.base import (
    Batch,
    BotSettings,
    Button,
    Incoming,
    IncomingKind,
    Outgoing,
    Posted,
    Raw,
    RefusedError,
    UnreadableError,
)
from integrations.channels.hooks import as_bytes, is_ours, is_same
from integrations.channels.secret_path import HIDDEN, SecretPath
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.http import DEADLINE, OnResult, Pace, Paused

# The library is about to give durations as timedelta: without this it warns each time it is asked to wait.
os.environ.setdefault("PTB_TIMEDELTA", "true")

SERVICE = "telegram"
API_URL = "https://api.telegram.org"
DEEP_LINK = "https://t.me/{bot}?start={token}"
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - its name

# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: about 30 messages a second.
RATE = 25.0
LONGEST_TEXT = 4096  # UTF-16 units: https://core.telegram.org/bots/api#sendmessage
LONGEST_CAPTION = 1024  # https://core.telegram.org/bots/api#sendphoto
LONGEST_TAP_ANSWER = 200  # https://core.telegram.org/bots/api#answercallbackquery
LONGEST_POLL = timedelta(seconds=50)  # the server cuts a longer wait
PAGE = 100  # updates, the most that one getUpdates gives
ANSWER_SLACK = timedelta(seconds=15)  # how long an answer may take beyond the wait that was asked for
CHATS_BEFORE_ALL = 3  # so many chats told to wait at once mean the whole bot is

# Named, because Telegram remembers what was asked for last, be it by another program.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")

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
START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<token>\S+)|\s*$)")
MEDIA = (
    "voice",
    "video_note",
    "photo",
    "sticker",
    "animation",  # before document: an animation is both
    "document",
    "video",
    "audio",
    "location",
    "venue",
    "poll",
    "dice",
    "story",
)

# Failures of httpx before anything left for Telegram.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
MALFORMED = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)

Result = TypeVar("Result")


class Telegram:
    """Fulfils Channel, Polled, Hooked, Linked, Menued and Moving."""

    name = SERVICE
    has_buttons = True
    button_limit = 100
    poll_limit = 0
    has_receipts = False
    has_read_receipts = False
    gap = timedelta(0)
    hook_place = SERVICE

    def __init__(
        self,
        settings: BotSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_result: OnResult | None = None,
        pace: Pace | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deep_link = settings.deep_link or DEEP_LINK
        self.is_hooked = settings.mode == "webhook"
        self._pace = pace or Pace(RATE)
        self._polling = Pace(None)  # a long poll would hold back every message
        self._now = now
        self._on_result = on_result
        self._parked: dict[str, float] = {}  # chat → until
        self._moved: dict[str, str] = {}  # group → the supergroup that it became
        self._username = ""
        try:
            calls, updates = (
                SecretPath(settings.token, transport=transport, proxy=settings.proxy, deadline=deadline)
                for deadline in (DEADLINE, DEADLINE + LONGEST_POLL)
            )
        except (ValueError, ImportError):  # From None: httpx quotes the address, and it may hold a password.
            raise Permanent(
                SERVICE,
                "cannot use the proxy",
                remedy="Write telegram.proxy like http://host:port or socks5://user:password@host:port.",
            ) from None
        api = (settings.api_url or API_URL).rstrip("/")
        self._calls, self._updates = _Request(calls, on_result), _Request(updates, on_result)
        self._bot = Bot(
            HIDDEN,
            base_url=f"{api}/bot",
            base_file_url=f"{api}/file/bot",
            request=self._calls,
            get_updates_request=self._updates,
        )

    def address(self, phone: str) -> str | None:
        """None: a bot cannot write first, and a phone number is no address."""
        return None

    async def start(self) -> None:
        self._username = (await self._call(self._bot.get_me, is_read=True)).username or ""

    async def deep_link(self, token: str) -> str:
        if "{bot}" in self._deep_link and not self._username:
            await self.start()
        return self._deep_link.replace("{bot}", self._username).replace("{token}", token)

    async def send(self, chat_id: str, message: Outgoing) -> str:
        try:
            sent = await self._send(self._moved.get(chat_id, chat_id), message)
        except Permanent as error:
            if not isinstance(error.__cause__, ChatMigrated):
                raise
            # A group that became a supergroup has a new id; the message was refused, not sent.
            self._moved[chat_id] = str(error.__cause__.new_chat_id)
            sent = await self._send(self._moved[chat_id], message)
        return str(sent.message_id)

    async def send_file(self, chat_id: str, file: bytes, name: str, text: str) -> str:
        async def send_document() -> Message:
            return await self._bot.send_document(
                _chat(chat_id), file, _cut(text, LONGEST_CAPTION), filename=name
            )

        return str((await self._call(send_document, chat_id=chat_id)).message_id)

    def moved_to(self, chat_id: str) -> str:
        return self._moved.get(chat_id, "")

    async def edit(self, chat_id: str, message_id: str, message: Outgoing) -> None:
        if not message_id.isdigit():
            return  # Its id was never learned, so there is nothing to find it by.
        if chat_id in self._moved:
            return  # It stayed behind in the group; the supergroup gives its number to another message.

        async def edit_message() -> object:
            if not message.text:
                return await self._bot.edit_message_reply_markup(
                    _chat(chat_id), int(message_id), reply_markup=_inline(message.buttons)
                )
            return await self._bot.edit_message_text(
                _cut(message.text, LONGEST_TEXT),
                _chat(chat_id),
                int(message_id),
                reply_markup=_inline(message.buttons),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

        try:
            await self._call(edit_message, chat_id=chat_id)
        except Permanent as error:
            if not _says(error.__cause__, NOTHING_TO_EDIT):
                raise

    async def answer_tap(self, callback_id: str, text: str) -> None:
        async def answer() -> object:
            return await self._bot.answer_callback_query(callback_id, _cut(text, LONGEST_TAP_ANSWER) or None)

        try:
            await self._call(answer)
        except Permanent as error:
            if not _says(error.__cause__, TOO_LATE):
                raise

    async def set_menu(self, chat_id: str, commands: Sequence[tuple[str, str]]) -> None:
        """For this chat alone: what clients see stays as it is."""
        scope = BotCommandScopeChat(_chat(chat_id))

        async def set_commands() -> bool:
            if not commands:
                return await self._bot.delete_my_commands(scope)
            return await self._bot.set_my_commands(list(commands), scope)

        # Said twice it changes nothing, so a lost answer is no question of what happened.
        await self._call(set_commands, chat_id=chat_id, is_read=True)

    async def poll(self, offset: str, timeout: timedelta) -> Batch:  # noqa: ASYNC109 the server waits, not we
        """Updates as they came. Only the next poll, with this batch's offset, confirms them."""
        wait = min(timeout, LONGEST_POLL)
        asked: dict[str, str | int] = {
            "timeout": int(wait.total_seconds()),
            "limit": PAGE,
            "allowed_updates": json.dumps(ALLOWED_UPDATES),
        }
        if offset:
            asked["offset"] = offset
        # Raw, not `Bot.get_updates`: that parses the whole page at once, so one update of a form that the
        # library does not know would hide its neighbours.
        url = f"{self._bot.base_url}/getUpdates?{urlencode(asked)}"

        async def get_updates() -> Any:
            return await self._updates.post(url, read_timeout=(wait + ANSWER_SLACK).total_seconds())

        page = await self._call(get_updates, is_read=True, pace=self._polling)
        updates = [update for update in page if isinstance(update, dict) and "update_id" in update]
        if updates:
            offset = str(max(int(update["update_id"]) for update in updates) + 1)
        return Batch(tuple(_raw(update) for update in updates), offset)

    async def confirm(self, batch: Batch) -> None:
        """Nothing to do: the offset of the next poll confirms."""

    def take(self, posted: Posted, secret: str) -> tuple[Raw, ...]:
        if not is_same(posted.headers.get(SECRET_HEADER, ""), secret):
            raise RefusedError("header")
        try:
            update = json.loads(posted.body)
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"not an update of Telegram ({type(error).__name__})") from None
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            raise UnreadableError("not an update of Telegram: it has no update_id")
        return (_raw(update),)

    def greet(self, query: Mapping[str, str], secret: str) -> str:
        """Telegram makes sure of nobody."""
        raise RefusedError("method")

    async def register(self, url: str, secret: str) -> None:
        """The secret follows from the path's, so an address that is right has the right one."""
        found = await self._call(self._bot.get_webhook_info, is_read=True)
        if found.url == url and set(found.allowed_updates) == set(ALLOWED_UPDATES):
            return
        if found.url and not is_ours(found.url, url):
            raise Permanent(
                SERVICE,
                f"sends what it gets for this bot to {httpx.URL(found.url).host}",
                remedy="Another program lives on this bot: give sarafan a bot of its own, or have that one "
                "remove its webhook (deleteWebhook).",
            )

        async def set_webhook() -> bool:
            # What came in meanwhile is kept for us: clients' answers are never dropped.
            return await self._bot.set_webhook(
                url, allowed_updates=ALLOWED_UPDATES, secret_token=secret, drop_pending_updates=False
            )

        # Said twice it changes nothing, so a lost answer is no question of what happened.
        await self._call(set_webhook, is_read=True)

    def read(self, body: bytes) -> Sequence[Incoming]:
        try:
            content = json.loads(body)
            update = Update.de_json(content, None)
            # The library parses some parts only when they are asked for.
            return (_incoming(update),)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise UnreadableError(f"not an update of Telegram ({type(error).__name__})") from error

    async def close(self) -> None:
        await self._updates.shutdown()
        await self._calls.shutdown()

    async def _send(self, chat_id: str, message: Outgoing) -> Message:
        async def send_message() -> Message:
            # No parse mode: a client called «<b>» or a manager called «_» must not break a message.
            return await self._bot.send_message(
                _chat(chat_id),
                _cut(message.text, LONGEST_TEXT),
                reply_markup=_markup(message),
                reply_parameters=_quote(message.quote),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

        async def send_photo() -> Message:
            return await self._bot.send_photo(
                _chat(chat_id),
                message.picture,
                _cut(message.text, LONGEST_CAPTION),
                filename="sarafan.png",
                reply_markup=_markup(message),
                reply_parameters=_quote(message.quote),
            )

        async def send_document() -> Message:
            return await self._bot.send_document(
                _chat(chat_id),
                message.picture,
                _cut(message.text, LONGEST_CAPTION),
                filename="sarafan.png",
                reply_markup=_markup(message),
                reply_parameters=_quote(message.quote),
            )

        send = send_document if message.is_file else send_photo
        return await self._call(send if message.picture else send_message, chat_id=chat_id)

    async def _call(
        self,
        method: Callable[[], Awaitable[Result]],
        *,
        chat_id: str = "",
        is_read: bool = False,
        pace: Pace | None = None,
    ) -> Result:
        """One call, never repeated here. The library's errors end here, as the cause of ours."""
        left = self._parked.get(chat_id, 0.0) - self._now()
        if left > 0:  # Continuing to knock lengthens the wait.
            raise Temporary(SERVICE, "asked to wait with this chat", retry_after=timedelta(seconds=left))
        try:
            async with (pace or self._pace).turn():
                return await method()
        except Paused as pause:
            raise Temporary(SERVICE, "asked to wait", retry_after=pause.left) from None
        except TelegramError as error:
            outside = _outside(error, is_read=is_read)
            if chat_id and isinstance(outside, Temporary) and outside.retry_after:
                self._park(chat_id, outside.retry_after)
            raise outside from error

    def _park(self, chat_id: str, pause: timedelta) -> None:
        """Leave this chat alone, and everybody when several chats are told to wait.

        An answer «too many requests» does not say whether it means the chat or the bot.
        """
        now = self._now()
        self._parked = {chat: until for chat, until in self._parked.items() if until > now}
        self._parked[chat_id] = now + pause.total_seconds()
        if len(self._parked) >= CHATS_BEFORE_ALL:
            self._pace.park(pause)


class _Foreign(NetworkError):
    """An answer that Telegram does not give: a filter's page, half an answer, a proxy's status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answered with something that is not Telegram's ({status})")
        self.status = status


class _Request(HTTPXRequest):
    """The library's client, with explicit timeouts, counted results and no trust in foreign answers."""

    def __init__(self, transport: SecretPath, on_result: OnResult | None) -> None:
        self._on_result = on_result
        super().__init__(
            connect_timeout=5,
            read_timeout=20,
            write_timeout=20,
            pool_timeout=5,
            httpx_kwargs={"transport": transport, "trust_env": False},
        )

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        try:
            status, payload = await super().do_request(*args, **kwargs)
        except TelegramError as error:
            self._note("timeout" if isinstance(error, TimedOut) else "broken")
            raise
        self._note(str(status))
        # The library judges by the status alone: a filter's 403 would be a client who blocked the bot.
        if not _is_telegrams(status, payload):
            raise _Foreign(status)
        return status, payload

    def _note(self, result: str) -> None:
        if self._on_result:
            self._on_result(SERVICE, result)


def _is_telegrams(status: int, payload: bytes) -> bool:
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
        return False
    if status < 300:
        return answer["ok"] is True and "result" in answer
    if status == 429:
        parameters = answer.get("parameters")
        return isinstance(parameters, dict) and bool(parameters.get("retry_after"))
    return status in (400, 401, 403, 404, 409) or status >= 500


def _outside(error: TelegramError, *, is_read: bool) -> OutsideError:
    """The one place where the library's error becomes ours."""
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
            if _says(error, NOT_THIS_CHAT):
                return Unreachable(SERVICE, f"cannot write to this chat: {error.message}", status=400)
            return Permanent(SERVICE, f"refused the request: {error.message}", status=400)
        case _Foreign():
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


def _says(error: BaseException | None, phrases: tuple[str, ...]) -> bool:
    return isinstance(error, BadRequest) and any(phrase in error.message.lower() for phrase in phrases)


def _pause(retry_after: float | timedelta) -> timedelta:
    return retry_after if isinstance(retry_after, timedelta) else timedelta(seconds=retry_after)


def _chat(chat_id: str) -> int | str:
    return int(chat_id) if re.fullmatch(r"-?\d+", chat_id) else chat_id


def _cut(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, as Telegram counts; a cut is shown."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * limit:
        return text
    return units[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


def _inline(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    keyboard = [[_button(button) for button in row] for row in rows if row]
    return InlineKeyboardMarkup(keyboard) if keyboard else None


def _button(button: Button) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(button.text, url=button.url)
    return InlineKeyboardButton(button.text, callback_data=button.data)


def _markup(
    message: Outgoing,
) -> InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | None:
    """A message carries one keyboard: buttons win over asking for the number, that over taking it away."""
    if inline := _inline(message.buttons):
        return inline
    if message.share_phone:
        button = KeyboardButton(message.share_phone, request_contact=True)
        return ReplyKeyboardMarkup([[button]], resize_keyboard=True, one_time_keyboard=True)
    return ReplyKeyboardRemove() if message.remove_keyboard else None


def _quote(message_id: str) -> ReplyParameters | None:
    if not message_id.isdigit():
        return None
    # The quoted message may be gone, which is no reason to stay silent.
    return ReplyParameters(int(message_id), allow_sending_without_reply=True)


def _raw(update: dict[str, Any]) -> Raw:
    body = as_bytes(update)
    return Raw(str(update["update_id"]), "update", body)


def _incoming(update: Update) -> Incoming:
    if update.callback_query:
        return _tap(update.callback_query)
    if update.my_chat_member:
        return _membership(update.my_chat_member)
    if update.edited_message:
        return _edited(update.edited_message)
    if update.message:
        return _message(update.message)
    return Incoming(kind=IncomingKind.OTHER)


def _tap(query: CallbackQuery) -> Incoming:
    message = query.message  # an old one comes without its text, or not at all
    return Incoming(
        kind=IncomingKind.TAP,
        chat_id=str(message.chat.id if message else query.from_user.id),
        data=query.data or "",
        quoted=str(message.message_id) if message else "",
        callback_id=query.id,
        sender_id=str(query.from_user.id),
        sender_name=query.from_user.full_name,
        is_group=message is not None and message.chat.type != Chat.PRIVATE,
    )


def _membership(change: ChatMemberUpdated) -> Incoming:
    is_gone = change.new_chat_member.status in (ChatMember.BANNED, ChatMember.LEFT)
    return Incoming(
        kind=IncomingKind.BLOCKED if is_gone else IncomingKind.UNBLOCKED,
        chat_id=str(change.chat.id),
        sent_at=change.date,
        sender_id=str(change.from_user.id),
        sender_name=change.from_user.full_name,
        is_group=change.chat.type != Chat.PRIVATE,
    )


def _envelope(message: Message, sender: User | None) -> Incoming:
    quoted = message.reply_to_message
    return Incoming(
        kind=IncomingKind.OTHER,
        chat_id=str(message.chat.id),
        sent_at=message.edit_date or message.date,
        message_id=str(message.message_id),
        quoted=str(quoted.message_id) if quoted else "",
        sender_id=str(sender.id) if sender else "",
        sender_name=sender.full_name if sender else "",
        is_group=message.chat.type != Chat.PRIVATE,
    )


def _edited(message: Message) -> Incoming:
    words = message.text or message.caption or ""
    envelope = _envelope(message, message.from_user)
    return replace(envelope, kind=IncomingKind.EDITED, text=words) if words else envelope


def _message(message: Message) -> Incoming:
    sender = message.from_user
    envelope = _envelope(message, sender)
    if message.migrate_to_chat_id:
        return replace(envelope, kind=IncomingKind.MOVED, moved_to=str(message.migrate_to_chat_id))
    if sender is None or sender.is_bot:
        return envelope
    if contact := message.contact:
        return replace(
            envelope,
            kind=IncomingKind.CONTACT,
            phone=_digits(contact.phone_number),
            is_own_phone=contact.user_id == sender.id,  # anybody's card can be attached by hand
        )
    if message.text and (opened := START.match(message.text)):
        return replace(envelope, kind=IncomingKind.START, text=message.text, token=opened["token"] or "")
    media = next((name for name in MEDIA if getattr(message, name)), "")
    if words := message.text or message.caption or "":
        return replace(envelope, kind=IncomingKind.TEXT, text=words, media=media)
    return replace(envelope, kind=IncomingKind.MEDIA, media=media) if media else envelope


def _digits(phone: str) -> str:
    """Telegram gives numbers with or without «+»; a card typed by hand in Russia may begin with 8."""
    digits = re.sub(r"\D", "", phone)
    return "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits
