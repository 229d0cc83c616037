"""A stack: a whole over time with its part on top, and the part's share below."""

import math

from matplotlib.axes import Axes

from worker.reports.charts.axes import DASHED, goal_beside, stretches
from worker.reports.charts.box import PAPER, TALL, Box, Drawing, Plain
from worker.reports.charts.style import SMALL, cut, offset, width
from worker.reports.colours import LIGHT

LOW = 190  # pixels for the share


def height(chart: Plain, room: float) -> float:
    return TALL + LOW + 134


def draw(chart: Plain, box: Box) -> None:
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
    stretches(upper, chart["labels"], box.width)
    lower = box.make(0, TALL + 110, box.width, LOW)
    room = box.width - (width(chart["goal_text"], SMALL) + 110 if chart["goal_text"] else 0)
    title = cut(chart["share_title"], SMALL, room)
    lower.set_title(title, loc="left", fontsize=SMALL, color=LIGHT["muted"], pad=14)
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
        axes.axhline(chart["goal"], color=LIGHT["goal"], linewidth=4, linestyle=DASHED)
        goal_beside(axes, chart["goal_text"], 14, at_right=True)
    axes.plot(
        range(len(chart["shares"])),
        # Over what is not known no line is drawn.
        [math.nan if share is None else share for share in chart["shares"]],
        color=LIGHT["part"],
        linewidth=6,
        marker="o",
        markersize=14,
    )
    for place, share in known:
        axes.annotate(
            chart["share_texts"][place],
            (place, share),
            xytext=offset(0, 14),
            textcoords="offset points",
            ha="center",
            va="bottom",
            bbox=PAPER,
            fontsize=SMALL,
        )


STACK = Drawing(height, draw)
