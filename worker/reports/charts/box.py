"""Where a chart is drawn, and what each kind of chart has to tell and to do.

A chart is a dict of plain values, as `worker.reports.pictures.plain` makes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from worker.reports.colours import LIGHT

Plain = Mapping[str, Any]

TALL = 420  # pixels
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
