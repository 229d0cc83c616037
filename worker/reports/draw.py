"""The report as a document: each metric's result as its sections, whatever METRICS holds."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from worker.metrics.base import is_running
from worker.metrics.registry import METRICS, SALES_HEALTH
from worker.reports.build import Report
from worker.reports.document import Document
from worker.reports.sections import (
    average_check,
    channels,
    cohorts,
    complaints,
    fairness,
    frt,
    iqs,
    links,
    referrals,
    requests,
    retention,
    segments,
    surveys,
)
from worker.reports.sections.base import Draw
from worker.reports.words import Words
from worker.rules.moments import moment_text
from worker.rules.wording import Texts

# By the metric's key. A new one is a line here.
SECTIONS: Mapping[str, Draw] = {
    "surveys": surveys.sections,
    "complaints": complaints.sections,
    "requests": requests.sections,
    "frt": frt.sections,
    "iqs": iqs.sections,
    "referrals": referrals.sections,
    "average_check": average_check.sections,
    "channels": channels.sections,
    "fairness": fairness.sections,
    "retention": retention.sections,
    "segments": segments.sections,
    "cohorts": cohorts.sections,
    "links": links.sections,
}


def draw(report: Report, texts: Texts) -> Document:
    """In the language of `texts`, which hold the reasons, verdicts and dates."""
    words = Words(texts, report.scope.currency)
    return Document(
        title=words.say("title", company=report.scope.company, period=words.period(report.period)),
        subtitle="\n".join(_running(report, words)),
        first=report.period.start,
        last=report.period.end - timedelta(days=1),
        currency=report.scope.currency,
        sections=tuple(
            section
            for metric in (*METRICS, *SALES_HEALTH)
            if metric.key in report.results
            for section in SECTIONS[metric.key](metric, report, words)
        ),
    )


def _running(report: Report, words: Words) -> Iterator[str]:
    if is_running(report.period, report.now):
        moment = moment_text(words.texts, report.now, report.period.zone)
        yield words.say("running", when=moment)
