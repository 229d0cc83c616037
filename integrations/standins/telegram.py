"""A made-up Telegram: the part of the Bot API that a survey bot lives on, and the people who answer it.

Behaves as core.telegram.org/bots/api and tdlib/telegram-bot-api say: updates stay until a larger offset
confirms them, a second poller ends the first with 409, strangers and blockers give 403, and the HTTP status
is the error's code.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import MIMEPart
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.standins.faults import Faults, Faulty, Logged, control_routes

Json = dict[str, Any]

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # noqa: S105 the documentation's own example
UPDATE_LIFE = timedelta(hours=24)
TAP_LIFE = timedelta(minutes=15)  # the time in which a tap can be answered
LONGEST_CAPTION = 1024
LONGEST_WAIT = 50.0  # seconds that getUpdates waits at most
NAMED_ONLY = ("chat_member", "message_reaction", "message_reaction_count")  # unless asked for by name
ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "copy_text",
)


COMMAND = re.compile(r"[a-z0-9_]{1,32}")
SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")


class Refusal(Exception):
    """`{"ok": false}` with the HTTP status `code`."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad(description: str) -> Refusal:
    return Refusal(400, f"Bad Request: {description}")


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


@dataclass(slots=True)
class _Poller:
    """One waiting getUpdates."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    is_terminated: bool = False


Who = Person | Group | str | int  # a name, or an id


class TelegramStandIn:
    """One bot and its chats. `app` is the server; the other methods are what people do in the application."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        token: str = TOKEN,
        username: str = "sarafan_demo_bot",
        rate_limit: int = 30,  # messages in one second
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self.clock = clock
        self.token = token
        self.username = username
        self.rate_limit = rate_limit
        self.longest_wait = longest_wait
        self.webhook_url = ""  # not empty: the tester brings the updates there, by `waiting`
        self.webhook_secret = ""
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.posted: list[Posted] = []
        self.files: dict[tuple[int, int], bytes] = {}  # by chat and message
        self.taps: dict[str, Tap] = {}
        self.updates: list[tuple[datetime, Json]] = []
        self.menus: dict[int, list[Json]] = {}  # commands by chat
        self.faults = Faults()
        self.requests: list[Logged] = []
        self._allowed: tuple[str, ...] = ()
        self._last_update_id = 700_000_000
        self._last_user_id = 5_000_000_000  # beyond 32 bits, as real ones are
        self._last_group_id = -4_000_000
        self._message_ids: dict[int, int] = {}
        self._poller: _Poller | None = None
        self._sent_at: deque[float] = deque()
        self._throttled: dict[int | None, datetime] = {}
        self._methods: Mapping[str, Callable[[Json], Any]] = {
            "getme": self._get_me,
            "sendmessage": self._send_message,
            "sendphoto": self._send_photo,
            "senddocument": self._send_document,
            "editmessagetext": self._edit_message_text,
            "editmessagereplymarkup": self._edit_message_reply_markup,
            "deletemessage": self._delete_message,
            "answercallbackquery": self._answer_callback_query,
            "setmycommands": self._set_my_commands,
            "deletemycommands": self._delete_my_commands,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
        }
        helpers: tuple[Callable[..., Any], ...] = (
            self.person,
            self.group,
            self.start,
            self.says,
            self.edits,
            self.sends,
            self.tap,
            self.share_contact,
            self.block,
            self.unblock,
            self.messages,
            self.conversation,
            self.newest_update,
            self.webhook,
            self.waiting,
            self.delivered,
            self.throttle,
        )
        routes = [
            Route("/bot{token}/{method}", self._serve, methods=["GET", "POST"]),
            *control_routes(self.faults, self.requests, {helper.__name__: helper for helper in helpers}),
            Route("/{path:path}", _not_found, methods=["GET", "POST"]),
        ]
        self.app = Faulty(Starlette(routes=routes), self.faults, self.requests, clock)

    # What people do

    def person(self, who: Who, *, phone: str = "", user_id: int = 0) -> Person:
        """The person of this name or id; a new name makes a new person, who has not opened the bot yet."""
        if isinstance(who, Person):
            return who
        for person in self.people.values():
            if who in (person.name, person.user_id):
                person.phone = phone or person.phone
                return person
        if not isinstance(who, str):
            raise LookupError(f"nobody has the id {who}")
        if not user_id:
            self._last_user_id += 1
        person = Person(user_id=user_id or self._last_user_id, name=who, phone=phone)
        self.people[person.user_id] = person
        return person

    def group(self, title: str, *, chat_id: int = 0) -> Group:
        """The group of this title, with the bot in it."""
        for group in self.groups.values():
            if group.title == title and not group.moved_to:
                return group
        self._last_group_id -= 1
        group = Group(chat_id=chat_id or self._last_group_id, title=title)
        self.groups[group.chat_id] = group
        return group

    def upgrade(self, group: Group, *, by: Who | None = None) -> Group:
        """Make a supergroup of it: the old id is refused from now on. `by`: the bot is told of it."""
        group.moved_to = -1_000_000_000_000 + group.chat_id
        if by is not None:
            self._write(self.person(by), chat=group, extra={"migrate_to_chat_id": group.moved_to})
        self.groups[group.moved_to] = Group(chat_id=group.moved_to, title=group.title)
        return self.groups[group.moved_to]

    def send_out(self, group: Group, *, by: Who) -> None:
        """Somebody takes the bot out of the group."""
        group.is_closed = True
        self._membership(self.person(by), "member", "kicked", chat=group.chat)

    def let_in(self, group: Group, *, by: Who) -> None:
        group.is_closed = False
        self._membership(self.person(by), "kicked", "member", chat=group.chat)

    def start(self, who: Who, token: str = "") -> Person:
        """Open the bot by `https://t.me/<bot>?start=<token>` and press Start."""
        person = self.person(who)
        if person.has_blocked:
            self.unblock(person)
        person.has_started = True
        entity = {"type": "bot_command", "offset": 0, "length": 6}
        self._write(person, text=f"/start {token}".strip(), extra={"entities": [entity]})
        return person

    def says(
        self, who: Who, text: str, *, reply_to: int | None = None, chat: Group | str | None = None
    ) -> int:
        """Type a text to the bot (or in a group) and give its message id."""
        return self._write(self.person(who), text=text, reply_to=reply_to, chat=self._chat_of(chat))

    def sends(self, who: Who, media: str, caption: str = "", *, reply_to: int | None = None) -> int:
        """A voice message, photo, sticker or document."""
        file: Json = {"file_id": f"file-{media}", "file_unique_id": f"unique-{media}", "file_size": 1024}
        size: Json = {"width": 512, "height": 512}
        contents: dict[str, Any] = {
            "voice": {**file, "duration": 3, "mime_type": "audio/ogg"},
            "photo": [{**file, **size}],
            "sticker": {
                **file,
                **size,
                "type": "regular",
                "is_animated": False,
                "is_video": False,
            },
            "document": {**file, "file_name": "договор.pdf"},
        }
        extra: Json = {media: contents[media]}
        if caption:
            extra["caption"] = caption
        return self._write(self.person(who), extra=extra, reply_to=reply_to)

    def edits(self, who: Who, text: str, *, message_id: int | None = None) -> None:
        """Change the words of a message (the last one, if none is named)."""
        person = self.person(who)
        own = [post for post in self._posts(person.user_id) if not post.by_bot]
        post = self._find(person.user_id, message_id) if message_id else own[-1]
        post.history.append(post.text)
        post.text, post.edited_at = text, self.clock()
        self._update("edited_message", self._message(post, person))

    def tap(
        self,
        who: Who,
        button: str,
        *,
        message_id: int | None = None,
        chat: Group | str | None = None,
        is_old: bool = False,
    ) -> str:
        """Tap the button with this text under a message, the newest that has it; gives the tap's id.

        `is_old`: the message is so old that Telegram no longer shows it to the bot.
        """
        person, place = self.person(who), self._chat_of(chat)
        chat_id = place.chat_id if place else person.user_id
        posts = [post for post in self._posts(chat_id) if message_id in (None, post.message_id)]
        hits = [(post, hit) for post in posts for hit in post.buttons if hit["text"] == button]
        if not hits:
            shown = [post.labels for post in posts if post.labels]
            raise LookupError(f"no button «{button}»; there are {shown}")
        post, pressed = hits[-1]
        if "callback_data" not in pressed:
            raise LookupError(f"«{button}» opens {pressed.get('url')}, nothing is sent to the bot")
        tap_id = str(4_382_000_000_000_000_000 + len(self.taps) + 1)
        self.taps[tap_id] = Tap(at=self.clock())
        gone = {"chat": self._place(chat_id).chat, "message_id": post.message_id, "date": 0}
        self._update(
            "callback_query",
            {
                "id": tap_id,
                "from": person.user,
                "chat_instance": str(chat_id),
                "message": gone if is_old else self._message(post),
                "data": pressed["callback_data"],
            },
        )
        return tap_id

    def share_contact(self, who: Who, *, phone: str = "", is_own: bool = True) -> None:
        """Press «share my number», or attach somebody else's card by hand."""
        person = self.person(who)
        if is_own:
            person.phone = phone or person.phone
        card: Json = {"phone_number": phone or person.phone, "first_name": person.user["first_name"]}
        owners = [other.user_id for other in self.people.values() if other.phone == card["phone_number"]]
        if is_own or owners:  # a card without an account has no id
            card["user_id"] = person.user_id if is_own else owners[0]
        if not card["phone_number"]:
            raise ValueError(f"{person.name} has no phone number")
        self._write(person, extra={"contact": card})

    def block(self, who: Who) -> None:
        person = self.person(who)
        person.has_blocked = True
        self._membership(person, "member", "kicked")

    def unblock(self, who: Who) -> None:
        person = self.person(who)
        person.has_blocked = False
        self._membership(person, "kicked", "member")

    def messages(self, who: Who | None = None) -> list[Posted]:
        """What the bot wrote to this chat (or to everybody), as last edited."""
        chat_id = self._chat_id(who) if who is not None else None
        return [
            post
            for post in self.posted
            if post.by_bot and not post.is_deleted and chat_id in (None, post.chat_id)
        ]

    def last(self, who: Who) -> Posted:
        return self.messages(who)[-1]

    def conversation(self, who: Who) -> list[Posted]:
        """What stands in this chat, of both sides, in its order."""
        return self._posts(self._chat_id(who))

    def newest_update(self) -> int:
        """The id of what happened last."""
        return self._last_update_id

    def webhook(self) -> Json:
        """Where it posts what comes in, and the secret that its header carries then."""
        return {"url": self.webhook_url, "secret": self.webhook_secret}

    def waiting(self) -> list[Json]:
        """What no program has confirmed yet, oldest first."""
        return [update for _, update in self.updates]

    def delivered(self, update_id: int) -> None:
        """The webhook's address has answered 2xx to this one."""
        self.updates = [(at, update) for at, update in self.updates if update["update_id"] != update_id]

    def throttle(self, seconds: int, who: Who | None = None) -> None:
        """Answer messages to this chat (or to all) with 429 for so long."""
        chat_id = self._chat_id(who) if who is not None else None
        self._throttled[chat_id] = self.clock() + timedelta(seconds=seconds)

    def wake(self) -> None:
        """Let a waiting getUpdates answer at once, because the server stops."""
        if self._poller:
            self._poller.woken.set()

    # What the bot does

    async def _serve(self, request: Request) -> Response:
        try:
            return JSONResponse({"ok": True, "result": await self._result(request)})
        except Refusal as refusal:
            answer: Json = {
                "ok": False,
                "error_code": refusal.code,
                "description": refusal.description,
            }
            if refusal.parameters:
                answer["parameters"] = refusal.parameters
            return JSONResponse(answer, refusal.code)

    async def _result(self, request: Request) -> Any:
        token, name = request.path_params["token"], request.path_params["method"].lower()
        if ":" not in token:
            raise Refusal(404, "Not Found")
        if token != self.token:
            raise Refusal(401, "Unauthorized")
        parameters = parameters_of(request.headers.get("content-type", ""), await request.body())
        parameters = {**request.query_params, **parameters}
        if name == "getupdates":
            return await self._get_updates(parameters)
        if name not in self._methods:
            raise Refusal(404, "Not Found: method not found")
        return self._methods[name](parameters)

    def _get_me(self, parameters: Json) -> Json:
        return {
            **self._bot,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    async def _get_updates(self, parameters: Json) -> list[Json]:
        if self.webhook_url:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        if (allowed := _structure(parameters, "allowed_updates")) is not None:
            self._allowed = tuple(allowed)
        offset, limit = _whole(parameters, "offset", 0), _whole(parameters, "limit", 100)
        if limit not in range(1, 101):
            limit = 100
        self._confirm(offset)
        wait = min(float(_whole(parameters, "timeout", 0)), self.longest_wait)
        with self._polling() as poller:
            if not self.updates and wait > 0:
                await self._wait(poller, wait)
            if poller.is_terminated:
                raise Refusal(
                    409,
                    "Conflict: terminated by other getUpdates request; "
                    "make sure that only one bot instance is running",
                )
        return [update for _, update in self.updates[:limit]]

    def _confirm(self, offset: int) -> None:
        youngest = self.clock() - UPDATE_LIFE
        self.updates = [(at, update) for at, update in self.updates if at > youngest]
        if offset < 0:
            self.updates = self.updates[offset:]
        else:
            self.updates = [(at, update) for at, update in self.updates if update["update_id"] >= offset]

    @contextmanager
    def _polling(self) -> Iterator[_Poller]:
        if self._poller:
            self._poller.is_terminated = True
            self._poller.woken.set()
        poller = self._poller = _Poller()
        try:
            yield poller
        finally:
            if self._poller is poller:
                self._poller = None

    async def _wait(self, poller: _Poller, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await poller.woken.wait()
        except TimeoutError:
            return

    def _send_message(self, parameters: Json) -> Json:
        chat_id = self._writable(parameters)
        text = _text(parameters)
        markup = _structure(parameters, "reply_markup")
        _check_markup(markup, is_private=chat_id > 0)
        post = Posted(
            message_id=self._next_message_id(chat_id),
            chat_id=chat_id,
            by_bot=True,
            text=text,
            at=self.clock(),
            markup=markup,
            reply_to=self._reply_target(chat_id, parameters),
        )
        self.posted.append(post)
        return self._message(post)

    def _send_photo(self, parameters: Json) -> Json:
        return self._send_file(parameters, "photo", lambda file: [{**file, "width": 90, "height": 90}])

    def _send_document(self, parameters: Json) -> Json:
        document = parameters.get("document")
        name = document.name if isinstance(document, Upload) else ""
        return self._send_file(parameters, "document", lambda file: {**file, "file_name": name})

    def _send_file(self, parameters: Json, kind: str, told: Callable[[Json], Any]) -> Json:
        """A file that came with the request, under its words; in `extra` as the API's Message has it."""
        chat_id = self._writable(parameters)
        upload = parameters.get(kind)
        if not isinstance(upload, Upload) or not upload:
            raise bad(f"there is no {kind} in the request")
        caption = str(parameters.get("caption", ""))
        if len(caption) > LONGEST_CAPTION:
            raise bad("message caption is too long")
        markup = _structure(parameters, "reply_markup")
        _check_markup(markup, is_private=chat_id > 0)
        name = f"{kind}{len(self.posted)}"
        file: Json = {"file_id": name, "file_unique_id": name, "file_size": len(upload)}
        post = Posted(
            message_id=self._next_message_id(chat_id),
            chat_id=chat_id,
            by_bot=True,
            text=caption,
            at=self.clock(),
            markup=markup,
            reply_to=self._reply_target(chat_id, parameters),
            extra={kind: told(file)},
        )
        self.files[chat_id, post.message_id] = upload
        self.posted.append(post)
        return self._message(post)

    def _reply_target(self, chat_id: int, parameters: Json) -> int | None:
        wanted = _structure(parameters, "reply_parameters")
        if not wanted:
            return None
        message_id = int(wanted["message_id"])
        if any(post.message_id == message_id for post in self._posts(chat_id)):
            return message_id
        if not wanted.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        return None

    def _edit_message_text(self, parameters: Json) -> Json:
        text = _text(parameters)
        post = self._editable(parameters)
        markup = _structure(parameters, "reply_markup")
        _check_markup(markup, is_private=post.chat_id > 0)
        return self._change(post, text, markup)

    def _edit_message_reply_markup(self, parameters: Json) -> Json:
        post = self._editable(parameters)
        markup = _structure(parameters, "reply_markup")
        _check_markup(markup, is_private=post.chat_id > 0)
        return self._change(post, post.text, markup)

    def _change(self, post: Posted, text: str, markup: Json | None) -> Json:
        if text == post.text and (markup or None) == (_inline_of(post.markup) or None):
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message"
            )
        post.history.append(post.text)
        post.text, post.markup, post.edited_at = text, markup, self.clock()
        return self._message(post)

    def _editable(self, parameters: Json) -> Posted:
        chat_id, message_id = self._known(parameters), _whole(parameters, "message_id", 0)
        for post in self._posts(chat_id):
            if post.message_id == message_id:
                if not post.by_bot:
                    raise bad("message can't be edited")
                return post
        raise bad("message to edit not found")

    def _delete_message(self, parameters: Json) -> bool:
        chat_id, message_id = self._known(parameters), _whole(parameters, "message_id", 0)
        for post in self._posts(chat_id):
            if post.message_id == message_id:
                post.is_deleted = True
                return True
        raise bad("message to delete not found")

    def _answer_callback_query(self, parameters: Json) -> bool:
        tap = self.taps.get(str(parameters.get("callback_query_id", "")))
        if tap is None or tap.is_answered or self.clock() > tap.at + TAP_LIFE:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        text = str(parameters.get("text", ""))
        if _units(text) > 200:
            raise bad("MESSAGE_TOO_LONG")
        tap.is_answered, tap.answer = True, text
        return True

    def _set_my_commands(self, parameters: Json) -> bool:
        """Of one chat: menus for everybody are not asked for here."""
        chat_id = self._scope(parameters)
        commands = _structure(parameters, "commands")
        if not commands or len(commands) > 100:
            raise bad("there must be from 1 to 100 commands")
        for command in commands:
            if not COMMAND.fullmatch(str(command.get("command", ""))):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.menus[chat_id] = list(commands)
        return True

    def _delete_my_commands(self, parameters: Json) -> bool:
        self.menus.pop(self._scope(parameters), None)
        return True

    def _scope(self, parameters: Json) -> int:
        scope = _structure(parameters, "scope") or {}
        if scope.get("type") != "chat":
            raise bad("only the scope of one chat is known here")
        return self._known({"chat_id": scope.get("chat_id", "")})

    def _set_webhook(self, parameters: Json) -> bool:
        """Loopback needs no TLS here, unlike there."""
        url = str(parameters.get("url", ""))
        address = urlsplit(url)
        if url and address.scheme != "https" and address.hostname != "127.0.0.1":
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        secret = str(parameters.get("secret_token", ""))
        if not SECRET.fullmatch(secret):
            raise bad("secret token contains unallowed characters")
        if (allowed := _structure(parameters, "allowed_updates")) is not None:
            self._allowed = tuple(allowed)
        self.webhook_url, self.webhook_secret = url, secret
        if self._poller:
            self._poller.is_terminated = True
            self._poller.woken.set()
        return True

    def _delete_webhook(self, parameters: Json) -> bool:
        self.webhook_url = ""
        return True

    def _get_webhook_info(self, parameters: Json) -> Json:
        return {
            "url": self.webhook_url,
            "has_custom_certificate": False,
            "pending_update_count": len(self.updates),
            **({"allowed_updates": list(self._allowed)} if self._allowed else {}),
        }

    # What both need

    def _known(self, parameters: Json) -> int:
        """The chat of a request, if it exists."""
        if "chat_id" not in parameters:
            raise bad("chat_id is empty")
        try:
            chat_id = int(parameters["chat_id"])
        except ValueError:
            raise bad("chat not found") from None
        if chat_id not in self.people and chat_id not in self.groups:
            raise bad("chat not found")
        if group := self.groups.get(chat_id):
            if group.moved_to:
                raise Refusal(
                    400,
                    "Bad Request: group chat was upgraded to a supergroup chat",
                    migrate_to_chat_id=group.moved_to,
                )
            return chat_id
        return chat_id

    def _writable(self, parameters: Json) -> int:
        chat_id = self._known(parameters)
        person = self.people.get(chat_id)
        if person and person.is_deactivated:
            raise Refusal(403, "Forbidden: user is deactivated")
        if person and not person.has_started:
            raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        if person and person.has_blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if (group := self.groups.get(chat_id)) and group.is_closed:
            raise Refusal(403, "Forbidden: bot was kicked from the group chat")
        self._check_pace(chat_id)
        return chat_id

    def _check_pace(self, chat_id: int) -> None:
        for scope in (chat_id, None):
            left = (self._throttled.get(scope, self.clock()) - self.clock()).total_seconds()
            if left > 0:
                raise _too_many(left)
        now = asyncio.get_running_loop().time()
        while self._sent_at and self._sent_at[0] <= now - 1:
            self._sent_at.popleft()
        if len(self._sent_at) >= self.rate_limit:
            raise _too_many(1)
        self._sent_at.append(now)

    @property
    def _bot(self) -> Json:
        return {
            "id": int(self.token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Сарафан",
            "username": self.username,
        }

    def _place(self, chat_id: int) -> Person | Group:
        return self.groups[chat_id] if chat_id in self.groups else self.people[chat_id]

    def _chat_of(self, chat: Group | str | None) -> Group | None:
        return self.group(chat) if isinstance(chat, str) else chat

    def _chat_id(self, who: Who) -> int:
        if isinstance(who, Group):
            return who.chat_id
        if isinstance(who, str):
            for group in self.groups.values():
                if group.title == who and not group.moved_to:
                    return group.chat_id
        if isinstance(who, int) and who in self.groups:
            return who
        return self.person(who).user_id

    def _posts(self, chat_id: int) -> list[Posted]:
        return [post for post in self.posted if post.chat_id == chat_id and not post.is_deleted]

    def _find(self, chat_id: int, message_id: int) -> Posted:
        for post in self._posts(chat_id):
            if post.message_id == message_id:
                return post
        raise LookupError(f"no message {message_id} in this chat")

    def _next_message_id(self, chat_id: int) -> int:
        self._message_ids[chat_id] = self._message_ids.get(chat_id, 0) + 1
        return self._message_ids[chat_id]

    def _write(
        self,
        person: Person,
        *,
        text: str = "",
        reply_to: int | None = None,
        chat: Group | None = None,
        extra: Json | None = None,
    ) -> int:
        chat_id = chat.chat_id if chat else person.user_id
        person.has_started = person.has_started or chat is None  # Start is the only way into a private chat.
        post = Posted(
            message_id=self._next_message_id(chat_id),
            chat_id=chat_id,
            by_bot=False,
            text=text,
            at=self.clock(),
            reply_to=reply_to,
            extra=extra or {},
        )
        self.posted.append(post)
        self._update("message", self._message(post, person))
        return post.message_id

    def _message(self, post: Posted, person: Person | None = None) -> Json:
        message: Json = {
            "message_id": post.message_id,
            "from": person.user if person else self._bot,
            "chat": self._place(post.chat_id).chat,
            "date": int(post.at.timestamp()),
            **post.extra,
        }
        if post.text:
            has_file = post.by_bot and not post.extra.keys().isdisjoint(("photo", "document"))
            message["caption" if has_file else "text"] = post.text
        if post.edited_at:
            message["edit_date"] = int(post.edited_at.timestamp())
        if post.by_bot and (inline := _inline_of(post.markup)):
            message["reply_markup"] = inline
        if post.reply_to is not None:
            target = self._find(post.chat_id, post.reply_to)
            author = None if target.by_bot else person
            message["reply_to_message"] = self._message(_without_reply(target), author)
        return message

    def _membership(self, person: Person, old: str, new: str, *, chat: Json | None = None) -> None:
        self._update(
            "my_chat_member",
            {
                "chat": chat or person.chat,
                "from": person.user,
                "date": int(self.clock().timestamp()),
                "old_chat_member": self._member(old),
                "new_chat_member": self._member(new),
            },
        )

    def _member(self, status: str) -> Json:
        member: Json = {"user": self._bot, "status": status}
        return {**member, "until_date": 0} if status == "kicked" else member

    def _update(self, kind: str, content: Json) -> None:
        if self._allowed and kind not in self._allowed:
            return
        if not self._allowed and kind in NAMED_ONLY:
            return
        self._last_update_id += 1
        self.updates.append((self.clock(), {"update_id": self._last_update_id, kind: content}))
        if self._poller:
            self._poller.woken.set()


def parameters_of(content_type: str, body: bytes) -> Json:
    """The parameters of a call as form, multipart or JSON. Only JSON has types: the text «9» stays a text."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/json":
        parameters: Json = json.loads(body)
        return parameters
    if kind == "multipart/form-data":
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        parts = BytesParser(policy=HTTP).parsebytes(head + body)
        return {_name(part): _content(part) for part in parts.iter_parts()}
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


def _name(part: MIMEPart) -> str:
    return str(part.get_param("name", header="content-disposition"))


class Upload(bytes):
    """A file as it came in a request."""

    name: str = ""


def _content(part: MIMEPart) -> str | bytes:
    payload = part.get_payload(decode=True)
    name = part.get_filename()
    if name and isinstance(payload, bytes):
        upload = Upload(payload)
        upload.name = name
        return upload
    return payload.decode(errors="replace") if isinstance(payload, bytes) else ""


async def _not_found(request: Request) -> Response:
    return JSONResponse({"ok": False, "error_code": 404, "description": "Not Found"}, 404)


def _structure(parameters: Json, name: str) -> Any:
    """A nested value: JSON inside a form field, or already parsed."""
    value = parameters.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from None


def _whole(parameters: Json, name: str, default: int) -> int:
    try:
        return int(parameters.get(name, default))
    except (TypeError, ValueError):
        return default


def _text(parameters: Json) -> str:
    text = str(parameters.get("text", ""))
    if parameters.get("parse_mode"):
        raise bad("unsupported parse_mode")  # nobody here sends markup
    if not text.strip():
        raise bad("message text is empty")
    if _units(text) > 4096:
        raise bad("message is too long")
    return text


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _check_markup(markup: Any, *, is_private: bool) -> None:
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


def _inline_of(markup: Json | None) -> Json | None:
    """What a message shows of its markup: reply keyboards are no part of it."""
    return markup if markup and "inline_keyboard" in markup else None


def _without_reply(post: Posted) -> Posted:
    return Posted(
        message_id=post.message_id,
        chat_id=post.chat_id,
        by_bot=post.by_bot,
        text=post.text,
        at=post.at,
        markup=post.markup,
        extra=post.extra,
    )


def _too_many(seconds: float) -> Refusal:
    wait = max(1, round(seconds))
    return Refusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
