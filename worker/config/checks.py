"""What must hold between keys of the config."""

from collections.abc import Iterator

from integrations.tls import trusting
from worker.config.findings import MISSING, Finding, found
from worker.config.gateways import gateway_findings
from worker.config.sections.surveys import SurveySettings
from worker.config.settings import Settings
from worker.config.words import Expected
from worker.rules.digest import is_monthly, is_weekly


def findings(settings: Settings) -> Iterator[Finding]:
    """Every key that cannot work together with the others."""
    yield from _needed(settings)
    yield from gateway_findings(settings)
    yield from _channels(settings)
    yield from _surveys(settings)
    yield from _reviews(settings)
    yield from _groups(settings)
    yield from _staff(settings)
    yield from _escalation(settings)
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
    oauth = settings.amocrm.oauth
    lacking = [key for key, value in oauth.items() if not value]
    if len(lacking) == len(oauth):
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
    keys: set[str] = set()
    by_field: dict[str, str] = {}  # the key of the survey that writes there
    for index, survey in enumerate(settings.surveys):
        if survey.key in keys:
            unique = Expected(
                "ключ, которого больше нет ни у кого", "a key that no other survey has", '"nps_2"'
            )
            yield Finding(("survey", index, "key"), survey.key, unique)
        keys.add(survey.key)
        field = settings.score_field(survey)
        name = field.strip().casefold()
        if name and name in by_field:
            first = by_field[name]
            own = Expected(
                f"своё поле: в «{field}» уже пишет опрос {first}",
                f"a field of its own: survey {first} writes to «{field}» already",
                f'"{survey.metric.upper()} {survey.key}"',
            )
            yield Finding(("survey", index, "field"), survey.field or MISSING, own)
        by_field.setdefault(name, survey.key)
        yield from _statuses(index, survey)


def _statuses(index: int, survey: SurveySettings) -> Iterator[Finding]:
    if survey.trigger == "deal_status" and not survey.statuses:
        expected = Expected("статусы, которых ждёт deal_status", "the statuses that deal_status waits for",
                            '["Монтаж завершён"]')  # fmt: skip
        yield Finding(("survey", index, "statuses"), list(survey.statuses), expected)
    if survey.trigger != "deal_status" and survey.statuses:
        expected = Expected(f"пустой список: {survey.trigger} не смотрит на статусы",
                            f"an empty list: {survey.trigger} looks at no status", "[]")  # fmt: skip
        yield Finding(("survey", index, "statuses"), list(survey.statuses), expected)


def _reviews(settings: Settings) -> Iterator[Finding]:
    after = settings.reviews.after
    keys = list(dict.fromkeys(survey.key for survey in settings.surveys))
    if after and after not in keys:
        known = ", ".join(keys)
        expected = Expected(
            f"ключ опроса: {known}", f"the key of a survey: {known}", f'"{next(iter(keys), "nps")}"'
        )
        yield Finding(("reviews", "after"), after, expected)


def _groups(settings: Settings) -> Iterator[Finding]:
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


def _staff(settings: Settings) -> Iterator[Finding]:
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


def _escalation(settings: Settings) -> Iterator[Finding]:
    """Any name: who came by a link stands in the storage, and may come after the start."""
    wanted = settings.complaints.escalate_to
    if not wanted.strip():
        expected = Expected("owner или имя сотрудника", "owner or the name of one of the staff", '"owner"')
        yield Finding(("complaints", "escalate_to"), wanted, expected)
