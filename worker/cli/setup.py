"""Is everything right, and if not, what is the remedy? `check`."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from worker.cli.common import AsJson, Config, say
from worker.cli.history import how_far
from worker.cli.outside import happened
from worker.cli.remedies import remedy_for
from worker.cli.staff import joined_by_link
from worker.cli.usage import FAILED, WRONG

if TYPE_CHECKING:
    import httpx

    from integrations.amocrm.auth import TokenStore
    from integrations.amocrm.client import AmoCrm
    from worker.account.account import Account
    from worker.account.dictionaries import Dictionaries
    from worker.config.settings import Settings

MOST_SKEW = timedelta(minutes=1)
SOON, VERY_SOON = 30, 7  # days before the token ends
OWN_BOT_IS_OFF = timedelta(days=60)  # since its last mark


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. A remedy beside `ok` is advice."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def check(config: Config = None, as_json: AsJson = False) -> None:
    """Try every credential, name and channel, and tell the remedy for what is not fine."""
    from worker import log
    from worker.config.load import load
    from worker.config.problems import ConfigProblems

    try:
        settings = load(config, os.environ)
    except ConfigProblems as problems:
        rows = [
            Check(problem.key or "config", False, problem.where, problem.text)
            for problem in problems.problems
        ]
        if as_json:
            typer.echo(_as_json(rows))
        else:
            for problem in problems.problems:
                typer.echo(str(problem), err=True)
        raise typer.Exit(WRONG) from None
    log.set_up("warning", settings.log.format, secrets=settings.secrets())
    rows = asyncio.run(run_checks(settings))
    if as_json:
        typer.echo(_as_json(rows))
    else:
        _print_table(rows, settings)
    raise typer.Exit(0 if all(row.ok for row in rows) else FAILED)


async def run_checks(
    settings: "Settings",
    *,
    transports: "Mapping[str, httpx.AsyncBaseTransport] | None" = None,
    now: datetime | None = None,
    requests_per_second: float = 1,
) -> list[Check]:
    """One request a second, for a worker may be running. `transports` replaces the network in tests."""
    from worker.app import open_amocrm

    transports = transports or {}
    rows = [*_config(settings), await _storage(settings)]
    async with tokens_of(settings) as tokens:
        amocrm = open_amocrm(
            settings,
            tokens,
            requests_per_second=requests_per_second,
            transport=transports.get("amocrm"),
        )
        try:
            rows += [row async for row in _amocrm(settings, amocrm, now or datetime.now(UTC))]
        finally:
            await amocrm.close()
    for name in settings.configured_channels:
        rows.append(await _channel(settings, name, transports.get(name)))
    rows += await _staff(settings)
    if settings.delivery.preview:
        rows.append(await _first_list(settings))
    if settings.amocrm.history_since is not None:
        rows.append(Check("amocrm.history", True, await how_far(settings, settings.amocrm.history_since)))
    return rows


@asynccontextmanager
async def tokens_of(settings: "Settings") -> AsyncIterator["TokenStore"]:
    """The pair of OAuth in the storage itself: what is renewed by us is renewed for the worker too."""
    from storage.database import Database
    from storage.errors import StorageError
    from storage.tokens import NoTokens, Tokens

    if settings.amocrm.token.get_secret_value():
        yield NoTokens()
        return
    try:
        db = await Database.open(settings.storage.url, migrate=False, must_exist=True)
    except StorageError:
        yield NoTokens()  # `sarafan auth` has not been run yet, or `_storage` tells what is wrong.
        return
    try:
        yield Tokens(db, "amocrm")
    finally:
        await db.close()


def _config(settings: "Settings") -> Iterator[Check]:
    surveys = ", ".join(survey.key for survey in settings.surveys)
    yield Check("config", True, say(settings, f"прочитан, опросы: {surveys}", f"read, surveys: {surveys}"))
    for warning in settings.warnings:
        yield Check("config", True, say(settings, "можно лучше", "could be better"), warning)
    free = not settings.amocrm.advertising_consent_field and not settings.referral.channels
    if free and any(survey.promo_in in ("question", "thanks_high") for survey in settings.surveys):
        yield Check("referral", True, "promo_in", settings.texts.fill("law.promo"))


async def _storage(settings: "Settings") -> Check:
    """The database as it is; one that is not there yet is made by the first `run`."""
    from storage.database import Database, parse_url, shown
    from storage.errors import StorageError
    from storage.files import path_of

    parsed = parse_url(settings.storage.url)
    url = shown(parsed)
    path = path_of(parsed) if parsed.get_backend_name() == "sqlite" else None
    if path is not None and not path.exists():
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        if not os.access(folder, os.W_OK):
            return Check("storage", False, url, say(
                settings,
                f"В папку {folder} нельзя писать. Дайте право или укажите другой storage.url.",
                f"The folder {folder} cannot be written to. Allow it or change storage.url.",
            ))  # fmt: skip
        found = say(settings, f"{path} появится при первом запуске", f"{path} is made by the first run")
        # While there is no client's data here yet, the place is still easy to change.
        advice = settings.texts.fill("law.place") if settings.company.holidays == "RU" else ""
        return Check("storage", True, f"{found}, SQLite {sqlite3.sqlite_version}", advice)
    try:
        db = await Database.open(settings.storage.url, migrate=False)
        await db.close()
    except StorageError as error:
        return Check("storage", False, url, error.say(settings.company.language))
    return Check("storage", True, f"{url}, SQLite {sqlite3.sqlite_version}" if path is not None else url)


async def _amocrm(settings: "Settings", amocrm: "AmoCrm", now: datetime) -> AsyncIterator[Check]:
    from integrations.amocrm.auth import token_ends
    from integrations.errors import OutsideError
    from worker.account.dictionaries import read
    from worker.account.resolve import resolve

    try:
        known = await read(amocrm)
    except OutsideError as error:
        yield Check("amocrm", False, happened(settings, error), remedy_for(settings, error))
        return
    account = known.account
    yield Check("amocrm", True, f"«{account.name}», {settings.amocrm.base_url}, {account.timezone}")
    if (ends := token_ends(settings.amocrm.token.get_secret_value())) is not None:
        yield _token(settings, ends - now)
    yield _users(settings, known)
    yield _filter(settings, known)
    yield _clock(settings, known, now)
    for row in _names(settings, resolve(settings, known)):
        yield row
    if (lacking := _lacking(settings, known)) is not None:
        yield lacking
    if (webhook := await _webhook(settings, amocrm)) is not None:
        yield webhook
    yield await _own_bot(settings, amocrm, now)


def _lacking(settings: "Settings", known: "Dictionaries") -> Check | None:
    """What `setup` can create. Whether we can do without it, its own row tells."""
    from worker.cli.lacking import what_is_lacking

    lacking = what_is_lacking(settings, known, ())
    if not lacking.items:
        return None
    names = ", ".join(f"«{item.name}»" for item in lacking.items)
    found = say(settings, f"нет: {names}", f"not there: {names}")
    return Check("amocrm.setup", True, found, say(
        settings, "Покажет и создаст sarafan setup.", "sarafan setup shows and creates it."
    ))  # fmt: skip


async def _webhook(settings: "Settings", amocrm: "AmoCrm") -> Check | None:
    """It only makes the pull faster, so what is not there is advice; None where none is wanted."""
    from integrations.amocrm.setting_up import webhooks
    from integrations.errors import OutsideError
    from worker.cli.lacking import disabled_hook, hook_address

    address = hook_address(settings)
    if not address:
        return None
    name = "amocrm.webhook"
    try:
        ours = next((hook for hook in await webhooks(amocrm) if hook.destination == address), None)
    except OutsideError as error:
        return Check(name, True, say(settings, "не проверить", "cannot be seen"), happened(settings, error))
    if ours is None:
        remedy = say(settings, "Его создаст sarafan setup.", "sarafan setup creates it.")
        return Check(name, True, say(settings, "нет", "none"), remedy)
    if ours.disabled:
        return Check(name, False, say(settings, "отключён", "switched off"), disabled_hook(settings))
    return Check(name, True, ", ".join(ours.settings))


async def _own_bot(settings: "Settings", amocrm: "AmoCrm", now: datetime) -> Check:
    """Does amoCRM's own bot ask for marks? No call tells; its latest mark does."""
    from integrations.amocrm.setting_up import last_own_mark
    from integrations.errors import OutsideError

    name, advice = "amocrm.nps", settings.texts.fill("amo.nps_bot")
    try:
        marked_at = await last_own_mark(amocrm)
    except OutsideError as error:
        return Check(name, True, happened(settings, error), advice)
    if marked_at is None:
        return Check(name, True, say(settings, "оценок не было", "no marks so far"), advice)
    if now - marked_at > OWN_BOT_IS_OFF:
        return Check(name, True, say(settings, "давно молчит", "silent for long"))
    day = f"{marked_at.astimezone(settings.company.timezone):%d.%m.%Y}"
    found = say(settings, f"включён: последняя оценка {day}", f"on: its latest mark is of {day}")
    return Check(name, True, found, advice)


