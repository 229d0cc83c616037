"""What goes out to Telegram: texts within its limits, and keyboards as its API takes them."""

import re
from collections.abc import Sequence

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)

from integrations.channels.base import Button, Outgoing

LONGEST_TEXT = 4096  # UTF-16 units: https://core.telegram.org/bots/api#sendmessage
LONGEST_CAPTION = 1024  # https://core.telegram.org/bots/api#sendphoto
LONGEST_ABOUT = 120  # https://core.telegram.org/bots/api#setmyshortdescription
LONGEST_TAP_ANSWER = 200  # https://core.telegram.org/bots/api#answercallbackquery


def chat_of(chat_id: str) -> int | str:
    return int(chat_id) if re.fullmatch(r"-?\d+", chat_id) else chat_id


def inline(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    keyboard = [[_button(button) for button in row] for row in rows if row]
    return InlineKeyboardMarkup(keyboard) if keyboard else None


def _button(button: Button) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(button.text, url=button.url)
    return InlineKeyboardButton(button.text, callback_data=button.data)


def markup(
    message: Outgoing,
) -> InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | None:
    """A message carries one keyboard: buttons win over asking for the number, that over taking it away."""
    if buttons := inline(message.buttons):
        return buttons
    if message.share_phone:
        button = KeyboardButton(message.share_phone, request_contact=True)
        return ReplyKeyboardMarkup([[button]], resize_keyboard=True, one_time_keyboard=True)
    return ReplyKeyboardRemove() if message.remove_keyboard else None


def quote(message_id: str) -> ReplyParameters | None:
    if not message_id.isdigit():
        return None
    # The quoted message may be gone, which is no reason to stay silent.
    return ReplyParameters(int(message_id), allow_sending_without_reply=True)
