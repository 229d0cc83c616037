"""Who is staff, one-time links by which colleagues join without copying ids, and who leaves: `staff`."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.common import AsJson, Config, fail, read_settings, say, with_storage
from worker.cli.inviting import Invitation, Refused, Role, Wanted, make_invitation
from worker.cli.outside import explained
from worker.cli.usage import Command, Commands

if TYPE_CHECKING:
    from pathlib import Path

    from storage.database import Database
    from storage.tables.people import InvitedStaff
    from worker.account.dictionaries import Dictionaries
    from worker.config.settings import Settings

staff = typer.Typer(
    cls=Commands,
    help=(
        "List the staff; invite a colleague by a one-time link, or remove one who was invited.\n\n"
        "People of [[staff]] in the config file are added and removed there. Everything works beside a "
        "running worker, which knows at once."
    ),
    epilog="Such as: sarafan staff invite --role head --name Anna",
)


@staff.callback(invoke_without_command=True)
def list_staff(context: typer.Context, config: Config = None, as_json: AsJson = False) -> None:
    """List the staff; invite a colleague by a one-time link, or remove one who was invited."""
    context.obj = config
    if context.invoked_subcommand is not None:
        return
    settings = read_settings(config, log_level="warning")
    invited, known = with_storage(settings, _current)
    rows = [*_of_settings(settings), *(_as_row(settings, row, known) for row in invited)]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        _print(settings, rows)


@staff.command(cls=Command)
def invite(
    context: typer.Context,
    role: Annotated[
        Role,
        typer.Option(
            "--role",
            help="owner and head get the alerts; controller sees numbers without names; manager their own "
            "results; admin hears of trouble with the installation.",
        ),
    ],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Else what the messenger calls the account.")
    ] = "",
    amocrm_user: Annotated[
        str,
        typer.Option(
            "--amocrm-user",
            metavar="USER",
            help="Name or id in amoCRM: who becomes responsible when they take a complaint; for a manager, "
            "whose results they see.",
        ),
    ] = "",
    pipelines: Annotated[
        list[str] | None,
        typer.Option(
            "--pipeline", metavar="PIPELINE", help="That a head follows, else all; repeat it for several."
        ),
    ] = None,
    managers: Annotated[
        list[str] | None,
        typer.Option(
            "--manager", metavar="USER", help="Whom a head follows, else all; repeat it for several."
        ),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Print a one-time link; whoever opens it within seven days is staff with this role."""
    settings = read_settings(_config(context, config), log_level="warning")
    wanted = Wanted(
        role=role.value,
        name=" ".join(name.split()),
        amocrm_user=amocrm_user.strip(),
        pipelines=tuple(one.strip() for one in pipelines or ()),
        managers=tuple(one.strip() for one in managers or ()),
    )
    try:
        made = with_storage(settings, lambda db: make_invitation(settings, db, wanted))
    except Refused as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(problem.exit_code) from None
    _show(settings, wanted, made, as_json=as_json)
    for trouble in made.silent:
        typer.echo(explained(settings, trouble), err=True)


@staff.command(cls=Command)
def remove(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="As `sarafan staff` shows it; also an open invitation.")
    ],
    config: Config = None,
) -> None:
    """Remove somebody who was invited: alerts, commands and buttons end at once."""
    settings = read_settings(_config(context, config), log_level="warning")
    try:
        removed = with_storage(settings, lambda db: remove_invited(settings, db, name))
    except Refused as problem:
        fail(problem)
    typer.echo(say(settings, f"{removed}: больше не сотрудник.", f"{removed} is staff no more."))


def _config(context: typer.Context, own: "Path | None") -> "Path | None":
    """`sarafan staff --config FILE invite` and `sarafan staff invite --config FILE` are the same."""
    given: Path | None = own or context.obj
    return given


