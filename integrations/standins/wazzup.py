"""A made-up Wazzup24 account (API v3) with its channels, and the people whom they write to.

Behaves as wazzup24.ru/help/api-ru says: one `crmMessageId` is taken once in 60 seconds and refused then in
either of two spellings, acceptance is not delivery, there is one webhook address per account and it is tried
before it is set, what people of the company write is told as an echo, bodies of errors may be empty.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.standins.faults import Faults, Faulty, Logged, control_routes
from integrations.standins.wazzup_people import CHAT_TYPES, GROUP_TYPES, Channel, Json, People, Posted

API_KEY = "c8cf90444023482f909520d454368d27"  # the documentation's own example
ONCE_WITHIN = timedelta(seconds=60)
WINDOW = timedelta(hours=24)
REPEATED = ("repeatedCrmMessageId", "REPEATED_CRM_MESSAGE_ID")
LONGEST_URL = 200
LONGEST_TEXT = {"whatsapp": 10_000, "wapi": 1024, "max": 4096, "tgapi": 4096}
OF_STATE = {
    "notEnoughMoney": "CHANNEL_NO_MONEY",
    "disabled": "CHANNEL_BLOCKED",
    "rejected": "CHANNEL_WAPI_REJECTED",
}
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ALL_CHAT_TYPES = {*CHAT_TYPES.values(), *GROUP_TYPES.values(), "viber", "instagram", "vk", "avito"}


class Refusal(Exception):
    """A 400 with Wazzup's code."""

    def __init__(self, code: str, *fields: str) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields


