"""One message back to a client: thanks with the next question, sentences, the code, the tapped keyboard."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from integrations.channels.base import Channel, Outgoing, Templated
from integrations.errors import AccessDenied, Permanent, Temporary, Uncertain, Unreachable
from storage import asked, complaints, deals, paused, people, reminders, sending, surveys, turns
from storage.tables.complaints import Complaint
from storage.tables.queues import Outbox
from storage.tables.surveys import Reply, Survey, SurveyState
from worker.actions.asking import close, send_question
from worker.actions.base import Hands, Later
from worker.actions.considering import Case, Route, consider, reread
from worker.actions.deal_card import sync_deal
from worker.actions.friend_codes import may_carry_code, own_code
from worker.actions.people import read_contact
from worker.actions.promising import promise
from worker.actions.question_words import answered_for
from worker.actions.thanks_words import code_card, thanks_for
from worker.rules.eligibility import Send, Skip, Wait
from worker.rules.planning import SurveyRule

log = logging.getLogger(__name__)

AT_ANY_HOUR = timedelta(minutes=10)  # of the client's message a reply may go at night too
REFUSED_PAUSE = timedelta(minutes=5)  # before a reminder that was refused is tried again
STALE = timedelta(days=2)  # a thank-you that comes later than this only surprises


async def thank_client(item: Outbox, hands: Hands) -> None:
    """Thanks in the words of the band; a question that waited for its turn joins them in the same message.

    At most once: after a lost answer nothing is repeated, and the questions behind it go on by themselves.
    """
    if item.uncertain:
        return
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
        reply = await tx.get(Reply, int(item.payload["reply_id"]))
        complaint = await complaints.by_survey(tx, survey.id or 0) if survey is not None else None
        deal = await deals.deal(tx, survey.root_deal_id) if survey is not None else None
        contact = await people.contact(tx, deal.contact_id) if deal is not None and deal.contact_id else None
        if survey is not None and complaint is None and survey.client_id is not None:
            complaint = await complaints.open_of_client(tx, survey.client_id)
    if survey is None or reply is None:
        return
    channel = hands.channels.get(reply.channel)
    rule = hands.known.rule(survey.survey_key)
    if channel is None or rule is None or int(item.payload["revision"]) != survey.revision:
        return
    if await _is_stale(item, hands, channel, reply.chat_id):
        return
    following = await _following(hands, survey, Route(channel, reply.chat_id))
    is_words = bool(item.payload.get("is_words"))
    promised = _promised(item, hands, survey, rule, reply, complaint, is_words=is_words)
    say_thanks = partial(
        thanks_for,
        hands,
        survey,
        rule,
        reply,
        is_words=is_words,
        wants_reply=bool(item.payload.get("wants_reply")),
        deadline=promised,
        may_carry_code=may_carry_code(hands, contact, reply.channel),
    )
    thanks = await say_thanks(has_next=following is not None)
    if following is not None:
        case, is_last = following
        went_out = await send_question(
            hands,
            case,
            hands.now(),
            thanks=thanks.text,
            thanks_variant=thanks.variant,
            conversation=survey.conversation or survey.id,
            is_last=is_last,
        )
        if went_out:
            if thanks.promo_code:
                async with hands.db.transaction() as tx:
                    await people.mark_code_sent(tx, thanks.promo_code, hands.now())
            return
        thanks = await say_thanks(has_next=False)
    if not thanks.text:
        return
    message = Outgoing(text=thanks.text, buttons=thanks.buttons if channel.has_buttons else ())
    may_have_arrived = await say_once(
        hands, channel, reply.chat_id, message, survey_id=survey.id, kind="thanks", variant=thanks.variant
    )
    if not may_have_arrived:
        return
    async with hands.db.transaction() as tx:
        if thanks.promo_code:
            await people.mark_code_sent(tx, thanks.promo_code, hands.now())
        row = await surveys.survey(tx, survey.id or 0)
        if row is not None and thanks.is_review:
            row.reviewed = True


def _promised(
    item: Outbox,
    hands: Hands,
    survey: Survey,
    rule: SurveyRule,
    reply: Reply,
    complaint: Complaint | None,
    *,
    is_words: bool,
) -> datetime | None:
    """By when somebody calls: as there is a task, and not at all where nothing makes one."""
    if complaint is not None and complaint.closed_at is not None and complaint.closed_at < reply.received_at:
        return None if is_words else promise(hands, survey, rule, item.created_at)
    # Who was talked with since is to be called again.
    promised = complaint.deadline if complaint is not None and not complaint.is_contacted else None
    if promised is None or promised <= hands.now():
        promised = promise(hands, survey, rule, item.created_at)
    return promised


async def _is_stale(item: Outbox, hands: Hands, channel: Channel, chat_id: str) -> bool:
    """Is it too late to say this? Raises Later at night, unless the client wrote just now."""
    now = hands.now()
    if now > item.created_at + STALE:
        return True
    if not hands.window.is_open(now):
        async with hands.db.reading() as tx:
            chat = await people.chat(tx, channel.name, chat_id)
        wrote = chat.client_wrote_at if chat is not None else None
        if wrote is None or now > wrote + AT_ANY_HOUR:
            raise Later(hands.window.next_open(now), "the send window is closed")
    return False


async def _following(hands: Hands, survey: Survey, route: Route) -> tuple[Case, bool] | None:
    """The next question of this conversation, held for us, and whether it is the last one."""
    now = hands.now()
    if survey.client_id is None or survey.answered_at is None:
        return None
    if survey.confirm_until is not None and survey.confirm_until > now:
        return None  # A number that comes now is the corrected one, so nothing else is asked.
    if await paused.is_paused(hands.db, now):
        return None  # Thanks go; the question behind them waits like all others.
    async with hands.db.reading() as tx:
        still_open = [
            row for row in await surveys.open_of_client(tx, survey.client_id) if row.id != survey.id
        ]
        line = await turns.in_line(tx, survey.client_id, now, behind=survey.id)
    if still_open:
        return None
    for number, waiting in enumerate(line, start=1):
        claimed = await sending.claim(hands.db, waiting.id or 0, now)
        if claimed is None:
            continue
        try:
            await reread(hands, claimed)
        except (Temporary, AccessDenied, Permanent) as error:
            log.info("survey %s is asked later: %s", claimed.id, error)
            await sending.postpone(hands.db, claimed, now + timedelta(minutes=1), "service")
            return None
        case = await consider(hands, claimed, now, answered_in=route)
        match case.decision if case is not None else None:
            case Send() if case is not None:
                return case, number == len(line)
            case Skip(reason):
                await close(hands, claimed, reason, now)
            case Wait(until, reason):
                await sending.postpone(hands.db, claimed, until, reason)
            case _:
                await sending.postpone(hands.db, claimed, now + timedelta(hours=6), "service")
    return None


async def say_once(
    hands: Hands,
    channel: Channel,
    chat_id: str,
    message: Outgoing,
    *,
    survey_id: int | None,
    kind: str,
    variant: str,
) -> bool:
    """Send to a client at most once: an unknown outcome is let be. False: it certainly reached nobody."""
    try:
        message_id = await channel.send(
            chat_id, replace(message, client_wrote_at=await _wrote_at(hands, channel, chat_id))
        )
    except Uncertain as error:
        log.warning("a %s may have arrived and is not repeated: %s", kind, error)
        hands.health.count_message(channel.name, "out", "uncertain")
        return True
    except Unreachable as error:
        log.info("a %s found nobody: %s", kind, error)
        hands.health.count_message(channel.name, "out", "unreachable")
        async with hands.db.transaction() as tx:
            await people.mark_dead(tx, channel.name, chat_id, error.detail, hands.now())
        return False
    hands.health.count_message(channel.name, "out", "sent")
    async with hands.db.transaction() as tx:
        await asked.record_message(
            tx, channel=channel.name, chat_id=chat_id, message_id=message_id, survey_id=survey_id, kind=kind,
            text_variant=variant, now=hands.now(),
        )  # fmt: skip
    return True


async def _wrote_at(hands: Hands, channel: Channel, chat_id: str) -> datetime | None:
    """For the channels to which it matters."""
    if not isinstance(channel, Templated):
        return None
    async with hands.db.reading() as tx:
        chat = await people.chat(tx, channel.name, chat_id)
    return chat.client_wrote_at if chat is not None else None


async def say(item: Outbox, hands: Hands) -> None:
    """A sentence that was worded when the client wrote."""
    channel = hands.channels.get(str(item.payload["channel"]))
    if (
        channel is None
        or item.uncertain
        or await _is_stale(item, hands, channel, str(item.payload["chat_id"]))
    ):
        return
    variant = str(item.payload.get("variant", ""))
    share = hands.texts.fill("button.share_phone") if item.payload.get("share_phone") else ""
    message = Outgoing(
        text=str(item.payload["text"]),
        share_phone=share,
        remove_keyboard=bool(item.payload.get("remove_keyboard")),
    )
    await say_once(
        hands, channel, str(item.payload["chat_id"]), message, survey_id=item.payload.get("survey_id"),
        kind="say", variant=variant,
    )  # fmt: skip
    if variant.startswith("start."):
        await after_greeting(hands, channel.name, str(item.payload["chat_id"]))


async def after_greeting(hands: Hands, channel: str, chat_id: str) -> None:
    """Whoever has just linked a messenger gets the question that waited for it."""
    async with hands.db.transaction() as tx:
        chat = await people.chat(tx, channel, chat_id)
        if chat is None or chat.client_id is None or not await turns.greeted(tx, chat.client_id, hands.now()):
            return
    hands.wake.send.set()


async def hand_over_code(item: Outbox, hands: Hands) -> None:
    """The code on request, in a form made to be forwarded."""
    channel = hands.channels.get(str(item.payload["channel"]))
    if (
        channel is None
        or item.uncertain
        or await _is_stale(item, hands, channel, str(item.payload["chat_id"]))
    ):
        return
    async with hands.db.reading() as tx:
        client = await people.client(tx, int(item.payload["client_id"]))
        deal = await deals.newest_of_client(
            tx, int(item.payload["client_id"]), but_pipeline=hands.known.complaints_pipeline
        )
        contact = await people.contact(tx, deal.contact_id) if deal is not None and deal.contact_id else None
    if client is None:
        return
    if contact is not None and hands.known.advertising_consent_field is not None:
        await read_contact(hands, contact.contact_id)  # Consent may have been withdrawn since.
        async with hands.db.reading() as tx:
            contact = await people.contact(tx, contact.contact_id)
    # A code is for those who bought: a stranger's chat gets none.
    if deal is None or not may_carry_code(hands, contact, channel.name):
        text = hands.texts.fill("promo.not_here", phone=hands.company.phone)
        await say_once(
            hands, channel, str(item.payload["chat_id"]), Outgoing(text=text), survey_id=None, kind="say",
            variant="promo.not_here",
        )  # fmt: skip
        return
    code = await own_code(hands, client, hands.now())
    text = code_card(hands, code.code)
    may_have_arrived = await say_once(
        hands, channel, str(item.payload["chat_id"]), Outgoing(text=text), survey_id=None, kind="code",
        variant="promo.card",
    )  # fmt: skip
    if may_have_arrived:
        async with hands.db.transaction() as tx:
            await people.mark_code_sent(tx, code.code, hands.now())


async def toast(item: Outbox, hands: Hands) -> None:
    """Stop the spinner of a tapped button; worth a try or two, no more."""
    channel = hands.channels.get(str(item.payload["channel"]))
    if channel is None or item.attempt > 3:
        return
    await channel.answer_tap(str(item.payload["callback_id"]), str(item.payload["text"]))


async def edit_question(item: Outbox, hands: Hands) -> None:
    """The tapped keyboard gives way to «Ваша оценка: 9 из 10»."""
    async with hands.db.reading() as tx:
        survey = await surveys.survey(tx, int(item.payload["survey_id"]))
    if survey is None or survey.state != SurveyState.ANSWERED or not survey.message_id:
        return
    channel, rule = hands.channels.get(survey.channel), hands.known.rule(survey.survey_key)
    if channel is None or rule is None or not channel.has_buttons:
        return
    # «Изменить оценку» was tapped: the scale is wanted again.
    message = answered_for(hands, survey, rule, is_open=bool(item.payload.get("is_open")))
    await channel.edit(survey.chat_id, survey.message_id, message)


async def remind(hands: Hands, survey: Survey, message: Outgoing, variant: str, now: datetime) -> None:
    """The one reminder, written down before it is sent; an unknown outcome counts as reminded."""
    channel = hands.channels.get(survey.channel)
    if channel is None or not await reminders.claim_reminder(hands.db, survey, now):
        return
    try:
        message_id = await channel.send(
            survey.chat_id,
            replace(message, client_wrote_at=await _wrote_at(hands, channel, survey.chat_id)),
        )
    except (Temporary, AccessDenied) as error:
        log.info("reminder of survey %s is put off: %s", survey.id, error)
        wait = error.retry_after if isinstance(error, Temporary) else None
        await reminders.unclaim_reminder(hands.db, survey, now + (wait or REFUSED_PAUSE))
        return
    except Uncertain as error:
        log.warning("reminder of survey %s may have arrived: %s", survey.id, error)
        message_id = ""
    except Permanent as error:
        log.info("survey %s is not reminded: %s", survey.id, error)
        return
    hands.health.count_message(channel.name, "out", "sent" if message_id else "uncertain")
    async with hands.db.transaction() as tx:
        await asked.record_message(
            tx, channel=channel.name, chat_id=survey.chat_id, message_id=message_id, survey_id=survey.id,
            kind="reminder", text_variant=variant, now=now,
        )  # fmt: skip
        row = await surveys.survey(tx, survey.id or 0)
        if row is not None and message_id:
            row.message_id = row.message_id or message_id


async def tell_deal_of(hands: Hands, survey: Survey, now: datetime) -> None:
    async with hands.db.transaction() as tx:
        await sync_deal(tx, survey.deal_id, now)
