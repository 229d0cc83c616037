"""What amoCRM is told: new leads, notes and tasks, and what is to change in those that are there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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
