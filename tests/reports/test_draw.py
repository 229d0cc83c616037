"""What every face of a report is made of: are all figures in it, once, under their names?"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.reports.made import ALL, full, nothing, texts
from worker.metrics.registry import METRICS
from worker.metrics.stats import rounded
from worker.reports.build import Report, as_json
from worker.reports.document import Bars, Cell, Document, Dots, Kind, Table
from worker.reports.draw import SECTIONS, draw
from worker.reports.titles import COLUMNS, FINDINGS, TABLES
from worker.rules.wording import check_template, placeholders_of

every_report = pytest.mark.parametrize("made", ALL.values(), ids=ALL.keys())
PEOPLE = {"by_manager": "manager", "by_subject": "subject"}


def tables_of(document: Document) -> dict[str, Table]:
    return {table.key: table for section in document.sections for table in section.tables}


def figure(cell: Cell) -> Cell:
    return rounded(cell) if isinstance(cell, float) else cell


def test_every_metric_has_its_sections() -> None:
    assert set(SECTIONS) == {metric.key for metric in METRICS}


@every_report
@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_table_is_whole_and_every_key_there_once(made: Callable[[], Report], language: str) -> None:
    document = draw(made(), texts(language))
    tables = [table for section in document.sections for table in section.tables]
    keys = [section.key for section in document.sections] + [table.key for table in tables]
    assert len(set(keys)) == len(keys)
    for table in tables:
        assert len({column.key for column in table.columns}) == len(table.columns)
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert len(table.rows) == 1 or not table.is_summary
        for column in table.columns:
            kinds = str if column.kind is Kind.TEXT else int | float
            assert all(cell is None or isinstance(cell, kinds) for cell in table.column(column.key))
    assert all(chart.title for section in document.sections for chart in section.charts)


@every_report
def test_the_tables_hold_every_figure_of_the_json(made: Callable[[], Report]) -> None:
    report = made()
    tables, written = tables_of(draw(report, texts())), as_json(report)
    for key, figures in written["surveys"].items():
        assert_survey(tables, f"surveys.{key}", figures)
    for key in ("complaints", "referrals"):
        summary = row_of(tables[f"{key}.summary"])
        assert {name: summary[name] for name in written[key]} == written[key]
    for name, figures in written["channels"].items():
        table = tables["channels.by_name"]
        row = dict(zip((column.key for column in table.columns), line(table, "code", name), strict=True))
        assert {key: row[key] for key in figures} == figures


def assert_survey(tables: dict[str, Table], key: str, figures: dict[str, Any]) -> None:
    summary = row_of(tables[f"{key}.summary"])
    ci95 = (summary["ci95_low"], summary["ci95_high"])
    assert (None if ci95 == (None, None) else [*ci95]) == figures.pop("ci95")
    previous = figures.pop("previous")
    assert [summary["previous"], summary["previous_answered"]] == [*previous.values()]
    assert (summary["significant"] is None) == (figures.pop("significant") is None)
    distribution = tables[f"{key}.distribution"]
    assert figures.pop("distribution") == dict(
        zip(map(str, distribution.column("value")), distribution.column("number"), strict=True)
    )
    if not_sent := figures.pop("not_sent"):
        told = tables[f"{key}.not_sent"]
        assert dict(zip(told.column("code"), told.column("number"), strict=True)) == not_sent
    for by, who in PEOPLE.items():
        for name, of in figures.pop(by, {}).items():
            table = tables[f"{key}.{by}"]
            row = dict(zip((column.key for column in table.columns), line(table, who, name), strict=True))
            assert {key: row[key] for key in of} == of
    figures.pop("metric")
    assert {name: summary[name] for name in figures} == figures


def row_of(table: Table) -> dict[str, Cell]:
    """The one row of a summary, rounded as in the JSON."""
    [row] = table.rows
    return {column.key: figure(cell) for column, cell in zip(table.columns, row, strict=True)}


def line(table: Table, key: str, wanted: str) -> list[Cell]:
    [row] = [row for row, cell in zip(table.rows, table.column(key), strict=True) if cell == wanted]
    return [figure(cell) for cell in row]


def test_the_pictures_show_the_figures_of_the_tables() -> None:
    document = draw(full(), texts())
    tables = tables_of(document)
    charts = {chart.key: chart for section in document.sections for chart in section.charts}
    assert charts.keys() < tables.keys()
    for key, chart in charts.items():
        table = tables[key]
        if isinstance(chart, Bars):
            assert tuple(bar.value for bar in chart.bars) == table.column("number")
        if isinstance(chart, Dots):
            headline = table.columns[2].key
            known = [
                row for row in zip(table.rows, table.column(headline), strict=True) if row[1] is not None
            ]
            assert [(p.label, p.answers, p.value, p.low, p.high) for p in chart.points] == [
                row[:5] for row, _ in known
            ]


def test_a_picture_says_what_it_shows() -> None:
    titles = {
        chart.key: chart.title.replace("\u00a0", " ")
        for section in draw(full(), texts()).sections
        for chart in section.charts
    }
    assert titles["surveys.nps.distribution"] == "NPS +38: промоутеров 55 %, критиков 17 %"
    assert titles["surveys.nps.by_manager"] == "NPS: выше среднего Ирина Ким; ниже <b>Олег</b> & =1+1"
    assert titles["surveys.csat_crew.by_subject"] == "Оценка бригады: различия в пределах погрешности"
    assert titles["surveys.ces.distribution"] == "Лёгкость: мало ответов (4), оценку не считаем"


def test_nothing_makes_no_picture() -> None:
    assert [chart for section in draw(nothing(), texts()).sections for chart in section.charts] == []


@pytest.mark.parametrize("words", [COLUMNS, TABLES, FINDINGS])
def test_titles_are_there_in_both_languages(words: dict[str, dict[str, str]]) -> None:
    assert set(words["ru"]) == set(words["en"])
    for key, title in words["ru"].items():
        assert placeholders_of(title) == placeholders_of(words["en"][key])
        assert check_template(title, placeholders_of(title)) == []