def _show(settings: "Settings", wanted: Wanted, made: Invitation, *, as_json: bool) -> None:
    expires = made.expires_at.astimezone(settings.company.timezone)
    if as_json:
        told = {
            "role": wanted.role,
            "name": wanted.name,
            "expires_at": expires.isoformat(timespec="seconds"),
            "links": [{"channel": channel, "url": url} for channel, url in made.links.items()],
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for channel, url in made.links.items():
        typer.echo(f"{settings.texts.fill(f'channel.{channel}')}: {url}")
    role = settings.texts.fill(f"role.{wanted.role}")
    typer.echo(
        say(
            settings,
            f"Отправьте ссылку коллеге. Кто откроет её первым, станет сотрудником ({role}). Она сработает "
            f"один раз, до {expires:%d.%m.%Y %H:%M}.",
            f"Send the link to your colleague. Whoever opens it first becomes staff ({role}). It works once, "
            f"until {expires:%Y-%m-%d %H:%M}.",
        )
    )


# --- remove ----------------------------------------------------------------------------------------------


async def remove_invited(settings: "Settings", db: "Database", name: str) -> str:
    """Gives the name as it was kept. Raises Refused."""
    from storage import staff as invited
    from worker.actions.staffing import folded

    now, wanted = datetime.now(UTC), folded(name)
    async with db.transaction() as tx:
        rows = await invited.current(tx, now)
        found = next((row for row in rows if wanted == folded(_name(row))), None)
        if found is not None:
            await invited.remove(tx, found.id or 0)
            return _name(found)
    if any(folded(one.name) == wanted for one in settings.staff):
        raise Refused(
            say(
                settings,
                f"«{name}» стоит в файле настроек: уберите оттуда этот [[staff]] и перезапустите "
                "sarafan run.",
                f"«{name}» stands in the config file: take that [[staff]] out and restart sarafan run.",
            )
        )
    known = ", ".join(map(_name, rows)) or say(settings, "никого", "nobody")
    raise Refused(
        say(
            settings,
            f"Приглашённых с именем «{name}» нет. Приглашены: {known}.",
            f"Nobody who was invited is called «{name}». Invited: {known}.",
        )
    )


def _name(row: "InvitedStaff") -> str:
    return row.name or f"№ {row.id}"


# --- the list --------------------------------------------------------------------------------------------


async def _current(db: "Database") -> tuple[Sequence["InvitedStaff"], "Dictionaries | None"]:
    from storage import staff as invited
    from worker.account.dictionaries import recall

    async with db.reading() as tx:
        rows = await invited.current(tx, datetime.now(UTC))
    return rows, await recall(db)


async def joined_by_link(settings: "Settings") -> Sequence["InvitedStaff"]:
    """Nobody where there is no storage yet, or none that can be read: another check tells of that."""
    from storage import staff as invited
    from storage.database import Database
    from storage.errors import StorageError

    try:
        db = await Database.open(settings.storage.url, migrate=False, must_exist=True)
    except StorageError:
        return ()
    try:
        async with db.reading() as tx:
            return await invited.joined(tx)
    finally:
        await db.close()


def _of_settings(settings: "Settings") -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "role": one.role,
            "telegram_id": one.telegram_id or None,
            "max_id": one.max_id or None,
            "pipelines": list(one.pipelines),
            "managers": list(one.managers),
            "amocrm_user": one.amocrm_user or None,
            "from": "config",
            "expires_at": None,
        }
        for one in settings.staff
    ]


def _as_row(settings: "Settings", row: "InvitedStaff", known: "Dictionaries | None") -> dict[str, Any]:
    """`from` is where they come from: an open invitation is nobody yet."""
    pipelines = {one.id: one.name for one in known.pipelines} if known is not None else {}
    users = {one.id: one.name for one in known.users or ()} if known is not None else {}
    expires = row.expires_at.astimezone(settings.company.timezone).isoformat(timespec="seconds")
    return {
        "name": _name(row),
        "role": row.role,
        "telegram_id": int(row.chat_id or 0) if row.channel == "telegram" else None,
        "max_id": int(row.chat_id or 0) if row.channel == "max" else None,
        "pipelines": [pipelines.get(one, str(one)) for one in row.pipelines],
        "managers": [users.get(one, str(one)) for one in row.managers],
        "amocrm_user": str(row.amocrm_user) if row.amocrm_user else None,
        "from": "link" if row.joined_at is not None else "invitation",
        "expires_at": None if row.joined_at is not None else expires,
    }


def _print(settings: "Settings", rows: Sequence[Mapping[str, Any]]) -> None:
    texts = settings.texts
    table = [
        (
            str(row["name"]),
            texts.fill(f"role.{row['role']}"),
            _met(settings, row),
            ", ".join((*row["pipelines"], *row["managers"])) or say(settings, "все воронки", "all pipelines"),
        )
        for row in rows
    ]
    widths = [max((len(line[column]) for line in table), default=0) for column in range(4)]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
    if not table:
        typer.echo(say(settings, "Сотрудников пока нет.", "There is no staff yet."))
    typer.echo(
        say(
            settings,
            "Пригласить коллегу: sarafan staff invite --role head",
            "To invite a colleague: sarafan staff invite --role head",
        )
    )


def _met(settings: "Settings", row: Mapping[str, Any]) -> str:
    if row["from"] == "invitation":
        until = datetime.fromisoformat(row["expires_at"])
        return say(settings, f"приглашение до {until:%d.%m %H:%M}", f"invited until {until:%m-%d %H:%M}")
    met = {"telegram": row["telegram_id"], "max": row["max_id"]}
    return ", ".join(
        f"{settings.texts.fill(f'channel.{channel}')} {number}" for channel, number in met.items() if number
    )
