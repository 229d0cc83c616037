"""Made-up facts for the tests of metrics: a third quarter in Vladivostok."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from worker.metrics import complaints, referrals, surveys
from worker.metrics.base import Asked, CodeFact, ComplaintFact, Facts, Promises, SaleFact, SurveyFact
from worker.metrics.complaints import ComplaintResult
from worker.metrics.customers import ACTIVE_DAYS, Customers
from worker.metrics.referrals import ReferralResult
from worker.metrics.surveys import SurveyResult
from worker.rules.calendar import Period, parse_period
from worker.rules.scale import Option, Scale

ZONE = ZoneInfo("Asia/Vladivostok")
QUARTER = parse_period("2026Q3", ZONE)
SUMMER = datetime(2026, 7, 15, 3, tzinfo=UTC)  # in the quarter
SPRING = datetime(2026, 5, 15, 3, tzinfo=UTC)  # in the one before
NOW = datetime(2026, 10, 5, 3, tzinfo=UTC)  # the quarter is over

STD11 = Scale(first=0, last=10, low=6, high=9)
SEED10 = Scale(first=1, last=10, low=5, high=9)
SEED5 = Scale(first=1, last=5, low=3, high=5)
EASE = Scale(first=1, last=5, low=2, high=4)
WORDS = Scale(
    first=2,
    last=5,
    low=2,
    high=5,
    options=(Option("Отлично", 5), Option("Удовлетворительно", 3), Option("Плохо", 2)),
)

NPS = Asked(key="nps", metric="nps", title="NPS", scale=SEED10)
CSAT = Asked(key="csat", metric="csat", title="Оценка менеджера", scale=SEED5, subject="manager")
CES = Asked(key="ces", metric="ces", title="Лёгкость", scale=EASE)


def survey(asked: Asked = NPS, score: int | None = None, **known: Any) -> SurveyFact:
    """Sent in July, and answered an hour later if there is a score."""
    settled_at = known.pop("settled_at", SUMMER)
    answered_at = settled_at + timedelta(hours=1) if settled_at and score is not None else None
    band = asked.scale.band(score) if score is not None else ""
    given: dict[str, Any] = {"answered_at": answered_at, "band": band, **known}
    return SurveyFact(survey=asked.key, metric=asked.metric, settled_at=settled_at, score=score, **given)


def scored(asked: Asked, scores: Iterable[int], **known: Any) -> tuple[SurveyFact, ...]:
    return tuple(survey(asked, score, **known) for score in scores)


def spread(asked: Asked, counts: Mapping[int, int], **known: Any) -> tuple[SurveyFact, ...]:
    """So many answers of each score."""
    return scored(asked, (score for score, number in counts.items() for _ in range(number)), **known)


def result(
    asked: Asked,
    rows: Iterable[SurveyFact],
    *,
    min_answers: int = 1,
    period: Period = QUARTER,
) -> SurveyResult:
    facts = Facts(now=NOW, asked=(asked,), min_answers=min_answers, surveys=tuple(rows))
    return surveys.compute(facts, period).by_key[asked.key]


def written(asked: Asked, rows: Iterable[SurveyFact], *, min_answers: int = 1) -> dict[str, Any]:
    return result(asked, rows, min_answers=min_answers).as_json()


def complaint(days: float | None = None, *, opened: datetime = SUMMER, **known: Any) -> ComplaintFact:
    """Closed after so many days, or still open."""
    closed = None if days is None else opened + timedelta(days=days)
    return ComplaintFact(**{"opened_at": opened, "closed_at": closed, "is_open": closed is None, **known})


def of_complaints(
    *rows: ComplaintFact,
    now: datetime = NOW,
    period: Period = QUARTER,
    asked: Iterable[SurveyFact] = (),
    won: Iterable[SaleFact] = (),
    promises: Promises | None = None,
    min_answers: int = 5,
) -> ComplaintResult:
    facts = Facts(
        now=now, complaints=rows, surveys=tuple(asked), sales=tuple(won), promises=promises,
        min_answers=min_answers,
    )  # fmt: skip
    return complaints.compute(facts, period)


def sales(
    number: int, amount: float, *, is_referral: bool = False, at: datetime = SUMMER, **known: Any
) -> tuple[SaleFact, ...]:
    return (SaleFact(closed_at=at, amount=amount, is_referral=is_referral, **known),) * number


def codes(number: int, *, is_redeemed: bool = False, at: datetime = SUMMER) -> tuple[CodeFact, ...]:
    return (CodeFact(first_sent_at=at, is_redeemed=is_redeemed),) * number


def of_sales(
    won: Iterable[SaleFact] = (),
    issued: Iterable[CodeFact] = (),
    *,
    now: datetime = NOW,
    period: Period = QUARTER,
    **known: Any,
) -> ReferralResult:
    return referrals.compute(Facts(now=now, sales=tuple(won), codes=tuple(issued), **known), period)


class Purchase(NamedTuple):
    client_id: int
    day: date  # where the company is
    money: float


def customers_of(
    purchases: Iterable[Purchase],
    period: Period = QUARTER,
    now: datetime = NOW,
    active_days: int = ACTIVE_DAYS,
) -> Customers:
    """As a report reads them: client by client, what each bought in order."""
    customers = Customers(period, now, active_days=active_days)
    for client_id, bought in groupby(sorted(purchases), key=lambda one: one.client_id):
        customers.add(client_id, [(one.day, one.money) for one in bought])
    return customers
