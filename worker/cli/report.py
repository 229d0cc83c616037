"""`sarafan report`: the numbers of a period in one of five faces."""

import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from worker.cli.common import (
    AsJson,
    Config,
    From,
    Out,
    PeriodText,
    To,
    chosen_period,
    fail,
    read_settings,
    say,
    with_storage,
    write,
)
from worker.cli.data import scope_of
from worker.cli.usage import WrongUse

if TYPE_CHECKING:
    from storage.database import Database
    from worker.config.settings import Settings
    from worker.reports.build import Report
    from worker.reports.pictures import PictureError

Face = Literal["text", "json", "xlsx", "html", "png"]
OF_BYTES = ("xlsx", "png")  # a terminal would show them as noise
BY_NAME: Mapping[str, Face] = {
    ".json": "json",
    ".xlsx": "xlsx",
    ".html": "html",
    ".htm": "html",
    ".png": "png",
}
# A program that opens such a file would find no such thing in it.
NEVER = (".pdf", ".doc", ".docx", ".xls", ".csv", ".svg", ".jpg", ".jpeg")


def report(
    config: Config = None,
    first: From = "",
    last: To = "",
    period: PeriodText = "",
    form: Annotated[
        Face | None,
        typer.Option("--format", help="Else what the name of --out ends in, else text."),
    ] = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """The numbers of a period: surveys, complaints, referrals. By default the current quarter so far."""
    if as_json and form not in (None, "json"):
        raise WrongUse(
            "--format",
            f"с --json спорит с «{form}»: оставьте одно",
            f"--json and --format {form} contradict each other",
        )
    face: Face = "json" if as_json else form or _face_of(out)
    if face in OF_BYTES and out is None and sys.stdout.isatty():
        raise WrongUse(
            "--format",
            f"{face} на экран не вывести: добавьте --out ФАЙЛ",
            f"{face} is nothing for a terminal: add --out FILE",
        )
    settings = read_settings(config, log_level="warning")
    about = chosen_period(settings, first, last, period)

    async def build(db: "Database") -> "Report":
        from worker.reports.build import build_report

        return await build_report(db, about, await scope_of(settings, db), datetime.now(UTC))

    write(settings, drawn(with_storage(settings, build), settings, face), out)


def _face_of(out: Path | None) -> Face:
    """Whoever writes `--out q3.xlsx` wants a workbook."""
    ending = out.suffix.lower() if out else ""
    if ending in NEVER:
        faces = ", ".join(get_args(Face))
        raise WrongUse(
            "--out",
            f"отчёта в виде {ending} не бывает, а бывает --format {faces}",
            f"there is no report as {ending}, there is --format {faces}",
        )
    return BY_NAME.get(ending, "text")


def drawn(report: "Report", settings: "Settings", face: Face) -> str | bytes:
    texts = settings.texts
    match face:
        case "text":
            from worker.reports.text import as_text

            return f"{as_text(report, texts)}\n"
        case "json":
            from worker.reports.build import as_json

            return f"{json.dumps(as_json(report), ensure_ascii=False, indent=2, allow_nan=False)}\n"
        case "xlsx":
            from worker.reports.draw import draw
            from worker.reports.sheet import as_xlsx

            return as_xlsx(draw(report, texts), texts)
        case "html":
            return _page(report, settings)
        case "png":
            return _poster(report, settings)


def _page(report: "Report", settings: "Settings") -> bytes:
    """With its pictures, or where these fail without them: the figures are in its tables too."""
    from worker.reports.draw import draw
    from worker.reports.page import page
    from worker.reports.pictures import PictureError, svgs
    from worker.reports.words import Words

    texts = settings.texts
    document = draw(report, texts)
    pictures: dict[str, str] = {}
    try:
        pictures = asyncio.run(svgs(document.charts, Words(texts, document.currency)))
    except PictureError as error:
        typer.echo(_undrawn(settings, error), err=True)
    return page(document, texts, pictures=pictures).encode()


def _poster(report: "Report", settings: "Settings") -> bytes:
    from worker.reports.draw import draw
    from worker.reports.pictures import PictureError, poster
    from worker.reports.words import Words

    texts = settings.texts
    document = draw(report, texts)
    try:
        return asyncio.run(poster(document, Words(texts, document.currency)))
    except PictureError as error:
        fail(_undrawn(settings, error))


def _undrawn(settings: "Settings", error: "PictureError") -> str:
    return say(settings, f"Картинка не нарисовалась ({error}).", f"{error}.")
