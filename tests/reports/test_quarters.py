"""Digests and the owner's quarter: who is named, which pictures it has, with goals as lines."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from tests.reports.made import full, nothing, texts
from worker.metrics.complaints import ComplaintResult
from worker.metrics.referrals import ReferralResult, Sales
from worker.reports import digest, quarters
from worker.reports.build import Report
from worker.reports.document import Stack, Trend
from worker.reports.draw import draw
from worker.reports.words import Words
from worker.rules.periods import last_periods, parse_period

WORDS = Words(texts())
PERIODS = last_periods(parse_period("2026Q3", ZoneInfo("Asia/Vladivostok")), 8)


def two_years() -> list[Report]:
    """The report of the last quarter, with complaints and friends of each quarter put in its place."""
    made, last = [], full()
    for place, period in enumerate(PERIODS):
        complaints, referrals = last.results["complaints"], last.results["referrals"]
        assert isinstance(complaints, ComplaintResult)
        assert isinstance(referrals, ReferralResult)
        solved = replace(
            complaints,
            closed=12 + place,
            resolved=10 + place,
            rejected=2,
            resolution_mean=86400.0 * (9 - place),
        )
        brought = replace(
            referrals,
            referral=Sales(deals=place, money=90_000.0 * place, priced=place),
            discount_cost=4_500.0 * place,
        )
        results = {**last.results, "complaints": solved, "referrals": brought}
        made.append(replace(last, period=period, results=results))
    return made


def test_each_line_has_eight_quarters_and_goals_are_drawn() -> None:
    reports = two_years()
    goals = {"nps": 60.0, "referral_share": 30.0}
    drawn = {one.key: one for one in quarters.charts(reports, draw(reports[-1], texts()), goals, WORDS)}
    solved, days = drawn["quarter.solved"], drawn["quarter.days"]
    assert isinstance(solved, Trend)
    assert [point.value for point in solved.points] == [*range(10, 18)]
    assert solved.title == "Решено рекламаций: 17, кварталом раньше: 16"
    assert days.title == "Рекламация решается в среднем за 2 дня, кварталом раньше: 3 дня"
    discount = drawn["quarter.discount"]
    assert isinstance(discount, Stack)
    assert (discount.part[-1], discount.whole[-1]) == (31_500, 630_000)
    trend, money = drawn["surveys.nps.trend"], drawn["referrals.over_time"]
    assert isinstance(trend, Trend)
    assert isinstance(money, Stack)
    assert (trend.goal, money.goal) == (60, 30)


def test_a_digest_names_who_differs_from_the_others_by_more_than_chance_but_never_its_reader() -> None:
    survey = digest.main_survey(full())
    assert survey is not None
    below, above = digest.outstanding(survey, WORDS)
    assert (below and below.n, above and (above.manager, above.value)) == ("25", ("Ирина Ким", "+69"))
    assert digest.outstanding(survey, WORDS, but="Ирина Ким") == (below, None)
    assert digest.praised(survey) == ["Ирина Ким"]


def test_a_complaint_that_was_rejected_is_not_counted_as_solved() -> None:
    told = quarters.caption(two_years(), WORDS)
    line = texts().fill("quarter.caption", **told).splitlines()[1]
    assert line == "Решено рекламаций: 17, в среднем за 2 дня; открыто: 3."


def test_a_company_without_a_past_has_no_pictures_of_it() -> None:
    reports = [replace(nothing(), period=period) for period in PERIODS]
    assert [*quarters.charts(reports, draw(reports[-1], texts()), {}, WORDS)] == []
    assert quarters.is_empty(reports)


def test_nothing_won_has_no_share() -> None:
    told = quarters.caption([replace(nothing(), period=period) for period in PERIODS], WORDS)
    assert (told["m"], told["share"], told["prev"]) == (0, "—", "—")


def test_a_quarter_in_which_nothing_was_closed_is_nought_and_no_gap() -> None:
    """Only before the first complaint there was nothing to count."""
    reports = []
    for one, closed in zip(two_years(), (0, 0, 3, 0, 5, 6, 4, 0), strict=True):
        complaints = one.results["complaints"]
        assert isinstance(complaints, ComplaintResult)
        reports.append(
            replace(
                one,
                results={**one.results, "complaints": replace(complaints, closed=closed, resolved=closed)},
            )
        )
    drawn = {one.key: one for one in quarters.charts(reports, draw(reports[-1], texts()), {}, WORDS)}
    solved = drawn["quarter.solved"]
    assert isinstance(solved, Trend)
    assert [point.value for point in solved.points] == [3, 0, 5, 6, 4, 0]
    assert solved.title == "Решено рекламаций: 0, кварталом раньше: 4"


def test_the_months_of_a_digest_contradict_no_sentence_under_them() -> None:
    document = draw(full(), texts())
    months, people = digest.picture_of(
        digest.main_survey(full()), document, document, WORDS, people=True, goal=60.0
    )
    assert (months.title, people.title) == (
        "NPS по месяцам",
        "NPS: выше среднего Ирина Ким; ниже <b>Олег</b> & =1+1",
    )
    assert isinstance(months, Trend)
    assert months.goal == 60.0
