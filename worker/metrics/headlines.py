"""The one figure of each kind of survey: how it is made of answers, how sure it is, how two are compared."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from worker.metrics.base import Asked, SurveyFact
from worker.metrics.stats import (
    counted_mean,
    counted_mean_interval,
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

    @property
    def net(self) -> float | None:
        """Share of the high answers minus that of the low ones: of NPS the score itself, of CES net ease."""
        return None if self.value is None else nps(*self.bands)


def figures_of(rows: Sequence[SurveyFact], asked: Asked, min_answers: int) -> Figures:
    counts: Counter[tuple[int, str]] = Counter()
    for row in rows:
        if row.score is not None:
            counts[row.score, row.band] += row.count
    return figures_from(counts, asked, min_answers)


def figures_from(counts: Mapping[tuple[int, str], int], asked: Asked, min_answers: int) -> Figures:
    """`counts`: (score, band) -> answers."""
    headline = HEADLINES[asked.metric]
    of_bands: Counter[Band] = Counter()
    of_scores: Counter[int] = Counter()
    for (score, band), number in counts.items():
        of_bands[_band(score, band, asked)] += number
        of_scores[score] += number
    bands = Bands(of_bands[Band.HIGH], of_bands[Band.NEUTRAL], of_bands[Band.LOW])
    is_enough = sum(bands) >= max(1, min_answers)
    return Figures(
        bands=bands,
        value=headline.value(bands) if is_enough else None,
        interval=headline.interval(bands) if is_enough else None,
        mean=counted_mean(of_scores) if is_enough else None,
        mean_interval=counted_mean_interval(of_scores) if is_enough else None,
    )


def _band(score: int, band: str, asked: Asked) -> Band:
    """The band of then; worked out by the scale of now only where none was kept."""
    return Band(band) if band in set(Band) else asked.scale.band(score)
