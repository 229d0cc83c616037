"""Words, names and numbers that are older than they may be kept go; scores and counts stay.

Client by client, a batch at a time: nothing of a person goes while anything of theirs is younger, or a
complaint is open. What belongs to no client goes by its own age.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, func, or_
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import calls, trials
from storage.erase import BROKEN_DEAL, HAD_WORDS, empty_repeats
from storage.erase_queues import PERSONAL, nameless
from storage.erased_numbers import keep_hash
from storage.tables.complaints import Complaint, Request
from storage.tables.deals import Contact, Deal, Referral
from storage.tables.people import Chat, Client
from storage.tables.queues import Inbox, InboxState, Outbox, OutboxState, State
from storage.tables.surveys import Message, Reply, Survey, SurveyState, Trial

AGED = "aged:"  # begins the key of a client of whom nothing personal is left
_OPEN = (SurveyState.PLANNED, SurveyState.SENDING, SurveyState.SENT, SurveyState.UNCERTAIN)
_ENDED = (OutboxState.DONE, OutboxState.GIVEN_UP)


# --- people ------------------------------------------------------------------------------------------------


async def known_clients(tx: AsyncSession, *, after: int, limit: int) -> Sequence[int]:
    """The next of those of whom something may be left."""
    wanted = (
        select(Client.client_id)
        .where(
            col(Client.client_id) > after,
            col(Client.erased_at).is_(None),
            ~col(Client.key).startswith(AGED),
        )
        .order_by(col(Client.client_id))
        .limit(limit)
    )
    return [number for number in (await tx.exec(wanted)).all() if number is not None]


async def inactive(tx: AsyncSession, ids: Sequence[int], cutoff: datetime) -> list[int]:
    """Those of them with whom nothing has happened since, and who wait for nothing."""
    active: set[int | None] = set()
    for owner, signs in _signs_of_life(cutoff):
        found = await tx.exec(select(owner).where(owner.in_(ids), or_(*signs)).distinct())
        active.update(found.all())
    brought = (
        select(col(Referral.referrer_id))
        .join(Deal, col(Deal.deal_id) == col(Referral.deal_id))
        .where(col(Referral.referrer_id).in_(ids), col(Deal.closed_at) >= cutoff)
    )
    active.update((await tx.exec(brought)).all())
    return [number for number in ids if number not in active]


def _signs_of_life(cutoff: datetime) -> list[tuple[Any, list[ColumnElement[bool]]]]:
    """Whose it is, and what makes it young."""

    def since(*moments: Any) -> list[ColumnElement[bool]]:
        return [col(moment) >= cutoff for moment in moments]

    is_open = col(Complaint.closed_at).is_(None) & col(Complaint.left_at).is_(None)
    return [
        (col(Client.client_id), since(Client.created_at)),
        (col(Deal.client_id), since(Deal.updated_at, Deal.closed_at)),
        (col(Reply.client_id), since(Reply.received_at)),
        (
            col(Survey.client_id),
            [*since(Survey.planned_at, Survey.settled_at), col(Survey.state).in_(_OPEN)],
        ),
        (
            col(Chat.client_id),
            since(Chat.linked_at, Chat.client_wrote_at, Chat.human_wrote_at, Chat.asked_at),
        ),
        (
            col(Complaint.client_id),
            [*since(Complaint.opened_at, Complaint.closed_at, Complaint.left_at), is_open],
        ),
        (col(Request.client_id), since(Request.asked_at)),
    ]


async def age_clients(tx: AsyncSession, ids: Sequence[int], now: datetime) -> None:
    """Nothing is left of them but numbers. Who wanted no messages is known again by a hash alone."""
    clients = (await tx.exec(select(Client).where(col(Client.client_id).in_(ids)))).all()
    await _age_messages(tx, ids)
    await _age_deals(tx, col(Deal.client_id).in_(ids))
    their_deals = select(Deal.deal_id).where(col(Deal.client_id).in_(ids))
    named = or_(col(Referral.deal_id).in_(their_deals), col(Referral.referrer_id).in_(ids))
    await tx.exec(update(Referral).where(named).values(typed=""))
    await tx.exec(update(Complaint).where(col(Complaint.client_id).in_(ids)).values(name="", lines=[]))
    await empty_repeats(tx, col(Complaint.client_id).in_(ids))
    await tx.exec(
        update(Contact).where(col(Contact.client_id).in_(ids)).values(name="", phone=None, fields={})
    )
    for client in clients:
        if client.opted_out_at is not None and client.phone is not None:
            await keep_hash(tx, client.phone, now)
        client.key, client.phone, client.name = f"{AGED}{client.client_id}", None, ""
    await tx.flush()


async def _age_messages(tx: AsyncSession, ids: Sequence[int]) -> None:
    """In both directions, with the chats."""
    said = await tx.exec(select(Reply.channel, Reply.external_id).where(col(Reply.client_id).in_(ids)))
    await _empty_inbox(tx, [{"b_channel": channel, "b_id": external_id} for channel, external_id in said])
    name = nameless(Reply.external_id, Reply.id)
    await tx.exec(
        update(Reply)
        .where(col(Reply.client_id).in_(ids))
        .values(text="", had_words=HAD_WORDS, chat_id="", external_id=name)
    )
    name = nameless(Survey.message_id, Survey.id)
    await tx.exec(update(Survey).where(col(Survey.client_id).in_(ids)).values(chat_id="", message_id=name))
    await tx.exec(update(Request).where(col(Request.client_id).in_(ids)).values(chat_id=""))
    for chat in (await tx.exec(select(Chat).where(col(Chat.client_id).in_(ids)))).all():
        here = (col(Message.channel) == chat.channel, col(Message.chat_id) == chat.chat_id)
        name = nameless(Message.message_id, Message.id)
        await tx.exec(update(Message).where(*here).values(chat_id=f"{AGED}{chat.id}", message_id=name))
        await tx.delete(chat)


async def _empty_inbox(tx: AsyncSession, which: list[dict[str, Any]]) -> None:
    if not which:
        return
    body = (
        update(Inbox.__table__)  # type: ignore[attr-defined]
        .where(col(Inbox.channel) == bindparam("b_channel"), col(Inbox.external_id) == bindparam("b_id"))
        .values(raw=b"", error="", external_id=nameless(Inbox.external_id, Inbox.id))
    )
    await (await tx.connection()).execute(body, which)


async def _age_deals(tx: AsyncSession, which: ColumnElement[bool]) -> None:
    """What was chosen from a list tells of nobody, and figures are made of it."""
    for deal in (await tx.exec(select(Deal).where(which))).all():
        deal.name = ""
        deal.fields = {
            field_id: values
            for field_id, values in deal.fields.items()
            if all(value.get("enum_id") or isinstance(value.get("value"), bool) for value in values)
        }


# --- what came in, what was done ---------------------------------------------------------------------------


async def age_inbox(tx: AsyncSession, cutoff: datetime, *, after: int, limit: int) -> int | None:
    """Bodies that are no words of a client who is still known. Where to go on; None: nothing older."""
    rows = (
        await tx.exec(
            select(Inbox.id, Inbox.received_at, Inbox.state)
            .where(col(Inbox.id) > after)
            .order_by(col(Inbox.id))
            .limit(limit)
        )
    ).all()
    old = [row_id for row_id, at, state in rows if at < cutoff and state != InboxState.NEW]
    is_known = exists().where(
        col(Reply.channel) == col(Inbox.channel),
        col(Reply.external_id) == col(Inbox.external_id),
        col(Client.client_id) == col(Reply.client_id),
        ~col(Client.key).startswith(AGED),
        col(Client.erased_at).is_(None),
    )
    await tx.exec(
        update(Inbox)
        .where(col(Inbox.id).in_(old), ~is_known)
        .values(raw=b"", error="", state=InboxState.READ, external_id=nameless(Inbox.external_id, Inbox.id))
        .execution_options(synchronize_session=False)
    )
    is_end = len(rows) < limit or rows[-1][1] >= cutoff
    return None if is_end else rows[-1][0]


async def age_outbox(tx: AsyncSession, cutoff: datetime, *, after: int, limit: int) -> int | None:
    """What was said and told. Where to go on; None: that was all."""
    rows = (
        await tx.exec(
            select(Outbox)
            .where(col(Outbox.id) > after, col(Outbox.created_at) < cutoff, col(Outbox.state).in_(_ENDED))
            .order_by(col(Outbox.id))
            .limit(limit)
        )
    ).all()
    for item in rows:
        if PERSONAL & item.payload.keys():
            item.payload = {key: value for key, value in item.payload.items() if key not in PERSONAL}
    return rows[-1].id if len(rows) == limit else None


async def age_the_rest(tx: AsyncSession, cutoff: datetime, *, limit: int) -> bool:
    """Deals and complaints that are nobody's, or whose person has gone already. True: that was all."""
    of_nobody = or_(
        col(Deal.client_id).is_(None),
        exists().where(
            col(Client.client_id) == col(Deal.client_id),
            or_(col(Client.key).startswith(AGED), col(Client.erased_at).is_not(None)),
        ),
    )
    wanted = select(Deal.deal_id).where(of_nobody, col(Deal.updated_at) < cutoff, col(Deal.name) != "")
    ids: Collection[int] = (await tx.exec(wanted.limit(limit))).all()
    await _age_deals(tx, col(Deal.deal_id).in_(ids))
    await tx.exec(update(Referral).where(col(Referral.deal_id).in_(ids)).values(typed=""))
    is_over = or_(col(Complaint.closed_at) < cutoff, col(Complaint.left_at) < cutoff)
    nobodys = col(Complaint.client_id).is_(None) & is_over & (col(Complaint.name) != "")
    await empty_repeats(tx, nobodys)
    await tx.exec(update(Complaint).where(nobodys).values(name="", lines=[]))
    await calls.empty_older(tx, cutoff)
    await tx.exec(delete(Trial).where(col(Trial.ends_at) < cutoff))
    await tx.exec(delete(Message).where(col(Message.kind) == trials.KIND, col(Message.sent_at) < cutoff))
    # The company wrote there itself, and nobody has been linked to it.
    wrote_at = func.coalesce(Chat.human_wrote_at, Chat.linked_at)
    unknown = col(Chat.client_id).is_(None), col(Chat.linked_at) < cutoff, wrote_at < cutoff
    await tx.exec(delete(Chat).where(*unknown))
    await tx.exec(
        update(State)
        .where(col(State.key).startswith(BROKEN_DEAL), col(State.updated_at) < cutoff)
        .values(value={"raw": "", "error": ""})
    )
    return len(ids) < limit
