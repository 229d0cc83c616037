"""The part of `init` about messengers: which, with which keys, and does each answer."""

import asyncio
import secrets as dice
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx
import typer

from integrations.channels.base import Channel, IncomingKind, Linked, Polled, Stoppable, UnreadableError
from integrations.channels.registry import open_channel
from integrations.channels.wazzup_models import WABA
from integrations.errors import AccessDenied, OutsideError
from integrations.gateway_lists import wazzup_channels
from worker.cli.config_text import SECRET_KEYS, Answers, given, settings_of, variable
from worker.cli.dialog import Dialog, NotThat
from worker.cli.offers import Key, Offer, offers
from worker.cli.outside import explained
from worker.cli.remedies import is_about_certificate
from worker.config.gateways import PARAMETERS
from worker.config.problems import ConfigProblems
from worker.config.settings import Settings

Transports = Mapping[str, httpx.AsyncBaseTransport]


def ask_channels(
    dialog: Dialog, answers: Answers, environ: Mapping[str, str], transports: Transports
) -> None:
    """At least one channel, each tried; what does not answer may stay all the same."""
    available = [offer for offer in offers() if answers.public_url or not offer.needs_address]
    titles = [offer.title.say(dialog.language) for offer in available]
    if len(available) < len(offers()):
        dialog.tell(
            "\nWazzup24 и WhatsApp Cloud присылают сообщения сами: без публичного адреса их в списке нет.",
            "\nWazzup24 and WhatsApp Cloud post to us: without a public address they are not listed.",
        )
    while True:
        question = dialog.say(
            "Через какие мессенджеры писать клиентам?", "By which messengers are clients asked?"
        )
        chosen = [available[place] for place in dialog.choose_some(question, titles, [0])]
        sections = [offer.section for offer in chosen]
        if not chosen:
            dialog.tell("Нужен хотя бы один.", "One at least is needed.")
        elif len(set(sections)) < len(sections):
            dialog.tell(
                "У одного мессенджера может быть только один поставщик.", "One messenger has one provider."
            )
        else:
            break
    for offer in chosen:
        _ask_channel(dialog, answers, offer, environ, transports)


def _ask_channel(
    dialog: Dialog, answers: Answers, offer: Offer, environ: Mapping[str, str], transports: Transports
) -> None:
    dialog.tell(f"\n{offer.title.ru}. {offer.where.ru}", f"\n{offer.title.en}. {offer.where.en}")
    while True:
        values = {"provider": offer.provider} if offer.provider else {}
        for key in offer.keys:
            values[key.name] = _value(dialog, offer, key, environ)
        is_business = offer.provider == "cloud"
        if offer.chosen:
            values[offer.chosen], is_business = _pick(dialog, offer, values["api_key"], transports)
        if is_business:
            answers.template = _template(dialog, answers, is_cloud=offer.provider == "cloud")
        answers.channels[offer.section] = values
        if _is_settled(dialog, answers, offer, environ, transports):
            return


def _value(dialog: Dialog, offer: Offer, key: Key, environ: Mapping[str, str]) -> str:
    name = f"{offer.section}.{key.name}"
    if value := given(environ, name):
        dialog.tell(f"{key.words.ru}: беру из {variable(name)}.", f"{key.words.en}: from {variable(name)}.")
        return value
    question = key.words.say(dialog.language)
    if key.is_made:
        dialog.tell(
            f"{question}: придуман и будет записан, в кабинете укажите его же.",
            f"{question}: made up and written down, give the cabinet the same.",
        )
        return dice.token_urlsafe(16)
    return dialog.secret(question) if key.name in SECRET_KEYS else dialog.text(question)


def _is_settled(
    dialog: Dialog, answers: Answers, offer: Offer, environ: Mapping[str, str], transports: Transports
) -> bool:
    """Tried, and fine or kept all the same; False: it is asked about again."""
    while True:
        try:
            settings = settings_of(answers, environ)
        except ConfigProblems as problems:
            for problem in problems.problems:
                typer.echo(f"{problem.key}: {problem.text}")
            return False
        try:
            found = asyncio.run(_try(settings, offer.section, transports.get(offer.section)))
        except OutsideError as error:
            typer.echo(f"✗ {explained(settings, error)}")
            chosen = _after_trouble(dialog, answers, offer, error)
            if chosen != "retry":
                return chosen == "keep"
        else:
            dialog.tell(f"✓ отвечает: {found}", f"✓ answers: {found}")
            return True


def _after_trouble(dialog: Dialog, answers: Answers, offer: Offer, error: OutsideError) -> str:
    """`again` (other keys), `keep` (as it is), or `retry` (the same once more, with a way around)."""
    options = [
        ("again", dialog.say("ввести заново", "enter it again")),
        ("keep", dialog.say("оставить так, исправлю потом", "keep it, I mend it later")),
        ("retry", dialog.say("попробовать ещё раз", "try once more")),
    ]
    if offer.section == "telegram" and not isinstance(error, AccessDenied):
        options.append(("proxy", dialog.say("указать прокси", "name a proxy")))
    if offer.section == "max" and is_about_certificate(error):
        options.append(
            ("ca_file", dialog.say("указать файл с сертификатом", "name a file with the certificate"))
        )
    chosen = options[dialog.choose(dialog.say("Что делать?", "What now?"), [words for _, words in options])][
        0
    ]
    if chosen == "proxy":
        answers.channels[offer.section]["proxy"] = dialog.text("socks5://… , http://…")
        return "retry"
    if chosen == "ca_file":
        answers.channels[offer.section]["ca_file"] = dialog.text(dialog.say("Файл PEM", "PEM file"))
        return "retry"
    return chosen


