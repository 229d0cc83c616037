"""A friend's deal was won by a recommendation: the referrer hears of it, and somebody pays the bonus."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.changes import NewTask
from integrations.channels.base import Channel, Outgoing, Templated
from integrations.errors import AccessDenied, Temporary
from storage import complaints, deals, paused, people
from storage.tables.deals import Deal, Referral
from storage.tables.people import Chat, Client
from storage.tables.queues import Outbox
from worker.actions.alert_words import staff_values
from worker.actions.base import Hands, Later
from worker.actions.considering import Route
from worker.actions.first_list import is_closed
from worker.actions.people import is_checked
from worker.actions.referring import DONE, DUE
from worker.actions.talking import say_once
from worker.actions.words import greeting_values
from worker.rules.planning import WON

LOOK_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Friendship:
    """A won deal and the client who recommended the company to its buyer."""

    deal: Deal
    referral: Referral
    referrer: Client


async def _friendship(tx: AsyncSession, deal_id: int) -> Friendship | None:
    """None once it holds no more: the deal was opened again, lost or deleted, or names nobody."""
    deal, referral = await deals.deal(tx, deal_id), await tx.get(Referral, deal_id)
    if deal is None or deal.is_deleted or deal.status_id != WON:
        return None
    if referral is None or not referral.is_referral or referral.referrer_id is None:
        return None
    referrer = await people.client(tx, referral.referrer_id)
    return Friendship(deal=deal, referral=referral, referrer=referrer) if referrer is not None else None


async def _mark(hands: Hands, deal_id: int, *, told: str = "", reward: str = "") -> None:
    async with hands.db.transaction() as tx:
        row = await tx.get(Referral, deal_id)
        if row is not None:
            row.told, row.reward = told or row.told, reward or row.reward


# --- the bonus -------------------------------------------------------------------------------------------


async def reward_task(item: Outbox, hands: Hands) -> None:
    """Once for a deal: the task is looked for where a try may have made it."""
    deal_id = int(item.payload["deal_id"])
    async with hands.db.reading() as tx:
        found = await _friendship(tx, deal_id)
    is_wanted = hands.referral.bonus_task and bool(hands.referral.reward)
    if found is None or found.referral.reward != DUE or not is_wanted:
        return
    now = hands.now()
    values = staff_values(hands, client=found.referrer, deal=found.deal, survey=None, now=now)
    key = "deal.task_reward" if found.referral.code else "deal.task_reward.phone"
    text = hands.texts.fill(key, **{**values, "promo_code": found.referral.code})
    may_exist = item.uncertain or item.attempt > 1
    if not may_exist or all(task.text != text for task in await hands.amocrm.lead_tasks(deal_id)):
        responsible = found.deal.manager_id
        await hands.amocrm.add_task(
            NewTask(
                text=text,
                complete_till=hands.calendar.deadline(now, hands.complaints.task_deadline),
                lead_id=deal_id,
                responsible_user_id=responsible if hands.known.is_active(responsible) else None,
            )
        )
    await _mark(hands, deal_id, reward=DONE)


# --- word of it --------------------------------------------------------------------------------------------


async def tell_referrer(item: Outbox, hands: Hands) -> None:
    """At most once for a deal: it is written down as told before it is sent."""
    deal_id, now = int(item.payload["deal_id"]), hands.now()
    if not hands.referral.notify_referrer:
        return  # The settings were changed since.
    if not hands.window.is_open(now):
        raise Later(hands.window.next_open(now), "the send window is closed")
    if await paused.is_paused(hands.db, now) or await is_closed(hands):
        raise Later(now + LOOK_AGAIN, "sending is stopped")
    async with hands.db.reading() as tx:
        found = await _friendship(tx, deal_id)
        if found is None or found.referral.told != DUE or not await _may_write(tx, hands, found.referrer):
            return
        chats = await people.chats_of(tx, found.referrer.client_id or 0)
    wrote_at = max((chat.human_wrote_at for chat in chats if chat.human_wrote_at is not None), default=None)
    if wrote_at is not None and now < (rested_at := wrote_at + hands.policy.human_pause):
        raise Later(rested_at, "a person is talking with the client")
    route = _route(hands, chats)
    if route is None:
        return
    key = "referrer.used" if found.referral.code else "referrer.used.phone"
    said = {**greeting_values(hands, found.referrer), "reward": hands.referral.reward}
    await _mark(hands, deal_id, told=DONE)
    try:
        await say_once(
            hands, route.channel, route.chat_id, Outgoing(text=hands.texts.fill(key, **said)), survey_id=None,
            kind="say", variant=key,
        )  # fmt: skip
    except (Temporary, AccessDenied):
        await _mark(hands, deal_id, told=DUE)  # It certainly did not go out.
        raise


async def _may_write(tx: AsyncSession, hands: Hands, client: Client) -> bool:
    """What forbids a question forbids this too; nor is anybody thanked in the middle of a complaint."""
    if client.opted_out_at is not None or client.erased_at is not None:
        return False
    if await complaints.open_of_client(tx, client.client_id or 0) is not None:
        return False
    newest = await deals.newest_of_client(
        tx, client.client_id or 0, but_pipeline=hands.known.complaints_pipeline
    )
    contact = (
        await people.contact(tx, newest.contact_id) if newest is not None and newest.contact_id else None
    )
    tags = {tag.casefold().strip() for tag in (contact.tags if contact is not None else [])}
    if any(tag.casefold().strip() in tags for tag in hands.stop_tags):
        return False
    consent = hands.known.consent_field
    return consent is None or is_checked(contact, consent)


def _route(hands: Hands, chats: Sequence[Chat]) -> Route | None:
    """A chat in which this person can be written to now, in the company's order of messengers."""
    for channel in (hands.channels[name] for name in hands.order):
        own = [chat for chat in chats if chat.channel == channel.name and _is_open(hands, channel, chat)]
        if own:
            newest = max(own, key=lambda chat: (chat.client_wrote_at or chat.linked_at, chat.linked_at))
            return Route(channel, newest.chat_id)
    return None


def _is_open(hands: Hands, channel: Channel, chat: Chat) -> bool:
    if chat.dead_at is not None or hands.known.is_staff_chat(chat.channel, chat.chat_id):
        return False
    return not (isinstance(channel, Templated) and channel.needs_template(chat.client_wrote_at, hands.now()))
