"""A trend: a value over time in the band of its interval, broken where the scale was another."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from worker.reports.charts.axes import DASHED, figures, goal_beside, known, only, range_of, stretches
from worker.reports.charts.box import TALL, Box, Drawing, Plain
from worker.reports.charts.style import TEXT, TINY, offset, width
from worker.reports.colours import LIGHT

STRIP = 42  # pixels above the axes for the goal, and for where the scale changed
ABOVE = 58  # pixels that the words of a point take above it


def height(chart: Plain, room: float) -> float:
    return TALL + 30 + STRIP * _strips(chart)


def _strips(chart: Plain) -> int:
    # What the axis counts in stands above it too.
    return max(bool(chart["unit"]), bool(chart["goal_text"]) + bool(chart["breaks"]))


def draw(chart: Plain, box: Box) -> None:
    points = chart["points"]
    left, high_in_pixels = 124, TALL - 80
    axes = box.make(left, 10 + STRIP * _strips(chart), box.width - left, high_in_pixels)
    told = [place for place, point in enumerate(points) if point["value"] is not None]
    told = sorted({*told[:1], *told[-1:]})
    low, high = range_of(
        chart, [*known(points, "low", "high", "value"), *only(chart["goal"]), *only(chart["baseline"])]
    )
    # Nor do the words of the highest point leave the axes.
    for value in (points[place]["value"] for place in told):
        high = max(high, low + (value - low) / (1 - ABOVE / high_in_pixels))
    axes.set_xlim(-0.55, max(len(points), 1) - 0.5)
    axes.set_ylim(low, high)
    axes.grid(axis="y")
    figures(axes, chart, box, across=False)
    stretches(axes, [point["label"] for point in points], box.width - left)
    if chart["baseline"] is not None:
        axes.axhline(chart["baseline"], color=LIGHT["muted"], linewidth=3)
    if chart["goal"] is not None:
        axes.axhline(chart["goal"], color=LIGHT["goal"], linewidth=4, linestyle=DASHED)
        goal_beside(axes, chart["goal_text"], STRIP * bool(chart["breaks"]) + 6, at_right=False)
    _breaks(axes, chart, box.width - left)
    for stretch in _unbroken(points, chart["breaks"]):
        _stretch(axes, stretch)
    for place in told:
        beside = points[place + 1 if place == told[0] else place - 1]["value"] if len(told) > 1 else None
        # A line that comes from above would run through words that stand above.
        is_below = beside is not None and beside > points[place]["value"]
        room_below = high_in_pixels * (points[place]["value"] - low) / (high - low)
        _value(axes, place, points[place], box.width - left, is_above=not is_below or room_below < ABOVE)


def _breaks(axes: Axes, chart: Plain, room: float) -> None:
    """Each with its words above the axes, where those of the one before leave room."""
    low, high = axes.get_xlim()
    long, taken = width(chart["break_text"], TINY), 0.0
    for place in chart["breaks"]:
        axes.axvline(place - 0.5, color=LIGHT["muted"], linewidth=3, linestyle=(0, (1, 2)))
        start = min(room * (place - 0.5 - low) / (high - low) - 4, room - long)
        if start < taken:
            continue
        taken = start + long + 16
        axes.annotate(
            chart["break_text"],
            (0, 1),
            xytext=offset(start, 8),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=TINY,
            color=LIGHT["muted"],
            va="bottom",
            annotation_clip=False,
        )


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


def _value(axes: Axes, place: int, point: Plain, room: float, *, is_above: bool) -> None:
    """Within the axes from left to right, over the point or under it."""
    low, high = axes.get_xlim()
    middle, half = room * (place - low) / (high - low), width(point["text"], TEXT, bold=True) / 2
    axes.annotate(
        point["text"],
        (place, point["value"]),
        xytext=offset(max(min(0.0, room - middle - half), half - middle), 16 if is_above else -16),
        textcoords="offset points",
        ha="center",
        va="bottom" if is_above else "top",
        weight="bold",
        annotation_clip=False,
    )


TREND = Drawing(height, draw)
