"""When is a digest due, over how long does it look, and which three sentences does it have?"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from worker.rules.digest import (
    Fallen,
    Overdue,
    Person,
    Score,
    Situation,
    Topic,
    Unmarked,
    due_occasion,
    is_monthly,
    is_weekly,
    occasion_of,
    sentences,
    windows,
)

ZONE = ZoneInfo("Asia/Vladivostok")
WEEKLY, MONTHLY = "mon 09:00", "1 09:00"


def at(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "kind", "told"),
    [
        (at(9, 14, 8, 59), None, None),
        (at(9, 14), "week", "2026-W37"),
        (at(9, 15, 8, 59), "week", "2026-W37"),
        (at(9, 15), None, None),
        (at(10, 1), "month", "2026-09"),
        (at(6, 1), "month", "2026-05"),  # a Monday: the month's takes the place of the week's
        (at(6, 2, 10), None, None),
    ],
)
def test_it_is_due_for_a_day(now: datetime, kind: str | None, told: str | None) -> None:
    found = due_occasion(now, WEEKLY, MONTHLY, ZONE)
    assert (found and found.kind, found and found.told.label) == (kind, told)


def test_nothing_is_due_where_nothing_is_asked_for() -> None:
    assert due_occasion(at(6, 1), "", "", ZONE) is None


def test_on_another_day_than_monday_it_tells_the_seven_days_before() -> None:
    found = occasion_of(date(2026, 9, 18), "FRI 9:00", "", ZONE)
    assert found is not None
    assert (found.told.start, found.told.end) == (date(2026, 9, 11), date(2026, 9, 18))
    assert found.at == at(9, 18)


@pytest.mark.parametrize("clock", ["9:00", "пн 09:00", "1 09:00"])
def test_a_week_has_named_days(clock: str) -> None:
    assert not is_weekly(clock)


@pytest.mark.parametrize("clock", ["9:00", "mon 09:00", "0 09:00", "29 09:00"])
def test_only_a_day_that_every_month_has_will_do(clock: str) -> None:
    assert not is_monthly(clock)


def test_with_too_few_answers_it_looks_further_back() -> None:
    lengths = [(one.end - one.start).days for one in windows(date(2026, 9, 14), timedelta(days=90), ZONE)]
    assert lengths == [90, 365]
    lengths = [(one.end - one.start).days for one in windows(date(2026, 9, 14), timedelta(days=14), ZONE)]
    assert lengths == [14, 30, 90, 365]


SCORE = Score(survey="NPS", value="+42", low="+30", high="+54", prev="+20", change=1)
ALL = Situation(
    sent=80,
    delivered=70,
    answered=50,
    high=30,
    low=9,
    score=SCORE,
    overdue=Overdue(n=2, client="Иван Петров", age="3 дня", url="https://example.amocrm.ru/leads/detail/1"),
    fallen=Fallen(channel="WhatsApp", share="20", usual="95", remedy="Посмотрите в кабинете."),
    below=Person(manager="Олег", value="+5", n="20"),
    topic=Topic(topic="Сроки", n=4, m=9),
    above=Person(manager="Мария", value="+70", n="20"),
    waiting=3,
    unmarked=Unmarked(field="Скидка", n=4),
)


@pytest.mark.parametrize(
    ("missing", "keys"),
    [
        ((), ("s1.up", "s2.overdue", "s3.oldest")),
        (("overdue",), ("s1.up", "s2.channel", "s3.channel")),
        (("fallen",), ("s1.up", "s2.person", "s3.call")),
        (("below",), ("s1.up", "s2.topic", "s3.call")),
        (("topic", "waiting"), ("s1.up", "s2.praise", "s3.field")),
        (("above", "unmarked"), ("s1.up", "s2.nothing", "s3.nothing")),
        (("score",), ("s1.few", "s2.nothing", "s3.nothing")),
        (("answered",), ("s1.none", "s2.nothing", "s3.nothing")),
    ],
)
def test_each_sentence_is_the_first_of_its_row_that_holds(
    missing: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    order = ("overdue", "fallen", "below", "topic", "waiting", "above", "unmarked", "score", "answered")
    gone = order[: order.index(missing[-1]) + 1] if missing else ()
    nothing: dict[str, Any] = {name: 0 if name in ("waiting", "answered") else None for name in gone}
    assert tuple(one.key for one in sentences(replace(ALL, **nothing))) == keys


@pytest.mark.parametrize(
    ("score", "key"),
    [
        (SCORE, "s1.up"),
        (replace(SCORE, change=-1), "s1.down"),
        (replace(SCORE, change=0), "s1.same"),
        (replace(SCORE, change=0, prev=""), "s1.first"),
    ],
)
def test_only_more_than_chance_is_called_a_change(score: Score, key: str) -> None:
    assert sentences(replace(ALL, score=score))[0].key == key


def test_a_complaint_without_a_deal_has_no_link_to_begin_with() -> None:
    late = Overdue(n=1, client="Иван Петров", age="3 дня", url="")
    keys = [one.key for one in sentences(replace(ALL, overdue=late))]
    assert keys == ["s1.up", "s2.overdue", "s3.call"]


def test_where_nothing_happened_there_is_nothing_to_tell() -> None:
    assert Situation().is_empty
    assert not Situation(sent=5).is_empty
