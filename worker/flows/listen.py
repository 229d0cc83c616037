"""Replies in: from the inbox to scores, and to the actions that a score calls for."""

import logging
from dataclasses import replace
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.channels.base import Aliased, Channel, Incoming, IncomingKind, Status, UnreadableError
from storage import asked, erase_queues, inbox, people, requests, surveys
from storage.ageing import AGED
from storage.errors import StorageError
from storage.tables.queues import Inbox
from storage.tables.surveys import Message, Survey, SurveyState
from worker.account.people import Place
from worker.actions import linking, presses, trial
from worker.actions.asking import TEMPLATE
from worker.actions.base import Hands
from worker.actions.channel_watch import note_state
from worker.actions.deal_card import sync_deal
from worker.actions.looking import found_again
from worker.actions.received import Received
from worker.actions.staffing import join, know_staff, move_group, note_group
from worker.actions.taking import take
from worker.rules.phone import normalise

log = logging.getLogger(__name__)

PAGE = 100  # rows
TRIES = 5  # of a row that fails for a reason of ours, before it is put aside
STATUS_PATIENCE = timedelta(minutes=10)  # a status may come before the answer to our own sending
CODE_IN_QUESTION = "promo.in_question"  # in the `text_variant` of a question that carried the code
NOBODY = ("erased:", AGED)  # how the chats of people begin of whom nothing is left
RANK = {status: rank for rank, status in enumerate(Status)}


class _NotYetError(Exception):
    """Left unread: what it belongs to is not on disk yet."""


Chats = set[tuple[str, str]]  # channel and chat


async def listen(hands: Hands) -> int:
    """Everything unread, in order; gives the number of rows that were read or put aside."""
    settled = 0
    while True:
        read, left = await _walk(hands)
        settled += read
        if not read or not left:
            break  # What is left waits for something that did not happen here.
    hands.health.mark("listen", hands.now())
    return settled


async def _walk(hands: Hands) -> tuple[int, int]:
    """Once through all that is unread: how much was settled and how much was left for later.

    By pages, since what has to wait must never keep from us what came after it.
    """
    settled = seen = after = 0
    waiting: Chats = set()
    while True:
        rows = await inbox.unread(hands.db, after=after, limit=PAGE)
        for row in rows:
            settled += await _one(hands, row, waiting)
        seen += len(rows)
        if len(rows) < PAGE:
            return settled, seen - settled
        after = rows[-1].id or 0


async def _one(hands: Hands, row: Inbox, waiting: Chats) -> bool:
    """`waiting`: the chats in which an earlier message was left unread; no later one overtakes it."""
    channel, now = hands.channels.get(row.channel), hands.now()
    if channel is None:
        return False  # The channel was taken out of the settings; its replies wait for it.
    try:
        messages = channel.read(row.raw)
    except UnreadableError as error:
        log.error("what came by %s (row %s) cannot be read and was put aside: %s", row.channel, row.id, error)
        async with hands.db.transaction() as tx:
            return await inbox.quarantine(tx, row.id, str(error), now)
    await know_staff(hands)
    try:
        async with hands.db.transaction() as tx:
            if not await inbox.mark_read(tx, row.id, now):
                return False  # Another worker was faster.
            for message in messages:
                await _take(tx, hands, channel, row, message, waiting)
    except _NotYetError:
        return False
    except StorageError:
        raise  # Not the row's fault, so it is not what puts it aside.
    except Exception as error:
        log.exception("what came by %s (row %s) could not be taken in", row.channel, row.id)
        async with hands.db.transaction() as tx:
            if await inbox.note_failure(tx, row.id, type(error).__name__) >= TRIES:
                return await inbox.quarantine(tx, row.id, type(error).__name__, now)
        # A status hurries nobody: those that come after it need not wait for it.
        waiting.update(
            (row.channel, message.chat_id) for message in messages if message.kind is not IncomingKind.STATUS
        )
        return False
    hands.health.count_message(row.channel, "in", "read")
    return True


