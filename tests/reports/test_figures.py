"""Of surveys, referrals, checks and fairness every figure of the JSON stands in a table, cell by cell."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.metrics.made import NPS, scored, survey
from tests.reports.made import ALL, full, nothing, past, report, texts
from worker.metrics.registry import METRICS
from worker.metrics.stats import rounded
from worker.reports.build import Report, as_json
from worker.reports.document import Document, Stack, Table, Trend
from worker.reports.draw import draw
from worker.reports.text import as_text

every_report = pytest.mark.parametrize("made", ALL.values(), ids=ALL.keys())
YES = {True: "да", False: "нет", None: None}
IN_WORDS = {"period", "scale", "running"}
APART = {"by_manager": "manager", "by_subject": "subject", "by_pipeline": "pipeline"}
UNKNOWN = [None, None]


def drawn(of: Report) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """Tables by their keys, as rows of rounded cells by their columns, and the JSON."""
    document = draw(of, texts())
    return {table.key: rows_of(table) for one in document.sections for table in one.tables}, as_json(of)


def rows_of(table: Table) -> list[dict[str, Any]]:
    keys = [column.key for column in table.columns]
    rows: list[dict[str, Any]] = [
        dict(zip(keys, (rounded(cell) if isinstance(cell, float) else cell for cell in row), strict=True))
        for row in table.rows
    ]
    for row in rows:
        ends = [row.get("ci95_low", row.get("share_low")), row.get("ci95_high", row.get("share_high"))]
        row |= {"ci95": None if ends == UNKNOWN else ends}
    return rows


def assert_same(row: dict[str, Any], figures: dict[str, Any]) -> None:
    figures = {key: value for key, value in figures.items() if key not in IN_WORDS}
    assert {key: row[key] for key in figures} == figures


def pairs(rows: list[dict[str, Any]], figures: Any) -> Any:
    return zip(rows, figures, strict=True)


@every_report
def test_surveys(made: Callable[[], Report]) -> None:
    tables, written = drawn(made())
    for survey_key, figures in written["surveys"].items():
        key = f"surveys.{survey_key}"
        for by, who in APART.items():
            for name, of in figures.pop(by, {}).items():
                [row] = [row for row in tables[f"{key}.{by}"] if row[who] == name]
                assert_same(row, of)
        for by in ("by_channel", "other_scales"):  # these are called by words
            if known := figures.pop(by):
                for row, of in pairs(tables[f"{key}.{by}"], known.values()):
                    assert_same(row, of)
        trend = figures.pop("trend")
        if any(of["answered"] for of in trend):
            for row, of in pairs(tables[f"{key}.trend"], trend):
                assert_same(row, of)
                assert row["running"] == YES[of["running"]]
        [summary] = tables[f"{key}.summary"]
        assert summary["collecting"] == YES[figures["collecting"]]
        for told_elsewhere in ("metric", "previous", "significant", "distribution", "not_sent", "collecting"):
            figures.pop(told_elsewhere)
        assert_same(summary, figures)


@every_report
def test_referrals(made: Callable[[], Report]) -> None:
    tables, written = drawn(made())
    figures = written["referrals"]
    [summary] = tables["referrals.summary"]
    assert summary["ci95"] == figures.pop("share_ci95")
    before = figures.pop("previous")
    assert (summary["won_before"], summary["referral_before"]) == (
        before["won_deals"],
        before["referral_deals"],
    )
    assert (summary["significant"] is None) == (figures.pop("significant") is None)
    problems = [(problem, deal) for problem, deals in figures.pop("problems").items() for deal in deals]
    assert [(row["code"], row["deal"]) for row in tables.get("referrals.problems", [])] == problems
    old = figures.pop("k_proxy")
    listed = {"k_proxy": [old] if old else []}
    listed |= {name: figures.pop(name) for name in ("top_referrers", "codes_by_month", "over_time")}
    for name, known in listed.items():
        for row, of in pairs(tables.get(f"referrals.{name}", []), known):
            assert_same(row, of)
    assert_same(summary, figures)


@every_report
def test_checks(made: Callable[[], Report]) -> None:
    tables, written = drawn(made())
    figures = written["average_check"]
    [summary] = tables["average_check.summary"]
    before = figures.pop("previous").values()
    assert [summary[f"{name}_before"] for name in ("won", "won_amount", "average", "median")] == [*before]
    assert [summary["average_low"], summary["average_high"]] == (figures.pop("ci95") or UNKNOWN)
    assert (summary["significant"] is None) == (figures.pop("significant") is None)
    assert_same(summary, figures)


@every_report
def test_fairness(made: Callable[[], Report]) -> None:
    tables, written = drawn(made())
    reasons = {(row["manager"], row["code"]): row["number"] for row in tables.get("fairness.not_asked", [])}
    for name, figures in written["fairness"]["by_manager"].items():
        [row] = [row for row in tables["fairness.by_manager"] if row["manager"] == name]
        assert row["apart"] == YES[figures.pop("apart")]
        not_asked = figures.pop("not_asked")
        assert {code: number for (who, code), number in reasons.items() if who == name} == not_asked
        assert_same(row, figures)


def test_every_metric_says_what_it_counts_where_it_is_from_and_how_to_read_it() -> None:
    for metric in METRICS:
        for said in (metric.title, metric.unit, metric.reading):
            assert set(said) == {"ru", "en"}
            assert all(said.values())
        assert metric.source
        assert metric.minimum is None or metric.minimum >= 1
    tables = [table for section in draw(full(), texts()).sections for table in section.tables]
    notes = {table.key.split(".")[0] for table in tables if table.note}
    assert notes == {table.key.split(".")[0] for table in tables}


# The pictures


def charts_of(document: Document) -> dict[str, Any]:
    return {chart.key: chart for one in document.sections for chart in one.charts}


def test_the_trend_is_drawn_with_the_scale_change_and_says_what_changed() -> None:
    chart = charts_of(draw(full(), texts()))["surveys.nps.trend"]
    assert isinstance(chart, Trend)
    assert chart.title == "NPS: рост, но в пределах погрешности, +20 → +38"
    assert [point.label for point in chart.points][-2:] == ["II квартал 2026", "III квартал 2026"]
    assert [point.answers for point in chart.points] == [20, 0, 0, 0, 24, 0, 40, 60]
    assert chart.breaks == (6,)


def test_quarters_are_drawn_with_the_friends_part() -> None:
    chart = charts_of(draw(full(), texts()))["referrals.over_time"]
    assert isinstance(chart, Stack)
    assert chart.title.replace("\u00a0", " ") == (
        "Доля друзей в сделках: 13 % → 14,9 %, в пределах погрешности"
    )
    assert len(chart.labels) == 7  # before the first sale there is nothing to see
    assert (chart.whole[6], chart.part[6]) == (180_000 * 47, 171_000 * 7)


def test_a_trend_begins_with_the_first_answers() -> None:
    history = replace(past(), scores=tuple(of for of in past().scores if of.place >= 4))
    chart = charts_of(draw(report((), asked=(NPS,), history=history), texts()))["surveys.nps.trend"]
    assert [point.answers for point in chart.points] == [24, 0, 40, 60]
    assert chart.breaks == (2,)


def test_nothing_has_neither_trend_nor_quarters() -> None:
    assert charts_of(draw(nothing(), texts())) == {}


# The text


def lines(of: Report, language: str = "ru") -> list[str]:
    return as_text(of, texts(language)).replace("\u00a0", " ").split("\n")


def test_the_text_says_what_has_to_be_done_and_no_more() -> None:
    told = lines(full())
    assert "Не указано, с какой скидкой пришёл клиент: 1 сделка из 80. Доля может быть выше." in told
    assert "Разобрать вручную: свой же код — 1." in told
    assert "Ответы на другой шкале — отдельно: +20 (ответов 5)." in told
    assert "Средний чек 180 000 ₽, медиана 176 471 ₽." in told
    of_oleg = "• <b>Олег</b> & =1+1: спросили о 25 из 55 сделок, реже, чем у остальных, меток вручную 30"
    assert of_oleg in told
    assert not any(line.startswith("• Ирина Ким: спросили") for line in told)


def test_the_text_says_the_same_in_english() -> None:
    told = lines(full(), "en")
    assert "No discount noted: 1 deal of 80. The share may be higher." in told
    assert "Answers on another scale, apart: +20 (answers 5)." in told


def test_nobody_stands_out_and_nothing_is_said_of_fairness() -> None:
    told = report((*scored(NPS, [9] * 9, manager_id=1, manager="Олег"), survey(NPS)), asked=(NPS,))
    assert not any("спросили о" in line for line in lines(told))


def test_one_deal_is_told_in_the_right_case() -> None:
    stopped = survey(NPS, refusal="stop_tag", is_stopped_by_hand=True, manager_id=1, manager="Олег")
    told = report([stopped], asked=(NPS,))
    assert "• Олег: спросили о 0 из 1 сделки, меток вручную 1" in lines(told)
    assert any("asked about 0 of 1 deal, " in line for line in lines(told, "en"))


def test_of_how_many_it_is_known_whether_they_have_read_is_told_where_that_is_not_all() -> None:
    telling = [*scored(NPS, [9] * 5, was_delivered=True, was_read=True)]
    telling += [survey(NPS, was_delivered=False, was_read=False)]
    mixed = report([*telling, *scored(NPS, [9] * 4)], asked=(NPS,))
    assert "Доставлено 9 (из них ответили 100 %), прочитано 5 из 6, где это видно." in lines(mixed)
    assert "Доставлено 5 (из них ответили 100 %), прочитано 5." in lines(report(telling, asked=(NPS,)))
    [of] = mixed.results["surveys"].by_key.values()  # type: ignore[attr-defined]
    assert of.funnel.response_of_read is None
