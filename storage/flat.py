"""How reports read: columns of a half-open stretch of time, past the ORM."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_
from sqlmodel.ext.asyncio.session import AsyncSession

# The last stage of every pipeline: https://www.amocrm.ru/developers/content/crm_platform/leads_pipelines
WON, LOST = 142, 143


def within(moment: Any, begins: datetime, ends: datetime) -> ColumnElement[bool]:
    return and_(moment >= begins, moment < ends)


async def rows_of(tx: AsyncSession, wanted: Select[*tuple[Any, ...]]) -> list[Any]:
    """A report may read tens of thousands of rows."""
    return list((await (await tx.connection()).execute(wanted)).all())
