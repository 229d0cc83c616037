"""The people of a made-up Telegram: what they do in the application, and how the bot is told of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.standins.telegram_model import Group, Json, Person, Posted, Tap, inline_of, without_reply

NAMED_ONLY = ("chat_member", "message_reaction", "message_reaction_count")  # unless asked for by name

Who = Person | Group | str | int  # a name, or an id


@dataclass(slots=True)
class Poller:
    """One waiting getUpdates."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    is_terminated: bool = False


class TelegramPeople:
    """The chats of one bot."""

    def __init__(self, clock: Callable[[], datetime], token: str, username: str) -> None:
        self.clock = clock
        self.token = token
        self.username = username
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.posted: list[Posted] = []
        self.taps: dict[str, Tap] = {}
        self.updates: list[tuple[datetime, Json]] = []
        self._allowed: tuple[str, ...] = ()
        self._last_update_id = 700_000_000
        self._last_user_id = 5_000_000_000  # beyond 32 bits, as real ones are
        self._last_group_id = -4_000_000
        self._message_ids: dict[int, int] = {}
        self._poller: Poller | None = None

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
        person = Person(user_id=user_id or self._last_user_id, name=who, phone=phone)
        self.people[person.user_id] = person
        return person

    def group(self, title: str, *, chat_id: int = 0) -> Group:
        """The group of this title, with the bot in it."""
        for group in self.groups.values():
            if group.title == title and not group.moved_to:
                return group
        self._last_group_id -= 1
        group = Group(chat_id=chat_id or self._last_group_id, title=title)
        self.groups[group.chat_id] = group
        return group

    def upgrade(self, group: Group, *, by: Who | None = None) -> Group:
        """Make a supergroup of it: the old id is refused from now on. `by`: the bot is told of it."""
        group.moved_to = -1_000_000_000_000 + group.chat_id
        if by is not None:
            self._write(self.person(by), chat=group, extra={"migrate_to_chat_id": group.moved_to})
        self.groups[group.moved_to] = Group(chat_id=group.moved_to, title=group.title)
        return self.groups[group.moved_to]

    def send_out(self, group: Group, *, by: Who) -> None:
        """Somebody takes the bot out of the group."""
        group.is_closed = True
        self._membership(self.person(by), "member", "kicked", chat=group.chat)

    def let_in(self, group: Group, *, by: Who) -> None:
        group.is_closed = False
        self._membership(self.person(by), "kicked", "member", chat=group.chat)

    def start(self, who: Who, token: str = "") -> Person:
        """Open the bot by `https://t.me/<bot>?start=<token>` and press Start."""
        person = self.person(who)
        if person.has_blocked:
            self.unblock(person)
        person.has_started = True
        entity = {"type": "bot_command", "offset": 0, "length": 6}
        self._write(person, text=f"/start {token}".strip(), extra={"entities": [entity]})
        return person

    def says(
        self, who: Who, text: str, *, reply_to: int | None = None, chat: Group | str | None = None
    ) -> int:
        """Type a text to the bot (or in a group) and give its message id."""
        return self._write(self.person(who), text=text, reply_to=reply_to, chat=self._chat_of(chat))

    def sends(self, who: Who, media: str, caption: str = "", *, reply_to: int | None = None) -> int:
        """A voice message, photo, sticker or document."""
        file: Json = {"file_id": f"file-{media}", "file_unique_id": f"unique-{media}", "file_size": 1024}
        size: Json = {"width": 512, "height": 512}
        contents: dict[str, Any] = {
            "voice": {**file, "duration": 3, "mime_type": "audio/ogg"},
            "photo": [{**file, **size}],
            "sticker": {
                **file,
                **size,
                "type": "regular",
                "is_animated": False,
                "is_video": False,
            },
            "document": {**file, "file_name": "договор.pdf"},
        }
        extra: Json = {media: contents[media]}
        if caption:
            extra["caption"] = caption
        return self._write(self.person(who), extra=extra, reply_to=reply_to)

    def edits(self, who: Who, text: str, *, message_id: int | None = None) -> None:
        """Change the words of a message (the last one, if none is named)."""
        person = self.person(who)
        own = [post for post in self._posts(person.user_id) if not post.by_bot]
        post = self._find(person.user_id, message_id) if message_id else own[-1]
        post.history.append(post.text)
        post.text, post.edited_at = text, self.clock()
        self._update("edited_message", self._message(post, person))

    def tap(
        self,
        who: Who,
        button: str,
        *,
        message_id: int | None = None,
        chat: Group | str | None = None,
        is_old: bool = False,
    ) -> str:
        """Tap the button with this text under a message, the newest that has it; gives the tap's id.

        `is_old`: the message is so old that Telegram no longer shows it to the bot.
        """
        person, place = self.person(who), self._chat_of(chat)
        chat_id = place.chat_id if place else person.user_id
        posts = [post for post in self._posts(chat_id) if message_id in (None, post.message_id)]
        hits = [(post, hit) for post in posts for hit in post.buttons if hit["text"] == button]
        if not hits:
            shown = [post.labels for post in posts if post.labels]
            raise LookupError(f"no button «{button}»; there are {shown}")
        post, pressed = hits[-1]
        if "callback_data" not in pressed:
            raise LookupError(f"«{button}» opens {pressed.get('url')}, nothing is sent to the bot")
        tap_id = str(4_382_000_000_000_000_000 + len(self.taps) + 1)
        self.taps[tap_id] = Tap(at=self.clock())
        gone = {"chat": self._place(chat_id).chat, "message_id": post.message_id, "date": 0}
        self._update(
            "callback_query",
            {
                "id": tap_id,
                "from": person.user,
                "chat_instance": str(chat_id),
                "message": gone if is_old else self._message(post),
                "data": pressed["callback_data"],
            },
        )
        return tap_id

    def share_contact(self, who: Who, *, phone: str = "", is_own: bool = True) -> None:
        """Press «share my number», or attach somebody else's card by hand."""
        person = self.person(who)
        if is_own:
            person.phone = phone or person.phone
        card: Json = {"phone_number": phone or person.phone, "first_name": person.user["first_name"]}
        owners = [other.user_id for other in self.people.values() if other.phone == card["phone_number"]]
        if is_own or owners:  # a card without an account has no id
            card["user_id"] = person.user_id if is_own else owners[0]
        if not card["phone_number"]:
            raise ValueError(f"{person.name} has no phone number")
        self._write(person, extra={"contact": card})

    def block(self, who: Who) -> None:
        person = self.person(who)
        person.has_blocked = True
        self._membership(person, "member", "kicked")

    def unblock(self, who: Who) -> None:
        person = self.person(who)
        person.has_blocked = False
        self._membership(person, "kicked", "member")

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

    def conversation(self, who: Who) -> list[Posted]:
        """What stands in this chat, of both sides, in its order."""
        return self._posts(self._chat_id(who))

    def newest_update(self) -> int:
        """The id of what happened last."""
        return self._last_update_id

    # How the bot is told of it

    def wake(self) -> None:
        """Let a waiting getUpdates answer at once: something came, or the server stops."""
        if self._poller:
            self._poller.woken.set()

    @property
    def _bot(self) -> Json:
        return {
            "id": int(self.token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Сарафан",
            "username": self.username,
        }

    def _place(self, chat_id: int) -> Person | Group:
        return self.groups[chat_id] if chat_id in self.groups else self.people[chat_id]

    def _chat_of(self, chat: Group | str | None) -> Group | None:
        return self.group(chat) if isinstance(chat, str) else chat

    def _chat_id(self, who: Who) -> int:
        if isinstance(who, Group):
            return who.chat_id
        if isinstance(who, str):
            for group in self.groups.values():
                if group.title == who and not group.moved_to:
                    return group.chat_id
        if isinstance(who, int) and who in self.groups:
            return who
        return self.person(who).user_id

    def _posts(self, chat_id: int) -> list[Posted]:
        return [post for post in self.posted if post.chat_id == chat_id and not post.is_deleted]

    def _find(self, chat_id: int, message_id: int) -> Posted:
        for post in self._posts(chat_id):
            if post.message_id == message_id:
                return post
        raise LookupError(f"no message {message_id} in this chat")

    def _next_message_id(self, chat_id: int) -> int:
        self._message_ids[chat_id] = self._message_ids.get(chat_id, 0) + 1
        return self._message_ids[chat_id]

    def _write(
        self,
        person: Person,
        *,
        text: str = "",
        reply_to: int | None = None,
        chat: Group | None = None,
        extra: Json | None = None,
    ) -> int:
        chat_id = chat.chat_id if chat else person.user_id
        person.has_started = person.has_started or chat is None  # Start is the only way into a private chat.
        post = Posted(
            message_id=self._next_message_id(chat_id),
            chat_id=chat_id,
            by_bot=False,
            text=text,
            at=self.clock(),
            reply_to=reply_to,
            extra=extra or {},
        )
        self.posted.append(post)
        self._update("message", self._message(post, person))
        return post.message_id

    def _message(self, post: Posted, person: Person | None = None) -> Json:
        message: Json = {
            "message_id": post.message_id,
            "from": person.user if person else self._bot,
            "chat": self._place(post.chat_id).chat,
            "date": int(post.at.timestamp()),
            **post.extra,
        }
        if post.text:
            has_file = post.by_bot and not post.extra.keys().isdisjoint(("photo", "document"))
            message["caption" if has_file else "text"] = post.text
        if post.edited_at:
            message["edit_date"] = int(post.edited_at.timestamp())
        if post.by_bot and (inline := inline_of(post.markup)):
            message["reply_markup"] = inline
        if post.reply_to is not None:
            target = self._find(post.chat_id, post.reply_to)
            author = None if target.by_bot else person
            message["reply_to_message"] = self._message(without_reply(target), author)
        return message

    def _membership(self, person: Person, old: str, new: str, *, chat: Json | None = None) -> None:
        self._update(
            "my_chat_member",
            {
                "chat": chat or person.chat,
                "from": person.user,
                "date": int(self.clock().timestamp()),
                "old_chat_member": self._member(old),
                "new_chat_member": self._member(new),
            },
        )

    def _member(self, status: str) -> Json:
        member: Json = {"user": self._bot, "status": status}
        return {**member, "until_date": 0} if status == "kicked" else member

    def _update(self, kind: str, content: Json) -> None:
        if self._allowed and kind not in self._allowed:
            return
        if not self._allowed and kind in NAMED_ONLY:
            return
        self._last_update_id += 1
        self.updates.append((self.clock(), {"update_id": self._last_update_id, kind: content}))
        self.wake()
