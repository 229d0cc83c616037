"""What a made-up Telegram consists of: people, groups, messages, and what it refuses to show under one."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
LONGEST_CAPTION = 1024
ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "copy_text",
)


class Refusal(Exception):
    """`{"ok": false}` with the HTTP status `code`."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad(description: str) -> Refusal:
    return Refusal(400, f"Bad Request: {description}")


def too_many(seconds: float) -> Refusal:
    wait = max(1, round(seconds))
    return Refusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody with a Telegram account. `phone` is what «share my number» gives."""

    user_id: int
    name: str
    phone: str = ""
    has_started: bool = False
    has_blocked: bool = False
    is_deactivated: bool = False

    @property
    def user(self) -> Json:
        first, _, last = self.name.partition(" ")
        user: Json = {"id": self.user_id, "is_bot": False, "first_name": first, "language_code": "ru"}
        return {**user, "last_name": last} if last else user

    @property
    def chat(self) -> Json:
        return {"id": self.user_id, "type": "private", "first_name": self.name.partition(" ")[0]}


@dataclass(slots=True, kw_only=True)
class Group:
    chat_id: int
    title: str
    moved_to: int = 0  # the supergroup that it became
    is_closed: bool = False  # the bot was sent out of it

    @property
    def chat(self) -> Json:
        kind = "supergroup" if str(self.chat_id).startswith("-100") else "group"
        return {"id": self.chat_id, "type": kind, "title": self.title}


@dataclass(slots=True, kw_only=True)
class Posted:
    """A message in a chat as it looks now; `history` holds its earlier texts."""

    message_id: int
    chat_id: int
    by_bot: bool
    text: str
    at: datetime
    markup: Json | None = None  # reply_markup as it was sent
    reply_to: int | None = None
    edited_at: datetime | None = None
    history: list[str] = field(default_factory=list)
    extra: Json = field(default_factory=dict)  # photo, voice, contact … as in the API's Message
    is_deleted: bool = False

    @property
    def buttons(self) -> list[Json]:
        """The inline buttons, in one row."""
        return [button for row in (self.markup or {}).get("inline_keyboard", ()) for button in row]

    @property
    def labels(self) -> list[str]:
        return [button["text"] for button in self.buttons]


@dataclass(slots=True, kw_only=True)
class Tap:
    at: datetime
    is_answered: bool = False
    answer: str = ""


def check_markup(markup: Any, *, is_private: bool) -> None:
    if not markup:
        return
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    buttons = [button for row in markup.get("inline_keyboard", ()) for button in row]
    if len(buttons) > 100:
        raise bad("reply markup is too long")
    for button in buttons:
        _check_button(button)
    for key in (key for row in markup.get("keyboard", ()) for key in row):
        if isinstance(key, dict) and key.get("request_contact") and not is_private:
            raise bad("phone number can be requested in private chats only")


def _check_button(button: Json) -> None:
    if not button.get("text"):
        raise bad("inline keyboard button text must be non-empty")
    if sum(action in button for action in ACTIONS) != 1:
        raise bad("text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in button:
        url = urlsplit(button["url"])
        if url.scheme not in ("http", "https", "tg") or (
            url.scheme != "tg" and "." not in (url.hostname or "")
        ):
            raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def inline_of(markup: Json | None) -> Json | None:
    """What a message shows of its markup: reply keyboards are no part of it."""
    return markup if markup and "inline_keyboard" in markup else None


def without_reply(post: Posted) -> Posted:
    return Posted(
        message_id=post.message_id,
        chat_id=post.chat_id,
        by_bot=post.by_bot,
        text=post.text,
        at=post.at,
        markup=post.markup,
        extra=post.extra,
    )
