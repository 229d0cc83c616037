"""`/dashboard`: the link that opens the page, the page behind it, and the same page as a file."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from integrations.channels.base import Button, Channel, Outgoing, SendsFiles
from storage import state
from worker.account import Staff
from worker.actions.base import Hands
from worker.actions.desks import desk_for
from worker.reports.document import Document
from worker.reports.page import Choice, Switch, notice, page
from worker.reports.pictures import PictureError, svgs
from worker.reports.sheet import as_xlsx
from worker.reports.words import Words
from worker.rules.links import BadLinkError, sign, whose
from worker.rules.moments import deadline_text, moment_text
from worker.staff.commands import may, period_of
from worker.staff.dashboard import Look, Sight, document_for, look_of, sight_of, switches
from worker.staff.desk import Desk

log = logging.getLogger(__name__)

COMMAND = "dashboard"
FRESH = timedelta(minutes=1)  # so long a page that was made serves all who may see the same
MOST_KEPT = 8
XLSX = "xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the browser gets."""

    html: str = ""
    sheet: bytes = b""  # instead of a page
    name: str = ""  # of the sheet as a file
    refusal: str = ""  # why it is not the dashboard, in one word for the metrics
    is_early: bool = False  # the account is not known yet: worth another try


@dataclass(frozen=True, slots=True)
class _Made:
    at: datetime
    document: Document
    pictures: Mapping[str, str]


class Dashboard:
    """One page at a time is made: each costs a second and tens of megabytes in a process of its own."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._making = asyncio.Lock()
        self._made: dict[object, _Made] = {}

    async def show(self, query: Mapping[str, str], nonce: str) -> Shown:
        """Whatever is asked for, something for a person to read. Raises StorageError."""
        hands = self._hands
        if hands.account is None:
            return Shown(html=notice(hands.texts.fill("dashboard.early"), hands.texts, nonce), is_early=True)
        token = query.get("token", "")
        try:
            person, until = await _reader(hands, token)
        except BadLinkError as error:
            # A stranger reads the same as who came too late.
            gone = hands.texts.fill("dashboard.expired")
            return Shown(html=notice(gone, hands.texts, nonce), refusal=str(error))
        desk = desk_for(hands, person)
        sight = await sight_of(desk, look_of(query.get("period", ""), query.get("manager", "")))
        made = await self._make(desk, sight)
        if query.get("format") == XLSX:
            return Shown(sheet=as_xlsx(made.document, hands.texts), name=f"{file_name(desk, sight)}.xlsx")

        def address_of(look: Look) -> str:
            return f"?{urlencode({'token': token, **look.query})}"

        as_sheet = urlencode({"token": token, **sight.look.query, "format": XLSX})
        sheet = Choice(title=hands.texts.fill("dashboard.sheet"), url=f"?{as_sheet}")
        rows = (
            *switches(desk, sight, address_of),
            Switch(title=hands.texts.fill("dashboard.file_title"), choices=(sheet,)),
        )
        note = hands.texts.fill(
            "dashboard.until", when=deadline_text(hands.texts, until, desk.zone, desk.now)
        )
        document = replace(made.document, notes=(*made.document.notes, note))
        return Shown(html=page(document, hands.texts, pictures=made.pictures, nonce=nonce, switches=rows))

    async def _make(self, desk: Desk, sight: Sight) -> _Made:
        key = (sight.look, sight.only, sight.is_own and desk.person.name)
        async with self._making:
            made = self._made.get(key)
            if made is not None and desk.now - FRESH < made.at <= desk.now:
                return made
            document = await document_for(desk, sight)
            made = _Made(desk.now, document, await drawn(document, desk))
            self._made = {known: one for known, one in self._made.items() if known != key}
            self._made = dict([*self._made.items(), (key, made)][-MOST_KEPT:])
            return made


async def send_dashboard(hands: Hands, channel: Channel, chat_id: str, person: Staff, look: Look) -> None:
    """The link; where nothing of ours can be reached from outside, the page itself. Raises as `send` does."""
    desk = desk_for(hands, person)
    texts = hands.texts
    if hands.public_url:
        until = desk.now + hands.link_life
        key = await state.secret(hands.db, COMMAND)
        token = sign(key, ":".join((channel.name, chat_id)), until)
        url = f"{hands.public_url.rstrip('/')}/{COMMAND}?{urlencode({'token': token, **look.query})}"
        text = texts.fill("dashboard.link", when=deadline_text(texts, until, desk.zone, desk.now))
        button = Button(texts.fill("button.dashboard"), url=url)
        await channel.send(chat_id, Outgoing(text=text, buttons=((button,),)))
    elif isinstance(channel, SendsFiles):
        sight = await sight_of(desk, look)
        document = await document_for(desk, sight)
        html = page(document, texts, pictures=await drawn(document, desk))
        said = texts.fill("dashboard.file", when=moment_text(texts, desk.now, desk.zone))
        await channel.send_file(chat_id, html.encode(), f"{file_name(desk, sight)}.html", said)
    else:
        await channel.send(chat_id, Outgoing(text=texts.fill("dashboard.no_way")))


async def drawn(document: Document, desk: Desk) -> Mapping[str, str]:
    """Its pictures, or where these fail none: the figures are in the tables too."""
    try:
        return await svgs(document.charts, Words(desk.texts, document.currency))
    except PictureError as error:
        log.warning("a page goes without pictures: %s", error)
        return {}


def file_name(desk: Desk, sight: Sight) -> str:
    """`sarafan-2026-07-01-2026-09-30`: first and last day."""
    period = period_of(sight.look.period, desk.now, desk.zone)
    return f"sarafan-{period.start}-{period.end - timedelta(days=1)}"


async def _reader(hands: Hands, token: str) -> tuple[Staff, datetime]:
    """Who was taken out of the settings since, or may no longer, is nobody. Raises BadLinkError."""
    key = await state.secret(hands.db, COMMAND)
    places = [(":".join(place), person) for person in hands.known.staff for place in person.places]
    person, until = whose(key, token, places, hands.now())
    if not may(person.role, COMMAND):
        raise BadLinkError("role")
    return person, until