async def _take(
    tx: AsyncSession, hands: Hands, channel: Channel, row: Inbox, message: Incoming, waiting: Chats
) -> None:
    now = hands.now()
    message = await _as_we_name_it(tx, channel, row, message)
    match message.kind:
        case IncomingKind.STATUS:
            await _take_status(tx, hands, row, message)
        case IncomingKind.STATE:
            await _take_state(tx, hands, row, message)
        case IncomingKind.MOVED:
            await move_group(tx, hands, message.chat_id, message.moved_to)
        case IncomingKind.BLOCKED | IncomingKind.UNBLOCKED if message.is_group:
            if (group := Place(row.channel, message.chat_id)) in hands.groups:
                is_lost = message.kind is IncomingKind.BLOCKED
                await note_group(tx, hands, group, is_lost=is_lost)
                hands.wake.act.set()
        case IncomingKind.OTHER:
            log.debug("%s sent something without meaning for us", row.channel)
        case _ if await trial.take(tx, hands, channel, row, message):
            log.debug("%s: part of a trial", row.channel)
        case _ if (
            person := hands.known.staff_member(row.channel, message.sender_id or message.chat_id)
        ) is not None:
            await presses.take(tx, hands, row, message, person, now)
        case IncomingKind.TAP if message.is_group or presses.is_staffs(message):
            # Only staff may press here: for anybody else nothing happens, and the spinner stops.
            await presses.ignore(tx, hands, row, message)
        case _ if message.is_group:
            return  # Words there are nobody's answer.
        case IncomingKind.START if await join(tx, hands, row, message):
            log.debug("%s brought a colleague", row.channel)
        case IncomingKind.START | IncomingKind.CONTACT:
            await linking.link(tx, hands, channel, row, message, now)
        case IncomingKind.BLOCKED:
            await people.mark_dead(tx, row.channel, message.chat_id, people.BLOCKED, now)
        case IncomingKind.UNBLOCKED:
            await people.mark_alive(tx, row.channel, message.chat_id)
        case IncomingKind.ECHO:
            await _take_echo(tx, hands, row, message)
        case _:
            await _wait_for_question(tx, row, message, waiting)
            chat, client = await linking.whose(tx, hands, row, message, now)
            if chat.dead_reason != people.BLOCKED:  # Who was not to be found there writes from there.
                chat.dead_at, chat.dead_reason = None, ""
            received = Received(channel=channel, row=row, message=message, chat=chat, client=client, now=now)
            await take(tx, hands, received)


async def _as_we_name_it(tx: AsyncSession, channel: Channel, row: Inbox, message: Incoming) -> Incoming:
    """A service that has two ids for one chat may tell only the one that we do not know it by."""
    if not isinstance(channel, Aliased) or not message.chat_id or message.is_group:
        return message
    if message.alias:
        await people.note_alias(tx, row.channel, message.chat_id, message.alias)
        return message
    chat = await people.chat_by_alias(tx, row.channel, message.chat_id)
    return replace(message, chat_id=chat.chat_id) if chat is not None else message


async def _wait_for_question(tx: AsyncSession, row: Inbox, message: Incoming, waiting: Chats) -> None:
    """A reply may be faster than our own note that the question went out, above all when its sender died.

    Read before that, it would belong to no question. It is over within the time of the sender's claim.
    """
    chat = (row.channel, message.chat_id)
    if chat in waiting or await surveys.is_being_sent(tx, *chat):
        waiting.add(chat)
        raise _NotYetError


async def _take_echo(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming) -> None:
    """A person of the company wrote: nobody waits there now, and a bare number may answer that person."""
    at = message.sent_at or row.received_at
    if message.reference:  # What we wrote ourselves.
        await found_again(
            tx, hands, row.channel, message.chat_id, message.message_id, at, reference=message.reference
        )
        return
    if await asked.message(tx, row.channel, message.message_id, message.chat_id) is not None:
        return
    if not message.chat_id or message.is_group:
        return
    # Whom the company writes to first has no chat here yet; whoever is asked there later is this person.
    phone = normalise(f"+{message.phone.lstrip('+')}", hands.region) if message.phone else None
    client = await people.client_by_key(tx, f"phone:{phone}") if phone else None
    chat = await people.chat_for(
        tx, row.channel, message.chat_id,
        client_id=client.client_id if client is not None else None, name="", now=hands.now(),
    )  # fmt: skip
    chat.human_wrote_at = at
    chat.waiting_since = None
    await requests.answered(tx, row.channel, message.chat_id, "", at)


