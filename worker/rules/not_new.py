"""A deal that amoCRM's messenger integration opened because a client answered us: no new request.

Whatever comes in through the account's own messenger opens a deal where none of the client's is open. To take
a real request for such a one would cost a sale, so all has to fit: opened by no person, worth nothing yet, in
the minutes around an answer that was a score and asked for nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.rules.planning import CLOSED

# Messengers that amoCRM may be connected to as well as we; what our bots hear, nobody else does.
SHARED = ("whatsapp", "max_account", "telegram_account")
BEFORE = timedelta(minutes=2)  # two clocks differ
AFTER = timedelta(minutes=10)  # integrations need seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    created_by: int | None  # 0: a robot or an integration
    created_at: datetime
    price: float
    pipeline_id: int
    status_id: int
    is_deleted: bool


def may_be_reply(deal: Opened, *, complaints_pipeline: int | None) -> bool:
    """Whether to look for an answer around its opening at all: of most deals there is no question."""
    return (
        deal.created_by == 0
        and not deal.price
        and not deal.is_deleted
        and deal.status_id not in CLOSED
        and deal.pipeline_id != complaints_pipeline
    )


def around(created_at: datetime) -> tuple[datetime, datetime]:
    """When the answer came, if it is why the deal was opened."""
    return created_at - AFTER, created_at + BEFORE
