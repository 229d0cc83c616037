"""What a call of the Bot API brings: parameters as form, multipart or JSON."""

import json
from email.message import MIMEPart
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from integrations.standins.telegram_model import Json, bad


def parameters_of(content_type: str, body: bytes) -> Json:
    """The parameters of a call as form, multipart or JSON. Only JSON has types: the text «9» stays a text."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/json":
        parameters: Json = json.loads(body)
        return parameters
    if kind == "multipart/form-data":
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        parts = BytesParser(policy=HTTP).parsebytes(head + body)
        return {_name(part): _content(part) for part in parts.iter_parts()}
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


def _name(part: MIMEPart) -> str:
    return str(part.get_param("name", header="content-disposition"))


class Upload(bytes):
    """A file as it came in a request."""

    name: str = ""


def _content(part: MIMEPart) -> str | bytes:
    payload = part.get_payload(decode=True)
    name = part.get_filename()
    if name and isinstance(payload, bytes):
        upload = Upload(payload)
        upload.name = name
        return upload
    return payload.decode(errors="replace") if isinstance(payload, bytes) else ""


def structure(parameters: Json, name: str) -> Any:
    """A nested value: JSON inside a form field, or already parsed."""
    value = parameters.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from None


def whole(parameters: Json, name: str, default: int) -> int:
    try:
        return int(parameters.get(name, default))
    except (TypeError, ValueError):
        return default


def text_of(parameters: Json) -> str:
    text = str(parameters.get("text", ""))
    if parameters.get("parse_mode"):
        raise bad("unsupported parse_mode")  # nobody here sends markup
    if not text.strip():
        raise bad("message text is empty")
    if units(text) > 4096:
        raise bad("message is too long")
    return text


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
