"""What the stand-in of amoCRM accepts in a write: every element is checked before any is applied."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from integrations.standins.amocrm_account import MadeUpAccount
from integrations.standins.amocrm_elements import Element, RuleBroken, is_of, refuse_if_wrong
from integrations.standins.amocrm_model import (
    COMPANIES,
    CONTACTS,
    LEADS,
    LOST,
    CustomField,
    Entity,
    Json,
    Lead,
    Task,
)

LONGEST_NOTE = 20_000
NOTE_TYPES = {
    "common", "call_in", "call_out", "service_message", "extended_service_message", "sms_in", "sms_out",
    "attachment", "geolocation", "message_cashier",
}  # fmt: skip
SYSTEM_STATUSES = (142, 143)
MONEY = (int, float)
ENTITY_KEYS = {
    "name": str, "responsible_user_id": int, "created_by": int, "updated_by": int, "created_at": int,
    "updated_at": int, "custom_fields_values": list, "tags_to_add": list, "tags_to_delete": list,
    "_embedded": dict, "request_id": (str, int), "id": int,
}  # fmt: skip
LEAD_KEYS = ENTITY_KEYS | {
    "price": MONEY, "status_id": int, "pipeline_id": int, "closed_at": int, "loss_reason_id": int,
}  # fmt: skip
CONTACT_KEYS = ENTITY_KEYS | {"first_name": str, "last_name": str}
NOTE_KEYS = {
    "entity_id": int, "note_type": str, "params": dict, "created_by": int, "responsible_user_id": int,
    "created_at": int, "request_id": (str, int), "is_need_to_trigger_digital_pipeline": bool,
}  # fmt: skip
TASK_KEYS = {
    "id": int, "text": str, "complete_till": int, "responsible_user_id": int, "entity_id": int,
    "entity_type": str, "task_type_id": int, "duration": int, "is_completed": bool, "result": dict,
    "created_by": int, "updated_by": int, "created_at": int, "updated_at": int, "request_id": (str, int),
}  # fmt: skip


class Writes:
    """Carries out the writes of the API upon a made-up account."""

    def __init__(self, account: MadeUpAccount) -> None:
        self.account = account
        self.is_strict = True  # `enum_code` read and written back is refused

    # Leads, contacts, companies

    def create(self, kind: str, elements: Sequence[Element]) -> list[Entity]:
        for element in elements:
            self._check_entity(kind, element, None)
        refuse_if_wrong(elements)
        self._check_loss_reasons([(element, None) for element in elements])
        return [self._create(kind, element.raw) for element in elements]

    def change(self, kind: str, elements: Sequence[Element]) -> list[Entity]:
        """Elements carry ids; an unknown one is wrong like anything else."""
        entities = []
        for element in elements:
            entity = self.account.entities(kind).get(element.raw.get("id", 0))
            if "id" not in element.raw:
                element.wrong("FieldMissing", "id")
            elif entity is None or entity.is_deleted:
                element.wrong("NotSupportedChoice", "id")
            self._check_entity(kind, element, entity)
            entities.append(entity)
        refuse_if_wrong(elements)
        known = [entity for entity in entities if entity]
        self._check_loss_reasons(list(zip(elements, known, strict=True)))
        for element, entity in zip(elements, known, strict=True):
            self._change(entity, element.raw)
        return known

    def _check_entity(self, kind: str, element: Element, entity: Entity | None) -> None:
        element.keys(LEAD_KEYS if kind == LEADS else CONTACT_KEYS)
        for key in ("responsible_user_id", "created_by", "updated_by"):
            if element.has(key, int) and not self._may_be(key, element.raw[key]):
                element.wrong("NotSupportedChoice", key)
        if element.has("custom_fields_values", list):
            self._check_fields(kind, element)
        for key in ("tags_to_add", "tags_to_delete"):
            if element.has(key, list):
                self._check_tags(kind, key, element)
        if element.has("_embedded", dict):
            self._check_embedded(element, is_new=entity is None)
        if kind == LEADS:
            lead = entity if isinstance(entity, Lead) else None
            if self._status_of(element.raw, lead) is None:
                key = "status_id" if "status_id" in element.raw else "pipeline_id"
                element.wrong("NotSupportedChoice", key)

    def _may_be(self, key: str, user_id: int) -> bool:
        """Somebody who works here; 0 is a robot and is responsible for nothing."""
        user = self.account.users.get(user_id)
        return bool(user and user.is_active) or (user_id == 0 and key != "responsible_user_id")

    def _status_of(self, raw: Json, lead: Lead | None) -> tuple[int, int] | None:
        """Where the deal goes (or stays), as (pipeline, status); None where there is no such pair."""
        pipelines = self.account.pipelines
        pipeline_id, status_id = raw.get("pipeline_id"), raw.get("status_id")
        if pipeline_id is None and status_id is None and lead:
            return lead.pipeline_id, lead.status_id
        if pipeline_id is None and status_id in SYSTEM_STATUSES and lead:
            return None  # 142 and 143 are in every pipeline: which one is meant must be said
        if pipeline_id is None:
            having = [p for p in pipelines.values() if any(s.id == status_id for s in p.statuses)]
            main = [p for p in pipelines.values() if p.is_main]
            pipeline_id = next((p.id for p in (main if status_id is None else having)), None)
        pipeline = pipelines.get(pipeline_id or 0)
        if pipeline is None:
            return None
        if status_id is None:
            status_id = pipeline.first_status.id
        is_there = any(status.id == status_id and status.type == 0 for status in pipeline.statuses)
        return (pipeline.id, status_id) if is_there else None

    def _check_loss_reasons(self, writes: Sequence[tuple[Element, Entity | None]]) -> None:
        errors = {}
        for element, entity in writes:
            if element.raw.get("loss_reason_id") and isinstance(entity, Lead | None):
                status = self._status_of(element.raw, entity)
                if status and status[1] != LOST:
                    name = str(entity.id if entity else element.request_id)
                    errors[name] = "Loss reason can be specified only for lost lead"
        if errors:
            raise RuleBroken(errors)

    def _check_embedded(self, element: Element, *, is_new: bool) -> None:
        for key, rows in element.raw["_embedded"].items():
            known = {CONTACTS: self.account.contacts, COMPANIES: self.account.companies}.get(key)
            if key not in ("tags", "source") and (known is None or not is_new):
                element.wrong("FieldNotExpected", f"_embedded.{key}")
            elif known is not None:
                for place, row in enumerate(rows if isinstance(rows, list) else [{}]):
                    if not isinstance(row, dict) or row.get("id") not in known:
                        element.wrong("NotSupportedChoice", f"_embedded.{key}.{place}.id")

    def _check_tags(self, kind: str, key: str, element: Element) -> None:
        """Each by its id or its name; a name that no tag has yet makes one."""
        for place, row in enumerate(element.raw[key]):
            if not isinstance(row, dict) or not (is_of(row.get("id"), int) or is_of(row.get("name"), str)):
                element.wrong("InvalidType", f"{key}.{place}")
            elif "id" in row and row["id"] not in self.account.tag_ids[kind].values():
                element.wrong("NotSupportedChoice", f"{key}.{place}.id")

    def _tags(self, kind: str, rows: object) -> list[str]:
        """Their names."""
        names = {number: name for name, number in self.account.tag_ids[kind].items()}
        tags = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return [name for row in tags if (name := row.get("name") or names.get(row.get("id", 0), ""))]

    def _check_fields(self, kind: str, element: Element) -> None:
        for place, row in enumerate(element.raw["custom_fields_values"]):
            path = f"custom_fields_values.{place}"
            custom = self._field_of(kind, row)
            if custom is None:
                element.wrong("NotSupportedChoice", f"{path}.field_id")
            elif row.get("values") is not None:
                values = row["values"] if isinstance(row["values"], list) else [None]
                for number, value in enumerate(values):
                    self._check_value(custom, value, element, f"{path}.values.{number}")

    def _field_of(self, kind: str, row: object) -> CustomField | None:
        if not isinstance(row, dict):
            return None
        fields = self.account.custom_fields[kind]
        if "field_id" in row:
            return fields.get(row["field_id"]) if isinstance(row["field_id"], int) else None
        code = row.get("field_code")
        return next((custom for custom in fields.values() if code and custom.code == code), None)

    def _check_value(self, custom: CustomField, value: object, element: Element, path: str) -> None:
        if not isinstance(value, dict) or not value.keys() & {"value", "enum_id", "enum_code"}:
            element.wrong("InvalidType", path)
            return
        allowed = {"value", "enum_id", "enum_code"} if custom.enums else {"value"}
        if self.is_strict and custom.type != "multitext" and len(value) > 1:
            allowed -= {"enum_code"}  # It stands beside others only where a value was read and echoed.
        for key in value.keys() - allowed:
            element.wrong("FieldNotExpected", f"{path}.{key}")
        if custom.type == "multitext":
            if not isinstance(value.get("value"), str):
                element.wrong("InvalidType", f"{path}.value")
            elif value.get("enum_code", "WORK") not in custom.enums.values():
                element.wrong("NotSupportedChoice", f"{path}.enum_code")
        elif custom.enums:
            if _choice(custom, value) is None:
                key = "enum_id" if "enum_id" in value else "value"
                element.wrong("NotSupportedChoice", f"{path}.{key}")
        elif not _fits(custom.type, value.get("value")):
            element.wrong("InvalidType", f"{path}.value")

    def _values(self, kind: str, rows: Iterable[Json]) -> dict[int, list[Json]]:
        """Field id → values as they will be read."""
        return {
            custom.id: [_kept(custom, value) for value in row.get("values") or []]
            for row in rows
            if (custom := self._field_of(kind, row))
        }

    def _create(self, kind: str, raw: Json) -> Entity:
        account, now = self.account, self.account.now()
        by = raw.get("created_by", 0)
        common: Json = {
            "id": account.next_id(kind), "kind": kind, "name": raw.get("name") or "",
            "responsible_user_id": raw.get("responsible_user_id") or min(account.users),
            "created_at": raw.get("created_at") or now, "updated_at": raw.get("updated_at") or now,
            "created_by": by, "updated_by": raw.get("updated_by", by),
        }  # fmt: skip
        embedded = raw.get("_embedded", {})
        entity: Entity
        if kind == LEADS:
            entity = self._new_lead(raw, common)
        else:
            entity = Entity(**common)
            names = [raw.get("first_name"), raw.get("last_name")]
            entity.name = entity.name or " ".join(name for name in names if name)
            (account.contacts if kind == CONTACTS else account.companies)[entity.id] = entity
        entity.company_id = next((row["id"] for row in embedded.get(COMPANIES, [])), None)
        account.change_fields(entity, self._values(kind, raw.get("custom_fields_values") or []), by)
        tags = [*self._tags(kind, embedded.get("tags")), *self._tags(kind, raw.get("tags_to_add"))]
        account.change_tags(entity, tags, [], by)
        return entity

    def _new_lead(self, raw: Json, common: Json) -> Lead:
        account = self.account
        pipeline_id, status_id = self._status_of(raw, None) or (0, 0)
        lead = Lead(**common, pipeline_id=pipeline_id, status_id=status_id, price=raw.get("price") or 0)
        if status_id in SYSTEM_STATUSES:
            lead.closed_at = raw.get("closed_at") or account.now()
        contacts = raw.get("_embedded", {}).get(CONTACTS, [])
        lead.contact_ids = [row["id"] for row in sorted(contacts, key=lambda row: not row.get("is_main"))]
        account.leads[lead.id] = lead
        account.note_addition(lead, lead.created_by)
        return lead

    def _change(self, entity: Entity, raw: Json) -> None:
        account, by = self.account, raw.get("updated_by", 0)
        values = self._values(entity.kind, raw.get("custom_fields_values") or [])
        add = self._tags(entity.kind, raw.get("tags_to_add"))
        delete = self._tags(entity.kind, raw.get("tags_to_delete"))
        embedded = raw.get("_embedded", {})
        if "tags" in embedded:  # replaces them all
            add, delete = self._tags(entity.kind, embedded["tags"]), [*entity.tags]
            delete = [tag for tag in delete if tag not in add]
        if isinstance(entity, Lead):
            account.change_lead(
                entity, by=by, name=raw.get("name"), price=raw.get("price"),
                status=self._status_of(raw, entity), closed_at=raw.get("closed_at"),
                responsible_user_id=raw.get("responsible_user_id"), fields=values,
                loss_reason_id=raw.get("loss_reason_id"), tags_to_add=add, tags_to_delete=delete,
            )  # fmt: skip
            return
        entity.name = raw.get("name") or entity.name
        entity.responsible_user_id = raw.get("responsible_user_id") or entity.responsible_user_id
        account.change_fields(entity, values, by)
        account.change_tags(entity, add, delete, by)
        entity.updated_at, entity.updated_by = max(account.now(), entity.updated_at), by

    # Notes and tasks

    def add_notes(self, kind: str, elements: Sequence[Element], entity_id: int | None) -> list[Json]:
        """With `entity_id` all go to one entity, else each names its own."""
        for element in elements:
            element.keys(NOTE_KEYS)
            target = entity_id or element.raw.get("entity_id")
            known = self.account.entities(kind).get(target or 0)
            if known is None or known.is_deleted:
                element.wrong("NotSupportedChoice" if target else "FieldMissing", "entity_id")
            if element.raw.get("note_type") not in NOTE_TYPES:
                element.wrong("NotSupportedChoice", "note_type")
            params = element.raw.get("params")
            text = params.get("text", "") if isinstance(params, dict) else ""
            if not isinstance(params, dict):
                element.wrong("FieldMissing", "params")
            elif not isinstance(text, str):
                element.wrong("InvalidType", "params.text")
            elif len(text) > LONGEST_NOTE:
                element.wrong("TooLong", "params.text")
        refuse_if_wrong(elements)
        written = []
        for element in elements:
            target = entity_id or element.raw["entity_id"]
            note_id = self.account.add_note(
                kind, target, element.raw["note_type"], element.raw["params"],
                by=element.raw.get("created_by", 0),
            )  # fmt: skip
            written.append({"id": note_id, "entity_id": target, "request_id": element.request_id})
        return written

    def add_tasks(self, elements: Sequence[Element]) -> list[Task]:
        for element in elements:
            self._check_task(element)
            for key in ("text", "complete_till"):
                if key not in element.raw:
                    element.wrong("FieldMissing", key)
        refuse_if_wrong(elements)
        tasks = []
        for element in elements:
            raw, now = element.raw, self.account.now()
            task = Task(
                id=self.account.next_id("task"), text=raw["text"], complete_till=raw["complete_till"],
                responsible_user_id=raw.get("responsible_user_id") or min(self.account.users),
                entity_id=raw.get("entity_id"), entity_type=raw.get("entity_type"), created_at=now,
                updated_at=now, task_type_id=raw.get("task_type_id", 1),
                created_by=raw.get("created_by", 0), duration=raw.get("duration", 0),
            )  # fmt: skip
            self.account.tasks[task.id] = task
            self.account.task_event("task_added", task, task.created_by)
            self._change_task(task, {key: raw[key] for key in ("is_completed", "result") if key in raw})
            tasks.append(task)
        return tasks

    def change_tasks(self, elements: Sequence[Element]) -> list[Task]:
        for element in elements:
            self._check_task(element)
            if element.raw.get("id") not in self.account.tasks:
                element.wrong("NotSupportedChoice" if "id" in element.raw else "FieldMissing", "id")
        refuse_if_wrong(elements)
        tasks = []
        for element in elements:
            task = self.account.tasks[element.raw["id"]]
            self._change_task(task, element.raw)
            tasks.append(task)
        return tasks

    def _check_task(self, element: Element) -> None:
        element.keys(TASK_KEYS)
        raw = element.raw
        if "responsible_user_id" in raw and not self._may_be(
            "responsible_user_id", raw["responsible_user_id"]
        ):
            element.wrong("NotSupportedChoice", "responsible_user_id")
        kind = raw.get("entity_type")
        if kind is not None and kind not in (LEADS, CONTACTS, COMPANIES):
            element.wrong("NotSupportedChoice", "entity_type")
        elif kind is not None and raw.get("entity_id") not in self.account.entities(kind):
            element.wrong("NotSupportedChoice", "entity_id")

    def _change_task(self, task: Task, raw: Json) -> None:
        by = raw.get("updated_by", 0)
        for key in ("text", "complete_till", "responsible_user_id", "task_type_id", "duration"):
            if key in raw:
                setattr(task, key, raw[key])
        if "complete_till" in raw:
            self.account.task_event("task_deadline_changed", task, by)
        if raw.get("is_completed") and not task.is_completed:
            self.account.task_event("task_completed", task, by)
        task.is_completed = raw.get("is_completed", task.is_completed)
        if "result" in raw:
            task.result_text = raw["result"].get("text")
            self.account.task_event("task_result_added", task, by)
        task.updated_at = max(self.account.now(), task.updated_at)
        task.updated_by = by


def _choice(custom: CustomField, value: Json) -> int | None:
    """The id of the choice that is meant: by id, or by its exact text."""
    if "enum_id" in value:
        return value["enum_id"] if value["enum_id"] in custom.enums else None
    return next((key for key, text in custom.enums.items() if text == value.get("value")), None)


def _kept(custom: CustomField, value: Json) -> Json:
    if custom.type == "multitext":
        code = value.get("enum_code", "WORK")
        enum_id = next(key for key, text in custom.enums.items() if text == code)
        return {"value": value["value"], "enum_id": enum_id, "enum_code": code}
    if custom.enums:
        enum_id = _choice(custom, value) or 0
        return {"value": custom.enums[enum_id], "enum_id": enum_id, "enum_code": None}
    said = value["value"]
    if custom.type == "numeric":
        return {"value": f"{said:g}" if isinstance(said, float) else str(said)}
    if custom.type in ("date", "date_time", "birthday") and isinstance(said, str):
        return {"value": int(datetime.fromisoformat(said).timestamp())}
    return {"value": said}


def _fits(field_type: str, value: object) -> bool:
    match field_type:
        case "numeric":
            is_text = isinstance(value, str) and bool(re.fullmatch(r"-?\d+(\.\d+)?", value))
            return is_text or is_of(value, MONEY)
        case "checkbox":
            return isinstance(value, bool)
        case "date" | "date_time" | "birthday":
            is_text = isinstance(value, str) and bool(re.match(r"\d{4}-\d\d-\d\dT", value))
            return is_text or is_of(value, int)
        case _:
            return isinstance(value, str)
