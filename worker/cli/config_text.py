"""A `config.toml` for a newcomer: the keys that matter with a word on each, the rest by default."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from worker.config.load import load
from worker.config.settings import Settings

COLUMN = 36  # where comments begin


@dataclass(slots=True, kw_only=True)
class Head:
    """`telegram_id` 0: not known yet."""

    name: str
    amocrm_user: str = ""
    telegram_id: int = 0


@dataclass(slots=True, kw_only=True)
class Answers:
    """What was asked so far. `channels`: section → key → value."""

    language: str = "ru"
    company: str = ""
    timezone: str = ""
    phone: str = ""
    base_url: str = ""
    token: str = ""
    public_url: str = ""
    webhook_secret: str = ""
    channels: dict[str, dict[str, str]] = field(default_factory=dict)
    template: dict[str, object] = field(default_factory=dict)  # of a business account of WhatsApp
    fields: dict[str, str] = field(default_factory=dict)  # of `[amocrm.fields]` what is not the default
    topic_field: str | None = None
    complaints_pipeline: str = "Рекламации"
    trigger: str = "deal_won"
    pipelines: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    base: str = "closed"
    promo_in: str = "question"
    discount: str = "5%"
    referral_value: str = ""  # the option that means a friend
    heads: list[Head] = field(default_factory=list)

    def say(self, ru: str, en: str) -> str:
        return en if self.language == "en" else ru


SECRET_KEYS = frozenset({"token", "api_token", "api_key", "access_token", "app_secret", "verify_token"})


def secrets_of(answers: Answers) -> dict[str, str]:
    """Dotted key → secret, of those that were given."""
    found = {"amocrm.token": answers.token, "http.webhook_secret": answers.webhook_secret}
    for section, keys in answers.channels.items():
        found |= {f"{section}.{key}": value for key, value in keys.items() if key in SECRET_KEYS}
    return {key: secret for key, secret in found.items() if secret}


def variable(key: str) -> str:
    """The environment variable of a dotted key."""
    section, _, name = key.partition(".")
    return f"SARAFAN_{section.upper()}__{name.upper()}"


def given(environ: Mapping[str, str], key: str) -> str:
    """What the environment says of a dotted key, as a value or, for a secret, in a file; "" if nothing."""
    name = variable(key)
    if value := environ.get(name, ""):
        return value
    try:
        return Path(environ.get(f"{name}_FILE", "")).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError, ValueError):
        return ""


def settings_of(answers: Answers, environ: Mapping[str, str]) -> Settings:
    """What the program makes of the answers so far; what was not asked yet is made up.

    Raises ConfigProblems. Secrets are handed over in memory.
    """
    made_up = {"amocrm.token": answers.token or "x"}
    if not answers.channels:
        made_up["telegram.token"] = "1:x"
    variables = {variable(key): secret for key, secret in {**made_up, **secrets_of(answers)}.items()}
    draft = Answers(**{name: getattr(answers, name) for name in Answers.__dataclass_fields__})
    draft.company = answers.company or "…"
    draft.base_url = answers.base_url or "https://example.amocrm.ru"
    with TemporaryDirectory(prefix="sarafan-init-") as folder:
        path = Path(folder) / "config.toml"
        path.write_text(render(draft, {}), encoding="utf-8")
        return load(path, without_twins(environ, variables))


def without_twins(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Both together; a secret that is given as a value is not given as a file, too."""
    files = {f"{name}_FILE" for name in variables}
    return {name: value for name, value in environ.items() if name not in files} | dict(variables)


# How it is written


