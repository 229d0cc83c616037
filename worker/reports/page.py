"""The report as one page of HTML: no script, nothing from elsewhere, light and dark, for a phone first."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from worker.reports.colours import DARK, LIGHT
from worker.reports.document import Cell, Column, Document, Kind, Section, exact
from worker.reports.words import Words
from worker.rules.wording import Texts

FOLDER = Path(__file__).parent
MOST_AT_A_GLANCE = 8  # choices
WIDE = 6  # characters of a tile's figure, from which on its letters are smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    title: str
    url: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Links in a row, such as periods: without a script a switch is a page for each choice."""

    title: str
    choices: tuple[Choice, ...]

    @property
    def is_long(self) -> bool:
        """More than a phone shows at a glance: folded, and what is chosen stands above."""
        return len(self.choices) > MOST_AT_A_GLANCE

    @property
    def chosen(self) -> str:
        return next((choice.title for choice in self.choices if choice.is_chosen), "")


def page(
    document: Document,
    texts: Texts,
    *,
    pictures: Mapping[str, str] | None = None,
    nonce: str = "",
    switches: Sequence[Switch] = (),
) -> str:
    """`pictures`: the SVG of each chart by its key, from `worker.reports.pictures.svgs`.

    Who serves it sends `content_policy(nonce)` along. Without a nonce it is a file with a policy of its own.
    """
    style = _style()
    return _template("page.html").render(
        document=document,
        words=Words(texts, document.currency),
        pictures={key: Markup(svg) for key, svg in (pictures or {}).items()},  # noqa: S704 - we have drawn it
        nonce=nonce,
        policy="" if nonce else file_policy(style),
        style=Markup(style),  # noqa: S704 - it is ours
        switches=switches,
        gist_of=_gist,
        wide=WIDE,
        cell=lambda cell, column: _cell(cell, column, Words(texts, document.currency)),
    )


def notice(text: str, texts: Texts, nonce: str) -> str:
    """A page that says one thing, in the colours of the others."""
    return _template("notice.html").render(
        text=text,
        words=Words(texts),
        nonce=nonce,
        style=Markup(_style()),  # noqa: S704 - it is ours
    )


def content_policy(nonce: str) -> str:
    """The header of a page that is served with this nonce, a new one each time."""
    return _policy(f"'nonce-{nonce}'") + "; frame-ancestors 'none'"


def file_policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _policy(f"'sha256-{digest}'")


def _policy(style: str) -> str:
    return f"default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; form-action 'none'"


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    return environment.get_template(name)


@cache
def _style() -> str:
    """The colours of both themes, a rule for each role that pictures know, and the rest from its file."""
    rules = [
        f":root {{ color-scheme: light dark; {_variables(LIGHT)} }}",
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}",
        f"@media print {{ :root {{ {_variables(LIGHT)} }} }}",
        *(
            f".fill-{role} {{ fill: var(--{role}); }} .stroke-{role} {{ stroke: var(--{role}); }}"
            for role in LIGHT
        ),
        (FOLDER / "page.css").read_text(encoding="utf-8"),
    ]
    return "\n".join(rules)


def _variables(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{role}: {colour};" for role, colour in colours.items())


def _gist(section: Section) -> str:
    """What a tile says of it: what its figure is; else its heading without the title, its first sentence, or
    what a picture shows."""
    if section.tile is not None:
        return section.tile.about
    if section.is_headed:
        return section.heading.removeprefix(section.title).lstrip(": ")
    sentences = (*section.body, *(chart.title for chart in section.charts))
    return sentences[0].removeprefix("• ") if sentences else ""


def _cell(cell: Cell, column: Column, words: Words) -> Markup:
    """As people read it, and for programs as in the JSON."""
    written = words.cell(cell, column.kind)
    if column.kind is Kind.TEXT:
        return Markup("<td>{}</td>").format(written)
    if cell is None or isinstance(cell, str):
        return Markup('<td class="number">{}</td>').format(written)
    if isinstance(cell, date):
        told = Markup('<time datetime="{}">{}</time>').format(cell.isoformat(), written)
    else:
        told = Markup('<data value="{}">{}</data>').format(exact(cell), written)
    return Markup('<td class="number">{}</td>').format(told)
