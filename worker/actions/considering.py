"""May this question go out now, and where? Everything that is known about it, just before it is sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Channel, Sought
from storage import asked, deals, outbox, people, rollout, surveys
from storage.tables.deals import Contact, Deal
from storage.tables.people import Chat, Client
from storage.tables.surveys import Survey
from worker.account.account import Account
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.following import drop_gone
from worker.actions.people import is_checked, read_contact
from worker.actions.reading import deals_from, facts_of
from worker.actions.tagging import is_being_lifted
from worker.rules.eligibility import Circumstances, Decision, Reason, Skip, Wait, may_remind, may_send
from worker.rules.planning import SurveyRule, still_holds
from worker.rules.promo import read_code

LIFTING_PAUSE = timedelta(minutes=1)  # while our own stop tag is being taken off


@dataclass(frozen=True, slots=True)
class Route:
    """Where a question goes."""

    channel: Channel
    chat_id: str
    is_sought: bool = False  # `chat_id` is an address that has to be looked up first


@dataclass(frozen=True, slots=True)
class Case:
    """One survey with everything that is known about it just before it is sent."""

    survey: Survey
    rule: SurveyRule
    deal: Deal
    contact: Contact | None
    client: Client | None
    route: Route | None
    decision: Decision


async def reread(hands: Hands, survey: Survey) -> None:
    """The deal, its contact and the client's open complaint as amoCRM has them now."""
    lead = await hands.amocrm.lead(survey.deal_id)
    async with hands.db.transaction() as tx:
        if lead is None:
            known = await deals.deal(tx, survey.deal_id)
            if known is not None:
                known.is_deleted = True
        else:
            await deals.save_page(tx, await deals_from(tx, hands, [lead]), hands.now())
        deal = await deals.deal(tx, survey.deal_id)
    if deal is not None and deal.contact_id is not None and not deal.is_deleted:
        await read_contact(hands, deal.contact_id)
    await drop_gone(hands, survey.client_id)


async def consider(
    hands: Hands,
    survey: Survey,
    now: datetime,
    *,
    answered_in: Route | None = None,
    is_reminder: bool = False,
    is_agreed: bool = False,
) -> Case | None:
    """What is to be done about this survey. `answered_in`: the chat of the running conversation.

    `is_agreed`: as if somebody had seen the first list and switched sending on.

    None: the survey or its rule is gone (a survey that was taken out of the settings is not sent).
    """
    account = hands.known
    rule = account.rule(survey.survey_key)
    async with hands.db.transaction() as tx:
        fresh = await surveys.survey(tx, survey.id or 0)
        deal = await deals.deal(tx, survey.deal_id)
        if fresh is None or rule is None or deal is None:
            return None
        if deal.client_id is not None and fresh.sent_at is None and fresh.trigger != "complaint_closed":
            # The main contact may have been changed since: whoever it is now is asked.
            fresh.client_id = survey.client_id = deal.client_id
        contact = await people.contact(tx, deal.contact_id) if deal.contact_id is not None else None
        client = await people.client(tx, fresh.client_id) if fresh.client_id is not None else None
        chats = list(await people.chats_of(tx, fresh.client_id)) if fresh.client_id is not None else []
        if (route := answered_in) is None:
            favourite = await asked.answered_in(tx, fresh.client_id) if fresh.client_id is not None else ""
            route = choose_route(hands, survey, client, chats, favourite=favourite)
            if route is not None and (unlinked := await _unlinked(tx, route, chats)) is not None:
                chats.append(unlinked)
        circumstances = await _circumstances(
            tx, hands, survey, rule=rule, deal=deal, contact=contact, client=client, chats=chats, route=route,
            now=now, is_joined=answered_in is not None and not is_reminder,
            is_held=await _is_held(tx, hands, fresh, is_agreed=is_agreed),
        )  # fmt: skip
        is_lifting = circumstances.stop_tag and await is_being_lifted(tx, contact)
    if is_reminder:
        decision = may_remind(circumstances, now, hands.policy, expires_at=survey.expires_at or now)
    else:
        decision = may_send(circumstances, now, hands.policy)
    if decision == Skip(Reason.STOP_TAG) and is_lifting:
        decision = Wait(now + LIFTING_PAUSE, Reason.SERVICE)
    return Case(survey, rule, deal, contact, client, route, decision)


async def _unlinked(tx: AsyncSession, route: Route, chats: list[Chat]) -> Chat | None:
    """Where the company wrote to this address before anybody knew whose it is."""
    if any((chat.channel, chat.chat_id) == (route.channel.name, route.chat_id) for chat in chats):
        return None
    found = await people.chat(tx, route.channel.name, route.chat_id)
    return found if found is not None and found.client_id is None else None


async def consider_reminder(hands: Hands, survey: Survey, now: datetime) -> Case | None:
    """May the open question be repeated once, in the chat where it was asked?"""
    channel = hands.channels.get(survey.channel)
    if channel is None or survey.expires_at is None:
        return None
    case = await consider(hands, survey, now, answered_in=Route(channel, survey.chat_id), is_reminder=True)
    return case


