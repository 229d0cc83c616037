"""How far has the past been read? For `check`."""

from datetime import datetime
from typing import TYPE_CHECKING

from worker.cli.common import say

if TYPE_CHECKING:
    from worker.config.settings import Settings
    from worker.rules.past import PastWalk


async def how_far(settings: "Settings", since: datetime) -> str:
    """As the worker wrote it down with the deals that it read."""
    from storage import past
    from storage.database import Database
    from storage.errors import StorageError
    from worker.rules.past import PastWalk

    not_yet = say(
        settings, "старые сделки ещё не читали: начнёт sarafan run", "not begun: sarafan run reads old deals"
    )
    try:
        db = await Database.open(settings.storage.url, migrate=False, must_exist=True)
    except StorageError:
        return not_yet  # Another check tells what is wrong with it.
    try:
        async with db.reading() as tx:
            kept = await past.progress(tx)
    finally:
        await db.close()
    return told(settings, PastWalk.of(kept).reaching(since)) if kept else not_yet


def told(settings: "Settings", walk: "PastWalk") -> str:
    zone = settings.company.timezone
    if walk.is_over:
        return say(
            settings,
            f"прочитано всё с {walk.since.astimezone(zone):%d.%m.%Y}, сделок: {walk.kept}",
            f"all is read since {walk.since.astimezone(zone):%d.%m.%Y}, deals: {walk.kept}",
        )
    back_to = f"{walk.upto.astimezone(zone):%d.%m.%Y}"
    minutes = "?" if walk.requests_left is None else str(-(-walk.requests_left // 60))
    return say(
        settings,
        f"читаем: дошли до {back_to}, сделок: {walk.kept}, осталось минут: {minutes}",
        f"reading: back to {back_to}, deals: {walk.kept}, minutes left: {minutes}",
    )
