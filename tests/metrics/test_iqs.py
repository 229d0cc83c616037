"""IQS by its worked numbers: scorecards of calls, and how far two people agree about one."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from worker.metrics.base import Facts, ReviewFact
from worker.metrics.iqs import IqsResult, compute
from worker.rules.calendar import Calendar, parse_days, parse_hours, parse_period
from worker.rules.scorecards import Criterion, due_week, in_order, reviewers, score, version_of

ZONE = ZoneInfo("Asia/Vladivostok")
QUARTER = parse_period("2026Q3", ZONE)
NOW = datetime(2026, 9, 30, 12, tzinfo=ZONE)
KEYS = ("speech", "objections", "next_step", "questions")
NAMES = {1: "Олег", 2: "Мария"}


def criteria(*weights: float, critical: str = "") -> tuple[Criterion, ...]:
    return tuple(
        Criterion(key=key, name=key, weight=weight, is_critical=key == critical)
        for key, weight in zip(KEYS, weights or (1, 1, 1, 1), strict=True)
    )


def marked(*marks: float | None) -> dict[str, float | None]:
    return dict(zip(KEYS, marks, strict=True))


def review(
    *marks: float | None, call: int = 1, by: int = 1, day: int = 1, of: tuple[Criterion, ...] = ()
) -> ReviewFact:
    return ReviewFact(
        call_id=call,
        scored_at=datetime(2026, 9, day, 12, tzinfo=ZONE),
        manager_id=by,
        criteria=of or criteria(),
        marks=marked(*marks),
    )


def found(*reviews: ReviewFact, enough: int = 2) -> IqsResult:
    return compute(Facts(now=NOW, reviews=reviews, min_answers=enough, people=NAMES), QUARTER)


@pytest.mark.parametrize(
    ("weights", "marks", "wanted"),
    [
        ((1, 1, 1, 1), (1, 1, 0, 1), 75),
        ((1, 2, 2, 1), (1, 0.5, 0, 1), 50),
        ((1, 2, 2, 1), (1, None, 0, 1), 50),
        ((1, 1, 1, 1), (None, None, None, None), None),
        ((1, 1, 1, 1), (0, 0, 0, 0), 0),
    ],
)
def test_the_worked_scorecards(
    weights: tuple[float, ...], marks: tuple[float | None, ...], wanted: float | None
) -> None:
    assert score(criteria(*weights), marked(*marks)) == wanted


def test_what_does_not_apply_is_in_neither_sum() -> None:
    three = [
        Criterion(key=key, name=key, weight=weight) for key, weight in zip("abc", (10, 15, 5), strict=True)
    ]
    shares = {"a": 0.85, "b": 0.5, "c": 1.0}
    # The published audit score, which a vendor prints as 70 for other weights than it states.
    assert score(three, shares) == pytest.approx(70.0)
    swapped = [
        Criterion(key=key, name=key, weight=weight) for key, weight in zip("abc", (10, 5, 5), strict=True)
    ]
    assert pytest.approx(53.33, abs=0.01) == 100 * (0.85 * 10 + 0.5 * 5 + 1 * 5) / (10 + 15 + 5)
    assert score(swapped, {"a": 1, "b": None, "c": 0}) == pytest.approx(200 / 3)


def test_a_critical_failure_makes_the_call_0_and_only_a_0_is_one() -> None:
    of = criteria(1, 1, 1, 1, critical="speech")
    assert score(of, marked(0, 1, 1, 1)) == 0
    assert score(of, marked(0.5, 1, 1, 1)) == 87.5
    assert score(of, marked(None, 1, 1, 1)) == 100
    assert found(review(0, 1, 1, 1, of=of), review(1, 1, 1, 1, of=of)).total.zeroed == 1


def test_a_person_has_the_mean_of_the_scorecards_with_its_interval() -> None:
    result = found(
        review(1, 1, 0, 1, call=1),
        review(1, 1, 1, 1, call=2),
        review(1, 0, 0, 0, call=3),
        review(None, None, None, None, call=4),  # nothing applied: it is no 0
        review(1, 1, 1, 1, call=5, by=2),
    )
    oleg = result.by_manager["Олег"]
    assert (oleg.reviews, round(oleg.score or 0, 2)) == (3, 66.67)
    # 75, 100, 25: mean ± 4.3027 · 38.19 / √3, cut to what is possible.
    assert oleg.interval is not None
    assert (round(oleg.interval.low, 2), oleg.interval.high) == (0.0, 100.0)
    assert result.by_manager["Мария"].score is None  # one is too few
    assert result.as_json()["by_manager"]["Мария"] == {
        "reviews": 1, "score": None, "ci95": None, "critical": 0,
    }  # fmt: skip
    assert list(result.by_manager) == ["Олег", "Мария"]


def test_an_interval_is_that_of_the_mean() -> None:
    result = found(
        *(review(*marks, call=n) for n, marks in enumerate([(1, 1, 0, 1), (1, 1, 1, 0), (1, 1, 1, 1)]))
    )
    interval = result.total.interval
    assert interval is not None
    # 75, 75, 100: 83.33 ± 4.3027 · 14.434 / √3
    assert (round(interval.low, 2), interval.high) == (47.48, 100.0)


def test_by_criterion_it_shows_what_to_teach() -> None:
    result = found(review(1, 0.5, 0, None, call=1), review(1, 0, 0, 1, call=2), review(1, None, 1, 1, call=3))
    assert {key: (of.reviews, of.not_applicable, of.value) for key, of in result.by_criterion.items()} == {
        "speech": (3, 0, 100),
        "objections": (2, 1, 25),
        "next_step": (3, 0, pytest.approx(100 / 3)),
        "questions": (2, 1, 100),
    }


def test_agreement_is_the_share_of_criteria_with_equal_marks() -> None:
    result = found(
        review(1, 1, 0, None, call=1),
        review(1, 0.5, 0, None, call=1),  # three of four
        review(1, 1, 1, 1, call=2),
        review(0, 1, 1, None, call=2),  # two of four
        review(1, 1, 1, 1, call=3),  # by one person: says nothing of agreement
    )
    assert result.doubled == 2
    assert (result.agreement.part, result.agreement.whole, result.agreement.value) == (5, 8, 62.5)
    assert result.calls == 3
    assert found(review(1, 1, 1, 1)).agreement.value is None


def test_the_period_before_is_compared_and_no_cards_are_no_number() -> None:
    def of(day: datetime, *marks: float) -> ReviewFact:
        return ReviewFact(call_id=1, scored_at=day, manager_id=1, criteria=criteria(), marks=marked(*marks))

    june, july = datetime(2026, 6, 5, tzinfo=ZONE), datetime(2026, 7, 5, tzinfo=ZONE)
    result = found(
        *(of(june + timedelta(days=n), 0, 0, n % 2, 0) for n in range(6)),
        *(of(july + timedelta(days=n), 1, 1, n % 2, 1) for n in range(6)),
    )
    assert (result.before.score, result.total.score, result.significant) == (12.5, 87.5, True)
    nothing = found().as_json()
    assert (nothing["score"], nothing["reviews"], nothing["significant"]) == (None, 0, None)
    assert nothing["agreement"]["share"] is None


# --- the draw ---------------------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_calls_in_whatever_order_they_came() -> None:
    calls = [f"call-{n}" for n in range(50)]
    first = in_order("a", calls, str)
    assert first == in_order("a", reversed(calls), str) != in_order("b", calls, str)
    assert sorted(first) == sorted(calls)


def test_every_fifth_call_is_scored_by_two_and_the_work_is_shared_evenly() -> None:
    both = [("Вера", "Инна")] * 11
    chosen = reviewers(both)
    assert sum(len(one) == 2 for one in chosen) == 3  # rounded up
    assert all(len(set(one)) == len(one) for one in chosen)
    load = [sum(name in one for one in chosen) for name in ("Вера", "Инна")]
    assert load == [7, 7]
    assert reviewers([("Вера",)] * 3) == [("Вера",)] * 3  # alone
    assert reviewers([(), ("Вера", "Инна")]) == [(), ("Вера", "Инна")]  # nobody may score the first
    assert reviewers([]) == []


def test_last_week_is_drawn_from_the_begin_of_work_on_monday() -> None:
    calendar = Calendar(
        zone=ZONE, work_days=parse_days("mon-fri"), work_hours=parse_hours("09:00-18:00"), country="RU"
    )

    def due(day: int, hour: int, month: int = 9) -> str | None:
        week = due_week(datetime(2026, month, day, hour, tzinfo=ZONE), calendar)
        return None if week is None else week.key

    assert due(7, 8) is None
    assert due(7, 9) == "2026-08-31"
    assert due(9, 12) == "2026-08-31"  # the worker was off on Monday
    assert due(9, 20) is None
    assert due(12, 12) is None  # Saturday
    assert due(9, 12, month=3) is None  # Monday, the day off for 8 March
    assert due(10, 9, month=3) == "2026-03-02"


def test_a_scorecard_has_the_version_of_its_criteria() -> None:
    assert version_of(criteria()) == version_of(criteria(1, 1, 1, 1))
    assert (
        len(
            {
                version_of(criteria()),
                version_of(criteria(1, 2, 1, 1)),
                version_of(criteria(critical="speech")),
            }
        )
        == 3
    )
    other = tuple(Criterion(key=one.key, name="иначе") for one in criteria())
    assert version_of(other) == version_of(criteria())
