"""Bars: counts side by side, upright over their numbers or lying under their words."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from worker.reports.charts.box import TALL, Box, Drawing, Plain
from worker.reports.charts.style import TEXT, cut, offset, width
from worker.reports.colours import LIGHT

LYING = 108  # pixels for a bar with its words
MANY = 14  # bars, from which on not every one is labelled


def _are_upright(chart: Plain, room: float) -> bool:
    """Words do not fit under a bar: then the bars lie."""
    bars = chart["bars"]
    if len(bars) >= MANY:
        return True
    slot = room / max(1, len(bars)) - 8
    return all(max(width(bar["label"], TEXT), width(bar["text"], TEXT)) <= slot for bar in bars)


def height(chart: Plain, room: float) -> float:
    return TALL if _are_upright(chart, room) else LYING * len(chart["bars"])


def draw(chart: Plain, box: Box) -> None:
    high = height(chart, box.width)
    axes = box.make(0, 0, box.width, high - (56 if _are_upright(chart, box.width) else 0))
    kind = _upright if _are_upright(chart, box.width) else _lying
    kind(chart["bars"], axes, box)


def _upright(bars: Sequence[Plain], axes: Axes, box: Box) -> None:
    values = [bar["value"] for bar in bars]
    top = max([*values, 1])
    places = range(len(bars))
    axes.bar(places, values, width=0.78, color=_colours(bars))
    axes.set_xlim(-0.5, max(len(bars), 1) - 0.5)
    axes.set_ylim(0, top * 1.14)
    axes.set_yticks([])
    every = max(1, -(-len(bars) // MANY))
    axes.set_xticks([*places][::every], [bar["label"] for bar in bars][::every], fontsize=TEXT)
    axes.tick_params(axis="x", length=0, pad=10, labelcolor=LIGHT["ink"])
    for place, bar in enumerate(bars):
        if len(bars) < MANY or bar["value"] == top:
            colour = LIGHT["ink" if bar["value"] else "muted"]
            axes.text(place, bar["value"] + top * 0.02, bar["text"], ha="center", va="bottom", color=colour)


def _lying(bars: Sequence[Plain], axes: Axes, box: Box) -> None:
    top = max([*(bar["value"] for bar in bars), 1])
    longest = max(width(bar["text"], TEXT) for bar in bars) + 20
    axes.set_xlim(0, top * box.width / max(1, box.width - longest))
    axes.set_ylim(len(bars), 0)
    axes.set_axis_off()
    for row, (bar, colour) in enumerate(zip(bars, _colours(bars), strict=True)):
        axes.barh(row + 0.66, bar["value"], height=0.36, color=colour)
        axes.text(0, row + 0.42, cut(bar["label"], TEXT, box.width), ha="left", va="bottom")
        axes.annotate(
            bar["text"],
            (bar["value"], row + 0.66),
            xytext=offset(10, 0),
            textcoords="offset points",
            ha="left",
            va="center",
        )


def _colours(bars: Sequence[Plain]) -> list[str]:
    """Among those that are good or bad, what is neither stands back."""
    rest = "other" if any(bar["tone"] for bar in bars) else "plain"
    return [LIGHT[bar["tone"] or rest] for bar in bars]


BARS = Drawing(height, draw)
