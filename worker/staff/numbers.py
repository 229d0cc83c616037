"""/report, /nps, /csat, /ces, /complaints, /referrals, /frt, /iqs: the report's own words, in pages."""

from dataclasses import replace

from integrations.channels.base import Button
from storage import finding, paused
from storage.doubtful import doubtful
from storage.finding import OpenComplaint
from storage.narrowed import narrowed
from worker.metrics import iqs
from worker.metrics.frt import METRIC, FrtResult
from worker.metrics.iqs import IqsResult
from worker.metrics.referrals import ReferralResult
from worker.reports.build import Report, ReportScope, build_report
from worker.reports.document import Document
from worker.reports.draw import draw
from worker.reports.sections.base import result_of
from worker.reports.sections.frt import missing
from worker.reports.sections.iqs import comments
from worker.reports.text import section_text, title_text
from worker.reports.words import Words
from worker.rules.formats import cut_words
from worker.rules.moments import age_text, moment_text
from worker.rules.wording import Texts
from worker.staff.commands import LEADERS, MANAGER, ONE_METRIC, PERIODS, Wish, period_of
from worker.staff.desk import Answer, Desk, Rows, paged
from worker.staff.pausing import ends_at
from worker.staff.referrers import referrers

DOUBTFUL = 20  # deals
WORDS = 10  # the newest words of clients that a manager reads


async def report_answer(desk: Desk, wish: Wish) -> Answer:
    period = period_of(wish.period, desk.now, desk.zone)
    report = await build_report(narrowed(desk.db, desk.only), period, _scope(desk, wish), desk.now)
    document = draw(report, desk.texts)
    pause = await _pause_line(desk) if wish.command == "report" else ""
    head = "\n".join(filter(None, (title_text(document), pause)))
    shown = _shown(desk, wish, report, document)
    if wish.command == "complaints" and (waiting := await _waiting(desk)):
        shown.append(waiting)
    if wish.command == "referrals" and (named := await referrers(desk, report)):
        shown.append(named)
    if wish.command == "referrals" and (to_look_at := await _doubtful(desk, report)):
        shown.append(to_look_at)
    if wish.command in ONE_METRIC and desk.person.role == MANAGER and (words := await _words(desk, wish)):
        shown.append(words)
    return paged(desk, wish, head, shown, buttons=period_buttons(desk, wish))


def _scope(desk: Desk, wish: Wish) -> ReportScope:
    """What every client ever bought is read only where it is shown."""
    shows_all = wish.command == "report" and desk.person.role != MANAGER
    return desk.scope if shows_all else replace(desk.scope, sales_health=False)


def _shown(desk: Desk, wish: Wish, report: Report, document: Document) -> list[str]:
    by_key = {section.key: section_text(section) for section in document.sections if section.lines}
    if wish.command in ("complaints", "referrals"):
        return [by_key[wish.command]]
    if wish.command == "frt":
        # A report leaves out what there is nothing to say about; whoever asks is told why.
        return [by_key.get("frt") or missing(result_of(report, METRIC, FrtResult), Words(desk.texts))]
    if wish.command == "iqs":
        return _calls(desk, report, by_key.get("iqs", ""))
    asked = [one for one in desk.scope.surveys if wish.command in ("report", one.metric)]
    found = [by_key[f"surveys.{one.key}"] for one in asked]
    if wish.command == "report" and desk.person.role != MANAGER:
        found += [block for key, block in by_key.items() if not key.startswith("surveys.")]
    return found or [desk.texts.fill("report.no_survey")]


def _calls(desk: Desk, report: Report, told: str) -> list[str]:
    """With the words of those who scored, but not where others read along: they may name a client."""
    result = result_of(report, iqs.METRIC, IqsResult)
    said = "" if desk.is_group else comments(result, Words(desk.texts))
    return list(filter(None, (told or desk.texts.fill("iqs.none"), said)))


async def _pause_line(desk: Desk) -> str:
    async with desk.db.reading() as tx:
        pause = await paused.current(tx, desk.now)
    if pause is None:
        return ""
    until = ends_at(desk.texts, pause, desk.now, desk.zone)
    return desk.texts.fill("report.paused", staff=pause.by, when=until)


async def _waiting(desk: Desk) -> str:
    """Who waits for the company, the oldest first: for those who may read names."""
    if desk.person.role not in LEADERS:
        return ""
    async with desk.db.reading() as tx:
        found = await finding.open_complaints(tx, desk.only)
    if not found:
        return ""
    return "\n".join([desk.texts.fill("complaints.waiting"), *(_line(desk, one) for one in found)])


def _line(desk: Desk, one: OpenComplaint) -> str:
    scale = desk.scale(one.survey_key)
    return desk.texts.fill(
        "complaints.line",
        no=one.number,
        client=desk.client(one.client, one.phone, one.deal),
        score=one.score,
        scale_max=scale.last if scale is not None and not scale.options else None,
        age=age_text(desk.texts, desk.now - one.opened_at),
        who=desk.account.user_name(one.responsible_id),
    )


async def _doubtful(desk: Desk, report: Report) -> str:
    """Own and unknown codes, by their deals: for those who may read names; in a group by the link alone."""
    referrals = report.results["referrals"]
    if desk.person.role not in LEADERS or not isinstance(referrals, ReferralResult):
        return ""
    deal_ids = [deal_id for deals in referrals.problems.values() for deal_id in deals]
    async with desk.db.reading() as tx:
        found = await doubtful(tx, deal_ids, limit=DOUBTFUL) if deal_ids else ()
    if not found:
        return ""
    lines = [
        desk.texts.fill(
            "referrals.doubtful.line",
            deal=one.deal if desk.sees_names else "",
            reason=desk.texts.fill(f"problem.{one.problem}"),
            words=cut_words(one.typed) if desk.sees_names else "",
            deal_url=desk.lead_url(one.deal_id),
        )
        for one in found
    ]
    return "\n".join([desk.texts.fill("referrals.doubtful"), *lines])


async def _words(desk: Desk, wish: Wish) -> str:
    """What clients wrote under the manager's own scores."""
    keys = [asked.key for asked in desk.scope.surveys if asked.metric == wish.command]
    period = period_of(wish.period, desk.now, desk.zone)
    async with desk.db.reading() as tx:
        found = await finding.words(tx, desk.only, keys, period.begins, period.ends, limit=WORDS)
    if not found:
        return ""
    lines = [
        desk.texts.fill(
            "words.line",
            score=one.score,
            scale_max=scale.last
            if (scale := desk.scale(one.survey_key)) is not None and not scale.options
            else None,
            words=one.words,
            when=moment_text(desk.texts, one.at, desk.zone),
        )
        for one in found
    ]
    return "\n".join([desk.texts.fill("words.title"), *lines])


def beneath_digest(texts: Texts, period: str) -> Rows:
    """What a digest is the gist of: its figures in words, and the page with all pictures."""
    about = (("button.table", "report"), ("button.page", "dashboard"))
    return (
        tuple(
            Button(texts.fill(key), data=Wish(command=command, period=period, is_beside=True).data)
            for key, command in about
        ),
    )


def period_buttons(desk: Desk, wish: Wish) -> Rows:
    """This one and the last one in a row; the chosen one is marked."""
    buttons = [
        Button(
            f"{'• ' if key == wish.period else ''}{desk.texts.fill(f'button.period.{key}')}",
            data=Wish(command=wish.command, period=key).data,
        )
        for key in PERIODS
    ]
    return tuple(tuple(buttons[start : start + 2]) for start in range(0, len(buttons), 2))
