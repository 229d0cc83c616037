"""Calls that were drawn for the controllers, and the scorecards that came of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, and_, cast, func, literal, or_, true
from sqlalchemy import select as columns
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.flat import rows_of, within
from storage.rows import insert_all_once, insert_once
from storage.state import recall, remember
from storage.tables.calls import Call, Scorecard
from storage.tables.columns import Json
from storage.tables.deals import Contact, Deal
from storage.tables.people import Client

MARK = "calls.draw"
MOST_KEYS = 500  # in one question to the database


@dataclass(frozen=True, slots=True)
class Draw:
    """The last one: of which week, by which seed, and whether its calls are stored."""

    week: str
    seed: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class ReviewRow:
    scored_at: datetime
    call_id: int
    manager_id: int
    criteria: list[Json]
    marks: Json
    comment: str


async def last_draw(tx: AsyncSession) -> Draw | None:
    kept = await recall(tx, MARK)
    return Draw(str(kept["week"]), str(kept["seed"]), bool(kept["is_done"])) if kept else None


async def keep_draw(tx: AsyncSession, draw: Draw) -> None:
    await remember(tx, MARK, {"week": draw.week, "seed": draw.seed, "is_done": draw.is_done})


async def sellers(tx: AsyncSession) -> set[int]:
    """Users who are responsible for a deal: a telephone's own account in amoCRM is not."""
    found = await tx.exec(select(Deal.manager_id).where(col(Deal.manager_id) > 0).distinct())
    return set(found.all())


