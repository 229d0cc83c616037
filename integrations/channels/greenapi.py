"""A messenger account behind Green-API: sends messages and polls, fetches notifications one by one.

The gateway: https://green-api.com/en/docs/api/. Its token stands in the path of every address.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from integrations.channels.base import (
    Batch,
    GatewaySettings,
    Incoming,
    IncomingKind,
    Outgoing,
    Posted,
    Raw,
    RefusedError,
    Status,
    UnreadableError,
    Unsent,
)
from integrations.channels.hooks import as_bytes, is_ours, is_same
from integrations.channels.secret_path import HIDDEN, SecretPath
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.http import Answer, Http, OnResult, Pace

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
PERSON = re.compile(r"(\d+)@c\.us")
GROUP = re.compile(r"[\d-]+@g\.us")
# Sending stopped: by the messenger, by the gateway for want of money, or because nobody is logged in. What is
# handed over now would wait in the gateway's queue and leave at any hour.
STOPPED = frozenset(
    {"yellowCard", "suspended", "blocked", "notEnoughMoney", "notAuthorized", "pendingPassword"}
)
STATE_LASTS = 60.0  # seconds that a healthy state is believed
STOPPED_FOR = timedelta(minutes=5)  # before it is asked again
STATE_KINDS = frozenset({"stateInstanceChanged", "statusInstanceChanged", "quotaExceeded"})
# Green-API's word for a message that its device could not decrypt yet; the text may follow under the same id.
PLACEHOLDER = re.compile(r"\s*\{\{SWE\d+\}\}")
STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "played": Status.READ,
    "failed": Status.FAILED,
    "noAccount": Status.FAILED,
    "notInGroup": Status.FAILED,
}
MEDIA = {
    "audioMessage": "voice",
    "imageMessage": "photo",
    "videoMessage": "video",
    "documentMessage": "document",
    "stickerMessage": "sticker",
    "locationMessage": "location",
    "contactMessage": "contact",
    "contactsArrayMessage": "contact",
}
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
            host = httpx.URL(webhook).host if "://" in webhook else "another address"
            raise Permanent(
                self.name,
                f"sends its notifications to {host}, so polling would get none",
                remedy="Clear the webhook address of the instance in the cabinet of Green-API if nobody "
                "else needs it, or use another instance.",
            )
        await self._settle(found, SETTINGS)

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
        try:
            body = json.loads(posted.body)
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"not a notification of Green-API ({type(error).__name__})") from None
        if not isinstance(body, dict) or "typeWebhook" not in body:
            raise UnreadableError("not a notification of Green-API: it has no typeWebhook")
        instance = body.get("instanceData")
        number = instance.get("idInstance") if isinstance(instance, dict) else None
        if number is not None and str(number) != self._instance:
            return ()  # of another account that posts to the same place
        raw = _raw(body)
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
            host = httpx.URL(webhook).host if "://" in webhook else "another address"
            raise Permanent(
                self.name,
                f"sends its notifications to {host}",
                remedy="Clear the webhook address of the instance in the cabinet of Green-API if nobody "
                "else needs it, or use another instance.",
            )
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
        raw = _raw(found.get("body"))
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
        try:
            notification = Notification.model_validate_json(body)
        except ValidationError as error:
            # From None: the error quotes the client's words.
            raise UnreadableError(f"not a notification of Green-API ({error.error_count()} errors)") from None
        return (_incoming(notification),)

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


# What comes in


def _words(value: object) -> object:
    """An id may come as a number; null, or something that is no text at all, is as good as absent."""
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> object:
    return value if isinstance(value, int) else None


def _block(value: object) -> object:
    """A part that has another form than documented is left out; the rest may hold what we need."""
    return value if isinstance(value, dict) else {}


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


Words = Annotated[str, BeforeValidator(_words)]
PartType = TypeVar("PartType", bound=_Part)
Block = Annotated[PartType, BeforeValidator(_block)]


class _Instance(_Part):
    wid: Words = ""


class _Sender(_Part):
    chat_id: Words = ""
    sender: Words = ""
    chat_name: Words = ""
    sender_name: Words = ""
    sender_contact_name: Words = ""
    sender_phone_number: Words = ""


class _Text(_Part):
    text_message: Words = ""


class _ExtendedText(_Part):
    text: Words = ""
    stanza_id: Words = ""


class _Quoted(_Part):
    stanza_id: Words = ""


class _Vote(_Part):
    option_name: Words = ""
    option_voters: Annotated[tuple[Words, ...], BeforeValidator(lambda value: value or ())] = ()


class _Poll(_Part):
    stanza_id: Words = ""
    name: Words = ""
    votes: Annotated[tuple[_Vote, ...], BeforeValidator(lambda value: value or ())] = ()


class _File(_Part):
    caption: Words = ""


class _Pressed(_Part):
    """A tap on a button or list row that somebody else's program sent from this account."""

    stanza_id: Words = ""
    selected_display_text: Words = ""
    selected_button_text: Words = ""
    title: Words = ""
    selected_id: Words = ""
    selected_button_id: Words = ""
    button_id: Words = ""

    @property
    def text(self) -> str:
        return (
            self.selected_display_text
            or self.selected_button_text
            or self.title
            or self.selected_id
            or self.selected_button_id
            or self.button_id
        )


