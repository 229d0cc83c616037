"""A stand-in of amoCRM's API v4 for tests and the demo, with the habits of the real one."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from integrations.standins.amocrm_answers import REFUSALS, body_of, hal, missing, nothing, problem, written
from integrations.standins.amocrm_door import GuardedAccount
from integrations.standins.amocrm_elements import Element, elements_of
from integrations.standins.amocrm_json import API, Looks, address_of, kind_of, self_link
from integrations.standins.amocrm_links import Links
from integrations.standins.amocrm_model import COMPANIES, CONTACTS, LEADS, SINGULAR, Json
from integrations.standins.amocrm_oauth import PATH as OAUTH
from integrations.standins.amocrm_pages import Pages
from integrations.standins.amocrm_query import (
    Query,
    matching,
    matching_entities,
    matching_events,
    matching_fields,
)
from integrations.standins.amocrm_settings import Making
from integrations.standins.amocrm_webhooks import Subscribers
from integrations.standins.amocrm_writes import Writes
from integrations.standins.faults import CONTROL, Faults, Faulty, Logged, control_routes

EVENTS_PAGE = 100
KINDS = (LEADS, CONTACTS, COMPANIES)
EVENT_TYPES = {
    "lead_added": "Новая сделка", "lead_deleted": "Сделка удалена",
    "lead_status_changed": "Изменение этапа продажи", "entity_responsible_changed": "Ответственный изменён",
    "custom_field_value_changed": "Изменение поля", "incoming_chat_message": "Входящее сообщение",
    "outgoing_chat_message": "Исходящее сообщение", "common_note_added": "Новое примечание",
    "service_message_note_added": "Новое системное сообщение", "task_added": "Новая задача",
    "task_completed": "Завершение задачи", "talk_closed": "Беседа закрыта",
}  # fmt: skip

Handler = Callable[[Request], Awaitable[Response]]

# Helpers that another process may call through the control endpoint.
HELPERS = (
    "add_user", "add_pipeline", "add_field", "add_company", "add_contact", "add_lead", "close_lead",
    "move_lead", "edit_lead", "delete_lead", "merge_leads", "leads_in", "notes_of", "tasks_of", "field_value",
    "add_note",
)  # fmt: skip


class AmoCrmStandIn(GuardedAccount):
    """`app` is the server; the rest is the account behind it and switches for what may go wrong."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        token: str = "test-token",  # noqa: S107 - made up, like everything here
        filters: bool = True,
        rate_limit: int | None = 7,
        timezone: str = "Asia/Vladivostok",
    ) -> None:
        super().__init__(clock, token=token, rate_limit=rate_limit, timezone=timezone)
        self.filters = filters  # the paid option: filters of leads, contacts and companies
        self.tells_about_filters = True
        self.keeps_order = True  # False: `order[…]` is ignored
        self.pages = Pages()
        self.writes = Writes(self)
        self.making = Making(self)
        self.subscribers = Subscribers(self)
        self._looks = Looks(self)
        self._linked = Links(self)
        self.requests: list[Logged] = []
        self.faults = Faults()
        self._routes = Starlette(
            routes=[*self._api(), *control_routes(self.faults, self.requests, self._helpers())],
            exception_handlers=REFUSALS,
        )
        self.app: ASGIApp = Faulty(self._gate, self.faults, self.requests, clock)

    async def send_hooks(self, client: httpx.AsyncClient) -> None:
        """Tell the subscribers what happened since the last time."""
        await self.subscribers.tell_all(client)

    # At the door

    async def _gate(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is settled before anybody looks at the address; every answer tells the account's time."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = self.clock().astimezone(UTC).replace(microsecond=0)
                MutableHeaders(scope=message)["date"] = format_datetime(now, usegmt=True)
            await send(message)

        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._routes(scope, receive, send)
            return
        refusal = self.refusal(Request(scope))
        await (refusal or self._routes)(scope, receive, dated)

    # Addresses

    def _api(self) -> list[Route]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/account", self._account),
            ("GET", "/users", self._users),
            ("GET", "/users/{id:int}", self._user_by_id),
            ("GET", "/leads/pipelines", self._pipelines),
            ("POST", "/leads/pipelines", self._add_pipelines),
            ("GET", "/leads/pipelines/{id:int}", self._pipeline),
            ("GET", "/leads/pipelines/{id:int}/statuses", self._statuses),
            ("GET", "/leads/links", self._many_links),
            ("POST", "/leads/link", self._link),
            ("POST", "/leads/unlink", self._unlink),
            ("GET", "/tasks", self._tasks),
            ("POST", "/tasks", self._add_tasks),
            ("PATCH", "/tasks", self._change_tasks),
            ("GET", "/tasks/{id:int}", self._task),
            ("PATCH", "/tasks/{id:int}", self._change_task),
            ("GET", "/events", self._events),
            ("GET", "/events/types", self._event_types),
            ("GET", "/webhooks", self.subscribers.listed),
            ("POST", "/webhooks", self.subscribers.subscribe),
            ("DELETE", "/webhooks", self.subscribers.unsubscribe),
        ]
        for kind in KINDS:
            table += [
                ("GET", f"/{kind}", self._list),
                ("POST", f"/{kind}", self._create),
                ("PATCH", f"/{kind}", self._change_many),
                ("GET", f"/{kind}/{{id:int}}", self._one),
                ("PATCH", f"/{kind}/{{id:int}}", self._change_one),
                ("GET", f"/{kind}/custom_fields", self._fields),
                ("POST", f"/{kind}/custom_fields", self._add_fields),
                ("GET", f"/{kind}/custom_fields/{{id:int}}", self._field),
                ("GET", f"/{kind}/notes", self._notes),
                ("POST", f"/{kind}/notes", self._add_notes),
                ("GET", f"/{kind}/notes/{{note:int}}", self._note),
                ("GET", f"/{kind}/{{id:int}}/notes", self._notes),
                ("POST", f"/{kind}/{{id:int}}/notes", self._add_notes),
                ("GET", f"/{kind}/{{id:int}}/links", self._links),
                ("POST", f"/{kind}/{{id:int}}/link", self._link),
                ("POST", f"/{kind}/{{id:int}}/unlink", self._unlink),
            ]
        routes = [Route(API + path, handler, methods=[method]) for method, path, handler in table]
        return [*routes, Route(OAUTH, self.integration.answer, methods=["POST"])]

    def _helpers(self) -> Mapping[str, Callable[..., Any]]:
        helpers = {name: getattr(self, name) for name in HELPERS}
        tokens = (self.integration.issue_code, self.integration.revoke, self.integration.expire_access)
        return {**helpers, **{helper.__name__: helper for helper in tokens}}

    # Dictionaries

    async def _account(self, request: Request) -> Response:
        filters = self.filters if self.tells_about_filters else None
        return hal(self._looks.itself(request, filters=filters))

    async def _users(self, request: Request) -> Response:
        return self.pages.page(request, "users", list(self.users.values()), self._looks.user, total=True)

    async def _user_by_id(self, request: Request) -> Response:
        user = self.users.get(request.path_params["id"])
        return hal(self._looks.user(user, request)) if user else missing("User")

    async def _pipelines(self, request: Request) -> Response:
        pipelines = sorted(self.pipelines.values(), key=lambda pipeline: pipeline.sort)
        body = {
            "_total_items": len(pipelines),
            "_links": self_link(request, Query(request.url.query)),
            "_embedded": {"pipelines": [self._looks.pipeline(pipeline, request) for pipeline in pipelines]},
        }
        return hal(body)

    async def _pipeline(self, request: Request) -> Response:
        pipeline = self.pipelines.get(request.path_params["id"])
        return hal(self._looks.pipeline(pipeline, request)) if pipeline else missing("Pipeline")

    async def _statuses(self, request: Request) -> Response:
        pipeline = self.pipelines.get(request.path_params["id"])
        if pipeline is None:
            return missing("Pipeline")
        statuses = [self._looks.status(status, request) for status in pipeline.statuses]
        return hal({"_total_items": len(statuses), "_embedded": {"statuses": statuses}})

    async def _fields(self, request: Request) -> Response:
        kind = kind_of(request)
        fields = matching_fields(self.custom_fields[kind].values(), Query(request.url.query))
        return self.pages.page(request, "custom_fields", fields, self._looks.field, total=True)

    async def _field(self, request: Request) -> Response:
        custom = self.custom_fields[kind_of(request)].get(request.path_params["id"])
        return hal(self._looks.field(custom, request)) if custom else missing("Custom field")

    async def _add_pipelines(self, request: Request) -> Response:
        made = self.making.add_pipelines(await body_of(request))
        rows = [self._looks.pipeline(pipeline, request) for pipeline in made]
        return hal({"_total_items": len(rows), "_embedded": {"pipelines": rows}})

    async def _add_fields(self, request: Request) -> Response:
        made = self.making.add_fields(kind_of(request), await body_of(request))
        rows = [self._looks.field(custom, request) for custom in made]
        return hal({"_total_items": len(rows), "_embedded": {"custom_fields": rows}}, 201)

    # Leads, contacts, companies

    async def _list(self, request: Request) -> Response:
        kind, query = kind_of(request), Query(request.url.query)
        found = matching_entities(
            kind, self.entities(kind).values(), query, filtered=self.filters, ordered=self.keeps_order
        )
        return self.pages.page(request, kind, found, self._looks.entity)

    async def _one(self, request: Request) -> Response:
        entity = self.entities(kind_of(request)).get(request.path_params["id"])
        if entity is None or entity.is_deleted:
            return nothing()
        return hal(self._looks.entity(entity, request))

    async def _create(self, request: Request) -> Response:
        elements = elements_of(await body_of(request))
        created = self.writes.create(kind_of(request), elements)
        rows = [
            {"id": entity.id, "request_id": element.request_id}
            for entity, element in zip(created, elements, strict=True)
        ]
        return written(request, kind_of(request), rows)

    async def _change_many(self, request: Request) -> Response:
        changed = self.writes.change(kind_of(request), elements_of(await body_of(request)))
        rows = [{"id": entity.id, "updated_at": entity.updated_at} for entity in changed]
        return written(request, kind_of(request), rows)

    async def _change_one(self, request: Request) -> Response:
        body = await body_of(request)
        if not isinstance(body, dict):
            return problem(405, "Method Not Allowed", "Method Not Allowed")
        entity = self.entities(kind_of(request)).get(request.path_params["id"])
        if entity is None or entity.is_deleted:
            return missing(SINGULAR[kind_of(request)].capitalize())
        element = Element({**body, "id": entity.id}, str(body.get("request_id", "0")))
        self.writes.change(kind_of(request), [element])
        links = {"self": {"href": address_of(request)}}
        return hal({"id": entity.id, "updated_at": entity.updated_at, "_links": links})

    # Links

    async def _links(self, request: Request) -> Response:
        entity = self.entities(kind_of(request)).get(request.path_params["id"])
        rows = self._linked.of(entity) if entity else []
        return self.pages.page(request, "links", rows, lambda row, _: row, total=True)

    async def _many_links(self, request: Request) -> Response:
        asked = [
            int(text) for text in Query(request.url.query).values("filter", "entity_id") if text.isdigit()
        ]
        rows = [
            {"entity_id": lead_id, "entity_type": LEADS, **row}
            for lead_id in asked
            if lead_id in self.leads
            for row in self._linked.of(self.leads[lead_id])
        ]
        return self.pages.page(request, "links", rows, lambda row, _: row, total=True)

    async def _link(self, request: Request) -> Response:
        linked = await self._relink(request, attach=True)
        return hal({"_total_items": len(linked), "_embedded": {"links": linked}})

    async def _unlink(self, request: Request) -> Response:
        await self._relink(request, attach=False)
        return nothing()

    async def _relink(self, request: Request, *, attach: bool) -> list[Json]:
        entity_id, body = request.path_params.get("id", 0), await body_of(request)
        return self._linked.change(kind_of(request), entity_id, body, attach=attach)

    # Notes, tasks, events

    async def _notes(self, request: Request) -> Response:
        kind, one = kind_of(request), request.path_params.get("id")
        notes = [note for note in self.notes.values() if note.kind == kind and one in (None, note.entity_id)]
        query = Query(request.url.query)
        found = matching(notes, query, ("id", "entity_id", "note_type"), ("updated_at",))
        return self.pages.page(request, "notes", found, self._looks.note)

    async def _note(self, request: Request) -> Response:
        note = self.notes.get(request.path_params["note"])
        return hal(self._looks.note(note, request)) if note else missing("Note")

    async def _add_notes(self, request: Request) -> Response:
        elements = elements_of(await body_of(request))
        rows = self.writes.add_notes(kind_of(request), elements, request.path_params.get("id"))
        return written(request, "notes", rows)

    async def _tasks(self, request: Request) -> Response:
        names = ("responsible_user_id", "is_completed", "entity_type", "entity_id", "id")
        found = matching(self.tasks.values(), Query(request.url.query), names, ("updated_at",))
        return self.pages.page(request, "tasks", found, self._looks.task)

    async def _task(self, request: Request) -> Response:
        task = self.tasks.get(request.path_params["id"])
        return hal(self._looks.task(task, request)) if task else missing("Task")

    async def _add_tasks(self, request: Request) -> Response:
        elements = elements_of(await body_of(request))
        tasks = self.writes.add_tasks(elements)
        rows = [
            {"id": task.id, "request_id": element.request_id}
            for task, element in zip(tasks, elements, strict=True)
        ]
        return written(request, "tasks", rows)

    async def _change_tasks(self, request: Request) -> Response:
        elements = elements_of(await body_of(request))
        tasks = self.writes.change_tasks(elements)
        rows = [
            {"id": task.id, "updated_at": task.updated_at, "request_id": element.request_id}
            for task, element in zip(tasks, elements, strict=True)
        ]
        return written(request, "tasks", rows)

    async def _change_task(self, request: Request) -> Response:
        body = await body_of(request)
        if not isinstance(body, dict):
            return problem(405, "Method Not Allowed", "Method Not Allowed")
        task_id = request.path_params["id"]
        if task_id not in self.tasks:
            return missing("Task")
        element = Element({**body, "id": task_id}, str(body.get("request_id", "0")))
        (task,) = self.writes.change_tasks([element])
        row = {"id": task.id, "updated_at": task.updated_at, "request_id": element.request_id}
        return hal({**row, "_links": {"self": {"href": address_of(request)}}})

    async def _events(self, request: Request) -> Response:
        query = Query(request.url.query)
        if query.values("filter", "entity_id") and len(query.values("filter", "entity")) != 1:
            return problem(400, "Bad Request", "Filter by entity_id needs exactly one entity")
        found = matching_events(self.events, query)
        return self.pages.page(request, "events", found, self._looks.event, largest=EVENTS_PAGE)

    async def _event_types(self, request: Request) -> Response:
        types = [
            {"key": key, "type": number, "lang": words}
            for number, (key, words) in enumerate(EVENT_TYPES.items(), start=1)
        ]
        return hal({"_total_items": len(types), "_embedded": {"events_types": types}})
