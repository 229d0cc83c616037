"""The same report in its five faces: what a sentence and a picture say is what tables, sheets and pages hold.

Tables are compared with the JSON in test_draw and test_figures, sheets and pages with the tables in
test_sheet and test_page, cell by cell; here text and pictures are.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.reports.made import ALL, full, texts
from worker.reports.build import Report
from worker.reports.document import Bars, Chart, Document, Dots, Kind, Stack, Table, Trend
from worker.reports.draw import draw
from worker.reports.pictures import plain
from worker.reports.text import as_text, section_text
from worker.reports.words import MINUTE, Words

WORDS = Words(texts())
every_report = pytest.mark.parametrize("made", ALL.values(), ids=ALL.keys())


def of_section(document: Document, key: str) -> tuple[str, Table]:
    """Its text, and its table of figures."""
    [section] = [section for section in document.sections if section.key == key]
    return section_text(section), section.tables[0]


Write = Callable[[Any], str]
POINTS: Write = WORDS.points
COUNT: Write = WORDS.count
SHARE: Write = WORDS.share
BARE: Write = WORDS.bare
MEAN: Write = WORDS.decimal
MONEY: Write = WORDS.money
AGE: Write = WORDS.lasting


def tenth(percent: float) -> str:
    return WORDS.share(percent, 1)


SENTENCES: list[tuple[str, str, dict[str, Write]]] = [
    (
        "surveys.nps",
        "NPS {score} (от {ci95_low} до {ci95_high})",
        dict.fromkeys(("score", "ci95_low", "ci95_high"), POINTS),
    ),
    ("surveys.nps", "Ответов: {answered}.", {"answered": COUNT}),
    ("surveys.nps", "Средняя оценка {mean} из 10", {"mean": MEAN}),
    (
        "surveys.nps",
        ": {previous}, ответов {previous_answered}.",
        {"previous": POINTS, "previous_answered": COUNT},
    ),
    (
        "surveys.nps",
        "Спросили {sent} из {eligible}, ответили ",
        {"sent": COUNT, "eligible": COUNT},
    ),
    ("surveys.nps", " ({response_rate}), ещё собираем", {"response_rate": SHARE}),
    ("surveys.nps", "Доставлено {delivered}", {"delivered": COUNT}),
    ("surveys.nps", "прочитано {read}", {"read": COUNT}),
    ("surveys.nps", "Дошло ли, неизвестно: {uncertain}.", {"uncertain": COUNT}),
    (
        "surveys.csat",
        "довольны {satisfied_share} (от {ci95_low} до {ci95_high})",
        {"satisfied_share": SHARE, "ci95_low": BARE, "ci95_high": SHARE},
    ),
    (
        "complaints",
        "Поступило {opened}, закрыто {closed}, открыто сейчас {open_now}.",
        dict.fromkeys(("opened", "closed", "open_now"), COUNT),
    ),
    (
        "complaints",
        "в среднем {resolution_mean}; половину — за {resolution_median}, 9 из 10 — за {resolution_p90}.",
        dict.fromkeys(("resolution_mean", "resolution_median", "resolution_p90"), AGE),
    ),
    ("complaints", "Самая старая открыта {oldest_open}.", {"oldest_open": AGE}),
    (
        "referrals",
        "По рекомендации {referral_deals} из {won_deals}",
        {"referral_deals": COUNT, "won_deals": COUNT},
    ),
    (
        "referrals",
        ": {share} (от {share_low} до {share_high})",
        {"share": tenth, "share_low": BARE, "share_high": SHARE},
    ),
    (
        "referrals",
        "На {referral_amount} из {won_amount}: {share_amount}.",
        {"referral_amount": MONEY, "won_amount": MONEY, "share_amount": tenth},
    ),
    (
        "referrals",
        "Кодов для друзей выдано {codes_issued}, сработало {codes_redeemed} ({redemption_rate}).",
        {"codes_issued": COUNT, "codes_redeemed": COUNT, "redemption_rate": tenth},
    ),
]


@pytest.mark.parametrize(("key", "sentence", "figures"), SENTENCES)
def test_a_sentence_says_the_figures_of_the_table(key: str, sentence: str, figures: dict[str, Write]) -> None:
    text, table = of_section(draw(full(), texts()), key)
    said = {name: write(table.column(name)[0]) for name, write in figures.items()}
    assert sentence.format(**said).replace("\u00a0", " ") in text.replace("\u00a0", " ")


@every_report
def test_the_text_is_the_document_in_lines(made: Callable[[], Report]) -> None:
    report = made()
    document = draw(report, texts())
    blocks = as_text(report, texts()).split("\n\n")
    told = [section for section in document.sections if section.lines]
    assert blocks[0].startswith(document.title)
    assert blocks[1 : len(told) + 1] == [section_text(section) for section in told]


@every_report
def test_a_picture_is_drawn_from_the_figures_that_it_writes(made: Callable[[], Report]) -> None:
    for chart in draw(made(), texts()).charts:
        shown = plain(chart, WORDS)
        assert values_of(shown) == pytest.approx(figures_of(chart))


def figures_of(chart: Chart) -> list[float]:
    match chart:
        case Bars():
            return [bar.value for bar in chart.bars]
        case Dots() | Trend():
            ends = [(point.value, point.low, point.high) for point in chart.points]
            unit = MINUTE if chart.kind is Kind.WORKING else 1  # reactions are read in minutes
            return [end / unit for point in ends for end in point if end is not None]
        case Stack():
            # The picture counts in millions, which its shares do not show.
            return [part / whole for part, whole in zip(chart.part, chart.whole, strict=True) if whole]
        case _:
            raise TypeError(chart)


def values_of(shown: dict[str, Any]) -> list[float]:
    if "bars" in shown:
        return [bar["value"] for bar in shown["bars"]]
    if "shares" in shown:
        return [share / 100 for share in shown["shares"] if share is not None]
    ends = [(point["value"], point["low"], point["high"]) for point in shown["points"]]
    return [end for point in ends for end in point if end is not None]
