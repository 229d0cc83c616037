"""Numbers, dates and spans as people read them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.packs import texts
from worker.rules.formats import amount, cut_words, discount, number, plural
from worker.rules.moments import (
    age_text,
    closed_ago,
    contact_by,
    day_text,
    deadline_text,
    moment_text,
    time_text,
)

ZONE = ZoneInfo("Asia/Vladivostok")
RU, EN = texts("ru"), texts("en")
NOW = datetime(2026, 3, 13, 14, 5, tzinfo=ZONE)  # a Friday


@pytest.mark.parametrize(
    ("value", "places", "russian", "english"),
    [
        (0, None, "0", "0"),
        (184000, None, "184\u00a0000", "184,000"),
        (1234567.5, None, "1\u00a0234\u00a0567,5", "1,234,567.5"),
        (-5, None, "−5", "−5"),
        (34.43, 1, "34,4", "34.4"),
        (-0.04, 1, "0,0", "0.0"),
        (2.5, 0, "3", "3"),  # halves away from zero
        (-2.5, 0, "−3", "−3"),
        (4.30, None, "4,3", "4.3"),
    ],
)
def test_numbers(value: float, places: int | None, russian: str, english: str) -> None:
    assert number(value, "ru", places=places) == russian
    assert number(value, "en", places=places) == english


@pytest.mark.parametrize(
    ("count", "word"),
    [
        (0, "ответов"), (1, "ответ"), (2, "ответа"), (4, "ответа"), (5, "ответов"), (11, "ответов"),
        (12, "ответов"), (14, "ответов"), (20, "ответов"), (21, "ответ"), (22, "ответа"), (111, "ответов"),
        (101, "ответ"), (1000, "ответов"),
    ],
)  # fmt: skip
def test_russian_counts(count: int, word: str) -> None:
    assert plural(count, ("ответ", "ответа", "ответов")) == word


def test_english_counts() -> None:
    assert [plural(count, ("day", "days")) for count in (0, 1, 2, 21)] == ["days", "day", "days", "days"]


def test_money_and_discounts() -> None:
    assert amount(184000) == "184\u00a0000\u00a0₽"
    assert amount(0) == ""
    assert amount(1500.5, "USD", "en") == "1,501\u00a0$"
    assert amount(10, "XYZ") == "10\u00a0XYZ"
    assert discount("5%") == discount("5 %") == "5\u00a0%"
    assert discount("5 %", "en") == "5%"
    assert discount("500 ₽") == "500 ₽"


@given(st.text(max_size=700), st.integers(20, 300))
@settings(max_examples=100)
def test_cut_words_keep_to_the_limit_and_to_one_line(words: str, limit: int) -> None:
    cut = cut_words(words, limit)
    assert len(cut) <= limit
    assert "\n" not in cut
    assert cut_words(cut, limit) == cut


def test_dates_and_times() -> None:
    assert day_text(RU, date(2026, 3, 16)) == "16 марта"
    assert day_text(EN, date(2026, 3, 16)) == "16 March"
    assert time_text(datetime(2026, 3, 13, 4, 5, tzinfo=UTC), ZONE) == "14:05"
    assert moment_text(RU, NOW, ZONE) == "13 марта в 14:05"
    assert moment_text(RU, NOW, ZONE, NOW) == "14:05"
    assert moment_text(EN, NOW - timedelta(days=1), ZONE, NOW) == "12 March at 14:05"


@pytest.mark.parametrize(
    ("deadline", "russian", "english"),
    [
        (datetime(2026, 3, 13, 18, tzinfo=ZONE), "сегодня до 18:00", "today by 18:00"),
        (datetime(2026, 3, 14, 12, tzinfo=ZONE), "завтра до 12:00", "tomorrow by 12:00"),
        (datetime(2026, 3, 16, 12, tzinfo=ZONE), "в понедельник, 16 марта", "on Monday, 16 March"),
        (datetime(2026, 3, 17, 12, tzinfo=ZONE), "во вторник, 17 марта", "on Tuesday, 17 March"),
        (datetime(2026, 3, 13, 8, 30, tzinfo=UTC), "сегодня до 18:30", "today by 18:30"),
        (datetime(2026, 3, 13, 14, 0, tzinfo=ZONE), "", ""),  # nobody promises the past
        (None, "", ""),
    ],
)
def test_the_promise_names_the_day(deadline: datetime | None, russian: str, english: str) -> None:
    assert contact_by(RU, deadline, NOW, ZONE) == russian
    assert contact_by(EN, deadline, NOW, ZONE) == english


def test_deadlines_for_staff() -> None:
    assert deadline_text(RU, NOW + timedelta(hours=2), ZONE, NOW) == "до 16:05"
    assert deadline_text(RU, NOW + timedelta(days=4), ZONE, NOW) == "до 17 марта, 14:05"
    assert deadline_text(RU, NOW, ZONE) == "до 13 марта, 14:05"


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=5), "1 мин"),
        (timedelta(minutes=40), "40 мин"),
        (timedelta(minutes=60), "1 час"),
        (timedelta(hours=26), "26 часов"),
        (timedelta(hours=47, minutes=50), "2 дня"),
        (timedelta(days=21, hours=3), "21 день"),
    ],
)
def test_ages(age: timedelta, words: str) -> None:
    assert age_text(RU, age) == words


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(hours=1), "закрыта сегодня"),
        (timedelta(hours=15), "закрыта вчера"),  # by the calendar, not by 24 hours
        (timedelta(days=12), "закрыта 12 дней назад"),
        (timedelta(days=-1), "закрыта сегодня"),
    ],
)
def test_closed_ago(ago: timedelta, words: str) -> None:
    assert closed_ago(RU, NOW - ago, NOW, ZONE) == words
    assert closed_ago(RU, None, NOW, ZONE) == ""
