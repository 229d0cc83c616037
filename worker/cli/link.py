"""A deal's links to the bots, and their QR pictures for a business card or a signed act: `link`."""

import json
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.common import AsJson, Config, fail, read_settings, say, unwritable, with_storage
from worker.cli.outside import explained
from worker.cli.usage import FAILED, WRONG, WrongUse

if TYPE_CHECKING:
    import httpx
    import segno

    from integrations.errors import OutsideError
    from storage.database import Database
    from worker.config.settings import Settings

CARD = re.compile(r"/leads/detail/(\d+)")
PICTURES = ("png", "svg")
PIXELS = 12  # of one square of a PNG: 37 squares come to 4 cm at 300 dpi
DPI = 300

Folder = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Put the QR pictures there, as PNG and SVG."),
]


@dataclass(frozen=True, slots=True)
class Link:
    """One bot's link for one deal."""

    channel: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Links:
    """What could be made, and which bots did not tell their names."""

    found: tuple[Link, ...]
    silent: tuple["OutsideError", ...] = ()


class NoLink(Exception):
    """Why this deal has no link: a sentence with the remedy."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def link(
    deal: Annotated[
        str, typer.Argument(metavar="DEAL", help="The deal's id in amoCRM, or the address of its card.")
    ],
    config: Config = None,
    out: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print a deal's links to the bots with their QR codes."""
    from integrations.errors import OutsideError

    deal_id = number_of(deal)
    settings = read_settings(config, log_level="warning")
    try:
        links = with_storage(settings, lambda db: make_links(settings, db, deal_id))
    except NoLink as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(problem.exit_code) from None
    except OutsideError as error:
        fail(explained(settings, error))
    files = {one.channel: draw(settings, one, deal_id, out) for one in links.found} if out is not None else {}
    if as_json:
        rows = [
            {
                "channel": one.channel,
                "url": one.url,
                "files": [str(file) for file in files.get(one.channel, ())],
            }
            for one in links.found
        ]
        typer.echo(json.dumps({"deal_id": deal_id, "links": rows}, ensure_ascii=False, indent=2))
    else:
        show(settings, links.found, files)
    for trouble in links.silent:
        typer.echo(explained(settings, trouble), err=True)
    if links.silent:
        raise typer.Exit(FAILED)


def number_of(text: str) -> int:
    """The deal's id: as it is, or out of the card's address."""
    found = CARD.search(text)
    digits = found[1] if found else text.strip().removeprefix("#")
    if not digits.isascii() or not digits.isdecimal() or not 0 < int(digits) < 2**63:
        raise WrongUse(
            "DEAL",
            f"«{text}» — не сделка; нужен её номер, например 501, или адрес карточки",
            f"'{text}' is no deal; expected its id, such as 501, or the address of its card",
        )
    return int(digits)


async def make_links(
    settings: "Settings",
    db: "Database",
    deal_id: int,
    *,
    transports: "Mapping[str, httpx.AsyncBaseTransport] | None" = None,
) -> Links:
    """Every configured bot's link. Raises NoLink, and what amoCRM's client raises for a deal that is new.

    `transports` replaces the network in tests.
    """
    from integrations.channels.base import Linked
    from integrations.channels.registry import open_channel
    from integrations.errors import OutsideError

    transports = transports or {}
    channels = [
        open_channel(name, getattr(settings, name), transport=transports.get(name))
        for name in settings.channels
    ]
    found: list[Link] = []
    silent: list[OutsideError] = []
    try:
        bots = [channel for channel in channels if isinstance(channel, Linked)]
        if not bots:
            raise NoLink(_no_bot(settings), WRONG)
        token = await _token(settings, db, deal_id, transports.get("amocrm"))
        for channel in channels:
            if not isinstance(channel, Linked):
                continue
            try:
                url = await channel.deep_link(token)
            except OutsideError as error:
                silent.append(error)
            else:
                found.append(Link(channel.name, settings.texts.fill(f"channel.{channel.name}"), url))
    finally:
        for channel in channels:
            await channel.close()
    return Links(tuple(found), tuple(silent))


async def _token(
    settings: "Settings", db: "Database", deal_id: int, transport: "httpx.AsyncBaseTransport | None"
) -> str:
    """The deal's own, made now where it has none, as the pull makes it; then the worker writes the link
    into the card."""
    from storage import deals, outbox
    from worker.actions import keys
    from worker.flows.pull import TOKEN_BYTES

    async with db.reading() as tx:
        deal = await deals.deal(tx, deal_id)
    if deal is None:
        await _take_in(settings, db, deal_id, transport)
    elif deal.is_deleted:
        raise NoLink(_no_deal(settings, deal_id))
    elif deal.link_token:
        return deal.link_token
    now = datetime.now(UTC)
    async with db.transaction() as tx:
        await deals.give_tokens(tx, {deal_id: secrets.token_urlsafe(TOKEN_BYTES)})
        payloads = {keys.sync_deal(deal_id): {"deal_id": deal_id}}
        await outbox.ask_all_again(tx, "sync_deal", payloads, now, now)
    async with db.reading() as tx:
        deal = await deals.deal(tx, deal_id)  # A worker may have been faster: its token counts.
    if deal is None or not deal.link_token:
        raise NoLink(_no_deal(settings, deal_id))
    return deal.link_token


