"""What a made-up amoCRM account consists of: people, pipelines, deals, notes, tasks, events, webhooks."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

WON, LOST = 142, 143
CLOSED = (WON, LOST)
LEADS, CONTACTS, COMPANIES = "leads", "contacts", "companies"
SINGULAR = {LEADS: "lead", CONTACTS: "contact", COMPANIES: "company"}


@dataclass(slots=True, kw_only=True)
class User:
    id: int
    name: str
    is_active: bool = True
    is_admin: bool = False


@dataclass(slots=True, kw_only=True)
class Status:
    id: int
    name: str
    sort: int
    pipeline_id: int
    type: int = 0  # 1: the inbox of unsorted requests
    color: str = "#fffeb2"


@dataclass(slots=True, kw_only=True)
class Pipeline:
    id: int
    name: str
    sort: int
    is_main: bool
    is_archive: bool = False
    is_unsorted_on: bool = True
    statuses: list[Status] = field(default_factory=list)

    @property
    def first_status(self) -> Status:
        return min((status for status in self.statuses if status.type == 0), key=lambda status: status.sort)


@dataclass(slots=True, kw_only=True)
class CustomField:
    id: int
    name: str
    type: str
    sort: int
    code: str | None = None
    enums: dict[int, str] = field(default_factory=dict)  # of a multitext the kinds, as codes
    is_api_only: bool = False


@dataclass(slots=True, kw_only=True)
class Entity:
    """A contact or a company; a deal is one with more to it. `fields`: field id → values as they are read."""

    id: int
    kind: str
    name: str
    responsible_user_id: int
    created_at: int
    updated_at: int
    created_by: int = 0
    updated_by: int = 0
    is_deleted: bool = False
    tags: list[str] = field(default_factory=list)
    fields: dict[int, list[Json]] = field(default_factory=dict)
    company_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Lead(Entity):
    pipeline_id: int
    status_id: int
    price: float = 0
    closed_at: int | None = None
    loss_reason_id: int | None = None
    contact_ids: list[int] = field(default_factory=list)  # the main one first
    raw: Json = field(default_factory=dict)  # keys that replace what the API would say: for ugly rows


@dataclass(slots=True, kw_only=True)
class Note:
    id: int
    kind: str
    entity_id: int
    note_type: str
    params: Json | None
    created_by: int
    responsible_user_id: int
    created_at: int
    updated_at: int

    @property
    def text(self) -> str:
        return str((self.params or {}).get("text", ""))


@dataclass(slots=True, kw_only=True)
class Task:
    id: int
    text: str
    complete_till: int
    responsible_user_id: int
    entity_id: int | None
    entity_type: str | None
    created_at: int
    updated_at: int
    created_by: int = 0
    updated_by: int = 0
    task_type_id: int = 1
    duration: int = 0
    is_completed: bool = False
    result_text: str | None = None


@dataclass(slots=True, kw_only=True)
class Event:
    id: str
    type: str
    entity_id: int
    entity_type: str  # singular here, unlike anywhere else
    created_by: int
    created_at: int
    value_after: list[Json]
    value_before: list[Json]
    contact_id: int = 0  # of the conversation, where it is about one


@dataclass(slots=True, kw_only=True)
class Webhook:
    id: int
    destination: str
    settings: list[str]
    created_at: int
    updated_at: int
    sort: int = 1
    disabled: bool = False
