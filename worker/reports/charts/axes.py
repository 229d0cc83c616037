"""What charts share: how far an axis goes, and what is written along it."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from worker.reports.charts.box import Box, Plain
from worker.reports.charts.style import SMALL, TINY, offset, pixels, width
from worker.reports.colours import LIGHT
from worker.rules.formats import number

UNDER = 48  # pixels from the axis to what it counts in
DASHED = (0, (4, 2))  # how a goal is drawn


def goal_beside(axes: Axes, text: str, above: float, *, at_right: bool) -> None:
    """A piece of its line, and what it is: above the axes, where nothing is drawn over it."""
    across, down = axes.bbox.size
    dash, gap = 66, 14
    start = across - dash - gap - width(text, SMALL) if at_right else 0.0
    middle = 1 + (above + pixels(SMALL) / 2) / down
    axes.plot(
        [start / across, (start + dash) / across],
        [middle] * 2,
        color=LIGHT["goal"],
        linewidth=4,
        linestyle=DASHED,
        transform=axes.transAxes,
        clip_on=False,
    )
    axes.text(
        (start + dash + gap) / across,
        middle,
        text,
        ha="left",
        va="center",
        fontsize=SMALL,
        color=LIGHT["goal"],
        transform=axes.transAxes,
    )


def known(points: Sequence[Plain], *keys: str) -> list[float]:
    return [point[key] for point in points for key in keys if point[key] is not None]


def only(value: float | None) -> list[float]:
    return [] if value is None else [value]


def range_of(chart: Plain, values: Sequence[float]) -> tuple[float, float]:
    """A little wider than what is drawn, and never beyond what can be."""
    least, most = chart["ends"]
    low, high = min(values, default=0.0), max(values, default=1.0)
    if not chart["is_signed"] and not chart["suffix"]:
        low = 0.0  # What is counted from nothing is drawn from nothing.
    # Values that are all but equal stay side by side: magnified, chance would look like a change.
    lack = max(0.0, chart["least_span"] - (high - low))
    if low > 0 or chart["is_signed"]:
        low -= lack / 2
    high = max(high, low + chart["least_span"])
    air = (high - low) * 0.08
    low = low - air if least is None else max(least - air / 2, low - air)
    return low, high + air if most is None else min(most + air / 2, high + air)


def figures(axes: Axes, chart: Plain, box: Box, *, across: bool) -> None:
    """Round numbers on the axis, as people write them."""

    def written(value: float) -> str:
        text = number(round(value, 6), box.language)
        return f"{'+' if chart['is_signed'] and value > 0 else ''}{text}{chart['suffix']}"

    axis = axes.xaxis if across else axes.yaxis
    low, high = axes.get_xlim() if across else axes.get_ylim()
    least, most = chart["ends"]
    steps = [1, 2, 5, 10] if chart["is_whole"] else [1, 2, 2.5, 5, 10]
    found = MaxNLocator(5, steps=steps, integer=chart["is_whole"]).tick_values(low, high)
    ticks = [
        tick
        for tick in found
        if max(low, low if least is None else least) <= tick <= min(high, high if most is None else most)
    ]
    axis.set_ticks(ticks, [written(tick) for tick in ticks])
    axis.set_tick_params(length=0, pad=8)
    if across:
        for tick, label in zip(ticks, axes.get_xticklabels(), strict=True):
            place, half = box.width * (tick - low) / (high - low), width(label.get_text(), SMALL) / 2
            if place + half > box.width:
                label.set_horizontalalignment("right")
            elif place < half:
                label.set_horizontalalignment("left")
    if chart["unit"]:
        axes.annotate(
            chart["unit"],
            (1, 0) if across else (0, 1),
            xytext=offset(0, -UNDER if across else 8),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            va="top" if across else "bottom",
            fontsize=TINY,
            color=LIGHT["muted"],
            annotation_clip=False,
        )


def stretches(axes: Axes, labels: Sequence[str], room: float) -> None:
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
