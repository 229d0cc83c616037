"""Who recommended the company most: by name for those who may read names, and for nobody else."""

from storage import people
from storage.tables.people import Client
from worker.metrics.referrals import ReferralResult
from worker.reports.build import Report
from worker.rules.formats import amount
from worker.rules.phone import mask
from worker.staff.commands import LEADERS
from worker.staff.desk import Desk

SHOWN = 5  # on a phone; the workbook has more


async def referrers(desk: Desk, report: Report) -> str:
    """Nothing where nobody has recommended anything."""
    referrals = report.results["referrals"]
    if desk.person.role not in LEADERS or not isinstance(referrals, ReferralResult) or not referrals.top:
        return ""
    top = referrals.top[:SHOWN]
    async with desk.db.reading() as tx:
        known = await people.clients(tx, [one.client_id for one in top])
    lines = [
        desk.texts.fill(
            "referrals.top.line",
            client=_name(desk, known.get(one.client_id)),
            n=one.deals,
            amount=amount(one.money, report.scope.currency, desk.texts.language),
        )
        for one in top
    ]
    return "\n".join([desk.texts.fill("referrals.top"), *lines])


def _name(desk: Desk, client: Client | None) -> str:
    """Who was forgotten has brought friends all the same."""
    if client is None or not (client.name or client.phone):
        return "***"
    return desk.client(client.name, client.phone) if client.name else mask(client.phone)
