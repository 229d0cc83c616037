"""What a metric is: facts and a period in, a result out that report and JSON can draw."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from worker.metrics.customers import Customers
from worker.metrics.stats import rounded
from worker.rules.calendar import Calendar, Duration
from worker.rules.periods import Period, days
from worker.rules.scale import Scale
from worker.rules.scorecards import Criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A configured survey: it is in the report even if nobody was asked."""

    key: str
    metric: str  # nps, csat, ces
    title: str  # for people, such as «Оценка менеджера»
    scale: Scale
    subject: str = ""  # "" (the company), "manager" or "field"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFact:
    """A survey that was sent or ended unsent, and what came of it."""

    survey: str
    metric: str
    settled_at: datetime | None  # first sent, or ended unsent
    refusal: str = ""  # why it was not sent; "" = it was
    is_open: bool = False  # sent, and an answer is still waited for
    is_uncertain: bool = False  # nothing has confirmed that it arrived
    channel: str = ""  # that took it last
    failed_on: tuple[str, ...] = ()  # channels that reported failure, or could not reach the person
    was_delivered: bool | None = None  # None where the channel does not tell
    was_read: bool | None = None
    answered_at: datetime | None = None  # when the client first scored
    scale: str = ""  # on which it was asked, by its id; "" = not known, taken for that of the settings
    score: int | None = None
    first_score: int | None = None  # as the client gave it first
    has_comment: bool = False
    is_declined: bool = False  # a call was asked for in place of a score
    band: str = ""  # as it was when the client scored: thresholds may have changed since
    deal_id: int = 0  # the sales deal behind it
    is_of_complaint: bool = False  # it asks how a complaint was solved
    pipeline_id: int = 0
    manager_id: int = 0
    manager: str = ""
    manager_now: int = 0  # who leads the deal by now; 0 = not known
    subject: str = ""
    is_stopped_by_hand: bool = False  # not sent for a stop tag that a person has set
    count: int = 1  # so many are alike


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintFact:
    opened_at: datetime
    closed_at: datetime | None = None  # the last time, of one that was opened again
    is_open: bool = False  # neither closed nor moved out of the pipeline
    number: int = 0
    is_solved: bool | None = None  # False: rejected; None: not closed
    reopened: int = 0
    by_hand: bool = False  # opened by a person, not by a low score
    topic: str = ""
    manager_id: int = 0  # whom it is about, as of the survey; 0 = not known
    manager: str = ""
    taken_at: datetime | None = None  # for the first time
    contacted_at: datetime | None = None
    closed_by: int = 0  # a user of amoCRM; 0 = not known
    is_content: bool | None = None  # rated its solution above the threshold; None: has not rated it
    deal_id: int = 0  # the sales deal it is about; 0 = not known


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleFact:
    """A won deal."""

    closed_at: datetime
    amount: float
    is_referral: bool
    deal_id: int = 0  # 0 where nothing is to be told of it by itself
    referrer_id: int | None = None  # the client who recommended the company
    has_code: bool = False  # it names a friend's code
    is_first: bool = True  # the client had bought nothing before
    problem: str = ""  # self, unknown, ambiguous: why what is written there is no recommendation
    is_unmarked: bool | None = None  # nothing says which discount the client came with; None: not kept
    count: int = 1  # so many are alike


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerFact:
    """Won deals by who sold them."""

    closed_at: datetime
    manager_id: int  # as when the client was asked; who leads it now where nobody was
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFact:
    """A code for friends that was handed out."""

    first_sent_at: datetime
    is_redeemed: bool
    uses: int = 0  # friends' closed deals that name it so far
    won_clients: int = 0  # friends who have bought
    count: int = 1  # so many are alike


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCount:
    """So many answers of one kind in one stretch of a trend."""

    survey: str
    metric: str
    place: int  # of the stretch, from 0
    scale: str
    score: int
    band: str
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleCount:
    """Won deals of one stretch, and those of them that friends brought."""

    place: int
    deals: int
    money: float
    referral_deals: int
    referral_money: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCount:
    """Codes of one stretch, by the day when they were first sent, and what has become of them so far."""

    place: int
    issued: int
    redeemed: int
    uses: int
    won_clients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is drawn over time, counted by the database. A place is that of its period in the tuple."""

    periods: tuple[Period, ...] = ()  # of scores: the last ones of the same kind
    scores: tuple[ScoreCount, ...] = ()
    stretches: tuple[Period, ...] = ()  # of sales, as `referral.period` has it
    sales: tuple[SaleCount, ...] = ()
    months: tuple[Period, ...] = ()  # of codes
    codes: tuple[CodeCount, ...] = ()
    old_codes: CodeCount | None = None  # all that are old enough to have brought somebody


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Who could take part in the referral programme in the period, and what friends did with it."""

    invited: int = 0  # people who were asked something
    interested: int = 0  # … of whom asked for the code themselves
    friends_won: int = 0  # deals with a friend's code or number that were closed in the period
    friends_lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """By when a complaint has to be taken, and its client spoken to; counted in working time."""

    calendar: Calendar
    taken: Duration
    contacted: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFact:
    """Words that a person had to answer."""

    asked_at: datetime
    is_answered: bool = False  # in the chat, so far


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFact:
    """A message in a chat of amoCRM, or that a conversation was ended."""

    at: datetime
    kind: str  # in, out, end
    talk: str  # the conversation
    user_id: int = 0  # who of the company wrote; 0: a robot, a phone, or the client
    manager_id: int = 0  # who was responsible then; 0: not known
    pipeline_id: int = 0  # of the deal, as it was then
    is_ours: bool = False  # a question of ours, or what the client answered to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondence:
    """What amoCRM told of chats, and by which clock reactions are measured."""

    calendar: Calendar
    target: timedelta  # of working time
    messages: tuple[ChatFact, ...] = ()  # also some around the period, for what they answer
    since: datetime | None = None  # what was written before has not been read
    until: datetime | None = None  # as far as it has been read; None: nothing has
    seen: int = 0  # messages of clients in the period that our own gateways saw
    managers: frozenset[int] = frozenset()  # whose waits may be shown; empty = all
    pipelines: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFact:
    """A scorecard of a call, filled in."""

    call_id: int
    scored_at: datetime
    manager_id: int  # who talked
    criteria: tuple[Criterion, ...]  # as they were when the call was drawn
    marks: Mapping[str, float | None]
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that metrics are made of, of the period and of the one before it."""

    now: datetime
    asked: tuple[Asked, ...] = ()
    min_answers: int = 5  # with fewer, no figure is made of scores
    surveys: tuple[SurveyFact, ...] = ()
    complaints: tuple[ComplaintFact, ...] = ()
    requests: tuple[RequestFact, ...] = ()
    sales: tuple[SaleFact, ...] = ()
    sellers: tuple[SellerFact, ...] = ()
    customers: Customers | None = None  # of all time, by their ids; None: not asked for
    deals_without_client: int = 0  # won ones, of all time
    codes: tuple[CodeFact, ...] = ()
    history: History = History()
    programme: Programme = Programme()
    promises: Promises | None = None  # None: not known, so nothing is said of them
    correspondence: Correspondence | None = None
    reviews: tuple[ReviewFact, ...] = ()
    has_topics: bool = False  # is there a field for the reason of a complaint
    discount: float | None = None  # percent that a friend pays less; None: not told in percent
    people: Mapping[int, str] = field(default_factory=dict)  # names of users, as amoCRM has them now
    pipelines: Mapping[int, str] = field(default_factory=dict)
    delivery_told_by: frozenset[str] = frozenset()  # channels
    reading_told_by: frozenset[str] = frozenset()


class Result(Protocol):
    """What a metric came to, at full precision."""

    def as_json(self) -> dict[str, Any]:
        """As in `report --json`: rounded once, here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    key: str  # the key in `report --json`
    title: Mapping[str, str]  # language -> words on the report
    unit: Mapping[str, str]  # language -> what is counted, and by which day
    source: str  # where the formulas come from
    compute: Callable[[Facts, Period], Result]
    reading: Mapping[str, str] = field(default_factory=dict)  # language -> how to read it
    minimum: int | None = None  # below so many no figure is made; None: that of the settings


def number_of(facts: Iterable[SurveyFact | SaleFact | CodeFact]) -> int:
    """Surveys, deals or codes, where one fact may stand for many that are alike."""
    return sum(fact.count for fact in facts)


def is_running(period: Period, now: datetime) -> bool:
    return now < period.ends


def same_days_before(period: Period, now: datetime) -> Period:
    """The period before, cut to as many days as this one has had: what counts may be compared with."""
    before = period.previous()
    if not is_running(period, now):
        return before
    so_far = (now.astimezone(period.zone).date() - period.start).days + 1
    end = before.start + timedelta(days=max(1, so_far))
    return before if end >= before.end else days(before.start, end, period.zone)


def share(value: float | None) -> float | None:
    """A score, share or rate for JSON."""
    return None if value is None else rounded(value)


def amount(value: float | None) -> float | int | None:
    """Money or seconds for JSON: whole where nothing is behind the point."""
    if value is None:
        return None
    figure = rounded(value)
    return int(figure) if figure.is_integer() else figure