def _token(settings: "Settings", left: timedelta) -> Check:
    days = max(left.days, 0)
    found = say(settings, f"действует ещё дней: {days}", f"days left: {days}")
    if days > SOON:
        return Check("amocrm.token", True, found)
    return Check("amocrm.token", days > VERY_SOON, found, settings.texts.fill("amo.token_soon", n=days))


def _users(settings: "Settings", known: "Dictionaries") -> Check:
    if known.users is None:
        name = say(settings, "пользователи", "users")
        return Check("amocrm.users", False, "403", settings.texts.fill("amo.rights", name=name))
    active = sum(user.is_active for user in known.users)
    return Check("amocrm.users", True, say(settings, f"активных: {active}", f"active: {active}"))


def _filter(settings: "Settings", known: "Dictionaries") -> Check:
    if known.account.is_filter_enabled is False:
        found = say(settings, "выключена", "off")
        return Check("amocrm.filter", True, found, settings.texts.fill("amo.no_filter"))
    return Check("amocrm.filter", True, say(settings, "есть", "there"))


def _clock(settings: "Settings", known: "Dictionaries", now: datetime) -> Check:
    if known.account.server_time is None:
        return Check(
            "clock", True, say(settings, "amoCRM не сообщает время", "amoCRM does not tell the time")
        )
    skew = now - known.account.server_time
    seconds = round(abs(skew.total_seconds()))
    found = say(settings, f"расхождение с amoCRM, секунд: {seconds}", f"apart from amoCRM by {seconds} s")
    if abs(skew) <= MOST_SKEW:
        return Check("clock", True, found)
    return Check("clock", False, found, settings.texts.fill("clock", n=seconds))