async def _take_in(
    settings: "Settings", db: "Database", deal_id: int, transport: "httpx.AsyncBaseTransport | None"
) -> None:
    """A deal that the worker has not read yet."""
    from storage import deals
    from storage.tokens import Tokens
    from worker.account.dictionaries import recall
    from worker.account.resolve import resolve
    from worker.actions.reading import deal_from
    from worker.app import open_amocrm

    remembered = await recall(db)
    complaints = resolve(settings, remembered).complaints_pipeline if remembered is not None else None
    amocrm = open_amocrm(settings, Tokens(db, "amocrm"), requests_per_second=1, transport=transport)
    try:
        lead = await amocrm.lead(deal_id)
    finally:
        await amocrm.close()
    if lead is None or lead.is_deleted:
        raise NoLink(_no_deal(settings, deal_id))
    if lead.pipeline_id == complaints:
        raise NoLink(say(
            settings,
            f"Сделка {deal_id} — рекламация, у неё нет своей ссылки. Укажите сделку, о которой она.",
            f"Deal {deal_id} is a complaint and has no link of its own. Name the deal that it is about.",
        ))  # fmt: skip
    async with db.transaction() as tx:
        await deals.save_page(tx, [deal_from(lead)], datetime.now(UTC))


def _no_deal(settings: "Settings", deal_id: int) -> str:
    return say(
        settings,
        f"Сделки {deal_id} в amoCRM нет, или токен её не видит. Номер стоит в адресе карточки: "
        f"{settings.amocrm.base_url}/leads/detail/…",
        f"amoCRM has no deal {deal_id}, or the token may not see it. The id stands in the card's address: "
        f"{settings.amocrm.base_url}/leads/detail/…",
    )


def _no_bot(settings: "Settings") -> str:
    return say(
        settings,
        "Ссылку открывает бот, а его нет: впишите telegram.token или max.token и оставьте этот мессенджер "
        "в delivery.channels.",
        "A link opens a bot, and there is none: fill in telegram.token or max.token, and keep that messenger "
        "in delivery.channels.",
    )


# How it is shown


def qr_of(link: Link) -> "segno.QRCode":
    import segno

    # Level M survives a scratch on a card and keeps the squares large; a Micro QR code few phones read.
    return segno.make(link.url, error="m", micro=False)


def draw(settings: "Settings", link: Link, deal_id: int, folder: Path) -> tuple[Path, ...]:
    """PNG and SVG in the folder, which is made if need be; each whole or not at all."""
    code = qr_of(link)
    files = tuple(folder / f"deal-{deal_id}-{link.channel}.{kind}" for kind in PICTURES)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            part = file.with_name(f"{file.name}.part")
            try:
                with part.open("wb") as stream:
                    options = {"dpi": DPI} if file.suffix == ".png" else {"title": link.url, "unit": "mm"}
                    scale = PIXELS if file.suffix == ".png" else 1
                    code.save(stream, kind=file.suffix[1:], scale=scale, **options)
                part.replace(file)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        fail(unwritable(settings, error.filename or folder, error))
    return files


def show(settings: "Settings", links: Sequence[Link], files: Mapping[str, Sequence[Path]]) -> None:
    for one in links:
        typer.echo(f"{one.title}: {one.url}")
        if drawn := files.get(one.channel):
            typer.echo("\n".join(f"  {file}" for file in drawn))
        else:
            print_code(settings, one)
        typer.echo()
    if links:
        texts = settings.texts
        by_hand = say(settings, "Сообщение клиенту", "A message to the client")
        beside = say(settings, "Подпись к коду", "Beside the code")
        typer.echo(f"{by_hand}: {texts.fill('link.invite', link=links[0].url)}")
        typer.echo(f"{beside}: {texts.fill('print.qr')}")


def print_code(settings: "Settings", link: Link) -> None:
    """In half blocks, which every terminal with Unicode has; a pipe or a file wants the address only."""
    if not sys.stdout.isatty():
        return
    try:
        "█▀▄".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        typer.echo(say(
            settings, "Код здесь не нарисовать: возьмите --out ПАПКА.",
            "The code cannot be drawn here: use --out FOLDER.",
        ))  # fmt: skip
        return
    qr_of(link).terminal(sys.stdout, compact=True)
