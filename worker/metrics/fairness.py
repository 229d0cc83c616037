"""By manager what tells when somebody games it: whose clients are not asked, what became of low scores."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.metrics.base import Facts, Metric, SurveyFact, share
from worker.metrics.people import Person, names_of, person_of
from worker.metrics.stats import percent
from worker.rules.calendar import Period
from worker.rules.scale import Band, Scale
from worker.rules.shares import Interval, share_difference, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """One manager's deals. A deal was asked about if one of its questions went out."""

    won: int
    asked: int
    not_asked: Mapping[str, int]  # reason -> deals, most first
    stopped_by_hand: int  # of those not asked: for a stop tag that a person had set
    answered: int  # scores given in the period
    low: int  # … that were low when first given
    reassigned: int  # deals with a low score that somebody else leads by now
    raised: int  # scores that the client made higher afterwards
    closed_by_own: int  # complaints about this person that they have closed themselves
    asked_share: float | None  # percent; None: too few deals
    interval: Interval | None
    against: Interval | None  # how many points more are asked about than of the others' deals; None: too few

    @property
    def settled(self) -> int:
        return self.asked + sum(self.not_asked.values())

    @property
    def is_apart(self) -> bool | None:
        """More or fewer are asked than of the others', beyond chance."""
        return None if self.against is None else self.against.excludes_zero

    @property
    def is_behind(self) -> bool:
        """Fewer are asked than of the others', beyond chance."""
        return self.against is not None and self.against.high < 0

    def as_json(self) -> dict[str, Any]:
        return {
            "won": self.won,
            "asked": self.asked,
            "not_asked": dict(self.not_asked),
            "asked_share": share(self.asked_share),
            "ci95": None if self.interval is None else [share(end) for end in self.interval],
            "apart": self.is_apart,
            "stopped_by_hand": self.stopped_by_hand,
            "answered": self.answered,
            "low": self.low,
            "reassigned": self.reassigned,
            "raised": self.raised,
            "closed_by_own": self.closed_by_own,
        }


@dataclass(frozen=True, slots=True)
class FairnessResult:
    by_manager: Mapping[str, Fairness]  # by name, whose clients are most surely asked first

    def as_json(self) -> dict[str, Any]:
        return {"by_manager": {name: of.as_json() for name, of in self.by_manager.items()}}


@dataclass(frozen=True, slots=True)
class _Deal:
    """A deal whose questions were settled in the period."""

    person: Person
    reason: str  # why it was not asked about; "" = it was
    is_stopped_by_hand: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    deal_id: int
    was_low: bool  # when first given, or as it stands
    is_raised: bool
    is_reassigned: bool


def compute(facts: Facts, period: Period) -> FairnessResult:
    # What the report has no survey for is in none of its figures.
    scales = {(of.key, of.metric): of.scale for of in facts.asked}
    rows = [row for row in facts.surveys if (row.survey, row.metric) in scales]
    deals: defaultdict[Person, Counter[_Deal]] = defaultdict(Counter)
    for deal, number in _deals(rows, period):
        deals[deal.person][deal] += number
    answers: defaultdict[Person, Counter[_Answer]] = defaultdict(Counter)
    for row in rows:
        if row.score is not None and row.answered_at is not None and period.contains(row.answered_at):
            answers[person_of(row)][_answer(row, scales[row.survey, row.metric])] += row.count
    won: Counter[Person] = Counter()
    for sale in facts.sellers:
        if period.contains(sale.closed_at):
            won[sale.manager_id] += sale.count
    closed_by_own: Counter[Person] = Counter(
        one.manager_id
        for one in facts.complaints
        if one.closed_at is not None and period.contains(one.closed_at) and one.closed_by == one.manager_id
    )
    everybody = (sum(map(_asked, deals.values())), sum(of.total() for of in deals.values()))
    names = names_of(facts)
    found = {
        names[person]: _of_person(
            deals.get(person, Counter()),
            answers.get(person, Counter()),
            everybody,
            won=won[person],
            closed_by_own=closed_by_own[person],
            min_answers=facts.min_answers,
        )
        for person in {*deals, *answers, *won, *closed_by_own}
        if person in names  # nobody led it
    }
    order = sorted(found, key=lambda name: (-_lower_end(found[name]), -found[name].settled, name))
    return FairnessResult({name: found[name] for name in order})


