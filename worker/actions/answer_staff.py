"""What staff ask the bot for: taken from the inbox once, answered in the chat where it was asked."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Channel, Incoming, IncomingKind, Menued, Outgoing
from integrations.errors import Permanent, Unreachable
from storage import inbox, outbox, paused
from storage.tables.queues import Inbox, Outbox
from worker.account.people import Place, Staff
from worker.actions import keys, trial
from worker.actions.base import Hands
from worker.actions.dashboard import COMMAND as DASHBOARD
from worker.actions.desks import desk_for
from worker.actions.first_list import is_closed
from worker.actions.plan_staff import plan_for
from worker.actions.reaching import reach
from worker.actions.trial_cast import conversation
from worker.staff.commands import (
    ABOUT_A_PERIOD,
    COMMANDS,
    FIRST_LIST,
    LEADERS,
    START,
    Wish,
    may,
    tapped,
    typed,
)
from worker.staff.desk import Answer, Desk
from worker.staff.finding import find_answer
from worker.staff.helping import greeting, help_answer, refusal
from worker.staff.menus import menu_of
from worker.staff.numbers import report_answer
from worker.staff.pausing import UnclearError, told, until_of

log = logging.getLogger(__name__)


async def take(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff) -> bool:
    """A command, or a button under an answer; False if it is neither. Safe to take twice.

    Staff write of clients: of what they typed, and of the message that they tapped, nothing is kept.
    """
    await inbox.empty(tx, row.id)
    wish = _wish(message)
    if wish is None or (message.is_group and wish.command not in COMMANDS):
        return False  # In a group it may be meant for another bot.
    chat_id = _where(hands, row.channel, message, staff)
    if wish.command == "pause" and may(staff.role, wish.command):
        await _pause(tx, hands, row, chat_id, wish, staff)
    elif wish.command == "resume" and may(staff.role, wish.command):
        await _resume(tx, hands, row, chat_id, staff)
    elif wish.command == "try" and may(staff.role, wish.command):
        await _try(tx, hands, row, message, wish, staff)
    elif wish.command == DASHBOARD and may(staff.role, wish.command):
        await _give_dashboard(tx, hands, row, wish, staff)
    else:
        # In a chat other than the button's there is nothing to change.
        is_tap_here = message.kind is IncomingKind.TAP and chat_id == message.chat_id
        is_edit = is_tap_here and not wish.is_beside
        payload = {
            "channel": row.channel,
            "chat_id": chat_id,
            "message_id": message.quoted if is_edit else "",
            "staff": message.sender_id or message.chat_id,
            "is_group": message.is_group and chat_id == message.chat_id,
            "command": wish.command,
            "words": wish.words,
            "period": wish.period,
            "client": wish.client,
            "page": wish.page,
        }
        await outbox.add_once(
            tx, "answer_staff", keys.answer_staff(row.channel, row.id), payload, hands.now(), hands.now()
        )
    if wish.command == START:
        await ask_for_menu(tx, hands, row.channel, staff)
    return True


def _wish(message: Incoming) -> Wish | None:
    match message.kind:
        case IncomingKind.TAP:
            return tapped(message.data)
        case IncomingKind.START:
            return Wish(command=START)
        case IncomingKind.TEXT:
            return typed(message.text)
        case _:
            return None


def _where(hands: Hands, channel: str, message: Incoming, staff: Staff) -> str:
    """In a group that the settings do not name strangers may read along: the answer comes in private."""
    if not message.is_group or Place(channel, message.chat_id) in hands.groups:
        return message.chat_id
    return staff.chat_in(channel)


async def ask_for_menu(tx: AsyncSession, hands: Hands, channel: str, staff: Staff) -> None:
    """The commands of the role in the menu of the chat; no harm if they stand there already."""
    chat_id = staff.chat_in(channel)
    payload = {"channel": channel, "chat_id": chat_id}
    key = keys.staff_menu(channel, chat_id)
    await outbox.ask_again(tx, "set_menu", key, payload, hands.now(), hands.now())


# --- stop and go on --------------------------------------------------------------------------------------


async def _pause(tx: AsyncSession, hands: Hands, row: Inbox, chat_id: str, wish: Wish, staff: Staff) -> None:
    now, zone = hands.now(), hands.calendar.zone
    try:
        until = until_of(wish.words, now, zone)
    except UnclearError:
        await _say(tx, hands, row, chat_id, hands.texts.fill("pause.unclear"))
        return
    await paused.pause(tx, staff.name, now, until)
    log.info("sending to clients is stopped by a person %s", f"until {until}" if until else "until told")
    pause = await paused.current(tx, now)
    if pause is not None:
        await tell_leaders(tx, hands, row, chat_id, staff, told(hands.texts, pause, now, zone))


async def _resume(tx: AsyncSession, hands: Hands, row: Inbox, chat_id: str, staff: Staff) -> None:
    if await paused.current(tx, hands.now()) is None:
        await _say(tx, hands, row, chat_id, hands.texts.fill("pause.not_on"))
        return
    await paused.resume(tx)
    log.info("sending to clients goes on")
    await tell_leaders(tx, hands, row, chat_id, staff, hands.texts.fill("pause.off", staff=staff.name))
    hands.wake.send.set()
    hands.wake.follow.set()


async def _try(
    tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, wish: Wish, staff: Staff
) -> None:
    """In private, wherever it was said: others would answer in the person's place."""
    chat_id = staff.chat_in(row.channel) if message.is_group else message.chat_id
    about = keys.answer_staff(row.channel, row.id)
    if surveys := conversation(hands, wish.words):
        await trial.start(tx, hands, row.channel, chat_id, surveys, about)
        return
    known = ", ".join(rule.key for rule in hands.known.rules)
    await _say(tx, hands, row, chat_id, hands.texts.fill("test.unknown", name=wish.words, nearest=known))


