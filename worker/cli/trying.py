"""The whole conversation on one's own phone, as a client would see it; it counts nowhere: `try`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.common import Config, read_settings, say
from worker.cli.outside import explained
from worker.cli.usage import FAILED, WRONG, WrongUse

if TYPE_CHECKING:
    import httpx

    from integrations.channels.base import Channel
    from storage.database import Database
    from worker.actions.base import Hands
    from worker.clock import Clock
    from worker.config.settings import Settings


class NoTrial(Exception):
    """Why nothing was sent: a sentence with the remedy."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be played, and to whom: a phone (E.164) or one of the staff by name."""

    survey: str
    phone: str = ""
    staff: str = ""


def try_survey(
    survey: Annotated[
        str,
        typer.Argument(metavar="SURVEY", help="Its key; without one, all that a closed deal calls for."),
    ] = "",
    to: Annotated[
        str, typer.Option("--to", metavar="PHONE", help="By a messenger that has this phone.")
    ] = "",
    staff: Annotated[
        str, typer.Option("--staff", metavar="NAME", help="In this colleague's own chat with the bot.")
    ] = "",
    config: Config = None,
) -> None:
    """Play the whole conversation on a phone of yours, marked as a trial. It counts nowhere.

    The answers are heard by `sarafan run`; one hour, or the word STOP, ends it.
    """
    from integrations.errors import OutsideError
    from storage.errors import StorageError
    from worker.account.resolve import AccountProblems
    from worker.rules.phone import normalise

    if bool(to) == bool(staff):
        raise WrongUse("--to", "укажите или --to ТЕЛЕФОН, или --staff ИМЯ", "give --to PHONE or --staff NAME")
    settings = read_settings(config, log_level="warning")
    phone = normalise(to, settings.company.holidays or "RU") if to else ""
    if phone is None:
        raise WrongUse(
            "--to",
            f"«{to}» — не номер телефона; нужен такой: +79140000001",
            f"'{to}' is no phone number; expected one such as +79140000001",
        )
    try:
        channel = asyncio.run(_play(settings, Wanted(survey=survey, phone=phone, staff=staff)))
    except NoTrial as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(problem.exit_code) from None
    except AccountProblems as problems:
        typer.echo(str(problems), err=True)
        raise typer.Exit(WRONG) from None
    except OutsideError as error:
        typer.echo(explained(settings, error), err=True)
        raise typer.Exit(FAILED) from None
    except StorageError as error:
        typer.echo(error.say(settings.company.language), err=True)
        raise typer.Exit(FAILED) from None
    name = settings.texts.fill(f"channel.{channel}")
    typer.echo(
        say(
            settings,
            f"Первый вопрос отправлен: {name}. Ответы примет запущенный sarafan run. "
            "Проверка закончится через час или по слову «стоп».",
            f"The first question was sent: {name}. The answers are heard by sarafan run, if it runs. "
            "The trial ends in an hour, or by the word STOP.",
        )
    )


async def _play(settings: "Settings", wanted: Wanted) -> str:
    from storage.database import Database

    db = await Database.open(settings.storage.url)
    try:
        return await play(settings, db, wanted)
    finally:
        await db.close()


async def play(
    settings: "Settings",
    db: "Database",
    wanted: Wanted,
    *,
    clock: "Clock | None" = None,
    transports: "Mapping[str, httpx.AsyncBaseTransport] | None" = None,
) -> str:
    """Send the first question, beside a running worker; the channel that took it. Raises NoTrial.

    `transports` replaces the network in tests.
    """
    from worker.actions.staffing import know_staff
    from worker.actions.trial_cast import conversation
    from worker.app import App

    app = await App.build(settings, db=db, clock=clock, transports=transports, requests_per_second=1)
    try:
        if app.hands.account is None:
            await app.know_account()
        await know_staff(app.hands)
        surveys = conversation(app.hands, wanted.survey)
        if not surveys:
            raise NoTrial(_no_survey(settings, app.hands, wanted.survey), WRONG)
        for channel, chat_id in await _places(settings, app.hands, wanted):
            if await _begin(app.hands, channel, chat_id, surveys):
                return channel.name
        raise NoTrial(_not_reached(settings))
    finally:
        await app.close()


async def _places(settings: "Settings", hands: "Hands", wanted: Wanted) -> Sequence[tuple["Channel", str]]:
    """Where the person can be written to, the preferred place first."""
    if wanted.phone:
        if await _is_taken(hands, wanted.phone):
            raise NoTrial(_no_client(settings))
        return await _of_phone(hands, wanted.phone)
    names = {one.name: one for one in hands.known.staff}
    found = next((one for name, one in names.items() if name.casefold() == wanted.staff.casefold()), None)
    if found is None:
        raise NoTrial(_no_staff(settings, names, wanted.staff), WRONG)
    return [(hands.channels[name], chat) for name, chat in found.places if name in hands.channels]