def render(answers: Answers, secrets: Mapping[str, str]) -> str:
    """The file's text. Only these `secrets` stand in it, the others are named with their variables."""
    lines = [
        *_head(answers),
        *_company(answers),
        *_http(answers, secrets),
        *_amocrm(answers, secrets),
        *_channels(answers, secrets),
        *_delivery(answers),
        *_survey(answers),
        *_staff(answers),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _head(answers: Answers) -> Iterator[str]:
    yield answers.say(
        "# Настройки sarafan от команды `sarafan init`. Здесь только главное: все ключи с пояснениями —",
        "# Settings of sarafan, written by `sarafan init`. Only what matters most: all keys are explained in",
    )
    yield answers.say(
        "# в config.example.toml, а чего здесь нет, то берётся по умолчанию. Проверить: sarafan check.",
        "# config.example.toml, and what is missing here has its default. To try it: sarafan check.",
    )


def _company(answers: Answers) -> Iterator[str]:
    yield from _table("company")
    yield _line(
        "name", answers.company, answers.say("так компания представится клиенту", "as clients read it")
    )
    yield _line("timezone", answers.timezone or "Asia/Vladivostok", answers.say(
        "по этим часам пишем клиентам", "clients are written to by this clock"
    ))  # fmt: skip
    yield _line("language", answers.language, answers.say("язык всех текстов", "of all texts"))
    yield _line(
        "phone", answers.phone, answers.say("назовём клиенту, если указан", "told to clients if given")
    )


def _http(answers: Answers, secrets: Mapping[str, str]) -> Iterator[str]:
    if not answers.public_url:
        return
    yield from _table("http")
    yield _line(
        "public_url", answers.public_url, answers.say("для webhook и страницы", "for webhooks and the page")
    )
    yield from _secret("http", "webhook_secret", answers.webhook_secret, secrets, answers)


def _amocrm(answers: Answers, secrets: Mapping[str, str]) -> Iterator[str]:
    yield from _table("amocrm")
    yield _line("base_url", answers.base_url)
    yield from _secret("amocrm", "token", answers.token, secrets, answers)
    yield _line("surveys_since", "now", answers.say(
        "закрытые до первого запуска не трогаем", "deals closed before the first start are left alone"
    ))  # fmt: skip
    if answers.fields:
        yield from _table("amocrm.fields")
        for key, name in answers.fields.items():
            yield _line(key, name)
    yield from _table("complaints")
    yield _line(
        "pipeline", answers.complaints_pipeline, answers.say("сюда попадут низкие оценки", "of low scores")
    )
    if answers.topic_field is not None:
        yield _line("topic_field", answers.topic_field)


def _channels(answers: Answers, secrets: Mapping[str, str]) -> Iterator[str]:
    for section, keys in answers.channels.items():
        yield from _table(section)
        for key, value in keys.items():
            if key in SECRET_KEYS:
                yield from _secret(section, key, value, secrets, answers)
            else:
                yield _line(key, value)
        if section == "whatsapp" and keys.get("provider") in ("wazzup", "cloud"):
            yield from _templates(answers, keys["provider"])


def _templates(answers: Answers, provider: str) -> Iterator[str]:
    """Who has not written for a day gets approved templates only; a number behind a QR code knows none."""
    yield ""
    if answers.template:
        yield "[whatsapp.templates.nps]"
        for key, value in answers.template.items():
            yield _line(key, value)
        return
    yield answers.say(
        "# Первым WhatsApp Business пишет лишь одобренным шаблоном: впишите его. Каналу по QR не надо.",
        "# WhatsApp Business writes first by an approved template only: name it here. Not for QR channels.",
    )
    yield "# [whatsapp.templates.nps]"
    yield f'# template = "{"nps_ru" if provider == "cloud" else "templateGuid"}"'


def _delivery(answers: Answers) -> Iterator[str]:
    yield from _table("delivery")
    yield _line(
        "send_window",
        "10:00-20:00",
        answers.say("когда можно писать клиентам", "when clients may be written to"),
    )
    yield _line("min_days_between_surveys", 30, answers.say("одного клиента не чаще", "for one client"))
    wait = answers.say(
        "первый список покажем руководителю и подождём его согласия",
        "a head sees the first list and has to agree to it",
    )
    yield _line("preview", True, wait)


def _survey(answers: Answers) -> Iterator[str]:
    yield "\n[[survey]]"
    yield _line("key", "nps")
    yield _line("metric", "nps")
    yield _line("trigger", answers.trigger, {
        "deal_won": answers.say("сделка успешно закрыта", "the deal is won"),
        "deal_status": answers.say("сделка дошла до этапа", "the deal reached a status"),
    }.get(answers.trigger, ""))  # fmt: skip
    yield _line("pipelines", list(answers.pipelines), "" if answers.pipelines else answers.say(
        "[] = все, кроме рекламаций", "[] = all but complaints"
    ))  # fmt: skip
    if answers.statuses:
        yield _line("statuses", list(answers.statuses))
    yield _line("from", answers.base, answers.say("от чего считать срок", "what the delay counts from"))
    yield _line("delay", "1bd", answers.say("на следующий рабочий день", "on the next business day"))
    yield answers.say(
        "# Где код для друзей: question (в вопросе), thanks_high (с благодарностью), on_request, nowhere.",
        "# Where the code for friends goes: question, thanks_high, on_request (who asks for it), nowhere.",
    )
    yield answers.say(
        "# Код в сообщении — реклама (38-ФЗ), нужно согласие. Спокойнее on_request (кто попросит) и nowhere.",
        "# A code in a message is advertising (38-ФЗ) and needs consent; on_request or nowhere is safest.",
    )
    yield _line("promo_in", answers.promo_in)
    if answers.promo_in != "nowhere" or answers.referral_value:
        yield from _table("referral")
        yield _line("discount", answers.discount, answers.say("что даёт код", "what the code gives"))
        by_discount = answers.say(
            f"Скидка от друга {answers.discount}", f"Friend's discount {answers.discount}"
        )
        yield _line("value", answers.referral_value or by_discount, answers.say(
            "вариант поля со скидкой: пришёл от друга", "the option of the discount field: a friend sent them"
        ))  # fmt: skip


def _staff(answers: Answers) -> Iterator[str]:
    """Who has no id yet stands there as a comment: such a table would stop the start."""
    yield ""
    yield answers.say(
        "# Кому придут низкие оценки. Каждый должен нажать «Старт» у бота: первым бот написать не может.",
        "# Who hears of low scores. Each has to press Start in the bot: a bot cannot write first.",
    )
    for head in answers.heads or [Head(name=answers.say("Анна", "Anna"))]:
        lines = [
            "[[staff]]",
            _line("telegram_id", head.telegram_id or 111111111, "" if head.telegram_id else answers.say(
                "ваш: его скажет @userinfobot; уберите #", "yours: @userinfobot tells it; drop the #"
            )),
            _line("name", head.name),
            _line("role", "head"),
            _line("amocrm_user", head.amocrm_user, answers.say(
                "ответственный, когда нажмёт «Беру»", "responsible after taking a complaint"
            )),
        ]  # fmt: skip
        yield from (lines if head.telegram_id else [f"# {line}" for line in lines])
        yield ""


def _table(name: str) -> Iterable[str]:
    return "", f"[{name}]"


def _secret(
    section: str, key: str, value: str, secrets: Mapping[str, str], answers: Answers
) -> Iterator[str]:
    name = f"{section}.{key}"
    if name in secrets:
        yield _line(key, value, answers.say("СЕКРЕТ: никому не показывайте", "SECRET: show it to nobody"))
    else:
        yield f"# {key}: {variable(name)}" + answers.say(" или ", " or ") + f"{variable(name)}_FILE"


def _line(key: str, value: object, comment: str = "") -> str:
    # A text of JSON without escaped Cyrillic is one of TOML.
    text = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    return f"{text.ljust(COLUMN - 1)} # {comment}" if comment else text


# How it gets onto the disk


def write_private(path: Path, text: str) -> Path:
    """Beside `path`, whole and readable by its owner only: to be looked at, and then put in its place."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    return part
