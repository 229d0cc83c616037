"""JSON from a service that may send null, another type or half a character where its documentation has text.

What is not of the documented form is as good as absent: the rest may hold what we need.
"""

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _words(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return ""
    # Half of an emoji, or a zero byte: no database takes them.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")


def _number(value: object) -> int | None:
    """A code that may come as a text. None where there is none: zero may be a code."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:18])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(value: object) -> datetime | None:
    """Unix seconds, as a number or as a text."""
    seconds = _number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds and seconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None


def _block(value: object) -> object:
    return value if isinstance(value, dict | BaseModel) else {}


def _rows(value: object) -> object:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list | tuple) else []


class Part(BaseModel):
    """A JSON object, as far as it matters here."""

    model_config = ConfigDict(extra="ignore", frozen=True)


PartType = TypeVar("PartType", bound=Part)

Words = Annotated[str, BeforeValidator(_words)]
Number = Annotated[int | None, BeforeValidator(_number)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Flag = Annotated[bool, BeforeValidator(lambda value: value is True)]
Block = Annotated[PartType, BeforeValidator(_block)]
Rows = Annotated[tuple[PartType, ...], BeforeValidator(_rows)]
