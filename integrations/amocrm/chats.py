"""What amoCRM's events tell of chats: that a message came or went, when and by whom; never its words."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import Any

from pydantic import model_validator

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import Row
from integrations.amocrm.reading import MaybeMoment, Text, whole, whole_moment, word
from integrations.errors import Permanent

# At most 100 a page: https://www.amocrm.ru/developers/content/crm_platform/events-and-notes
PAGE_SIZE = 100
MOST_PAGES = 500  # of one stretch of time; beyond that the far side repeats itself
INCOMING, OUTGOING = "incoming_chat_message", "outgoing_chat_message"
# The conversation was closed, or marked as needing no answer. Not every account knows them.
ENDINGS = ("talk_closed", "conversation_answered")
UNKNOWING = (400, 403, 404, 422)  # an account, or a token, that has no such list


class ChatEvent(Row):
    """`entity_type` is lead, contact, talk or something else; numbers that are not told are 0.

    Whatever shape a value has, the row is read: a page that lacks one would be taken for the last.
    """

    event: Text = ""
    type: Text = ""
    entity_type: Text = ""
    entity_id: int = 0
    created_at: MaybeMoment = None
    created_by: int = 0
    talk_id: int = 0
    contact_id: int = 0  # of the conversation

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        told: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        entity = _within(told.get("_embedded"), "entity")
        # The documentation has it beside the entity, live answers within it.
        contact = _within(entity, "linked_talk_contact_id") or told.get("linked_talk_contact_id")
        return {
            "id": 0,
            "event": word(told.get("id")),
            "type": word(told.get("type")),
            "entity_type": word(told.get("entity_type")),
            "entity_id": whole(told.get("entity_id")),
            "created_by": whole(told.get("created_by")),
            "created_at": whole_moment(told.get("created_at")),
            "talk_id": _talk(told.get("value_after")),
            "contact_id": whole(contact),
        }


class _Kind(Row):
    key: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        return {"id": 0, "key": raw.get("key")} if isinstance(raw, Mapping) else raw


async def kinds_of(amocrm: AmoCrm) -> tuple[str, ...]:
    """The types of events to ask for: one that the account does not know may empty the whole answer."""
    try:
        rows = await amocrm.first_of(_Kind, "events/types", "events_types")
    except Permanent as error:
        if error.status not in UNKNOWING:
            raise
        rows = ()
    known = {row.key for row in rows}
    return (INCOMING, OUTGOING, *(kind for kind in ENDINGS if kind in known))


async def chat_events(
    amocrm: AmoCrm, kinds: Collection[str], since: datetime, until: datetime | None
) -> AsyncIterator[tuple[ChatEvent, ...]]:
    """Page by page, newest first as a rule; a row may come twice where others are written meanwhile.

    Without a filter by entity: https://www.amocrm.ru/developers/content/crm_platform/events-and-notes
    finds those of a deal under the contact only.
    """
    types = "".join(f"&filter[type][]={kind}" for kind in kinds)
    bounds = f"filter[created_at][from]={int(since.timestamp())}"
    if until is not None:
        bounds += f"&filter[created_at][to]={int(until.timestamp())}"
    seen: set[str] = set()
    for page in range(1, MOST_PAGES + 1):
        path = f"events?{bounds}{types}&limit={PAGE_SIZE}&page={page}"
        rows = await amocrm.first_of(ChatEvent, path, "events")
        news = tuple(row for row in rows if row.event not in seen)
        seen.update(row.event for row in rows)
        # Filters that are not understood are ignored in silence.
        yield tuple(row for row in news if row.event and row.type in kinds and row.created_at)
        is_older = all(row.created_at and row.created_at < since for row in rows)
        if len(rows) < PAGE_SIZE or not news or is_older:
            return


def _talk(values: object) -> int:
    for value in values if isinstance(values, list) else ():
        if found := whole(_within(_within(value, "message"), "talk_id")):
            return found
    return 0


def _within(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, Mapping) else None
