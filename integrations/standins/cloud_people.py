"""Those whom a made-up number of WhatsApp writes to: what they do, and what Meta tells of it."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.standins.cloud_bodies import Posted
from integrations.standins.cloud_json import Json, failure, posted, seconds

WABA_ID = "102290129340398"
USER_ID = re.compile(r"[A-Z]{2}\.[\w.]+")
OURS = "79140000000"  # the digits of the company's number


@dataclass(slots=True, kw_only=True)
class Person:
    phone: str  # digits
    name: str = ""
    wrote_at: datetime | None = None
    is_hidden: bool = False  # the number is not told
    has_account: bool = True
    code: int = 0  # every message to this person fails with it

    @property
    def user_id(self) -> str:
        """Another for each business, and nothing like the number."""
        return f"RU.{int(hashlib.sha256(self.phone.encode()).hexdigest()[:15], 16)}"

    @property
    def chat_id(self) -> str:
        return self.user_id if self.is_hidden else self.phone


@dataclass(slots=True)
class _Delivery:
    number: int
    field: str
    value: Json


class People:
    """`who` is a phone in any spelling, or the id of a person who hides it."""

    def __init__(self, clock: Callable[[], datetime], phone_number_id: str, app_secret: str) -> None:
        self.clock = clock
        self.phone_number_id = phone_number_id
        self.app_secret = app_secret
        self.keeps_statuses = False  # True: none is told but by `tells_status`
        self.people: dict[str, Person] = {}  # by the number's digits
        self.posted: list[Posted] = []
        self._deliveries: list[_Delivery] = []
        self._last_id = 0

    # What people do

    def says(self, who: str, text: str, *, quote: str = "") -> str:
        """Type a text and give its id. `quote` is the id of our message that it answers."""
        return self._incoming(who, {"type": "text", "text": {"body": text}}, quote=quote)

    def taps(self, who: str, option: str, *, wamid: str = "", tells_context: bool = True) -> str:
        """Tap what has this title under the message with this id (the newest to this person that has it)."""
        offering = [
            post
            for post in self.messages(who)
            if wamid in ("", post.wamid) and option in (title for title, _ in post.options)
        ]
        if not offering:
            raise LookupError(f"nothing called «{option}» was sent to this person")
        post = offering[-1]
        chosen = {"id": dict(post.options)[option], "title": option}
        tapped: Json = {"type": "button", "button": {"payload": chosen["id"], "text": option}}
        if post.kind != "template":
            kind = f"{post.kind}_reply"
            tapped = {"type": "interactive", "interactive": {"type": kind, kind: chosen}}
        return self._incoming(who, tapped, quote=post.wamid if tells_context else "")

    def reacts(self, who: str, emoji: str, *, quote: str = "") -> str:
        """Put an emoji on a message of ours (the last one); "" takes it away."""
        reaction = {"message_id": quote or self.last(who).wamid, **({"emoji": emoji} if emoji else {})}
        return self._incoming(who, {"type": "reaction", "reaction": reaction})

    def sends(self, who: str, media: str, caption: str = "", *, quote: str = "") -> str:
        """`media`: audio, image, video, document, sticker, location, contacts, or unsupported (a poll)."""
        content: Any = {"id": "1479537139650973", "mime_type": "application/octet-stream", "sha256": "4a3="}
        if caption:
            content["caption"] = caption
        match media:
            case "audio":
                content["voice"] = True
            case "contacts":
                content = [{"name": {"formatted_name": "Пётр"}, "phones": [{"phone": "+7 914 000-00-09"}]}]
            case "location":
                content = {"latitude": 43.1155, "longitude": 131.8855}
            case "unsupported":
                errors = [failure(131051)]
                return self._incoming(
                    who, {"type": media, "errors": errors, media: {"type": "poll_creation"}}
                )
            case _:
                pass
        return self._incoming(who, {"type": media, media: content}, quote=quote)

    def edits(self, who: str, text: str, *, wamid: str) -> str:
        edit = {"original_message_id": wamid, "message": {"type": "text", "text": {"body": text}}}
        return self._incoming(who, {"type": "edit", "edit": edit})

    def reads(self, who: str) -> None:
        """Open the chat: everything delivered there is read."""
        for post in self.messages(who):
            if "delivered" in post.statuses and "read" not in post.statuses:
                self._status(post, "read")

    def hides(self, who: str) -> str:
        """Take a username: from now on the number is told to nobody. Gives the id that stands for it."""
        person = self.person(who)
        person.is_hidden = True
        return person.user_id

    def changes_number(self, who: str, phone: str) -> None:
        before = self.person(who).phone
        system = {
            "body": f"User changed from {before} to {_digits(phone)}",
            "wa_id": _digits(phone),
            "type": "user_changed_number",
        }
        message = {
            "from": before,
            "id": self._next_id(),
            "timestamp": seconds(self.clock()),
            "type": "system",
        }
        self._post("messages", {"messages": [{**message, "system": system}]})

    def stops_marketing(self, who: str, *, resumes: bool = False) -> None:
        person = self.person(who)
        person.code = 0 if resumes else 131050
        told = {
            "wa_id": person.phone,
            "user_id": person.user_id,
            "detail": f"User requested to {'resume' if resumes else 'stop'} marketing messages",
            "category": "marketing_messages",
            "value": "resume" if resumes else "stop",
            "timestamp": int(self.clock().timestamp()),
        }
        self._post("user_preferences", {"contacts": [self._contact(person)], "user_preferences": [told]})

    def manager_writes(self, who: str, text: str) -> str:
        """A person of the company types in the WhatsApp Business app that shares the number."""
        wamid, person = self._next_id(), self.person(who)
        echo: Json = {"from": OURS, "to": person.phone, "id": wamid, "timestamp": seconds(self.clock())}
        echo |= {"type": "text", "text": {"body": text}}
        self._post("smb_message_echoes", {"contacts": [self._contact(person)], "message_echoes": [echo]})
        return wamid

    def has_no_account(self, who: str) -> None:
        self.person(who).has_account = False

    def fails_with(self, who: str, code: int) -> None:
        """Whatever is sent to this person is accepted and fails with this code; 0 = no more."""
        self.person(who).code = code

    def messages(self, who: str | None = None) -> list[Posted]:
        """What arrived at this person (or at anybody)."""
        person = self.person(who) if who is not None else None
        return [
            post
            for post in self.posted
            if "failed" not in post.statuses and person in (None, self._find(post.chat_id))
        ]

    def last(self, who: str) -> Posted:
        return self.messages(who)[-1]

    def person(self, who: str) -> Person:
        found = self._find(who)
        if found is None:
            found = self.people[_digits(who)] = Person(phone=_digits(who))
        return found

    # What Meta tells

    def keep_statuses(self) -> None:
        """From now on no status is told by itself: `tells_status` does it, in whatever order."""
        self.keeps_statuses = True

    def tells_status(self, wamid: str, status: str, code: int = 0) -> None:
        """`code`: why it failed."""
        post = next(post for post in self.posted if post.wamid == wamid)
        person = self._find(post.chat_id)
        told: Json = {"id": wamid, "status": status, "timestamp": seconds(self.clock())}
        if post.chat_id.isdigit():
            told["recipient_id"] = post.chat_id
        if person and (status != "failed" or not post.chat_id.isdigit()):
            told["recipient_user_id"] = person.user_id
        if post.reference:
            told["biz_opaque_callback_data"] = post.reference
        if status == "failed":
            told["errors"] = [failure(code)]
        else:
            told["pricing"] = {"billable": True, "pricing_model": "PMP", "category": "utility"}
        # Without the profile: https://github.com/david-lev/pywa/issues/188; and of somebody who is not there
        # no more than the number that we gave: https://github.com/david-lev/pywa/issues/227
        known = {"wa_id": told.get("recipient_id"), "user_id": told.get("recipient_user_id")}
        contact = {key: value for key, value in known.items() if value}
        self._post("messages", {"contacts": [contact], "statuses": [told]})

    def waiting(self, *, together: bool = False) -> list[Json]:
        """Webhooks that were not taken yet: `number` for `delivered`, `body` and `headers` to post.

        `together`: all in one.
        """
        wait = self._deliveries
        groups = [wait] if together and wait else [[one] for one in wait]
        return [self._delivery(group) for group in groups]

    def delivered(self, number: int | None = None) -> None:
        """This webhook was answered with 2xx (None: all of them): it does not come again."""
        self._deliveries = [one for one in self._deliveries if number not in (None, one.number)]

    def repeat(self, times: int = 1) -> None:
        """Send the newest webhook once more, as Meta now and then does."""
        self._deliveries += self._deliveries[-1:] * times

    def _status(self, post: Posted, status: str, code: int = 0) -> None:
        post.statuses.append(status)
        if not self.keeps_statuses:
            self.tells_status(post.wamid, status, code)

    def _incoming(self, who: str, content: Json, *, quote: str = "") -> str:
        person, wamid = self.person(who), self._next_id()
        person.wrote_at = self.clock()
        message: Json = {"from_user_id": person.user_id, "id": wamid, "timestamp": seconds(self.clock())}
        if not person.is_hidden:
            message["from"] = person.phone
        if quote:
            message["context"] = {"from": OURS, "id": quote}
        self._post("messages", {"contacts": [self._contact(person)], "messages": [message | content]})
        return wamid

    def _contact(self, person: Person) -> Json:
        contact: Json = {"profile": {"name": person.name or "Мария"}, "user_id": person.user_id}
        if person.is_hidden:
            contact["profile"]["username"] = f"user{person.phone[-4:]}"
        else:
            contact["wa_id"] = person.phone
        return contact

    def _post(self, field: str, value: Json) -> None:
        if field in ("messages", "smb_message_echoes", "user_preferences"):
            metadata = {"display_phone_number": OURS, "phone_number_id": self.phone_number_id}
            value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        self._last_id += 1
        self._deliveries.append(_Delivery(self._last_id, field, value))

    def _delivery(self, group: Sequence[_Delivery]) -> Json:
        changes = [{"value": one.value, "field": one.field} for one in group]
        entry = {"id": WABA_ID, "time": int(self.clock().timestamp()), "changes": changes}
        envelope = {"object": "whatsapp_business_account", "entry": [entry]}
        body, headers = posted(envelope, self.app_secret)
        return {"number": group[0].number, "body": body, "headers": headers}

    def _find(self, who: str) -> Person | None:
        if USER_ID.fullmatch(who):
            return next((person for person in self.people.values() if person.user_id == who), None)
        return self.people.get(_digits(who))

    def _next_id(self) -> str:
        self._last_id += 1
        return f"wamid.HBgLNzkxNDAwMDAwMDE{self._last_id:08X}AA=="


def _digits(who: str) -> str:
    digits = re.sub(r"\D", "", who)
    return "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits
