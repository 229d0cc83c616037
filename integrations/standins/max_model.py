"""What a made-up MAX consists of: people, groups, messages, and what it refuses to take."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

LONGEST_TEXT = 4000
LONGEST_LABEL = 128
LONGEST_PAYLOAD = 1024
LONGEST_START = 128  # a longer payload of a link is dropped without a word
ROWS, ROW, ROW_OF_LINKS = 30, 7, 3
SECRET = re.compile(r"[A-Za-z0-9_-]{5,256}")
# What a button of this type must have, and whether three of it fill a row.
BUTTONS = {
    "callback": ("payload", False),
    "link": ("url", True),
    "message": ("", False),
    "request_contact": ("", True),
    "request_geo_location": ("", True),
    "open_app": ("web_app", True),
    "clipboard": ("payload", False),
}


class Refusal(Exception):
    """`{"code": …, "message": …}` with this status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Unsuccessful(Exception):
    """`{"success": false, "message": …}` with a 200."""


def bad(message: str) -> Refusal:
    return Refusal(400, "proto.payload", message)


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody with a MAX account. `phone` is what «share my number» gives."""

    user_id: int
    dialogue: int  # the number of the dialogue with the bot, below zero as a group's
    name: str
    phone: str = ""
    has_started: bool = False
    has_stopped: bool = False

    @property
    def user(self) -> Json:
        first, _, last = self.name.partition(" ")
        return {
            "user_id": self.user_id,
            "first_name": first,
            "last_name": last or None,
            "username": None,
            "is_bot": False,
            "last_activity_time": 0,
            "name": self.name,
        }


@dataclass(slots=True, kw_only=True)
class Group:
    chat_id: int
    title: str


@dataclass(slots=True, kw_only=True)
class Posted:
    """A message as it looks now; `history` holds its earlier texts."""

    mid: str
    seq: int
    chat_id: int  # of the dialogue or the group
    by_bot: bool
    text: str
    at: datetime
    attachments: list[Json] = field(default_factory=list)
    reply_to: str = ""
    history: list[str] = field(default_factory=list)
    is_deleted: bool = False

    @property
    def pictures(self) -> list[str]:
        """Their tokens."""
        shown = (each["payload"].get("photos", {}) for each in self.attachments if each["type"] == "image")
        return [photo["token"] for photos in shown for photo in photos.values()]

    @property
    def files(self) -> list[str]:
        """Their tokens."""
        return [each["payload"]["token"] for each in self.attachments if each["type"] == "file"]

    @property
    def rows(self) -> list[list[Json]]:
        keyboards = (each for each in self.attachments if each["type"] == "inline_keyboard")
        return next((each["payload"]["buttons"] for each in keyboards), [])

    @property
    def buttons(self) -> list[Json]:
        """The inline buttons, in one row."""
        return [button for row in self.rows for button in row]

    @property
    def labels(self) -> list[str]:
        return [button["text"] for button in self.buttons]

    @property
    def body(self) -> Json:
        body: Json = {"mid": self.mid, "seq": self.seq, "text": self.text or None}
        if self.attachments:
            body["attachments"] = self.attachments
        return body


@dataclass(slots=True, kw_only=True)
class Tap:
    at: datetime
    answers: list[str] = field(default_factory=list)


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def media(kind: str) -> Json:
    """An attachment that a person sent: audio, image, sticker, file, location."""
    payloads: dict[str, Json] = {
        "audio": {"payload": {"url": "https://vd.example/1", "token": "t"}, "transcription": None},
        "image": {"payload": {"photo_id": 1, "token": "t", "url": "https://i.example/1"}},
        "video": {"payload": {"url": "https://vd.example/2", "token": "t"}, "duration": None},
        "sticker": {"payload": {"url": "https://i.example/2", "code": "s"}, "width": 512, "height": 512},
        "file": {
            "payload": {"url": "https://f.example/1", "token": "t"},
            "filename": "договор.pdf",
            "size": 9,
        },
        "location": {"latitude": 43.1, "longitude": 131.9},
    }
    return {"type": kind, **payloads[kind]}


def card(phone: str, name: str, owner: Person | None) -> Json:
    vcf = f"BEGIN:VCARD\r\nVERSION:3.0\r\nTEL;TYPE=cell:{phone.lstrip('+')}\r\nFN:{name}\r\nEND:VCARD\r\n"
    return {"type": "contact", "payload": {"vcf_info": vcf, "max_info": owner.user if owner else None}}


def check_message(body: Any, *, is_new: bool, brought: Collection[str] = ()) -> None:
    """Refuse what NewMessageBody does not allow. `brought`: the tokens of pictures and files."""
    if not isinstance(body, dict):
        raise bad("body must be an object")
    text = body.get("text")
    if text is not None and not isinstance(text, str):
        raise bad("text: must be string")
    if len(text or "") > LONGEST_TEXT:
        raise bad("text: size must be between 0 and 4000")
    if body.get("format") not in (None, "markdown", "html"):
        raise bad("format: unknown")
    attachments = body.get("attachments") or []
    if is_new and not (text or "").strip() and not attachments:
        raise bad("Must not be empty: text, attachments")
    for attachment in attachments:
        payload = attachment.get("payload") or {}
        match attachment.get("type"):
            case "inline_keyboard":
                _check_rows(payload.get("buttons"))
            case "image":
                photos = payload.get("photos") or {}
                if not photos or any(photo.get("token") not in brought for photo in photos.values()):
                    raise bad("payload: no such photo")
            case "file":
                if payload.get("token") not in brought:
                    raise bad("payload: no such file")
            case other:
                raise bad(f"attachment of type {other} is not known here")


def _check_rows(rows: Any) -> None:
    if not isinstance(rows, list) or not 1 <= len(rows) <= ROWS:
        raise bad("buttons: from 1 to 30 rows")
    for row in rows:
        if not row:
            raise bad("buttons: an empty row")
        for button in row:
            _check_button(button)
        limit = ROW_OF_LINKS if any(BUTTONS[button["type"]][1] for button in row) else ROW
        if len(row) > limit:
            raise bad(f"buttons: more than {limit} in a row")


def _check_button(button: Json) -> None:
    if button.get("type") not in BUTTONS:
        raise bad(f"button of type {button.get('type')} is not known")
    if not 1 <= len(button.get("text") or "") <= LONGEST_LABEL:
        raise bad("button text: size must be between 1 and 128")
    needed, _ = BUTTONS[button["type"]]
    if needed and not isinstance(button.get(needed), str):
        raise bad(f"button of type {button['type']} needs {needed}")
    if len(button.get("payload") or "") > LONGEST_PAYLOAD:
        raise bad("button payload: size must be between 0 and 1024")
    if button["type"] == "link" and not re.match(r"https?://", button["url"]):
        raise bad("button url: must be a link")