class _Edited(_Part):
    text_message: Words = ""
    caption: Words = ""
    stanza_id: Words = ""


class _Message(_Part):
    type_message: Words = ""
    text_message_data: Block[_Text] = _Text()
    extended_text_message_data: Block[_ExtendedText] = _ExtendedText()
    quoted_message: Block[_Quoted] = _Quoted()
    poll_message_data: Block[_Poll] = _Poll()
    file_message_data: Block[_File] = _File()
    edited_message_data: Block[_Edited] = _Edited()
    template_button_reply_message: Block[_Pressed] = _Pressed()
    interactive_buttons_response: Block[_Pressed] = _Pressed()
    buttons_response_message: Block[_Pressed] = _Pressed()
    list_response_message: Block[_Pressed] = _Pressed()

    @property
    def pressed(self) -> _Pressed:
        answers = (
            self.template_button_reply_message,
            self.interactive_buttons_response,
            self.buttons_response_message,
            self.list_response_message,
        )
        return next((answer for answer in answers if answer.text), _Pressed())

    @property
    def text(self) -> str:
        """The words, wherever they stand: plain text comes as an extended text from some clients."""
        text = (
            self.text_message_data.text_message
            or self.extended_text_message_data.text
            or self.file_message_data.caption
            or self.pressed.text
        )
        return "" if PLACEHOLDER.match(text) else text

    @property
    def quoted(self) -> str:
        return (
            self.quoted_message.stanza_id
            or self.extended_text_message_data.stanza_id
            or self.pressed.stanza_id
        )


class Notification(_Part):
    """The body of a notification, as far as it matters here."""

    type_webhook: str
    timestamp: Annotated[int | None, BeforeValidator(_seconds)] = None
    id_message: Words = ""
    instance_data: Block[_Instance] = _Instance()
    sender_data: Block[_Sender] = _Sender()
    message_data: Block[_Message] = _Message()
    chat_id: Words = ""  # of a status
    status: Words = ""
    description: Words = ""
    state_instance: Words = ""
    status_instance: Words = ""

    @property
    def sent_at(self) -> datetime | None:
        try:
            return datetime.fromtimestamp(self.timestamp, UTC) if self.timestamp else None
        except (OverflowError, ValueError, OSError):
            return None

    @property
    def chosen(self) -> tuple[str, ...]:
        """The options that the person voted for: none = the vote was withdrawn."""
        ours = self.instance_data.wid
        votes = self.message_data.poll_message_data.votes
        return tuple(vote.option_name for vote in votes if any(voter != ours for voter in vote.option_voters))


def _raw(body: object) -> Raw:
    content = as_bytes(body)
    try:
        notification = Notification.model_validate_json(content)
    except ValidationError:
        # It is kept and put aside; deleted it must be all the same, or nothing behind it ever comes.
        return Raw(_digest(content), "unreadable", content)
    return Raw(external_id(notification, content), notification.type_webhook, content)


