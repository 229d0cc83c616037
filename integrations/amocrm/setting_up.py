"""What is created in an account once: deal fields, a pipeline, the subscription to changes.

None of these calls is safe to repeat: amoCRM takes two fields or pipelines of one name without a word, so
look before each (https://www.amocrm.ru/developers/content/crm_platform/custom-fields). Only for a token with
an administrator's rights, AccessDenied otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import model_validator

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import LOST, WON, CustomField, Pipeline, Row
from integrations.amocrm.reading import Flag, MaybeMoment, Text
from integrations.errors import Permanent

# Kinds that every account has: `monetary` and `chained_list` come with a paid option.
# https://www.amocrm.ru/developers/content/crm_platform/custom-fields
FIELD_TYPES = ("numeric", "text", "textarea", "url", "select", "checkbox", "date", "date_time")

# https://www.amocrm.ru/developers/content/crm_platform/leads_pipelines: other colours are refused.
COLOURS = ("#ff8f92", "#ffdc7f", "#98cbff", "#87f2c0", "#ccc8f9")

MOST_WEBHOOKS = 100  # of an account: https://www.amocrm.ru/developers/content/crm_platform/webhooks-api


@dataclass(frozen=True, slots=True, kw_only=True)
class NewField:
    """A deal field. `is_api_only`: people see the value and cannot edit it."""

    name: str
    type: str  # one of FIELD_TYPES
    choices: tuple[str, ...] = ()  # of a select, in this order
    is_api_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPipeline:
    """`statuses` in their order, the first takes new deals; `won` and `lost` rename the system's own."""

    name: str
    statuses: tuple[str, ...]
    won: str
    lost: str
    sort: int


class Webhook(Row):
    """A subscription. `disabled`: amoCRM gave up on it; people switch it on again."""

    destination: Text = ""
    settings: tuple[Text, ...] = ()
    disabled: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, raw: Any) -> Any:
        # PHP gives an object for a list with gaps.
        settings = raw.get("settings") if isinstance(raw, dict) else None
        return {**raw, "settings": list(settings.values())} if isinstance(settings, dict) else raw


class _Event(Row):
    """Only when it happened; its id is text."""

    created_at: MaybeMoment = None

    @model_validator(mode="before")
    @classmethod
    def _without_id(cls, raw: Any) -> Any:
        return {**raw, "id": 0} if isinstance(raw, dict) else raw


async def create_field(amocrm: AmoCrm, new: NewField) -> CustomField:
    choices = [{"value": value, "sort": place} for place, value in enumerate(new.choices, start=1)]
    element = {"name": new.name, "type": new.type, "is_api_only": new.is_api_only, "enums": choices}
    return await amocrm.made(CustomField, "leads/custom_fields", "custom_fields", element)


async def create_pipeline(amocrm: AmoCrm, new: NewPipeline) -> Pipeline:
    """Not the main one, and without the inbox of unsorted requests."""
    statuses: list[dict[str, object]] = [
        {"name": name, "sort": 10 * place, "color": COLOURS[(place - 1) % len(COLOURS)]}
        for place, name in enumerate(new.statuses, start=1)
    ]
    statuses += [{"id": WON, "name": new.won}, {"id": LOST, "name": new.lost}]
    element = {
        "name": new.name,
        "sort": new.sort,
        "is_main": False,
        "is_unsorted_on": False,
        "_embedded": {"statuses": statuses},
    }
    return await amocrm.made(Pipeline, "leads/pipelines", "pipelines", element)


async def webhooks(amocrm: AmoCrm) -> tuple[Webhook, ...]:
    """Everybody's subscriptions."""
    return await amocrm.listed(Webhook, "webhooks", "webhooks")


async def subscribe(amocrm: AmoCrm, destination: str, settings: Sequence[str]) -> Webhook:
    """Have amoCRM post to this address. One that stands there is overwritten, others are left alone."""
    body = {"destination": destination, "settings": list(settings), "sort": 10}
    return await amocrm.posted(Webhook, "webhooks", body)


async def last_own_mark(amocrm: AmoCrm) -> datetime | None:
    """When a client last gave a mark to amoCRM's own bot; None: never, or this account cannot tell.

    No method tells whether the bot is on: https://www.amocrm.ru/developers/content/crm_platform/talks-api
    """
    try:
        events = await amocrm.first_of(_Event, "events?filter[type][]=nps_rate_added&limit=10", "events")
    except Permanent as error:
        if error.status in (400, 422):
            return None  # An account that does not know this kind of event.
        raise
    return max((event.created_at for event in events if event.created_at), default=None)
