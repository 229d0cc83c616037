"""Is a won deal a referral, and whose: decided anew whenever the deal changes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from storage import outbox, people
from storage.erase import FORGOTTEN
from storage.tables.deals import Deal, Referral
from worker.actions import keys
from worker.actions.base import Hands
from worker.rules.phone import normalise
from worker.rules.promo import candidates, read_code
from worker.rules.referral import ReferralFacts, referral_of

DUE, DONE = "due", "done"  # what is owed to a referrer: word of the friend's deal, the bonus
RECENT = timedelta(days=30)


async def decide_referral(
    tx: AsyncSession, hands: Hands, deal: Deal, row: Referral | None, now: datetime
) -> None:
    """Keep the decision; a referrer who is named for the first time is credited by a note on both deals."""
    # By amoCRM's clock: a change that came while we were deciding is still to be looked at.
    deal.decided_at = deal.updated_at
    fields, prefix = hands.known.fields, hands.referral.code_prefix
    friend = _texts(deal, fields.referral_code)
    if row is not None and row.referrer_id is not None and friend == (FORGOTTEN,):
        return  # Who it was cannot be read any more: what was decided stands.
    codes, phones = await _owners(tx, hands, friend, prefix)
    decision = referral_of(
        ReferralFacts(
            client_id=deal.client_id,
            discounts=_texts(deal, fields.referral),
            discount_enums=_enums(deal, fields.referral),
            friend=friend,
            wanted=hands.referral.value,
            wanted_enum=hands.known.referral_enum,
            prefix=prefix,
            region=hands.region,
        ),
        owner_of_code=codes.get,
        owner_of_phone=phones.get,
    )
    before = row.referrer_id if row is not None else None
    if row is None:
        row = Referral(deal_id=deal.deal_id)
        tx.add(row)
    row.is_referral, row.by_field = decision.is_referral, decision.by_field
    row.code, row.referrer_id = decision.code, decision.referrer_id
    row.problem, row.typed = decision.problem, decision.typed
    if deal.is_past:  # For the numbers only: nobody is told, and no words are kept.
        row.typed = ""
        return
    if decision.is_referral and decision.referrer_id is not None:
        if decision.referrer_id != before:
            key = keys.credit_referrer(deal.deal_id, decision.code or str(decision.referrer_id))
            await outbox.add_once(tx, "credit_referrer", key, {"deal_id": deal.deal_id}, now, now)
            _owe(hands, deal, row, now)
        await _ask_for_thanks(tx, row, now)


def _owe(hands: Hands, deal: Deal, row: Referral, now: datetime) -> None:
    """Once for a deal, whoever is named on it later; what was won long ago has been settled by people."""
    if deal.closed_at is None or deal.closed_at < now - RECENT:
        return
    if hands.referral.notify_referrer:
        row.told = row.told or DUE
    if hands.referral.bonus_task and hands.referral.reward:
        row.reward = row.reward or DUE


async def _ask_for_thanks(tx: AsyncSession, row: Referral, now: datetime) -> None:
    """Whatever is owed still: a deal that was opened again in between owes nothing until it is won again."""
    about = {"deal_id": row.deal_id}
    if row.told == DUE:
        await outbox.ask_again(tx, "tell_referrer", keys.tell_referrer(row.deal_id), about, now, now)
    if row.reward == DUE:
        await outbox.ask_again(tx, "reward_task", keys.reward_task(row.deal_id), about, now, now)


def _texts(deal: Deal, field_id: int | None) -> tuple[str, ...]:
    values = deal.fields.get(str(field_id), []) if field_id is not None else []
    return tuple(str(value["value"]) for value in values if value.get("value") is not None)


def _enums(deal: Deal, field_id: int | None) -> tuple[int, ...]:
    values = deal.fields.get(str(field_id), []) if field_id is not None else []
    return tuple(int(value["enum_id"]) for value in values if value.get("enum_id"))


async def _owners(
    tx: AsyncSession, hands: Hands, friend: Sequence[str], prefix: str
) -> tuple[dict[str, int], dict[str, int]]:
    """Whose codes and numbers the friend's field may mean, slips included."""
    typed = {digits for text in friend if (digits := read_code(text, prefix)) is not None}
    near = typed | {digits for text in typed for digits in candidates(text)}
    numbers = {number for text in friend if (number := normalise(text, hands.region)) is not None}
    codes = {code.digits: code.client_id for code in await people.codes_by_digits(tx, near)} if near else {}
    phones = await people.owners_of_phones(tx, numbers) if numbers else {}
    return codes, phones
