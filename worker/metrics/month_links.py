"""Does a manager's NPS of a month go together with how soon they answered in chats? A pair is one of both."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime

from worker.metrics.base import Asked, Correspondence, Facts, SurveyFact
from worker.metrics.frt import compute as reactions
from worker.metrics.headlines import figures_of
from worker.metrics.stats import median
from worker.metrics.waits import Wait, waits
from worker.rules.calendar import Period

MonthOf = tuple[int, int]  # the manager, and months since the year 0
Pair = tuple[float, float]


def month_pairs(asked: Asked, facts: Facts, period: Period) -> tuple[Pair, ...]:
    """NPS, and the median of working seconds until an answer, of whole months of the period and the last.

    A month of few answers has no figure, so it makes no pair.
    """
    told = facts.correspondence
    if told is None or reactions(facts, period).problem is not None:
        return ()
    scores = dict(_scores(asked, facts, period))
    waited = dict(_waited(told, facts, period))
    return tuple((scores[of], waited[of]) for of in sorted(scores.keys() & waited.keys()))


def _scores(asked: Asked, facts: Facts, period: Period) -> Iterator[tuple[MonthOf, float]]:
    rows: defaultdict[MonthOf, list[SurveyFact]] = defaultdict(list)
    for row in facts.surveys:
        is_of_it = (row.survey, row.metric) == (asked.key, asked.metric)
        if not is_of_it or row.scale not in ("", asked.scale.id) or row.score is None or not row.manager_id:
            continue
        if row.answered_at is not None and (month := _month(row.answered_at, facts, period)):
            rows[row.manager_id, month].append(row)
    for of, own in rows.items():
        if (value := figures_of(own, asked, facts.min_answers).value) is not None:
            yield of, value


def _waited(told: Correspondence, facts: Facts, period: Period) -> Iterator[tuple[MonthOf, float]]:
    took: defaultdict[MonthOf, list[float]] = defaultdict(list)
    for wait in waits(told.messages, told.calendar, facts.now):
        month = _month(wait.begins, facts, period)
        if month and wait.answered_at is not None and not wait.is_off_hours and _is_shown(wait, told):
            took[wait.person, month].append(wait.working)
    for of, own in took.items():
        middle = median(own) if len(own) >= max(1, facts.min_answers) else None
        if middle is not None:
            yield of, middle


def _is_shown(wait: Wait, told: Correspondence) -> bool:
    """To who reads the report."""
    return (not told.managers or wait.person in told.managers) and (
        not told.pipelines or wait.pipeline_id in told.pipelines
    )


def _month(moment: datetime, facts: Facts, period: Period) -> int | None:
    """None of a month that is not over, or not all of which is looked at."""
    day = moment.astimezone(period.zone).date()
    first = day.replace(day=1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    today = facts.now.astimezone(period.zone).date()
    is_whole = period.previous().start <= first and after <= min(period.end, today)
    return 12 * day.year + day.month if is_whole else None
