"""What changes in a made-up amoCRM account, and the events and webhooks that tell of it."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from integrations.standins.amocrm_model import (
    CLOSED,
    COMPANIES,
    CONTACTS,
    LEADS,
    SINGULAR,
    CustomField,
    Entity,
    Event,
    Json,
    Lead,
    Note,
    Pipeline,
    Task,
    User,
    Webhook,
)


class Chronicle:
    """Whatever is done, by the helpers or by the API, happens at the clock's time and leaves an event."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
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

    def now(self) -> int:
        """Unix seconds, by the clock of this account."""
        return int(self.clock().timestamp())

    def next_id(self, of: str) -> int:
        return next(self._ids[of])

    def entities(self, kind: str) -> Mapping[int, Entity]:
        if kind == LEADS:
            return self.leads
        return self.contacts if kind == CONTACTS else self.companies

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

    def change_tags(self, entity: Entity, add: Iterable[str], delete: Iterable[str], by: int) -> None:
        for tag in add:
            if tag not in entity.tags:
                entity.tags.append(tag)
                self._event("entity_tag_added", entity, by, [{"tag": {"name": tag}}])
        for tag in delete:
            if tag in entity.tags:
                entity.tags.remove(tag)
                self._event("entity_tag_deleted", entity, by, [], [{"tag": {"name": tag}}])

    def tag_id(self, kind: str, name: str) -> int:
        """Each kind of entity has tags of its own."""
        known = self.tag_ids[kind]
        if name not in known:
            known[name] = self.next_id("tag")
        return known[name]

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
