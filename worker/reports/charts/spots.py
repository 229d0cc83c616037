"""Spots: two figures of the same things, one across and one up; a larger spot is more of them."""

import math

from worker.reports.charts.axes import figures, range_of
from worker.reports.charts.box import TALL, Box, Drawing, Plain
from worker.reports.charts.style import TINY, pixels
from worker.reports.colours import LIGHT

LEFT, ABOVE, BELOW = 124, 44, 84  # pixels beside the axes for figures, and for what they are of
ONE, LARGEST = 18.0, 44.0  # points across: of one thing, and of the most


def height(chart: Plain, room: float) -> float:
    return TALL + 20 + ABOVE + BELOW


def draw(chart: Plain, box: Box) -> None:
    axes = box.make(LEFT, ABOVE, box.width - LEFT, TALL)
    spots = chart["spots"]
    most = max((number for *_, number in spots), default=1)
    axes.set_xlim(*range_of(chart["across"], [across for across, *_ in spots]))
    axes.set_ylim(*range_of(chart["up"], [up for _, up, _ in spots]))
    axes.grid(axis="both")
    figures(axes, chart["across"], box, across=True)
    figures(axes, chart["up"], box, across=False)
    axes.text(
        -LEFT / (box.width - LEFT),
        1 + (ABOVE - pixels(TINY)) / TALL / 2,
        chart["up_title"],
        ha="left",
        va="bottom",
        fontsize=TINY,
        color=LIGHT["muted"],
        transform=axes.transAxes,
    )
    for across, up, number in spots:
        size = min(ONE, LARGEST / math.sqrt(most)) * math.sqrt(number)  # what is counted is the area
        axes.plot([across], [up], marker="o", markersize=size, color=LIGHT["plain"], alpha=0.7, clip_on=False)


SPOTS = Drawing(height, draw)
