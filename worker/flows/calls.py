"""Calls in, once a week: some of each manager's are drawn by chance and become scorecards."""

import logging
import re
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.calls import CARDS, INCOMING, CallNote, call_notes
from integrations.errors import Permanent
from storage import calls, erased_numbers, outbox
from storage.calls import Draw
from storage.tables.calls import Call, Scorecard
from worker.account.people import Staff
from worker.actions import scorecards
from worker.actions.base import Hands
from worker.rules.phone import normalise
from worker.rules.scorecards import Week, due_week, in_order, reviewers, version_of, written

log = logging.getLogger(__name__)

SHORTEST = 20  # seconds: in less nobody says anything that could be scored
UNHURRIED = timedelta(days=3)  # of the week in which they are to be scored: from Thursday on it is time
SPARE = 5  # calls of each manager, for those that cannot be heard
UNKNOWING = (400, 403, 404, 422)  # a token that may not read such cards

Rest = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Heard:
    """A call with a recording: where its note stands, and who talked."""

    note: CallNote
    cards: str
    manager: int

    @property
    def key(self) -> str:
        return self.note.uniq or f"note:{self.note.id}"


async def draw_calls(hands: Hands, rest: Rest) -> int:
    """Last week's, once; gives how many were drawn. `rest` is taken before each request.

    Raises what amoCRM's client raises; then the next try draws the same calls.
    """
    week = due_week(hands.now(), hands.calendar) if hands.calls_per_week else None
    people = scorecards.controllers(hands)
    if week is None or not people or hands.wake.is_stopping:
        return 0
    draw = await _begun(hands, week)
    if draw.is_done:
        return 0
    found = await _heard(hands, week, rest)
    if found is None:
        return 0
    async with hands.db.transaction() as tx:
        if (last := await calls.last_draw(tx)) is None or last.is_done:
            return 0  # Another worker was faster.
        found = await _without_forgotten(tx, hands, found)
        known = await calls.known_keys(tx, [one.key for one in found])
        pipelines = await calls.pipelines_of(
            tx, {one.note.entity_id for one in found if one.cards == CARDS[0]}
        )
        drawn = _drawn(hands, draw, [one for one in found if one.key not in known], pipelines)
        ids = await calls.add_calls(tx, drawn)
        chosen = [call for call in drawn if call.is_drawn]
        able = [[one.key for one in scorecards.able(people, call)] for call in chosen]
        by_key = {one.key: one for one in people}
        for call, keys in zip(chosen, reviewers(able), strict=True):
            for key in keys:
                card = new_card(hands, ids[call.key], call, by_key[key])
                if await calls.add_card(tx, card):
                    await scorecards.ask_to_send(tx, hands, card)
        await calls.keep_draw(tx, Draw(draw.week, draw.seed, is_done=True))
    log.info("calls of the week of %s: %d with a recording, %d drawn", week.key, len(found), len(chosen))
    hands.wake.act.set()
    return len(chosen)


async def remind_of_cards(hands: Hands) -> int:
    """Once a week, in working hours: whoever has not scored last week's calls yet; gives how many people."""
    now = hands.now()
    week = due_week(now, hands.calendar) if hands.calls_per_week else None
    if week is None or now < week.ends + UNHURRIED:
        return 0
    async with hands.db.reading() as tx:
        left = await calls.unscored(tx, week.key)
        people = {f"remind_of_cards:{week.key}:{key}": key for key in left}
        new = people.keys() - await outbox.known_among(tx, [*people])
    if not new:
        return 0
    staff = {one.key: one for one in hands.known.staff}
    async with hands.db.transaction() as tx:
        for name in sorted(new):
            key = people[name]
            places = [[place.channel, place.chat_id] for place in staff[key].places] if key in staff else []
            text = hands.texts.fill("iqs.remind", n=left[key])
            await outbox.add_once(tx, "tell_staff", name, {"places": places, "text": text}, now, now)
    hands.wake.act.set()
    return len(new)


def new_card(hands: Hands, call_id: int, call: Call, person: Staff) -> Scorecard:
    return Scorecard(
        call_id=call_id,
        manager_id=call.manager_id,
        pipeline_id=call.pipeline_id,
        reviewer=person.key,
        reviewer_name=person.name,
        version=version_of(hands.criteria),
        criteria=written(hands.criteria),
        created_at=hands.now(),
    )


