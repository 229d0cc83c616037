"""What the settings name and the amoCRM account does not have, as far as it can be created."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from integrations.amocrm.names import NameProblem, folded, nearest, resolve
from integrations.amocrm.setting_up import MOST_WEBHOOKS, NewField, NewPipeline
from worker.account.dictionaries import Dictionaries
from worker.cli.common import say
from worker.config.sections.amocrm import DealFields
from worker.config.settings import Settings

# New deals get their link at once, and a closed one is noticed at once. Not `update_lead`: our own writes
# would come back as changes, and each would cost a reading.
WANTED_HOOKS = ("add_lead", "status_lead")

TYPES = {
    "numeric": ("число", "number"),
    "text": ("текст", "text"),
    "url": ("ссылка", "link"),
    "select": ("список", "list"),
}

# What the worker writes alone, people see and do not edit: a score that can be corrected by hand is none.
OWN = frozenset({"nps", "csat", "ces", "promo_code", "telegram_link", "max_link", "survey_state"})
OF_TYPE = {"nps": "numeric", "csat": "numeric", "ces": "numeric", "telegram_link": "url", "max_link": "url"}


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook of amoCRM."""

    destination: str
    settings: tuple[str, ...]
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to create. `near`: what is there and called alike; perhaps that was meant."""

    kind: Literal["pipeline", "field", "webhook"]
    key: str  # of the settings
    name: str
    title: str  # what it is, for people; tells no secret
    new: NewField | NewPipeline | Subscription
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lacking:
    """`problems`: what is wrong and cannot be created, as sentences."""

    items: tuple[Item, ...]
    problems: tuple[str, ...] = ()


def what_is_lacking(
    settings: Settings, known: Dictionaries, webhooks: Sequence[Subscription] | str
) -> Lacking:
    """In the order of creation. `webhooks`: everybody's, or a sentence on why they cannot be seen."""
    found: list[Item] = []
    problems: list[str] = []
    for one in (
        *_pipeline(settings, known),
        *_fields(settings, known),
        *_webhook(settings, webhooks),
    ):
        if isinstance(one, str):
            problems.append(one)
        elif not any((one.kind, folded(one.name)) == (other.kind, folded(other.name)) for other in found):
            found.append(one)
    return Lacking(tuple(found), tuple(problems))


# The pipeline


def _pipeline(settings: Settings, known: Dictionaries) -> Iterator[Item | str]:
    """An archived one counts: its name is taken, and `check` tells of it."""
    wanted, key = settings.complaints.pipeline, "complaints.pipeline"
    if any(folded(pipeline.name) == folded(wanted) for pipeline in known.pipelines):
        return
    if wanted.isdecimal():
        if not any(str(pipeline.id) == wanted for pipeline in known.pipelines):
            yield _no_such_id(settings, key, wanted)
        return
    first = settings.complaints.status or say(settings, "Новая", "New")
    if first.isdecimal():
        first = say(settings, "Новая", "New")
    others = say(settings, "В работе|Ждём клиента", "In progress|Waiting for the client").split("|")
    statuses = tuple(dict.fromkeys((first, *others)))
    new = NewPipeline(
        name=wanted,
        statuses=statuses,
        won=say(settings, "Решена", "Solved"),
        lost=say(settings, "Не решена", "Not solved"),
        sort=max((pipeline.sort for pipeline in known.pipelines), default=0) + 10,
    )
    word = say(settings, "воронка", "pipeline")
    title = f"{word} «{wanted}» ({' → '.join(statuses)} → {new.won} / {new.lost})"
    near = nearest(wanted, (pipeline.name for pipeline in known.pipelines))
    yield Item("pipeline", key, wanted, title, new, near)


# Fields


def _fields(settings: Settings, known: Dictionaries) -> Iterator[Item | str]:
    for key, name, type_, choices, is_own in wanted_fields(settings):
        try:
            resolve(name, known.lead_fields)
        except NameProblem as problem:
            if problem.twins:
                ids = ", ".join(map(str, problem.twins))
                yield f"{key}: {settings.texts.fill('amo.twins', field=name, nearest=ids)}"
            elif name.isdecimal():
                yield _no_such_id(settings, key, name)
            else:
                new = NewField(name=name, type=type_, choices=choices, is_api_only=is_own)
                yield Item("field", key, name, _field_title(settings, new), new, problem.nearest)


