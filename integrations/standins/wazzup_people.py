"""The people behind a made-up Wazzup24 account, and the webhooks that tell of them."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

Json = dict[str, Any]

CHAT_TYPES = {"whatsapp": "whatsapp", "wapi": "whatsapp", "max": "max", "tgapi": "telegram"}
GROUP_TYPES = {"whatsapp": "whatsgroup", "wapi": "whatsgroup", "max": "maxgroup", "tgapi": "telegroup"}
SPACE = UUID("6f1b3c67-3008-488b-9abc-12fcac6de134")


@dataclass(slots=True)
class Channel:
    channel_id: str
    transport: str
    plain_id: str
    state: str = "active"


@dataclass(slots=True, kw_only=True)
class Posted:
    """A message of ours that was accepted, and how far it got."""

    message_id: str
    channel: Channel
    chat_id: str
    text: str
    template: str = ""
    buttons: tuple[tuple[str, str], ...] = ()  # text and payload
    quoted: str = ""
    crm_message_id: str = ""
    at: datetime
    statuses: list[str] = field(default_factory=list)


class People:
    """`who` is a phone in any spelling, or a chat id; everything happens in the first channel of the account.

    In MAX and Telegram a chat has an id of its own, which has nothing to do with the phone.
    """

    def __init__(self, clock: Callable[[], datetime], transport: str) -> None:
        self.clock = clock
        self.channels = [Channel(str(uuid5(SPACE, "channel")), transport, "79140000000")]
        self.posted: list[Posted] = []
        self.no_account: set[str] = set()  # chat ids
        self.names: dict[str, str] = {}  # chat id → the name of the contact
        self.webhooks: Json = {
            "webhooksUri": "",
            "subscriptions": {
                "messagesAndStatuses": False,
                "contactsAndDealsCreation": False,
                "channelsUpdates": False,
                "templateStatus": False,
            },
        }
        self.delivers = True  # False: what is sent stays at one tick
        self.keeps_statuses = False  # True: none is told but by `tells_status`
        self.echoes_ours = False  # True: what came by the API is told as an echo too
        self.tells_phones = True  # in MAX and Telegram, where the contact shows it
        self._phones: dict[str, str] = {}  # chat id → digits
        self._wrote_at: dict[str, datetime] = {}  # chat id → when the person wrote last
        self._theirs: set[str] = set()  # ids of messages of people
        self.has_waiting = asyncio.Event()  # set as soon as a webhook waits to be taken
        self._waiting: list[Json] = []
        self._newest: Json = {}
        self._last_id = 0

    @property
    def channel(self) -> Channel:
        return self.channels[0]

    # What people do

    def says(self, who: str, text: str, *, quote: str = "", group: str = "") -> str:
        """Type a text and give its id. `quote` is the id of our message that it answers."""
        quoted = {"quotedMessage": self._quoted(quote)} if quote else {}
        return self._incoming(who, {"type": "text", "text": text, **quoted}, group=group)

    def taps(self, who: str, option: str) -> str:
        """Tap a button of the newest message to this person that has it, or a quick reply of a template."""
        offering = [post for post in self.messages(who) if option in dict(post.buttons) or post.template]
        if not offering:
            raise LookupError(f"no button «{option}» was sent to this person")
        payload = dict(offering[-1].buttons).get(option, "")
        tapped = {"interactive": [{"text": option, "payload": payload}]} if payload else {}
        return self._incoming(who, {"type": "text", "text": option, **tapped})

    def sends(self, who: str, media: str, caption: str = "") -> str:
        """`media` is image, audio, video, document, vcard, geo, unsupported, missing_call or sticker."""
        name = "f9ebe1b1.was" if media == "sticker" else f"{media}.bin"
        kind = "image" if media == "sticker" else media
        message = {"type": kind, "contentUri": f"https://store.example/e51159/?filename={name}"}
        return self._incoming(who, message | ({"text": caption} if caption else {}))

    def edits(self, who: str, text: str, *, message_id: str) -> None:
        told = {"type": "text", "text": text, "isEdited": True, "oldInfo": {"oldText": "…"}}
        self._incoming(who, told, message_id=message_id)

    def deletes(self, who: str, *, message_id: str) -> None:
        told = {"type": "text", "text": "9", "isDeleted": True, "oldInfo": {"oldText": "9"}}
        self._incoming(who, told, message_id=message_id)

    def reads(self, who: str) -> None:
        """Open the chat: everything delivered there is read."""
        for post in self.messages(who):
            if "delivered" in post.statuses and "read" not in post.statuses:
                self._status(post, "read")

    def manager_writes(self, who: str, text: str, *, from_amocrm: bool = False) -> str:
        """A person of the company writes, on the phone or in amoCRM."""
        message_id = self._next_id()
        told = self._message(self.chat_of(who), {"type": "text", "text": text}, message_id)
        told |= {"isEcho": True, "status": "sent"}
        if from_amocrm:
            told |= {"authorName": "Олег", "authorId": "42", "sentFromApp": True}
        self._notify("messagesAndStatuses", {"messages": [told]})
        return message_id

    def has_no_account(self, who: str) -> None:
        """This number is not on the messenger."""
        self.no_account.add(self.chat_of(who))

    def set_state(self, state: str) -> None:
        """active, qr, phoneUnavailable, notEnoughMoney …"""
        self.channel.state = state
        update = {
            "channelId": self.channel.channel_id,
            "state": state,
            "timestamp": int(self.clock().timestamp() * 1000),
        }
        self._notify("channelsUpdates", {"channelsUpdates": [update]})

    def set_template(self, guid: str, status: str) -> None:
        """APPROVED, PENDING, REJECTED, PAUSED or DISABLED, as Meta decides."""
        told = {"templateGuid": guid, "name": "nps_ru", "status": status}
        self._notify("templateStatus", {"templateStatus": told})

    def keep_statuses(self) -> None:
        """From now on no status is told by itself: `tells_status` does it, in whatever order."""
        self.keeps_statuses = True

    def tells_status(self, message_id: str, status: str, code: str = "") -> None:
        """Of any message that leaves this account, whoever wrote it."""
        told: Json = {"messageId": message_id, "timestamp": _iso(self.clock()), "status": status}
        if code:
            told["error"] = {"error": code, "description": "told in English"}
        self._notify("messagesAndStatuses", {"statuses": [told]})

    def messages(self, who: str | None = None) -> list[Posted]:
        """What was sent to this person (or to everybody)."""
        chat_id = self.chat_of(who) if who is not None else None
        return [
            post for post in self.posted if "error" not in post.statuses and chat_id in (None, post.chat_id)
        ]

    def last(self, who: str) -> Posted:
        return self.messages(who)[-1]

    # Webhooks

    def waiting(self) -> list[Json]:
        """What was not taken yet, oldest first: each is the body of one POST to the account's one address."""
        return list(self._waiting)

    def delivered(self, count: int = 1) -> None:
        """The address has answered 200 to the oldest so many."""
        del self._waiting[:count]
        if not self._waiting:
            self.has_waiting.clear()

    def repeat(self, times: int = 1) -> None:
        """Post the newest webhook once more."""
        for _ in range(times):
            self._waiting.append(self._newest)
            self.has_waiting.set()

    def _notify(self, subscription: str, body: Json) -> None:
        self._newest = body
        if self.webhooks["webhooksUri"] and self.webhooks["subscriptions"].get(subscription):
            self._waiting.append(body)
            self.has_waiting.set()

    def _status(self, post: Posted, status: str, code: str = "") -> None:
        post.statuses.append(status)
        if not self.keeps_statuses:
            self.tells_status(post.message_id, status, code)

    def _echo(self, post: Posted) -> None:
        kind = "wapi_template" if post.template else "text"
        told = self._message(post.chat_id, {"type": kind, "text": post.text}, post.message_id)
        self._notify("messagesAndStatuses", {"messages": [told | {"isEcho": True, "status": "sent"}]})

    def _incoming(self, who: str, message: Json, *, group: str = "", message_id: str = "") -> str:
        message_id = message_id or self._next_id()
        chat_id = self.chat_of(who)
        self._wrote_at[chat_id] = self.clock()
        self._theirs.add(message_id)
        told = self._message(chat_id, message, message_id) | {"isEcho": False, "status": "inbound"}
        if group:
            told |= {"chatType": GROUP_TYPES[self.channel.transport], "chatId": group}
        self._notify("messagesAndStatuses", {"messages": [told]})
        return message_id

    def _message(self, chat_id: str, message: Json, message_id: str) -> Json:
        contact: Json = {"name": self.names.get(chat_id, chat_id), "avatarUri": ""}
        if self.tells_phones and chat_id in self._phones:
            contact["phone"] = self._phones[chat_id]
        return {
            "messageId": message_id,
            "dateTime": _iso(self.clock()),
            "channelId": self.channel.channel_id,
            "chatType": CHAT_TYPES[self.channel.transport],
            "chatId": chat_id,
            "contact": contact,
            **message,
        }

    def _quoted(self, message_id: str) -> Json:
        post = next((post for post in self.posted if post.message_id == message_id), None)
        text = post.text if post else ""
        return {"messageId": message_id, "type": "text", "text": text, "isEcho": True, "status": "read"}

    def _next_id(self) -> str:
        self._last_id += 1
        return str(uuid5(SPACE, str(self._last_id)))

    def chat_of(self, who: str) -> str:
        """In MAX and Telegram of this phone for ever, and nothing like it."""
        digits = re.sub(r"\D", "", who)
        digits = "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits
        if CHAT_TYPES[self.channel.transport] == "whatsapp" or len(digits) < 11:
            return digits
        chat_id = str(50_000_000 + int(digits) % 10_000_000)
        self._phones[chat_id] = digits
        return chat_id


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
