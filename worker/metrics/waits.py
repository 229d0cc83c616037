"""Who waited for an answer in a chat, for how long, and whose answer it was."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from worker.metrics.base import ChatFact
from worker.rules.calendar import Calendar

INCOMING, OUTGOING, ENDED = "in", "out", "end"
# Of one second, what was asked comes before what was answered.
ORDER = {INCOMING: 0, OUTGOING: 1, ENDED: 2}
A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """From the first message that nobody had answered to the first that a person wrote."""

    begins: datetime
    answered_at: datetime | None = None
    is_ended: bool = False  # the conversation was closed, or marked as needing no answer
    person: int = 0  # who answered; while nobody has, who is responsible; 0: not known
    pipeline_id: int = 0
    working: float  # seconds of working time, so far where it goes on
    lasting: float  # seconds by the calendar
    is_off_hours: bool = False  # asked and answered before the company opened again

    @property
    def is_open(self) -> bool:
        return self.answered_at is None and not self.is_ended


def waits(messages: Iterable[ChatFact], calendar: Calendar, now: datetime) -> Iterator[Wait]:
    """Of each conversation its waits. What is ours, or a robot's, neither begins nor ends one.

    Who writes first without being asked has answered nobody.
    """
    ordered = sorted(messages, key=lambda one: (one.talk, one.at, ORDER[one.kind]))
    for _, talk in groupby(ordered, key=lambda one: one.talk):
        asked: ChatFact | None = None
        responsible = 0
        for one in talk:
            if one.is_ours:
                continue
            if one.kind == INCOMING:
                asked = asked or one
                responsible = one.manager_id or responsible
            elif asked and one.kind == OUTGOING and one.user_id:
                yield _answered(asked, one, calendar)
                asked = None
            elif asked and one.kind == ENDED:
                yield _open(asked, responsible, one.at, calendar, is_ended=True)
                asked = None
        if asked:
            yield _open(asked, responsible, now, calendar)


def _answered(asked: ChatFact, answer: ChatFact, calendar: Calendar) -> Wait:
    working = calendar.work_seconds(asked.at, answer.at)
    return Wait(
        begins=asked.at,
        answered_at=answer.at,
        person=answer.user_id,
        pipeline_id=asked.pipeline_id,
        working=working,
        lasting=answer.at.timestamp() - asked.at.timestamp(),
        # An answer within the very second of working hours takes no time either, and counts.
        is_off_hours=not working and not calendar.work_seconds(asked.at, asked.at + A_SECOND),
    )


def _open(
    asked: ChatFact, responsible: int, until: datetime, calendar: Calendar, *, is_ended: bool = False
) -> Wait:
    return Wait(
        begins=asked.at,
        is_ended=is_ended,
        person=responsible,
        pipeline_id=asked.pipeline_id,
        working=calendar.work_seconds(asked.at, until),
        lasting=max(0.0, until.timestamp() - asked.at.timestamp()),
    )
