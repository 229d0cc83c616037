"""Dots: people or things side by side, each with its interval, and the average of all."""

from matplotlib.axes import Axes

from worker.reports.charts.axes import figures, known, only, range_of
from worker.reports.charts.box import PAPER, Box, Drawing, Plain
from worker.reports.charts.style import SMALL, TEXT, TINY, cut, offset, width
from worker.reports.colours import LIGHT

ROW = 124  # pixels for a person
UNIT = 34  # for what the axis counts in


def height(chart: Plain, room: float) -> float:
    return (
        ROW * len(chart["points"]) + (106 if chart["average_text"] else 56) + (UNIT if chart["unit"] else 0)
    )


def draw(chart: Plain, box: Box) -> None:
    points = chart["points"]
    above = 50 if chart["average_text"] else 0
    axes = box.make(0, above, box.width, ROW * len(points))
    low, high = range_of(chart, [*known(points, "low", "high", "value"), *only(chart["average"])])
    axes.set_xlim(low, high)
    axes.set_ylim(max(len(points), 1), 0)
    axes.set_yticks([])
    axes.grid(axis="x")
    figures(axes, chart, box, across=True)
    if chart["average"] is not None:
        axes.axvline(chart["average"], color=LIGHT["muted"], linewidth=3, linestyle=(0, (4, 3)))
        side = "left" if chart["average"] < (low + high) / 2 else "right"
        axes.annotate(
            chart["average_text"],
            (chart["average"], 0),
            xytext=offset(0, 10),
            textcoords="offset points",
            ha=side,
            va="bottom",
            fontsize=SMALL,
            color=LIGHT["muted"],
            annotation_clip=False,
        )
    # The intervals are drawn too: where a name needs the room, their figures give way, for all alike.
    has_room = all(_rest(point, box, _aside(point, is_full=True)) >= 0 for point in points)
    for row, point in enumerate(points):
        _person(axes, row, point, box, _aside(point, is_full=has_room))


def _aside(point: Plain, *, is_full: bool) -> str:
    return ", ".join(filter(None, (point["interval"] if is_full else "", point["answers"])))


def _rest(point: Plain, box: Box, aside: str) -> float:
    """Pixels that are left beside all that is written of a person."""
    value = width(point["text"], TEXT, bold=True)
    return box.width - width(point["label"], TEXT) - value - width(aside, TINY) - 60


def _person(axes: Axes, row: int, point: Plain, box: Box, aside: str) -> None:
    small = width(aside, TINY)
    text = axes.get_yaxis_transform()
    name = cut(point["label"], TEXT, width(point["label"], TEXT) + min(0.0, _rest(point, box, aside)))
    axes.text(0, row + 0.4, name, ha="left", va="bottom", transform=text, bbox=PAPER)
    axes.text(
        1,
        row + 0.4,
        aside,
        ha="right",
        va="bottom",
        fontsize=TINY,
        color=LIGHT["muted"],
        transform=text,
        bbox=PAPER,
    )
    axes.text(
        1 - (small + 18) / box.width,
        row + 0.4,
        point["text"],
        ha="right",
        va="bottom",
        weight="bold",
        transform=text,
        bbox=PAPER,
    )
    if point["low"] is not None and point["high"] is not None:
        axes.plot(
            [point["low"], point["high"]],
            [row + 0.66] * 2,
            color=LIGHT["band"],
            linewidth=14,
            solid_capstyle="round",
        )
    axes.plot([point["value"]], [row + 0.66], marker="o", markersize=20, color=LIGHT["plain"])


DOTS = Drawing(height, draw)
