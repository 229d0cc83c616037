"""/find: who is meant, and what was asked, answered and done for that client, newest first."""

import re
from collections.abc import Iterator
from datetime import datetime

from integrations.channels.base import Button
from storage import finding
from storage.finding import Story
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from storage.tables.people import Client
from storage.tables.surveys import Reply, Survey, SurveyState
from worker.rules.formats import amount, cut_words
from worker.rules.moments import closed_ago, moment_text
from worker.rules.phone import normalise
from worker.rules.scale import Scale
from worker.staff.commands import Wish
from worker.staff.desk import Answer, Desk, paged
from worker.staff.planned import LONGEST_NAME

MOST = 10  # clients to choose from
MOST_WORDS = 6  # of a name: more of them find nobody whom these do not
LAST_DIGITS = 4  # fewer of them fit too many numbers
LONGEST_NUMBER = 15  # digits of a phone number
CARD = re.compile(r"/(?:leads|customers)/detail/(\d{1,18})", re.ASCII)
NUMBER = re.compile(r"[+№#]?[\d\s().\-–]*\d[\d\s().\-–]*")
ASKED = (SurveyState.SENT, SurveyState.UNCERTAIN, SurveyState.ANSWERED, SurveyState.EXPIRED)

Event = tuple[datetime, str]


async def find_answer(desk: Desk, wish: Wish) -> Answer:
    if wish.client:
        return await _story(desk, wish)
    if not wish.words:
        return Answer(text=desk.texts.fill("find.how"))
    found = await _found(desk, wish.words)
    if not found:
        return Answer(text=desk.texts.fill("find.none"))
    if len(found) == 1:
        return await _story(desk, Wish(command=wish.command, client=found[0].client_id or 0))
    shown = found[:MOST]
    text = desk.texts.fill("find.many", n=len(shown))
    if len(found) > MOST:
        text = desk.texts.fill("find.too_many", n=MOST)
    buttons = tuple(
        (Button(_label(desk, one), data=Wish(command=wish.command, client=one.client_id or 0).data),)
        for one in shown
    )
    return Answer(text=text, buttons=buttons)


async def _found(desk: Desk, words: str) -> list[Client]:
    card = CARD.search(words)
    digits = "".join(re.findall(r"\d", words))
    is_number = card is None and NUMBER.fullmatch(words) is not None
    phone = normalise(words, desk.region) if is_number and len(digits) > LAST_DIGITS else None
    deal_id = int(card[1]) if card else (int(digits) if is_number and len(digits) <= LONGEST_NUMBER else 0)
    async with desk.db.reading() as tx:
        found = await finding.clients(
            tx,
            desk.only,
            phone=phone,
            last_digits=digits if is_number and LAST_DIGITS <= len(digits) <= LONGEST_NUMBER else "",
            deal_id=deal_id,
            words=() if card or is_number else words.split()[:MOST_WORDS],
            limit=MOST + 1,
        )
    return list(found)


def _label(desk: Desk, client: Client) -> str:
    name = desk.client(client.name, client.phone)
    return f"{name}, {client.phone}" if desk.sees_names and client.phone else name


async def _story(desk: Desk, wish: Wish) -> Answer:
    async with desk.db.reading() as tx:
        found = await finding.story(tx, desk.only, wish.client)
    if found is None:
        return Answer(text=desk.texts.fill("find.none"))
    events = sorted(_events(desk, found), key=lambda event: event[0], reverse=True)
    lines = [line for _, line in events] or [desk.texts.fill("find.empty")]
    return paged(desk, wish, _head(desk, found), lines, between="\n")


def _head(desk: Desk, found: Story) -> str:
    client, texts = found.client, desk.texts
    newest = found.deals[0].name if found.deals else ""
    lines = [
        texts.fill(
            "find.client",
            client=desk.client(client.name, client.phone, newest),
            client_phone=client.phone if desk.sees_names else "",
        )
    ]
    if desk.sees_names:
        numbers = {complaint.lead_id: complaint.id for complaint in found.complaints}
        lines += [_card(desk, deal, numbers.get(deal.deal_id)) for deal in found.deals[:3]]
    return "\n".join(lines)


