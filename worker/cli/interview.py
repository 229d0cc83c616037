"""What a newcomer is asked: the account is read, and its names are chosen by number."""

import asyncio
import re
import secrets as dice
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import typer

from integrations.amocrm.auth import token_ends
from integrations.amocrm.client import AmoCrm
from integrations.errors import AccessDenied, OutsideError, Permanent
from worker.account.dictionaries import Dictionaries, read
from worker.cli.config_text import Answers, given, settings_of
from worker.cli.dialog import Dialog, NotThat
from worker.cli.interview_channels import Transports, ask_channels
from worker.cli.interview_deals import ask_code, ask_complaints, ask_event, ask_fields
from worker.cli.interview_people import ask_heads, ask_telegram_ids
from worker.cli.outside import explained
from worker.config.problems import ConfigProblems


def interview(
    dialog: Dialog,
    environ: Mapping[str, str],
    transports: Transports | None = None,
    *,
    requests_per_second: float = 5,
) -> Answers:
    """Ask everything; nothing is written. `transports` replaces the network in tests."""
    transports = transports or {}
    answers = Answers(language=dialog.language)
    look = partial(_look, transport=transports.get("amocrm"), requests_per_second=requests_per_second)
    known = _account(dialog, answers, environ, look)
    _company(dialog, answers, known)
    _address(dialog, answers, environ)
    ask_channels(dialog, answers, environ, transports)
    ask_complaints(dialog, answers, known)
    ask_event(dialog, answers, known)
    ask_fields(dialog, answers, known, environ)
    ask_code(dialog, answers, known, environ)
    ask_heads(dialog, answers, known)
    ask_telegram_ids(dialog, answers, environ, transports)
    return answers


# amoCRM


def _account(
    dialog: Dialog,
    answers: Answers,
    environ: Mapping[str, str],
    look: Callable[[Answers], Coroutine[None, None, Dictionaries]],
) -> Dictionaries:
    while True:
        if not answers.base_url:
            question = dialog.say("Адрес вашей amoCRM", "The address of your amoCRM")
            answers.base_url = dialog.text(
                f"{question} (example.amocrm.ru)", check=lambda text: site_of(dialog, text)
            )
        if not answers.token:
            answers.token = _token(dialog, environ)
        try:
            settings = settings_of(answers, environ)
        except ConfigProblems as problems:
            for problem in problems.problems:
                typer.echo(f"{problem.key}: {problem.text}")
            answers.base_url = ""
            continue
        try:
            known = asyncio.run(look(answers))
        except OutsideError as error:
            typer.echo(f"✗ {explained(settings, error)}")
            _ask_again(dialog, answers, environ, error)
            continue
        _tell_account(dialog, answers, known)
        return known


def _ask_again(dialog: Dialog, answers: Answers, environ: Mapping[str, str], error: OutsideError) -> None:
    """Forget what was wrong: the token, the address, or nothing where amoCRM just did not answer."""
    if isinstance(error, AccessDenied) and not given(environ, "amocrm.token"):
        answers.token = ""
    elif isinstance(error, Permanent):
        answers.base_url = ""
    else:
        options = [
            dialog.say("попробовать ещё раз", "try once more"),
            dialog.say("ввести другой адрес", "enter another address"),
        ]
        if dialog.choose(dialog.say("Что делать?", "What now?"), options) == 1:
            answers.base_url = ""


def _token(dialog: Dialog, environ: Mapping[str, str]) -> str:
    if token := given(environ, "amocrm.token"):
        dialog.tell("Токен amoCRM взят из окружения.", "amoCRM's token is taken from the environment.")
        return token
    dialog.tell(
        "Долгосрочный токен: amoМаркет → Создать интеграцию → вкладка «Ключи», под администратором. "
        "При вводе он не виден.",
        "A long-lived token: amoMarket, create an integration, the tab Keys, as an administrator. "
        "It is not shown while you paste it.",
    )
    return dialog.secret(dialog.say("Токен", "Token"), check=lambda text: _token_of(dialog, text))


