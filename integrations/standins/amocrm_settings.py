"""Fields and pipelines that are made through the API of the stand-in; a wrong one refuses all, with 422."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.standins.amocrm_account import MadeUpAccount
from integrations.standins.amocrm_model import (
    CLOSED,
    LEADS,
    LOST,
    WON,
    CustomField,
    Json,
    Pipeline,
    Status,
)

FIELD_TYPES = {
    "text", "numeric", "checkbox", "select", "multiselect", "date", "url", "textarea", "radiobutton",
    "streetaddress", "smart_address", "birthday", "legal_entity", "date_time", "tracking_data", "file",
}  # fmt: skip
PAID_TYPES = {"chained_list", "monetary"}  # with «Супер-поля»
OF_CHOICES = {"select", "multiselect", "radiobutton"}
FIELD_KEYS = {
    "name", "type", "code", "sort", "group_id", "is_api_only", "required_statuses", "enums", "request_id",
}  # fmt: skip
PIPELINE_KEYS = {"name", "sort", "is_main", "is_unsorted_on", "_embedded", "request_id"}
COLOURS = {
    "#fffeb2", "#fffd7f", "#fff000", "#ffeab2", "#ffdc7f", "#ffce5a", "#ffdbdb", "#ffc8c8", "#ff8f92",
    "#d6eaff", "#c1e0ff", "#98cbff", "#ebffb1", "#deff81", "#87f2c0", "#f9deff", "#f3beff", "#ccc8f9",
    "#eb93ff", "#f2f3f4", "#e6e8ea",
}  # fmt: skip
MOST_PIPELINES = 50


class Unprocessable(Exception):
    """What was sent cannot be made; the message is amoCRM's `detail`."""


class Making:
    """Makes what an account consists of. Names need not be unique: amoCRM takes twins without a word."""

    def __init__(self, account: MadeUpAccount) -> None:
        self.account = account
        self.has_super_fields = False

    def add_fields(self, kind: str, body: object) -> list[CustomField]:
        elements = _elements(body)
        for raw in elements:
            self._check_field(kind, raw)
        return [self._add_field(kind, raw) for raw in elements]

    def _check_field(self, kind: str, raw: Json) -> None:
        _keys(raw, FIELD_KEYS)
        _text(raw, "name")
        known = FIELD_TYPES | (PAID_TYPES if self.has_super_fields else set())
        if raw.get("type") not in known or (raw["type"] == "tracking_data" and kind != LEADS):
            raise Unprocessable("This field type is not available")
        choices = raw.get("enums")
        if (raw["type"] in OF_CHOICES) != bool(choices):
            raise Unprocessable("enums are for lists, and lists need them")
        for choice in choices or ():
            if not isinstance(choice, dict) or not choice.get("value") or "sort" not in choice:
                raise Unprocessable("enums: value and sort are required")
        if raw.get("code") and raw["code"] in {
            each.code for each in self.account.custom_fields[kind].values()
        }:
            raise Unprocessable("code is not unique")

    def _add_field(self, kind: str, raw: Json) -> CustomField:
        choices = sorted(raw.get("enums") or (), key=lambda choice: int(choice["sort"]))
        number = self.account.add_field(
            raw["name"], raw["type"], kind=kind, code=raw.get("code"),
            enums=[choice["value"] for choice in choices],
        )  # fmt: skip
        made = self.account.custom_fields[kind][number]
        made.is_api_only = bool(raw.get("is_api_only"))
        return made

    def add_pipelines(self, body: object) -> list[Pipeline]:
        elements = _elements(body)
        if len(self.account.pipelines) + len(elements) > MOST_PIPELINES:
            raise Unprocessable("Too many pipelines")
        for raw in elements:
            _check_pipeline(raw)
        return [self._add_pipeline(raw) for raw in elements]

    def _add_pipeline(self, raw: Json) -> Pipeline:
        number = self.account.add_pipeline(raw["name"], ())
        made = self.account.pipelines[number]
        made.sort, made.is_unsorted_on = raw["sort"], raw["is_unsorted_on"]
        if raw["is_main"]:
            for pipeline in self.account.pipelines.values():
                pipeline.is_main = pipeline is made
        wanted = raw["_embedded"]["statuses"]
        names = {status["id"]: status["name"] for status in wanted if status.get("id") in CLOSED}
        own = sorted(
            (status for status in wanted if "id" not in status), key=lambda status: int(status["sort"])
        )
        for place, status in enumerate(own, start=2):  # What was asked for as 100, 200 comes back as 20, 30.
            made.statuses.append(
                Status(
                    id=self.account.next_id("status"),
                    name=status["name"],
                    sort=10 * place,
                    pipeline_id=number,
                    color=status.get("color", "#fffeb2"),
                )
            )
        for system in made.statuses:
            system.name = names.get(system.id, system.name)
        made.statuses.sort(key=lambda status: status.sort)
        return made


def _check_pipeline(raw: Json) -> None:
    _keys(raw, PIPELINE_KEYS)
    _text(raw, "name")
    for key, kind in (("sort", int), ("is_main", bool), ("is_unsorted_on", bool), ("_embedded", dict)):
        if not isinstance(raw.get(key), kind):
            raise Unprocessable(f"{key} is required")
    statuses = raw["_embedded"].get("statuses")
    if not isinstance(statuses, list) or not statuses:
        raise Unprocessable("statuses are required")
    for status in statuses:
        if not isinstance(status, dict) or not status.get("name"):
            raise Unprocessable("statuses: name is required")
        if "id" in status:
            if status["id"] not in (WON, LOST) or status.keys() - {"id", "name"}:
                raise Unprocessable("statuses: only 142 and 143 may be named by id")
        elif not isinstance(status.get("sort"), int):
            raise Unprocessable("statuses: sort is required")
        if status.get("color") and status["color"] not in COLOURS:
            raise Unprocessable("statuses: color is not of the palette")


def _elements(body: object) -> Sequence[Json]:
    if not isinstance(body, list) or not body or not all(isinstance(raw, dict) for raw in body):
        raise Unprocessable("a list of objects is expected")
    return body


def _keys(raw: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(raw.keys() - known):
        raise Unprocessable(f"Unexpected: {', '.join(unknown)}")


def _text(raw: Mapping[str, Any], key: str) -> None:
    if not isinstance(raw.get(key), str) or not raw[key].strip():
        raise Unprocessable(f"{key} is required")
