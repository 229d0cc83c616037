"""The page as a browser reads it: the same figures, nothing from elsewhere, nobody's words as markup."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

import pytest

from tests.reports.made import ALL, EVIL, full, nothing, texts
from worker.reports.build import Report
from worker.reports.document import Bar, Bars, Cell, Kind, Section, Table, Tile, exact
from worker.reports.draw import draw
from worker.reports.page import Choice, Switch, content_policy, page
from worker.reports.words import Words

every_report = pytest.mark.parametrize("made", ALL.values(), ids=ALL.keys())
EMPTY = {"meta", "br", "hr", "img", "input", "link"}


@dataclass
class Read(HTMLParser):
    """Tables by the id of what holds them, as (text, exact value) of each cell; and all that is written."""

    tables: dict[str, list[list[tuple[str, str | None]]]] = field(default_factory=dict)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    told: str = ""
    style: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.table = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "details":
            self.table = dict(attrs)["id"] or ""
            self.tables[self.table] = []
        elif tag == "tr":
            self.tables[self.table].append([])
        elif tag in ("td", "th"):
            self.tables[self.table][-1].append(("", None))
        elif tag in ("data", "time"):
            text, _ = self.tables[self.table][-1].pop()
            self.tables[self.table][-1].append(
                (text, dict(attrs).get("value") or dict(attrs).get("datetime"))
            )

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} is not what was opened last"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
            return
        self.told += data
        if {"td", "th"} & set(self.open):
            text, value = self.tables[self.table][-1].pop()
            self.tables[self.table][-1].append((text + data, value))


def read(html: str) -> Read:
    reader = Read()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def expected(table: Table, words: Words) -> list[list[tuple[str, str | None]]]:
    def cell(value: Cell, kind: Kind) -> tuple[str, str | None]:
        return words.cell(value, kind), str(exact(value)) if isinstance(value, int | float) else None

    titles = [(column.title, None) for column in table.columns]
    rows = [
        [cell(value, of.kind) for value, of in zip(row, table.columns, strict=True)] for row in table.rows
    ]
    if table.is_summary:
        return [[title, value] for title, value in zip(titles, rows[0], strict=True)]
    return [[*titles], *rows]


@every_report
@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_page_has_every_sentence_and_every_figure(made: Callable[[], Report], language: str) -> None:
    document, words = draw(made(), texts(language)), Words(texts(language))
    reader = read(page(document, texts(language)))
    assert reader.tables == {table.key: expected(table, words) for table in document.tables}
    for section in document.sections:
        for line in (section.heading, *section.body):
            assert line in reader.told
    assert ("html", {"lang": language}) in reader.tags


def test_nothing_comes_from_elsewhere_and_the_policy_of_a_file_lets_its_own_style_in() -> None:
    html = page(draw(full(), texts()), texts())
    reader = read(html)
    assert not {"script", "link", "iframe", "object", "img"} & {tag for tag, _ in reader.tags}
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"|http-equiv', "", html)
    names = {name for _, attributes in reader.tags for name in attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}
    [policy] = [of["content"] for tag, of in reader.tags if tag == "meta" and "http-equiv" in of]
    digest = base64.b64encode(hashlib.sha256(reader.style.encode()).digest()).decode()
    assert policy
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "prefers-color-scheme: dark" in reader.style
    assert "@media print" in reader.style


def test_a_served_page_has_the_nonce_of_its_header() -> None:
    reader = read(page(draw(nothing(), texts()), texts(), nonce="abc"))
    assert ("style", {"nonce": "abc"}) in reader.tags
    assert "style-src 'nonce-abc'" in content_policy("abc")
    assert not [of for tag, of in reader.tags if tag == "meta" and "http-equiv" in of]


def test_what_people_wrote_is_shown_as_they_wrote_it() -> None:
    html = page(draw(full(), texts()), texts())
    assert "<b>Олег" not in html
    assert EVIL in read(html).told


def test_a_section_that_says_nothing_in_words_is_told_by_its_picture() -> None:
    picture = Bars(key="who", title="Спрашивают всех поровну", kind=Kind.COUNT, bars=())
    document = draw(full(), texts("ru"))
    silent = Section(key="silent", title="Кого спрашивают", charts=(picture,))
    written = page(replace(document, sections=(*document.sections, silent)), texts("ru"))
    tile = written.partition('<a href="#silent">')[2].partition("</a>")[0]
    assert tile == "<b>Кого спрашивают</b> <span>Спрашивают всех поровну</span>"


def test_switches_are_links() -> None:
    choices = (Choice(title="Год", url="?a=1&b=<2", is_chosen=True), Choice(title="Месяц", url="?c"))
    switch = Switch(title="Период", choices=choices)
    reader = read(page(draw(nothing(), texts()), texts(), switches=[switch]))
    assert ("a", {"href": "?a=1&b=<2", "aria-current": "page"}) in reader.tags
    assert ("a", {"href": "?c"}) in reader.tags


def test_of_many_choices_the_chosen_one_is_told_and_the_others_are_a_tap_away() -> None:
    people = tuple(Choice(title=f"Менеджер {n}", url=f"?m={n}", is_chosen=n == 30) for n in range(40))
    html = page(draw(nothing(), texts()), texts(), switches=[Switch(title="Кто", choices=people)])
    shown = html.partition("<summary>")[2].partition("</summary>")[0]
    assert shown == "Кто: <b>Менеджер 30</b>"
    assert html.count('<a href="?m=') == 40


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_tile_shows_the_figure_of_its_section(language: str) -> None:
    document = draw(full(), texts(language))
    html = page(document, texts(language))
    by_key = {section.key: section for section in document.sections}
    assert by_key["surveys.nps"].tile == Tile(
        figure="+38", about="от +18 до +55" if language == "ru" else "+18 to +55"
    )
    assert by_key["surveys.ces"].tile is None, "of a handful of answers there is no figure"
    for section in document.sections:
        tile = html.partition(f'<a href="#{section.key}">')[2].partition("</a>")[0]
        if section.tile is not None and section.tile.figure:
            assert section.tile.figure in "\n".join((section.heading, *section.body)), "a figure of its own"
            assert f">{section.tile.figure}</strong> <span>{section.tile.about}</span>" in tile
        else:
            assert "<strong" not in tile


def test_a_picture_stands_under_its_title_and_its_lack_is_told() -> None:
    chart = Bars(key="k", title="Больше десяток", kind=Kind.COUNT, bars=(Bar(label="1", value=1),))
    document = draw(nothing(), texts())
    document = replace(document, sections=(replace(document.sections[0], charts=(chart,)),))
    drawn = page(document, texts(), pictures={"k": "<svg><text>1</text></svg>"})
    assert "<svg><text>1</text></svg>" in drawn
    assert "Больше десяток" in drawn
    assert "цифры — в таблицах" not in drawn
    assert "цифры — в таблицах" in page(document, texts())
