"""What goes out to Meta: free words with something to tap, or an approved template.

Bodies: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from collections.abc import Sequence
from typing import Any

from integrations.channels.base import Button, Outgoing, Template
from integrations.channels.cloud_read import NUMBER

Json = dict[str, Any]

LONGEST_TEXT = 4096  # characters
LONGEST_BODY = 1024  # of a message with buttons or a list
BUTTONS = 3
LONGEST_BUTTON = 20
ROWS = 10  # of a list
LONGEST_ROW = 24
LONGEST_DESCRIPTION = 72  # under a row's title
LONGEST_LABEL = 20  # of what opens the list
NO_LABEL = "•••"


def envelope(chat_id: str, message: Outgoing, content: Json) -> Json:
    """`content`: type and body. Who hides the number is written to by the id for this business."""
    body: Json = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to" if NUMBER.fullmatch(chat_id) else "recipient": chat_id,
        **content,
    }
    if message.reference:
        body["biz_opaque_callback_data"] = message.reference
    return body


def free_words(message: Outgoing) -> Json:
    """Reply buttons for up to three choices, a list for up to ten, else words: the person types."""
    text = message.text
    for row in message.buttons:
        for button in row:
            if button.url:  # Nothing to tap opens a page beside other choices.
                text = f"{text}\n{button.text}: {button.url}"
    content = _interactive(text, message.buttons) or {
        "type": "text",
        "text": {"body": text[:LONGEST_TEXT], "preview_url": False},
    }
    return content | ({"context": {"message_id": message.quote}} if message.quote else {})


def template(wanted: Template, message: Outgoing) -> Json:
    """The survey's template, filled. LookupError names a parameter that has no value."""
    filled = [{"type": "text", "text": _value(message, name)} for name in wanted.parameters]
    components: list[Json] = [{"type": "body", "parameters": filled}] if filled else []
    components += [
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": str(index),
            "parameters": [{"type": "payload", "payload": button.data}],
        }
        for index, button in enumerate(_quick_replies(wanted, message.buttons))
    ]
    named: Json = {"name": wanted.template, "language": {"code": wanted.template_language or "ru"}}
    return {"type": "template", "template": named | ({"components": components} if components else {})}


Rows = Sequence[Sequence[Button]]


def _value(message: Outgoing, name: str) -> str:
    # New lines, tabs and rows of spaces are refused, and so is an empty value.
    value = " ".join(message.values.get(name, "").split())
    if not value:
        raise LookupError(name)
    return value


def _quick_replies(wanted: Template, rows: Rows) -> Sequence[Button]:
    """Ours for those of the template, as long as their number leaves no doubt which is which.

    Without a payload a tap tells the words on the button, and they are read as if they were typed.
    """
    for choices in (_all(rows), _scale(rows)):
        if wanted.buttons and len(choices) == wanted.buttons:
            return choices
    return ()


def _all(rows: Rows) -> list[Button]:
    return [button for row in rows for button in row if button.data]


def _scale(rows: Rows) -> list[Button]:
    """Without a last row of one button that is no number, such as «Не спрашивать»: that can be typed too."""
    has_extra = len(rows) > 1 and len(rows[-1]) == 1 and not rows[-1][0].text.strip().isdigit()
    return _all(rows[:-1] if has_extra else rows)


def _interactive(text: str, rows: Rows) -> Json | None:
    """None: there is nothing to tap, or it does not fit and would be refused."""
    choices = _all(rows)
    choices = choices if len(choices) <= ROWS else _scale(rows)
    titles = [button.text.strip() for button in choices]
    shown = [_cut(title, LONGEST_ROW) for title in titles]
    if not 0 < len(choices) <= ROWS or len(set(shown)) < len(shown) or not all(shown):
        return None
    if not 0 < len(text) <= LONGEST_BODY:
        return None
    if len(choices) <= BUTTONS and max(map(len, titles)) <= LONGEST_BUTTON:
        replies = [{"id": button.data, "title": title} for button, title in zip(choices, titles, strict=True)]
        action: Json = {"buttons": [{"type": "reply", "reply": reply} for reply in replies]}
        return _tappable("button", text, action)
    listed = [_row(button.data, title) for button, title in zip(choices, titles, strict=True)]
    action = {"button": _label(_scale(rows)), "sections": [{"rows": listed}]}
    return _tappable("list", text, action)


def _tappable(kind: str, text: str, action: Json) -> Json:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": text}, "action": action}}


def _row(data: str, title: str) -> Json:
    row = {"id": data, "title": _cut(title, LONGEST_ROW)}
    return row | ({"description": _cut(title, LONGEST_DESCRIPTION)} if len(title) > LONGEST_ROW else {})


def _label(choices: Sequence[Button]) -> str:
    """What opens the list, in no language: «1 – 10», «Отлично – Плохо»."""
    label = f"{choices[0].text.strip()} – {choices[-1].text.strip()}" if len(choices) > 1 else NO_LABEL
    return label if len(label) <= LONGEST_LABEL else NO_LABEL


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
