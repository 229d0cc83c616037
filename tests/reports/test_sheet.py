"""The workbook as a spreadsheet reads it: sheets, filters, and the same figures cell by cell."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest
from openpyxl import Workbook, load_workbook

from tests.reports.made import ALL, EVIL, full, nothing, texts
from worker.reports.build import Report
from worker.reports.document import Cell, Column, Document, Kind, Section, Table
from worker.reports.draw import draw
from worker.reports.sheet import DAY, as_xlsx, number_of, sheet_names

every_report = pytest.mark.parametrize("made", ALL.values(), ids=ALL.keys())


def opened(document: Document, language: str = "ru") -> Workbook:
    return load_workbook(io.BytesIO(as_xlsx(document, texts(language))))


def expected(cell: Cell, kind: Kind) -> object:
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - a spreadsheet knows no zones
    return pytest.approx(number_of(cell, kind)) if isinstance(cell, int | float) else cell


def in_numbers(value: object) -> object:
    """openpyxl makes a timedelta of what is formatted as a duration."""
    return value.total_seconds() / DAY if hasattr(value, "total_seconds") else value


@every_report
@pytest.mark.parametrize("language", ["ru", "en"])
def test_each_table_is_a_sheet_with_its_figures(made: Callable[[], Report], language: str) -> None:
    document = draw(made(), texts(language))
    tables = [table for section in document.sections for table in section.tables]
    first, *sheets = opened(document, language).worksheets
    assert first["A1"].value == document.title
    assert len(sheets) == len(tables)
    for sheet, table in zip(sheets, tables, strict=True):
        header, *rows = [[in_numbers(value) for value in row] for row in sheet.iter_rows(values_only=True)]
        assert all(
            str(title).startswith(column.title) for title, column in zip(header, table.columns, strict=True)
        )
        assert rows == [
            [expected(cell, column.kind) for cell, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ]
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref


def test_the_first_sheet_tells_the_period_and_what_the_text_tells() -> None:
    document = draw(full(), texts())
    book = opened(document)
    cells = [cell for row in book["Отчёт"].iter_rows(values_only=True) for cell in row if cell]
    assert datetime(2026, 7, 1) in cells  # noqa: DTZ001 - as above
    assert datetime(2026, 9, 30) in cells  # noqa: DTZ001 - as above
    assert set(document.sections[0].lines) < set(cells)
    assert "Рекламации: сделки, по дню поступления и по дню закрытия; открытые — на сейчас." in cells


def test_numbers_are_shown_as_what_they_are() -> None:
    sheet = opened(draw(full(), texts()))["Рекомендации — итоги"]
    found = {column[0].value: column[1] for column in sheet.iter_cols()}
    amount = found["Сумма выигранных, ₽"]
    assert (amount.value, amount.number_format) == (14_400_006.6, "#,##0.00")
    share = found["Доля по рекомендации"]
    assert (share.value, share.number_format) == (0.15, "0.0%")


def test_what_people_wrote_is_text_and_never_a_formula() -> None:
    document = draw(full(), texts())
    people = opened(document)["NPS — менеджеры"]
    assert [row[0].value for row in people.iter_rows() if row[0].value == EVIL] == [EVIL]
    table = Table(
        key="t",
        title="=1+1",
        columns=(Column(key="a", title="A", kind=Kind.TEXT), Column(key="b", title="B", kind=Kind.DAY)),
        rows=(("=1+1", date(2026, 11, 1)), ("http://a.example", None), ("\x07", None)),
    )
    sheet = opened(replace(document, sections=(Section(key="s", title="S", tables=(table,)),))).worksheets[1]
    assert [(row[0].data_type, row[0].hyperlink) for row in sheet.iter_rows()] == [("s", None)] * 4
    assert sheet["B2"].is_date


@pytest.mark.parametrize(
    "titles",
    [
        ["a" * 40, "a" * 41, "A" * 42],
        ["[NPS]: */\\?", "NPS", "'nps'"],
        ["", "History", "history", "Отчёт"],
        [f"{'Оценка монтажной бригады' * 2} — менеджеры", f"{'Оценка монтажной бригады' * 2} — оценки"],
        [f"a — {'b' * 50}", "\x00"],
    ],
)
def test_sheets_have_names_that_every_program_takes(titles: list[str]) -> None:
    names = sheet_names(titles, taken=["Отчёт"])
    assert len({name.casefold() for name in [*names, "Отчёт", "History"]}) == len(titles) + 2
    for name in names:
        assert 0 < len(name) <= 31
        assert not set(name) & set("[]:*?/\\\x00")
        assert name.strip("'") == name


def test_an_empty_report_is_a_workbook_too() -> None:
    assert len(opened(replace(draw(nothing(), texts()), sections=())).worksheets) == 1
