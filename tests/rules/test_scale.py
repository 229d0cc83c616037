"""A score falls into exactly one band of its scale, and only what the scale admits is a score."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.rules.scale import Band, Option, Scale, parse_range

TEN = Scale(first=1, last=10, low=5, high=9)
SCHOOL = Scale(
    first=2,
    last=5,
    low=2,
    high=5,
    options=(Option("Отлично", 5), Option("Удовлетворительно", 3), Option("Плохо", 2)),
)


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    first = draw(st.integers(0, 90))
    last = draw(st.integers(first + 1, 100))
    low = draw(st.integers(first - 1, last))
    high = draw(st.integers(low + 1, last + 1))
    return Scale(first=first, last=last, low=low, high=high)


@pytest.mark.parametrize(
    ("scale", "low", "neutral", "high"),
    [
        (Scale(first=0, last=10, low=6, high=9), range(7), range(7, 9), range(9, 11)),
        (TEN, range(1, 6), range(6, 9), range(9, 11)),
        (Scale(first=1, last=5, low=3, high=5), range(1, 4), [4], [5]),
        (Scale(first=1, last=2, low=1, high=2), [1], [], [2]),  # a yes and a no
        (Scale(first=1, last=5, low=0, high=6), [], range(1, 6), []),  # nothing is low, nothing high
        (SCHOOL, [2], [3], [5]),
    ],
)
def test_bands(scale: Scale, low: list[int], neutral: list[int], high: list[int]) -> None:
    found = {band: [value for value in scale.values if scale.band(value) is band] for band in Band}
    assert found == {Band.LOW: list(low), Band.NEUTRAL: list(neutral), Band.HIGH: list(high)}


@given(scales(), st.integers(0, 100), st.integers(0, 100))
@settings(max_examples=100)
def test_a_better_score_is_never_in_a_worse_band(scale: Scale, one: int, other: int) -> None:
    order = list(Band)
    worse, better = sorted((one, other))
    assert order.index(scale.band(worse)) <= order.index(scale.band(better))


@given(scales())
@settings(max_examples=50)
def test_the_values_of_a_scale_ascend_from_its_first_to_its_last(scale: Scale) -> None:
    assert scale.values == tuple(sorted(scale.values))
    assert (scale.values[0], scale.values[-1]) == (scale.first, scale.last)
    assert all(value in scale for value in scale.values)


@pytest.mark.parametrize("value", [0, 11, -1, 9.0, True, "9", None])
def test_what_is_no_score_of_a_ten_point_scale(value: object) -> None:
    assert value not in TEN


def test_of_labelled_options_only_their_values_exist() -> None:
    assert SCHOOL.values == (2, 3, 5)
    assert 4 not in SCHOOL
    assert SCHOOL.option(5) == Option("Отлично", 5)
    assert SCHOOL.option(4) is None
    assert TEN.option(9) is None


@pytest.mark.parametrize(
    ("text", "ends"), [("1-10", (1, 10)), (" 0 - 10 ", (0, 10)), ("1–5", (1, 5)), ("0-100", (0, 100))]
)
def test_a_range_is_read(text: str, ends: tuple[int, int]) -> None:
    assert parse_range(text) == ends


@pytest.mark.parametrize(
    "text", ["", "10", "1-", "a-b", "10-1", "5-5", "-1-5", "1-101", "1-5-10", "1.5-3", "1-9999"]
)
def test_a_range_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="1-10"):
        parse_range(text)


@pytest.mark.parametrize(
    ("first", "last", "low", "high"),
    [
        (1, 1, 1, 1),
        (5, 1, 2, 4),
        (-5, 5, 0, 3),
        (1, 10, 5, 5),  # no score may be both
        (1, 10, 9, 5),
        (1, 10, -1, 9),
        (1, 10, 5, 12),
    ],
)
def test_a_scale_that_cannot_work_is_refused(first: int, last: int, low: int, high: int) -> None:
    with pytest.raises(ValueError, match="scale"):
        Scale(first=first, last=last, low=low, high=high)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([Option("Да", 1), Option("да ", 2)], "one label"),
        ([Option("Да", 1), Option("Нет", 1), Option("Не знаю", 2)], "one value"),
        ([Option("Да", 1), Option(" ", 2)], "needs a label"),
        ([Option("Да", 1), Option("Нет", 3)], "from 1 to 3, not 1-2"),
        ([Option("Да", 1)], "from 1 to 1, not 1-2"),
    ],
)
def test_options_that_cannot_work_are_refused(options: list[Option], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Scale(first=1, last=2, low=1, high=2, options=tuple(options))
