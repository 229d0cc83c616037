"""The stretch of days that a person or a digest is shown, by how many answers there are."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from storage.database import Database
from storage.trends import score_counts
from worker.metrics.base import Asked
from worker.metrics.window import Window, choose, windows


async def window_of(
    db: Database, asked: Asked, *, wanted: timedelta, enough: int, now: datetime, zone: ZoneInfo
) -> Window:
    """Of one survey, on the scale of the settings: other answers are in none of its figures."""
    periods = windows(wanted, now, zone)
    begins = sorted(period.begins for period in periods.values())
    ends = periods[min(periods)].ends
    async with db.reading() as tx:
        counted = await score_counts(tx, [*begins, ends])
    here = [
        row
        for row in counted
        if (row.survey_key, row.metric) == (asked.key, asked.metric) and row.scale in ("", asked.scale.id)
    ]
    # The longest window begins first: what lies after its own beginning lies in it.
    answers = {
        days: sum(row.answers for row in here if row.place >= begins.index(period.begins))
        for days, period in periods.items()
    }
    return choose(periods, answers, enough)
