"""A made-up Telegram: the part of the Bot API that a survey bot lives on, and the people who answer it.

Behaves as core.telegram.org/bots/api and tdlib/telegram-bot-api say: updates stay until a larger offset
confirms them, a second poller ends the first with 409, strangers and blockers give 403, and the HTTP status
is the error's code.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.standins.faults import Faults, Faulty, Logged, control_routes
from integrations.standins.telegram_model import Json, Refusal, bad
from integrations.standins.telegram_parameters import parameters_of, structure, whole
from integrations.standins.telegram_people import Poller
from integrations.standins.telegram_posts import TelegramPosts

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"  # noqa: S105 the documentation's own example
UPDATE_LIFE = timedelta(hours=24)
LONGEST_WAIT = 50.0  # seconds that getUpdates waits at most
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")


class TelegramStandIn(TelegramPosts):
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
        super().__init__(clock, token, username, rate_limit)
        self.longest_wait = longest_wait
        self.webhook_url = ""  # not empty: the tester brings the updates there, by `waiting`
        self.webhook_secret = ""
        self.menus: dict[int, list[Json]] = {}  # commands by chat
        self.about = ""  # under the bot's name
        self.faults = Faults()
        self.requests: list[Logged] = []
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
            "getmyshortdescription": lambda _: {"short_description": self.about},
            "setmyshortdescription": self._set_my_short_description,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
        }
        helpers: tuple[Callable[..., Any], ...] = (
            self.person, self.group, self.start, self.says, self.edits, self.sends, self.tap,
            self.share_contact, self.block, self.unblock, self.messages, self.conversation,
            self.newest_update, self.webhook, self.waiting, self.delivered, self.throttle,
        )  # fmt: skip
        routes = [
            Route("/bot{token}/{method}", self._serve, methods=["GET", "POST"]),
            *control_routes(self.faults, self.requests, {helper.__name__: helper for helper in helpers}),
            Route("/{path:path}", _not_found, methods=["GET", "POST"]),
        ]
        self.app = Faulty(Starlette(routes=routes), self.faults, self.requests, clock)

    def webhook(self) -> Json:
        """Where it posts what comes in, and the secret that its header carries then."""
        return {"url": self.webhook_url, "secret": self.webhook_secret}

    def waiting(self) -> list[Json]:
        """What no program has confirmed yet, oldest first."""
        return [update for _, update in self.updates]

    def delivered(self, update_id: int) -> None:
        """The webhook's address has answered 2xx to this one."""
        self.updates = [(at, update) for at, update in self.updates if update["update_id"] != update_id]

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
        if (allowed := structure(parameters, "allowed_updates")) is not None:
            self._allowed = tuple(allowed)
        offset, limit = whole(parameters, "offset", 0), whole(parameters, "limit", 100)
        if limit not in range(1, 101):
            limit = 100
        self._confirm(offset)
        wait = min(float(whole(parameters, "timeout", 0)), self.longest_wait)
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
    def _polling(self) -> Iterator[Poller]:
        self._terminate()
        poller = self._poller = Poller()
        try:
            yield poller
        finally:
            if self._poller is poller:
                self._poller = None

    def _terminate(self) -> None:
        if self._poller:
            self._poller.is_terminated = True
            self.wake()

    async def _wait(self, poller: Poller, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await poller.woken.wait()
        except TimeoutError:
            return

    def _set_my_commands(self, parameters: Json) -> bool:
        """Of one chat: menus for everybody are not asked for here."""
        chat_id = self._scope(parameters)
        commands = structure(parameters, "commands")
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

    def _set_my_short_description(self, parameters: Json) -> bool:
        about = str(parameters.get("short_description", ""))
        if len(about) > 120:
            raise bad("BOT_SHORT_DESCRIPTION_TOO_LONG")
        self.about = about
        return True

    def _scope(self, parameters: Json) -> int:
        scope = structure(parameters, "scope") or {}
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
        if (allowed := structure(parameters, "allowed_updates")) is not None:
            self._allowed = tuple(allowed)
        self.webhook_url, self.webhook_secret = url, secret
        self._terminate()
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


async def _not_found(request: Request) -> Response:
    return JSONResponse({"ok": False, "error_code": 404, "description": "Not Found"}, 404)
