"""What amoCRM keeps of phone calls: notes of deals, contacts and companies with a link to the recording."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import model_validator

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import Row
from integrations.amocrm.reading import MaybeMoment, Text

PAGE_SIZE = 250
MOST_PAGES = 200  # of one week; beyond that the far side repeats itself
CARDS = ("leads", "contacts", "companies")  # where a call lands: it depends on how many deals are open
INCOMING, OUTGOING = "call_in", "call_out"


class CallNote(Row):
    """Numbers that are not told are 0. Whatever shape `params` has, the row is read."""

    note_type: Text = ""
    entity_id: int = 0
    created_at: MaybeMoment = None
    users: tuple[int, ...] = ()  # who may have talked, the likeliest first
    uniq: Text = ""  # the telephone's name of the call
    link: Text = ""
    duration: int = 0  # seconds

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        params = raw.get("params")
        told: Mapping[str, Any] = params if isinstance(params, Mapping) else {}
        # https://www.amocrm.ru/developers/content/crm_platform/events-and-notes: the last one may be a name.
        users = (raw.get("created_by"), raw.get("responsible_user_id"), told.get("call_responsible"))
        return {
            "id": _number(raw.get("id")),
            "note_type": raw.get("note_type") if isinstance(raw.get("note_type"), str) else "",
            "entity_id": _number(raw.get("entity_id")),
            "created_at": _number(raw.get("created_at")) or None,
            "users": tuple(user for value in users if (user := _number(value))),
            "uniq": _word(told.get("uniq")),
            "link": _address(told.get("link")),
            "duration": _number(told.get("duration")),
        }


async def call_notes(amocrm: AmoCrm, cards: str, since: datetime) -> AsyncIterator[tuple[CallNote, ...]]:
    """Page by page, what was changed since then: there is no filter by when a note was made."""
    path = (
        f"{cards}/notes?filter[note_type][]={INCOMING}&filter[note_type][]={OUTGOING}"
        f"&filter[updated_at][from]={int(since.timestamp())}&order[updated_at]=asc&limit={PAGE_SIZE}"
    )
    seen: set[int] = set()
    for page in range(1, MOST_PAGES + 1):
        rows = await amocrm.first_of(CallNote, f"{path}&page={page}", "notes")
        news = tuple(row for row in rows if row.id not in seen)
        seen.update(row.id for row in rows)
        # Filters that are not understood are ignored in silence.
        yield tuple(row for row in news if row.note_type in (INCOMING, OUTGOING) and row.created_at)
        if not news:
            return


def _number(value: object) -> int:
    """Ids, moments and seconds; what is none is 0."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0


def _word(value: object) -> str:
    return str(value).strip()[:200] if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _address(value: object) -> str:
    """Only what a browser opens."""
    text = value.strip() if isinstance(value, str) else ""
    is_link = text.startswith(("https://", "http://")) and not any(map(str.isspace, text))
    return text if is_link and len(text) <= 2000 else ""
