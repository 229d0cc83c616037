"""`python -m tests.shots`: the pictures of reports in docs/, anew. Needs a Chromium, and takes a minute."""

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment

from integrations.channels.base import Outgoing
from storage.database import Database
from tests.shots.browser import browser, small
from tests.shots.company import CONFIG, NOW, fill, has_people
from tests.world import World, world
from worker.account.people import Staff
from worker.actions.desks import desk_for
from worker.actions.send_digest import DIGEST, LETTER, MAKE, QUARTER
from worker.reports.build import build_report
from worker.reports.draw import draw
from worker.reports.page import page
from worker.reports.pictures import poster, svgs
from worker.reports.words import Words
from worker.rules.calendar import parse_period
from worker.rules.digest import occasion_of

DOCS = Path(__file__).parents[2] / "docs"
PERIOD = "2026Q3"
PHONE, DESK = 390, 1280  # pixels
WEEK, MONTH = date(2026, 9, 28), date(2026, 10, 1)
MESSAGES = Path(__file__).parent / "messages.html"


@dataclass(frozen=True, slots=True)
class Message:
    """As a messenger shows it: the picture, the words, and buttons below."""

    picture: str
    text: str
    rows: tuple[tuple[str, ...], ...]


async def made(folder: Path) -> None:
    """Everything to be photographed, as files in this folder, and pictures that are ready."""
    db = await Database.open(f"sqlite:///{folder / 'made.db'}")
    try:
        async with world(db, folder, now=NOW, before=has_people, **CONFIG) as town:
            await fill(db, town.amocrm, town.app.hands.texts)
            await _pages(town, folder)
            await _digests(town, folder)
    finally:
        await db.close()


async def _pages(town: World, folder: Path) -> None:
    hands = town.app.hands
    desk = desk_for(hands, _who(town, "owner"))
    words = Words(hands.texts, desk.scope.currency)
    report = await build_report(hands.db, parse_period(PERIOD, desk.zone), desk.scope, desk.now)
    document = draw(report, hands.texts)
    pictures = await svgs(document.charts, words)
    (folder / "page.html").write_text(page(document, hands.texts, pictures=pictures), encoding="utf-8")
    (DOCS / "report.png").write_bytes(small(await poster(document, words), colours=32, wide=540))


async def _digests(town: World, folder: Path) -> None:
    head, boss = _who(town, "head"), _who(town, "owner")
    for name, asked in {
        "week": [(DIGEST, WEEK, head)],
        "month": [(DIGEST, MONTH, boss), (LETTER, MONTH, boss)],
        "quarter": [(QUARTER, MONTH, boss)],
    }.items():
        messages = []
        for what, day, person in asked:
            terms = town.app.hands.reports
            occasion = occasion_of(day, terms.weekly, terms.monthly, town.app.hands.calendar.zone)
            assert occasion is not None
            sent = await MAKE[what](town.app.hands, person, occasion)
            assert sent is not None, what
            messages.append(_message(sent, folder / f"{name}-{what}.png"))
        template = Environment(autoescape=True).from_string(MESSAGES.read_text(encoding="utf-8"))
        (folder / f"{name}.html").write_text(template.render(messages=messages), encoding="utf-8")


def _message(sent: Outgoing, picture: Path) -> Message:
    if sent.picture:
        picture.write_bytes(sent.picture)
    rows = tuple(tuple(button.text for button in row) for row in sent.buttons)
    return Message(picture.name if sent.picture else "", sent.text, rows)


def _who(town: World, role: str) -> Staff:
    return next(one for one in town.app.hands.known.staff if one.role == role)


def shoot(folder: Path) -> None:
    with browser() as seen:
        for name, wide, high in (("phone", PHONE, 1900), ("desktop", DESK, 1500)):
            for dark in (False, True):
                png = seen.shot(folder / "page.html", wide=wide, high=high, dark=dark)
                _keep(f"report-page-{name}{'-dark' if dark else ''}", png)
        for name in ("week", "month", "quarter"):
            _keep(f"digest-{name}", seen.shot(folder / f"{name}.html", wide=PHONE))


def _keep(name: str, png: bytes) -> None:
    (DOCS / f"{name}.png").write_bytes(small(png))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sarafan-shots-") as folder:
        asyncio.run(made(Path(folder)))
        shoot(Path(folder))


if __name__ == "__main__":
    main()
