"""The desk of one of the staff: what every answer in the bot is made from."""

from worker.account.people import Staff
from worker.actions.base import Hands
from worker.reports.build import ReactionTerms
from worker.staff.desk import Desk
from worker.staff.scope import promises_of, report_scope


def desk_for(hands: Hands, person: Staff, *, is_group: bool = False) -> Desk:
    return Desk(
        db=hands.db,
        account=hands.known,
        texts=hands.texts,
        zone=hands.calendar.zone,
        now=hands.now(),
        scope=report_scope(
            hands.surveys.values(),
            hands.texts,
            hands.known,
            company=hands.company.name,
            min_answers=hands.min_answers,
            discount=hands.referral.discount,
            referral_period=hands.referral.period,
            promises=promises_of(hands.calendar, hands.complaints),
            reactions=ReactionTerms(hands.calendar, hands.reaction_target),
            sales_health=hands.sales_health,
        ),
        person=person,
        is_group=is_group,
        lead_url=hands.amocrm.lead_url,
        region=hands.region,
    )