async def _begun(hands: Hands, week: Week) -> Draw:
    """The seed is kept before anything is read: whoever starts again draws the same."""
    async with hands.db.reading() as tx:
        last = await calls.last_draw(tx)
    if last is not None and last.week >= week.key:
        return last
    async with hands.db.transaction() as tx:
        last = await calls.last_draw(tx)
        if last is None or last.week < week.key:
            last = Draw(week.key, secrets.token_hex(8), is_done=False)
            await calls.keep_draw(tx, last)
        return last


async def _heard(hands: Hands, week: Week, rest: Rest) -> list[Heard] | None:
    """Calls of that week with a recording. None: amoCRM lets nobody read them."""
    async with hands.db.reading() as tx:
        sellers = await calls.sellers(tx)
    sellers |= {one.amocrm_user for one in hands.known.staff if one.amocrm_user}
    found: dict[str, Heard] = {}
    refused = 0
    for cards in CARDS:
        try:
            await rest()
            async for page in call_notes(hands.amocrm, cards, week.begins):
                for one in _usable(page, cards, week, sellers):
                    found.setdefault(one.key, one)
                await rest()
        except Permanent as error:
            if error.status not in UNKNOWING:
                raise
            refused += 1
            log.info("calls of %s cannot be read: %s", cards, error)
    return None if refused == len(CARDS) else list(found.values())


async def _without_forgotten(tx: AsyncSession, hands: Hands, found: Sequence[Heard]) -> list[Heard]:
    """Nothing of who asked to be forgotten, known by the card or by the number in a telephone's names."""
    on = {cards: {one.note.entity_id for one in found if one.cards == cards} for cards in CARDS}
    deals, contacts = await calls.of_forgotten(tx, on[CARDS[0]], on[CARDS[1]])
    gone = {(CARDS[0], deal) for deal in deals} | {(CARDS[1], contact) for contact in contacts}
    named = [_numbers(hands, one.note) for one in found]
    erased = await erased_numbers.erased_among(tx, set().union(*named))
    return [
        one
        for one, numbers in zip(found, named, strict=True)
        if (one.cards, one.note.entity_id) not in gone and not erased.intersection(numbers)
    ]


def _numbers(hands: Hands, note: CallNote) -> set[str]:
    found = re.findall(r"(?<!\d)\d{10,12}(?!\d)", f"{note.link} {note.uniq}")
    return {number for text in found if (number := normalise(text, hands.region)) is not None}


def _usable(page: Iterable[CallNote], cards: str, week: Week, sellers: set[int]) -> list[Heard]:
    found = []
    for note in page:
        manager = next((user for user in note.users if user in sellers), 0)
        is_of_week = note.created_at is not None and week.begins <= note.created_at < week.ends
        if is_of_week and note.link and manager and note.duration >= SHORTEST:
            found.append(Heard(note, cards, manager))
    return found


def _drawn(hands: Hands, draw: Draw, found: Sequence[Heard], pipelines: Mapping[int, int]) -> list[Call]:
    """Of each manager so many, and some spare ones."""
    by_manager: defaultdict[int, list[Call]] = defaultdict(list)
    for one in in_order(draw.seed, found, lambda one: one.key):
        theirs, note = by_manager[one.manager], one.note
        if len(theirs) == hands.calls_per_week + SPARE or note.created_at is None:
            continue
        deal_id = note.entity_id if one.cards == CARDS[0] else None
        theirs.append(
            Call(
                key=one.key,
                week=draw.week,
                manager_id=one.manager,
                pipeline_id=pipelines.get(deal_id or 0, 0),
                deal_id=deal_id,
                contact_id=note.entity_id if one.cards == "contacts" else None,
                at=note.created_at,
                duration=note.duration,
                is_incoming=note.note_type == INCOMING,
                link=note.link,
                place=len(theirs),
                is_drawn=len(theirs) < hands.calls_per_week,
            )
        )
    # One of each manager after the other, so that every fifth call is not always the same person's.
    return sorted((call for theirs in by_manager.values() for call in theirs), key=lambda call: call.place)
