"""The only place where things are built: settings → clients → flows on their clocks, until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlmodel import select

from integrations.amocrm.auth import Login, TokenStore, token_ends
from integrations.amocrm.client import AmoCrm
from integrations.channels.base import Channel, Polled
from integrations.channels.registry import open_channel
from integrations.errors import AccessDenied, OutsideError
from integrations.http import OnResult, Pace
from integrations.shared_pace import SharedPace
from storage import outbox, surveys
from storage.copy import is_unfinished
from storage.counts import RowCounts, count_rows
from storage.database import Database
from storage.errors import AlreadyRunning, StorageError
from storage.inbox import InboxWriter
from storage.pace import PaceRow
from storage.tables import State
from storage.tokens import Tokens
from storage.upcoming import Due, due_now
from worker.account import AccountProblems, is_recent, recall, refresh, resolve
from worker.actions.asking import tell_deal
from worker.actions.base import Hands, Wake
from worker.actions.looking import searchable
from worker.actions.trouble import Watch
from worker.clock import Clock, ClockWatch, RealClock
from worker.flows.act import LANES, act, kinds_of, let_go
from worker.flows.follow import follow
from worker.flows.listen import listen
from worker.flows.pull import begin, pull
from worker.flows.receive import LONG_POLL, receive
from worker.flows.send import send
from worker.rules.backoff import next_try
from worker.rules.eligibility import DeliveryPolicy
from worker.settings import Settings
from worker.web.health import Health
from worker.web.server import Server, build_app

log = logging.getLogger(__name__)

TICKS: Mapping[str, timedelta] = {
    "send": timedelta(seconds=5),
    "listen": timedelta(seconds=5),
    "act": timedelta(seconds=2),
    "follow": timedelta(seconds=30),
}
REFRESH_ACCOUNT = timedelta(hours=1)
GRACE = 4.0  # seconds for what is in flight when we are told to stop; ten are all that we have
RECENT = timedelta(minutes=2)  # flows that tick every few seconds
TICK_BESIDE_OTHERS = timedelta(seconds=1)  # a reply that another worker stored wakes nobody here
LOOK_AROUND = 2.0  # seconds between looks at who of the other workers lives
LOOK_ALONE = 30.0  # seconds; without others only what we ourselves could not finish is looked for
GONE_FOR = timedelta(seconds=10)  # a living worker whose connection was cut is back by then
LOOK_AT_CLOCK = 5.0  # seconds
AFTER_TROUBLE = 2.0  # seconds until a flow that the database failed tries again


class App:
    """One worker: everything it consists of, and its flows."""

    def __init__(self, settings: Settings, hands: Hands, inbox: InboxWriter, health: Health) -> None:
        self.settings = settings
        self.hands = hands
        self.inbox = inbox
        self.health = health
        self.is_stopping = asyncio.Event()
        self.exit_code = 0
        self._account_read_at: float | None = None
        self._is_account_recent = False  # as it was remembered: nobody need wait until it is read again
        self._is_set_up: set[str] = set()  # channels that have been started
        self._watch = Watch(hands)
        self._look_for_trouble = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

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
        health = Health(
            limits=_limits(settings), ping=partial(_ping, db), count=partial(_count_rows, db, clock)
        )
        channels = {
            name: open_channel(
                name,
                getattr(settings, name),
                transport=transports.get(name),
                on_result=partial(_count, health),
                pace=None if is_paced else Pace(None),
            )
            for name in settings.configured_channels
        }
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
            surveys={survey.key: survey for survey in settings.surveys},
            names=settings.names,
            stop_tags=settings.amocrm.stop_tags,
            surveys_since=settings.amocrm.surveys_since,
            max_deal_age=settings.amocrm.max_deal_age,
            region=settings.company.holidays or "RU",
            health=health,
            wake=wake,
            administrators=_administrators(settings),
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
        await self._take_over(gone_for)

    async def _take_over(self, gone_for: timedelta) -> None:
        """What a dead process held: questions count as asked, actions are looked at again."""
        now = self.hands.now()
        asked = await surveys.rescue(
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
        self.hands.account = account
        for warning in account.warnings:
            log.warning("%s", warning)

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
            if channel.name not in self._is_set_up:
                await channel.start()
                self._is_set_up.add(channel.name)
        if pulls and await self._has("pull"):
            await pull(self.hands)
        while True:
            for channel in self.hands.channels.values():
                if await self._has(f"poll_{channel.name}"):
                    while await receive(self.hands, channel, self.inbox, timedelta(0)):
                        pass
            if not await self._work():  # Only what we did could bring more.
                return
            while await self._work():
                pass

    async def _work(self) -> int:
        """What is due now, each flow once; gives how much was done."""
        await self._watch.look()
        due = await self._due()
        if due.has_replies and await self._has("listen"):
            await listen(self.hands)
            due = await self._due()
        done = 0
        for lane in LANES:
            if due.acts.intersection(kinds_of(lane)):
                done += await act(self.hands, lane)
        # What was done may have made a question due.
        if (due.has_questions or done) and await self._has("send"):
            done += await send(self.hands)
        if due.has_silence:
            done += await follow(self.hands)
        return done

    async def _due(self) -> Due:
        """One look instead of many claims of nothing."""
        now, reminder_after = self.hands.now(), self.hands.policy.reminder_after
        async with self.hands.db.reading() as tx:
            return await due_now(tx, now, asked_before=now - reminder_after.span if reminder_after else None)

    # --- on the clock ---------------------------------------------------------------------------------

    async def serve(self) -> int:
        """Work until told to stop; gives the exit code."""
        self._listen_to_signals()
        # On PostgreSQL others may live and only be cut off for a moment: `_look_around` finds the dead.
        await self.recover(timedelta(0) if self.hands.db.is_sqlite else GONE_FOR)
        server = Server(
            build_app(
                self.health,
                webhook_secret=self.settings.http.webhook_secret.get_secret_value(),
                wake_pull=self.hands.wake.pull.set,
            ),
            self.settings.http.listen_host,
            self.settings.http.listen_port,
        )
        server.start()
        log.info("listening on %s", self.settings.http.listen)
        scheduler = self._schedule()
        self._start_flows()
        scheduler.start()
        self._tasks.append(asyncio.create_task(self._mind_the_clock(scheduler), name="mind the clock"))
        try:
            await self.is_stopping.wait()
        finally:
            log.info("stopping")
            scheduler.shutdown(wait=False)
            await self._end_flows()
            await server.stop()
        return self.exit_code

    def stop(self, exit_code: int = 0) -> None:
        self.exit_code = self.exit_code or exit_code
        self.is_stopping.set()
        self.hands.wake.stop()
        self._look_for_trouble.set()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._on_signal)

    def _on_signal(self) -> None:
        if self.is_stopping.is_set():
            os._exit(0)  # Told twice: leave now; the database is right anyway.
        self.stop()

    def _schedule(self) -> AsyncIOScheduler:
        """It only wakes flows. Its defaults would drop a run that is a second late."""
        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        wake = self.hands.wake
        events = {
            "pull": wake.pull,
            "send": wake.send,
            "listen": wake.listen,
            "act": wake.act,
            "follow": wake.follow,
        }
        every = {"pull": self.settings.amocrm.poll_interval, **TICKS}
        if not self.hands.db.is_sqlite:
            every["listen"] = TICK_BESIDE_OTHERS
        for flow, event in events.items():
            seconds = every[flow].total_seconds()
            scheduler.add_job(_in_the_loop, "interval", [event.set], seconds=seconds, id=flow)
        scheduler.add_job(_in_the_loop, "interval", [self.health.tick], seconds=2, id="tick")
        scheduler.add_job(_in_the_loop, "interval", [self._look_for_trouble.set], seconds=2, id="watch")
        return scheduler

    async def _mind_the_clock(self, scheduler: AsyncIOScheduler) -> None:
        """APScheduler waits by the wall clock: set back by an hour, it would let nothing tick for an hour."""
        watch = self.hands.clock_watch
        while not self.is_stopping.is_set():
            await self._rest(LOOK_AT_CLOCK)
            if watch and not watch.is_right() and watch.off_by is None:
                log.warning("the clock of this machine jumped; amoCRM is asked what time it is")
                self.hands.wake.pull.set()
            now = datetime.now(UTC)
            # The jobs themselves tell: a clock that went forth and back between two looks shows nothing.
            for job in scheduler.get_jobs():
                if job.next_run_time > now + job.trigger.interval + timedelta(seconds=LOOK_AT_CLOCK):
                    job.modify(next_run_time=now)

    def _start_flows(self) -> None:
        wake = self.hands.wake
        self.health.tick()
        self._run("pull", wake.pull, self._pull)
        self._run(
            "send",
            wake.send,
            partial(self._if_known, send, role="send"),
            mend=lambda: surveys.let_go(self.hands.db, self.hands.now()),
        )
        self._run("listen", wake.listen, partial(self._if_known, listen, role="listen"))
        self._run("watch", self._look_for_trouble, self._watch.look)
        self._run("follow", wake.follow, partial(self._if_known, follow))
        for lane in LANES:
            event = asyncio.Event()
            wake.act_lanes[lane] = event
            run = partial(act, lane=lane)
            # An account that cannot be read is a trouble to tell of.
            flow = partial(self._tell, run) if lane == "trouble" else partial(self._if_known, run)
            self._run(
                f"act {lane}",
                event,
                flow,
                mend=partial(let_go, self.hands, lane),
            )
        for channel in self.hands.channels.values():
            if isinstance(channel, Polled):
                self._tasks.append(
                    asyncio.create_task(self._receive(channel), name=f"receive {channel.name}")
                )
        self._tasks.append(asyncio.create_task(self._fan_out(), name="wake act"))
        self._tasks.append(asyncio.create_task(self._look_around(), name="look around"))

    def _run(
        self,
        name: str,
        event: asyncio.Event,
        flow: Callable[[], Awaitable[None]],
        mend: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`mend` is done before the next run of a flow that ended in the middle."""
        self._tasks.append(asyncio.create_task(self._loop(name, event, flow, mend), name=name))

    async def _loop(
        self,
        name: str,
        event: asyncio.Event,
        flow: Callable[[], Awaitable[None]],
        mend: Callable[[], Awaitable[None]] | None,
    ) -> None:
        is_torn = False
        while not self.is_stopping.is_set():
            event.clear()
            try:
                if is_torn and mend:
                    await mend()
                is_torn = True
                await flow()
                is_torn = False
            except OutsideError as error:
                self.health.set_error(error.service, str(error))
                log.warning("%s waits: %s", name, error)
            except AccountProblems as problems:
                sys.stderr.write(f"{problems}\n")
                self.stop(exit_code=2)
            except StorageError as error:
                self.health.set_trouble("storage", str(error))
                log.error("%s waits: %s", name, error)
                asyncio.get_running_loop().call_later(AFTER_TROUBLE, event.set)
            except Exception:
                # A flow never dies: the next tick tries again, and readiness tells that it fails.
                log.exception("%s failed", name)
            else:
                self.health.set_trouble("storage", "")
            if is_torn and mend:  # What it holds nobody else may take, and nothing may fall due to wake it.
                asyncio.get_running_loop().call_later(AFTER_TROUBLE, event.set)
            await event.wait()

    async def _pull(self) -> None:
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
            if await self._has("pull"):
                await pull(self.hands)
        finally:
            await self._watch.look()
        self.hands.wake.send.set()
        self.hands.wake.act.set()

    async def _tell(self, flow: Callable[[Hands], Awaitable[int]]) -> None:
        await flow(self.hands)

    async def _if_known(self, flow: Callable[[Hands], Awaitable[int]], role: str = "") -> None:
        if self.hands.account is not None and (not role or await self._has(role)):
            await flow(self.hands)

    async def _has(self, role: str) -> bool:
        """Is it ours to do? What depends on order, or on what was sent last, is one worker's at a time.

        The others stand by: they are as ready as who does it.
        """
        if await self.hands.db.hold(role):
            return True
        self.health.stand_by(role)
        return False

    async def _look_around(self) -> None:
        """Show that we live, stand by for the pull, take over what the dead held."""
        has_pull: bool | None = None
        while not self.is_stopping.is_set():
            try:
                had_pull, has_pull = has_pull, await self.hands.db.hold("pull")
                if has_pull and had_pull is False:  # It was another's, or we do not know whose.
                    self.hands.wake.pull.set()
                await self._take_over(GONE_FOR)
            except StorageError as error:
                has_pull = False
                log.warning("the other workers cannot be seen: %s", error)
            except Exception:
                log.exception("the other workers cannot be seen")
            await self._rest(LOOK_AROUND if not self.hands.db.is_sqlite else LOOK_ALONE)

    async def _fan_out(self) -> None:
        """One look for all lanes, of which most have nothing to do most of the time: a claim writes."""
        wake = self.hands.wake
        while not self.is_stopping.is_set():
            await wake.act.wait()
            wake.act.clear()
            try:
                due = await outbox.kinds_due(self.hands.db, self.hands.now())
            except StorageError as error:
                log.error("what is to be done cannot be seen: %s", error)
                asyncio.get_running_loop().call_later(AFTER_TROUBLE, wake.act.set)
                continue
            if not due:
                self.health.mark("act", self.hands.now())
            for lane, event in wake.act_lanes.items():
                if due.intersection(kinds_of(lane)):
                    event.set()

    async def _receive(self, channel: Channel) -> None:
        """Polls for ever: a channel that is down costs a line in the log and a pause, nothing else."""
        failures = 0
        has_heard = False
        while not self.is_stopping.is_set():
            try:
                if channel.name not in self._is_set_up:
                    await channel.start()
                    self._is_set_up.add(channel.name)
                    self.health.mark(f"poll_{channel.name}", self.hands.now())  # It answers.
                if not await self._has(f"poll_{channel.name}"):
                    await self._rest(LOOK_AROUND)
                    continue
                # The first look is a short one: readiness need not wait for a long poll to end.
                wait = LONG_POLL if has_heard else timedelta(0)
                await receive(self.hands, channel, self.inbox, wait)
                has_heard = True
                self.health.set_token(channel.name, is_valid=True)
                self.health.set_trouble(channel.name, "")
                failures = 0
                continue
            except AccessDenied as error:
                self.health.set_token(channel.name, is_valid=False)
                log.error("%s", error)
            except OutsideError as error:
                log.warning("%s cannot be heard: %s", channel.name, error)
                if failures > 3:
                    self.health.set_trouble(channel.name, error.detail)
            except StorageError as error:
                log.error("what %s brings is not taken yet: %s", channel.name, error)
            except Exception:
                log.exception("%s cannot be heard", channel.name)
            failures += 1
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        now = self.hands.now()
        await self._rest(min((next_try(min(failures, 2), now, None) - now).total_seconds() / 5, 30.0))

    async def _rest(self, seconds: float) -> None:
        """For so long, unless we are told to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self.is_stopping.wait()
        except TimeoutError:
            return

    async def _end_flows(self) -> None:
        """What is in flight may end; what hangs is let go: its rows say that it may have happened."""
        for task in self._tasks:
            if task.get_name().startswith("receive"):
                task.cancel()  # A long poll has nothing to lose: it is read again.
        _, hanging = await asyncio.wait(self._tasks, timeout=GRACE)
        for task in hanging:
            log.warning("%s did not end in time", task.get_name())
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

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


async def _in_the_loop(call: Callable[[], None]) -> None:
    """APScheduler runs in a thread what is no coroutine, and an event set there may wake nobody."""
    call()


def run(settings: Settings) -> int:
    """`sarafan run`: the exit code."""
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    try:
        db = await Database.open(settings.storage.url, migrate=False)
    except StorageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        await db.claim_instance()
        await db.migrate()
        if await is_unfinished(db):
            raise StorageError("A copy into this database was broken off: run `sarafan copy-to` again first.")
        app = await App.build(settings, db=db)
        try:
            return await app.serve()
        finally:
            await app.close()
    except AccountProblems as problems:
        sys.stderr.write(f"{problems}\n")
        return 2
    except (AlreadyRunning, StorageError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        await db.close()


def _pace(db: Database, of_all: float, own: float | None) -> Pace:
    """amoCRM's: one worker keeps it in memory, several take their turns from a row."""
    if db.is_sqlite:
        return Pace(own or of_all)
    return SharedPace(own or of_all, PaceRow(db, "amocrm"), of_all=of_all)


def _administrators(settings: Settings) -> tuple[int, ...]:
    """Who hears of trouble, by the settings alone: amoCRM may be what does not work."""
    for role in ("admin", "owner", "head"):
        if found := tuple(one.telegram_id for one in settings.staff if one.role == role and one.telegram_id):
            return found
    return ()


def _limits(settings: Settings) -> Mapping[str, timedelta]:
    polled = {f"poll_{name}": LONG_POLL * 4 for name in settings.configured_channels}
    return {
        "pull": settings.amocrm.poll_interval * 3 + RECENT,
        "send": RECENT * 5,
        "listen": RECENT,
        **polled,
    }


async def _ping(db: Database) -> None:
    async with db.reading() as tx:
        await tx.exec(select(State.key).limit(1))


async def _count_rows(db: Database, clock: Clock) -> RowCounts:
    async with db.reading() as tx:
        return await count_rows(tx, clock.now())


def _count(health: Health, service: str, status: str) -> None:
    health.count_request(service, int(status) if status.isdecimal() else status)
