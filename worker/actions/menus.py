"""At the start, and when the settings changed: the menus of commands that are not as they should be."""

from collections.abc import Sequence

from integrations.channels.base import Menued
from storage import outbox, state
from worker.account.people import Staff
from worker.actions import keys
from worker.actions.base import Hands
from worker.staff.menus import changed


async def ask_for_menus(hands: Hands) -> None:
    """One row for each chat whose menu changed; a colleague who was taken out of the settings loses it."""
    if hands.account is None:
        return
    for name, channel in hands.channels.items():
        if isinstance(channel, Menued):
            await _ask(hands, name, hands.account.staff)


async def _ask(hands: Hands, channel: str, staff: Sequence[Staff]) -> None:
    key = f"menus:{channel}"  # what was set last, by chat
    async with hands.db.reading() as tx:
        kept = await state.recall(tx, key) or {}
    wanted, chats = changed(kept, staff, channel, hands.texts)
    if not chats:
        return
    now = hands.now()
    async with hands.db.transaction() as tx:
        await state.remember(tx, key, dict(wanted))
        for chat_id in chats:
            payload = {"channel": channel, "chat_id": chat_id}
            await outbox.ask_again(tx, "set_menu", keys.staff_menu(channel, chat_id), payload, now, now)
    hands.wake.act.set()
