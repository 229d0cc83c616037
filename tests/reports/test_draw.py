"""What every face of a report is made of: are all figures in it, once, under their names?"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.reports.made import ALL, full, nothing, texts
from worker.metrics.registry import METRICS, SALES_HEALTH
from worker.metrics.stats import rounded
from worker.reports.build import Report, as_json
from worker.reports.column_words import COLUMNS
from worker.reports.document import Bars, Cell, Document, Dots, Kind, Table
from worker.reports.draw import SECTIONS, draw
from worker.reports.titles import FINDINGS, TABLES
from worker.rules.wording import check_template, placeholders_of

every_report = pytest.mark.parametrize("made", ALL.values(), ids=ALL.keys())
PEOPLE = {"by_manager": "manager", "by_subject": "subject", "by_pipeline": "pipeline"}


def tables_of(document: Document) -> dict[str, Table]:
    return {table.key: table for section in document.sections for table in section.tables}


def figure(cell: Cell) -> Cell:
    return rounded(cell) if isinstance(cell, float) else cell


def test_every_metric_has_its_sections() -> None:
    assert set(SECTIONS) == {metric.key for metric in (*METRICS, *SALES_HEALTH)}


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


# What people rely on to be in a table; what else the JSON has may be there too, and is then the same.
OF_A_SURVEY = {"sent", "answered", "response_rate", "mean", "eligible", "uncertain", "delivered", "read"}
OF_COMPLAINTS = {
    "opened",
    "closed",
    "open_now",
    "resolution_mean",
    "resolution_median",
    "resolution_p90",
    "oldest_open",
}
OF_REFERRALS = {
    "won_deals",
    "referral_deals",
    "share",
    "won_amount",
    "referral_amount",
    "share_amount",
    "average_check",
    "referral_average_check",
    "other_average_check",
    "codes_issued",
    "codes_redeemed",
    "redemption_rate",
}


@every_report
def test_the_tables_show_the_figures_of_the_json(made: Callable[[], Report]) -> None:
    report = made()
    tables, written = tables_of(draw(report, texts())), as_json(report)
    for key, figures in written["surveys"].items():
        assert same(tables[f"surveys.{key}.summary"], 0, figures) >= OF_A_SURVEY
        assert_survey(tables, f"surveys.{key}", figures)
    assert same(tables["complaints.summary"], 0, written["complaints"]) >= OF_COMPLAINTS
    assert same(tables["referrals.summary"], 0, written["referrals"]) >= OF_REFERRALS
    for name, figures in written["channels"].items():
        table = tables["channels.by_name"]
        assert set(figures) <= same(table, table.column("code").index(name), figures)


def same(table: Table, row: int, figures: dict[str, Any]) -> set[str]:
    """The keys that the row and the figures share: they are all alike, rounded as in the JSON."""
    cells = {column.key: figure(table.column(column.key)[row]) for column in table.columns}
    ci95 = figures.get("ci95") or [None, None]
    if "ci95_low" in cells:
        assert [cells["ci95_low"], cells["ci95_high"]] == ci95
    kinds = {column.key: column.kind for column in table.columns}
    shared = {
        key: value
        for key, value in figures.items()
        if kinds.get(key, Kind.TEXT) is not Kind.TEXT and not isinstance(value, dict | list)
    }
    assert {key: cells[key] for key in shared} == shared
    return set(shared)


def assert_survey(tables: dict[str, Table], key: str, figures: dict[str, Any]) -> None:
    summary = tables[f"{key}.summary"]
    [headline] = {"score", "satisfied_share", "easy_share"} & {column.key for column in summary.columns}
    before = [figure(summary.column(name)[0]) for name in ("previous", "previous_answered")]
    assert before == [figures["previous"][headline], figures["previous"]["answered"]]
    assert (summary.column("significant")[0] is None) == (figures["significant"] is None)
    distribution = tables[f"{key}.distribution"]
    assert figures["distribution"] == dict(
        zip(map(str, distribution.column("value")), distribution.column("number"), strict=True)
    )
    if figures["not_sent"]:
        told = tables[f"{key}.not_sent"]
        assert dict(zip(told.column("code"), told.column("number"), strict=True)) == figures["not_sent"]
    for by, who in PEOPLE.items():
        for name, of in figures.get(by, {}).items():
            table = tables[f"{key}.{by}"]
            assert {"answered", headline, "mean"} <= same(table, table.column(who).index(name), of)


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
            assert [(p.label, p.value, p.low, p.high) for p in chart.points] == [
                (row[0], *row[2:5]) for row, _ in known
            ]
            assert all(p.answers in (None, row[1]) for p, (row, _) in zip(chart.points, known, strict=True))


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
