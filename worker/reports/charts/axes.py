"""What charts share: how far an axis goes, and what is written along it."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from worker.reports.charts.box import Box, Plain
from worker.reports.charts.style import SMALL, TINY, width
from worker.reports.colours import LIGHT
from worker.rules.formats import number


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
    air = (high - low or 1.0) * 0.08
    low = low - air if least is None else max(least - air / 2, low - air)
    return low, high + air if most is None else min(most + air / 2, high + air)


def figures(axes: Axes, chart: Plain, box: Box, *, across: bool) -> None:
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