def _card(desk: Desk, deal: Deal, complaint: int | None) -> str:
    """A deal and where to open it; one in the complaints pipeline by the complaint's number."""
    return desk.texts.fill(
        "find.deal" if complaint is None else "find.complaint_card",
        no=complaint,
        deal=cut_words(deal.name, LONGEST_NAME),
        amount=amount(deal.price, desk.account.currency, desk.texts.language),
        closed_ago=closed_ago(desk.texts, deal.closed_at, desk.now, desk.zone),
        deal_url=desk.lead_url(deal.deal_id),
    )


def _events(desk: Desk, found: Story) -> Iterator[Event]:
    """Of one minute, what follows from another thing comes first, as it is the newer."""
    if (at := found.client.opted_out_at) is not None:
        yield at, desk.texts.fill("find.opted_out", when=_when(desk, at))
    for complaint in found.complaints:
        yield from _of_complaint(desk, complaint)
    by_id = {survey.id: survey for survey in found.surveys}
    for reply in found.replies:
        yield _of_reply(desk, reply, by_id.get(reply.survey_id))
    for survey in found.surveys:
        yield from _of_survey(desk, survey)


def _of_survey(desk: Desk, survey: Survey) -> Iterator[Event]:
    texts, title = desk.texts, desk.title(survey.survey_key, survey.metric)
    if survey.state == SurveyState.PLANNED and survey.sent_at is None:
        at = max(survey.due_at, survey.next_at)
        yield at, texts.fill("find.planned", when=_when(desk, at), survey=title)
    if survey.state in (SurveyState.SKIPPED, SurveyState.FAILED):
        at = survey.settled_at or survey.planned_at
        code = survey.reason or "failed"
        reason = texts.fill(f"reason.{code}") if texts.has(f"reason.{code}") else code
        yield at, texts.fill("find.skipped", when=_when(desk, at), survey=title, reason=reason)
    if survey.sent_at is not None and survey.state in ASKED:
        channel = texts.fill(f"channel.{survey.channel}")
        at = survey.sent_at
        yield at, texts.fill("find.asked", when=_when(desk, at), survey=title, channel=channel)
    if survey.reminded_at is not None:
        at = survey.reminded_at
        yield at, texts.fill("find.reminded", when=_when(desk, at), survey=title)
    if survey.state == SurveyState.EXPIRED and survey.expires_at is not None:
        at = survey.expires_at
        yield at, texts.fill("find.silent", when=_when(desk, at), survey=title)


def _of_reply(desk: Desk, reply: Reply, survey: Survey | None) -> Event:
    texts, at = desk.texts, reply.received_at
    kind = f"media.{reply.kind}"
    words = reply.text or (texts.fill(kind) if reply.score is None and texts.has(kind) else "")
    if desk.is_group and words:
        words = ""  # The client's own words may name anybody.
    if reply.score is None or survey is None:
        return at, texts.fill("find.words", when=_when(desk, at), words=words)
    return at, texts.fill(
        "find.score",
        when=_when(desk, at),
        survey=desk.title(survey.survey_key, survey.metric),
        score=reply.score,
        scale_max=_last(desk.scale(survey.survey_key)),
        words=words if words != str(reply.score) else "",
    )


def _of_complaint(desk: Desk, complaint: Complaint) -> Iterator[Event]:
    texts, at = desk.texts, complaint.opened_at
    who = desk.account.user_name(complaint.responsible_id)
    done = "; ".join(complaint.lines)
    yield at, texts.fill("find.complaint", when=_when(desk, at), no=complaint.id, who=who, name=done)
    if (ended := complaint.closed_at) is not None:
        yield ended, texts.fill("find.complaint_closed", when=_when(desk, ended), no=complaint.id)


def _last(scale: Scale | None) -> int | None:
    return scale.last if scale is not None and not scale.options else None


def _when(desk: Desk, moment: datetime) -> str:
    return moment_text(desk.texts, moment, desk.zone)
