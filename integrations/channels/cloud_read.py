"""What Meta posts: cut into pieces that are kept one by one, and understood later.

Bodies: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.channels.base import Incoming, IncomingKind, Raw, Status
from integrations.channels.cloud_errors import Reaction, failure_of, meaning_of
from integrations.channels.cloud_models import (
    ANYTHING,
    LISTS,
    Change,
    Contact,
    Delivery,
    Envelope,
    Message,
    Preference,
)

Json = dict[str, Any]

# A person is known by the number's digits or, where the number is hidden, by an id for this business alone:
# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
NUMBER = re.compile(r"\d{5,20}")
USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")

STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "played": Status.READ,  # a voice note
    "failed": Status.FAILED,
}
# Nobody said anything: a number changed, a message was taken back, a chat was opened.
SILENT = frozenset({"system", "revoke", "request_welcome"})
TEMPLATE_FIELDS = frozenset({"message_template_status_update", "template_category_update"})
NUMBER_FIELD = "phone_number_quality_update"
TEMPLATE_IS_WELL = frozenset({"APPROVED", "REINSTATED", "UNARCHIVED"})
NUMBER_IS_WORSE = frozenset({"FLAGGED", "DOWNGRADE"})
ACCOUNT_IS_WORSE = frozenset(
    {"DISABLED_UPDATE", "ACCOUNT_RESTRICTION", "ACCOUNT_VIOLATION", "ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED"}
)


# In pieces


def pieces_of(envelope: Json, phone_number_id: str) -> Iterator[Raw]:
    """Each message, status … as an envelope of its own, so that one that cannot be read spoils no other.

    What belongs to another number of the same app is left out.
    """
    for entry in _objects(envelope.get("entry")):
        for change in _objects(entry.get("changes")):
            value = change.get("value")
            if isinstance(value, dict) and _number_id(value) in ("", phone_number_id):
                for part in _parts_of(value):
                    whole = {**entry, "changes": [{**change, "value": part}]}
                    yield _raw({**envelope, "entry": [whole]})


def _parts_of(value: Json) -> Iterator[Json]:
    lists = [name for name in LISTS if isinstance(value.get(name), list) and value[name]]
    rest = {key: each for key, each in value.items() if key not in LISTS and key != "contacts"}
    contacts = _by_id(value.get("contacts"))
    if not lists:
        yield value
    for name in lists:
        for element in value[name]:
            told = _contact_for(element, contacts)
            yield {**rest, **({"contacts": [told]} if told else {}), name: [element]}


def _by_id(contacts: object) -> Mapping[str, Json]:
    """Under every id that a contact goes by; under "" the only one there is."""
    found = list(_objects(contacts))
    known = {str(one[key]): one for one in found for key in ("wa_id", "user_id") if one.get(key)}
    return known | ({"": found[0]} if len(found) == 1 else {})


def _contact_for(element: object, contacts: Mapping[str, Json]) -> Json | None:
    keys = ("from", "from_user_id", "to", "to_user_id", "recipient_id", "recipient_user_id")
    ids = [str(element.get(key)) for key in keys] if isinstance(element, dict) else []
    return next((contacts[each] for each in (*ids, "") if each in contacts), None)


def _number_id(value: Json) -> str:
    metadata = value.get("metadata")
    found = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    return "" if found is None else str(found)


def _objects(value: object) -> Iterator[Json]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def _raw(envelope: Json) -> Raw:
    # Escaped as Meta sends it: half an emoji has no form in UTF-8.
    body = json.dumps(envelope, separators=(",", ":")).encode()
    change = Envelope.model_validate(envelope).entry[0].changes[0]
    return Raw(_key(change, body), change.kind, body)


def _key(change: "Change", body: bytes) -> str:
    """The same for a repeat, another for whatever says something new about the same message."""
    value = change.value
    for message in (*value.messages, *value.message_echoes):
        if not message.id:
            break
        if message.type == "unsupported":  # In case it comes again when it can be read.
            return f"{message.id}:unsupported"
        is_about_another = message.type in ("edit", "revoke")
        return f"{message.id}:{message.type}:{message.timestamp}" if is_about_another else message.id
    for status in value.statuses:
        if status.id and status.status:
            return f"{status.id}:{status.status}"
    return f"{change.kind}:{hashlib.sha256(body).hexdigest()[:32]}"


# Understood


def incomings_of(envelope: Envelope, templates: Collection[str]) -> Sequence[Incoming]:
    """`templates`: the names of ours; what happens to others in the same account is not our business."""
    return [
        incoming
        for entry in envelope.entry
        for change in entry.changes
        for incoming in _incomings(change, templates)
    ]


def _incomings(change: Change, templates: Collection[str]) -> Iterator[Incoming]:
    value = change.value
    if change.field in TEMPLATE_FIELDS:
        is_ours = value.message_template_name in templates
        if is_ours:
            yield _state(_template_trouble(change), about=value.message_template_name)
        else:
            yield Incoming(kind=IncomingKind.OTHER)
        return
    yield from (_Sender.of(message, value.contact).said() for message in value.messages)
    yield from (_echo(message) for message in value.message_echoes)
    yield from (_status(delivery, value.contact) for delivery in value.statuses)
    yield from (_preference(preference) for preference in value.user_preferences)
    if not any((value.messages, value.message_echoes, value.statuses, value.user_preferences)):
        trouble, is_about_number = _account_trouble(change), change.field == NUMBER_FIELD
        if trouble or is_about_number:  # Its quality is told each time that it changes, for the better too.
            yield _state(trouble, about="number" if is_about_number else "")
        else:
            yield Incoming(kind=IncomingKind.OTHER)


def _state(reason: str, *, about: str = "") -> Incoming:
    return Incoming(kind=IncomingKind.STATE, reason=reason, about=about)


def _template_trouble(change: Change) -> str:
    """«template nps_ru: PAUSED»; empty when it is well."""
    value, said = change.value, ""
    if change.field == "template_category_update":
        # Named is what it costs from now on, or (`correct_category`) from the coming change on.
        category = value.correct_category or value.new_category
        said = f"category {category}" if category not in ("", "UTILITY") else ""
    elif value.event not in TEMPLATE_IS_WELL:
        said = value.event + (f" ({value.reason})" if value.reason not in ("", "NONE") else "")
    return f"template {value.message_template_name}: {said}" if said else ""


def _account_trouble(change: Change) -> str:
    value = change.value
    if change.field == NUMBER_FIELD and value.event in NUMBER_IS_WORSE:
        return f"number: {value.event}"
    if change.field == "account_update" and value.event in ACCOUNT_IS_WORSE:
        return f"account: {value.event}"
    lasting = (Reaction.DENIED, Reaction.HELD_BACK)
    codes = (error.code for error in value.errors if error.code is not None)
    told = ((code, meaning_of(code)) for code in codes)
    return next((f"{code} {known.says}" for code, known in told if known and known.reaction in lasting), "")


@dataclass(frozen=True, slots=True)
class _Sender:
    """A message together with whom it came from."""

    message: Message
    chat_id: str
    alias: str
    name: str
    phone: str

    @classmethod
    def of(cls, message: Message, contact: Contact) -> "_Sender":
        phone = message.sender or contact.wa_id
        user_id = message.from_user_id or contact.user_id
        name = contact.profile.name or contact.profile.username
        alias = user_id if phone else ""
        return cls(message, phone or user_id, alias, name, phone if NUMBER.fullmatch(phone) else "")

    def said(self) -> Incoming:
        message = self.message
        if message.group_id or not is_person(self.chat_id):
            # A group holds strangers, and a bare number there is nobody's answer.
            return self._incoming(IncomingKind.OTHER, is_group=True, chat_id=message.group_id or self.chat_id)
        if message.type in SILENT:
            return self._incoming(IncomingKind.OTHER)
        match message.type:
            case "button" if message.button.text and message.button.payload in ("", message.button.text):
                return self._text(message.button.text)  # No button of ours: a word that was offered to tap.
            case "button":
                return self._tap(message.button.payload, message.button.text)
            case "interactive":
                interactive = message.interactive
                chosen = interactive.button_reply if interactive.button_reply.id else interactive.list_reply
                return self._tap(chosen.id, chosen.title)
            case "reaction":
                reaction = message.reaction
                return self._text(reaction.emoji, quoted=reaction.message_id, media="reaction")
            case "edit":
                return self._edited()
            case _ if message.words:
                return self._text(message.words, media=message.media)
            case _:
                return self._incoming(IncomingKind.MEDIA, media=message.media or ANYTHING)

    def _tap(self, data: str, text: str) -> Incoming:
        if not data:  # Something was tapped, but not told what: the person has to be asked again.
            return self._incoming(IncomingKind.MEDIA, media=ANYTHING)
        return self._incoming(IncomingKind.TAP, data=data, text=text)

    def _text(self, text: str, **more: Any) -> Incoming:
        return self._incoming(IncomingKind.TEXT if text else IncomingKind.OTHER, text=text, **more)

    def _edited(self) -> Incoming:
        edit = self.message.edit
        if not edit.message.words:
            return self._incoming(IncomingKind.OTHER)
        message_id = edit.original_message_id or self.message.id
        return self._incoming(IncomingKind.EDITED, text=edit.message.words, message_id=message_id, quoted="")

    def _incoming(self, kind: IncomingKind, **more: Any) -> Incoming:
        fields: Json = {
            "chat_id": self.chat_id,
            "alias": self.alias,
            "sent_at": self.message.timestamp,
            "message_id": self.message.id,
            "quoted": self.message.context.id,
            "sender_id": self.chat_id,
            "sender_name": self.name,
            "phone": self.phone,
        }
        return Incoming(kind=kind, **(fields | more))


def is_person(chat_id: str) -> bool:
    return bool(NUMBER.fullmatch(chat_id) or USER_ID.fullmatch(chat_id))


def _echo(message: Message) -> Incoming:
    """A person of the company wrote from the WhatsApp Business app to which the number also belongs."""
    chat_id = message.to or message.to_user_id
    if not is_person(chat_id) or message.type in SILENT:
        return Incoming(kind=IncomingKind.OTHER)
    words = message.words or message.edit.message.words
    return Incoming(
        kind=IncomingKind.ECHO,
        chat_id=chat_id,
        sent_at=message.timestamp,
        message_id=message.id,
        text=words,
        media="" if message.type == "edit" else message.media,
    )


def _status(delivery: Delivery, contact: Contact) -> Incoming:
    status = STATUSES.get(delivery.status)
    if status is None or delivery.group_id or delivery.recipient_type == "group":
        return Incoming(kind=IncomingKind.OTHER)
    failure = failure_of(error.code for error in delivery.errors)
    has_failed = status is Status.FAILED
    return Incoming(
        kind=IncomingKind.STATUS,
        chat_id=delivery.recipient_id or delivery.recipient_user_id or contact.wa_id or contact.user_id,
        alias=delivery.recipient_user_id if delivery.recipient_id else "",
        sent_at=delivery.timestamp,
        message_id=delivery.id,
        status=status,
        reference=delivery.biz_opaque_callback_data,
        reason=failure.reason if has_failed else "",
        is_gone=has_failed and failure.is_gone,
        wants_template=has_failed and failure.wants_template,
    )


def _preference(preference: Preference) -> Incoming:
    """Whoever stops marketing messages is not written to here any more, until it is allowed again."""
    kinds = {"stop": IncomingKind.BLOCKED, "resume": IncomingKind.UNBLOCKED}
    chat_id = preference.wa_id or preference.user_id
    return Incoming(
        kind=kinds.get(preference.value, IncomingKind.OTHER) if is_person(chat_id) else IncomingKind.OTHER,
        chat_id=chat_id,
        sent_at=preference.timestamp,
    )
