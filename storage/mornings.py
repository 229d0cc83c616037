"""What a morning message tells: the complaints that are open, and what was answered since the last one."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from storage.tables.people import Client
from storage.tables.surveys import Survey

Case = tuple[Complaint, Survey | None, Deal | None, Client | None]
Answered = tuple[Survey, Deal | None, Client | None]


async def open_complaints(tx: AsyncSession, *, opened_before: datetime) -> Sequence[Case]:
    """With the survey, the sales deal and the client of each, as far as they are known; the oldest first."""
    wanted = (
        select(Complaint, Survey, Deal, Client)
        .join(Survey, col(Survey.id) == col(Complaint.survey_id), isouter=True)
        .join(Deal, col(Deal.deal_id) == col(Complaint.source_deal_id), isouter=True)
        .join(Client, col(Client.client_id) == col(Complaint.client_id), isouter=True)
        .where(col(Complaint.closed_at).is_(None), col(Complaint.left_at).is_(None))
        .where(col(Complaint.opened_at) < opened_before)
        .order_by(col(Complaint.opened_at), col(Complaint.id))
    )
    found = (await tx.exec(wanted)).all()
    return [(complaint, survey, deal, client) for complaint, survey, deal, client in found]


async def answers(tx: AsyncSession, since: datetime, until: datetime) -> Sequence[Answered]:
    """Surveys that were scored in this time, half-open, with their sales deal and client."""
    wanted = (
        select(Survey, Deal, Client)
        .join(Deal, col(Deal.deal_id) == col(Survey.root_deal_id), isouter=True)
        .join(Client, col(Client.client_id) == col(Survey.client_id), isouter=True)
        .where(
            col(Survey.answered_at) >= since, col(Survey.answered_at) < until, col(Survey.score).is_not(None)
        )
        .order_by(col(Survey.answered_at))
    )
    return [(survey, deal, client) for survey, deal, client in (await tx.exec(wanted)).all()]
