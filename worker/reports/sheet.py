"""The report as an XLSX workbook: a sheet of sentences, then one for each table, with real numbers."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import count

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from worker.reports.document import Cell, Column, Document, Kind, Table, exact
from worker.reports.words import Words
from worker.rules.formats import SIGNS
from worker.rules.wording import Texts

# Excel's own limits: https://support.microsoft.com/office/3f94acaf-a054-4ef6-a2e4-9a9d9f0d6c4a
NAME_LIMIT = 31
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]+")
RESERVED = "history"

NARROW, WIDE, LABELS, SENTENCES, NOTES = 9, 48, 17, 90, 60  # characters
A4 = 9  # as Excel numbers it
LINE = 15  # points
DAY = 86_400  # seconds: a spreadsheet counts time in days

NUMBER_FORMATS: Mapping[Kind, str] = {
    Kind.COUNT: "#,##0",
    Kind.POINTS: "+0.0;-0.0;0.0",
    Kind.PERCENT: "0.0%",
    Kind.SCORE: "0.00",
    Kind.MONEY: "#,##0.00",
    Kind.SECONDS: "[h]:mm:ss",
    Kind.WORKING: "[h]:mm:ss",
}
DAY_FORMATS = {"ru": "dd.mm.yyyy", "en": "yyyy-mm-dd"}

# Nothing that a person has written is a formula or a link, and no file beside this one is needed.
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def as_xlsx(document: Document, texts: Texts) -> bytes:
    words = Words(texts, document.currency)
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        book.set_properties({"title": document.title, "comments": document.subtitle})
        _Sheets(book, words).write(document)
    return file.getvalue()


def sheet_names(titles: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """What the sheets of these titles are called: short, allowed, each once without regard to case.

    >>> sheet_names(["NPS — менеджеры", "nps — менеджеры", "Оценка бригады: 1/2 — кого не спросили"])
    ['NPS — менеджеры', 'nps — менеджеры 2', 'Оценка брига… — кого не спросили']
    """
    used = {RESERVED, *(name.casefold() for name in taken)}
    names = []
    for title in titles:
        base = " ".join(FORBIDDEN.sub(" ", title).split()).strip("' ") or "-"
        name, number = _shortened(base, NAME_LIMIT), 1
        while name.casefold() in used:
            number += 1
            name = f"{_shortened(base, NAME_LIMIT - len(f' {number}'))} {number}"
        used.add(name.casefold())
        names.append(name)
    return names


def _shortened(name: str, limit: int) -> str:
    """What it is about loses its end, what it is stays whole."""
    if len(name) <= limit:
        return name
    about, dash, what = name.rpartition(" — ")
    room = limit - len(dash) - len(what) - 1
    if room < 1:
        return name[: limit - 1].rstrip("' ") + "…"
    return f"{about[:room].rstrip()}…{dash}{what}"


class _Sheets:
    """The sheets of one workbook, and the formats that they share."""

    def __init__(self, book: Workbook, words: Words) -> None:
        self.book, self.words = book, words
        self.bold = book.add_format({"bold": True})
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.header = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8EEF4"}
        )
        self.sentence = book.add_format({"text_wrap": True, "valign": "top"})
        self.day = book.add_format({"num_format": DAY_FORMATS[words.language], "align": "left"})
        self.formats: Mapping[Kind, Format | None] = {
            **{kind: book.add_format({"num_format": text}) for kind, text in NUMBER_FORMATS.items()},
            Kind.DAY: self.day,
            Kind.TEXT: None,
        }

    def write(self, document: Document) -> None:
        tables = document.tables
        first = self.words.cover("name")
        names = sheet_names([table.title for table in tables], taken=[first])
        self._cover(self.book.add_worksheet(first), document, list(zip(names, tables, strict=True)))
        for name, table in zip(names, tables, strict=True):
            self._table(self.book.add_worksheet(name), table)

    def _cover(self, sheet: Worksheet, document: Document, tables: list[tuple[str, Table]]) -> None:
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, LABELS)
        sheet.set_column(1, 1, SENTENCES)
        sheet.set_column(2, 2, NOTES)
        sheet.write_string(0, 0, document.title, self.title)
        rows = count(1)
        for key, day in (("first", document.first), ("last", document.last)):
            if day is not None:
                row = next(rows)
                sheet.write_string(row, 0, self.words.cover(key))
                sheet.write_datetime(row, 1, day, self.day)
        for heading, lines in self._blocks(document):
            self._heading(sheet, heading, rows)
            for line in lines:
                row = next(rows)
                sheet.write_string(row, 1, line, self.sentence)
                if len(line) > SENTENCES:  # Not every program makes room by itself.
                    sheet.set_row(row, LINE * -(-len(line) // SENTENCES))
        self._heading(sheet, self.words.cover("sheets"), rows)
        for name, table in tables:
            quoted, row = name.replace("'", "''"), next(rows)
            sheet.write_url(row, 1, f"internal:'{quoted}'!A1", string=table.title)
            sheet.write_string(row, 2, table.note, self.sentence)
        self._fit(sheet)

    def _heading(self, sheet: Worksheet, heading: str, rows: Iterator[int]) -> None:
        """Under an empty row; it may be as long as it is, since nothing stands beside it."""
        next(rows)
        sheet.write_string(next(rows), 0, heading, self.bold)

    def _blocks(self, document: Document) -> Iterator[tuple[str, Sequence[str]]]:
        """Headings with the sentences under them."""
        if document.subtitle:
            yield document.subtitle, ()
        for section in document.sections:
            if section.lines:
                yield section.heading, section.body
        counted = dict.fromkeys(f"{of.group}: {of.unit}." for of in document.sections if of.unit)
        sources = dict.fromkeys(f"{of.group}: {of.source}." for of in document.sections if of.source)
        for key, lines in (("units", [*counted, *document.notes]), ("source", [*sources])):
            if lines:
                yield self.words.cover(key), lines

    @staticmethod
    def _fit(sheet: Worksheet) -> None:
        """On paper: as wide as a page, across."""
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)

    def _table(self, sheet: Worksheet, table: Table) -> None:
        for place, column in enumerate(table.columns):
            sheet.write_string(0, place, header(column, self.words), self.header)
            cells = table.column(column.key)
            for row, cell in enumerate(cells, 1):
                self._cell(sheet, row, place, cell, column.kind)
            sheet.set_column(place, place, self._width(column, cells))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
        sheet.repeat_rows(0)
        self._fit(sheet)

    def _cell(self, sheet: Worksheet, row: int, place: int, cell: Cell, kind: Kind) -> None:
        match cell:
            case None:
                return  # An empty cell: what is undefined counts in no sum and no average.
            case str():
                sheet.write_string(row, place, cell)
            case date():
                sheet.write_datetime(row, place, cell, self.formats[Kind.DAY])
            case _:
                sheet.write_number(row, place, number_of(cell, kind), self.formats[kind])

    def _width(self, column: Column, cells: Sequence[Cell]) -> int:
        longest = max((len(self.words.cell(cell, column.kind)) for cell in cells), default=0)
        longest_word = max(map(len, header(column, self.words).split()))
        return min(WIDE, max(NARROW, longest + 2, longest_word + 4))  # the filter's arrow takes its place


def header(column: Column, words: Words) -> str:
    """The title, with the unit where the numbers do not show it."""
    match column.kind:
        case Kind.MONEY:
            return f"{column.title}, {SIGNS.get(words.currency.upper(), words.currency)}"
        case Kind.SECONDS | Kind.WORKING:
            return f"{column.title}, {words.cover('seconds')}"
        case _:
            return column.title


def number_of(cell: float, kind: Kind) -> float:
    """The figure of the JSON, in the unit in which spreadsheets reckon."""
    figure = exact(cell)
    match kind:
        case Kind.PERCENT:
            return round(figure / 100, 6)
        case Kind.SECONDS | Kind.WORKING:
            return figure / DAY
        case _:
            return figure