async def _give_dashboard(tx: AsyncSession, hands: Hands, row: Inbox, wish: Wish, staff: Staff) -> None:
    """In private, wherever it was asked for: whoever has the link sees what this person may see."""
    payload = {"channel": row.channel, "chat_id": staff.chat_in(row.channel), "period": wish.period}
    key = keys.answer_staff(row.channel, row.id)
    await outbox.add_once(tx, "send_dashboard", key, payload, hands.now(), hands.now())


async def tell_leaders(
    tx: AsyncSession, hands: Hands, row: Inbox, chat_id: str, staff: Staff, text: str
) -> None:
    """Who leads has to know, whoever did it; who did it reads it where it was said."""
    await _say(tx, hands, row, chat_id, text)
    for person in hands.known.staff:
        if person.role in LEADERS and person.places != staff.places:
            await _tell(tx, hands, row, person.places, text)


async def _say(tx: AsyncSession, hands: Hands, row: Inbox, chat_id: str, text: str) -> None:
    await _tell(tx, hands, row, [Place(row.channel, chat_id)], text)


async def _tell(tx: AsyncSession, hands: Hands, row: Inbox, places: Sequence[Place], text: str) -> None:
    """In the first of these places that works."""
    payload = {"places": list(map(list, places)), "text": text}
    key = f"{keys.answer_staff(row.channel, row.id)}:{':'.join(places[0])}"
    await outbox.add_once(tx, "tell_staff", key, payload, hands.now(), hands.now())


# --- the answers -----------------------------------------------------------------------------------------


async def answer_staff(item: Outbox, hands: Hands) -> None:
    """At least once: whoever asked waits for it, and a second one says the same."""
    payload = item.payload
    channel = hands.channels.get(str(payload["channel"]))
    # Whoever was taken out of the settings since is nobody to us.
    person = hands.known.staff_member(str(payload["channel"]), str(payload["staff"]))
    if channel is None or person is None:
        return
    wish = Wish(
        command=str(payload["command"]),
        words=str(payload["words"]),
        period=str(payload["period"]),
        client=int(payload["client"]),
        page=int(payload["page"]),
    )
    desk = desk_for(hands, person, is_group=bool(payload["is_group"]))
    answer = await _answer(desk, hands, wish)
    await _show(hands, channel, payload, Outgoing(text=answer.text, buttons=answer.buttons))


async def _answer(desk: Desk, hands: Hands, wish: Wish) -> Answer:
    if wish.command == START:
        return greeting(desk)
    if not may(desk.person.role, wish.command):
        return refusal(desk)
    if wish.command in ABOUT_A_PERIOD:
        return await _with_closed(desk, hands, wish, await report_answer(desk, wish))
    if wish.command in ("plan", FIRST_LIST):
        return await plan_for(desk, hands, wish)
    match wish.command:
        case "find":
            return await find_answer(desk, wish)
        case _:
            return help_answer(desk)


async def _with_closed(desk: Desk, hands: Hands, wish: Wish, answer: Answer) -> Answer:
    """Above the report: while sending is not switched on its figures stand still."""
    if wish.command != "report" or not await is_closed(hands):
        return answer
    key = "rollout.closed.how" if desk.person.role in LEADERS else "rollout.closed"
    return replace(answer, text=f"{desk.texts.fill(key)}\n\n{answer.text}")


async def tell_staff(item: Outbox, hands: Hands) -> None:
    """A sentence that was worded when somebody did something, at least once."""
    places = [Place(*place) for place in item.payload["places"]]
    await reach(hands, places, Outgoing(text=str(item.payload["text"])))


async def _show(hands: Hands, channel: Channel, payload: dict[str, Any], message: Outgoing) -> None:
    chat_id, message_id = str(payload["chat_id"]), str(payload.get("message_id") or "")
    try:
        if message_id:
            await channel.edit(chat_id, message_id, message)
        else:
            await channel.send(chat_id, message)
    except Unreachable as error:
        log.info("an answer to staff found nobody: %s", error)
        return
    hands.health.count_message(channel.name, "out", "staff")


async def set_menu(item: Outbox, hands: Hands) -> None:
    """Who has not opened the bot yet has no chat to set it in, and gets it with the greeting."""
    payload = item.payload
    channel = hands.channels.get(str(payload["channel"]))
    if not isinstance(channel, Menued):
        return
    person = hands.known.staff_member(channel.name, str(payload["chat_id"]))
    try:
        await channel.set_menu(
            str(payload["chat_id"]), menu_of(person.role, hands.texts) if person is not None else ()
        )
    except Permanent as error:
        log.info("a menu of commands is not set: %s", error)
