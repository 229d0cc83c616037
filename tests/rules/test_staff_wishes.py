"""What staff type and tap: how it is read, who may, for how long sending rests, and how pages are cut."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.calendar import Period
from worker.staff.commands import COMMANDS, PERIODS, Wish, may, period_of, tapped, typed
from worker.staff.pages import pages, units
from worker.staff.pausing import UnclearError, until_of

ZONE = ZoneInfo("Asia/Vladivostok")
MONDAY = datetime(2026, 9, 7, 11, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("/nps", Wish(command="nps")),
        ("  /NPS  ", Wish(command="nps")),
        ("/report@sarafan_bot", Wish(command="report")),
        ("/find И\0ван", Wish(command="find", words="Иван")),
        ("/find Иван\nПетров", Wish(command="find", words="Иван Петров")),
        ("/pause 2h", Wish(command="pause", words="2h")),
        ("/dance", Wish(command="dance")),  # unknown as yet: whoever may not is told what there is
        ("nps", None),
        ("скажите /nps", None),
        ("/", None),
        ("/12", None),
        ("", None),
    ],
)
def test_a_command_is_read_as_it_was_typed(text: str, wish: Wish | None) -> None:
    assert typed(text) == wish


@pytest.mark.parametrize(
    "data",
    [
        "",
        "q",
        "q:nps",
        "q:nps:m9:0",
        "q:rm:m0:0",
        "q:nps:m0:x",
        "q:nps:m0:0:0",
        "q:nps:m0:99999",
        "c:17:take",
        "s:1:9",
    ],
)
def test_a_button_that_is_not_ours_asks_for_nothing(data: str) -> None:
    assert tapped(data) is None


@given(
    st.sampled_from(sorted(COMMANDS)),
    st.sampled_from(PERIODS),
    st.integers(1, 2**59),
    st.integers(0, 999),
    st.booleans(),
)
def test_a_button_brings_back_what_it_was_made_for(
    command: str, period: str, client: int, page: int, is_of_client: bool
) -> None:
    whole = Wish(command=command, page=page)
    wish = replace(whole, client=client) if is_of_client else replace(whole, period=period)
    assert tapped(wish.data) == wish
    assert len(wish.data.encode()) <= 64


@given(st.text(), st.text())
def test_nothing_typed_or_tapped_is_too_odd_to_be_read(text: str, data: str) -> None:
    for wish in (typed(text), tapped(data)):
        assert wish is None or wish.command == wish.command.lower()


def test_who_is_of_no_role_may_nothing() -> None:
    assert not any(may(role, command) for role in ("", "client") for command in COMMANDS)
    assert not may("owner", "start")


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("w0", "2026-09-07", "2026-09-07"),
        ("w1", "2026-08-31", "2026-09-06"),
        ("m0", "2026-09-01", "2026-09-07"),
        ("m1", "2026-08-01", "2026-08-31"),
        ("q0", "2026-07-01", "2026-09-07"),
        ("q1", "2026-04-01", "2026-06-30"),
    ],
)
def test_a_period_that_runs_is_told_so_far(key: str, first: str, last: str) -> None:
    period: Period = period_of(key, MONDAY, ZONE)
    assert (period.start.isoformat(), (period.end - timedelta(days=1)).isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        ("", None),
        ("2h", MONDAY + timedelta(hours=2)),
        ("2 часа", MONDAY + timedelta(hours=2)),
        ("час", MONDAY + timedelta(hours=1)),
        ("на 30 мин.", MONDAY + timedelta(minutes=30)),
        ("3 дня", MONDAY + timedelta(days=3)),
        ("1 неделю", MONDAY + timedelta(weeks=1)),
        ("до 18:00", MONDAY + timedelta(hours=7)),
        ("9:30", MONDAY + timedelta(hours=22, minutes=30)),  # that of tomorrow
    ],
)
def test_how_long_sending_rests(words: str, ends: datetime | None) -> None:
    assert until_of(words, MONDAY, ZONE) == ends


@pytest.mark.parametrize("words", ["немного", "0h", "-2h", "2", "25:00", "9999 недель", "до утра", "2h 2h"])
def test_a_span_that_nobody_understands_is_asked_about(words: str) -> None:
    with pytest.raises(UnclearError):
        until_of(words, MONDAY, ZONE)


@given(st.text())
def test_a_pause_that_is_understood_ends_later_than_now(words: str) -> None:
    try:
        ends = until_of(words, MONDAY, ZONE)
    except UnclearError:
        return
    assert ends is None or ends > MONDAY


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=20))
def test_no_page_is_too_long_and_no_short_line_is_lost(blocks: list[str]) -> None:
    made = pages(blocks, 70)
    assert all(units(page) <= 70 for page in made)
    lines = [line for page in made for line in page.split("\n")]
    for line in (line for block in blocks for line in block.split("\n") if line and units(line) <= 70):
        assert line in lines
