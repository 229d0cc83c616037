"""Changed deals in, surveys planned, complaints followed, referrals decided."""

import logging
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from storage import complaints, deals, outbox, surveys
from storage.deals import OVERLAP, Saved
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from storage.tables.surveys import Survey, SurveyState
from worker.actions import following, keys, not_new
from worker.actions.base import Hands
from worker.actions.bulk import hold_crowds
from worker.actions.people import read_company, read_contacts
from worker.actions.reading import deals_from, facts_of, put_aside
from worker.actions.referring import decide_referral
from worker.rules.eligibility import Reason
from worker.rules.planning import Planned, PlanningPolicy, plan_surveys

log = logging.getLogger(__name__)

CONTACTS_A_CALL = 200
TOKEN_BYTES = 15  # 20 characters of a deep link: unguessable, and short enough to print


async def pull(hands: Hands) -> None:
    """Everything that changed since the watermark. Raises what amoCRM's client raises, losing nothing."""
    since = await _where_from(hands)
    if since is not None:
        await _walk(hands, since)
    await settle(hands)
    await following.look_for_gone(hands)
    hands.health.mark("pull", hands.now())


async def settle(hands: Hands) -> None:
    """What has to be known about deals that were read: the people behind them, links, referrals."""
    pipeline = hands.known.complaints_pipeline
    async with hands.db.reading() as tx:
        # One look, since most of the time there is nothing to settle.
        has_people = bool(await deals.contacts_to_read(tx, complaints_pipeline=pipeline, limit=1))
        has_complaints = await complaints.lacks_clients(tx)
        has_links = hands.writes_links and bool(
            await deals.lead_ids_without_token(tx, but_pipeline=pipeline, limit=1)
        )
        has_referrals = bool(await deals.referrals_to_decide(tx, limit=1))
        has_changes = bool(await complaints.to_follow(tx, limit=1))
    if has_people or has_complaints:
        await _read_people(hands)
    if has_links:
        await _make_links(hands)
    if has_people or has_referrals:
        await _decide_referrals(hands)
    if has_changes:
        await following.read_turns(hands)


async def begin(hands: Hands) -> datetime:
    """The moment of the first start with this storage: deals closed before it are never surveyed."""
    async with hands.db.transaction() as tx:
        since = await deals.surveys_since(tx)
        if since is None:
            # amoCRM's times have whole seconds: what closes within this one is not older.
            since = hands.now().replace(microsecond=0)
            await deals.remember_surveys_since(tx, since)
            log.warning("%s", hands.texts.fill("new_database"))
    return since


async def _where_from(hands: Hands) -> datetime | None:
    """The moment to walk from. On the first start: from `surveys_since`, else from what is newest now."""
    async with hands.db.reading() as tx:
        mark = await deals.watermark(tx)
    if mark is not None:
        return mark - OVERLAP
    if hands.surveys_since is not None:
        return hands.surveys_since
    since = await begin(hands)
    newest = await hands.amocrm.newest_change()
    # amoCRM may have been away for a while after the first start: what was closed meanwhile counts.
    mark = min(newest or since, since)
    async with hands.db.transaction() as tx:
        await deals.move_watermark(tx, mark)
    return mark - OVERLAP


async def _walk(hands: Hands, since: datetime) -> None:
    newest: datetime | None = None
    is_upwards = True
    async for page in hands.amocrm.changed_leads(since, filtered=hands.known.is_filter_enabled):
        now, is_upwards = hands.now(), page.is_filtered
        if page.newest is not None:
            newest = max(newest or page.newest, page.newest)
        if not page.leads and not page.broken:
            continue
        async with hands.db.transaction() as tx:
            saved = await deals.save_page(tx, await deals_from(tx, hands, page.leads), now)
            await not_new.mark(tx, hands, saved, {lead.id: lead for lead in page.leads}, now)
            await _plan(tx, hands, saved, now)
            await put_aside(tx, page.broken)
            # Walking upwards, everything before this page is on disk; downwards only after the last page.
            if page.newest is not None and page.is_filtered:
                await deals.move_watermark(tx, page.newest)
        hands.wake.act.set()
    if newest is not None and not is_upwards:
        async with hands.db.transaction() as tx:
            await deals.move_watermark(tx, newest)


async def planning_policy(tx: AsyncSession, hands: Hands) -> PlanningPolicy:
    since = hands.surveys_since or await deals.surveys_since(tx)
    return PlanningPolicy(
        surveys_since=since or hands.now(),
        max_deal_age=hands.max_deal_age,
        complaints_pipeline=hands.known.complaints_pipeline,
    )


