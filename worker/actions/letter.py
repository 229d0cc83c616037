"""The monthly letter to all staff: who is thanked, what clients write, and what was mended thanks to them."""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace

from integrations.channels.base import Outgoing
from integrations.errors import OutsideError
from storage import complaints, digests
from storage.tables.complaints import Complaint
from worker.account.people import Staff
from worker.actions.base import Hands
from worker.actions.desks import desk_for
from worker.reports import digest as facts
from worker.reports.build import build_report
from worker.reports.words import Words
from worker.rules.digest import Occasion
from worker.rules.formats import cut_words
from worker.rules.phone import masked_words
from worker.rules.scale import Band
from worker.staff.commands import LEADERS, MANAGER

log = logging.getLogger(__name__)

MOST_PRAISE = 50  # of a month, for the names
MOST_MENDED = 3  # the newest, as many as a phone shows beside the rest
LONG = 90  # characters of what was done about one complaint
FREE = "…"  # a reason in free words, which are a client's


async def letter_for(hands: Hands, person: Staff, occasion: Occasion) -> Outgoing | None:
    """The same to all, whatever they follow; people's words to those who may read them elsewhere too.

    None: nobody was praised, or too few clients answered.
    """
    desk = desk_for(hands, person)
    words = Words(hands.texts, desk.scope.currency)
    scope = replace(desk.scope, sales_health=False)
    report = await build_report(hands.db, occasion.told, scope, desk.now)
    survey = facts.main_survey(report)
    if survey is None or survey.current.value is None:
        return None
    async with hands.db.reading() as tx:
        found = await digests.praise(
            tx, Band.HIGH, occasion.told.begins, occasion.told.ends, limit=MOST_PRAISE
        )
    names = dict.fromkeys([*facts.praised(survey), *(name for name, _ in found)])
    if not names:
        return None
    # Read by all of the company: a number that somebody wrote is nobody else's business.
    said = masked_words(cut_words(found[0][1]), hands.region) if found else ""
    text = hands.texts.fill(
        "letter",
        period=words.period(occasion.told),
        survey=survey.asked.title,
        value=facts.told(survey.current.value, survey.asked.metric, words),
        n=survey.current.answered,
        name=", ".join(names),
        words=said if _reads_words(person) else "",
        topic="; ".join(await _mended(hands, person, occasion)),
    )
    return Outgoing(text=text)


def _reads_words(person: Staff) -> bool:
    return person.role in {*LEADERS, MANAGER}


async def _mended(hands: Hands, person: Staff, occasion: Occasion) -> Sequence[str]:
    """Of complaints that were solved what was done, where that was told and may be read, or the reason."""
    reads = _reads_words(person)
    async with hands.db.reading() as tx:
        solved = await digests.solved(tx, occasion.told.begins, occasion.told.ends)
        about = {one.id: await complaints.rated_low(tx, one) for one in solved} if reads else {}
    told: dict[str, None] = {}
    for one in solved:
        if len(told) == MOST_MENDED:
            break
        # Nobody reads of a complaint about themselves how it was dealt with.
        is_theirs = person.amocrm_user in {one.manager_id, *about.get(one.id, ())}
        done = await _result(hands, one) if reads and not is_theirs else ""
        reason = "" if one.topic == FREE else one.topic
        if done or reason:
            told[done or reason] = None
    return [*told]


async def _result(hands: Hands, complaint: Complaint) -> str:
    """What staff told of it; those words stand in amoCRM alone. "": nobody did, or they cannot be read."""
    if complaint.lead_id is None or not complaint.result_message:
        return ""
    try:
        notes = await hands.amocrm.note_texts(complaint.lead_id)
    except OutsideError as error:
        log.warning("the letter names the reason in place of what was done: %s", error)
        return ""
    found = [match[1] for note in notes if (match := _told_in(hands).match(note))]
    return masked_words(cut_words(found[-1], LONG), hands.region) if found else ""


def _told_in(hands: Hands) -> re.Pattern[str]:
    """A note of what was done, as it is worded here."""
    gap = "\N{OBJECT REPLACEMENT CHARACTER}"
    head = hands.texts.fill("complaint.note_result", staff=gap, when=gap)
    return re.compile(re.escape(head).replace(gap, ".+?") + r"\s+(.+)", re.DOTALL)
