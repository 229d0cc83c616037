"""Periods of a report: from midnight to midnight, where the company is."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.made import BERLIN, CAIRO, VLADIVOSTOK, ZONES, at, local, moments
from worker.rules.periods import (
    Period,
    current_quarter,
    days,
    month_of,
    parse_period,
    quarter_of,
    so_far,
    week_of,
    year_of,
)

Cut = Callable[[date, ZoneInfo], Period]


@pytest.mark.parametrize(
    ("text", "start", "end", "label", "previous"),
    [
        ("2026Q3", "2026-07-01", "2026-10-01", "2026Q3", "2026Q2"),
        ("2026q1", "2026-01-01", "2026-04-01", "2026Q1", "2025Q4"),
        ("2026-Q4", "2026-10-01", "2027-01-01", "2026Q4", "2026Q3"),
        ("2026-10", "2026-10-01", "2026-11-01", "2026-10", "2026-09"),
        ("2026-01", "2026-01-01", "2026-02-01", "2026-01", "2025-12"),
        ("2028-02", "2028-02-01", "2028-03-01", "2028-02", "2028-01"),
        ("2026-W45", "2026-11-02", "2026-11-09", "2026-W45", "2026-W44"),
        ("2026-W53", "2026-12-28", "2027-01-04", "2026-W53", "2026-W52"),
        ("2025-W01", "2024-12-30", "2025-01-06", "2025-W01", "2024-W52"),
        (" 2026 ", "2026-01-01", "2027-01-01", "2026", "2025"),
    ],
)
def test_a_period_is_read(text: str, start: str, end: str, label: str, previous: str) -> None:
    period = parse_period(text, VLADIVOSTOK)
    assert (period.start.isoformat(), period.end.isoformat(), period.label) == (start, end, label)
    assert period.previous().label == previous


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026Q5",
        "2026-13",
        "2026-00",
        "2025-W53",
        "2026-W00",
        "26Q3",
        "0000",
        "9999",
        "Q3",
        "2026-1",
        "٢٠٢٦",
    ],
)
def test_what_is_no_period_is_told_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="2026Q3"):
        parse_period(text, VLADIVOSTOK)


def test_a_reply_at_half_past_midnight_belongs_to_the_new_month() -> None:
    reply = datetime(2026, 2, 28, 14, 30, tzinfo=UTC)  # 00:30 on 1 March in Vladivostok
    assert parse_period("2026-03", VLADIVOSTOK).contains(reply)
    assert not parse_period("2026-02", VLADIVOSTOK).contains(reply)


def test_the_end_is_not_part_of_a_period() -> None:
    march = parse_period("2026-03", VLADIVOSTOK)
    assert march.contains(at("2026-03-01 00:00"))
    assert not march.contains(at("2026-04-01 00:00"))


def test_a_day_that_begins_at_one_begins_there() -> None:
    changed = days(date(2026, 4, 24), date(2026, 4, 25), CAIRO)
    assert local(changed.begins, CAIRO) == "2026-04-24 01:00"
    assert changed.contains(at("2026-04-24 01:30", CAIRO))


def test_any_days_are_compared_with_as_many_before() -> None:
    period = days(date(2026, 3, 1), date(2026, 3, 11), BERLIN)
    before = period.previous()
    assert (before.start, before.end, before.kind) == (date(2026, 2, 19), date(2026, 3, 1), "days")


@pytest.mark.parametrize("end", [date(2026, 3, 1), date(2026, 2, 1)])
def test_days_that_end_before_they_begin_are_refused(end: date) -> None:
    with pytest.raises(ValueError, match="ends after it begins"):
        days(date(2026, 3, 1), end, BERLIN)


def test_the_current_quarter_is_that_of_the_company() -> None:
    new_year = datetime(2026, 12, 31, 20, tzinfo=UTC)
    assert current_quarter(new_year, VLADIVOSTOK).label == "2027Q1"
    assert current_quarter(new_year, BERLIN).label == "2026Q4"


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-08-12 15:00", "2026-07-01", "2026-08-13"),
        ("2026-07-01 00:00", "2026-07-01", "2026-07-02"),
        ("2026-09-30 23:59", "2026-07-01", "2026-10-01"),  # its last day: whole
    ],
)
def test_a_quarter_so_far_goes_from_its_first_day_to_tomorrow(now: str, start: str, end: str) -> None:
    passed = so_far(current_quarter(at(now), VLADIVOSTOK), at(now))
    assert (passed.start.isoformat(), passed.end.isoformat()) == (start, end)
    assert passed.kind == ("quarter" if end == "2026-10-01" else "days")


def test_a_period_that_is_over_stays_whole() -> None:
    second = parse_period("2026Q2", VLADIVOSTOK)
    assert so_far(second, at("2026-08-12 15:00")) == second


@given(moments(), st.sampled_from(ZONES), st.sampled_from([quarter_of, month_of, week_of, year_of]))
@settings(max_examples=150)
def test_every_moment_is_in_one_period_of_a_kind(moment: datetime, zone: ZoneInfo, kind: Cut) -> None:
    period = kind(moment.astimezone(zone).date(), zone)
    assert period.contains(moment)
    assert not period.previous().contains(moment)
    assert parse_period(period.label, zone) == period


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("kind", [quarter_of, month_of, week_of, year_of])
def test_periods_cut_the_years_without_gap_or_overlap(kind: Cut, zone: ZoneInfo) -> None:
    period = kind(date(2028, 12, 31), zone)
    while period.end > date(2024, 1, 1):
        before = period.previous()
        assert before.end == period.start
        assert before.ends == period.begins
        assert before.begins.astimezone(UTC) < before.ends.astimezone(UTC)
        assert before.kind == period.kind
        period = before


@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(1, 400), st.sampled_from(ZONES))
@settings(max_examples=100)
def test_any_days_touch_those_before(start: date, count: int, zone: ZoneInfo) -> None:
    period = days(start, start + timedelta(days=count), zone)
    before = period.previous()
    assert (before.end, before.end - before.start) == (period.start, timedelta(days=count))
