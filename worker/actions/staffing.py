"""Who is staff at this moment, where their groups are, and how somebody becomes one of them by a link.

`sarafan staff` changes the storage beside a running worker, so each flow looks before it begins.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Incoming
from storage import complaints, outbox, staff, state
from storage.tables.people import InvitedStaff
from storage.tables.queues import Inbox
from worker.account.account import with_invited
from worker.account.people import Place, Staff
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.menus import ask_for_menus
from worker.actions.noting import note, open_case
from worker.staff.commands import LEADERS

log = logging.getLogger(__name__)

BOTS = ("telegram", "max")  # in which staff are met
GROUPS = "telegram"  # where groups of theirs may be
MOVED = "moved_groups"  # the groups of the settings that became supergroups: old id → new id
LONGEST_NAME = 64
OUT_FOR = timedelta(minutes=5)  # of a group, before that is told: whoever sent the bot out may think better


async def know_staff(hands: Hands) -> None:
    """Those of the settings, and those who were invited and not removed since."""
    async with hands.db.reading() as tx:
        rows = await staff.joined(tx)
        moved = (await state.recall(tx, MOVED) or {}) if hands.alerts.groups else {}
    hands.groups = tuple(_group(number, moved) for number in hands.alerts.groups)
    found = told_apart(map(_person, rows), hands.named_staff)
    if hands.invited == found and (hands.account is None or hands.account.invited == found):
        return
    hands.invited = found
    if hands.account is not None:
        hands.account = with_invited(hands.account, found)
        await ask_for_menus(hands)


def _person(row: InvitedStaff) -> Staff:
    number = int(row.chat_id or 0)
    return Staff(
        telegram_id=number if row.channel == "telegram" else 0,
        max_id=number if row.channel == "max" else 0,
        name=row.name,
        role=row.role,
        pipelines=frozenset(row.pipelines),
        managers=frozenset(row.managers),
        amocrm_user=row.amocrm_user,
    )


def told_apart(invited: Iterable[Staff], listed: Iterable[Staff]) -> tuple[Staff, ...]:
    """Names are what tells staff apart: of two called «Анна» the one who came by a link is «Анна 2»."""
    listed = tuple(listed)
    places = {place for person in listed for place in person.places}
    names = [person.name for person in listed]
    return tuple(
        person if places.intersection(person.places) else replace(person, name=free_name(person.name, names))
        for person in invited
    )


def _group(number: int, moved: dict[str, str]) -> Place:
    chat_id = str(number)
    for _ in moved:  # A group may have moved more than once.
        chat_id = moved.get(chat_id, chat_id)
    return Place(GROUPS, chat_id)


async def join(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming) -> bool:
    """Somebody opened a link that invites: from now on they are staff. False: it invites nobody.

    Used, run out or made up, it is like any other link that nothing is known of.
    """
    now = hands.now()
    if row.channel not in BOTS or not message.token or not message.sender_id.isdecimal():
        return False
    invited = await staff.join(tx, message.token, row.channel, message.sender_id, now)
    if invited is None:
        return False
    taken = [one.name for one in hands.known.staff]
    invited.name = free_name(invited.name or message.sender_name, taken) or hands.texts.fill(
        f"role.{invited.role}"
    )
    log.info("somebody opened an invitation and is staff now, with the role %s", invited.role)
    role, values = invited.role, {"staff": invited.name, "name": hands.texts.fill(f"role.{invited.role}")}
    if role in LEADERS:
        text = hands.texts.fill("staff.welcome", **values)
    else:
        text = f"{hands.texts.fill('staff.hello.plain', **values)}\n\n{hands.texts.fill(f'help.{role}')}"
    payload = {"places": [[row.channel, message.chat_id]], "text": text}
    await outbox.add_once(tx, "tell_staff", keys.answer_staff(row.channel, row.id), payload, now, now)
    hands.wake.act.set()
    return True


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """By the name one of the staff is told from the others, so «Анна» may become «Анна 2»."""
    name = " ".join("".join(filter(lambda sign: sign.isprintable(), wanted)).split())[:LONGEST_NAME].strip()
    known = {folded(one) for one in taken}
    number, free = 1, name
    while folded(free) in known:
        number += 1
        free = f"{name} {number}"
    return free


def folded(name: str) -> str:
    return " ".join(name.split()).casefold()


async def move_group(tx: AsyncSession, hands: Hands, old: str, new: str) -> None:
    """A group of ours became a supergroup: its messages stayed behind, what follows goes to the new one."""
    if old not in {group.chat_id for group in hands.groups}:
        return
    moved = await state.recall(tx, MOVED) or {}
    if new == moved.get(old) or not new:
        return
    await state.remember(tx, MOVED, {**moved, old: new})
    await complaints.move_alerts(tx, GROUPS, old, new)
    log.info("a group of the staff became a supergroup")


async def find_out(hands: Hands, group: Place, *, is_lost: bool) -> None:
    """Writing there went well, or could not. Most of the time that is nothing new."""
    async with hands.db.reading() as tx:
        if (await open_case(tx, _case(hands, group)) is not None) is is_lost:
            return
    async with hands.db.transaction() as tx:
        await note_group(tx, hands, group, is_lost=is_lost)
    hands.wake.act.set()


async def note_group(tx: AsyncSession, hands: Hands, group: Place, *, is_lost: bool) -> None:
    """The bot was sent out of a group of ours, or is in it again: whoever can mend it is told."""
    values = {"value": str(_number(hands, group))}
    text = "group.lost" if is_lost else ""
    await note(tx, hands, _case(hands, group), text, values=values, after=OUT_FOR)


def _case(hands: Hands, group: Place) -> str:
    return f"group:{_number(hands, group)}"


def _number(hands: Hands, group: Place) -> int:
    """As in the settings, wherever it has moved since."""
    return hands.alerts.groups[hands.groups.index(group)]