async def _take_state(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming) -> None:
    trouble = "" if message.reason in ("authorized", "online", "") else message.reason
    # By a name of its own: that replies are fetched again does not make the account well.
    # What a template costs from now on keeps nobody from being asked.
    stops = trouble if "category" not in trouble else ""
    hands.health.set_trouble(".".join(filter(None, (row.channel, "state", message.about))), stops)
    await note_state(tx, hands, row.channel, trouble, about=message.about)
    if trouble:
        log.warning("the gateway of %s says: %s", row.channel, message.reason)


async def _take_status(tx: AsyncSession, hands: Hands, row: Inbox, message: Incoming) -> None:
    """Sent, delivered, read, failed: never back, whatever the order."""
    sent = await asked.message(tx, row.channel, message.message_id)
    if sent is None and (message.reference or (message.text and message.chat_id)):
        # The gateway's own echo of what we sent settles a question whose answer was lost.
        at = message.sent_at or row.received_at
        sent = await found_again(
            tx, hands, row.channel, message.chat_id, message.message_id, at, reference=message.reference
        )
    if sent is None:
        if hands.now() < row.received_at + STATUS_PATIENCE:
            raise _NotYetError
        await erase_queues.leave_nothing(tx, row.id)  # It may tell of somebody who was forgotten.
        return
    if sent.chat_id.startswith(NOBODY):
        await erase_queues.leave_nothing(tx, row.id)
    status = message.status
    if status is None or RANK[status] <= RANK.get(Status(sent.status), 0):
        return
    had_failed = sent.status == Status.FAILED
    sent.status, sent.status_at = status, message.sent_at or row.received_at
    survey = await surveys.survey(tx, sent.survey_id) if sent.survey_id else None
    if survey is None or sent.kind not in ("question", "reminder"):
        return
    match status:
        case Status.DELIVERED | Status.READ:
            at = message.sent_at or row.received_at
            survey.delivered_at = survey.delivered_at or at
            survey.uncertain = False
            if sent.kind == "question" and had_failed:
                await _arrived_after_all(tx, hands, survey, sent)
            if status is Status.READ:
                survey.read_at = survey.read_at or at
        case Status.FAILED if sent.kind == "question":
            await _try_the_next(tx, hands, survey, sent, message)
        case _:
            return


async def _try_the_next(
    tx: AsyncSession, hands: Hands, survey: Survey, sent: Message, message: Incoming
) -> None:
    """The gateway took the question and could not deliver it: the next channel, once each."""
    if survey.state not in (SurveyState.SENT, SurveyState.UNCERTAIN) or survey.message_id != sent.message_id:
        return
    now = hands.now()
    log.info("survey %s was not delivered by %s: %s", survey.id, sent.channel, message.reason)
    hands.health.count_message(sent.channel, "out", "failed")
    if message.is_gone:
        await people.mark_dead(tx, sent.channel, sent.chat_id, message.reason or "failed", now)
    if survey.promo_code:
        # The code did not reach the client either; on the next channel it is sent for the first time.
        await people.take_code_back(tx, survey.promo_code, survey.id or 0)
        survey.promo_code = ""
    if message.wants_template and sent.text_variant != TEMPLATE:
        await people.forget_writing(tx, sent.channel, sent.chat_id)
    else:
        survey.tried = [*survey.tried, sent.channel]
    survey.state, survey.next_at, survey.waits_for = SurveyState.PLANNED, now, "channel"
    survey.owner = ""
    await sync_deal(tx, survey.deal_id, now)
    hands.wake.send.set()


async def _arrived_after_all(tx: AsyncSession, hands: Hands, survey: Survey, sent: Message) -> None:
    """Said to have failed, and then to have arrived: nobody is asked once more, as long as nobody was."""
    await people.mark_alive(tx, sent.channel, sent.chat_id)
    if survey.state == SurveyState.PLANNED and survey.message_id == sent.message_id:
        survey.state, survey.waits_for = SurveyState.SENT, ""
        survey.attempt += 1  # Whoever is just checking it for the next channel loses it.
        code = await people.code_of(tx, survey.client_id) if survey.client_id is not None else None
        if code is not None and CODE_IN_QUESTION in sent.text_variant:
            survey.promo_code = code.code
            await people.mark_code_sent(tx, code.code, sent.sent_at)
        survey.tried = [name for name in survey.tried if name != sent.channel]
        await sync_deal(tx, survey.deal_id, hands.now())
