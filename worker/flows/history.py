"""The past in: deals closed before the first start, once, a request a second, for the numbers only."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.answers import FiltersIgnored
from integrations.amocrm.models import Lead, LeadPage
from storage import deals, past
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from worker.actions.base import Hands
from worker.actions.following import past_complaint, read_turns
from worker.actions.people import read_company, read_contacts
from worker.actions.reading import deal_from, put_aside
from worker.actions.referring import decide_referral
from worker.rules.past import PastWalk
from worker.rules.planning import CLOSED, WON

log = logging.getLogger(__name__)

PACE = timedelta(seconds=1)  # between two requests: the pull and the questions go first
NOT_YET = timedelta(seconds=30)
TELL_EVERY = timedelta(seconds=30)
CONTACTS_A_CALL = 200


class History:
    """Reads step by step; all that it has to remember is in the storage, beside the deals."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._told_at: datetime | None = None
        self._sees_turns = True

    @property
    def is_wanted(self) -> bool:
        return self._hands.history_since is not None

    async def step(self) -> timedelta | None:
        """One request and what it brings. How long to rest before the next; None: all is read."""
        walk = await self._where()
        if walk is None:
            return NOT_YET
        if not walk.is_over:
            walk = await self._read(walk)
            self._tell(walk)
            return PACE
        if self._sees_turns and await read_turns(self._hands, past=True):
            return PACE
        self._sees_turns = False  # None are left, or they cannot be seen: the next start tries again.
        return PACE if await self._read_people() else None

    async def _where(self) -> PastWalk | None:
        """None before the first pull: what it brings is not of the past."""
        since = self._hands.history_since
        async with self._hands.db.reading() as tx:
            kept, until = await past.progress(tx), await deals.surveys_since(tx)
            is_pulled = await deals.watermark(tx) is not None
        if since is None or until is None or not is_pulled or self._hands.account is None:
            return None
        if kept is not None:
            return PastWalk.of(kept).reaching(since)
        is_filtered = self._hands.known.is_filter_enabled
        return PastWalk(since=since, until=until, upto=until, is_filtered=is_filtered)

    async def _read(self, walk: PastWalk) -> PastWalk:
        page = await self._page(walk)
        if page is None:
            walk = walk.without_filter()
            async with self._hands.db.transaction() as tx:
                await past.keep_progress(tx, walk.as_json())
            return walk
        async with self._hands.db.transaction() as tx:
            kept = await self._keep(tx, page.leads, walk)
            await put_aside(tx, page.broken)
            walk = walk.after(
                oldest=min((lead.updated_at for lead in page.leads), default=None),
                rows=len(page.leads) + len(page.broken),
                is_full=page.is_full,
                kept=kept,
            )
            await past.keep_progress(tx, walk.as_json())
        return walk

    async def _page(self, walk: PastWalk) -> LeadPage | None:
        """None where the filter is ignored."""
        if not walk.is_filtered:
            return await self._hands.amocrm.leads_by_change(walk.page)
        try:
            return await self._hands.amocrm.closed_leads(*walk.stretch, walk.page)
        except FiltersIgnored as error:
            log.warning("%s. %s", error, error.remedy)
            return None

    async def _keep(self, tx: AsyncSession, leads: Sequence[Lead], walk: PastWalk) -> int:
        """Those of the past that are new, with what figures need of them; referrals are decided silently."""
        mark = await deals.watermark(tx) or walk.until
        found = [lead for lead in leads if _is_past(lead, walk, pulled_from=mark - deals.OVERLAP)]
        unknown = await past.unknown(tx, [lead.id for lead in found])
        rows = [deal_from(lead) for lead in found if lead.id in unknown]
        clients = await past.clients_of(tx, [row.contact_id for row in rows if row.contact_id])
        now = self._hands.now()
        complaints: list[Complaint] = []
        for deal in rows:
            deal.is_past, deal.seen_at = True, now
            deal.client_id, deal.entered_at = clients.get(deal.contact_id or 0), deal.closed_at
            if deal.pipeline_id == self._hands.known.complaints_pipeline:
                complaints.append(past_complaint(deal, self._hands.known.topic_field))
            if deal.status_id == WON:
                await decide_referral(tx, self._hands, deal, None, now)
            self._leave_out_words(deal)
        return await past.keep(tx, rows, complaints)

    def _leave_out_words(self, deal: Deal) -> None:
        """Names and notes of people whom nobody will ask are not ours to keep."""
        field = str(self._hands.known.fields.referral)
        deal.name, deal.tags, deal.company_id = "", [], None
        deal.fields = {key: values for key, values in deal.fields.items() if key == field}

    async def _read_people(self) -> bool:
        """Who bought, where figures are made of people. True: some were read.

        Referrals need the deal's fields only, and who comes back is known by the new deal's contact; only
        retention and its like ask who all the others were.
        """
        hands = self._hands
        if not hands.reports.sales_health:
            return False
        async with hands.db.reading() as tx:
            wanted = await past.contacts_to_read(tx, CONTACTS_A_CALL)
        contacts = [contact_id for contact_id in wanted if contact_id > 0]
        if contacts:
            # Without filters each costs a request.
            await read_contacts(hands, contacts if hands.known.is_filter_enabled else contacts[:1])
        elif wanted:
            await read_company(hands, -wanted[0])
        if wanted and self._is_time():
            async with hands.db.reading() as tx:
                log.info("history: contacts still to be read: %d", await past.contacts_left(tx))
        return bool(wanted)

    def _tell(self, walk: PastWalk) -> None:
        zone = self._hands.calendar.zone
        if walk.is_over:
            since = walk.since.astimezone(zone)
            log.info("history: read, %d closed deals since %s", walk.kept, f"{since:%Y-%m-%d}")
        elif self._is_time():
            left = walk.requests_left
            log.info(
                "history: %d closed deals read, back to %s; %s",
                walk.kept,
                f"{walk.upto.astimezone(zone):%Y-%m-%d}",
                "how long it takes is not known yet" if left is None else f"about {_minutes(left)} left",
            )

    def _is_time(self) -> bool:
        now = self._hands.now()
        is_time = self._told_at is None or now - self._told_at >= TELL_EVERY
        self._told_at = now if is_time else self._told_at
        return is_time


def _is_past(lead: Lead, walk: PastWalk, pulled_from: datetime) -> bool:
    """Closed in time, and nothing that the pull brings: that may be asked about."""
    return (
        lead.status_id in CLOSED
        and not lead.is_deleted
        and lead.closed_at is not None
        and walk.since <= lead.closed_at < walk.until
        and lead.updated_at < pulled_from
    )


def _minutes(requests: int) -> str:
    minutes = -(-requests * PACE // timedelta(minutes=1))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
