"""What must hold between the keys of the gateways' sections, and what has to be told to be posted to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from worker.config.findings import MISSING, Finding, found
from worker.config.sections.surveys import SurveySettings
from worker.config.settings import Settings
from worker.config.words import Expected

SECTIONS = ("whatsapp", "max_account", "telegram_account")
TITLES = {"cloud": "Meta Cloud API", "wazzup": "Wazzup"}
POSTING = tuple(TITLES)  # providers that can only be heard by a webhook
# What a template's {{1}}, {{2}} … may be filled with: the values of a question, but for the code for friends.
PARAMETERS = ("company", "client_name", "about", "manager", "crew")


@dataclass(frozen=True, slots=True)
class Key:
    """One that a provider needs, and how its value looks."""

    name: str
    example: str


@dataclass(frozen=True, slots=True)
class Provider:
    title_ru: str
    title_en: str
    keys: tuple[Key, ...]


PROVIDERS: Mapping[str, Provider] = {
    "greenapi": Provider(
        "из кабинета Green-API",
        "from the cabinet of Green-API",
        (
            Key("base_url", '"https://7103.api.greenapi.com"'),
            Key("instance_id", '"7103000001"'),
            Key("api_token", '"d75b3a66…"'),
        ),
    ),
    "wazzup": Provider(
        "из кабинета Wazzup",
        "from the cabinet of Wazzup",
        (Key("api_key", '"c8cf90…"'), Key("channel_id", '"+7 914 000-00-00"')),
    ),
    "cloud": Provider(
        "из кабинета приложения Meta, раздел WhatsApp",
        "from the dashboard of the Meta app, section WhatsApp",
        (
            Key("phone_number_id", '"106540352242922"'),
            Key("access_token", '"EAAG…"'),
            Key("app_secret", '"1f2e…"'),
            Key("verify_token", '"any-words-of-yours"'),
        ),
    ),
}


def gateway_findings(settings: Settings) -> Iterator[Finding]:
    for section in SECTIONS:
        gateway = getattr(settings, section)
        provider = PROVIDERS.get(gateway.provider)
        if provider is None:
            continue
        for key in provider.keys:
            if not getattr(gateway, key.name):
                path = (section, key.name)
                expected = Expected(
                    f"значение {provider.title_ru}", f"the value {provider.title_en}", key.example
                )
                yield Finding(path, found(settings, ".".join(path), ""), expected)
    yield from _templates(settings)
    yield from _webhooks(settings)


def _templates(settings: Settings) -> Iterator[Finding]:
    gateway = settings.whatsapp
    surveys = {survey.key: survey for survey in settings.surveys}
    for key, template in gateway.templates.items():
        path = ("whatsapp", "templates", key)
        if key not in surveys:
            names = ", ".join(surveys)
            known = Expected(
                f"ключ опроса: {names}", f"the key of a survey: {names}", f'"{next(iter(surveys))}"'
            )
            yield Finding(path, key, known)
            continue
        if not template.template:
            name = Expected("имя одобренного шаблона", "the name of an approved template", '"nps_ru"')
            yield Finding((*path, "template"), MISSING, name)
        if gateway.provider == "cloud" and not template.template_language:
            code = Expected("код языка шаблона", "the code of the template's language", '"ru"')
            yield Finding((*path, "template_language"), MISSING, code)
        for parameter in template.parameters:
            if parameter not in PARAMETERS:
                names = ", ".join(PARAMETERS)
                one = Expected(f"одно из {names}", f"one of {names}", '["company"]')
                yield Finding((*path, "parameters"), parameter, one)
        yield from _buttons(path, template.buttons, surveys[key])
    if gateway.provider == "cloud":
        for key in surveys:
            if key not in gateway.templates:
                needed = Expected(
                    "раздел с одобренным шаблоном: первым WhatsApp принимает только шаблон",
                    "a section with an approved template: WhatsApp takes nothing else as a first message",
                    f'{{template = "{key}_ru", template_language = "ru"}}',
                )
                yield Finding(("whatsapp", "templates", key), MISSING, needed)


def _buttons(path: tuple[str, ...], number: int, survey: SurveySettings) -> Iterator[Finding]:
    """A quick reply of a template is a choice of the scale; one more may be «Не спрашивать»."""
    choices = len(survey.answers.values)
    if number not in (0, choices, choices + 1):
        fitting = Expected(
            f"0 (клиент печатает) или столько, сколько ответов у опроса: {choices}",
            f"0 (the client types) or as many as the survey has answers: {choices}",
            str(choices),
        )
        yield Finding((*path, "buttons"), number, fitting)


def _webhooks(settings: Settings) -> Iterator[Finding]:
    for key, value in _posting(settings):
        sentence = ""
        if value in POSTING:
            sentence = settings.texts.fill("http.private", name=TITLES[value])
        if not settings.http.public_url:
            expected = Expected(
                f"внешний адрес https: без него {key} не может быть «{value}»",
                f"an https address: without it {key} cannot be {value}",
                '"https://sarafan.example.com"',
            )
            yield Finding(("http", "public_url"), found(settings, "http.public_url", ""), expected, sentence)
        if not settings.http.webhook_secret.get_secret_value():
            expected = Expected(
                f"секрет в адресе: без него {key} не может быть «{value}»",
                f"a secret of the address: without it {key} cannot be {value}",
                '"kX3-your_own_9"',
            )
            yield Finding(("http", "webhook_secret"), found(settings, "http.webhook_secret", ""), expected)


def _posting(settings: Settings) -> Iterator[tuple[str, str]]:
    """What was set so that a service has to post to us: (key, value)."""
    for name in ("telegram", "max"):
        if getattr(settings, name).mode == "webhook":
            yield f"{name}.mode", "webhook"
    for name in SECTIONS:
        gateway = getattr(settings, name)
        if gateway.provider in POSTING:
            yield f"{name}.provider", gateway.provider
        elif gateway.receive == "webhook":
            yield f"{name}.receive", "webhook"
