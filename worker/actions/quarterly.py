"""Each quarter, to the owner: what was won, what friends brought, and how complaints and scores went."""

import logging
from dataclasses import replace

from integrations.channels.base import Outgoing
from storage.narrowed import narrowed
from worker.account.people import Staff
from worker.actions.base import Hands
from worker.actions.desks import desk_for
from worker.reports import quarters
from worker.reports.build import build_report
from worker.reports.draw import draw
from worker.reports.pictures import PictureError, png
from worker.reports.words import Words
from worker.rules.digest import Occasion
from worker.rules.periods import last_periods, quarter_of
from worker.staff.numbers import beneath_digest

log = logging.getLogger(__name__)

QUARTERS = 8  # two years: each beside that of the year before


async def quarter_for(hands: Hands, person: Staff, occasion: Occasion) -> Outgoing | None:
    """None: nothing was won, and nobody has answered."""
    desk = desk_for(hands, person)
    words = Words(hands.texts, desk.scope.currency)
    scope, db = (
        replace(desk.scope, sales_health=False, referral_period="quarter"),
        narrowed(desk.db, desk.only),
    )
    last = quarter_of(occasion.told.start, desk.zone)
    reports = [await build_report(db, one, scope, desk.now) for one in last_periods(last, QUARTERS)]
    if quarters.is_empty(reports):
        return None
    goals = {name: goal.target for name, goal in hands.goals.items()}
    charts = [*quarters.charts(reports, draw(reports[-1], hands.texts), goals, words)]
    picture = b""
    if charts:
        title = hands.texts.fill("digest.title", company=hands.company.name, period=words.period(last))
        try:
            picture = await png(charts, words, title=title)
        except PictureError as error:
            log.warning("the owner's quarter goes out without its picture: %s", error)
    return Outgoing(
        text=hands.texts.fill("quarter.caption", **quarters.caption(reports, words)),
        picture=picture,
        is_file=True,
        buttons=beneath_digest(hands.texts, "q1"),
    )
