"""A made-up amoCRM account: its people and deals, and what is done to them by hand."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from integrations.standins.amocrm_chronicle import Chronicle
from integrations.standins.amocrm_model import (
    COMPANIES,
    CONTACTS,
    LEADS,
    LOST,
    SINGULAR,
    WON,
    CustomField,
    Entity,
    Json,
    Lead,
    Note,
    Pipeline,
    Status,
    Task,
    User,
)

Moment = datetime | str | int  # text in ISO 8601, or Unix seconds
PHONE_KINDS = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
SALES_STATUSES = ("Первичный контакт", "Замер", "Договор", "Монтаж")
COMPLAINT_STATUSES = ("Новая", "В работе")


class MadeUpAccount(Chronicle):
    """By these helpers a person of the company acts: `by` is who, the first user unless told otherwise."""

    def __init__(self, clock: Callable[[], datetime], *, timezone: str = "Asia/Vladivostok") -> None:
        super().__init__(clock)
        self.timezone = timezone
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

    # Names

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
        is_by_robot: bool = False,
    ) -> int:
        """An open deal in the pipeline's first status; the first contact is the main one.

        `is_by_robot`: as integrations make them, the account's own messenger among them.
        """
        where = self.pipeline(pipeline)
        user = self._user(responsible)
        created = _seconds(created_at) or self.now()
        lead = Lead(
            id=self.next_id(LEADS), kind=LEADS, name=name, responsible_user_id=user, created_at=created,
            updated_at=created, created_by=0 if is_by_robot else user, updated_by=user, pipeline_id=where.id,
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

    def tag_contact(self, contact_id: int, *, add: Iterable[str] = (), delete: Iterable[str] = ()) -> None:
        """A person sets tags on a contact, or takes them off."""
        contact, boss = self.contacts[contact_id], min(self.users)
        self.change_tags(contact, add, delete, boss)
        contact.updated_at, contact.updated_by = max(self.now(), contact.updated_at), boss

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
