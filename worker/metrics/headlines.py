"""The one figure of each kind of survey: how it is made of answers, how sure it is, how two are compared."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from worker.metrics.base import Asked, SurveyFact
from worker.metrics.stats import (
    mean,
    mean_interval,
    nps,
    nps_difference,
    nps_interval,
    percent,
)
from worker.rules.scale import Band
from worker.rules.shares import Interval, share_difference, wilson


class Bands(NamedTuple):
    """Promoters, passives and detractors, or what they are called elsewhere."""

    high: int
    neutral: int
    low: int


@dataclass(frozen=True, slots=True)
class Headline:
    """What a kind of survey is known for. `interval` and `difference` are never asked of nothing."""

    key: str  # in `report --json`
    value: Callable[[Bands], float | None]
    interval: Callable[[Bands], Interval]
    difference: Callable[[Bands, Bands], Interval]  # of the second minus the first


def _share_of(key: str, counted: Callable[[Bands], int]) -> Headline:
    """A share of the answers in percent."""
    return Headline(
        key,
        value=lambda bands: percent(counted(bands), sum(bands)),
        interval=lambda bands: wilson(counted(bands), sum(bands)).times(100),
        difference=lambda before, after: share_difference(
            (counted(before), sum(before)), (counted(after), sum(after))
        ).times(100),
    )


HEADLINES: Mapping[str, Headline] = {
    "nps": Headline(
        "score",
        value=lambda bands: nps(*bands),
        interval=lambda bands: nps_interval(*bands),
        difference=nps_difference,
    ),
    "csat": _share_of("satisfied_share", lambda bands: bands.high + bands.neutral),
    "ces": _share_of("easy_share", lambda bands: bands.high),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a number of answers came to. The figures are None where there are too few of them."""

    bands: Bands
    value: float | None  # the headline
    interval: Interval | None
    mean: float | None
    mean_interval: Interval | None

    @property
    def answered(self) -> int:
        return sum(self.bands)


def figures_of(rows: Sequence[SurveyFact], asked: Asked, min_answers: int) -> Figures:
    headline = HEADLINES[asked.metric]
    counts = Counter(_band(row, asked) for row in rows)
    bands = Bands(counts[Band.HIGH], counts[Band.NEUTRAL], counts[Band.LOW])
    scores = [row.score for row in rows if row.score is not None]
    is_enough = len(scores) >= max(1, min_answers)
    return Figures(
        bands=bands,
        value=headline.value(bands) if is_enough else None,
        interval=headline.interval(bands) if is_enough else None,
        mean=mean(scores) if is_enough else None,
        mean_interval=mean_interval(scores) if is_enough else None,
    )


def _band(row: SurveyFact, asked: Asked) -> Band:
    """The band of then; worked out by the scale of now only where none was kept."""
    return Band(row.band) if row.band in set(Band) else asked.scale.band(row.score or 0)
