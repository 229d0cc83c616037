"""What came in and could not be read: `inbox` lists it, and takes it in again."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.common import AsJson, Config, fail, read_settings, say, with_storage
from worker.cli.usage import WrongUse

if TYPE_CHECKING:
    from storage.database import Database
    from storage.tables.queues import Inbox
    from worker.config.settings import Settings


def inbox(
    ids: Annotated[
        list[int] | None,
        typer.Argument(metavar="ID", help="Only these, with --replay. Else all.", show_default=False),
    ] = None,
    config: Config = None,
    replay: Annotated[bool, typer.Option("--replay", metavar="", help="Take it in again.")] = False,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw", metavar="", help="Show it as it came: a client's words, names and numbers too."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what could not be read, or (--replay) have the running worker read it again."""
    if replay and raw:
        raise WrongUse("--raw", "вместе с --replay не работает", "give --raw or --replay, not both")
    if ids and not replay:
        raise WrongUse("ID", "номера нужны только с --replay", "an ID is for --replay")
    settings = read_settings(config, log_level="warning")
    if replay:
        _replay(settings, ids, as_json=as_json)
    else:
        _list(settings, is_raw=raw, as_json=as_json)


def _list(settings: "Settings", *, is_raw: bool, as_json: bool) -> None:
    from storage.inbox import quarantined

    rows = with_storage(settings, quarantined)
    told = [_told(settings, row, is_raw=is_raw) for row in rows]
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    if not rows:
        _say_all_was_read(settings)
        return
    _print_table(settings, rows)
    if is_raw:
        for each in told:
            typer.echo(f"\n{each['id']}:\n{each['raw']}")
    typer.echo(
        say(
            settings,
            "Прочитать ещё раз, например после обновления: sarafan inbox --replay",
            "To read it again, such as after an upgrade: sarafan inbox --replay",
        )
    )


def _say_all_was_read(settings: "Settings") -> None:
    typer.echo(say(settings, "Всё прочитано: ничего не отложено.", "All was read: nothing is put aside."))


def _told(settings: "Settings", row: "Inbox", *, is_raw: bool) -> dict[str, Any]:
    told = {
        "id": row.id,
        "received_at": row.received_at.astimezone(settings.company.timezone).isoformat(timespec="seconds"),
        "channel": row.channel,
        "external_id": row.external_id,
        "kind": row.kind,
        "error": row.error,
    }
    return {**told, "raw": row.raw.decode(errors="backslashreplace")} if is_raw else told


def _print_table(settings: "Settings", rows: "Sequence[Inbox]") -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False)
    for ru, en in (
        ("№", "ID"),
        ("Пришло", "Came"),
        ("Канал", "Channel"),
        ("Почему не прочитано", "Why unread"),
    ):
        table.add_column(say(settings, ru, en), overflow="fold")
    for row in rows:
        came = row.received_at.astimezone(settings.company.timezone).strftime("%d.%m.%Y %H:%M")
        table.add_row(str(row.id), came, row.channel, Text(row.error))
    Console().print(table)


def _replay(settings: "Settings", ids: list[int] | None, *, as_json: bool) -> None:
    from storage.inbox import quarantined, requeue

    async def again(db: "Database") -> tuple[list[int], list[int]]:
        known = {row.id for row in await quarantined(db)}
        unknown = sorted(set(ids or ()) - known)
        if unknown:
            return [], unknown
        async with db.transaction() as tx:
            return await requeue(tx, ids or None), []

    taken, unknown = with_storage(settings, again)
    if unknown:
        listed = ", ".join(map(str, unknown))
        fail(
            say(
                settings,
                f"Не отложено: {listed}. Ничего не изменено; `sarafan inbox` показывает, что отложено.",
                f"Not put aside: {listed}. Nothing was changed; `sarafan inbox` lists what is.",
            )
        )
    if as_json:
        typer.echo(json.dumps({"replayed": taken}))
        return
    if not taken:
        _say_all_was_read(settings)
        return
    typer.echo(
        say(
            settings,
            f"Принято заново: {len(taken)}. Работающий sarafan прочитает это за несколько секунд.",
            f"Taken in again: {len(taken)}. A running sarafan reads it within seconds.",
        )
    )
