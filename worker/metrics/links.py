"""Do two figures of the same deal go together: scores with ease, and with how long a complaint took."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from worker.metrics.base import Asked, Facts, Metric, SurveyFact, share
from worker.metrics.month_links import month_pairs
from worker.metrics.stats import t_quantile
from worker.rules.calendar import Period

ENOUGH = 10  # deals, below which nothing is said
TIME = "resolution_time"  # of a complaint, in seconds
REACTION = "frt"  # the median of a manager's month, in seconds of working time

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Pairs of one deal each, or of a manager's month: what goes together, not what makes the other."""

    first: str  # key of a survey
    second: str  # key of a survey, `resolution_time` or `frt`
    pairs: tuple[Pair, ...]

    @property
    def key(self) -> str:
        return f"{self.first}.{self.second}"

    @property
    def rho(self) -> float | None:
        return spearman(self.pairs) if len(self.pairs) >= ENOUGH else None

    @property
    def is_clear(self) -> bool | None:
        """More than chance, at 95 %; None where there is no figure."""
        rho = self.rho
        return None if rho is None else differs_from_chance(rho, len(self.pairs))

    def as_json(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "second": self.second,
            "of": "manager_months" if self.second == REACTION else "deals",
            "number": len(self.pairs),
            "rho": share(self.rho),
            "significant": self.is_clear,
        }


@dataclass(frozen=True, slots=True)
class LinkResult:
    links: tuple[Link, ...]

    def as_json(self) -> dict[str, Any]:
        return {"pairs": [link.as_json() for link in self.links]}


def compute(facts: Facts, period: Period) -> LinkResult:
    by_month = (
        Link(first=nps.key, second=REACTION, pairs=month_pairs(nps, facts, period))
        for nps in _of_kind(facts, "nps")
        if facts.correspondence is not None
    )
    return LinkResult((*_with_ease(facts, period), *_with_time(facts, period), *by_month))


def _with_ease(facts: Facts, period: Period) -> Iterator[Link]:
    """NPS of the period against CES of the same deal."""
    for nps in _of_kind(facts, "nps"):
        scores = _scores(nps, [row for row in facts.surveys if _is_in(row, period)])
        for ces in _of_kind(facts, "ces"):
            yield _link(nps.key, ces.key, scores, _scores(ces, facts.surveys))


def _with_time(facts: Facts, period: Period) -> Iterator[Link]:
    """NPS of a deal, and the score for its solution, against how long its complaint of the period took."""
    times: dict[int, float] = {
        row.deal_id: (row.closed_at - row.opened_at).total_seconds()
        for row in sorted(facts.complaints, key=lambda row: row.opened_at)
        if row.deal_id and row.closed_at is not None and period.contains(row.closed_at)
    }
    of_solution = {row.survey for row in facts.surveys if row.is_of_complaint}
    for asked in facts.asked:
        if asked.metric == "nps" or asked.key in of_solution:
            yield _link(asked.key, TIME, _scores(asked, facts.surveys), times)


def _of_kind(facts: Facts, metric: str) -> list[Asked]:
    return [asked for asked in facts.asked if asked.metric == metric]


def _is_in(row: SurveyFact, period: Period) -> bool:
    return row.answered_at is not None and period.contains(row.answered_at)


def _scores(asked: Asked, rows: Sequence[SurveyFact]) -> dict[int, float]:
    """By their deals, the latest of each. Those of an earlier scale mean something else."""
    known = [
        (row.answered_at, row.deal_id, row.score)
        for row in rows
        if (row.survey, row.metric) == (asked.key, asked.metric)
        and row.scale in ("", asked.scale.id)
        and row.answered_at is not None
        and row.score is not None
        and row.deal_id
    ]
    return {deal: score for _, deal, score in sorted(known)}


def _link(first: str, second: str, ones: Mapping[int, float], others: Mapping[int, float]) -> Link:
    both = sorted(ones.keys() & others.keys())
    return Link(first=first, second=second, pairs=tuple((ones[deal], others[deal]) for deal in both))


def spearman(pairs: Sequence[Pair]) -> float | None:
    """Rank correlation from -1 to 1, equals with their average rank; None where one side is constant.

    Source: C. Spearman, "The Proof and Measurement of Association between Two Things", 1904.

    >>> spearman([(1, 10), (2, 20), (3, 30)]), spearman([(1, 5), (2, 5)])
    (1.0, None)
    """
    ones, others = (average_ranks([pair[side] for pair in pairs]) for side in (0, 1))
    middle = (len(pairs) + 1) / 2
    spread = [math.fsum((rank - middle) ** 2 for rank in ranks) for ranks in (ones, others)]
    if not all(spread):
        return None
    together = math.fsum((one - middle) * (other - middle) for one, other in zip(ones, others, strict=True))
    return max(-1.0, min(1.0, together / math.sqrt(spread[0] * spread[1])))


def average_ranks(values: Sequence[float]) -> list[float]:
    """From 1; equals share the mean of their places.

    >>> average_ranks([10, 20, 20, 5])
    [2.0, 3.5, 3.5, 1.0]
    """
    place, ranks = 0, {}
    for value, equals in groupby(sorted(values)):
        number = len(list(equals))
        ranks[value] = place + (number + 1) / 2
        place += number
    return [ranks[value] for value in values]


def differs_from_chance(rho: float, number: int) -> bool:
    """By the t of a correlation, at 95 %; of at least three pairs."""
    return abs(rho) * math.sqrt(number - 2) > t_quantile(number - 2) * math.sqrt(1 - rho * rho)


def counted(pairs: Sequence[Pair]) -> Mapping[Pair, int]:
    """Equal pairs once each, with their number: what a scatter shows."""
    return dict(sorted(Counter(pairs).items()))


METRIC = Metric(
    key="links",
    title={"ru": "Связь между метриками", "en": "Links between metrics"},
    unit={
        "ru": "сделки, по которым известны оба значения; с лёгкостью — по дню ответа, со сроком — по дню "
        "закрытия рекламации; скорость ответа — по месяцам менеджеров, за этот период и прошлый",
        "en": "deals of which both are known; with ease by the day of the answer, with time by the day when "
        "the complaint was closed; speed of answers by months of managers, of this period and the last",
    },
    source="C. Spearman 1904, average ranks; t of the correlation at 95 %",
    compute=compute,
    reading={
        "ru": "ρ от −1 до 1: чем дальше от нуля, тем чаще два значения идут вместе; знак говорит, в одну "
        "сторону или в разные. Лёгкость: больше — легче. Срок: больше — дольше. Связь — не причина: "
        "оба значения могут зависеть от третьего.",
        "en": "ρ from −1 to 1: the farther from nought, the more often the two go together; the sign says "
        "whether the same way. Ease: more is easier. Time: more is longer. A link is not a cause: both may "
        "depend on something else.",
    },
    minimum=ENOUGH,
)
