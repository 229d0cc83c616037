"""What goes out to MAX: whom a chat id means, and a message as its API takes it."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from integrations.channels.base import Button, Outgoing
from integrations.channels.max_read import GROUP
from integrations.channels.utf16 import cut
from integrations.errors import Unreachable
from integrations.http import Params

LONGEST_TEXT = 4000  # UTF-16 units, to be on the safe side of what «characters» means there
LONGEST_LABEL = 128
# https://dev.max.ru/docs-api: up to 30 rows of seven, of three where one of them leaves the chat.
LONGEST_ROW, LONGEST_ROW_OF_LINKS, MOST_ROWS = 7, 3, 30


def target_of(chat_id: str) -> Params:
    """A person is written to by user id, a group by its chat id; see `max_read`."""
    name, number = (
        ("chat_id", chat_id.removeprefix(GROUP)) if chat_id.startswith(GROUP) else ("user_id", chat_id)
    )
    if not re.fullmatch(r"-?\d{1,19}", number):
        raise Unreachable("max", "cannot write to a chat id of this form")
    return {name: number}


def body_of(message: Outgoing) -> dict[str, Any]:
    # No format: a client called «<b>» or a manager called «_» must not break a message.
    body: dict[str, Any] = {"text": cut(message.text, LONGEST_TEXT)}
    rows = [part for row in message.buttons for part in _rows(row)]
    if message.share_phone:
        rows.append([{"type": "request_contact", "text": cut(message.share_phone, LONGEST_LABEL)}])
    if rows:
        keyboard = {"type": "inline_keyboard", "payload": {"buttons": rows[:MOST_ROWS]}}
        body["attachments"] = [keyboard]
    return body


def _rows(row: Sequence[Button]) -> Iterator[list[dict[str, str]]]:
    """As few rows as may be, of nearly the same length: ten digits become two rows of five."""
    limit = LONGEST_ROW_OF_LINKS if any(button.url for button in row) else LONGEST_ROW
    count = -(-len(row) // limit)
    for number in range(count):
        first, last = len(row) * number // count, len(row) * (number + 1) // count
        yield [_button(button) for button in row[first:last]]


def _button(button: Button) -> dict[str, str]:
    text = cut(button.text, LONGEST_LABEL)
    if button.url:
        return {"type": "link", "text": text, "url": button.url}
    return {"type": "callback", "text": text, "payload": button.data}
