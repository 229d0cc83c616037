"""Pictures: drawn in a process that ends, from the figures of the report, for a phone and for a page."""

import asyncio
import re
import struct
import sys
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.reports.made import EVIL, full, texts
from worker.reports import pictures
from worker.reports.colours import DARK, LIGHT
from worker.reports.document import Bar, Bars, Chart, Dots, Kind, Point, Spots, Stack, Trend
from worker.reports.draw import draw
from worker.reports.pictures import PictureError, plain, png, svgs
from worker.reports.words import Words

WORDS = Words(texts())
QUARTERS = ("IV 25", "I 26", "II 26", "III 26")

TREND = Trend(
    key="trend",
    title="NPS вырос, но в пределах погрешности",
    kind=Kind.POINTS,
    points=tuple(
        Point(label=label, value=value, low=low, high=high)
        for label, value, low, high in zip(
            QUARTERS, (20, None, 31.5, 47), (8, None, 20, 35), (31, None, 43, 58), strict=True
        )
    ),
    breaks=(2,),
    goal=50,
    baseline=0,
)
STACK = Stack(
    key="stack",
    title="Друзья принесли каждую шестую сделку",
    kind=Kind.MONEY,
    labels=QUARTERS,
    whole=(7e6, 0, 9.4e6, 14.4e6),
    part=(9e5, 0, 1.2e6, 2.4e6),
    whole_title="Выигранные сделки",
    part_title="По рекомендации",
    goal=20,
)
SPOTS = Spots(
    key="spots",
    title="NPS и срок решения: где дольше, там оценка ниже",
    kind=Kind.SCORE,
    spots={(86400.0 * day, 10.0 - day): 1 + day for day in range(9)},
    across_title="срок решения рекламации",
    across_kind=Kind.SECONDS,
    up_title="NPS",
    note="Сделок 45, ρ −1. Связь — не причина.",
)
ODD: tuple[Chart, ...] = (
    *(
        Trend(
            key=key,
            title=key,
            kind=Kind.SECONDS,
            points=tuple(Point(label=str(days), value=86400.0 * days) for days in values),
        )
        for key, values in (("falls", (300, 200, 100)), ("rises", (100, 200, 300)))
    ),
    replace(SPOTS, key="no spots", spots={}),
    replace(SPOTS, key="one spot", spots={(0.0, 0.0): 10_000}, note=""),
    Bars(key="none", title="", kind=Kind.COUNT, bars=()),
    Bars(
        key="zeros", title="0", kind=Kind.COUNT, bars=(Bar(label="a", value=0), Bar(label="b" * 90, value=0))
    ),
    Bars(
        key="hundred",
        title="$x$ _{",
        kind=Kind.COUNT,
        bars=tuple(Bar(label=str(n), value=n) for n in range(101)),
    ),
    Dots(key="nobody", title="nobody", kind=Kind.PERCENT, points=()),
    Dots(
        key="crowd",
        title="$" * 99,
        kind=Kind.SECONDS,
        points=tuple(Point(label=f"{EVIL} ${n}$ 😀" * 3, value=n * 9000) for n in range(30)),
    ),
    Trend(key="unknown", title="unknown", kind=Kind.PERCENT, points=(Point(label="a", value=None),)),
    Trend(key="one", title="one", kind=Kind.MONEY, points=(Point(label="a", value=5, low=1, high=9),)),
    Trend(key="no points", title="no points", kind=Kind.COUNT, points=(), breaks=(0,)),
    *(
        Trend(
            key=f"equal {kind} {value}",
            title="equal",
            kind=kind,
            points=tuple(Point(label=label, value=value) for label in QUARTERS),
        )
        for kind in (Kind.POINTS, Kind.PERCENT, Kind.COUNT, Kind.MONEY, Kind.SECONDS)
        for value in (0, 100)
    ),
    # The goal is where the words of a break would be, and the words of money are wider than their place.
    replace(TREND, key="at the top", kind=Kind.MONEY, goal=60, breaks=(2, 3)),
    Dots(
        key="slow",
        title="slow",
        kind=Kind.WORKING,
        points=(
            Point(label="Константин Громов", value=3000, low=2100, high=4500, answers=9),
            Point(label="Ира", value=3000, low=2100, high=4500, answers=9),
        ),
    ),
    replace(
        STACK, key="wordy", whole_title="Сумма выигранных сделок", part_title="Сумма по рекомендации друзей"
    ),
    Stack(
        key="no labels",
        title="",
        kind=Kind.COUNT,
        labels=(),
        whole=(),
        part=(),
        whole_title="",
        part_title="",
    ),
)


