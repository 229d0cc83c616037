"""How pictures look: letters that a phone shows, and lines that fit."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from worker.reports.colours import LIGHT

WIDTH = 1080  # pixels: of a phone's screen
ON_A_PAGE = 940  # beside other words letters are a little larger
MARGIN = 48
DPI = 100

# Letters of 26 points are 36 pixels high: 12 on a phone, which shows all at a third of its size.
HEADING, TITLE, TEXT, SMALL, TINY = 34, 29, 26, 23, 19  # points

SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib and knows Cyrillic
    "font.size": TEXT,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "text.color": LIGHT["ink"],
    "axes.labelcolor": LIGHT["muted"],
    "axes.edgecolor": LIGHT["grid"],
    "axes.linewidth": 2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "grid.color": LIGHT["grid"],
    "grid.linewidth": 2,
    "xtick.color": LIGHT["grid"],
    "xtick.labelcolor": LIGHT["muted"],
    "xtick.labelsize": SMALL,
    "ytick.color": LIGHT["grid"],
    "ytick.labelcolor": LIGHT["muted"],
    "ytick.labelsize": SMALL,
    "svg.fonttype": "none",  # text stays text: for a reader's own font, and for who listens
    "svg.hashsalt": "sarafan",
}

_RULER = RendererAgg(1, 1, DPI)


def pixels(points: float) -> float:
    return points * DPI / 72


def offset(right: float, up: float) -> tuple[float, float]:
    """So many pixels as points: an SVG counts its pixels otherwise."""
    return right * 72 / DPI, up * 72 / DPI


@lru_cache(maxsize=4096)
def width(text: str, size: float, *, bold: bool = False) -> float:
    """In pixels."""
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    return float(_RULER.get_text_width_height_descent(text, font, ismath=False)[0])


def wrapped(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """In lines that are no wider than `room` pixels; a word that is wider is cut."""
    return [line for whole in text.split("\n") for line in _lines(whole, size, room, bold)]


def _lines(text: str, size: float, room: float, bold: bool) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and width(longer, size, bold=bold) > room:
            yield cut(line, size, room, bold=bold)
            line = word
        else:
            line = longer
    yield cut(line, size, room, bold=bold)


def cut(text: str, size: float, room: float, *, bold: bool = False) -> str:
    if width(text, size, bold=bold) <= room:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if width(f"{text[:middle]}…", size, bold=bold) <= room:
            fits = middle
        else:
            too_long = middle
    return f"{text[:fits].rstrip()}…"
