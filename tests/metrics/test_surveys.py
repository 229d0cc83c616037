"""What clients scored, as `sarafan report --json` has to tell it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import (
    CES,
    CSAT,
    NPS,
    QUARTER,
    SEED5,
    SEED10,
    SPRING,
    STD11,
    SUMMER,
    WORDS,
    ZONE,
    result,
    scored,
    spread,
    survey,
    written,
)
from worker.metrics.base import Asked
from worker.metrics.headlines import Bands
from worker.metrics.stats import percent, rounded
from worker.rules.calendar import parse_period
from worker.rules.scale import Scale
from worker.rules.shares import wilson

# Section 0: conventions


def test_half_past_midnight_in_vladivostok_is_the_next_month() -> None:
    row = survey(NPS, 9, answered_at=datetime(2026, 2, 28, 14, 30, tzinfo=UTC))
    assert result(NPS, [row], period=parse_period("2026-03", ZONE)).current.answered == 1
    assert result(NPS, [row], period=parse_period("2026-02", ZONE)).current.answered == 0


def test_an_answer_belongs_to_its_day_and_the_question_to_its_own() -> None:
    asked_before = survey(NPS, 9, settled_at=SPRING, answered_at=SUMMER)
    figures = written(NPS, [asked_before])
    assert (figures["answered"], figures["sent"], figures["delivered"]) == (1, 0, 0)
    assert figures["response_rate"] is None
    assert figures["previous"] == {"score": None, "answered": 0}


def test_no_answers_are_no_nought() -> None:
    figures = written(NPS, [survey(NPS)])
    assert (figures["sent"], figures["answered"], figures["response_rate"]) == (1, 0, 0.0)
    assert [figures[key] for key in ("score", "mean", "ci95", "significant")] == [None] * 4
    assert (figures["promoters"], figures["passives"], figures["detractors"]) == (0, 0, 0)


@given(st.integers(0, 10))
def test_every_score_is_in_one_band(score: int) -> None:
    figures = result(Asked(key="nps", metric="nps", title="NPS", scale=STD11), spread(NPS, {score: 3}))
    assert sum(figures.current.bands) == 3


# Section 1: the funnel


def test_the_worked_funnel() -> None:
    refused = [survey(NPS, refusal="opted_out")] * 20
    silent = scored(NPS, [9] * 15, was_delivered=True, was_read=True)
    answered = (*silent, *scored(NPS, [9] * 22, was_delivered=True, was_read=True, has_comment=True))
    read = [survey(NPS, was_delivered=True, was_read=True)] * (71 - 37)
    delivered = [survey(NPS, was_delivered=True, was_read=False)] * (92 - 71)
    lost = [survey(NPS, was_delivered=False, was_read=False)] * 8
    funnel = result(NPS, [*refused, *answered, *read, *delivered, *lost]).funnel
    assert (funnel.eligible, funnel.sent, funnel.delivered, funnel.read) == (120, 100, 92, 71)
    rates = (funnel.response_rate, funnel.response_of_delivered, funnel.response_of_read, funnel.coverage)
    assert [rounded(rate or 0, 1) for rate in rates] == [37.0, 40.2, 52.1, 30.8]
    assert (funnel.commented, rounded(funnel.comment_rate or 0, 1)) == (22, 59.5)
    assert rounded(percent(funnel.delivered, funnel.sent) or 0, 1) == 92.0
    assert [rounded(100 * end, 1) for end in wilson(37, 92)] == [30.8, 50.4]


def test_the_response_rate_follows_those_who_were_asked() -> None:
    """September: 100 sent, 40 answered then and 10 in October. October: 20 sent, 8 answered. Not 18 of 20."""
    september, october = (datetime(2026, month, 10, tzinfo=UTC) for month in (9, 10))
    rows = [
        *scored(NPS, [9] * 40, settled_at=september),
        *scored(NPS, [9] * 10, settled_at=september, answered_at=october),
        *[survey(NPS, settled_at=september)] * 50,
        *scored(NPS, [9] * 8, settled_at=october),
        *[survey(NPS, settled_at=october)] * 12,
    ]
    of_september = result(NPS, rows, period=parse_period("2026-09", ZONE)).as_json()
    of_october = result(NPS, rows, period=parse_period("2026-10", ZONE)).as_json()
    assert (of_september["response_rate"], of_september["answered"]) == (50.0, 40)
    assert (of_october["response_rate"], of_october["answered"]) == (40.0, 18)


def test_eligible_is_sent_and_every_reason() -> None:
    reasons = ["unreachable"] * 5 + ["opted_out"] * 2 + ["failed"]
    figures = written(NPS, [survey(NPS)] * 3 + [survey(NPS, refusal=reason) for reason in reasons])
    assert figures["not_sent"] == {"unreachable": 5, "failed": 1, "opted_out": 2}
    assert list(figures["not_sent"]) == ["unreachable", "opted_out", "failed"]  # most first
    assert figures["eligible"] == figures["sent"] + sum(figures["not_sent"].values()) == 11


def test_a_channel_that_does_not_tell_counts_sent_as_delivered() -> None:
    telegram = [survey(NPS)] * 3
    assert [written(NPS, telegram)[key] for key in ("delivered", "read")] == [3, None]
    whatsapp = [
        survey(NPS, was_delivered=True, was_read=True),
        survey(NPS, was_delivered=True, was_read=False),
        survey(NPS, was_delivered=False, was_read=False),
    ]
    assert [written(NPS, whatsapp)[key] for key in ("delivered", "read")] == [2, 1]
    assert [written(NPS, telegram + whatsapp)[key] for key in ("delivered", "read")] == [5, 1]


def test_nobody_has_read_is_a_figure_where_the_channel_would_tell() -> None:
    assert written(NPS, [survey(NPS, was_delivered=True, was_read=False)])["read"] == 0
    assert written(NPS, [])["read"] is None


def test_uncertain_ones_are_counted_among_the_sent() -> None:
    figures = written(NPS, [survey(NPS), survey(NPS, is_uncertain=True)])
    assert (figures["sent"], figures["uncertain"]) == (2, 1)


def test_answers_are_awaited_while_one_survey_is_open() -> None:
    assert result(NPS, [survey(NPS, is_open=True), survey(NPS, 9)]).funnel.is_collecting
    assert not result(NPS, [survey(NPS), survey(NPS, 9)]).funnel.is_collecting


# Section 2: NPS

TWENTY = [10, 10, 9, 9, 9, 8, 8, 8, 7, 7, 6, 6, 6, 5, 5, 4, 3, 2, 1, 10]


@pytest.mark.parametrize(
    ("scale", "scores", "bands", "score"),
    [
        (STD11, TWENTY, Bands(6, 5, 9), -15),
        (SEED10, TWENTY, Bands(6, 8, 6), 0),
        (SEED5, [5, 5, 5, 5, 4, 4, 4, 3, 2, 1], Bands(4, 3, 3), 10),
        (SEED10, [3, 9], Bands(1, 0, 1), 0),  # all answers of a client count, not the last one alone
        # Clicked at random, one of each:
        (STD11, range(11), Bands(2, 2, 7), -45.5),
        (SEED10, range(1, 11), Bands(2, 3, 5), -30),
        (SEED5, range(1, 6), Bands(1, 1, 3), -40),
    ],
)
def test_three_scales_give_three_scores(scale: Scale, scores: list[int], bands: Bands, score: float) -> None:
    asked = Asked(key="nps", metric="nps", title="NPS", scale=scale)
    current = result(asked, scored(asked, scores)).current
    assert current.bands == bands
    assert rounded(current.value or 0, 1) == score


def test_the_example_of_the_contract() -> None:
    rows = [
        *spread(NPS, {10: 20, 9: 11, 8: 8, 7: 7, 6: 5, 5: 1, 4: 2, 3: 6, 2: 1}),
        *scored(NPS, [9] * 16 + [7] * 16 + [3] * 8, settled_at=SPRING),
    ]
    figures = written(NPS, rows)
    assert (figures["promoters"], figures["passives"], figures["detractors"]) == (31, 20, 10)
    assert figures["score"] == 34.43
    assert figures["ci95"] == [14.54, 51.09]
    assert figures["previous"] == {"score": 20.0, "answered": 40}
    assert figures["significant"] is False
    assert figures["distribution"] == {
        "1": 0, "2": 1, "3": 6, "4": 2, "5": 1, "6": 5, "7": 7, "8": 8, "9": 11, "10": 20
    }  # fmt: skip


def test_nps_has_the_keys_of_the_contract_and_then_some() -> None:
    contract = [
        "metric", "sent", "answered", "response_rate", "promoters", "passives", "detractors", "score", "mean",
        "ci95", "previous", "significant", "distribution", "eligible", "not_sent", "uncertain", "delivered",
        "read", "by_manager",
    ]  # fmt: skip
    assert list(written(NPS, []))[: len(contract)] == contract


@pytest.mark.parametrize(
    ("before", "after", "significant"),
    [
        ((50, 30, 20), (60, 30, 10), False),  # +20, and the interval is −0.2 … +40.2
        ((50, 30, 20), (61, 30, 9), True),
        ((60, 30, 10), (50, 30, 20), False),
        ((61, 30, 9), (50, 30, 20), True),  # a fall counts as well
        ((0, 5, 0), (5, 0, 0), True),
    ],
)
def test_a_change_is_significant_beyond_chance(
    before: tuple[int, int, int], after: tuple[int, int, int], significant: bool
) -> None:
    rows = [
        *spread(NPS, dict(zip((10, 7, 1), before, strict=True)), settled_at=SPRING),
        *spread(NPS, dict(zip((10, 7, 1), after, strict=True))),
    ]
    assert written(NPS, rows)["significant"] is significant


def test_the_band_of_then_outlives_a_change_of_thresholds() -> None:
    six = survey(NPS, 6)  # passive when it came
    stricter = Asked(key="nps", metric="nps", title="NPS", scale=STD11)
    assert result(stricter, [six]).current.bands == Bands(0, 1, 0)


def test_a_band_that_was_not_kept_follows_the_scale() -> None:
    assert result(NPS, [survey(NPS, 9, band="")]).current.bands == Bands(1, 0, 0)
    assert result(NPS, [survey(NPS, 3, band="of a later version")]).current.bands == Bands(0, 0, 1)


def test_an_answer_of_an_earlier_scale_stays_in_the_distribution() -> None:
    figures = written(CSAT, [*scored(CSAT, [5, 4]), survey(CSAT, 9, band="high")])
    assert figures["distribution"] == {"1": 0, "2": 0, "3": 0, "4": 1, "5": 1, "9": 1}
    assert sum(figures["distribution"].values()) == figures["answered"]


def test_a_key_that_once_asked_for_something_else_leaves_its_answers_out() -> None:
    once = Asked(key="nps", metric="csat", title="Оценка", scale=SEED5)
    assert written(NPS, scored(once, [5, 5]))["answered"] == 0


# Sections 3 and 4: CSAT and CES

TEN = [5, 5, 5, 4, 4, 3, 2, 5, 4, 1]


def test_the_worked_csat() -> None:
    figures = written(CSAT, scored(CSAT, TEN))
    assert figures["satisfied_share"] == 70.0
    assert [rounded(end, 1) for end in figures["ci95"]] == [39.7, 89.2]
    assert figures["mean"] == 3.80
    of = result(CSAT, scored(CSAT, TEN)).current
    assert of.mean_interval is not None
    assert [rounded(end) for end in of.mean_interval] == [2.80, 4.80]
    high, _neutral, low = of.bands
    assert 100 * (high - low) / 10 == 10  # the origin's net, where 4 is neutral
    assert 100 * high / 10 == 40  # top box


def test_the_worked_csat_in_three_words() -> None:
    asked = Asked(key="csat", metric="csat", title="Оценка", scale=WORDS)
    figures = written(asked, scored(asked, [5] * 6 + [3] * 3 + [2]))
    assert figures["mean"] == 4.10
    assert (figures["mean"] - WORDS.first) / (WORDS.last - WORDS.first) == pytest.approx(0.70)
    assert figures["distribution"] == {"2": 1, "3": 3, "5": 6}  # the values that exist
    assert figures["distribution"]["5"] / figures["answered"] == 0.60
    assert written(asked, scored(asked, [2] * 5))["mean"] == 2.00  # the worst there is, not «40 %»


def test_the_worked_ces() -> None:
    scores = [5, 5, 4, 4, 3, 2, 1, 5]
    figures = written(CES, scored(CES, scores))
    of = result(CES, scored(CES, scores)).current
    assert of.mean == 3.625
    assert (figures["mean"], figures["easy_share"]) == (3.63, 62.5)
    assert 100 * of.bands.low / 8 == 25  # difficult
    assert figures["net"] == 37.5  # net ease
    assert 6 - of.mean == 2.375  # as effort


@pytest.mark.parametrize(("asked", "key"), [(CSAT, "satisfied_share"), (CES, "easy_share")])
def test_csat_and_ces_have_their_own_headline_and_all_other_keys(asked: Asked, key: str) -> None:
    of_nps = set(written(NPS, [])) - {"promoters", "passives", "detractors", "score"}
    figures = written(asked, [])
    assert set(figures) == of_nps | {key}
    assert figures["previous"] == {key: None, "answered": 0}


@pytest.mark.parametrize(
    ("before", "after", "significant"),
    [((48, 80), (56, 70), True), ((9, 75), (12, 60), False)],
)
def test_shares_are_compared_as_newcombe_does(
    before: tuple[int, int], after: tuple[int, int], significant: bool
) -> None:
    rows = [
        *spread(CSAT, {5: before[0], 1: before[1] - before[0]}, settled_at=SPRING),
        *spread(CSAT, {5: after[0], 1: after[1] - after[0]}),
    ]
    assert written(CSAT, rows)["significant"] is significant


# People


def test_people_have_answers_headline_and_mean() -> None:
    rows = [
        *spread(NPS, {10: 12, 7: 4, 2: 4}, manager_id=1, manager="Олег"),
        *spread(NPS, {10: 1}, manager_id=2, manager="Ирина"),
    ]
    assert written(NPS, rows, min_answers=5)["by_manager"] == {
        "Олег": {"answered": 20, "score": 40.0, "mean": 7.8, "ci95": [2.09, 67.47]},
        "Ирина": {"answered": 1, "score": None, "mean": None, "ci95": None},
    }


def test_csat_and_ces_of_people_are_about_their_headline() -> None:
    rows = spread(CSAT, {5: 3, 1: 1}, manager_id=1, manager="Олег")
    assert written(CSAT, rows)["by_manager"] == {
        "Олег": {"answered": 4, "satisfied_share": 75.0, "mean": 4.0, "ci95": [30.06, 95.44]}
    }


def test_two_people_of_one_name_are_told_apart() -> None:
    rows = [
        *scored(NPS, [10, 10], manager_id=11, manager="Анна"),
        *scored(NPS, [1], manager_id=12, manager="Анна"),
        *scored(NPS, [9], manager_id=13, manager="Олег"),
    ]
    assert {name: of["answered"] for name, of in written(NPS, rows)["by_manager"].items()} == {
        "Анна (11)": 2,
        "Анна (12)": 1,
        "Олег": 1,
    }


def test_a_person_who_was_renamed_is_one_person() -> None:
    rows = [
        survey(NPS, 9, manager_id=1, manager="Ирина Петрова"),
        survey(NPS, 9, manager_id=1, manager="Ирина Иванова", settled_at=SUMMER + timedelta(days=9)),
    ]
    assert list(written(NPS, rows)["by_manager"]) == ["Ирина Иванова"]


def test_a_person_without_a_name_is_a_number_and_nobody_is_left_out() -> None:
    assert list(written(NPS, [survey(NPS, 9, manager_id=7)])["by_manager"]) == ["7"]
    assert written(NPS, [survey(NPS, 9)])["by_manager"] == {}


def test_people_are_ranked_by_what_is_sure() -> None:
    rows = [
        *spread(CSAT, {5: 3}, manager_id=1, manager="Три из трёх"),
        *spread(CSAT, {5: 45, 1: 5}, manager_id=2, manager="Сорок пять из пятидесяти"),
        *spread(CSAT, {5: 2}, manager_id=3, manager="Двое"),
    ]
    ranked = result(CSAT, rows, min_answers=3).by_manager
    assert list(ranked) == ["Сорок пять из пятидесяти", "Три из трёх", "Двое"]


def test_crews_are_told_apart_only_where_they_are_what_is_rated() -> None:
    crew = Asked(key="crew", metric="csat", title="Бригада", scale=SEED5, subject="field")
    rows = [
        *scored(crew, [5, 4, 2], subject="Бригада 1", manager_id=1, manager="Олег"),
        *scored(crew, [5], subject="Бригада 2", manager_id=1, manager="Олег"),
    ]
    figures = written(crew, rows)
    crews = figures["by_subject"]
    assert {name: (of["answered"], of["satisfied_share"], of["mean"]) for name, of in crews.items()} == {
        "Бригада 2": (1, 100.0, 5.0),
        "Бригада 1": (3, 66.67, 3.67),
    }
    assert figures["by_manager"]["Олег"]["answered"] == 4
    assert "by_subject" not in written(CSAT, scored(CSAT, [5], subject="Олег"))


# Too few answers


def test_below_the_minimum_there_are_counts_only() -> None:
    rows = [
        *scored(NPS, [9, 9, 9, 3], manager_id=1, manager="Олег"),
        *scored(NPS, [9, 9, 9, 9, 2], settled_at=SPRING),
    ]
    figures = written(NPS, rows, min_answers=5)
    assert [figures[key] for key in ("score", "mean", "ci95", "significant")] == [None] * 4
    assert (figures["answered"], figures["promoters"], figures["detractors"]) == (4, 3, 1)
    assert figures["distribution"]["9"] == 3
    assert figures["response_rate"] == 100.0  # no share of scores
    assert figures["previous"] == {"score": 60.0, "answered": 5}
    assert figures["by_manager"] == {"Олег": {"answered": 4, "score": None, "mean": None, "ci95": None}}


def test_too_few_answers_before_leave_nothing_to_compare_with() -> None:
    rows = [*scored(CES, [5] * 5), *scored(CES, [1] * 4, settled_at=SPRING)]
    figures = written(CES, rows, min_answers=5)
    assert figures["easy_share"] == 100.0
    assert figures["previous"] == {"easy_share": None, "answered": 4}
    assert figures["significant"] is None


# Laws


@st.composite
def scores_in_two_orders(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    scores = draw(st.lists(st.integers(1, 10), min_size=1, max_size=40))
    return scores, draw(st.permutations(scores))


@given(scores_in_two_orders())
def test_a_score_stays_within_a_hundred_and_ignores_order(orders: tuple[list[int], list[int]]) -> None:
    scores, shuffled = orders
    figures = written(NPS, scored(NPS, scores))
    assert -100 <= figures["score"] <= 100
    assert written(NPS, scored(NPS, shuffled)) == figures
    low, high = figures["ci95"]
    assert -100 <= low < high <= 100


@given(st.lists(st.tuples(st.integers(1, 10), st.integers(1, 3)), max_size=40))
def test_people_add_up_to_everybody(scores: list[tuple[int, int]]) -> None:
    rows = [survey(NPS, score, manager_id=who, manager=f"№ {who}") for score, who in scores]
    figures = written(NPS, rows)
    assert sum(of["answered"] for of in figures["by_manager"].values()) == figures["answered"] == len(scores)
    assert figures["promoters"] + figures["passives"] + figures["detractors"] == len(scores)
    assert sum(figures["distribution"].values()) == len(scores)


def test_the_quarter_of_these_tests_is_the_third() -> None:
    assert QUARTER.contains(SUMMER)
    assert QUARTER.previous().contains(SPRING)