def choose_route(
    hands: Hands, survey: Survey, client: Client | None, chats: list[Chat], *, favourite: str = ""
) -> Route | None:
    """The first channel that can reach this person and has not failed yet, in order of preference.

    `favourite`, where this person answered last, comes before the company's own order.
    """
    order = sorted(hands.order, key=lambda name: name != favourite)
    for channel in (hands.channels[name] for name in order):
        if channel.name in survey.tried:
            continue
        own = [chat for chat in chats if chat.channel == channel.name]
        alive = [chat for chat in own if chat.dead_at is None]
        if alive:
            newest = max(alive, key=lambda chat: (chat.client_wrote_at or chat.linked_at, chat.linked_at))
            return Route(channel, newest.chat_id)
        if own or client is None or client.phone is None:
            continue
        address = channel.address(client.phone)
        if address is not None:
            return Route(channel, address, is_sought=isinstance(channel, Sought))
    return None


async def _circumstances(
    tx: AsyncSession,
    hands: Hands,
    survey: Survey,
    *,
    rule: SurveyRule,
    deal: Deal,
    contact: Contact | None,
    client: Client | None,
    chats: list[Chat],
    route: Route | None,
    now: datetime,
    is_joined: bool,
    is_held: bool,
) -> Circumstances:
    account = hands.known
    history = await asked.history(tx, survey)
    number, first_of_hour = 0, None
    if hands.policy.max_per_hour:  # Only then: it looks through all surveys that there ever were.
        number, first_of_hour = await asked.sent_since(tx, now - timedelta(hours=1))
    waits = [chat.waiting_since for chat in chats if chat.waiting_since is not None]
    humans = [chat.human_wrote_at for chat in chats if chat.human_wrote_at is not None]
    tags = {tag.casefold().strip() for tag in [*deal.tags, *(contact.tags if contact else [])]}
    was_forgotten = contact is not None and not contact.is_deleted and client is None
    return Circumstances(
        due_at=survey.due_at,
        turn_at=survey.turn_at,
        trigger=survey.trigger,
        broken=still_holds(rule, facts_of(deal, hands)),
        has_contact=contact is not None
        and not contact.is_deleted
        and (contact.contact_id > 0 or contact.phone is not None),
        has_phone=client is not None and client.phone is not None,
        reachable=route is not None,
        is_staff=any(account.is_staff_chat(chat.channel, chat.chat_id) for chat in chats),
        opted_out=was_forgotten
        or (client is not None and (client.opted_out_at or client.erased_at) is not None),
        consents=account.consent_field is None or is_checked(contact, account.consent_field),
        stop_tag=any(tag.casefold().strip() in tags for tag in hands.stop_tags),
        asked_before=await _asked_before(tx, hands, account, survey, deal),
        complaint_open=history.complaint_open or await _complaint_is_coming(tx, survey),
        silent_conversations=history.silent_conversations,
        other_deal_asked_at=history.other_deal_asked_at,
        open_question=history.is_open,
        client_waits_since=max(waits, default=None),
        human_wrote_at=max(humans, default=None),
        sent_last_hour=number,
        oldest_of_hour=first_of_hour,
        pace_until=await _pace_until(tx, route),
        is_joined=is_joined,
        is_held=is_held,
    )


async def _is_held(tx: AsyncSession, hands: Hands, survey: Survey, *, is_agreed: bool) -> bool:
    """Somebody who leads has to agree: to the first list, or to many deals that were closed at once."""
    if hands.preview and not is_agreed and await rollout.agreed(tx) is None:
        return True
    return survey.bulk_id is not None and await rollout.is_undecided(tx, survey.bulk_id)


async def _complaint_is_coming(tx: AsyncSession, survey: Survey) -> bool:
    """A low answer of this person whose complaint is not opened yet: what comes first must not be chance."""
    if survey.client_id is None:
        return False
    low = await surveys.low_answers(tx, survey.client_id)
    return await outbox.any_open(tx, [keys.open_complaint(row.id or 0, row.revision) for row in low])


async def _asked_before(tx: AsyncSession, hands: Hands, account: Account, survey: Survey, deal: Deal) -> bool:
    """The deal carries our mark, but our books know nothing: a restored backup or a lost volume."""
    if not has_mark(hands, account, deal):
        return False
    return not await asked.was_asked(tx, survey.root_deal_id)


ASKED_TAG = "опрос отправлен"


def has_mark(hands: Hands, account: Account, deal: Deal) -> bool:
    """The code for friends stands in the deal's field; without that field, a tag."""
    field_id = account.fields.promo_code
    if field_id is None:
        return ASKED_TAG in deal.tags
    values = deal.fields.get(str(field_id), [])
    return any(read_code(str(value.get("value") or ""), hands.referral.code_prefix) for value in values)


async def _pace_until(tx: AsyncSession, route: Route | None) -> datetime | None:
    """Numbers of user accounts that hurry from stranger to stranger are banned."""
    if route is None or not route.channel.gap:
        return None
    last = await asked.last_question_at(tx, route.channel.name)
    if last is None or last[1] == route.chat_id:
        return None
    return last[0] + route.channel.gap
