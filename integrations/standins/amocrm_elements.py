"""The elements of a write to the stand-in of amoCRM: what is wrong with each, as amoCRM tells it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from integrations.standins.amocrm_model import Json

DETAILS = {
    "NotSupportedChoice": "The value you selected is not a valid choice.",
    "FieldNotExpected": "This field was not expected.",
    "FieldMissing": "This field is missing.",
    "InvalidType": "This value is not of the expected type.",
    "NotNullable": "This value should not be null.",
    "TooLong": "This value is too long.",
}
MOST_ELEMENTS = 250
NULLABLE = {"custom_fields_values", "closed_at", "loss_reason_id", "price"}


class Refused(Exception):
    """Some elements are wrong, so nothing was applied: `errors` as amoCRM lists them."""

    def __init__(self, errors: list[Json]) -> None:
        super().__init__("the request is refused")
        self.errors = errors


class RuleBroken(Exception):
    """A rule of business was broken: what is wrong by the entity's id."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("a rule is broken")
        self.errors = errors


@dataclass(slots=True)
class Element:
    """One element of a write and what is wrong with it."""

    raw: Json
    request_id: str
    problems: list[Json] = field(default_factory=list)

    def wrong(self, code: str, path: str) -> None:
        self.problems.append({"code": code, "path": path, "detail": DETAILS[code]})

    def keys(self, known: dict[str, Any]) -> None:
        """Refuse what is not known, and what is of another type."""
        for key, value in self.raw.items():
            if key not in known:
                self.wrong("FieldNotExpected", key)
            elif value is None and key not in NULLABLE:
                self.wrong("NotNullable", key)
            elif value is not None and not is_of(value, known[key]):
                self.wrong("InvalidType", key)

    def has(self, key: str, kind: Any) -> bool:
        return is_of(self.raw.get(key), kind)


def is_of(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)


def elements_of(body: object) -> list[Element]:
    """The list in a body; a request without ids of its own gets "0", "1" …"""
    if not isinstance(body, list) or not body or len(body) > MOST_ELEMENTS:
        raise Refused([])
    return [
        Element(raw, str(raw.get("request_id", place)))
        if isinstance(raw, dict)
        else Element({}, str(place), [{"code": "InvalidType", "path": "", "detail": DETAILS["InvalidType"]}])
        for place, raw in enumerate(body)
    ]


def refuse_if_wrong(elements: Iterable[Element]) -> None:
    wrong = [
        {"request_id": element.request_id, "errors": element.problems}
        for element in elements
        if element.problems
    ]
    if wrong:
        raise Refused(wrong)
