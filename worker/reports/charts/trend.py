"""A trend: a value over time in the band of its interval, broken where the scale was another."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from worker.reports.charts.axes import figures, known, only, range_of, stretches
from worker.reports.charts.box import TALL, Box, Drawing, Plain
from worker.reports.charts.style import SMALL, TINY
from worker.reports.colours import LIGHT


def height(chart: Plain, room: float) -> float:
    return TALL + 30


def draw(chart: Plain, box: Box) -> None:
    points = chart["points"]
    left = 124
    axes = box.make(left, 10, box.width - left, TALL - 80)
    low, high = range_of(
        chart, [*known(points, "low", "high", "value"), *only(chart["goal"]), *only(chart["baseline"])]
    )
    axes.set_xlim(-0.55, max(len(points), 1) - 0.5)
    axes.set_ylim(low, high)
    axes.grid(axis="y")
    figures(axes, chart, box, across=False)
    stretches(axes, [point["label"] for point in points], box.width - left)
    if chart["baseline"] is not None:
        axes.axhline(chart["baseline"], color=LIGHT["muted"], linewidth=3)
    if chart["goal"] is not None:
        axes.axhline(chart["goal"], color=LIGHT["goal"], linewidth=4, linestyle=(0, (4, 2)))
        axes.annotate(
            chart["goal_text"],
            (-0.5, chart["goal"]),
            xytext=(0, 6),
            textcoords="offset pixels",
            fontsize=SMALL,
            color=LIGHT["goal"],
            va="bottom",
        )
    for place in chart["breaks"]:
        axes.axvline(place - 0.5, color=LIGHT["muted"], linewidth=3, linestyle=(0, (1, 2)))
        axes.annotate(
            chart["break_text"],
            (place - 0.5, high),
            xytext=(6, -4),
            textcoords="offset pixels",
            fontsize=TINY,
            color=LIGHT["muted"],
            va="top",
        )
    for stretch in _unbroken(points, chart["breaks"]):
        _stretch(axes, stretch)
    places = [place for place, point in enumerate(points) if point["value"] is not None]
    for place in {*places[:1], *places[-1:]}:
        _value(axes, place, points[place])


def _unbroken(points: Sequence[Plain], breaks: Sequence[int]) -> list[list[tuple[int, Plain]]]:
    """Runs of points that may be joined by a line: known, and on one scale."""
    runs: list[list[tuple[int, Plain]]] = [[]]
    for place, point in enumerate(points):
        if place in breaks or point["value"] is None:
            runs.append([])
        if point["value"] is not None:
            runs[-1].append((place, point))
    return [run for run in runs if run]


def _stretch(axes: Axes, run: Sequence[tuple[int, Plain]]) -> None:
    certain = [
        (place, point) for place, point in run if point["low"] is not None and point["high"] is not None
    ]
    if len(certain) > 1:
        axes.fill_between(
            [place for place, _ in certain],
            [point["low"] for _, point in certain],
            [point["high"] for _, point in certain],
            color=LIGHT["band"],
            linewidth=0,
        )
    for place, point in certain if len(certain) == 1 else []:
        axes.plot(
            [place] * 2,
            [point["low"], point["high"]],
            color=LIGHT["band"],
            linewidth=14,
            solid_capstyle="round",
        )
    axes.plot(
        [place for place, _ in run],
        [point["value"] for _, point in run],
        color=LIGHT["plain"],
        linewidth=6,
        marker="o",
        markersize=14,
        solid_joinstyle="round",
    )


def _value(axes: Axes, place: int, point: Plain) -> None:
    axes.annotate(
        point["text"],
        (place, point["value"]),
        xytext=(0, 16),
        textcoords="offset pixels",
        ha="center",
        va="bottom",
        weight="bold",
        annotation_clip=False,
    )


TREND = Drawing(height, draw)
