"""Updates of Telegram: kept as they came, and understood later."""

import json
import re
from dataclasses import replace
from typing import Any

from telegram import CallbackQuery, Chat, ChatMember, ChatMemberUpdated, Message, Update, User

from integrations.channels.base import Incoming, IncomingKind, Raw, UnreadableError
from integrations.channels.hooks import as_bytes

# Named, because Telegram remembers what was asked for last, be it by another program.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")

START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<token>\S+)|\s*$)")
MEDIA = (
    "voice",
    "video_note",
    "photo",
    "sticker",
    "animation",  # before document: an animation is both
    "document",
    "video",
    "audio",
    "location",
    "venue",
    "poll",
    "dice",
    "story",
)


def raw_of(update: dict[str, Any]) -> Raw:
    body = as_bytes(update)
    return Raw(str(update["update_id"]), "update", body)


def incoming_of(body: bytes) -> Incoming:
    try:
        content = json.loads(body)
        update = Update.de_json(content, None)
        # The library parses some parts only when they are asked for.
        return _understood(update)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise UnreadableError(f"not an update of Telegram ({type(error).__name__})") from error


def _understood(update: Update) -> Incoming:
    if update.callback_query:
        return _tap(update.callback_query)
    if update.my_chat_member:
        return _membership(update.my_chat_member)
    if update.edited_message:
        return _edited(update.edited_message)
    if update.message:
        return _message(update.message)
    return Incoming(kind=IncomingKind.OTHER)


def _tap(query: CallbackQuery) -> Incoming:
    message = query.message  # an old one comes without its text, or not at all
    return Incoming(
        kind=IncomingKind.TAP,
        chat_id=str(message.chat.id if message else query.from_user.id),
        data=query.data or "",
        quoted=str(message.message_id) if message else "",
        callback_id=query.id,
        sender_id=str(query.from_user.id),
        sender_name=query.from_user.full_name,
        is_group=message is not None and message.chat.type != Chat.PRIVATE,
    )


def _membership(change: ChatMemberUpdated) -> Incoming:
    is_gone = change.new_chat_member.status in (ChatMember.BANNED, ChatMember.LEFT)
    return Incoming(
        kind=IncomingKind.BLOCKED if is_gone else IncomingKind.UNBLOCKED,
        chat_id=str(change.chat.id),
        sent_at=change.date,
        sender_id=str(change.from_user.id),
        sender_name=change.from_user.full_name,
        is_group=change.chat.type != Chat.PRIVATE,
    )


def _envelope(message: Message, sender: User | None) -> Incoming:
    quoted = message.reply_to_message
    return Incoming(
        kind=IncomingKind.OTHER,
        chat_id=str(message.chat.id),
        sent_at=message.edit_date or message.date,
        message_id=str(message.message_id),
        quoted=str(quoted.message_id) if quoted else "",
        sender_id=str(sender.id) if sender else "",
        sender_name=sender.full_name if sender else "",
        is_group=message.chat.type != Chat.PRIVATE,
    )


def _edited(message: Message) -> Incoming:
    words = message.text or message.caption or ""
    envelope = _envelope(message, message.from_user)
    return replace(envelope, kind=IncomingKind.EDITED, text=words) if words else envelope


def _message(message: Message) -> Incoming:
    sender = message.from_user
    envelope = _envelope(message, sender)
    if message.migrate_to_chat_id:
        return replace(envelope, kind=IncomingKind.MOVED, moved_to=str(message.migrate_to_chat_id))
    if sender is None or sender.is_bot:
        return envelope
    if contact := message.contact:
        return replace(
            envelope,
            kind=IncomingKind.CONTACT,
            phone=_digits(contact.phone_number),
            is_own_phone=contact.user_id == sender.id,  # anybody's card can be attached by hand
        )
    if message.text and (opened := START.match(message.text)):
        return replace(envelope, kind=IncomingKind.START, text=message.text, token=opened["token"] or "")
    media = next((name for name in MEDIA if getattr(message, name)), "")
    if words := message.text or message.caption or "":
        return replace(envelope, kind=IncomingKind.TEXT, text=words, media=media)
    return replace(envelope, kind=IncomingKind.MEDIA, media=media) if media else envelope


def _digits(phone: str) -> str:
    """Telegram gives numbers with or without «+»; a card typed by hand in Russia may begin with 8."""
    digits = re.sub(r"\D", "", phone)
    return "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits
