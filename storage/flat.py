"""How reports read: columns of a half-open stretch of time, past the ORM."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Label, Select, and_, case, literal
from sqlmodel.ext.asyncio.session import AsyncSession

Made = TypeVar("Made")

# The last stage of every pipeline: https://www.amocrm.ru/developers/content/crm_platform/leads_pipelines
WON, LOST = 142, 143


def within(moment: Any, begins: datetime, ends: datetime) -> ColumnElement[bool]:
    return and_(moment >= begins, moment < ends)


def place_in(moment: Any, cuts: Sequence[datetime]) -> ColumnElement[int]:
    """Between which two of these a moment is."""
    if not cuts:
        return literal(0)
    return case(*((moment < cut, number) for number, cut in enumerate(cuts)), else_=len(cuts))


def bits_of(*flags: ColumnElement[bool]) -> ColumnElement[int]:
    """One number in place of columns of yes and no: each that GROUP BY compares costs, a million times."""
    bits: Any = sum((case((flag, 1 << bit), else_=0) for bit, flag in enumerate(flags)), start=literal(0))
    return bits  # type: ignore[no-any-return]


def grouped_by(columns: Sequence[Any]) -> list[Any]:
    """As GROUP BY takes them: what is worked out by its label, so that it is worked out once.

    A plain column by itself, for its name alone may be that of another table.
    """
    return [column.name if isinstance(column, Label) else column for column in columns]


async def rows_of(tx: AsyncSession, wanted: Select[*tuple[Any, ...]]) -> list[Any]:
    """A report may read tens of thousands of rows."""
    return list((await (await tx.connection()).execute(wanted)).all())


async def rows_as(
    tx: AsyncSession, wanted: Select[*tuple[Any, ...]], make: Callable[..., Made]
) -> list[Made]:
    """What is made of their columns; in a thread, for of tens of thousands that takes half a second."""
    found = await (await tx.connection()).execute(wanted)
    return await asyncio.to_thread(lambda: [make(*row) for row in found.all()])
