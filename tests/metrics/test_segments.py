"""Which customers are which: RFM scores and segments, ABC classes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import NOW, QUARTER, ZONE, Purchase, customers_of
from tests.metrics.outside import cdnow, rfm_data_orders
from worker.metrics import segments
from worker.metrics.base import Facts
from worker.metrics.customers import Customers
from worker.metrics.rfm import (
    Rfm,
    Scores,
    Segment,
    by_fifths,
    fifths,
    grid_of,
    rfm_of,
    score,
    segment_of,
)
from worker.metrics.segments import SegmentResult, abc, top_share
from worker.metrics.stats import quantile, rounded
from worker.rules.periods import days, parse_period

TODAY = date(2024, 12, 31)
WORKED: Mapping[str, tuple[date, int, float, int]] = {  # last deal, days of buying, money, scores
    "A": (date(2024, 12, 20), 5, 900, 555),
    "B": (date(2024, 12, 1), 2, 300, 433),
    "C": (date(2024, 10, 15), 1, 180, 312),
    "D": (date(2024, 8, 1), 3, 640, 244),
    "E": (date(2024, 3, 10), 1, 90, 111),
    "F": (date(2024, 12, 28), 1, 200, 512),
    "G": (date(2024, 11, 11), 4, 720, 455),
    "H": (date(2024, 6, 30), 2, 210, 233),
    "I": (date(2024, 1, 5), 1, 60, 111),
    "J": (date(2024, 9, 9), 2, 400, 334),
}


def bought(rows: Iterable[Rfm]) -> Customers:
    """Customers, numbered in this order, who bought so lately, so often and for so much."""
    purchases = [
        Purchase(number, TODAY - timedelta(days=row.recency + 500 * back), 0 if back else row.money)
        for number, row in enumerate(rows)
        for back in range(row.frequency)
    ]
    return customers_of(purchases, parse_period("2024", ZONE))


def worked() -> Customers:
    return bought(Rfm((TODAY - last).days, often, money) for last, often, money, _ in WORKED.values())


def test_scores_by_fifths() -> None:
    rows = {name: rfm_of(one, TODAY) for name, one in zip(WORKED, worked(), strict=True)}
    assert [row.recency for row in rows.values()] == [11, 30, 77, 152, 296, 3, 50, 184, 361, 113]
    grid = by_fifths(worked(), TODAY)
    assert [rounded(cut) for cut in grid.recency] == [26.2, 66.2, 128.6, 206.4]
    assert [rounded(cut) for cut in grid.frequency] == [1, 1.6, 2, 3.2]
    assert [rounded(cut) for cut in grid.money] == [162, 206, 340, 656]
    assert {name: grid.scores(row).code for name, row in rows.items()} == {
        name: scores for name, (*_, scores) in WORKED.items()
    }


@given(st.lists(st.integers(0, 50), min_size=1))
def test_cut_offs_are_quantiles_and_equal_values_have_equal_scores(values: list[int]) -> None:
    cuts = fifths(values)
    assert cuts == pytest.approx([quantile(values, share) for share in (0.2, 0.4, 0.6, 0.8)])
    assert list(cuts) == sorted(cuts)
    scores = [score(value, cuts) for value in sorted(values)]
    assert scores == sorted(scores)
    assert {1, 2, 3, 4, 5} >= set(scores)


def test_few_customers_and_one_time_buyers_are_scored_by_fixed_cut_offs() -> None:
    varied = [Rfm(number, 1 + number % 5, 100.0 * number) for number in range(1, 101)]
    assert not grid_of(bought(varied), TODAY).is_fixed
    assert grid_of(bought(varied[:99]), TODAY).is_fixed  # few
    lumped = [row._replace(frequency=1) if number < 41 else row for number, row in enumerate(varied)]
    assert grid_of(bought(lumped), TODAY).is_fixed  # more than 40 % have bought once
    few = bought([Rfm(400, 1, 0), Rfm(30, 1, 100), Rfm(31, 3, 300)])  # 100 is the average purchase
    grid = grid_of(few, TODAY)
    rows = (Rfm(30, 1, 0), Rfm(31, 3, 100), Rfm(365, 4, 101), Rfm(366, 5, 401))
    assert [grid.scores(row).code for row in rows] == [511, 432, 243, 155]
    free = grid_of(bought([Rfm(1, 1, 0), Rfm(2, 1, 0)]), TODAY)
    assert free.scores(Rfm(1, 1, 0)).code == 511


@pytest.mark.parametrize(
    ("scores", "segment"),
    [
        ((5, 5, 5), Segment.CHAMPIONS),
        ((5, 4, 5), Segment.POTENTIAL_LOYALIST),  # the first that fits
        ((2, 4, 4), Segment.LOYAL),
        ((3, 1, 3), Segment.PROMISING),
        ((5, 1, 1), Segment.NEW),
        ((1, 3, 4), Segment.CANT_LOSE),
        ((1, 5, 4), Segment.AT_RISK),
        ((2, 5, 3), Segment.NEED_ATTENTION),
        ((2, 1, 1), Segment.ABOUT_TO_SLEEP),
        ((1, 1, 1), Segment.LOST),
        ((2, 1, 5), Segment.OTHERS),  # no line of the table has it
    ],
)
def test_segments(scores: tuple[int, int, int], segment: Segment) -> None:
    assert segment_of(Scores(*scores)) is segment


def test_classes_by_what_customers_brought() -> None:
    named = dict(zip(WORKED, abc(worked().money), strict=True))
    # B closes exactly the 80 %; C would be B if what lies before it counted.
    assert "".join(sorted(name for name, of in named.items() if of == "A")) == "ABDGJ"
    assert "".join(sorted(name for name, of in named.items() if of == "B")) == "FH"
    assert "".join(sorted(name for name, of in named.items() if of == "C")) == "CEI"


def test_classes_at_their_edges() -> None:
    assert abc([10, 990]) == ["C", "A"]  # the biggest is A even alone
    assert abc([0, 0]) == ["C", "C"]
    assert abc([80, 20, 0, -5]) == ["A", "C", "C", "C"]
    assert abc([40, 20, 40]) == ["A", "C", "A"]
    assert abc([50, 50]) == ["A", "C"]  # equals in their order, which is that of their ids
    assert abc([]) == []


def of(*rows: Purchase, least: int = 1) -> SegmentResult:
    return segments.compute(Facts(now=NOW, min_answers=least, customers=customers_of(rows)), QUARTER)


def test_big_customers_who_stay_away_are_named() -> None:
    last_year = [date(2025, month, 1) for month in (3, 4, 5)]
    rows = [Purchase(7, day, 1_000) for day in last_year]
    rows += [Purchase(number, date(2026, 9, 1), 100) for number in range(10, 20)]
    found = of(*rows, Purchase(8, QUARTER.end, 5))  # after the period
    assert found.customers == 11
    [one] = found.to_call
    assert (one.client_id, one.rfm, one.scores.code) == (7, Rfm(517, 3, 3_000), 135)
    assert one.segment is Segment.CANT_LOSE
    assert sum(group.customers for group in found.segments.values()) == 11
    assert sum(group.money for group in found.classes.values()) == 4_000
    assert found.classes["A"].customers == 3  # 3 200 of 4 000 are 80 %


def test_few_customers_have_no_segments() -> None:
    written = of(Purchase(1, date(2026, 9, 1), 5), least=5).as_json()
    assert (written["customers"], written["cutoffs"], written["rfm"], written["abc"]) == (1, None, {}, {})


# What others published


def test_rfm_data_orders() -> None:
    """Convention B: a cut-off is the quantile + 1, and a value that equals it is above."""
    rows, numbers = rfm_data_orders()
    customers, last_day = customers_of(rows, parse_period("2006", ZONE)), date(2006, 12, 31)
    orders = Counter(row.client_id for row in rows)  # the package counts orders, not days
    assert (len(rows), len(customers)) == (4906, 995)
    facts = {one.client_id: rfm_of(one, last_day) for one in customers}
    facts = {client: row._replace(frequency=orders[client]) for client, row in facts.items()}
    grid = by_fifths(customers, last_day)
    cuts = [[rounded(cut + 1) for cut in of] for of in (grid.recency, fifths(orders.values()), grid.money)]
    assert cuts == [[115, 181, 297.4, 482], [4, 5, 6, 8], [255.8, 382, 506.4, 666]]

    def scored(row: Rfm) -> Scores:
        r, f, m = (1 + sum(value >= cut for cut in own) for value, own in zip(row, cuts, strict=True))
        return Scores(6 - r, f, m)

    published = {
        "Abbey O'Reilly": (205, 6, 472, 343),
        "Add Senger": (140, 3, 340, 412),
        "Aden Lesch": (194, 4, 405, 323),
        "Aden Murphy": (98, 7, 596, 544),
        "Admiral Senger": (132, 5, 448, 433),
    }
    known = {name: facts[numbers[next(n for n in numbers if n.startswith(name))]] for name in published}
    assert {name: (*row, scored(row).code) for name, row in known.items()} == published
    sizes = Counter(segment_of(scored(row)) for row in facts.values())
    assert sizes == {
        Segment.POTENTIAL_LOYALIST: 342,
        Segment.LOYAL: 170,
        Segment.LOST: 148,
        Segment.NEW: 104,
        Segment.ABOUT_TO_SLEEP: 102,
        Segment.CANT_LOSE: 47,
        Segment.CHAMPIONS: 35,
        Segment.AT_RISK: 28,
        Segment.NEED_ATTENTION: 10,
        Segment.PROMISING: 9,
    }
    classes = Counter(abc(customers.money))
    assert classes == {"A": 605, "B": 228, "C": 162}


def test_cdnow_classes_and_the_biggest_fifth() -> None:
    customers = customers_of(cdnow(), parse_period("1998Q2", ZONE))
    assert Counter(abc(customers.money)) == {"A": 776, "B": 801, "C": 780}
    assert rounded(top_share(customers.money, fifths=1) or 0, 1) == 67.4  # 20 % do not bring 80 %


def test_cdnow_fifths_break_down_where_most_have_bought_once() -> None:
    customers = customers_of(cdnow(), parse_period("1997Q3", ZONE))
    cuts = fifths(customers.often)
    assert cuts == (1, 1, 2, 3)
    assert 2 not in {score(often, cuts) for often in customers.often}
    assert grid_of(customers, date(1997, 9, 30)).is_fixed


def test_the_same_letters_mean_something_else_in_lifetimes() -> None:
    """Frequency there: further days; recency: from the first to the last; T: from the first to the end."""
    end = date(2015, 2, 7)
    bought = {
        1: (date(2015, 2, 1), date(2015, 2, 6)),
        2: (date(2015, 1, 1),),
        3: (date(2015, 1, 1), date(2015, 1, 2), date(2015, 1, 5)),
    }
    theirs = [(len(on) - 1, (on[-1] - on[0]).days, (end - on[0]).days) for on in bought.values()]
    assert theirs == [(1, 5, 6), (0, 0, 37), (2, 4, 37)]
    rows = [Purchase(client, day, 1) for client, on in bought.items() for day in on]
    customers = customers_of(rows, days(date(2015, 1, 1), end, ZONE))
    assert [rfm_of(one, end)[:2] for one in customers] == [(1, 2), (37, 1), (33, 3)]
