"""How amoCRM's JSON is read: tolerantly, for accounts differ, and arrays of PHP come in three shapes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

Raw = Mapping[str, Any]  # an object of JSON, as it came
Fields = dict[str, list[dict[str, Any]]]  # field id as text → [{"value": …, "enum_id": …}]


def _moment(value: object) -> object:
    """Unix seconds, as a number or as text; null, 0, "" and false mean «not yet»."""
    if not value:
        return None
    try:
        return datetime.fromtimestamp(int(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("is not Unix seconds") from None


def _text(value: object) -> object:
    """Null is "", a number is its digits, and a NUL, which PostgreSQL cannot keep, goes."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    return _without_nul(value)


def _without_nul(value: object) -> object:
    return value.replace("\x00", "") if isinstance(value, str) else value


def whole(value: object) -> int:
    """An id or a moment of a row that is read whatever its shape; what is none is 0."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


LATEST = 32_503_680_000  # the year 3000: no moment is later


def whole_moment(value: object) -> int | None:
    """Unix seconds, as `whole` reads them."""
    return seconds if (seconds := whole(value)) < LATEST else None


def word(value: object) -> str:
    """A key or an id that may be text, as `whole` reads numbers; what is none is ""."""
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _zero_if_empty(value: object) -> object:
    return 0 if value is None or value == "" else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(_moment)]
Text = Annotated[str, BeforeValidator(_text)]
Big = Annotated[int, Field(ge=0, lt=2**63)]  # what a database can keep
Number = Annotated[Big, BeforeValidator(_zero_if_empty)]
Amount = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_zero_if_empty)]
Flag = Annotated[bool, BeforeValidator(bool)]


def _list(value: object) -> list[Any]:
    """The list that should be here: PHP gives an object for one with gaps, and null for an empty one."""
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []


def objects(value: object) -> list[Raw]:
    return [row for row in _list(value) if isinstance(row, Mapping)]


def embedded(raw: Raw, key: str) -> list[Raw]:
    inside = raw.get("_embedded")
    return objects(inside.get(key)) if isinstance(inside, Mapping) else []


def ids(rows: Sequence[Raw]) -> list[Any]:
    return [row["id"] for row in rows if row.get("id")]


def first(found: Sequence[Any]) -> Any:
    return found[0] if found else None


def _values(custom: Raw) -> list[Raw]:
    """The values of one field; dates and flags have been seen without the object around them."""
    return [
        value if isinstance(value, Mapping) else {"value": value} for value in _list(custom.get("values"))
    ]


def fields_of(raw: object) -> Fields:
    return {
        str(custom["field_id"]): [
            {"value": _without_nul(value.get("value")), "enum_id": value.get("enum_id")}
            for value in _values(custom)
        ]
        for custom in objects(raw)
        if custom.get("field_id")
    }


def phones_of(raw: object) -> list[tuple[str, str]]:
    return [
        # The kind's key was `enum` once, and still is in some answers.
        (str(_without_nul(value["value"])), str(value.get("enum_code") or value.get("enum") or ""))
        for custom in objects(raw)
        if custom.get("field_code") == "PHONE"
        for value in _values(custom)
        if value.get("value")
    ]
