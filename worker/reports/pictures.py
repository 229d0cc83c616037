"""The report's pictures: the charts in plain values to a short-lived process, and back what it has drawn.

Drawing takes tens of megabytes and a second of work: in a process of its own neither stays with the worker.
"""

import asyncio
import base64
import json
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worker.reports.document import Bars, Chart, Document, Dots, Kind, Point, Section, Spots, Stack, Trend
from worker.reports.words import DAY, HOUR, MINUTE, Words
from worker.rules.formats import SIGNS, number

PATIENCE = 30.0  # seconds; it takes two
MOST_CHARTS = 9
MOST_ROWS = 20  # people in one picture: more nobody reads on a phone

LEAST_SPAN = {Kind.POINTS: 20, Kind.PERCENT: 10, Kind.COUNT: 4}  # of an axis, in what it counts

ROOT = Path(__file__).parents[2]  # where the process finds this program, however this one was started
TONES = ("low", "neutral", "high")


class PictureError(Exception):
    """No picture could be drawn; says why in a sentence without anybody's words."""


async def svgs(charts: Sequence[Chart], words: Words, *, patience: float = PATIENCE) -> dict[str, str]:
    """By key, without titles: for a page, whose colours and fonts they take."""
    if not charts:
        return {}
    order = {"form": "svg", "charts": [plain(chart, words) for chart in charts]}
    drawn = await _drawn(order, words, patience)
    return {chart.key: svg.decode() for chart, svg in zip(charts, drawn, strict=True)}


async def png(
    charts: Sequence[Chart],
    words: Words,
    *,
    title: str = "",
    subtitle: str = "",
    source: str = "",
    patience: float = PATIENCE,
) -> bytes:
    """One picture as wide as a phone's screen: the charts one under another, each under its title."""
    order = {
        "form": "png",
        "charts": [plain(chart, words) for chart in charts],
        "title": title,
        "subtitle": subtitle,
        "source": source if charts else words.cover("none"),
    }
    [drawn] = await _drawn(order, words, patience)
    return drawn


async def poster(document: Document, words: Words) -> bytes:
    """The whole report as a picture, to be opened as a file: of a long photo Telegram leaves a thin strip."""
    found = [(section, chart) for section in document.sections for chart in _main(section)][:MOST_CHARTS]
    charts = [chart for _, chart in found]
    units = dict.fromkeys(f"{of.group}: {of.unit}." for of, _ in found if of.unit)
    return await png(charts, words, title=document.title, subtitle=document.subtitle, source=" ".join(units))


def _main(section: Section) -> Sequence[Chart]:
    """Not a distribution, where there is what is seen over time or between people."""
    return [chart for chart in section.charts if not isinstance(chart, Bars)] or section.charts


async def _drawn(order: dict[str, Any], words: Words, patience: float) -> list[bytes]:
    told = json.dumps({**order, "language": words.language}).encode()
    try:
        with tempfile.TemporaryDirectory(prefix="sarafan-picture-") as folder:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "worker.reports.chart",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(folder),
                cwd=folder,
            )
            answer, complaint = await _answer(process, told, patience)
    except OSError as error:
        raise PictureError(f"the picture could not be drawn: {error.strerror}") from error
    if process.returncode:
        ended = f"its process ended with {process.returncode}{_cause(complaint)}"
        raise PictureError(f"the picture could not be drawn: {ended}")
    return [base64.b64decode(picture) for picture in json.loads(answer)]


def _cause(complaint: bytes) -> str:
    """The kind of the error and no more: what it says may hold somebody's name."""
    lines = complaint.decode(errors="replace").splitlines()
    found = re.match(r"[A-Za-z_.]+(?=:|$)", lines[-1]) if lines else None
    return f" ({found.group()})" if found else ""


