"""The short texts of the config that mean time."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.duration import Duration, Hours, parse_days, parse_duration, parse_hours


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0s", Duration()),
        ("0bd", Duration()),
        ("30s", Duration(timedelta(seconds=30))),
        ("5m", Duration(timedelta(minutes=5))),
        ("2h", Duration(timedelta(hours=2))),
        ("14d", Duration(timedelta(days=14))),
        ("1bd", Duration(business_days=1)),
        (" 10 BD ", Duration(business_days=10)),
        ("36500d", Duration(timedelta(days=36_500))),
    ],
)
def test_durations(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 минут", "1.5h", "1h30m", "5mo", "٣d", "5w"])
def test_what_is_no_duration_is_told_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match='"14d" or "1bd"'):
        parse_duration(text)


@pytest.mark.parametrize("text", ["36501d", "999999999d", "366bd"])
def test_a_duration_beyond_every_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("mon-sun", {0, 1, 2, 3, 4, 5, 6}),
        ("mon,wed", {0, 2}),
        ("Sun", {6}),
        ("fri - mon", {4, 5, 6, 0}),  # over the weekend
        ("mon-wed, sat", {0, 1, 2, 5}),
        ("tue-tue", {1}),
    ],
)
def test_days(text: str, days: set[int]) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize(
    "text", ["", "mon-", "-fri", "monday", "пн-пт", "mon;fri", "mon,,fri", "mon-wed-fri", "1-5"]
)
def test_what_are_no_days_is_told_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match='"mon-fri"'):
        parse_days(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("10:00-20:00", Hours(600, 1200)),
        ("00:00-24:00", Hours(0, 1440)),
        ("9:00 – 18:30", Hours(540, 1110)),
        ("12:00-12:01", Hours(720, 721)),
        ("23:59-24:00", Hours(1439, 1440)),
    ],
)
def test_hours(text: str, hours: Hours) -> None:
    assert parse_hours(text) == hours


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10-20",
        "10:00",
        "20:00-10:00",
        "10:00-10:00",
        "25:00-26:00",
        "10:60-11:00",
        "24:00-24:00",
        "10:00-00:00",
    ],
)
def test_hours_that_never_open_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match='"10:00-20:00"'):
        parse_hours(text)


def test_only_quiet_hours_go_over_midnight() -> None:
    night = parse_hours("21:00-08:00", wraps=True)
    assert night == Hours(1260, 480)
    assert parse_hours("22:00-24:00", wraps=True) == Hours(1320, 1440)
    assert parse_hours("24:00-08:00", wraps=True) == Hours(0, 480)
    for text in ("21:00-21:00", "00:00-24:00", "24:00-24:00"):  # they would never end
        with pytest.raises(ValueError, match='"21:00-08:00"'):
            parse_hours(text, wraps=True)


@pytest.mark.parametrize(
    ("hours", "minute", "is_inside"),
    [
        ("10:00-20:00", 600, True),
        ("10:00-20:00", 599, False),
        ("10:00-20:00", 1199, True),
        ("10:00-20:00", 1200, False),  # closed is closed
        ("21:00-08:00", 1260, True),
        ("21:00-08:00", 0, True),
        ("21:00-08:00", 480, False),
        ("21:00-08:00", 700, False),
        ("22:00-00:00", 1439, True),
        ("22:00-00:00", 0, False),
    ],
)
def test_a_minute_is_inside_or_not(hours: str, minute: int, is_inside: bool) -> None:
    assert (minute in parse_hours(hours, wraps=hours[0] == "2")) is is_inside
    assert "10:00" not in parse_hours("00:00-24:00")


def refusal(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return "read as expected"


@given(st.text(alphabet="0123456789:-smhdb onfri", max_size=12))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    assert all("expected" in refusal(parse, text) for parse in (parse_duration, parse_days, parse_hours))
