"""Updates of MAX, each understood by itself: any field may be null, and new kinds come every month.

A person is written to by user id, for every update has it: a tap under a message that was deleted comes
without the chat, and the numbers of dialogues and of groups look alike. A group is «chat:<number>».
The shapes: https://dev.max.ru/docs-api
"""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from integrations.channels.base import Incoming, IncomingKind, Raw, UnreadableError
from integrations.channels.lenient import Block, Flag, Part, Rows, Words

# Named in a subscription, because it remembers what was asked for last, be it by another program.
UPDATE_TYPES = (
    "message_created",
    "message_edited",
    "message_callback",
    "bot_started",
    "bot_stopped",
    "dialog_removed",
)
GROUP = "chat:"
LONGEST_KEY = 250  # characters; a tap's id has about 120
# A link adds a preview to its message, and a button's message shows its keyboard: neither says anything new.
MEDIA = {
    "audio": "voice",
    "image": "photo",
    "video": "video",
    "file": "document",
    "sticker": "sticker",
    "location": "location",
    "contact": "contact",
}
START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<token>\S+)|\s*$)")
# A line of a vCard: «TEL;TYPE=cell:79140000001», «item1.TEL;VALUE=uri:tel:+7-914-…».
PHONE = re.compile(
    r"^(?:[\w-]+\.)?TEL[^:\n]*:(?:tel:)?(?P<number>[^\n]*\d[^\n]*)$", re.IGNORECASE | re.MULTILINE
)
FOLDED = re.compile(r"\r?\n[ \t]")  # a long line of a vCard goes on in the next


def _milliseconds(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


Moment = Annotated[datetime | None, BeforeValidator(_milliseconds)]


class _User(Part):
    user_id: Words = ""
    first_name: Words = ""
    last_name: Words = ""
    name: Words = ""
    is_bot: Flag = False

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.first_name, self.last_name))) or self.name


class _Recipient(Part):
    chat_id: Words = ""
    chat_type: Words = ""

    @property
    def is_group(self) -> bool:
        return self.chat_type in ("chat", "channel")


class _Payload(Part):
    """Of a contact; that of other attachments is not looked into."""

    vcf_info: Words = ""
    max_info: Block[_User] = _User()

    @property
    def phone(self) -> str:
        found = PHONE.search(FOLDED.sub("", self.vcf_info).replace("\r\n", "\n"))
        return re.sub(r"\D", "", found["number"]) if found else ""


class _Attachment(Part):
    type: Words = ""
    payload: Block[_Payload] = _Payload()


class _Body(Part):
    mid: Words = ""
    text: Words = ""
    attachments: Rows[_Attachment] = ()

    @property
    def media(self) -> str:
        return next((MEDIA[each.type] for each in self.attachments if each.type in MEDIA), "")

    @property
    def card(self) -> _Payload | None:
        cards = (each.payload for each in self.attachments if each.type == "contact")
        return next((card for card in cards if card.phone), None)


class _Link(Part):
    type: Words = ""
    message: Block[_Body] = _Body()


class _Message(Part):
    sender: Block[_User] = _User()
    recipient: Block[_Recipient] = _Recipient()
    body: Block[_Body] = _Body()
    link: Block[_Link] = _Link()
    timestamp: Moment = None

    @property
    def quoted(self) -> str:
        return self.link.message.mid if self.link.type == "reply" else ""

    @property
    def said(self) -> _Body:
        """Its own words; of a message that only passes on another, those of that one."""
        own = self.body
        is_bare = not own.text and not own.attachments
        return self.link.message if is_bare and self.link.type == "forward" else own


class _Callback(Part):
    callback_id: Words = ""
    payload: Words = ""
    user: Block[_User] = _User()
    timestamp: Moment = None


class Update(Part):
    """What happened, as far as it matters here."""

    update_type: str
    timestamp: Moment = None
    message: Block[_Message] = _Message()
    callback: Block[_Callback] = _Callback()
    user: Block[_User] = _User()
    chat_id: Words = ""
    payload: Words = ""

    @property
    def key(self) -> str:
        """The same for a repeat, another for whatever is new; empty when nothing tells."""
        at = int(self.timestamp.timestamp() * 1000) if self.timestamp else ""
        match self.update_type:
            case "message_created":
                return self.message.body.mid
            case "message_edited":
                return f"{self.message.body.mid}:{at}" if self.message.body.mid and at else ""
            case "message_callback":
                pressed = self.callback.timestamp
                at = int(pressed.timestamp() * 1000) if pressed else at
                return f"{self.callback.callback_id}:{at}" if self.callback.callback_id else ""
            case _:
                who = self.user.user_id
                return f"{who}:{at}" if who and at else ""


