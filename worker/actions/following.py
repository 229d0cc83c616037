"""Complaint deals as they live in amoCRM: opened, closed, opened again, moved away, gone."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.moves import LEADS_AT_ONCE, Move, moves_of
from integrations.errors import OutsideError
from storage import complaints, deals, outbox, state
from storage.deals import Saved
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from worker.actions import keys
from worker.actions.alert_words import press_time
from worker.actions.base import Hands
from worker.rules.complaint_turns import Turn, course, together, turns_of
from worker.rules.planning import LOST, WON

log = logging.getLogger(__name__)

LOOKED_AT = "complaints.looked_at"  # when those that are open were last looked for in amoCRM
EVERY = timedelta(days=1)
IN_WORDS = "…"  # the reason is a text: there is one, and it may tell of people


async def follow(
    tx: AsyncSession, hands: Hands, saved: Saved, row: Complaint | None, now: datetime
) -> Complaint | None:
    """A deal as it was just read; the row of it if it is a complaint, ours or opened by hand."""
    deal, pipeline = saved.deal, hands.known.complaints_pipeline
    if pipeline is None:
        return None
    if deal.pipeline_id != pipeline:
        if row is not None and row.closed_at is None and row.left_at is None:
            row.left_at = deal.updated_at
            await _show_in_alert(tx, hands, row, "alert.state.left", deal.updated_at, now)
        return None
    if row is None and deal.tags:
        row = await complaints.by_markers(tx, deal.tags)
        # A card that people copied carries our marker, and is another complaint.
        row = row if row is not None and row.lead_id is None else None
        if row is not None:
            row.lead_id = deal.deal_id
    if row is None:
        row = _opened_by_hand(hands, saved)
        tx.add(row)
    row.name = deal.name
    await _follow_responsible(tx, row, deal, now)
    row.topic = topic_of(deal, hands.known.topic_field)
    if saved.is_changed:
        row.followed_at = None
        await _find_manager(tx, hands, row, deal)
    is_back, row.left_at = row.left_at is not None, None
    await tx.flush()
    await _open_or_close(tx, hands, row, deal, now, is_back=is_back)
    await tx.flush()
    return row


async def _follow_responsible(tx: AsyncSession, row: Complaint, deal: Deal, now: datetime) -> None:
    """Whoever has got it there stands in the alert too; but what was pressed here goes there first."""
    if row.responsible_id == deal.manager_id:
        return
    if row.id is not None and await outbox.is_open(tx, keys.presses_of(row.id)):
        return
    row.responsible_id = deal.manager_id
    if row.survey_id is not None:
        await outbox.ask_again(tx, "edit_alert", keys.edit_alert(row.id), {"complaint_id": row.id}, now, now)


def past_complaint(deal: Deal, topic_field: int | None) -> Complaint:
    """One that was closed before the first start: for the numbers, without a word to anybody."""
    return Complaint(
        lead_id=deal.deal_id,
        by_hand=True,
        client_id=deal.client_id,
        responsible_id=deal.manager_id,
        topic=topic_of(deal, topic_field),
        opened_at=deal.created_at,
        closed_at=deal.closed_at,
        is_solved=deal.status_id == WON,
    )


def _opened_by_hand(hands: Hands, saved: Saved) -> Complaint:
    """Moved here from sales it counts from the move and is about who leads it; else from its making."""
    deal, is_moved = saved.deal, saved.was is not None and saved.was[0] != saved.deal.pipeline_id
    manager_id = deal.manager_id if is_moved else 0
    return Complaint(
        lead_id=deal.deal_id,
        by_hand=True,
        client_id=deal.client_id,
        manager_id=manager_id,
        manager=hands.known.user_name(manager_id) if manager_id else "",
        opened_at=(deal.entered_at or deal.updated_at) if is_moved else deal.created_at,
    )


async def _find_manager(tx: AsyncSession, hands: Hands, row: Complaint, deal: Deal) -> None:
    """Who answers for a complaint deal is not whom it is about: that the client's other deals tell."""
    client_id = row.client_id or deal.client_id
    if row.by_hand and not row.manager_id and client_id is not None:
        row.manager_id = await complaints.only_manager(tx, client_id, deal.pipeline_id)
        row.manager = hands.known.user_name(row.manager_id) if row.manager_id else ""


