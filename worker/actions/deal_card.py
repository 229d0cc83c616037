"""The deal's card in amoCRM is to show how things stand: asked for here, done by `write_back`."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from storage import outbox
from worker.actions import keys
from worker.actions.base import Hands


async def sync_deal(tx: AsyncSession, deal_id: int, now: datetime) -> None:
    """Once more, however often it was asked for already: the card is read from what is true then."""
    await outbox.ask_again(tx, "sync_deal", keys.sync_deal(deal_id), {"deal_id": deal_id}, now, now)


async def tell_deal(tx: AsyncSession, hands: Hands, deal_id: int, now: datetime) -> None:
    """The same, and at once: nobody else wakes the lane here."""
    await sync_deal(tx, deal_id, now)
    hands.wake.act.set()