async def pipelines_of(tx: AsyncSession, deal_ids: Collection[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    wanted = sorted(deal_ids)
    for start in range(0, len(wanted), MOST_KEYS):
        part = wanted[start : start + MOST_KEYS]
        rows = await tx.exec(select(Deal.deal_id, Deal.pipeline_id).where(col(Deal.deal_id).in_(part)))
        found |= dict(rows.all())
    return found


async def of_forgotten(
    tx: AsyncSession, deal_ids: Collection[int], contact_ids: Collection[int]
) -> tuple[set[int], set[int]]:
    """Those of these deals and contacts whose person asked to be forgotten."""
    is_gone = col(Client.erased_at).is_not(None)
    deals = select(Deal.deal_id).join(Client, col(Client.client_id) == col(Deal.client_id)).where(is_gone)
    contacts = (
        select(Contact.contact_id)
        .outerjoin(Client, col(Client.client_id) == col(Contact.client_id))
        .where(or_(is_gone, and_(col(Client.client_id).is_(None), col(Contact.is_deleted).is_(False))))
    )
    return (
        await _among(tx, deals, col(Deal.deal_id), deal_ids),
        await _among(tx, contacts, col(Contact.contact_id), contact_ids),
    )


async def _among(tx: AsyncSession, wanted: Any, column: Any, ids: Collection[int]) -> set[int]:
    found: set[int] = set()
    in_order = sorted(ids)
    for start in range(0, len(in_order), MOST_KEYS):
        found.update((await tx.exec(wanted.where(column.in_(in_order[start : start + MOST_KEYS])))).all())
    return found


async def known_keys(tx: AsyncSession, keys: Sequence[str]) -> set[str]:
    """Those that were drawn, or stood ready, before."""
    known: set[str] = set()
    for start in range(0, len(keys), MOST_KEYS):
        part = keys[start : start + MOST_KEYS]
        known.update((await tx.exec(select(Call.key).where(col(Call.key).in_(part)))).all())
    return known


async def add_calls(tx: AsyncSession, calls: Sequence[Call]) -> dict[str, int]:
    """Their ids by their keys."""
    await insert_all_once(tx, calls, returning=col(Call.id))
    keys = [one.key for one in calls]
    found: dict[str, int] = {}
    for start in range(0, len(keys), MOST_KEYS):
        part = keys[start : start + MOST_KEYS]
        rows = await tx.exec(select(Call.key, Call.id).where(col(Call.key).in_(part)))
        found |= {key: number or 0 for key, number in rows.all()}
    return found


async def add_card(tx: AsyncSession, card: Scorecard) -> bool:
    return await insert_once(tx, card)


async def card(tx: AsyncSession, card_id: int) -> tuple[Scorecard, Call] | None:
    wanted = (
        select(Scorecard, Call)
        .join(Call, col(Call.id) == col(Scorecard.call_id))
        .where(col(Scorecard.id) == card_id)
    )
    found = (await tx.exec(wanted)).first()
    return None if found is None else (found[0], found[1])


async def reviewers_of(tx: AsyncSession, call_id: int) -> set[str]:
    """Who has a card of this call."""
    found = await tx.exec(select(Scorecard.reviewer).where(col(Scorecard.call_id) == call_id))
    return set(found.all())


async def card_shown_as(tx: AsyncSession, channel: str, chat_id: str, message_id: str) -> Scorecard | None:
    wanted = select(Scorecard).where(
        col(Scorecard.message_id) == message_id,
        col(Scorecard.channel) == channel,
        col(Scorecard.chat_id) == chat_id,
    )
    return (await tx.exec(wanted)).first()


async def take_spare(tx: AsyncSession, call: Call, pipelines: Collection[int]) -> Call | None:
    """Another call of the same manager and week, of these pipelines or of none; no pipelines: of any.

    None: there is none left. Drawn from now on.
    """
    of_theirs = col(Call.pipeline_id).in_({0, *pipelines}) if pipelines else true()
    wanted = (
        select(Call)
        .where(
            col(Call.week) == call.week,
            col(Call.manager_id) == call.manager_id,
            col(Call.is_drawn).is_(False),
            col(Call.link) != "",
            of_theirs,
        )
        .order_by(col(Call.place))
        .with_for_update()
    )
    spare = (await tx.exec(wanted)).first()
    if spare is not None:
        spare.is_drawn = True
    return spare


async def unscored(tx: AsyncSession, week: str) -> dict[str, int]:
    """By who should: how many cards of that week's calls were sent, can be heard and have no score."""
    wanted = (
        columns(col(Scorecard.reviewer), func.count())
        .join(Call, col(Call.id) == col(Scorecard.call_id))
        .where(col(Call.week) == week, col(Call.link) != "", col(Scorecard.message_id) != "")
        .where(col(Scorecard.scored_at).is_(None), col(Scorecard.is_deaf).is_(False))
        .group_by(col(Scorecard.reviewer))
    )
    return {str(reviewer): int(number) for reviewer, number in await rows_of(tx, wanted)}


async def review_rows(tx: AsyncSession, begins: datetime, ends: datetime) -> list[ReviewRow]:
    wanted = columns(
        col(Scorecard.scored_at),
        col(Scorecard.call_id),
        col(Scorecard.manager_id),
        col(Scorecard.criteria),
        col(Scorecard.marks),
        col(Scorecard.comment),
    ).where(within(col(Scorecard.scored_at), begins, ends), col(Scorecard.is_deaf).is_(False))
    return [ReviewRow(*row) for row in await rows_of(tx, wanted.order_by(col(Scorecard.scored_at)))]


async def empty(tx: AsyncSession, deal_ids: Iterable[int], contact_ids: Iterable[int], digits: str) -> None:
    """Nothing of these people's calls is left but marks: neither the recording nor what was said of it.

    `digits`: the end of the number, as telephones put it into the names of recordings.
    """
    theirs = or_(
        col(Call.deal_id).in_(list(deal_ids)),
        col(Call.contact_id).in_(list(contact_ids)),
        col(Call.link).contains(digits, autoescape=True),
        col(Call.key).contains(digits, autoescape=True),
    )
    of_these = select(Call.id).where(theirs)
    await tx.exec(update(Scorecard).where(col(Scorecard.call_id).in_(of_these)).values(comment=""))
    named = theirs & col(Call.key).contains(digits, autoescape=True)
    for call in (await tx.exec(select(Call).where(named))).all():
        call.key = f"erased:{call.id}"
    await tx.exec(update(Call).where(theirs).values(link=""))


async def empty_older(tx: AsyncSession, cutoff: datetime) -> None:
    await tx.exec(
        update(Scorecard)
        .where(col(Scorecard.created_at) < cutoff, col(Scorecard.comment) != "")
        .values(comment="")
    )
    # A telephone's name of a call may hold the number, as the link does.
    named = ~col(Call.key).startswith("aged:") & ~col(Call.key).startswith("erased:")
    await tx.exec(
        update(Call)
        .where(col(Call.at) < cutoff, named)
        .values(link="", key=literal("aged:") + cast(col(Call.id), String))
        .execution_options(synchronize_session=False)
    )