def _names(settings: "Settings", account: "Account") -> Iterator[Check]:
    for problem in account.problems:
        yield Check(problem.key, False, problem.where, problem.text)
    for warning in account.warnings:
        yield Check("names", True, say(settings, "работаем без этого", "we work without it"), warning)
    if not account.problems and account.complaints_pipeline is not None:
        pipeline = account.pipelines[account.complaints_pipeline]
        found = say(
            settings, f"все найдены, рекламации: «{pipeline}»", f"all found, complaints: «{pipeline}»"
        )
        yield Check("names", True, found)


async def _channel(settings: "Settings", name: str, transport: "httpx.AsyncBaseTransport | None") -> Check:
    from integrations.channels.base import Linked, Stoppable
    from integrations.channels.registry import open_channel
    from integrations.errors import OutsideError

    channel = open_channel(name, getattr(settings, name), transport=transport)
    try:
        await channel.start()
        if isinstance(channel, Stoppable):
            await channel.check_state()
        found = (await channel.deep_link("x")).partition("?")[0] if isinstance(channel, Linked) else "ok"
    except OutsideError as error:
        return Check(name, False, happened(settings, error), remedy_for(settings, error))
    finally:
        await channel.close()
    return Check(name, True, found)


async def _staff(settings: "Settings") -> list[Check]:
    """Who they are, and whether somebody has the name that `escalate_to` gives."""
    from worker.account.people import unknown_superior

    people: list[tuple[str, str]] = [(person.name, person.role) for person in settings.staff]
    people += [(person.name, person.role) for person in await joined_by_link(settings)]
    wanted = settings.complaints.escalate_to
    unknown = unknown_superior(wanted, [name for name, _ in people])
    rows = [_found_staff(settings, [f"{name} ({role})" for name, role in people])]
    if unknown is not None:
        text = unknown.say(settings.company.language)
        rows.append(Check("complaints.escalate_to", False, f"«{wanted}»", f"{text[:1].upper()}{text[1:]}"))
    return rows


def _found_staff(settings: "Settings", people: Sequence[str]) -> Check:
    if people:
        return Check("staff", True, ", ".join(people))
    remedy = say(
        settings,
        'Добавьте [[staff]] с role = "head" или пригласите (sarafan staff invite --role head): там увидят '
        "низкие оценки.",
        'Add a [[staff]] with role = "head" or invite one (sarafan staff invite --role head): low scores go '
        "there.",
    )
    return Check("staff", False, say(settings, "никого", "nobody"), remedy)


async def _first_list(settings: "Settings") -> Check:
    """That it waits for a head is as it should be, unless there is nobody who could see it."""
    from worker.cli import rollout

    seen = await rollout.look(settings)
    if seen.word is not None:
        return Check("delivery.preview", True, rollout.opened(settings, seen.word))
    if seen.has_leader:
        return Check("delivery.preview", True, rollout.closed(settings))
    remedy = say(
        settings,
        'Добавьте [[staff]] с role = "head" и telegram_id или пригласите: sarafan staff invite --role head.',
        'Add a [[staff]] with role = "head" and telegram_id, or invite one: sarafan staff invite '
        "--role head.",
    )
    nobody = say(settings, "первый список некому показать", "there is nobody to see the first list")
    return Check("delivery.preview", False, nobody, remedy)


def _as_json(rows: list[Check]) -> str:
    answer = {"ok": all(row.ok for row in rows), "checks": [asdict(row) for row in rows]}
    return json.dumps(answer, ensure_ascii=False, indent=2)


def _print_table(rows: list[Check], settings: "Settings") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", *say(settings, "что,найдено,что сделать", "what,found,what to do").split(",")):
        table.add_column(title, overflow="fold")
    for row in rows:
        mark = Text("✓", style="green") if row.ok and not row.remedy else Text("!", style="yellow")
        mark = mark if row.ok else Text("✗", style="red")
        table.add_row(mark, *(Text(cell) for cell in (row.name, row.found, row.remedy)))
    console = Console(highlight=False)
    console.print(table)
    wrong = sum(not row.ok for row in rows)
    console.print(settings.texts.fill("check.todo", n=wrong) if wrong else settings.texts.fill("check.ok"))