def raw_of(content: dict[str, Any]) -> Raw:
    """One update as it is kept."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    try:
        update = Update.model_validate(content)
    except ValidationError:
        return Raw(_digest(body), "unreadable", body)  # kept all the same, for a person to look at
    key = update.key or _digest(body)
    if len(key) > LONGEST_KEY:
        key = _digest(key.encode())
    return Raw(key, update.update_type[:LONGEST_KEY], body)


def incoming_of(body: bytes) -> Incoming:
    """What it means. Raises UnreadableError."""
    try:
        update = Update.model_validate(json.loads(body))
    except ValidationError as error:
        # From None: the error quotes the client's words.
        raise UnreadableError(f"not an update of MAX ({error.error_count()} errors)") from None
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not an update of MAX ({type(error).__name__})") from None
    match update.update_type:
        case "message_created":
            return _message(update)
        case "message_edited":
            return _edited(update)
        case "message_callback":
            return _tap(update)
        case "bot_started":
            return _of_person(update, IncomingKind.START, token=update.payload)
        case "bot_stopped" | "dialog_removed":
            return _of_person(update, IncomingKind.BLOCKED)
        case _:
            return Incoming(kind=IncomingKind.OTHER, sent_at=update.timestamp)


def _of_person(update: Update, kind: IncomingKind, token: str = "") -> Incoming:
    user = update.user
    if not user.user_id:
        return Incoming(kind=IncomingKind.OTHER, sent_at=update.timestamp)
    return Incoming(
        kind=kind,
        chat_id=user.user_id,
        sent_at=update.timestamp,
        sender_id=user.user_id,
        sender_name=user.full_name,
        token=token,
    )


def _place(recipient: _Recipient, user: _User) -> str:
    return f"{GROUP}{recipient.chat_id}" if recipient.is_group else user.user_id


def _envelope(update: Update) -> Incoming:
    message = update.message
    return Incoming(
        kind=IncomingKind.OTHER,
        chat_id=_place(message.recipient, message.sender),
        sent_at=message.timestamp or update.timestamp,
        message_id=message.body.mid,
        quoted=message.quoted,
        sender_id=message.sender.user_id,
        sender_name=message.sender.full_name,
        is_group=message.recipient.is_group,
    )


def _message(update: Update) -> Incoming:
    envelope, sender = _envelope(update), update.message.sender
    if sender.is_bot or not sender.user_id:  # our own, or a channel's
        return envelope
    said = update.message.said
    if card := update.message.body.card:
        # Anybody's card can be attached by hand.
        is_own = card.max_info.user_id == sender.user_id
        return replace(envelope, kind=IncomingKind.CONTACT, phone=card.phone, is_own_phone=is_own)
    if opened := START.match(said.text):
        return replace(envelope, kind=IncomingKind.START, text=said.text, token=opened["token"] or "")
    if said.text:
        return replace(envelope, kind=IncomingKind.TEXT, text=said.text, media=said.media)
    return replace(envelope, kind=IncomingKind.MEDIA, media=said.media) if said.media else envelope


def _edited(update: Update) -> Incoming:
    envelope = replace(_envelope(update), sent_at=update.timestamp or update.message.timestamp)
    sender, text = update.message.sender, update.message.body.text
    if sender.is_bot or not sender.user_id or not text:
        return envelope
    return replace(envelope, kind=IncomingKind.EDITED, text=text)


def _tap(update: Update) -> Incoming:
    """Its message is ours: who tapped stands in the callback alone."""
    callback, message = update.callback, update.message
    if not callback.user.user_id:
        return Incoming(kind=IncomingKind.OTHER, sent_at=update.timestamp)
    return Incoming(
        kind=IncomingKind.TAP,
        chat_id=_place(message.recipient, callback.user),
        sent_at=callback.timestamp or update.timestamp,
        data=callback.payload,
        quoted=message.body.mid,
        callback_id=callback.callback_id,
        sender_id=callback.user.user_id,
        sender_name=callback.user.full_name,
        is_group=message.recipient.is_group,
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
