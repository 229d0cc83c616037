"""Do two figures of one deal go together? Never more than that."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import CES, NOW, NPS, QUARTER, SPRING, SUMMER, complaint, survey
from worker.metrics import links
from worker.metrics.base import Asked, ChatFact, Correspondence, Facts, SurveyFact
from worker.metrics.links import REACTION, TIME, Link, differs_from_chance, spearman
from worker.metrics.stats import rounded
from worker.rules.calendar import Calendar, parse_days, parse_hours

# https://en.wikipedia.org/wiki/Spearman%27s_rank_correlation_coefficient
IQ = (106, 86, 100, 101, 99, 103, 97, 113, 112, 110)
TV = (7, 2, 27, 50, 28, 29, 20, 12, 6, 17)
SCORES = (10, 9, 8, 9, 3, 6, 10, 5)
MINUTES = (5, 10, 30, 12, 240, 60, 8, 90)
EASE = (5, 5, 4, 4, 1, 3, 5, 2)


def paired(ones: Any, others: Any) -> list[tuple[float, float]]:
    return [*zip(ones, others, strict=True)]


def test_a_published_correlation() -> None:
    assert spearman(paired(IQ, TV)) == pytest.approx(float(Fraction(-29, 165)))
    assert rounded(spearman(paired(IQ, TV)) or 0, 4) == -0.1758
    assert not differs_from_chance(-29 / 165, len(IQ))


@pytest.mark.parametrize(
    ("others", "rho"),
    [
        (MINUTES, -0.988),
        (EASE, 0.950),
        ([6 - ease for ease in EASE], -0.950),  # effort: only the direction of the scale is another
    ],
)
def test_equals_share_their_rank(others: tuple[int, ...], rho: float) -> None:
    found = spearman(paired(SCORES, others))
    assert found is not None
    assert rounded(found, 3) == rho


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(1, 5)), max_size=30))
def test_it_stays_within_its_bounds_and_does_not_care_which_is_first(pairs: list[tuple[int, int]]) -> None:
    rho = spearman(pairs)
    is_constant = any(len({pair[side] for pair in pairs}) < 2 for side in (0, 1))
    assert (rho is None) == is_constant
    assert rho is None or -1 <= rho <= 1
    assert spearman([(other, one) for one, other in pairs]) == pytest.approx(rho)


def test_below_ten_deals_nothing_is_said() -> None:
    nine = Link(first="nps", second="ces", pairs=tuple((n, n) for n in range(9)))
    assert (nine.rho, nine.is_clear) == (None, None)
    ten = Link(first="nps", second="ces", pairs=tuple((n, n) for n in range(10)))
    assert (ten.rho, ten.is_clear) == (1, True)
    flat = Link(first="nps", second="ces", pairs=((9, 5),) * 40)
    assert (flat.rho, flat.is_clear) == (None, None)


def of(*rows: Any, asked: tuple[Asked, ...] = (NPS, CES), **known: Any) -> dict[str, Link]:
    result = links.compute(Facts(now=NOW, asked=asked, surveys=rows, **known), QUARTER)
    return {link.key: link for link in result.links}


def test_both_are_of_one_deal_and_on_the_scale_of_now() -> None:
    rows = (
        survey(NPS, 9, deal_id=1),
        survey(CES, 5, deal_id=1, settled_at=SPRING),  # answered before, and still of that deal
        survey(NPS, 7, deal_id=2),  # no ease known
        survey(CES, 4, deal_id=3),
        survey(NPS, 8, deal_id=4, scale="0-10 low=6 high=9"),
        survey(CES, 1, deal_id=4),
        survey(NPS, 3, deal_id=5, settled_at=SPRING),  # not of this period
        survey(CES, 2, deal_id=5),
        survey(NPS, 2, deal_id=0),  # of no deal that is known
        survey(CES, 2, deal_id=0),
        survey(NPS, deal_id=6),
    )
    assert of(*rows)["nps.ces"].pairs == ((9, 5),)


def test_a_deal_that_was_scored_twice_counts_with_the_last() -> None:
    later = SUMMER + timedelta(days=3)
    rows = (
        survey(NPS, 10, deal_id=1, settled_at=later),
        survey(NPS, 2, deal_id=1),
        survey(CES, 4, deal_id=1),
    )
    assert of(*rows)["nps.ces"].pairs == ((10, 4),)


def test_how_long_complaints_took_is_held_against_both_scores() -> None:
    solution = Asked(key="solution", metric="csat", title="Решение", scale=CES.scale)
    rows = (
        survey(NPS, 3, deal_id=1, settled_at=SPRING),
        survey(solution, 5, deal_id=1, is_of_complaint=True),
        survey(NPS, 2, deal_id=2),
    )
    complaints = (complaint(2, deal_id=1), complaint(deal_id=2), complaint(5, deal_id=0))
    found = of(*rows, asked=(NPS, solution), complaints=complaints)
    assert set(found) == {f"nps.{TIME}", f"solution.{TIME}"}
    assert found[f"nps.{TIME}"].pairs == ((3, 2 * 86_400),)
    assert found[f"solution.{TIME}"].pairs == ((5, 2 * 86_400),)


def test_a_managers_months_are_held_against_how_soon_they_answered() -> None:
    """Two managers, six months: the slower the month, the lower its scores."""
    calendar = Calendar(
        zone=QUARTER.zone, work_days=parse_days("mon-fri"), work_hours=parse_hours("09:00-18:00")
    )
    rows: list[SurveyFact] = []
    messages: list[ChatFact] = []
    for month in range(3, 11):  # March is before both quarters, October is after them
        for manager in (1, 2):
            noon = datetime(2026, month, 15, 12, tzinfo=QUARTER.zone)
            noon -= timedelta(days=noon.weekday())  # a Monday
            is_good = (month + manager) % 2
            rows += [survey(NPS, 10 if is_good else 2, settled_at=noon, manager_id=manager)] * 2
            rows += [survey(NPS, 10, settled_at=noon, manager_id=3)]  # answers no chats
            for number in range(2):
                asked: dict[str, Any] = {"talk": f"{month}.{manager}.{number}", "manager_id": manager}
                wait = timedelta(minutes=month if is_good else 60 + month)
                messages.append(ChatFact(at=noon, kind="in", **asked))
                messages.append(ChatFact(at=noon + wait, kind="out", user_id=manager, **asked))
    told = Correspondence(calendar=calendar, target=timedelta(minutes=15), messages=tuple(messages))
    link = of(*rows, asked=(NPS,), correspondence=told, min_answers=2)[f"nps.{REACTION}"]
    assert len(link.pairs) == 12  # of the two quarters only
    assert set(link.pairs) >= {(100, 60.0 * 5), (-100, 60.0 * 65)}
    assert link.rho is not None
    assert rounded(link.rho) == -0.87
    assert link.is_clear
    assert link.as_json()["of"] == "manager_months"
    few = of(*rows, asked=(NPS,), correspondence=told, min_answers=3)[f"nps.{REACTION}"]
    assert few.pairs == ()  # of two answers no figure is made
    mine = of(*rows, asked=(NPS,), correspondence=replace(told, managers=frozenset({2})), min_answers=2)
    assert len(mine[f"nps.{REACTION}"].pairs) == 6
    one_side = replace(told, messages=tuple(one for one in messages if one.kind == "out"))
    assert of(*rows, asked=(NPS,), correspondence=one_side, min_answers=2)[f"nps.{REACTION}"].pairs == ()


def test_without_both_surveys_there_is_no_link() -> None:
    assert links.compute(Facts(now=NOW, asked=(CES,)), QUARTER).as_json() == {"pairs": []}
