"""What goes out through Wazzup: words, buttons where the channel is a WABA one, or an approved template.

Bodies: https://wazzup24.ru/help/api-ru/otpravka-soobshhenij/
"""

from collections.abc import Sequence
from typing import Any

from integrations.channels.base import Button, Outgoing, Template
from integrations.channels.wazzup_ours import UNNAMED

Json = dict[str, Any]

BUTTONS = 10  # of a WABA message
LONGEST_BUTTON = 20  # characters
LONGEST_WABA = 1024


def free_words(message: Outgoing, *, longest: int, has_buttons: bool) -> Json:
    """With up to ten buttons where there are any and they fit; else words: the person types."""
    text = message.text
    for row in message.buttons:
        for button in row:
            if button.url:  # Nothing to tap opens a page beside other choices.
                text = f"{text}\n{button.text}: {button.url}"
    content: Json = {"text": text[:longest]}
    choices = _fitting(message.buttons) if has_buttons else ()
    if choices and len(text) <= longest:
        buttons = [
            {"text": choice.text.strip(), "type": "text", "payload": choice.data} for choice in choices
        ]
        content["buttonsObject"] = {"buttons": buttons}
    # What was sent when its id did not reach us cannot be quoted.
    if message.quote and not message.quote.startswith(UNNAMED):
        content["refMessageId"] = message.quote
    return content


def template(wanted: Template, message: Outgoing) -> Json:
    """The survey's template, filled. LookupError names a parameter that has no value.

    Its quick replies come back as the words on them, to be read as if they were typed.
    """
    values = [_value(message, name) for name in wanted.parameters]
    return {"templateId": wanted.template, "templateValues": values}


def _value(message: Outgoing, name: str) -> str:
    # Meta refuses new lines, tabs and rows of spaces, and so it does an empty value.
    value = " ".join(message.values.get(name, "").split())
    if not value:
        raise LookupError(name)
    return value


def _fitting(rows: Sequence[Sequence[Button]]) -> Sequence[Button]:
    """All; or without a last row of one such as «Не спрашивать», which can be typed too; or none."""
    all_rows = [[button for button in row if button.data] for row in rows]
    without_last = all_rows[:-1] if all_rows and len(all_rows[-1]) == 1 else []
    for wanted in (all_rows, without_last):
        choices = [button for row in wanted for button in row]
        titles = [button.text.strip() for button in choices]
        fits = all(0 < len(title) <= LONGEST_BUTTON for title in titles) and len(set(titles)) == len(titles)
        if fits and 0 < len(choices) <= BUTTONS:
            return choices
    return ()
