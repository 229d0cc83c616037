"""The kinds of charts: how high each is, and how it is drawn into a box of pixels.

A chart is a dict of plain values, as `worker.reports.pictures.plain` makes it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from worker.reports.charts.style import SMALL, TEXT, TINY, cut, width
from worker.reports.colours import LIGHT
from worker.rules.formats import number

Plain = Mapping[str, Any]

ROW, LYING = 124, 108  # pixels for a person, and for a bar with its words
TALL, LOW = 420, 190
MANY = 14  # bars, from which on not every one is labelled
PAPER = {"facecolor": LIGHT["paper"], "edgecolor": "none", "pad": 3}  # behind letters, over lines


@dataclass(frozen=True, slots=True)
class Box:
    """Where to draw: `axes` makes a part of it, counted in pixels from its upper left."""

    make: Callable[[float, float, float, float], Axes]  # left, top, width, height
    width: float
    language: str


@dataclass(frozen=True, slots=True)
class Drawing:
    height: Callable[[Plain, float], float]
    draw: Callable[[Plain, Box], None]


# Bars


def _are_upright(chart: Plain, room: float) -> bool:
    """Words do not fit under a bar: then the bars lie."""
    bars = chart["bars"]
    if len(bars) >= MANY:
        return True
    slot = room / max(1, len(bars)) - 8
    return all(max(width(bar["label"], TEXT), width(bar["text"], TEXT)) <= slot for bar in bars)


def _bars_height(chart: Plain, room: float) -> float:
    return TALL if _are_upright(chart, room) else LYING * len(chart["bars"])


def _bars(chart: Plain, box: Box) -> None:
    height = _bars_height(chart, box.width)
    axes = box.make(0, 0, box.width, height - (56 if _are_upright(chart, box.width) else 0))
    draw = _upright if _are_upright(chart, box.width) else _lying
    draw(chart["bars"], axes, box)


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
            xytext=(10, 0),
            textcoords="offset pixels",
            ha="left",
            va="center",
        )


def _colours(bars: Sequence[Plain]) -> list[str]:
    """Among those that are good or bad, what is neither stands back."""
    rest = "other" if any(bar["tone"] for bar in bars) else "plain"
    return [LIGHT[bar["tone"] or rest] for bar in bars]


# Dots


def _dots_height(chart: Plain, room: float) -> float:
    return ROW * len(chart["points"]) + (106 if chart["average_text"] else 56)


def _dots(chart: Plain, box: Box) -> None:
    points = chart["points"]
    above = 50 if chart["average_text"] else 0
    axes = box.make(0, above, box.width, ROW * len(points))
    low, high = _range(chart, [*_known(points, "low", "high", "value"), *_only(chart["average"])])
    axes.set_xlim(low, high)
    axes.set_ylim(max(len(points), 1), 0)
    axes.set_yticks([])
    axes.grid(axis="x")
    _figures(axes, chart, box, across=True)
    if chart["average"] is not None:
        axes.axvline(chart["average"], color=LIGHT["muted"], linewidth=3, linestyle=(0, (4, 3)))
        side = "left" if chart["average"] < (low + high) / 2 else "right"
        axes.annotate(
            chart["average_text"],
            (chart["average"], 0),
            xytext=(0, 10),
            textcoords="offset pixels",
            ha=side,
            va="bottom",
            fontsize=SMALL,
            color=LIGHT["muted"],
            annotation_clip=False,
        )
    for row, point in enumerate(points):
        _person(axes, row, point, box, low, high)


def _person(axes: Axes, row: int, point: Plain, box: Box, low: float, high: float) -> None:
    aside = ", ".join(filter(None, (point["interval"], point["answers"])))
    small = width(aside, TINY)
    value = width(point["text"], TEXT, bold=True)
    room = box.width - small - value - 60
    text = axes.get_yaxis_transform()
    name = cut(point["label"], TEXT, room)
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


# Trend


def _trend_height(chart: Plain, room: float) -> float:
    return TALL + 30


def _trend(chart: Plain, box: Box) -> None:
    points = chart["points"]
    left = 124
    axes = box.make(left, 10, box.width - left, TALL - 80)
    low, high = _range(
        chart, [*_known(points, "low", "high", "value"), *_only(chart["goal"]), *_only(chart["baseline"])]
    )
    axes.set_xlim(-0.55, max(len(points), 1) - 0.5)
    axes.set_ylim(low, high)
    axes.grid(axis="y")
    _figures(axes, chart, box, across=False)
    _stretches(axes, [point["label"] for point in points], box.width - left)
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
    known = [place for place, point in enumerate(points) if point["value"] is not None]
    for place in {*known[:1], *known[-1:]}:
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


# Stack


def _stack_height(chart: Plain, room: float) -> float:
    return TALL + LOW + 110


def _stack(chart: Plain, box: Box) -> None:
    places = range(len(chart["labels"]))
    upper = box.make(0, 0, box.width, TALL - 60)
    rest = [whole - part for whole, part in zip(chart["whole"], chart["part"], strict=True)]
    upper.bar(places, rest, width=0.7, color=LIGHT["whole"])
    upper.bar(places, chart["part"], bottom=rest, width=0.7, color=LIGHT["part"])
    top = max([*chart["whole"], 0]) or 1
    upper.set_ylim(0, top * 1.14)
    upper.set_yticks([])
    slot = box.width / max(1, len(chart["labels"]))
    every = max(1, -(-int(max((width(text, SMALL) for text in chart["texts"]), default=0) + 8) // int(slot)))
    for place in [*places][::-every]:
        upper.text(
            place,
            chart["whole"][place] + top * 0.02,
            chart["texts"][place],
            ha="center",
            va="bottom",
            fontsize=SMALL,
        )
    _stretches(upper, chart["labels"], box.width)
    lower = box.make(0, TALL + 86, box.width, LOW)
    lower.set_title(chart["share_title"], loc="left", fontsize=SMALL, color=LIGHT["muted"], pad=14)
    _shares(lower, chart)
    for axes in (upper, lower):
        axes.set_xlim(-0.5, max(len(chart["labels"]), 1) - 0.5)


def _shares(axes: Axes, chart: Plain) -> None:
    known = [(place, share) for place, share in enumerate(chart["shares"]) if share is not None]
    top = max([share for _, share in known] + [chart["goal"] or 0, 1])
    axes.set_ylim(0, top * 1.35)
    axes.set_yticks([])
    axes.set_xticks([])
    if chart["goal"] is not None:
        axes.axhline(chart["goal"], color=LIGHT["goal"], linewidth=4, linestyle=(0, (4, 2)))
        axes.annotate(
            chart["goal_text"],
            (-0.45, chart["goal"]),
            xytext=(0, 6),
            textcoords="offset pixels",
            fontsize=TINY,
            color=LIGHT["goal"],
            va="bottom",
        )
    axes.plot(
        [place for place, _ in known],
        [share for _, share in known],
        color=LIGHT["part"],
        linewidth=6,
        marker="o",
        markersize=14,
    )
    for place, share in known:
        axes.annotate(
            chart["share_texts"][place],
            (place, share),
            xytext=(0, 14),
            textcoords="offset pixels",
            ha="center",
            va="bottom",
            bbox=PAPER,
            fontsize=SMALL,
        )


# What they share


def _known(points: Sequence[Plain], *keys: str) -> list[float]:
    return [point[key] for point in points for key in keys if point[key] is not None]


def _only(value: float | None) -> list[float]:
    return [] if value is None else [value]


def _range(chart: Plain, values: Sequence[float]) -> tuple[float, float]:
    """A little wider than what is drawn, and never beyond what can be."""
    least, most = chart["ends"]
    low, high = min(values, default=0.0), max(values, default=1.0)
    if not chart["is_signed"] and not chart["suffix"]:
        low = 0.0  # What is counted from nothing is drawn from nothing.
    air = (high - low or 1.0) * 0.08
    low = low - air if least is None else max(least - air / 2, low - air)
    return low, high + air if most is None else min(most + air / 2, high + air)


def _figures(axes: Axes, chart: Plain, box: Box, *, across: bool) -> None:
    """Round numbers on the axis, as people write them."""

    def written(value: float, _: object) -> str:
        text = number(round(value, 6), box.language)
        return f"{'+' if chart['is_signed'] and value > 0 else ''}{text}{chart['suffix']}"

    axis = axes.xaxis if across else axes.yaxis
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(written))
    axis.set_tick_params(length=0, pad=8)
    if chart["unit"]:
        axes.annotate(
            chart["unit"],
            (1, 0) if across else (0, 1),
            xytext=(0, -44 if across else 8),
            xycoords="axes fraction",
            textcoords="offset pixels",
            ha="right",
            va="bottom",
            fontsize=TINY,
            color=LIGHT["muted"],
            annotation_clip=False,
        )


def _stretches(axes: Axes, labels: Sequence[str], room: float) -> None:
    """As many labels of the axis as stand side by side, within the box; the last one always."""
    slot = room / max(1, len(labels))
    told = [_halved(label, slot) for label in labels]
    widest = max((width(line, SMALL) for label in told for line in label.split("\n")), default=0)
    # The last one does not stand in the middle of its place if it is wider.
    needed = widest + 16 if widest <= slot else 1.5 * widest + 16
    every = max(1, -(-int(needed) // max(1, int(slot))))
    places = [*range(len(labels))][::-every]
    axes.set_xticks(places, [told[place] for place in places], linespacing=1.15)
    axes.tick_params(axis="x", length=0, pad=10)
    for place, label in zip(places, axes.get_xticklabels(), strict=True):
        # What stands at an edge and is wider than its place would be cut off there.
        if widest > slot and place in (0, len(labels) - 1):
            label.set_horizontalalignment("left" if place == 0 else "right")


def _halved(label: str, room: float) -> str:
    """In two lines where it is wider than the room: «III квартал / 2026»."""
    head, _, tail = label.rpartition(" ")
    return f"{head}\n{tail}" if head and width(label, SMALL) > room else label


KINDS: Mapping[str, Drawing] = {
    "bars": Drawing(_bars_height, _bars),
    "dots": Drawing(_dots_height, _dots),
    "trend": Drawing(_trend_height, _trend),
    "stack": Drawing(_stack_height, _stack),
}
