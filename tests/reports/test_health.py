"""Sales health in a report: only where it is asked for, in every face alike, and never more than is known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from storage.database import Database
from storage.narrowed import Only, narrowed
from storage.purchases import purchases
from tests.metrics.made import (
    CES,
    NOW,
    NPS,
    QUARTER,
    SPRING,
    SUMMER,
    Purchase,
    complaint,
    customers_of,
    survey,
)
from tests.metrics.test_report import SCOPE, answered, keep, won
from tests.reports.made import nothing, texts
from worker.metrics.base import Facts
from worker.metrics.customers import Customer
from worker.metrics.registry import SALES_HEALTH
from worker.metrics.stats import rounded
from worker.reports.build import Report, ReportScope, as_json, build_report, read_facts
from worker.reports.document import Cell, Kind, Spots, Table
from worker.reports.draw import draw
from worker.reports.page import page
from worker.reports.sheet import as_xlsx
from worker.reports.text import as_text
from worker.rules.periods import parse_period

KEYS = {"retention", "segments", "cohorts", "links"}
ON = replace(SCOPE, sales_health=True)


def bought() -> Iterator[Purchase]:
    """Sixty who bought once this summer, ten who come back each quarter, and one big one who is gone."""
    for number in range(100, 160):
        yield Purchase(number, date(2026, 8, 1 + number % 28), 100)
    for number in range(10, 20):
        for day in (
            date(2025, 9, 5),
            date(2025, 12, 31),
            date(2026, 3, 1),
            date(2026, 6, 30),
            date(2026, 9, 1),
        ):
            yield Purchase(number, day, 1_000)
    for month in (1, 3, 5):
        yield Purchase(7, date(2025, month, 1), 9_000)


def health(sold: Any = None, rows: Any = (), **known: Any) -> Report:
    facts = Facts(
        now=NOW,
        asked=(NPS, CES),
        surveys=tuple(rows),
        customers=customers_of(bought() if sold is None else sold),
        **known,
    )
    results = {metric.key: metric.compute(facts, QUARTER) for metric in SALES_HEALTH}
    scope = ReportScope(surveys=facts.asked, company="ВладАвтоматика")
    return Report(period=QUARTER, now=NOW, scope=scope, results=results)


def linked() -> list[Any]:
    """Where it was easier, the score was higher: twelve deals, and what their complaints took."""
    return [
        row
        for deal in range(1, 13)
        for row in (
            survey(NPS, min(10, deal), deal_id=deal),
            survey(CES, 1 + min(4, deal // 3), deal_id=deal),
        )
    ]


def whole() -> Report:
    late = tuple(complaint(13 - deal, deal_id=deal) for deal in range(1, 10))
    return health(rows=linked(), complaints=late, deals_without_client=3)


def lines(of: Report, language: str = "ru") -> list[str]:
    return as_text(of, texts(language)).replace("\u00a0", " ").split("\n")


def tables(of: Report) -> dict[str, Table]:
    return {table.key: table for table in draw(of, texts()).tables}


def plain(cell: Cell) -> Cell:
    return rounded(cell) if isinstance(cell, float) else cell


def test_it_is_left_out_where_nobody_asked_for_it() -> None:
    assert not KEYS & set(as_json(nothing()))
    assert not KEYS & {section.key for section in draw(nothing(), texts()).sections}


def test_the_text_says_who_comes_back_and_who_does_not() -> None:
    told = lines(whole())
    for line in (
        "Повторные покупки",
        "Покупателей 71, покупали не раз 11: 15,5 % (от 9 до 26 %).",
        "Выручка на покупателя за всё время 1 169 ₽.",
        "Активных (покупали за последние 365 дней) на начало 10, на конец 70, из них новых и вернувшихся 60.",
        "Остались 100 % (от 72 до 100 %), ушли 0 %. Чистый отток (по формуле источника) −600 %.",
        "Клиент неизвестен: 3 сделки, здесь не посчитаны.",
        "Покупали много и давно не возвращались: 1. Кому звонить — в таблице.",
        "После первой покупки купили снова: через месяц 0 %, через полгода 100 %, через год 100 %.",
        "NPS и Лёгкость: ρ 0,97, сделок 12. Где легче, там и оценка выше.",
        "NPS и срок решения рекламации: мало данных, сделок 9.",
        "Связь — не причина.",
    ):
        assert line in told, told


def test_the_text_says_the_same_in_english() -> None:
    told = lines(whole(), "en")
    assert "Customers 71, who bought more than once 11: 15.5% (9 to 26%)." in told
    assert "A link is not a cause." in told


def test_a_link_is_drawn_where_it_has_enough_pairs_with_what_is_known_of_it() -> None:
    [drawn] = [chart for chart in draw(whole(), texts()).charts if isinstance(chart, Spots)]
    assert (drawn.key, drawn.title) == (
        "links.nps.ces.spots",
        "NPS и Лёгкость: где легче, там и оценка выше",
    )
    assert drawn.note == "Сделок 12, ρ 0,97. Связь — не причина."
    assert sum(drawn.spots.values()) == 12
    assert drawn.spots[(4, 10)] == 2, "ease across, the score up"


def test_nobody_has_bought_and_no_misleading_number_is_told() -> None:
    of = health(())
    told = lines(of)
    assert "Покупателей пока нет." in told
    assert not {"Сегменты покупателей", "Когорты", "Связь между метриками"} & set(told)
    written = as_json(of)
    assert (written["retention"]["retention_rate"], written["segments"]["rfm"]) == (None, {})
    few = lines(health([Purchase(1, date(2026, 8, 1), 100)]))
    assert "Покупателей 1, покупали не раз 0." in few
    assert "Мало покупателей (1), на сегменты не делим." in few
    assert "Сделки известны с 01.08.2026: активных на начало могло быть больше." in few


def test_the_tables_show_the_figures_of_the_json() -> None:
    of = whole()
    found, written = tables(of), as_json(of)
    summary = {c.key: plain(cell) for c, cell in zip(
        found["retention.summary"].columns, found["retention.summary"].rows[0], strict=True
    )}  # fmt: skip
    figures = written["retention"]
    assert summary["known_since"] == date.fromisoformat(figures.pop("known_since"))
    assert summary["too_short"] == {True: "да", False: "нет"}[figures.pop("too_short")]
    assert [summary["retention_low"], summary["retention_high"]] == figures.pop("retention_ci95")
    assert [summary["repeat_low"], summary["repeat_high"]] == figures.pop("repeat_ci95")
    days = figures.pop("by_purchase_days")
    assert [*days.values()] == [*found["retention.by_purchase_days"].column("customers")]
    assert figures.pop("active_days") == 365
    assert {key: summary[key] for key in figures} == figures
    for by in ("rfm", "abc"):
        rows = [tuple(map(plain, row[1:])) for row in found[f"segments.{by}"].rows]
        assert rows == [tuple(group.values()) for group in written["segments"][by].values()]
    cuts = written["segments"]["cutoffs"]
    assert [[plain(cell) for cell in row[1:]] for row in found["segments.cutoffs"].rows] == [
        cuts[name] for name in ("recency", "frequency", "amount")
    ]
    assert [one["client_id"] for one in written["segments"]["to_call"]] == [7]
    assert found["segments.to_call"].rows[0][:5] == (7, 517, 3, 27_000, 135)
    for month, shares, counts in zip(
        written["cohorts"]["months"], found["cohorts.shares"].rows, found["cohorts.counts"].rows, strict=True
    ):
        number = len(month["bought"])
        assert [plain(cell) for cell in shares[4 : 4 + number]] == month["shares"]
        assert [*counts[4 : 4 + number]] == month["bought"]
        assert (*counts[1:4],) == (month["customers"], month["amount"], month["ltv"])
        assert set(counts[4 + number :]) <= {None}
    for link, row in zip(written["links"]["pairs"], found["links.pairs"].rows, strict=True):
        assert [plain(cell) for cell in row[3:5]] == [link["number"], link["rho"]]
    assert sum(found["links.nps.ces"].column("number")) == 12  # type: ignore[arg-type]  # counts


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_table_is_whole_and_every_face_can_draw_it(language: str, tmp_path: Any) -> None:
    document = draw(whole(), texts(language))
    keys = [table.key for table in document.tables]
    assert len(set(keys)) == len(keys)
    for table in document.tables:
        assert len({column.key for column in table.columns}) == len(table.columns)
        for column in table.columns:
            kinds: Any = {Kind.TEXT: str, Kind.DAY: date}.get(column.kind, int | float)
            assert all(cell is None or isinstance(cell, kinds) for cell in table.column(column.key))
    assert "RFM" in page(document, texts(language))
    assert as_xlsx(document, texts(language))


def test_every_metric_of_it_says_what_it_counts_where_it_is_from_and_how_to_read_it() -> None:
    assert {metric.key for metric in SALES_HEALTH} == KEYS
    for metric in SALES_HEALTH:
        for said in (metric.title, metric.unit, metric.reading):
            assert set(said) == {"ru", "en"}
            assert all(said.values())
        assert metric.source
    notes = {table.key.split(".")[0] for table in draw(whole(), texts()).tables if table.note}
    assert notes >= KEYS


async def test_what_clients_bought_is_read_by_client_and_by_the_day_of_the_company(db: Database) -> None:
    evening = datetime(2025, 12, 31, 14, 30, tzinfo=UTC)  # 00:30 on 1 January in Vladivostok
    await keep(
        db,
        won(1, 100, client_id=5, contact_id=50),
        won(2, 50, client_id=5, contact_id=51),  # another contact of the same person, the same day
        won(3, 0, client_id=5, closed_at=evening),
        won(4, 70, client_id=5, closed_at=evening - timedelta(hours=1)),
        won(5, 10, client_id=6, closed_at=SPRING, manager_id=3),
        won(6, 10, client_id=None),
        won(7, 10, client_id=6, status_id=143),
        won(8, 10, client_id=6, is_deleted=True),
        won(9, 10, client_id=6, is_reply=True),
        won(10, 10, client_id=6, pipeline_id=9),  # a complaint
        won(11, 10, client_id=6, closed_at=QUARTER.ends),
        answered(1, 9),
    )
    facts = await read_facts(db, QUARTER, ON, NOW)
    assert [*(facts.customers or ())] == [
        Customer(5, SUMMER.date(), 3, 220),  # also on 31 December and on 1 January
        Customer(6, SPRING.date(), 1, 10),
    ]
    assert facts.deals_without_client == 1
    report = await build_report(db, QUARTER, ON, NOW)
    assert set(as_json(report)) >= KEYS
    off = await build_report(db, QUARTER, SCOPE, NOW)
    assert not KEYS & set(as_json(off))
    assert (await read_facts(db, QUARTER, SCOPE, NOW)).customers is None
    for size in range(1, 7):
        async with db.reading() as tx:
            paged = [of async for of in purchases(tx, QUARTER.ends, complaints_pipeline=9, page=size)]
        assert [(client_id, [price for _, price in told]) for client_id, told in paged] == [
            (5, [70, 0, 100, 50]),
            (6, [10]),
        ]
    january = await build_report(db, parse_period("2026-01", QUARTER.zone), ON, NOW)
    assert as_json(january)["retention"]["repeat_customers"] == 1
    mine = await read_facts(narrowed(db, Only(managers=frozenset({3}))), QUARTER, ON, NOW)
    assert [*(mine.customers or ())] == [Customer(6, SPRING.date(), 1, 10)]
    assert mine.deals_without_client == 0
