"""What works, but hardly as it was meant."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from worker.config.settings import Settings
from worker.config.words import Words
from worker.rules.calendar import Duration


def warnings(settings: Settings) -> Iterator[tuple[str, Words]]:
    """(key, sentence) of what works, but hardly as it was meant."""
    for key, url in (
        ("amocrm.base_url", settings.amocrm.base_url),
        ("http.public_url", settings.http.public_url),
        ("telegram.api_url", settings.telegram.api_url),
        ("max.api_url", settings.max.api_url),
        ("whatsapp.base_url", settings.whatsapp.base_url),
        ("max_account.base_url", settings.max_account.base_url),
        ("telegram_account.base_url", settings.telegram_account.base_url),
    ):
        if url.startswith("http://") and not is_loopback(url):
            yield (
                key,
                Words(
                    "http:// без шифрования: токены и данные клиентов видны в пути. Нужен https://",
                    "plain http://: tokens and clients' data can be read on the way. Use https://",
                ),
            )
    if settings.amocrm.requests_per_second > 7:
        yield (
            "amocrm.requests_per_second",
            Words(
                "amoCRM разрешает 7 запросов в секунду и закрывает доступ тем, кто шлёт больше",
                "amoCRM allows 7 requests a second and locks out whoever sends more",
            ),
        )
    if settings.amocrm.token.get_secret_value() and any(settings.amocrm.oauth.values()):
        yield (
            "amocrm.token",
            Words(
                "задан и токен, и вход по OAuth: берём токен, а client_id и прочее не нужны",
                "both a token and OAuth are given: the token is used, and client_id, client_secret and "
                "redirect_uri are not",
            ),
        )
    secret = settings.http.webhook_secret.get_secret_value()
    if 0 < len(secret) < 16:
        yield (
            "http.webhook_secret",
            Words(
                "короче 16 знаков: такой адрес можно подобрать",
                "shorter than 16 characters: such an address can be guessed",
            ),
        )
    if _never_reminds(settings.delivery.reminder_after, settings.delivery.expires_after):
        yield (
            "delivery.reminder_after",
            Words(
                "не раньше, чем истекает опрос (expires_after): напоминаний не будет",
                "not before the survey expires (expires_after): nobody will be reminded",
            ),
        )
    for name in settings.configured_channels:
        if name != "telegram" and name not in settings.delivery.channels:
            yield (
                "delivery.channels",
                Words(
                    f"канал {name} настроен, но в списке его нет: клиентам туда не пишем",
                    f"the channel {name} is configured but not listed: clients are not written to there",
                ),
            )
    yield from _staff_warnings(settings)


def _staff_warnings(settings: Settings) -> Iterator[tuple[str, Words]]:
    if not settings.staff:
        yield (
            "staff",
            Words(
                "нет ни одного [[staff]]: кроме приглашённых (sarafan staff), о низких оценках узнают "
                "только из сделок в amoCRM",
                "there is no [[staff]]: but for those who were invited (sarafan staff), low scores are only "
                "seen as deals in amoCRM",
            ),
        )
    elif not settings.telegram.token and not any(person.max_id for person in settings.staff):
        yield (
            "telegram.token",
            Words(
                "пусто: сотрудникам некуда писать, оповещения идут только задачами в amoCRM",
                "empty: staff cannot be written to, the only alerts are tasks in amoCRM",
            ),
        )
    elif not any(person.role in {"head", "owner"} for person in settings.staff):
        yield (
            "staff",
            Words(
                "нет ни head, ни owner: кроме приглашённых (sarafan staff), о низких оценках никто не узнает",
                "there is neither a head nor an owner: but for those who were invited (sarafan staff), "
                "nobody hears of low scores",
            ),
        )


def _never_reminds(reminder: Duration | None, expires: timedelta) -> bool:
    if reminder is None:
        return False
    return max(reminder.span, timedelta(days=reminder.business_days)) >= expires


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
