"""A digest as one of the staff reads it, with its picture."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from integrations.channels.base import Outgoing
from storage import complaints, finding, mornings
from storage.mornings import Case
from storage.narrowed import narrowed
from worker.account.people import Staff
from worker.actions.base import Hands
from worker.actions.desks import desk_for
from worker.actions.noting import open_case
from worker.actions.words import title_of
from worker.reports import digest as facts
from worker.reports.build import Report, build_report
from worker.reports.document import Document
from worker.reports.draw import draw
from worker.reports.pictures import PictureError, png
from worker.reports.words import Words
from worker.rules.digest import (
    Fallen,
    Occasion,
    Overdue,
    Sentence,
    Situation,
    Unmarked,
    change,
    sentences,
    windows,
)
from worker.rules.formats import cut_words
from worker.rules.moments import age_text, day_text, moment_text
from worker.rules.periods import Period, month_of
from worker.rules.scale import Band
from worker.staff.commands import CONTROLLER, LEADERS, MANAGER
from worker.staff.desk import Desk
from worker.staff.numbers import beneath_digest

log = logging.getLogger(__name__)

MOST_THANKS = 3  # words of clients that a manager reads
MOST_PRAISE = 50  # among which those are looked for
TABLE = {"week": "w1", "month": "m1"}  # the period that the buttons open


async def digest_for(hands: Hands, person: Staff, occasion: Occasion) -> Outgoing | None:
    """None: there is nothing to tell."""
    desk = desk_for(hands, person)
    words = Words(hands.texts, desk.scope.currency)
    recent, window = await _report(desk, occasion.told), await _window(desk, hands, occasion)
    told = await _situation(hands, desk, window, words)
    answered, low = facts.answer_counts(recent)
    opened, closed = facts.complaint_counts(recent)
    if told.is_empty and not (answered or opened or closed):
        return None
    drawn = draw(window, hands.texts)
    head = hands.texts.fill("digest.title", company=hands.company.name, period=words.period(occasion.told))
    events = hands.texts.fill(f"digest.{occasion.kind}", n=answered, low=low, open=opened, closed=closed)
    lines = [
        *await _lines(hands, desk, occasion, told, drawn),
        *(_goals(hands, window, words) if person.role != MANAGER else ()),
    ]
    looked = "digest.window.prev" if told.score and told.score.prev else "digest.window"
    foot = hands.texts.fill(looked, n=(window.period.end - window.period.start).days)
    text = "\n\n".join([f"{head}\n{events}", "\n".join(lines), *([foot] if told.score is not None else [])])
    return Outgoing(
        text=text,
        picture=await _picture(hands, desk, occasion, window, drawn, words),
        buttons=beneath_digest(hands.texts, TABLE[occasion.kind]),
    )


async def _report(desk: Desk, period: Period) -> Report:
    # What every client ever bought is not read for a digest: it tells nothing of it.
    scope = replace(desk.scope, sales_health=False)
    return await build_report(narrowed(desk.db, desk.only), period, scope, desk.now)


async def _window(desk: Desk, hands: Hands, occasion: Occasion) -> Report:
    """Over the first length that has enough answers; where none has, over the usual one."""
    first: Report | None = None
    for period in windows(occasion.day, hands.reports.window, desk.zone):
        report = await _report(desk, period)
        if facts.has_enough(report):
            return report
        first = first or report
    if first is None:
        raise AssertionError("there is always the window of the settings")
    return first


async def _situation(hands: Hands, desk: Desk, window: Report, words: Words) -> Situation:
    survey = facts.main_survey(window)
    if survey is None:
        return Situation()
    own = desk.account.user_name(desk.person.amocrm_user)
    below, above = facts.outstanding(survey, words, but=own)
    bands, funnel = survey.current.bands, survey.funnel
    situation = Situation(
        sent=funnel.sent,
        delivered=funnel.delivered,
        answered=survey.current.answered,
        high=bands.high,
        low=bands.low,
        score=facts.score(survey, words),
    )
    if desk.person.role not in LEADERS:
        return situation
    cases = await _open_cases(hands, desk)
    empty = facts.unmarked(window)
    return replace(
        situation,
        overdue=_overdue(desk, cases),
        fallen=await _fallen(hands),
        below=below,
        topic=facts.topic(window, words),
        above=above,
        waiting=sum(not complaint.is_contacted for complaint, *_ in cases),
        unmarked=Unmarked(field=hands.referral_field, n=empty) if empty else None,
    )


async def _open_cases(hands: Hands, desk: Desk) -> Sequence[Case]:
    """Those that this person may see, and that are not about this person; the oldest first."""
    person = desk.person
    async with hands.db.reading() as tx:
        mine = {one.number for one in await finding.open_complaints(tx, desk.only)}
        found = await mornings.open_complaints(tx, opened_before=desk.now)
        return [
            one
            for one in found
            if one[0].id in mine and person.amocrm_user not in await complaints.rated_low(tx, one[0])
        ]


def _overdue(desk: Desk, cases: Sequence[Case]) -> Overdue | None:
    late = [
        one for one in cases
        if one[0].deadline is not None and one[0].deadline <= desk.now and not one[0].is_contacted
    ]  # fmt: skip
    if not late:
        return None
    complaint, _, deal, client = late[0]
    name, phone = (client.name, client.phone) if client is not None else (complaint.name, None)
    lead_id = complaint.lead_id or complaint.source_deal_id
    return Overdue(
        n=len(late),
        client=desk.client(name, phone, deal.name if deal is not None else ""),
        age=age_text(desk.texts, desk.now - complaint.opened_at),
        url=desk.lead_url(lead_id) if lead_id else "",
    )


async def _fallen(hands: Hands) -> Fallen | None:
    """The channel of which the administrator has been told that less arrives."""
    async with hands.db.reading() as tx:
        for name in hands.order:
            kept = await open_case(tx, f"down:{name}")
            if kept is not None and (values := kept.get("values")):
                return Fallen(
                    channel=title_of(hands, name),
                    share=str(values["share"]),
                    usual=str(values["usual"]),
                    remedy=hands.texts.fill("channel.remedy.down"),
                )
    return None


async def _lines(hands: Hands, desk: Desk, occasion: Occasion, told: Situation, drawn: Document) -> list[str]:
    def said(of: Sentence) -> str:
        return hands.texts.fill(of.key, **of.values)

    if desk.person.role == MANAGER:
        return [said(change(told)), *await _thanks(desk, occasion)]
    if desk.person.role == CONTROLLER:
        # How calls and chats go is what they look after; names of clients are not theirs to read.
        lines = {one.key: one.lines for one in drawn.sections if one.lines}
        beside = [f"{key.upper()}: {lines[key][0]}" for key in ("frt",) if key in lines]
        return [said(change(told)), *beside, *(lines[key][0] for key in ("iqs",) if key in lines)]
    return [said(one) for one in sentences(told)]


def _goals(hands: Hands, window: Report, words: Words) -> Iterator[str]:
    """How far it is to each goal whose figure is known."""
    survey = facts.main_survey(window)
    for name, goal in hands.goals.items():
        title, now, metric = hands.texts.fill("digest.goal.share"), facts.referral_share(window), name
        if name != "referral_share":
            if survey is None or survey.asked.metric != name:
                continue
            title, now = survey.asked.title, survey.current.value
        if now is not None:
            yield hands.texts.fill(
                "digest.goal",
                survey=title,
                value=facts.told(goal.target, metric, words),
                when=f"{day_text(hands.texts, goal.by)} {goal.by.year}",
                prev=facts.told(now, metric, words),
            )


async def _thanks(desk: Desk, occasion: Occasion) -> list[str]:
    """What clients wrote under the manager's own high scores."""
    async with desk.db.reading() as tx:
        found = await finding.words(
            tx,
            desk.only,
            [asked.key for asked in desk.scope.surveys],
            occasion.told.begins,
            occasion.told.ends,
            limit=MOST_PRAISE,
        )
    said = []
    for one in found:
        scale = desk.scale(one.survey_key)
        if scale is None or one.score is None or scale.band(one.score) != Band.HIGH:
            continue
        top = scale.last if not scale.options else None
        when = moment_text(desk.texts, one.at, desk.zone)
        said.append(
            desk.texts.fill(
                "words.line", score=one.score, scale_max=top, words=cut_words(one.words), when=when
            )
        )
    return said[:MOST_THANKS]


async def _picture(
    hands: Hands, desk: Desk, occasion: Occasion, window: Report, drawn: Document, words: Words
) -> bytes:
    """Nothing where there is nothing to draw, or it cannot be drawn: the words go out without it."""
    survey = facts.main_survey(window)
    if survey is None or survey.current.value is None:
        return b""
    last = month_of(occasion.told.start, desk.zone)
    months = draw(await _report(desk, last), desk.texts)
    goal = hands.goals.get(survey.asked.metric)
    charts = facts.picture_of(
        survey,
        months,
        drawn,
        words,
        people=desk.person.role in LEADERS,
        goal=None if goal is None else goal.target,
    )
    if not charts:
        return b""
    try:
        return await png(charts, words)
    except PictureError as error:
        log.warning("a digest goes out without its picture: %s", error)
        return b""
