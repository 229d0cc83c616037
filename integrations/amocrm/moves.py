"""Where deals were moved, when and by whom: what their events tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import model_validator

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import Row
from integrations.amocrm.reading import MaybeMoment, Text, objects, whole, whole_moment, word
from integrations.errors import Permanent

# At most 100 a page and ten ids: https://www.amocrm.ru/developers/content/crm_platform/events-and-notes
PAGE_SIZE = 100
LEADS_AT_ONCE = 10
MOST_PAGES = 20
KIND = "lead_status_changed"
UNKNOWING = (400, 403, 404, 422)  # an account, or a token, that has no such events


class Move(Row):
    """A deal came from one status to another, of whatever pipeline; the event's own id is text.

    Whatever shape a value has, the row is read: a page that lacks one would be taken for the last.
    """

    event: Text = ""
    type: Text = ""
    entity_id: int = 0
    created_at: MaybeMoment = None
    created_by: int = 0
    before: tuple[int, int] | None = None  # pipeline, status
    after: tuple[int, int] | None = None

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        told: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        return {
            "id": 0,
            "event": word(told.get("id")),
            "type": word(told.get("type")),
            "entity_id": whole(told.get("entity_id")),
            "created_at": whole_moment(told.get("created_at")),
            "created_by": whole(told.get("created_by")),
            "before": _place(told.get("value_before")),
            "after": _place(told.get("value_after")),
        }


def _place(values: object) -> tuple[int, int] | None:
    for value in objects(values):
        status = value.get("lead_status")
        if isinstance(status, Mapping):
            pipeline, id_ = whole(status.get("pipeline_id")), whole(status.get("id"))
            return (pipeline, id_) if pipeline and id_ else None
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
