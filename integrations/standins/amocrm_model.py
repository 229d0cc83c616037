"""A made-up amoCRM account: its people and deals, and what happens to them by hand or through the API."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

Json = dict[str, Any]
Moment = datetime | str | int  # text in ISO 8601, or Unix seconds

WON, LOST = 142, 143
CLOSED = (WON, LOST)
LEADS, CONTACTS, COMPANIES = "leads", "contacts", "companies"
SINGULAR = {LEADS: "lead", CONTACTS: "contact", COMPANIES: "company"}
PHONE_KINDS = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
SALES_STATUSES = ("Первичный контакт", "Замер", "Договор", "Монтаж")
COMPLAINT_STATUSES = ("Новая", "В работе")


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


class MadeUpAccount:
    """Whatever is done, by these helpers or by the API, happens at the clock's time and leaves an event.

    By the helpers a person of the company acts: `by` is who, the first user unless told otherwise.
    """

    def __init__(self, clock: Callable[[], datetime], *, timezone: str = "Asia/Vladivostok") -> None:
        self.clock = clock
        self.timezone = timezone
        self.users: dict[int, User] = {}
        self.pipelines: dict[int, Pipeline] = {}
        self.custom_fields: dict[str, dict[int, CustomField]] = {LEADS: {}, CONTACTS: {}, COMPANIES: {}}
        self.leads: dict[int, Lead] = {}
        self.contacts: dict[int, Entity] = {}
        self.companies: dict[int, Entity] = {}
        self.notes: dict[int, Note] = {}
        self.tasks: dict[int, Task] = {}
        self.tag_ids: dict[str, dict[str, int]] = {LEADS: {}, CONTACTS: {}, COMPANIES: {}}
        self.events: list[Event] = []
        self.webhooks: dict[str, Webhook] = {}
        self.hooks: list[Json] = []  # what webhooks have to tell: flat keys in PHP brackets
        self._ids = {
            name: itertools.count(first)
            for name, first in {
                "user": 77, "pipeline": 9001, "status": 90010, "field": 3001, "enum": 4001, LEADS: 501,
                CONTACTS: 301, COMPANIES: 8001, "note": 6001, "task": 7001, "event": 1, "webhook": 1,
                "tag": 5001,
            }.items()
        }  # fmt: skip
        self.add_user("Олег Смирнов", is_admin=True)
        self.add_user("Мария Ким")
        self.add_pipeline("Продажи", SALES_STATUSES)
        self.add_pipeline("Рекламации", COMPLAINT_STATUSES)
        self.add_field("NPS", "numeric")
        self.add_field("CSAT", "numeric")
        self.add_field("CES", "numeric")
        self.add_field("Промокод для друзей", "text")
        self.add_field("Ссылка на Telegram-бота", "url")
        self.add_field("Ссылка на MAX-бота", "url")
        self.add_field("Опрос", "text")
        self.add_field("Скидка", "select", enums=("Нет", "Скидка от друга 5%"))
        self.add_field("Промокод друга", "text")
        for kind in (CONTACTS, COMPANIES):
            self.add_field("Телефон", "multitext", kind=kind, code="PHONE", enums=PHONE_KINDS)
            self.add_field("Email", "multitext", kind=kind, code="EMAIL", enums=("WORK", "PRIV", "OTHER"))

    # Time and names

    def now(self) -> int:
        """Unix seconds, by the clock of this account."""
        return int(self.clock().timestamp())

    def next_id(self, of: str) -> int:
        return next(self._ids[of])

    def entities(self, kind: str) -> Mapping[int, Entity]:
        if kind == LEADS:
            return self.leads
        return self.contacts if kind == CONTACTS else self.companies

    def user_id(self, name: str) -> int:
        return _by_name(self.users.values(), name).id

    def pipeline(self, name: str) -> Pipeline:
        return _by_name(self.pipelines.values(), name)

    def status_id(self, name: str, pipeline: str = "Продажи") -> int:
        return _by_name(self.pipeline(pipeline).statuses, name).id

    def field(self, name: str, kind: str = LEADS) -> CustomField:
        return _by_name(self.custom_fields[kind].values(), name)

    def field_id(self, name: str, kind: str = LEADS) -> int:
        return self.field(name, kind).id

    def enum_id(self, field_name: str, value: str) -> int:
        return next(key for key, text in self.field(field_name).enums.items() if text == value)

    # The company is built

    def add_user(self, name: str, *, is_active: bool = True, is_admin: bool = False) -> int:
        user = User(id=self.next_id("user"), name=name, is_active=is_active, is_admin=is_admin)
        self.users[user.id] = user
        return user.id

    def add_pipeline(self, name: str, statuses: Sequence[str] = SALES_STATUSES) -> int:
        """A pipeline with the system's statuses: the inbox, 142 and 143."""
        number = self.next_id("pipeline")
        pipeline = Pipeline(id=number, name=name, sort=number, is_main=not self.pipelines)
        system = [("Неразобранное", self.next_id("status"), 10, 1)]
        own = [(title, self.next_id("status"), 20 + 10 * place, 0) for place, title in enumerate(statuses)]
        closed = [("Успешно реализовано", WON, 10000, 0), ("Закрыто и не реализовано", LOST, 11000, 0)]
        for title, status_id, sort, kind in system + own + closed:
            status = Status(id=status_id, name=title, sort=sort, pipeline_id=number, type=kind)
            pipeline.statuses.append(status)
        self.pipelines[number] = pipeline
        return number

    def add_field(
        self, name: str, type: str = "text", *, kind: str = LEADS, code: str | None = None,
        enums: Iterable[str] = (),
    ) -> int:  # fmt: skip
        number = self.next_id("field")
        self.custom_fields[kind][number] = CustomField(
            id=number, name=name, type=type, code=code, sort=number,
            enums={self.next_id("enum"): value for value in enums},
        )  # fmt: skip
        return number

    def rename_enum(self, field_name: str, old: str, new: str) -> None:
        custom = self.field(field_name)
        custom.enums[self.enum_id(field_name, old)] = new

    def add_company(self, name: str, phones: Sequence[str] = ()) -> int:
        return self._add_person(COMPANIES, name, phones, None, ())

    def add_contact(
        self,
        name: str,
        phones: Sequence[str] = (),
        *,
        company_id: int | None = None,
        tags: Iterable[str] = (),
    ) -> int:
        """A contact with these numbers: free text, of the kind MOB."""
        return self._add_person(CONTACTS, name, phones, company_id, tags)

    def _add_person(
        self, kind: str, name: str, phones: Sequence[str], company_id: int | None, tags: Iterable[str]
    ) -> int:
        now, boss = self.now(), min(self.users)
        entity = Entity(
            id=self.next_id(kind), kind=kind, name=name, responsible_user_id=boss, created_at=now,
            updated_at=now, created_by=boss, updated_by=boss, tags=list(tags), company_id=company_id,
        )  # fmt: skip
        if phones:
            custom = self.field("Телефон", kind)
            mobile = next(key for key, code in custom.enums.items() if code == "MOB")
            entity.fields[custom.id] = [
                {"value": phone, "enum_id": mobile, "enum_code": "MOB"} for phone in phones
            ]
        (self.contacts if kind == CONTACTS else self.companies)[entity.id] = entity
        self._event(f"{SINGULAR[kind]}_added", entity, boss)
        return entity.id

    def add_lead(
        self,
        name: str = "Монтаж ворот",
        contacts: Sequence[int] = (),
        *,
        pipeline: str = "Продажи",
        status: str | None = None,
        responsible: str | int | None = None,
        company_id: int | None = None,
        price: float = 0,
        tags: Iterable[str] = (),
        fields: Mapping[str, object] | None = None,
        created_at: Moment | None = None,
    ) -> int:
        """An open deal in the pipeline's first status; the first contact is the main one."""
        where = self.pipeline(pipeline)
        user = self._user(responsible)
        created = _seconds(created_at) or self.now()
        lead = Lead(
            id=self.next_id(LEADS), kind=LEADS, name=name, responsible_user_id=user, created_at=created,
            updated_at=created, created_by=user, updated_by=user, pipeline_id=where.id,
            status_id=self.status_id(status, pipeline) if status else where.first_status.id, price=price,
            tags=list(tags), contact_ids=list(contacts), company_id=company_id,
        )  # fmt: skip
        for field_name, value in (fields or {}).items():
            custom = self.field(field_name)
            lead.fields[custom.id] = self._stored(custom, value)
        self.leads[lead.id] = lead
        self.note_addition(lead, user)
        return lead.id

    # Life goes on

    def close_lead(self, lead_id: int, *, won: bool = True, at: Moment | None = None) -> None:
        """Won or lost; `at` puts another date into `closed_at`, as people do."""
        lead = self.leads[lead_id]
        status = (lead.pipeline_id, WON if won else LOST)
        self.change_lead(lead, status=status, closed_at=_seconds(at))

    def move_lead(self, lead_id: int, status: str, pipeline: str | None = None) -> None:
        """To another status, if need be of another pipeline; from a closed one this re-opens it."""
        lead = self.leads[lead_id]
        where = self.pipeline(pipeline) if pipeline else self.pipelines[lead.pipeline_id]
        self.change_lead(lead, status=(where.id, _by_name(where.statuses, status).id))

    def edit_lead(
        self,
        lead_id: int,
        *,
        name: str | None = None,
        price: float | None = None,
        responsible: str | int | None = None,
        fields: Mapping[str, object] | None = None,
        tags_to_add: Iterable[str] = (),
    ) -> None:
        """A field that is None is emptied."""
        values = {
            self.field_id(key): self._stored(self.field(key), value) if value is not None else []
            for key, value in (fields or {}).items()
        }
        self.change_lead(
            self.leads[lead_id], name=name, price=price, fields=values, tags_to_add=tags_to_add,
            responsible_user_id=self._user(responsible) if responsible else None,
        )  # fmt: skip

    def delete_lead(self, lead_id: int) -> None:
        lead = self.leads[lead_id]
        lead.is_deleted = True
        lead.updated_at = max(self.now(), lead.updated_at)
        self._event("lead_deleted", lead, min(self.users))
        self._hook("delete", lead)

    def merge_leads(self, lead_id: int, into: int) -> None:
        """Two cards of one thing become one: the first is gone, and its contacts and tags are the other's.

        An event tells of it. Whether a webhook does is not known, so none is sent.
        """
        gone, kept = self.leads[lead_id], self.leads[into]
        gone.is_deleted = True
        gone.updated_at = max(self.now(), gone.updated_at)
        kept.contact_ids += [contact for contact in gone.contact_ids if contact not in kept.contact_ids]
        self.change_lead(kept, tags_to_add=gone.tags)
        self._event("entity_merged", kept, min(self.users))

    def add_note(self, kind: str, entity_id: int, note_type: str, params: Json | None, *, by: int = 0) -> int:
        now = self.now()
        note = Note(
            id=self.next_id("note"), kind=kind, entity_id=entity_id, note_type=note_type, params=params,
            created_by=by, responsible_user_id=by, created_at=now, updated_at=now,
        )  # fmt: skip
        self.notes[note.id] = note
        added = {"call_in": "incoming_call", "call_out": "outgoing_call"}.get(
            note_type, f"{note_type}_note_added"
        )
        self._event(added, self.entities(kind)[entity_id], by, after=[{"note": {"id": note.id}}])
        return note.id

    # What can be looked at

    def leads_in(self, pipeline: str) -> list[Lead]:
        where = self.pipeline(pipeline).id
        return [lead for lead in self.leads.values() if lead.pipeline_id == where and not lead.is_deleted]

    def notes_of(self, lead_id: int) -> list[str]:
        """Texts of the deal's notes, the oldest first."""
        return [note.text for note in self.notes.values() if (note.kind, note.entity_id) == (LEADS, lead_id)]

    def tasks_of(self, lead_id: int) -> list[Task]:
        return [
            task for task in self.tasks.values() if (task.entity_type, task.entity_id) == (LEADS, lead_id)
        ]

    def field_value(self, lead_id: int, field_name: str) -> Any:
        """The first value of a deal's field, None when it is empty."""
        values = self.leads[lead_id].fields.get(self.field_id(field_name))
        return values[0]["value"] if values else None

    def leads_of_contact(self, contact_id: int) -> list[Lead]:
        return [
            lead for lead in self.leads.values() if contact_id in lead.contact_ids and not lead.is_deleted
        ]

    def leads_of_company(self, company_id: int) -> list[Lead]:
        return [lead for lead in self.leads.values() if lead.company_id == company_id and not lead.is_deleted]

    # What the helpers and the API have in common

    def change_lead(
        self,
        lead: Lead,
        *,
        by: int | None = None,
        name: str | None = None,
        price: float | None = None,
        status: tuple[int, int] | None = None,
        closed_at: int | None = None,
        responsible_user_id: int | None = None,
        loss_reason_id: int | None = None,
        fields: Mapping[int, list[Json]] | None = None,
        tags_to_add: Iterable[str] = (),
        tags_to_delete: Iterable[str] = (),
    ) -> None:
        """Change what is given, with an event for each difference; `fields` with no values are emptied."""
        by = min(self.users) if by is None else by
        now = self.now()
        before = (lead.pipeline_id, lead.status_id)
        if status and status != before:
            lead.pipeline_id, lead.status_id = status
            lead.closed_at = (closed_at or now) if status[1] in CLOSED else None
            lead.loss_reason_id = None
            self._event("lead_status_changed", lead, by, [_status(*status)], [_status(*before)])
        elif closed_at:
            lead.closed_at = closed_at
        if responsible_user_id and responsible_user_id != lead.responsible_user_id:
            old_user, lead.responsible_user_id = lead.responsible_user_id, responsible_user_id
            users = [{"responsible_user": {"id": user}} for user in (responsible_user_id, old_user)]
            self._event("entity_responsible_changed", lead, by, users[:1], users[1:])
        if name is not None and name != lead.name:
            old_name, lead.name = lead.name, name
            names = [{"name_field_value": {"name": text}} for text in (name, old_name)]
            self._event("name_field_changed", lead, by, names[:1], names[1:])
        if price is not None and price != lead.price:
            old_price, lead.price = lead.price, price
            sales = [{"sale_field_value": {"sale": sale}} for sale in (price, old_price)]
            self._event("sale_field_changed", lead, by, sales[:1], sales[1:])
        lead.loss_reason_id = loss_reason_id or lead.loss_reason_id
        self.change_fields(lead, fields or {}, by)
        self.change_tags(lead, tags_to_add, tags_to_delete, by)
        lead.updated_at, lead.updated_by = max(now, lead.updated_at), by
        self._hook("update", lead)
        if status and status != before:
            self._hook("status", lead, {"old_status_id": before[1], "old_pipeline_id": before[0]})

    def change_fields(self, entity: Entity, fields: Mapping[int, list[Json]], by: int) -> None:
        for field_id, values in fields.items():
            before = entity.fields.get(field_id, [])
            if values == before:
                continue
            if values:
                entity.fields[field_id] = values
            else:
                entity.fields.pop(field_id, None)
            after, old = ([_field_value(field_id, value) for value in side] for side in (values, before))
            self._event("custom_field_value_changed", entity, by, after, old)

    def tag_id(self, kind: str, name: str) -> int:
        """Each kind of entity has tags of its own."""
        known = self.tag_ids[kind]
        if name not in known:
            known[name] = self.next_id("tag")
        return known[name]

    def tag_contact(self, contact_id: int, *, add: Iterable[str] = (), delete: Iterable[str] = ()) -> None:
        """A person sets tags on a contact, or takes them off."""
        contact, boss = self.contacts[contact_id], min(self.users)
        self.change_tags(contact, add, delete, boss)
        contact.updated_at, contact.updated_by = max(self.now(), contact.updated_at), boss

    def change_tags(self, entity: Entity, add: Iterable[str], delete: Iterable[str], by: int) -> None:
        for tag in add:
            if tag not in entity.tags:
                entity.tags.append(tag)
                self._event("entity_tag_added", entity, by, [{"tag": {"name": tag}}])
        for tag in delete:
            if tag in entity.tags:
                entity.tags.remove(tag)
                self._event("entity_tag_deleted", entity, by, [], [{"tag": {"name": tag}}])

    def note_addition(self, lead: Lead, by: int) -> None:
        self._event("lead_added", lead, by)
        self._hook("add", lead)

    def task_event(self, type: str, task: Task, by: int) -> None:
        entity_id = task.entity_id or task.id
        self._append_event(type, entity_id, SINGULAR.get(task.entity_type or "", "task"), by, [], [])

    def chat_message(
        self, lead: Lead | None = None, *, contact_id: int = 0, talk_id: int = 117, by: int | None = None,
        at: datetime | None = None,
    ) -> Event:  # fmt: skip
        """A client wrote in a chat, or (`by`) somebody of the company: a user, or 0 for a robot or a phone.

        As in live accounts it stands with the deal if there is one, and says there whose the conversation is.
        """
        type = "incoming_chat_message" if by is None else "outgoing_chat_message"
        message: Json = {"id": f"message-{len(self.events) + 1}", "talk_id": talk_id, "origin": "whatsapp"}
        entity_type = SINGULAR[LEADS] if lead is not None else SINGULAR[CONTACTS]
        entity_id = lead.id if lead is not None else contact_id
        self._append_event(type, entity_id, entity_type, by or 0, [{"message": message}], [])
        if at is not None:  # it was written before
            self.events[-1].created_at = int(at.timestamp())
        self.events[-1].contact_id = contact_id or (lead.contact_ids[0] if lead and lead.contact_ids else 0)
        return self.events[-1]

    def close_talk(self, talk_id: int, by: int) -> None:
        """A person has closed a conversation."""
        self._append_event("talk_closed", talk_id, "talk", by, [], [])

    def _event(
        self, type: str, entity: Entity, by: int, after: Sequence[Json] = (), before: Sequence[Json] = ()
    ) -> None:
        self._append_event(type, entity.id, SINGULAR[entity.kind], by, list(after), list(before))

    def _append_event(
        self, type: str, entity_id: int, entity_type: str, by: int, after: list[Json], before: list[Json]
    ) -> None:
        number = self.next_id("event")
        event = Event(
            id=f"01k{number:023d}", type=type, entity_id=entity_id, entity_type=entity_type, created_by=by,
            created_at=self.now(), value_after=after, value_before=before,
        )  # fmt: skip
        self.events.append(event)

    def _hook(self, action: str, lead: Lead, more: Mapping[str, object] | None = None) -> None:
        """What a webhook would say of it: keys of API v2, all values text."""
        if not any(f"{action}_lead" in hook.settings for hook in self.webhooks.values() if not hook.disabled):
            return
        said: Json = {"id": lead.id}
        if action != "delete":
            said |= {
                "name": lead.name, "status_id": lead.status_id, "pipeline_id": lead.pipeline_id,
                "price": lead.price, "responsible_user_id": lead.responsible_user_id,
                "last_modified": lead.updated_at, "modified_user_id": lead.updated_by,
                "created_user_id": lead.created_by, "date_create": lead.created_at, "account_id": 1000,
                **(more or {}),
            }  # fmt: skip
        body = {f"leads[{action}][0][{key}]": str(value) for key, value in said.items()}
        self.hooks.append({"setting": f"{action}_lead", "body": body})

    def _user(self, user: str | int | None) -> int:
        if user is None:
            return min(self.users)
        return self.user_id(user) if isinstance(user, str) else user

    def _stored(self, custom: CustomField, value: object) -> list[Json]:
        """A value as it is kept and read: numbers as text, choices with their id."""
        if custom.enums:
            enum_id = next(key for key, text in custom.enums.items() if text == value)
            return [{"value": value, "enum_id": enum_id, "enum_code": None}]
        if isinstance(value, datetime):
            return [{"value": int(value.timestamp())}]
        return [{"value": str(value) if custom.type == "numeric" else value}]


class _Named(Protocol):
    name: str


_Thing = TypeVar("_Thing", bound=_Named)


def _by_name(things: Iterable[_Thing], name: str) -> _Thing:
    for thing in things:
        if thing.name == name:
            return thing
    raise LookupError(f"nothing is called «{name}» in the made-up account")


def _seconds(moment: Moment | None) -> int | None:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return int(moment.timestamp()) if isinstance(moment, datetime) else moment


def _status(pipeline_id: int, status_id: int) -> Json:
    return {"lead_status": {"id": status_id, "pipeline_id": pipeline_id}}


def _field_value(field_id: int, value: Json) -> Json:
    said = {
        "field_id": field_id,
        "field_type": 1,
        "enum_id": value.get("enum_id"),
        "text": str(value["value"]),
    }
    return {"custom_field_value": said}
