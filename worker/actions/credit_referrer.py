"""A friend's code was named on a won deal: a note on both deals."""

from integrations.amocrm.changes import NewNote
from storage import asked, deals, people
from storage.tables.deals import Referral
from storage.tables.queues import Outbox
from worker.actions.alert_words import staff_values
from worker.actions.base import Hands
from worker.actions.words import Values
from worker.rules.phone import mask, normalise


async def credit_referrer(item: Outbox, hands: Hands) -> None:
    """Who recommended whom stands in the friend's deal and in the referrer's."""
    deal_id = int(item.payload["deal_id"])
    async with hands.db.reading() as tx:
        referral = await tx.get(Referral, deal_id)
        friend = await deals.deal(tx, deal_id)
        if referral is None or friend is None or referral.referrer_id is None or not referral.is_referral:
            return
        referrer = await people.client(tx, referral.referrer_id)
        home = await asked.first_deal_with_code(tx, referral.referrer_id)
        home_deal = await deals.deal(tx, home) if home is not None else None
    named = _named(hands, referral)
    values = {
        **staff_values(hands, client=referrer, deal=home_deal, survey=None, now=hands.now()),
        **named,
    }
    notes = [NewNote(deal_id, hands.texts.fill("deal.note_referral", **values))]
    if home_deal is not None and home_deal.deal_id != deal_id:
        about_friend = {
            **staff_values(hands, client=None, deal=friend, survey=None, now=hands.now()),
            **named,
        }
        notes.append(NewNote(home_deal.deal_id, hands.texts.fill("deal.note_referred", **about_friend)))
    for note in notes:
        # Looked for at each try: the second may have been refused, which counts as none, behind the first.
        if note.text not in await hands.amocrm.note_texts(note.lead_id):
            await hands.amocrm.add_notes([note])


def _named(hands: Hands, referral: Referral) -> Values:
    """By what the friend named the referrer: a code is told as it is, a number masked."""
    phone = "" if referral.code else mask(normalise(referral.typed, hands.region))
    return {"promo_code": referral.code, "client_phone": phone}