class WazzupStandIn(People):
    """One account. `app` is the server below /v3; the other methods are what people do on their phones.

    `transport` of the first channel: whatsapp (a phone by QR code), wapi (WABA), max or tgapi. Its webhooks
    wait in `waiting` for whoever brings them. `try_address` posts the trial of a new webhook address and
    gives the status of the answer; without it every address answers 200.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        transport: str = "whatsapp",
        api_key: str = API_KEY,
        try_address: Callable[[str, Json], Awaitable[int]] | None = None,
    ) -> None:
        super().__init__(clock, transport)
        self.api_key = api_key
        self.try_address = try_address
        self.writes_first = True  # False: the tariff «Inbox»
        self.refuses_at_once = False  # BAD_CONTACT and 24_HOURS_EXCEEDED: with 400, or by a status
        self.repeated_spelling = REPEATED[0]
        self.has_error_bodies = True
        self.templates: dict[str, str] = {}  # templateGuid → text with {{1}}, {{2}} …
        self.faults = Faults()
        self.requests: list[Logged] = []
        self._refusals: list[str] = []
        helpers: tuple[Callable[..., Any], ...] = (
            self.says, self.taps, self.sends, self.edits, self.deletes, self.reads, self.manager_writes,
            self.has_no_account, self.set_state, self.set_template, self.keep_statuses, self.tells_status,
            self.add_channel, self.set_address, self.refuse, self.waiting, self.delivered, self.repeat,
            self.messages,
        )  # fmt: skip
        routes = [
            Route("/v3/channels", self._serve(self._list_channels), methods=["GET"]),
            Route("/v3/webhooks", self._serve(self._show_webhooks), methods=["GET"]),
            Route("/v3/webhooks", self._set_webhooks, methods=["PATCH"]),
            Route("/v3/templates/whatsapp", self._serve(self._list_templates), methods=["GET"]),
            Route("/v3/message", self._serve(self._accept, status=201), methods=["POST"]),
            *control_routes(self.faults, self.requests, {helper.__name__: helper for helper in helpers}),
        ]
        self.app = Faulty(Starlette(routes=routes), self.faults, self.requests, clock)

    # In the cabinet

    def add_channel(self, channel_id: str, transport: str, plain_id: str, state: str = "active") -> None:
        self.channels.append(Channel(channel_id, transport, plain_id, state))

    def set_address(self, url: str) -> None:
        """Another program has registered its address."""
        self.webhooks["webhooksUri"] = url
        self.webhooks["subscriptions"]["messagesAndStatuses"] = True

    def refuse(self, code: str, *, times: int = 1) -> None:
        """The next messages are refused with this code."""
        self._refusals += [code] * times

    # What the program asks

    def _serve(
        self, work: Callable[[Json], Any], status: int = 200
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            if refused := self._check_access(request):
                return refused
            try:
                body = await request.json() if await request.body() else {}
                return JSONResponse(work(body), status)
            except Refusal as refusal:
                return self._refused(refusal)

        return serve

    def _check_access(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            return Response(status_code=401)
        return None

    def _list_channels(self, body: Json) -> list[Json]:
        return [
            {
                "channelId": channel.channel_id,
                "transport": channel.transport,
                "plainId": channel.plain_id,
                "state": channel.state,
            }
            for channel in self.channels
        ]

    def _show_webhooks(self, body: Json) -> Json:
        return self.webhooks

    def _list_templates(self, body: Json) -> list[Json]:
        return [{"templateGuid": guid, "status": "approved"} for guid in self.templates]

    async def _set_webhooks(self, request: Request) -> Response:
        if refused := self._check_access(request):
            return refused
        body = await request.json()
        url, subscriptions = body.get("webhooksUri"), body.get("subscriptions")
        try:
            if not isinstance(url, str) or not url.startswith("http") or len(url) > LONGEST_URL:
                raise Refusal("uriNotValid")
            known = self.webhooks["subscriptions"]
            if not isinstance(subscriptions, dict) or not subscriptions.keys() <= known.keys():
                raise Refusal("VALIDATION_ERROR", "subscriptions")
            if self.try_address and await self.try_address(url, {"test": True}) != 200:
                raise Refusal("testPostNotPassed")
        except Refusal as refusal:
            return self._refused(refusal)
        self.webhooks = {"webhooksUri": url, "subscriptions": known | subscriptions}
        return Response("{ ok }", media_type="application/json")  # as the documentation shows it

    def _accept(self, body: Json) -> Json:
        channel = self._channel_of(body)
        chat_id = self._addressee(body, channel)
        text, template = self._content(body, channel, chat_id)
        post = Posted(
            message_id=self._next_id(),
            channel=channel,
            chat_id=chat_id,
            text=text,
            template=template,
            buttons=_buttons(body, channel),
            quoted=str(body.get("refMessageId") or ""),
            crm_message_id=str(body.get("crmMessageId") or ""),
            at=self.clock(),
        )
        if post.quoted and post.quoted not in self._theirs | {each.message_id for each in self.posted}:
            raise Refusal("REFERENCE_MESSAGE_NOT_FOUND")
        self._check_repeated(post.crm_message_id)
        if self._refusals:
            raise Refusal(self._refusals.pop(0))
        code = self._failure(post)
        if code and self.refuses_at_once:
            raise Refusal(code)
        self.posted.append(post)
        self._carry(post, code)
        return {"messageId": post.message_id, "chatId": chat_id}

    def _channel_of(self, body: Json) -> Channel:
        if not GUID.fullmatch(str(body.get("channelId"))):
            raise Refusal("INVALID_MESSAGE_DATA", "channelId")
        found = [channel for channel in self.channels if channel.channel_id == body["channelId"]]
        if not found:
            raise Refusal("CHANNEL_NOT_FOUND")
        channel = found[0]
        if body.get("chatType") not in ALL_CHAT_TYPES:
            raise Refusal("INVALID_MESSAGE_DATA", "chatType")
        if body["chatType"] not in (CHAT_TYPES.get(channel.transport), GROUP_TYPES.get(channel.transport)):
            raise Refusal("WRONG_TRANSPORT")
        if channel.state != "active":
            raise Refusal(OF_STATE.get(channel.state, "MESSAGE_CHANNEL_UNAVAILABLE"))
        return channel

    def _addressee(self, body: Json, channel: Channel) -> str:
        is_group = body["chatType"] == GROUP_TYPES[channel.transport]
        if "phone" in body and CHAT_TYPES[channel.transport] != "whatsapp" and "chatId" not in body:
            if not re.fullmatch(r"\d{7,15}", str(body["phone"])):
                raise Refusal("INVALID_MESSAGE_DATA", "phone")
            return self.chat_of(body["phone"])
        chat_id = body.get("chatId")
        is_right = isinstance(chat_id, str) and (is_group or chat_id.isdecimal())
        if not is_right:
            raise Refusal("INVALID_MESSAGE_DATA", "chatId")
        return str(chat_id)

    def _content(self, body: Json, channel: Channel, chat_id: str) -> tuple[str, str]:
        guid = body.get("templateId")
        if guid is not None:
            values = body.get("templateValues", [])
            text = self.templates.get(guid) if channel.transport == "wapi" else None
            if text is None or len(values) != len(set(re.findall(r"\{\{\d+\}\}", text))):
                raise Refusal("INVALID_MESSAGE_DATA", "templateId", "templateValues")
            for number, value in enumerate(values, start=1):
                text = text.replace(f"{{{{{number}}}}}", str(value))
            return text, guid
        text = body.get("text")
        if not isinstance(text, str) or not text:
            raise Refusal("MESSAGES_TEXT_CAN_NOT_BE_BLANK")
        if len(text) > LONGEST_TEXT[channel.transport]:
            long = {"wapi": "MESSAGES_TOO_LONG_WABA", "tgapi": "MESSAGES_TOO_LONG_TELEGRAM"}
            raise Refusal(long.get(channel.transport, "MESSAGE_TEXT_TOO_LONG"))
        if not self.writes_first and chat_id not in self._wrote_at:
            raise Refusal("MESSAGES_NOT_TEXT_FIRST")
        return text, ""

    def _check_repeated(self, name: str) -> None:
        since = self.clock() - ONCE_WITHIN
        if name and any(post.crm_message_id == name and post.at > since for post in self.posted):
            raise Refusal(self.repeated_spelling)

    def _failure(self, post: Posted) -> str:
        if post.chat_id in self.no_account:
            return "BAD_CONTACT"
        wrote_at = self._wrote_at.get(post.chat_id)
        is_closed = wrote_at is None or self.clock() > wrote_at + WINDOW
        if post.channel.transport == "wapi" and not post.template and is_closed:
            return "24_HOURS_EXCEEDED"
        return ""

    def _carry(self, post: Posted, code: str) -> None:
        if self.echoes_ours:
            self._echo(post)
        if code:
            self._status(post, "error", code)
            return
        self._status(post, "sent")
        if self.delivers:
            self._status(post, "delivered")

    def _refused(self, refusal: Refusal) -> Response:
        if not self.has_error_bodies:
            return Response(status_code=400)
        data = {"fields": list(refusal.fields)} if refusal.fields else {}
        body = {
            "status": 400,
            "requestId": "7ca68797d127735e72b066b0080e2cc0",
            "error": refusal.code,
            "description": "told in English",
            "data": data,
        }
        return JSONResponse(body, 400)


def _buttons(body: Json, channel: Channel) -> tuple[tuple[str, str], ...]:
    found = body.get("buttonsObject")
    if found is None:
        return ()
    buttons: Sequence[Json] = found.get("buttons", []) if channel.transport == "wapi" else []
    fit = all(0 < len(button["text"]) <= 20 and button["type"] == "text" for button in buttons)
    if not 0 < len(buttons) <= 10 or not fit:
        raise Refusal("INVALID_MESSAGE_DATA", "buttonsObject")
    return tuple((button["text"], button.get("payload", "")) for button in buttons)
