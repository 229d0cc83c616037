"""What the bot does in chats of the made-up Telegram: send, edit, delete, answer a tap; and where it may."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from integrations.standins.telegram_model import (
    LONGEST_CAPTION,
    Json,
    Posted,
    Refusal,
    bad,
    check_markup,
    inline_of,
    too_many,
)
from integrations.standins.telegram_parameters import Upload, structure, text_of, units, whole
from integrations.standins.telegram_people import TelegramPeople, Who

TAP_LIFE = timedelta(minutes=15)  # the time in which a tap can be answered


class TelegramPosts(TelegramPeople):
    """`rate_limit` messages may leave in one second."""

    def __init__(self, clock: Callable[[], datetime], token: str, username: str, rate_limit: int) -> None:
        super().__init__(clock, token, username)
        self.rate_limit = rate_limit
        self.files: dict[tuple[int, int], bytes] = {}  # by chat and message
        self._sent_at: deque[float] = deque()
        self._throttled: dict[int | None, datetime] = {}

    def throttle(self, seconds: int, who: Who | None = None) -> None:
        """Answer messages to this chat (or to all) with 429 for so long."""
        chat_id = self._chat_id(who) if who is not None else None
        self._throttled[chat_id] = self.clock() + timedelta(seconds=seconds)

    def _send_message(self, parameters: Json) -> Json:
        chat_id = self._writable(parameters)
        text = text_of(parameters)
        return self._message(self._post(chat_id, parameters, text))

    def _post(self, chat_id: int, parameters: Json, text: str, extra: Json | None = None) -> Posted:
        markup = structure(parameters, "reply_markup")
        check_markup(markup, is_private=chat_id > 0)
        post = Posted(
            message_id=self._next_message_id(chat_id),
            chat_id=chat_id,
            by_bot=True,
            text=text,
            at=self.clock(),
            markup=markup,
            reply_to=self._reply_target(chat_id, parameters),
            extra=extra or {},
        )
        self.posted.append(post)
        return post

    def _send_photo(self, parameters: Json) -> Json:
        return self._send_file(parameters, "photo", lambda file: [{**file, "width": 90, "height": 90}])

    def _send_document(self, parameters: Json) -> Json:
        document = parameters.get("document")
        name = document.name if isinstance(document, Upload) else ""
        return self._send_file(parameters, "document", lambda file: {**file, "file_name": name})

    def _send_file(self, parameters: Json, kind: str, told: Callable[[Json], Any]) -> Json:
        """A file that came with the request, under its words; in `extra` as the API's Message has it."""
        chat_id = self._writable(parameters)
        upload = parameters.get(kind)
        if not isinstance(upload, Upload) or not upload:
            raise bad(f"there is no {kind} in the request")
        caption = str(parameters.get("caption", ""))
        if len(caption) > LONGEST_CAPTION:
            raise bad("message caption is too long")
        name = f"{kind}{len(self.posted)}"
        file: Json = {"file_id": name, "file_unique_id": name, "file_size": len(upload)}
        post = self._post(chat_id, parameters, caption, {kind: told(file)})
        self.files[chat_id, post.message_id] = upload
        return self._message(post)

    def _reply_target(self, chat_id: int, parameters: Json) -> int | None:
        wanted = structure(parameters, "reply_parameters")
        if not wanted:
            return None
        message_id = int(wanted["message_id"])
        if any(post.message_id == message_id for post in self._posts(chat_id)):
            return message_id
        if not wanted.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        return None

    def _edit_message_text(self, parameters: Json) -> Json:
        text = text_of(parameters)
        post = self._editable(parameters)
        markup = structure(parameters, "reply_markup")
        check_markup(markup, is_private=post.chat_id > 0)
        return self._change(post, text, markup)

    def _edit_message_reply_markup(self, parameters: Json) -> Json:
        post = self._editable(parameters)
        markup = structure(parameters, "reply_markup")
        check_markup(markup, is_private=post.chat_id > 0)
        return self._change(post, post.text, markup)

    def _change(self, post: Posted, text: str, markup: Json | None) -> Json:
        if text == post.text and (markup or None) == (inline_of(post.markup) or None):
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message"
            )
        post.history.append(post.text)
        post.text, post.markup, post.edited_at = text, markup, self.clock()
        return self._message(post)

    def _editable(self, parameters: Json) -> Posted:
        chat_id, message_id = self._known(parameters), whole(parameters, "message_id", 0)
        for post in self._posts(chat_id):
            if post.message_id == message_id:
                if not post.by_bot:
                    raise bad("message can't be edited")
                return post
        raise bad("message to edit not found")

    def _delete_message(self, parameters: Json) -> bool:
        chat_id, message_id = self._known(parameters), whole(parameters, "message_id", 0)
        for post in self._posts(chat_id):
            if post.message_id == message_id:
                post.is_deleted = True
                return True
        raise bad("message to delete not found")

    def _answer_callback_query(self, parameters: Json) -> bool:
        tap = self.taps.get(str(parameters.get("callback_query_id", "")))
        if tap is None or tap.is_answered or self.clock() > tap.at + TAP_LIFE:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        text = str(parameters.get("text", ""))
        if units(text) > 200:
            raise bad("MESSAGE_TOO_LONG")
        tap.is_answered, tap.answer = True, text
        return True

    # Who may be written to

    def _known(self, parameters: Json) -> int:
        """The chat of a request, if it exists."""
        if "chat_id" not in parameters:
            raise bad("chat_id is empty")
        try:
            chat_id = int(parameters["chat_id"])
        except ValueError:
            raise bad("chat not found") from None
        if chat_id not in self.people and chat_id not in self.groups:
            raise bad("chat not found")
        if (group := self.groups.get(chat_id)) and group.moved_to:
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=group.moved_to,
            )
        return chat_id

    def _writable(self, parameters: Json) -> int:
        chat_id = self._known(parameters)
        person = self.people.get(chat_id)
        if person and person.is_deactivated:
            raise Refusal(403, "Forbidden: user is deactivated")
        if person and not person.has_started:
            raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        if person and person.has_blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if (group := self.groups.get(chat_id)) and group.is_closed:
            raise Refusal(403, "Forbidden: bot was kicked from the group chat")
        self._check_pace(chat_id)
        return chat_id

    def _check_pace(self, chat_id: int) -> None:
        for scope in (chat_id, None):
            left = (self._throttled.get(scope, self.clock()) - self.clock()).total_seconds()
            if left > 0:
                raise too_many(left)
        now = asyncio.get_running_loop().time()
        while self._sent_at and self._sent_at[0] <= now - 1:
            self._sent_at.popleft()
        if len(self._sent_at) >= self.rate_limit:
            raise too_many(1)
        self._sent_at.append(now)
