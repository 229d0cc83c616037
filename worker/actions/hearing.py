"""Who of the staff hears of a complaint: those who lead, and never whom one of its low scores is about."""

from collections.abc import Collection, Sequence

from storage import complaints
from storage.tables.complaints import Alert, Complaint, Repeat
from storage.tables.deals import Deal
from storage.tables.surveys import Survey
from worker.account.people import Place, Staff
from worker.actions.base import Hands
from worker.staff.commands import LEADERS, OWNER


async def about_whom(hands: Hands, complaint: Complaint | None, survey: Survey | None) -> frozenset[int]:
    """The amoCRM users whom this score, or any low score of the complaint, is about."""
    found: frozenset[int] = frozenset()
    if complaint is not None:
        async with hands.db.reading() as tx:
            found = await complaints.rated_low(tx, complaint)
    if survey is not None and survey.subject_is_manager and survey.manager_id:
        found |= {survey.manager_id}
    return found


def recipients(
    hands: Hands,
    complaint: Complaint | None,
    survey: Survey | None,
    deal: Deal | None,
    about: Collection[int],
) -> Sequence[Sequence[Staff]]:
    """Heads of the deal's pipeline; behind them who is told when none of these can be reached."""
    pipeline = deal.pipeline_id if deal is not None else (survey.pipeline_id if survey is not None else 0)
    manager = complaint.manager_id if complaint is not None else (deal.manager_id if deal is not None else 0)
    ranks = hands.known.alerted(pipeline=pipeline, manager=manager, but=None)
    return [some for rank in ranks if (some := but(rank, about))]


def above(hands: Hands) -> Sequence[Staff]:
    """`[complaints] escalate_to`: the owners, or somebody of the staff by name, while there is such a one."""
    wanted = hands.complaints.escalate_to.strip().casefold()
    named = [one for one in hands.known.staff if one.name.strip().casefold() == wanted]
    return hands.known.owners() if wanted == OWNER or not named else named


def but(people: Sequence[Staff], about: Collection[int]) -> Sequence[Staff]:
    """Those of them whom it is not about."""
    return [one for one in people if not one.amocrm_user or one.amocrm_user not in about]


def leads(hands: Hands, person: Staff) -> bool:
    """Are complaints this person's business?"""
    return person.role in LEADERS or person in above(hands)


def works_on(hands: Hands, person: Staff, complaint: Complaint | None) -> bool:
    """Is this one this person's business? Theirs who lead, and whom it was given to."""
    return leads(hands, person) or (complaint is not None and complaint.passed_to == person.name)


def place_of(message: Alert | Repeat) -> Place:
    return Place(message.channel, message.chat_id)


def may_hear(hands: Hands, place: Place, about: Collection[int], complaint: Complaint | None = None) -> bool:
    """Not in a chat whose owner has left the company or leads no more: its alert stays as it was."""
    if place in hands.groups:
        return True  # Who is in there is for the company to decide; what it may read is masked.
    person = hands.known.staff_member(*place)
    return person is not None and works_on(hands, person, complaint) and bool(but([person], about))
