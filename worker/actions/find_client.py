"""Who is it? A number that was shared and that we have not met, or the contact of a deal still open."""

from integrations.channels.base import Outgoing
from integrations.errors import Unreachable
from storage import deals, people
from storage.tables.queues import Outbox
from worker.actions.base import Hands
from worker.actions.people import keep, read_contact
from worker.actions.talking import after_greeting
from worker.actions.words import greeting_values
from worker.rules.phone import normalise


async def find_client(item: Outbox, hands: Hands) -> None:
    """Search by the last ten digits, compare the whole number ourselves, and greet accordingly."""
    phone = item.payload.get("phone")
    found = 0
    if phone:
        for contact in await hands.amocrm.find_contacts(str(phone)[-10:]):
            numbers = {normalise(text, hands.region) for text, _ in contact.phones}
            if phone not in numbers:
                continue  # The search matches any filled field: this is somebody else.
            async with hands.db.transaction() as tx:
                await keep(tx, hands, contact, contact.id, hands.now())
            found += 1
    async with hands.db.reading() as tx:
        client = await people.client(tx, int(item.payload["client_id"]))
        has_deal = client is not None and await deals.newest_of_client(tx, client.client_id or 0) is not None
    channel = hands.channels.get(str(item.payload["channel"]))
    if channel is None or item.uncertain:
        return
    key = "start.linked" if found or has_deal else "start.not_found"
    text = hands.texts.fill(key, **greeting_values(hands, client))
    try:
        await channel.send(str(item.payload["chat_id"]), Outgoing(text=text, remove_keyboard=True))
    except Unreachable:
        return  # The person has left again.
    await after_greeting(hands, channel.name, str(item.payload["chat_id"]))


async def know_client(item: Outbox, hands: Hands) -> None:
    """The bot was opened by the link of a deal whose contact nobody had to know before."""
    await read_contact(hands, int(item.payload["contact_id"]))
