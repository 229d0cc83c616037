"""What amoCRM says, in its own words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from integrations.amocrm.reading import (
    Amount,
    Big,
    Fields,
    Flag,
    MaybeMoment,
    Moment,
    Number,
    Raw,
    Text,
    embedded,
    fields_of,
    first,
    ids,
    objects,
    phones_of,
)

WON, LOST = 142, 143  # the same ids in every pipeline


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
        return {**raw, "enums": objects(raw.get("enums"))} if isinstance(raw, Mapping) else raw


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
        statuses = [{"pipeline_id": raw.get("id"), **status} for status in embedded(raw, "statuses")]
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
        inside = raw.get("_embedded")
        times = inside.get("datetime_settings") if isinstance(inside, Mapping) else None
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
        tags = [tag.get("name") for tag in embedded(raw, "tags")]
        return {"tags": tags, "fields": fields_of(raw.get("custom_fields_values"))}


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
        contacts = sorted(embedded(raw, "contacts"), key=lambda contact: not contact.get("is_main"))
        exact = raw.get("price_with_minor_units")  # only some accounts have it
        return {
            **super()._flat(raw),
            "price": raw.get("price") if exact is None else exact,
            "created_at": raw.get("created_at") or raw.get("updated_at"),
            "contact_ids": ids(contacts),
            "company_id": first(ids(embedded(raw, "companies"))),
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
            "phones": phones_of(raw.get("custom_fields_values")),
            "company_id": first(ids(embedded(raw, "companies"))),
            "lead_ids": ids(embedded(raw, "leads")),
        }


class Company(Entity):
    phones: tuple[tuple[str, str], ...] = ()
    updated_at: MaybeMoment = None
    lead_ids: tuple[Big, ...] = ()

    @classmethod
    def _flat(cls, raw: Raw) -> dict[str, Any]:
        return {
            **super()._flat(raw),
            "phones": phones_of(raw.get("custom_fields_values")),
            "lead_ids": ids(embedded(raw, "leads")),
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
