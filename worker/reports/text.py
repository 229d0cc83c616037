"""The report for people: plain lines that read as well on a phone as in a terminal."""

from worker.reports.build import Report
from worker.reports.document import Document, Section
from worker.reports.draw import draw
from worker.reports.words import Words
from worker.rules.wording import Texts


def as_text(report: Report, texts: Texts) -> str:
    """In the language of `texts`; no line break at the end."""
    return document_text(draw(report, texts), texts)


def document_text(document: Document, texts: Texts) -> str:
    told = [section for section in document.sections if section.lines]
    # Surveys are counted alike: their unit is said once.
    units = dict.fromkeys(f"{section.group}: {section.unit}." for section in told if section.unit)
    blocks = [
        title_text(document),
        *(section_text(section) for section in told),
        *(["\n".join([Words(texts).say("units"), *units])] if units else []),
    ]
    return "\n\n".join(blocks)


def title_text(document: Document) -> str:
    return "\n".join(filter(None, (document.title, document.subtitle)))


def section_text(section: Section) -> str:
    return "\n".join([section.heading, *section.body])
