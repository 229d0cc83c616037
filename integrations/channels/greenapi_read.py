"""What Green-API tells: kept as it came, and understood later."""

import hashlib
import json
import re
from typing import Any

from pydantic import ValidationError

from integrations.channels.base import Incoming, IncomingKind, Raw, Status, UnreadableError
from integrations.channels.greenapi_models import Notification
from integrations.channels.hooks import as_bytes

PERSON = re.compile(r"(\d+)@c\.us")
STATE_KINDS = frozenset({"stateInstanceChanged", "statusInstanceChanged", "quotaExceeded"})
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


def raw_of(body: object) -> Raw:
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


def incoming_of(body: bytes) -> Incoming:
    try:
        notification = Notification.model_validate_json(body)
    except ValidationError as error:
        # From None: the error quotes the client's words.
        raise UnreadableError(f"not a notification of Green-API ({error.error_count()} errors)") from None
    return _understood(notification)


def _understood(notification: Notification) -> Incoming:
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