async def _open_or_close(
    tx: AsyncSession, hands: Hands, row: Complaint, deal: Deal, now: datetime, *, is_back: bool
) -> None:
    is_closed, is_won = deal.status_id in (WON, LOST), deal.status_id == WON
    if is_closed and row.closed_at is None:
        row.closed_at, row.is_solved = deal.closed_at or deal.updated_at, is_won
        await _show_in_alert(tx, hands, row, "alert.state.solved_in_amocrm", row.closed_at, now)
    elif is_closed:
        row.is_solved = is_won  # Somebody thought better of how it ended.
    elif row.closed_at is not None and not await _is_closing(tx, row):
        row.closed_at, row.is_solved, row.closed_by, row.closed_by_user = None, None, "", 0
        # Somebody has to take it anew.
        row.first_taken_at = row.first_taken_at or row.taken_at
        row.taken_by, row.taken_at = "", None
        row.call_again = row.contacted_at is not None
        row.reopened += 1
        await _show_in_alert(tx, hands, row, "alert.state.reopened", deal.updated_at, now)
    elif is_back and row.closed_at is None:
        await _show_in_alert(tx, hands, row, "alert.state.reopened", deal.updated_at, now)


def topic_of(deal: Deal, field_id: int | None) -> str:
    """The reason that was chosen in the deal, «…» where it was written in free words; "" without one."""
    values = deal.fields.get(str(field_id), []) if field_id is not None else []
    chosen = [str(value.get("value") or "").strip() for value in values if value.get("enum_id")]
    if any(chosen):
        return ", ".join(filter(None, chosen))
    return IN_WORDS if any(str(value.get("value") or "").strip() for value in values) else ""


async def _show_in_alert(
    tx: AsyncSession,
    hands: Hands,
    row: Complaint,
    key: str,
    when: datetime,
    now: datetime,
    *,
    staff: str = "",
) -> None:
    """What was done by hand in amoCRM, for everybody who got the alert."""
    row.lines = [*row.lines, hands.texts.fill(key, when=press_time(hands, row, when), staff=staff)]
    await tx.flush()
    await outbox.ask_again(tx, "edit_alert", keys.edit_alert(row.id), {"complaint_id": row.id}, now, now)


async def _is_closing(tx: AsyncSession, row: Complaint) -> bool:
    """«Решено» was pressed, and amoCRM has not been told yet: the deal there is open a little longer."""
    return await outbox.is_open(tx, keys.press(row.id or 0, "solved", ""))


# What happened between two looks


async def read_turns(hands: Hands, *, past: bool = False) -> bool:
    """Openings and closings that no look has met, from the events of the deals that changed.

    Without them all figures are as good as the looks were, so nothing waits for them. Of deals of the past
    some are read at a time. True: some were read.
    """
    async with hands.db.reading() as tx:
        changed = await complaints.to_follow(tx, past=past, limit=LEADS_AT_ONCE if past else 100)
    for some in _tens(list(changed.items())):
        try:
            moves = await moves_of(hands.amocrm, [lead_id for lead_id, _ in some])
        except OutsideError as error:
            log.info("what became of complaints cannot be seen now: %s", error)
            return False
        async with hands.db.transaction() as tx:
            rows = await complaints.by_leads(tx, [lead_id for lead_id, _ in some])
            for lead_id, updated_at in some:
                if (row := rows.get(lead_id)) is not None:
                    own = [move for move in moves if move.entity_id == lead_id]
                    # What came after the last look is counted by the next one.
                    told = [turn for move in own for turn in _turns(move, hands) if turn.at <= updated_at]
                    _learn(row, told)
                    await _note_taking(tx, hands, row, own)
                    row.followed_at = updated_at
    return bool(changed)


def _tens(changed: Sequence[tuple[int, datetime]]) -> Iterator[Sequence[tuple[int, datetime]]]:
    for start in range(0, len(changed), LEADS_AT_ONCE):
        yield changed[start : start + LEADS_AT_ONCE]