def texts_of(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)  # noqa: S314 - it is ours
    return ["".join(of.itertext()).strip() for of in root.iter() if of.tag.endswith("}text")]


def known() -> list[Chart]:
    """Of a made-up report: numbers upright, words lying, people with an odd name."""
    shown = ("surveys.nps.", "surveys.ces_words.distribution")
    return [chart for chart in draw(full(), texts()).charts if chart.key.startswith(shown)]


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    """Every kind of chart, and each that might break one: drawn once."""
    return asyncio.run(svgs([*known(), TREND, STACK, SPOTS, *ODD], WORDS))


def test_a_picture_shows_the_figures_of_its_chart(drawn: dict[str, str]) -> None:
    for chart in known():
        told, shown = texts_of(drawn[chart.key]), plain(chart, WORDS)
        if isinstance(chart, Bars):
            assert {WORDS.count(int(bar.value)) for bar in chart.bars} <= {*told}
            assert {bar.label for bar in chart.bars} <= {*told}
        if isinstance(chart, Dots):
            for point in shown["points"]:
                assert {point["text"], f"{point['interval']}, {point['answers']}"} <= {*told}
    assert {"+20", "+47", "цель +50", "другая шкала", *QUARTERS} <= {*texts_of(drawn["trend"])}
    money = texts_of(drawn["stack"])
    assert {"14,4", "9,4", "17\u00a0%", "цель 20\u00a0%", "Выигранные сделки, млн ₽"} <= {*money}


def test_calls_are_counted_as_reviews_and_not_as_answers() -> None:
    [calls] = [chart for chart in draw(full(), texts()).charts if chart.key == "iqs.by_manager"]
    assert [point["answers"] for point in plain(calls, WORDS)["points"]] == ["проверок 6", "проверок 6"]


async def test_a_poster_tells_how_it_counts_what_it_shows_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: dict[str, Any] = {}

    async def kept(charts: list[Chart], words: Words, **more: str) -> bytes:
        told.update(more)
        return b""

    monkeypatch.setattr(pictures, "png", kept)
    monkeypatch.setattr(pictures, "MOST_CHARTS", 1)
    await pictures.poster(draw(full(), texts()), WORDS)
    assert told["source"].startswith("Оценки: ")
    assert "Рекламации" not in told["source"]


def test_nothing_breaks_a_picture(drawn: dict[str, str]) -> None:
    for chart in ODD:
        assert texts_of(drawn[chart.key]) is not None
    assert "…и ещё 10" in texts_of(drawn["crowd"])
    assert any("$0$" in text for text in texts_of(drawn["crowd"])), "a dollar is no formula"


