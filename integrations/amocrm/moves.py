"""Where deals were moved, when and by whom: what their events tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import model_validator

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import Row
from integrations.amocrm.reading import MaybeMoment, Number, Text
from integrations.errors import Permanent

# At most 100 a page and ten ids: https://www.amocrm.ru/developers/content/crm_platform/events-and-notes
PAGE_SIZE = 100
LEADS_AT_ONCE = 10
MOST_PAGES = 20
KIND = "lead_status_changed"
UNKNOWING = (400, 403, 404, 422)  # an account, or a token, that has no such events


class Move(Row):
    """A deal came from one status to another, of whatever pipeline; the event's own id is text."""

    event: Text = ""
    type: Text = ""
    entity_id: Number = 0
    created_at: MaybeMoment = None
    created_by: Number = 0
    before: tuple[Number, Number] | None = None  # pipeline, status
    after: tuple[Number, Number] | None = None

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        places = {"before": _place(raw.get("value_before")), "after": _place(raw.get("value_after"))}
        return {**raw, "id": 0, "event": raw.get("id"), **places}


def _place(values: object) -> tuple[object, object] | None:
    for value in values if isinstance(values, list) else ():
        status = value.get("lead_status") if isinstance(value, Mapping) else None
        if isinstance(status, Mapping):
            return status.get("pipeline_id"), status.get("id")
    return None


async def moves_of(amocrm: AmoCrm, lead_ids: Sequence[int]) -> tuple[Move, ...]:
    """All moves of at most ten deals that are still remembered; none where the account cannot tell."""
    ids = "".join(f"&filter[entity_id][]={lead_id}" for lead_id in lead_ids[:LEADS_AT_ONCE])
    path = f"events?filter[type][]={KIND}&filter[entity]=lead{ids}&limit={PAGE_SIZE}"
    found: dict[str, Move] = {}
    for page in range(1, MOST_PAGES + 1):
        try:
            rows = await amocrm.first_of(Move, f"{path}&page={page}", "events")
        except Permanent as error:
            if error.status in UNKNOWING:
                return ()
            raise
        before = len(found)
        found |= {row.event: row for row in rows}
        if len(rows) < PAGE_SIZE or len(found) == before:
            break
    # Filters that are not understood are ignored in silence.
    wanted = set(lead_ids)
    return tuple(
        row
        for row in found.values()
        if row.type == KIND and row.entity_id in wanted and row.created_at and row.before and row.after
    )
