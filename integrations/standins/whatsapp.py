"""A made-up Green-API with one account of a messenger behind it, and the people whom it writes to.

Behaves as green-api.com/en/docs/api and its issue tracker say: the head of the notifications comes again
until it is deleted, acceptance is not delivery, a poll with one option is accepted and fails later, the
tariff's limit is 466, an `@lid` id at the head of the queue stops everything behind it.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.standins.faults import Faults, Faulty, Logged, control_routes

Json = dict[str, Any]

INSTANCE = "1101000001"
TOKEN = "d75b3a66374942c5b3c019c698abc2067e151558acbd412345"  # noqa: S105 the documentation's own example
NOTIFICATION_LIFE = timedelta(hours=24)
QUEUE_LIFE = timedelta(hours=24)
LONGEST_WAIT = 60.0  # seconds that receiveNotification waits at most
LOOK_AGAIN = 0.05  # seconds: the queue moves by the stand-in's clock, which nobody announces
CHAT_ID = re.compile(r"\d+@c\.us|[\d-]+@g\.us|\w+@lid")
ACCOUNT_ID = re.compile(r"-?\d+")
LONGEST_TEXT = {"whatsapp": 20_000, "max": 4000, "telegram": 4096}
TYPE_INSTANCE = {"whatsapp": "whatsapp", "max": "v3", "telegram": "telegram"}
PLACEHOLDER = "{{SWE001}}"


class Refusal(Exception):
    """An HTTP status other than 200 with its body."""

    def __init__(self, status: int, body: Any = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


@dataclass(slots=True, kw_only=True)
class Posted:
    """A message of ours: accepted, and how far it got."""

    id_message: str
    chat_id: str
    text: str
    is_poll: bool = False
    options: tuple[str, ...] = ()
    quoted: str = ""
    accepted_at: datetime
    sent_at: datetime | None = None
    statuses: list[str] = field(default_factory=list)
    votes: dict[str, str] = field(default_factory=dict)  # voter → option

    @property
    def phone(self) -> str:
        """Where the chat id holds it: in WhatsApp."""
        return "+" + self.chat_id.partition("@")[0]


@dataclass(slots=True, kw_only=True)
class Heard:
    """A message that a person typed or sent: a client, or one of the company on the phone itself."""

    id_message: str
    chat_id: str
    text: str
    at: datetime
    media: str = ""  # audio, image …
    quoted: str = ""
    by_company: bool = False


@dataclass(slots=True)
class _Notification:
    receipt: int
    at: datetime
    body: Json


class GreenApiStandIn:
    """One instance. `app` is the server; the other methods are what people do on their phones.

    `who` is a phone in any spelling, or a chat id. `messenger`: whatsapp, max or telegram; the last two have
    chat ids of their own, found by checkAccount, and no polls.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        messenger: str = "whatsapp",
        instance_id: str = INSTANCE,
        token: str = TOKEN,
        wid: str = "79140000000@c.us",
        delay: timedelta = timedelta(0),  # between two messages; a real one has half a second or more
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self.clock = clock
        self.messenger = messenger
        self.instance_id = instance_id
        self.token = token
        self.wid = wid
        self.longest_wait = longest_wait
        self.state = "authorized"
        self.is_phone_online = True
        self.delivers = True  # False: what is sent stays at one tick
        self.keeps_statuses = False  # True: none is told but by `tells_status`
        self.quota: int | None = None  # different people that may be written to
        self.no_account: set[str] = set()  # chat ids without WhatsApp
        self.names: dict[str, str] = {}  # chat id → the name in the phone's address book
        self.settings: Json = {
            "wid": wid,
            "countryInstance": "",
            "typeAccount": "",
            "webhookUrl": "",
            "webhookUrlToken": "",
            "delaySendMessagesMilliseconds": delay // timedelta(milliseconds=1),
            "markIncomingMessagesReaded": "no",
            "incomingWebhook": "no",
            "outgoingWebhook": "no",
            "outgoingMessageWebhook": "no",
            "outgoingAPIMessageWebhook": "no",
            "pollMessageWebhook": "no",
            "stateWebhook": "no",
            "editedMessageWebhook": "no",
            "deletedMessageWebhook": "no",
        }
        self.times_set = 0  # how often the settings were changed, each of which restarts the instance
        self.posted: list[Posted] = []
        self.talk: list[Posted | Heard] = []  # both sides, in their order
        self.queue: list[Posted] = []  # accepted, not sent yet
        self.notifications: list[_Notification] = []
        self.faults = Faults()
        self.requests: list[Logged] = []
        self._last_id = 0
        self._last_sent_at: datetime | None = None
        self._newest: Json = {}
        self._wakes = 0
        self._arrived = asyncio.Event()
        self._methods: Mapping[tuple[str, str], Callable[[Json], Any]] = {
            ("GET", "getStateInstance"): lambda body: {"stateInstance": self.state},
            ("GET", "getStatusInstance"): lambda body: {
                "statusInstance": "online" if self.is_phone_online else "offline"
            },
            ("GET", "getSettings"): lambda body: dict(self.settings),
            ("POST", "setSettings"): self._set_settings,
            ("POST", "sendMessage"): self._send_message,
            ("POST", "sendPoll"): self._send_poll,
            ("POST", "checkWhatsapp"): self._check_whatsapp,
            ("POST", "checkAccount"): self._check_account,
            ("GET", "showMessagesQueue"): self._show_queue,
            ("GET", "clearMessagesQueue"): self._clear_queue,
        }
        helpers: tuple[Callable[..., Any], ...] = (
            self.says,
            self.votes,
            self.reacts,
            self.edits,
            self.sends,
            self.reads,
            self.manager_writes,
            self.set_state,
            self.set_phone_online,
            self.set_quota,
            self.has_no_account,
            self.repeat,
            self.keep_statuses,
            self.tells_status,
            self.messages,
            self.conversation,
        )
        base = "/waInstance{instance}"
        routes = [
            Route(base + "/receiveNotification/{token}", self._receive, methods=["GET"]),
            Route(base + "/deleteNotification/{token}/{receipt:int}", self._delete, methods=["DELETE"]),
            Route(base + "/{method}/{token}", self._serve, methods=["GET", "POST"]),
            *control_routes(self.faults, self.requests, {helper.__name__: helper for helper in helpers}),
        ]
        self.app = Faulty(Starlette(routes=routes), self.faults, self.requests, clock)

    # What people do

    def says(
        self,
        who: str,
        text: str,
        *,
        quote: str = "",
        is_extended: bool = False,
        is_undecrypted: bool = False,
        id_message: str = "",
    ) -> str:
        """Type a text and give its id. `quote` is the id of our message that it answers.

        `is_extended`: in the form in which some phones send any text. `is_undecrypted`: the gateway could not
        read it yet; say it again with the same `id_message` when it can.
        """
        message: Json = {"typeMessage": "textMessage", "textMessageData": {"textMessage": text}}
        if is_undecrypted:
            message["textMessageData"]["textMessage"] = PLACEHOLDER
        elif quote:
            message = self._quoting("quotedMessage", text, quote)
        elif is_extended:
            extended = {"text": text, "description": "", "title": "", "jpegThumbnail": ""}
            message = {"typeMessage": "extendedTextMessage", "extendedTextMessageData": extended}
        id_message = self._incoming(who, message, id_message)
        self._heard(who, id_message, text, quoted=quote)
        return id_message

    def votes(self, who: str, option: str | None, *, id_message: str = "") -> str:
        """Vote in the poll with this id (the newest to this person that has the option); None withdraws."""
        chat_id = self.chat_of(who)
        poll = self._poll(chat_id, option, id_message)
        poll.votes.pop(chat_id, None)
        if option is not None:
            poll.votes[chat_id] = option
        if self.settings["pollMessageWebhook"] != "yes":
            return ""
        votes = [
            {"optionName": name, "optionVoters": [chat_id] if name == option else []} for name in poll.options
        ]
        content = {
            "stanzaId": poll.id_message,
            "name": poll.text,
            "votes": votes,
            "multipleAnswers": False,
        }
        return self._incoming(who, {"typeMessage": "pollUpdateMessage", "pollMessageData": content})

    def reacts(self, who: str, emoji: str, *, quote: str = "") -> str:
        """Put an emoji on a message of ours (the last one); "" takes it away."""
        quote = quote or self.last(who).id_message
        return self._incoming(who, self._quoting("reactionMessage", emoji, quote))

    def edits(self, who: str, text: str, *, id_message: str) -> str:
        if self.settings["editedMessageWebhook"] != "yes":
            return ""
        edited = {"textMessage": text, "stanzaId": id_message}
        return self._incoming(who, {"typeMessage": "editedMessage", "editedMessageData": edited})

    def sends(self, who: str, media: str, caption: str = "") -> str:
        """`media` is audio, image, video, document or sticker."""
        file = {
            "downloadUrl": f"https://files.example/{self._last_id}",
            "caption": caption,
            "fileName": f"{media}.bin",
            "mimeType": "application/octet-stream",
        }
        id_message = self._incoming(who, {"typeMessage": f"{media}Message", "fileMessageData": file})
        self._heard(who, id_message, caption, media=media)
        return id_message

    def reads(self, who: str) -> None:
        """Open the chat: everything delivered there is read."""
        for post in self.messages(who):
            if "delivered" in post.statuses and "read" not in post.statuses:
                self._status(post, "read")

    def manager_writes(self, who: str, text: str) -> str:
        """A person of the company types in the chat on the phone itself."""
        id_message = self._next_id()
        self._heard(who, id_message, text, by_company=True)
        if self.settings["outgoingMessageWebhook"] == "yes":
            message = {"typeMessage": "textMessage", "textMessageData": {"textMessage": text}}
            self._notify(self._from_us("outgoingMessageReceived", id_message, self.chat_of(who), message))
        return id_message

    def set_state(self, state: str) -> None:
        """authorized, notAuthorized, blocked, yellowCard, starting, sleepMode …"""
        self.state = state
        if self.settings["stateWebhook"] == "yes":
            self._notify({**self._head("stateInstanceChanged"), "stateInstance": state})

    def set_phone_online(self, is_online: bool) -> None:
        """While the phone is offline everything waits in the queue."""
        self.is_phone_online = is_online
        self._move_queue()

    def set_quota(self, people: int | None) -> None:
        self.quota = people

    def has_no_account(self, who: str) -> None:
        """This number is not on the messenger, or hides from search."""
        self.no_account.add(self.chat_of(who))

    def repeat(self, times: int = 1) -> None:
        """Deliver the newest notification once more, as the real gateway now and then does."""
        for _ in range(times):
            self._notify(self._newest)

    def keep_statuses(self) -> None:
        """From now on no status is told by itself: `tells_status` does it, in whatever order."""
        self.keeps_statuses = True

    def messages(self, who: str | None = None) -> list[Posted]:
        """What was sent to this person (or to everybody)."""
        self._move_queue()
        chat_id = self.chat_of(who) if who is not None else None
        return [
            post
            for post in self.posted
            if post.sent_at and "noAccount" not in post.statuses and chat_id in (None, post.chat_id)
        ]

    def last(self, who: str) -> Posted:
        return self.messages(who)[-1]

    def conversation(self, who: str) -> list[Posted | Heard]:
        """What stands in this chat, of both sides, in its order."""
        arrived = {post.id_message for post in self.messages(who)}
        chat_id = self.chat_of(who)
        return [
            one
            for one in self.talk
            if one.chat_id == chat_id and (isinstance(one, Heard) or one.id_message in arrived)
        ]

    def wake(self) -> None:
        """Let a waiting receiveNotification answer at once, because the server stops."""
        self._wakes += 1
        self._arrived.set()

    # What the program asks

    async def _serve(self, request: Request) -> Response:
        try:
            self._check_access(request)
            self._move_queue()
            method = self._methods.get((request.method, request.path_params["method"]))
            if method is None:
                raise Refusal(404)
            body = await request.json() if await request.body() else {}
            answer = method(body)
            self._move_queue()
            return JSONResponse(answer)
        except Refusal as refusal:
            return _refused(refusal)

    async def _receive(self, request: Request) -> Response:
        try:
            self._check_access(request)
            wait = _number(request.query_params.get("receiveTimeout"), 5)
            if not 5 <= wait <= 60:
                raise Refusal(400, _complaint(request, "'receiveTimeout' must be between 5 and 60"))
        except Refusal as refusal:
            return _refused(refusal)
        if self.settings["webhookUrl"]:
            return JSONResponse(None)
        head = await self._wait_for_head(min(float(wait), self.longest_wait))
        return JSONResponse({"receiptId": head.receipt, "body": head.body} if head else None)

    async def _wait_for_head(self, seconds: float) -> _Notification | None:
        loop = asyncio.get_running_loop()
        until, wakes = loop.time() + seconds, self._wakes
        while True:
            self._move_queue()
            youngest = self.clock() - NOTIFICATION_LIFE
            self.notifications = [one for one in self.notifications if one.at > youngest]
            if self.notifications:
                return self.notifications[0]
            left = min(until - loop.time(), LOOK_AGAIN)
            if left <= 0 or wakes != self._wakes:
                return None
            self._arrived.clear()
            try:
                async with asyncio.timeout(left):
                    await self._arrived.wait()
            except TimeoutError:
                continue

    async def _delete(self, request: Request) -> Response:
        try:
            self._check_access(request)
        except Refusal as refusal:
            return _refused(refusal)
        receipt = request.path_params["receipt"]
        before = len(self.notifications)
        self.notifications = [one for one in self.notifications if one.receipt != receipt]
        return JSONResponse({"result": len(self.notifications) < before})

    def _check_access(self, request: Request) -> None:
        if request.path_params["instance"] != self.instance_id:
            raise Refusal(403)
        if request.path_params["token"] != self.token:
            raise Refusal(401)

    def _set_settings(self, body: Json) -> Json:
        self.settings.update(body)
        self.times_set += 1
        return {"saveSettings": True}

    def _check_whatsapp(self, body: Json) -> Json:
        return {"existsWhatsapp": self.chat_of(str(body.get("phoneNumber", ""))) not in self.no_account}

    def _check_account(self, body: Json) -> Json:
        if self.messenger == "whatsapp":
            raise Refusal(404)
        phone = body.get("phoneNumber")
        if not isinstance(phone, int):
            raise Refusal(400, _bad("'phoneNumber' must be a number"))
        chat_id = self.chat_of(str(phone))
        exists = chat_id not in self.no_account
        return {"exist": exists, "chatId": chat_id if exists else ""}

    def _show_queue(self, body: Json) -> list[Json]:
        return [
            {
                "messageID": post.id_message,
                "type": "sendPoll" if post.is_poll else "sendMessage",
                "body": {"chatId": post.chat_id, "message": post.text},
            }
            for post in self.queue[1:]  # not its head: https://github.com/green-api/issues/issues/714
        ]

    def _clear_queue(self, body: Json) -> Json:
        self.queue.clear()
        return {"isCleared": True}

    def _send_message(self, body: Json) -> Json:
        text = body.get("message")
        if not isinstance(text, str) or not text:
            raise Refusal(400, _bad("'message' is not allowed to be empty"))
        longest = LONGEST_TEXT[self.messenger]
        if len(text) > longest:
            raise Refusal(
                400, _bad(f"'message' length must be less than or equal to {longest} characters long")
            )
        return self._accept(body, text, None)

    def _send_poll(self, body: Json) -> Json:
        if self.messenger != "whatsapp":
            raise Refusal(404)
        text, options = body.get("message"), body.get("options")
        if not isinstance(text, str) or not 0 < len(text) <= 255:
            raise Refusal(400, _bad("'message' length must be less than or equal to 255 characters long"))
        if not isinstance(options, list) or len(options) > 12:
            raise Refusal(400, _bad("'options' must contain less than or equal to 12 items"))
        return self._accept(body, text, tuple(str(option["optionName"]) for option in options))

    def _accept(self, body: Json, text: str, options: tuple[str, ...] | None) -> Json:
        chat_id = str(body.get("chatId", ""))
        if not (CHAT_ID if self.messenger == "whatsapp" else ACCOUNT_ID).fullmatch(chat_id):
            raise Refusal(400, _bad("'chatId' has an invalid format"))
        if self.state in ("notAuthorized", "blocked"):
            raise Refusal(400, _bad("Instance in not authorized"))
        self._check_quota(chat_id)
        post = Posted(
            id_message=self._next_id(),
            chat_id=chat_id,
            text=text,
            is_poll=options is not None,
            options=options or (),
            quoted=str(body.get("quotedMessageId", "")),
            accepted_at=self.clock(),
        )
        self.posted.append(post)
        self.talk.append(post)
        self.queue.append(post)
        return {"idMessage": post.id_message}

    def _check_quota(self, chat_id: str) -> None:
        people = {post.chat_id for post in self.posted} | {chat_id}
        if self.quota is None or len(people) <= self.quota:
            return
        nothing = {"used": 0, "total": 0, "status": "QUOTE_EXCEEDED", "description": ""}
        raise Refusal(
            466,
            {
                "invokeStatus": {"method": "sendMessage", **nothing},
                "correspondentsStatus": {**nothing, "used": len(people), "total": self.quota},
            },
        )

    # What both need

    def _move_queue(self) -> None:
        """Send what is due: one by one, with the configured pause, while the phone is there."""
        now = self.clock()
        pause = timedelta(milliseconds=int(self.settings["delaySendMessagesMilliseconds"]))
        self.queue = [post for post in self.queue if post.accepted_at > now - QUEUE_LIFE]
        while self.queue and self.is_phone_online and self.state not in ("notAuthorized", "blocked"):
            post = self.queue[0]
            due = max(
                post.accepted_at, self._last_sent_at + pause if self._last_sent_at else post.accepted_at
            )
            if due > now or post.chat_id.endswith("@lid"):
                return
            self.queue.pop(0)
            self._last_sent_at = due
            self._send(post, due)

    def _send(self, post: Posted, at: datetime) -> None:
        post.sent_at = at
        if self.settings["outgoingAPIMessageWebhook"] == "yes":
            message: Json = {
                "typeMessage": "extendedTextMessage",
                "extendedTextMessageData": {"text": post.text},
            }
            if post.is_poll:
                options = [{"optionName": option} for option in post.options]
                poll = {"name": post.text, "options": options, "multipleAnswers": False}
                message = {"typeMessage": "pollMessage", "pollMessageData": poll}
            self._notify(self._from_us("outgoingAPIMessageReceived", post.id_message, post.chat_id, message))
        if post.chat_id in self.no_account:
            self._status(post, "noAccount")
        elif post.is_poll and len(post.options) < 2:
            self._status(post, "failed")
        else:
            self._status(post, "sent")
            if self.delivers:
                self._status(post, "delivered")

    def _status(self, post: Posted, status: str) -> None:
        post.statuses.append(status)
        if not self.keeps_statuses:
            self.tells_status(post.id_message, post.chat_id, status)

    def tells_status(self, id_message: str, chat_id: str, status: str) -> None:
        """Of any message that leaves this number, whoever wrote it."""
        if self.settings["outgoingWebhook"] == "yes":
            self._notify(
                {
                    **self._head("outgoingMessageStatus"),
                    "chatId": chat_id,
                    "idMessage": id_message,
                    "status": status,
                    "sendByApi": True,
                }
            )

    def _poll(self, chat_id: str, option: str | None, id_message: str) -> Posted:
        polls = [
            post
            for post in self.messages(chat_id)
            if post.is_poll and id_message in ("", post.id_message) and option in (None, *post.options)
        ]
        if not polls:
            raise LookupError(f"no poll with the option «{option}» was sent to this person")
        return polls[-1]

    def _quoting(self, kind: str, text: str, quote: str) -> Json:
        quoted = next((post.text for post in self.posted if post.id_message == quote), "")
        return {
            "typeMessage": kind,
            "extendedTextMessageData": {"text": text, "stanzaId": quote, "participant": self.wid},
            "quotedMessage": {
                "stanzaId": quote,
                "participant": self.wid,
                "typeMessage": "textMessage",
                "textMessage": quoted,
            },
        }

    def _heard(
        self,
        who: str,
        id_message: str,
        text: str,
        *,
        media: str = "",
        quoted: str = "",
        by_company: bool = False,
    ) -> None:
        self.talk.append(
            Heard(
                id_message=id_message,
                chat_id=self.chat_of(who),
                text=text,
                at=self.clock(),
                media=media,
                quoted=quoted,
                by_company=by_company,
            )
        )

    def _incoming(self, who: str, message: Json, id_message: str = "") -> str:
        id_message = id_message or self._next_id()
        if self.settings["incomingWebhook"] == "yes":
            chat_id = self.chat_of(who)
            name = self.names.get(chat_id, "")
            sender = {
                "chatId": chat_id,
                "sender": chat_id,
                "chatName": name,
                "senderName": name,
                "senderContactName": name,
            }
            self._notify(
                {
                    **self._head("incomingMessageReceived"),
                    "idMessage": id_message,
                    "senderData": sender,
                    "messageData": message,
                }
            )
        return id_message

    def _from_us(self, kind: str, id_message: str, chat_id: str, message: Json) -> Json:
        sender = {"chatId": chat_id, "sender": self.wid, "senderName": "ВладАвтоматика"}
        return {
            **self._head(kind),
            "idMessage": id_message,
            "senderData": sender,
            "messageData": message,
        }

    def _head(self, kind: str) -> Json:
        return {
            "typeWebhook": kind,
            "instanceData": {
                "idInstance": int(self.instance_id),
                "wid": self.wid,
                "typeInstance": TYPE_INSTANCE[self.messenger],
            },
            "timestamp": int(self.clock().timestamp()),
        }

    def _notify(self, body: Json) -> None:
        self._newest = body
        self._last_id += 1
        self.notifications.append(_Notification(self._last_id, self.clock(), body))
        self._arrived.set()

    def _next_id(self) -> str:
        self._last_id += 1
        return f"3EB0{self._last_id:016X}"

    def chat_of(self, who: str) -> str:
        if "@" in who:
            return who
        digits = re.sub(r"\D", "", who)
        digits = "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits
        if self.messenger == "whatsapp":
            return f"{digits}@c.us"
        if ACCOUNT_ID.fullmatch(who) and len(who) < 11:
            return who
        return str(50_000_000 + int(digits) % 10_000_000)  # of this phone for ever, and nothing like it


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


def _bad(message: str) -> Json:
    return {"statusCode": 400, "message": f"Validation failed. Details: {message}"}


def _complaint(request: Request, message: str) -> Json:
    return {**_bad(message), "path": request.url.path}


def _refused(refusal: Refusal) -> Response:
    if refusal.body is None:
        return Response(status_code=refusal.status)
    return JSONResponse(refusal.body, refusal.status)
