"""«Передать»: whom of the staff a complaint can be given to, how one is chosen, and how they hear of it."""

import logging
import zlib
from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Button, Incoming, Outgoing
from integrations.errors import Permanent
from storage import complaints, outbox
from storage.tables.complaints import Alert, Complaint
from storage.tables.queues import Inbox, Outbox
from worker.account.people import Place, Staff
from worker.actions import keys
from worker.actions.alert_staff import alert_buttons, as_joined, case_of, wait_for_morning
from worker.actions.alert_words import alert_text, staff_values
from worker.actions.base import Hands
from worker.actions.hearing import about_whom, but, leads, place_of
from worker.actions.joined import Case
from worker.actions.keeping import keep_alerts, keep_repeats
from worker.actions.reaching import reach
from worker.staff.commands import HEAD, MANAGER, OWNER

log = logging.getLogger(__name__)

ON_A_PAGE = 8  # names, one in a row: as many as a phone shows under a long alert
ALL = ":all"  # ends the data of the button that leads back to all complaints of a message
NEAREST = (HEAD, OWNER)  # who is offered first; managers come last


def colleagues(hands: Hands, presser: Staff, about: Collection[int]) -> Sequence[Staff]:
    """Who could take it instead: never whom a low score is about, and nobody whom we do not meet."""
    able = [
        one
        for one in hands.known.staff
        if one.places and one.key != presser.key and (leads(hands, one) or one.role == MANAGER)
    ]

    def rank(one: Staff) -> int:
        return NEAREST.index(one.role) if one.role in NEAREST else len(NEAREST) + (one.role == MANAGER)

    return sorted(but(able, about), key=rank)


def tag_of(person: Staff) -> str:
    """Names a colleague in a button, whatever is added to the settings meanwhile.

    >>> tag_of(Staff(name="Анна", role="head", telegram_id=111111111))
    'dc31b3de'
    """
    return f"{zlib.crc32(person.key.encode()):08x}"


def choice(
    hands: Hands, complaint: Complaint, people: Sequence[Staff], page: int
) -> tuple[tuple[Button, ...], ...]:
    """A name in each row; below them the way on and the way back."""
    begins = f"c:{complaint.id}"
    shown = people[page * ON_A_PAGE : (page + 1) * ON_A_PAGE]
    rows = [(Button(one.name, data=f"{begins}:to:{tag_of(one)}"),) for one in shown]
    back = f"{begins}:pass:{page - 1}" if page else f"{begins}:back"
    ways = [Button(hands.texts.fill("button.back"), data=back)]
    if len(people) > (page + 1) * ON_A_PAGE:
        ways.append(Button(hands.texts.fill("button.more"), data=f"{begins}:pass:{page + 1}"))
    return (*rows, tuple(ways))


async def ask_for_buttons(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, complaint: Complaint, page: int | None
) -> None:
    """Under the tapped message. `page` of the colleagues; None: what can be done with the complaint.

    Where the message tells of several, that is first asked for, and «Назад» leads to all of them.
    """
    payload = {
        "complaint_id": complaint.id,
        "channel": row.channel,
        "chat_id": message.chat_id,
        "message_id": message.quoted,
        "staff": message.sender_id or message.chat_id,
        "page": page,
        "is_all": message.data.endswith(ALL),
    }
    key = keys.buttons(row.channel, message.chat_id, message.quoted)
    await outbox.ask_again(tx, "show_buttons", key, payload, hands.now(), hands.now())


async def show_buttons(item: Outbox, hands: Hands) -> None:
    """The words of the message stay."""
    payload = item.payload
    case = await case_of(hands, int(payload["complaint_id"]))
    channel = hands.channels.get(str(payload["channel"]))
    person = hands.known.staff_member(str(payload["channel"]), str(payload["staff"]))
    if case is None or channel is None or person is None:
        return
    complaint = case[0]
    place = Place(channel.name, str(payload["chat_id"]))
    message_id, is_all = str(payload["message_id"]), bool(payload.get("is_all"))
    buttons = await _buttons(hands, complaint, place, message_id, is_all=is_all)
    is_over = complaint.closed_at is not None or complaint.left_at is not None
    if payload["page"] is not None and not is_over:
        people = colleagues(hands, person, await about_whom(hands, complaint, case[1]))
        buttons = choice(hands, complaint, people, int(payload["page"]))
    try:
        await channel.edit(str(payload["chat_id"]), message_id, Outgoing(text="", buttons=buttons))
    except Permanent as error:
        log.info("the buttons of complaint %s stay as they are: %s", complaint.id, error)


async def _buttons(
    hands: Hands, complaint: Complaint, place: Place, message_id: str, *, is_all: bool
) -> tuple[tuple[Button, ...], ...]:
    """What can be done with this complaint; under a message about several with its number and a way back."""
    buttons = alert_buttons(hands, complaint)
    several = await as_joined(hands, place, message_id)
    if several is None:
        return buttons
    if is_all or complaint.closed_at is not None or complaint.left_at is not None:
        return several.buttons
    back = Button(hands.texts.fill("button.back"), data=f"c:{complaint.id}:back{ALL}")
    return (*(tuple(_numbered(hands, button, complaint) for button in row) for row in buttons), (back,))


def _numbered(hands: Hands, button: Button, complaint: Complaint) -> Button:
    return replace(button, text=hands.texts.fill("alert.line.one", value=button.text, no=complaint.id))


async def tell_receiver(item: Outbox, hands: Hands) -> None:
    """That it is theirs now: under their alert, or with the alert. At least once."""
    case = await case_of(hands, int(item.payload["complaint_id"]))
    if case is None:
        return
    complaint = case[0]
    wanted = [one for one in hands.known.staff if one.name == item.payload["to"]]
    person = next(iter(but(wanted, await about_whom(hands, complaint, case[1]))), None)
    is_over = complaint.closed_at is not None or complaint.left_at is not None
    if person is None or is_over or complaint.passed_to != person.name:
        return  # Closed, or passed further, or about this person since.
    wait_for_morning(hands)
    async with hands.db.reading() as tx:
        alerts = await complaints.alerts(tx, complaint.id or 0)
    theirs = next((alert for alert in alerts if place_of(alert) in person.places), None)
    message = await _word(hands, case, theirs, passed_by=str(item.payload["staff"]))
    told = await reach(hands, person.places if theirs is None else [place_of(theirs)], message)
    if told is None:
        log.warning("complaint %s was passed to somebody who cannot be reached", complaint.id)
    elif theirs is None:
        await keep_alerts(hands, [complaint], *told)
    else:
        await keep_repeats(hands, [(complaint, message.text)], *told)


async def _word(hands: Hands, case: Case, alert: Alert | None, *, passed_by: str) -> Outgoing:
    complaint, survey, deal, client = case
    values = staff_values(
        hands, client=client, deal=deal, survey=survey, complaint=complaint, now=hands.now()
    )
    line = hands.texts.fill("alert.yours", **{**values, "staff": passed_by})
    buttons = alert_buttons(hands, complaint)
    if alert is not None:
        return Outgoing(text=line, buttons=buttons, quote=alert.message_id)
    shown = await alert_text(hands, *case, sent_at=complaint.opened_at)
    return Outgoing(text=f"{line}\n\n{shown}", buttons=buttons)
