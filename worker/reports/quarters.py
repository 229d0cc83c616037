"""The owner's picture of a quarter: two years of money, complaints, answers, the score and discounts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from worker.metrics.complaints import ComplaintResult
from worker.metrics.referrals import ReferralResult
from worker.metrics.stats import percent
from worker.reports.build import Report
from worker.reports.digest import main_survey
from worker.reports.document import Chart, Document, Kind, Point, Stack, Trend
from worker.reports.words import NOTHING, Words
from worker.rules.wording import Value


def charts(
    reports: Sequence[Report], drawn: Document, goals: Mapping[str, float], words: Words
) -> Iterator[Chart]:
    """`reports`: of the quarters, the oldest first. `drawn`: the last one. `goals`: by metric."""
    for chart in drawn.charts:
        if isinstance(chart, Stack) and chart.key == "referrals.over_time":
            yield replace(chart, goal=goals.get("referral_share"))
    yield from _of_complaints(reports, words)
    yield from _line("response", Kind.PERCENT, reports, [_response(one) for one in reports], words)
    if (survey := main_survey(reports[-1])) is not None:
        for chart in drawn.charts:
            if isinstance(chart, Trend) and chart.key == f"surveys.{survey.asked.key}.trend":
                yield replace(chart, goal=goals.get(survey.asked.metric))
    yield from _discounts(reports, words)


def caption(reports: Sequence[Report], words: Words) -> Mapping[str, Value]:
    """What `quarter.caption` names."""
    last, before = _referrals(reports[-1]), _referrals(reports[-2])
    complaints = _complaints(reports[-1])
    age = complaints.resolution_mean
    change = (last.share or 0) - (before.share or 0)
    return {
        "period": words.period(reports[-1].period),
        "m": last.won.deals,
        "n": last.referral.deals,
        "share": NOTHING if last.share is None else words.bare(last.share, 1),
        "amount": words.money(last.referral.money),
        "prev": words.share(before.share, 1) or NOTHING,
        "verdict": ""
        if last.difference is None
        else words.verdict(change, is_significant=last.difference.excludes_zero),
        "closed": complaints.resolved,
        "age": NOTHING if age is None else words.lasting(age),
        "open": complaints.open_now,
    }


def is_empty(reports: Sequence[Report]) -> bool:
    """Nothing was won and nobody answered in the quarter."""
    survey = main_survey(reports[-1])
    return not _referrals(reports[-1]).won.deals and not (survey and survey.current.answered)


def _of_complaints(reports: Sequence[Report], words: Words) -> Iterator[Chart]:
    found = [_complaints(one) for one in reports]
    # Before the first complaint there was nothing to count; after it, nothing solved is a nought.
    began = next((place for place, one in enumerate(found) if one.closed), len(found))
    solved = [one.resolved if place >= began else None for place, one in enumerate(found)]
    yield from _line("solved", Kind.COUNT, reports, solved, words)
    yield from _line("days", Kind.SECONDS, reports, [one.resolution_mean for one in found], words)


def _line(
    key: str,
    kind: Kind,
    reports: Sequence[Report],
    figures: Sequence[float | None],
    words: Words,
) -> Iterator[Chart]:
    """One quarter is no trend."""
    first = next((place for place, value in enumerate(figures) if value is not None), len(figures))
    if sum(value is not None for value in figures) < 2:
        return
    told = [NOTHING if value is None else _said(value, kind, words) for value in figures]
    yield Trend(
        key=f"quarter.{key}",
        title=words.texts.fill(f"quarter.{key}", value=told[-1], prev=told[-2]),
        kind=kind,
        points=tuple(
            Point(label=words.period(one.period), value=value)
            for one, value in zip(reports[first:], figures[first:], strict=True)
        ),
    )


def _said(value: float, kind: Kind, words: Words) -> str:
    match kind:
        case Kind.PERCENT:
            return words.share(value)
        case Kind.SECONDS:
            return words.lasting(value)
        case _:
            return words.cell(value, kind)


def _discounts(reports: Sequence[Report], words: Words) -> Iterator[Chart]:
    """What friends paid, and what they were spared for it."""
    found = [_referrals(one) for one in reports]
    costs = [one.discount_cost or 0 for one in found]
    if not any(costs):
        return
    first = next(place for place, cost in enumerate(costs) if cost)
    brought = [one.referral.money for one in found]
    yield Stack(
        key="quarter.discount",
        title=words.texts.fill(
            "quarter.discount", value=words.money(costs[-1]), amount=words.money(brought[-1])
        ),
        kind=Kind.MONEY,
        labels=tuple(words.period(one.period) for one in reports[first:]),
        whole=tuple(brought[first:]),
        part=tuple(costs[first:]),
        whole_title=words.column("referral_amount"),
        part_title=words.column("discount_cost"),
    )


def _response(report: Report) -> float | None:
    survey = main_survey(report)
    return None if survey is None else percent(survey.funnel.answered, survey.funnel.sent)


def _referrals(report: Report) -> ReferralResult:
    result = report.results["referrals"]
    if not isinstance(result, ReferralResult):
        raise TypeError(f"the report has no referrals but {type(result).__name__}")
    return result


def _complaints(report: Report) -> ComplaintResult:
    result = report.results["complaints"]
    if not isinstance(result, ComplaintResult):
        raise TypeError(f"the report has no complaints but {type(result).__name__}")
    return result
