"""Each week and month: to everybody of the staff what they need to know, and a letter of thanks to all."""

from collections.abc import Iterator
from datetime import date

from integrations.channels.base import Outgoing
from storage import outbox
from storage.tables.queues import Outbox
from worker.account.people import Staff
from worker.actions.alert_staff import wait_for_morning
from worker.actions.base import Hands
from worker.actions.digests import digest_for
from worker.actions.letter import letter_for
from worker.actions.quarterly import quarter_for
from worker.actions.reaching import reach
from worker.rules.digest import Occasion, due_occasion, occasion_of
from worker.staff.commands import ADMIN, MANAGER

KIND = "send_digest"
DIGEST, LETTER, QUARTER = "digest", "letter", "quarter"
MAKE = {DIGEST: digest_for, LETTER: letter_for, QUARTER: quarter_for}


async def look_for_digest(hands: Hands) -> int:
    """Ask for the digests whose time has come; a row for each person, however many workers look."""
    now, terms = hands.now(), hands.reports
    occasion = due_occasion(now, terms.weekly, terms.monthly, hands.calendar.zone)
    if occasion is None:
        return 0
    wanted = {
        f"{KIND}:{what}:{occasion.day}:{person.key}": (what, person)
        for what, person in _wanted(hands, occasion)
    }
    async with hands.db.reading() as tx:
        known = await outbox.known_among(tx, list(wanted))
    new = {key: one for key, one in wanted.items() if key not in known}
    if not new:
        return 0
    async with hands.db.transaction() as tx:
        for key, (what, person) in new.items():
            about = {"what": what, "day": occasion.day.isoformat(), "staff": person.key}
            await outbox.add_once(tx, KIND, key, about, now, now)
    hands.wake.act.set()
    return len(new)


def _wanted(hands: Hands, occasion: Occasion) -> Iterator[tuple[str, Staff]]:
    """An administrator looks after the installation, not after sales; thanks are read by all."""
    for person in hands.known.staff:
        # A manager who is nobody in amoCRM has no results.
        if person.role != ADMIN and (person.role != MANAGER or person.amocrm_user):
            yield DIGEST, person
        if occasion.kind == "month":
            yield LETTER, person
    if hands.reports.quarterly and occasion.is_quarterly:
        for person in hands.known.owners():
            yield QUARTER, person


async def send_digest(item: Outbox, hands: Hands) -> None:
    """To one person. Nothing when there is nothing to tell, and nothing any more when it is too late."""
    wait_for_morning(hands)
    terms, asked = hands.reports, item.payload
    day = date.fromisoformat(asked["day"])
    occasion = occasion_of(day, terms.weekly, terms.monthly, hands.calendar.zone)
    person = next((one for one in hands.known.staff if one.key == asked["staff"]), None)
    if occasion is None or person is None or occasion.is_over(hands.now()):
        return
    message: Outgoing | None = await MAKE[asked["what"]](hands, person, occasion)
    if message is not None:
        await reach(hands, person.places, message)