async def _try(settings: Settings, section: str, transport: httpx.AsyncBaseTransport | None) -> str:
    channel = open_channel(section, getattr(settings, section), transport=transport)
    try:
        await channel.start()
        if isinstance(channel, Stoppable):
            await channel.check_state()
        return (await channel.deep_link("x")).partition("?")[0] if isinstance(channel, Linked) else section
    finally:
        await channel.close()


def _pick(dialog: Dialog, offer: Offer, api_key: str, transports: Transports) -> tuple[str, bool]:
    """One of the channels that the key opens, and whether it is a business account; typed in where the list
    cannot be had."""
    question = dialog.say(
        "Канал: имя, телефон или id из кабинета", "The channel: its name, phone or id in the cabinet"
    )
    try:
        listed = asyncio.run(wazzup_channels(offer.section, api_key, transport=transports.get(offer.section)))
    except OutsideError as error:
        dialog.tell(
            "✗ Wazzup не показывает каналы по этому ключу. Проверьте ключ API; канал можно вписать и так.",
            f"✗ {error}. {error.remedy}",
        )
        return dialog.text(question), False
    if not listed:
        dialog.tell(
            "В кабинете нет ни одного канала этого мессенджера.",
            "The cabinet has no channel of this messenger.",
        )
        return dialog.text(question), False
    shown = [f"{row.name or row.plain_id or row.channel_id} ({row.transport}, {row.state})" for row in listed]
    row = listed[dialog.choose(dialog.say("Какой канал?", "Which channel?"), shown)]
    return row.channel_id, row.transport.casefold() == WABA


def _template(dialog: Dialog, answers: Answers, *, is_cloud: bool) -> dict[str, object]:
    """The approved one, by which a business account writes first; {} for later, where that is possible."""
    dialog.tell(
        "Первым WhatsApp Business пишет только шаблоном, который одобрила Meta.",
        "WhatsApp Business writes first only by a template that Meta has approved.",
    )
    title = "templateGuid" if not is_cloud else dialog.say("Имя шаблона", "The template's name")
    later = "" if is_cloud else dialog.say(" (Enter — позже)", " (Enter: later)")
    name = dialog.text(title + later, may_be_empty=not is_cloud)
    if not name:
        return {}
    found: dict[str, object] = {"template": name}
    if is_cloud:
        found["template_language"] = dialog.text(
            dialog.say("Код языка шаблона", "The code of its language"), answers.language
        )

    def check(text: str) -> str:
        unknown = [part for part in text.replace(",", " ").split() if part not in PARAMETERS]
        if unknown:
            raise NotThat(dialog.say("Можно: ", "There are: ") + ", ".join(PARAMETERS))
        return text

    question = dialog.say("Что подставить вместо {{1}}, {{2}} …", "What stands for {{1}}, {{2}} …")
    hint = dialog.say("Enter — в шаблоне их нет", "Enter: the template has none")
    typed = dialog.text(f"{question} ({', '.join(PARAMETERS)}; {hint})", check=check, may_be_empty=True)
    return found | {"parameters": typed.replace(",", " ").split()}


# Who opened the bot: ids of the staff, so that nobody looks theirs up


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who wrote to the bot."""

    telegram_id: int
    name: str


def people_of_bot(settings: Settings, transports: Transports) -> tuple[str, Sequence[Person]]:
    """The bot's address, and who has written to it lately. Nothing is taken from the worker: only a later
    poll with an offset confirms what this one shows. Raises OutsideError."""
    return asyncio.run(_people(settings, transports.get("telegram")))


async def _people(
    settings: Settings, transport: httpx.AsyncBaseTransport | None
) -> tuple[str, Sequence[Person]]:
    channel: Channel = open_channel("telegram", settings.telegram, transport=transport)
    try:
        await channel.start()
        address = (await channel.deep_link("")).partition("?")[0] if isinstance(channel, Linked) else ""
        batch = await channel.poll("", timedelta(0)) if isinstance(channel, Polled) else None
        found: dict[int, Person] = {}
        for raw in batch.updates if batch is not None else ():
            try:
                said = channel.read(raw.body)
            except UnreadableError:
                continue
            for one in said:
                is_private = not one.is_group and one.sender_id.isdecimal()
                if is_private and one.kind in (IncomingKind.START, IncomingKind.TEXT):
                    found[int(one.sender_id)] = Person(int(one.sender_id), one.sender_name)
        return address, tuple(found.values())
    finally:
        await channel.close()
