"""A MAX bot: sends with buttons, is polled by a marker or posted to, and trusts a CA file of one's own.

The API: https://dev.max.ru/docs-api. It says no by a status, or by `"success": false` in a 200.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx

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
from integrations.channels.max_errors import NOT_THERE, SERVICE, TOO_LATE, explain, occupied
from integrations.channels.max_pictures import NOT_READY, PAUSES, uploaded, uploaded_file
from integrations.channels.max_read import UPDATE_TYPES, incoming_of, raw_of
from integrations.channels.max_write import LONGEST_TEXT, body_of, target_of
from integrations.channels.utf16 import cut
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.http import Http, OnResult, Params
from integrations.pace import Pace
from integrations.tls import trusting

log = logging.getLogger(__name__)

API_URL = "https://platform-api2.max.ru"
DEEP_LINK = "https://max.ru/{bot}?start={token}"
SECRET_HEADER = "x-max-bot-api-secret"  # noqa: S105 - its name

# https://dev.max.ru/docs-api: 30 requests a second in all, of which two into one dialogue, two answers to
# taps, and two polls, each of which may wait for 30 seconds.
RATE = 25.0
TAP_ANSWERS = 2.0
POLLS = 2.0
DIALOGUE_GAP = 0.5  # seconds
LONGEST_POLL = timedelta(seconds=30)
PAGE = 100  # updates
LOOK_AGAIN = 600.0  # seconds between looks at who else is told, while there is nothing to tell
ANSWER_SLACK = timedelta(seconds=15)  # how long an answer may take beyond the wait that was asked for

SEEN = "✓"  # an answer to a tap needs some word


class MaxBot:
    """Fulfils Channel, Polled, Hooked and Linked."""

    name = SERVICE
    has_buttons = True
    button_limit = 210
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
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`pace` stands for a far side that needs no sparing; `now` and `sleep` are for tests."""
        self.is_hooked = settings.mode == "webhook"
        self._deep_link = settings.deep_link or DEEP_LINK
        self._has_ca_file = bool(settings.ca_file)
        self._is_paced = pace is None
        self._now, self._sleep = now, sleep
        self._free_at: dict[str, float] = {}  # chat → when the next message may go there
        self._look_at = float("-inf")  # for another program's subscription
        self._bot_id = self._username = ""
        trust = _trust(settings.ca_file)

        def http(rate: float, *, is_known: bool = True) -> Http:
            return Http(
                SERVICE,
                settings.api_url or API_URL,
                headers={"Authorization": settings.token} if is_known else {},  # without «Bearer»
                pace=Pace(rate if pace is None else None, now=now, sleep=sleep),
                transport=transport,
                on_result=on_result,
                explain=explain if is_known else None,
                verify=trust,
            )

        self._calls, self._taps, self._updates = http(RATE), http(TAP_ANSWERS), http(POLLS)
        self._uploads = http(RATE, is_known=False)

    def address(self, phone: str) -> str | None:
        """None: a bot cannot write first, and a phone number is no address."""
        return None

    async def start(self) -> None:
        """Learn the bot's name, and that nobody else gets what polling is to bring."""
        await self._meet()
        if not self.is_hooked:  # `register` does the rest, once we listen.
            await self._check_alone()

    async def deep_link(self, token: str) -> str:
        if "{bot}" in self._deep_link and not self._username:
            await self._meet()
            if not self._username:
                raise Permanent(
                    SERVICE,
                    "gives this bot no public name, so nothing can link to it",
                    remedy="Give the bot a name in the cabinet of MAX, or write max.deep_link without {bot}.",
                )
        return self._deep_link.replace("{bot}", self._username).replace("{token}", token)

    async def send(self, chat_id: str, message: Outgoing) -> str:
        target = target_of(chat_id)
        body = body_of(message)
        if message.quote:
            body["link"] = {"type": "reply", "mid": message.quote}
        if message.picture and (picture := await self._picture(message.picture)):
            shown = {**body, "attachments": [picture, *body.get("attachments", ())]}
            if (message_id := await self._post_shown(chat_id, target, shown)) is not None:
                return message_id
        await self._take_turn(chat_id)
        try:
            return await self._post(target, body)
        except AccessDenied:
            raise
        except Permanent as error:
            if "link" not in body or error.status is None:
                raise
        # The quoted message may be gone, which is no reason to stay silent. Refused, the first was not sent.
        del body["link"]
        return await self._post(target, body)

    async def send_file(self, chat_id: str, file: bytes, name: str, text: str) -> str:
        target = target_of(chat_id)
        with self._certified():
            attachment = await uploaded_file(self._calls, self._uploads, file, name)
        return await self._post_ready(
            chat_id, target, {**body_of(Outgoing(text=text)), "attachments": [attachment]}
        )

    async def edit(self, chat_id: str, message_id: str, message: Outgoing) -> None:
        if not message_id:
            return  # Its id was never learned, so there is nothing to find it by.
        try:
            text = message.text or await self._text_of(message_id)
            body = {**body_of(message), "text": cut(text, LONGEST_TEXT)}
            body.setdefault("attachments", [])  # Without them the old buttons would stay.
            # Said twice it changes nothing, so a lost answer is no question of what happened.
            await self._ask(self._calls, "PUT", "messages", {"message_id": message_id}, body, is_read=True)
        except Permanent as error:
            if error.status != 404 and not _says(error, NOT_THERE):
                raise

    async def answer_tap(self, callback_id: str, text: str) -> None:
        body = {"notification": text or SEEN}
        try:
            await self._ask(self._taps, "POST", "answers", {"callback_id": callback_id}, body, is_read=True)
        except AccessDenied:
            raise
        except Permanent as error:
            if error.status not in TOO_LATE:
                raise

    async def poll(self, offset: str, timeout: timedelta) -> Batch:  # noqa: ASYNC109 the server waits, not we
        """Updates as they came. Only the next poll, with this batch's marker, has the server forget them.

        The offset is «bot:marker». Another bot's marker says nothing here; without one the server repeats
        what was never confirmed, so nothing is lost.
        """
        if not self._bot_id:
            await self._meet()
        wait = min(timeout, LONGEST_POLL)
        asked: dict[str, str | int] = {"timeout": int(wait.total_seconds()), "limit": PAGE}
        bot, _, marker = offset.partition(":")
        if bot == self._bot_id and marker.isdecimal() and int(marker):
            # Never 0: https://github.com/max-messenger/max-bot-api-client-go/issues/159
            asked["marker"] = marker
        page = await self._ask(
            self._updates, "GET", "updates", asked, is_read=True, read_timeout=wait + ANSWER_SLACK
        )
        if not isinstance(page, dict):
            raise Temporary(SERVICE, "answered with something that is no page of updates")
        updates = page.get("updates")
        raws = tuple(raw_of(one) for one in updates if isinstance(one, dict)) if updates else ()
        if not raws and self._now() >= self._look_at:
            await self._check_alone()
        following = page.get("marker")
        if isinstance(following, int) and following > 0:
            offset = f"{self._bot_id}:{following}"
        return Batch(raws, offset)

    async def confirm(self, batch: Batch) -> None:
        """Nothing to do: the marker of the next poll confirms."""

    def take(self, posted: Posted, secret: str) -> tuple[Raw, ...]:
        if not is_same(posted.headers.get(SECRET_HEADER, ""), secret):
            raise RefusedError("header")
        update = json_of(posted.body, "an update of MAX")
        if not isinstance(update, dict) or not isinstance(update.get("update_type"), str):
            raise UnreadableError("not an update of MAX: it has no update_type")
        return (raw_of(update),)

    def greet(self, query: Mapping[str, str], secret: str) -> str:
        """MAX makes sure of nobody."""
        raise RefusedError("method")

    async def register(self, url: str, secret: str) -> None:
        """The secret follows from the path's, so an address that is right has the right one."""
        found = await self._subscriptions()
        if others := [one for one in found if not is_ours(one, url)]:
            raise occupied(others[0])
        wanted = set(UPDATE_TYPES)
        if url not in found or not (found[url] is None or wanted <= set(found[url] or ())):
            body = {"url": url, "update_types": list(UPDATE_TYPES), "secret": secret}
            await self._ask(self._calls, "POST", "subscriptions", {}, body, is_read=True)
        for old in found:
            if old != url:  # Ours with an older secret: it would be refused and repeated for hours.
                await self._ask(self._calls, "DELETE", "subscriptions", {"url": old}, is_read=True)

    def read(self, body: bytes) -> Sequence[Incoming]:
        return (incoming_of(body),)

    async def close(self) -> None:
        for http in (self._calls, self._taps, self._updates, self._uploads):
            await http.close()

    async def _meet(self) -> None:
        me = await self._ask(self._calls, "GET", "me")
        if not isinstance(me, dict) or not me.get("user_id"):
            raise Temporary(
                SERVICE,
                "did not say who this bot is",
                remedy="Check max.api_url: something else may answer.",
                status=200,
            )
        self._bot_id = str(me["user_id"])
        self._username = str(me.get("username") or "")

    async def _check_alone(self) -> None:
        """With a subscription polling brings nothing and says nothing: Permanent while there is one."""
        for url in await self._subscriptions():
            raise occupied(url, is_polled=True)
        self._look_at = self._now() + LOOK_AGAIN

    async def _subscriptions(self) -> dict[str, list[Any] | None]:
        """Where MAX posts for this bot, and which kinds (None: all)."""
        found = await self._ask(self._calls, "GET", "subscriptions")
        rows = found.get("subscriptions") if isinstance(found, dict) else None
        return {
            str(row.get("url") or ""): row.get("update_types") or None
            for row in rows or ()
            if isinstance(row, dict)
        }

    async def _post(self, target: Params, body: dict[str, Any]) -> str:
        asked = {**target, "disable_link_preview": "true"}
        found = await self._ask(self._calls, "POST", "messages", asked, body)
        sent = found.get("message") if isinstance(found, dict) else None
        written = sent.get("body") if isinstance(sent, dict) else None
        message_id = written.get("mid") if isinstance(written, dict) else None
        if not isinstance(message_id, str) or not message_id:
            raise Uncertain(SERVICE, "took the message but gave no id")
        return message_id

    async def _picture(self, picture: bytes) -> dict[str, Any] | None:
        """None: it cannot be had now, and words wait for no picture."""
        try:
            with self._certified():
                return await uploaded(self._calls, self._uploads, picture)
        except AccessDenied as error:
            if error.status == 401:
                raise
            log.warning("a message goes out without its picture: %s", error)
        except OutsideError as error:
            log.warning("a message goes out without its picture: %s", error)
        return None

    async def _post_shown(self, chat_id: str, target: Params, body: dict[str, Any]) -> str | None:
        """None: MAX does not take it with this picture, and nothing was sent."""
        try:
            return await self._post_ready(chat_id, target, body)
        except (AccessDenied, Unreachable):
            raise
        except (Temporary, Permanent) as error:
            is_the_picture = NOT_READY in error.detail or (isinstance(error, Permanent) and error.status)
            if not is_the_picture:
                raise
            log.warning("a message goes out without its picture: %s", error)
        return None

    async def _post_ready(self, chat_id: str, target: Params, body: dict[str, Any]) -> str:
        """What was just uploaded may need a moment."""
        for pause in PAUSES:
            await self._take_turn(chat_id)
            try:
                return await self._post(target, body)
            except Temporary as error:
                if NOT_READY not in error.detail:
                    raise
            await self._sleep(pause)
        await self._take_turn(chat_id)
        return await self._post(target, body)

    async def _text_of(self, message_id: str) -> str:
        """The text of a message of ours: what an edit without a text leaves is written nowhere."""
        found = await self._ask(self._calls, "GET", f"messages/{message_id}", what="GET /messages/…")
        body = found.get("body") if isinstance(found, dict) else None
        return str(body.get("text") or "") if isinstance(body, dict) else ""

    async def _take_turn(self, chat_id: str) -> None:
        if not self._is_paced:
            return
        now = self._now()
        leaves_at = max(now, self._free_at.get(chat_id, now))
        self._free_at = {chat: free_at for chat, free_at in self._free_at.items() if free_at > now}
        self._free_at[chat_id] = leaves_at + DIALOGUE_GAP
        if leaves_at > now:
            await self._sleep(leaves_at - now)

    async def _ask(
        self,
        http: Http,
        method: str,
        path: str,
        params: Params | None = None,
        json: object = None,
        *,
        what: str = "",
        is_read: bool | None = None,
        read_timeout: timedelta | None = None,
    ) -> object:
        with self._certified():
            answer = await http.send(
                method,
                path,
                params=params,
                json=json,
                is_read=is_read,
                what=what or f"{method} /{path}",
                read_timeout=read_timeout,
            )
        return http.parse(answer)

    @contextmanager
    def _certified(self) -> Iterator[None]:
        """Names what is wrong where MAX's certificate is not trusted: certifi has none of its issuer."""
        try:
            yield
        except Temporary as error:
            cause = error.__cause__
            if "CERTIFICATE_VERIFY_FAILED" not in str(cause):
                raise
            file = "Compare max.ca_file" if self._has_ca_file else "Set max.ca_file"
            raise Temporary(
                SERVICE,
                "shows a certificate that is not trusted",
                remedy=f"{file}: a PEM file with the root certificate of the Russian Ministry of Digital "
                "Development.",
            ) from cause


def _trust(ca_file: str) -> ssl.SSLContext | None:
    if not ca_file:
        return None
    try:
        return trusting(ca_file)
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
        raise Permanent(
            SERVICE,
            f"cannot use the certificates of max.ca_file ({type(error).__name__})",
            remedy="Point max.ca_file at a PEM file with the root certificate.",
        ) from None


def _says(error: Permanent, words: Sequence[str]) -> bool:
    return any(word in error.detail.lower() for word in words)
