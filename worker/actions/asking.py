"""One question, checked for the last time and sent: claimed, written down, then sent."""

import logging
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Aliased, Channel, Sought, Templated
from integrations.channels.hooks import is_searched
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from storage import asked, complaints, deals, outbox, people, rollout, sending, surveys, unsettled
from storage.rows import insert_once
from storage.tables import Chat, Client, Contact, Deal, PromoCode, Survey
from worker.account.account import Account
from worker.actions import keys
from worker.actions.base import Hands
from worker.actions.following import drop_gone
from worker.actions.people import read_contact
from worker.actions.question_words import question_for
from worker.actions.reading import deals_from, facts_of
from worker.actions.tagging import is_being_lifted
from worker.rules.backoff import next_try
from worker.rules.eligibility import Circumstances, Decision, Reason, Send, Skip, Wait, may_remind, may_send
from worker.rules.planning import SurveyRule, still_holds
from worker.rules.promo import CAPACITY, make_code, read_code

log = logging.getLogger(__name__)

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


def is_checked(contact: Contact | None, field_id: int) -> bool:
    """A checkbox of the contact."""
    values = contact.fields.get(str(field_id), []) if contact is not None else []
    return any(value.get("value") in (True, 1, "1", "true") for value in values)


async def _asked_before(tx: AsyncSession, hands: Hands, account: Account, survey: Survey, deal: Deal) -> bool:
    """The deal carries our mark, but our books know nothing: a restored backup or a lost volume."""
    if not has_mark(hands, account, deal):
        return False
    return not await asked.was_asked(tx, survey.root_deal_id)


TEMPLATE = "template"  # `text_variant` of a question that went out in the words the service approved
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


async def settle(hands: Hands, case: Case, now: datetime) -> bool:
    """Carry out the decision; True if the question went out (or may have)."""
    match case.decision:
        case Skip(reason):
            await close(hands, case.survey, reason, now)
        case Wait(until, reason):
            await sending.postpone(hands.db, case.survey, until, reason)
        case Send() if case.route is not None and case.route.is_sought:
            await look_up(hands, case, case.route, now)
        case Send():
            return await send_question(hands, case, now)
    return False


async def look_up(hands: Hands, case: Case, route: Route, now: datetime) -> None:
    """Find the chat of this person's number and write it down; the question is considered anew, with it.

    Who is not found is written down as well: numbers looked up again and again make the messenger suspicious.
    """
    channel, survey = route.channel, case.survey
    if not isinstance(channel, Sought) or case.client is None:
        return
    chat_id, dead_reason = route.chat_id, ""
    try:
        chat_id = await channel.find(route.chat_id)
    except Unreachable as error:
        log.info("survey %s: %s", survey.id, error)
        dead_reason = error.detail
        hands.health.count_message(channel.name, "out", "unreachable")
    except OutsideError as error:
        log.warning("survey %s is put off: %s", survey.id, error)
        if isinstance(error, Permanent) and not isinstance(error, AccessDenied):
            await sending.pass_over(hands.db, survey, channel.name)
            return
        wait = error.retry_after if isinstance(error, Temporary) else timedelta(minutes=5)
        await sending.postpone(hands.db, survey, next_try(min(survey.attempt, 5), now, wait), Reason.CHANNEL)
        return
    async with hands.db.transaction() as tx:
        chat = await people.chat_for(
            tx, channel.name, chat_id, client_id=case.client.client_id, name="", now=now
        )
        if chat.client_id != case.client.client_id:
            # Somebody else's chat by now: nobody is asked there about this person's deal.
            await people.chat_for(
                tx, channel.name, route.chat_id, client_id=case.client.client_id, name="", now=now
            )
            chat_id, dead_reason = route.chat_id, "the chat belongs to another client"
        if dead_reason:
            await people.mark_dead(tx, channel.name, chat_id, dead_reason, now)
    # At once, and still before what fell due later: questions are asked in their order.
    await sending.postpone(hands.db, survey, survey.due_at, Reason.CHANNEL)


async def close(hands: Hands, survey: Survey, reason: Reason, now: datetime) -> None:
    async with hands.db.transaction() as tx:
        # A survey that did go out, on channels that all reported failure afterwards, is no refusal of ours.
        if survey.sent_at is not None:
            await sending.fail(tx, survey)
        else:
            await sending.close(tx, survey, reason, now)
        await tell_deal(tx, hands, survey.deal_id, now)


async def tell_deal(tx: AsyncSession, hands: Hands, deal_id: int, now: datetime) -> None:
    await outbox.ask_again(tx, "sync_deal", keys.sync_deal(deal_id), {"deal_id": deal_id}, now, now)
    hands.wake.act.set()


async def own_code(hands: Hands, client: Client, now: datetime) -> PromoCode:
    """The person's one code, made at the first need."""
    async with hands.db.transaction() as tx:
        code = await people.code_of(tx, client.client_id or 0)
        while code is None:
            made = make_code(hands.referral.code_prefix, secrets.randbelow(CAPACITY))
            row = PromoCode(
                code=made.code, digits=made.digits, client_id=client.client_id or 0, created_at=now
            )
            if await insert_once(tx, row):
                code = row
            else:  # These digits are taken, or another worker was faster for this client.
                code = await people.code_of(tx, client.client_id or 0)
    return code


def may_carry_code(hands: Hands, contact: Contact | None, channel: str) -> bool:
    """A code makes it advertising: only with consent where that is kept, and only where it is allowed."""
    field_id = hands.known.advertising_consent_field
    consents = field_id is None or is_checked(contact, field_id)
    return consents and (not hands.referral.channels or channel in hands.referral.channels)


