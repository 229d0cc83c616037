"""A one-time link by which a colleague becomes staff: what it gives, checked before it is made."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.cli.common import say
from worker.cli.outside import explained
from worker.cli.usage import FAILED, WRONG

if TYPE_CHECKING:
    import httpx

    from integrations.amocrm.names import Named
    from integrations.errors import OutsideError
    from storage.database import Database
    from worker.account.dictionaries import Dictionaries
    from worker.config.settings import Settings

LASTS = timedelta(days=7)
TOKEN_BYTES = 16
BOTS = ("telegram", "max")


class Role(StrEnum):
    OWNER = "owner"
    HEAD = "head"
    CONTROLLER = "controller"
    MANAGER = "manager"
    ADMIN = "admin"


class Refused(Exception):
    """Why nobody was invited or removed: a sentence."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Invitation:
    """The links of one invitation, by channel; `silent`: bots that did not tell their names."""

    links: Mapping[str, str]
    expires_at: datetime
    silent: tuple["OutsideError", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """As it was typed: names or ids of amoCRM."""

    role: str
    name: str = ""
    amocrm_user: str = ""
    pipelines: tuple[str, ...] = ()  # that a head follows; all, if none is named
    managers: tuple[str, ...] = ()


async def make_invitation(
    settings: "Settings",
    db: "Database",
    wanted: Wanted,
    *,
    transports: "Mapping[str, httpx.AsyncBaseTransport] | None" = None,
) -> Invitation:
    """The links are made first, so that an invitation that nobody can open is not kept. Raises Refused."""
    from storage import staff as invited
    from storage.tables.people import InvitedStaff
    from worker.account.dictionaries import recall

    now = datetime.now(UTC)
    await _check_name(settings, db, wanted.name, now)
    known = await recall(db)
    user = _amocrm_user(settings, known, wanted)
    users = known.users if known is not None else None
    managers = [_id(settings, "--manager", one, users) for one in wanted.managers]
    pipelines = [
        _id(settings, "--pipeline", one, known.pipelines if known is not None else None)
        for one in wanted.pipelines
    ]
    token = secrets.token_urlsafe(TOKEN_BYTES)
    links, silent = await _links(settings, token, transports or {})
    if not links:
        raise Refused("\n".join(explained(settings, error) for error in silent))
    row = InvitedStaff(
        token_hash=invited.hashed(token),
        role=wanted.role,
        name=wanted.name,
        amocrm_user=user,
        pipelines=pipelines,
        managers=managers,
        created_at=now,
        expires_at=now + LASTS,
    )
    async with db.transaction() as tx:
        await invited.invite(tx, row)
    return Invitation(links, now + LASTS, tuple(silent))


async def _check_name(settings: "Settings", db: "Database", name: str, now: datetime) -> None:
    """People are told apart by their names."""
    from storage import staff as invited
    from worker.actions.staffing import folded

    async with db.reading() as tx:
        rows = await invited.current(tx, now)
    taken = {folded(one) for one in (*(one.name for one in settings.staff), *(row.name for row in rows))}
    if name and folded(name) in taken:
        raise Refused(
            say(
                settings,
                f"Имя «{name}» уже занято: так зовут другого сотрудника или открытое приглашение. Укажите "
                "другое, например с фамилией.",
                f"The name «{name}» is taken by another of the staff or an open invitation. Give another "
                "one, such as with the surname.",
            ),
            WRONG,
        )


def _amocrm_user(settings: "Settings", known: "Dictionaries | None", wanted: Wanted) -> int | None:
    if wanted.amocrm_user:
        users = known.users if known is not None else None
        return _id(settings, "--amocrm-user", wanted.amocrm_user, users)
    if wanted.role == Role.MANAGER:
        raise Refused(
            say(
                settings,
                "Менеджер видит свои результаты: укажите, кто это в amoCRM, например "
                '--amocrm-user "Олег Смирнов".',
                "A manager sees their own results: say who it is in amoCRM, such as "
                '--amocrm-user "Oleg Smirnov".',
            ),
            WRONG,
        )
    return None


def _id(settings: "Settings", option: str, given: str, candidates: "Sequence[Named] | None") -> int:
    """By what the worker has read of the account; before that only an id can be taken at its word."""
    from integrations.amocrm.names import NameProblem, resolve

    is_pipeline = option == "--pipeline"
    if candidates is None:
        if given.isascii() and given.isdecimal() and 0 < int(given) < 2**63:
            return int(given)
        raise Refused(
            say(
                settings,
                f"{'Воронки' if is_pipeline else 'Имена пользователей'} amoCRM ещё не прочитаны или токену "
                f"не видны: укажите в {option} номер.",
                f"The {'pipelines' if is_pipeline else 'users'} of amoCRM have not been read yet, or the "
                f"token may not see them: give the id in {option}.",
            ),
            WRONG,
        )
    try:
        return resolve(given, candidates)
    except NameProblem as problem:
        what = say(settings, "Воронка", "Pipeline") if is_pipeline else say(settings, "Пользователь", "User")
        sentence = settings.texts.fill("amo.name", name=what, value=given, nearest=", ".join(problem.nearest))
        if problem.twins:
            sentence = say(
                settings,
                f"«{problem.found}» в amoCRM несколько раз. Укажите номер: {problem.twins}",
                f"Several are called «{problem.found}». Give the id: {problem.twins}",
            )
        raise Refused(sentence, WRONG) from None


async def _links(
    settings: "Settings", token: str, transports: "Mapping[str, httpx.AsyncBaseTransport]"
) -> tuple[dict[str, str], list["OutsideError"]]:
    from integrations.channels.base import Linked
    from integrations.channels.registry import open_channel
    from integrations.errors import OutsideError

    names = [name for name in BOTS if name in settings.configured_channels]
    if not names:
        raise Refused(
            say(
                settings,
                "Приглашение открывает бот, а его нет: впишите telegram.token или max.token.",
                "An invitation opens a bot, and there is none: fill in telegram.token or max.token.",
            ),
            WRONG,
        )
    links: dict[str, str] = {}
    silent: list[OutsideError] = []
    for name in names:
        channel = open_channel(name, getattr(settings, name), transport=transports.get(name))
        try:
            if isinstance(channel, Linked):
                links[name] = await channel.deep_link(token)
        except OutsideError as error:
            silent.append(error)
        finally:
            await channel.close()
    return links, silent