def _learn(row: Complaint, told: Sequence[Turn]) -> None:
    """Nothing that a look has met is taken back: events are forgotten with time, and may come late."""
    turns = together((Turn.of(kept) for kept in row.turns), told)
    row.turns = [turn.as_json() for turn in turns]
    known = course(turns)
    if row.by_hand and known.entered_at is not None:
        row.opened_at = known.entered_at
    if known.reopened > row.reopened:
        row.reopened = known.reopened
        if row.closed_at is not None and known.closed_at is not None:
            row.closed_at = max(row.closed_at, known.closed_at)
    if row.closed_at is not None and not row.closed_by and known.closed_at is not None:
        row.closed_by_user = known.closed_by


async def _note_taking(tx: AsyncSession, hands: Hands, row: Complaint, moves: Sequence[Move]) -> None:
    """Whoever moves a complaint on from one open stage to another works on it, as after «Беру»."""
    if row.survey_id is None or row.taken_by or row.closed_at is not None or row.left_at is not None:
        return
    last = max((Turn.of(kept).at for kept in row.turns), default=row.opened_at)
    # amoCRM's times have whole seconds: what it tells of the second in which the complaint came is not older.
    since = max(filter(None, (row.opened_at, row.passed_at, last))).replace(microsecond=0)
    about = await complaints.rated_low(tx, row)
    for move in sorted(moves, key=lambda move: (move.created_at or since, move.event)):
        at, user = move.created_at, (hands.known.users or {}).get(move.created_by)
        if at is None or at < since or user is None or user.id in about or not _is_inside(move, hands):
            continue
        known = next((one.name for one in hands.known.staff if one.amocrm_user == user.id), "")
        if await complaints.take(tx, row.id or 0, known or user.name, at):
            await tx.refresh(row, ["taken_by", "taken_at"])
            await _show_in_alert(tx, hands, row, "alert.state.taken", at, hands.now(), staff=row.taken_by)
        return


def _is_inside(move: Move, hands: Hands) -> bool:
    """From one open stage of complaints to another. Robots are no users of amoCRM."""
    places = (move.before, move.after)
    pipeline = hands.known.complaints_pipeline
    return all(place and place[0] == pipeline and place[1] not in (WON, LOST) for place in places)


def _turns(move: Move, hands: Hands) -> list[Turn]:
    pipeline = hands.known.complaints_pipeline
    if pipeline is None or move.created_at is None or move.before is None or move.after is None:
        return []
    return turns_of(move.event, move.created_at, move.created_by, move.before, move.after, pipeline)


# What is there no more


async def look_for_gone(hands: Hands) -> None:
    """Once a day: a deal that was deleted, or merged into another, is in no list of changes."""
    now = hands.now()
    async with hands.db.reading() as tx:
        kept = await state.recall(tx, LOOKED_AT)
        is_time = kept is not None and now - datetime.fromisoformat(kept["at"]) >= EVERY
        lead_ids = await complaints.open_leads(tx) if is_time else []
    if kept is not None and not is_time:
        return
    found = await hands.amocrm.leads(lead_ids, filtered=hands.known.is_filter_enabled) if lead_ids else ()
    missing = set(lead_ids).difference(lead.id for lead in found if not lead.is_deleted)
    for lead_id in sorted(missing):
        # A list may leave out more than what is gone.
        if await hands.amocrm.lead(lead_id) is None:
            await drop(hands, lead_id)
    async with hands.db.transaction() as tx:
        await state.remember(tx, LOOKED_AT, {"at": now.isoformat()})


async def drop_gone(hands: Hands, client_id: int | None) -> None:
    """Before a score joins the client's open complaint: is its deal still there?"""
    async with hands.db.reading() as tx:
        known = await complaints.open_of_client(tx, client_id) if client_id is not None else None
    if known is not None and known.lead_id is not None and await hands.amocrm.lead(known.lead_id) is None:
        await drop(hands, known.lead_id)


async def drop(hands: Hands, lead_id: int) -> None:
    """It is open no more, and counts nowhere; if amoCRM shows the deal again, so do we."""
    async with hands.db.transaction() as tx:
        row, now = await complaints.by_lead(tx, lead_id), hands.now()
        if row is None or row.closed_at is not None or row.left_at is not None:
            return
        row.left_at = now
        if (deal := await deals.deal(tx, lead_id)) is not None:
            deal.is_deleted = True
        await _show_in_alert(tx, hands, row, "alert.state.left", now, now)
    hands.wake.act.set()
