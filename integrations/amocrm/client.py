"""amoCRM's API v4, as far as the worker needs it: https://www.amocrm.ru/developers/content/crm_platform/api-reference"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from pydantic import ValidationError

from integrations.amocrm import walk
from integrations.amocrm.answers import SERVICE
from integrations.amocrm.changes import EnumId, FieldValue, LeadChange, NewLead, NewNote, NewTask
from integrations.amocrm.connection import API, MOST_PAGES, PAGE_SIZE, Connection, given
from integrations.amocrm.models import (
    Account,
    Changed,
    Company,
    Contact,
    CustomField,
    Lead,
    LeadPage,
    Note,
    Pipeline,
    Task,
    User,
)
from integrations.errors import Permanent

SIGNATURE = "Sarafan"  # the author of our notes, as people see it
LONGEST_NOTE = 20_000  # characters; one more is refused with TooLong
FOLLOW_UP = 1  # the task type «Связаться»
WITH_CONTACTS = "with=contacts,loss_reason"


class AmoCrm(Connection):
    """One account. Raises only the errors of `integrations.errors`, with amoCRM's own from `answers`."""

    def lead_url(self, lead_id: int) -> str:
        """The deal's card, for people."""
        return f"{self.base_url}/leads/detail/{lead_id}"

    # What hardly ever changes

    async def account(self) -> Account:
        what = "account"
        answer = await self._get(f"{API}/account?with=is_api_filter_enabled,datetime_settings", what)
        account = self._one(Account, self._http.parse(answer), answer)
        return account.model_copy(update={"server_time": answer.server_time})

    async def users(self) -> tuple[User, ...]:
        """Only for a token with an administrator's rights; AccessDenied otherwise."""
        return await self._all(User, "users", "users")

    async def pipelines(self) -> tuple[Pipeline, ...]:
        return await self._all(Pipeline, "leads/pipelines", "pipelines")

    async def lead_fields(self) -> tuple[CustomField, ...]:
        return await self._all(CustomField, "leads/custom_fields", "custom_fields")

    async def contact_fields(self) -> tuple[CustomField, ...]:
        return await self._all(CustomField, "contacts/custom_fields", "custom_fields")

    # Deals

    async def changed_leads(self, since: datetime, *, filtered: bool) -> AsyncIterator[LeadPage]:
        """Deals changed at `since` or later, each once, in pages; `filtered` says whether filters are bought.

        A filter that turns out to be ignored is noticed: the walk goes on without and `is_filtered` says so.
        """
        pages = 0

        async def fetch(query: str, page: int) -> walk.Rows:
            nonlocal pages
            pages += 1
            if pages > MOST_PAGES:
                raise Permanent(SERVICE, "lists deals without an end")
            return await self._leads(query, page, "changed leads")

        filtered = filtered and self.heeds_filters
        async for found in walk.changed(fetch, since, filtered=filtered):
            if filtered and not found.is_filtered:
                self._ignores_filters()
            yield found

    async def closed_leads(self, begins: datetime, ends: datetime, page: int) -> LeadPage:
        """A page of the deals that were closed in this time, both ends included, in the order of their ids.

        Raises FiltersIgnored where a deal comes that was not asked for.
        """
        low, high = int(begins.timestamp()), int(ends.timestamp())
        found = await self._leads(
            f"filter[closed_at][from]={low}&filter[closed_at][to]={high}&order[id]=asc", page, "closed leads"
        )
        return walk.closed_within(found, low, high)

    async def leads_by_change(self, page: int) -> LeadPage:
        """A page of all deals, the latest change first. Raises Unsorted."""
        return walk.by_change(await self._leads("order[updated_at]=desc", page, "all leads"))

    async def _leads(self, query: str, page: int, what: str) -> walk.Rows:
        answer = await self._get(f"{API}/leads?{query}&{WITH_CONTACTS}&limit={PAGE_SIZE}&page={page}", what)
        return walk.Rows(self._rows(answer, "leads"), answer.server_time)

    async def newest_change(self) -> datetime | None:
        """When a deal changed last, by amoCRM's clock: the watermark of a first start. None without deals."""
        answer = await self._get(
            f"{API}/leads?order[updated_at]=desc&limit={PAGE_SIZE}&page=1", "newest leads"
        )
        page = walk.read_rows(self._rows(answer, "leads"))
        limit = answer.server_time
        return max((min(lead.updated_at, limit or lead.updated_at) for lead in page.leads), default=None)

    async def lead(self, lead_id: int) -> Lead | None:
        """None when it was deleted or merged, or the token may not see it."""
        return await self._find(Lead, f"leads/{lead_id}?{WITH_CONTACTS}", "lead")

    async def leads(self, ids: Iterable[int], *, filtered: bool = False) -> tuple[Lead, ...]:
        """Those that exist, in the order of `ids`."""
        return await self._by_ids(Lead, "leads", WITH_CONTACTS, ids, filtered)

    async def create_lead(self, new: NewLead) -> int:
        """Create a deal and give its id. Uncertain when the answer was lost: look for the marker first.

        Not by /leads/complex, which may merge it into a deal that exists:
        https://www.amocrm.ru/developers/content/crm_platform/duplication-control
        """
        embedded: dict[str, object] = {}
        if new.contact_id:
            embedded["contacts"] = [{"id": new.contact_id, "is_main": True}]
        if new.company_id:
            embedded["companies"] = [{"id": new.company_id}]
        if new.tags:
            embedded["tags"] = [{"name": tag} for tag in new.tags]
        element = {
            "name": new.name,
            "pipeline_id": new.pipeline_id,
            "status_id": new.status_id,
            "responsible_user_id": new.responsible_user_id,
            "price": int(new.price) if new.price and new.price.is_integer() else new.price,
            "custom_fields_values": _field_values(new.fields),
            "_embedded": embedded,
            "request_id": new.request_id,
        }
        return await self._create("leads", "leads", element, new.request_id)

    async def update_leads(self, changes: Sequence[LeadChange]) -> None:
        """Change up to 50 deals, all or none. Rejected names the refused ones by their ids as text."""
        elements = [
            given(
                {
                    "id": change.lead_id,
                    "pipeline_id": change.pipeline_id,
                    "status_id": change.status_id,
                    "responsible_user_id": change.responsible_user_id,
                    "custom_fields_values": _field_values(change.fields),
                    "tags_to_add": [{"name": tag} for tag in change.tags_to_add],
                }
            )
            for change in changes
        ]
        await self._write_many("PATCH", "leads", elements, [change.lead_id for change in changes])

    # People and companies

    async def contact(self, contact_id: int) -> Contact | None:
        """One contact with the ids of its deals; None when it is gone."""
        return await self._find(Contact, f"contacts/{contact_id}?with=leads", "contact")

    async def contacts(self, ids: Iterable[int], *, filtered: bool) -> tuple[Contact, ...]:
        """Those that exist, in the order of `ids`; 200 a request where filters work, else one by one."""
        return await self._by_ids(Contact, "contacts", "", ids, filtered)

    async def find_contacts(self, query: str) -> tuple[Contact, ...]:
        """Contacts with these letters or digits in any field, with their deals: compare them yourself.

        Of a phone number give the last ten digits: https://github.com/amocrm/amocrm-api-php/issues/515
        """
        path = f"{API}/contacts?query={quote(query, safe='')}&with=leads&limit={PAGE_SIZE}&page=1"
        answer = await self._get(path, "contacts by words")
        return tuple(self._readable(Contact, self._rows(answer, "contacts")))

    async def company(self, company_id: int) -> Company | None:
        return await self._find(Company, f"companies/{company_id}?with=leads", "company")

    async def tag_contact(self, contact_id: int, tag: str) -> datetime | None:
        """Add a tag; the others stay. When that was, by amoCRM's clock; None where it does not tell."""
        return await self._change_tags(contact_id, {"tags_to_add": [{"name": tag}]})

    async def untag_contact(self, contact_id: int, tag: str) -> datetime | None:
        """Take a tag off; the others stay, and where it is not there nothing happens."""
        return await self._change_tags(contact_id, {"tags_to_delete": [{"name": tag}]})

    async def _change_tags(self, contact_id: int, body: Mapping[str, object]) -> datetime | None:
        """By name: https://www.amocrm.ru/developers/content/crm_platform/tags-api"""
        answer = await self._write("PATCH", f"contacts/{contact_id}", body, "tag of a contact")
        try:
            return Changed.model_validate(self._http.parse(answer)).updated_at
        except ValidationError:
            return None

    # Notes and tasks

    async def add_notes(self, notes: Sequence[NewNote]) -> None:
        """Add up to 50 notes, all or none. Rejected names the refused ones by their deals' ids as text."""
        elements = [
            {
                "entity_id": note.lead_id,
                "note_type": "service_message",
                "params": {"service": SIGNATURE, "text": note.text[:LONGEST_NOTE]},
            }
            for note in notes
        ]
        await self._write_many("POST", "leads/notes", elements, [note.lead_id for note in notes])

    async def note_texts(self, lead_id: int) -> tuple[str, ...]:
        """The texts of the service notes in a deal: where to look for our own mark."""
        query = f"leads/{lead_id}/notes?filter[note_type][]=service_message"
        return tuple(note.text for note in await self._all(Note, query, "notes"))

    async def add_task(self, task: NewTask) -> int:
        element = {
            "text": task.text,
            "complete_till": int(task.complete_till.timestamp()),
            "responsible_user_id": task.responsible_user_id,
            "entity_id": task.lead_id,
            "entity_type": "leads",
            "task_type_id": FOLLOW_UP,
            "request_id": "0",
        }
        return await self._create("tasks", "tasks", element, "0")

    async def update_task(
        self,
        task_id: int,
        *,
        responsible_user_id: int | None = None,
        complete_till: datetime | None = None,
        result_text: str | None = None,
        is_completed: bool | None = None,
    ) -> None:
        body = {
            "responsible_user_id": responsible_user_id,
            "complete_till": int(complete_till.timestamp()) if complete_till else None,
            "result": None if result_text is None else {"text": result_text},
            "is_completed": is_completed,
        }
        self._http.parse(await self._write("PATCH", f"tasks/{task_id}", given(body), "task"))

    async def lead_tasks(self, lead_id: int) -> tuple[Task, ...]:
        query = f"tasks?filter[entity_type]=leads&filter[entity_id][]={lead_id}"
        tasks = await self._all(Task, query, "tasks")
        return tuple(task for task in tasks if task.entity_id == lead_id and task.entity_type == "leads")


def _field_values(fields: Mapping[int, FieldValue | None]) -> list[dict[str, object]]:
    return [{"field_id": field_id, "values": _values(value)} for field_id, value in fields.items()]


def _values(value: FieldValue | None) -> list[dict[str, object]] | None:
    match value:
        case None:
            return None
        case EnumId(id=enum_id):
            return [{"enum_id": enum_id}]
        case _:
            return [{"value": value}]