def places_of(svg: str) -> dict[str, tuple[float, float]]:
    """Where the texts stand, and the width and height of the picture."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - it is ours
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    found = {"": (width, height)}
    for of in root.iter():
        if of.tag.endswith("}text"):
            place = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", of.get("transform", ""))
            at = (
                (float(place[1]), float(place[2]))
                if place
                else (float(of.get("x", 0)), float(of.get("y", 0)))
            )
            found["".join(of.itertext()).strip()] = at
    return found


@pytest.mark.parametrize("kind", [Kind.POINTS, Kind.PERCENT, Kind.COUNT, Kind.MONEY, Kind.SECONDS])
@pytest.mark.parametrize("value", [0, 100])
def test_where_all_values_are_equal_the_axis_is_no_magnifying_glass(
    drawn: dict[str, str], kind: Kind, value: int
) -> None:
    """Two ends that a person tells apart, and nothing that cannot be."""
    told = texts_of(drawn[f"equal {kind} {value}"])
    shown = [one for one in told if re.fullmatch(r"[+−]?\d+(,\d+)?(\s%)?", one)]
    ticks = {float(re.sub(r"[^\d.-]", "", one.replace("−", "-").replace(",", "."))) for one in shown}
    assert len(ticks) > 1
    assert max(ticks) - min(ticks) >= {Kind.POINTS: 10, Kind.PERCENT: 4, Kind.COUNT: 4}.get(kind, 0.5)
    if kind in (Kind.POINTS, Kind.PERCENT, Kind.COUNT):
        assert all(tick == int(tick) for tick in ticks)
    if kind in (Kind.POINTS, Kind.PERCENT):
        assert max(ticks) <= 100
        assert min(ticks) >= (-100 if kind is Kind.POINTS else 0)


def test_the_goal_the_break_and_the_unit_stand_above_what_is_drawn(drawn: dict[str, str]) -> None:
    at = places_of(drawn["at the top"])
    top = min(y for text, (_, y) in at.items() if text and text[0].isdigit() and "₽" not in text)
    goal, other = at["цель 60\u00a0₽"], at["другая шкала"]
    assert goal[1] < other[1] < top, "one under another, all above the axis"
    assert other[0] < at[""][0] * 0.8, "its words end within the picture"


def test_the_words_of_a_point_stand_where_its_line_does_not_come_from(drawn: dict[str, str]) -> None:
    """And none leaves the picture on the right, however long."""
    for key, is_below in (("falls", True), ("rises", False)):
        svg = drawn[key]
        points = [float(y) for y in re.findall(r'<use [^>]*\by="([\d.]+)"', svg)][-3:]
        at = places_of(svg)
        last = at["100 дней" if key == "falls" else "300 дней"]
        assert (last[1] > points[-1]) is is_below
        assert last[0] < at[""][0]


def test_spots_say_of_how_many_they_are_and_that_a_link_is_no_cause(drawn: dict[str, str]) -> None:
    told = texts_of(drawn["spots"])
    assert {SPOTS.note, "NPS", "срок решения рекламации, дней", "10", "8"} <= {*told}
    sizes = re.findall(r'<use [^>]*xlink:href="#([^"]+)"', drawn["spots"])
    assert len({*sizes}) >= 9, "more of them are a larger spot"


def test_a_legend_that_is_too_long_goes_on_below(drawn: dict[str, str]) -> None:
    at = places_of(drawn["wordy"])
    (left, upper), (also_left, lower) = (
        at["Сумма выигранных сделок, млн ₽"],
        at["Сумма по рекомендации друзей"],
    )
    assert (left, upper < lower) == (also_left, True)


def test_a_name_is_worth_more_than_the_figures_of_an_interval_that_is_drawn(drawn: dict[str, str]) -> None:
    told = texts_of(drawn["slow"])
    assert "Константин Громов" in told
    assert told.count("ответов 9") == 2, "and the two are written alike"


def test_pictures_keep_to_the_policy_and_the_theme_of_the_page(drawn: dict[str, str]) -> None:
    whole = "".join(drawn.values())
    assert "style=" not in whole
    assert "<style" not in whole
    ids = re.findall(r'\bid="([^"]*)"', whole)
    assert len(set(ids)) == len(ids)
    for link in re.findall(r'(?:url\(|href=")#([^)"]*)', whole):
        assert link in ids
    root = ElementTree.fromstring(drawn["trend"])  # noqa: S314 - it is ours
    assert (root.get("role"), root.get("aria-label")) == ("img", TREND.title)
    for element in root.iter():
        for paint in ("fill", "stroke"):
            if element.get(paint, "none") != "none":
                assert f"{paint}-" in element.get("class", ""), "its colour would not follow the theme"
    assert set(LIGHT) == set(DARK)
    assert len(set(LIGHT.values())) == len(LIGHT), "or a page could not tell the roles apart"


async def test_a_png_is_as_wide_as_a_phone_and_the_worker_imports_nothing_for_it() -> None:
    drawn = await png([TREND], WORDS, title="ВладАвтоматика", source="Оценки: ответы.")
    assert drawn.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", drawn[16:24])
    assert width == 1080
    assert 400 < height < 1350  # Telegram makes a longer photo narrow.
    assert "matplotlib" not in sys.modules


async def test_who_no_longer_waits_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: asyncio.Queue[asyncio.subprocess.Process] = asyncio.Queue()
    start = asyncio.create_subprocess_exec

    async def watched(*words: str, **how: Any) -> asyncio.subprocess.Process:
        process = await start(*words, **how)
        started.put_nowait(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    drawing = asyncio.create_task(png([TREND], WORDS))
    process = await started.get()
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert process.returncode is not None


async def test_no_charts_take_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere")
    assert await svgs([], WORDS) == {}


@pytest.mark.parametrize(
    ("program", "patience", "said"),
    [
        ("/bin/false", 30, "its process ended with 1"),
        ("/nowhere", 30, "No such file"),
        (sys.executable, 0.01, "within 0.01 seconds"),
    ],
)
async def test_a_picture_that_fails_is_told_and_nothing_hangs(
    monkeypatch: pytest.MonkeyPatch, program: str, patience: float, said: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(PictureError, match=said):
        await png([replace(TREND, title="т" * 100_000)], WORDS, patience=patience)


async def test_of_what_went_wrong_the_kind_is_told_and_nobodys_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "plain", lambda chart, words: {"type": "Иван Петров", "title": ""})
    with pytest.raises(PictureError) as told:
        await png([TREND], WORDS)
    assert str(told.value) == "the picture could not be drawn: its process ended with 1 (KeyError)"
