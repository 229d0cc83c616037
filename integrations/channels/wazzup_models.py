"""What Wazzup posts and answers, as far as it matters here.

Bodies: https://wazzup24.ru/help/api-ru/webhooks-2/, https://wazzup24.ru/help/api-ru/rabota-s-kanalami/
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from integrations.channels.lenient import Block, Flag, Part, Rows, Words

MEDIA = {
    "audio": "voice",
    "image": "photo",
    "video": "video",
    "document": "document",
    "vcard": "contact",
    "geo": "location",
}
ANYTHING = "media"  # what came in a form that we know nothing of
STICKER = re.compile(r"\.was(?:$|[?&#])")  # https://wazzup24.ru/help/api-ru/webhooks-2/
# A button gives its payload back, nobody documents where: this is the form of ours.
PAYLOAD = re.compile(r"s:\d+:\w+")
INBOUND = "inbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Messenger:
    """What a section of the settings stands for. A transport is what the cabinet calls a type of channel."""

    chat_type: str
    group_type: str
    transports: tuple[str, ...]
    longest_text: int  # characters
    chats_are_phones: bool


MESSENGERS = {
    "whatsapp": Messenger(
        chat_type="whatsapp",
        group_type="whatsgroup",
        transports=("whatsapp", "wapi"),
        longest_text=10_000,
        chats_are_phones=True,
    ),
    "max_account": Messenger(
        chat_type="max",
        group_type="maxgroup",
        transports=("max", "maxapi"),
        longest_text=4096,
        chats_are_phones=False,
    ),
    "telegram_account": Messenger(
        chat_type="telegram",
        group_type="telegroup",
        transports=("tgapi",),
        longest_text=4096,
        chats_are_phones=False,
    ),
}
WABA = "wapi"


def _moment(value: object) -> datetime | None:
    """ISO with or without Z; in webhooks about channels milliseconds."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class _Part(Part):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class ChannelRow(_Part):
    """One of `GET /channels`; `name` is not documented, `plain_id` is the phone or the user's name."""

    channel_id: Words = ""
    transport: Words = ""
    plain_id: Words = ""
    name: Words = ""
    state: Words = ""


class _Contact(_Part):
    name: Words = ""
    username: Words = ""
    phone: Words = ""


class _Quoted(_Part):
    message_id: Words = ""


class _Error(_Part):
    error: Words = ""


class Message(_Part):
    message_id: Words = ""
    channel_id: Words = ""
    chat_type: Words = ""
    chat_id: Words = ""
    date_time: Moment = None
    type: Words = ""
    status: Words = ""
    is_echo: Flag = False
    text: Words = ""
    content_uri: Words = ""
    contact: Block[_Contact] = _Contact()
    quoted_message: Block[_Quoted] = _Quoted()
    interactive: object = None
    is_edited: Flag = False
    is_deleted: Flag = False
    error: Block[_Error] = _Error()

    @property
    def is_from_us(self) -> bool:
        return self.is_echo or self.status in ("sent", "delivered", "read", "error")

    @property
    def media(self) -> str:
        if self.type == "text":
            return ""
        if self.type == "image" and STICKER.search(self.content_uri):
            return "sticker"
        return MEDIA.get(self.type, ANYTHING)

    @property
    def payload(self) -> str:
        """Of the tapped button, wherever it stands."""
        found = (text for text in (self.text, *_texts_in(self.interactive)) if PAYLOAD.fullmatch(text))
        return next(found, "")


class Delivery(_Part):
    message_id: Words = ""
    channel_id: Words = ""
    timestamp: Moment = None
    status: Words = ""
    error: Block[_Error] = _Error()


class ChannelUpdate(_Part):
    channel_id: Words = ""
    state: Words = ""
    timestamp: Moment = None


class TemplateStatus(_Part):
    template_guid: Words = ""
    name: Words = ""
    status: Words = ""


class Envelope(_Part):
    """One webhook. Ours hold one thing each: see `wazzup_read.pieces_of`."""

    messages: Rows[Message] = ()
    statuses: Rows[Delivery] = ()
    channels_updates: Rows[ChannelUpdate] = ()
    template_status: Block[TemplateStatus] = TemplateStatus()


def _texts_in(value: object, depth: int = 4) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(inner, list) or not depth:
        return []
    return [text for each in inner for text in _texts_in(each, depth - 1)]
