"""The people of a made-up MAX: what they do in the application, and how the bot is told of it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from integrations.standins.max_model import (
    LONGEST_START,
    Group,
    Json,
    Person,
    Posted,
    Tap,
    card,
    media,
    milliseconds,
)

BOT_ID = 990_001

Who = Person | Group | str | int  # a name, or an id of a person


class MaxPeople:
    """The chats of one bot."""

    def __init__(self, clock: Callable[[], datetime], username: str | None) -> None:
        self.clock = clock
        self.username = username
        self.subscriptions: dict[str, Json] = {}
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.posted: list[Posted] = []
        self.taps: dict[str, Tap] = {}
        self.updates: list[tuple[int, datetime, Json]] = []  # number, when, what
        self._number = 116_000_000  # of the newest update
        self._last_user_id = 5_000_000_000  # beyond 32 bits
        self._news = asyncio.Event()

    # What people do

    def person(self, who: Who, *, phone: str = "", user_id: int = 0) -> Person:
        """The person of this name or id; a new name makes a new person, who has not opened the bot yet."""
        if isinstance(who, Person):
            return who
        for person in self.people.values():
            if who in (person.name, person.user_id):
                person.phone = phone or person.phone
                return person
        if not isinstance(who, str):
            raise LookupError(f"nobody has the id {who}")
        if not user_id:
            self._last_user_id += 1
        number = user_id or self._last_user_id
        person = Person(user_id=number, dialogue=-(70_000_000_000 + number), name=who, phone=phone)
        self.people[person.user_id] = person
        return person

    def group(self, title: str, *, chat_id: int = 0) -> Group:
        """The group of this title, with the bot in it."""
        for group in self.groups.values():
            if group.title == title:
                return group
        group = Group(chat_id=chat_id or -(68_000_000 + len(self.groups)), title=title)
        self.groups[group.chat_id] = group
        return group

    def start(self, who: Who, token: str = "") -> Person:
        """Open the bot by `https://max.ru/<bot>?start=<token>` and press Start."""
        person = self.person(who)
        person.has_started, person.has_stopped = True, False
        self._of_dialogue(
            "bot_started", person, **({"payload": token} if 0 < len(token) <= LONGEST_START else {})
        )
        return person

    def says(self, who: Who, text: str, *, reply_to: str = "", chat: Group | str | None = None) -> str:
        """Type a text to the bot (or in a group) and give its message id."""
        return self._write(self.person(who), text, reply_to=reply_to, chat=self._group_of(chat))

    def sends(self, who: Who, kind: str, caption: str = "") -> str:
        """An audio message, image, video, sticker, file or location."""
        return self._write(self.person(who), caption, [media(kind)])

    def edits(self, who: Who, text: str, *, mid: str = "") -> None:
        """Change the words of a message (the last one, if none is named)."""
        person = self.person(who)
        own = [post for post in self._posts(person.dialogue) if not post.by_bot and mid in ("", post.mid)]
        post = own[-1]
        post.history.append(post.text)
        post.text = text
        self._update("message_edited", message=self._message(post, person))

    def tap(
        self,
        who: Who,
        button: str,
        *,
        mid: str = "",
        chat: Group | str | None = None,
        is_deleted: bool = False,
    ) -> str:
        """Tap the button with this text under a message, the newest that has it; gives the tap's id.

        `is_deleted`: the message was gone before the bot could be told of the tap.
        """
        person, group = self.person(who), self._group_of(chat)
        posts = [
            post
            for post in self._posts(group.chat_id if group else person.dialogue)
            if post.by_bot and mid in ("", post.mid)
        ]
        hits = [(post, hit) for post in posts for hit in post.buttons if hit["text"] == button]
        if not hits:
            raise LookupError(f"no button «{button}»; there are {[post.labels for post in posts]}")
        post, pressed = hits[-1]
        if pressed["type"] == "request_contact":
            self.share_contact(person)
            return ""
        if pressed["type"] != "callback":
            raise LookupError(f"«{button}» is a {pressed['type']}, nothing is sent to the bot")
        callback_id = f"f9LHodD0cOI{len(self.taps) + 1:09}"
        self.taps[callback_id] = Tap(at=self.clock())
        callback = {
            "timestamp": milliseconds(self.clock()),
            "callback_id": callback_id,
            "payload": pressed["payload"],
            "user": person.user,
        }
        message = None if is_deleted else self._message(post, person)
        self._update("message_callback", callback=callback, message=message, user_locale="ru")
        return callback_id

    def share_contact(self, who: Who, *, phone: str = "", is_own: bool = True) -> None:
        """Press «share my number», or attach somebody else's card by hand."""
        person = self.person(who)
        if is_own:
            person.phone = phone or person.phone
        number = phone or person.phone
        if not number:
            raise ValueError(f"{person.name} has no phone number")
        owners = [other for other in self.people.values() if other.phone == number and other is not person]
        owner = person if is_own else next(iter(owners), None)  # no account, no owner
        self._write(person, "", [card(number, owner.name if owner else "Друг", owner)])

    def block(self, who: Who) -> None:
        """Stop the bot; `start` brings it back."""
        person = self.person(who)
        person.has_stopped = True
        self._of_dialogue("bot_stopped", person)

    def remove_dialogue(self, who: Who) -> None:
        person = self.person(who)
        person.has_stopped = True
        self._of_dialogue("dialog_removed", person)

    def messages(self, who: Who | None = None) -> list[Posted]:
        """What the bot wrote to this chat (or to everybody), as last edited."""
        chat_id = self._chat_id(who) if who is not None else None
        return [
            post
            for post in self.posted
            if post.by_bot and not post.is_deleted and chat_id in (None, post.chat_id)
        ]

    def last(self, who: Who) -> Posted:
        return self.messages(who)[-1]

    def repeat(self, update: Json) -> None:
        """The bot is told of this once more, as when nobody learned that it had heard."""
        self._number += 1
        self.updates.append((self._number, self.clock(), update))

    # How the bot is told of it

    @property
    def _bot(self) -> Json:
        return {
            "user_id": BOT_ID,
            "first_name": "Сарафан",
            "last_name": None,
            "name": "Сарафан",
            "username": self.username,
            "is_bot": True,
            "last_activity_time": milliseconds(self.clock()),
        }

    def _chats(self) -> Iterator[Json]:
        """Where the bot is, or was: a dialogue begins with Start."""
        for person in (one for one in self.people.values() if one.has_started or one.has_stopped):
            status = "suspended" if person.has_stopped else "active"
            yield self._chat(person.dialogue, "dialog", None, status) | {"dialog_with_user": person.user}
        for group in self.groups.values():
            yield self._chat(group.chat_id, "chat", group.title, "active")

    def _chat(self, chat_id: int, kind: str, title: str | None, status: str) -> Json:
        moments = [post.at for post in self._posts(chat_id)]
        return {
            "chat_id": chat_id,
            "type": kind,
            "status": status,
            "title": title,
            "icon": None,
            "last_event_time": milliseconds(max(moments, default=self.clock())),
            "participants_count": 2 if kind == "dialog" else len(self.people) + 1,
            "is_public": False,
            "link": None,
            "description": None,
        }

    def _group_of(self, chat: Group | str | None) -> Group | None:
        return self.group(chat) if isinstance(chat, str) else chat

    def _chat_id(self, who: Who) -> int:
        if isinstance(who, Group):
            return who.chat_id
        return self.person(who).dialogue

    def _posts(self, chat_id: int) -> list[Posted]:
        return [post for post in self.posted if post.chat_id == chat_id and not post.is_deleted]

    def _named(self, mid: str) -> Posted | None:
        return next((post for post in self.posted if post.mid == mid and not post.is_deleted), None)

    def _post(
        self,
        chat_id: int,
        text: str,
        *,
        by_bot: bool,
        attachments: list[Json] | None = None,
        reply_to: str = "",
    ) -> Posted:
        seq = 116_041_932_814_186_000 + len(self.posted)
        post = Posted(
            mid=f"mid.{seq:032x}", seq=seq, chat_id=chat_id, by_bot=by_bot, text=text, at=self.clock(),
            attachments=list(attachments or ()), reply_to=reply_to,
        )  # fmt: skip
        self.posted.append(post)
        return post

    def _write(
        self,
        person: Person,
        text: str,
        attachments: list[Json] | None = None,
        *,
        reply_to: str = "",
        chat: Group | None = None,
    ) -> str:
        chat_id = chat.chat_id if chat else person.dialogue
        post = self._post(chat_id, text, by_bot=False, attachments=attachments, reply_to=reply_to)
        self._update("message_created", message=self._message(post, person), user_locale="ru")
        return post.mid

    def _message(self, post: Posted, person: Person | None) -> Json:
        """As the bot sees it: a dialogue's recipient is the other of the two, and names the dialogue too."""
        is_group = post.chat_id in self.groups
        other = person.user_id if post.by_bot and person else BOT_ID
        message: Json = {
            "sender": self._bot if post.by_bot or person is None else person.user,
            "recipient": {
                "chat_id": post.chat_id,
                "chat_type": "chat" if is_group else "dialog",
                "user_id": None if is_group else other,
            },
            "timestamp": milliseconds(post.at),
            "body": post.body,
        }
        if post.reply_to and (target := self._named(post.reply_to)):
            message["link"] = {"type": "reply", "message": target.body}
        return message

    def _of_dialogue(self, kind: str, person: Person, **more: Any) -> None:
        self._update(kind, chat_id=person.dialogue, user=person.user, user_locale="ru", **more)

    def _update(self, kind: str, **content: Any) -> None:
        wanted = [row["update_types"] for row in self.subscriptions.values()]
        if wanted and not any(types is None or kind in types for types in wanted):
            return
        self._number += 1
        update = {"update_type": kind, "timestamp": milliseconds(self.clock()), **content}
        self.updates.append((self._number, self.clock(), json.loads(json.dumps(update))))
        self._news.set()
