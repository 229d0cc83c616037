"""What Wazzup posts: cut into pieces that are kept one by one, and understood later.

Bodies: https://wazzup24.ru/help/api-ru/webhooks-2/
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.channels.base import Incoming, IncomingKind, Raw, Status, UnreadableError
from integrations.channels.hooks import json_of
from integrations.channels.wazzup_channels import state_of
from integrations.channels.wazzup_errors import failure_of
from integrations.channels.wazzup_models import (
    ChannelUpdate,
    Delivery,
    Envelope,
    Message,
    Messenger,
    TemplateStatus,
)
from integrations.channels.wazzup_ours import TEMPLATE, Ours

Json = dict[str, Any]

PHONE = re.compile(r"\d{7,15}")
STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "error": Status.FAILED,
}
LISTS = {"messages": "message", "statuses": "status", "channelsUpdates": "channel"}
# Wazzup's trial, and what only a CRM answers: authentic, and nothing to keep.
NOTHING = frozenset({"test", "createContact", "createDeal"})


@dataclass(slots=True, kw_only=True)
class Reader:
    """What is ours of an account's webhooks, and who is who in it.

    `channel_id` is empty until the account has been asked: what is of our messenger counts as ours so long.
    """

    messenger: Messenger
    ours: Ours
    templates: Collection[str]
    channel_id: str = ""
    phones: dict[str, str] = field(default_factory=dict)  # digits by chat id, where chats are no phones
    chats: dict[str, str] = field(default_factory=dict)  # the other way round

    def is_mine(self, channel_id: str, chat_type: str = "") -> bool:
        if self.channel_id and channel_id:
            return channel_id.casefold() == self.channel_id.casefold()
        return chat_type in ("", self.messenger.chat_type, self.messenger.group_type)

    # In pieces

    def pieces_of(self, body: bytes, now: datetime) -> Iterator[Raw]:
        """Each message, status … as a webhook of its own, so that one that cannot be read spoils no other."""
        envelope = object_of(body)
        known = [name for name in (*LISTS, "templateStatus", *NOTHING) if name in envelope]
        if not known:
            raise UnreadableError("not a webhook of Wazzup")
        for name in LISTS:
            found = envelope.get(name)
            for element in found if isinstance(found, list) else [found] if found else []:
                if not isinstance(element, dict):
                    yield Raw(digest(dumped(element)), "unreadable", dumped({name: [element]}))
                elif self.is_mine(str(element.get("channelId") or ""), str(element.get("chatType") or "")):
                    yield _raw(name, {name: [element]})
        template = envelope.get("templateStatus")
        if isinstance(template, dict) and str(template.get("templateGuid")) in self.templates:
            content = dumped({"templateStatus": template})
            # It comes without a time, and the same one may come again after another.
            yield Raw(f"template:{digest(content)}:{now:%Y%m%d%H%M}", "template", content)

    # Understood

    def incomings_of(self, body: bytes) -> Sequence[Incoming]:
        envelope = Envelope.model_validate(object_of(body))
        found = [
            *(self._message(message) for message in envelope.messages),
            *(self._status(delivery) for delivery in envelope.statuses),
            *(self._state(update) for update in envelope.channels_updates),
        ]
        if envelope.template_status.template_guid:
            found.append(self._template(envelope.template_status))
        if not found:
            raise UnreadableError("not a webhook of Wazzup: there is nothing in it")
        return found

    def person(self, chat_id: str, phone: str) -> tuple[str, str]:
        """Our name of a chat, and the digits of its phone where they are known.

        Where chats are no phones, a person is first written to by the number, and what comes back bears an
        id: wherever the number is known it names the chat, "+" before it.
        """
        if self.messenger.chats_are_phones:
            return chat_id, chat_id if PHONE.fullmatch(chat_id) else phone
        if phone:
            self.phones[chat_id], self.chats[phone] = phone, chat_id
        phone = self.phones.get(chat_id, "")
        return (f"+{phone}" if phone else chat_id), phone

    def _message(self, message: Message) -> Incoming:
        if not self.is_mine(message.channel_id, message.chat_type):
            return Incoming(kind=IncomingKind.OTHER)
        return self._from_us(message) if message.is_from_us else self._from_client(message)

    def _from_client(self, message: Message) -> Incoming:
        media = message.media
        if message.is_deleted or message.type == "missing_call":
            return self._incoming(message, IncomingKind.OTHER)
        if message.is_edited:
            kind = IncomingKind.EDITED if message.text else IncomingKind.OTHER
            return self._incoming(message, kind, text=message.text, quoted="")
        if payload := message.payload:
            text = "" if message.text == payload else message.text
            return self._incoming(message, IncomingKind.TAP, data=payload, text=text)
        if message.text:
            return self._incoming(message, IncomingKind.TEXT, text=message.text, media=media)
        return self._incoming(message, IncomingKind.MEDIA if media else IncomingKind.OTHER, media=media)

    def _incoming(self, message: Message, kind: IncomingKind, **more: Any) -> Incoming:
        is_group = message.chat_type == self.messenger.group_type
        phone = re.sub(r"\D", "", message.contact.phone)
        chat_id, phone = (message.chat_id, "") if is_group else self.person(message.chat_id, phone)
        fields: Json = {
            "chat_id": chat_id,
            "alias": message.chat_id if chat_id != message.chat_id else "",
            "sent_at": message.date_time,
            "message_id": message.message_id,
            "quoted": self.ours.name_of(message.quoted_message.message_id),
            "sender_id": "" if is_group else chat_id,
            "sender_name": message.contact.name or message.contact.username,
            "phone": phone,
            "is_group": is_group,
        }
        return Incoming(kind=kind, **(fields | more))

    def _from_us(self, message: Message) -> Incoming:
        """A person of the company wrote from the phone, from Wazzup or from amoCRM; or this program did."""
        words = TEMPLATE if message.type == "wapi_template" else message.text
        echo = self._incoming(
            message, IncomingKind.ECHO, text=message.text, media=message.media, sender_name="", phone=""
        )
        sent = self.ours.find(message.message_id, echo.chat_id, words)
        if sent is None:
            return Incoming(kind=IncomingKind.OTHER) if message.is_deleted else echo
        return Incoming(
            kind=IncomingKind.STATUS,
            chat_id=echo.chat_id,
            sent_at=message.date_time,
            message_id=self.ours.name_of(message.message_id),
            text=message.text,
            reference=sent.reference,
            **_outcome(STATUSES.get(message.status, Status.SENT), message.error.error),
        )

    def _status(self, delivery: Delivery) -> Incoming:
        status = STATUSES.get(delivery.status)
        if status is None or not self.is_mine(delivery.channel_id):
            return Incoming(kind=IncomingKind.OTHER)
        sent = self.ours.find(delivery.message_id)
        return Incoming(
            kind=IncomingKind.STATUS,
            chat_id=sent.chat_id if sent else "",
            sent_at=delivery.timestamp,
            message_id=self.ours.name_of(delivery.message_id),
            reference=sent.reference if sent else "",
            **_outcome(status, delivery.error.error),
        )

    def _state(self, update: ChannelUpdate) -> Incoming:
        if not (self.channel_id and update.channel_id and self.is_mine(update.channel_id)):
            return Incoming(kind=IncomingKind.OTHER)  # A messenger may have several channels.
        reason = update.state if state_of(update.state) else ""
        return Incoming(kind=IncomingKind.STATE, sent_at=update.timestamp, reason=reason)

    def _template(self, template: TemplateStatus) -> Incoming:
        if template.template_guid not in self.templates:
            return Incoming(kind=IncomingKind.OTHER)
        is_well = template.status.upper() in ("APPROVED", "PENDING")
        reason = "" if is_well else f"template {template.name}: {template.status.upper()}"
        return Incoming(kind=IncomingKind.STATE, reason=reason, about=template.name or template.template_guid)


def _outcome(status: Status, code: str) -> Json:
    if status is not Status.FAILED:
        return {"status": status}
    failure = failure_of(code)
    return {
        "status": status,
        "reason": failure.reason,
        "is_gone": failure.is_gone,
        "wants_template": failure.wants_template,
    }


def _raw(name: str, piece: Json) -> Raw:
    content = dumped(piece)
    return Raw(_key(Envelope.model_validate(piece), content), LISTS[name], content)


def _key(envelope: Envelope, content: bytes) -> str:
    """The same for an exact repeat, another for whatever says something new about the same message."""
    for message in envelope.messages:
        if message.message_id:
            said = digest(f"{message.type}\n{message.text}\n{message.payload}".encode())
            changed = ":edited" * message.is_edited + ":deleted" * message.is_deleted
            of_ours = f":{message.status}" if message.is_from_us else ""
            return f"{message.message_id}{changed}{of_ours}:{said}"
    for delivery in envelope.statuses:
        if delivery.message_id and delivery.status:
            return f"{delivery.message_id}:{delivery.status}"
    return digest(content)


def object_of(body: bytes) -> Mapping[str, Any]:
    found = json_of(body, "a webhook of Wazzup")
    if not isinstance(found, dict):
        raise UnreadableError("not a webhook of Wazzup: no object")
    return found


def dumped(value: object) -> bytes:
    # Escaped: half an emoji has no form in UTF-8.
    return json.dumps(value, separators=(",", ":")).encode()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
