"""What Green-API posts and hands out, as far as it matters here."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from integrations.channels.lenient import Block, Part

# Green-API's word for a message that its device could not decrypt yet; the text may follow under the same id.
PLACEHOLDER = re.compile(r"\s*\{\{SWE\d+\}\}")


def _words(value: object) -> object:
    """An id may come as a number; null, or something that is no text at all, is as good as absent."""
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> object:
    return value if isinstance(value, int) else None


Words = Annotated[str, BeforeValidator(_words)]


class _Part(Part):
    model_config = ConfigDict(alias_generator=to_camel)


class _Instance(_Part):
    wid: Words = ""


class _Sender(_Part):
    chat_id: Words = ""
    sender: Words = ""
    chat_name: Words = ""
    sender_name: Words = ""
    sender_contact_name: Words = ""
    sender_phone_number: Words = ""


class _Text(_Part):
    text_message: Words = ""


class _ExtendedText(_Part):
    text: Words = ""
    stanza_id: Words = ""


class _Quoted(_Part):
    stanza_id: Words = ""


class _Vote(_Part):
    option_name: Words = ""
    option_voters: Annotated[tuple[Words, ...], BeforeValidator(lambda value: value or ())] = ()


class _Poll(_Part):
    stanza_id: Words = ""
    name: Words = ""
    votes: Annotated[tuple[_Vote, ...], BeforeValidator(lambda value: value or ())] = ()


class _File(_Part):
    caption: Words = ""


class _Pressed(_Part):
    """A tap on a button or list row that somebody else's program sent from this account."""

    stanza_id: Words = ""
    selected_display_text: Words = ""
    selected_button_text: Words = ""
    title: Words = ""
    selected_id: Words = ""
    selected_button_id: Words = ""
    button_id: Words = ""

    @property
    def text(self) -> str:
        return (
            self.selected_display_text
            or self.selected_button_text
            or self.title
            or self.selected_id
            or self.selected_button_id
            or self.button_id
        )


class _Edited(_Part):
    text_message: Words = ""
    caption: Words = ""
    stanza_id: Words = ""


class _Message(_Part):
    type_message: Words = ""
    text_message_data: Block[_Text] = _Text()
    extended_text_message_data: Block[_ExtendedText] = _ExtendedText()
    quoted_message: Block[_Quoted] = _Quoted()
    poll_message_data: Block[_Poll] = _Poll()
    file_message_data: Block[_File] = _File()
    edited_message_data: Block[_Edited] = _Edited()
    template_button_reply_message: Block[_Pressed] = _Pressed()
    interactive_buttons_response: Block[_Pressed] = _Pressed()
    buttons_response_message: Block[_Pressed] = _Pressed()
    list_response_message: Block[_Pressed] = _Pressed()

    @property
    def pressed(self) -> _Pressed:
        answers = (
            self.template_button_reply_message,
            self.interactive_buttons_response,
            self.buttons_response_message,
            self.list_response_message,
        )
        return next((answer for answer in answers if answer.text), _Pressed())

    @property
    def text(self) -> str:
        """The words, wherever they stand: plain text comes as an extended text from some clients."""
        text = (
            self.text_message_data.text_message
            or self.extended_text_message_data.text
            or self.file_message_data.caption
            or self.pressed.text
        )
        return "" if PLACEHOLDER.match(text) else text

    @property
    def quoted(self) -> str:
        return (
            self.quoted_message.stanza_id
            or self.extended_text_message_data.stanza_id
            or self.pressed.stanza_id
        )


class Notification(_Part):
    """The body of a notification, as far as it matters here."""

    type_webhook: str
    timestamp: Annotated[int | None, BeforeValidator(_seconds)] = None
    id_message: Words = ""
    instance_data: Block[_Instance] = _Instance()
    sender_data: Block[_Sender] = _Sender()
    message_data: Block[_Message] = _Message()
    chat_id: Words = ""  # of a status
    status: Words = ""
    description: Words = ""
    state_instance: Words = ""
    status_instance: Words = ""

    @property
    def sent_at(self) -> datetime | None:
        try:
            return datetime.fromtimestamp(self.timestamp, UTC) if self.timestamp else None
        except (OverflowError, ValueError, OSError):
            return None

    @property
    def chosen(self) -> tuple[str, ...]:
        """The options that the person voted for: none = the vote was withdrawn."""
        ours = self.instance_data.wid
        votes = self.message_data.poll_message_data.votes
        return tuple(vote.option_name for vote in votes if any(voter != ours for voter in vote.option_voters))
