"""What amoCRM says and is told, in its own words; reading is tolerant, for accounts differ."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

WON, LOST = 142, 143  # the same ids in every pipeline

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


def _zero_if_empty(value: object) -> object:
    return 0 if value is None or value == "" else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(_moment)]
Text = Annotated[str, BeforeValidator(_text)]
Big = Annotated[int, Field(ge=0, lt=2**63)]  # what a database can keep
Number = Annotated[Big, BeforeValidator(_zero_if_empty)]
Amount = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_zero_if_empty)]
Flag = Annotated[bool, BeforeValidator(bool)]


class Row(BaseModel):
    """Anything that amoCRM lists. Unknown keys are ignored, missing ones have a meaning."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Big


class Enum(Row):
    """One choice of a select field."""

    value: Text = ""


class CustomField(Row):
    name: Text = ""
    type: Text = ""
    code: Text = ""
    enums: tuple[Enum, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        return {**raw, "enums": _objects(raw.get("enums"))} if isinstance(raw, Mapping) else raw


class Status(Row):
    """A stage of a pipeline. `type` 1 is the inbox of unsorted requests."""

    name: Text = ""
    sort: Number = 0
    type: Number = 0
    pipeline_id: Number = 0


class Pipeline(Row):
    name: Text = ""
    sort: Number = 0
    is_archive: Flag = False
    statuses: tuple[Status, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        statuses = [{"pipeline_id": raw.get("id"), **status} for status in _embedded(raw, "statuses")]
        return {**raw, "statuses": statuses}


class User(Row):
    name: Text = ""
    is_active: Flag = True
    is_admin: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        rights = raw.get("rights") if isinstance(raw, Mapping) else None
        if not isinstance(rights, Mapping):
            return raw
        return {**{key: rights[key] for key in ("is_active", "is_admin") if key in rights}, **raw}


class Account(Row):
    """`is_filter_enabled` is None where amoCRM does not tell; `server_time` is its clock, by the answer."""

    name: Text = ""
    subdomain: Text = ""
    timezone: Text = ""
    current_user_id: Number = 0
    currency: Text = ""
    is_filter_enabled: bool | None = None
    server_time: datetime | None = None

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        embedded = raw.get("_embedded")
        times = embedded.get("datetime_settings") if isinstance(embedded, Mapping) else None
        zone = times.get("timezone") if isinstance(times, Mapping) else ""
        return {"timezone": zone, "is_filter_enabled": raw.get("is_api_filter_enabled"), **raw}


class Entity(Row):
    """What leads, contacts and companies have in common."""

    name: Text = ""
    responsible_user_id: Number = 0
    is_deleted: Flag = False
    tags: tuple[Text, ...] = ()
    fields: Fields = {}

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        return {**raw, **cls._flat(raw)} if isinstance(raw, Mapping) else raw

    @classmethod
    def _flat(cls, raw: Raw) -> dict[str, Any]:
        tags = [tag.get("name") for tag in _embedded(raw, "tags")]
        return {"tags": tags, "fields": _fields(raw.get("custom_fields_values"))}


class Lead(Entity):
    price: Amount = 0
    status_id: Number = 0
    pipeline_id: Number = 0
    created_at: Moment
    updated_at: Moment
    closed_at: MaybeMoment = None
    created_by: Big | None = None  # 0: a robot or an integration
    contact_ids: tuple[Big, ...] = ()  # the main one first
    company_id: Big | None = None

    @property
    def main_contact_id(self) -> int | None:
        return self.contact_ids[0] if self.contact_ids else None

    @classmethod
    def _flat(cls, raw: Raw) -> dict[str, Any]:
        contacts = sorted(_embedded(raw, "contacts"), key=lambda contact: not contact.get("is_main"))
        exact = raw.get("price_with_minor_units")  # only some accounts have it
        return {
            **super()._flat(raw),
            "price": raw.get("price") if exact is None else exact,
            "created_at": raw.get("created_at") or raw.get("updated_at"),
            "contact_ids": _ids(contacts),
            "company_id": _first(_ids(_embedded(raw, "companies"))),
        }


class Contact(Entity):
    """`phones` are free text, each with its kind: MOB, WORK … `lead_ids` only where they were asked for."""

    phones: tuple[tuple[str, str], ...] = ()
    updated_at: MaybeMoment = None
    company_id: Big | None = None
    lead_ids: tuple[Big, ...] = ()

    @classmethod
    def _flat(cls, raw: Raw) -> dict[str, Any]:
        return {
            **super()._flat(raw),
            "phones": _phones(raw.get("custom_fields_values")),
            "company_id": _first(_ids(_embedded(raw, "companies"))),
            "lead_ids": _ids(_embedded(raw, "leads")),
        }


class Company(Entity):
    phones: tuple[tuple[str, str], ...] = ()
    updated_at: MaybeMoment = None
    lead_ids: tuple[Big, ...] = ()

    @classmethod
    def _flat(cls, raw: Raw) -> dict[str, Any]:
        return {
            **super()._flat(raw),
            "phones": _phones(raw.get("custom_fields_values")),
            "lead_ids": _ids(_embedded(raw, "leads")),
        }


class Note(Row):
    """`text` is "" for notes without words (calls, files); `params` may be null in old records."""

    entity_id: Number = 0
    note_type: Text = ""
    text: Text = ""
    created_by: Number = 0
    created_at: MaybeMoment = None
    updated_at: MaybeMoment = None

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        params = raw.get("params") if isinstance(raw, Mapping) else None
        return {"text": params.get("text"), **raw} if isinstance(params, Mapping) else raw


class Task(Row):
    text: Text = ""
    entity_id: Number = 0
    entity_type: Text = ""
    responsible_user_id: Number = 0
    is_completed: Flag = False
    complete_till: MaybeMoment = None
    created_at: MaybeMoment = None
    updated_at: MaybeMoment = None
    result_text: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        # `result` is [] when empty and an object when set: an array of PHP.
        result = raw.get("result") if isinstance(raw, Mapping) else None
        return {**raw, "result_text": result.get("text")} if isinstance(result, Mapping) else raw


class Written(Row):
    """An element of the answer to a write."""

    request_id: Text = ""


class Changed(Row):
    """The answer to a change of one entity."""

    updated_at: MaybeMoment = None


def _list(value: object) -> list[Any]:
    """The list that should be here: PHP gives an object for one with gaps, and null for an empty one."""
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []


def _objects(value: object) -> list[Raw]:
    return [row for row in _list(value) if isinstance(row, Mapping)]


def _embedded(raw: Raw, key: str) -> list[Raw]:
    embedded = raw.get("_embedded")
    return _objects(embedded.get(key)) if isinstance(embedded, Mapping) else []


def _ids(rows: Sequence[Raw]) -> list[Any]:
    return [row["id"] for row in rows if row.get("id")]


def _first(ids: Sequence[Any]) -> Any:
    return ids[0] if ids else None


def _values(custom: Raw) -> list[Raw]:
    """The values of one field; dates and flags have been seen without the object around them."""
    return [
        value if isinstance(value, Mapping) else {"value": value} for value in _list(custom.get("values"))
    ]


def _fields(raw: object) -> Fields:
    return {
        str(custom["field_id"]): [
            {"value": _without_nul(value.get("value")), "enum_id": value.get("enum_id")}
            for value in _values(custom)
        ]
        for custom in _objects(raw)
        if custom.get("field_id")
    }


def _phones(raw: object) -> list[tuple[str, str]]:
    return [
        # The kind's key was `enum` once, and still is in some answers.
        (str(_without_nul(value["value"])), str(value.get("enum_code") or value.get("enum") or ""))
        for custom in _objects(raw)
        if custom.get("field_code") == "PHONE"
        for value in _values(custom)
        if value.get("value")
    ]


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be understood: kept as it came, so that its neighbours can go on."""

    id: int | None
    raw: str
    error: str  # where it is wrong; quotes no value

    @classmethod
    def of(cls, row: object, error: ValidationError) -> Self:
        found = row.get("id") if isinstance(row, Mapping) else None
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        return cls(
            id=found if isinstance(found, int) else None,
            raw=json.dumps(row, ensure_ascii=True),
            error="; ".join(f"{'.'.join(map(str, p['loc'])) or 'row'}: {p['msg']}" for p in problems),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPage:
    """A part of the walk through changed leads, each lead once in a walk.

    `newest` is how far the watermark may move once these rows are on disk; None: not yet, since older rows
    are still to come. `is_filtered` is False when amoCRM's filters are off or turned out to be ignored.
    """

    leads: tuple[Lead, ...]
    broken: tuple[BrokenRow, ...] = ()
    newest: datetime | None = None
    is_filtered: bool = True
    is_full: bool = False  # of one page that was asked for by its number: there may be another


@dataclass(frozen=True, slots=True)
class EnumId:
    """A choice of a select field to write: texts are renamed, ids are not."""

    id: int


FieldValue = str | int | float | bool | EnumId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLead:
    """`request_id` comes back with the new id but is not stored: a marker goes into a field or the name."""

    name: str
    pipeline_id: int
    status_id: int
    request_id: str
    responsible_user_id: int | None = None
    contact_id: int | None = None
    company_id: int | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[int, FieldValue | None] = field(default_factory=dict)
    price: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadChange:
    """Only what is to change. A field that is None is emptied. A status needs its pipeline."""

    lead_id: int
    fields: Mapping[int, FieldValue | None] = field(default_factory=dict)
    responsible_user_id: int | None = None
    pipeline_id: int | None = None
    status_id: int | None = None
    tags_to_add: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewNote:
    lead_id: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    text: str
    complete_till: datetime
    lead_id: int
    responsible_user_id: int | None = None  # None: the token's own user
