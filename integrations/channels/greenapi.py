"""A messenger account behind Green-API: sends messages and polls, fetches notifications one by one.

The gateway: https://green-api.com/en/docs/api/. Its token stands in the path of every address.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx

from integrations.channels.base import (
    Batch,
    GatewaySettings,
    Incoming,
    Outgoing,
    Posted,
    Raw,
    RefusedError,
    UnreadableError,
    Unsent,
)
from integrations.channels.greenapi_read import PERSON, STATE_KINDS, incoming_of, raw_of
from integrations.channels.hooks import is_ours, is_same, json_of
from integrations.channels.secret_path import HIDDEN, SecretPath
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.http import Answer, Http, OnResult
from integrations.pace import Pace

# https://green-api.com/en/docs/api/limits/: 50 messages a second; we never need as many.
RATE = 10.0
LONGEST_TEXT = 20_000  # characters
LONGEST_POLL = 255  # characters of a poll's question
OPTIONS = range(2, 13)  # how many a poll may have
LONGEST_OPTION = 100  # characters
# Seconds that receiveNotification may wait; it takes up to 60, but an answer is read for 20 at most.
RECEIVE_WAIT = (5, 15)

LONGEST_QUEUE = 500  # messages that showMessagesQueue shows at most
TELLS_OF_OURS = "outgoingAPIMessageWebhook"
# What has to reach us by polling. Changing a setting restarts the instance, so only what differs is set.
SETTINGS = {
    "incomingWebhook": "yes",
    "outgoingWebhook": "yes",  # delivery statuses
    "outgoingMessageWebhook": "yes",  # what a person of the company types on the phone
    TELLS_OF_OURS: "yes",  # our own messages: a lost answer is found again
    "pollMessageWebhook": "yes",
    "stateWebhook": "yes",
    "editedMessageWebhook": "yes",
}
GROUP = re.compile(r"[\d-]+@g\.us")
# Sending stopped: by the messenger, by the gateway for want of money, or because nobody is logged in. What is
# handed over now would wait in the gateway's queue and leave at any hour.
STOPPED = frozenset(
    {"yellowCard", "suspended", "blocked", "notEnoughMoney", "notAuthorized", "pendingPassword"}
)
STATE_LASTS = 60.0  # seconds that a healthy state is believed
STOPPED_FOR = timedelta(minutes=5)  # before it is asked again
NOT_SCANNED = "In the cabinet of Green-API scan the QR code with the phone again."


class GreenApi:
    """Fulfils Channel, Polled, Hooked and Searchable.

    The last only while it is polled: a webhook that is late has not told of everything that went out.
    """

    has_buttons = False
    button_limit = 0
    poll_limit = LONGEST_POLL
    has_receipts = True
    has_read_receipts = True
    echo_kind = "outgoingAPIMessageReceived"
    longest_text = LONGEST_TEXT
    hook_place = "whatsapp"  # all gateways post to one place; an instance takes what is its own
    # A message to an id of the form @lid stays at the head of the gateway's queue and blocks it:
    # https://github.com/green-api/issues/issues/812
    chat_ids = re.compile(rf"{PERSON.pattern}|{GROUP.pattern}")

    def __init__(
        self,
        name: str,
        settings: GatewaySettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_result: OnResult | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.name = name
        self.gap = settings.gap
        self.is_hooked = settings.receive == "webhook"
        self._instance = settings.instance_id
        self._healthy_until = 0.0  # by the loop's clock
        self._sending, self._receiving = (
            Http(
                name,
                settings.base_url,
                pace=own_pace,
                transport=SecretPath(settings.api_token, transport=transport),
                on_result=on_result,
                explain=self._explain,
            )
            for own_pace in (pace or Pace(RATE), Pace(None))  # a long poll would hold back every message
        )

    def address(self, phone: str) -> str | None:
        digits = re.sub(r"\D", "", phone)
        return f"{digits}@c.us" if digits else None

    async def start(self) -> None:
        """Check that the phone is connected, and have everything reported by polling."""
        state = _text_of(await self._ask("getStateInstance"), "stateInstance")
        if state in ("notAuthorized", "blocked"):
            raise AccessDenied(self.name, f"is not connected: the instance is {state}", remedy=NOT_SCANNED)
        if state in ("starting", "sleepMode"):
            raise Temporary(self.name, f"is not ready: the instance is {state}")
        if state not in STOPPED:
            self._healthy_until = asyncio.get_running_loop().time() + STATE_LASTS
        if self.is_hooked:
            return  # `register` does the rest, once we listen.
        found = await self._ask("getSettings")
        webhook = _text_of(found, "webhookUrl")
        if webhook:
            # With an address there polling gives nothing, and another program may live on it.
            raise self._occupied(webhook, ", so polling would get none")
        await self._settle(found, SETTINGS)

    def _occupied(self, webhook: str, so: str = "") -> Permanent:
        host = httpx.URL(webhook).host if "://" in webhook else "another address"
        return Permanent(
            self.name,
            f"sends its notifications to {host}{so}",
            remedy="Clear the webhook address of the instance in the cabinet of Green-API if nobody "
            "else needs it, or use another instance.",
        )

    async def _settle(self, found: object, wanted: Mapping[str, str]) -> None:
        """Only what differs: each change may restart the instance. Asked twice it changes nothing."""
        missing = {key: wish for key, wish in wanted.items() if _text_of(found, key) != wish}
        if missing:
            await self._sending.send_json(
                "POST", self._path("setSettings"), missing, is_read=True, what="setSettings"
            )

    def take(self, posted: Posted, secret: str) -> tuple[Raw, ...]:
        given = posted.headers.get("authorization", "")
        if not is_same(given.removeprefix("Bearer ").strip(), secret):
            raise RefusedError("header")
        body = json_of(posted.body, "a notification of Green-API")
        if not isinstance(body, dict) or "typeWebhook" not in body:
            raise UnreadableError("not a notification of Green-API: it has no typeWebhook")
        instance = body.get("instanceData")
        number = instance.get("idInstance") if isinstance(instance, dict) else None
        if number is not None and str(number) != self._instance:
            return ()  # of another account that posts to the same place
        raw = raw_of(body)
        if raw.kind in STATE_KINDS:
            self._healthy_until = 0.0
        return (raw,)

    def greet(self, query: Mapping[str, str], secret: str) -> str:
        """The gateway makes sure of nobody."""
        raise RefusedError("method")

    async def register(self, url: str, secret: str) -> None:
        found = await self._ask("getSettings")
        webhook = _text_of(found, "webhookUrl")
        if webhook and not is_ours(webhook, url):
            raise self._occupied(webhook)
        await self._settle(found, {**SETTINGS, "webhookUrl": url, "webhookUrlToken": secret})

    async def send(self, chat_id: str, message: Outgoing) -> str:
        if not self.chat_ids.fullmatch(chat_id):
            raise Unreachable(self.name, "cannot write to a chat id of this form")
        await self.check_state()
        body: dict[str, Any] = {"chatId": chat_id, "message": message.text[: self.longest_text]}
        method = "sendMessage"
        if self.poll_limit and _fits_poll(message):
            method = "sendPoll"
            body["options"] = [{"optionName": option} for option in message.poll]
            body["multipleAnswers"] = False
        if message.quote:
            body["quotedMessageId"] = message.quote
        message_id = _text_of(await self._tell(method, body), "idMessage")
        if not message_id:
            raise Uncertain(self.name, f"took the message but gave no id: {method}")
        return message_id

    async def check_state(self) -> None:
        """Raises Temporary while the account may not send."""
        now = asyncio.get_running_loop().time()
        if now < self._healthy_until:
            return
        state = _text_of(await self._ask("getStateInstance"), "stateInstance")
        if state in STOPPED:
            raise Temporary(
                self.name,
                f"does not send now: the instance is {state}",
                retry_after=STOPPED_FOR,
                remedy="See in the cabinet of Green-API why the account may not send; replies still come in.",
            )
        self._healthy_until = now + STATE_LASTS

    async def unsent(self) -> Sequence[Unsent]:
        """The queue of an instance that is connected and tells us what it sends; else nothing can be said."""
        state = _text_of(await self._ask("getStateInstance"), "stateInstance")
        status = _text_of(await self._ask("getStatusInstance"), "statusInstance")
        if state != "authorized" or status == "offline":
            raise Temporary(self.name, f"does not send now: the instance is {state}, {status}")
        await self._check_it_tells()
        queue = await self._ask("showMessagesQueue")
        if not isinstance(queue, list) or len(queue) >= LONGEST_QUEUE:
            raise Temporary(self.name, "does not show its whole queue")
        return [
            Unsent(_text_of(row.get("body"), "chatId"), _text_of(row, "messageID"))
            for row in queue
            if isinstance(row, dict)
        ]

    async def clear(self) -> bool:
        """While the account does not send, its queue is emptied unseen: the head is not always shown."""
        state = _text_of(await self._ask("getStateInstance"), "stateInstance")
        status = _text_of(await self._ask("getStatusInstance"), "statusInstance")
        await self._check_it_tells()
        if state == "authorized" and status != "offline" and not await self._ask("showMessagesQueue"):
            return False
        # Emptying it once more does no harm, so a lost answer is no question of what happened.
        found = await self._ask("clearMessagesQueue")
        if not isinstance(found, dict) or found.get("isCleared") is not True:
            raise Temporary(self.name, "did not empty its queue")
        return True

    async def _check_it_tells(self) -> None:
        settings = await self._ask("getSettings")
        if _text_of(settings, "webhookUrl") or _text_of(settings, TELLS_OF_OURS) != "yes":
            raise Temporary(self.name, "does not tell us of our own messages")

    async def edit(self, chat_id: str, message_id: str, message: Outgoing) -> None:
        """Nothing: a question stays as it was sent, an edited one would only puzzle."""

    async def answer_tap(self, callback_id: str, text: str) -> None:
        """Nothing: a vote waits for no answer."""

    async def poll(self, offset: str, timeout: timedelta) -> Batch:  # noqa: ASYNC109 the server waits, not we
        """The oldest notification. It comes again until `confirm` deletes it; there is no offset."""
        shortest, longest = RECEIVE_WAIT
        wait = max(shortest, min(int(timeout.total_seconds()), longest))
        found = await self._receiving.get_json(
            self._path("receiveNotification"),
            {"receiveTimeout": wait},
            what="receiveNotification",
        )
        if not isinstance(found, dict):
            return Batch((), offset)
        receipt = str(found.get("receiptId", ""))
        raw = raw_of(found.get("body"))
        if raw.kind in STATE_KINDS:
            self._healthy_until = 0.0
        return Batch((raw,), offset, receipt)

    async def confirm(self, batch: Batch) -> None:
        if not batch.receipt:
            return
        # Deleting twice is harmless: the second time the answer is `{"result": false}`.
        path = f"{self._path('deleteNotification')}/{batch.receipt}"
        await self._receiving.send("DELETE", path, is_read=True, what="deleteNotification")

    def read(self, body: bytes) -> Sequence[Incoming]:
        return (incoming_of(body),)

    async def close(self) -> None:
        await self._sending.close()
        await self._receiving.close()

    async def _ask(self, method: str) -> object:
        return await self._sending.get_json(self._path(method), what=method)

    async def _tell(self, method: str, body: dict[str, Any]) -> object:
        return await self._sending.send_json("POST", self._path(method), body, what=method)

    def _path(self, method: str) -> str:
        return f"waInstance{self._instance}/{method}/{HIDDEN}"

    def _explain(self, answer: Answer) -> OutsideError | None:
        """The gateway's own refusals: https://green-api.com/en/docs/api/common-errors/"""
        if answer.status == 466:
            return Permanent(
                self.name,
                f"refuses: the tariff's quota of this month is used up ({answer.what})",
                remedy="Choose a larger tariff in the cabinet of Green-API, or wait for the next month.",
                status=466,
            )
        if answer.status == 400 and b"authorized" in answer.content.lower():
            return AccessDenied(
                self.name,
                f"refuses: the phone is not connected ({answer.what})",
                remedy=NOT_SCANNED,
                status=400,
            )
        if answer.status in (401, 403, 404):
            return AccessDenied(
                self.name,
                f"refused access ({answer.status}): {answer.what}",
                remedy=f"Check {self.name}.base_url, instance_id and api_token: in the cabinet of Green-API "
                "they are called apiUrl, idInstance and apiTokenInstance.",
                status=answer.status,
            )
        return None


def _fits_poll(message: Outgoing) -> bool:
    """A poll that breaks a rule is accepted and fails later: https://github.com/green-api/issues/issues/536"""
    options = message.poll
    return (
        len(options) in OPTIONS
        and len(set(options)) == len(options)
        and all(0 < len(option) <= LONGEST_OPTION for option in options)
        and 0 < len(message.text) <= LONGEST_POLL
    )


def _text_of(answer: object, key: str) -> str:
    value = answer.get(key) if isinstance(answer, dict) else None
    return value if isinstance(value, str) else ""
