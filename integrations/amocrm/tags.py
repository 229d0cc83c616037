"""Who changed the tags of a contact: what its events tell of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import model_validator

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import Row
from integrations.amocrm.reading import MaybeMoment, Number, Text, objects
from integrations.errors import Permanent

# At most 100 a page: https://www.amocrm.ru/developers/content/crm_platform/events-and-notes
PAGE_SIZE = 100


class _Untagging(Row):
    """A tag was taken off; the event's own id is text."""

    type: Text = ""
    entity_id: Number = 0
    created_at: MaybeMoment = None
    tags: tuple[Text, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        said = [value.get("tag") for value in objects(raw.get("value_before"))]
        tags = [tag.get("name") for tag in said if isinstance(tag, Mapping)]
        return {**raw, "id": 0, "tags": tags}


async def was_taken_off(amocrm: AmoCrm, contact_id: int, tag: str, since: datetime) -> bool:
    """Has this tag been taken off the contact since then, by amoCRM's clock?

    False also where the account cannot tell.
    """
    path = (
        f"events?filter[entity]=contact&filter[entity_id][]={contact_id}"
        f"&filter[type][]=entity_tag_deleted&filter[created_at]={int(since.timestamp())}&limit={PAGE_SIZE}"
    )
    try:
        events = await amocrm.first_of(_Untagging, path, "events")
    except Permanent as error:
        if error.status in (400, 422):
            return False  # An account that does not know this kind of event.
        raise
    # Filters that are not understood are ignored in silence.
    return any(
        event.type == "entity_tag_deleted"
        and event.entity_id == contact_id
        and event.created_at is not None
        and event.created_at > since
        and tag.casefold() in [name.casefold() for name in event.tags]
        for event in events
    )
