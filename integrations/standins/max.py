"""A made-up MAX: the part of its Bot API that a survey bot lives on, and the people who answer it.

Behaves as dev.max.ru/docs-api says: a marker confirms what came before it, with a subscription polling
brings nothing, two polls a second are all that is allowed, and some refusals are a 200.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.standins.faults import Faults, Faulty, Logged, control_routes
from integrations.standins.max_model import (
    SECRET,
    Json,
    Person,
    Refusal,
    Unsuccessful,
    bad,
    check_message,
    milliseconds,
)
from integrations.standins.max_people import MaxPeople
from integrations.standins.telegram_parameters import Upload, parameters_of

TOKEN = "f9LHodD0cOI-a-token-of-a-made-up-bot"  # noqa: S105
UPDATE_LIFE = timedelta(hours=24)
TAP_LIFE = timedelta(minutes=15)
LONGEST_WAIT = 30.0  # seconds that GET /updates waits at most
LONGEST_PAGE = 100
PORTS = {None, 80, 8080, 443, 8443}  # and 16384–32383


class MaxStandIn(MaxPeople):
    """One bot and its chats. `app` is the server; the other methods are what people do in the application.

    `rate_limit`: requests a second; two polls and two messages into one dialogue a second come on top of it.
    None: nobody counts.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        token: str = TOKEN,
        username: str | None = "id990001_bot",
        rate_limit: int | None = 30,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        super().__init__(clock, username)
        self.token = token
        self.rate_limit = rate_limit
        self.longest_wait = longest_wait
        self.faults = Faults()
        self.requests: list[Logged] = []
        self.pictures: dict[str, bytes] = {}  # by the token that names each in a message
        self.files: dict[str, Upload] = {}  # the same
        self._places: dict[str, str] = {}  # where an image or a file may be brought; "": one was
        self._confirmed = 0
        self._arrivals: dict[str, deque[float]] = {}
        helpers: tuple[Callable[..., Any], ...] = (
            self.person, self.group, self.start, self.says, self.edits, self.sends, self.tap,
            self.share_contact, self.block, self.remove_dialogue, self.messages, self.subscribe, self.repeat,
            self.webhook, self.waiting, self.delivered,
        )  # fmt: skip
        routes = [
            *control_routes(self.faults, self.requests, {helper.__name__: helper for helper in helpers}),
            Route("/me", self._route(self._get_me), methods=["GET"]),
            Route("/chats/{chat_id}", self._route(self._get_chat), methods=["GET"]),
            Route("/uploads", self._route(self._post_uploads), methods=["POST"]),
            Route("/upload/{number}", self._take_upload, methods=["POST"]),
            Route("/messages", self._route(self._post_message), methods=["POST"]),
            Route("/messages", self._route(self._put_message), methods=["PUT"]),
            Route("/messages/{mid}", self._route(self._get_message), methods=["GET"]),
            Route("/answers", self._route(self._post_answer), methods=["POST"]),
            Route("/updates", self._serve_updates, methods=["GET"]),
            Route("/subscriptions", self._route(self._get_subscriptions), methods=["GET"]),
            Route("/subscriptions", self._route(self._post_subscription), methods=["POST"]),
            Route("/subscriptions", self._route(self._delete_subscription), methods=["DELETE"]),
            Route("/{path:path}", _not_found, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
        self.app = Faulty(Starlette(routes=routes), self.faults, self.requests, clock)

    def subscribe(self, url: str, update_types: list[str] | None = None, secret: str = "") -> None:
        """As another program would."""
        self.subscriptions[url] = {
            "url": url,
            "time": milliseconds(self.clock()),
            "update_types": update_types,
            "version": None,
            "secret": secret,
        }

    def webhook(self) -> Json:
        """Where it posts what comes in, and the secret that its header carries then."""
        row = next(iter(self.subscriptions.values()), {})
        return {"url": row.get("url", ""), "secret": row.get("secret", "")}

    def waiting(self) -> list[Json]:
        """What no program has confirmed yet, oldest first: each is the body of one POST of a webhook."""
        return [update for _, _, update in self.updates]

    def delivered(self, count: int = 1) -> None:
        """The webhook's address has answered 200 to the oldest so many."""
        del self.updates[:count]

    def wake(self) -> None:
        """Let a waiting GET /updates answer at once, because the server stops."""
        self._news.set()

    # What the bot does

    def _route(self, work: Callable[[Request, Any], Json]) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            content = await request.body()

            def answer() -> Json:
                self._count("all", self.rate_limit)
                return work(request, json.loads(content) if content else None)

            return self._answer(request, answer)

        return serve

    def _answer(self, request: Request, work: Callable[[], Json]) -> Response:
        try:
            # The query's access_token is taken no more: https://dev.max.ru/docs-api
            if request.headers.get("authorization") != self.token:
                raise Refusal(401, "verify.token", "Invalid access_token")
            return JSONResponse(work())
        except Refusal as refusal:
            return JSONResponse({"code": refusal.code, "message": refusal.message}, refusal.status)
        except Unsuccessful as refusal:
            return JSONResponse({"success": False, "message": str(refusal)})
        except ValueError:
            return JSONResponse({"code": "proto.payload", "message": "Can't deserialize body"}, 400)

    def _get_me(self, request: Request, body: Any) -> Json:
        return {**self._bot, "description": None, "commands": None}

    def _get_chat(self, request: Request, body: Any) -> Json:
        """We never ask for it; whoever works with a bot by an ordinary library does, at every update."""
        number = request.path_params["chat_id"]
        chats = [chat for chat in self._chats() if str(chat["chat_id"]) == number]
        if not chats:
            raise Refusal(404, "chat.not.found", f"Chat {number} not found")
        return chats[0]

    def _post_message(self, request: Request, body: Any) -> Json:
        chat_id, person = self._addressee(request)
        check_message(body, is_new=True, brought={*self.pictures, *self.files})
        if self.rate_limit is not None and person is not None:
            self._count(f"dialogue {chat_id}", 2)
        link = body.get("link") or {}
        if link and not any(post.mid == link.get("mid") for post in self._posts(chat_id)):
            raise Refusal(404, "message.not.found", f"Message {link.get('mid')} not found")
        post = self._post(
            chat_id,
            body.get("text") or "",
            by_bot=True,
            attachments=body.get("attachments"),
            reply_to=link.get("mid", ""),
        )
        return {"message": self._message(post, person)}

    def _post_uploads(self, request: Request, body: Any) -> Json:
        """Where to bring one picture or file: an address of its own, which wants no token."""
        kind = request.query_params.get("type", "")
        if kind not in ("image", "file"):
            raise bad("type: only images and files are known here")
        number = str(len(self._places) + 1)
        self._places[number] = kind
        return {"url": f"{request.base_url}upload/{number}"}

    async def _take_upload(self, request: Request) -> Response:
        number = request.path_params["number"]
        kind = self._places.get(number)
        if not kind:
            return JSONResponse({"error_msg": "BAD_URL"}, 400)
        brought = parameters_of(request.headers["content-type"], await request.body()).get("data")
        if not isinstance(brought, Upload) or (kind == "image" and not brought.startswith(b"\x89PNG")):
            return JSONResponse({"error_msg": "BAD_FILE"}, 400)
        self._places[number] = ""
        if kind == "file":
            self.files[f"file-token-{number}"] = brought
            return JSONResponse({"fileId": int(number), "token": f"file-token-{number}"})
        self.pictures[f"picture-token-{number}"] = brought
        return JSONResponse({"photos": {f"photo-{number}": {"token": f"picture-token-{number}"}}})

    def _put_message(self, request: Request, body: Any) -> Json:
        check_message(body, is_new=False, brought={*self.pictures, *self.files})
        post = self._named(request.query_params.get("message_id", ""))
        if post is None:
            raise Unsuccessful("Message not found")
        if not post.by_bot:
            raise Unsuccessful("Message can be edited by its sender only")
        if body.get("text") is not None:
            post.history.append(post.text)
            post.text = body["text"]
        if body.get("attachments") is not None:
            post.attachments = body["attachments"]
        return {"success": True}

    def _get_message(self, request: Request, body: Any) -> Json:
        post = self._named(request.path_params["mid"])
        if post is None:
            raise Refusal(404, "message.not.found", "Message not found")
        return self._message(post, None)

    def _post_answer(self, request: Request, body: Any) -> Json:
        self._count("answers", None if self.rate_limit is None else 2)
        if not isinstance(body, dict) or not (body.get("message") or body.get("notification")):
            raise bad("message or notification must be present")
        tap = self.taps.get(request.query_params.get("callback_id", ""))
        if tap is None or self.clock() > tap.at + TAP_LIFE:
            raise bad("Key: error.edit.invalid.message, args: [].")
        tap.answers.append(body.get("notification") or "")
        return {"success": True}

    async def _serve_updates(self, request: Request) -> Response:
        query = request.query_params
        if request.headers.get("authorization") != self.token:
            return self._answer(request, dict)
        if self._is_busy("polls", None if self.rate_limit is None else 2):
            return self._answer(request, _too_many)
        self._confirm(int(query.get("marker") or 0))
        wait = min(float(query.get("timeout", 30)), self.longest_wait)
        if wait > 0 and not self.updates and not self.subscriptions:
            await self._wait(wait)
        limit = min(int(query.get("limit", 100)), LONGEST_PAGE)
        return self._answer(request, lambda: self._page(limit))

    def _confirm(self, marker: int) -> None:
        self._confirmed = max(self._confirmed, marker)
        youngest = self.clock() - UPDATE_LIFE
        self.updates = [one for one in self.updates if one[0] >= self._confirmed and one[1] > youngest]

    def _page(self, limit: int) -> Json:
        page = [] if self.subscriptions else self.updates[:limit]
        following = page[-1][0] + 1 if page else max(self._confirmed, self._number + 1 - len(self.updates))
        return {"updates": [update for _, _, update in page], "marker": following}

    async def _wait(self, seconds: float) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    def _get_subscriptions(self, request: Request, body: Any) -> Json:
        rows = [{key: row[key] for key in row if key != "secret"} for row in self.subscriptions.values()]
        return {"subscriptions": rows}

    def _post_subscription(self, request: Request, body: Any) -> Json:
        """Loopback needs no TLS here, unlike there."""
        address = urlsplit(str(body.get("url", "")))
        is_near = address.hostname == "127.0.0.1"
        if address.scheme != "https" and not is_near:
            raise Unsuccessful("Webhook URL must be https")
        if not is_near and address.port not in PORTS and address.port not in range(16384, 32384):
            raise Unsuccessful("Webhook port is not allowed")
        secret = body.get("secret")
        if secret is not None and not SECRET.fullmatch(secret):
            raise bad("secret: does not match the pattern")
        self.subscribe(body["url"], body.get("update_types"), secret or "")
        return {"success": True}

    def _delete_subscription(self, request: Request, body: Any) -> Json:
        if self.subscriptions.pop(request.query_params.get("url", ""), None) is None:
            raise Unsuccessful("Subscription not found")
        return {"success": True}

    # What both need

    def _addressee(self, request: Request) -> tuple[int, Person | None]:
        """The chat that a message is for, and the person if it is a dialogue. A bot never writes first."""
        query = request.query_params
        if "user_id" in query:
            person = self.people.get(int(query["user_id"]))
        else:
            chat_id = int(query.get("chat_id", 0))
            if chat_id in self.groups:
                return chat_id, None
            person = next((one for one in self.people.values() if one.dialogue == chat_id), None)
        if person is None or not person.has_started:
            raise Refusal(404, "chat.not.found", "Chat not found")
        if person.has_stopped:
            suspended = f"Key: error.dialog.suspended, args: [{person.dialogue},]."
            raise Refusal(403, "chat.denied", suspended)
        return person.dialogue, person

    def _is_busy(self, what: str, limit: int | None) -> bool:
        if limit is None:
            return False
        now = asyncio.get_running_loop().time()
        arrivals = self._arrivals.setdefault(what, deque())
        while arrivals and arrivals[0] <= now - 1:
            arrivals.popleft()
        if len(arrivals) >= limit:
            return True
        arrivals.append(now)
        return False

    def _count(self, what: str, limit: int | None) -> None:
        if self._is_busy(what, limit):
            _too_many()


def _too_many() -> Json:
    raise Refusal(429, "too.many.requests", "Too many requests")


async def _not_found(request: Request) -> Response:
    return JSONResponse({"code": "not.found", "message": "Path not found"}, 404)
