"""At the start, and when the settings changed: the menus of commands that are not as they should be."""

from storage import outbox, state
from worker.actions import keys
from worker.actions.base import Hands
from worker.staff.menus import changed

CHANNEL = "telegram"
KEY = "menus:telegram"  # what was set last, by chat


async def ask_for_menus(hands: Hands) -> None:
    """One row for each chat whose menu changed; a colleague who was taken out of the settings loses it."""
    if hands.account is None or CHANNEL not in hands.channels:
        return
    async with hands.db.reading() as tx:
        kept = await state.recall(tx, KEY) or {}
    wanted, chats = changed(kept, hands.account.staff, hands.texts)
    if not chats:
        return
    now = hands.now()
    async with hands.db.transaction() as tx:
        await state.remember(tx, KEY, dict(wanted))
        for chat_id in chats:
            payload = {"channel": CHANNEL, "chat_id": chat_id}
            key = keys.staff_menu(CHANNEL, chat_id)
            await outbox.ask_again(tx, "set_menu", key, payload, now, now)
    hands.wake.act.set()
