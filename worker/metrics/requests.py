"""Words that asked for an answer: how many there were, and how many were answered in the chat."""

from dataclasses import dataclass
from typing import Any

from worker.metrics.base import Facts, Metric
from worker.rules.calendar import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestResult:
    """A call is seen by nobody, so who was called only is not among the answered."""

    asked: int
    answered: int  # so far

    def as_json(self) -> dict[str, Any]:
        return {"asked": self.asked, "answered": self.answered}


def compute(facts: Facts, period: Period) -> RequestResult:
    rows = [row for row in facts.requests if period.contains(row.asked_at)]
    return RequestResult(asked=len(rows), answered=sum(row.is_answered for row in rows))


METRIC = Metric(
    key="requests",
    title={"ru": "Вопросы и просьбы клиентов", "en": "What clients asked for"},
    unit={
        "ru": "сообщения, на которые ждут ответа, по дню сообщения; рекламации не в счёт",
        "en": "messages that want an answer, by their day; complaints are counted apart",
    },
    source="counted as they came",
    compute=compute,
    reading={
        "ru": "Ответом считается сообщение человека в том же чате; звонков мы не видим, "
        "поэтому ответов могло быть больше.",
        "en": "An answer is what a person wrote in the same chat; calls cannot be seen, "
        "so there may have been more.",
    },
    minimum=1,
)
