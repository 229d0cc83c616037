"""What each messenger did with the questions that were sent through it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.metrics.base import Facts, Metric, SurveyFact, number_of
from worker.rules.calendar import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelResult:
    """Of the questions first sent, or ended unsent, in the period.

    A question is `sent` by one channel, the one that took it last: so the channels' `sent` add up to that of
    the surveys. Those that failed before count it as `failed` and as nothing else; who was not found by
    number before anything was sent is no failure.
    """

    sent: int
    delivered: int | None  # None: the channel does not tell
    read: int | None
    answered: int  # so far, of those sent
    failed: int  # reported failure, or could not reach the person; also where another channel did then
    uncertain: int  # of those sent

    def as_json(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "delivered": self.delivered,
            "read": self.read,
            "answered": self.answered,
            "failed": self.failed,
            "uncertain": self.uncertain,
        }


@dataclass(frozen=True, slots=True)
class ChannelResults:
    by_name: Mapping[str, ChannelResult]  # only those that had something to do, the busiest first

    @property
    def is_worth_telling(self) -> bool:
        """One channel without a failure says nothing that the surveys do not say."""
        return len(self.by_name) > 1 or any(of.failed for of in self.by_name.values())

    def as_json(self) -> dict[str, Any]:
        return {name: result.as_json() for name, result in self.by_name.items()}


def compute(facts: Facts, period: Period) -> ChannelResults:
    # What the report has no survey for is in none of its figures.
    asked = {(of.key, of.metric) for of in facts.asked}
    rows = [
        row
        for row in facts.surveys
        if (row.survey, row.metric) in asked
        and row.settled_at is not None
        and period.contains(row.settled_at)
    ]
    sent: dict[str, list[SurveyFact]] = {}
    for row in rows:
        if not row.refusal and row.channel:
            sent.setdefault(row.channel, []).append(row)
    failed: Counter[str] = Counter()
    for row in rows:
        for name in set(row.failed_on):
            failed[name] += row.count
    results = {name: _result(name, sent.get(name, ()), failed[name], facts) for name in {*sent, *failed}}
    order = sorted(results, key=lambda name: (-results[name].sent, -results[name].failed, name))
    return ChannelResults({name: results[name] for name in order})


def _result(name: str, rows: Sequence[SurveyFact], failed: int, facts: Facts) -> ChannelResult:
    tells_delivery, tells_reading = name in facts.delivery_told_by, name in facts.reading_told_by
    return ChannelResult(
        sent=number_of(rows),
        delivered=number_of(row for row in rows if row.was_delivered) if tells_delivery else None,
        read=number_of(row for row in rows if row.was_read) if tells_reading else None,
        answered=number_of(row for row in rows if row.answered_at is not None and row.score is not None),
        failed=failed,
        uncertain=number_of(row for row in rows if row.is_uncertain),
    )


METRIC = Metric(
    key="channels",
    title={"ru": "Каналы", "en": "Channels"},
    unit={
        "ru": "вопросы, по дню отправки; «не дошло» — и те, что потом дошли другим каналом",
        "en": 'questions, by the day of sending; "failed" includes those that another channel delivered then',
    },
    source="Plain counts",
    compute=compute,
    reading={
        "ru": "Где доставлено, а отвечают редко, вопрос видят и молчат; где не доходит, проверьте канал. "
        "Прочерк: этот мессенджер не сообщает, что доставлено и прочитано.",
        "en": "Where it arrives and few answer, the question is seen and left; where it fails, look at the "
        "channel. A dash: this messenger does not tell what was delivered or read.",
    },
    minimum=1,
)
