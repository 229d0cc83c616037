"""Those whom an account behind a made-up Green-API writes to: what they do, and what is told of it."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]
QUEUE_LIFE = timedelta(hours=24)
ACCOUNT_ID = re.compile(r"-?\d+")
TYPE_INSTANCE = {"whatsapp": "whatsapp", "max": "v3", "telegram": "telegram"}
PLACEHOLDER = "{{SWE001}}"


@dataclass(slots=True, kw_only=True)
class Posted:
    """A message of ours: accepted, and how far it got."""

    id_message: str
    chat_id: str
    text: str
    is_poll: bool = False
    options: tuple[str, ...] = ()
    quoted: str = ""
    accepted_at: datetime
    sent_at: datetime | None = None
    statuses: list[str] = field(default_factory=list)
    votes: dict[str, str] = field(default_factory=dict)  # voter → option

    @property
    def phone(self) -> str:
        """Where the chat id holds it: in WhatsApp."""
        return "+" + self.chat_id.partition("@")[0]


@dataclass(slots=True, kw_only=True)
class Heard:
    """A message that a person typed or sent: a client, or one of the company on the phone itself."""

    id_message: str
    chat_id: str
    text: str
    at: datetime
    media: str = ""  # audio, image …
    quoted: str = ""
    by_company: bool = False


@dataclass(slots=True)
class Notification:
    receipt: int
    at: datetime
    body: Json


class People:
    """`who` is a phone in any spelling, or a chat id."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        messenger: str,
        instance_id: str,
        wid: str,
        delay: timedelta,
    ) -> None:
        self.clock = clock
        self.messenger = messenger
        self.instance_id = instance_id
        self.wid = wid
        self.state = "authorized"
        self.is_phone_online = True
        self.delivers = True  # False: what is sent stays at one tick
        self.keeps_statuses = False  # True: none is told but by `tells_status`
        self.quota: int | None = None  # different people that may be written to
        self.no_account: set[str] = set()  # chat ids without WhatsApp
        self.names: dict[str, str] = {}  # chat id → the name in the phone's address book
        self.settings: Json = {
            "wid": wid,
            "countryInstance": "",
            "typeAccount": "",
            "webhookUrl": "",
            "webhookUrlToken": "",
            "delaySendMessagesMilliseconds": delay // timedelta(milliseconds=1),
            "markIncomingMessagesReaded": "no",
            "incomingWebhook": "no",
            "outgoingWebhook": "no",
            "outgoingMessageWebhook": "no",
            "outgoingAPIMessageWebhook": "no",
            "pollMessageWebhook": "no",
            "stateWebhook": "no",
            "editedMessageWebhook": "no",
            "deletedMessageWebhook": "no",
        }
        self.posted: list[Posted] = []
        self.talk: list[Posted | Heard] = []  # both sides, in their order
        self.queue: list[Posted] = []  # accepted, not sent yet
        self.notifications: list[Notification] = []
        self._last_id = 0
        self._last_sent_at: datetime | None = None
        self._newest: Json = {}
        self._arrived = asyncio.Event()

    # What people do

    def says(
        self,
        who: str,
        text: str,
        *,
        quote: str = "",
        is_extended: bool = False,
        is_undecrypted: bool = False,
        id_message: str = "",
    ) -> str:
        """Type a text and give its id. `quote` is the id of our message that it answers.

        `is_extended`: in the form in which some phones send any text. `is_undecrypted`: the gateway could not
        read it yet; say it again with the same `id_message` when it can.
        """
        message: Json = {"typeMessage": "textMessage", "textMessageData": {"textMessage": text}}
        if is_undecrypted:
            message["textMessageData"]["textMessage"] = PLACEHOLDER
        elif quote:
            message = self._quoting("quotedMessage", text, quote)
        elif is_extended:
            extended = {"text": text, "description": "", "title": "", "jpegThumbnail": ""}
            message = {"typeMessage": "extendedTextMessage", "extendedTextMessageData": extended}
        id_message = self._incoming(who, message, id_message)
        self._heard(who, id_message, text, quoted=quote)
        return id_message

    def votes(self, who: str, option: str | None, *, id_message: str = "") -> str:
        """Vote in the poll with this id (the newest to this person that has the option); None withdraws."""
        chat_id = self.chat_of(who)
        poll = self._poll(chat_id, option, id_message)
        poll.votes.pop(chat_id, None)
        if option is not None:
            poll.votes[chat_id] = option
        if self.settings["pollMessageWebhook"] != "yes":
            return ""
        votes = [
            {"optionName": name, "optionVoters": [chat_id] if name == option else []} for name in poll.options
        ]
        content = {
            "stanzaId": poll.id_message,
            "name": poll.text,
            "votes": votes,
            "multipleAnswers": False,
        }
        return self._incoming(who, {"typeMessage": "pollUpdateMessage", "pollMessageData": content})

    def reacts(self, who: str, emoji: str, *, quote: str = "") -> str:
        """Put an emoji on a message of ours (the last one); "" takes it away."""
        quote = quote or self.last(who).id_message
        return self._incoming(who, self._quoting("reactionMessage", emoji, quote))

    def edits(self, who: str, text: str, *, id_message: str) -> str:
        if self.settings["editedMessageWebhook"] != "yes":
            return ""
        edited = {"textMessage": text, "stanzaId": id_message}
        return self._incoming(who, {"typeMessage": "editedMessage", "editedMessageData": edited})

    def sends(self, who: str, media: str, caption: str = "") -> str:
        """`media` is audio, image, video, document or sticker."""
        file = {
            "downloadUrl": f"https://files.example/{self._last_id}",
            "caption": caption,
            "fileName": f"{media}.bin",
            "mimeType": "application/octet-stream",
        }
        id_message = self._incoming(who, {"typeMessage": f"{media}Message", "fileMessageData": file})
        self._heard(who, id_message, caption, media=media)
        return id_message

    def reads(self, who: str) -> None:
        """Open the chat: everything delivered there is read."""
        for post in self.messages(who):
            if "delivered" in post.statuses and "read" not in post.statuses:
                self._status(post, "read")

    def manager_writes(self, who: str, text: str) -> str:
        """A person of the company types in the chat on the phone itself."""
        id_message = self._next_id()
        self._heard(who, id_message, text, by_company=True)
        if self.settings["outgoingMessageWebhook"] == "yes":
            message = {"typeMessage": "textMessage", "textMessageData": {"textMessage": text}}
            self._notify(self._from_us("outgoingMessageReceived", id_message, self.chat_of(who), message))
        return id_message

    def set_state(self, state: str) -> None:
        """authorized, notAuthorized, blocked, yellowCard, starting, sleepMode …"""
        self.state = state
        if self.settings["stateWebhook"] == "yes":
            self._notify({**self._head("stateInstanceChanged"), "stateInstance": state})

    def set_phone_online(self, is_online: bool) -> None:
        """While the phone is offline everything waits in the queue."""
        self.is_phone_online = is_online
        self._move_queue()

    def set_quota(self, people: int | None) -> None:
        self.quota = people

    def has_no_account(self, who: str) -> None:
        """This number is not on the messenger, or hides from search."""
        self.no_account.add(self.chat_of(who))

    def repeat(self, times: int = 1) -> None:
        """Deliver the newest notification once more, as the real gateway now and then does."""
        for _ in range(times):
            self._notify(self._newest)

    def keep_statuses(self) -> None:
        """From now on no status is told by itself: `tells_status` does it, in whatever order."""
        self.keeps_statuses = True

    def tells_status(self, id_message: str, chat_id: str, status: str) -> None:
        """Of any message that leaves this number, whoever wrote it."""
        if self.settings["outgoingWebhook"] == "yes":
            self._notify(
                {
                    **self._head("outgoingMessageStatus"),
                    "chatId": chat_id,
                    "idMessage": id_message,
                    "status": status,
                    "sendByApi": True,
                }
            )

    def messages(self, who: str | None = None) -> list[Posted]:
        """What was sent to this person (or to everybody)."""
        self._move_queue()
        chat_id = self.chat_of(who) if who is not None else None
        return [
            post
            for post in self.posted
            if post.sent_at and "noAccount" not in post.statuses and chat_id in (None, post.chat_id)
        ]

    def last(self, who: str) -> Posted:
        return self.messages(who)[-1]

    def conversation(self, who: str) -> list[Posted | Heard]:
        """What stands in this chat, of both sides, in its order."""
        arrived = {post.id_message for post in self.messages(who)}
        chat_id = self.chat_of(who)
        return [
            one
            for one in self.talk
            if one.chat_id == chat_id and (isinstance(one, Heard) or one.id_message in arrived)
        ]

    def chat_of(self, who: str) -> str:
        if "@" in who:
            return who
        digits = re.sub(r"\D", "", who)
        digits = "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits
        if self.messenger == "whatsapp":
            return f"{digits}@c.us"
        if ACCOUNT_ID.fullmatch(who) and len(who) < 11:
            return who
        return str(50_000_000 + int(digits) % 10_000_000)  # of this phone for ever, and nothing like it

    # What the gateway does and tells

    def _move_queue(self) -> None:
        """Send what is due: one by one, with the configured pause, while the phone is there."""
        now = self.clock()
        pause = timedelta(milliseconds=int(self.settings["delaySendMessagesMilliseconds"]))
        self.queue = [post for post in self.queue if post.accepted_at > now - QUEUE_LIFE]
        while self.queue and self.is_phone_online and self.state not in ("notAuthorized", "blocked"):
            post = self.queue[0]
            due = max(
                post.accepted_at, self._last_sent_at + pause if self._last_sent_at else post.accepted_at
            )
            if due > now or post.chat_id.endswith("@lid"):
                return
            self.queue.pop(0)
            self._last_sent_at = due
            self._send(post, due)

    def _send(self, post: Posted, at: datetime) -> None:
        post.sent_at = at
        if self.settings["outgoingAPIMessageWebhook"] == "yes":
            message: Json = {
                "typeMessage": "extendedTextMessage",
                "extendedTextMessageData": {"text": post.text},
            }
            if post.is_poll:
                options = [{"optionName": option} for option in post.options]
                poll = {"name": post.text, "options": options, "multipleAnswers": False}
                message = {"typeMessage": "pollMessage", "pollMessageData": poll}
            self._notify(self._from_us("outgoingAPIMessageReceived", post.id_message, post.chat_id, message))
        if post.chat_id in self.no_account:
            self._status(post, "noAccount")
        elif post.is_poll and len(post.options) < 2:
            self._status(post, "failed")
        else:
            self._status(post, "sent")
            if self.delivers:
                self._status(post, "delivered")

    def _status(self, post: Posted, status: str) -> None:
        post.statuses.append(status)
        if not self.keeps_statuses:
            self.tells_status(post.id_message, post.chat_id, status)

    def _poll(self, chat_id: str, option: str | None, id_message: str) -> Posted:
        polls = [
            post
            for post in self.messages(chat_id)
            if post.is_poll and id_message in ("", post.id_message) and option in (None, *post.options)
        ]
        if not polls:
            raise LookupError(f"no poll with the option «{option}» was sent to this person")
        return polls[-1]

    def _quoting(self, kind: str, text: str, quote: str) -> Json:
        quoted = next((post.text for post in self.posted if post.id_message == quote), "")
        return {
            "typeMessage": kind,
            "extendedTextMessageData": {"text": text, "stanzaId": quote, "participant": self.wid},
            "quotedMessage": {
                "stanzaId": quote,
                "participant": self.wid,
                "typeMessage": "textMessage",
                "textMessage": quoted,
            },
        }

    def _heard(
        self,
        who: str,
        id_message: str,
        text: str,
        *,
        media: str = "",
        quoted: str = "",
        by_company: bool = False,
    ) -> None:
        self.talk.append(
            Heard(
                id_message=id_message,
                chat_id=self.chat_of(who),
                text=text,
                at=self.clock(),
                media=media,
                quoted=quoted,
                by_company=by_company,
            )
        )

    def _incoming(self, who: str, message: Json, id_message: str = "") -> str:
        id_message = id_message or self._next_id()
        if self.settings["incomingWebhook"] == "yes":
            chat_id = self.chat_of(who)
            name = self.names.get(chat_id, "")
            sender = {
                "chatId": chat_id,
                "sender": chat_id,
                "chatName": name,
                "senderName": name,
                "senderContactName": name,
            }
            self._notify(
                {
                    **self._head("incomingMessageReceived"),
                    "idMessage": id_message,
                    "senderData": sender,
                    "messageData": message,
                }
            )
        return id_message

    def _from_us(self, kind: str, id_message: str, chat_id: str, message: Json) -> Json:
        sender = {"chatId": chat_id, "sender": self.wid, "senderName": "ВладАвтоматика"}
        return {
            **self._head(kind),
            "idMessage": id_message,
            "senderData": sender,
            "messageData": message,
        }

    def _head(self, kind: str) -> Json:
        return {
            "typeWebhook": kind,
            "instanceData": {
                "idInstance": int(self.instance_id),
                "wid": self.wid,
                "typeInstance": TYPE_INSTANCE[self.messenger],
            },
            "timestamp": int(self.clock().timestamp()),
        }

    def _notify(self, body: Json) -> None:
        self._newest = body
        self._last_id += 1
        self.notifications.append(Notification(self._last_id, self.clock(), body))
        self._arrived.set()

    def _next_id(self) -> str:
        self._last_id += 1
        return f"3EB0{self._last_id:016X}"
