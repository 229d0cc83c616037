"""Every sample answer of amoCRM is read: by our models where there is one, else as JSON."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from integrations.amocrm.answers import Blocked, explain
from integrations.amocrm.calls import CallNote
from integrations.amocrm.chats import ChatEvent
from integrations.amocrm.models import (
    Account,
    Company,
    Contact,
    CustomField,
    Lead,
    Note,
    Pipeline,
    Status,
    Task,
    User,
    Written,
)
from integrations.amocrm.moves import Move
from integrations.amocrm.setting_up import Webhook
from integrations.errors import AccessDenied, OutsideError, Permanent, Rejected, Temporary
from integrations.http import Answer, error_for
from tests.web.conftest import SECRET, Office

SAMPLES = Path(__file__).parents[2] / "../shared/reference/samples/amocrm"
MODELS: dict[str, type[BaseModel]] = {
    "leads": Lead, "contacts": Contact, "companies": Company, "users": User, "pipelines": Pipeline,
    "statuses": Status, "custom_fields": CustomField, "notes": Note, "tasks": Task, "webhooks": Webhook,
}  # fmt: skip
# Rows that are read for one thing only, each by a model of its own that takes all others as well.
ALSO: dict[str, tuple[type[BaseModel], ...]] = {"events": (Move, ChatEvent), "notes": (CallNote,)}
# Answers with a single model: the name of the file → the model.
ONE: dict[str, type[BaseModel]] = {
    "account-info__01": Account, "leads-api__02": Lead, "contacts-api__02": Contact,
    "companies-api__02": Company, "users-api__02": User, "leads_pipelines__02": Pipeline,
    "leads_pipelines__06": Pipeline, "leads_pipelines__08": Status, "leads_pipelines__12": Status,
    "custom-fields__02": CustomField, "events-and-notes__21": Note, "tasks-api__02": Task,
    "tasks-api__08": Written,
}  # fmt: skip
WRITES = ("dobavlen", "redaktirovan", "sozdanie", "vypolnen", "privyazk", "udalenie")

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample answers are not beside the project")


def _files(folder: str, pattern: str = "*.json") -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted((SAMPLES / folder).glob(pattern))]


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", _files("docs", "*otveta*.json"))
def test_an_answer_of_the_documentation_is_read(path: Path) -> None:
    body = _load(path)
    name = "__".join(path.stem.split("__")[:2])
    if name in ONE:
        assert ONE[name].model_validate(body).model_dump()["id"] == body["id"]
        return
    embedded = body.get("_embedded", {}) if isinstance(body, dict) else {}
    for key, model in MODELS.items():
        rows = embedded.get(key) if isinstance(embedded, dict) else None
        is_write = any(word in path.stem for word in WRITES)
        for row in rows or []:
            if key in ("leads", "contacts") and not name.startswith(f"{key}-api"):
                continue  # A neighbour of something else: an id and a link.
            found = (Written if is_write else model).model_validate(row)
            assert found.model_dump()["id"] == row["id"]
    for key, models in ALSO.items():
        for row in (embedded.get(key) if isinstance(embedded, dict) else None) or []:
            for each in models:
                read = each.model_validate(row).model_dump()
                assert row["id"] in (read["id"], read.get("event"))


def test_the_models_take_what_the_documentation_shows() -> None:
    lead = Lead.model_validate(_load(next((SAMPLES / "docs").glob("leads-api__02*otveta.json"))))
    assert (lead.id, lead.price, lead.status_id, lead.tags) == (3912171, 12, 143, ("тест",))
    assert (lead.main_contact_id, lead.company_id) == (10971465, 10971463)
    contact = Contact.model_validate(_load(next((SAMPLES / "docs").glob("contacts-api__02*otveta.json"))))
    assert (contact.phones, contact.lead_ids) == ((("+79123", "WORK"),), (1, 3916883))
    account = Account.model_validate(_load(next((SAMPLES / "docs").glob("account-info*otveta.json"))))
    assert (account.timezone, account.is_filter_enabled) == ("Europe/Moscow", True)


ERRORS: dict[str, type[OutsideError] | None] = {
    "blocked_403": Blocked,
    "custom_field_404": Permanent,
    "empty_list_204": None,
    "loss_reason_on_open_lead": Rejected,
    "oauth_bad_client": AccessDenied,
    "oauth_refresh_revoked": AccessDenied,
    "rate_429": Temporary,
    "validation_unknown_field": Rejected,
}


@pytest.mark.parametrize("path", _files("errors"))
def test_an_error_is_understood(path: Path) -> None:
    sample = _load(path)
    body = sample["body"]
    content = body if isinstance(body, str) else json.dumps(body)
    headers = {"content-type": sample.get("content_type", "application/problem+json")}
    answer = Answer(sample["status"], httpx.Headers(headers), content.encode(), is_read=True)
    error = explain(answer) or error_for("amocrm", answer)
    expected = ERRORS[path.stem]
    assert isinstance(error, expected) if expected else error is None
    if isinstance(error, Rejected):
        assert error.elements


@pytest.mark.parametrize("path", _files("webhooks"))
async def test_a_webhook_wakes_the_pull(path: Path) -> None:
    """Whatever it tells: its words are not read."""
    sample, office = _load(path), Office()
    async with office.browser() as amocrm:
        answer = await amocrm.post(
            f"/webhooks/amocrm/{SECRET}", content=sample["body"], headers=sample.get("headers")
        )
    assert (answer.status_code, office.woken) == (200, 1)
