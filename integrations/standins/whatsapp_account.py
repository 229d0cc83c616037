"""An account behind a made-up Green-API: its queue, its chats, and what the gateway tells of them."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from integrations.standins.whatsapp_model import Heard, Json, Notification, Posted

QUEUE_LIFE = timedelta(hours=24)
ACCOUNT_ID = re.compile(r"-?\d+")
TYPE_INSTANCE = {"whatsapp": "whatsapp", "max": "v3", "telegram": "telegram"}


class Account:
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

    def messages(self, who: str | None = None) -> list[Posted]:
        """What was sent to this person (or to everybody)."""
        self._move_queue()
        chat_id = self.chat_of(who) if who is not None else None
        return [
            post
            for post in self.posted
            if post.sent_at and "noAccount" not in post.statuses and chat_id in (None, post.chat_id)
        ]

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
