"""What staff read about an answer: the alert, what joins it, and the values that their texts take."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage import asked
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from storage.tables.people import Client
from storage.tables.surveys import Survey
from worker.actions.base import Hands
from worker.actions.words import Values, clock_time, score_values, survey_title, title_of
from worker.rules.compose import compose_alert
from worker.rules.formats import amount, cut_words, join_words
from worker.rules.moments import closed_ago, deadline_text, moment_text
from worker.rules.scale import Band

LATE = timedelta(minutes=30)  # an alert that comes later than this tells when the score came


def staff_values(
    hands: Hands,
    *,
    client: Client | None,
    deal: Deal | None,
    survey: Survey | None,
    now: datetime,
    complaint: Complaint | None = None,
    words: Sequence[str] = (),
    deadline: datetime | None = None,
) -> Values:
    """What staff may read: names as in amoCRM, the full number in private chats."""
    texts, zone = hands.texts, hands.calendar.zone
    name = deal.name if deal is not None else ""
    until = deadline or (complaint.deadline if complaint is not None else None)
    return {
        "client": (client.name if client is not None else "") or texts.fill("client.unnamed", deal=name),
        "client_phone": client.phone if client is not None else "",
        "deal": name,
        "deal_url": hands.amocrm.lead_url(deal.deal_id) if deal is not None else "",
        "amount": amount(deal.price, hands.known.currency, hands.company.language)
        if deal is not None
        else "",
        "closed_ago": closed_ago(texts, deal.closed_at if deal is not None else None, now, zone),
        "survey": survey_title(hands, survey) if survey is not None else "",
        "channel": title_of(hands, survey.channel) if survey is not None else "",
        "when": moment_text(texts, survey.answered_at, zone)
        if survey is not None and survey.answered_at
        else "",
        "manager": survey.manager if survey is not None else "",
        "crew": survey.subject if survey is not None and not survey.subject_is_manager else "",
        "words": join_words(words),
        "no": complaint.id if complaint is not None else None,
        "who": hands.known.user_name(complaint.responsible_id) if complaint is not None else "",
        "deadline": deadline_text(texts, until, zone, now) if until is not None else "",
        **(score_values(hands, survey) if survey is not None else {"score": None, "scale_max": None}),
    }


def joined_text(hands: Hands, survey: Survey, words: Sequence[str] = ()) -> str:
    """A second low score, as the complaint's note and alert tell it."""
    values: Values = {"survey": survey_title(hands, survey), **score_values(hands, survey)}
    return hands.texts.fill("complaint.note_joined", **values, words=cut_words(join_words(words)))


def raised_text(hands: Hands, survey: Survey) -> str:
    """What the alert of another survey's complaint says of a score that had joined it."""
    values: Values = {"survey": survey_title(hands, survey), **score_values(hands, survey)}
    return hands.texts.fill("alert.state.raised", **values)


def press_time(hands: Hands, complaint: Complaint, moment: datetime) -> str:
    """For a line under the alert, which is read for days: with its date once it is not the alert's day."""
    return moment_text(hands.texts, moment, hands.calendar.zone, complaint.opened_at)


def late_text(hands: Hands, came_at: datetime) -> str:
    """The first line of what had to wait."""
    when = clock_time(hands, came_at)
    if came_at.astimezone(hands.calendar.zone).date() == hands.now().astimezone(hands.calendar.zone).date():
        when = hands.texts.fill("date.clock", when=when)
    return hands.texts.fill("alert.late", when=when)


def _came_at(complaint: Complaint | None, survey: Survey | None, sent_at: datetime) -> datetime:
    """When staff should have heard of it: of a score, a corrected one, or after «Позвонить позже»."""
    moments = [survey.confirm_until or survey.answered_at] if survey is not None else []
    if complaint is not None:
        moments += [complaint.opened_at, complaint.call_later_at]
    return max((moment for moment in moments if moment is not None and moment <= sent_at), default=sent_at)


async def alert_text(
    hands: Hands,
    complaint: Complaint | None,
    survey: Survey | None,
    deal: Deal | None,
    client: Client | None,
    *,
    sent_at: datetime,
) -> str:
    """One screen; an alert that was sent long after the score says so in its first line."""
    now = hands.now()
    came_at = _came_at(complaint, survey, sent_at)
    late = ""
    if sent_at - came_at > LATE:
        late = late_text(hands, came_at)
    if survey is None:
        values = staff_values(hands, client=client, deal=deal, survey=None, complaint=complaint, now=now)
        return hands.texts.fill("alert.foot", **values)
    async with hands.db.reading() as tx:
        words = await asked.words_of(tx, survey.id or 0)
    values = {
        **staff_values(hands, client=client, deal=deal, survey=survey, complaint=complaint, now=now),
        "words": words[0] if words else "",
    }
    states = list(complaint.lines) if complaint is not None else ()
    is_raised = survey.band != Band.LOW
    return compose_alert(hands.texts, values, added=words[1:], states=states, late=late, is_raised=is_raised)
