"""The company of `demo --serve`: whatever a person does on the page happens, and the worker answers it.

The clock stands still until somebody acts. People act through the stand-ins' HTTP, as on their phones.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from integrations.errors import OutsideError
from integrations.standins.faults import CONTROL
from integrations.standins.town import Addresses, Town
from storage.errors import StorageError
from worker.app import App
from worker.cli.demo import Errors, next_moment
from worker.cli.demo_cast import (
    CLOSED_AT_FIRST,
    COMPLAINT_FIELD,
    GUESTS,
    LATECOMER,
    OWNER_IN_AMOCRM,
    STAFF,
    Guest,
)
from worker.cli.demo_town import CREW_FIELD, CREWS, HEAD_IN_AMOCRM, MANAGERS, ZONE, T
from worker.clock import ManualClock

LINK_FIELD = "Ссылка на Telegram-бота"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MORNING, EVENING = 9, 18  # o'clock

Side = Literal["telegram", "whatsapp"]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class _Wish(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Say(_Wish):
    """`who` is an account of Telegram or a phone; `reply` the message that is quoted."""

    do: Literal["say"]
    side: Side
    who: str
    text: Words
    reply: str = ""


class Press(_Wish):
    """A button under a message of Telegram, an option of a poll in WhatsApp."""

    do: Literal["press"]
    side: Side
    who: str
    message: str
    button: str


class Start(_Wish):
    """Open the bot by the link that stands in this client's deal."""

    do: Literal["start"]
    who: int


class Share(_Wish):
    do: Literal["share"]
    who: int


class Close(_Wish):
    do: Literal["close"]
    deal: int
    won: bool = True


class Take(_Wish):
    """A complaint is taken to work in amoCRM."""

    do: Literal["take"]
    deal: int


class Arrive(_Wish):
    """A new client with an open deal."""

    do: Literal["arrive"]
    name: Name
    by: Side


class Wait(_Wish):
    do: Literal["wait"]
    hours: Literal[1, 24]


Deed = Say | Press | Start | Share | Close | Take | Arrive
Wish = Annotated[Deed | Wait, Field(discriminator="do")]


class Impossible(Exception):
    """It cannot be done here and now; the message is a sentence for whoever plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A client of the made-up company."""

    name: str
    phone: str
    user_id: int  # in Telegram; 0: this one writes in WhatsApp only
    deal: int


