"""What the storage holds, for people and programs: `export`, `forget`, and what a report is about."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.common import (
    AsJson,
    Config,
    From,
    Out,
    PeriodText,
    To,
    chosen_period,
    read_settings,
    say,
    with_storage,
    write,
)
from worker.cli.usage import WrongUse

if TYPE_CHECKING:
    from datetime import tzinfo

    from storage.database import Database
    from storage.erase import Erasure
    from storage.facts import ExportRow
    from worker.account.account import Account
    from worker.config.settings import Settings
    from worker.reports.build import ReportScope


def export(
    config: Config = None,
    first: From = "",
    last: To = "",
    period: PeriodText = "",
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Every reply of a client, as CSV or (--json) one JSON object a line."""
    from storage.facts import export_rows

    settings = read_settings(config, log_level="warning")
    about = chosen_period(settings, first, last, period)

    async def read(db: "Database") -> "Sequence[ExportRow]":
        return await export_rows(db, about.begins, about.ends)

    rows = with_storage(settings, read)
    write(settings, _as_lines(rows, about.zone) if as_json else _as_csv(rows, about.zone), out)


def forget(
    phone: Annotated[str, typer.Argument(metavar="PHONE", help="The person's number, in any spelling.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person: names, number, words and chats go, scores stay. Asks nothing."""
    from datetime import UTC, datetime

    from storage.erase import erase_person
    from worker.rules.phone import mask, normalise

    settings = read_settings(config, log_level="warning")
    number = normalise(phone, settings.company.holidays or "RU")
    if number is None:
        raise WrongUse(
            "PHONE",
            "это не номер телефона; нужен такой: +79141234567",
            "this is no phone number; expected one such as +79141234567",
        )

    async def erase(db: "Database") -> "Erasure":
        async with db.transaction() as tx:
            return await erase_person(tx, number, datetime.now(UTC))

    erased = with_storage(settings, erase)
    if as_json:
        typer.echo(json.dumps(asdict(erased)))
    else:
        typer.echo(_told(settings, mask(number), erased))


def report_scope(settings: "Settings", account: "Account | None") -> "ReportScope":
    """What a report is about. Before amoCRM answered for the first time there is no account."""
    from worker.reports.build import ReactionTerms
    from worker.staff.scope import promises_of
    from worker.staff.scope import report_scope as scope_from

    return scope_from(
        settings.surveys,
        settings.texts,
        account,
        company=settings.company.name,
        min_answers=settings.reports.min_answers,
        discount=settings.referral.discount,
        referral_period=settings.referral.period,
        promises=promises_of(settings.calendar, settings.complaints),
        reactions=ReactionTerms(settings.calendar, settings.frt.target),
        sales_health=settings.reports.sales_health,
    )


async def scope_of(settings: "Settings", db: "Database") -> "ReportScope":
    """With the ids that amoCRM gave last; no network is needed."""
    from worker.account.dictionaries import recall
    from worker.account.resolve import resolve

    dictionaries = await recall(db)
    return report_scope(settings, resolve(settings, dictionaries) if dictionaries is not None else None)


def _plain(row: "ExportRow", zone: "tzinfo") -> dict[str, Any]:
    """The row with its time as ISO 8601, by the company's clock."""
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return {**values, "received_at": row.received_at.astimezone(zone).isoformat(timespec="seconds")}


def _as_lines(rows: "Sequence[ExportRow]", zone: "tzinfo") -> str:
    return "".join(f"{json.dumps(_plain(row, zone), ensure_ascii=False)}\n" for row in rows)


def _as_csv(rows: "Sequence[ExportRow]", zone: "tzinfo") -> str:
    from storage.facts import ExportRow

    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(ExportRow))
    table.writerows([_cell(value) for value in _plain(row, zone).values()] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _told(settings: "Settings", phone: str, erased: "Erasure") -> str:
    if not erased:
        return say(
            settings,
            f"{phone}: здесь такого номера нет. Если он появится из amoCRM, имя и номер не сохраним.",
            f"{phone}: nobody here has this number. If amoCRM brings it, neither name nor number is kept.",
        )
    return say(
        settings,
        f"{phone}: стёрто. Клиентов: {erased.clients}, контактов: {erased.contacts}, чатов: {erased.chats}, "
        f"ответов: {erased.replies} (оценки остались без имени), входящих сообщений: {erased.messages}. "
        "Карточку в amoCRM, сообщения бота сотрудникам и прежние копии базы удалите сами.",
        f"{phone}: erased. Clients: {erased.clients}, contacts: {erased.contacts}, chats: {erased.chats}, "
        f"replies: {erased.replies} (scores stay without a name), messages as they came: {erased.messages}. "
        "Delete the card in amoCRM, what the bot wrote to staff and older copies of the database yourself.",
    )
