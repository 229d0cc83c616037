"""Alerts one by one, or many as one message: after an outage, after a night, on a bad day."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.channels.base import Outgoing
from storage import complaints
from storage.tables.queues import Outbox
from worker.account.people import Place, Staff
from worker.actions.alert_staff import (
    alert_buttons,
    alert_staff,
    case_of,
    wait_for_morning,
)
from worker.actions.alert_words import alert_text
from worker.actions.base import Hands, Later
from worker.actions.hearing import about_whom, place_of, recipients
from worker.actions.joined import Case, burst, in_messages
from worker.actions.keeping import keep_alerts
from worker.actions.reaching import Postponed, has_staff_channel, reach
from worker.actions.telling import in_group
from worker.rules.bursts import WINDOW, Alone, Gather, Together, gather

log = logging.getLogger(__name__)

Ranks = Sequence[Sequence[Staff]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A complaint that somebody has not heard of yet. `heard`: the chats that have."""

    case: Case
    ranks: Ranks
    heard: frozenset[Place]

    @property
    def number(self) -> int:
        return self.case[0].id or 0


async def alert_or_join(item: Outbox, hands: Hands) -> None:
    """One alert; with more than `[alerts] burst` in ten minutes it takes all others with it.

    The rows of those find everybody told. What the try before has sent, nobody gets again.
    """
    if not has_staff_channel(hands) or item.payload.get("is_again"):
        await alert_staff(item, hands)
        return
    wait_for_morning(hands)
    own = await _wanted(hands, int(item.payload["complaint_id"]))
    if own is None:
        return
    ready, coming = await _others(item, hands)
    asked_at = min(row.created_at for row in ready)
    async with hands.db.reading() as tx:
        sent = await complaints.messages_since(tx, asked_at - WINDOW)
    decided = gather(
        recent=max(sent.values(), key=len, default=[]),
        ready=len(ready),
        coming=coming,
        asked_at=asked_at,
        now=hands.now(),
        burst=hands.alerts.burst,
    )
    match decided:
        case Alone():
            await _one_by_one(hands, ready)
        case Gather(until):
            raise Later(until, "more alerts are coming")
        case Together():
            numbers = dict.fromkeys(int(row.payload["complaint_id"]) for row in ready)
            found = [await _wanted(hands, number) for number in numbers]
            await _send(hands, [one for one in found if one is not None])


async def _wanted(hands: Hands, complaint_id: int) -> Wanted | None:
    """None: it is over, or all whom it concerns have heard of it."""
    case = await case_of(hands, complaint_id)
    if case is None or case[0].closed_at is not None or case[0].left_at is not None:
        return None
    async with hands.db.reading() as tx:
        heard = frozenset(place_of(alert) for alert in await complaints.alerts(tx, complaint_id))
    ranks = recipients(hands, *case[:3], await about_whom(hands, case[0], case[1]))
    if ranks and all(heard.intersection(person.places) for person in ranks[0]):
        return None if heard.issuperset(hands.groups) else Wanted(case=case, ranks=ranks, heard=heard)
    return Wanted(case=case, ranks=ranks, heard=heard)


async def _others(item: Outbox, hands: Hands) -> tuple[Sequence[Outbox], int]:
    """The alerts that could be sent now, this one among them, and how many are about to come."""
    now = hands.now()
    async with hands.db.reading() as tx:
        rows = [row for row in await complaints.wanted_alerts(tx) if not row.payload.get("is_again")]
        opened = await complaints.opened_by(
            tx, [int(row.payload["survey_id"]) for row in rows if row.kind == "open_complaint"]
        )
    alerts = [row for row in rows if row.kind == item.kind]
    # What failed before waits only because the messenger did.
    ready = [row for row in alerts if row.id == item.id or row.due_at <= now or row.attempt > 0]
    coming = [row for row in alerts if row not in ready and row.due_at <= now + WINDOW]
    opening = [
        row
        for row in rows
        if row.kind == "open_complaint" and row.due_at <= now and row.payload["survey_id"] not in opened
    ]
    return ready or [item], len(coming) + len(opening)


async def _one_by_one(hands: Hands, ready: Sequence[Outbox]) -> None:
    """In the order in which they came, whichever of them is tried again first."""
    later = Postponed()
    for row in ready:
        with later:
            await alert_staff(row, hands)
    later.settle()


async def _send(hands: Hands, wanted: Sequence[Wanted]) -> None:
    """To everybody what concerns them; whom nobody of the first can hear, the next."""
    later = Postponed()
    in_groups = set()
    for group in hands.groups:
        with later:
            in_groups |= await _send_all(hands, [group], wanted)
    left = [(one, one.ranks) for one in wanted]
    while left:
        by_person: dict[tuple[Place, ...], list[Wanted]] = {}
        for one, ranks in left:
            for person in ranks[0] if ranks else ():
                by_person.setdefault(person.places, []).append(one)
        heard: set[int] = set()
        for places, theirs in by_person.items():
            with later:
                heard |= await _send_all(hands, places, theirs)
        if later.is_needed:
            break
        for one, ranks in left:
            if one.number not in heard | in_groups and len(ranks) < 2:
                log.warning(
                    "complaint %s: nobody could be alerted; its deal and task in amoCRM are the alert",
                    one.number,
                )
        left = [(one, ranks[1:]) for one, ranks in left if one.number not in heard and len(ranks) > 1]
    later.settle()


async def _send_all(hands: Hands, places: Sequence[Place], theirs: Sequence[Wanted]) -> set[int]:
    """Gives those that are known there now."""
    heard = {one.number for one in theirs if one.heard.intersection(places)}
    for some in in_messages([one for one in theirs if not one.heard.intersection(places)]):
        if await _send_one(hands, places, some):
            heard |= {one.number for one in some}
    return heard


async def _send_one(hands: Hands, places: Sequence[Place], some: Sequence[Wanted]) -> bool:
    now = hands.now()
    if len(some) == 1:
        complaint, survey, deal, client = some[0].case
        text = await alert_text(hands, complaint, survey, deal, client, sent_at=now)
        message = Outgoing(text=text, buttons=alert_buttons(hands, complaint))
    else:
        message = burst(hands, [one.case for one in some], sent_at=now)
    if hands.groups and places[0] in hands.groups:
        message = in_group(hands, message, *(one.case[3] for one in some))
    told = await reach(hands, places, message)
    if told is not None:
        await keep_alerts(hands, [one.case[0] for one in some], *told)
    return told is not None