async def _answer(process: asyncio.subprocess.Process, told: bytes, patience: float) -> tuple[bytes, bytes]:
    """What it prints, and what it complains of. However this ends, the process has ended too."""
    try:
        async with asyncio.timeout(patience):
            return await process.communicate(told)
    except TimeoutError:
        raise PictureError(f"the picture could not be drawn within {patience:g} seconds") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _environment(folder: str) -> dict[str, str]:
    """Nothing of ours: tokens have no business there. matplotlib writes down which fonts it has found."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # there is nothing to reckon in parallel
    return {**kept, **alone, "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": folder, "PYTHONUTF8": "1"}


# Charts as plain values, with their figures in words


def plain(chart: Chart, words: Words) -> dict[str, Any]:
    about = {"key": chart.key, "title": chart.title}
    match chart:
        case Bars():
            return {"type": "bars", **about, **_bars(chart, words)}
        case Dots():
            return {"type": "dots", **about, **_dots(chart, words)}
        case Trend():
            return {"type": "trend", **about, **_trend(chart, words)}
        case Stack():
            return {"type": "stack", **about, **_stack(chart, words)}
        case Spots():
            return {"type": "spots", **about, **_spots(chart, words)}
        case _:
            raise TypeError(f"no picture is known of a {type(chart).__name__}")


def _bars(chart: Bars, words: Words) -> dict[str, Any]:
    tones = [tone for tone in TONES if any(bar.tone == tone for bar in chart.bars)]
    return {
        "bars": [
            {
                "label": bar.label,
                "value": bar.value,
                "text": said(bar.value, chart.kind, words),
                "tone": bar.tone,
            }
            for bar in chart.bars
        ],
        "legend": [[words.cover(f"tone.{tone}"), tone] for tone in tones],
    }


def _dots(chart: Dots, words: Words) -> dict[str, Any]:
    known = [point for point in chart.points if point.value is not None]
    unit = _unit(chart.kind, [point.value or 0 for point in known], words)
    more = len(known) - MOST_ROWS
    return {
        "points": [
            _point(point, unit[0], chart.kind, words, counted=chart.counted) for point in known[:MOST_ROWS]
        ],
        "average": _scaled(chart.average, unit[0]),
        "average_text": _told("average", chart.average, chart.kind, words),
        "more": words.cover("more", n=words.count(more)) if more > 0 else "",
        **_axis(chart.kind, unit[1], words),
    }


def _trend(chart: Trend, words: Words) -> dict[str, Any]:
    unit = _unit(chart.kind, [point.value or 0 for point in chart.points], words)
    return {
        "points": [_point(point, unit[0], chart.kind, words) for point in chart.points],
        "breaks": list(chart.breaks),
        "break_text": words.cover("break") if chart.breaks else "",
        "goal": _scaled(chart.goal, unit[0]),
        "goal_text": _told("goal", chart.goal, chart.kind, words),
        "baseline": _scaled(chart.baseline, unit[0]),
        **_axis(chart.kind, unit[1], words),
    }


def _stack(chart: Stack, words: Words) -> dict[str, Any]:
    divisor, name = _unit(chart.kind, chart.whole, words)
    shares = [
        100 * part / whole if whole else None for part, whole in zip(chart.part, chart.whole, strict=True)
    ]
    return {
        "labels": list(chart.labels),
        "whole": [value / divisor for value in chart.whole],
        "part": [value / divisor for value in chart.part],
        "texts": [_short(value / divisor, words) for value in chart.whole],
        "shares": shares,
        "share_texts": [words.share(share) for share in shares],
        "legend": [[", ".join(filter(None, (chart.whole_title, name))), "whole"], [chart.part_title, "part"]],
        "share_title": words.cover("share", name=chart.part_title),
        "goal": chart.goal,
        "goal_text": _told("goal", chart.goal, Kind.PERCENT, words),
    }


def _spots(chart: Spots, words: Words) -> dict[str, Any]:
    across, unit = _unit(chart.across_kind, [one for one, _ in chart.spots], words)
    up, up_unit = _unit(chart.kind, [one for _, one in chart.spots], words)
    return {
        "spots": [[one / across, other / up, number] for (one, other), number in chart.spots.items()],
        "across": _axis(chart.across_kind, ", ".join(filter(None, (chart.across_title, unit))), words),
        # Scores are whole: there is no 2.5 to look for.
        "up": {**_axis(chart.kind, "", words), "is_whole": all(up == int(up) for _, up in chart.spots)},
        "up_title": ", ".join(filter(None, (chart.up_title, up_unit))),
        "note": chart.note,
    }


def _point(
    point: Point, divisor: float, kind: Kind, words: Words, *, counted: str = "answers"
) -> dict[str, Any]:
    interval = ""
    if point.low is not None and point.high is not None:
        interval = words.cover(
            "interval",
            # One sign is enough for the two ends.
            low=words.bare(point.low) if kind is Kind.PERCENT else said(point.low, kind, words),
            high=said(point.high, kind, words),
        )
    return {
        "label": point.label,
        "value": _scaled(point.value, divisor),
        "low": _scaled(point.low, divisor),
        "high": _scaled(point.high, divisor),
        "text": "" if point.value is None else said(point.value, kind, words),
        "interval": interval,
        "answers": "" if point.answers is None else words.cover(counted, n=words.count(point.answers)),
    }


def said(value: float, kind: Kind, words: Words) -> str:
    """As the sentences of the report say it: no more exact than it is."""
    match kind:
        case Kind.PERCENT:
            return words.share(value)
        case Kind.SCORE:
            return words.decimal(value)
        case _:
            return words.cell(value, kind)


def _told(key: str, value: float | None, kind: Kind, words: Words) -> str:
    return "" if value is None else words.cover(key, value=said(value, kind, words))


def _scaled(value: float | None, divisor: float) -> float | None:
    return None if value is None else value / divisor


def _short(value: float, words: Words) -> str:
    return number(value, words.language, places=0 if abs(value) >= 100 or value == int(value) else 1)


def _unit(kind: Kind, values: Sequence[float], words: Words) -> tuple[float, str]:
    """What the axis counts in, and its name."""
    largest = max(map(abs, values), default=0)
    match kind:
        case Kind.MONEY:
            sign = SIGNS.get(words.currency.upper(), words.currency)
            steps: tuple[tuple[float, str], ...] = (
                (1e6, words.cover("millions", value=sign)),
                (1e3, words.cover("thousands", value=sign)),
            )
            rest = (1.0, sign)
        case Kind.SECONDS:
            steps = ((float(DAY), words.cover("days")), (float(HOUR), words.cover("hours")))
            rest = (float(MINUTE), words.cover("minutes"))
        case Kind.WORKING:
            steps, rest = ((float(HOUR), words.cover("hours")),), (float(MINUTE), words.cover("minutes"))
        case _:
            return 1.0, ""
    return next(((divisor, name) for divisor, name in steps if largest >= 2 * divisor), rest)


def _axis(kind: Kind, unit: str, words: Words) -> dict[str, Any]:
    ends = {Kind.POINTS: (-100, 100), Kind.PERCENT: (0, 100)}.get(kind, (0, None))
    return {
        "unit": unit,
        "suffix": words.share(0).removeprefix("0") if kind is Kind.PERCENT else "",
        "is_signed": kind is Kind.POINTS,
        "is_whole": kind in (Kind.POINTS, Kind.PERCENT, Kind.COUNT),
        "ends": list(ends),
        "least_span": LEAST_SPAN.get(kind, 1),
    }
