"""What a report shows of complaints: a few sentences, the tables behind them, and a picture of ages."""

from datetime import timedelta
from typing import Any

from tests.metrics.made import NOW, SUMMER, complaint, sales
from tests.metrics.test_complaints import PROMISES
from tests.reports.made import report, texts
from worker.reports.document import Bars, Kind, Section, Table
from worker.reports.draw import draw

HOUR = timedelta(hours=1)


def section(*rows: Any, language: str = "ru", **of: Any) -> Section:
    made = report(complaints=rows, promises=PROMISES, has_topics=True, **of)
    return next(each for each in draw(made, texts(language)).sections if each.key == "complaints")


def table(of: Section, name: str) -> Table:
    return next(table for table in of.tables if table.key == f"complaints.{name}")


def many() -> tuple[Any, ...]:
    """Ten that came in July: six solved, one rejected, three open, two of them for long."""
    oleg: dict[str, Any] = {"manager_id": 7, "manager": "Олег"}
    early: dict[str, Any] = {"taken_at": SUMMER + HOUR / 2, "contacted_at": SUMMER + 2 * HOUR}
    return (
        *[complaint(3, is_solved=True, topic="Монтаж", is_content=True, **oleg, **early)] * 4,
        complaint(3, is_solved=True, topic="…", is_content=False, closed_by=7, **oleg, **early),
        complaint(3, is_solved=True, reopened=1, closed_by=8, manager_id=8, manager="Мария"),
        complaint(3, is_solved=False),
        complaint(opened=NOW - timedelta(days=20), number=41, topic="Сроки", manager="Мария", manager_id=8),
        complaint(opened=NOW - timedelta(days=10), number=42),
        complaint(opened=NOW - HOUR, number=43, by_hand=True),
    )


def plain(of: Section) -> list[str]:
    return [line.replace("\u00a0", " ") for line in of.lines]


def test_working_time_is_never_written_in_days_of_twenty_four_hours() -> None:
    kinds = {
        column.key: column.kind
        for one in section(*many()).tables
        for column in one.columns
        if "business" in column.key
    }
    assert kinds == dict.fromkeys(
        ("resolution_business_median", "business_median", "business_p90"), Kind.WORKING
    )


def test_the_sentences_say_what_is_worth_a_word() -> None:
    assert plain(section(*many(), sales=sales(60, 1)))[1:] == [
        "Решали в среднем 3 дня; половину — за 3 дня, 9 из 10 — за 3 дня.",
        "Самая старая открыта 20 дней.",
        "Решено 6, отклонено 1, открывали снова 1.",
        "На 100 выигранных сделок: 15 (от 8 до 26).",
        "Чаще всего: Монтаж (4 из 9).",
        "Закрыто без причины: 2 из 7.",
        "Взяли в срок 5 из 9 (56 %).",
        "Связались в срок с 5 из 9 (56 %).",
        "После решения довольны 4 из 5.",
        "Закрыл тот, о ком рекламация: 2 из 2.",
    ]


def test_the_tables_hold_the_rest() -> None:
    of = section(*many())
    assert table(of, "by_topic").rows == (
        ("Монтаж", 4),
        ("не указана", 3),
        ("Сроки", 1),
        ("своими словами", 1),
    )
    assert table(of, "by_age").rows == (
        ("до суток", 1),
        ("1–3 дня", 0),
        ("3–7 дней", 0),
        ("7–30 дней", 2),
        ("дольше 30 дней", 0),
    )
    assert table(of, "by_manager").rows == (("Олег", 5, 5, 0, 0, 1), ("Мария", 2, 1, 1, 1, 1))
    assert [row[0] for row in table(of, "open").rows] == [41, 42, 43]
    assert table(of, "open").rows[1][2:] == (None, None)
    take, contact = table(of, "promises").rows
    assert (take[0], take[1:3], contact[0]) == ("Взять", (9, 5), "Связаться с клиентом")


def test_the_picture_says_how_many_wait_for_long() -> None:
    (chart,) = section(*many()).charts
    assert isinstance(chart, Bars)
    assert chart.title == "Дольше недели ждут решения: 2 из 3"
    assert [bar.value for bar in chart.bars] == [1, 0, 0, 2, 0]
    (young,) = section(complaint(opened=NOW - HOUR)).charts
    assert young.title == "Открытых рекламаций 1, все моложе недели"
    assert section(complaint(1)).charts == ()


def test_without_a_field_for_reasons_none_is_missed() -> None:
    made = report(complaints=(complaint(1), complaint(2)), promises=PROMISES)
    of = next(each for each in draw(made, texts()).sections if each.key == "complaints")
    assert not any("причин" in line for line in of.lines)
    assert "complaints.by_topic" not in {each.key for each in of.tables}
    assert table(of, "summary").column("topic_filled_share") == (None,)


def test_it_reads_in_english_too() -> None:
    assert "Closed without a reason: 2 of 7." in section(*many(), language="en").lines
