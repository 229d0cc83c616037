"""What went wrong outside, in the language of the installation: the integrations themselves speak English."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from worker.cli.remedies import is_about_certificate, remedy_for

if TYPE_CHECKING:
    from integrations.errors import OutsideError
    from worker.config.settings import Settings

SERVICES = {"amocrm": "amoCRM", "wazzup": "Wazzup"}  # those that are no channel
# Texts that say themselves what happened: all of it, or in their first sentence and without the status.
WHOLE = ("amo.unpaid", "amo.banned")
CAUSE_FIRST = ("amo.token_dead", "amo.pair_dead")
Say = Callable[[re.Match[str]], str]

# What the details of errors say, and how it goes on after the name of the service. The first that is found.
PHRASES: tuple[tuple[str, str | Say], ...] = (
    (r"could not be asked: no free|cannot be reached", "не отвечает: до сервера не дойти"),
    (r"did not answer in time", "не отвечает: ждали слишком долго"),
    (r"^broke off", "обрывает связь на полуслове"),
    (r"is busy|asked to wait", "просит не спешить"),
    (r"(?:not accept|refuses) the token", "не принимает токен"),
    (r"refused the key", "не принимает ключ"),
    (r"subscription is over", "сообщает, что подписка закончилась"),
    (r"has blocked us", "на время закрывает нам доступ"),
    (r"no right to this", "не даёт этому токену таких прав"),
    (r"knows no such address", "не знает такого адреса"),
    (r"redirect", "отправляет на другой адрес"),
    (r"not been authorized yet", "ждёт входа по OAuth: его ещё не было"),
    (r"to be authorized again", "ждёт нового входа по OAuth"),
    (r"is being authorized|could not be kept", "как раз сейчас подключают из другого места"),
    (r"the phone is not connected", "не подключён: инстанс без телефона"),
    (r"instance is (\w+)", lambda found: f"не подключён: состояние инстанса {found[1]}"),
    (r"the channel is (\w+)", lambda found: f"не работает: состояние канала {found[1]}"),
    (r"quota of this month", "больше не шлёт: лимит тарифа на месяц исчерпан"),
    (r"has (\d+) channels", lambda found: f"не знает, какой канал взять: под channel_id их {found[1]}"),
    (r"no such channel", "не знает канала с таким channel_id"),
    (r"no channel of this messenger", "не имеет канала этого мессенджера"),
    (r"another messenger behind", "держит под этим channel_id другой мессенджер"),
    (r"no number under this id", "не знает номера с таким phone_number_id"),
    (r"no public name", "не сообщает имени бота, и ссылку сделать не из чего"),
    (r"hand out updates", "не отдаёт сообщения: их забирает другая программа"),
    (
        r"sends (?:what it gets(?: for this bot)?|its notifications) to (?P<host>[^\s,]+)",
        lambda found: f"шлёт ответы другой программе ({found['host']})",
    ),
    (r"cannot use the proxy", "не открывается: адрес прокси написан неверно"),
    (r"is malformed", "не открывается: в адресе или токене лишние знаки"),
    (r"certificates of max\.ca_file", "не открывается: файл max.ca_file не прочитать"),
    (r"not (?:JSON|Telegram's|MAX's)|unreadable|without a pair|who this bot is", "отвечает непонятно"),
    (r"^failed", "отвечает ошибкой"),
    (r"refused access", "не даёт доступа"),
)


def explained(settings: "Settings", error: "OutsideError") -> str:
    """What happened, and what a person does about it; what both say is said once."""
    remedy = remedy_for(settings, error)
    if remedy in {settings.texts.fill(key) for key in WHOLE}:
        return remedy
    if remedy in {settings.texts.fill(key) for key in CAUSE_FIRST}:
        remedy = remedy.partition(". ")[2]
    return f"{happened(settings, error)}. {remedy}"


def happened(settings: "Settings", error: "OutsideError") -> str:
    """Without a full stop, and with nothing that is secret."""
    if settings.company.language == "en":
        return f"{_name(settings, error.service)} {error.detail}"
    status = f" ({error.status})" if error.status else ""
    return f"{_name(settings, error.service)} {_russian(error)}{status}"


def _name(settings: "Settings", service: str) -> str:
    key = f"channel.{service}"
    return settings.texts.fill(key) if settings.texts.has(key) else SERVICES.get(service, service)


def _russian(error: "OutsideError") -> str:
    from integrations.errors import AccessDenied, Temporary, Uncertain

    if is_about_certificate(error) or "a certificate that is not trusted" in error.detail:
        return "показывает сертификат, которому нельзя верить"
    for pattern, words in PHRASES:
        if found := re.search(pattern, error.detail):
            return words if isinstance(words, str) else words(found)
    match error:  # The service's own words may tell more than we can.
        case AccessDenied():
            return f"не даёт доступа: {error.detail}"
        case Uncertain():
            return f"не подтверждает, что запрос выполнен: {error.detail}"
        case Temporary():
            return f"пока не может: {error.detail}"
        case _:
            return f"отклоняет запрос: {error.detail}"