async def _is_taken(hands: "Hands", phone: str) -> bool:
    """Is this a client with whom something is going on, or who wants no messages? Perhaps a wrong number.

    What the client says next would be heard as part of the trial, and lost.
    """
    from storage import complaints, erased_numbers, people, surveys

    async with hands.db.reading() as tx:
        if await erased_numbers.is_erased(tx, phone):
            return True
        client = await people.client_by_key(tx, f"phone:{phone}")
        if client is None or client.client_id is None:
            return False
        is_waiting = any(chat.waiting_since for chat in await people.chats_of(tx, client.client_id))
        is_asked = await surveys.open_of_client(tx, client.client_id)
        complaint = await complaints.open_of_client(tx, client.client_id)
    return bool(client.opted_out_at or is_waiting or is_asked or complaint)


async def _of_phone(hands: "Hands", phone: str) -> Sequence[tuple["Channel", str]]:
    """As the channel of a question is chosen, one after the other."""
    from storage import people
    from storage.tables.people import Client
    from storage.tables.surveys import Survey
    from worker.actions.considering import choose_route

    now = hands.now()
    async with hands.db.reading() as tx:
        known = await people.client_by_key(tx, f"phone:{phone}")
        chats = list(await people.chats_of(tx, known.client_id or 0)) if known is not None else []
    client = Client(key="", phone=phone, created_at=now)
    survey = Survey(
        survey_key="", metric="", trigger="", deal_id=0, root_deal_id=0, triggered_at=now, planned_at=now,
        due_at=now, next_at=now,
    )  # fmt: skip
    found = []
    while (route := choose_route(hands, survey, client, chats)) is not None:
        found.append((route.channel, route.chat_id))
        survey.tried = [*survey.tried, route.channel.name]
    return found


async def _begin(hands: "Hands", channel: "Channel", chat_id: str, surveys: tuple[str, ...]) -> bool:
    """Written down before it is sent, so that no answer is faster. False: nobody is met there."""
    from integrations.channels.base import Sought
    from integrations.errors import OutsideError, Unreachable
    from storage import people, trials
    from worker.actions import trial
    from worker.actions.trial_cast import ask_next, cast_of

    await channel.start()
    now = hands.now()
    try:
        if isinstance(channel, Sought):
            chat_id = await channel.find(chat_id)
    except Unreachable:
        return False
    async with hands.db.transaction() as tx:
        chat = await people.chat(tx, channel.name, chat_id)
        row = await trial.begin(tx, channel.name, chat_id, surveys, now)
        cast = cast_of(hands, row, now)
        if cast is None:
            return False
        wrote_at = chat.client_wrote_at if chat is not None else None
        question = ask_next(hands, cast, channel, now, wrote_at=wrote_at)
    try:
        await trial.utter(hands, channel, row, trial.marked(hands, channel, question), 0)
    except OutsideError as error:
        async with hands.db.transaction() as tx:
            await trials.end(tx, row.id or 0, now)
        if isinstance(error, Unreachable):
            return False
        raise
    return True


# How it is said


def _no_survey(settings: "Settings", hands: "Hands", wanted: str) -> str:
    known = ", ".join(rule.key for rule in hands.known.rules)
    return settings.texts.fill("test.unknown", name=wanted, nearest=known)


def _no_staff(settings: "Settings", names: Mapping[str, object], wanted: str) -> str:
    known = ", ".join(names)
    return say(
        settings,
        f"Среди сотрудников нет имени «{wanted}». Есть: {known or 'никого'}. Список: sarafan staff.",
        f"Nobody of the staff is called “{wanted}”. There are: {known or 'none'}. The list: sarafan staff.",
    )


def _no_client(settings: "Settings") -> str:
    return say(
        settings,
        "Это номер клиента: ему задан вопрос, он ждёт ответа, у него открыта рекламация или он просил не "
        "писать. Проверьте номер или возьмите другой телефон.",
        "This is a client's number: a question is open, they wait for an answer, they have an open complaint "
        "or asked not to be written to. Look at the number again, or use another phone.",
    )


def _not_reached(settings: "Settings") -> str:
    return say(
        settings,
        "Написать некуда: боту пишут первым, а WhatsApp и аккаунты должны знать этот номер. "
        "Откройте бота и возьмите --staff ИМЯ или проверьте подключения: sarafan check.",
        "There is nowhere to write: a bot has to be opened first, WhatsApp or an account has to know this "
        "number. Open the bot and use --staff NAME, or look at the connections: sarafan check.",
    )
