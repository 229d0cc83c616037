"""Scores over time, each on its own scale, and how far back one looks."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import CES, NOW, NPS, QUARTER, SEED10, SPRING, STD11, result, scored, spread, survey
from worker.metrics import surveys
from worker.metrics.base import Asked, Facts, History, ScoreCount
from worker.metrics.headlines import Bands
from worker.metrics.surveys import SurveyResult
from worker.metrics.trends import scores_over
from worker.metrics.window import Window, choose, windows
from worker.rules.calendar import parse_period, so_far
from worker.rules.periods import days

BERLIN = ZoneInfo("Europe/Berlin")
NEW = Asked(key="nps", metric="nps", title="NPS", scale=STD11)
ZONE = QUARTER.zone


def counts(place: int, bands: tuple[int, int, int], scale: str = "", of: Asked = NPS) -> list[ScoreCount]:
    """Promoters, passives and detractors."""
    return [
        ScoreCount(
            survey=of.key, metric=of.metric, place=place, scale=scale, score=score, band=band, answers=number
        )
        for score, band, number in zip((9, 7, 2), ("high", "neutral", "low"), bands, strict=True)
        if number
    ]


def over_time(*rows: list[ScoreCount], asked: Asked = NPS, min_answers: int = 5) -> SurveyResult:
    history = History(periods=scores_over(QUARTER, NOW), scores=tuple(row for of in rows for row in of))
    facts = Facts(now=NOW, asked=(asked,), min_answers=min_answers, history=history)
    return surveys.compute(facts, QUARTER).by_key["nps"]


# Two scales


def test_a_score_of_another_scale_is_in_no_figure_of_this_one() -> None:
    """A six is a detractor on 0–10 and a passive on 1–10: that of the settings leads."""
    old = scored(NPS, [6] * 20 + [10] * 10, scale=SEED10.id, manager_id=1, manager="Олег")
    new = scored(NEW, [6] * 20 + [10] * 10, scale=STD11.id, manager_id=1, manager="Олег", channel="max")
    told = result(NEW, [*old, *new])
    assert (told.current.bands, told.current.answered) == (Bands(10, 0, 20), 30)
    assert told.other_scales[SEED10.id].bands == Bands(10, 20, 0)
    assert told.by_manager["Олег"].bands == told.by_channel["max"].bands == told.current.bands
    written = told.as_json()
    assert (written["scale"], written["score"]) == ("0-10 low=6 high=9", -33.33)
    assert written["other_scales"]["1-10 low=5 high=9"]["score"] == 33.33
    assert sum(written["distribution"].values()) == written["answered"] == 30
    assert written["sent"] == 60
    assert written["response_rate"] == 100.0  # whoever was asked was asked, whatever the scale


def test_periods_of_two_scales_are_not_compared() -> None:
    rows = [*scored(NPS, [9] * 9, scale=SEED10.id, settled_at=SPRING), *scored(NEW, [9] * 9, scale=STD11.id)]
    written = result(NEW, rows, min_answers=5).as_json()
    assert (written["score"], written["previous"]) == (100.0, {"score": None, "answered": 0})
    assert written["significant"] is None


def test_other_cut_offs_make_another_scale() -> None:
    stricter = Asked(key="nps", metric="nps", title="NPS", scale=STD11)
    rows = scored(NPS, [6] * 9, scale="0-10 low=5 high=9")
    assert result(stricter, rows).current.answered == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["", SEED10.id, STD11.id]), st.integers(1, 10), st.booleans()), max_size=40
    )
)
def test_every_answer_is_on_one_scale_and_the_funnel_adds_up(
    given_rows: list[tuple[str, int, bool]],
) -> None:
    rows = [
        survey(NPS, score if is_sent else None, scale=scale, refusal="" if is_sent else "opted_out")
        for scale, score, is_sent in given_rows
    ]
    told = result(NPS, rows)
    answered = told.current.answered + sum(of.answered for of in told.other_scales.values())
    funnel = told.funnel
    assert answered == funnel.answered == sum(is_sent for _, _, is_sent in given_rows)
    assert funnel.eligible == funnel.sent + sum(funnel.not_sent.values()) == len(rows)
    assert funnel.commented <= funnel.answered <= funnel.sent
    assert funnel.answered <= funnel.delivered <= funnel.sent


# Trend


@pytest.mark.parametrize(
    ("period", "first", "last", "number"),
    [
        ("2026Q3", "2024Q4", "2026Q3", 8),
        ("2027Q1", "2025Q2", "2027Q1", 8),  # across two new years
        ("2026-01", "2025-02", "2026-01", 12),
        ("2026-W03", "2025-W43", "2026-W03", 13),
        ("2026", "2022", "2026", 5),
    ],
)
def test_a_trend_has_the_last_periods_of_the_same_kind(
    period: str, first: str, last: str, number: int
) -> None:
    periods = scores_over(parse_period(period, ZONE), NOW)
    assert (periods[0].label, periods[-1].label, len(periods)) == (first, last, number)
    assert all(one.ends == after.begins for one, after in pairwise(periods))


def test_free_days_have_no_trend_and_a_quarter_so_far_has_that_of_quarters() -> None:
    now = datetime(2026, 7, 20, 3, tzinfo=UTC)
    assert scores_over(days(date(2026, 7, 2), date(2026, 7, 21), ZONE), now) == ()
    assert scores_over(so_far(QUARTER, now), now)[-1] == QUARTER
    assert scores_over(so_far(QUARTER, now), now + timedelta(days=40)) == ()  # an old part of a quarter


def test_weeks_of_a_clock_change_are_seven_days_and_touch() -> None:
    periods = scores_over(parse_period("2026-W14", BERLIN), NOW)
    lengths = {one.label: (one.ends.astimezone(UTC) - one.begins.astimezone(UTC)) for one in periods}
    assert lengths["2026-W13"] == timedelta(days=7) - timedelta(hours=1)  # 29 March: an hour is left out
    assert {length for label, length in lengths.items() if label != "2026-W13"} == {timedelta(days=7)}


def test_a_trend_has_a_point_for_every_period_with_its_interval() -> None:
    told = over_time(counts(0, (60, 30, 10)), counts(6, (3, 0, 1)), counts(7, (12, 5, 3)))
    points = told.trend.points
    assert [point.figures.answered for point in points] == [100, 0, 0, 0, 0, 0, 4, 20]
    assert [point.figures.value for point in points] == [50, *[None] * 6, 45]
    low, high = points[7].figures.interval or (0, 0)
    assert (round(low, 1), round(high, 1)) == (8.4, 69.8)
    assert told.trend.breaks == ()
    assert told.as_json()["trend"][7] == {
        "period": "2026Q3", "scale": SEED10.id, "answered": 20, "score": 45.0, "ci95": [8.43, 69.83],
        "running": False,
    }  # fmt: skip


def test_where_the_scale_changed_is_marked_and_that_period_has_both() -> None:
    told = over_time(
        counts(4, (9, 0, 1), SEED10.id), counts(6, (5, 5, 0), SEED10.id), counts(6, (0, 5, 5), STD11.id),
        counts(7, (5, 0, 5), STD11.id), asked=NEW,
    )  # fmt: skip
    points = told.trend.points
    assert [point.period.label for point in points[6:]] == ["2026Q2", "2026Q2", "2026Q3"]
    assert [(point.scale, point.figures.value) for point in points[6:]] == [
        (SEED10.id, 50), (STD11.id, -50), (STD11.id, 0)
    ]  # fmt: skip
    assert told.trend.breaks == (7,)


def test_a_scale_that_came_back_changed_twice_and_before_the_first_answer_nothing_changed() -> None:
    told = over_time(counts(2, (9, 0, 1), STD11.id), counts(4, (9, 0, 1), SEED10.id),
        counts(7, (5, 0, 5), STD11.id), asked=NEW)  # fmt: skip
    assert told.trend.breaks == (4, 7)


def test_a_scale_that_was_not_kept_is_taken_for_that_of_the_settings() -> None:
    assert over_time(counts(6, (9, 0, 1), ""), counts(7, (9, 0, 1), SEED10.id)).trend.breaks == ()


def test_the_trend_is_of_this_survey_and_this_metric() -> None:
    assert all(not point.figures.answered for point in over_time(counts(7, (9, 0, 1), of=CES)).trend.points)


def test_a_running_period_is_marked() -> None:
    now = datetime(2026, 8, 1, tzinfo=UTC)
    facts = Facts(now=now, asked=(NPS,), history=History(periods=scores_over(QUARTER, now)))
    points = surveys.compute(facts, QUARTER).by_key["nps"].trend.points
    assert [point.is_running for point in points] == [False] * 7 + [True]


# How far back


def window(answers: Iterable[int], wanted: int = 90, **known: Any) -> Window:
    """With answers so many days ago."""
    given: dict[str, Any] = {"now": NOW, "zone": ZONE, **known}
    moments = [given["now"] - timedelta(days=ago) for ago in answers]
    of = windows(timedelta(days=wanted), **given)
    counts = {days: sum(map(period.contains, moments)) for days, period in of.items()}
    return choose(of, counts, enough=5)


def test_the_window_is_as_the_settings_say_while_there_is_enough() -> None:
    told = window([1, 5, 20, 60, 89])
    assert (told.days, told.answers, told.is_enough, told.is_longer) == (90, 5, True, False)
    assert (told.period.start, told.period.end) == (date(2026, 7, 8), date(2026, 10, 6))  # today is in it
    assert (told.period.previous().end - told.period.previous().start).days == 90


def test_it_is_lengthened_to_the_first_that_has_enough_and_says_so() -> None:
    assert window([1, 2, 8, 20, 29], wanted=7).days == 30
    assert window([1, 2, 8, 20, 89], wanted=7).days == 90
    told = window([1, 2, 8, 20, 300])
    assert (told.days, told.is_longer, told.is_enough) == (365, True, True)


def test_where_nothing_is_enough_the_longest_is_shown_and_says_that_it_is_not() -> None:
    assert (window([]).days, window([]).answers, window([]).is_enough) == (365, 0, False)
    assert window([400] * 9).is_enough is False


def test_a_window_that_is_none_of_the_usual_is_kept() -> None:
    assert window([1] * 5, wanted=45).days == 45
    assert window([50] * 5, wanted=45).days == 90
    assert window([500] * 5, wanted=730).days == 730


def test_a_window_over_a_clock_change_counts_days_and_not_hours() -> None:
    now = datetime(2026, 3, 30, 12, tzinfo=BERLIN)
    told = window([], wanted=365, now=now, zone=BERLIN)
    assert (told.period.end - told.period.start).days == 365
    hours = told.period.ends.astimezone(UTC) - told.period.begins.astimezone(UTC)
    assert hours == timedelta(days=365)  # from summer time to summer time
    week = window([6] * 5, wanted=7, now=now, zone=BERLIN)
    assert (week.days, week.answers) == (7, 5)
    assert week.period.ends.astimezone(UTC) - week.period.begins.astimezone(UTC) == timedelta(hours=167)


# People and pipelines


def test_pipelines_and_channels_stand_beside_managers() -> None:
    rows = [
        *spread(NPS, {10: 3}, pipeline_id=1, channel="telegram"),
        *spread(NPS, {1: 2}, pipeline_id=2, channel="max"),
        *spread(NPS, {1: 1}, pipeline_id=3, channel="max"),
        survey(NPS, 9, pipeline_id=77),
    ]
    facts = Facts(
        now=NOW, asked=(NPS,), min_answers=1, surveys=tuple(rows),
        pipelines={1: "Продажи", 2: "Сервис", 3: "Сервис"},
    )  # fmt: skip
    written = surveys.compute(facts, QUARTER).by_key["nps"].as_json()
    assert {name: of["answered"] for name, of in written["by_pipeline"].items()} == {
        "Продажи": 3, "77": 1, "Сервис (2)": 2, "Сервис (3)": 1
    }  # fmt: skip
    assert {name: of["score"] for name, of in written["by_channel"].items()} == {"telegram": 100, "max": -100}
