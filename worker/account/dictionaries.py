"""What amoCRM says of the account: asked for, and remembered for a start while it is down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import Account, CustomField, Pipeline, User
from integrations.errors import AccessDenied
from storage import state
from storage.database import Database

KEY = "account"  # under which the dictionaries are remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionaries:
    """What hardly ever changes in an account. `users` is None where the token may not see them."""

    account: Account
    users: tuple[User, ...] | None
    pipelines: tuple[Pipeline, ...]
    lead_fields: tuple[CustomField, ...]
    contact_fields: tuple[CustomField, ...]


async def read(amocrm: AmoCrm) -> Dictionaries:
    """Ask amoCRM: five requests."""
    account = await amocrm.account()
    try:
        users = await amocrm.users()
    except AccessDenied as error:
        if error.status == 401:
            raise
        users = None  # Only administrators may list users: go on with their ids.
    return Dictionaries(
        account=account,
        users=users,
        pipelines=await amocrm.pipelines(),
        lead_fields=await amocrm.lead_fields(),
        contact_fields=await amocrm.contact_fields(),
    )


async def refresh(amocrm: AmoCrm, db: Database) -> Dictionaries:
    """Ask amoCRM, and remember the answer for a start while it is down."""
    dictionaries = await read(amocrm)
    async with db.transaction() as tx:
        await state.remember(tx, KEY, dump(dictionaries))
    return dictionaries


async def recall(db: Database) -> Dictionaries | None:
    """What amoCRM said last; None before the first answer."""
    async with db.reading() as tx:
        kept = await state.recall(tx, KEY)
    return load(kept) if kept is not None else None


async def is_recent(db: Database, since: datetime) -> bool:
    """Is what is remembered from this moment or later?"""
    async with db.reading() as tx:
        return await state.is_as_new_as(tx, KEY, since)


def dump(dictionaries: Dictionaries) -> dict[str, Any]:
    """As JSON, in the shape in which amoCRM sends it."""
    users = dictionaries.users
    return {
        "account": dictionaries.account.model_dump(mode="json"),
        "users": None if users is None else [user.model_dump(mode="json") for user in users],
        "pipelines": [
            {
                **pipeline.model_dump(mode="json", exclude={"statuses"}),
                "_embedded": {"statuses": [status.model_dump(mode="json") for status in pipeline.statuses]},
            }
            for pipeline in dictionaries.pipelines
        ],
        "lead_fields": [field.model_dump(mode="json") for field in dictionaries.lead_fields],
        "contact_fields": [field.model_dump(mode="json") for field in dictionaries.contact_fields],
    }


def load(kept: Mapping[str, Any]) -> Dictionaries | None:
    """The other way round; None for what another version of the program remembered."""
    try:
        users = kept["users"]
        return Dictionaries(
            account=Account.model_validate(kept["account"]),
            users=None if users is None else tuple(User.model_validate(row) for row in users),
            pipelines=tuple(Pipeline.model_validate(row) for row in kept["pipelines"]),
            lead_fields=tuple(CustomField.model_validate(row) for row in kept["lead_fields"]),
            contact_fields=tuple(CustomField.model_validate(row) for row in kept["contact_fields"]),
        )
    except (KeyError, TypeError, ValidationError):
        return None
