"""The only place where things are built: settings → clients → what flows work with, and one step of all."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

import httpx
from sqlmodel import select

from integrations.amocrm.auth import Login, TokenStore, token_ends
from integrations.amocrm.client import AmoCrm
from integrations.channels.base import Channel, Polled
from integrations.channels.hooks import is_hooked
from integrations.channels.registry import open_channel
from integrations.errors import AccessDenied, OutsideError
from integrations.http import OnResult
from integrations.pace import Pace
from integrations.shared_pace import SharedPace
from storage import outbox, sending, state
from storage.counts import RowCounts, count_rows
from storage.database import Database
from storage.inbox import InboxWriter
from storage.pace import PaceRow
from storage.tables.queues import State
from storage.tokens import Tokens
from storage.upcoming import Due, due_now
from worker.account.account import with_invited
from worker.account.dictionaries import is_recent, recall, refresh
from worker.account.people import named_staff, unknown_superior
from worker.account.resolve import AccountProblems, resolve
from worker.actions.base import Hands, Wake
from worker.actions.dashboard import COMMAND as DASHBOARD
from worker.actions.dashboard import Dashboard
from worker.actions.deal_card import tell_deal
from worker.actions.looking import searchable
from worker.actions.menus import ask_for_menus
from worker.actions.staffing import know_staff
from worker.actions.trouble import Watch
from worker.clock import Clock, ClockWatch, RealClock
from worker.config.settings import Settings
from worker.flows.act import LANES, act, kinds_of
from worker.flows.follow import follow
from worker.flows.history import PACE, History
from worker.flows.listen import listen
from worker.flows.pull import begin
from worker.flows.pull import pull as pull_deals
from worker.flows.receive import LONG_POLL, receive
from worker.flows.send import send
from worker.rules.eligibility import DeliveryPolicy
from worker.rules.scorecards import Criterion, usual
from worker.web.health import Health

log = logging.getLogger(__name__)

REFRESH_ACCOUNT = timedelta(hours=1)
RECENT = timedelta(minutes=2)  # flows that tick every few seconds


class App:
    """One worker: everything it consists of, and its flows."""

    def __init__(self, settings: Settings, hands: Hands, inbox: InboxWriter, health: Health) -> None:
        self.settings = settings
        self.hands = hands
        self.inbox = inbox
        self.health = health
        self._account_read_at: float | None = None
        self._is_account_recent = False  # as it was remembered: nobody need wait until it is read again
        self.is_set_up: set[str] = set()  # channels that have been started
        self.watch = Watch(hands)
        self.history = History(hands)
        self.dashboard = Dashboard(hands)

    @classmethod
    async def build(
        cls,
        settings: Settings,
        *,
        db: Database,
        clock: Clock | None = None,
        transports: Mapping[str, httpx.AsyncBaseTransport] | None = None,
        requests_per_second: float | None = None,
        is_paced: bool = True,
        is_copy: bool = False,
    ) -> "App":
        """`transports` replaces the network by service (amocrm, telegram, whatsapp) in tests.

        `requests_per_second` for commands beside a running worker; `is_paced=False` for the demo:
        its stand-ins need no sparing; `is_copy=True` when `db` is thrown away: no token is renewed there.
        """
        transports = transports or {}
        wake = Wake()
        is_real = clock is None
        clock = clock or RealClock()
        channels = {
            name: open_channel(
                name,
                getattr(settings, name),
                transport=transports.get(name),
                on_result=lambda service, status: _count(health, service, status),
                pace=None if is_paced else Pace(None),
                now=clock.now,
            )
            for name in settings.configured_channels
        }
        health = Health(
            limits=_limits(settings, channels.values()),
            ping=partial(_ping, db),
            count=partial(_count_rows, db, clock),
        )
        amocrm = open_amocrm(
            settings,
            Tokens(db, "amocrm"),
            now=clock.now,
            may_renew=not is_copy,
            requests_per_second=requests_per_second or settings.amocrm.requests_per_second,
            transport=transports.get("amocrm"),
            on_result=partial(_count, health),
            pace=_pace(db, settings.amocrm.requests_per_second, requests_per_second)
            if is_paced
            else Pace(None),
        )
        hands = Hands(
            db=db,
            clock=clock,
            amocrm=amocrm,
            channels=channels,
            order=settings.channels,
            account=None,
            calendar=settings.calendar,
            window=settings.window,
            policy=DeliveryPolicy(
                window=settings.window,
                pause=timedelta(days=settings.delivery.min_days_between_surveys),
                reminder_after=settings.delivery.reminder_after,
                expires_after=settings.delivery.expires_after,
                human_pause=settings.delivery.human_pause,
                max_per_hour=settings.delivery.max_per_hour,
            ),
            texts=settings.texts,
            company=settings.company,
            referral=settings.referral,
            reviews=settings.reviews,
            complaints=settings.complaints,
            alerts=settings.alerts,
            reports=settings.reports,
            surveys={survey.key: survey for survey in settings.surveys},
            names=settings.names,
            stop_tags=settings.amocrm.stop_tags,
            surveys_since=settings.amocrm.surveys_since,
            max_deal_age=settings.amocrm.max_deal_age,
            history_since=settings.amocrm.history_since,
            region=settings.company.holidays or "RU",
            health=health,
            wake=wake,
            named_staff=named_staff(settings),
            preview=settings.delivery.preview,
            hold_above=settings.delivery.hold_above,
            keep_words=settings.privacy.keep_words,
            min_answers=settings.reports.min_answers,
            referral_field=str(settings.amocrm.fields.referral),
            public_url=settings.http.public_url,
            link_life=settings.http.dashboard_link,
            goals={str(name): goal for name, goal in settings.goals.items()},
            sales_health=settings.reports.sales_health,
            reaction_target=settings.frt.target,
            calls_per_week=settings.iqs.calls_per_week,
            criteria=_criteria(settings),
            token_ends=token_ends(settings.amocrm.token.get_secret_value()),
            clock_watch=ClockWatch(lambda: amocrm.heard) if is_real else None,
        )
        app = cls(settings, hands, InboxWriter(db, on_new=wake.listen.set), health)
        remembered = await recall(db)
        if remembered is not None:
            account = resolve(settings, remembered)
            # What is remembered may be out of date: only amoCRM itself can say that a name is missing.
            hands.account = None if account.problems else account
            app._is_account_recent = not account.problems and await is_recent(
                db, clock.now() - REFRESH_ACCOUNT
            )
        return app

    async def recover(self, gone_for: timedelta = timedelta(0)) -> None:
        """At the start. `gone_for`: see `Database.orphans`."""
        await begin(self.hands)
        await state.secret(self.hands.db, DASHBOARD)  # Nobody who comes with a made-up link has it made.
        await know_staff(self.hands)
        await ask_for_menus(self.hands)
        await self.take_over(gone_for)
        await self.try_refused()

    async def try_refused(self, service: str = "") -> None:
        """A token or a right that was refused works again, or may: nothing waits longer because of it."""
        async with self.hands.db.transaction() as tx:
            refused = await outbox.try_refused(tx, self.hands.now(), service)
        if refused:
            self.hands.wake.act.set()

    async def take_over(self, gone_for: timedelta) -> None:
        """What a dead process held: questions count as asked, actions are looked at again."""
        now = self.hands.now()
        asked = await sending.rescue(
            self.hands.db,
            now,
            now + self.hands.policy.expires_after,
            gone_for=gone_for,
            searchable=searchable(self.hands.channels.values()),
        )
        if asked:
            async with self.hands.db.transaction() as tx:
                for survey in asked:
                    await tell_deal(tx, self.hands, survey.deal_id, now)
        acts = await outbox.rescue(self.hands.db, now, gone_for=gone_for)
        if asked or acts:
            self.hands.wake.act.set()
            log.warning(
                "after a sudden end: %d questions count as asked, %d actions are looked at again",
                len(asked),
                acts,
            )

    # --- the account ----------------------------------------------------------------------------------

    async def know_account(self) -> None:
        """Names to ids, from amoCRM once an hour.

        Raises AccountProblems, at the first reading only, for names that the file gives wrongly: a field that
        is renamed while the worker runs must not end it.
        """
        loop_time = asyncio.get_running_loop().time()
        read_at = self._account_read_at
        if read_at is not None and loop_time - read_at < REFRESH_ACCOUNT.total_seconds():
            return
        account = resolve(self.settings, await refresh(self.hands.amocrm, self.hands.db))
        self._account_read_at = loop_time
        if account.problems and read_at is None:
            raise AccountProblems(account.problems)
        if account.problems:
            for problem in account.problems:
                log.error("%s", problem)
            return
        # Those who were invited are staff in every moment, and then it is looked at again who they are.
        self.hands.account = with_invited(account, self.hands.invited)
        await know_staff(self.hands)
        await ask_for_menus(self.hands)
        for warning in account.warnings:
            log.warning("%s", warning)
        wanted, names = self.settings.complaints.escalate_to, [one.name for one in self.hands.known.staff]
        if (unknown := unknown_superior(wanted, names)) is not None:
            log.warning("complaints.escalate_to: %s", unknown.say(self.settings.company.language))

    async def _refresh_account(self) -> None:
        """As `know_account`; what is remembered serves on while amoCRM fails to tell it anew."""
        try:
            await self.know_account()
        except AccessDenied:
            raise  # Whoever may not read the account may read no deals.
        except OutsideError as error:
            if self.hands.account is None:
                raise
            log.warning("the account is not read again, as it was remembered it serves on: %s", error)

    # --- one step at a time: the demo and the tests -----------------------------------------------------

    async def step(self, *, pulls: bool = True) -> None:
        """Everything that there is to do at this moment, each flow once and again until nothing moves.

        `pulls=False`: nothing has changed in amoCRM, as its webhook would tell.
        """
        await self.know_account()
        for channel in self.hands.channels.values():
            if channel.name not in self.is_set_up:
                await channel.start()
                self.is_set_up.add(channel.name)
        if pulls and await self.has("pull"):
            await pull_deals(self.hands)
            while self.history.is_wanted and await self.history.step() == PACE:
                pass
        while True:
            for channel in self.hands.channels.values():
                if await self.has(f"poll_{channel.name}"):
                    while await receive(self.hands, channel, self.inbox, timedelta(0)):
                        pass
            if not await self._work():  # Only what we did could bring more.
                return
            while await self._work():
                pass

    async def _work(self) -> int:
        """What is due now, each flow once; gives how much was done."""
        await self.watch.look()
        due = await self._due()
        if due.has_replies and await self.has("listen"):
            await listen(self.hands)
            due = await self._due()
        done = 0
        for lane in LANES:
            if due.acts.intersection(kinds_of(lane)):
                done += await act(self.hands, lane)
        # What was done may have made a question due.
        if (due.has_questions or done) and await self.has("send"):
            done += await send(self.hands)
        if due.has_silence:
            done += await follow(self.hands)
        return done

    async def _due(self) -> Due:
        """One look instead of many claims of nothing."""
        now, reminder_after = self.hands.now(), self.hands.policy.reminder_after
        async with self.hands.db.reading() as tx:
            return await due_now(tx, now, asked_before=now - reminder_after.span if reminder_after else None)

    async def has(self, role: str) -> bool:
        """Is it ours to do? What depends on order, or on what was sent last, is one worker's at a time.

        The others stand by: they are as ready as who does it.
        """
        if await self.hands.db.hold(role):
            return True
        self.health.stand_by(role)
        return False

    async def pull(self) -> None:
        """One reading of amoCRM, and what follows from it."""
        try:
            was_unknown = self.hands.account is None
            if self._is_account_recent:
                # Started again, it pulls at once: five paced requests for the account take a second.
                self._is_account_recent = False
                self.hands.wake.pull.set()
            else:
                await self._refresh_account()
            if was_unknown:
                self.hands.wake.listen.set()  # Replies that came before may be read now.
            if await self.has("pull"):
                await pull_deals(self.hands)
        finally:
            await self.watch.look()
        self.hands.wake.send.set()
        self.hands.wake.act.set()

    async def close(self) -> None:
        await self.inbox.close()
        await self.hands.amocrm.close()
        for channel in self.hands.channels.values():
            await channel.close()


def open_amocrm(
    settings: Settings,
    tokens: TokenStore,
    *,
    requests_per_second: float,
    now: Callable[[], datetime] | None = None,
    may_renew: bool = True,
    transport: httpx.AsyncBaseTransport | None = None,
    on_result: OnResult | None = None,
    pace: Pace | None = None,
) -> AmoCrm:
    """The client for this account: with the long-lived token, or with the pair that is kept in `tokens`."""
    amocrm = settings.amocrm
    token: str | Login = amocrm.token.get_secret_value()
    if not token:
        token = Login(
            client_id=amocrm.client_id,
            client_secret=amocrm.client_secret.get_secret_value(),
            redirect_uri=amocrm.redirect_uri,
            store=tokens,
            now=now or RealClock().now,
            may_renew=may_renew,
        )
    return AmoCrm(
        amocrm.base_url,
        token,
        requests_per_second=requests_per_second,
        transport=transport,
        on_result=on_result,
        pace=pace,
    )


def _pace(db: Database, of_all: float, own: float | None) -> Pace:
    """amoCRM's: one worker keeps it in memory, several take their turns from a row."""
    if db.is_sqlite:
        return Pace(own or of_all)
    return SharedPace(own or of_all, PaceRow(db, "amocrm"), of_all=of_all)


def _limits(settings: Settings, channels: Iterable[Channel]) -> Mapping[str, timedelta]:
    polled = {
        f"poll_{channel.name}": LONG_POLL * 4
        for channel in channels
        if isinstance(channel, Polled) and not is_hooked(channel)
    }
    return {
        "pull": settings.amocrm.poll_interval * 3 + RECENT,
        "send": RECENT * 5,
        "listen": RECENT,
        **polled,
    }


def _criteria(settings: Settings) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(key=one.key, name=one.name, weight=one.weight, is_critical=one.critical)
        for one in settings.iqs.criteria
    ) or usual(settings.texts)


async def _ping(db: Database) -> None:
    async with db.reading() as tx:
        await tx.exec(select(State.key).limit(1))


async def _count_rows(db: Database, clock: Clock) -> RowCounts:
    async with db.reading() as tx:
        return await count_rows(tx, clock.now())


def _count(health: Health, service: str, status: str) -> None:
    health.count_request(service, int(status) if status.isdecimal() else status)
