"""`/dashboard`: the link that opens the page, the page behind it, and the same page as a file."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlencode

from integrations.channels.base import Button, Channel, Outgoing, SendsFiles
from integrations.errors import AccessDenied, Permanent, Unreachable
from storage import state
from storage.errors import StorageError
from storage.tables.queues import Outbox
from worker.account.people import Staff
from worker.actions.base import Hands
from worker.actions.desks import desk_for
from worker.actions.staffing import know_staff
from worker.reports.aside import aside
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
    is_for_now: bool = False  # it cannot be shown yet: worth another try


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
        """Whatever is asked for, something for a person to read."""
        hands = self._hands
        try:
            person, until = await _reader(hands, query.get("token", ""))
            if hands.account is not None:
                return await self._page(person, until, query, nonce)
            says, refusal = "dashboard.early", ""
        except BadLinkError as error:
            # A stranger reads the same as who came too late.
            says, refusal = "dashboard.expired", str(error)
        except StorageError as error:
            log.warning("the dashboard cannot be shown: %s", error)
            says, refusal = "dashboard.no_answer", ""
        html = notice(hands.texts.fill(says), hands.texts, nonce)
        return Shown(html=html, refusal=refusal, is_for_now=not refusal)

    async def _page(self, person: Staff, until: datetime, query: Mapping[str, str], nonce: str) -> Shown:
        texts = self._hands.texts
        desk = desk_for(self._hands, person)
        sight = await sight_of(desk, look_of(query.get("period", ""), query.get("manager", "")))
        made = await self._make(desk, sight)
        if query.get("format") == XLSX:
            sheet = await aside(partial(as_xlsx, made.document, texts))
            return Shown(sheet=sheet, name=f"{file_name(desk, sight)}.xlsx")

        def address_of(look: Look, **more: str) -> str:
            return f"?{urlencode({'token': query['token'], **look.query, **more})}"

        to_sheet = Choice(title=texts.fill("dashboard.sheet"), url=address_of(sight.look, format=XLSX))
        rows = (
            *switches(desk, sight, address_of),
            Switch(title=texts.fill("dashboard.file_title"), choices=(to_sheet,)),
        )
        note = texts.fill("dashboard.until", when=deadline_text(texts, until, desk.zone, desk.now))
        document = replace(made.document, notes=(*made.document.notes, note))
        whole = partial(page, document, texts, pictures=made.pictures, nonce=nonce, switches=rows)
        return Shown(html=await aside(whole))

    async def _make(self, desk: Desk, sight: Sight) -> _Made:
        key = (sight.look, sight.only, sight.is_own and desk.person.name)
        async with self._making:
            now, made = self._hands.now(), self._made.get(key)
            if made is not None and now - FRESH < made.at <= now:
                return made
            document = await document_for(desk, sight)
            pictures = await drawn(document, desk)
            made = _Made(self._hands.now(), document, pictures)  # now: whoever waited for it finds it new
            self._made = {known: one for known, one in self._made.items() if known != key}
            self._made = dict([*self._made.items(), (key, made)][-MOST_KEPT:])
            return made


async def send_dashboard(item: Outbox, hands: Hands) -> None:
    """At least once: whoever asked waits for it, and a second link opens the same."""
    payload = item.payload
    channel = hands.channels.get(str(payload["channel"]))
    person = hands.known.staff_member(str(payload["channel"]), str(payload["chat_id"]))
    # Whoever was taken out of the settings since, or may no longer, is nobody to us.
    if channel is None or person is None or not may(person.role, COMMAND):
        return
    try:
        await _send(hands, channel, str(payload["chat_id"]), person, Look(period=str(payload["period"])))
    except Unreachable as error:
        log.info("a link to the dashboard found nobody: %s", error)
        return
    hands.health.count_message(channel.name, "out", "staff")


async def _send(hands: Hands, channel: Channel, chat_id: str, person: Staff, look: Look) -> None:
    """The link; where nothing of ours can be reached from outside, the page itself. Raises as `send` does."""
    desk = desk_for(hands, person)
    if hands.public_url and await _send_link(hands, channel, chat_id, desk, look):
        return
    if isinstance(channel, SendsFiles) and await _send_file(channel, chat_id, desk, look):
        return
    await channel.send(chat_id, Outgoing(text=hands.texts.fill("dashboard.no_way")))


async def _send_file(channel: SendsFiles, chat_id: str, desk: Desk, look: Look) -> bool:
    """False: the messenger does not take it."""
    texts = desk.texts
    sight = await sight_of(desk, look)
    document = await document_for(desk, sight)
    html = await aside(partial(page, document, texts, pictures=await drawn(document, desk)))
    said = texts.fill("dashboard.file", when=moment_text(texts, desk.now, desk.zone))
    try:
        await channel.send_file(chat_id, html.encode(), f"{file_name(desk, sight)}.html", said)
    except Unreachable:
        raise
    except Permanent as error:
        if error.status == 401:  # The token is wrong, and not the file.
            raise
        log.warning("the dashboard cannot be sent as a file: %s", error)
        return False
    return True


async def _send_link(hands: Hands, channel: Channel, chat_id: str, desk: Desk, look: Look) -> bool:
    """False: the messenger takes no button that leads there, as Telegram none to http://localhost."""
    texts, until = hands.texts, desk.now + hands.link_life
    key = await state.secret(hands.db, COMMAND)
    token = sign(key, ":".join((channel.name, chat_id)), until)
    url = f"{hands.public_url.rstrip('/')}/{COMMAND}?{urlencode({'token': token, **look.query})}"
    text = texts.fill("dashboard.link", when=deadline_text(texts, until, desk.zone, desk.now))
    button = Button(texts.fill("button.dashboard"), url=url)
    try:
        await channel.send(chat_id, Outgoing(text=text, buttons=((button,),)))
    except (AccessDenied, Unreachable):
        raise
    except Permanent:  # What it says quotes the address, and the token with it.
        log.warning("%s refuses a button that leads to http.public_url: a file goes instead", channel.name)
        return False
    return True


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
    """Who is no longer staff, or may no longer, is nobody. Raises BadLinkError."""
    await know_staff(hands)
    key = await state.secret(hands.db, COMMAND)
    # Before amoCRM was read, the settings know who it is, but not yet whom they follow.
    staff = hands.account.staff if hands.account else (*hands.named_staff, *hands.invited)
    places = [(":".join(place), person) for person in staff for place in person.places]
    person, until = whose(key, token, places, hands.now())
    if not may(person.role, COMMAND):
        raise BadLinkError("role")
    return person, until
