"""A person's one code for friends: made at the first need, and where it may be said."""

import secrets
from datetime import datetime

from storage import people
from storage.rows import insert_once
from storage.tables.deals import Contact
from storage.tables.people import Client, PromoCode
from worker.actions.base import Hands
from worker.actions.people import is_checked
from worker.rules.promo import CAPACITY, make_code


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
