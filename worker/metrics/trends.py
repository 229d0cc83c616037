"""What a report shows over time: the last stretches of one kind, and scores in them, scale by scale."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from worker.metrics.base import Asked, Facts, ScoreCount, is_running, share
from worker.metrics.headlines import Figures, figures_from
from worker.rules.calendar import Period
from worker.rules.periods import last_periods, month_of, quarter_of, week_of, whole, year_of

LENGTHS: Mapping[str, int] = {"quarter": 8, "month": 12, "week": 13, "year": 5}  # free days have no trend
KINDS = {"quarter": quarter_of, "month": month_of, "week": week_of, "year": year_of}
MONTHS = 12
MATURE_AFTER = timedelta(days=180)  # before that, a code has hardly had the time to bring a friend


def scores_over(period: Period, now: datetime) -> tuple[Period, ...]:
    """The last periods of the same kind; of a quarter so far, whole quarters."""
    of = whole(period, now)
    number = LENGTHS.get(of.kind)
    return last_periods(of, number) if number else ()


def stretches_over(period: Period, kind: str) -> tuple[Period, ...]:
    """The last ones of this kind, up to that in which the period ends."""
    return last_periods(KINDS[kind](period.end - timedelta(days=1), period.zone), LENGTHS[kind])


def codes_over(period: Period) -> tuple[Period, ...]:
    return last_periods(month_of(period.end - timedelta(days=1), period.zone), MONTHS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """A period on one scale: where the scale changed within it, the period has a point for each."""

    period: Period
    scale: str
    figures: Figures
    is_running: bool = False

    def as_json(self, headline: str) -> dict[str, Any]:
        figures = self.figures
        return {
            "period": self.period.label,
            "scale": self.scale,
            "answered": figures.answered,
            headline: share(figures.value),
            "ci95": None if figures.interval is None else [share(end) for end in figures.interval],
            "running": self.is_running,
        }


@dataclass(frozen=True, slots=True)
class Trend:
    points: tuple[TrendPoint, ...] = ()

    @property
    def breaks(self) -> tuple[int, ...]:
        """Indexes of the points before which the scale was another one."""
        return tuple(
            index
            for index in range(1, len(self.points))
            if self.points[index].scale != self.points[index - 1].scale
        )


def trend_of(asked: Asked, facts: Facts) -> Trend:
    """Every period has a point, also one without answers: a gap is seen."""
    rows = [row for row in facts.history.scores if (row.survey, row.metric) == (asked.key, asked.metric)]
    order = _scales_in_order(rows, asked)
    points: list[TrendPoint] = []
    first = min((row.place for row in rows), default=0)
    # Before the first answer no other scale was there that could have changed.
    scale = next((one for one in order if one in _scales_at(rows, first, asked)), asked.scale.id)
    for place, period in enumerate(facts.history.periods):
        here = [row for row in rows if row.place == place]
        found = [one for one in order if one in _scales_at(rows, place, asked)] or [scale]
        for scale in found:
            points.append(
                TrendPoint(
                    period=period,
                    scale=scale,
                    figures=_figures([row for row in here if _scale(row, asked) == scale], asked, facts),
                    is_running=is_running(period, facts.now),
                )
            )
    return Trend(tuple(points))


def _scales_at(rows: Sequence[ScoreCount], place: int, asked: Asked) -> set[str]:
    return {_scale(row, asked) for row in rows if row.place == place}


def _scale(row: ScoreCount, asked: Asked) -> str:
    return row.scale or asked.scale.id


def _scales_in_order(rows: Sequence[ScoreCount], asked: Asked) -> list[str]:
    """As they were first used, that of the settings last."""
    first = {_scale(row, asked): row.place for row in sorted(rows, key=lambda row: -row.place)}
    own = asked.scale.id
    return sorted({*first, own}, key=lambda scale: (scale == own, first.get(scale, 0), scale))


def _figures(rows: Sequence[ScoreCount], asked: Asked, facts: Facts) -> Figures:
    counts: Counter[tuple[int, str]] = Counter()
    for row in rows:
        counts[row.score, row.band] += row.answers
    return figures_from(counts, asked, facts.min_answers)
