"""Draws pictures and ends: an order as JSON on stdin, pictures in base64 as a JSON list on stdout.

Never imported by the worker: `worker.reports.pictures` starts `python -m worker.reports.chart`.
"""

import base64
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from worker.reports.charts.box import Box
from worker.reports.charts.kinds import KINDS
from worker.reports.charts.style import (
    DPI,
    HEADING,
    MARGIN,
    ON_A_PAGE,
    SETTINGS,
    SMALL,
    TINY,
    TITLE,
    WIDTH,
    pixels,
    width,
    wrapped,
)
from worker.reports.charts.vector import for_a_page
from worker.reports.colours import LIGHT

Plain = Mapping[str, Any]
SHADES = 16  # of each colour: a palette holds 256
NOTHING = 0.04  # of a colour's strength
GAP = 64  # pixels between two charts
LINE = 1.32  # of the letters' height


@dataclass(frozen=True, slots=True)
class Lines:
    lines: Sequence[str]
    size: float
    colour: str = "ink"
    is_bold: bool = False
    below: float = 14  # pixels

    def height(self, room: float) -> float:
        return len(self.lines) * pixels(self.size) * LINE + self.below


@dataclass(frozen=True, slots=True)
class Legend:
    pieces: Sequence[Sequence[str]]  # title, role of the colour

    def height(self, room: float) -> float:
        return pixels(SMALL) * (1.9 + LINE * (len(self.rows(room)) - 1))

    def rows(self, room: float) -> Sequence[Sequence[Sequence[str]]]:
        """As many side by side as there is room for."""
        rows: list[list[Sequence[str]]] = [[]]
        taken = 0.0
        for piece in self.pieces:
            if taken and taken + _piece(piece[0]) > room:
                rows.append([])
                taken = 0.0
            rows[-1].append(piece)
            taken += _piece(piece[0]) + pixels(SMALL) * 1.6
        return rows


def _piece(title: str) -> float:
    """How wide a piece of a legend is."""
    return pixels(SMALL) * 1.4 + width(title, SMALL)


@dataclass(frozen=True, slots=True)
class Plot:
    chart: Plain

    def height(self, room: float) -> float:
        return KINDS[self.chart["type"]].height(self.chart, room) + pixels(TINY)


@dataclass(frozen=True, slots=True)
class Space:
    pixels: float

    def height(self, room: float) -> float:
        return self.pixels


Block = Lines | Legend | Plot | Space


def drawn(order: Plain) -> list[bytes]:
    """The pictures of an order. For a page each chart is one, without the title, which is the page's."""
    with style.context(SETTINGS):
        if order["form"] == "svg":
            return [_vector(chart, order["language"]) for chart in order["charts"]]
        return [_raster(figure([*poster(order)], order["language"], MARGIN))]


def poster(order: Plain) -> Iterator[Block]:
    room = WIDTH - 2 * MARGIN
    if order["title"]:
        yield Lines(wrapped(order["title"], HEADING, room, bold=True), HEADING, is_bold=True, below=8)
    if order["subtitle"]:
        yield Lines(wrapped(order["subtitle"], SMALL, room), SMALL, "muted", below=0)
    is_first = not (order["title"] or order["subtitle"])
    for chart in order["charts"]:
        yield Space(0 if is_first else GAP)
        is_first = False
        yield Lines(wrapped(chart["title"], TITLE, room, bold=True), TITLE, is_bold=True)
        yield from blocks(chart)
    if order["source"]:
        yield Space(GAP / 2)
        yield Lines(wrapped(order["source"], TINY, room), TINY, "muted", below=0)


def blocks(chart: Plain) -> Iterator[Block]:
    if chart.get("legend"):
        yield Legend(chart["legend"])
    yield Plot(chart)
    if chart.get("note"):
        yield Lines(wrapped(chart["note"], SMALL, ON_A_PAGE - 8), SMALL, "muted", below=0)
    if chart.get("more"):
        yield Lines([chart["more"]], SMALL, "muted", below=0)


def figure(of: Sequence[Block], language: str, margin: float, across: float = WIDTH) -> Figure:
    """As high as its blocks are together."""
    room = across - 2 * margin
    height = round(sum(block.height(room) for block in of) + 2 * margin)
    whole = Figure(figsize=(across / DPI, height / DPI), dpi=DPI, facecolor=LIGHT["paper"])
    top = margin
    for block in of:
        _place(whole, block, margin, top, room, language)
        top += block.height(room)
    return whole


def _place(whole: Figure, block: Block, left: float, top: float, room: float, language: str) -> None:
    across, down = whole.get_size_inches() * DPI

    def make(x: float, y: float, wide: float, high: float) -> Axes:
        box = ((left + x) / across, 1 - (top + y + high) / down, wide / across, high / down)
        return whole.add_axes(box, facecolor="none")

    match block:
        case Lines(lines, size, colour, is_bold):
            for place, line in enumerate(lines):
                whole.text(
                    left / across,
                    1 - (top + place * pixels(size) * LINE) / down,
                    line,
                    fontsize=size,
                    color=LIGHT[colour],
                    weight="bold" if is_bold else "normal",
                    va="top",
                )
        case Legend():
            for number, row in enumerate(block.rows(room)):
                _legend(whole, row, left, top + number * pixels(SMALL) * LINE, across, down)
        case Plot(chart):
            KINDS[chart["type"]].draw(chart, Box(make, room, language))
        case Space():
            pass


def _legend(
    whole: Figure, pieces: Sequence[Sequence[str]], left: float, top: float, across: float, down: float
) -> None:
    size = pixels(SMALL)
    for title, role in pieces:
        square = Rectangle(
            (left / across, 1 - (top + size) / down),
            size / across,
            size * 0.9 / down,
            color=LIGHT[role],
            transform=whole.transFigure,
        )
        whole.add_artist(square)
        whole.text(
            (left + size * 1.4) / across,
            1 - (top + size * 0.55) / down,
            title,
            fontsize=SMALL,
            color=LIGHT["muted"],
            va="center",
        )
        left += _piece(title) + size * 1.6


def _raster(whole: Figure) -> bytes:
    canvas = FigureCanvasAgg(whole)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = io.BytesIO()
    picture.quantize(palette=_palette(), dither=Image.Dither.NONE).save(file, format="png", optimize=True)
    return file.getvalue()


def _palette() -> Image.Image:
    """The few colours of a drawing, each fading into the paper: with them it is a third as large.

    Not those that occur most: a small bar would lose its colour.
    """
    paper = np.array(to_rgb(LIGHT["paper"]))
    fading = (
        np.array(to_rgb(colour)) * (1 - step / SHADES) + paper * step / SHADES
        for colour in LIGHT.values()
        for step in range(SHADES)
    )
    # What is all but paper would be taken for it, and the other way round.
    shades = [paper, *(shade for shade in fading if np.abs(shade - paper).max() > NOTHING)]
    palette = Image.new("P", (1, 1))
    palette.putpalette((np.array(shades) * 255).round().astype(int).ravel().tolist())
    return palette


def _vector(chart: Plain, language: str) -> bytes:
    file = io.StringIO()
    whole = figure([*blocks(chart)], language, margin=4, across=ON_A_PAGE)
    whole.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return for_a_page(file.getvalue(), key=chart["key"], title=chart["title"]).encode()


def main() -> None:
    os.nice(5)  # The worker comes first.
    order = json.load(sys.stdin)
    json.dump([base64.b64encode(picture).decode() for picture in drawn(order)], sys.stdout)


if __name__ == "__main__":
    main()
