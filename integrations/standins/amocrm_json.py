"""How things of the made-up account look in amoCRM's API."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from starlette.requests import Request

from integrations.standins.amocrm_account import MadeUpAccount
from integrations.standins.amocrm_model import (
    CLOSED,
    COMPANIES,
    CONTACTS,
    LEADS,
    CustomField,
    Entity,
    Event,
    Json,
    Lead,
    Note,
    Pipeline,
    Status,
    Task,
    User,
    Webhook,
)
from integrations.standins.amocrm_query import Query

API = "/api/v4"
PAGE = 250


class Looks:
    """The models of one account; their links repeat the address of the request."""

    def __init__(self, account: MadeUpAccount) -> None:
        self.account = account

    def user(self, user: User, request: Request) -> Json:
        everything = dict.fromkeys(("view", "edit", "add", "delete", "export"), "A")
        return {
            "id": user.id, "name": user.name, "email": f"user{user.id}@example.com", "lang": "ru",
            "rights": {
                "leads": everything, "contacts": everything, "companies": everything,
                "tasks": {"edit": "A", "delete": "A"}, "mail_access": False, "catalog_access": False,
                "files_access": False, "status_rights": None, "is_admin": user.is_admin, "is_free": False,
                "is_active": user.is_active, "group_id": None, "role_id": None,
            },
            "_links": {"self": {"href": f"{host_of(request)}{API}/users/{user.id}/"}},
            "_embedded": {"roles": [], "groups": []},
        }  # fmt: skip

    def itself(self, request: Request, *, filters: bool | None) -> Json:
        """The account. `filters`: has it the paid option of filters; None where that is not told."""
        account, query = self.account, Query(request.url.query)
        body: Json = {
            "id": 1000, "name": "ВладАвтоматика", "subdomain": "example", "country": "RU", "currency": "RUB",
            "current_user_id": min(account.users), "currency_symbol": "₽", "customers_mode": "disabled",
            "is_unsorted_on": True, "is_loss_reason_enabled": True, "is_helpbot_enabled": False,
            "is_technical_account": False, "contact_name_display_order": 1,
            "_links": self_link(request, query), "_embedded": {},
        }  # fmt: skip
        if "is_api_filter_enabled" in query.with_ and filters is not None:
            body["is_api_filter_enabled"] = filters
        if "datetime_settings" in query.with_:
            offset = format(account.clock().astimezone(ZoneInfo(account.timezone)), "%z")
            body["_embedded"]["datetime_settings"] = {
                "date_pattern": "d.m.Y H:i", "short_date_pattern": "d.m.Y", "short_time_pattern": "H:i",
                "date_formant": "d.m.Y", "time_format": "H:i:s", "timezone": account.timezone,
                "timezone_offset": f"{offset[:3]}:{offset[3:]}",
            }  # fmt: skip
        if "task_types" in query.with_:
            body["_embedded"]["task_types"] = [
                {"id": 1, "name": "Связаться", "color": None, "icon_id": None, "code": "FOLLOW_UP"},
                {"id": 2, "name": "Встреча", "color": None, "icon_id": None, "code": "MEETING"},
            ]
        return body

    def pipeline(self, pipeline: Pipeline, request: Request) -> Json:
        return {
            "id": pipeline.id, "name": pipeline.name, "sort": pipeline.sort, "is_main": pipeline.is_main,
            "is_unsorted_on": pipeline.is_unsorted_on, "is_archive": pipeline.is_archive, "account_id": 1000,
            "_links": {"self": {"href": f"{host_of(request)}{API}/leads/pipelines/{pipeline.id}"}},
            "_embedded": {"statuses": [self.status(status, request) for status in pipeline.statuses]},
        }  # fmt: skip

    def status(self, status: Status, request: Request) -> Json:
        address = f"{host_of(request)}{API}/leads/pipelines/{status.pipeline_id}/statuses/{status.id}"
        return {
            "id": status.id, "name": status.name, "sort": status.sort, "pipeline_id": status.pipeline_id,
            "is_editable": status.type == 0 and status.id not in CLOSED, "color": status.color,
            "type": status.type, "account_id": 1000, "_links": {"self": {"href": address}},
        }  # fmt: skip

    def field(self, custom: CustomField, request: Request) -> Json:
        kind = kind_of(request)
        enums = [
            {"id": key, "value": text, "sort": place, "code": text if custom.type == "multitext" else None}
            for place, (key, text) in enumerate(custom.enums.items(), start=1)
        ]
        return {
            "id": custom.id, "name": custom.name, "type": custom.type, "account_id": 1000,
            "code": custom.code, "sort": custom.sort, "is_api_only": custom.is_api_only,
            "enums": enums or None,
            "group_id": None, "required_statuses": [], "is_deletable": True,
            "is_predefined": bool(custom.code), "entity_type": kind, "tracking_callback": None,
            "remind": None, "triggers": [], "currency": None, "hidden_statuses": [], "chained_lists": None,
            "_links": {"self": {"href": f"{host_of(request)}{API}/{kind}/custom_fields/{custom.id}"}},
        }  # fmt: skip

    def entity(self, entity: Entity, request: Request) -> Json:
        """A lead, contact or company; `with` decides which neighbours stand in it."""
        kind, (asked, repeated) = entity.kind, _asked(request.url.query)
        address = f"{host_of(request)}{API}/{kind}/{entity.id}"
        suffix = "" if "id" in request.path_params else f"?{repeated}"
        embedded: Json = {
            "tags": [
                {"id": self.account.tag_id(kind, tag), "name": tag, "color": None} for tag in entity.tags
            ]
        }
        if kind != COMPANIES:
            company = [entity.company_id] if entity.company_id else []
            embedded[COMPANIES] = [_neighbour(COMPANIES, number, request) for number in company]
        body: Json = {
            "id": entity.id, "name": entity.name, "responsible_user_id": entity.responsible_user_id,
            "group_id": 0, "created_by": entity.created_by, "updated_by": entity.updated_by,
            "created_at": entity.created_at, "updated_at": entity.updated_at,
            "closest_task_at": self._closest_task(entity), "is_deleted": entity.is_deleted,
            "custom_fields_values": self._values(entity), "account_id": 1000,
            "_links": {"self": {"href": address + suffix}}, "_embedded": embedded,
        }  # fmt: skip
        if isinstance(entity, Lead):
            body |= {
                "price": entity.price, "status_id": entity.status_id, "pipeline_id": entity.pipeline_id,
                "loss_reason_id": entity.loss_reason_id, "closed_at": entity.closed_at, "score": None,
                "labor_cost": None,
            }  # fmt: skip
            if "contacts" in asked:
                embedded[CONTACTS] = [
                    {**_neighbour(CONTACTS, number, request), "is_main": place == 0}
                    for place, number in enumerate(entity.contact_ids)
                ]
            if "loss_reason" in asked:
                reason = entity.loss_reason_id
                embedded["loss_reason"] = [{"id": reason, "name": "Дорого"}] if reason else []
            body |= entity.raw
        elif kind == CONTACTS:
            first, _, last = entity.name.partition(" ")
            body |= {"first_name": first, "last_name": last, "is_unsorted": False}
        if kind != LEADS and LEADS in asked:
            leads = (
                self.account.leads_of_contact(entity.id)
                if kind == CONTACTS
                else self.account.leads_of_company(entity.id)
            )
            embedded[LEADS] = [_neighbour(LEADS, lead.id, request) for lead in leads]
        return body

    def _values(self, entity: Entity) -> list[Json] | None:
        """Null when nothing is filled; a choice by the name that it has now."""
        fields = self.account.custom_fields[entity.kind]
        return [
            {
                "field_id": field_id, "field_name": fields[field_id].name,
                "field_code": fields[field_id].code, "field_type": fields[field_id].type,
                "values": [_value_json(fields[field_id], value) for value in values],
            }
            for field_id, values in entity.fields.items()
            if field_id in fields
        ] or None  # fmt: skip

    def _closest_task(self, entity: Entity) -> int | None:
        if isinstance(entity, Lead) and entity.status_id in CLOSED:
            return None
        dues = [
            task.complete_till
            for task in self.account.tasks.values()
            if (task.entity_type, task.entity_id) == (entity.kind, entity.id) and not task.is_completed
        ]
        return min(dues, default=None)

    def note(self, note: Note, request: Request) -> Json:
        address = f"{host_of(request)}{API}/{note.kind}/{note.entity_id}/notes/{note.id}"
        return {
            "id": note.id, "entity_id": note.entity_id, "created_by": note.created_by,
            "updated_by": note.created_by, "created_at": note.created_at, "updated_at": note.updated_at,
            "responsible_user_id": note.responsible_user_id, "group_id": 0, "note_type": note.note_type,
            "params": note.params, "account_id": 1000, "_links": {"self": {"href": address}},
        }  # fmt: skip

    def task(self, task: Task, request: Request) -> Json:
        return {
            "id": task.id, "created_by": task.created_by, "updated_by": task.updated_by,
            "created_at": task.created_at, "updated_at": task.updated_at,
            "responsible_user_id": task.responsible_user_id, "group_id": 0, "entity_id": task.entity_id,
            "entity_type": task.entity_type, "duration": task.duration, "is_completed": task.is_completed,
            "task_type_id": task.task_type_id, "text": task.text,
            "result": [] if task.result_text is None else {"text": task.result_text},
            "complete_till": task.complete_till, "account_id": 1000,
            "_links": {"self": {"href": f"{host_of(request)}{API}/tasks/{task.id}"}},
        }  # fmt: skip

    def event(self, event: Event, request: Request) -> Json:
        return {
            "id": event.id, "type": event.type, "entity_id": event.entity_id,
            "entity_type": event.entity_type, "created_by": event.created_by,
            "created_at": event.created_at, "value_after": event.value_after,
            "value_before": event.value_before, "account_id": 1000,
            "_links": {"self": {"href": f"{host_of(request)}{API}/events/{event.id}"}},
            "_embedded": {"entity": {"id": event.entity_id, **_talk_of(event)}},
        }  # fmt: skip


def _talk_of(event: Event) -> Json:
    """Whose conversation an event of a chat is about stands here in live answers."""
    return {"linked_talk_contact_id": event.contact_id} if event.contact_id else {}


def webhook_json(hook: Webhook) -> Json:
    return {
        "id": hook.id, "destination": hook.destination, "created_at": hook.created_at,
        "updated_at": hook.updated_at, "account_id": 1000, "created_by": 77, "sort": hook.sort,
        "disabled": hook.disabled, "settings": hook.settings,
    }  # fmt: skip


@lru_cache(maxsize=8)
def _asked(text: str) -> tuple[frozenset[str], str]:
    """What `with` names, and the query as links repeat it: the same for every entity of a page."""
    query = Query(text)
    return frozenset(query.with_), query.with_page(query.page, query.limit(PAGE))


def kind_of(request: Request) -> str:
    return request.url.path.removeprefix(API).split("/")[1]


def host_of(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def address_of(request: Request) -> str:
    return host_of(request) + request.url.path


def self_link(request: Request, query: Query) -> Json:
    text = f"?{request.url.query}" if query.pairs else ""
    return {"self": {"href": address_of(request) + text}}


def _neighbour(kind: str, number: int, request: Request) -> Json:
    return {"id": number, "_links": {"self": {"href": f"{host_of(request)}{API}/{kind}/{number}"}}}


def _value_json(custom: CustomField, value: Json) -> Json:
    if custom.type != "multitext" and value.get("enum_id"):
        return {**value, "value": custom.enums.get(value["enum_id"], value["value"])}
    return value
