"""A Telegram bot: python-telegram-bot's methods and types around a polling loop that loses nothing."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
from telegram import (
    Bot,
    BotCommandScopeChat,
    LinkPreviewOptions,
    Message,
)
from telegram.error import (
    ChatMigrated,
    TelegramError,
)

from integrations.channels.base import (
    Batch,
    BotSettings,
    Incoming,
    Outgoing,
    Posted,
    Raw,
    RefusedError,
    UnreadableError,
)
from integrations.channels.hooks import is_ours, is_same, json_of
from integrations.channels.secret_path import HIDDEN, SecretPath
from integrations.channels.telegram_errors import NOTHING_TO_EDIT, SERVICE, TOO_LATE, outside_of, says
from integrations.channels.telegram_read import ALLOWED_UPDATES, incoming_of, raw_of
from integrations.channels.telegram_request import Request
from integrations.channels.telegram_write import (
    LONGEST_ABOUT,
    LONGEST_CAPTION,
    LONGEST_TAP_ANSWER,
    LONGEST_TEXT,
    chat_of,
    inline,
    markup,
    quote,
)
from integrations.channels.utf16 import cut
from integrations.errors import Permanent, Temporary
from integrations.http import DEADLINE, OnResult
from integrations.pace import Pace, Paused

API_URL = "https://api.telegram.org"
DEEP_LINK = "https://t.me/{bot}?start={token}"
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - its name

# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: about 30 messages a second.
RATE = 25.0
LONGEST_POLL = timedelta(seconds=50)  # the server cuts a longer wait
PAGE = 100  # updates, the most that one getUpdates gives
ANSWER_SLACK = timedelta(seconds=15)  # how long an answer may take beyond the wait that was asked for
CHATS_BEFORE_ALL = 3  # so many chats told to wait at once mean the whole bot is

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
        self._calls, self._updates = Request(calls, on_result), Request(updates, on_result)
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
                chat_of(chat_id), file, cut(text, LONGEST_CAPTION), filename=name
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
                    chat_of(chat_id), int(message_id), reply_markup=inline(message.buttons)
                )
            return await self._bot.edit_message_text(
                cut(message.text, LONGEST_TEXT),
                chat_of(chat_id),
                int(message_id),
                reply_markup=inline(message.buttons),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

        try:
            await self._call(edit_message, chat_id=chat_id)
        except Permanent as error:
            if not says(error.__cause__, NOTHING_TO_EDIT):
                raise

    async def answer_tap(self, callback_id: str, text: str) -> None:
        async def answer() -> object:
            return await self._bot.answer_callback_query(callback_id, cut(text, LONGEST_TAP_ANSWER) or None)

        try:
            await self._call(answer)
        except Permanent as error:
            if not says(error.__cause__, TOO_LATE):
                raise

    async def set_menu(self, chat_id: str, commands: Sequence[tuple[str, str]]) -> None:
        """For this chat alone: what clients see stays as it is."""
        scope = BotCommandScopeChat(chat_of(chat_id))

        async def set_commands() -> bool:
            if not commands:
                return await self._bot.delete_my_commands(scope)
            return await self._bot.set_my_commands(list(commands), scope)

        # Said twice it changes nothing, so a lost answer is no question of what happened.
        await self._call(set_commands, chat_id=chat_id, is_read=True)

    async def introduce(self, about: str) -> bool:
        async def put() -> bool:
            return await self._bot.set_my_short_description(cut(about, LONGEST_ABOUT))

        found = await self._call(self._bot.get_my_short_description, is_read=True)
        if found.short_description:
            return False
        # Said twice it changes nothing, so a lost answer is no question of what happened.
        return await self._call(put, is_read=True)

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
        return Batch(tuple(raw_of(update) for update in updates), offset)

    async def confirm(self, batch: Batch) -> None:
        """Nothing to do: the offset of the next poll confirms."""

    def take(self, posted: Posted, secret: str) -> tuple[Raw, ...]:
        if not is_same(posted.headers.get(SECRET_HEADER, ""), secret):
            raise RefusedError("header")
        update = json_of(posted.body, "an update of Telegram")
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            raise UnreadableError("not an update of Telegram: it has no update_id")
        return (raw_of(update),)

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
        return (incoming_of(body),)

    async def close(self) -> None:
        await self._updates.shutdown()
        await self._calls.shutdown()

    async def _send(self, chat_id: str, message: Outgoing) -> Message:
        async def send_message() -> Message:
            # No parse mode: a client called «<b>» or a manager called «_» must not break a message.
            return await self._bot.send_message(
                chat_of(chat_id),
                cut(message.text, LONGEST_TEXT),
                reply_markup=markup(message),
                reply_parameters=quote(message.quote),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

        async def send_picture() -> Message:
            send = self._bot.send_document if message.is_file else self._bot.send_photo
            return await send(
                chat_of(chat_id),
                message.picture,
                cut(message.text, LONGEST_CAPTION),
                filename="sarafan.png",
                reply_markup=markup(message),
                reply_parameters=quote(message.quote),
            )

        return await self._call(send_picture if message.picture else send_message, chat_id=chat_id)

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
            outside = outside_of(error, is_read=is_read)
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
