"""Clients, their contacts in amoCRM and their chats: who is who, and how each can be reached."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables.complaints import Complaint, Request
from storage.tables.deals import Contact, Deal, Referral
from storage.tables.people import Chat, Client, PromoCode
from storage.tables.surveys import Reply, Survey

BLOCKED = "blocked"  # `dead_reason` of a chat in which the person said so


async def client(tx: AsyncSession, client_id: int, *, lock: bool = False) -> Client | None:
    """`lock` holds the row until the transaction ends: two workers decide about one person in turn."""
    wanted = select(Client).where(Client.client_id == client_id)
    return (await tx.exec(wanted.with_for_update() if lock else wanted)).first()


async def clients(tx: AsyncSession, client_ids: Collection[int]) -> dict[int, Client]:
    """By their ids, those that are known."""
    found = await tx.exec(select(Client).where(col(Client.client_id).in_(client_ids)))
    return {client.client_id: client for client in found if client.client_id is not None}


async def client_by_key(tx: AsyncSession, key: str) -> Client | None:
    return (await tx.exec(select(Client).where(Client.key == key))).first()


async def clients_by_keys(tx: AsyncSession, keys: Collection[str]) -> dict[str, Client]:
    return {client.key: client for client in await tx.exec(select(Client).where(col(Client.key).in_(keys)))}


def key_of(phone: str | None, otherwise: str) -> str:
    """What a person is known by: the number, while there is one."""
    return f"phone:{phone}" if phone else otherwise


async def client_for(
    tx: AsyncSession, *, phone: str | None, otherwise: str, name: str, now: datetime
) -> Client:
    """The person with this number, or the one known only as `otherwise` (`contact:301`, `chat:telegram:17`).

    Somebody who was known as `otherwise` and whose number is learned now becomes one person with it.
    """
    key = key_of(phone, otherwise)
    found = await client_by_key(tx, key)
    if found is None:
        found = await client_by_key(tx, otherwise) if phone else None
        if found is not None:
            found.key, found.phone = key, phone
        else:
            found = Client(key=key, phone=phone, name=name, created_at=now)
        tx.add(found)
        await tx.flush()
    elif phone and (nameless := await client_by_key(tx, otherwise)) is not None:
        await merge(tx, nameless, into=found)
    if name and not found.name:
        found.name = name
    return found


async def merge(tx: AsyncSession, gone: Client, *, into: Client) -> None:
    for table in (Deal, Contact, Chat, Survey, Reply, Complaint, Request):
        theirs = col(table.client_id) == gone.client_id
        await tx.exec(update(table).where(theirs).values(client_id=into.client_id))
    own = (await tx.exec(select(PromoCode).where(PromoCode.client_id == into.client_id))).first()
    code = (await tx.exec(select(PromoCode).where(PromoCode.client_id == gone.client_id))).first()
    if code is not None and own is None:
        code.client_id = into.client_id or 0
    # With a code on each side the older person keeps the row, so that a code given away stays known.
    await tx.exec(
        update(Referral).where(col(Referral.referrer_id) == gone.client_id).values(referrer_id=into.client_id)
    )
    if gone.opted_out_at is not None and into.opted_out_at is None:
        into.opted_out_at, into.opted_out_in = gone.opted_out_at, gone.opted_out_in
    if code is None or own is None:
        await tx.delete(gone)
    await tx.flush()


async def save_contact(tx: AsyncSession, contact: Contact) -> None:
    """Keep what was read; the client behind it is handed in as `client_id`."""
    known = await tx.get(Contact, contact.contact_id)
    if known is not None and not _was_taken_off(known, contact):
        contact.own_tag, contact.own_tag_at = known.own_tag, known.own_tag_at
    await tx.merge(contact)
    await tell_whose(tx, [contact.contact_id])


def _was_taken_off(known: Contact, read: Contact) -> bool:
    """A person took our tag off after us; an older reading proves nothing."""
    if known.own_tag_at is None or read.updated_at is None or read.updated_at <= known.own_tag_at:
        return False
    return not has_tag(read.tags, known.own_tag)


def has_tag(tags: Collection[str], tag: str) -> bool:
    """However it is spelled."""
    return tag.casefold().strip() in {one.casefold().strip() for one in tags}


async def tell_whose(tx: AsyncSession, contact_ids: Collection[int]) -> None:
    """The client behind a contact is written down with the deals and surveys of the contact."""
    await tx.flush()

    def theirs(column: Any) -> Any:
        return select(Contact.client_id).where(col(Contact.contact_id) == column).scalar_subquery()

    of_deal = theirs(Deal.contact_id)
    await tx.exec(
        update(Deal)
        .where(col(Deal.contact_id).in_(contact_ids), col(Deal.client_id).is_distinct_from(of_deal))
        .values(client_id=of_deal)
        .execution_options(synchronize_session=False)
    )
    await tx.exec(
        update(Survey)
        .where(col(Survey.contact_id).in_(contact_ids), col(Survey.client_id).is_(None))
        .values(client_id=theirs(Survey.contact_id))
        .execution_options(synchronize_session=False)
    )


async def known_contacts(tx: AsyncSession, contact_ids: Collection[int]) -> set[int]:
    """Those that have been read before."""
    rows = await tx.exec(select(Contact.contact_id).where(col(Contact.contact_id).in_(contact_ids)))
    return set(rows.all())


async def contact(tx: AsyncSession, contact_id: int) -> Contact | None:
    return (await tx.exec(select(Contact).where(Contact.contact_id == contact_id))).first()


async def contacts_of(tx: AsyncSession, client_id: int) -> Sequence[Contact]:
    return (
        await tx.exec(
            select(Contact).where(Contact.client_id == client_id, col(Contact.is_deleted).is_(False))
        )
    ).all()


async def chats_of(tx: AsyncSession, client_id: int) -> Sequence[Chat]:
    return (await tx.exec(select(Chat).where(Chat.client_id == client_id).order_by(col(Chat.id)))).all()


async def chat(tx: AsyncSession, channel: str, chat_id: str) -> Chat | None:
    return (await tx.exec(select(Chat).where(Chat.channel == channel, Chat.chat_id == chat_id))).first()


async def chat_for(
    tx: AsyncSession, channel: str, chat_id: str, *, client_id: int | None, name: str, now: datetime
) -> Chat:
    """This chat, made if it is new. A known person is written down where the chat had none."""
    found = await chat(tx, channel, chat_id)
    if found is None:
        found = Chat(channel=channel, chat_id=chat_id, client_id=client_id, name=name, linked_at=now)
        tx.add(found)
    elif found.client_id is None:
        found.client_id = client_id
    if name:
        found.name = name
    await tx.flush()
    return found


async def mark_dead(tx: AsyncSession, channel: str, chat_id: str, reason: str, now: datetime) -> None:
    await tx.exec(
        update(Chat)
        .where(col(Chat.channel) == channel, col(Chat.chat_id) == chat_id, col(Chat.dead_at).is_(None))
        .values(dead_at=now, dead_reason=reason)
    )


async def note_alias(tx: AsyncSession, channel: str, chat_id: str, alias: str) -> None:
    await tx.exec(
        update(Chat)
        .where(col(Chat.channel) == channel, col(Chat.chat_id) == chat_id, col(Chat.alias) != alias)
        .values(alias=alias)
    )


async def chat_by_alias(tx: AsyncSession, channel: str, alias: str) -> Chat | None:
    wanted = select(Chat).where(Chat.channel == channel, Chat.alias == alias).order_by(col(Chat.id)).limit(1)
    return (await tx.exec(wanted)).first()


async def forget_writing(tx: AsyncSession, channel: str, chat_id: str) -> None:
    """The service counts otherwise than we do: for it this person has not written lately."""
    await tx.exec(
        update(Chat)
        .where(col(Chat.channel) == channel, col(Chat.chat_id) == chat_id)
        .values(client_wrote_at=None)
    )


async def mark_alive(tx: AsyncSession, channel: str, chat_id: str) -> None:
    await tx.exec(
        update(Chat)
        .where(col(Chat.channel) == channel, col(Chat.chat_id) == chat_id)
        .values(dead_at=None, dead_reason="")
    )


async def opt_out(tx: AsyncSession, client_id: int, channel: str, now: datetime) -> bool:
    """In every channel, at once. True if it is news."""
    changed = await tx.exec(
        update(Client)
        .where(col(Client.client_id) == client_id, col(Client.opted_out_at).is_(None))
        .values(opted_out_at=now, opted_out_in=channel)
    )
    return changed.rowcount == 1


async def opt_in(tx: AsyncSession, client_id: int) -> None:
    await tx.exec(
        update(Client).where(col(Client.client_id) == client_id).values(opted_out_at=None, opted_out_in="")
    )


async def owners_of_phones(tx: AsyncSession, phones: Collection[str]) -> dict[str, int]:
    """Phone → client, for those that are known."""
    rows = await tx.exec(select(Client.phone, Client.client_id).where(col(Client.phone).in_(list(phones))))
    return {phone: client_id for phone, client_id in rows.all() if phone and client_id is not None}


async def code_of(tx: AsyncSession, client_id: int) -> PromoCode | None:
    return (await tx.exec(select(PromoCode).where(PromoCode.client_id == client_id))).first()


async def code_by_digits(tx: AsyncSession, digits: str) -> PromoCode | None:
    return (await tx.exec(select(PromoCode).where(PromoCode.digits == digits))).first()


async def codes_by_digits(tx: AsyncSession, digits: Collection[str]) -> Sequence[PromoCode]:
    return (await tx.exec(select(PromoCode).where(col(PromoCode.digits).in_(list(digits))))).all()


async def take_code_back(tx: AsyncSession, code: str, survey_id: int) -> None:
    """The message that carried it was not delivered, and no other question did."""
    elsewhere = select(Survey.id).where(Survey.promo_code == code, Survey.id != survey_id)
    if (await tx.exec(elsewhere.limit(1))).first() is None:
        await tx.exec(update(PromoCode).where(col(PromoCode.code) == code).values(first_sent_at=None))


async def mark_code_sent(tx: AsyncSession, code: str, now: datetime) -> None:
    await tx.exec(
        update(PromoCode)
        .where(col(PromoCode.code) == code, col(PromoCode.first_sent_at).is_(None))
        .values(first_sent_at=now)
    )
