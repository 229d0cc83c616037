"""Deals that the messenger integration opened because of an answer to us: marked, noted, counted nowhere."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.models import Lead
from storage import answers, complaints, outbox
from storage.deals import Saved
from worker.actions import keys
from worker.actions.base import Hands
from worker.rules.not_new import SHARED, Opened, around, may_be_reply
from worker.rules.planning import WON

log = logging.getLogger(__name__)


async def mark(
    tx: AsyncSession, hands: Hands, page: Iterable[Saved], leads: Mapping[int, Lead], now: datetime
) -> None:
    """Of deals as they were just read. One that is won after all was a sale, and counts."""
    for saved in page:
        deal = saved.deal
        if deal.is_reply:
            deal.is_reply = deal.status_id != WON
            continue
        if deal.is_past or deal.client_id is None:
            continue
        opened = Opened(
            created_by=leads[deal.deal_id].created_by,
            created_at=deal.created_at,
            price=deal.price,
            pipeline_id=deal.pipeline_id,
            status_id=deal.status_id,
            is_deleted=deal.is_deleted,
        )
        if not may_be_reply(opened, complaints_pipeline=hands.known.complaints_pipeline):
            continue
        begins, ends = around(deal.created_at)
        found = await answers.score_between(tx, deal.client_id, begins, ends, channels=SHARED)
        rule = hands.known.rule(found[1].survey_key) if found is not None else None
        if found is None or rule is None:
            continue
        if await complaints.by_leads(tx, [deal.deal_id]):
            continue  # We made it ourselves because of the answer, and somebody moved it on.
        reply, survey = found
        deal.is_reply = True
        log.info("deal %d was opened because a client answered us: it is no new request", deal.deal_id)
        values = {
            "score": reply.score,
            "scale_max": rule.scale.last,
            "deal_url": hands.amocrm.lead_url(survey.root_deal_id),
        }
        about = {"deal_id": deal.deal_id, "text_key": "deal.note_not_new", "values": values}
        await outbox.add_once(tx, "note", keys.note(deal.deal_id, "not_new"), about, now, now)
