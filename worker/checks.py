"""What must hold between keys of the config, and what is worth a warning."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from integrations.tls import trusting
from worker.findings import MISSING, Finding, found
from worker.gateways import gateway_findings
from worker.rules.calendar import Duration
from worker.rules.digest import is_monthly, is_weekly
from worker.settings import Settings, SurveySettings
from worker.values import Expected, Words


def nearest(word: str, words: Iterable[str]) -> str:
    """The likest of `words`, ready to be appended to a sentence; empty when nothing is like it."""
    spelled = {other.lower(): other for other in words}
    found = difflib.get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return spelled[found[0]] if found else ""


def findings(settings: Settings) -> Iterator[Finding]:
    """Every key that cannot work together with the others."""
    yield from _needed(settings)
    yield from gateway_findings(settings)
    yield from _channels(settings)
    yield from _surveys(settings)
    yield from _people(settings)
    yield from _reports(settings)
    yield from _criteria(settings)


def _reports(settings: Settings) -> Iterator[Finding]:
    if len(settings.reports.daily.split()) > 1:
        expected = Expected("время без дня недели: по рабочим дням", "a time without a day: on business days",
                            '"09:00"')  # fmt: skip
        yield Finding(("reports", "daily"), settings.reports.daily, expected)
    if not is_weekly(settings.reports.weekly):
        expected = Expected(
            "день недели (mon … sun) и время", "a weekday (mon … sun) and a time", '"mon 09:00"'
        )
        yield Finding(("reports", "weekly"), settings.reports.weekly, expected)
    if not is_monthly(settings.reports.monthly):
        expected = Expected("число месяца от 1 до 28 и время", "a day of the month, 1 to 28, and a time",
                            '"1 09:00"')  # fmt: skip
        yield Finding(("reports", "monthly"), settings.reports.monthly, expected)


def _criteria(settings: Settings) -> Iterator[Finding]:
    keys = [one.key for one in settings.iqs.criteria]
    if twin := next((key for key in keys if keys.count(key) > 1), None):
        expected = Expected(
            "у каждого критерия свой key", "each criterion has a key of its own", '"next_step"'
        )
        yield Finding(("iqs", "criteria"), twin, expected)


def _needed(settings: Settings) -> Iterator[Finding]:
    text = Expected("как компания называет себя", "how the company calls itself", '"ВладАвтоматика"')
    if not settings.company.name.strip():
        yield Finding(("company", "name"), found(settings, "company.name", ""), text)
    if not settings.amocrm.base_url:
        site = Expected(
            "адрес аккаунта amoCRM", "the address of the amoCRM account", '"https://example.amocrm.ru"'
        )
        yield Finding(("amocrm", "base_url"), found(settings, "amocrm.base_url", ""), site)
    if not settings.amocrm.token.get_secret_value():
        yield from _login(settings)


def _login(settings: Settings) -> Iterator[Finding]:
    """Without a long-lived token: all three keys of OAuth."""
    lacking = [key for key, value in _oauth(settings).items() if not value]
    if len(lacking) == len(_oauth(settings)):
        token = Expected(
            "долгосрочный токен из карточки интеграции amoCRM (или client_id, client_secret и redirect_uri)",
            "a long-lived token from the card of the amoCRM integration "
            "(or client_id, client_secret and redirect_uri)",
            '"eyJ0eXAi…"',
        )
        yield Finding(("amocrm", "token"), found(settings, "amocrm.token", ""), token)
        return
    examples = {
        "client_id": '"7f3a1c9e-…"',
        "client_secret": '"Kp3x…"',
        "redirect_uri": '"https://example.com"',
    }
    for key in lacking:
        expected = Expected(
            "значение из карточки интеграции amoCRM: для входа по OAuth нужны все три ключа",
            "the value from the card of the amoCRM integration: OAuth needs all three keys",
            examples[key],
        )
        yield Finding(("amocrm", key), found(settings, f"amocrm.{key}", ""), expected)


def _oauth(settings: Settings) -> Mapping[str, str]:
    amocrm = settings.amocrm
    return {
        "client_id": amocrm.client_id,
        "client_secret": amocrm.client_secret.get_secret_value(),
        "redirect_uri": amocrm.redirect_uri,
    }


def _channels(settings: Settings) -> Iterator[Finding]:
    for key, channels in (
        ("delivery", settings.delivery.channels),
        ("referral", settings.referral.channels),
    ):
        twice = sorted({name for name in channels if channels.count(name) > 1})
        if twice:
            once = Expected("каждый канал один раз", "each channel once", '["telegram", "whatsapp"]')
            yield Finding((key, "channels"), twice, once)
    if settings.max.token and settings.max.ca_file and not _is_certificate(settings.max.ca_file):
        pem = Expected(
            "файл PEM с корневым сертификатом, который можно прочитать",
            "a PEM file with the root certificate, which can be read",
            '"/etc/sarafan/russian_trusted_root_ca.pem"',
        )
        yield Finding(("max", "ca_file"), settings.max.ca_file, pem)
    if not settings.channels:
        configured = ", ".join(settings.configured_channels)
        if configured:
            expected = Expected(
                f"хотя бы один настроенный канал: {configured}",
                f"at least one configured channel: {configured}",
                f'["{settings.configured_channels[0]}"]',
            )
            yield Finding(("delivery", "channels"), list(settings.delivery.channels), expected)
        else:
            expected = Expected(
                "хотя бы один канал: telegram.token, max.token или whatsapp.provider",
                "at least one channel: telegram.token, max.token or whatsapp.provider",
                '"1234567890:AAE…"',
            )
            yield Finding(("telegram", "token"), MISSING, expected)


def _is_certificate(file: str) -> bool:
    try:
        trusting(file)
    except (OSError, ValueError):
        return False
    return True


def _surveys(settings: Settings) -> Iterator[Finding]:
    keys: dict[str, int] = {}
    by_field: dict[str, tuple[int, SurveySettings]] = {}
    for index, survey in enumerate(settings.surveys):
        if survey.key in keys:
            unique = Expected(
                "ключ, которого больше нет ни у кого", "a key that no other survey has", '"nps_2"'
            )
            yield Finding(("survey", index, "key"), survey.key, unique)
        keys[survey.key] = index
        name = settings.score_field(survey).strip().casefold()
        if name and name in by_field:
            first = by_field[name][1].key
            own = Expected(
                f"своё поле: в «{settings.score_field(survey)}» уже пишет опрос {first}",
                f"a field of its own: survey {first} writes to «{settings.score_field(survey)}» already",
                f'"{survey.metric.upper()} {survey.key}"',
            )
            yield Finding(("survey", index, "field"), survey.field or MISSING, own)
        by_field.setdefault(name, (index, survey))
        yield from _one_survey(index, survey)
    if settings.reviews.after and settings.reviews.after not in keys:
        known = ", ".join(keys)
        expected = Expected(
            f"ключ опроса: {known}", f"the key of a survey: {known}", f'"{next(iter(keys), "nps")}"'
        )
        yield Finding(("reviews", "after"), settings.reviews.after, expected)


def _one_survey(index: int, survey: SurveySettings) -> Iterator[Finding]:
    if survey.trigger == "deal_status" and not survey.statuses:
        expected = Expected("статусы, которых ждёт deal_status", "the statuses that deal_status waits for",
                            '["Монтаж завершён"]')  # fmt: skip
        yield Finding(("survey", index, "statuses"), list(survey.statuses), expected)
    if survey.trigger != "deal_status" and survey.statuses:
        expected = Expected(f"пустой список: {survey.trigger} не смотрит на статусы",
                            f"an empty list: {survey.trigger} looks at no status", "[]")  # fmt: skip
        yield Finding(("survey", index, "statuses"), list(survey.statuses), expected)


def _people(settings: Settings) -> Iterator[Finding]:
    if not_groups := [number for number in settings.alerts.groups if number >= 0]:
        expected = Expected(
            "номера групп в Telegram, они начинаются с минуса",
            "ids of groups in Telegram, which begin with a minus",
            "[-1001234567890]",
        )
        yield Finding(("alerts", "groups"), not_groups, expected)
    elif settings.alerts.groups and not settings.telegram.token:
        expected = Expected(
            "[] или бот в Telegram: заполните telegram.token",
            "[], or a bot in Telegram: telegram.token",
            "[]",
        )
        yield Finding(("alerts", "groups"), list(settings.alerts.groups), expected)
    seen: set[tuple[str, int]] = set()
    called: set[str] = set()
    for index, person in enumerate(settings.staff):
        name = " ".join(person.name.split()).casefold()
        if name in called:  # By the name a complaint remembers whose it is.
            expected = Expected(
                "имя, которого больше ни у кого нет, например с фамилией",
                "a name that nobody else has, such as with the surname",
                f'"{person.name} 2"',
            )
            yield Finding(("staff", index, "name"), person.name, expected)
        called.add(name)
        if person.max_id and not settings.max.token:
            expected = Expected(
                "0 или бот в MAX: заполните max.token", "0, or a bot in MAX: fill in max.token", "0"
            )
            yield Finding(("staff", index, "max_id"), person.max_id, expected)
        if not person.telegram_id and not person.max_id:
            expected = Expected(
                "номер в Telegram (его скажет @userinfobot) или max_id",
                "an id in Telegram (ask @userinfobot), or max_id",
                "111111111",
            )
            yield Finding(("staff", index, "telegram_id"), MISSING, expected)
        for key, number in (("telegram_id", person.telegram_id), ("max_id", person.max_id)):
            if number and (key, number) in seen:
                expected = Expected(
                    "номер, которого больше ни у кого нет", "an id that nobody else has", "111111111"
                )
                yield Finding(("staff", index, key), number, expected)
            seen.add((key, number))
    names = {person.name.strip().casefold(): person.name for person in settings.staff}
    wanted = settings.complaints.escalate_to
    if wanted.strip().casefold() not in {"owner", *names}:
        like = nearest(wanted, names.values())
        hint = Expected(
            f"owner или имя из [[staff]]{f', похоже на «{like}»' if like else ''}",
            f"owner or a name of [[staff]]{f', the nearest is «{like}»' if like else ''}",
            '"owner"',
        )
        yield Finding(("complaints", "escalate_to"), wanted, hint)


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
    if settings.amocrm.token.get_secret_value() and any(_oauth(settings).values()):
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
