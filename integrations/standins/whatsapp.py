"""A made-up Green-API with one account of a messenger behind it, and the people whom it writes to.

Behaves as green-api.com/en/docs/api and its issue tracker say: the head of the notifications comes again
until it is deleted, acceptance is not delivery, a poll with one option is accepted and fails later, the
tariff's limit is 466, an `@lid` id at the head of the queue stops everything behind it.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.standins.faults import Faults, Faulty, Logged, control_routes
from integrations.standins.whatsapp_account import ACCOUNT_ID
from integrations.standins.whatsapp_model import Json, Notification, Posted
from integrations.standins.whatsapp_people import People

INSTANCE = "1101000001"
TOKEN = "d75b3a66374942c5b3c019c698abc2067e151558acbd412345"  # noqa: S105 the documentation's own example
NOTIFICATION_LIFE = timedelta(hours=24)
LONGEST_WAIT = 60.0  # seconds that receiveNotification waits at most
LOOK_AGAIN = 0.05  # seconds: the queue moves by the stand-in's clock, which nobody announces
CHAT_ID = re.compile(r"\d+@c\.us|[\d-]+@g\.us|\w+@lid")
LONGEST_TEXT = {"whatsapp": 20_000, "max": 4000, "telegram": 4096}


class Refusal(Exception):
    """An HTTP status other than 200 with its body."""

    def __init__(self, status: int, body: Any = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class GreenApiStandIn(People):
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
        super().__init__(clock, messenger=messenger, instance_id=instance_id, wid=wid, delay=delay)
        self.token = token
        self.longest_wait = longest_wait
        self.times_set = 0  # how often the settings were changed, each of which restarts the instance
        self.faults = Faults()
        self.requests: list[Logged] = []
        self._wakes = 0
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
            self.says, self.votes, self.reacts, self.edits, self.sends, self.reads, self.manager_writes,
            self.set_state, self.set_phone_online, self.set_quota, self.has_no_account, self.repeat,
            self.keep_statuses, self.tells_status, self.messages, self.conversation,
        )  # fmt: skip
        base = "/waInstance{instance}"
        routes = [
            Route(base + "/receiveNotification/{token}", self._receive, methods=["GET"]),
            Route(base + "/deleteNotification/{token}/{receipt:int}", self._delete, methods=["DELETE"]),
            Route(base + "/{method}/{token}", self._serve, methods=["GET", "POST"]),
            *control_routes(self.faults, self.requests, {helper.__name__: helper for helper in helpers}),
        ]
        self.app = Faulty(Starlette(routes=routes), self.faults, self.requests, clock)

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

    async def _wait_for_head(self, seconds: float) -> Notification | None:
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
