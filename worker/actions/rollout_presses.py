"""Buttons that let clients be written to: under the first list, and under many deals closed at once."""

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Incoming
from storage.tables.queues import Inbox
from worker.account.people import Staff
from worker.actions import bulk, first_list
from worker.actions.answer_staff import tell_leaders
from worker.actions.base import Hands
from worker.actions.bulk import BULK
from worker.actions.plan_staff import SWITCH
from worker.staff.commands import LEADERS

OURS = (f"{SWITCH}:", f"{BULK}:")  # how their data begins


async def press(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming, staff: Staff) -> str:
    """Do what the button says; the words for the presser."""
    if staff.role not in LEADERS:
        return hands.texts.fill("rollout.leaders_only")
    where = [row.channel, message.chat_id, message.quoted]
    match message.data.split(":"):
        case [kind, "on" | "off" as what] if kind == SWITCH:
            text, is_news = await first_list.say_word(tx, hands, what, staff, where)
            if is_news:
                await tell_leaders(tx, hands, row, message.chat_id, staff, text)
            return text
        case [kind, number, decision] if kind == BULK and number.isdecimal():
            return await bulk.decide(tx, hands, int(number), decision, staff, where)
        case _:
            return ""