async def _look(
    answers: Answers, *, transport: httpx.AsyncBaseTransport | None, requests_per_second: float
) -> Dictionaries:
    amocrm = AmoCrm(
        answers.base_url, answers.token, requests_per_second=requests_per_second, transport=transport
    )
    try:
        return await read(amocrm)
    finally:
        await amocrm.close()


def _tell_account(dialog: Dialog, answers: Answers, known: Dictionaries) -> None:
    names = ", ".join(f"«{pipeline.name}»" for pipeline in known.pipelines if not pipeline.is_archive)
    people = len([user for user in known.users or () if user.is_active])
    dialog.tell(
        f"✓ «{known.account.name}»: воронки {names}; полей {len(known.lead_fields)}, сотрудников {people}.",
        f"✓ «{known.account.name}»: pipelines {names}; {len(known.lead_fields)} fields, {people} users.",
    )
    if known.users is None:
        dialog.tell(
            "! У токена нет прав администратора: сотрудников не видно, и setup ничего не создаст.",
            "! The token has no administrator's rights: users cannot be seen, and setup creates nothing.",
        )
    if (ends := token_ends(answers.token)) is not None:
        dialog.tell(f"  Токен действует до {ends:%d.%m.%Y}.", f"  The token is good until {ends:%Y-%m-%d}.")


def site_of(dialog: Dialog, text: str) -> str:
    """The account's address out of whatever a person has at hand: a name, a host, a page of the account."""
    typed = text.strip().rstrip("/")
    if re.fullmatch(r"[a-z0-9-]+", typed, re.I):
        typed = f"{typed}.amocrm.ru"
    parts = urlsplit(typed if "://" in typed else f"https://{typed}")
    host = (parts.hostname or "").lower()
    is_fine = parts.scheme in ("http", "https") and ("." in host or host == "localhost")
    if not is_fine or host.startswith("www.") or "@" in parts.netloc:
        raise NotThat(
            dialog.say(
                "Нужен адрес самого аккаунта, как в браузере: https://example.amocrm.ru",
                "The address of the account itself, as in the browser: https://example.amocrm.ru",
            )
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _token_of(dialog: Dialog, text: str) -> str:
    token = text.removeprefix("Bearer ").strip()
    if not token.isascii() or " " in token:
        raise NotThat(
            dialog.say(
                "В токене не бывает пробелов и кириллицы: скопируйте целиком.",
                "A token has no spaces: copy it whole.",
            )
        )
    return token


# The company


def _company(dialog: Dialog, answers: Answers, known: Dictionaries) -> None:
    question = dialog.say("\nКак компания представится клиенту", "\nThe company's name, as clients read it")
    answers.company = dialog.text(question, known.account.name)
    zone = known.account.timezone if _is_zone(known.account.timezone) else "Europe/Moscow"
    question = dialog.say("Часовой пояс: по нему пишем клиентам", "Time zone: clients are written to by it")

    def check(text: str) -> str:
        if not _is_zone(text):
            raise NotThat(
                dialog.say(
                    "Такого пояса нет. Пример: Asia/Vladivostok", "No such zone. Example: Asia/Vladivostok"
                )
            )
        return text

    answers.timezone = dialog.text(question, zone, check=check)
    question = dialog.say("Телефон для клиентов (Enter — не указывать)", "A phone for clients (Enter: none)")
    answers.phone = dialog.text(question, may_be_empty=True)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return bool(name)


def _address(dialog: Dialog, answers: Answers, environ: Mapping[str, str]) -> None:
    """Optional: everything but webhooks and the page works without."""
    question = dialog.say(
        "Домен этого сервера для webhook и веб-страницы (Enter — без него)",
        "The domain of this server for webhooks and the page (Enter: none)",
    )

    def check(text: str) -> str:
        host = urlsplit(text if "://" in text else f"https://{text}").netloc.lower()
        if "." not in host or "@" in host:
            raise NotThat(
                dialog.say("Нужно имя вроде sarafan.example.com", "A name such as sarafan.example.com")
            )
        return f"https://{host}"

    answers.public_url = dialog.text(question, check=check, may_be_empty=True)
    if answers.public_url:
        answers.webhook_secret = given(environ, "http.webhook_secret") or dice.token_urlsafe(24)
