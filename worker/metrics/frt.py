"""First reaction time: how soon a person of the company answers a client in a chat, in working time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from worker.metrics.base import (
    ChatFact,
    Correspondence,
    Facts,
    Metric,
    amount,
    same_days_before,
    share,
)
from worker.metrics.complaint_care import Share, written
from worker.metrics.people import told_apart
from worker.metrics.stats import mean, median, median_interval, nearest_rank
from worker.metrics.waits import INCOMING, OUTGOING, Wait, waits
from worker.rules.calendar import Period
from worker.rules.shares import Interval, share_difference

ENOUGH_OUTGOING = 10  # messages, from which the other side is missed
ENOUGH_INCOMING = 20
HARDLY_ANY = 0.05  # incoming for each outgoing message


class Problem(StrEnum):
    """Why nothing can be said, though chats there may be."""

    NOTHING = "nothing"  # amoCRM has told of no message
    NO_INCOMING = "no_incoming"  # … of hardly any from clients, as some accounts do
    NO_ANSWERS = "no_answers"  # … of none that a person wrote


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """Waits that began in the period. Durations are working seconds, where nothing else is said."""

    answered: int  # of which the speed is told
    within: Share  # of the target
    median: float | None
    interval: Interval | None  # of the median
    p90: float | None
    mean: float | None
    calendar_median: float | None
    off_hours: int  # answered before the company opened: left out of the speed
    ended: int  # the conversation was closed without an answer
    unanswered: int
    overdue: int  # … longer than the target already
    longest: float | None  # that somebody waits now, by the calendar

    @property
    def is_neglecting(self) -> bool:
        """More is left without an answer than is answered: then speed tells nothing."""
        return self.overdue > self.answered + self.off_hours

    def as_json(self) -> dict[str, Any]:
        return {
            "answered": self.answered,
            "business_median": amount(self.median),
            "business_median_ci95": None if self.interval is None else [amount(end) for end in self.interval],
            "business_p90": amount(self.p90),
            "business_mean": amount(self.mean),
            "median": amount(self.calendar_median),
            "within": self.within.part,
            "within_share": share(self.within.value),
            "ci95": written(self.within.interval),
            "off_hours": self.off_hours,
            "ended": self.ended,
            "unanswered": self.unanswered,
            "overdue": self.overdue,
            "longest_waiting": amount(self.longest),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FrtResult:
    """`total` is None where there is a problem, for a number would mislead."""

    problem: Problem | None
    incoming: int  # messages of clients in the period, answers to our questions too
    outgoing: int  # by people of the company
    without_author: int  # by robots, or from a phone: who knows
    seen: int  # of clients, by our own gateways
    since: datetime | None  # from here on messages are known; None: for the whole period
    target: float | None  # seconds
    total: Reaction | None = None
    before: Reaction | None = None
    significant: bool | None = None  # the share within the target differs from that before, beyond chance
    by_manager: Mapping[str, Reaction]  # the surest quick one first
    of_nobody: int = 0  # without an answer, and nobody is known to be responsible

    def as_json(self) -> dict[str, Any]:
        nothing = dict.fromkeys(_reaction((), 0, 1).as_json())
        before = self.before
        return {
            "problem": self.problem and str(self.problem),
            "incoming": self.incoming,
            "outgoing": self.outgoing,
            "without_author": self.without_author,
            "since": self.since and self.since.isoformat(),
            "target": amount(self.target),
            **(nothing if self.total is None else self.total.as_json()),
            "previous": None
            if before is None
            else {
                "answered": before.answered,
                "business_median": amount(before.median),
                "within_share": share(before.within.value),
            },
            "significant": self.significant,
            "of_nobody": self.of_nobody,
            "by_manager": {name: of.as_json() for name, of in self.by_manager.items()},
        }


def compute(facts: Facts, period: Period) -> FrtResult:
    told = facts.correspondence
    if told is None:
        return FrtResult(
            problem=Problem.NOTHING, incoming=0, outgoing=0, without_author=0, seen=0, since=None,
            target=None, by_manager={},
        )  # fmt: skip
    here = [one for one in told.messages if period.contains(one.at)]
    problem = _problem(_count(here))
    shown = _count([one for one in here if _is_shown(one, told)])
    found = [] if problem else _shown(told, facts.now)
    rows = [wait for wait in found if period.contains(wait.begins)]
    target, enough = told.target.total_seconds(), max(1, facts.min_answers)
    total = None if problem else _reaction(rows, target, enough)
    before = None if problem else _before(found, told, facts, period)
    return FrtResult(
        problem=problem,
        incoming=shown.incoming,
        outgoing=shown.by_people,
        without_author=shown.by_nobody,
        seen=told.seen,
        since=told.since if told.since is not None and told.since > period.begins else None,
        target=target,
        total=total,
        before=before,
        significant=_is_significant(before, total),
        by_manager=_by_manager(rows, target, enough, facts.people),
        of_nobody=sum(wait.is_open and not wait.person for wait in rows),
    )


class _Count(NamedTuple):
    incoming: int  # answers to our questions too
    by_people: int
    by_nobody: int


def _count(messages: Sequence[ChatFact]) -> _Count:
    sent = [one for one in messages if one.kind == OUTGOING and not one.is_ours]
    by_people = sum(one.user_id > 0 for one in sent)
    return _Count(sum(one.kind == INCOMING for one in messages), by_people, len(sent) - by_people)


def _is_shown(one: ChatFact, told: Correspondence) -> bool:
    """May the reader know of it? A robot's is nobody's."""
    whose = one.manager_id if one.kind == INCOMING else one.user_id
    return (not told.managers or whose in told.managers) and (
        not told.pipelines or one.pipeline_id in told.pipelines
    )


def _problem(all_of_them: _Count) -> Problem | None:
    """The coverage check: whose account tells of one side only would be praised, or blamed, for nothing."""
    incoming, by_people, by_nobody = all_of_them
    outgoing = by_people + by_nobody
    if not incoming and not outgoing:
        return Problem.NOTHING
    if not incoming or (outgoing >= ENOUGH_OUTGOING and incoming < HARDLY_ANY * outgoing):
        return Problem.NO_INCOMING
    if not by_people and incoming >= ENOUGH_INCOMING:
        return Problem.NO_ANSWERS
    return None


def _shown(told: Correspondence, now: datetime) -> list[Wait]:
    """Those that the reader may see. What has not been read yet may hold the answer: until then it counts."""
    until = min(now, told.until or now)
    return [
        wait
        for wait in waits(told.messages, told.calendar, until)
        if (not told.managers or wait.person in told.managers)
        and (not told.pipelines or wait.pipeline_id in told.pipelines)
    ]


def _before(found: Sequence[Wait], told: Correspondence, facts: Facts, period: Period) -> Reaction | None:
    """Of as many days; None where they were not read."""
    earlier = same_days_before(period, facts.now)
    if told.since is None or told.since > earlier.begins:
        return None
    rows = [wait for wait in found if earlier.contains(wait.begins)]
    return _reaction(rows, told.target.total_seconds(), max(1, facts.min_answers))


def _is_significant(before: Reaction | None, now: Reaction | None) -> bool | None:
    if before is None or now is None or before.within.value is None or now.within.value is None:
        return None
    return share_difference(
        (before.within.part, before.within.whole), (now.within.part, now.within.whole)
    ).excludes_zero


def _by_manager(
    rows: Sequence[Wait], target: float, enough: int, people: Mapping[int, str]
) -> Mapping[str, Reaction]:
    of: defaultdict[int, list[Wait]] = defaultdict(list)
    for wait in rows:
        if wait.person:
            of[wait.person].append(wait)
    names = told_apart({person: people.get(person) or str(person) for person in of})
    found = {names[person]: _reaction(waited, target, enough) for person, waited in of.items()}
    return {name: found[name] for name in sorted(found, key=lambda name: _rank(name, found[name]))}


def _rank(name: str, of: Reaction) -> tuple[bool, bool, float, int, str]:
    """Who never answers must not stand among the quick."""
    surely = of.interval.high if of.interval else of.median
    return (of.is_neglecting, surely is None, surely or 0, -of.answered, name)


def _reaction(rows: Sequence[Wait], target: float, enough: int) -> Reaction:
    told = [wait for wait in rows if wait.answered_at is not None and not wait.is_off_hours]
    took = [wait.working for wait in told]
    still = [wait for wait in rows if wait.is_open]
    is_enough = len(took) >= enough
    return Reaction(
        answered=len(took),
        within=Share(part=sum(one <= target for one in took), whole=len(took), is_enough=is_enough),
        median=median(took) if is_enough else None,
        interval=median_interval(took) if is_enough else None,
        p90=nearest_rank(took, 0.9) if is_enough else None,
        mean=mean(took) if is_enough else None,
        calendar_median=median(wait.lasting for wait in told) if is_enough else None,
        off_hours=sum(wait.is_off_hours for wait in rows),
        ended=sum(wait.is_ended for wait in rows),
        unanswered=len(still),
        overdue=sum(wait.working > target for wait in still),
        longest=max((wait.lasting for wait in still), default=None),
    )


METRIC = Metric(
    key="frt",
    title={"ru": "Скорость первого ответа", "en": "First reaction time"},
    unit={
        "ru": "рабочее время от первого сообщения клиента без ответа до ответа человека в чате amoCRM, "
        "по дню вопроса; отвечает тот, кто написал, без ответа — за ответственным",
        "en": "working time from a client's first message without an answer to a person's answer in a "
        "chat of amoCRM, by the day of the question; counted for who wrote, without an answer for who is "
        "responsible",
    },
    source="Median and nearest-rank 90 %; median's interval: M. Campbell and M. Gardner 1988; share: Wilson",
    compute=compute,
    reading={
        "ru": "Сначала смотрите, за сколько отвечают на половину вопросов: один забытый чат меняет среднее "
        "в разы. Боты и наши опросы не в счёт. Текста сообщений amoCRM не отдаёт, поэтому «спасибо» "
        "клиента тоже ждёт ответа, пока беседу не закроют.",
        "en": "Look first at how soon half are answered: one forgotten chat changes the mean many times. "
        "Robots and our own surveys do not count. amoCRM does not give the words, so a client's thanks wait "
        "for an answer too until the conversation is closed.",
    },
)