class Scene:
    """One game. `version` grows with everything that happens."""

    def __init__(self, app: App, town: Town, addresses: Addresses, clock: ManualClock, log: Errors) -> None:
        self.app = app
        self.town = town
        self.clock = clock
        self.version = 0
        self.players: list[Player] = []
        self.troubles = log.records  # what the worker logged as an error
        self._addresses = {
            "amocrm": addresses.amocrm, "telegram": addresses.telegram, "whatsapp": addresses.whatsapp
        }  # fmt: skip
        self._http = httpx.AsyncClient(trust_env=False, timeout=30)
        self._turn = asyncio.Lock()
        self._is_over = False
        self._seen_events = -1  # events of amoCRM that the worker has read

    async def open(self) -> None:
        """The company as it is when the page opens: deals of which two are closed, and their questions."""
        amocrm = self.town.amocrm
        have = {user.name for user in amocrm.users.values()}
        for name in (*MANAGERS, HEAD_IN_AMOCRM, OWNER_IN_AMOCRM):
            if name not in have:
                amocrm.add_user(name)
        amocrm.add_field(CREW_FIELD, "select", enums=CREWS)
        amocrm.add_field(COMPLAINT_FIELD, "numeric")
        for colleague in STAFF:
            self.town.telegram.person(colleague.name, user_id=colleague.telegram_id).has_started = True
        await self.app.recover()
        await self._step()  # Only what changes from now on is looked at.
        self.clock.advance(MINUTE)
        for guest in GUESTS:
            self._welcome(guest)
        await self._step()
        for player in self.players:
            if player.user_id:
                await self._start(player.user_id)
        await self._step()
        for player in self.players:
            if player.name in CLOSED_AT_FIRST:
                await self._ask("amocrm", "close_lead", lead_id=player.deal)
        self.clock.advance(MINUTE)
        await self._step()

    def stop(self) -> None:
        """No more time passes: a day may be half over when the program is told to end."""
        self._is_over = True

    async def close(self) -> None:
        await self._http.aclose()

    async def act(self, wish: Wish) -> str:
        """Do it, let the worker answer, and give what Telegram shows for a moment. Raises Impossible."""
        async with self._turn:
            try:
                tap = ""
                if isinstance(wish, Wait):
                    await self._wait(timedelta(hours=wish.hours))
                else:
                    self.clock.advance(MINUTE)
                    tap = await self._do(wish)
                    await self._step()
            except (OutsideError, StorageError, httpx.HTTPError) as error:
                raise Impossible(f"Программе что-то помешало: {error}. Попробуйте ещё раз.") from error
            finally:
                self.version += 1
        return self.town.telegram.taps[tap].answer if tap else ""

    async def _do(self, wish: Deed) -> str:
        """The id of a tap in Telegram, for everything else ""."""
        match wish:
            case Say(side="telegram"):
                reply = int(wish.reply) if wish.reply.isdecimal() else None
                await self._ask("telegram", "says", who=_account(wish.who), text=wish.text, reply_to=reply)
            case Say():
                await self._opens_chat(wish.who)
                await self._ask("whatsapp", "says", who=wish.who, text=wish.text, quote=wish.reply)
            case Press(side="telegram"):
                return str(
                    await self._ask(
                        "telegram", "tap", who=_account(wish.who), button=wish.button,
                        message_id=_account(wish.message),
                    )
                )  # fmt: skip
            case Press():
                await self._opens_chat(wish.who)
                await self._ask(
                    "whatsapp", "votes", who=wish.who, option=wish.button, id_message=wish.message
                )
            case Start():
                await self._start(wish.who)
            case Share():
                await self._ask("telegram", "share_contact", who=wish.who)
            case Close():
                self._lead(wish.deal)
                await self._ask("amocrm", "close_lead", lead_id=wish.deal, won=wish.won)
            case Take():
                self._lead(wish.deal)
                await self._ask("amocrm", "move_lead", lead_id=wish.deal, status="В работе")
            case Arrive():
                self._arrive(wish)
        return ""

    async def _opens_chat(self, phone: str) -> None:
        if phone not in {player.phone for player in self.players}:
            raise Impossible("Такого собеседника или сообщения нет.")
        await self._ask("whatsapp", "reads", who=phone)

    def _lead(self, deal: int) -> None:
        if deal not in self.town.amocrm.leads:
            raise Impossible("Такой сделки нет.")

    def _arrive(self, wish: Arrive) -> None:
        names = {player.name for player in self.players} | {colleague.name for colleague in STAFF}
        if wish.name in names:
            raise Impossible("Человек с таким именем уже есть. Назовите клиента иначе.")
        self._welcome(
            Guest(
                name=wish.name,
                by=T if wish.by == "telegram" else "",
                manager=LATECOMER.manager,
                crew=LATECOMER.crew,
                what=LATECOMER.what,
                price=LATECOMER.price,
            )
        )

    def _welcome(self, guest: Guest) -> None:
        """A contact, an open deal, and an account where this client writes."""
        phone = f"+7914{2_340_000 + 1_357 * len(self.players):07}"
        amocrm = self.town.amocrm
        contact = amocrm.add_contact(guest.name, [phone])
        deal = amocrm.add_lead(
            guest.what,
            [contact],
            responsible=guest.manager,
            price=guest.price,
            fields={CREW_FIELD: guest.crew},
        )
        user_id = self.town.telegram.person(guest.name, phone=phone).user_id if guest.by == T else 0
        self.players.append(Player(name=guest.name, phone=phone, user_id=user_id, deal=deal))

    async def _start(self, user_id: int) -> None:
        player = next((player for player in self.players if player.user_id == user_id), None)
        if player is None:
            raise Impossible("Такого клиента нет.")
        link = str(self.town.amocrm.field_value(player.deal, LINK_FIELD) or "")
        await self._ask("telegram", "start", who=user_id, token=link.partition("start=")[2])

    async def _wait(self, span: timedelta) -> None:
        """From event to event, and by the hour of the working day: what waits by working time is no event."""
        now = self.clock.now()
        until = now + span
        while now < until and not self._is_over:
            ahead = await next_moment(self.app, now) or until
            now = min(max(ahead, now + timedelta(seconds=1)), _next_look(now), until)
            self.clock.set(now)
            await self._step()

    async def _step(self) -> None:
        """amoCRM is read when something has happened there, as its webhook would tell."""
        events = len(self.town.amocrm.events)
        await self.app.step(pulls=events != self._seen_events)
        self._seen_events = events

    async def _ask(self, service: str, helper: str, **arguments: object) -> Any:
        answer = await self._http.post(f"{self._addresses[service]}{CONTROL}{helper}", json=arguments)
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise Impossible("Так сейчас не получится: переписка изменилась.")
        answer.raise_for_status()
        return answer.json()


def _next_look(now: datetime) -> datetime:
    later = now.astimezone(ZONE) + HOUR
    if MORNING <= later.hour <= EVENING:
        return later
    day = later.date() + timedelta(days=later.hour > EVENING)
    return datetime.combine(day, time(MORNING), ZONE)


def _account(text: str) -> int:
    if not text.isdecimal():
        raise Impossible("Такого собеседника или сообщения нет.")
    return int(text)
