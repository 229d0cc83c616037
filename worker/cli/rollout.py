"""Does sending wait for somebody to see the first list? For `check` and `plan`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.cli.common import say

if TYPE_CHECKING:
    from storage.rollout import Word
    from worker.config.settings import Settings

LEADERS = frozenset({"owner", "head"})


@dataclass(frozen=True, slots=True)
class Seen:
    """Who switched sending on, and whether there is anybody of the staff who could."""

    word: "Word | None"
    has_leader: bool


async def look(settings: "Settings") -> Seen:
    """Without a storage nobody has said anything yet, and only the settings tell of staff."""
    from storage import rollout, staff
    from storage.database import Database
    from storage.errors import StorageError

    named = [one.role for one in settings.staff if one.telegram_id or one.max_id]
    try:
        db = await Database.open(settings.storage.url, migrate=False, must_exist=True)
    except StorageError:
        return Seen(None, bool(LEADERS.intersection(named)))  # Another check tells what is wrong with it.
    try:
        async with db.reading() as tx:
            joined = [one.role for one in await staff.joined(tx)]
            return Seen(await rollout.agreed(tx), bool(LEADERS.intersection([*named, *joined])))
    finally:
        await db.close()


def closed(settings: "Settings") -> str:
    """What is said while nobody has agreed."""
    return say(
        settings,
        "Пока никому не пишем: руководитель ещё не включил отправку, посмотрев первый список в боте (/plan).",
        "Nobody is written to yet: no head has seen the first list in the bot and started sending (/plan).",
    )


def opened(settings: "Settings", word: "Word") -> str:
    when = word.at.astimezone(settings.company.timezone)
    return say(
        settings,
        f"отправку включили: {word.by}, {when:%d.%m.%Y %H:%M}",
        f"sending was started by {word.by}, {when:%d.%m.%Y %H:%M}",
    )
