"""The openings and closings of one complaint deal, as amoCRM's events tell them, and what they come to."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from worker.rules.planning import LOST, WON

Place = tuple[int, int]  # pipeline, status


class What(StrEnum):
    """In the order in which one move can be two of them: moved here straight into a final stage."""

    LEFT = "left"
    ENTERED = "entered"  # from another pipeline
    REOPENED = "reopened"
    SOLVED = "solved"
    REJECTED = "rejected"


ENDS = {WON: What.SOLVED, LOST: What.REJECTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    event: str  # the id in amoCRM: the same one is told again and again
    at: datetime
    what: What
    by: int = 0  # a user of amoCRM; 0: a robot, or not told

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.at.isoformat()}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self:
        at, what = datetime.fromisoformat(kept["at"]), What(kept["what"])
        return cls(event=kept["event"], at=at, what=what, by=kept["by"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a complaint has been through. One clock: from its first opening to its last closing."""

    entered_at: datetime | None = None  # None: made here, or nobody remembers
    closed_at: datetime | None = None  # None: it was opened again since, or never closed
    closed_by: int = 0
    reopened: int = 0


def turns_of(event: str, at: datetime, by: int, before: Place, after: Place, pipeline: int) -> list[Turn]:
    """A move of the deal, as far as this pipeline is concerned; from one open stage to another is none."""
    here = after[0] == pipeline
    was_here = before[0] == pipeline
    found = []
    if was_here and not here:
        found.append(What.LEFT)
    if here and not was_here:
        found.append(What.ENTERED)
    if here and was_here and before[1] in ENDS and after[1] not in ENDS:
        found.append(What.REOPENED)
    if here and after[1] in ENDS:
        found.append(ENDS[after[1]])
    return [Turn(event=event, at=at, what=what, by=by) for what in found]


def together(*stories: Iterable[Turn]) -> list[Turn]:
    """Each turn once, in the order of time: what was told before and what is told now."""
    known = {(turn.event, turn.what): turn for story in stories for turn in story}
    order = list(What)
    return sorted(known.values(), key=lambda turn: (turn.at, turn.event, order.index(turn.what)))


def course(turns: Iterable[Turn]) -> Course:
    """Of turns in their order.

    One that was closed and then moved away stays closed; back again and open, it was opened again. From one
    final stage to the other is no new closing.
    """
    entered_at: datetime | None = None
    closed: Turn | None = None
    reopened = 0
    for place, turn in enumerate(turns):
        match turn.what:
            case What.ENTERED:
                entered_at = turn.at if place == 0 else entered_at
                reopened += closed is not None
                closed = None
            case What.REOPENED:
                reopened += 1
                closed = None
            case What.SOLVED | What.REJECTED:
                closed = closed or turn
            case What.LEFT:
                pass
    return Course(
        entered_at=entered_at,
        closed_at=closed.at if closed is not None else None,
        closed_by=closed.by if closed is not None else 0,
        reopened=reopened,
    )
