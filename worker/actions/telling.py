"""Something that staff have to hear beside alerts: each chat gets it once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from integrations.channels.base import Outgoing
from storage import state
from storage.tables.complaints import Complaint
from storage.tables.people import Client
from storage.tables.queues import Outbox
from worker.account.people import Place, Staff
from worker.actions.base import Hands
from worker.actions.keeping import keep_repeats
from worker.actions.reaching import Postponed, reach
from worker.rules.group_text import for_group


@dataclass(slots=True, kw_only=True)
class Telling:
    """One message on its way. What a try before has reached is remembered until all of them were tried."""

    hands: Hands
    key: str
    told: set[Place]
    about: Complaint | None = None  # its buttons stand under the message, which is kept up to date

    async def to(self, places: Sequence[Place], message: Outgoing) -> bool:
        """Was it read in one of these?"""
        if self.told.intersection(places):
            return True
        found = await reach(self.hands, places, message)
        if found is None:
            return False
        if self.about is not None:
            await keep_repeats(self.hands, [(self.about, message.text)], *found)
        self.told.add(found[0])
        async with self.hands.db.transaction() as tx:
            await state.remember(tx, self.key, {"places": sorted(map(list, self.told))})
        return True

    async def end(self) -> None:
        """All of them were tried: nothing has to be remembered."""
        if self.told:
            async with self.hands.db.transaction() as tx:
                await state.forget(tx, self.key)


def in_group(hands: Hands, message: Outgoing, *clients: Client | None) -> Outgoing:
    """As it may be read where others read along."""
    names = [client.name for client in clients if client is not None]
    return replace(message, text=for_group(message.text, names, hands.region))


async def begin(item: Outbox, hands: Hands, about: Complaint | None = None) -> Telling:
    """With what a try before has reached."""
    key = f"told:{item.key}:{item.revision}"
    async with hands.db.reading() as tx:
        kept = await state.recall(tx, key) or {}
    told = {Place(*place) for place in kept.get("places", ())}
    return Telling(hands=hands, key=key, told=told, about=about)


async def tell(
    item: Outbox,
    hands: Hands,
    message: Outgoing,
    client: Client | None,
    *,
    ranks: Sequence[Sequence[Staff]],
    also: Sequence[Staff] = (),
    about: Complaint | None = None,
) -> None:
    """To the first rank that can be reached, to `also`, and to the groups."""
    telling, later = await begin(item, hands, about), Postponed()
    for rank in ranks:
        reached = False
        for person in rank:
            with later:
                reached |= await telling.to(person.places, message)
        if reached or later.is_needed:
            break
    for person in also:
        with later:
            await telling.to(person.places, message)
    for group in hands.groups:
        with later:
            await telling.to([group], in_group(hands, message, client))
    later.settle()
    await telling.end()