async def _plan(tx: AsyncSession, hands: Hands, page: Sequence[Saved], now: datetime) -> None:
    policy = await planning_policy(tx, hands)
    followed = await complaints.by_leads(tx, [saved.deal.deal_id for saved in page])
    planned: list[Survey] = []
    for saved in page:
        deal = saved.deal
        complaint = await following.follow(tx, hands, saved, followed.get(deal.deal_id), now)
        planned += [
            survey_from(each, deal, complaint, hands, now)
            for each in plan_surveys(
                facts_of(deal, hands), hands.known.rules, policy, hands.calendar, hands.window
            )
            # One of the past is asked about as little when it is opened and closed again.
            if each.skip is not Reason.OLD_DEAL and not deal.is_past
        ]
    news = await surveys.plan(tx, planned)
    closed = [survey.triggered_at for survey in planned if survey.deal_id in news]
    await hold_crowds(tx, hands, closed, now)
    await _tell_deals(tx, hands, news, now)


def survey_from(
    planned: Planned, deal: Deal, complaint: Complaint | None, hands: Hands, now: datetime
) -> Survey:
    about_complaint = complaint is not None
    return Survey(
        survey_key=planned.rule.key,
        metric=planned.rule.metric,
        trigger=planned.rule.trigger,
        deal_id=deal.deal_id,
        root_deal_id=(complaint.source_deal_id if complaint else None) or deal.deal_id,
        client_id=complaint.client_id if complaint and complaint.client_id else deal.client_id,
        contact_id=deal.contact_id,
        pipeline_id=deal.pipeline_id,
        manager_id=deal.manager_id,
        manager=hands.known.user_name(deal.manager_id),
        subject=planned.subject,
        subject_is_manager=planned.subject_is_manager and not about_complaint,
        triggered_at=planned.triggered_at,
        planned_at=now,
        due_at=planned.due_at,
        next_at=planned.due_at,
        state=SurveyState.SKIPPED if planned.skip else SurveyState.PLANNED,
        reason=planned.skip or "",
        settled_at=now if planned.skip else None,
    )


async def _tell_deals(tx: AsyncSession, hands: Hands, deal_ids: Collection[int], now: datetime) -> None:
    if hands.known.fields.survey_state is not None:
        await _sync(tx, deal_ids, now)


async def _sync(tx: AsyncSession, deal_ids: Collection[int], now: datetime) -> None:
    payloads = {keys.sync_deal(deal_id): {"deal_id": deal_id} for deal_id in deal_ids}
    await outbox.ask_all_again(tx, "sync_deal", payloads, now, now, is_bulk=True)


async def _read_people(hands: Hands) -> None:
    """Contacts in batches, of those deals only for which it matters who the client is."""
    while True:
        async with hands.db.reading() as tx:
            wanted = await deals.contacts_to_read(
                tx, complaints_pipeline=hands.known.complaints_pipeline, limit=CONTACTS_A_CALL * 5
            )
        if not wanted:
            break
        contacts = [contact_id for contact_id in wanted if contact_id > 0]
        for start in range(0, len(contacts), CONTACTS_A_CALL):
            await read_contacts(hands, contacts[start : start + CONTACTS_A_CALL])
        for contact_id in wanted:
            if contact_id < 0:
                await read_company(hands, -contact_id)
    async with hands.db.transaction() as tx:
        await complaints.fill_clients(tx)


async def _make_links(hands: Hands) -> None:
    """Every deal has a deep link for the bots from the first time that it is seen."""
    if not hands.writes_links:
        return
    while True:
        async with hands.db.transaction() as tx:
            now = hands.now()
            ids = await deals.lead_ids_without_token(
                tx, but_pipeline=hands.known.complaints_pipeline, limit=500
            )
            if ids:
                await deals.give_tokens(tx, {deal_id: secrets.token_urlsafe(TOKEN_BYTES) for deal_id in ids})
                await _sync(tx, ids, now)
        if not ids:
            return
        hands.wake.act.set()


async def _decide_referrals(hands: Hands) -> None:
    """Is a won deal a referral, and whose: again whenever the deal changes."""
    while True:
        async with hands.db.transaction() as tx:
            now = hands.now()
            batch = await deals.referrals_to_decide(tx)
            for deal, decided in batch:
                await decide_referral(tx, hands, deal, decided, now)
        if not batch:
            return
        hands.wake.act.set()