def external_id(notification: Notification, content: bytes) -> str:
    """The same for an exact repeat, another for whatever says something new under the same message id."""
    kind, message = notification.type_webhook, notification.message_data
    if not notification.id_message:
        return f"{kind}:{_digest(content)}"
    key = f"{notification.id_message}:{kind}"
    if kind == "outgoingMessageStatus":
        return f"{key}:{notification.status}"
    if message.type_message == "pollUpdateMessage":  # a changed vote
        chosen = _digest(json.dumps(notification.chosen).encode())
        return f"{key}:{chosen}:{notification.timestamp or ''}"
    if message.type_message == "editedMessage":
        return f"{key}:{notification.timestamp or ''}"
    if kind == "incomingMessageReceived" and not message.text and message.type_message not in MEDIA:
        # Not decrypted yet; the text may follow under this very id:
        # https://github.com/green-api/issues/issues/604
        return f"{key}:placeholder"
    return key


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _incoming(notification: Notification) -> Incoming:
    match notification.type_webhook:
        case "incomingMessageReceived":
            return _from_client(notification)
        case "outgoingMessageReceived" if notification.message_data.type_message != "pollUpdateMessage":
            return _from_us(notification, IncomingKind.ECHO)
        case "outgoingAPIMessageReceived":
            return _from_us(notification, IncomingKind.STATUS)
        case "outgoingMessageStatus":
            return _status(notification)
        case kind if kind in STATE_KINDS:
            reason = notification.state_instance or notification.status_instance or notification.type_webhook
            return Incoming(kind=IncomingKind.STATE, sent_at=notification.sent_at, reason=reason)
        case _:
            return Incoming(kind=IncomingKind.OTHER, sent_at=notification.sent_at)


def _envelope(notification: Notification, kind: IncomingKind, **more: Any) -> Incoming:
    sender, message = notification.sender_data, notification.message_data
    person = PERSON.fullmatch(sender.sender or sender.chat_id)
    fields: dict[str, Any] = {
        "chat_id": sender.chat_id,
        "sent_at": notification.sent_at,
        "message_id": notification.id_message,
        "quoted": message.quoted,
        "sender_id": sender.sender,
        "sender_name": sender.sender_contact_name or sender.sender_name or sender.chat_name,
        "phone": person[1] if person else re.sub(r"\D", "", sender.sender_phone_number),
        # In MAX and Telegram a group has a number below zero.
        "is_group": sender.chat_id.endswith("@g.us") or sender.chat_id.startswith("-"),
    }
    return Incoming(kind=kind, **(fields | more))


def _from_client(notification: Notification) -> Incoming:
    message = notification.message_data
    kind, media = message.type_message, MEDIA.get(message.type_message, "")
    if kind == "pollUpdateMessage":
        return _vote(notification)
    if kind == "editedMessage":
        edited = message.edited_message_data
        text = edited.text_message or edited.caption or message.text
        message_id = edited.stanza_id or notification.id_message
        return _envelope(notification, IncomingKind.EDITED, text=text, message_id=message_id, quoted="")
    if kind == "reactionMessage":
        media = "reaction"
    if message.text:
        return _envelope(notification, IncomingKind.TEXT, text=message.text, media=media)
    return _envelope(notification, IncomingKind.MEDIA if kind in MEDIA else IncomingKind.OTHER, media=media)


def _vote(notification: Notification) -> Incoming:
    question, chosen = notification.message_data.poll_message_data.stanza_id, notification.chosen
    if len(chosen) > 1:  # Our polls allow one answer; two are words for the reader to ask about.
        return _envelope(notification, IncomingKind.TEXT, text=", ".join(chosen), quoted=question)
    return _envelope(notification, IncomingKind.TAP, data=chosen[0] if chosen else "", quoted=question)


def _from_us(notification: Notification, kind: IncomingKind) -> Incoming:
    """A message in our name: typed on the phone (ECHO), or sent through the gateway (STATUS: it went out).

    The second confirms a message whose answer was lost; text and chat tell which.
    """
    message = notification.message_data
    status = Status.SENT if kind is IncomingKind.STATUS else None
    return _envelope(
        notification,
        kind,
        text=message.text or message.poll_message_data.name or message.edited_message_data.text_message,
        media=MEDIA.get(message.type_message, ""),
        status=status,
        phone="",
    )


def _status(notification: Notification) -> Incoming:
    status = STATUSES.get(notification.status)
    return Incoming(
        kind=IncomingKind.STATUS if status else IncomingKind.OTHER,
        chat_id=notification.chat_id or notification.sender_data.chat_id,
        sent_at=notification.sent_at,
        message_id=notification.id_message,
        status=status,
        reason=(notification.description or notification.status) if status is Status.FAILED else "",
        is_gone=notification.status == "noAccount",
    )