def wanted_fields(settings: Settings) -> Iterator[tuple[str, str, str, tuple[str, ...], bool]]:
    """(key, name, type, choices, whether only we write it), but for what nothing would be written to."""
    scored = {survey.metric for survey in settings.surveys if not survey.field}
    unused = {
        *({"nps", "csat", "ces"} - scored),
        *({"telegram_link"} if "telegram" not in settings.channels else ()),
        *({"max_link"} if "max" not in settings.channels else ()),
    }
    for item in fields(DealFields):
        name, key = getattr(settings.amocrm.fields, item.name), f"amocrm.fields.{item.name}"
        if not name or (item.name in unused and key not in settings.given):
            continue
        if item.name == "referral":
            choices = (say(settings, "Без скидки", "No discount"), settings.referral.value)
            yield key, name, "select", tuple(choice for choice in choices if choice), False
        else:
            yield key, name, OF_TYPE.get(item.name, "text"), (), item.name in OWN
    for survey in settings.surveys:
        if survey.field:
            yield f"survey.{survey.key}.field", survey.field, "numeric", (), True
    if topic := settings.complaints.topic_field:
        yield "complaints.topic_field", topic, "select", _topics(settings), False


def _topics(settings: Settings) -> tuple[str, ...]:
    topics = say(
        settings,
        "Сроки|Качество работ|Материалы и оборудование|Общение|Цена и оплата|Другое",
        "Delay|Quality of work|Materials and equipment|Communication|Price and payment|Other",
    )
    return tuple(topics.split("|"))


def _field_title(settings: Settings, new: NewField) -> str:
    kind = say(settings, *TYPES[new.type])
    choices = f": {', '.join(new.choices)}" if new.choices else ""
    closed = say(settings, ", руками не меняется", ", not edited by hand") if new.is_api_only else ""
    word = say(settings, "поле сделки", "deal field")
    return f"{word} «{new.name}» ({kind}{choices}{closed})"


# The webhook


def hook_address(settings: Settings) -> str:
    """Where amoCRM posts to; it holds the secret. Empty where no webhooks are wanted."""
    secret = settings.http.webhook_secret.get_secret_value()
    if not settings.http.public_url or not secret:
        return ""
    return f"{settings.http.public_url}/webhooks/amocrm/{secret}"


def _webhook(settings: Settings, webhooks: Sequence[Subscription] | str) -> Iterator[Item | str]:
    address = hook_address(settings)
    if not address:
        return
    if isinstance(webhooks, str):
        yield webhooks
        return
    host = settings.http.public_url
    if not host.isascii() or "xn--" in host:
        # https://www.amocrm.ru/developers/content/oauth/step-by-step
        yield say(
            settings,
            "http.public_url: amoCRM не шлёт на кириллические домены. Дайте серверу имя латиницей или "
            "обойдитесь без webhook: сделки читаются раз в amocrm.poll_interval.",
            "http.public_url: amoCRM does not post to Cyrillic domains. Give the server a Latin name or do "
            "without the webhook: deals are read every amocrm.poll_interval.",
        )
        return
    ours = next((hook for hook in webhooks if hook.destination == address), None)
    if ours is not None and ours.is_disabled:
        yield disabled_hook(settings)
        return
    if ours is not None and set(WANTED_HOOKS) <= set(ours.settings):
        return
    if ours is None and len(webhooks) >= MOST_WEBHOOKS:
        yield say(
            settings,
            f"В amoCRM уже {MOST_WEBHOOKS} webhook, больше нельзя. Удалите лишний и повторите.",
            f"amoCRM has {MOST_WEBHOOKS} webhooks already, which is the most. Remove one and try again.",
        )
        return
    more = tuple(name for name in (ours.settings if ours else ()) if name not in WANTED_HOOKS)
    new = Subscription(address, (*WANTED_HOOKS, *more))
    name = f"{settings.http.public_url}/webhooks/amocrm/…"
    yield Item("webhook", "http.public_url", name, f"webhook {name}", new)


def disabled_hook(settings: Settings) -> str:
    return say(
        settings,
        "amoCRM отключила наш webhook после ошибок. Включите его: amoМаркет → WebHooks.",
        "amoCRM has switched our webhook off after errors. Switch it on again: amoMarket, WebHooks.",
    )


def _no_such_id(settings: Settings, key: str, wanted: str) -> str:
    return say(
        settings,
        f"{key}: номера {wanted} в amoCRM нет, а создать можно только по названию.",
        f"{key}: amoCRM has no id {wanted}, and only a name can be created.",
    )