async def send_question(
    hands: Hands,
    case: Case,
    now: datetime,
    *,
    thanks: str = "",
    thanks_variant: str = "",
    conversation: int | None = None,
    is_last: bool = True,
) -> bool:
    """Send one question; `thanks` stands before it when it joins the answer to the one before.

    `thanks_variant` names its texts.
    """
    survey, route, client = case.survey, case.route, case.client
    if route is None or client is None:
        return False
    channel = route.channel
    async with hands.db.reading() as tx:
        if conversation is None:
            conversation = await surveys.running_conversation(tx, survey)
        has_been_told = await asked.carried_code(tx, survey)
        chat = await people.chat(tx, channel.name, route.chat_id) if isinstance(channel, Templated) else None
    wrote_at = chat.client_wrote_at if chat is not None else None
    is_template = isinstance(channel, Templated) and channel.needs_template(wrote_at, now)
    code = await own_code(hands, client, now)
    may_carry = (
        case.rule.promo_in == "question"
        and may_carry_code(hands, case.contact, channel.name)
        # The code goes with the first question about a deal; said again in each, it is only noise.
        and not has_been_told
        and not is_template  # it would make advertising of it, which is dearer and seldom arrives
    )
    question = question_for(
        hands, survey, case.rule, case.deal, client, channel,
        code=code.code if may_carry else "", thanks=thanks, is_first=conversation is None, is_last=is_last,
    )  # fmt: skip
    variant = TEMPLATE if is_template else "+".join(filter(None, [thanks_variant, question.variant]))
    message = replace(question.message, client_wrote_at=wrote_at, reference=unsettled.reference_of(survey))
    begun = await sending.begin_sending(
        hands.db, survey, channel=channel.name, chat_id=route.chat_id, text_variant=variant,
        promo_code=code.code if may_carry else "", conversation=conversation or survey.id or 0,
        scale=case.rule.scale.id,
    )  # fmt: skip
    if not begun:
        return False
    try:
        message_id = await channel.send(route.chat_id, message)
    except Unreachable as error:
        log.info("survey %s: %s", survey.id, error)
        async with hands.db.transaction() as tx:
            await people.chat_for(
                tx, channel.name, route.chat_id, client_id=client.client_id, name="", now=now
            )
            await people.mark_dead(tx, channel.name, route.chat_id, error.detail, now)
        await sending.take_back(
            hands.db, survey, next_at=survey.due_at, reason=Reason.CHANNEL, failed_channel=channel.name
        )
        hands.health.count_message(channel.name, "out", "unreachable")
        return False
    except (Temporary, AccessDenied) as error:
        wait = error.retry_after if isinstance(error, Temporary) else timedelta(minutes=5)
        log.warning("survey %s is put off: %s", survey.id, error)
        await sending.take_back(
            hands.db, survey, next_at=next_try(min(survey.attempt, 5), now, wait), reason=Reason.CHANNEL
        )
        hands.health.count_message(channel.name, "out", "postponed")
        hands.health.set_error(channel.name, str(error))
        return False
    except Permanent as error:
        log.error("survey %s was refused: %s", survey.id, error)
        await sending.take_back(
            hands.db, survey, next_at=survey.due_at, reason=Reason.CHANNEL, failed_channel=channel.name
        )
        hands.health.count_message(channel.name, "out", "refused")
        return False
    except Uncertain as error:
        log.warning("survey %s may have arrived and counts as asked: %s", survey.id, error)
        message_id = ""  # Nobody is asked twice: where it can be looked for, it is, and else it stays so.
    if message_id and isinstance(channel, Templated) and channel.went_as_template(message_id):
        variant, may_carry = TEMPLATE, False  # We thought that the client had written lately enough.
        await sending.note_words(hands.db, survey, text_variant=variant, promo_code="")
    await _record(hands, case, route, message_id, variant, now, code=code if may_carry else None)
    hands.wake.listen.set()  # A reply that was faster than this has waited.
    hands.health.count_message(channel.name, "out", "sent" if message_id else "uncertain")
    return True


async def _record(
    hands: Hands,
    case: Case,
    route: Route,
    message_id: str,
    variant: str,
    now: datetime,
    *,
    code: PromoCode | None,
) -> None:
    survey, client = case.survey, case.client
    async with hands.db.transaction() as tx:
        fresh = await people.client(tx, client.client_id or 0, lock=True) if client is not None else None
        is_forgotten = fresh is None or fresh.erased_at is not None
        await sending.mark_asked(
            tx, survey, message_id="" if is_forgotten else message_id, now=now,
            expires_at=now + hands.policy.expires_after, uncertain=not message_id,
            is_looked_for=not message_id and not is_forgotten and is_searched(route.channel),
        )  # fmt: skip
        await _tell_deals_of(tx, hands, survey, now)
        if is_forgotten:
            return  # While it was on its way: that it went out is all that is kept.
        await asked.record_message(
            tx, channel=route.channel.name, chat_id=route.chat_id, message_id=message_id, survey_id=survey.id,
            kind="question", text_variant=variant, now=now,
        )  # fmt: skip
        chat = await people.chat_for(
            tx, route.channel.name, route.chat_id,
            client_id=client.client_id if client else None, name="", now=now,
        )  # fmt: skip
        chat.asked_at = now
        if isinstance(route.channel, Aliased) and (alias := route.channel.alias_of(route.chat_id)):
            chat.alias = alias
        if code is not None:
            await people.mark_code_sent(tx, code.code, now)


async def _tell_deals_of(tx: AsyncSession, hands: Hands, survey: Survey, now: datetime) -> None:
    await tell_deal(tx, hands, survey.deal_id, now)
    complaint = await complaints.by_lead(tx, survey.deal_id)
    if complaint is None and survey.root_deal_id != survey.deal_id:
        await tell_deal(tx, hands, survey.root_deal_id, now)