def _deals(rows: Sequence[SurveyFact], period: Period) -> list[tuple[_Deal, int]]:
    """A deal with several questions counts once; how a complaint was solved is asked by other rules."""
    of_deal: dict[int, list[SurveyFact]] = {}
    alone: list[tuple[_Deal, int]] = []  # each is about a deal of its own
    for row in rows:
        if row.settled_at is None or not period.contains(row.settled_at) or row.is_of_complaint:
            continue
        if row.deal_id:
            of_deal.setdefault(row.deal_id, []).append(row)
        else:
            alone.append((_deal([row]), row.count))
    return [*alone, *((_deal(of), 1) for of in of_deal.values())]


def _deal(rows: Sequence[SurveyFact]) -> _Deal:
    # The first reason is the one behind the others: who did not answer one question is not asked the next.
    first = min(rows, key=lambda row: (bool(row.refusal), row.settled_at))
    return _Deal(
        person=person_of(first),
        reason=first.refusal,
        is_stopped_by_hand=bool(first.refusal) and first.is_stopped_by_hand,
    )


def _asked(deals: Counter[_Deal]) -> int:
    return sum(number for deal, number in deals.items() if not deal.reason)


def _of_person(
    deals: Counter[_Deal],
    answers: Counter[_Answer],
    everybody: tuple[int, int],
    *,
    won: int,
    closed_by_own: int,
    min_answers: int,
) -> Fairness:
    asked, settled = _asked(deals), deals.total()
    reasons: Counter[str] = Counter()
    for deal, number in deals.items():
        if deal.reason:
            reasons[deal.reason] += number
    is_enough = settled >= max(1, min_answers)
    others = (everybody[0] - asked, everybody[1] - settled)
    return Fairness(
        won=won,
        asked=asked,
        not_asked=dict(sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0]))),
        stopped_by_hand=sum(number for deal, number in deals.items() if deal.is_stopped_by_hand),
        answered=answers.total(),
        low=sum(number for answer, number in answers.items() if answer.was_low),
        reassigned=len({of.deal_id for of in answers if of.was_low and of.is_reassigned}),
        raised=sum(number for answer, number in answers.items() if answer.is_raised),
        closed_by_own=closed_by_own,
        asked_share=percent(asked, settled) if is_enough else None,
        interval=wilson(asked, settled).times(100) if is_enough else None,
        against=(
            share_difference(others, (asked, settled)).times(100)
            if is_enough and others[1] >= max(1, min_answers)
            else None
        ),
    )


def _answer(row: SurveyFact, scale: Scale) -> _Answer:
    score = row.score or 0
    first = score if row.first_score is None else row.first_score
    return _Answer(
        deal_id=row.deal_id,
        was_low=row.band == Band.LOW or scale.band(first) is Band.LOW,
        is_raised=first < score,
        is_reassigned=bool(row.manager_id and row.manager_now) and row.manager_now != row.manager_id,
    )


def _lower_end(of: Fairness) -> float:
    return of.interval.low if of.interval else -1


METRIC = Metric(
    key="fairness",
    title={"ru": "Кого и как спрашивают", "en": "Who is asked, and how"},
    unit={
        "ru": "сделки, по дню вопроса; оценки — по дню ответа; менеджер — на момент вопроса",
        "en": "deals, by the day of the question; scores by that of the answer; managers as of the question",
    },
    source="Plain counts; share of deals asked about: R. Newcombe 1998",
    compute=compute,
    reading={
        "ru": "Это повод посмотреть сделки, а не вина: метки, смена ответственного и исправленные оценки "
        "бывают и по делу.",
        "en": "A reason to look at the deals, not a verdict: tags, a new responsible person and corrected "
        "scores often have good grounds.",
    },
)
