"""What an action is handed, and its promise: safe to do twice."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from integrations.amocrm.client import AmoCrm
from integrations.channels.base import Channel
from storage.database import Database
from storage.tables.queues import Outbox
from worker.account.account import Account
from worker.account.people import Place, Staff
from worker.clock import Clock, ClockWatch
from worker.config.sections.company import Company
from worker.config.sections.complaints import Alerts, Complaints
from worker.config.sections.friends import Referral, Reviews
from worker.config.sections.reports import Goal, Reports
from worker.config.sections.surveys import SurveySettings
from worker.rules.calendar import Calendar, SendWindow
from worker.rules.eligibility import DeliveryPolicy
from worker.rules.scorecards import Criterion
from worker.rules.wording import Texts


class Pulse(Protocol):
    """What flows tell `/readyz` and `/metrics`."""

    def mark(self, flow: str, now: datetime) -> None: ...
    def count_message(self, channel: str, direction: str, outcome: str) -> None: ...
    def set_token(self, service: str, *, is_valid: bool) -> None: ...
    def set_circuit(self, service: str, *, is_open: bool) -> None: ...
    def set_error(self, service: str, detail: str) -> None: ...
    def set_trouble(self, about: str, sentence: str) -> None: ...


@dataclass(slots=True)
class Wake:
    """Wakes the flow that waits for committed rows, so that nothing waits for a tick."""

    pull: asyncio.Event = field(default_factory=asyncio.Event)
    listen: asyncio.Event = field(default_factory=asyncio.Event)
    act: asyncio.Event = field(default_factory=asyncio.Event)
    send: asyncio.Event = field(default_factory=asyncio.Event)
    follow: asyncio.Event = field(default_factory=asyncio.Event)
    observe: asyncio.Event = field(default_factory=asyncio.Event)
    act_lanes: dict[str, asyncio.Event] = field(default_factory=dict)
    is_stopping: bool = False  # nothing new is taken up

    def stop(self) -> None:
        self.is_stopping = True
        flows = (self.pull, self.listen, self.act, self.send, self.follow, self.observe)
        for event in (*flows, *self.act_lanes.values()):
            event.set()


@dataclass(slots=True, kw_only=True)
class Hands:
    """Everything that a flow or an action works with; each takes from it what it needs.

    `account` is None until amoCRM has answered once (or is remembered from an earlier start).
    """

    db: Database
    clock: Clock
    amocrm: AmoCrm
    channels: Mapping[str, Channel]  # all that are configured
    order: tuple[str, ...]  # those that clients are asked through, the preferred one first
    account: Account | None
    calendar: Calendar
    window: SendWindow
    policy: DeliveryPolicy
    texts: Texts
    company: Company
    referral: Referral
    reviews: Reviews
    complaints: Complaints
    alerts: Alerts
    reports: Reports
    surveys: Mapping[str, SurveySettings]
    names: Mapping[str, str]
    stop_tags: tuple[str, ...]
    surveys_since: datetime | None  # as configured; None: the first start with this storage
    max_deal_age: timedelta | None
    history_since: datetime | None  # deals closed since then are read for the numbers; None: none are
    region: str  # where phone numbers without a country code are at home
    health: Pulse
    wake: Wake
    named_staff: tuple[Staff, ...] = ()  # of the settings, by name alone: known while amoCRM is not
    invited: tuple[Staff, ...] = ()  # as `know_staff` found them last
    groups: tuple[Place, ...] = ()  # `[alerts] groups`, where they are now
    preview: bool = False  # nothing is sent until somebody who leads has seen the first list
    hold_above: int = 0  # more deals than this closed within an hour wait for a word; 0: never
    keep_words: timedelta | None = None  # then words, names and numbers go; None: never
    min_answers: int = 5  # below it no figure is made of scores
    referral_field: str = ""  # as the settings call it
    public_url: str = ""  # where we are reached from outside; "": nowhere
    link_life: timedelta = timedelta(hours=12)  # of a link to the dashboard
    goals: Mapping[str, Goal] = field(default_factory=dict)  # by metric
    sales_health: bool = False  # reports tell who buys again
    reaction_target: timedelta = timedelta(minutes=15)  # of working time, until a client is answered
    calls_per_week: int = 0  # of each manager, for the controllers to score; 0: none
    criteria: tuple[Criterion, ...] = ()  # by which they do
    token_ends: datetime | None = None  # the long-lived token of amoCRM
    silent_at: dict[str, datetime] = field(default_factory=dict)  # when a channel last had nothing to tell
    emptied_at: dict[str, datetime] = field(default_factory=dict)  # when to look at its queue again
    channels_looked_at: datetime | None = None  # when it was last asked whether they still work
    clock_watch: ClockWatch | None = None  # None: the clock is moved by hand
    joining: dict[str, asyncio.Lock] = field(default_factory=dict)  # by lane: held while rows become messages

    def now(self) -> datetime:
        return self.clock.now()

    @property
    def ahead(self) -> timedelta:
        """How far our clock is ahead of those of the services, as far as is known."""
        return self.clock_watch.ahead if self.clock_watch else timedelta(0)

    @property
    def may_speak(self) -> bool:
        """May anything go to clients now? Not when we are to stop, nor while nobody knows what time it is."""
        return not self.wake.is_stopping and (self.clock_watch is None or self.clock_watch.is_right())

    @property
    def link_fields(self) -> Mapping[str, int]:
        """The deal fields that get the deep links of the bots, by channel."""
        fields = {"telegram": self.known.fields.telegram_link, "max": self.known.fields.max_link}
        return {
            channel: field_id
            for channel, field_id in fields.items()
            if channel in self.order and field_id is not None
        }

    @property
    def writes_links(self) -> bool:
        return bool(self.link_fields)

    @property
    def known(self) -> Account:
        """The account, where a flow runs only after it is known."""
        if self.account is None:
            raise Later(None, "the account is not known yet")
        return self.account


class Later(Exception):
    """Not now, and it counts as no attempt: look again at `until` (None: in half a minute)."""

    def __init__(self, until: datetime | None, reason: str) -> None:
        super().__init__(reason)
        self.until = until


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of outbox row. `run_many` answers with what went wrong, by the row's id."""

    lane: str  # rows of one lane are done one after the other: crm, clients, staff, escalation, desk …
    run: Callable[[Outbox, Hands], Awaitable[None]] | None = None
    run_many: Callable[[Sequence[Outbox], Hands], Awaitable[Mapping[int, Exception]]] | None = None
    batch: int = 1
    given_up: Callable[[Outbox, Hands], Awaitable[None]] | None = None  # what people have to know then
