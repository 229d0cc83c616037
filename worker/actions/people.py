"""Contacts of amoCRM read, and turned into the people that they are."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.models import Company as AmoCompany
from integrations.amocrm.models import Contact as AmoContact
from storage import deals, erased_numbers, people
from storage.tables.deals import Contact
from storage.tables.people import Client
from worker.actions.base import Hands
from worker.rules.phone import best_phone


async def read_contacts(hands: Hands, contact_ids: Sequence[int]) -> None:
    """Read and keep these contacts; one that amoCRM no longer has is kept as deleted."""
    found = await hands.amocrm.contacts(contact_ids, filtered=hands.known.is_filter_enabled)
    async with hands.db.transaction() as tx:
        now = hands.now()
        for contact in await _keep_new(tx, hands, found, now):
            await keep(tx, hands, contact, contact.id, now)
        for contact_id in set(contact_ids).difference(contact.id for contact in found):
            await _keep_gone(tx, contact_id, now)


async def read_contact(hands: Hands, contact_id: int) -> None:
    """The contact of one deal, fresh, just before somebody is asked. Negative: a company."""
    if contact_id < 0:
        await read_company(hands, -contact_id)
        return
    contact = await hands.amocrm.contact(contact_id)
    async with hands.db.transaction() as tx:
        if contact is None:
            await _keep_gone(tx, contact_id, hands.now())
        else:
            await keep(tx, hands, contact, contact_id, hands.now())


async def read_company(hands: Hands, company_id: int) -> None:
    """A company stands in for a missing contact."""
    company = await hands.amocrm.company(company_id)
    async with hands.db.transaction() as tx:
        if company is None:
            await _keep_gone(tx, -company_id, hands.now())
        else:
            await keep(tx, hands, company, -company_id, hands.now())


async def keep(
    tx: AsyncSession, hands: Hands, contact: AmoContact | AmoCompany, contact_id: int, now: datetime
) -> Client | None:
    """Keep what was read. Who asked to be forgotten is not brought back: no name, no number, no client."""
    phone = best_phone(contact.phones, hands.region)
    forgotten = phone is not None and await erased_numbers.is_erased(tx, phone)
    if forgotten:
        known = await people.contact(tx, contact_id)
        client_id = known.client_id if known is not None else None
        client = await people.client(tx, client_id) if client_id is not None else None
        # The same contact with another number before belongs to somebody who is still here.
        client = client if client is not None and client.erased_at is not None else None
    else:
        client = await people.client_for(
            tx, phone=phone, otherwise=_own_key(contact_id), name=contact.name, now=now
        )
    row = _row(contact, contact_id, client, phone, now)
    if forgotten:
        row.name, row.phone, row.fields = "", None, {}
        await deals.empty(tx, contact_id)
    await people.save_contact(tx, row)
    return client


async def _keep_new(
    tx: AsyncSession, hands: Hands, contacts: Sequence[AmoContact], now: datetime
) -> list[AmoContact]:
    """All at once those of whom nothing was known before. Gives the others."""
    phones = {contact.id: best_phone(contact.phones, hands.region) for contact in contacts}
    erased = await erased_numbers.erased_among(tx, [phone for phone in phones.values() if phone])
    known = await people.known_contacts(tx, list(phones))
    keys = {contact_id: people.key_of(phone, _own_key(contact_id)) for contact_id, phone in phones.items()}
    clients = await people.clients_by_keys(tx, {*keys.values(), *map(_own_key, keys)})
    others, new = [], {}
    for contact in contacts:
        if contact.id in known or phones[contact.id] in erased or _own_key(contact.id) in clients:
            others.append(contact)
            continue
        key, phone = keys[contact.id], phones[contact.id]
        client = clients.setdefault(key, Client(key=key, phone=phone, name=contact.name, created_at=now))
        client.name = client.name or contact.name
        new[contact.id] = (contact, client)
    tx.add_all(client for _, client in new.values())
    await tx.flush()
    tx.add_all(_row(contact, contact.id, client, phones[contact.id], now) for contact, client in new.values())
    await people.tell_whose(tx, list(new))
    return others


def _own_key(contact_id: int) -> str:
    """Of a person while no number is known."""
    return f"contact:{contact_id}"


def _row(
    contact: AmoContact | AmoCompany, contact_id: int, client: Client | None, phone: str | None, now: datetime
) -> Contact:
    return Contact(
        contact_id=contact_id,
        client_id=client.client_id if client else None,
        name=contact.name,
        phone=phone,
        tags=list(contact.tags),
        fields=_without_phones(contact),
        updated_at=contact.updated_at,
        read_at=now,
        is_deleted=contact.is_deleted,
    )


def _without_phones(contact: AmoContact | AmoCompany) -> dict[str, list[dict[str, object]]]:
    """Only what is asked of a contact is kept: checkboxes and choices, no numbers, addresses or letters."""
    return {
        field_id: values
        for field_id, values in contact.fields.items()
        if all(
            isinstance(value.get("value"), bool) or (value.get("enum_id") and not value.get("enum_code"))
            for value in values
        )
    }


async def _keep_gone(tx: AsyncSession, contact_id: int, now: datetime) -> None:
    known = await people.contact(tx, contact_id)
    if known is None:
        await people.save_contact(tx, Contact(contact_id=contact_id, read_at=now, is_deleted=True))
    else:
        known.is_deleted, known.read_at = True, now


def is_checked(contact: Contact | None, field_id: int) -> bool:
    """A checkbox of the contact."""
    values = contact.fields.get(str(field_id), []) if contact is not None else []
    return any(value.get("value") in (True, 1, "1", "true") for value in values)
